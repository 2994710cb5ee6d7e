"""The kit of work items, for every model that is one: claimed by one, completed by its holder, retried, reset."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.apps import apps
from django.utils import timezone

from opsdb.database.identifiers import uuid7
from opsdb.models import DataTransfer, DataTransferPackage, LongTermArchiveTransfer, RawDataPackage, StagingJob, Status
from opsdb.models.base import WorkItem
from opsdb.testing.nights import build_world
from opsdb.workflows import (
    ClaimEnded,
    InvalidTransition,
    LostClaim,
    NotFound,
    OpsdbError,
    bundle_raw_data_packages,
    claim_archive_transfers,
    claim_bundling,
    claim_packaging,
    claim_staging,
    claim_transfers,
    fail_archive_transfer,
    fail_bundling,
    fail_packaging,
    fail_staging,
    fail_transfer,
    heartbeat_archive_transfer,
    heartbeat_bundling,
    heartbeat_packaging,
    heartbeat_staging,
    heartbeat_transfer,
    move_state,
    package_raw_data_files,
    plan_archiving,
    plan_transfers,
    request_staging,
    reset_archive_transfer,
    reset_bundling,
    reset_packaging,
    reset_staging,
    reset_transfer,
    work,
)
from tests.workflows.racing import race
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


def planned_packages(world, number):
    for _ in range(number):
        world.register(world.observe())
    return package_raw_data_files(world.source)


def planned_bundles(world, number):
    return [
        bundle
        for _ in range(number)
        for bundle in (world.made_packages() and bundle_raw_data_packages(world.ccat_buffer))
    ]


def planned_transfers(world, number):
    for _ in range(number):
        world.made_bundle()
    return plan_transfers()


def planned_archiving(world, number):
    for _ in range(number):
        world.made_bundle()
    for _ in range(2):
        plan_transfers()
        world.carry()
    world.unpack()
    return plan_archiving(world.cologne_archive)


def planned_staging(world, number):
    package = world.archived_package()
    return [
        request_staging(location=world.processing, packages=[package], purpose=f"purpose {count}")
        for count in range(number)
    ]


PENDING = {
    RawDataPackage: planned_packages,
    DataTransferPackage: planned_bundles,
    DataTransfer: planned_transfers,
    LongTermArchiveTransfer: planned_archiving,
    StagingJob: planned_staging,
}


@shared_world
def items():
    """Three pending items of every model, and what they need."""
    world = build_world()
    # Those that come last on the way of the data first, so that none is taken up by the making of the next.
    return {model: PENDING[model](world, 3) for model in reversed(PENDING)}


@pytest.fixture(params=PENDING, ids=lambda model: model.__name__)
def pending(request, items):
    """A function that returns pending items of one model."""
    return lambda number: items[request.param][:number]


def all_of(items):
    return type(items[0]).objects.filter(pk__in=[item.pk for item in items])


def claimed(items, worker="worker"):
    return work.claim(all_of(items), limit=len(items), worker=worker)


def test_the_kit_is_tested_with_every_model_of_work_items():
    assert set(PENDING) == {model for model in apps.get_app_config("opsdb").get_models() if issubclass(model, WorkItem)}


def test_a_claim_takes_the_oldest_first_up_to_its_limit_and_notes_the_worker(pending):
    items = pending(3)
    first = work.claim(all_of(items), limit=2, worker="worker")
    assert first == items[:2]
    for item in first:
        assert (item.status, item.claimed_by) == (Status.IN_PROGRESS, "worker")
        assert item.started_at and item.heartbeat_at
    assert work.claim(all_of(items), limit=2, worker="other") == items[2:]
    assert work.claim(all_of(items), limit=2, worker="third") == []


def test_a_claim_keeps_the_filters_and_the_order_of_its_queryset(pending):
    items = pending(3)
    assert work.claim(all_of(items).filter(pk=items[1].pk), limit=3, worker="worker") == [items[1]]
    assert work.claim(all_of(items).order_by("-created_at", "-pk"), limit=1, worker="worker") == [items[2]]


def test_a_scheduled_item_can_be_claimed(pending):
    [item] = pending(1)
    move_state(item, Status.SCHEDULED, scheduled_at=timezone.now())
    assert claimed([item]) == [item]


def test_a_claim_needs_a_name_and_a_limit(pending):
    items = pending(1)
    with pytest.raises(OpsdbError, match="the name of the worker is empty; give one"):
        work.claim(all_of(items), limit=1, worker="")
    with pytest.raises(OpsdbError, match="the limit is 0; give 1 or more"):
        work.claim(all_of(items), limit=0, worker="worker")


def test_only_the_holder_may_beat_hold_complete_or_fail(pending):
    [item] = claimed(pending(1), worker="holder")
    for act in (
        lambda: work.heartbeat(item, worker="thief"),
        lambda: work.lock_claimed(item, worker="thief"),
        lambda: work.complete(item, worker="thief"),
        lambda: work.fail(item, worker="thief", message="no"),
    ):
        with pytest.raises(LostClaim, match="thief has no claim on it; it is claimed by holder; stop"):
            act()
    item.refresh_from_db()
    assert (item.status, item.claimed_by) == (Status.IN_PROGRESS, "holder")
    with pytest.raises(LostClaim, match="thief has no claim on it; it is not claimed; stop"):
        work.heartbeat(type(item)(pk=uuid7() if isinstance(item.pk, UUID) else 10**9), worker="thief")


def test_what_is_not_in_progress_is_neither_completed_nor_failed(pending):
    [item] = pending(1)
    with pytest.raises(ClaimEnded) as caught:
        work.complete(item, worker="worker")
    assert isinstance(caught.value, LostClaim) and isinstance(caught.value, InvalidTransition)
    name = f"{item._meta.db_table} {item.pk}"
    assert str(caught.value) == (
        f"{name}: worker has no claim on it any more, because its status is pending; stop, and claim other work"
    )
    assert (caught.value.row, caught.value.field) == (name, "status")
    assert (caught.value.before, caught.value.after) == (Status.PENDING, Status.COMPLETED)
    assert caught.value.allowed == [Status.SCHEDULED, Status.IN_PROGRESS, Status.FAILED]
    with pytest.raises(InvalidTransition):
        work.fail(item, worker="worker", message="no")
    with pytest.raises(InvalidTransition):
        work.heartbeat(item, worker="worker")


def test_a_retryable_failure_is_pending_again_until_the_retries_are_used_up(pending):
    [item] = pending(1)
    for retry in range(1, 4):
        claimed([item])
        work.fail(item, worker="worker", message=f"attempt {retry}")
        assert (item.status, item.retry_count, item.claimed_by) == (Status.PENDING, retry, "")
        assert (item.failure_message, item.started_at, item.heartbeat_at) == (f"attempt {retry}", None, None)
    claimed([item])
    work.fail(item, worker="worker", message="the last")
    assert (item.status, item.retry_count, item.failure_message) == (Status.FAILED, 3, "the last")
    assert item.finished_at


def test_a_failure_that_no_retry_helps_is_final_until_it_is_reset(pending):
    [item] = claimed(pending(1))
    work.fail(item, worker="worker", message="no such file", retryable=False)
    assert (item.status, item.retry_count) == (Status.FAILED, 0)
    assert claimed([item]) == []
    work.reset(item)
    assert (item.status, item.finished_at, item.claimed_by) == (Status.PENDING, None, "")
    assert claimed([item]) == [item]


@pytest.mark.parametrize("retryable", [True, False])
def test_a_failure_can_be_reported_again_until_the_item_is_claimed_again(pending, retryable):
    [item] = claimed(pending(1))
    report = {"worker": "worker", "message": "no such file", "retryable": retryable}
    assert work.fail(item, **report)
    before = all_of([item]).values().get(pk=item.pk)
    assert not work.fail(item, **report)
    assert item.failure_message == "no such file"
    assert all_of([item]).values().get(pk=item.pk) == before
    for other in ({"message": "disk full"}, {"retryable": False} if retryable else {"message": "x"}):
        with pytest.raises(InvalidTransition):
            work.fail(item, **report | other)
    if not retryable:
        work.reset(item)
    claimed([item], worker="other")
    with pytest.raises(LostClaim, match="is claimed by other; stop, and claim other work"):
        work.fail(item, **report)


def test_a_failure_says_what_went_wrong(pending):
    [item] = claimed(pending(1))
    with pytest.raises(OpsdbError, match="describe what went wrong"):
        work.fail(item, worker="worker", message="  ")


def test_a_pending_item_is_not_reset(pending):
    [item] = pending(1)
    with pytest.raises(InvalidTransition, match="from pending to pending"):
        work.reset(item)


def test_a_stalled_item_is_found_reset_and_lost_to_its_worker(pending):
    items = pending(2)
    dead, alive = claimed(items)
    long_ago = timezone.now() - timedelta(hours=1)
    all_of(items).filter(pk=dead.pk).update(heartbeat_at=long_ago)
    assert list(work.filter_stalled(all_of(items), older_than=timedelta(minutes=10))) == [dead]
    work.heartbeat(dead, worker="worker")
    assert not work.filter_stalled(all_of(items), older_than=timedelta(minutes=10)).exists()
    all_of(items).filter(pk=alive.pk).update(heartbeat_at=None, started_at=long_ago)
    assert list(work.filter_stalled(all_of(items), older_than=timedelta(minutes=10))) == [alive]
    work.reset(alive)
    assert claimed([alive], worker="other") == [alive]
    with pytest.raises(LostClaim, match="is claimed by other; stop, and claim other work"):
        work.heartbeat(alive, worker="worker")


def test_a_move_names_row_from_to_and_allowed(pending):
    [item] = pending(1)
    with pytest.raises(InvalidTransition, match=f"{item._meta.db_table} {item.pk}: status cannot go from pending to"):
        move_state(item, Status.COMPLETED)
    with pytest.raises(InvalidTransition, match="from pending to failed; it can become: scheduled, in_progress$"):
        move_state(item, Status.FAILED, only_from=[Status.IN_PROGRESS], failure_message="no")


def test_a_move_of_a_row_that_is_not_there_says_so(pending):
    [item] = pending(1)
    absent = type(item)(pk=item.pk + 10**6 if isinstance(item.pk, int) else uuid7())
    with pytest.raises(NotFound, match="there is no such row"):
        move_state(absent, Status.IN_PROGRESS)


VERBS = {
    RawDataPackage: (claim_packaging, heartbeat_packaging, fail_packaging, reset_packaging),
    DataTransferPackage: (claim_bundling, heartbeat_bundling, fail_bundling, reset_bundling),
    DataTransfer: (claim_transfers, heartbeat_transfer, fail_transfer, reset_transfer),
    LongTermArchiveTransfer: (
        claim_archive_transfers,
        heartbeat_archive_transfer,
        fail_archive_transfer,
        reset_archive_transfer,
    ),
    StagingJob: (claim_staging, heartbeat_staging, fail_staging, reset_staging),
}


@pytest.mark.parametrize("model", VERBS, ids=lambda model: model._meta.db_table)
def test_every_kind_is_claimed_kept_alive_failed_and_reset_by_its_own_functions(model, items):
    claim, heartbeat, fail, reset = VERBS[model]
    first, second = items[model][:2]
    assert claim(worker="worker") == [first]
    assert claim(worker="other", limit=5)[0] == second
    model.objects.filter(pk=first.pk).update(heartbeat_at=None)
    heartbeat(first, worker="worker")
    first.refresh_from_db()
    assert first.heartbeat_at is not None
    with pytest.raises(LostClaim, match="other has no claim on it; it is claimed by worker; stop"):
        heartbeat(first, worker="other")
    failed = fail(first, worker="worker", message="disk full")
    assert (failed.pk, failed.status, failed.retry_count) == (first.pk, Status.PENDING, 1)
    assert claim(worker="worker") == [first]
    assert fail(first, worker="worker", message="no such file", retryable=False).status == Status.FAILED
    again = reset(first)
    assert (again.status, again.retry_count, again.claimed_by) == (Status.PENDING, 0, "")
    with pytest.raises(OpsdbError):
        claim(worker="", limit=1)
    with pytest.raises(OpsdbError):
        claim(worker="worker", limit=0)


def test_tars_and_bundles_are_claimed_where_they_are_made():
    world = build_world()
    [package] = planned_packages(world, 1)
    assert claim_packaging(worker="worker", source=world.ccat_buffer) == []
    assert claim_packaging(worker="worker", source=world.source) == [package]
    [bundle] = planned_bundles(world, 1)
    assert claim_bundling(worker="worker", buffer=world.us_buffer) == []
    assert claim_bundling(worker="worker", buffer=world.ccat_buffer) == [bundle]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", PENDING, ids=lambda model: model.__name__)
def test_of_workers_that_race_for_the_same_items_each_item_has_one_winner(model):
    items = PENDING[model](build_world(), 3)
    for _round in range(2):
        taken = race(4, lambda number: work.claim(model.objects.all(), limit=2, worker=f"worker {number}"))
        keys = [item.pk for items_of_one in taken for item in items_of_one]
        assert len(keys) == len(set(keys)), taken
        rest = work.claim(model.objects.all(), limit=9, worker="last")
        assert {*keys, *(item.pk for item in rest)} == {item.pk for item in items}
        for item in model.objects.all():
            work.reset(item)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round", range(2))
def test_of_completion_and_reset_at_once_exactly_one_wins(round):
    world = build_world()
    [item] = planned_packages(world, 1)
    claimed([item])
    facts = {"size_bytes": 9_999, "checksum": "0" * 64}
    one, other = (RawDataPackage.objects.get(pk=item.pk) for _ in range(2))
    outcomes = race(2, lambda number: work.reset(one) if number else work.complete(other, worker="worker", **facts))
    assert sum(isinstance(outcome, OpsdbError) for outcome in outcomes) == 1, outcomes
    item.refresh_from_db()
    assert item.status in (Status.PENDING, Status.COMPLETED)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("retryable", [True, False])
def test_of_a_failure_that_is_reported_twice_at_once_one_report_counts(retryable):
    [item] = planned_packages(build_world(), 1)
    claimed([item])
    outcomes = race(
        2,
        lambda number: work.fail(
            RawDataPackage.objects.get(pk=item.pk), worker="worker", message="no such file", retryable=retryable
        ),
    )
    assert sorted(outcomes) == [False, True]
    item.refresh_from_db()
    assert item.retry_count == retryable


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round", range(2))
def test_of_a_failure_and_a_reset_at_once_the_later_knows_of_the_other(round):
    [item] = planned_packages(build_world(), 1)
    claimed([item])
    one, other = (RawDataPackage.objects.get(pk=item.pk) for _ in range(2))
    failed, reset = race(
        2, lambda number: work.reset(one) if number else work.fail(other, worker="worker", message="no such file")
    )
    item.refresh_from_db()
    assert item.status == Status.PENDING
    if failed is True:
        assert isinstance(reset, InvalidTransition) or item.retry_count == 0
    else:
        assert isinstance(failed, LostClaim)
        assert item.failure_message == ""
