"""All about one program: time allocated, used and left, and its units, requested and done."""

from datetime import timedelta

from django.http import Http404
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import ExecutedObsUnit, ObservingProgram, ObsUnit, PreScheduledSlot, Source, TimeAllocation
from opsdb.svg import element, polyline
from opsdb.workflows import AllocationUse, ProgramTime, TimeUse, list_unit_progress, measure_program_time

from ..drawings.burn_down import burn_down
from ..drawings.fill_level import share_bar
from .executions import execution_table
from .parts import Content, Facts, Figure, Section, Table, first_of, paragraph, subheading
from .unit import progress_cells
from .viewer import AdminPage, Viewer

UNITS = 100
EXECUTIONS = 20
DRAWN = 3
"""Allocations with a burn-down: those of the present, else the latest."""


def view(viewer: Viewer, pk: int) -> Content:
    """Everything about a program that this person may view."""
    program = ObservingProgram.objects.filter(pk=pk).first()
    if program is None:
        raise Http404(_("There is no such program."))
    time = measure_program_time(program) if viewer.sees(ExecutedObsUnit, TimeAllocation) else None
    sections = [Section(_("Program"), (Facts(_facts(program, time)),), "program")]
    if time is not None:
        sections.append(_time_section(viewer, time))
    if viewer.sees(ObsUnit, ExecutedObsUnit, PreScheduledSlot):
        sections.append(_units_section(viewer, program))
    if viewer.sees(ExecutedObsUnit):
        sections.append(_executions_section(viewer, program))
    links = [
        (_("Form"), viewer.row_url(ObservingProgram, program.pk)),
        (_("Units"), viewer.list_url(ObsUnit, observing_program__id__exact=program.pk)),
        (_("Allocations"), viewer.list_url(TimeAllocation, observing_program__id__exact=program.pk)),
        (_("Observations"), viewer.list_url(ExecutedObsUnit, obs_unit__observing_program__id__exact=program.pk)),
    ]
    return Content(
        title=_("Program %(name)s") % {"name": program.short_name},
        links=[link for link in links if link[1]],
        sections=sections,
    )


def _facts(program, time):
    yield _("name"), program.name
    yield _("kind"), program.get_kind_display()
    yield _("lead"), program.lead
    yield _("contact"), program.contact_email
    yield _("observes"), _("yes") if program.active else _("no, it is inactive")
    yield _("description"), program.description
    if time is not None:
        yield _("observations that have ended"), f"{time.use.executions:,}"
        yield _("time in them"), hours_text(time.use.hours)
        yield _("good, of what was assessed"), share_text(time.use)


def hours_text(hours: float) -> str:
    """Return hours with a decimal where they are few."""
    return f"{hours:,.0f} h" if abs(hours) >= 100 else f"{hours:.1f} h"


def share_text(use: TimeUse) -> str:
    """Return the share of good data in what was assessed."""
    return "–" if use.good_share is None else f"{100 * use.good_share:.0f} %"


def _time_section(viewer, time: ProgramTime):
    today = timezone.now().date()
    rows = [_allocation_row(viewer, one, today) for one in time.allocations]
    columns = (
        _("period"),
        _("instrument"),
        _("from – to"),
        _("allocated"),
        _("used"),
        _("of that overhead"),
        _("left"),
        _("good"),
        _("used and left"),
    )
    table = Table(
        _("Allocations"), columns, rows, _("No time is allocated to it."), _trends_note(viewer) if rows else ""
    )
    legend = format_html(
        '<ul class="opsdb-legend"><li>{} {}</li><li>{} {}</li><li>{} {}</li></ul>',
        _square("green"),
        _("used, without overhead"),
        _square("orange"),
        _("overhead: aborted and failed observations, and what took longer than planned"),
        _square("ground"),
        _("left"),
    )
    drawn = [one for one in time.allocations if one.is_current(today)] or time.allocations[:1]
    figures = [_burn_down(one, number, today) for number, one in enumerate(drawn[:DRAWN])]
    warning = "" if time.has_time_left(today) else paragraph(_("It has no allocated time left now."), "opsdb-notice")
    parts = (warning, table, legend if rows else "", *(part for figure in figures for part in figure))
    return Section(_("Time allocated and used in whole periods"), parts, "time")


def _trends_note(viewer):
    """How these hours differ from those of the trends, for who may open them."""
    if (url := viewer.page_url("trends")) is None:
        return ""
    text = _("divides allocations evenly over their days, and shows the part of the days that you choose.")
    return format_html('<a href="{}#time">{}</a> {}', url, _("Trends"), text)


def _square(colour):
    rect = element("rect", x=1, y=2, width=14, height=12, rx=2, class_=f"opsdb-bar-{colour}")
    return element("svg", rect, viewBox="0 0 16 16", class_="opsdb-sign-only", aria_hidden="true")


def _allocation_row(viewer, one: AllocationUse, today):
    allocation, use = one.allocation, one.use
    period = viewer.link(allocation, allocation.period)
    bar = share_bar(
        [
            ("green", (use.hours - use.overhead_hours) / allocation.hours),
            ("orange", use.overhead_hours / allocation.hours),
        ]
    )
    return (
        format_html("{} ({})", period, _("now")) if one.is_current(today) else period,
        viewer.link(allocation.instrument),
        f"{allocation.start_date} – {allocation.end_date - timedelta(days=1)}",
        hours_text(allocation.hours),
        hours_text(use.hours),
        hours_text(use.overhead_hours),
        hours_text(one.left_hours),
        share_text(use),
        format_html("{} {}", bar, f"{100 * use.hours / allocation.hours:.0f} %"),
    )


def _burn_down(one: AllocationUse, number, today):
    """The picture of what was left from week to week, up to the present, with its numbers as a table."""
    allocation = one.allocation
    end = min(max(today, allocation.start_date), allocation.end_date)
    left, points, rows = allocation.hours, [(allocation.start_date, allocation.hours)], []
    for week, use in sorted(one.weeks.items()):
        left -= use.hours
        points.append((min(week + timedelta(days=7), end), left))
        rows.append((str(week), hours_text(use.hours), hours_text(left), share_text(use)))
    points.append((end, left))
    title = _("What is left of %(period)s with %(instrument)s") % {
        "period": allocation.period,
        "instrument": allocation.instrument,
    }
    name = f"burn-down-{number}"
    picture = burn_down(
        name=name,
        title=title,
        description=_("Hours left from week to week, beside an even use of the period."),
        period=(allocation.start_date, allocation.end_date),
        hours=allocation.hours,
        left=points,
        today=today,
    )
    columns = (_("week from"), _("used"), _("left"), _("good"))
    table = Table(title, columns, rows, _("Nothing was observed in the period."))
    legend = [(_line("opsdb-burn-left"), _("left")), (_line("opsdb-burn-even"), _("left, if evenly used"))]
    return subheading(title), Figure(name, title, picture, legend, table)


def _line(css):
    line = polyline([(0, 8), (16, 8)], class_=css)
    return element("svg", line, viewBox="0 0 16 16", class_="opsdb-sign-only", aria_hidden="true")


def _units_section(viewer, program):
    units = ObsUnit.objects.filter(observing_program=program).by_priority()
    found = list_unit_progress(units, limit=UNITS + 1)
    rows = [
        (
            viewer.lead(one.unit),
            viewer.lead(one.unit.source) if viewer.sees(Source) else viewer.withheld,
            one.unit.obs_mode.name,
            one.unit.priority,
            *progress_cells(one),
        )
        for one in found[:UNITS]
    ]
    columns = (
        _("unit"),
        _("source"),
        _("mode"),
        _("priority"),
        _("requested"),
        _("done"),
        _("of that good"),
        _("time"),
        _("next slot [UTC]"),
        _("why not done"),
    )
    shown = found[:UNITS]
    done, asked = sum(one.is_done for one in shown), sum(one.requested is not None for one in shown)
    summary = _("%(done)s of %(asked)s units that have a requested number are done.") % {"done": done, "asked": asked}
    if len(found) > UNITS:
        summary = _("Of the first %(units)s units: ") % {"units": UNITS} + summary
    more = viewer.list_url(ObsUnit, observing_program__id__exact=program.pk) if len(found) > UNITS else None
    note = first_of(UNITS) if more else ""
    table = Table(_("Observation units"), columns, rows, _("It has no units."), note, more)
    return Section(_("Observation units"), (paragraph(summary) if asked else "", table), "units")


def _executions_section(viewer, program):
    units = ObsUnit.objects.filter(observing_program=program).values("pk")
    newest = (
        ExecutedObsUnit.objects.filter(obs_unit__in=units)
        .select_related("obs_unit__observing_program")
        .latest_first()[:EXECUTIONS]
    )
    return Section(_("Newest observations"), (execution_table(viewer, newest),), "executions")


def _about(viewer, row):
    return viewer.page_url("program", row.pk) if isinstance(row, ObservingProgram) else None


PAGE = AdminPage(
    "program", ("<int:pk>/all/",), lazy("All about the program"), view, (ObservingProgram,), of_row=True, about=_about
)
