"""Streaming replicas: which may be read so that no session sees an older state than before.

PostgreSQL numbers every change by its position in the write-ahead log (WAL; PostgreSQL manual, section 8.20). A session
keeps the position of the newest state that it wrote or read, and reads a replica only if that has replayed as much.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from . import conf
from .database.aliases import writing_alias

logger = logging.getLogger(__name__)

# The end of what was inserted, which a commit that was acknowledged lies before, also one that is not flushed yet.
PRIMARY = "SELECT pg_is_in_recovery(), CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn() END::text"
REPLICA = """
SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()::text,
    extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float
"""
POSITION = re.compile(r"([0-9A-F]{1,8})/([0-9A-F]{1,8})")
# How long a session keeps the database that it has found, seconds.
TRUSTED_SECONDS = 1.0
# Newer than every position: what is written where the position could not be asked for.
UNKNOWN = 2**64 - 1


class DatabaseDown(Exception):
    """A database does not respond; the message names it and the reason."""


def read_position(text: str) -> int | None:
    """Return the position that a text such as ``16/B374D848`` names, or None if it names none."""
    found = POSITION.fullmatch(text)
    return (int(found[1], 16) << 32) + int(found[2], 16) if found else None


def position_text(position: int) -> str:
    """Return a position as PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


@dataclass
class Seen:
    """What a session has seen: a request, a command, or a thread.

    Attributes:
        position: no newer state was written or read, except for the next two attributes.
        is_behind: a statement was executed on the primary since the position was asked for.
        connection: psycopg's connection to the replica that was read since then; None if none was.
        alias: the database that is read at present.
        until: when to look again whether that is right, by the monotonic clock.
    """

    position: int = 0
    is_behind: bool = False
    connection: Any = None
    alias: str = ""
    until: float = 0.0

    def catch_up(self) -> None:
        """Read the position of the newest state that may have been seen.

        Raises:
            DatabaseDown: the database that has the position does not respond.
        """
        if self.connection is not None and not self.is_behind:
            # A replica that was restarted may be further behind than before, and then only the primary is no older.
            if connections[self.alias].connection is self.connection:
                try:
                    state = replica_state(self.alias)
                except DatabaseDown:
                    state = None
                if state and connections[self.alias].connection is self.connection:
                    self.position = max(self.position, state.position)
                    return
            self.is_behind = True
        if self.is_behind:
            # Before the question, as another thread may execute a statement meanwhile.
            self.is_behind = False
            try:
                # No maximum: positions from before a failover may lie beyond the end of the log.
                self.position = primary_position()
            except DatabaseDown:
                self.is_behind = True
                raise

    def read_from(self, alias: str, now: float) -> None:
        """Read from a database until it is time to look again."""
        self.alias = alias
        self.until = now + TRUSTED_SECONDS
        self.connection = None if alias == primary_alias() else connections[alias].connection


_seen: ContextVar[Seen] = ContextVar("seen")
# Replicas that were found to be down or late, and when to ask them again, by the monotonic clock.
_left_out: dict[str, float] = {}


def seen() -> Seen:
    """Return what this session has seen."""
    try:
        return _seen.get()
    except LookupError:
        _seen.set(found := Seen())
        return found


@contextmanager
def session_that_has_seen(position: int) -> Iterator[Seen]:
    """Begin a session that is shown no older state than that of a position, and end it with the block."""
    token = _seen.set(Seen(0, is_behind=True) if position == UNKNOWN else Seen(position))
    try:
        yield _seen.get()
    finally:
        _seen.reset(token)


def primary_alias() -> str:
    """Return the alias of the database that is written."""
    return str(conf.get("OPSDB_PRIMARY"))


def replica_aliases() -> tuple[str, ...]:
    """Return the aliases of the replicas, the first to be read first."""
    return tuple(conf.get("OPSDB_REPLICAS"))  # type: ignore[arg-type]


def alias_for_reading() -> str:
    """Return the database to read from: the first replica that shows no older state than this session has seen.

    Within a transaction on the primary, and where no replica will do, that is the primary.
    """
    primary, session = primary_alias(), seen()
    if connections[primary].in_atomic_block:
        return primary
    now = time.monotonic()
    is_trusted = now < session.until and (session.alias == primary or not session.is_behind)
    if not is_trusted:
        session.read_from(_choose(session, now), now)
    return session.alias


def newest_position() -> int:
    """Return the position of the newest state that this session may have seen; ``UNKNOWN`` if no database responds."""
    session = seen()
    try:
        session.catch_up()
    except DatabaseDown as error:
        logger.warning("%s", error)
        return UNKNOWN
    return session.position


def _choose(session: Seen, now: float) -> str:
    try:
        session.catch_up()
    except DatabaseDown as error:
        logger.warning("%s", error)
        return primary_alias()
    for alias in replica_aliases():
        if _left_out.get(alias, 0.0) > now:
            continue
        try:
            state = replica_state(alias)
        except DatabaseDown as error:
            logger.warning("%s", error)
            leave_out(alias, now)
            continue
        if not state.is_replica or _is_late(state):
            leave_out(alias, now)
        elif state.position >= session.position:
            return alias
    return primary_alias()


def leave_out(alias: str, now: float) -> None:
    """Ask a replica again only after ``OPSDB_REPLICA_RETRY_SECONDS``."""
    _left_out[alias] = now + float(conf.get("OPSDB_REPLICA_RETRY_SECONDS"))  # type: ignore[arg-type]


@dataclass(frozen=True)
class ReplicaState:
    """How far a replica is.

    Attributes:
        is_replica: it replays what another server writes; False after it was promoted.
        position: the end of what it has replayed.
        age_seconds: since the newest transaction that it has replayed; None if there is none since its start. A
            primary on which nothing happens makes it large, too.
    """

    is_replica: bool
    position: int
    age_seconds: float | None


def replica_state(alias: str) -> ReplicaState:
    """Ask a replica how far it is; raise DatabaseDown if it does not respond."""
    is_replica, position, age = _ask(connections[alias], REPLICA)
    return ReplicaState(is_replica, read_position(position or "") or 0, age)


def primary_position(alias: str = "") -> int:
    """Ask the primary where its write-ahead log ends; raise DatabaseDown if it does not respond or is a replica."""
    alias = alias or primary_alias()
    is_replica, position = _ask(connections[alias], PRIMARY)
    if is_replica:
        raise DatabaseDown(f"database {alias}: it is a replica now, which takes no changes")
    return read_position(position) or 0


def _is_late(state: ReplicaState) -> bool:
    """Whether a replica is further behind than ``OPSDB_REPLICA_MAX_LAG_SECONDS``; not if that can't be determined."""
    if state.age_seconds is not None and state.age_seconds <= float(conf.get("OPSDB_REPLICA_MAX_LAG_SECONDS")):  # type: ignore[arg-type]
        return False
    try:
        return state.position < primary_position()
    except DatabaseDown:
        return False


def _ask(connection: BaseDatabaseWrapper, question: str) -> tuple[Any, ...]:
    """Ask without the connection's wrappers, for which this is no statement of the session's.

    An open connection may have died since, so it is made once anew.
    """
    was_open = connection.connection is not None
    try:
        connection.ensure_connection()
        return connection.connection.execute(question).fetchone()
    except (psycopg.Error, Error) as error:
        if connection.in_atomic_block:
            raise DatabaseDown(_why(connection, error)) from error
        connection.close()
        if not was_open:
            raise DatabaseDown(_why(connection, error)) from error
    return _ask(connection, question)


def _why(connection: BaseDatabaseWrapper, error: Exception) -> str:
    return f"database {connection.alias}: does not respond ({' '.join(str(error).split())})"


def note_statements_on_connect(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """Note each statement on the primary, where there are replicas: what it wrote or read is seen."""
    if replica_aliases() and connection.alias == primary_alias() and _note not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _note)


def _note(execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    # Also after it: while it was executed another thread of the session may have asked for the position.
    session = seen()
    session.is_behind = True
    try:
        return execute(sql, params, many, context)
    finally:
        session.is_behind = True


@dataclass(frozen=True)
class DatabaseHealth:
    """How a database is.

    Attributes:
        alias: of Django.
        role: ``primary`` or ``replica``.
        problem: what is wrong with it, empty if nothing.
        position: the end of what it has written or replayed; None if it does not respond.
        behind_bytes: of the log that a replica has not replayed; None if unknown.
        behind_seconds: since the newest transaction that a replica has replayed while it is behind; None if unknown.
    """

    alias: str
    role: str
    problem: str | Promise = ""
    position: int | None = None
    behind_bytes: int | None = None
    behind_seconds: float | None = None


def read_health() -> list[DatabaseHealth]:
    """Return how the primary and the replicas are, without raising for one that is down.

    Without replicas it is the database that the app's rows are written to.
    """
    primary = primary_alias() if replica_aliases() else writing_alias()
    end, found = None, []
    try:
        end = primary_position(primary)
        found.append(DatabaseHealth(primary, "primary", position=end))
    except DatabaseDown as error:
        found.append(DatabaseHealth(primary, "primary", str(error)))
    for alias in replica_aliases():
        try:
            state = replica_state(alias)
        except DatabaseDown as error:
            found.append(DatabaseHealth(alias, "replica", str(error)))
            continue
        behind = None if end is None else max(end - state.position, 0)
        if not state.is_replica:
            problem: str | Promise = _("it is no replica, but takes changes of its own: make it a replica anew")
        elif behind and _is_late(state):
            problem = _("it is too far behind: see whether it receives the log (pg_stat_replication on the primary)")
        else:
            problem = ""
        age = state.age_seconds if behind else 0.0 if behind == 0 else None
        found.append(DatabaseHealth(alias, "replica", problem, state.position, behind, age))
    return found
