"""How long programs observed, against what they were allocated."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from opsdb.models import Instrument, ObservingProgram
from opsdb.workflows import measure_observing_time

from ...drawings.chart import Chart, ChartColumn, Level
from ...kit.values import Text
from ..parts import Table, paragraph, subheading
from ..program import hours_text
from ..viewer import Viewer
from .charts import WEEK, figure, small_figures


def time_parts(viewer: Viewer, start: date, end: date) -> Sequence[Text]:
    """Return what the page shows."""
    programs: dict[str, list] = {}
    for week in measure_observing_time(start, end):
        programs.setdefault(week.program, []).append(week)
    observed = {name: weeks for name, weeks in programs.items() if any(week.hours for week in weeks)}
    allocations = _allocations(viewer, programs, end - timedelta(days=1))
    if not observed:
        return (*allocations, paragraph(_("Nothing was observed in this period."), "opsdb-empty"))
    rows = [
        (
            viewer.lead(ObservingProgram(pk=weeks[0].program_id, short_name=name), name),
            *_hours(weeks),
            _whole(viewer, weeks),
        )
        for name, weeks in programs.items()
    ]
    days = {"start": start, "end": end - timedelta(days=1)}
    columns = (
        _("program"),
        _("observed from %(start)s to %(end)s") % days,
        _("allocated for these days"),
        _("used of that"),
        _("good, of the judged"),
        _("whole allocations"),
    )
    note = _(
        "Allocated for these days is their part of the whole allocations, which are spread evenly over the days of "
        "their periods."
    )
    return (
        *allocations,
        subheading(_("Observed from %(start)s to %(end)s, by program") % days),
        Table(_("Programs"), columns, rows, note=note),
        small_figures(
            _program(number, name, weeks, start, end) for number, (name, weeks) in enumerate(observed.items())
        ),
    )


def _allocations(viewer, programs, day):
    """The allocations that include a day as a table: what was used of each, what is left, and where that leads."""
    rows = [
        (
            viewer.lead(ObservingProgram(pk=weeks[0].program_id, short_name=name), name),
            _name(viewer, whole),
            hours_text(whole.hours),
            hours_text(whole.used_hours),
            hours_text(whole.hours - whole.used_hours),
            f"{100 * whole.share_gone(day):.0f} %",
            _at_this_rate(whole, day),
        )
        for name, weeks in programs.items()
        for whole in dict.fromkeys(whole for week in weeks for whole in week.allocations)
        if whole.used_hours is not None
    ]
    if not rows:
        return ()
    columns = (
        _("program"),
        _("allocation"),
        _("allocated"),
        _("used"),
        _("left"),
        _("of the period gone"),
        _("used at its end, at this rate"),
    )
    title = _("Allocations of %(day)s: allocated, used and left") % {"day": day}
    note = _(
        "Of the allocated time, at this rate: ✔ 90 to 110 % are used at the end; ▲ more: it is used up before; ✘ less: "
        "some of it is left."
    )
    return subheading(title), Table(title, columns, rows, note=note)


def _at_this_rate(whole, day):
    if not whole.used_hours:
        return _("✘ nothing: not begun")
    hours = whole.hours_at_this_rate(day)
    percent = 100 * hours / whole.hours
    sign = "✔" if 90 <= percent <= 110 else "▲" if percent > 110 else "✘"
    return _("%(sign)s %(hours)s (%(percent).0f %%)") % {"sign": sign, "hours": hours_text(hours), "percent": percent}


def _hours(weeks):
    hours, allocated = sum(week.hours for week in weeks), sum(week.allocated_hours for week in weeks)
    good, assessed = sum(week.good_hours for week in weeks), sum(week.assessed_hours for week in weeks)
    yield _("%(hours)s h") % {"hours": f"{hours:.1f}"}
    yield _("%(hours)s h") % {"hours": f"{allocated:.1f}"} if allocated else "–"
    yield f"{100 * hours / allocated:.0f} %" if allocated else "–"
    yield f"{100 * good / assessed:.0f} %" if assessed else "–"


def _whole(viewer, weeks):
    """The allocations of which these weeks have a part, as the page of the program shows them."""
    wholes = dict.fromkeys(whole for week in weeks for whole in week.allocations)
    return ", ".join(f"{_name(viewer, whole)}: {hours_text(whole.hours)}" for whole in wholes) or "–"


def _name(viewer, whole):
    return f"{whole.period} {whole.instrument}" if viewer.sees(Instrument) else whole.period


def _program(number, name, weeks, start, end):
    def days(week):
        first = max(week.week, start)
        return first, (min(week.week + timedelta(days=WEEK), end) - first).days

    chart = Chart(
        f"time-{number}",
        _("Hours of %(program)s in each week") % {"program": name},
        _("The filled part of a bar is judged as good; the dashed lines are what was allocated for the week."),
        start,
        end,
        lambda hours: _("%(hours)s h") % {"hours": f"{hours:g}"},
        columns=[
            ChartColumn(*days(week), week.hours, week.good_hours, f"{week.week}: {', '.join(_hours([week]))}")
            for week in weeks
        ],
        levels=[Level(week.allocated_hours, "", *days(week)) for week in weeks if week.allocated_hours],
    )
    columns = (_("week from"), _("observed"), _("allocated for the week"), _("used of that"), _("good, of the judged"))
    return figure(chart, columns, [(str(week.week), *_hours([week])) for week in weeks], heading=name)


def time_rows(viewer: Viewer, start: date, end: date) -> Iterator[Sequence[Any]]:
    """Yield the rows of the CSV."""
    for week in measure_observing_time(start, end):
        hours = (week.hours, week.good_hours, week.assessed_hours, week.allocated_hours)
        yield week.week, week.program, *(f"{each:.3f}" for each in hours)
