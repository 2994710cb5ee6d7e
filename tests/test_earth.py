"""Directions and times are right without astropy's settings, whatever the age of its tables."""

from datetime import UTC, datetime

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.time import Time, core
from astropy.utils import iers

from opsdb import earth

PLACE = {"longitude_deg": -67.74, "latitude_deg": -22.986, "height_m": 5611.8}
AZIMUTHS, ELEVATIONS = np.array([0.5, 90, 181, 270, 359]), np.array([10, 30, 50, 70, 89])


@pytest.fixture
def no_tables(monkeypatch):
    """Let astropy refuse whatever would read its settings or open its tables by itself, as old or missing tables do."""

    def refuse(*args, **kwargs):
        raise AssertionError("astropy's own tables were asked for")

    monkeypatch.setattr(iers.IERS_Auto, "open", refuse)
    monkeypatch.setattr(iers.LeapSeconds, "auto_open", refuse)
    monkeypatch.setattr(iers.earth_orientation_table, "get", refuse)
    monkeypatch.setattr(core, "_LEAP_SECONDS_CHECK", core._LeapSecondsCheck.NOT_STARTED)
    monkeypatch.setattr(core, "update_leap_seconds", refuse)


def directions(moment):
    seconds = moment.timestamp() + np.arange(5) * 3600.0
    return earth.icrs_of_horizontal(AZIMUTHS, ELEVATIONS, seconds, **PLACE)


def of_astropy(moment, ut1_utc=None):
    """Return what astropy has for the directions, perhaps with a value of UT1-UTC (seconds) that is given."""
    seconds = moment.timestamp() + np.arange(5) * 3600.0
    times = Time(seconds, format="unix")
    if ut1_utc is not None:
        times.delta_ut1_utc = ut1_utc
    where = EarthLocation.from_geodetic(PLACE["longitude_deg"], PLACE["latitude_deg"], PLACE["height_m"])
    with (
        iers.conf.set_temp("auto_download", False),
        iers.conf.set_temp("auto_max_age", None),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
    ):
        frame = AltAz(az=AZIMUTHS * u.deg, alt=ELEVATIONS * u.deg, obstime=times, location=where)
        return SkyCoord(frame).icrs


@pytest.mark.parametrize("day", [datetime(2019, 3, 1, 7, tzinfo=UTC), datetime(2026, 6, 15, 2, tzinfo=UTC)])
def test_directions_are_those_of_astropy(day):
    ra, dec = directions(day)
    assert SkyCoord(ra, dec, unit="deg").separation(of_astropy(day)).arcsec.max() < 0.001


def test_directions_in_any_order_and_several_at_a_moment_are_those_of_each_alone(monkeypatch):
    seconds = np.array([7.2e3, 0, 3.6e3, 0, 7.2e3]) + datetime(2026, 6, 15, 2, tzinfo=UTC).timestamp()
    alone = [
        earth.icrs_of_horizontal(*map(np.array, ([a], [e], [s])), **PLACE)
        for a, e, s in zip(AZIMUTHS, ELEVATIONS, seconds, strict=True)
    ]
    monkeypatch.setattr(earth, "DIRECTIONS_AT_ONCE", 2)
    ra, dec = earth.icrs_of_horizontal(AZIMUTHS, ELEVATIONS, seconds, **PLACE)
    assert list(zip(ra, dec, strict=True)) == [(a[0], d[0]) for a, d in alone]


@pytest.mark.filterwarnings("ignore")
def test_beyond_the_tables_directions_are_less_exact():
    far = datetime(2040, 1, 1, tzinfo=UTC)
    assert far > earth.rotation_known_until()
    found = SkyCoord(*directions(far), unit="deg")
    # With the last value of UT1-UTC in the table they are exact; astropy takes another, and 0.9 s are 13.5 arcsec.
    last = earth._rotation_table()["UT1_UTC"][-1].to_value("s")
    assert found.separation(of_astropy(far, last)).arcsec.max() < 0.001
    assert found.separation(of_astropy(far)).arcsec.max() < earth.LATER_ERROR_ARCSEC


@pytest.mark.parametrize("scale", ["utc", "tai", "tt", "tdb", "tcb", "tcg", "ut1"])
def test_times_of_every_scale_are_those_of_astropy(scale):
    times = Time(["2016-12-31 23:00:00.123", "2026-06-15 02:00:37.5"], scale=scale)
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        wanted = times.utc.to_datetime(timezone=UTC)
    found = earth.utc_datetimes(times)
    assert [abs((one - other).total_seconds()) < 0.0001 for one, other in zip(found, wanted, strict=True)] == [True] * 2


def test_a_moment_within_a_leap_second_has_no_place_in_a_calendar():
    with pytest.raises(ValueError, match="2016-12-31 23:59:60"):
        earth.utc_datetimes(Time(["2016-12-31 23:59:60.5"], scale="utc"))


def test_nothing_asks_for_astropys_own_tables(no_tables, db, reference, tmp_path):
    """As in the first conversion of a process, long after all tables that astropy brings have ended."""
    from astropy.table import QTable

    from opsdb.loaders import load
    from opsdb.models import ConstantElevationSource

    table = QTable(
        {
            "start_time": Time(["2035-02-01 06:00:37"], scale="tai"),
            "stop_time": Time(["2035-02-01 07:00:37"], scale="tai"),
            "name": ["far"],
            "azmin": [35.0] * u.deg,
            "azmax": [75.0] * u.deg,
            "el": [50.0] * u.deg,
        },
        meta={"telescope_name": "FYST"},
    )
    path = tmp_path / "far.ecsv"
    table.write(path, format="ascii.ecsv")
    plan = load("slots", path, program="WFS", create_missing=True)
    assert any("15 arcsec" in note for note in plan.notes)
    assert ConstantElevationSource.objects.filter(name="far").exists()
    rows = "".join(f"{name},10,20,{system},{velocity}\n" for name, system, velocity in SYSTEMS)
    sources = tmp_path / "list.csv"
    sources.write_text(f"name,ra,dec,system,velocity,velocity_frame,velocity_convention\n{rows}")
    assert load("sources", sources).counted("create") == len(SYSTEMS)


SYSTEMS = [(system, system, "5,heliocentric,optical") for system in ("ICRS", "J2000", "B1950", "GALACTIC", "ECLIPTIC")]
