"""The slots that a downtime affects: on its form, and in the message after it was saved."""

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb.formatting import format_minute
from opsdb.models import Downtime, ObsUnit, PreScheduledSlot
from opsdb.workflows import AffectedSlots, find_affected_slots

from ..kit.columns import moment
from .executions import night_of
from .parts import PageStylesMixin, Section, Table, shown_of
from .viewer import Viewer, viewer_of

SHOWN = 50
NAMED = 5
"""Slots that the message after saving names."""


def affected_section(viewer: Viewer, downtime: Downtime) -> Section | None:
    """Return the slots ahead that a downtime affects; None where the person may not view slots."""
    found = _find(viewer, downtime)
    if found is None:
        return None
    slots = [*((slot, _("yes")) for slot in found.stopped), *((slot, _("maybe")) for slot in found.possible)]
    slots.sort(key=lambda pair: pair[0].start_time)
    rows = [
        (
            viewer.link(slot, _name(viewer, slot)),
            moment(slot.start_time),
            moment(slot.end_time),
            _night(viewer, slot),
            affected,
        )
        for slot, affected in slots[:SHOWN]
    ]
    columns = (_("slot of"), _("start [UTC]"), _("end [UTC]"), _("night"), _("affected"))
    notes = [shown_of(len(rows), len(slots))]
    if found.possible:
        notes.append(_("Maybe: its unit has no module configuration, and may use what is down."))
    if found.stopped or found.possible:
        notes.append(_("Nothing moves slots by itself: move them, or end the downtime earlier."))
    title = _("Slots ahead that it affects")
    return Section(title, (Table(title, columns, rows, _("None."), " ".join(filter(None, notes))),), "affected")


def _find(viewer, downtime) -> AffectedSlots | None:
    if not viewer.sees(PreScheduledSlot):
        return None
    return find_affected_slots(downtime, since=timezone.now())


def _name(viewer, slot):
    return str(slot.obs_unit) if viewer.sees(ObsUnit) else _("slot %(key)s") % {"key": slot.pk}


def _night(viewer, slot):
    night = night_of(slot.start_time)
    url = viewer.page_url("night", night)
    return format_html('<a href="{}">{}</a>', url, night) if url else str(night)


def affected_text(viewer: Viewer, downtime: Downtime) -> SafeString | str:
    """Return which slots ahead a downtime affects, the first of them as links; empty where it affects none."""
    found = _find(viewer, downtime)
    # The surely affected first: they have to be moved.
    slots: Sequence[PreScheduledSlot] = [*found.stopped, *found.possible] if found is not None else []
    if not slots:
        return ""
    links = format_html_join(
        ", ",
        "{}",
        ((viewer.link(slot, f"{_name(viewer, slot)} {format_minute(slot.start_time)} UTC"),) for slot in slots[:NAMED]),
    )
    more = len(slots) - NAMED
    url = f"{viewer.row_url(Downtime, downtime.pk)}#affected"
    rest = format_html(', <a href="{}">{}</a>', url, _("and %(more)s more") % {"more": f"{more:,}"}) if more > 0 else ""
    return format_html("{} {}{}", _number_text(len(found.stopped), len(found.possible)), links, rest)


def _number_text(sure, possible):
    """Return how many slots are affected, and how many perhaps."""
    if not sure:
        text = ngettext("It may affect %(number)s slot ahead:", "It may affect %(number)s slots ahead:", possible)
        return text % {"number": f"{possible:,}"}
    values = {"number": f"{sure:,}", "possible": f"{possible:,}"}
    if not possible:
        text = ngettext("It affects %(number)s slot ahead:", "It affects %(number)s slots ahead:", sure)
        return text % values
    text = ngettext(
        "It affects %(number)s slot ahead, and perhaps %(possible)s more:",
        "It affects %(number)s slots ahead, and perhaps %(possible)s more:",
        sure,
    )
    return text % values


class AffectedSlotsMixin(PageStylesMixin):
    """Mixin of the admin of downtimes: its form and the message after saving name the slots that one affects."""

    def row_section(self, request: HttpRequest, row: Downtime) -> Section | None:
        viewer = viewer_of(request)
        return affected_section(viewer, row) if viewer else None

    def response_add(self, request: HttpRequest, obj: Downtime, post_url_continue: str | None = None) -> HttpResponse:
        """Add a message about the slots that it affects to the one that it was added."""
        response = super().response_add(request, obj, post_url_continue)
        self._say_affected(request, obj)
        return response

    def response_change(self, request: HttpRequest, obj: Downtime) -> HttpResponse:
        """Add a message about the slots that it affects to the one that it was changed."""
        response = super().response_change(request, obj)
        self._say_affected(request, obj)
        return response

    def _say_affected(self, request, downtime):
        viewer = viewer_of(request)
        text = affected_text(viewer, downtime) if viewer and IS_POPUP_VAR not in request.POST else ""
        if text:
            self.message_user(request, text, messages.WARNING)
