"""How the packages of a transfer that has arrived are unpacked: claimed, verified, failed, reset."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsdb.models import (
    DataTransfer,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
    Status,
    Verification,
)
from opsdb.testing.nights import WORKER, WRONG, build_world, found
from opsdb.workflows import (
    CompletionConflict,
    Conflict,
    InvalidTransition,
    LostClaim,
    OpsdbError,
    claim_unpacking,
    complete_transfer,
    complete_unpacking,
    fail_unpacking,
    heartbeat_unpacking,
    reset_unpacking,
)
from tests.workflows.racing import race
from tests.workflows.transferring import arrived, states
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    return build_world()


def test_unpacking_creates_verified_copies_of_the_packages(world):
    transfer, packages = arrived(world)
    assert list(DataTransfer.objects.awaiting_unpack()) == [transfer]
    [transfer] = claim_unpacking(worker=WORKER)
    complete_unpacking(transfer, worker=WORKER, reports=map(found, packages))
    assert transfer.unpack_status == Status.COMPLETED
    for package in packages:
        copy = world.copy(package, world.cologne_buffer)
        assert (copy.status, copy.verification, copy.checksum) == ("present", "verified", package.checksum)
    assert not DataTransfer.objects.awaiting_unpack().exists()


def test_unpacking_can_be_reported_again(world):
    _, packages = arrived(world)
    [transfer] = claim_unpacking(worker=WORKER)
    for _ in range(2):
        complete_unpacking(transfer, worker=WORKER, reports=map(found, packages))
    assert PhysicalCopy.objects.at(world.cologne_buffer).filter(raw_data_package__in=packages).count() == 2


def test_a_mismatch_in_unpacking_can_be_reported_again_but_nothing_else(world):
    _, packages = arrived(world)
    [transfer] = claim_unpacking(worker=WORKER)
    for _ in range(2):
        complete_unpacking(transfer, worker=WORKER, reports=[found(packages[0], WRONG)])
        assert (transfer.unpack_status, transfer.unpack_retry_count) == (Status.PENDING, 1)
    with pytest.raises(InvalidTransition):
        complete_unpacking(transfer, worker=WORKER, reports=map(found, packages))
    claim_unpacking(worker=WORKER)
    complete_unpacking(transfer, worker=WORKER, reports=map(found, packages))
    with pytest.raises(CompletionConflict):
        complete_unpacking(transfer, worker=WORKER, reports=[found(packages[0]), found(packages[1], WRONG)])


@pytest.mark.parametrize(("retryable", "status"), [(True, Status.PENDING), (False, Status.FAILED)])
def test_a_failure_to_unpack_can_be_reported_again_until_it_is_claimed_again(world, retryable, status):
    arrived(world)
    [transfer] = claim_unpacking(worker=WORKER)
    for _ in range(2):
        fail_unpacking(transfer, worker=WORKER, message="disk full", retryable=retryable)
        assert (transfer.unpack_status, transfer.unpack_retry_count) == (status, int(retryable))
    assert transfer.log.filter(message__startswith="unpacking failed").count() == 1
    with pytest.raises(InvalidTransition) as refused:
        fail_unpacking(transfer, worker=WORKER, message="power lost", retryable=retryable)
    assert refused.value.after == Status.FAILED
    if not retryable:
        reset_unpacking(transfer)
    claim_unpacking(worker="other")
    with pytest.raises(LostClaim, match="is claimed by other; stop, and claim other work"):
        fail_unpacking(transfer, worker=WORKER, message="disk full", retryable=retryable)


def test_two_reports_of_one_package_that_differ_are_refused(world):
    _, packages = arrived(world)
    [transfer] = claim_unpacking(worker=WORKER)
    with pytest.raises(Conflict, match=f"raw_data_package {packages[0].pk}: is reported both as sha256 {WRONG}"):
        complete_unpacking(transfer, worker=WORKER, reports=[found(packages[0], WRONG), *map(found, packages)])
    assert not PhysicalCopy.objects.at(world.cologne_buffer).filter(raw_data_package__in=packages).exists()


def test_a_package_that_differs_after_unpacking_never_counts_and_is_unpacked_again(world):
    _, packages = arrived(world)
    [transfer] = claim_unpacking(worker=WORKER)
    complete_unpacking(transfer, worker=WORKER, reports=[found(packages[0]), found(packages[1], WRONG)])
    assert (transfer.status, transfer.unpack_status, transfer.unpack_retry_count) == ("completed", "pending", 1)
    assert f"raw_data_package {packages[1].pk}: checksum is sha256 {WRONG}" in transfer.unpack_failure_message
    good, bad = (world.copy(package, world.cologne_buffer) for package in packages)
    assert (good.status, good.verification) == (PhysicalCopyStatus.PRESENT, Verification.VERIFIED)
    assert (bad.status, bad.verification) == (PhysicalCopyStatus.CORRUPT, Verification.MISMATCH)
    assert list(RawDataPackage.objects.awaiting_archive(world.cologne_archive)) == [packages[0]]
    [transfer] = claim_unpacking(worker=WORKER)
    complete_unpacking(transfer, worker=WORKER, reports=map(found, packages))
    bad.refresh_from_db()
    assert (transfer.unpack_status, bad.status, bad.verification) == ("completed", "present", "verified")


def test_unpacking_that_misses_a_package_is_not_complete(world):
    _, packages = arrived(world)
    [transfer] = claim_unpacking(worker=WORKER)
    complete_unpacking(transfer, worker=WORKER, reports=[found(packages[0])])
    assert transfer.unpack_status == Status.PENDING
    assert transfer.unpack_failure_message == f"raw_data_package {packages[1].pk}: is missing"


def test_packages_of_another_transfer_are_not_unpacked_by_this_one(world):
    _, packages = arrived(world)
    [stranger] = world.made_packages()
    [transfer] = claim_unpacking(worker=WORKER)
    with pytest.raises(Conflict, match=f"raw_data_package {stranger.pk} is not in it"):
        complete_unpacking(transfer, worker=WORKER, reports=map(found, [*packages, stranger]))
    assert not PhysicalCopy.objects.at(world.cologne_buffer).filter(raw_data_package__in=packages).exists()


def test_unpacking_fails_for_good_after_its_retries_and_is_retried_alone(world):
    _, packages = arrived(world)
    for _ in range(4):
        [transfer] = claim_unpacking(worker=WORKER)
        fail_unpacking(transfer, worker=WORKER, message="disk full")
    assert (transfer.status, transfer.unpack_status) == (Status.COMPLETED, Status.FAILED)
    assert claim_unpacking(worker=WORKER) == []
    assert states(packages) == {PackageState.FAILED}
    reset_unpacking(transfer)
    assert states(packages) == {PackageState.TRANSFERRING}
    [transfer] = claim_unpacking(worker=WORKER)
    complete_unpacking(transfer, worker=WORKER, reports=map(found, packages))
    assert transfer.unpack_status == Status.COMPLETED


def test_packages_that_were_unpacked_well_do_not_fail_with_the_others(world):
    _, packages = arrived(world)
    for _ in range(4):
        [transfer] = claim_unpacking(worker=WORKER)
        complete_unpacking(transfer, worker=WORKER, reports=[found(packages[0]), found(packages[1], WRONG)])
    assert transfer.unpack_status == Status.FAILED
    assert [states([package]) for package in packages] == [{PackageState.TRANSFERRING}, {PackageState.FAILED}]


def test_only_the_worker_that_unpacks_may_report(world):
    _, packages = arrived(world)
    [transfer] = claim_unpacking(worker="other")
    for report in (
        lambda: complete_unpacking(transfer, worker=WORKER, reports=map(found, packages)),
        lambda: fail_unpacking(transfer, worker=WORKER, message="disk full"),
        lambda: heartbeat_unpacking(transfer, worker=WORKER),
    ):
        with pytest.raises(LostClaim, match="worker has no claim on its unpacking; it is claimed by other; stop"):
            report()
    with pytest.raises(OpsdbError, match="describe what went wrong"):
        fail_unpacking(transfer, worker="other", message=" ")
    with pytest.raises(InvalidTransition, match="unpack_status cannot go from pending to pending"):
        reset_unpacking(reset_unpacking(transfer))


def test_stalled_unpacking_is_found_and_given_to_another(world):
    arrived(world)
    [transfer] = claim_unpacking(worker="dead")
    assert not DataTransfer.objects.unpacking_stalled(older_than=timedelta(minutes=5)).exists()
    DataTransfer.objects.update(unpack_heartbeat_at=timezone.now() - timedelta(minutes=6))
    assert list(DataTransfer.objects.unpacking_stalled(older_than=timedelta(minutes=5))) == [transfer]
    heartbeat_unpacking(transfer, worker="dead")
    assert not DataTransfer.objects.unpacking_stalled(older_than=timedelta(minutes=5)).exists()
    reset_unpacking(transfer)
    assert claim_unpacking(worker=WORKER) == [transfer]


def test_claims_of_unpacking_need_a_name_and_can_be_bound_to_a_location(world):
    transfer, _ = arrived(world)
    with pytest.raises(OpsdbError, match="data_transfer: the name of the worker is empty; give one"):
        claim_unpacking(worker="")
    with pytest.raises(OpsdbError, match="data_transfer: the limit is 0; give 1 or more"):
        claim_unpacking(worker=WORKER, limit=0)
    assert claim_unpacking(worker=WORKER, location=world.us_buffer) == []
    assert claim_unpacking(worker=WORKER, location=world.cologne_buffer) == [transfer]


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_race_for_one_unpacking_exactly_one_wins():
    world = build_world()
    world.begun_transfer()
    transfer = DataTransfer.objects.get()
    complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
    claimed = race(4, lambda number: claim_unpacking(worker=f"worker {number}", limit=5))
    assert sorted(map(len, claimed)) == [0, 0, 0, 1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("retryable", [True, False])
def test_of_a_failure_to_unpack_that_is_reported_twice_at_once_one_report_counts(retryable):
    world = build_world()
    world.begun_transfer()
    transfer = DataTransfer.objects.get()
    complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
    claim_unpacking(worker=WORKER)
    one, other = (DataTransfer.objects.get() for _ in range(2))
    reported = race(
        2,
        lambda number: fail_unpacking(
            other if number else one, worker=WORKER, message="disk full", retryable=retryable
        ),
    )
    assert reported == [one, other]
    for row in (one, other, DataTransfer.objects.get()):
        assert row.unpack_status == (Status.PENDING if retryable else Status.FAILED)
        assert row.unpack_retry_count == retryable
    assert transfer.log.filter(message__startswith="unpacking failed").count() == 1
