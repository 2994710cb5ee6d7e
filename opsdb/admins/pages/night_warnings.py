"""What in the plan of a night that is not over is allowed and probably a mistake."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.translation import gettext as _

from opsdb.models import Downtime, ObsUnit, PreScheduledSlot
from opsdb.row_labels import tables
from opsdb.workflows import find_planning_warnings

from .parts import Section, Table, first_of
from .viewer import Viewer

SHOWN = 50


def planning_section(viewer: Viewer, slots: Sequence[PreScheduledSlot]) -> Section | None:
    """Return the warnings about slots and their units; None where there are none, or the person may not see a plan."""
    if not slots or not viewer.sees(PreScheduledSlot, ObsUnit, Downtime):
        return None
    units = {slot.obs_unit_id: slot.obs_unit for slot in slots}
    warnings = [one.for_viewer(viewer.sees) for one in find_planning_warnings([*slots, *units.values()])]
    if not warnings:
        return None
    title = _("Is this meant?")
    rows = [(_subject(viewer, one), one.problem, one.remedy) for one in warnings[:SHOWN]]
    note = first_of(SHOWN) if len(warnings) > SHOWN else ""
    table = Table(title, (_("what"), _("what is unusual"), _("what to do")), rows, "", note)
    return Section(title, (table,), "warnings")


def _subject(viewer, warning):
    table, _blank, key = warning.row.partition(" ")
    url = viewer.row_url(tables()[table], key)
    return format_html('<a href="{}">{}</a>', url, warning.subject) if url else warning.subject
