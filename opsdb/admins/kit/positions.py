"""Search by coordinates, as astronomers write them."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from opsdb.models import FixedSource
from opsdb.positions import cone_of


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
