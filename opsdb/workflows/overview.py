"""How things stand: every stage, every location, what failed and what is stuck, at a cost that tables don't raise.

Rows are counted exactly up to :data:`EXACT_LIMIT`, always along an index; beyond that a number is what PostgreSQL's
statistics say, or only a lower bound, and says so. The number of queries is fixed.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connections, models, router
from django.utils import timezone

from opsdb import conf
from opsdb.models import (
    DataProduct,
    DataTransfer,
    DataTransferPackage,
    DeletionRequest,
    DeletionRequestStatus,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LocationType,
    LongTermArchiveTransfer,
    ObservationStatus,
    PackageState,
    PhysicalCopyStatus,
    RawDataFile,
    RawDataPackage,
    RunStatus,
    StagingJob,
    Status,
)

EXACT_LIMIT = 1_000
SHOWN = 10


class Exactness(StrEnum):
    """How a number is known."""

    EXACT = "exact"
    ESTIMATED = "estimated"
    AT_LEAST = "at_least"


@dataclass(frozen=True)
class Number:
    """How many, and how that is known."""

    value: int
    exactness: Exactness = Exactness.EXACT

    @property
    def is_exact(self) -> bool:
        return self.exactness == Exactness.EXACT

    def __str__(self):
        sign = {Exactness.EXACT: "", Exactness.ESTIMATED: "about ", Exactness.AT_LEAST: "at least "}
        return f"{sign[self.exactness]}{self.value:,}"

    def minus(self, others: list["Number"]) -> "Number":
        """What is left when others are taken away, never below 0."""
        value = max(self.value - sum(other.value for other in others), 0)
        exact = self.is_exact and all(other.is_exact for other in others)
        return Number(value, Exactness.EXACT if exact else Exactness.ESTIMATED)


@dataclass(frozen=True)
class StateCount:
    """How many rows of a stage are in a state.

    Attributes:
        state: the state.
        number: how many.
        oldest: when the oldest of them was made, where that counts.
    """

    state: str
    number: Number
    oldest: datetime | None = None


@dataclass(frozen=True)
class Stage:
    """How things stand with one kind of thing on its way.

    Attributes:
        name: what the rows are, and which of their states is counted.
        table: their table.
        states: how many are in each state; the usual course from first to last.
        oldest: when the oldest was made of those that something has to happen to.
    """

    name: str
    table: str
    states: list[StateCount]
    oldest: datetime | None = None


@dataclass(frozen=True)
class LocationVolume:
    """What a location holds.

    Attributes:
        id: key of the location.
        site: short name of the site.
        location: name of the location.
        location_type: what it is for.
        active: whether new data may go there.
        copies: how many copies it holds.
        volume_bytes: how many bytes it holds.
        capacity_bytes: how many it could hold, if that is known.
        states: how many copies are in each state.
        expected: how many copies should be there and good: those that are recorded and not deleted; in an archive
            also one of every archived package.
        actual: how many are there and good.
        lacking: expected minus actual.
    """

    id: int
    site: str
    location: str
    location_type: str
    active: bool
    copies: int
    volume_bytes: int
    capacity_bytes: int | None
    states: list[StateCount]
    expected: Number
    actual: Number
    lacking: Number

    @property
    def fill_percent(self) -> float | None:
        """How full it is, per cent."""
        return self.capacity_bytes and 100 * self.volume_bytes / self.capacity_bytes


@dataclass(frozen=True)
class Trouble:
    """A row that failed, or whose worker shows no life.

    Attributes:
        row: table and key.
        since: when it failed, or when the worker last showed life.
        message: what went wrong, or who held it.
    """

    row: str
    since: datetime | None
    message: str


@dataclass(frozen=True)
class Overview:
    """How things stand.

    Attributes:
        at: when this was asked.
        stages: every stage, in the order in which data pass them.
        locations: every location.
        failures: the last rows of each kind that failed for good.
        stalled: work in progress without a sign of life for ``OPSDB_STALLED_AFTER_SECONDS``, the longest first.
    """

    at: datetime
    stages: list[Stage]
    locations: list[LocationVolume]
    failures: list[Trouble] = field(default_factory=list)
    stalled: list[Trouble] = field(default_factory=list)


@dataclass(frozen=True)
class _Counted:
    """A kind of row whose states are counted.

    Attributes:
        name: what people call it.
        model: the rows.
        column: the column of the state.
        listed: the states that an index lists, so that they can be counted.
        rest: what all other rows are called.
        since: the column that says how old a row is.
        where: what else holds of the rows, in SQL; then there is no rest.
    """

    name: str
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
        """One row for every listed state, and one for the total."""
        also = f" AND {self.where}" if self.where else ""
        parts = [
            f"SELECT '{self.name}', '{state}', "
            f"(SELECT count(*) FROM (SELECT FROM {self.table} WHERE {self.column} = '{state}'{also} "
            f"LIMIT {EXACT_LIMIT + 1}) AS found), "
            f"(SELECT {self.since} FROM {self.table} WHERE {self.column} = '{state}'{also} "
            f"ORDER BY {self.since} LIMIT 1)"
            for state in self.listed
        ]
        if self.rest:
            parts.append(_total(self.name, self.table))
        return "\nUNION ALL\n".join(parts)


def _total(name, table):
    some = f"SELECT FROM {table} LIMIT {EXACT_LIMIT + 1}"
    return f"SELECT '{name}', '', (SELECT count(*) FROM ({some}) AS found), NULL::timestamptz"


UNFINISHED = tuple(state.value for state in Status if state != Status.COMPLETED)
WORK = {
    "making raw data packages": RawDataPackage,
    "making transfer packages": DataTransferPackage,
    "transfers": DataTransfer,
    "archiving": LongTermArchiveTransfer,
    "staging": StagingJob,
}
UNPACKED = Status.COMPLETED.value
COUNTED = [
    _Counted("observations", ExecutedObsUnit, (ObservationStatus.RUNNING.value,), "ended", since="start_time"),
    _Counted(
        "raw data packages",
        RawDataPackage,
        tuple(state.value for state in PackageState if state != PackageState.ARCHIVED),
        PackageState.ARCHIVED.value,
        column="state",
    ),
    *(_Counted(name, model, UNFINISHED, Status.COMPLETED.value) for name, model in WORK.items()),
    _Counted(
        "unpacking",
        DataTransfer,
        UNFINISHED,
        column="unpack_status",
        since="finished_at",
        where=f"status = 'completed' AND NOT (unpack_status = '{UNPACKED}')",
    ),
    _Counted(
        "reduction runs",
        ExecutedReductionStep,
        tuple(state.value for state in (*RunStatus.open(), RunStatus.FAILED)),
        "completed or cancelled",
    ),
    _Counted("data products", DataProduct, (), "made"),
]
STATES = "\nUNION ALL\n".join(counted.sql() for counted in COUNTED)
FILES = f"""
SELECT (SELECT count(*) FROM (SELECT FROM raw_data_file WHERE raw_data_package_id IS NULL
                              LIMIT {EXACT_LIMIT + 1}) AS found),
       (SELECT count(*) FROM (SELECT FROM raw_data_file LIMIT {EXACT_LIMIT + 1}) AS found),
       (SELECT min(execution.start_time) FROM data_location AS source
        CROSS JOIN LATERAL (SELECT executed_obs_unit_id AS id FROM raw_data_file
                            WHERE raw_data_package_id IS NULL AND source_location_id = source.id
                            ORDER BY executed_obs_unit_id LIMIT 1) AS first
        JOIN executed_obs_unit AS execution ON execution.id = first.id
        WHERE source.location_type = '{LocationType.SOURCE}')
"""
RARE = [state.value for state in PhysicalCopyStatus if state != PhysicalCopyStatus.PRESENT]
COPIES = f"""
SELECT location.id, state.name,
       (SELECT count(*) FROM (SELECT FROM physical_copy WHERE data_location_id = location.id AND status = state.name
                              LIMIT {EXACT_LIMIT + 1}) AS found),
       (SELECT arrived_at FROM physical_copy WHERE data_location_id = location.id AND status = state.name
        ORDER BY arrived_at LIMIT 1)
FROM data_location AS location CROSS JOIN (VALUES {", ".join(f"('{state}')" for state in RARE)}) AS state (name)
"""
LOCATIONS = """
SELECT location.id, site.short_name, location.name, location.location_type, location.active, location.capacity_bytes,
       coalesce(sum(usage.copies), 0)::bigint, coalesce(sum(usage.bytes), 0)::bigint
FROM data_location AS location JOIN site ON site.id = location.site_id
LEFT JOIN data_location_usage AS usage ON usage.data_location_id = location.id
GROUP BY location.id, site.short_name ORDER BY site.short_name, location.name
"""
# Rows per block as last counted, times the blocks of now: what the planner itself goes by. An index of some of the
# rows has its own count.
STATISTICS = """
SELECT relname, reltuples * pg_relation_size(oid) / current_setting('block_size')::integer / relpages
FROM pg_class WHERE relname = ANY (%s) AND relkind IN ('r', 'i') AND relpages > 0 AND reltuples >= 0
"""
SHARES = """
SELECT tablename || '.' || attname, most_common_vals::text::text[], most_common_freqs
FROM pg_stats WHERE schemaname = ANY (current_schemas(false))
AND (tablename, attname) IN (SELECT * FROM unnest(%s::text[], %s::text[])) AND most_common_vals IS NOT NULL
"""


def _union(parts):
    return "\nUNION ALL\n".join(f"({part})" for part in parts)


FAILURES = _union(
    [
        *(
            f"SELECT '{model._meta.db_table} ' || id, finished_at, failure_message FROM {model._meta.db_table} "
            f"WHERE status = '{Status.FAILED}' ORDER BY created_at DESC LIMIT {SHOWN}"
            for model in (*WORK.values(), ExecutedReductionStep)
        ),
        f"SELECT 'data_transfer ' || id, finished_at, 'unpacking: ' || unpack_failure_message FROM data_transfer "
        f"WHERE status = 'completed' AND NOT (unpack_status = '{UNPACKED}') AND unpack_status = '{Status.FAILED}' "
        f"ORDER BY finished_at DESC LIMIT {SHOWN}",
        *(
            f"SELECT 'physical_copy ' || copy.id, copy.arrived_at, '{status}: ' || copy.failure_message "
            "FROM data_location AS location CROSS JOIN LATERAL (SELECT * FROM physical_copy "
            f"WHERE data_location_id = location.id AND status = '{status}' ORDER BY arrived_at LIMIT {SHOWN}) AS copy "
            f"LIMIT {SHOWN}"
            for status in (
                PhysicalCopyStatus.DELETION_FAILED,
                PhysicalCopyStatus.CORRUPT,
                PhysicalCopyStatus.MISSING,
            )
        ),
    ]
)
STALLED = _union(
    [
        *(
            f"SELECT '{model._meta.db_table} ' || id, coalesce(heartbeat_at, started_at) AS seen, claimed_by "
            f"FROM (SELECT * FROM {model._meta.db_table} WHERE status = '{Status.IN_PROGRESS}' ORDER BY created_at "
            f"LIMIT {EXACT_LIMIT}) AS going WHERE coalesce(heartbeat_at, started_at) < %(before)s "
            f"ORDER BY seen LIMIT {SHOWN}"
            for model in WORK.values()
        ),
        "SELECT 'data_transfer ' || id, unpack_heartbeat_at AS seen, 'unpacking, ' || unpack_claimed_by "
        f"FROM (SELECT * FROM data_transfer WHERE status = 'completed' AND NOT (unpack_status = '{UNPACKED}') "
        f"AND unpack_status = '{Status.IN_PROGRESS}' ORDER BY finished_at LIMIT {EXACT_LIMIT}) AS going "
        f"WHERE unpack_heartbeat_at < %(before)s ORDER BY seen LIMIT {SHOWN}",
        # Who deletes is not written down, only when the worker took it.
        "SELECT 'physical_copy ' || going.id, going.updated_at AS seen, 'deletion at ' || location.name "
        "FROM data_location AS location CROSS JOIN LATERAL (SELECT * FROM physical_copy "
        f"WHERE data_location_id = location.id AND status = '{PhysicalCopyStatus.DELETION_IN_PROGRESS}' "
        f"ORDER BY arrived_at LIMIT {EXACT_LIMIT}) AS going "
        f"WHERE going.updated_at < %(before)s ORDER BY seen LIMIT {SHOWN}",
    ]
)
REQUESTS = f"""
SELECT 'deletion requests', status, count(*), min(created_at) FROM deletion_request
WHERE status IN ('{DeletionRequestStatus.REQUESTED}', '{DeletionRequestStatus.APPROVED}') GROUP BY status
"""
UNPACKAGED_INDEX = "raw_data_file_unpackaged"


def overview() -> Overview:
    """Return counts by state for every stage with the oldest item of each, the volume of every location, what failed
    last, what is stalled, and expected minus actual copies. Nine queries, whatever the tables hold.
    """
    now = timezone.now()
    connection = connections[router.db_for_read(RawDataPackage)]
    with connection.cursor() as cursor:

        def rows_of(sql, parameters=None):
            cursor.execute(sql, parameters)
            return cursor.fetchall()

        statistics = _Statistics(
            dict(rows_of(STATISTICS, [[*{counted.table for counted in COUNTED}, "raw_data_file", UNPACKAGED_INDEX]])),
            rows_of(SHARES, [[counted.table for counted in COUNTED], [counted.column for counted in COUNTED]]),
        )
        found = {}
        for name, state, number, oldest in rows_of(STATES):
            found.setdefault(name, {})[state] = (number, oldest)
        stages = [_stage(counted, found[counted.name], statistics) for counted in COUNTED]
        stages.insert(1, _files(rows_of(FILES)[0], statistics))
        stages.append(_requests(rows_of(REQUESTS)))
        archived = next(
            count.number for stage in stages for count in stage.states if count.state == PackageState.ARCHIVED
        )
        copies = {}
        for location, state, number, oldest in rows_of(COPIES):
            copies.setdefault(location, {})[state] = (number, oldest)
        locations = [_location(row, copies.get(row[0], {}), archived) for row in rows_of(LOCATIONS)]
        failures = [Trouble(*row) for row in rows_of(FAILURES)]
        before = now - timedelta(seconds=conf.get("OPSDB_STALLED_AFTER_SECONDS"))
        stalled = [Trouble(*row) for row in rows_of(STALLED, {"before": before})]
    return Overview(
        now,
        stages,
        locations,
        sorted(failures, key=lambda trouble: trouble.since or now, reverse=True),
        sorted(stalled, key=lambda trouble: trouble.since),
    )


class _Statistics:
    """What PostgreSQL's statistics say of tables too large to count."""

    def __init__(self, rows, shares):
        self.rows = rows
        self.shares = {column: dict(zip(values, freqs, strict=True)) for column, values, freqs in shares}

    def total(self, relation, counted) -> Number:
        """The rows of a table or index of which ``counted`` were found, the limit plus one at the most."""
        if counted <= EXACT_LIMIT:
            return Number(counted)
        if relation in self.rows:
            return Number(max(round(self.rows[relation]), counted), Exactness.ESTIMATED)
        return Number(counted, Exactness.AT_LEAST)

    def in_state(self, table, column, state, counted) -> Number:
        """The rows in a state of which ``counted`` were found."""
        share = self.shares.get(f"{table}.{column}", {}).get(state)
        if counted <= EXACT_LIMIT:
            return Number(counted)
        if share is None or table not in self.rows:
            return Number(counted, Exactness.AT_LEAST)
        return Number(max(round(self.rows[table] * share), counted), Exactness.ESTIMATED)


def _stage(counted, found, statistics):
    states = [
        StateCount(state, statistics.in_state(counted.table, counted.column, state, number), oldest)
        for state, (number, oldest) in found.items()
        if state
    ]
    if counted.rest:
        total = statistics.total(counted.table, found[""][0])
        states.append(StateCount(counted.rest, total.minus([state.number for state in states])))
    return Stage(counted.name, counted.table, states, _oldest(states))


def _oldest(states):
    return min((state.oldest for state in states if state.oldest), default=None)


def _files(row, statistics):
    unpackaged, total, oldest = row
    waiting = statistics.total(UNPACKAGED_INDEX, unpackaged)
    packaged = statistics.total("raw_data_file", total).minus([waiting])
    states = [StateCount("unpackaged", waiting, oldest), StateCount("packaged", packaged)]
    return Stage("raw data files", RawDataFile._meta.db_table, states, oldest)


def _requests(rows):
    states = [StateCount(state, Number(number), oldest) for _, state, number, oldest in rows]
    return Stage("deletion requests", DeletionRequest._meta.db_table, states, _oldest(states))


def _location(row, counts, archived):
    key, site, name, location_type, active, capacity, copies, volume = row
    states = {
        state: StateCount(
            state, Number(number, Exactness.EXACT if number <= EXACT_LIMIT else Exactness.AT_LEAST), oldest
        )
        for state, (number, oldest) in counts.items()
    }
    gone = (PhysicalCopyStatus.DELETED, PhysicalCopyStatus.MISSING)
    here = [count.number for state, count in states.items() if state not in gone]
    present = Number(copies).minus(here)
    missing, corrupt = (
        states[state].number if state in states else Number(0)
        for state in (PhysicalCopyStatus.MISSING, PhysicalCopyStatus.CORRUPT)
    )
    actual = Number(copies).minus([corrupt])
    expected = Number(copies + missing.value, missing.exactness)
    if location_type == LocationType.LONG_TERM_ARCHIVE and active and archived.value > expected.value:
        expected = archived
    shown = [
        StateCount(PhysicalCopyStatus.PRESENT.value, present),
        *(states[state] for state in RARE if state in states and states[state].number.value),
    ]
    return LocationVolume(
        id=key,
        site=site,
        location=name,
        location_type=location_type,
        active=active,
        copies=copies,
        volume_bytes=volume,
        capacity_bytes=capacity,
        states=shown,
        expected=expected,
        actual=actual,
        lacking=expected.minus([actual]),
    )
