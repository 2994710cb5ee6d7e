"""Rows as astropy's coordinates, times and quantities. astropy is imported on first use."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

from .enums import CoordinateFrame, VelocityConvention, VelocityFrame

if TYPE_CHECKING:
    from astropy.coordinates import EarthLocation, SkyCoord
    from astropy.time import Time
    from astropy.units import Quantity

SPEED_OF_LIGHT_KM_S = 299_792.458  # exact by definition of the metre (SI brochure, 9th edition)
# Numbers of NAIF, and what astropy calls the bodies that its built-in ephemeris (ERFA's) has.
BODIES = {
    10: "sun",
    199: "mercury",
    299: "venus",
    301: "moon",
    499: "mars",
    599: "jupiter",
    699: "saturn",
    799: "uranus",
    899: "neptune",
}


class TimeSpan(models.Model):
    """A row with a ``start_time`` and an ``end_time``, as astropy has times."""

    if TYPE_CHECKING:
        start_time: datetime
        end_time: datetime | None

    class Meta:
        abstract = True

    @property
    def start(self) -> Time:
        """The start, as astropy's ``Time`` in UTC."""
        return time_of(self.start_time)

    @property
    def end(self) -> Time | None:
        """The end, as astropy's ``Time`` in UTC; None while it lasts."""
        return None if self.end_time is None else time_of(self.end_time)

    @property
    def duration(self) -> Quantity | None:
        """The time from start to end, as a quantity in seconds; None while it lasts."""
        from astropy.units import s

        return None if self.end_time is None else (self.end_time - self.start_time).total_seconds() * s


def time_of(moment: datetime) -> Time:
    """Return a moment as astropy's ``Time``, in UTC and to the microsecond."""
    from astropy.time import Time

    return Time(moment, scale="utc")


def fixed_coordinates(source: Any) -> SkyCoord:
    """Return where a fixed source is (ICRS), with distance, motions and epoch where they are known.

    Astropy's radial velocity of an ICRS position is against the barycentre, so one against the LSRK is left out.
    """
    from astropy import units as u
    from astropy.coordinates import Distance, SkyCoord
    from astropy.time import Time

    known: dict[str, Any] = {}
    if source.pm_ra_mas_yr is not None and source.pm_dec_mas_yr is not None:
        known |= {"pm_ra_cosdec": source.pm_ra_mas_yr * u.mas / u.yr, "pm_dec": source.pm_dec_mas_yr * u.mas / u.yr}
    if source.parallax_mas is not None and source.parallax_mas > 0:
        known["distance"] = Distance(parallax=source.parallax_mas * u.mas)
    if (velocity := _barycentric_velocity_km_s(source)) is not None:
        known["radial_velocity"] = velocity * u.km / u.s
    if source.epoch_year is not None:
        known["obstime"] = Time(source.epoch_year, format="jyear", scale="tdb")
    return SkyCoord(source.ra_deg * u.deg, source.dec_deg * u.deg, frame="icrs", **known)


def _barycentric_velocity_km_s(source):
    # As everywhere in ops-db, the Sun is taken to rest at the barycentre.
    if source.velocity_frame not in (VelocityFrame.BARYCENTRIC, VelocityFrame.HELIOCENTRIC):
        return None
    if source.velocity_convention == VelocityConvention.RADIO:
        ratio = 1 - source.given_velocity / SPEED_OF_LIGHT_KM_S
    elif source.velocity_convention == VelocityConvention.OPTICAL:
        ratio = 1 / (1 + source.given_velocity / SPEED_OF_LIGHT_KM_S)
    else:
        ratio = 1 / (1 + source.given_velocity)
    # The velocity that astropy means: by the relativistic Doppler effect, from frequency over rest frequency.
    return SPEED_OF_LIGHT_KM_S * (1 - ratio**2) / (1 + ratio**2)


def given_coordinates(source: Any) -> SkyCoord:
    """Return the position of a fixed source as it was given, in its frame and equinox; without a given one, ICRS."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    frames = {
        CoordinateFrame.ICRS: "icrs",
        CoordinateFrame.FK4: "fk4",
        CoordinateFrame.FK5: "fk5",
        CoordinateFrame.GALACTIC: "galactic",
        CoordinateFrame.ECLIPTIC: "barycentricmeanecliptic",
    }
    if source.longitude_deg is None or source.latitude_deg is None:
        return SkyCoord(source.ra_deg * u.deg, source.dec_deg * u.deg, frame="icrs")
    equinox = {"equinox": lettered_equinox(source.equinox)} if source.equinox else {}
    frame = frames[CoordinateFrame(source.frame)]
    return SkyCoord(source.longitude_deg * u.deg, source.latitude_deg * u.deg, frame=frame, **equinox)


def field_coordinates(source: Any) -> SkyCoord:
    """Return where the middle of a field is (ICRS); a field may span right ascension 0."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    width = (source.ra_max_deg - source.ra_min_deg) % 360 or 360
    ra_deg = (source.ra_min_deg + width / 2) % 360
    return SkyCoord(ra_deg * u.deg, (source.dec_min_deg + source.dec_max_deg) / 2 * u.deg, frame="icrs")


def lettered_equinox(equinox: str) -> str:
    """Return an equinox with its letter; a bare year is Besselian before 1984, as in FITS (EQUINOX)."""
    if not equinox or not equinox[0].isdigit():
        return equinox
    return f"{'B' if float(equinox) < 1984 else 'J'}{equinox}"


def body_coordinates(source: Any, time: Time | datetime, location: EarthLocation | None) -> SkyCoord:
    """Return where a body of the solar system is at a time; see ``SolarSystemObject.skycoord_at``."""
    from astropy.coordinates import get_body, solar_system_ephemeris
    from astropy.utils import iers

    name = BODIES.get(source.naif_id)
    if name is None:
        names = ", ".join(sorted(BODIES.values()))
        raise ValueError(
            f"{source.name}: astropy's built-in ephemeris has no such body, only {names}; ask JPL Horizons for"
            f" {source.horizons_id or source.ephemeris_name}"
        )
    when = time_of(time) if isinstance(time, datetime) else time
    # The installed tables are used as they are: nothing is downloaded.
    with (
        solar_system_ephemeris.set("builtin"),
        iers.conf.set_temp("auto_download", False),
        iers.conf.set_temp("auto_max_age", None),
        iers.conf.set_temp("iers_degraded_accuracy", "warn"),
    ):
        return get_body(name, when, location)


def earth_location(telescope: Any) -> EarthLocation:
    """Return the position of a telescope (WGS 84)."""
    from astropy import units as u
    from astropy.coordinates import EarthLocation

    return EarthLocation.from_geodetic(
        telescope.longitude_deg * u.deg, telescope.latitude_deg * u.deg, telescope.elevation_m * u.m
    )
