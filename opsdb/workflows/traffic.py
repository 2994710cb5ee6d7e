"""Traffic between locations: what is open and what failed, at a cost that does not grow with the tables."""

from dataclasses import dataclass
from datetime import datetime

from opsdb.database.aliases import read_rows
from opsdb.models import DataTransfer, LongTermArchiveTransfer, StagingJob, Status

LIMIT = 10_000
#: The states of work that is under way between locations, or failed on the way.
TRAFFIC_STATUSES: tuple[Status, ...] = (*Status.open(), Status.FAILED)
# Where each kind starts, and the table with its size.
_KINDS = {
    DataTransfer: ("origin_location_id", "data_transfer_package"),
    LongTermArchiveTransfer: ("NULL::bigint", "raw_data_package"),
    StagingJob: ("NULL::bigint", None),
}


@dataclass(frozen=True)
class Traffic:
    """Work of one kind, on one way, in one state.

    Attributes:
        origin: key of the location where it starts; None where that is not fixed.
        destination: key of the location where it ends.
        status: its state, open or failed.
        number: how many.
        volume_bytes: their total recorded size; None for staging jobs.
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


def list_open_traffic(
    kind: type[DataTransfer | LongTermArchiveTransfer | StagingJob], *, limit: int = LIMIT
) -> list[Traffic]:
    """Return what is open or failed, by way and state. One query, along the index of open work.

    Args:
        kind: transfers, moves into archives or staging jobs.
        limit: how many of each state, the oldest, are looked at.
    """
    rows = read_rows(_sql(kind), {"limit": limit})
    looked_at = {status: sum(row[3] for row in rows if row[2] == status) for status in TRAFFIC_STATUSES}
    return [
        Traffic(origin, destination, Status(status), number, volume, since, looked_at[status] >= limit)
        for origin, destination, status, number, volume, since in rows
    ]


def _sql(kind):
    table = kind._meta.db_table
    origin, carried = _KINDS[kind]
    # A subquery for each row: the planner does not expect that a join takes so few rows of so many.
    size = (
        f"(SELECT size_bytes FROM {carried} WHERE {carried}.id = {table}.{carried}_id)" if carried else "NULL::bigint"
    )
    parts = "\nUNION ALL\n".join(
        f"(SELECT {origin} AS origin, destination_location_id AS destination, status, created_at, {size} AS size "
        f"FROM {table} WHERE status = '{status}' ORDER BY created_at LIMIT %(limit)s)"
        for status in TRAFFIC_STATUSES
    )
    return (
        "SELECT origin, destination, status, count(*), sum(size)::bigint, min(created_at) "
        f"FROM ({parts}) AS found GROUP BY origin, destination, status ORDER BY origin, destination, status"
    )
