"""Search by coordinates, as astronomers write them."""

import re
from typing import NamedTuple

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from opsdb.loaders.coordinates import plain_coordinates
from opsdb.models import FixedSource

SEXAGESIMAL = re.compile(
    r"\d{1,3}(:|\s*h\s*|\s+)\d{1,2}((:|\s*m\s*|\s+)\d{1,2}(\.\d*)?\s*s?|\s*m)?[\s,]+"
    r"[+-]?\d{1,2}(:|\s*[d°]\s*|\s+)\d{1,2}((:|\s*[m'′]\s*|\s+)\d{1,2}(\.\d*)?\s*[s\"″]?|\s*[m'′])?"
)
DEGREES = re.compile(r"(?=.*[.+-])(\d{1,3}(?:\.\d*)?)[d°]?[\s,]+([+-]?\d{1,2}(?:\.\d*)?)[d°]?")
RADIUS = re.compile(r"^(?P<centre>.*?)[\s,;]+r\s*=\s*(?P<radius>.*)$", re.IGNORECASE)
BARE_RADIUS = re.compile(
    r"^(?P<centre>.*?)[\s,;]+(?P<radius>\d*\.?\d+\s*('|\"|°|arcmin|arcsec|deg|degrees))$", re.IGNORECASE
)
USUAL_RADIUS = "1'"


class Cone(NamedTuple):
    """A circle on the sky: centre (ICRS) and radius, degrees."""

    ra_deg: float
    dec_deg: float
    radius_deg: float


def cone_of(text: str) -> Cone | None:
    """Read coordinates and, perhaps after ``r=``, a radius; None when the text is no coordinates.

    ``05:35:17.3 -05:23:28 r=1'``, ``5h35m17.3s -5d23m28s`` or ``05 35 17.3 -05 23 28`` are hours and degrees,
    ``83.82 -5.39`` with a sign or a decimal point is degrees. The radius has its unit: ``'``, ``"``, ``arcmin``,
    ``arcsec`` or ``deg``.

    Raises:
        ValueError: it looks like coordinates but is none.
    """
    from astropy.coordinates import Angle, SkyCoord
    from astropy.units import UnitsError

    text = plain_coordinates(text)
    given = RADIUS.match(text) or (None if _is_centre(text) else BARE_RADIUS.match(text))
    centre, radius = (given["centre"], given["radius"].strip()) if given else (text, USUAL_RADIUS)
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


def _is_centre(text):
    return bool(DEGREES.fullmatch(text) or SEXAGESIMAL.fullmatch(text))


class PositionSearch:
    """Mixin of an admin whose search takes coordinates for a circle on the sky."""

    path_to_source: str = "pk"
    """Lookup from a row to its source."""

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Find what is within the circle when coordinates are given."""
        try:
            cone = cone_of(search_term)
        except ValueError as error:
            messages.error(request, str(error))
            return queryset.none(), False
        if cone is None:
            return super().get_search_results(request, queryset, search_term)
        inside = FixedSource.objects.cone_search(*cone).values("pk")
        return queryset.filter(**{f"{self.path_to_source}__in": inside}), False

    def searched(self) -> list:
        """Mention coordinates below the input."""
        return [*super().searched(), _("coordinates with a radius (05:35:17.3 -05:23:28 r=1')")]
