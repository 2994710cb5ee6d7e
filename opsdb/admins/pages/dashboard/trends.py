"""The last weeks in small: the location that will be full first, the delay into the archives, and failures."""

from datetime import UTC, date, datetime, timedelta

from django.utils.html import format_html
from django.utils.translation import gettext as _

from opsdb.models import DataLocation, ExecutedObsUnit, LongTermArchiveTransfer, PhysicalCopy
from opsdb.svg import together
from opsdb.workflows import measure_archive_delays, measure_volumes

from ...drawings.chart import Chart
from ..parts import Section
from ..trends.stages import STAGES, failures_chart, visible_failures
from ..trends.transport import delay_chart
from ..trends.volume import full_text, volume_chart
from ..viewer import Viewer

DAYS = 30


def trends_section(viewer: Viewer, at: datetime) -> Section | None:
    if "trends" not in viewer.pages:
        return None
    end = at.astimezone(UTC).date() + timedelta(days=1)
    start = end - timedelta(days=DAYS)
    charts = [chart for chart in (_fullest(viewer, start, end), _delays(viewer, start, end)) if chart]
    if any(viewer.sees(model) for model in STAGES):
        charts.append(_failures(viewer, start, end))
    if not charts:
        return None
    drawn = together(
        format_html('<figure><h3 class="opsdb-part">{}</h3>{}</figure>', heading, chart.draw())
        for heading, chart in charts
    )
    link = format_html(
        '<p class="opsdb-links"><a href="{}">{}</a></p>', viewer.page_url("trends"), _("All trends and forecasts")
    )
    title = _("Trends of the last %(days)s days") % {"days": DAYS}
    return Section(title, (format_html('<div class="opsdb-charts">{}</div>', drawn), link), "opsdb-trends")


def _fullest(viewer: Viewer, start: date, end: date) -> tuple[str, Chart] | None:
    """The location that is full first, or else fullest."""
    if not viewer.sees(DataLocation, PhysicalCopy):
        return None
    known = [one for one in measure_volumes(start, end) if one.capacity_bytes]
    if not known:
        return None
    first = min(known, key=lambda one: (one.full_on or date.max, -one.held_bytes / (one.capacity_bytes or 1)))
    name = f"{first.site}/{first.location}"
    heading = name if first.full_on is None else _("%(location)s will be full: %(when)s")
    return heading % {"location": name, "when": full_text(first)}, volume_chart(first, start, end)


def _delays(viewer: Viewer, start: date, end: date) -> tuple[str, Chart] | None:
    if not viewer.sees(LongTermArchiveTransfer, ExecutedObsUnit):
        return None
    return _("From an observation into an archive"), delay_chart(measure_archive_delays(start, end), start, end)


def _failures(viewer: Viewer, start: date, end: date) -> tuple[str, Chart]:
    numbers: dict[date, int] = {}
    for of_stage in visible_failures(viewer, start, end).values():
        for day, number in of_stage.items():
            numbers[day] = numbers.get(day, 0) + number
    title = _("Failed attempts: %(number)s") % {"number": f"{sum(numbers.values()):,}"}
    return title, failures_chart("failures", title, numbers, start, end)
