"""Signals of what happened in this process: after its commit, in the order in which it happened.

They are sent for whatever this process writes through Django's connections, by workflows, the ORM or SQL, with whatever
the rules change along with it, from the entries of the change log. Other processes follow events (:mod:`opsdb.events`).
What a receiver raises is logged, and concerns neither the writer nor other receivers. Without a receiver nothing is
asked of the database.

Attributes:
    state_changed: a row went from one state to another. Arguments: ``sender``, the model; ``key`` of the row, as text;
        ``field``, with the state ``before`` and ``after``; ``event``; ``using``, the alias of the database.
    rows_created: rows were inserted. Arguments: ``sender``, ``keys``, ``event``, ``using``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.dispatch import Signal

from .events import Event, events_of_transaction
from .models.enums import ChangeOperation, StateChoices
from .workflows.attribution import WRITES

__all__ = ["rows_created", "state_changed"]

TRANSACTION = "SELECT pg_current_xact_id_if_assigned()::text::bigint"
# Before the migration that makes the change log, and after the one that takes it away, a project migrates, too.
IS_MIGRATED = "SELECT to_regclass('change_log') IS NOT NULL"

state_changed = Signal()
rows_created = Signal()


@dataclass
class _Transaction:
    """A transaction, and up to which entry of the change log it was sent; None before its commit."""

    number: int
    last: int | None = None


class _SendAfterCommit:
    """Wrapper of a connection's statements, for as long as there is the connection."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.present: _Transaction | None = None

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        has_receivers = state_changed.receivers or rows_created.receivers
        if not has_receivers or (isinstance(sql, str) and not WRITES.match(sql)):
            return execute(sql, params, many, context)
        if not self.connection.in_atomic_block:
            if not self.connection.get_autocommit():
                return execute(sql, params, many, context)
            with transaction.atomic(using=self.connection.alias):
                return self._execute(execute, sql, params, many, context)
        return self._execute(execute, sql, params, many, context)

    def _execute(self, execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = execute(sql, params, many, context)
        with self.connection.wrap_database_errors, self.connection.connection.cursor() as cursor:
            [number] = cursor.execute(TRANSACTION).fetchone()
        if number is not None:
            if self.present is None or self.present.number != number:
                self.present = _Transaction(number)
            # For every statement, because those of a savepoint are forgotten with it.
            transaction.on_commit(partial(self._send, self.present), using=self.connection.alias)
        return result

    def _send(self, committed: _Transaction) -> None:
        # A TestCase takes parts of its transaction for committed, after each of which there may be more.
        if committed.last is not None and not self.connection.in_atomic_block:
            return
        after = committed.last = committed.last or 0
        with self.connection.cursor() as cursor:
            cursor.execute(IS_MIGRATED)
            if cursor.fetchone() == (False,):
                return
        found = events_of_transaction(committed.number, self.connection.alias, after=after)
        if found:
            committed.last = found[-1][0]
        for _number, event in found:
            _send(event, self.connection.alias)


def _send(event: Event, using: str) -> None:
    model = _models()[event.table]
    if event.action == ChangeOperation.INSERT:
        rows_created.send_robust(model, keys=event.keys, event=event, using=using)
    for field, (before, after) in event.changes.items() if event.action == ChangeOperation.UPDATE else ():
        if states := _states(model).get(field):
            state_changed.send_robust(
                model,
                key=event.keys[0],
                field=field,
                before=states(before),
                after=states(after),
                event=event,
                using=using,
            )


@cache
def _models() -> dict[str, type[models.Model]]:
    every = apps.get_app_config("opsdb").get_models()
    return {model._meta.db_table: model for model in every if not model._meta.proxy}


@cache
def _states(model: type[models.Model]) -> dict[str, type[StateChoices]]:
    fields = {str(field.column): StateChoices.of(field) for field in model._meta.local_concrete_fields}
    return {column: states for column, states in fields.items() if states}


def send_on_connect(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """Wrap the statements of every new connection, around the wrapper that attributes them."""
    wrappers = connection.execute_wrappers
    if connection.vendor == "postgresql" and not any(isinstance(one, _SendAfterCommit) for one in wrappers):
        wrappers.insert(0, _SendAfterCommit(connection))
