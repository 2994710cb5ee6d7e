"""The way of a file or package on one line, from registered to its copies."""

from collections.abc import Iterable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    DataLocation,
    DataTransfer,
    DataTransferPackage,
    LongTermArchiveTransfer,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
)
from opsdb.row_labels import tables
from opsdb.workflows import JourneyStage, JourneyState, JourneyStep

from ..kit.columns import moment
from .viewer import Viewer

ON_THE_WAY = (
    RawDataFile,
    RawDataPackage,
    DataTransferPackage,
    DataTransfer,
    LongTermArchiveTransfer,
    PhysicalCopy,
    DataLocation,
)
SIGNS = {JourneyState.DONE: "✔", JourneyState.OPEN: "●", JourneyState.FAILED: "✘", JourneyState.AHEAD: "○"}
STATES = {
    JourneyState.DONE: lazy("done"),
    JourneyState.OPEN: lazy("under way"),
    JourneyState.FAILED: lazy("failed"),
    JourneyState.AHEAD: lazy("not yet"),
}
STAGES = {
    JourneyStage.REGISTERED: lazy("registered"),
    JourneyStage.PACKAGED: lazy("packaged"),
    JourneyStage.BUNDLED: lazy("bundled"),
    JourneyStage.TRANSFERRED: lazy("transferred"),
    JourneyStage.UNPACKED: lazy("unpacked"),
    JourneyStage.ARCHIVED: lazy("archived"),
    JourneyStage.COPIES: lazy("copies"),
}


def journey_line(viewer: Viewer, steps: Iterable[JourneyStep]) -> SafeString:
    """Return steps side by side, each with its state and when it was done; its name leads to the row that did it."""
    items = format_html_join(
        "",
        '<li class="opsdb-journey-{}"><span aria-hidden="true">{}</span> <strong>{}</strong> {}{}{}</li>',
        (
            (
                step.state.value,
                SIGNS[step.state],
                _name(viewer, step),
                format_html('<span class="visually-hidden">{}</span>', STATES[step.state])
                if step.state == JourneyState.DONE
                else STATES[step.state],
                format_html('<span class="opsdb-when">{}</span>', moment(step.at)) if step.at else "",
                format_html('<span class="opsdb-detail">{}</span>', viewer.link_names(step.detail))
                if step.detail
                else "",
            )
            for step in steps
        ),
    )
    return format_html('<ol class="opsdb-journey" aria-label="{}">{}</ol>', _("Its way; times are in UTC"), items)


def _name(viewer, step):
    if not step.row:
        return STAGES[step.stage]
    table, _blank, key = step.row.partition(" ")
    return format_html('<a href="{}">{}</a>', viewer.row_url(tables()[table], key), STAGES[step.stage])
