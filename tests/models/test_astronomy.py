"""Sources, executions and telescopes as astropy's coordinates, times and places."""

from datetime import UTC, datetime, timedelta

import astropy.units as u
import pytest
from astropy.coordinates import FK4, SkyCoord
from astropy.time import Time

from opsdb.models import CoordinateFrame, VelocityConvention, VelocityFrame
from opsdb.testing.factories import (
    ConstantElevationSourceFactory,
    ExecutedObsUnitFactory,
    FixedSourceFactory,
    PreScheduledSlotFactory,
    SolarSystemObjectFactory,
    TelescopeFactory,
)

NIGHT = datetime(2026, 6, 15, 3, tzinfo=UTC)


def test_a_fixed_source_without_more_is_a_place():
    place = FixedSourceFactory.build(ra_deg=83.8221, dec_deg=-5.3911).skycoord
    assert place.frame.name == "icrs"
    assert (place.ra.deg, place.dec.deg) == pytest.approx((83.8221, -5.3911))
    assert not place.frame.data.differentials


def test_a_moving_source_has_its_motion_distance_and_epoch():
    """Barnard's Star, whose motion astropy then applies: 10.4 arcsec a year."""
    star = FixedSourceFactory.build(
        ra_deg=269.4520769, dec_deg=4.6933650, epoch_year=2016, parallax_mas=546.9759, pm_ra_mas_yr=-801.551,
        pm_dec_mas_yr=10362.394, vlsr_km_s=-93.0, given_velocity=-110.0,
        velocity_frame=VelocityFrame.BARYCENTRIC, velocity_convention=VelocityConvention.OPTICAL,
    )  # fmt: skip
    place = star.skycoord
    assert place.distance.to_value("pc") == pytest.approx(1000 / 546.9759)
    assert place.obstime.jyear == pytest.approx(2016)
    assert place.radial_velocity.to_value("km/s") == pytest.approx(-110.0, abs=0.05)
    later = place.apply_space_motion(new_obstime=Time(2026, format="jyear", scale="tdb"))
    assert later.separation(place).arcsec == pytest.approx(103.9, abs=0.2)


def test_a_velocity_against_the_local_standard_of_rest_is_none_against_the_barycentre():
    assert "s" not in FixedSourceFactory.build(vlsr_km_s=10.0).skycoord.frame.data.differentials


@pytest.mark.parametrize(
    ("convention", "given"),
    [(VelocityConvention.RADIO, 1e3), (VelocityConvention.OPTICAL, 1e3), (VelocityConvention.REDSHIFT, 0.1)],
)
def test_a_given_velocity_is_converted_as_astropy_does(convention, given):
    source = FixedSourceFactory.build(
        vlsr_km_s=1.0, given_velocity=given, velocity_frame="heliocentric", velocity_convention=convention
    )
    rest = 100 * u.GHz
    frequency = {
        VelocityConvention.RADIO: lambda: (given * u.km / u.s).to(u.GHz, u.doppler_radio(rest)),
        VelocityConvention.OPTICAL: lambda: (given * u.km / u.s).to(u.GHz, u.doppler_optical(rest)),
        VelocityConvention.REDSHIFT: lambda: rest / (1 + given),
    }[convention]()
    expected = frequency.to_value(u.km / u.s, u.doppler_relativistic(rest))
    assert source.skycoord.radial_velocity.to_value("km/s") == pytest.approx(expected)


def test_a_position_as_it_was_given():
    place = FixedSourceFactory.build(
        frame=CoordinateFrame.FK4, equinox="B1950", longitude_deg=83.2, latitude_deg=-5.4
    ).given_skycoord
    assert isinstance(place.frame, FK4) and place.equinox == Time("B1950")
    assert (place.ra.deg, place.dec.deg) == pytest.approx((83.2, -5.4))
    ecliptic = FixedSourceFactory.build(
        frame=CoordinateFrame.ECLIPTIC, equinox="2000", longitude_deg=10, latitude_deg=1
    ).given_skycoord
    assert ecliptic.frame.name == "barycentricmeanecliptic" and ecliptic.equinox == Time("J2000")
    assert FixedSourceFactory.build(longitude_deg=None, ra_deg=1.0).given_skycoord.ra.deg == pytest.approx(1.0)


@pytest.mark.parametrize(("edges", "middle"), [((10, 30), 20), ((350, 20), 5), ((340, 10), 355), ((0, 360), 180)])
def test_a_field_has_a_middle(edges, middle):
    west, east = edges
    field = ConstantElevationSourceFactory.build(ra_min_deg=west, ra_max_deg=east, dec_min_deg=-10, dec_max_deg=20)
    assert (field.skycoord.ra.deg, field.skycoord.dec.deg) == pytest.approx((middle, 5))


def test_a_planet_is_where_the_ephemeris_has_it():
    mars = SolarSystemObjectFactory.build(name="Mars", naif_id=499)
    # JPL Horizons, astrometric geocentric place of 2026-06-15 03:00 UT, to the precision of the built-in ephemeris.
    place = mars.skycoord_at(NIGHT)
    assert place.separation(mars.skycoord_at(Time(NIGHT))).arcsec < 1e-6
    assert 0.3 < place.distance.to_value("au") < 2.7
    telescope = TelescopeFactory.build(latitude_deg=-22.985, longitude_deg=-67.74, elevation_m=5600.0)
    seen = mars.skycoord_at(NIGHT, telescope.location)
    assert 0 < SkyCoord(place.ra, place.dec).separation(SkyCoord(seen.ra, seen.dec)).arcsec < 30


def test_a_body_that_astropy_lacks_is_refused():
    comet = SolarSystemObjectFactory.build(name="67P", naif_id=None, horizons_id="67P")
    with pytest.raises(
        ValueError, match="67P: astropy's built-in ephemeris has no such body.*ask JPL Horizons for 67P"
    ):
        comet.skycoord_at(NIGHT)


def test_a_telescope_has_its_place():
    location = TelescopeFactory.build(latitude_deg=-22.985, longitude_deg=-67.74, elevation_m=5600.0).location
    assert location.geodetic.height.to_value("m") == pytest.approx(5600)
    assert location.lat.deg == pytest.approx(-22.985)


def test_executions_and_slots_have_times():
    execution = ExecutedObsUnitFactory.build(start_time=NIGHT, end_time=NIGHT + timedelta(minutes=30))
    assert execution.start == Time("2026-06-15T03:00:00", scale="utc")
    assert execution.duration == 1800 * u.s
    assert (execution.end - execution.start).sec == pytest.approx(1800)
    running = ExecutedObsUnitFactory.build(start_time=NIGHT, end_time=None)
    assert running.end is None and running.duration is None
    slot = PreScheduledSlotFactory.build(start_time=NIGHT, end_time=NIGHT + timedelta(hours=1))
    assert slot.duration.to_value("h") == pytest.approx(1)
