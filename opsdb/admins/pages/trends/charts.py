"""What the trends have in common: charts beside each other, each with its table."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext as _

from opsdb.formatting import format_duration
from opsdb.svg import together

from ...drawings.chart import Chart
from ...kit.values import Text
from ..parts import Figure, Table, paragraph

WEEK = 7
MOST_FIGURES = 12
"""Charts of one trend."""
TABLE_DAYS = 100
"""Longer periods have a bar and a row for each week; CSV has every day."""


def small_figures(figures: Iterable[Figure]) -> Text:
    """Return figures beside each other, as many as there is room for, and no more than :data:`MOST_FIGURES`."""
    figures = iter(figures)
    shown = format_html('<div class="opsdb-charts">{}</div>', together(islice(figures, MOST_FIGURES)))
    if next(figures, None) is None:
        return shown
    note = _("The first %(most)s are drawn; CSV has all.") % {"most": MOST_FIGURES}
    return together([shown, paragraph(note, "opsdb-note")])


def figure(chart: Chart, columns: Sequence[Text], rows: Sequence[Sequence], heading: Text = "") -> Figure:
    """Return a chart with its table and, above it, what it is about."""
    return Figure(
        chart.name,
        chart.title,
        format_html('<h3 class="opsdb-part">{}</h3>{}', heading or chart.title, chart.draw()),
        table=Table(chart.title, columns, rows, _("There is nothing in this period.")),
    )


def days_shown(days: Sequence, start: date, end: date, day_of: Callable[[Any], date]) -> list:
    """Return the days that a table shows: all, or the last of each week."""
    if (end - start).days <= TABLE_DAYS:
        return list(days)
    last = end - timedelta(days=1)
    return [one for one in days if (last - day_of(one)).days % WEEK == 0]


def by_week(numbers: dict[date, int], start: date, end: date) -> dict[date, tuple[int, int]]:
    """Return the sum of each day, or of each week of a long period, and its number of days, by its first day."""
    if (end - start).days <= TABLE_DAYS:
        return {day: (number, 1) for day, number in numbers.items()}
    sums: dict[date, int] = {}
    for day, number in numbers.items():
        monday = day - timedelta(days=day.weekday())
        sums[monday] = sums.get(monday, 0) + number
    return {
        max(monday, start): (number, (min(monday + timedelta(days=WEEK), end) - max(monday, start)).days)
        for monday, number in sums.items()
    }


def duration_text(length: timedelta) -> str:
    """Return a length of time as people read it."""
    return format_duration(length.total_seconds())
