"""Settings of PostgreSQL that end with each transaction, so that nothing is left on a connection that others share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

# What PostgreSQL refuses within a transaction, and so within a setting that ends with one.
OUTSIDE_TRANSACTIONS = re.compile(
    r"\s*(VACUUM|(CREATE|DROP)\s+(DATABASE|TABLESPACE|SUBSCRIPTION)|ALTER\s+SYSTEM|REINDEX\s+(DATABASE|SYSTEM)"
    r"|(CREATE\s+(UNIQUE\s+)?|DROP\s+)INDEX\s+CONCURRENTLY|REINDEX\b.*\bCONCURRENTLY|BEGIN|COMMIT|ROLLBACK)\b",
    re.IGNORECASE,
)


@contextmanager
def set_locally(connection: BaseDatabaseWrapper, name: str, value: str) -> Iterator[None]:
    """Give a setting a value in each transaction and for each statement of the block.

    ``SET LOCAL`` is executed before the first statement of a transaction; a statement outside a transaction gets one of
    its own. A pooler that gives the server's connection to another client after each transaction, such as PgBouncer
    with ``pool_mode = transaction``, passes on nothing. Statements that PostgreSQL refuses within a transaction are
    executed without the setting. A transaction that is open at the end of the block keeps the value until it ends.

    Args:
        connection: of Django.
        name: of the setting, such as ``lock_timeout``.
        value: as PostgreSQL reads it, such as ``10s``.
    """
    wrapper = _SetBeforeStatements(connection, name, value)
    # Before wrappers that begin a transaction themselves.
    connection.execute_wrappers.insert(0, wrapper)
    try:
        yield
    finally:
        connection.execute_wrappers.remove(wrapper)


class _SetBeforeStatements:
    """Wrapper of a connection's statements."""

    def __init__(self, connection: BaseDatabaseWrapper, name: str, value: str) -> None:
        self.connection = connection
        self.name = name
        self.value = value
        self.is_set = False

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        raw = self.connection.connection
        if self.connection.in_atomic_block or not self.connection.get_autocommit():
            status = raw.info.transaction_status
            begins = status == TransactionStatus.IDLE
            if begins or (not self.is_set and status == TransactionStatus.INTRANS):
                self._set()
                self.is_set = True
            return execute(sql, params, many, context)
        self.is_set = False
        if isinstance(sql, str) and OUTSIDE_TRANSACTIONS.match(sql):
            return execute(sql, params, many, context)
        with self.connection.wrap_database_errors, raw.transaction():
            self._set()
            return execute(sql, params, many, context)

    def _set(self) -> None:
        with self.connection.wrap_database_errors, self.connection.connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, true)", [self.name, self.value])
