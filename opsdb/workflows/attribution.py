"""Who changes rows, by what, and why: told to the database, which writes it into the change log."""

import re
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from django.db import connections
from psycopg.pq import TransactionStatus

WRITES = re.compile(
    r"(\s|\(|--[^\n]*\n|/\*.*?\*/)*(INSERT|UPDATE|DELETE|MERGE|COPY|WITH|CALL|DO)\b", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class Attribution:
    """Who, by what request or command, and why.

    Attributes:
        user: returns the user at the moment of a change, or None; a request knows its user only on the way.
        origin: request or command.
        reason: what the person gave as the reason.
    """

    user: Callable[[], object] = lambda: None
    origin: str = ""
    reason: str = ""

    @property
    def user_id(self) -> str:
        """Key of the user as text, empty where there is none."""
        # Finding the user may itself write, such as to a session; those writes are nobody's.
        token = _current.set(replace(self, user=NOBODY.user))
        try:
            key = getattr(self.user(), "pk", None)
        finally:
            _current.reset(token)
        return "" if key is None else str(key)


NOBODY = Attribution()
_current: ContextVar[Attribution] = ContextVar("attribution", default=NOBODY)


def is_attributed() -> bool:
    """Return whether the user who changes rows here is known."""
    return bool(_current.get().user_id)


def tell(connection) -> None:
    """Tell the database who changes rows in the rest of this transaction."""
    told = _current.get()
    user_id = told.user_id
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('opsdb.user_id', %s, true), set_config('opsdb.origin', %s, true), "
            "set_config('opsdb.reason', %s, true)",
            [user_id, told.origin, told.reason],
        )


class _TellBeforeWriting:
    """Wrapper of a connection's statements.

    What is told holds for a transaction only, so that nothing is left on a connection that others use next.
    """

    def __init__(self, connection):
        self.connection = connection
        self.has_told = False

    def __call__(self, execute, sql, params, many, context):
        if isinstance(sql, str) and not WRITES.match(sql):
            return execute(sql, params, many, context)
        if self.is_in_transaction:
            tell(self.connection)
            self.has_told = True
            return execute(sql, params, many, context)
        with self.connection.wrap_database_errors, self.connection.connection.transaction():
            tell(self.connection)
            return execute(sql, params, many, context)

    @property
    def is_in_transaction(self):
        return self.connection.in_atomic_block or not self.connection.get_autocommit()

    def tell_what_holds_now(self):
        """Undo the telling for the rest of the transaction; its end does it otherwise."""
        raw = self.connection.connection
        if self.has_told and raw and not raw.closed and raw.info.transaction_status == TransactionStatus.INTRANS:
            tell(self.connection)


@contextmanager
def attributed(*, user=None, origin: str | None = None, reason: str | None = None):
    """Attribute every change within to a user, a request or command, and a reason.

    What is not given is kept from the surrounding block. It covers all databases of the project and this thread
    or task only. Changes by a raw ``COPY`` need :func:`tell` first, in their transaction.

    Args:
        user: a user, or a callable that returns one or None and is asked at every change.
        origin: request or command, such as ``POST /admin/…``; cut after 500 characters.
        reason: what the person gave as the reason.
    """
    given = {
        "user": user if user is None or callable(user) else lambda: user,
        "origin": None if origin is None else _storable(origin)[:500],
        "reason": None if reason is None else _storable(reason),
    }
    changed = {name: value for name, value in given.items() if value is not None}
    with ExitStack() as stack:
        wrappers = []
        for connection in connections.all():
            if connection.vendor == "postgresql":
                wrappers.append(_TellBeforeWriting(connection))
                stack.enter_context(connection.execute_wrapper(wrappers[-1]))
        token = _current.set(replace(_current.get(), **changed))
        try:
            yield
        finally:
            _current.reset(token)
            for wrapper in wrappers:
                wrapper.tell_what_holds_now()


def _storable(text: str) -> str:
    """Return the text without what PostgreSQL can't hold, so that no request fails because of its own address."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
