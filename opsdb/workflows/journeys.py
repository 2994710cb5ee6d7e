"""The way of a file or package on one line: registered, packaged, bundled, transferred, unpacked, archived, copies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb.models import (
    DataTransfer,
    DataTransferPackage,
    LocationType,
    LongTermArchiveTransfer,
    PackageState,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
    Status,
    Verification,
)
from opsdb.row_labels import place_of

from .errors import Refused, name_row

ROWS = 50
"""How many transfers of a bundle, and how many copies, are looked at."""


class JourneyStage(StrEnum):
    """The steps of the way, in their order; the values are what people read."""

    REGISTERED = "registered"
    PACKAGED = "packaged"
    BUNDLED = "bundled"
    TRANSFERRED = "transferred"
    UNPACKED = "unpacked"
    ARCHIVED = "archived"
    COPIES = "copies"


class JourneyState(StrEnum):
    """How far a step is."""

    DONE = "done"
    OPEN = "open"
    FAILED = "failed"
    AHEAD = "ahead"


@dataclass(frozen=True)
class JourneyStep:
    """One step of the way.

    Attributes:
        stage: which step.
        state: how far it is.
        at: when it was done; None where it is not, or no time was recorded.
        row: table and key of the row that did it; empty where there is none, or several.
        detail: what is known of it, such as the way of a transfer.
    """

    stage: JourneyStage
    state: JourneyState
    at: datetime | None = None
    row: str = ""
    detail: str = ""


def trace_journey(row: RawDataFile | RawDataPackage) -> list[JourneyStep]:
    """Return the steps of the way of a raw data file or package, done or not. At most six queries; locks nothing.

    Args:
        row: the file or package; the way of a file is that of its package once it is in one.

    Raises:
        Refused: rows of other kinds have no such way.
    """
    if isinstance(row, RawDataFile):
        registered = JourneyStep(
            JourneyStage.REGISTERED, JourneyState.DONE, row.created_at, name_row(RawDataFile, row.pk)
        )
        packages = RawDataPackage.objects.filter(pk=row.raw_data_package_id)
        package = packages.select_related("data_transfer_package").first()
        copies = PhysicalCopy.objects.filter(raw_data_file=row)
    elif isinstance(row, RawDataPackage):
        package = row
        text = ngettext("%(number)s file", "%(number)s files", row.file_count) % {"number": f"{row.file_count:,}"}
        registered = JourneyStep(JourneyStage.REGISTERED, JourneyState.DONE, row.created_at, detail=text)
        copies = PhysicalCopy.objects.none()
    else:
        raise Refused(f"{name_row(type(row), row.pk)}: has no journey to show; ask for a raw data file or package")
    if package is not None:
        copies = PhysicalCopy.objects.filter(raw_data_package=package)
    bundle = package and package.data_transfer_package
    transfers = list(_transfers_of(bundle)) if bundle else []
    return [
        registered,
        _work(JourneyStage.PACKAGED, package),
        _work(JourneyStage.BUNDLED, bundle),
        _transferred(transfers),
        _unpacked(transfers),
        _archived(package),
        _copies(
            list(copies.select_related("data_location__site").order_by("pk")[:ROWS]), is_of_package=package is not None
        ),
    ]


_STATES = {Status.COMPLETED: JourneyState.DONE, Status.FAILED: JourneyState.FAILED}


def _state_of(statuses: Iterable[str]) -> JourneyState:
    """Return how far a step is that several rows take: open while one is, done where one is, else failed."""
    states = [_STATES.get(status, JourneyState.OPEN) for status in map(Status, statuses)]
    order = (JourneyState.OPEN, JourneyState.DONE, JourneyState.FAILED)
    return next((state for state in order if state in states), JourneyState.AHEAD)


def _work(stage, item: RawDataPackage | DataTransferPackage | None) -> JourneyStep:
    if item is None:
        return JourneyStep(stage, JourneyState.AHEAD)
    return JourneyStep(
        stage,
        _state_of([item.status]),
        item.finished_at,
        name_row(type(item), item.pk),
        item.failure_message if item.status == Status.FAILED else "",
    )


def _transfers_of(bundle):
    return (
        DataTransfer.objects.filter(data_transfer_package=bundle)
        .select_related("origin_location__site", "destination_location__site")
        .order_by("pk")[:ROWS]
    )


def _way(transfer) -> str:
    ends = (transfer.origin_location, transfer.destination_location)
    return " → ".join(place_of(end) if end else "?" for end in ends)


def _alone(rows: Sequence) -> str:
    return name_row(type(rows[0]), rows[0].pk) if len(rows) == 1 else ""


def _transferred(transfers) -> JourneyStep:
    return JourneyStep(
        JourneyStage.TRANSFERRED,
        _state_of(one.status for one in transfers),
        max((one.finished_at for one in transfers if one.finished_at), default=None),
        _alone(transfers),
        ", ".join(map(_way, transfers)),
    )


def _unpacked(transfers) -> JourneyStep:
    return JourneyStep(
        JourneyStage.UNPACKED,
        _state_of(one.unpack_status for one in transfers if one.status == Status.COMPLETED),
        max((one.unpacked_at for one in transfers if one.unpacked_at), default=None),
        _alone(transfers),
        ", ".join(dict.fromkeys(str(one.destination_location.site) for one in transfers)),
    )


def _archived(package) -> JourneyStep:
    moves = (
        list(
            LongTermArchiveTransfer.objects.filter(raw_data_package=package)
            .select_related("destination_location__site")
            .order_by("pk")[:ROWS]
        )
        if package
        else []
    )
    state = _state_of(one.status for one in moves)
    if package and package.state == PackageState.ARCHIVED:
        state = JourneyState.DONE
    done = [one for one in moves if one.status == Status.COMPLETED]
    return JourneyStep(
        JourneyStage.ARCHIVED,
        state,
        min((one.finished_at for one in done if one.finished_at), default=None),
        _alone(moves),
        ", ".join(dict.fromkeys(place_of(one.destination_location) for one in done)),
    )


def _copies(copies, *, is_of_package: bool) -> JourneyStep:
    there = [one for one in copies if one.is_readable]
    archived = sum(
        one.data_location.location_type == LocationType.LONG_TERM_ARCHIVE and one.verification == Verification.VERIFIED
        for one in there
    )
    text = (
        _("%(number)s of the package that can be read, %(archived)s verified in archives")
        if is_of_package
        else _("%(number)s of the file that can be read")
    )
    detail = text % {"number": len(there), "archived": archived}
    state = JourneyState.DONE if archived else JourneyState.OPEN if there else JourneyState.AHEAD
    return JourneyStep(JourneyStage.COPIES, state, None, "", detail)
