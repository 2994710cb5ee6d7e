"""Filters of the list of copies, each of bounded cost: what was verified, and what may be deleted now."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.filters.keys import is_key
from opsdb.models import DataLocation, LocationType, PhysicalCopy, PhysicalCopyStatus, Verification
from opsdb.models.copies.querysets import GONE
from opsdb.workflows import measure_location
from opsdb.workflows.location_stock import OLDEST

from .kit.names import called
from .kit.values import Text
from .pages.viewer import viewer_of

LISTED_AT_ONE = 1_000  # copies, where a location is chosen
LISTED_AT_EACH = 200  # copies, where none is
LOCATIONS_OFFERED = 30
LOCATION = "data_location__id__exact"
NOT_READ = "not_read"

# What narrows the list of copies to those that are there.
EXISTING = {"status__in": ",".join(state for state in PhysicalCopyStatus if state not in GONE)}
# Parameters with which the list has either none of what is gone, or nothing else.
HIDE_WHAT_IS_GONE = ("status", "verification", "may_go_at", "id", "pk")


def _never_compared(location):
    return PhysicalCopy.objects.never_checked(location)


def _compared_longest_ago(location):
    return PhysicalCopy.objects.checked_longest_ago(location).filter(verification=Verification.VERIFIED)


class VerificationFilter(admin.FieldListFilter):
    """Filters by what is known of a copy's checksum: the first copies of each location, as an index gives them.

    Most copies are verified or most are not, so that no index on the state itself would help. Those on which the checks
    are planned lead to the first copies of one location.
    """

    states = {
        Verification.UNVERIFIED.value: lazy("unverified: not compared yet"),
        NOT_READ: lazy("unverified: could not be read"),
        Verification.VERIFIED.value: lazy("verified, the longest ago"),
        Verification.MISMATCH.value: lazy("mismatch: another checksum was found"),
    }
    walks = {
        Verification.UNVERIFIED.value: _never_compared,
        NOT_READ: lambda location: PhysicalCopy.objects.unreadable(location),
        Verification.VERIFIED.value: _compared_longest_ago,
    }
    note: Text = ""
    """The note on the list."""

    def __init__(
        self,
        field: Any,
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Model],
        model_admin: ModelAdmin,
        field_path: str,
    ):
        self.parameter = f"{field_path}__exact"
        super().__init__(field, request, params, model, model_admin, field_path)
        self.value = (self.used_parameters.get(self.parameter) or [None])[-1]

    def expected_parameters(self) -> list[str]:
        return [self.parameter]

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """Yield the states, of which each leads to the list of some copies."""
        yield {
            "selected": self.value is None,
            "query_string": changelist.get_query_string(remove=[self.parameter]),
            "display": _("All"),
        }
        for state, label in self.states.items():
            yield {
                "selected": self.value == state,
                "query_string": changelist.get_query_string({self.parameter: state}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        """Narrow to the first copies in a state; mismatches, which are few, have an index of their own."""
        if self.value is None:
            return None
        if self.value not in self.states:
            raise IncorrectLookupParameters(self.value)
        if self.value not in self.walks:
            return queryset.filter(**{self.parameter: self.value})
        chosen = request.GET.get(LOCATION, "")
        is_one = is_key(DataLocation, chosen)
        locations = [int(chosen)] if is_one else DataLocation.objects.order_by("pk").values_list("pk", flat=True)
        limit = LISTED_AT_ONE if is_one else LISTED_AT_EACH
        found, has_more = first_of_each(self.walks[self.value], locations, limit)
        self.note = self._note(limit, is_one, has_more)
        return queryset.filter(pk__in=found)

    def _note(self, limit, is_one, has_more):
        gone = _("Deleted and missing copies are left out.")
        if not has_more:
            return gone
        text = (
            _("The first %(limit)s are listed, in the order in which they are due for a check; there are more.")
            if is_one
            else _("Of each location the first %(limit)s are listed: choose a location below to see more of it.")
        )
        return f"{text % {'limit': f'{limit:,}'}} {gone}"


def first_of_each(walk: Any, locations: Sequence[int], limit: int) -> tuple[list[int], bool]:
    """Return the keys of the first copies of some locations, and whether one of these has more. One query.

    Args:
        walk: returns the copies at a location in the order of an index.
        locations: keys of the locations.
        limit: most copies of a location.
    """
    parts = [walk(location).values_list("data_location_id", "pk")[: limit + 1] for location in locations]
    if not parts:
        return [], False
    of_each: dict[int, list[int]] = {}
    for location, key in parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0]:
        of_each.setdefault(location, []).append(key)
    keys = [key for some in of_each.values() for key in some[:limit]]
    return keys, any(len(some) > limit for some in of_each.values())


class MayGoFilter(admin.SimpleListFilter):
    """Filters by what may be deleted now at a location: the rules are asked of its oldest copies, as on its page."""

    title = lazy("what may be deleted now at")
    parameter_name = "may_go_at"
    note: Text = ""

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        """Return the locations whose copies may be deleted, as far as the person may see them."""
        viewer = viewer_of(request)
        if viewer is None or not viewer.sees(DataLocation):
            return []
        self.viewer = viewer
        places = DataLocation.objects.exclude(location_type=LocationType.LONG_TERM_ARCHIVE).select_related("site")
        self.places = {
            str(place.pk): place for place in places.order_by("site__short_name", "name")[:LOCATIONS_OFFERED]
        }
        return [(key, called(place)) for key, place in self.places.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        """Narrow to the copies that no rule holds back."""
        if self.value() is None:
            return None
        place = self.places.get(self.value()) if self.lookup_choices else None
        if place is None:
            raise IncorrectLookupParameters(self.value())
        self.note = format_html(
            '{} <a href="{}#deletion">{}</a>',
            _("Of the %(number)s oldest copies at %(place)s, those that no rule holds back from deletion now.")
            % {"number": f"{OLDEST:,}", "place": called(place)},
            self.viewer.page_url("location", place.pk),
            _("What holds back the others"),
        )
        return queryset.filter(pk__in=measure_location(place).of_rule(None).keys)
