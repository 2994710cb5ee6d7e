"""Coordinates on the sky as observers write them, and their conversion to ICRS."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from opsdb.models import CoordinateFrame
from opsdb.models.astronomy import lettered_equinox
from opsdb.positions import plain_coordinates

from .cells import Cell, CellError

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
    is_number = True

    def read(self, text: str) -> Angle:
        text = plain_coordinates(text)
        if found := _DECIMAL.fullmatch(text):
            value = float(found[1])
            if not math.isfinite(value):
                raise ValueError
            return value, HOURS if found["hours"] else DEGREES
        found = _SEXAGESIMAL.fullmatch(text)
        if not found:
            raise ValueError
        sign, whole, minutes, seconds = found[1], found[2], found[5], found[6]
        if found["mark"] == ":" and seconds is None:
            raise CellError(
                "has two parts: a spreadsheet may have cut hours, degrees or seconds off",
                "three parts such as 03:12:05.4, or units such as 5h30m",
            )
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


class EpochCell(Cell):
    """The epoch of a position, a Julian year."""

    expected = "a Julian year such as J2016.0, from 1800 to 2200"

    def read(self, text: str) -> float:
        if not re.fullmatch(r"[Jj]?\d{4}(\.\d*)?", text) or not 1800 <= float(text.lstrip("Jj")) <= 2200:
            raise ValueError
        return float(text.lstrip("Jj"))

    def write(self, value: float) -> str:
        return f"J{value!r}"


def frame_of(system: str | None, equinox: str) -> tuple[str, str]:
    """Return the frame and the equinox, with its letter, of a position.

    Without a system an equinox decides, as in FITS (paper II, section 3.1): Besselian means FK4, Julian FK5, and a bare
    year is Besselian before 1984.

    Args:
        system: one of ``SYSTEMS``, or nothing.
        equinox: such as ``J2000`` or ``1950``, or ``""``.

    Raises:
        CellError: the equinox does not fit the system.
    """
    if not equinox:
        return SYSTEMS[system or "ICRS"]
    lettered = lettered_equinox(equinox)
    if not system:
        return (CoordinateFrame.FK4 if lettered.startswith("B") else CoordinateFrame.FK5), lettered
    frame, own = SYSTEMS[system]
    if frame in (CoordinateFrame.ICRS, CoordinateFrame.GALACTIC):
        raise CellError(
            f"contradicts the system {system}, which has no equinox",
            "an empty cell; the date of a position is its epoch",
        )
    if equinox[0].isdigit() and system in ("FK4", "FK5"):
        lettered = f"{own[0]}{equinox}"
    named = system in ("J2000", "B1950") and float(lettered[1:]) != float(own[1:])
    if named or (frame != CoordinateFrame.ECLIPTIC and lettered[0] != own[0]):
        raise CellError(f"contradicts the system {system}", f"{own}, or one of the two left empty")
    return frame, lettered


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

        described = {
            CoordinateFrame.FK4: lambda: FK4(equinox=lettered_equinox(equinox) or "B1950"),
            CoordinateFrame.FK5: lambda: FK5(equinox=lettered_equinox(equinox) or "J2000"),
            CoordinateFrame.GALACTIC: Galactic,
            CoordinateFrame.ECLIPTIC: lambda: BarycentricMeanEcliptic(equinox=lettered_equinox(equinox) or "J2000"),
        }
        sky = SkyCoord(longitudes, latitudes, unit="deg", frame=described[frame]()).icrs
        ra, dec = sky.ra.deg % 360, sky.dec.deg
    return np.where(ra >= 360, 0.0, ra).tolist(), np.clip(dec, -90, 90).tolist()
