"""Queues: what workers do at the locations, by queue names that the topology implies, and what is stalled there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.utils import timezone

from opsdb import conf
from opsdb.database.aliases import read_rows
from opsdb.models import (
    DataLocation,
    DataTransfer,
    DataTransferPackage,
    LocationType,
    LongTermArchiveTransfer,
    PhysicalCopyStatus,
    RawDataPackage,
    StagingJob,
    Status,
)


class Operation(StrEnum):
    """What workers do at a location; the last part of a queue's name.

    Scheme and names are those of the CCAT data centre's workers, as far as its public documentation shows them:
    https://docs.data.ccat.uni-koeln.de/data-transfer/docs/source/routing.html ("Queue Naming Convention", as of
    2025-11-05) has ``raw_data_package_creation``, ``data_transfer``, ``data_transfer_unpacking``,
    ``long_term_archive_transfer``, ``staging`` and ``deletion`` among its examples. It shows no name for making
    bundles or for fixity checks; ``data_transfer_package_creation`` and ``fixity_check`` are ours.
    """

    RAW_DATA_PACKAGE_CREATION = "raw_data_package_creation"
    DATA_TRANSFER_PACKAGE_CREATION = "data_transfer_package_creation"
    DATA_TRANSFER = "data_transfer"
    DATA_TRANSFER_UNPACKING = "data_transfer_unpacking"
    LONG_TERM_ARCHIVE_TRANSFER = "long_term_archive_transfer"
    STAGING = "staging"
    FIXITY_CHECK = "fixity_check"
    DELETION = "deletion"


# Where each operation is done: a transfer where it starts, everything else where the result is.
OPERATIONS = {
    LocationType.SOURCE: (Operation.RAW_DATA_PACKAGE_CREATION, Operation.FIXITY_CHECK, Operation.DELETION),
    LocationType.BUFFER: (
        Operation.DATA_TRANSFER_PACKAGE_CREATION,
        Operation.DATA_TRANSFER,
        Operation.DATA_TRANSFER_UNPACKING,
        Operation.FIXITY_CHECK,
        Operation.DELETION,
    ),
    LocationType.LONG_TERM_ARCHIVE: (Operation.LONG_TERM_ARCHIVE_TRANSFER, Operation.FIXITY_CHECK),
    LocationType.PROCESSING: (Operation.STAGING, Operation.FIXITY_CHECK, Operation.DELETION),
}


@dataclass(frozen=True)
class Queue:
    """A queue that workers take work from.

    Attributes:
        name: its name.
        site: short name of the site.
        location: name of the location.
        operation: what is done.
        active: whether the location is active; if not, only work that is there already is done.
        stalled: how many of its items are in progress without a heartbeat for ``OPSDB_STALLED_AFTER_SECONDS``; of
            deletions those claimed for as long, 1,000 at the most.
    """

    name: str
    site: str
    location: str
    operation: Operation
    active: bool
    stalled: int = 0


def format_queue_name(location: DataLocation, operation: Operation) -> str:
    """Return the name of a queue: ``{site.short_name}_{location.name}_{operation}``.

    Args:
        location: the location where the workers are.
        operation: what they do there.
    """
    return f"{location.site.short_name}_{location.name}_{operation}"


def _in_progress(model, place):
    return (
        f"SELECT {place}, coalesce(heartbeat_at, started_at) FROM {model._meta.db_table} AS item "
        f"WHERE status = '{Status.IN_PROGRESS}'"
    )


# Where work is in progress, and its last heartbeat. Each part walks an index of work in progress; of unpacking that is
# partial, with the condition NOT (unpack_status = 'completed').
IN_PROGRESS = {
    Operation.RAW_DATA_PACKAGE_CREATION: _in_progress(
        RawDataPackage, "(SELECT source_location_id FROM raw_data_file WHERE raw_data_package_id = item.id LIMIT 1)"
    ),
    Operation.DATA_TRANSFER_PACKAGE_CREATION: _in_progress(DataTransferPackage, "origin_location_id"),
    Operation.DATA_TRANSFER: _in_progress(DataTransfer, "origin_location_id"),
    Operation.DATA_TRANSFER_UNPACKING: (
        "SELECT destination_location_id, unpack_heartbeat_at FROM data_transfer WHERE status = 'completed' "
        f"AND NOT (unpack_status = 'completed') AND unpack_status = '{Status.IN_PROGRESS}'"
    ),
    Operation.LONG_TERM_ARCHIVE_TRANSFER: _in_progress(LongTermArchiveTransfer, "destination_location_id"),
    Operation.STAGING: _in_progress(StagingJob, "destination_location_id"),
    Operation.DELETION: (
        "SELECT place.id, going.updated_at FROM data_location AS place CROSS JOIN LATERAL (SELECT updated_at "
        "FROM physical_copy WHERE data_location_id = place.id "
        f"AND status = '{PhysicalCopyStatus.DELETION_IN_PROGRESS}' ORDER BY arrived_at LIMIT 1000) AS going"
    ),
}
STALLED = "\nUNION ALL\n".join(
    f"SELECT '{operation}', place, count(*) FROM ({statement}) AS going (place, seen) "
    "WHERE seen < %(before)s GROUP BY place"
    for operation, statement in IN_PROGRESS.items()
)


def _stalled() -> dict[tuple[str, int], int]:
    before = timezone.now() - timedelta(seconds=conf.get("OPSDB_STALLED_AFTER_SECONDS"))
    return {(operation, place): number for operation, place, number in read_rows(STALLED, {"before": before})}


def list_queues() -> list[Queue]:
    """Return every queue that the topology implies, by site and location, with its stalled items. Two queries."""
    locations = DataLocation.objects.select_related("site").order_by("site__short_name", "name")
    stalled = _stalled()
    return [
        Queue(
            format_queue_name(location, operation),
            location.site.short_name,
            location.name,
            operation,
            location.active,
            stalled.get((operation, location.pk), 0),
        )
        for location in locations
        for operation in OPERATIONS[LocationType(location.location_type)]
    ]
