"""What was observed in the last nights."""

from datetime import UTC, datetime, time, timedelta

from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from opsdb.models import ExecutedObsUnit, ObservationStatus, Quality

from ...drawings.timeline import Hours, Lane, TimeLine
from ...kit.dates import last_month
from ..executions import bar_legend, execution_bar, execution_table, may_assess, night_of
from ..parts import Figure, Section, capped, paragraph, spaced, subheading
from ..viewer import Viewer

NIGHTS = 3
EXECUTIONS = 300  # the newest of these nights
UNASSESSED = 5  # the newest that have ended


def nights_section(viewer: Viewer) -> Section | None:
    if not viewer.sees(ExecutedObsUnit):
        return None
    title = _("Last nights")
    newest = ExecutedObsUnit.objects.latest_first().values_list("start_time", flat=True).first()
    if newest is None:
        return Section(title, (paragraph(_("Nothing has been observed yet."), "opsdb-empty"),), "opsdb-nights")
    dates = [night_of(newest) - timedelta(days=back) for back in range(NIGHTS)]
    last, first = dates[0], datetime.combine(dates[-1], time(12), tzinfo=UTC)
    executions, more = capped(
        ExecutedObsUnit.objects.filter(start_time__gte=first)
        .latest_first()
        .select_related("obs_unit__observing_program")
        .only(
            "start_time", "end_time", "status", "quality", "obs_unit__name", "obs_unit__observing_program__short_name"
        ),
        EXECUTIONS,
    )
    by_night = {date: [] for date in dates}
    for execution in executions:
        by_night[night_of(execution.start_time)].append(execution)
    noon = datetime.combine(last, time(12), tzinfo=UTC)
    lanes = [
        Lane(
            f"{date:%a %Y-%m-%d} ({len(by_night[date])})",
            [execution_bar(viewer, execution) for execution in reversed(by_night[date])],
            start=datetime.combine(date, time(12), tzinfo=UTC),
        )
        for date in dates
    ]
    line = TimeLine(
        name="nights",
        title=_("Observations of the last nights"),
        description=_("One row for each night from noon to noon UTC, the latest first; each bar is an observation."),
        lanes=lanes,
        start=noon,
        end=noon + timedelta(days=1),
        top=Hours("UTC"),
    )
    note = _("Only the newest %(limit)s observations are shown.") % {"limit": EXECUTIONS}
    links = [
        format_html('<a href="{}">{}</a>', url, f"{date:%Y-%m-%d}")
        for date in dates
        if (url := viewer.page_url("night", date))
    ]
    return Section(
        title,
        (
            *_to_be_assessed(viewer, executions),
            Figure(
                "nights",
                line.title,
                line.draw(),
                legend=bar_legend(),
                table=execution_table(viewer, executions),
                notes=(note,) if more else (),
            ),
            format_html('<p class="opsdb-links">{} {}</p>', _("Nights:"), spaced(links)) if links else "",
            _of_last_month(viewer),
        ),
        "opsdb-nights",
    )


def _to_be_assessed(viewer, executions):
    """Yield the newest unassessed observations, with the buttons that assess them, for who may."""
    found = [
        one for one in executions if one.quality == Quality.UNASSESSED and one.status != ObservationStatus.RUNNING
    ][:UNASSESSED]
    if found and may_assess(viewer):
        yield subheading(_("To be assessed"))
        yield execution_table(viewer, found, back=reverse("admin:index", current_app=viewer.site.name))


def _of_last_month(viewer):
    """Return the link to all observations of last month, as a table to keep; empty where their admin exports none."""
    page_url = getattr(viewer.site._registry[ExecutedObsUnit], "page_url", None)
    if page_url is None:  # a host project's admin of observations isn't ours
        return ""
    first, end = last_month(datetime.now(UTC))
    url = page_url("export", "csv")
    query = urlencode({"start_time__gte": f"{first:%Y-%m-%d}", "start_time__lt": f"{end:%Y-%m-%d}"})
    label = _("Observations of last month (CSV)")
    return format_html('<p class="opsdb-links"><a href="{}?{}">{}</a></p>', url, query, label)
