"""The form of a slot, which says which other slots take its time."""

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from opsdb.models import ObsUnit, PreScheduledSlot
from opsdb.workflows import find_slot_conflict

from .kit.forms import OpsForm
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
        return found and _sentence(found, self.viewer)


def _sentence(conflict, viewer) -> SafeString:
    links = format_html_join(", ", "{}", ((_link(conflict, slot, viewer),) for slot in conflict.slots))
    return format_html("{}: {}{}", conflict.problem, links, conflict.remedy)


def _link(conflict, slot, viewer):
    """A link that leaves the form open; the name of the unit is only for who may view it."""
    text = conflict.name(slot, with_unit=viewer.sees(ObsUnit))
    return format_html('<a href="{}" target="_blank">{}</a>', viewer.row_url(PreScheduledSlot, slot.pk), text)
