"""Read the overview: run its queries, and make numbers of what they return."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from opsdb import conf
from opsdb.database.aliases import read_rows
from opsdb.models import DeletionRequest, LocationType, PackageState, PhysicalCopyStatus, RawDataFile
from opsdb.models.copies.querysets import GONE

from . import queries
from .queries import COUNTED, EXACT_LIMIT, RARE, UNPACKAGED_INDEX
from .results import Exactness, LocationVolume, Overview, RestState, RowCount, Stage, StageName, StateCount, Trouble


def get_overview() -> Overview:
    """Return the counts by state of every stage with its oldest item, the volume of every location, the last failures,
    stalled work, and expected minus actual copies. Nine queries, whatever the size of the tables. Locks nothing.
    """
    now = timezone.now()
    statistics = _Statistics(
        dict(
            read_rows(
                queries.STATISTICS, [[*{counted.table for counted in COUNTED}, "raw_data_file", UNPACKAGED_INDEX]]
            )
        ),
        read_rows(queries.SHARES, [[counted.table for counted in COUNTED], [counted.column for counted in COUNTED]]),
    )
    found = {}
    for name, state, number, oldest in read_rows(queries.STATES):
        found.setdefault(name, {})[state] = (number, oldest)
    stages = [_stage(counted, found[counted.name], statistics) for counted in COUNTED]
    stages.insert(1, _files(read_rows(queries.FILES)[0], statistics))
    stages.append(_requests(read_rows(queries.REQUESTS)))
    archived = next(count.number for stage in stages for count in stage.states if count.state == PackageState.ARCHIVED)
    copies = {}
    for location, state, number, oldest in read_rows(queries.COPIES):
        copies.setdefault(location, {})[state] = (number, oldest)
    locations = [_location(row, copies.get(row[0], {}), archived) for row in read_rows(queries.LOCATIONS)]
    failures = [Trouble(*row) for row in read_rows(queries.FAILURES)]
    before = now - timedelta(seconds=conf.get("OPSDB_STALLED_AFTER_SECONDS"))
    stalled = [Trouble(*row) for row in read_rows(queries.STALLED, {"before": before})]
    return Overview(
        now,
        stages,
        locations,
        sorted(failures, key=lambda trouble: trouble.since or now, reverse=True),
        sorted(stalled, key=lambda trouble: trouble.since),
    )


class _Statistics:
    """PostgreSQL's statistics of tables too large to count."""

    def __init__(self, rows, shares):
        self.rows = rows
        self.shares = {column: dict(zip(values, freqs, strict=True)) for column, values, freqs in shares}

    def total(self, relation, counted) -> RowCount:
        """Return the rows of a table or index of which ``counted`` were found, the limit plus one at the most."""
        if counted <= EXACT_LIMIT:
            return RowCount(counted)
        if relation in self.rows:
            return RowCount(max(round(self.rows[relation]), counted), Exactness.ESTIMATED)
        return RowCount(counted, Exactness.AT_LEAST)

    def in_state(self, table, column, state, counted) -> RowCount:
        """Return the rows in a state of which ``counted`` were found."""
        share = self.shares.get(f"{table}.{column}", {}).get(state)
        if counted <= EXACT_LIMIT:
            return RowCount(counted)
        if share is None or table not in self.rows:
            return RowCount(counted, Exactness.AT_LEAST)
        return RowCount(max(round(self.rows[table] * share), counted), Exactness.ESTIMATED)


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
    states = [StateCount(RestState.UNPACKAGED, waiting, oldest), StateCount(RestState.PACKAGED, packaged)]
    return Stage(StageName.FILES, RawDataFile._meta.db_table, states, oldest)


def _requests(rows):
    states = [StateCount(state, RowCount(number), oldest) for _, state, number, oldest in rows]
    return Stage(StageName.DELETION_REQUESTS, DeletionRequest._meta.db_table, states, _oldest(states))


def _location(row, counts, archived):
    key, site, name, location_type, active, capacity, copies, volume = row
    volume = int(volume)
    states = {
        state: StateCount(
            state, RowCount(number, Exactness.EXACT if number <= EXACT_LIMIT else Exactness.AT_LEAST), oldest
        )
        for state, (number, oldest) in counts.items()
    }
    here = [count.number for state, count in states.items() if state not in GONE]
    present = RowCount(copies).minus(here)
    missing, corrupt = (
        states[state].number if state in states else RowCount(0)
        for state in (PhysicalCopyStatus.MISSING, PhysicalCopyStatus.CORRUPT)
    )
    actual = RowCount(copies).minus([corrupt])
    expected = RowCount(copies + missing.value, missing.exactness)
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
