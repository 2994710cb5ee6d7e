"""Rules that look at other rows hold when two connections write at once."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from opsdb.models import DataProduct, ObsMode, ObsUnit, PreScheduledSlot, ReductionStepDependency, User
from opsdb.testing.factories import (
    DataProductFactory,
    ObsModeFactory,
    ObsUnitFactory,
    PipelineFactory,
    PreScheduledSlotFactory,
    ReductionStepFactory,
    RoleFactory,
    TelescopeFactory,
    UserFactory,
)

from .overlaps import slot

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 10


def on_another_connection(work):
    """Do something in a transaction of its own, on a connection of its own."""
    try:
        with transaction.atomic():
            work()
    finally:
        connection.close()


def wait_until_somebody_waits():
    """Return once another connection to this database waits for a lock of ours."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    with connection.cursor() as cursor:
        while time.monotonic() < give_up_at:
            cursor.execute(
                "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)) LIMIT 1",
            )
            if cursor.fetchone() is not None:
                return
            time.sleep(0.01)
    pytest.fail("the second transaction does not wait for the first")


def assert_second_is_refused(first, second, constraint):
    """Two transactions at once: the second waits for the first, and is refused when that is committed."""
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            first()
            outcome = other.submit(on_another_connection, second)
            wait_until_somebody_waits()
        error = outcome.exception(timeout=PATIENCE_SECONDS)
    assert isinstance(error, IntegrityError), error
    assert error.__cause__.diag.constraint_name == constraint


def wait_for(step, before):
    return lambda: ReductionStepDependency.objects.create(step=step, depends_on=before)


def test_two_dependencies_at_once_make_no_circle():
    one, other = ReductionStepFactory.create_batch(2, pipeline=PipelineFactory())
    assert_second_is_refused(wait_for(one, other), wait_for(other, one), "reduction_step_dependency_no_cycle")
    assert ReductionStepDependency.objects.get().step == one


@pytest.mark.parametrize("joins_first", [True, False])
def test_nobody_becomes_staff_and_joins_the_services_at_once(joins_first):
    user, role = UserFactory(), RoleFactory(name="service")

    def joins():
        user.groups.add(role)

    def becomes_staff():
        User.objects.filter(pk=user.pk).update(is_staff=True)

    if joins_first:
        assert_second_is_refused(joins, becomes_staff, "user_service_is_no_staff")
    else:
        assert_second_is_refused(becomes_staff, joins, "user_groups_keep_staff_from_service")


def test_two_products_do_not_supersede_each_other_at_once():
    one, other = DataProductFactory.create_batch(2)
    rows = DataProduct.objects.all()
    assert_second_is_refused(
        lambda: rows.filter(pk=one.pk).update(superseded_by=other),
        lambda: rows.filter(pk=other.pk).update(superseded_by=one),
        "data_product_superseded_in_line",
    )


def test_three_dependencies_at_once_make_no_circle():
    one, two, three = ReductionStepFactory.create_batch(3, pipeline=PipelineFactory())
    wait_for(one, two)()
    assert_second_is_refused(wait_for(two, three), wait_for(three, one), "reduction_step_dependency_no_cycle")


def test_a_transaction_that_sees_the_past_makes_no_circle():
    one, other = ReductionStepFactory.create_batch(2, pipeline=PipelineFactory())

    def depend_in_the_past():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        wait_for(other, one)()

    with ThreadPoolExecutor(1) as others:
        with transaction.atomic():
            wait_for(one, other)()
            outcome = others.submit(on_another_connection, depend_in_the_past)
            wait_until_somebody_waits()
        with pytest.raises(OperationalError, match="could not serialize"):
            outcome.result(timeout=PATIENCE_SECONDS)
    assert ReductionStepDependency.objects.get().step == one


def test_dependencies_of_two_pipelines_do_not_wait_for_each_other():
    pairs = [ReductionStepFactory.create_batch(2, pipeline=PipelineFactory()) for _ in range(2)]
    with ThreadPoolExecutor(1) as other, transaction.atomic():
        wait_for(*pairs[0])()
        other.submit(on_another_connection, wait_for(*pairs[1])).result(timeout=PATIENCE_SECONDS)
    assert ReductionStepDependency.objects.count() == 2


@pytest.fixture
def mode_and_unit():
    mode = ObsModeFactory(without_source=True)
    unit = ObsUnitFactory()
    return mode, lambda: ObsUnit.objects.filter(pk=unit.pk).update(obs_mode=mode, source=None)


def test_a_unit_without_source_comes_before_its_mode_needs_one(mode_and_unit):
    mode, take_source_away = mode_and_unit
    need_source = ObsMode.objects.filter(pk=mode.pk)
    assert_second_is_refused(
        take_source_away, lambda: need_source.update(needs_source=True), "obs_mode_units_have_source"
    )


def test_a_mode_comes_to_need_a_source_before_a_unit_has_none(mode_and_unit):
    mode, take_source_away = mode_and_unit
    need_source = ObsMode.objects.filter(pk=mode.pk)
    assert_second_is_refused(lambda: need_source.update(needs_source=True), take_source_away, "obs_unit_source_needed")


def test_two_slots_at_once_do_not_overlap():
    telescope, unit = TelescopeFactory(), ObsUnitFactory()

    def take(start, end):
        return lambda: PreScheduledSlotFactory(telescope=telescope, obs_unit=unit, **slot(start, end))

    assert_second_is_refused(take(0, 60), take(30, 90), "pre_scheduled_slot_no_overlap")
    assert PreScheduledSlot.objects.get().end_time == slot(0, 60)["end_time"]
