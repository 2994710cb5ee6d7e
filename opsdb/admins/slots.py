"""The form of a slot, which names the other slots that take its time."""

import json
from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from opsdb.formatting import format_minute, format_time_of_day
from opsdb.models import ObsUnit, PreScheduledSlot, Telescope
from opsdb.workflows import PlanningProblem, find_planning_warnings, find_slot_conflict

from .drawings.heavens import altitude, sun
from .kit.forms import OpsForm
from .pages.night_sky import HORIZON_DEG, TWILIGHT_DEG
from .pages.viewer import Viewer

TAKEN = {
    rule.violation_error_message
    for rule in PreScheduledSlot._meta.constraints
    if rule.name.endswith(("_no_overlap", "_unique_start"))
}


class SlotForm(OpsForm):
    """A slot: an error about its time names the slots that take it, with links, and the next free time."""

    viewer: Viewer | None = None

    def _update_errors(self, errors):
        general = getattr(errors, "error_dict", {}).get(NON_FIELD_ERRORS, [])
        others = [error for error in general if error.message not in TAKEN]
        if len(others) < len(general) and (sentence := self._conflict()):
            errors.error_dict[NON_FIELD_ERRORS] = [ValidationError(sentence), *others]
        super()._update_errors(errors)

    def _conflict(self):
        slot = self.instance
        if self.viewer is None or not self.viewer.sees(PreScheduledSlot):
            return None
        found = find_slot_conflict(slot.telescope_id, slot.start_time, slot.end_time, besides=slot.pk)
        return found and format_html("{}{}", _sentence(found, self.viewer), self._offer(found.free_from))

    def _offer(self, start):
        """Return the button that fills in a free time, with how light it is then; empty where there is none."""
        if start is None:
            return ""
        end = start + (self.instance.end_time - self.instance.start_time)
        values = {}
        for name, moment in (("start_time", start), ("end_time", end)):
            base = self[name].auto_id
            values |= {f"{base}_0": f"{moment:%Y-%m-%d}", f"{base}_1": f"{moment:%H:%M:%S}"}
        label = _("Use %(start)s to %(end)s UTC") % {"start": format_minute(start), "end": format_time_of_day(end)}
        notes = [light_at(self.instance.telescope, (start, end)), self._height(start, end)]
        done = _("%(start)s to %(end)s UTC is filled in, and not saved yet: save the slot.")
        return format_html(
            ' <button type="button" class="button" data-opsdb-fill="{}" data-opsdb-filled="{}">{}</button>{}',
            json.dumps(values),
            done % {"start": format_minute(start), "end": format_time_of_day(end)},
            label,
            format_html(" ({})", "; ".join(notes)) if (notes := list(filter(None, notes))) else "",
        )

    def _height(self, start, end):
        """Return that the source is outside of the limits of elevation in a time, as far as the person may see it."""
        unit, telescope = self.instance.obs_unit, self.instance.telescope
        then = PreScheduledSlot(obs_unit=unit, telescope=telescope, start_time=start, end_time=end)
        found = [one for one in find_planning_warnings([then]) if one.kind is PlanningProblem.ELEVATION]
        return _("then %(problem)s") % {"problem": found[0].for_viewer(self.viewer.sees).problem} if found else ""


def light_at(telescope: Telescope, moments: Iterable[datetime]) -> str:
    """Return how light it is at a telescope at some moments: in daylight, in twilight, or empty where it is dark."""
    if telescope.latitude_deg is None or telescope.longitude_deg is None:
        return ""
    heights = [altitude(sun(one), one, telescope.latitude_deg, telescope.longitude_deg) for one in moments]
    if max(heights) >= HORIZON_DEG:
        return _("in daylight")
    return _("in twilight") if max(heights) >= TWILIGHT_DEG else ""


def _sentence(conflict, viewer) -> SafeString:
    links = format_html_join(", ", "{}", ((_link(conflict, slot, viewer),) for slot in conflict.slots))
    return format_html("{}: {}{}", conflict.problem, links, conflict.remedy)


def _link(conflict, slot, viewer):
    """A link that leaves the form open; the name of the unit is only for who may view it."""
    text = conflict.name(slot, with_unit=viewer.sees(ObsUnit))
    return format_html('<a href="{}" target="_blank">{}</a>', viewer.row_url(PreScheduledSlot, slot.pk), text)
