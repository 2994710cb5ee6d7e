"""All about one observation unit: requested and done, its executions with their data, its constraints, and why it is
not done."""

from django.http import Http404
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from opsdb.formatting import format_duration, format_minute, format_range, format_time_of_day
from opsdb.models import (
    ExecutedObsUnit,
    ObsUnit,
    PreScheduledSlot,
    RawDataPackage,
    Source,
    Telescope,
    TimeAllocation,
)
from opsdb.workflows import (
    UnitProgress,
    list_unit_progress,
    measure_program_time,
    summarize_execution_data,
)

from ..kit.columns import moment
from .executions import data_text, execution_table
from .parts import Content, Facts, Section, Table, capped, first_of, paragraph
from .viewer import AdminPage, Viewer

EXECUTIONS = 50
SLOTS = 20


def view(viewer: Viewer, pk: int) -> Content:
    """Everything about a unit that this person may view."""
    units = ObsUnit.objects.filter(pk=pk).select_related("sub_observing_program", "configuration")
    unit = units.select_related("observing_program", "source", "obs_mode").first()
    if unit is None:
        raise Http404(_("There is no such unit."))
    sections = []
    if viewer.sees(ExecutedObsUnit, PreScheduledSlot):
        time = measure_program_time(unit.observing_program) if viewer.sees(TimeAllocation) else None
        (progress,) = list_unit_progress(units, limit=1, program_time=time)
        sections.append(_progress_section(viewer, progress))
    sections.append(Section(_("Plan and constraints"), (Facts(_facts(viewer, unit)),), "plan"))
    if viewer.sees(ExecutedObsUnit):
        sections.append(_executions_section(viewer, unit))
    if viewer.sees(PreScheduledSlot):
        sections.append(_slots_section(viewer, unit))
    links = [
        (_("Form"), viewer.row_url(ObsUnit, unit.pk)),
        (_("Program"), viewer.page_url("program", unit.observing_program_id)),
        (_("Source"), viewer.page_url("source", unit.source_id) if unit.source_id else None),
        (_("Where is it?"), viewer.page_url("where", q=unit.name)),
    ]
    return Content(
        title=f"{unit.observing_program} / {unit}", links=[link for link in links if link[1]], sections=sections
    )


def progress_cells(one: UnitProgress) -> tuple:
    """Return how far a unit is as cells of a table: requested, done, good, time, next slot, why it is not done."""
    return (
        "–" if one.requested is None else f"{one.requested:,}",
        f"{one.completed:,}",
        f"{one.good:,}",
        format_duration(one.observed.total_seconds()),
        moment(one.next_slot) if one.next_slot else "–",
        _("✔ done") if one.is_done else "; ".join(one.obstacles),
    )


def _progress_section(viewer, one: UnitProgress):
    asked = _("any number") if one.requested is None else f"{one.requested:,}"
    facts = Facts(
        [
            (_("requested"), asked),
            (_("done"), f"{one.completed:,}"),
            (_("of that good"), f"{one.good:,}"),
            (_("time"), format_duration(one.observed.total_seconds())),
            (_("next slot [UTC]"), one.next_slot and moment(one.next_slot)),
        ]
    )
    if one.is_done:
        return Section(_("Requested and done"), (facts, paragraph(_("✔ It is done."))), "progress")
    why = format_html_join("", "<li>{}</li>", ((reason,) for reason in one.obstacles))
    reasons = format_html(
        '<h3 class="opsdb-part">{}</h3><ul class="opsdb-reasons">{}</ul>', _("Why it is not done"), why
    )
    return Section(_("Requested and done"), (facts, reasons), "progress")


def _facts(viewer, unit):
    yield _("program"), viewer.lead(unit.observing_program)
    yield _("sub-program"), unit.sub_observing_program and viewer.link(unit.sub_observing_program)
    yield _("source"), unit.source and (viewer.lead(unit.source) if viewer.sees(Source) else viewer.withheld)
    yield _("mode"), viewer.link(unit.obs_mode)
    yield _("recipe"), viewer.link(unit.configuration)
    yield _("line"), unit.line_id
    yield _("priority"), unit.priority
    yield _("available for the schedule"), _("yes") if unit.available else _("no")
    yield _("planned duration"), unit.planned_duration_seconds and format_duration(unit.planned_duration_seconds)
    yield _("elevation"), format_range(unit.elevation_min_deg, unit.elevation_max_deg, "°")
    yield _("local sidereal time"), format_range(unit.lst_start_hours, unit.lst_end_hours, " h")
    yield _("PWV at most"), unit.pwv_max_mm and f"{unit.pwv_max_mm:g} mm"
    yield _("comment"), unit.comment


def _executions_section(viewer, unit):
    executions, more = capped(unit.executions.select_related("obs_unit__observing_program").latest_first(), EXECUTIONS)
    data = None
    if viewer.sees(RawDataPackage):
        data = summarize_execution_data([execution.pk for execution in executions])
    every = viewer.list_url(ExecutedObsUnit, obs_unit__id__exact=unit.pk)
    table = execution_table(viewer, executions, viewer.page_url("unit", unit.pk), data, of_one_unit=True)
    facts = [
        _("The newest %(number)s observations") % {"number": len(executions)}
        if more
        else ngettext("%(number)s observation", "%(number)s observations", len(executions))
        % {"number": len(executions)},
        *([data_text(data)] if data and executions else []),
    ]
    note = first_of(EXECUTIONS) if more else ""
    parts = (
        paragraph(": ".join(facts) + "."),
        table,
        format_html('<p class="opsdb-note">{} <a href="{}">{}</a></p>', note, every, _("See all")),
    )
    return Section(_("Observations"), parts if executions else (table,), "executions")


def _slots_section(viewer, unit):
    slots, more = capped(
        PreScheduledSlot.objects.filter(obs_unit=unit, end_time__gt=timezone.now())
        .select_related("telescope")
        .order_by("start_time"),
        SLOTS,
    )
    rows = [
        (
            viewer.link(slot, f"{format_minute(slot.start_time)}–{format_time_of_day(slot.end_time)}"),
            format_duration((slot.end_time - slot.start_time).total_seconds()),
            viewer.link(slot.telescope) if viewer.sees(Telescope) else viewer.withheld,
            "–" if slot.elevation_deg is None else f"{slot.elevation_deg:g}°",
        )
        for slot in slots
    ]
    columns = (_("slot [UTC]"), _("duration"), _("telescope"), _("elevation"))
    table = Table(_("Slots ahead"), columns, rows, _("No slot is planned for it."), first_of(SLOTS) if more else "")
    return Section(_("Slots ahead"), (table,), "slots")


def _about(viewer, row):
    return viewer.page_url("unit", row.pk) if isinstance(row, ObsUnit) else None


PAGE = AdminPage("unit", ("<int:pk>/all/",), lazy("All about the unit"), view, (ObsUnit,), of_row=True, about=_about)
