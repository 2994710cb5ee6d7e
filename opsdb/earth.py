"""Times and directions by astropy's own tables and ERFA, whatever the age of the tables.

astropy's frames and times read process-wide settings, download tables when those that they have are old, and refuse
predictions of the Earth's rotation that are more than 30 days old. Nothing here reads or changes these settings. The
tables are the installed ones: Bulletin A of the IERS (``finals2000A``) and the leap seconds, of ``astropy-iers-data``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from astropy.time import Time

UNIX_EPOCH_JD = 2_440_587.5
SECONDS_PER_DAY = 86_400
DIRECTIONS_AT_ONCE = 20_000
# Mean of the pole over 50 years, arcsec, which astropy's frames too take where there are no measurements.
MEAN_POLE_ARCSEC = (0.035, 0.29)
LATER_ERROR_ARCSEC = 15
"""By how much a direction on the sky may be wrong beyond the tables: |UT1-UTC| stays below 0.9 s by definition."""


@cache
def _rotation_table():
    from astropy.utils import iers
    from astropy_iers_data import IERS_A_FILE

    return iers.IERS_A.open(IERS_A_FILE)


@cache
def _know_leap_seconds() -> None:
    """Give ERFA the leap seconds of the installed table, of which it has those until its own release."""
    import erfa
    from astropy.utils import iers
    from astropy_iers_data import IERS_LEAP_SECOND_FILE

    erfa.leap_seconds.update(iers.LeapSeconds.open(IERS_LEAP_SECOND_FILE))


def rotation_known_until() -> datetime:
    """Return the last moment (UTC) for which the installed table has the Earth's rotation, measured or predicted."""
    last = float(_rotation_table()["MJD"][-1].value)
    return datetime(1858, 11, 17, tzinfo=UTC) + timedelta(days=last)


def icrs_of_horizontal(
    azimuth_deg: np.ndarray,
    elevation_deg: np.ndarray,
    unix_seconds: np.ndarray,
    *,
    longitude_deg: float,
    latitude_deg: float,
    height_m: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return right ascensions and declinations (ICRS, degrees) of geometric directions, without refraction.

    Args:
        azimuth_deg: from north through east, degrees.
        elevation_deg: degrees.
        unix_seconds: when, seconds since 1970 (UTC).
        longitude_deg, latitude_deg: geodetic place of the observer, degrees, east and north positive.
        height_m: above the ellipsoid, metres.
    """
    import erfa
    import numpy as np

    # What depends on the moment alone takes most of the time: it is computed once for all directions at a moment.
    moments, of_direction = np.unique(np.asarray(unix_seconds, float), return_inverse=True)
    days = moments / SECONDS_PER_DAY
    with _quiet():
        at_moment, _origins = erfa.apco13(UNIX_EPOCH_JD, days, *_observer(days, longitude_deg, latitude_deg, height_m))
        azimuths, elevations, of_direction = np.broadcast_arrays(
            azimuth_deg, elevation_deg, of_direction.reshape(np.shape(unix_seconds))
        )
        ra, dec = np.empty(azimuths.shape), np.empty(azimuths.shape)
        for start in range(0, azimuths.size, DIRECTIONS_AT_ONCE):
            part = slice(start, start + DIRECTIONS_AT_ONCE)
            there = at_moment[of_direction.flat[part]]
            zenith_distances = np.radians(90 - np.asarray(elevations.flat[part], float))
            intermediate = erfa.atoiq("A", np.radians(azimuths.flat[part]), zenith_distances, there)
            ra.flat[part], dec.flat[part] = erfa.aticq(*intermediate, there)
    return np.degrees(ra) % 360, np.degrees(dec)


def elevations_of_icrs(
    ra_deg: np.ndarray,
    dec_deg: np.ndarray,
    unix_seconds: np.ndarray,
    *,
    longitude_deg: float,
    latitude_deg: float,
    height_m: float,
) -> np.ndarray:
    """Return how high places on the sky stand above the horizon, degrees, without refraction.

    Args:
        ra_deg, dec_deg: ICRS, degrees.
        unix_seconds: when, seconds since 1970 (UTC).
        longitude_deg, latitude_deg: geodetic place of the observer, degrees, east and north positive.
        height_m: above the ellipsoid, metres.
    """
    import erfa
    import numpy as np

    days = np.asarray(unix_seconds, float) / SECONDS_PER_DAY
    with _quiet():
        _azimuth, zenith, *_others = erfa.atco13(
            np.radians(ra_deg),
            np.radians(dec_deg),
            *(0.0, 0.0, 0.0, 0.0),
            UNIX_EPOCH_JD,
            days,
            *_observer(days, longitude_deg, latitude_deg, height_m),
        )
    return 90 - np.degrees(zenith)


def declinations_of_date(ra_deg: np.ndarray, dec_deg: np.ndarray, unix_seconds: np.ndarray) -> np.ndarray:
    """Return the declinations, degrees, that places on the sky have by the equator of a date.

    Args:
        ra_deg, dec_deg: ICRS, degrees.
        unix_seconds: when, seconds since 1970 (UTC).
    """
    import erfa
    import numpy as np

    days = np.asarray(unix_seconds, float) / SECONDS_PER_DAY
    with _quiet():
        # UTC for TT: in a minute the equator moves by less than a microarcsecond.
        _ra, dec, _origins = erfa.atci13(np.radians(ra_deg), np.radians(dec_deg), 0, 0, 0, 0, UNIX_EPOCH_JD, days)
    return np.degrees(dec)


def _observer(days, longitude_deg, latitude_deg, height_m):
    """Return what ERFA takes of an observer: UT1-UTC, place, pole, and an atmosphere that does not refract."""
    import numpy as np

    table = _rotation_table()
    _know_leap_seconds()
    ut1_utc, known = table.ut1_utc(UNIX_EPOCH_JD, days, return_status=True)
    x, y, _ = table.pm_xy(UNIX_EPOCH_JD, days, return_status=True)
    x, y = x.to_value("arcsec"), y.to_value("arcsec")
    x[known < 0], y[known < 0] = MEAN_POLE_ARCSEC
    return (
        # Beyond the table the nearest value: |UT1-UTC| changes by less than a second in years.
        ut1_utc.to_value("s"),
        np.radians(longitude_deg),
        np.radians(latitude_deg),
        height_m,
        np.radians(x / 3600),
        np.radians(y / 3600),
        *(0.0, 0.0, 0.0, 1.0),
    )


def utc_datetimes(times: Time) -> list[datetime | None]:
    """Return times of any scale in UTC, to the microsecond; masked ones as None.

    Raises:
        ValueError: a time is within a leap second, or of a scale without a relation to UTC.
    """
    import erfa
    import numpy as np

    jd1, jd2 = np.atleast_1d(np.asarray(times.jd1, float)), np.atleast_1d(np.asarray(times.jd2, float))
    masked = np.broadcast_to(np.atleast_1d(getattr(times, "mask", False)), jd1.shape)
    jd1, jd2 = np.where(masked, UNIX_EPOCH_JD, jd1), np.where(masked, 0.0, jd2)
    if not np.isfinite(jd1 + jd2).all():
        raise ValueError("a time that is not finite")
    with _quiet():
        _know_leap_seconds()
        years, months, days, clock = erfa.d2dtf("UTC", 6, *_utc(times.scale, jd1, jd2))
    found: list[datetime | None] = []
    for is_masked, year, month, day, (hour, minute, second, microsecond) in zip(
        masked.tolist(), years.tolist(), months.tolist(), days.tolist(), clock.tolist(), strict=True
    ):
        if second > 59 or not 1 <= year <= 9999:
            raise ValueError(f"{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} has no place in a calendar")
        moment = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)
        found.append(None if is_masked else moment)
    return found


def _utc(scale: str, jd1: Sequence[float], jd2: Sequence[float]):
    """Return Julian dates in UTC, by the chain of scales of ERFA's cookbook (SOFA Time Scale and Calendar Tools)."""
    import erfa

    if scale == "utc":
        return jd1, jd2
    if scale == "ut1":
        ut1_utc, _ = _rotation_table().ut1_utc(jd1, jd2, return_status=True)
        return erfa.ut1utc(jd1, jd2, ut1_utc.to_value("s"))
    if scale == "tcb":
        jd1, jd2 = erfa.tcbtdb(jd1, jd2)
        scale = "tdb"
    if scale == "tdb":
        # At the Earth's centre, as astropy without a location; TT for TDB as the argument matters below a nanosecond.
        jd1, jd2 = erfa.tdbtt(jd1, jd2, erfa.dtdb(jd1, jd2, jd2 % 1 - 0.5, 0.0, 0.0, 0.0))
        scale = "tt"
    if scale == "tcg":
        jd1, jd2 = erfa.tcgtt(jd1, jd2)
        scale = "tt"
    if scale == "tt":
        jd1, jd2 = erfa.tttai(jd1, jd2)
        scale = "tai"
    if scale != "tai":
        raise ValueError(f"times of the scale {scale!r}")
    return erfa.taiutc(jd1, jd2)


def _quiet():
    """Ignore ERFA's warnings that a year is dubious: leap seconds far ahead are unknown to everybody."""
    import warnings

    return warnings.catch_warnings(action="ignore")
