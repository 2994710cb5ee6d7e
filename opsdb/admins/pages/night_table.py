"""What was planned for a night and what was executed, side by side, with the data that came of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb.formatting import format_duration, format_second, format_time_of_day
from opsdb.models import ExecutedObsUnit, ObservationStatus, ObsUnit, PreScheduledSlot, Telescope
from opsdb.workflows import ExecutionsData

from ..kit.columns import badge
from ..kit.values import Text
from .assessments import assessments_of
from .executions import DATA_COLUMNS, data_cells, data_text, name_of, observation_url, quality_cell
from .parts import Table
from .viewer import Viewer


@dataclass(frozen=True)
class NightRow:
    """A slot of the schedule, an execution, or an execution in a slot of its unit.

    Attributes:
        slot: None for what was not planned.
        execution: None for what was not observed.
    """

    slot: PreScheduledSlot | None
    execution: ExecutedObsUnit | None

    @property
    def start(self) -> datetime:
        """When it began, or was to begin."""
        return (self.execution or self.slot).start_time


def match_slots(slots: Sequence[PreScheduledSlot], executions: Sequence[ExecutedObsUnit]) -> list[NightRow]:
    """Return slots and executions side by side, in the order of time.

    An execution belongs to the first slot of its unit that it shares time with; one that has not ended lasts until now.
    """
    now, rows, used = timezone.now(), [], set()
    of_unit: dict[int, list[PreScheduledSlot]] = {}
    for slot in slots:
        of_unit.setdefault(slot.obs_unit_id, []).append(slot)
    for execution in executions:
        end = execution.end_time or now
        slot = next(
            (
                slot
                for slot in of_unit.get(execution.obs_unit_id, ())
                if slot.start_time < end and execution.start_time < slot.end_time
            ),
            None,
        )
        used.add(slot and slot.pk)
        rows.append(NightRow(slot, execution))
    rows += [NightRow(slot, None) for slot in slots if slot.pk not in used]
    return sorted(rows, key=lambda row: row.start)


def night_table(viewer: Viewer, rows: Sequence[NightRow], data: ExecutionsData | None, back: str) -> Table:
    """Return slots and executions as one table; the person sees as much of either as they may view.

    Args:
        viewer: the person.
        rows: slots and executions side by side.
        data: of the executions; None where the person may not view it.
        back: address that the buttons for the quality come back to.
    """
    telescopes = {row.slot.telescope_id for row in rows if row.slot}
    names_telescope = len(telescopes) > 1 and viewer.sees(Telescope)
    sees_executions = viewer.sees(ExecutedObsUnit)
    assessed = assessments_of(viewer, [row.execution for row in rows if row.execution])
    columns = (
        _("unit"),
        *((_("planned [UTC]"),) if viewer.sees(PreScheduledSlot) else ()),
        *((_("observed [UTC]"),) if sees_executions else ()),
        _("duration"),
        *((_("status"), *(DATA_COLUMNS if data else ()), _("quality")) if sees_executions else ()),
    )
    cells = [
        (
            _unit(viewer, row),
            *((_slot(viewer, row.slot, names_telescope),) if viewer.sees(PreScheduledSlot) else ()),
            *(_execution(viewer, row, data, back, assessed) if sees_executions else (_planned_duration(row.slot),)),
        )
        for row in rows
    ]
    nothing = _("Nothing was planned or observed.") if sees_executions else _("Nothing was planned.")
    return Table(table_title(viewer), columns, cells, nothing)


def table_title(viewer: Viewer) -> str:
    """Return what the table of a night has, as far as the person may view it."""
    return _("Planned and observed") if viewer.sees(ExecutedObsUnit) else _("Planned")


def _unit(viewer, row):
    if row.execution is not None:
        url = observation_url(viewer, row.execution)
        return format_html('<a href="{}">{}</a>', url, name_of(viewer, row.execution))
    unit = row.slot.obs_unit
    return viewer.lead(unit, f"{unit.observing_program} / {unit}") if viewer.sees(ObsUnit) else viewer.withheld


def _slot(viewer, slot, names_telescope):
    if slot is None:
        return _("not planned")
    link = viewer.link(slot, span_text(slot.start_time, slot.end_time))
    return format_html("{} {}", link, slot.telescope.short_name) if names_telescope else link


def _planned_duration(slot):
    return format_duration((slot.end_time - slot.start_time).total_seconds())


def span_text(start: datetime, end: datetime | None) -> SafeString:
    """Return from when to when something lasts, to the minute, and to the mouse its date and seconds."""
    whole = f"{format_second(start)} – {f'{format_second(end)}' if end else '…'} UTC"
    text = f"{format_time_of_day(start)}–{f'{format_time_of_day(end)}' if end else '…'}"
    return format_html('<span class="opsdb-whole" title="{}">{}</span>', whole, text)


def _execution(viewer, row, data, back, assessed) -> tuple[Text, ...]:
    execution = row.execution
    if execution is None:
        is_over = row.slot.end_time < timezone.now()
        state = _("✘ not observed") if is_over else _("○ ahead")
        return (
            "–",
            _planned_duration(row.slot),
            state,
            *(("–",) * len(DATA_COLUMNS) if data else ()),
            "–",
        )
    end, assessment = execution.end_time, assessed.get(execution.pk)
    return (
        span_text(execution.start_time, end),
        format_duration((end - execution.start_time).total_seconds()) if end else "–",
        badge(ObservationStatus(execution.status)),
        *(data_cells(viewer, execution, data) if data else ()),
        quality_cell(viewer, execution, back, assessment.note if assessment else ""),
    )


def night_sentence(viewer: Viewer, rows: Sequence[NightRow], data: ExecutionsData | None) -> str:
    """Return what happened in a night in a sentence: executions, slots, files, volume, and what is archived.

    Nothing where the person may not view executions.
    """
    if not viewer.sees(ExecutedObsUnit):
        return ""
    states = Counter(row.execution.status for row in rows if row.execution)
    executions = states.total()
    text = ngettext("%(number)s observation", "%(number)s observations", executions) % {"number": executions}
    others = [
        f"{states[one]} {one.label}" for one in ObservationStatus if states[one] and one != ObservationStatus.COMPLETED
    ]
    if others:
        text += _(", of them %(others)s") % {"others": ", ".join(others)}
    slots = {row.slot.pk for row in rows if row.slot}
    if slots and viewer.sees(PreScheduledSlot):
        done = len({row.slot.pk for row in rows if row.slot and row.execution})
        planned = ngettext("%(done)s of %(number)s slot", "%(done)s of %(number)s slots", len(slots))
        text += f" ({planned % {'done': done, 'number': len(slots)}})"
    if data is not None and executions:
        text += f": {data_text(data)}"
    return f"{text}."
