"""What locations held, and when they will be full."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext as _

from opsdb.formatting import format_size
from opsdb.models import DataLocation
from opsdb.workflows import GROWTH_DAYS, VolumeTrend, measure_volumes

from ...drawings.chart import Chart, Level
from ...kit.values import Text
from ..parts import Table
from ..viewer import Viewer
from .charts import Figure, days_shown, figure, small_figures


def volume_chart(trend: VolumeTrend, start: date, end: date) -> Chart:
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


def full_text(trend: VolumeTrend) -> str:
    """Return when a location will be full, as a text."""
    if trend.full_on is None:
        return "–"
    if trend.capacity_bytes is not None and trend.held_bytes >= trend.capacity_bytes:
        return _("is full")
    left = (trend.full_on - trend.days[-1].day).days
    return _("%(day)s, in %(left)s days") % {"day": trend.full_on, "left": f"{left:,}"}


def volume_figure(trend: VolumeTrend, start: date, end: date, heading: str = "") -> Figure:
    """Return the chart of what a location held, and its days as a table."""
    columns = (_("day"), _("held at its end"), _("arrived"), _("went away"))
    rows = [
        (str(day.day), format_size(day.held_bytes), format_size(day.arrived_bytes), format_size(day.left_bytes))
        for day in days_shown(trend.days, start, end, lambda day: day.day)
    ]
    return figure(volume_chart(trend, start, end), columns, rows, heading=heading)


def growth_text(trend: VolumeTrend) -> str:
    """Return how fast a location grows, as a text."""
    return _("%(size)s a day") % {"size": format_size(trend.growth_bytes_per_day)}


def volume_parts(viewer: Viewer, start: date, end: date) -> Sequence[Text]:
    """Return what the page shows."""
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
            growth_text(one),
            full_text(one),
        )
        for one in trends
    ]
    rows.append(
        (
            _("all locations"),
            format_size(sum(one.held_bytes for one in trends)),
            format_size(sum(one.capacity_bytes or 0 for one in trends)),
            "–",
            format_size(sum(day.arrived_bytes for one in trends for day in one.days)),
            format_size(sum(day.left_bytes for one in trends for day in one.days)),
            _("%(size)s a day") % {"size": format_size(sum(one.growth_bytes_per_day for one in trends))},
            "–",
        )
    )
    columns = (
        _("location"),
        _("holds"),
        _("capacity"),
        _("filled"),
        _("arrived"),
        _("went away"),
        _("grows by"),
        _("full at this rate on"),
    )
    note = _(
        "The rate is the mean of the last %(days)s days of the period. Data that several locations hold count at each."
    ) % {"days": GROWTH_DAYS}
    figures = (
        volume_figure(one, start, end, heading=f"{one.site}/{one.location}")
        for one in trends
        if one.held_bytes or any(day.arrived_bytes for day in one.days)
    )
    return Table(_("Locations"), columns, rows, note=note), small_figures(figures)


def volume_rows(viewer: Viewer, start: date, end: date) -> Iterator[Sequence[Any]]:
    """Yield the rows of the CSV."""
    for one in measure_volumes(start, end):
        for day in one.days:
            yield (
                day.day, one.site, one.location, day.held_bytes, day.arrived_bytes, day.left_bytes,
                "" if one.capacity_bytes is None else one.capacity_bytes,
            )  # fmt: skip
