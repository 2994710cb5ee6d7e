"""The cone search finds what astropy measures, everywhere on the sky."""

import math

import astropy.units as u
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from opsdb.models import FixedSource
from opsdb.testing.factories import FixedSourceFactory

pytestmark = pytest.mark.django_db

# Double precision leaves about this much of an angle near 180°, where the haversine is flat.
TOLERANCE_DEG = 2e-6
PLACES = [
    (ra, dec)
    for dec in (-90.0, -89.9999, -60.0, -5.3911, 0.0, 1e-7, 45.0, 89.5, 89.9999, 90.0)
    for ra in (0.0, 1e-7, 0.5, 83.8221, 180.0, 270.0, 359.5, 359.9999999)
]


@pytest.fixture
def sky(db):
    """Sources all over the sky, at its seam and at its poles."""
    names = {}
    for number, (ra, dec) in enumerate(PLACES):
        names[FixedSourceFactory(name=f"place {number}", ra_deg=ra, dec_deg=dec).pk] = (ra, dec)
    return names


def separations(sky, ra, dec):
    places = SkyCoord([ra for ra, _ in sky.values()], [dec for _, dec in sky.values()], unit="deg")
    measured = places.separation(SkyCoord(ra * u.deg, dec * u.deg)).deg
    return dict(zip(sky, measured, strict=True))


angles = st.floats(0, 360, exclude_max=True) | st.sampled_from([ra for ra, _ in PLACES])
declinations = st.floats(-90, 90) | st.sampled_from([dec for _, dec in PLACES])
radii = st.floats(0, 180) | st.floats(0, 1) | st.sampled_from([0.0, 90.0, 180.0])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(ra=angles, dec=declinations, radius=radii)
@example(ra=0.0, dec=0.0, radius=1.0)
@example(ra=359.9, dec=0.0, radius=0.7)
@example(ra=0.1, dec=0.0, radius=0.7)
@example(ra=12.0, dec=90.0, radius=0.6)
@example(ra=12.0, dec=-90.0, radius=30.0)
@example(ra=200.0, dec=89.8, radius=0.4)
@example(ra=100.0, dec=-89.0, radius=1.0)
@example(ra=77.0, dec=-12.0, radius=180.0)
@example(ra=83.8221, dec=-5.3911, radius=0.0)
@example(ra=1e-200, dec=-5e-324, radius=0.0)
def test_a_cone_search_finds_what_astropy_measures(sky, ra, dec, radius):
    measured = separations(sky, ra, dec)
    found = dict(FixedSource.objects.cone_search(ra, dec, radius).values_list("pk", "separation_deg"))
    certainly = {pk for pk, separation in measured.items() if separation <= radius - TOLERANCE_DEG}
    possibly = {pk for pk, separation in measured.items() if separation <= radius + TOLERANCE_DEG}
    assert certainly <= set(found) <= possibly
    for pk, separation in found.items():
        assert separation == pytest.approx(measured[pk], abs=TOLERANCE_DEG)


@pytest.mark.parametrize(("ra", "dec"), PLACES)
def test_radius_zero_finds_the_source_that_is_there(ra, dec):
    source = FixedSourceFactory(ra_deg=ra, dec_deg=dec)
    FixedSourceFactory(ra_deg=(ra + 1) % 360, dec_deg=max(-89, min(89, dec + 1)) if abs(dec) < 89 else 0.0)
    [found] = FixedSource.objects.cone_search(ra, dec, 0)
    assert found == source
    assert found.separation_deg == pytest.approx(0, abs=1e-12)


def test_radius_180_finds_everything(sky):
    for ra, dec in PLACES:
        assert FixedSource.objects.cone_search(ra, dec, 180).count() == len(sky)


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_at_a_pole_the_right_ascension_means_nothing(pole):
    sources = [FixedSourceFactory(ra_deg=ra, dec_deg=math.copysign(89.9, pole)) for ra in (0.0, 90.0, 181.0, 359.0)]
    assert set(FixedSource.objects.cone_search(123.0, pole, 0.11)) == set(sources)
    assert not FixedSource.objects.cone_search(123.0, pole, 0.09).exists()


@pytest.mark.parametrize("turns", [-2, -1, 1, 3])
def test_any_turn_of_the_right_ascension_is_accepted(turns):
    source = FixedSourceFactory(ra_deg=359.99, dec_deg=10.0)
    assert FixedSource.objects.cone_search(0.01 + 360 * turns, 10.0, 0.05).get() == source
    assert FixedSource.objects.cone_search(-1e-20 + 360 * turns, 10.0, 0.05).get() == source


@pytest.mark.parametrize(
    ("place", "what"),
    [
        ((math.nan, 0, 1), "finite"),
        ((0, math.inf, 1), "finite"),
        ((0, 0, math.nan), "finite"),
        ((0, 90.1, 1), "declination 90.1°"),
        ((0, -91, 1), "declination -91°"),
        ((0, 0, -0.1), "radius -0.1°"),
        ((0, 0, 180.5), "radius 180.5°"),
    ],
)
def test_a_place_that_is_none_is_refused(place, what):
    with pytest.raises(ValueError, match=what):
        FixedSource.objects.cone_search(*place)


def test_a_cone_search_composes_with_other_conditions():
    near = FixedSourceFactory(ra_deg=10.0, dec_deg=0.0, name="near")
    FixedSourceFactory(ra_deg=10.0, dec_deg=0.0, name="also near")
    far = FixedSourceFactory(ra_deg=11.0, dec_deg=0.0, name="far")
    assert FixedSource.objects.filter(name="near").cone_search(10, 0, 1).get() == near
    assert FixedSource.objects.cone_search(10, 0, 2).order_by("-separation_deg").first() == far
