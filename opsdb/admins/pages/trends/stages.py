"""What failed in the stages, and what waits there."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from opsdb.models import (
    DataTransfer,
    DataTransferPackage,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    RawDataPackage,
    StagingJob,
    WorkStage,
)
from opsdb.workflows import DRAIN_DAYS, StageBacklog, count_stage_failures, measure_backlogs

from ...drawings.chart import Chart, ChartColumn
from ...kit.values import Text
from ..parts import Table, paragraph, subheading
from ..viewer import Viewer
from .charts import TABLE_DAYS, by_week, days_shown, duration_text, figure, small_figures

STAGE_MODELS: dict[str, type[Model]] = {
    WorkStage.PACKAGING: RawDataPackage,
    WorkStage.BUNDLING: DataTransferPackage,
    WorkStage.TRANSFER: DataTransfer,
    WorkStage.UNPACKING: DataTransfer,
    WorkStage.ARCHIVING: LongTermArchiveTransfer,
    WorkStage.STAGING: StagingJob,
    WorkStage.REDUCTION: ExecutedReductionStep,
}

STAGES = tuple(dict.fromkeys(STAGE_MODELS.values()))


def failures_chart(name: str, title: str, numbers: dict[date, int], start: date, end: date) -> Chart:
    """Return the chart of how many attempts failed on each day, or in each week of a long period."""
    return Chart(
        name,
        title,
        _("Attempts that failed on each day, or in each week of a long period, whether they were tried again or not."),
        start,
        end,
        lambda number: f"{number:,.0f}",
        columns=[
            ChartColumn(day, days, number, description=f"{day}: {number}")
            for day, (number, days) in by_week(numbers, start, end).items()
        ],
        is_count=True,
    )


def visible_failures(viewer: Viewer, start: date, end: date) -> dict[WorkStage, dict[date, int]]:
    """Return how many attempts failed, by stage and day, of stages that the person may see."""
    found: dict[WorkStage, dict[date, int]] = {}
    for one in count_stage_failures(start, end):
        if viewer.sees(STAGE_MODELS[one.stage]):
            found.setdefault(one.stage, {})[one.day] = one.number
    return found


def failure_parts(viewer: Viewer, start: date, end: date) -> Sequence[Text]:
    """Return what the page shows."""
    found = visible_failures(viewer, start, end)
    if not found:
        return (paragraph(_("Nothing failed in this period."), "opsdb-empty"),)
    totals = {stage: sum(found[stage].values()) for stage in WorkStage if stage in found}
    rows = [(stage.label, f"{number:,}") for stage, number in totals.items()]
    rows.append((_("all stages"), f"{sum(totals.values()):,}"))
    title = _("Failed attempts from %(start)s to %(end)s") % {"start": start, "end": end - timedelta(days=1)}
    note = _("An attempt that failed and was tried again with success counts, too: fewer rows may need attention now.")
    return (
        subheading(title),
        Table(title, (_("stage"), _("failed attempts")), rows, note=note),
        *_failures_by_day(found, start, end),
        small_figures(
            figure(
                failures_chart(
                    f"failures-{stage}", _("Failures of %(stage)s") % {"stage": stage.label}, found[stage], start, end
                ),
                (_("from"), _("failed attempts")),
                [(str(day), f"{number:,}") for day, (number, _days) in by_week(found[stage], start, end).items()],
                heading=_("%(stage)s: %(number)s in all") % {"stage": stage.label, "number": f"{totals[stage]:,}"},
            )
            for stage in totals
        ),
    )


def _failures_by_day(found, start, end):
    """Return a table of how many attempts failed in each stage on each day, or in each week of a long period."""
    of_stages = {stage: by_week(found[stage], start, end) for stage in WorkStage if stage in found}
    days = sorted({day for numbers in of_stages.values() for day in numbers}, reverse=True)
    rows = []
    for day in days:
        numbers = [of_stage.get(day, (0, 0))[0] for of_stage in of_stages.values()]
        rows.append((str(day), *(f"{number:,}" if number else "–" for number in numbers), f"{sum(numbers):,}"))
    is_long = (end - start).days > TABLE_DAYS
    title = _("Failed attempts in each week") if is_long else _("Failed attempts on each day")
    columns = (_("week from") if is_long else _("day"), *(stage.label for stage in of_stages), _("all stages"))
    return subheading(title), Table(title, columns, rows, note=_("Days without a failure are left out."))


def failure_rows(viewer: Viewer, start: date, end: date) -> Iterator[Sequence[Any]]:
    """Yield the rows of the CSV."""
    for stage, numbers in visible_failures(viewer, start, end).items():
        for day, number in numbers.items():
            yield day, stage.value, number


def _visible_backlogs(viewer, start, end):
    return [one for one in measure_backlogs(start, end) if viewer.sees(STAGE_MODELS[one.stage])]


def drain_text(backlog: StageBacklog) -> str:
    """Return how long a backlog takes to drain, as a text."""
    if not backlog.waiting:
        return _("nothing waits")
    if backlog.drains_in is None:
        return _("not known: none was completed then")
    length = duration_text(backlog.drains_in)
    return _("%(length)s, and it grows") % {"length": length} if backlog.grows else length


def backlog_parts(viewer: Viewer, start: date, end: date) -> Sequence[Text]:
    """Return what the page shows."""
    backlogs = _visible_backlogs(viewer, start, end)
    rows = [
        (
            one.stage.label,
            f"{one.waiting:,}",
            f"{one.added_per_day:,.3g}",
            f"{one.completed_per_day:,.3g}",
            drain_text(one),
        )
        for one in backlogs
    ]
    columns = (_("stage"), _("waits"), _("added a day"), _("completed a day"), _("drains in"))
    note = _(
        "What has failed waits too. The rates are means of the last %(days)s whole days, without today; it drains in "
        "so long if nothing is added."
    ) % {"days": DRAIN_DAYS}
    figures = [
        figure(
            Chart(
                f"backlog-{one.stage}",
                _("Backlog of %(stage)s") % {"stage": one.stage.label},
                _("Items that were not completed at the end of each day."),
                start,
                end,
                lambda number: f"{number:,.0f}",
                line=[(day, float(number)) for day, number in one.days],
                is_count=True,
            ),
            (_("day"), _("waited at its end")),
            [(str(day), f"{number:,}") for day, number in days_shown(one.days, start, end, lambda one: one[0])],
            heading=one.stage.label,
        )
        for one in backlogs
        if any(number for _day, number in one.days)
    ]
    return Table(_("Stages"), columns, rows, note=note), small_figures(figures)


def backlog_rows(viewer: Viewer, start: date, end: date) -> Iterator[Sequence[Any]]:
    """Yield the rows of the CSV."""
    for one in _visible_backlogs(viewer, start, end):
        for day, number in one.days:
            yield day, one.stage.value, number
