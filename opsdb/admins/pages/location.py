"""One location: its fill level and forecast, what may be deleted now and later, and what is held back by which rule."""

from datetime import timedelta

from django.http import Http404
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from opsdb.formatting import format_size
from opsdb.models import (
    DataLocation,
    DataTransfer,
    DeletionRequest,
    DeletionRequestStatus,
    LocationType,
    LongTermArchiveTransfer,
    PhysicalCopy,
    PhysicalCopyStatus,
)
from opsdb.workflows import GROWTH_DAYS, LocationStock, measure_location, measure_volumes, name_deletion_rule
from opsdb.workflows.location_stock import OLDEST, HeldBack

from ..copy_filters import EXISTING
from ..drawings.fill_level import fill_bar
from ..kit.columns import human_size, moment
from .parts import Content, Facts, Section, Table, capped, first_of, message, paragraph
from .trends.charts import small_figures
from .trends.volume import full_text, growth_text, volume_figure
from .viewer import AdminPage, Viewer
from .why import documentation_url

REQUESTS = 20
VOLUME_DAYS = 90
RULES_PAGE = "operations.md#when-a-copy-may-be-deleted"


def view(viewer: Viewer, pk: int) -> Content:
    """Everything about a location that this person may view."""
    location = DataLocation.objects.select_related("site", "instrument").filter(pk=pk).first()
    if location is None:
        raise Http404(_("There is no such location."))
    sections = []
    if viewer.sees(PhysicalCopy):
        stock = measure_location(location)
        sections += [_room_section(viewer, location, stock), _deletion_section(viewer, location, stock)]
    if viewer.sees(DeletionRequest):
        sections.append(_requests_section(viewer, location))
    sections.append(Section(_("Location"), (Facts(_facts(viewer, location)),), "location"))
    links = [
        (_("Form"), viewer.row_url(DataLocation, location.pk)),
        (_("Copies"), viewer.list_url(PhysicalCopy, data_location__id__exact=location.pk, **EXISTING)),
        (_("Data flow"), viewer.page_url("dataflow")),
        (_("Transfers into it"), viewer.list_url(DataTransfer, destination_location__id__exact=location.pk)),
        (
            _("Archive transfers into it"),
            viewer.list_url(LongTermArchiveTransfer, destination_location__id__exact=location.pk)
            if location.location_type == LocationType.LONG_TERM_ARCHIVE
            else None,
        ),
    ]
    title = _("Location %(name)s") % {"name": f"{location.site}/{location}"}
    return Content(title=title, links=[link for link in links if link[1]], sections=sections)


def _room_section(viewer, location, stock: LocationStock):
    unknown = _("not known: give its capacity in the form")
    facts = [
        (_("copies"), f"{stock.copies:,}"),
        (_("held"), human_size(stock.held_bytes)),
        (_("on its way there"), human_size(stock.booked_bytes)),
        (_("capacity"), human_size(stock.capacity_bytes) if stock.capacity_bytes else unknown),
        (_("free"), None if stock.free_bytes is None else human_size(stock.free_bytes)),
    ]
    if stock.fill_percent is not None:
        bar = fill_bar(stock.fill_percent, location.deletion_threshold_percent)
        facts.append((_("filled"), format_html("{} {}", bar, f"{stock.fill_percent:.3g} %")))
    end = timezone.now().date() + timedelta(days=1)
    start = end - timedelta(days=VOLUME_DAYS)
    [trend] = measure_volumes(start, end, location=location.pk)
    if any(day.held_bytes or day.arrived_bytes for day in trend.days):
        mean = _("%(growth)s, in the mean of the last %(days)s days")
        facts.append((_("grows by"), mean % {"growth": growth_text(trend), "days": GROWTH_DAYS}))
        facts.append((_("full at this rate on"), full_text(trend)))
    parts = [Facts(facts), small_figures([volume_figure(trend, start, end)])]
    if trends := viewer.page_url("trends"):
        parts.append(format_html('<p class="opsdb-links"><a href="{}#volume">{}</a></p>', trends, _("All trends")))
    return Section(_("Room"), parts, "room")


def _deletion_section(viewer, location, stock: LocationStock):
    title = _("What may be deleted")
    if location.location_type == LocationType.LONG_TERM_ARCHIVE:
        return Section(title, (paragraph(_("Nothing: copies in an archive stay for good.")),), "deletion")
    now, later = stock.of_rule(None), stock.of_rule(5)
    held = [one for one in stock.held_back if one.rule not in (None, 5)]
    facts = Facts(
        [
            (_("may be deleted now"), _copies_text(now)),
            (_("may be deleted after the retention, or by a request that overrides it"), _copies_text(later)),
            (_("the first of them [UTC]"), stock.retention_ends_at and moment(stock.retention_ends_at)),
            (_("held back by other rules"), _copies_text(_together(held))),
        ]
    )
    rows = [
        (
            _("may be deleted now") if one.rule is None else name_deletion_rule(one.rule, location),
            f"{one.copies:,}",
            human_size(one.size_bytes),
            message(viewer.link_names(one.why)),
        )
        for one in stock.held_back
    ]
    columns = (_("by which rule"), _("copies"), _("size"), _("the oldest of them"))
    note = (
        _("The rules were asked of the %(number)s oldest copies.") % {"number": f"{OLDEST:,}"} if stock.has_more else ""
    )
    table = Table(_("Copies by the rule that holds them back"), columns, rows, _("There is nothing to delete."), note)
    oldest = viewer.list_url(
        PhysicalCopy, data_location__id__exact=location.pk, status__exact=PhysicalCopyStatus.PRESENT, o="1"
    )
    links = [(oldest, _("Choose copies and request their deletion"))]
    if about := documentation_url(RULES_PAGE):
        links.append((about, _("What the rules are")))
    if now.keys:
        # Only the rules can select them: the list is that of their keys.
        text = ngettext("The copy that may be deleted now", "The %(copies)s copies that may be deleted now", now.copies)
        going = viewer.list_url(PhysicalCopy, id__in=",".join(map(str, now.keys)))
        links.insert(0, (going, text % {"copies": f"{now.copies:,}"}))
    ask = format_html('<p class="opsdb-links">{}</p>', format_html_join(" ", '<a href="{}">{}</a>', links))
    return Section(title, (facts, table, ask if rows else ""), "deletion")


def _together(some):
    return HeldBack(None, sum(one.copies for one in some), sum(one.size_bytes for one in some), "")


def _copies_text(one):
    text = ngettext("%(copies)s copy, %(size)s", "%(copies)s copies, %(size)s", one.copies)
    return text % {"copies": f"{one.copies:,}", "size": format_size(one.size_bytes)}


def _requests_section(viewer, location):
    open_states = (DeletionRequestStatus.REQUESTED, DeletionRequestStatus.APPROVED)
    requests, more = capped(
        DeletionRequest.objects.filter(data_location=location, status__in=open_states)
        .select_related("requested_by")
        .order_by("-pk"),
        REQUESTS,
    )
    rows = [
        (viewer.link(one, one.reason[:80]), one.get_status_display(), viewer.link(one.requested_by), f"{one.limit:,}")
        for one in requests
    ]
    columns = (_("reason"), _("status"), _("requested by"), _("copies at most"))
    table = Table(_("Open deletion requests"), columns, rows, _("There are none."), first_of(REQUESTS) if more else "")
    return Section(_("Open deletion requests"), (table,), "requests")


def _facts(viewer, location):
    yield _("site"), viewer.link(location.site)
    yield _("for"), location.get_location_type_display()
    yield _("storage"), location.get_storage_type_display()
    yield _("new data may be written there"), _("yes") if location.active else _("no, it is inactive")
    yield _("instrument"), location.instrument and viewer.link(location.instrument)
    yield (
        _("retention"),
        _("none: it keeps its data")
        if location.retention_days is None
        else _("%(days)s days") % {"days": location.retention_days},
    )
    yield (
        _("data may be deleted before that above"),
        location.deletion_threshold_percent and f"{location.deletion_threshold_percent:g} %",
    )
    yield _("comment"), location.comment


def _about(viewer, row):
    return viewer.page_url("location", row.pk) if isinstance(row, DataLocation) else None


PAGE = AdminPage(
    "location", ("<int:pk>/all/",), lazy("All about the location"), view, (DataLocation,), of_row=True, about=_about
)
