"""The SQL of the overview. Every part walks an index, and stops at a limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models

from opsdb.models import (
    DataProduct,
    DataTransfer,
    DataTransferPackage,
    DeletionRequestStatus,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LocationType,
    LongTermArchiveTransfer,
    ObservationStatus,
    PackageState,
    PhysicalCopyStatus,
    RawDataPackage,
    RunStatus,
    StagingJob,
    Status,
)
from opsdb.models.copies.querysets import CHECKABLE

from .results import RestState, StageName

EXACT_LIMIT = 1_000
SHOWN = 10
UNPACKAGED_INDEX = "raw_data_file_unpackaged"
WORK: dict[StageName, type[models.Model]] = {
    StageName.PACKAGING: RawDataPackage,
    StageName.BUNDLING: DataTransferPackage,
    StageName.TRANSFERS: DataTransfer,
    StageName.ARCHIVING: LongTermArchiveTransfer,
    StageName.STAGING: StagingJob,
}
RARE = [state.value for state in PhysicalCopyStatus if state != PhysicalCopyStatus.PRESENT]
# The condition of the partial index on unpacking, to the letter: without it the planner does not use the index.
TO_UNPACK = "status = 'completed' AND NOT (unpack_status = 'completed')"


def _union(parts: Iterable[str]) -> str:
    return "\nUNION ALL\n".join(f"({part.strip()})" for part in parts)


@dataclass(frozen=True)
class CountedStage:
    """A stage whose rows are counted by state.

    Attributes:
        name: which stage.
        model: the rows.
        column: the column of the state.
        listed: the states that an index lists, so that they can be counted.
        rest: the state that all other rows count as.
        since: the column with the age of a row.
        where: a further condition in SQL; then there is no rest.
    """

    name: StageName
    model: type[models.Model]
    listed: tuple[str, ...]
    rest: str = ""
    column: str = "status"
    since: str = "created_at"
    where: str = ""

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def sql(self) -> str:
        """Return the query of one row for every listed state, and one for the total."""
        parts = [self._count(state) for state in self.listed]
        if self.rest:
            parts.append(self._total())
        return _union(parts)

    def _count(self, state: str) -> str:
        condition = f"{self.column} = '{state}'" + (f" AND {self.where}" if self.where else "")
        return f"""
            SELECT '{self.name}', '{state}',
                (SELECT count(*) FROM (SELECT FROM {self.table} WHERE {condition} LIMIT {EXACT_LIMIT + 1}) AS found),
                (SELECT {self.since} FROM {self.table} WHERE {condition} ORDER BY {self.since} LIMIT 1)
        """

    def _total(self) -> str:
        return f"""
            SELECT '{self.name}', '',
                (SELECT count(*) FROM (SELECT FROM {self.table} LIMIT {EXACT_LIMIT + 1}) AS found),
                NULL::timestamptz
        """


_UNFINISHED = tuple(state.value for state in Status if state != Status.COMPLETED)
COUNTED = [
    CountedStage(
        StageName.OBSERVATIONS,
        ExecutedObsUnit,
        (ObservationStatus.RUNNING.value,),
        RestState.ENDED,
        since="start_time",
    ),
    CountedStage(
        StageName.PACKAGES,
        RawDataPackage,
        tuple(state.value for state in PackageState if state != PackageState.ARCHIVED),
        PackageState.ARCHIVED.value,
        column="state",
    ),
    *(CountedStage(name, model, _UNFINISHED, Status.COMPLETED.value) for name, model in WORK.items()),
    CountedStage(
        StageName.UNPACKING,
        DataTransfer,
        _UNFINISHED,
        column="unpack_status",
        since="finished_at",
        where=TO_UNPACK,
    ),
    CountedStage(
        StageName.RUNS,
        ExecutedReductionStep,
        tuple(state.value for state in (*RunStatus.open(), RunStatus.FAILED)),
        RestState.COMPLETED_OR_CANCELLED,
    ),
    CountedStage(StageName.PRODUCTS, DataProduct, (), RestState.MADE),
]
STATES = "\nUNION ALL\n".join(counted.sql() for counted in COUNTED)

FILES = f"""
SELECT
    (SELECT count(*) FROM (
        SELECT FROM raw_data_file WHERE raw_data_package_id IS NULL LIMIT {EXACT_LIMIT + 1}
    ) AS found),
    (SELECT count(*) FROM (SELECT FROM raw_data_file LIMIT {EXACT_LIMIT + 1}) AS found),
    (SELECT min(execution.start_time)
     FROM data_location AS source
     CROSS JOIN LATERAL (
         SELECT executed_obs_unit_id AS id FROM raw_data_file
         WHERE raw_data_package_id IS NULL AND source_location_id = source.id
         ORDER BY executed_obs_unit_id LIMIT 1
     ) AS first
     JOIN executed_obs_unit AS execution ON execution.id = first.id
     WHERE source.location_type = '{LocationType.SOURCE}')
"""

COPIES = f"""
SELECT location.id, state.name,
    (SELECT count(*) FROM (
        SELECT FROM physical_copy
        WHERE data_location_id = location.id AND status = state.name LIMIT {EXACT_LIMIT + 1}
    ) AS found),
    (SELECT arrived_at FROM physical_copy
     WHERE data_location_id = location.id AND status = state.name ORDER BY arrived_at LIMIT 1)
FROM data_location AS location
CROSS JOIN (VALUES {", ".join(f"('{state}')" for state in RARE)}) AS state (name)
"""

LOCATIONS = """
SELECT location.id, site.short_name, location.name, location.location_type, location.active, location.capacity_bytes,
    coalesce(sum(usage.copies), 0)::bigint, coalesce(sum(usage.bytes), 0)
FROM data_location AS location
JOIN site ON site.id = location.site_id
LEFT JOIN data_location_usage AS usage ON usage.data_location_id = location.id
GROUP BY location.id, site.short_name
ORDER BY site.short_name, location.name
"""

# Rows per block as last counted, times the present number of blocks: what the planner itself uses. A partial index has
# its own count.
STATISTICS = """
SELECT relname, reltuples * pg_relation_size(oid) / current_setting('block_size')::integer / relpages
FROM pg_class
WHERE relname = ANY (%s) AND relkind IN ('r', 'i') AND relpages > 0 AND reltuples >= 0
"""

SHARES = """
SELECT tablename || '.' || attname, most_common_vals::text::text[], most_common_freqs
FROM pg_stats
WHERE schemaname = ANY (current_schemas(false))
    AND (tablename, attname) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
    AND most_common_vals IS NOT NULL
"""


def _failed_work(table: str) -> str:
    return f"""
        SELECT '{table} ' || id, finished_at, failure_message FROM {table}
        WHERE status = '{Status.FAILED}' ORDER BY created_at DESC LIMIT {SHOWN}
    """


_FOUND_BY = "coalesce(nullif(last.checked_by, ''), 'somebody') || ' at ' || opsdb_name_location(location.id)"
_DIFFERS = (
    "'has ' || last.algorithm || ' ' || last.actual || ', should have ' || last.expected || ', found by ' || "
    f"{_FOUND_BY}"
)
_UNREAD = f"last.failure_message || ', found by ' || {_FOUND_BY}"


def _bad_copies(name: str, condition: str, order: str, checks: str, message: str) -> str:
    """Return the query of copies of one kind, each with what the last of some of its fixity checks found."""
    return f"""
        SELECT 'physical_copy ' || copy.id, coalesce(last.checked_at, copy.updated_at), concat_ws(': ', '{name}',
            coalesce({message}, nullif(copy.failure_message, ''), 'at ' || opsdb_name_location(location.id)))
        FROM data_location AS location
        CROSS JOIN LATERAL (
            SELECT * FROM physical_copy
            WHERE data_location_id = location.id AND {condition} ORDER BY {order} LIMIT {SHOWN}
        ) AS copy
        LEFT JOIN LATERAL (
            SELECT * FROM fixity_check WHERE copy_id = copy.id AND {checks} ORDER BY checked_at DESC, id DESC LIMIT 1
        ) AS last ON true
        LIMIT {SHOWN}
    """


def _copies_in(status: PhysicalCopyStatus, checks: str, message: str) -> str:
    return _bad_copies(status, f"status = '{status}'", "arrived_at", checks, message)


_CHECKABLE = ", ".join(f"'{status}'" for status in CHECKABLE)


def _disputed_work(table: str) -> str:
    return f"""
        SELECT '{table} ' || id, finished_at, 'conflict: ' || failure_message FROM {table}
        WHERE status = '{Status.COMPLETED}' AND NOT (failure_message = '')
        ORDER BY finished_at DESC LIMIT {SHOWN}
    """


_FAILED_UNPACKING = f"""
    SELECT 'data_transfer ' || id, finished_at, 'unpacking: ' || unpack_failure_message FROM data_transfer
    WHERE {TO_UNPACK} AND unpack_status = '{Status.FAILED}' ORDER BY finished_at DESC LIMIT {SHOWN}
"""
FAILURES = _union(
    [
        *(_failed_work(model._meta.db_table) for model in (*WORK.values(), ExecutedReductionStep)),
        *(_disputed_work(model._meta.db_table) for model in WORK.values()),
        _FAILED_UNPACKING,
        _copies_in(PhysicalCopyStatus.DELETION_FAILED, "false", "NULL"),
        _copies_in(PhysicalCopyStatus.CORRUPT, "NOT ok AND actual IS NOT NULL", _DIFFERS),
        _copies_in(
            PhysicalCopyStatus.MISSING,
            "actual IS NULL AND failure_message = copy.failure_message",
            _UNREAD,
        ),
        _bad_copies(
            "can''t be read",
            f"status IN ({_CHECKABLE}) AND next_check_at IS NOT NULL",
            "next_check_at",
            "actual IS NULL",
            _UNREAD,
        ),
    ]
)


def _stalled_work(table: str) -> str:
    return f"""
        SELECT '{table} ' || id, coalesce(heartbeat_at, started_at) AS seen, claimed_by
        FROM (
            SELECT * FROM {table} WHERE status = '{Status.IN_PROGRESS}' ORDER BY created_at LIMIT {EXACT_LIMIT}
        ) AS going
        WHERE coalesce(heartbeat_at, started_at) < %(before)s
        ORDER BY seen LIMIT {SHOWN}
    """


_STALLED_UNPACKING = f"""
    SELECT 'data_transfer ' || id, unpack_heartbeat_at AS seen, 'unpacking, ' || unpack_claimed_by
    FROM (
        SELECT * FROM data_transfer WHERE {TO_UNPACK} AND unpack_status = '{Status.IN_PROGRESS}'
        ORDER BY finished_at LIMIT {EXACT_LIMIT}
    ) AS going
    WHERE unpack_heartbeat_at < %(before)s
    ORDER BY seen LIMIT {SHOWN}
"""
# A copy has no column for the worker that deletes it, only the time when it was claimed.
_STALLED_DELETIONS = f"""
    SELECT 'physical_copy ' || going.id, going.updated_at AS seen, 'deletion at ' || opsdb_name_location(location.id)
    FROM data_location AS location
    CROSS JOIN LATERAL (
        SELECT * FROM physical_copy
        WHERE data_location_id = location.id AND status = '{PhysicalCopyStatus.DELETION_IN_PROGRESS}'
        ORDER BY arrived_at LIMIT {EXACT_LIMIT}
    ) AS going
    WHERE going.updated_at < %(before)s
    ORDER BY seen LIMIT {SHOWN}
"""
STALLED = _union(
    [
        *(_stalled_work(model._meta.db_table) for model in WORK.values()),
        _STALLED_UNPACKING,
        _STALLED_DELETIONS,
    ]
)

REQUESTS = f"""
SELECT '{StageName.DELETION_REQUESTS}', status, count(*), min(created_at) FROM deletion_request
WHERE status IN ('{DeletionRequestStatus.REQUESTED}', '{DeletionRequestStatus.APPROVED}')
GROUP BY status
"""
