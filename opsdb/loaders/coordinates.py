"""Coordinates on the sky as observers write them, and their conversion to ICRS."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from opsdb.models import CoordinateFrame

from .cells import Cell

DEGREES, HOURS, SEXAGESIMAL = "degrees", "hours", "sexagesimal"
EQUATORIAL = (CoordinateFrame.ICRS, CoordinateFrame.FK5, CoordinateFrame.FK4)

# Frame and equinox of the words for a system. J2000 is FK5; ECLIPTIC is the mean ecliptic and equinox of J2000.
SYSTEMS = {
    "ICRS": (CoordinateFrame.ICRS, ""),
    "J2000": (CoordinateFrame.FK5, "J2000"),
    "B1950": (CoordinateFrame.FK4, "B1950"),
    "GALACTIC": (CoordinateFrame.GALACTIC, ""),
    "ECLIPTIC": (CoordinateFrame.ECLIPTIC, "J2000"),
    "FK5": (CoordinateFrame.FK5, "J2000"),
    "FK4": (CoordinateFrame.FK4, "B1950"),
}

_SEXAGESIMAL = re.compile(
    r"([+-]?)(\d{1,3})(?:(?P<mark>:|\s+)|(?P<unit>[hHdD°]))\s*(\d{1,2}(?:\.\d*)?)"
    r"(?:(?:(?P=mark)|\s*[mM'′])\s*(?:(\d{1,2}(?:\.\d*)?)\s*(?:[sS]|\"|″)?)?)?",
)
_DECIMAL = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?:(?P<hours>[hH])|[dD°]|deg)?")


Angle = tuple[float, str]
"""A number and its unit: degrees, hours or sexagesimal."""


class AngleCell(Cell):
    """An angle in degrees or sexagesimal; read as a number and its unit."""

    expected = "an angle such as 83.8221 (degrees), 05:35:17.3 or 5h35m17.3s"

    def read(self, text: str) -> Angle:
        text = text.replace("−", "-")
        if found := _DECIMAL.fullmatch(text):
            value = float(found[1])
            if not math.isfinite(value):
                raise ValueError
            return value, HOURS if found["hours"] else DEGREES
        found = _SEXAGESIMAL.fullmatch(text)
        if not found:
            raise ValueError
        sign, whole, minutes, seconds = found[1], found[2], found[5], found[6]
        # 60 is what rounding leaves in catalogues; it carries.
        if float(minutes) > 60 or float(seconds or 0) > 60 or ("." in minutes and seconds):
            raise ValueError
        value = int(whole) + float(minutes) / 60 + float(seconds or 0) / 3600
        unit = {"h": HOURS, "": SEXAGESIMAL}.get((found["unit"] or "").lower(), DEGREES)
        return (-value if sign == "-" else value), unit

    def write(self, value: float) -> str:
        return repr(float(value)).removesuffix(".0")


class EquinoxCell(Cell):
    """An equinox, Besselian or Julian."""

    expected = "an equinox such as J2000 or B1950"

    def read(self, text: str) -> str:
        if len(text) > 10 or not re.fullmatch(r"[JjBb]?(1[89]|20)\d\d(\.\d+)?", text):
            raise ValueError
        return text.upper()


def longitude_deg(angle: Angle, frame: str) -> float:
    """Return a longitude in degrees; sexagesimal ones without a unit are hours in an equatorial frame.

    Raises:
        ValueError: it is outside [-360°, 360°].
    """
    value, unit = angle
    hours = unit == HOURS or (unit == SEXAGESIMAL and frame in EQUATORIAL)
    value = value * 15 if hours else value
    if not -360 <= value <= 360:
        raise ValueError("degrees from -360 to 360" if not hours else "hours from -24 to 24")
    return value


def latitude_deg(angle: Angle) -> float:
    """Return a latitude in degrees.

    Raises:
        ValueError: it is in hours or outside [-90°, 90°].
    """
    value, unit = angle
    if unit == HOURS or not -90 <= value <= 90:
        raise ValueError("degrees from -90 to 90")
    return value


def to_icrs(
    longitudes: Sequence[float], latitudes: Sequence[float], frame: str, equinox: str
) -> tuple[list[float], list[float]]:
    """Return right ascensions in [0, 360) and declinations (ICRS), degrees, of positions of one frame.

    By astropy. FK4 positions are those of an observation at the equinox, with the E-terms of aberration; ecliptic
    ones are barycentric and mean (``BarycentricMeanEcliptic``, IAU 2006 precession). No proper motion is applied.

    Args:
        longitudes, latitudes: degrees.
        frame: a ``CoordinateFrame``.
        equinox: such as ``J2000``; empty for ICRS and galactic positions.
    """
    import numpy as np

    longitudes, latitudes = np.asarray(longitudes, float), np.asarray(latitudes, float)
    if frame == CoordinateFrame.ICRS:
        ra, dec = longitudes % 360, latitudes
    else:
        from astropy.coordinates import FK4, FK5, BarycentricMeanEcliptic, Galactic, SkyCoord
        from astropy.utils import iers

        described = {
            CoordinateFrame.FK4: lambda: FK4(equinox=_lettered(equinox) or "B1950"),
            CoordinateFrame.FK5: lambda: FK5(equinox=_lettered(equinox) or "J2000"),
            CoordinateFrame.GALACTIC: Galactic,
            CoordinateFrame.ECLIPTIC: lambda: BarycentricMeanEcliptic(equinox=_lettered(equinox) or "J2000"),
        }
        # No download: a loader works without a network.
        with iers.conf.set_temp("auto_download", False):
            sky = SkyCoord(longitudes, latitudes, unit="deg", frame=described[frame]()).icrs
        ra, dec = sky.ra.deg % 360, sky.dec.deg
    return np.where(ra >= 360, 0.0, ra).tolist(), np.clip(dec, -90, 90).tolist()


def _lettered(equinox):
    """Return an equinox with its letter; a bare year is Besselian before 1984, as in FITS (EQUINOX)."""
    if not equinox or not equinox[0].isdigit():
        return equinox
    return f"{'B' if float(equinox) < 1984 else 'J'}{equinox}"
