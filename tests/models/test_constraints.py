"""Every constraint is tried by SQL that no form and no ``clean()`` looks at, and says what a person can read."""

from contextlib import nullcontext
from copy import copy
from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.contrib.postgres.constraints import ExclusionConstraint
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F
from django.db.models.expressions import BaseExpression

from opsdb.database.triggers import Trigger
from opsdb.models import ChangeLog
from opsdb.testing.factories import FACTORIES
from tests.databases import as_owner

from .cases import CASES, UNIQUE_FIELDS, UNIQUE_FIELDS_GIVEN, UNIQUES
from .elsewhere import RECORDED, TRIED_BY, history_of
from .overlaps import OVERLAPS
from .refusal import (
    CHECKED,
    WRITTEN_BY_TRIGGERS,
    assert_refused,
    change,
    checks_of,
    fixed_columns,
    put_away,
    refusal,
    resolve,
    settle,
    writer_of,
)
from .rules import RULES, TOUCHED
from .schema import MODELS, name_of

pytestmark = pytest.mark.django_db

every_unique = pytest.mark.parametrize("case", UNIQUES, ids=lambda case: case.name)


def constraint_of(case):
    return next(
        constraint for constraint in case.model._meta.concrete_model._meta.constraints if constraint.name == case.name
    )


def put_on(row, changes):
    for name, value in changes.items():
        setattr(row, name, value)
    return row


def messages_of(row, constraint):
    """What a person reads who gives this row to a form."""
    with pytest.raises(ValidationError) as caught:
        constraint.validate(constraint_model(row, constraint), row)
    return caught.value.messages


def constraint_model(row, constraint):
    return next(model for model in (type(row), *row._meta.all_parents) if constraint in model._meta.constraints)


def test_every_constraint_is_tried():
    declared = {constraint.name for model in MODELS for constraint in model._meta.constraints}
    tried = {case.name for case in (*CASES, *UNIQUES, *OVERLAPS)} | set(RULES) | {f"{table}_touch" for table in TOUCHED}
    tried |= {rule for rules in TRIED_BY.values() for rule in rules}
    assert sorted(declared - tried) == []
    assert sorted(tried - declared) == []


@pytest.mark.parametrize("name", TRIED_BY)
def test_what_is_tried_elsewhere_is_tried(name):
    module, _, test = name.rpartition(".")
    assert callable(getattr(import_module(module), test))


def test_every_unique_field_is_tried():
    declared = {
        (model, field.name)
        for model in MODELS
        for field in model._meta.local_fields
        if field.unique and not field.primary_key
    }
    assert declared == set(UNIQUE_FIELDS)


def test_there_are_no_other_kinds_of_constraint():
    kinds = (models.CheckConstraint, models.UniqueConstraint, ExclusionConstraint, Trigger)
    for model in MODELS:
        assert model._meta.unique_together == ()
        assert all(isinstance(constraint, kinds) for constraint in model._meta.constraints)


# CHECK


@pytest.mark.parametrize("model", CHECKED, ids=name_of)
def test_a_check_refuses_what_breaks_it_and_nothing_else_and_says_why(model, subtests):
    for case, row in checks_of(model):
        with subtests.test(case.name), transaction.atomic(), writer_of(case.name):
            assert_the_database_refuses_what_breaks_it(case, row)
            assert_the_database_takes_what_does_not_break_it(case, row)
            assert_a_person_reads_why(case, row)
            transaction.set_rollback(True)


def assert_the_database_refuses_what_breaks_it(case, row):
    table = case.model._meta.db_table
    behind = {f"{table}_{rule}" for rule in case.behind}
    for changes in case.bad:
        assert_refused(table, case.name, lambda changes=changes: change(row, changes, case.given), behind)


def assert_the_database_takes_what_does_not_break_it(case, row):
    declared = {constraint.name for constraint in case.model._meta.constraints}
    behind = declared & {f"{case.model._meta.db_table}_{rule}" for rule in case.behind}
    settle()
    for changes in case.good:
        try:
            with transaction.atomic():
                for rule in behind:
                    put_away(case.model._meta.db_table, rule)
                change(row, changes, case.given)
                transaction.set_rollback(True)
        except IntegrityError as error:
            assert error.__cause__.diag.constraint_name != case.name, changes


def assert_a_person_reads_why(case, valid):
    constraint = constraint_of(case)
    for changes in case.bad:
        if any(isinstance(value, BaseExpression) for value in changes.values()):
            continue
        row = put_on(copy(valid), resolve(changes, valid))
        with pytest.raises(ValidationError) as caught:
            row.full_clean(validate_unique=False)
        if case.message not in caught.value.messages:
            # A form checks single fields first, and says so in Django's words.
            assert set(caught.value.message_dict) & set(changes)
            assert messages_of(row, constraint) == [case.message]
    for changes in case.good:
        constraint.validate(case.model, put_on(copy(valid), resolve(changes, valid)))


def test_a_message_stands_beside_a_field_of_the_model():
    for case in CASES:
        field = constraint_of(case).field
        assert field is None or case.model._meta.get_field(field)


# UNIQUE


def twin(case, first, **others):
    """A row that agrees with another one in the fields of the constraint."""
    agreed = {name: getattr(first, name) for name in case.fields}
    return FACTORIES[case.model](**{**case.given, **agreed, **others})


@every_unique
def test_there_can_be_no_second_row_and_a_person_reads_why(case):
    first = FACTORIES[case.model](**case.given)
    table = case.model._meta.db_table
    behind = {f"{table}_{rule}" for rule in case.behind}
    assert_refused(table, case.name, lambda: twin(case, first), behind)
    second = FACTORIES[case.model](**{name: value for name, value in case.given.items() if name not in case.fields})
    agreed = {name: getattr(first, name) for name in case.fields}
    if not {case.model._meta.get_field(name).column for name in agreed} & fixed_columns(
        case.model._meta.concrete_model
    ):
        assert_refused(table, case.name, lambda: change(second, agreed, case.given), behind)
    put_on(second, agreed)
    assert messages_of(second, constraint_of(case)) == [case.message]
    with pytest.raises(ValidationError) as caught:
        second.full_clean()
    assert case.message in caught.value.messages


@every_unique
def test_rows_may_agree_in_all_but_one_field(case):
    first = FACTORIES[case.model](**case.given)
    for name in case.fields:
        agreed = {other: getattr(first, other) for other in case.fields if other != name}
        given = {other: value for other, value in case.given.items() if other != name}
        if name in case.others:
            agreed[name] = case.others[name](first)
        with transaction.atomic():
            FACTORIES[case.model](**{**given, **agreed})
            transaction.set_rollback(True)
    if case.free:
        free = FACTORIES[case.model](**{**case.given, **case.free})
        twin(case, free, **case.free)


@pytest.mark.parametrize(
    ("model", "name"), UNIQUE_FIELDS, ids=[f"{name_of(model)}.{name}" for model, name in UNIQUE_FIELDS]
)
def test_a_unique_field_is_unique_and_says_so(model, name):
    first = FACTORIES[model](**UNIQUE_FIELDS_GIVEN.get(model, {}))
    second = FACTORIES[model]()
    with refusal() as found:
        change(second, {name: getattr(first, name)}, {})
    [diagnosis] = found
    assert diagnosis.sqlstate == "23505"
    assert diagnosis.message_detail.startswith(f"Key ({model._meta.get_field(name).column})=")
    put_on(second, {name: getattr(first, name)})
    with pytest.raises(ValidationError) as caught:
        second.full_clean()
    [message] = caught.value.message_dict[name]
    assert message.endswith("already exists.")


# EXCLUDE


@pytest.mark.parametrize("case", OVERLAPS, ids=lambda case: case.name)
def test_two_rows_can_not_overlap(case):
    first = FACTORIES[case.model](**case.first)
    owners = {name: getattr(first, name) for name in case.owners}
    table = case.model._meta.db_table
    for period in case.overlapping:
        assert_refused(table, case.name, lambda period=period: FACTORIES[case.model](**owners, **period), case.behind)
        other = FACTORIES[case.model](**case.elsewhere)
        assert_refused(
            table, case.name, lambda other=other, period=period: change(other, {**owners, **period}, {}), case.behind
        )
        put_on(other, {**owners, **period})
        assert messages_of(other, constraint_of(case)) == [case.message]
        with pytest.raises(ValidationError) as caught:
            other.full_clean()
        assert case.message in caught.value.messages
    for period in case.apart:
        with transaction.atomic():
            FACTORIES[case.model](**owners, **period).full_clean()
            transaction.set_rollback(True)
    for name in case.owners:
        with transaction.atomic():
            others = {owner: value for owner, value in owners.items() if owner != name}
            FACTORIES[case.model](**others, **case.overlapping[0]).full_clean()
            transaction.set_rollback(True)


@pytest.mark.parametrize("case", OVERLAPS, ids=lambda case: case.name)
def test_a_period_that_ends_before_it_starts_is_refused_with_a_message(case):
    row = put_on(FACTORIES[case.model](), case.reversed)
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    assert list(caught.value.message_dict) == [case.end]


# NOT NULL


@pytest.fixture(autouse=True)
def owner_of_the_history(request, db):
    """Nobody else writes the change log and the notes of the database, so that their rules are tried as the owner."""
    with as_owner() if any(name in request.node.name for name in WRITTEN_BY_TRIGGERS) else nullcontext():
        yield


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_the_database_demands_what_a_row_can_not_be_without(model):
    row = FACTORIES[model]()
    table = connection.ops.quote_name(model._meta.db_table)
    settle()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for field in model._meta.local_fields:
            if field.primary_key or field.null:
                continue
            column = connection.ops.quote_name(field.column)
            with pytest.raises(IntegrityError) as caught, transaction.atomic():
                cursor.execute(f"UPDATE {table} SET {column} = NULL WHERE id = %s", [row.pk])
            assert caught.value.__cause__.diag.column_name == field.column


# Rules


@pytest.mark.parametrize(
    ("name", "attempt"),
    [(name, attempt) for name, attempts in RULES.items() for attempt in attempts],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_database_refuses_what_breaks_a_rule_and_says_why(name, attempt):
    expected = attempt()
    settle()
    for trial in expected.trials:
        with refusal() as found:
            trial()
        [diagnosis] = found
        assert diagnosis.constraint_name == name
        assert diagnosis.message_primary == expected.message
        assert diagnosis.message_hint == expected.hint


@pytest.mark.parametrize("model", [model for model in MODELS if model._meta.db_table in TOUCHED], ids=name_of)
def test_time_of_the_last_change_is_kept_by_the_database(model):
    row = FACTORIES[model]()
    settle()
    table = connection.ops.quote_name(model._meta.db_table)
    if f"{model._meta.db_table}_append_only" in RULES:
        put_away(model._meta.db_table, f"{model._meta.db_table}_append_only")

    def now():
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            return cursor.fetchone()[0]

    def moves(change, *parameters):
        before = max(model._base_manager.get(pk=row.pk).updated_at, now())
        change(*parameters)
        return before < model._base_manager.get(pk=row.pk).updated_at < now()

    with connection.cursor() as cursor:
        assert moves(cursor.execute, f"UPDATE {table} SET id = id WHERE id = %s", [row.pk])
    assert moves(lambda: model._base_manager.filter(pk=row.pk).update(updated_at=datetime(2000, 1, 1, tzinfo=UTC)))
    assert moves(lambda: model._base_manager.filter(pk=row.pk).update(created_at=F("created_at")))
    assert moves(model._base_manager.get(pk=row.pk).save)


# History


def changed_column(model, row):
    """A column and another value for it."""
    if any(field.name == "created_at" for field in model._meta.local_fields):
        return "created_at", datetime(2000, 1, 1, tzinfo=UTC)
    for field in model._meta.local_fields:
        if field.is_relation and not field.primary_key:
            return field.column, getattr(FACTORIES[model](), field.attname)
    field = next(field for field in model._meta.local_fields if isinstance(field, models.CharField | models.FloatField))
    value = getattr(row, field.attname)
    return field.column, f"{value}x" if isinstance(value, str) else (value or 0) + 1


@pytest.mark.parametrize("model", RECORDED, ids=name_of)
def test_the_database_writes_down_what_changes(model):
    row = FACTORIES[model]()
    table, quoted = model._meta.db_table, connection.ops.quote_name(model._meta.db_table)
    column, value = changed_column(model, row)
    settle()
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {quoted} DISABLE TRIGGER USER")
        for name in history_of(model):
            cursor.execute(f'ALTER TABLE {quoted} ENABLE TRIGGER "{name}"')
        cursor.execute(f'UPDATE {quoted} SET "{column}" = %s WHERE id = %s', [value, row.pk])
        cursor.execute(f"DELETE FROM {quoted} WHERE id = %s", [row.pk])
        written = list(ChangeLog.objects.filter(table_name=table, row_id=str(row.pk)).order_by("pk"))
        transaction.set_rollback(True)
    assert [change.operation for change in written] == RECORDED[model]
    for entry in written:
        assert (entry.before is None, entry.after is None) == (
            entry.operation == "insert",
            entry.operation == "delete",
        )
        if entry.operation == "update":
            assert list(entry.before) == list(entry.after) == [column]
