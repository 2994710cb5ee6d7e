"""What is on its way between locations, and what failed on it, at a cost that tables don't raise."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connections, models, router

from opsdb.models import DataTransfer, LongTermArchiveTransfer, StagingJob, Status

LIMIT = 10_000
LISTED = (*Status.open(), Status.FAILED)
# Where each kind starts, and what says how large it is.
KINDS = {
    DataTransfer: ("origin_location_id", "data_transfer_package"),
    LongTermArchiveTransfer: ("NULL::bigint", "raw_data_package"),
    StagingJob: ("NULL::bigint", None),
}


@dataclass(frozen=True)
class Moving:
    """Work of one kind, on one way, in one state.

    Attributes:
        origin: key of the location where it starts; none where that is not fixed.
        destination: key of the location where it ends.
        status: its state, open or failed.
        number: how many.
        volume_bytes: how large they are together, as far as is known; none for staging jobs.
        since: when the oldest was made.
        at_least: whether there may be more than were looked at.
    """

    origin: int | None
    destination: int
    status: Status
    number: int
    volume_bytes: int | None
    since: datetime
    at_least: bool


def moving(kind: type[models.Model], *, limit: int = LIMIT) -> list[Moving]:
    """Return what is open or failed, by way and state. One query, along the index of open work.

    Args:
        kind: transfers, moves into archives or staging jobs.
        limit: how many of each state, the oldest, are looked at.
    """
    with connections[router.db_for_read(kind)].cursor() as cursor:
        cursor.execute(_sql(kind), {"limit": limit})
        rows = cursor.fetchall()
    looked_at = {status: sum(row[3] for row in rows if row[2] == status) for status in LISTED}
    return [
        Moving(origin, destination, Status(status), number, volume, since, looked_at[status] >= limit)
        for origin, destination, status, number, volume, since in rows
    ]


def _sql(kind):
    table = kind._meta.db_table
    origin, carried = KINDS[kind]
    # A subquery for each row, because a join with so few rows of so many is not foreseen by the planner.
    size = (
        f"(SELECT size_bytes FROM {carried} WHERE {carried}.id = {table}.{carried}_id)" if carried else "NULL::bigint"
    )
    parts = "\nUNION ALL\n".join(
        f"(SELECT {origin} AS origin, destination_location_id AS destination, status, created_at, {size} AS size "
        f"FROM {table} WHERE status = '{status}' ORDER BY created_at LIMIT %(limit)s)"
        for status in LISTED
    )
    return (
        "SELECT origin, destination, status, count(*), sum(size)::bigint, min(created_at) "
        f"FROM ({parts}) AS found GROUP BY origin, destination, status ORDER BY origin, destination, status"
    )
