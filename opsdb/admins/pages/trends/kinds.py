"""The trends: what each needs to be seen, and where its charts and the rows of its CSV come from."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    DataLocation,
    DataTransfer,
    ExecutedObsUnit,
    LongTermArchiveTransfer,
    ObservingProgram,
    PhysicalCopy,
    TimeAllocation,
)

from ...kit.values import Text
from ..viewer import Viewer
from .observing import time_parts, time_rows
from .stages import STAGES, backlog_parts, backlog_rows, failure_parts, failure_rows
from .transport import delay_parts, delay_rows, traffic_parts, traffic_rows
from .volume import volume_parts, volume_rows


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


KINDS = (
    Kind(
        "volume",
        lazy("Volume, and when locations will be full"),
        (DataLocation, PhysicalCopy),
        volume_parts,
        ("day", "site", "location", "held_bytes", "arrived_bytes", "left_bytes", "capacity_bytes"),
        volume_rows,
    ),
    Kind(
        "traffic",
        lazy("Bytes per hour and route"),
        (DataTransfer, DataLocation),
        traffic_parts,
        ("hour", "origin", "destination", "bytes", "transfers"),
        traffic_rows,
    ),
    Kind(
        "delays",
        lazy("From the end of an observation into an archive"),
        (LongTermArchiveTransfer, ExecutedObsUnit),
        delay_parts,
        ("week", "packages", "median_seconds", "ninth_decile_seconds"),
        delay_rows,
    ),
    Kind("backlog", lazy("Backlog of the stages"), STAGES, backlog_parts, ("day", "stage", "waiting"), backlog_rows),
    Kind(
        "failures",
        lazy("Failures per day and stage"),
        STAGES,
        failure_parts,
        ("day", "stage", "failures"),
        failure_rows,
    ),
    Kind(
        "time",
        lazy("Observing time, and how good the data are"),
        (ExecutedObsUnit, ObservingProgram, TimeAllocation),
        time_parts,
        ("week", "program", "hours", "good_hours", "assessed_hours", "allocated_hours"),
        time_rows,
    ),
)
