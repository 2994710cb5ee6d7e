"""Try to break a rule of the database, and look at how it refuses."""

import re
from contextlib import contextmanager, nullcontext
from copy import deepcopy

import factory
import pytest
from django.db import IntegrityError, connection, transaction

from opsdb.database.triggers import AppendOnly, Immutable
from opsdb.testing.factories import FACTORIES
from opsdb.workflows import attributed
from tests.databases import as_owner

from .cases import CASES, New, Same

# Tables that the application's role may only read.
WRITTEN_BY_TRIGGERS = ("change_log_", "data_location_usage_", "stage_activity_")
CHECKED = list(dict.fromkeys(case.model for case in CASES))


def writer_of(rule):
    """Act as the owner where nobody else may write what a rule is about."""
    return as_owner() if rule.startswith(WRITTEN_BY_TRIGGERS) else nullcontext()


def checks_of(model):
    """Yield each check of a model with a valid row, which is the same one for those that are given the same."""
    rows = {}
    for case in CASES:
        if case.model is model:
            given = repr(case.given)
            rows[given] = rows.get(given) or FACTORIES[model](**case.given)
            yield case, deepcopy(rows[given])


def settle():
    """Check now what waits for the end of the transaction, so that the next refusal is the next statement's."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


@contextmanager
def refusal():
    """The database must refuse what happens inside; yields a list that then holds its diagnosis."""
    found = []
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        yield found
        settle()
    found.append(caught.value.__cause__.diag)
    assert_helpful(found[0])


def assert_helpful(diagnosis):
    """Assert that what a rule says has what to do, and names people by their username."""
    said = f"{diagnosis.message_primary} {diagnosis.message_hint}"
    assert diagnosis.source_function != "exec_stmt_raise" or diagnosis.message_hint, said
    # But for the name of the row itself.
    assert not re.search(r"(?<!^)\buser \d+\b", said), said


def assert_refused(table, rule, attempt, behind=()):
    """Assert that a constraint refuses an attempt, also when those that are asked before it are away.

    Args:
        table: of the constraint.
        rule: full name of the constraint.
        attempt: what to try, a callable.
        behind: full names of constraints that may refuse it first.
    """
    settle()
    with transaction.atomic():
        while (diagnosis := _diagnose(attempt)).constraint_name != rule:
            assert diagnosis.table_name == table
            assert diagnosis.constraint_name in behind, f"{diagnosis.constraint_name} refuses it before {rule}"
            put_away(table, diagnosis.constraint_name)
        transaction.set_rollback(True)
    # PostgreSQL names the partition where a CHECK of a partitioned table refuses a row.
    assert diagnosis.table_name == table or (table == "change_log" and diagnosis.table_name.startswith(f"{table}_"))


def _diagnose(attempt):
    with refusal() as found:
        attempt()
    return found[0]


def put_away(table, constraint):
    """Take a constraint or the trigger of a rule away, until the transaction is rolled back."""
    table, name = map(connection.ops.quote_name, (table, constraint))
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_trigger WHERE tgname = %s", [constraint])
        is_trigger = cursor.fetchone() is not None
        cursor.execute(
            f"DROP TRIGGER {name} ON {table}" if is_trigger else f"ALTER TABLE {table} DROP CONSTRAINT {name}"
        )


def fixed_columns(model) -> set[str]:
    """The columns that can't be updated, so that only a new row can break a rule on them."""
    columns = set()
    for rule in model._meta.constraints:
        if isinstance(rule, AppendOnly):
            return {field.column for field in model._meta.local_fields}
        if isinstance(rule, Immutable):
            columns |= {*rule.columns}
    return columns


def change(row, changes, given):
    """Change a row by ``update()``, which asks no form and no ``clean()``; or make one where it can't be changed."""
    model = type(row)
    columns = {model._meta.get_field(name).column for name in changes}
    if columns & fixed_columns(model):
        references = {
            name: factory.SelfAttribute(value.name) for name, value in changes.items() if isinstance(value, Same)
        }
        FACTORIES[model](**given | resolve(changes, row) | references)
    else:
        # Some rows are changed only by the person who asked for them.
        with attributed(user=getattr(row, "requested_by", None)):
            model._base_manager.filter(pk=row.pk).update(**resolve(changes, row))


def resolve(changes, row):
    """Put values where changes hold markers."""
    return {name: _value(value, row) for name, value in changes.items()}


def _value(value, row):
    if isinstance(value, New):
        return FACTORIES[value.model]()
    return getattr(row, value.name) if isinstance(value, Same) else value
