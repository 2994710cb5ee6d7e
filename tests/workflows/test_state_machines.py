"""A state changes exactly as its table says, whoever changes it: ``move``, ``update()`` or plain SQL."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

from opsdb.models import (
    DataTransfer,
    DataTransferPackage,
    DeletionRequest,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
    Status,
)
from opsdb.models.enums import StateChoices
from opsdb.testing.factories import (
    FACTORIES,
    DataTransferFactory,
    DeletionRequestFactory,
    LongTermArchiveTransferFactory,
    UserFactory,
)
from opsdb.workflows import InvalidTransition, NotFound, attributed, move_state
from tests.workflows.racing import race
from tests.workflows.scenario_deletion import RIGHT, SIZE, force, refusal_of, sql, tell_story

pytestmark = pytest.mark.django_db

MACHINES = [
    (model, field.name, StateChoices.of(field))
    for model in apps.get_app_config("opsdb").get_models()
    if not model._meta.proxy
    for field in model._meta.local_fields
    if StateChoices.of(field)
]
EVERY_STATE = [(model, field, before) for model, field, states in MACHINES for before in states]


def row_of(model, field):
    """A row that no other rule holds back from any state."""
    if model is PhysicalCopy:
        return tell_story().package_copy
    if model is RawDataPackage and field == "state":
        story = tell_story()
        return force(story.package, state=PackageState.WAITING)
    if model is LongTermArchiveTransfer:
        story = tell_story()
        # It is planned where no good copy is, and completed where one is.
        force(story.archive_copy, status=PhysicalCopyStatus.MISSING)
        transfer = LongTermArchiveTransferFactory(
            raw_data_package=story.package, destination_location=story.archive, origin_location=story.buffer
        )
        force(story.archive_copy, status=PhysicalCopyStatus.PRESENT)
        return transfer
    if model is DataTransfer and field == "unpack_status":
        return force(DataTransferFactory(), status=Status.COMPLETED, finished_at=timezone.now())
    if model is DeletionRequest:
        acting = get_user_model().objects.earliest("pk")
        return force(DeletionRequestFactory(), approved_by=acting, decided_at=timezone.now())
    return FACTORIES[model]()


def facts_of(model, field, state):
    """What a row in this state must also say."""
    now = timezone.now()
    ended = now if state in ("completed", "failed", "aborted") else None
    if field == "unpack_status":
        return {"unpacked_at": now, "unpack_failure_message": "no space"}
    if model is ExecutedObsUnit:
        return {"end_time": ended}
    if model is PhysicalCopy:
        return {"deleted_at": now, "failure_message": "no space"}
    if model is DeletionRequest:
        return {"executed_at": now}
    if model is ExecutedReductionStep:
        return {"finished_at": now, "failure_message": "no space"}
    if field == "state":
        return {}
    facts = {"started_at": now, "finished_at": ended, "failure_message": "no space"}
    if model in (RawDataPackage, DataTransferPackage):
        facts |= {"checksum": RIGHT, "size_bytes": SIZE}
    return facts


def test_every_state_of_the_schema_is_a_machine_with_a_table():
    assert {(model.__name__, field) for model, field, _ in MACHINES} == {
        ("DataTransfer", "status"),
        ("DataTransfer", "unpack_status"),
        ("DataTransferPackage", "status"),
        ("DeletionRequest", "status"),
        ("ExecutedObsUnit", "status"),
        ("ExecutedReductionStep", "status"),
        ("LongTermArchiveTransfer", "status"),
        ("PhysicalCopy", "status"),
        ("RawDataPackage", "state"),
        ("RawDataPackage", "status"),
        ("StagingJob", "status"),
    }
    for _, _, states in MACHINES:
        assert set(states.transitions()) == set(states)


@pytest.fixture
def in_person(db):
    """Somebody who acts, as a decision needs it, with an account that is older than all requests."""
    with attributed(user=UserFactory()):
        yield


@pytest.mark.parametrize(
    ("model", "field", "before"),
    EVERY_STATE,
    ids=[f"{model.__name__}.{field}-{before}" for model, field, before in EVERY_STATE],
)
@pytest.mark.usefixtures("in_person")
def test_update_plain_sql_and_move_follow_the_table(model, field, before):
    row = force(row_of(model, field), **{field: before}, **facts_of(model, field, before))
    assert_update_and_plain_sql_follow_the_table(row, model, field, before)
    assert_move_follows_the_table(row, model, field, before)


def assert_update_and_plain_sql_follow_the_table(row, model, field, before):
    table = model._meta.db_table
    for after in type(before):
        facts = facts_of(model, field, after)
        assignments = ", ".join(f'"{column}" = %s' for column in (field, *facts))
        statement = f'UPDATE "{table}" SET {assignments} WHERE id = %s'
        attempts = (
            lambda after=after, facts=facts: model._base_manager.filter(pk=row.pk).update(**{field: after}, **facts),
            lambda after=after, facts=facts, statement=statement: sql(statement, after.value, *facts.values(), row.pk),
        )
        for attempt in attempts:
            refusal = refusal_of(attempt)
            if after == before or after in before.may_become:
                assert refusal is None, f"{before} to {after}: {refusal.message_primary}"
                continue
            assert refusal is not None, f"{before} to {after} passed"
            assert refusal.constraint_name == f"{table}_{field}_transition"
            could = ", ".join(sorted(before.may_become, key=lambda state: state.order))
            assert refusal.message_primary == f"{table} {row.pk}: {field} cannot go from {before} to {after}"
            assert refusal.message_hint == (f"It can become: {could}." if could else f"Leave it: {before} is final.")


def assert_move_follows_the_table(row, model, field, before):
    for after in type(before):
        facts = facts_of(model, field, after)
        with transaction.atomic():
            if after in before.may_become:
                assert getattr(move_state(row, after, field=field, **facts), field) == after
            else:
                with pytest.raises(InvalidTransition) as caught:
                    move_state(row, after, field=field, **facts)
                error = caught.value
                assert (error.row, error.field) == (f"{model._meta.db_table} {row.pk}", field)
                assert (error.before, error.after) == (before, after)
                assert set(error.allowed) == before.may_become
                assert f"cannot go from {before} to {after}" in str(error)
            transaction.set_rollback(True)
        row.refresh_from_db()


def test_move_leaves_only_the_states_that_the_caller_names():
    copy = tell_story().package_copy
    with pytest.raises(InvalidTransition):
        move_state(copy, "deletion_scheduled", only_from=["deletion_failed"])
    assert move_state(copy, "deletion_scheduled", only_from=["present"]).status == "deletion_scheduled"


def test_move_knows_the_state_in_the_database_and_not_the_one_in_memory():
    copy = tell_story().package_copy
    stale = PhysicalCopy.objects.get(pk=copy.pk)
    move_state(copy, "missing")
    with pytest.raises(InvalidTransition, match="from missing to staged"):
        move_state(stale, "staged")


def test_move_of_a_row_that_is_not_there_says_so():
    with pytest.raises(NotFound, match="physical_copy 987654321"):
        move_state(PhysicalCopy(pk=987654321), "missing")


@pytest.mark.django_db(transaction=True)
def test_of_two_that_move_a_row_at_once_one_does():
    for _ in range(3):
        execution = FACTORIES[ExecutedObsUnit]()
        end = execution.start_time + timedelta(hours=1)

        def finish(number, pk=execution.pk, end=end):
            return move_state(ExecutedObsUnit.objects.get(pk=pk), ("completed", "aborted")[number], end_time=end)

        outcomes = race(2, finish)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ExecutedObsUnit", "InvalidTransition"]
    connection.close()
