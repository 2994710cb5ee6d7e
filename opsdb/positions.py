"""Places on the sky as astronomers write them: what a person types to search by position."""

import re
from typing import NamedTuple

from django.utils.translation import gettext as _

# What word processors, web pages and PDF files make of a sign, a degree and a minute.
_PLAIN = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-")
    | dict.fromkeys("\u00ba\u02da\u2218", "°")
    | dict.fromkeys("\u2032\u2019\u02b9\u00b4", "'")
    | dict.fromkeys("\u2033\u201d\u02ba\u3003", '"')
    | dict.fromkeys("\u00a0\u2007\u2009\u202f", " ")
    | {"\uff0b": "+", "\u200b": "", "\ufeff": ""}
    | {"\u02b0": "h", "\u1d50": "m", "\u02e2": "s", "\u1d48": "d"}
)

SEXAGESIMAL = re.compile(
    r"\d{1,3}(:|\s*h\s*|\s+)\d{1,2}((:|\s*m\s*|\s+)\d{1,2}(\.\d*)?\s*s?|\s*m)?[\s,]+"
    r"[+-]?\d{1,2}(:|\s*[d°]\s*|\s+)\d{1,2}((:|\s*[m'′]\s*|\s+)\d{1,2}(\.\d*)?\s*[s\"″]?|\s*[m'′])?"
)
DEGREES = re.compile(r"(?=.*[.+-])(\d{1,3}(?:\.\d*)?)[d°]?[\s,]+([+-]?\d{1,2}(?:\.\d*)?)[d°]?")
RADIUS = re.compile(r"^(?P<centre>.*?)[\s,;]+r\s*=\s*(?P<radius>.*)$", re.IGNORECASE)
BARE_RADIUS = re.compile(
    r"^(?P<centre>.*?)[\s,;]+(?P<radius>\d*\.?\d+\s*('|\"|°|arcmin|arcsec|deg|degrees))$", re.IGNORECASE
)
# Text before the numbers in papers and forms, and a declination right behind hours, minutes and seconds.
LABEL = re.compile(r"(^|[\s,;])(R\.?A\.?|Dec\.?|α|δ)(\s*\(?J2000(\.0)?\)?)?\s*[=:]?\s*(?=[+-]?\s*\d)", re.IGNORECASE)
JOINED = re.compile(r"(\d{1,2}\s*[:h][\d\s:m.]*s?)(?=[+-]\d)")
USUAL_RADIUS = "1'"


class Cone(NamedTuple):
    """A circle on the sky: centre (ICRS) and radius, degrees."""

    ra_deg: float
    dec_deg: float
    radius_deg: float


def cone_of(text: str, usual_radius: str = USUAL_RADIUS) -> Cone | None:
    """Read coordinates and, perhaps after ``r=``, a radius; None when the text is no coordinates.

    ``05:35:17.3 -05:23:28 r=1'``, ``5h35m17.3s -5d23m28s`` or ``05 35 17.3 -05 23 28`` are hours and degrees,
    ``83.82 -5.39`` with a sign or a decimal point is degrees, all of them perhaps in brackets or after ``RA`` and
    ``Dec``. The radius has its unit: ``'``, ``"``, ``arcmin``,
    ``arcsec`` or ``deg``.

    Args:
        text: what was typed.
        usual_radius: the radius where none is given.

    Raises:
        ValueError: it looks like coordinates but is none.
    """
    from astropy.coordinates import Angle, SkyCoord
    from astropy.units import UnitsError

    text = _bare(plain_coordinates(text))
    given = RADIUS.match(text) or (None if _is_centre(text) else BARE_RADIUS.match(text))
    centre, radius = (given["centre"], given["radius"].strip()) if given else (text, usual_radius)
    if not _is_centre(centre):
        return None
    degrees = DEGREES.fullmatch(centre)
    plain = centre.replace(",", " ").replace(";", " ")
    try:
        place = SkyCoord(*degrees.groups(), unit="deg") if degrees else SkyCoord(plain, unit=("hourangle", "deg"))
    except ValueError:
        raise ValueError(
            _("“%(centre)s” is no place on the sky: RA is 0 to 24 h or 0° to 360°, Dec −90° to 90°.")
            % {"centre": centre}
        ) from None
    try:
        angle = Angle(radius).deg
    except (ValueError, OverflowError, UnitsError):
        angle = -1
    if not 0 < angle <= 180:
        raise ValueError(
            _("“%(radius)s” is no radius: give a number and its unit, such as 1', 30\" or 0.5 deg.")
            % {"radius": radius}
        )
    return Cone(float(place.ra.deg), float(place.dec.deg), float(angle))


def _bare(text):
    """Return coordinates without labels and brackets, and with a blank between them."""
    if bracketed := re.match(r"\(([^()]*)\)", text):
        text = f"{bracketed[1]} {text[bracketed.end() :]}".strip()
    text = LABEL.sub(r"\1", text).strip()
    return JOINED.sub(r"\1 ", text, count=1) if JOINED.match(text) else text


def _is_centre(text):
    return bool(DEGREES.fullmatch(text) or SEXAGESIMAL.fullmatch(text))


def plain_coordinates(text: str) -> str:
    """Return coordinates with ASCII signs, ``'`` and ``"`` instead of their look-alikes, and signs beside numbers."""
    text = text.translate(_PLAIN).replace("''", '"')
    return re.sub(r"(^|[\s,;])([+-])\s+(?=\d)", r"\1\2", text).strip()
