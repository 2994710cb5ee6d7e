"""How fast data moved, and how long they took into the archives."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.formatting import format_minute, format_size
from opsdb.workflows import ArchiveDelay, TrafficRate, measure_archive_delays, measure_traffic_rates

from ...drawings.chart import Chart, ChartColumn
from ...kit.values import Text
from ..parts import Table, paragraph
from ..viewer import Viewer
from .charts import TABLE_DAYS, WEEK, duration_text, figure, small_figures

HOURS_DAYS = 14
"""Periods up to so many days show the traffic of every hour, longer ones that of every day or week."""
DESCRIPTIONS = {
    "hour": lazy("Bytes per hour, by the hour in which transfers were completed."),
    "day": lazy("Bytes per hour, as the mean of each day."),
    "week": lazy("Bytes per hour, as the mean of each week."),
}


def traffic_parts(viewer: Viewer, start: date, end: date) -> Sequence[Text]:
    """Return what the page shows."""
    ways: dict[tuple[str, str], list[TrafficRate]] = {}
    days = (end - start).days
    step = "hour" if days <= HOURS_DAYS else "day" if days <= TABLE_DAYS else "week"
    for rate in measure_traffic_rates(start, end, step=step):
        ways.setdefault((rate.origin, rate.destination), []).append(rate)
    if not ways:
        return (paragraph(_("Nothing was transferred in this period."), "opsdb-empty"),)
    return (
        small_figures(_way(number, way, rates, start, end, step) for number, (way, rates) in enumerate(ways.items())),
    )


def _way(number, way, rates, start, end, step):
    def per_hour(size):
        return _("%(size)s/h") % {"size": format_size(size)}

    def write(rate):
        return format_minute(rate.begins_at) if step == "hour" else f"{rate.begins_at:%Y-%m-%d}"

    columns = [
        ChartColumn(
            rate.begins_at.date(),
            rate.hours / 24,
            rate.bytes_per_hour,
            description=f"{write(rate)}: {per_hour(rate.bytes_per_hour)}",
            offset=rate.begins_at.hour / 24,
        )
        for rate in rates
    ]
    title = _("From %(origin)s to %(destination)s") % {"origin": way[0], "destination": way[1]}
    chart = Chart(
        f"traffic-{number}",
        title,
        DESCRIPTIONS[step],
        start,
        end,
        per_hour,
        columns=columns,
    )
    rows = [
        (write(rate), per_hour(rate.bytes_per_hour), format_size(rate.volume_bytes), f"{rate.transfers:,}")
        for rate in rates
    ]
    return figure(
        chart,
        (_("from"), _("rate"), _("volume"), _("transfers")),
        rows,
        heading=f"{way[0]} → {way[1]}",
    )


def traffic_rows(viewer: Viewer, start: date, end: date) -> Iterator[Sequence[Any]]:
    """Yield the rows of the CSV."""
    for rate in measure_traffic_rates(start, end):
        yield f"{rate.begins_at:%Y-%m-%dT%H:%MZ}", rate.origin, rate.destination, rate.volume_bytes, rate.transfers


def delay_chart(delays: Sequence[ArchiveDelay], start: date, end: date) -> Chart:
    """Return the chart of how long packages took into archives."""
    return Chart(
        "delays",
        _("From the end of an observation to its verified copy in an archive"),
        _("For each week: the filled bar ends at the median, the outline at what nine of ten did not exceed."),
        start,
        end,
        lambda hours: _("%(hours)s h") % {"hours": f"{hours:g}"},
        columns=[
            ChartColumn(
                max(one.week, start),
                (min(one.week + timedelta(days=WEEK), end) - max(one.week, start)).days,
                one.ninth_decile / timedelta(hours=1),
                one.median / timedelta(hours=1),
                f"{one.week}: {duration_text(one.median)}, {duration_text(one.ninth_decile)}",
            )
            for one in delays
        ],
    )


def delay_parts(viewer: Viewer, start: date, end: date) -> Sequence[Text]:
    """Return what the page shows."""
    delays = measure_archive_delays(start, end)
    if not delays:
        return (paragraph(_("Nothing was archived in this period."), "opsdb-empty"),)
    columns = (_("week from"), _("packages"), _("median"), _("nine of ten within"))
    rows = [
        (str(one.week), f"{one.packages:,}", duration_text(one.median), duration_text(one.ninth_decile))
        for one in delays
    ]
    [whole] = measure_archive_delays(start, end, step="period")
    period = _("whole period")
    rows.append((period, f"{whole.packages:,}", duration_text(whole.median), duration_text(whole.ninth_decile)))
    note = _("The database counts in steps: the times are right to about 4 %.")
    median = _("Median of the whole period: %(median)s; nine of ten packages within %(ninth)s.") % {
        "median": duration_text(whole.median),
        "ninth": duration_text(whole.ninth_decile),
    }
    legend = _("A bar is filled up to the median of its week; its outline ends at what nine of ten did not exceed.")
    return (
        paragraph(f"{median} {legend}"),
        small_figures([figure(delay_chart(delays, start, end), columns, rows[:-1])]),
        Table(_("Weeks"), columns, rows, note=note),
    )


def delay_rows(viewer: Viewer, start: date, end: date) -> Iterator[Sequence[Any]]:
    """Yield the rows of the CSV."""
    for one in measure_archive_delays(start, end):
        yield one.week, one.packages, round(one.median.total_seconds()), round(one.ninth_decile.total_seconds())
