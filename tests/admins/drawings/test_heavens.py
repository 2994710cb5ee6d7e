"""Places on the sky agree with astropy to what a picture shows."""

from datetime import UTC, datetime
from math import cos, hypot, radians

import pytest
from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_body
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given, settings
from hypothesis import strategies as st

from opsdb.admins.drawings import heavens

LATITUDE, LONGITUDE = -22.985639, -67.740278
MOMENTS = [
    datetime(2024, 3, 9, 4, 30, tzinfo=UTC),
    datetime(2026, 6, 15, 22, tzinfo=UTC),
    datetime(2022, 12, 1, 9, tzinfo=UTC),
]
angle = st.floats(0, 359.999)


def apart(place, other):
    return SkyCoord(*place, unit="deg").separation(SkyCoord(*other, unit="deg")).deg


@pytest.fixture(autouse=True)
def _no_network():
    with iers.conf.set_temp("auto_download", False):
        yield


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("body", "place", "exact_to"), [("sun", heavens.sun, 0.5), ("moon", heavens.moon, 0.8)])
def test_sun_and_moon_are_where_astropy_has_them(body, place, exact_to, moment):
    found = get_body(body, Time(moment))
    assert apart(place(moment), (found.ra.deg, found.dec.deg)) < exact_to


@pytest.mark.parametrize("moment", MOMENTS)
def test_altitude_is_that_of_astropy(moment):
    telescope = EarthLocation.from_geodetic(LONGITUDE, LATITUDE)
    found = SkyCoord(83.8, -5.4, unit="deg").transform_to(AltAz(obstime=Time(moment), location=telescope))
    assert heavens.altitude((83.8, -5.4), moment, LATITUDE, LONGITUDE) == pytest.approx(found.alt.deg, abs=0.5)


def test_the_moon_was_full_and_new_when_it_was():
    assert heavens.moon_illumination(datetime(2026, 3, 3, 11, 38, tzinfo=UTC)) > 0.99
    assert heavens.moon_illumination(datetime(2026, 8, 12, 17, 37, tzinfo=UTC)) < 0.01


@given(angle, st.floats(-89, 89))
@settings(max_examples=25, deadline=None)
def test_galactic_and_ecliptic_places_are_those_of_astropy(longitude, latitude):
    for frame, place in (("galactic", heavens.of_galactic), ("barycentricmeanecliptic", heavens.of_ecliptic)):
        expected = SkyCoord(longitude, latitude, unit="deg", frame=frame).icrs
        assert apart(place(longitude, latitude), (expected.ra.deg, expected.dec.deg)) < 0.01


@given(angle, st.floats(-89, 89), angle)
@settings(max_examples=50, deadline=None)
def test_the_projection_stays_in_its_ellipse_and_keeps_areas(ra, dec, center):
    x, y = heavens.hammer(ra, dec, center)
    assert hypot(2 * x / heavens.HAMMER_WIDTH, 2 * y / heavens.HAMMER_HEIGHT) <= 1 + 1e-9
    step = 1e-3
    if abs(abs(heavens.from_center(ra, center)) - 180) > 1:
        east, north = heavens.hammer(ra + step, dec, center), heavens.hammer(ra, dec + step, center)
        area = abs((east[0] - x) * (north[1] - y) - (east[1] - y) * (north[0] - x))
        assert area == pytest.approx(radians(step) ** 2 * cos(radians(dec)), rel=1e-2)


def test_east_is_left_and_north_is_up():
    assert heavens.hammer(30, 0)[0] < 0 < heavens.hammer(0, 30)[1]
