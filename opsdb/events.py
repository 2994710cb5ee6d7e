"""What changed, once and in order, for whoever follows: after a break of days too, and whatever made the change.

An entry of the change log is an event. When a transaction with entries is committed, PostgreSQL notifies, and followers
read what is new. What is new is decided by snapshots (PostgreSQL manual, 9.27.8): an entry whose transaction is seen by
the present snapshot, and not by the one that the follower read by before. Numbers of entries or transactions would not
do, because transactions are committed in another order. Entries that become visible together come in the order of their
numbers, and so the changes of a row in the order of their commits: who changes it second waits for the first.
"""

from __future__ import annotations

import json
import logging
import math
import re
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

import psycopg
from django.contrib.auth.models import PermissionsMixin
from django.db import DataError, InterfaceError, OperationalError, connections, models, router

from opsdb.models import ChangeLog, ChangeOperation
from opsdb.models.history import may_read_changes, recorded_tables
from opsdb.workflows.errors import OpsdbError

__all__ = ["CursorError", "Event", "Follower", "follow"]

CHANNEL = "opsdb"
EVENTS_AT_ONCE = 1_000
LONGEST_PAUSE_SECONDS = 30
# No transaction lasts longer: what is older is not looked at.
LONGEST_TRANSACTION_SECONDS = 86_400
NUMBER = "[0-9]{1,19}"
LARGEST_NUMBER = 2**63 - 1
LATEST_SECOND = int(datetime(9999, 12, 30, tzinfo=UTC).timestamp())
SNAPSHOT = rf"{NUMBER}:{NUMBER}:(?:{NUMBER}(?:,{NUMBER})*)?"
CURSOR = re.compile(
    rf"(?P<at>{NUMBER}):(?P<seen>{SNAPSHOT})(;(?P<until_at>{NUMBER}):(?P<until>{SNAPSHOT});(?P<last>{NUMBER}))?"
)
COLUMNS = """
change.id, change.table_name, change.operation, change.row_id, change.before, change.after, change.changed_at,
change.user_id, change.origin, change.reason, change.transaction_id
"""
# The times are literals, by which PostgreSQL plans for one or two months instead of all. Visible in the later snapshot
# is not what came by a restore, with the numbers of another server's transactions.
IS_NEW = f"""
change.transaction_id >= pg_snapshot_xmin(%(seen)s::pg_snapshot)::text::bigint
AND change.transaction_id < pg_snapshot_xmax(%(until)s::pg_snapshot)::text::bigint
AND change.changed_at >= to_timestamp(%(at)s - {LONGEST_TRANSACTION_SECONDS})
AND change.changed_at < to_timestamp(%(until_at)s + {LONGEST_TRANSACTION_SECONDS})
AND NOT pg_visible_in_snapshot(change.transaction_id::text::xid8, %(seen)s::pg_snapshot)
AND pg_visible_in_snapshot(change.transaction_id::text::xid8, %(until)s::pg_snapshot)
AND change.table_name = ANY (%(tables)s)
"""
# OFFSET 0 has entries found by their transactions and then sorted, instead of read by their numbers from the first on.
FIRST_PAGE = f"""
SELECT * FROM (SELECT {COLUMNS} FROM change_log AS change WHERE {IS_NEW} OFFSET 0) AS change
ORDER BY change.id LIMIT %(limit)s
"""
PAGE = f"""
SELECT {COLUMNS} FROM change_log AS change WHERE change.id > %(last)s AND {IS_NEW}
ORDER BY change.id LIMIT %(limit)s
"""
POSITION = "SELECT extract(epoch FROM statement_timestamp())::bigint, pg_current_snapshot()::text"
# Where events begin now, and whether they can be followed from a snapshot at all.
STATE = """
SELECT
    extract(epoch FROM statement_timestamp())::bigint, pg_current_snapshot()::text,
    pg_is_in_recovery(),
    pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax(%(seen)s::pg_snapshot),
    (
        SELECT max(substring(relname FROM 'change_log_before_(.*)')) FROM pg_inherits
        JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'change_log'::regclass
    )
"""
OF_TRANSACTION = f"""
SELECT {COLUMNS} FROM change_log AS change
WHERE change.transaction_id = %s AND change.changed_at >= statement_timestamp() - interval '1 day' AND change.id > %s
ORDER BY change.id
"""
DISCONNECTED = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)

Row = tuple[Any, ...]
logger = logging.getLogger(__name__)


class CursorError(OpsdbError):
    """Events can't be followed from a cursor."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a row, or the insert of rows by one statement.

    Attributes:
        table: name of the table.
        action: ``insert``, ``update`` or ``delete``.
        keys: of the rows, as text; more than one only of an insert.
        before: of an update the values that changed, of a delete all; else None.
        after: of an update the values that changed, of an insert all; None of a delete, and of inserts into the large
            tables, of which only the keys are recorded.
        at: when it happened, before its transaction was committed (UTC).
        user: key of the user as text, if it is known.
        origin: request or command.
        reason: why, in the words of a person.
        transaction: number of the transaction.
        cursor: where :func:`follow` goes on after this event.
    """

    table: str
    action: str
    keys: tuple[str, ...]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    at: datetime
    user: str | None
    origin: str
    reason: str
    transaction: int
    cursor: str = ""

    @property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """The values before and after of an update, by column."""
        return {column: (value, (self.after or {}).get(column)) for column, value in (self.before or {}).items()}


@dataclass(frozen=True)
class _Position:
    """What has been read: all that a snapshot sees, and what a later one sees up to an entry.

    Attributes:
        at: when the snapshot was taken, in seconds since 1970.
        seen: the snapshot.
        until_at, until: the later one.
        last: number of the last entry that was read up to there.
    """

    at: int
    seen: str
    until_at: int = 0
    until: str = ""
    last: int = 0

    @classmethod
    def parse(cls, cursor: str) -> Self:
        if found := CURSOR.fullmatch(cursor):
            numbers = {name: int(found[name] or 0) for name in ("at", "until_at", "last")}
            position = cls(seen=found["seen"], until=found["until"] or "", **numbers)
            if position._is_possible():
                return position
        raise _no_cursor(cursor)

    def _is_possible(self) -> bool:
        """Return whether PostgreSQL takes these numbers and snapshots."""
        return (
            max(self.at, self.until_at) <= LATEST_SECOND
            and self.last <= LARGEST_NUMBER
            and all(_is_snapshot(text) for text in (self.seen, self.until) if text)
        )

    def __str__(self) -> str:
        seen = f"{self.at}:{self.seen}"
        return f"{seen};{self.until_at}:{self.until};{self.last}" if self.until else seen


def _is_snapshot(text: str) -> bool:
    """Return whether three parts are a snapshot: its first transaction, that after its last, and those between."""
    first, end, *between = map(int, re.findall(NUMBER, text))
    is_between = all(first <= one < end for one in between)
    return 0 < first <= end <= LARGEST_NUMBER and is_between and between == sorted(set(between))


def _no_cursor(cursor: str) -> CursorError:
    return CursorError(f"{cursor!r} is no cursor: give that of an event, or none to follow from now on")


NOWHERE = _Position(0, "")


def follow(
    after: str | None = None,
    *,
    tables: Iterable[str | type[models.Model]] | None = None,
    user: PermissionsMixin | None = None,
    using: str | None = None,
    timeout: float | None = None,
    poll_seconds: float = 5,
    pause_seconds: float = 1,
) -> Follower:
    """Return an iterator of events in the order of their commits, each once. It waits for more.

    It has a connection of its own, outside of transactions, and connects again when that is lost. Where notifications
    don't arrive, it looks every ``poll_seconds``. Nothing is locked.

    Args:
        after: cursor of the last event that was handled; from now on when left out.
        tables: tables, or their models; all whose changes are recorded when left out.
        user: leave out what this user may not view.
        using: alias of the database; ``DATABASES[…]["DIRECT"]`` has what differs for a connection past a pooler.
        timeout: end after so many seconds without an event; 0 to read what is there.
        poll_seconds: the longest time between two looks.
        pause_seconds: the shortest; what comes meanwhile is read together.

    Raises:
        CursorError: there is no such cursor.
        OpsdbError: there is no such table, or its changes are not recorded.
    """
    return Follower(
        NOWHERE if after is None else _Position.parse(after),
        _names(tables, user),
        using or router.db_for_write(ChangeLog),
        timeout=timeout,
        poll_seconds=poll_seconds,
        pause_seconds=pause_seconds,
    )


def events_of_transaction(transaction: int, using: str, *, after: int) -> list[tuple[int, Event]]:
    """Return the events of a transaction of this connection after an entry, each with the number of its entry.

    They have no cursor.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(OF_TRANSACTION, [transaction, after])
        return [(row[0], _event(row)) for row in cursor.fetchall()]


def _names(tables: Iterable[str | type[models.Model]] | None, user: PermissionsMixin | None) -> list[str]:
    """Return the names of the tables whose events are wanted, and may be read."""
    recorded = recorded_tables()
    names = [*recorded] if tables is None else [one if isinstance(one, str) else one._meta.db_table for one in tables]
    for name in names:
        if name not in recorded:
            raise OpsdbError(
                f"{name}: there is no table of this name whose changes are recorded; name one of: "
                f"{', '.join(sorted(recorded))}"
            )
    if user is not None:
        names = [name for name in names if may_read_changes(user, recorded[name])]
    return names


def _event(row: Row, cursor: str = "") -> Event:
    _, table, operation, key, before, after, at, user, origin, reason, transaction = row
    before, after = _loaded(before), _loaded(after)
    if operation == ChangeOperation.INSERTS:
        operation, keys, after = ChangeOperation.INSERT.value, tuple(map(str, after["id"])), None
    else:
        keys = (key,)
    user = None if user is None else str(user)
    return Event(table, operation, keys, before, after, at, user, origin, reason, transaction, cursor)


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class Follower:
    """Iterator of events, made by :func:`follow`.

    Attributes:
        cursor: where another follower would go on; it advances without events too. Empty before the first event is
            asked for, unless a cursor was given.
    """

    def __init__(
        self,
        position: _Position,
        tables: list[str],
        using: str,
        *,
        timeout: float | None,
        poll_seconds: float,
        pause_seconds: float,
    ) -> None:
        self._position = position
        self._tables = tables
        self._using = using
        self._timeout = timeout
        self._poll_seconds = poll_seconds
        self._pause_seconds = pause_seconds
        self._events = self._follow()

    @property
    def cursor(self) -> str:
        return str(self._position) if self._position.seen else ""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        """Disconnect."""
        self._events.close()

    def _follow(self) -> Generator[Event, None, None]:
        connection = self._connection = _connection_of_its_own(self._using)
        pause, quiet_since, was_connected = self._pause_seconds, time.monotonic(), False
        try:
            while True:
                try:
                    self._listen()
                    was_connected, pause = True, self._pause_seconds
                    for event in self._new():
                        yield event
                        quiet_since = time.monotonic()
                    if self._left(quiet_since) <= 0:
                        return
                    self._wait(min(self._left(quiet_since), self._poll_seconds))
                except DISCONNECTED as error:
                    if not was_connected or self._left(quiet_since) <= 0:
                        raise
                    logger.warning("Lost the connection that events are read by; connecting again: %s", error)
                    connection.close()
                    time.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        finally:
            connection.close()

    def _left(self, quiet_since: float) -> float:
        """Return for how many seconds more to wait for an event."""
        return math.inf if self._timeout is None else quiet_since + self._timeout - time.monotonic()

    def _listen(self) -> None:
        """Connect, unless connected, and listen before the first look, so that nothing falls between."""
        session = self._connection.connection
        if session is not None and not session.closed:
            return
        self._connection.close()
        self._hear("LISTEN")
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(STATE, {"seen": self._position.seen or None})
            except DataError as error:
                raise _no_cursor(self.cursor) from error
            at, now, is_replica, is_of_another_server, archived = cursor.fetchone()
        if is_replica:
            raise OpsdbError("events: a replica sends none; follow them at the primary server")
        if not self._position.seen:
            self._position = _Position(at, now)
        if self._position.at > at + LONGEST_TRANSACTION_SECONDS:
            raise CursorError(
                f"{self.cursor}: is of a time that has not come yet, so that changes until then would be missed: read "
                "what the rows are now, and follow from now on"
            )
        if is_of_another_server:
            raise CursorError(
                f"{self.cursor}: no transaction here has such a number yet, as after a restore on another server: "
                "read what the rows are now, and follow from now on"
            )
        if archived and f"{datetime.fromtimestamp(self._position.at, UTC):%Y_%m}" < archived:
            raise CursorError(
                f"{self.cursor}: changes before {archived.replace('_', '-')} were archived since: read what the rows "
                "are now, and follow from now on"
            )

    def _new(self) -> Iterator[Event]:
        """Yield what is new, after what is left of an earlier look, and advance the position."""
        if self._position.until:
            yield from self._pages(self._page())
        yield from self._pages(self._look())

    def _pages(self, rows: list[Row]) -> Iterator[Event]:
        while True:
            for row in rows:
                self._position = replace(self._position, last=row[0])
                yield _event(row, self.cursor)
            if len(rows) < EVENTS_AT_ONCE:
                break
            rows = self._page()
        if self._position.until:
            self._position = _Position(self._position.until_at, self._position.until)

    def _look(self) -> list[Row]:
        until_at, until = self._execute(POSITION)[0]
        if until == self._position.seen:
            return []
        self._position = replace(self._position, until_at=until_at, until=until)
        return self._execute(FIRST_PAGE)

    def _page(self) -> list[Row]:
        return self._execute(PAGE)

    def _execute(self, query: str) -> list[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, {**asdict(self._position), "tables": self._tables, "limit": EVENTS_AT_ONCE})
            return list(cursor.fetchall() if cursor.description else ())

    def _hear(self, command: str) -> None:
        # Through a pooler it would stay on a session of the server that other clients get next.
        if not self._connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            self._execute(f"{command} {CHANNEL}")

    def _wait(self, seconds: float) -> None:
        """Wait for a notification about the tables; what comes shortly after it is read together with it.

        It does not listen meanwhile: five listeners that wake at each commit cost the server a seventh of its speed.
        """
        session = self._connection.connection
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if any(notice.payload in self._tables for notice in session.notifies(timeout=left, stop_after=1)):
                self._hear("UNLISTEN")
                time.sleep(min(self._pause_seconds, max(0.0, until - time.monotonic())))
                self._hear("LISTEN")
                break
        # Before the query: a later notification is received after it.
        for _ in session.notifies(timeout=0):
            pass


def _connection_of_its_own(using: str) -> Any:
    """Return a connection that is neither in a transaction nor from a pool, and past a pooler."""
    connection = connections[using].copy()
    if direct := connection.settings_dict.pop("DIRECT", None):
        connection.settings_dict.update(DISABLE_SERVER_SIDE_CURSORS=False, **direct)
    connection.settings_dict["OPTIONS"].pop("pool", None)
    return connection
