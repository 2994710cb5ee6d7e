"""Executions as bars of a time line and rows of a table; both the dashboard and the night show them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from opsdb.formatting import format_duration
from opsdb.models import ExecutedObsUnit, ObservationStatus, ObsUnit, Quality
from opsdb.svg import element

from ..actions.execution import ASSESS
from ..drawings.timeline import Bar
from ..kit.columns import badge, moment
from ..kit.values import Text
from .parts import Table
from .viewer import Viewer


def execution_bar(viewer: Viewer, execution: ExecutedObsUnit) -> Bar:
    """Return an execution as a bar that leads to all there is about it."""
    status = ObservationStatus(execution.status)
    name = name_of(viewer, execution)
    end = f"{execution.end_time:%H:%M}" if execution.end_time else "…"
    return Bar(
        execution.start_time,
        execution.end_time or max(execution.start_time, timezone.now()),
        status.value,
        str(execution.obs_unit) if viewer.sees(ObsUnit) else "",
        f"{execution.start_time:%H:%M}–{end} UTC {name}: {status.label}",
        observation_url(viewer, execution),
        "" if status == ObservationStatus.COMPLETED else status.look.icon,
    )


def observation_url(viewer: Viewer, execution: ExecutedObsUnit) -> str | None:
    """Return the address of the page on an execution."""
    return viewer.page_url("observation", execution.pk) or viewer.row_url(ExecutedObsUnit, execution.pk)


def name_of(viewer: Viewer, execution: ExecutedObsUnit) -> str:
    """Return what was observed, as far as the person may know."""
    unit = execution.obs_unit
    return f"{unit.observing_program} / {unit}" if viewer.sees(ObsUnit) else str(execution.pk)


def quality_buttons(viewer: Viewer, execution: ExecutedObsUnit, back: str) -> SafeString | str:
    """Return the buttons that mark the quality of an execution, for who may: each leads to a preview, and that back."""
    model_admin = viewer.site._registry.get(ExecutedObsUnit)
    if not ASSESS.is_allowed(model_admin, viewer.request):
        return ""
    context = {
        "url": viewer.list_url(ExecutedObsUnit),
        "execution": execution,
        "name": name_of(viewer, execution),
        "qualities": [quality for quality in Quality if quality not in (Quality.UNASSESSED, execution.quality)],
        "back": back,
    }
    return render_to_string("admin/opsdb/quality_buttons.html", context, viewer.request)


def execution_table(viewer: Viewer, executions: Iterable[ExecutedObsUnit], back: str = "") -> Table:
    """Return executions as a table; where an address to come back to is given, with buttons that mark their quality."""
    rows = [
        (
            format_html('<a href="{}">{}</a>', observation_url(viewer, execution), name_of(viewer, execution)),
            moment(execution.start_time),
            moment(execution.end_time) if execution.end_time else "–",
            format_duration((execution.end_time - execution.start_time).total_seconds()) if execution.end_time else "–",
            badge(ObservationStatus(execution.status)),
            format_html(
                "{} {}", execution.get_quality_display(), quality_buttons(viewer, execution, back) if back else ""
            ),
        )
        for execution in executions
    ]
    return Table(
        _("Executions"),
        (_("unit"), _("start [UTC]"), _("end [UTC]"), _("duration"), _("status"), _("quality")),
        rows,
        _("Nothing was executed."),
    )


def sign(kind: str, icon: str = "") -> SafeString:
    """Return a small bar, for a legend."""
    parts = [element("rect", x=0, y=3, width=16, height=10, rx=2, class_=f"opsdb-bar-{kind}")]
    if icon:
        parts.append(element("text", icon, x=8, y=12, text_anchor="middle", class_=f"opsdb-in-{kind}"))
    return element("svg", *parts, viewBox="0 0 16 16", class_="opsdb-sign-only", aria_hidden="true")


def bar_legend() -> list[tuple[SafeString, Text]]:
    """What the bars of executions look like."""
    return [
        (sign(status.value, "" if status == ObservationStatus.COMPLETED else status.look.icon), status.label)
        for status in ObservationStatus
    ]


def night_of(moment: datetime) -> date:
    """Return the date on which the night of a moment began: nights go from noon to noon, UTC."""
    return (moment.astimezone(UTC) - timedelta(hours=12)).date()
