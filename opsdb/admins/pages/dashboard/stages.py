"""Every stage from observed to archived, and after that: how many rows are in each state."""

from dataclasses import dataclass, field

from django.db.models import Model
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    DataProduct,
    DataTransfer,
    DataTransferPackage,
    DeletionRequest,
    DeletionRequestStatus,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    ObservationStatus,
    PackageState,
    RawDataFile,
    RawDataPackage,
    RunStatus,
    StagingJob,
    Status,
)
from opsdb.models.enums import FAILED, StateChoices
from opsdb.workflows import Overview, RestState, RowCount, StageName

from ...kit.columns import badge
from ...kit.values import Text
from ..counts import format_age, format_count
from ..parts import Section, paragraph, subheading
from ..viewer import Viewer


@dataclass(frozen=True)
class CountDisplay:
    """How a count is shown that is of several states, or of rows without any: its label, and the list of its rows."""

    label: Text
    lookups: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StageDisplay:
    """How a stage of the overview is shown.

    Attributes:
        title: what it is called.
        model: its rows.
        column: the column of its states.
        states: the states that the column may have; none where rows have none.
        narrowed: what else its list is narrowed by.
        others: the counts of it that are of none of these states.
        is_beside: whether it is drawn beside the way from observed to archived.
    """

    title: Text
    model: type[Model]
    column: str = "status"
    states: type[StateChoices] | None = Status
    narrowed: dict[str, str] = field(default_factory=dict)
    others: dict[str, CountDisplay] = field(default_factory=dict)
    is_beside: bool = False


# By the names that the overview gives stages and counts, in the order of the page.
STAGES = {
    StageName.OBSERVATIONS: StageDisplay(
        lazy("observed"),
        ExecutedObsUnit,
        states=ObservationStatus,
        others={RestState.ENDED: CountDisplay(lazy("ended"), {"status__in": "completed,aborted,failed"})},
    ),
    StageName.FILES: StageDisplay(
        lazy("files registered"),
        RawDataFile,
        states=None,
        others={
            RestState.UNPACKAGED: CountDisplay(lazy("unpackaged"), {"raw_data_package__isnull": "True"}),
            RestState.PACKAGED: CountDisplay(lazy("packaged"), {"raw_data_package__isnull": "False"}),
        },
    ),
    StageName.PACKAGING: StageDisplay(lazy("packaged"), RawDataPackage),
    StageName.BUNDLING: StageDisplay(lazy("bundled for transfer"), DataTransferPackage),
    StageName.TRANSFERS: StageDisplay(lazy("transferred"), DataTransfer),
    StageName.UNPACKING: StageDisplay(
        lazy("unpacked"), DataTransfer, column="unpack_status", narrowed={"status__exact": "completed"}
    ),
    StageName.ARCHIVING: StageDisplay(lazy("put into archives"), LongTermArchiveTransfer),
    StageName.PACKAGES: StageDisplay(lazy("packages archived"), RawDataPackage, column="state", states=PackageState),
    StageName.STAGING: StageDisplay(lazy("staged for reduction"), StagingJob, is_beside=True),
    StageName.RUNS: StageDisplay(
        lazy("reduced"),
        ExecutedReductionStep,
        states=RunStatus,
        others={
            RestState.COMPLETED_OR_CANCELLED: CountDisplay(
                lazy("completed or cancelled"), {"status__in": "completed,cancelled"}
            )
        },
        is_beside=True,
    ),
    StageName.PRODUCTS: StageDisplay(
        lazy("products"),
        DataProduct,
        states=None,
        others={RestState.MADE: CountDisplay(lazy("made"))},
        is_beside=True,
    ),
    StageName.DELETION_REQUESTS: StageDisplay(
        lazy("deletions asked for"), DeletionRequest, states=DeletionRequestStatus, is_beside=True
    ),
}


def stages_section(viewer: Viewer, found: Overview) -> Section | None:
    """Return the stages that the person may view, or None when there are none."""
    shown = {stage.name: stage for stage in found.stages if viewer.sees(STAGES[stage.name].model)}
    if not shown:
        return None
    parts = []
    for is_beside, title in ((False, _("From observed to archived")), (True, _("After that"))):
        stages = [
            _stage(viewer, display, shown[name], found.at)
            for name, display in STAGES.items()
            if name in shown and display.is_beside == is_beside
        ]
        if stages:
            parts += [
                subheading(title) if parts else "",
                render_to_string("admin/opsdb/pipeline.html", {"stages": stages}),
            ]
    if held_up_packages(viewer, found):
        note = _(
            "Each stage counts its own work: files, packages, bundles or transfers. “Packages archived” counts "
            "packages, and one bundle or transfer that failed holds up all of the packages in it."
        )
        parts.append(paragraph(note, "opsdb-note"))
    return Section(_("From observed to archived"), parts, "opsdb-pipeline")


def held_up_packages(viewer: Viewer, found: Overview) -> RowCount | None:
    """Return how many packages are not archived because some of their work failed; None where there are none."""
    numbers = (
        count.number
        for stage in found.stages
        if stage.name is StageName.PACKAGES and viewer.sees(STAGES[stage.name].model)
        for count in stage.states
        if count.state == PackageState.FAILED and count.number.value
    )
    return next(numbers, None)


def _stage(viewer, display, stage, now):
    counts = [count for count in stage.states if count.number.value or count.state in display.others]
    states = [_state_of(display, count) for count in counts]
    is_failing = any(state is not None and state.look == FAILED for state in states)
    return {
        "title": display.title,
        "url": viewer.list_url(display.model, **display.narrowed),
        "states": [_count(viewer, display, count) for count in counts],
        "oldest": stage.oldest,
        "age": format_age(stage.oldest, now),
        "level": "failed" if is_failing else "",
    }


def _state_of(display, count) -> StateChoices | None:
    """Return the state that a count is of, or None where it is of several states or of none."""
    has_state = display.states is not None and count.state in display.states.values
    return display.states(count.state) if has_state else None


def _count(viewer, display, count):
    state = _state_of(display, count)
    lookups = display.others[count.state].lookups if state is None else {f"{display.column}__exact": count.state}
    return {
        "badge": display.others[count.state].label if state is None else badge(state),
        "number": format_count(count.number),
        "url": viewer.list_url(display.model, **display.narrowed, **lookups),
    }
