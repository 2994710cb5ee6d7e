"""Attribution: who changes rows, by what, and why. The database writes it into the change log."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import connections
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db.backends.base.base import BaseDatabaseWrapper

BEFORE = r"(\s|\(|--[^\n]*\n|/\*.*?\*/)*"
WRITES = re.compile(BEFORE + r"(INSERT|UPDATE|DELETE|MERGE|COPY|WITH|CALL|DO)\b", re.IGNORECASE | re.DOTALL)
ROLLBACK = re.compile(BEFORE + r"ROLLBACK\b", re.IGNORECASE | re.DOTALL)

SET = (
    "SELECT set_config('opsdb.user_id', %s, true), set_config('opsdb.origin', %s, true), "
    "set_config('opsdb.reason', %s, true)"
)
CLEAR = (
    "SELECT set_config('opsdb.user_id', '', true), set_config('opsdb.origin', '', true), "
    "set_config('opsdb.reason', '', true) WHERE current_setting('opsdb.user_id', true) = %s "
    "AND current_setting('opsdb.origin', true) = %s AND current_setting('opsdb.reason', true) = %s"
)
# Key of the user, origin and reason, as texts.
Actor = tuple[str, str, str]


@dataclass(frozen=True)
class Attribution:
    """Who, by what request or command, and why.

    Attributes:
        user: returns the user at the moment of a change, or None; a request gets its user only while it is handled.
        origin: request or command.
        reason: what the person gave as the reason.
    """

    user: Callable[[], AbstractBaseUser | None] = lambda: None
    origin: str = ""
    reason: str = ""

    @property
    def user_id(self) -> str:
        """Key of the user as text, empty where there is none."""
        # Finding the user may itself write, such as to a session; those writes are attributed to nobody.
        token = _current.set(replace(self, user=NOBODY.user))
        try:
            key = getattr(self.user(), "pk", None)
        finally:
            _current.reset(token)
        return "" if key is None else str(key)


NOBODY = Attribution()
_current: ContextVar[Attribution] = ContextVar("attribution", default=NOBODY)


def has_actor() -> bool:
    """Return whether the user who changes rows here is known."""
    return bool(_current.get().user_id)


def name_actor() -> str:
    """Return the login name of the user who changes rows here; empty where nobody is known."""
    get_username = getattr(_current.get().user(), "get_username", str)
    return get_username()


def set_actor(connection: BaseDatabaseWrapper) -> Actor:
    """Store in the database session who changes rows in the rest of this transaction, and return it.

    Args:
        connection: a connection in a transaction; on any other connection the setting ends with the statement.
    """
    current = _current.get()
    actor = (current.user_id, current.origin, current.reason)
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(SET, actor)
    if wrapper := _wrapper_of(connection):
        wrapper.note(actor)
    return actor


class _SetActorBeforeWrites:
    """Wrapper of a connection's statements, for as long as there is the connection.

    Which block a statement is in is found out when it is executed, so that blocks hold across ``await`` and in the
    threads of ``sync_to_async``, whose connections are others. The actor is set for a transaction only, so that nothing
    is left on a connection that others use next.

    Attributes:
        last: the last actor that was set, and that a rollback to a savepoint may bring back; None where there is none.
        is_cleared: whether it was cleared, with no rollback since.
    """

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.last: Actor | None = None
        self.is_cleared = False

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        is_named = _current.get() is not NOBODY
        if not (is_named or self.last):
            return execute(sql, params, many, context)
        if isinstance(sql, str) and not WRITES.match(sql):
            if ROLLBACK.match(sql):
                self.is_cleared = False
            return execute(sql, params, many, context)
        if self.is_in_transaction:
            if is_named:
                set_actor(self.connection)
            elif self.is_set_in_transaction:
                if not self.is_cleared:
                    self.clear()
                # A statement that psycopg composes may be a rollback.
                self.is_cleared = isinstance(sql, str)
            return execute(sql, params, many, context)
        self.last = None
        if not is_named:
            return execute(sql, params, many, context)
        with self.connection.wrap_database_errors, self.connection.connection.transaction():
            set_actor(self.connection)
            return execute(sql, params, many, context)

    def note(self, actor: Actor) -> None:
        """Remember what the session was given as the actor for the rest of its transaction."""
        if self.is_in_transaction:
            self.is_cleared = not any(actor)
            self.last = self.last if self.is_cleared else actor

    @property
    def is_in_transaction(self) -> bool:
        return self.connection.in_atomic_block or not self.connection.get_autocommit()

    @property
    def is_set_in_transaction(self) -> bool:
        raw = self.connection.connection
        return bool(self.last and raw and raw.info.transaction_status == TransactionStatus.INTRANS)

    def clear(self) -> None:
        """Remove the actor that a rolled-back savepoint has left in the session; what SQL has set itself stays."""
        with self.connection.wrap_database_errors, self.connection.connection.cursor() as cursor:
            cursor.execute(CLEAR, self.last)

    def restore(self) -> None:
        """Set the surrounding actor for the rest of the transaction; the end of a transaction clears it anyway."""
        raw = self.connection.connection
        if raw is not None and not raw.closed and self.is_set_in_transaction:
            set_actor(self.connection)


def _attribute_on_connect(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """Wrap the statements of every new connection; outermost, where no block removes it again."""
    if connection.vendor == "postgresql" and _wrapper_of(connection) is None:
        connection.execute_wrappers.insert(0, _SetActorBeforeWrites(connection))


def _wrapper_of(connection: BaseDatabaseWrapper) -> _SetActorBeforeWrites | None:
    return next((one for one in connection.execute_wrappers if isinstance(one, _SetActorBeforeWrites)), None)


@contextmanager
def attributed(
    *,
    user: AbstractBaseUser | Callable[[], AbstractBaseUser | None] | None = None,
    origin: str | None = None,
    reason: str | None = None,
) -> Iterator[None]:
    """Attribute every change in this block to a user, a request or command, and a reason.

    What is left out is kept from the surrounding block. It covers all databases of the project, and this thread or task
    with what it awaits or hands to ``sync_to_async``. Changes by a raw ``COPY`` need :func:`set_actor` first, in their
    transaction.

    Args:
        user: a user, or a callable that returns one or None and is called at every change.
        origin: request or command, such as ``POST /admin/…``; cut after 500 characters.
        reason: what the person gave as the reason.
    """
    given = {
        "user": user if user is None or callable(user) else lambda: user,
        "origin": None if origin is None else _storable(origin)[:500],
        "reason": None if reason is None else _storable(reason),
    }
    changed = {name: value for name, value in given.items() if value is not None}
    token = _current.set(replace(_current.get(), **changed))
    try:
        yield
    finally:
        _current.reset(token)
        for connection in connections.all(initialized_only=True):
            if wrapper := _wrapper_of(connection):
                wrapper.restore()


def attributed_to(user: AbstractBaseUser | None, reason: str) -> AbstractContextManager[None]:
    """As :func:`attributed`, for a user whom a caller names: one whom the surrounding block names stays.

    Args:
        user: the user whom the caller names, or None; ignored where the surrounding block names one.
        reason: why the rows change; the history keeps it. An empty text is recorded as no reason.
    """
    return attributed(user=None if has_actor() else user, reason=reason)


def _storable(text: str) -> str:
    """Return the text without what PostgreSQL can't store, so that no request fails because of its own address."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
