"""Executions as bars of a time line and rows of a table; both the dashboard and the night show them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from opsdb.formatting import format_duration, format_minute, format_size, format_time_of_day
from opsdb.models import ExecutedObsUnit, ObservationStatus, ObsUnit, PackageState, Quality
from opsdb.svg import element
from opsdb.workflows import ExecutionsData, name_row

from ..actions.execution import ASSESS
from ..drawings.timeline import Bar
from ..kit.columns import badge, human_size, moment
from ..kit.values import Text
from .parts import Table
from .viewer import Viewer
from .why_links import why_link


def execution_bar(viewer: Viewer, execution: ExecutedObsUnit) -> Bar:
    """Return an execution as a bar that leads to all there is about it."""
    status = ObservationStatus(execution.status)
    name = name_of(viewer, execution)
    end = format_time_of_day(execution.end_time) if execution.end_time else "…"
    return Bar(
        execution.start_time,
        execution.end_time or max(execution.start_time, timezone.now()),
        status.value,
        str(execution.obs_unit) if viewer.sees(ObsUnit) else "",
        f"{format_time_of_day(execution.start_time)}–{end} UTC {name}: {status.label}",
        observation_url(viewer, execution),
        "" if status == ObservationStatus.COMPLETED else status.look.icon,
    )


def observation_url(viewer: Viewer, execution: ExecutedObsUnit) -> str | None:
    """Return the address of the page on an execution."""
    return viewer.page_url("observation", execution.pk) or viewer.row_url(ExecutedObsUnit, execution.pk)


def name_of(viewer: Viewer, execution: ExecutedObsUnit) -> str:
    """Return what was observed, as far as the person may see it."""
    unit = execution.obs_unit
    return f"{unit.observing_program} / {unit}" if viewer.sees(ObsUnit) else str(execution.pk)


def may_assess(viewer: Viewer) -> bool:
    """Return whether the person may mark the quality of executions."""
    return ASSESS.is_allowed(viewer.site._registry.get(ExecutedObsUnit), viewer.request)


def quality_buttons(viewer: Viewer, execution: ExecutedObsUnit, back: str) -> SafeString | str:
    """Return the buttons that mark the quality of an execution, for who may: each leads to a preview, and that back."""
    if not may_assess(viewer):
        return ""
    context = {
        "url": viewer.list_url(ExecutedObsUnit),
        "execution": execution,
        "name": name_of(viewer, execution),
        "qualities": [quality for quality in Quality if quality not in (Quality.UNASSESSED, execution.quality)],
        "back": back,
    }
    return render_to_string("admin/opsdb/quality_buttons.html", context, viewer.request)


def execution_table(
    viewer: Viewer,
    executions: Iterable[ExecutedObsUnit],
    back: str = "",
    data: ExecutionsData | None = None,
    *,
    of_one_unit: bool = False,
) -> Table:
    """Return executions as a table.

    Args:
        viewer: the person.
        executions: with their units and the programs of these.
        back: address to come back to; where it is given, there are buttons that mark their quality.
        data: where it is given, there are their files, volume and archived packages.
        of_one_unit: whether they are called by their start alone.
    """

    def link(execution, text):
        return format_html('<a href="{}">{}</a>', observation_url(viewer, execution), text)

    rows = [
        (
            *(() if of_one_unit else (link(execution, name_of(viewer, execution)),)),
            link(execution, moment(execution.start_time)) if of_one_unit else moment(execution.start_time),
            moment(execution.end_time) if execution.end_time else "–",
            format_duration((execution.end_time - execution.start_time).total_seconds()) if execution.end_time else "–",
            badge(ObservationStatus(execution.status)),
            *(data_cells(viewer, execution, data) if data else ()),
            quality_cell(viewer, execution, back),
        )
        for execution in executions
    ]
    return Table(
        _("Observations"),
        (
            *(() if of_one_unit else (_("unit"),)),
            _("start [UTC]"),
            _("end [UTC]"),
            _("duration"),
            _("status"),
            *(DATA_COLUMNS if data else ()),
            _("quality"),
        ),
        rows,
        _("Nothing was observed."),
    )


def quality_cell(viewer: Viewer, execution: ExecutedObsUnit, back: str, note: Text = "") -> SafeString:
    """Return the quality of an execution with a note on it; where an address to come back to is given, with buttons."""
    buttons = quality_buttons(viewer, execution, back) if back else ""
    return format_html("{} {} {}", execution.get_quality_display(), note, buttons)


DATA_COLUMNS = (lazy("files"), lazy("volume"), lazy("archived"))


def data_cells(viewer: Viewer, execution: ExecutedObsUnit, data: ExecutionsData) -> tuple:
    """Return the data of an execution as cells: files, volume, and archived packages, or why they are not."""
    data = data.of(execution.pk)
    files = f"{data.files:,}" if not data.at_least else _("%(number)s or more") % {"number": f"{data.files:,}"}
    if not data.files and not data.packages:
        return "–", "–", "–"
    sign = "✔ " if data.is_archived else ""
    archived = f"{sign}{data.archived:,} / {data.packages:,}"
    loose = _("%(number)s files in none") % {"number": f"{data.unpackaged:,}"} if data.unpackaged else ""
    state = f"{archived}; {loose}" if loose else archived
    if not data.is_archived:
        why = why_link(viewer, name_row(ExecutedObsUnit, execution.pk))
        state = format_html('<span class="opsdb-in-text">{} {}</span>', state, why)
    return files, human_size(data.size_bytes), state


def data_text(data: ExecutionsData) -> str:
    """Return the data of executions in a sentence without its full stop."""
    total = data.total
    if not total.files and not total.packages:
        return _("no file is registered")
    values = {
        "files": f"{total.files:,}" if not total.at_least else _("%(number)s or more") % {"number": f"{total.files:,}"},
        "size": format_size(total.size_bytes),
        "archived": f"{total.archived:,}",
        "packages": f"{total.packages:,}",
        "archives": data.archives,
        "unpackaged": f"{total.unpackaged:,}",
    }
    text = _("%(files)s files, %(size)s; %(archived)s of %(packages)s packages archived") % values
    if data.archives:
        text += ngettext(", all in %(archives)s archive", ", all in %(archives)s archives", data.archives) % values
    if data.last_archived_at:
        text += _(", the last at %(time)s UTC") % {"time": format_minute(data.last_archived_at)}
    others = [one for one in PackageState if one != PackageState.ARCHIVED and total.states[one]]
    if others:
        states = ", ".join(f"{total.states[one]:,} {one.label}" for one in others)
        text += _("; the others: %(states)s") % {"states": states}
    if total.unpackaged:
        text += _("; %(unpackaged)s files are in no package") % values
    return text


def sign(kind: str, icon: str = "") -> SafeString:
    """Return a small bar, for a legend."""
    parts = [element("rect", x=0, y=3, width=16, height=10, rx=2, class_=f"opsdb-bar-{kind}")]
    if icon:
        parts.append(element("text", icon, x=8, y=12, text_anchor="middle", class_=f"opsdb-in-{kind}"))
    return element("svg", *parts, viewBox="0 0 16 16", class_="opsdb-sign-only", aria_hidden="true")


def bar_legend() -> list[tuple[SafeString, Text]]:
    """The style of the bars of executions."""
    return [
        (sign(status.value, "" if status == ObservationStatus.COMPLETED else status.look.icon), status.label)
        for status in ObservationStatus
    ]


def night_of(moment: datetime) -> date:
    """Return the date on which the night of a moment began: nights last from noon to noon, UTC."""
    return (moment.astimezone(UTC) - timedelta(hours=12)).date()
