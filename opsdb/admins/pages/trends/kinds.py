"""Each trend: what it needs to be seen, its charts and tables, and its values as rows of CSV."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Model
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.formatting import format_duration, format_size
from opsdb.models import (
    DataLocation,
    DataTransfer,
    DataTransferPackage,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    ObservingProgram,
    PhysicalCopy,
    RawDataPackage,
    StagingJob,
    TimeAllocation,
    WorkStage,
)
from opsdb.workflows import (
    DRAIN_DAYS,
    GROWTH_DAYS,
    count_stage_failures,
    measure_archive_delays,
    measure_backlogs,
    measure_observing_time,
    measure_traffic_rates,
    measure_volumes,
)

from ...drawings.chart import Chart, Column, Level
from ...drawings.svg import together
from ...kit.values import Text
from ..parts import Figure, Table, paragraph
from ..viewer import Viewer

WEEK = 7
TABLE_DAYS = 100
"""Longer periods have a row for each week in tables; CSV has them all."""
HOURS_DAYS = 14
"""Periods up to so many days show the traffic of every hour, longer ones that of every day."""
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


@dataclass(frozen=True)
class Kind:
    """A trend.

    Attributes:
        name: in addresses.
        title: what people call it.
        models: who may view all of them may see it; of those of stages, who may view one of them.
        parts: of viewer, first day and day after the last one: what the page shows.
        columns: of the CSV.
        rows: of the same: the values.
    """

    name: str
    title: Text
    models: tuple[type[Model], ...]
    parts: Callable[[Viewer, date, date], Sequence[Text]]
    columns: Sequence[str]
    rows: Callable[[Viewer, date, date], Iterable[Sequence[Any]]]

    def is_open_to(self, viewer: Viewer) -> bool:
        """Return whether a person may see it."""
        if self.models == STAGES:
            return any(viewer.sees(model) for model in STAGES)
        return viewer.sees(*self.models)


def small_figures(figures: Iterable[Figure]) -> Text:
    """Return figures beside each other, as many as there is room for."""
    return format_html('<div class="opsdb-charts">{}</div>', together(figures))


def figure(chart: Chart, columns: Sequence[Text], rows: Sequence[Sequence], heading: Text = "") -> Figure:
    """Return a chart with its table and, above it, what it is about."""
    return Figure(
        chart.name,
        chart.title,
        format_html('<h3 class="opsdb-part">{}</h3>{}', heading or chart.title, chart.draw()),
        table=Table(chart.title, columns, rows, _("There is nothing in this period.")),
    )


def _shown(days: Sequence, start: date, end: date, day_of: Callable[[Any], date]) -> list:
    """Return the days that a table shows: all, or the last of each week."""
    if (end - start).days <= TABLE_DAYS:
        return list(days)
    last = end - timedelta(days=1)
    return [one for one in days if (last - day_of(one)).days % WEEK == 0]


# Volume


def volume_chart(trend, start: date, end: date) -> Chart:
    """Return the chart of what a location held."""
    name = f"{trend.site}/{trend.location}"
    levels = () if trend.capacity_bytes is None else (Level(float(trend.capacity_bytes), _("capacity")),)
    return Chart(
        f"volume-{trend.id}",
        _("Volume at %(location)s") % {"location": name},
        _("What it held at the end of each day; the dashed line is its capacity."),
        start,
        end,
        format_size,
        line=[(day.day, float(day.held_bytes)) for day in trend.days],
        levels=levels,
    )


def full_text(trend) -> str:
    """Return when a location will be full, as a text."""
    if trend.full_on is None:
        return "–"
    if trend.capacity_bytes is not None and trend.held_bytes >= trend.capacity_bytes:
        return _("is full")
    left = (trend.full_on - trend.days[-1].day).days
    return _("%(day)s, in %(left)s days") % {"day": trend.full_on, "left": f"{left:,}"}


def _volume_parts(viewer, start, end):
    trends = measure_volumes(start, end)
    if not trends:
        return ()
    rows = [
        (
            format_html('<a href="{}">{}/{}</a>', viewer.row_url(DataLocation, one.id), one.site, one.location),
            format_size(one.held_bytes),
            format_size(one.capacity_bytes) if one.capacity_bytes else "–",
            f"{100 * one.held_bytes / one.capacity_bytes:.3g} %" if one.capacity_bytes else "–",
            format_size(sum(day.arrived_bytes for day in one.days)),
            format_size(sum(day.left_bytes for day in one.days)),
            _("%(size)s a day") % {"size": format_size(one.growth_bytes_per_day)},
            full_text(one),
        )
        for one in trends
    ]
    columns = (
        _("location"),
        _("holds"),
        _("capacity"),
        _("filled"),
        _("arrived"),
        _("left"),
        _("grows by"),
        _("full at this rate on"),
    )
    note = _("The rate is the mean of the last %(days)s days of the period.") % {"days": GROWTH_DAYS}
    of_days = (_("day"), _("held at its end"), _("arrived"), _("left"))
    figures = [
        figure(
            volume_chart(one, start, end),
            of_days,
            [
                (
                    str(day.day),
                    format_size(day.held_bytes),
                    format_size(day.arrived_bytes),
                    format_size(day.left_bytes),
                )
                for day in _shown(one.days, start, end, lambda day: day.day)
            ],
            heading=f"{one.site}/{one.location}",
        )
        for one in trends
        if one.held_bytes or any(day.arrived_bytes for day in one.days)
    ]
    return Table(_("Locations"), columns, rows, note=note), small_figures(figures)


def _volume_rows(viewer, start, end):
    for one in measure_volumes(start, end):
        for day in one.days:
            yield (
                day.day, one.site, one.location, day.held_bytes, day.arrived_bytes, day.left_bytes,
                "" if one.capacity_bytes is None else one.capacity_bytes,
            )  # fmt: skip


# Traffic


def _traffic_parts(viewer, start, end):
    ways: dict[tuple[str, str], list] = {}
    for rate in measure_traffic_rates(start, end):
        ways.setdefault((rate.origin, rate.destination), []).append(rate)
    if not ways:
        return (paragraph(_("Nothing was transferred in this period."), "opsdb-empty"),)
    is_hourly = (end - start).days <= HOURS_DAYS
    return (
        small_figures(
            _way(number, way, rates, start, end, is_hourly) for number, (way, rates) in enumerate(ways.items())
        ),
    )


def _way(number, way, rates, start, end, is_hourly):
    summed: dict[Any, list[int]] = {}
    for rate in rates:
        key = rate.begins_at if is_hourly else rate.begins_at.date()
        volume = summed.setdefault(key, [0, 0])
        volume[0] += rate.volume_bytes
        volume[1] += rate.transfers
    hours = 1 if is_hourly else 24

    def per_hour(size):
        return _("%(size)s/h") % {"size": format_size(size)}

    def write(key):
        return f"{key:%Y-%m-%d %H:%M}" if is_hourly else f"{key}"

    columns = [
        Column(
            key.date() if is_hourly else key,
            1 / 24 if is_hourly else 1,
            volume / hours,
            description=f"{write(key)}: {per_hour(volume / hours)}",
            offset=key.hour / 24 if is_hourly else 0,
        )
        for key, (volume, _number) in summed.items()
    ]
    title = _("From %(origin)s to %(destination)s") % {"origin": way[0], "destination": way[1]}
    chart = Chart(
        f"traffic-{number}",
        title,
        _("Bytes per hour, by the hour in which transfers were completed.")
        if is_hourly
        else _("Bytes per hour, as the mean of each day."),
        start,
        end,
        per_hour,
        columns=columns,
    )
    rows = [
        (write(key), per_hour(volume / hours), format_size(volume), f"{count:,}")
        for key, (volume, count) in summed.items()
    ]
    return figure(
        chart,
        (_("hour") if is_hourly else _("day"), _("rate"), _("volume"), _("transfers")),
        rows,
        heading=f"{way[0]} → {way[1]}",
    )


def _traffic_rows(viewer, start, end):
    for rate in measure_traffic_rates(start, end):
        yield f"{rate.begins_at:%Y-%m-%dT%H:%MZ}", rate.origin, rate.destination, rate.volume_bytes, rate.transfers


# Delay into the archives


def delay_chart(delays, start: date, end: date) -> Chart:
    """Return the chart of how long packages took into archives."""
    return Chart(
        "delays",
        _("From the end of an observation to its verified copy in an archive"),
        _("For each week: the filled bar ends at the median, the outline at what nine of ten did not exceed."),
        start,
        end,
        lambda hours: _("%(hours)s h") % {"hours": f"{hours:g}"},
        columns=[
            Column(
                max(one.week, start),
                (min(one.week + timedelta(days=WEEK), end) - max(one.week, start)).days,
                one.ninth_decile / timedelta(hours=1),
                one.median / timedelta(hours=1),
                f"{one.week}: {_duration(one.median)}, {_duration(one.ninth_decile)}",
            )
            for one in delays
        ],
    )


def _duration(length):
    return format_duration(length.total_seconds())


def _delay_parts(viewer, start, end):
    delays = measure_archive_delays(start, end)
    if not delays:
        return (paragraph(_("Nothing was archived in this period."), "opsdb-empty"),)
    columns = (_("week from"), _("packages"), _("median"), _("nine of ten within"))
    rows = [(str(one.week), f"{one.packages:,}", _duration(one.median), _duration(one.ninth_decile)) for one in delays]
    note = _("The database counts in steps: the times are right to about 4 %.")
    return small_figures([figure(delay_chart(delays, start, end), columns, rows)]), Table(
        _("Weeks"), columns, rows, note=note
    )


def _delay_rows(viewer, start, end):
    for one in measure_archive_delays(start, end):
        yield one.week, one.packages, round(one.median.total_seconds()), round(one.ninth_decile.total_seconds())


# Failures


def failures_chart(name: str, title: str, numbers: dict[date, int], start: date, end: date) -> Chart:
    """Return the chart of how many attempts failed on each day."""
    return Chart(
        name,
        title,
        _("Attempts that failed on each day, whether they were tried again or not."),
        start,
        end,
        lambda number: f"{number:,.0f}",
        columns=[Column(day, 1, number, description=f"{day}: {number}") for day, number in numbers.items()],
        is_count=True,
    )


def visible_failures(viewer: Viewer, start: date, end: date) -> dict[WorkStage, dict[date, int]]:
    """Return how many attempts failed, by stage and day, of stages that the person may see."""
    found: dict[WorkStage, dict[date, int]] = {}
    for one in count_stage_failures(start, end):
        if viewer.sees(STAGE_MODELS[one.stage]):
            found.setdefault(one.stage, {})[one.day] = one.number
    return found


def _failure_parts(viewer, start, end):
    found = visible_failures(viewer, start, end)
    if not found:
        return (paragraph(_("Nothing failed in this period."), "opsdb-empty"),)
    return (
        small_figures(
            figure(
                failures_chart(
                    f"failures-{stage}", _("Failures of %(stage)s") % {"stage": stage.label}, found[stage], start, end
                ),
                (_("day"), _("failed attempts")),
                [(str(day), f"{number:,}") for day, number in found[stage].items()],
                heading=stage.label,
            )
            for stage in WorkStage
            if stage in found
        ),
    )


def _failure_rows(viewer, start, end):
    for stage, numbers in visible_failures(viewer, start, end).items():
        for day, number in numbers.items():
            yield day, stage.value, number


# Observing time


def _time_parts(viewer, start, end):
    programs: dict[str, list] = {}
    for week in measure_observing_time(start, end):
        programs.setdefault(week.program, []).append(week)
    observed = {name: weeks for name, weeks in programs.items() if any(week.hours for week in weeks)}
    if not observed:
        return (paragraph(_("Nothing was observed in this period."), "opsdb-empty"),)
    rows = [
        (
            viewer.link(ObservingProgram(pk=weeks[0].program_id, short_name=name), name),
            *_hours(weeks),
        )
        for name, weeks in programs.items()
    ]
    columns = (_("program"), _("observed"), _("allocated"), _("used"), _("good, of the judged"))
    note = _("An allocation is spread evenly over its days.")
    return Table(_("Programs"), columns, rows, note=note), small_figures(
        _program(number, name, weeks, start, end) for number, (name, weeks) in enumerate(observed.items())
    )


def _hours(weeks):
    hours, allocated = sum(week.hours for week in weeks), sum(week.allocated_hours for week in weeks)
    good, assessed = sum(week.good_hours for week in weeks), sum(week.assessed_hours for week in weeks)
    yield _("%(hours)s h") % {"hours": f"{hours:.1f}"}
    yield _("%(hours)s h") % {"hours": f"{allocated:.1f}"} if allocated else "–"
    yield f"{100 * hours / allocated:.0f} %" if allocated else "–"
    yield f"{100 * good / assessed:.0f} %" if assessed else "–"


def _program(number, name, weeks, start, end):
    def days(week):
        first = max(week.week, start)
        return first, (min(week.week + timedelta(days=WEEK), end) - first).days

    chart = Chart(
        f"time-{number}",
        _("Hours of %(program)s in each week") % {"program": name},
        _("The filled part of a bar is judged as good; the dashed lines are what was allocated."),
        start,
        end,
        lambda hours: _("%(hours)s h") % {"hours": f"{hours:g}"},
        columns=[
            Column(*days(week), week.hours, week.good_hours, f"{week.week}: {', '.join(_hours([week]))}")
            for week in weeks
        ],
        levels=[Level(week.allocated_hours, "", *days(week)) for week in weeks if week.allocated_hours],
    )
    columns = (_("week from"), _("observed"), _("allocated"), _("used"), _("good, of the judged"))
    return figure(chart, columns, [(str(week.week), *_hours([week])) for week in weeks], heading=name)


def _time_rows(viewer, start, end):
    for week in measure_observing_time(start, end):
        hours = (week.hours, week.good_hours, week.assessed_hours, week.allocated_hours)
        yield week.week, week.program, *(f"{each:.3f}" for each in hours)


# Backlog


def _visible_backlogs(viewer, start, end):
    return [one for one in measure_backlogs(start, end) if viewer.sees(STAGE_MODELS[one.stage])]


def drain_text(backlog) -> str:
    """Return how long a backlog takes to drain, as a text."""
    if not backlog.waiting:
        return _("nothing waits")
    if backlog.drains_in is None:
        return _("never, nothing is completed")
    length = format_duration(backlog.drains_in.total_seconds())
    return _("%(length)s, and it grows") % {"length": length} if backlog.grows else length


def _backlog_parts(viewer, start, end):
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
        "What has failed waits too. The rates are means of the last %(days)s days; it drains in so long if nothing is "
        "added."
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
            [(str(day), f"{number:,}") for day, number in _shown(one.days, start, end, lambda one: one[0])],
            heading=one.stage.label,
        )
        for one in backlogs
        if any(number for _day, number in one.days)
    ]
    return Table(_("Stages"), columns, rows, note=note), small_figures(figures)


def _backlog_rows(viewer, start, end):
    for one in _visible_backlogs(viewer, start, end):
        for day, number in one.days:
            yield day, one.stage.value, number


KINDS = (
    Kind(
        "volume",
        lazy("Volume, and when locations will be full"),
        (DataLocation, PhysicalCopy),
        _volume_parts,
        ("day", "site", "location", "held_bytes", "arrived_bytes", "left_bytes", "capacity_bytes"),
        _volume_rows,
    ),
    Kind(
        "traffic",
        lazy("Bytes per hour and way"),
        (DataTransfer, DataLocation),
        _traffic_parts,
        ("hour", "origin", "destination", "bytes", "transfers"),
        _traffic_rows,
    ),
    Kind(
        "delays",
        lazy("From the end of an observation into an archive"),
        (LongTermArchiveTransfer, ExecutedObsUnit),
        _delay_parts,
        ("week", "packages", "median_seconds", "ninth_decile_seconds"),
        _delay_rows,
    ),
    Kind("backlog", lazy("Backlog of the stages"), STAGES, _backlog_parts, ("day", "stage", "waiting"), _backlog_rows),
    Kind(
        "failures",
        lazy("Failures per day and stage"),
        STAGES,
        _failure_parts,
        ("day", "stage", "failures"),
        _failure_rows,
    ),
    Kind(
        "time",
        lazy("Observing time, and how good the data are"),
        (ExecutedObsUnit, ObservingProgram, TimeAllocation),
        _time_parts,
        ("week", "program", "hours", "good_hours", "assessed_hours", "allocated_hours"),
        _time_rows,
    ),
)
