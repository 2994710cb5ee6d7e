"""Archiving: a package is archived by a verified copy in an archive, and by nothing else."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from opsdb.models import (
    DataLocation,
    FixityCheck,
    LogLevel,
    LongTermArchiveTransfer,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
    Status,
    Verification,
)
from opsdb.testing.factories import S3DataLocationFactory, TapeDataLocationFactory
from opsdb.testing.nights import WORKER, WRONG, build_world, found, out_of_use
from opsdb.workflows import (
    CompletionConflict,
    InvalidTransition,
    LostClaim,
    Refused,
    bundle_raw_data_packages,
    claim_archive_transfers,
    claim_transfers,
    claim_unpacking,
    complete_archive_transfer,
    complete_transfer,
    complete_unpacking,
    fail_archive_transfer,
    plan_archiving,
    plan_transfers,
    reset_archive_transfer,
)
from tests.workflows.racing import overtaken, race
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    world = build_world()
    # Nothing but the rules of safety shall hold back a deletion.
    DataLocation.objects.update(retention_days=0)
    return world


def buffered(world, bundles=1):
    """Packages that have come to the buffers of both archive sites."""
    packages = [world.made_bundle().raw_data_packages.get() for _ in range(bundles)]
    for _ in range(2):
        plan_transfers()
        world.carry()
    world.unpack()
    return packages


def begun(world):
    """An archive transfer in Cologne that a worker has begun."""
    buffered(world)
    plan_archiving(world.cologne_archive)
    [transfer] = claim_archive_transfers(worker=WORKER)
    return transfer


def assert_nothing_may_go(package):
    """No copy of a package, of its files or of its bundle outside the archives may be deleted."""
    copies = PhysicalCopy.objects.exclude(data_location__location_type="long_term_archive")
    for copy in copies.exclude(status__in=[PhysicalCopyStatus.DELETED, PhysicalCopyStatus.MISSING]):
        with pytest.raises(IntegrityError, match="deletion rule 2"), transaction.atomic():
            PhysicalCopy.objects.filter(pk=copy.pk).update(status=PhysicalCopyStatus.DELETION_SCHEDULED)
    package.refresh_from_db()
    assert package.state != PackageState.ARCHIVED


def assert_files_may_go(package):
    copies = PhysicalCopy.objects.filter(raw_data_file__raw_data_package=package)
    assert copies.update(status=PhysicalCopyStatus.DELETION_SCHEDULED) == package.file_count


# Plan


def test_what_is_in_the_buffers_of_a_site_is_planned_for_its_archive_once(world):
    packages = buffered(world, 2)
    assert set(RawDataPackage.objects.awaiting_archive(world.cologne_archive)) == set(packages)
    planned = plan_archiving(world.cologne_archive)
    assert {transfer.raw_data_package_id for transfer in planned} == {package.pk for package in packages}
    assert {transfer.origin_location_id for transfer in planned} == {world.cologne_buffer.pk}
    assert plan_archiving(world.cologne_archive) == []
    assert not RawDataPackage.objects.awaiting_archive(world.cologne_archive).exists()
    assert len(plan_archiving(world.us_archive)) == 2


def test_every_archive_in_use_at_a_site_holds_the_packages(world):
    second = S3DataLocationFactory(site=world.cologne, name="mirror", archive=True)
    buffered(world)
    assert len(plan_archiving(world.cologne_archive)) == len(plan_archiving(second)) == 1


def test_what_is_not_in_a_buffer_of_the_site_is_not_planned(world):
    world.made_bundle()
    assert plan_archiving(world.cologne_archive) == []
    plan_transfers()
    world.carry()
    assert plan_archiving(world.cologne_archive) == []


@pytest.mark.parametrize("state", [PhysicalCopyStatus.MISSING, PhysicalCopyStatus.CORRUPT])
def test_what_can_not_be_read_is_not_planned(world, state):
    [package] = buffered(world)
    PhysicalCopy.objects.at(world.cologne_buffer).of(package).update(status=state)
    assert plan_archiving(world.cologne_archive) == []


def test_packages_go_only_into_archives_in_use(world):
    buffered(world)
    with pytest.raises(Refused, match="cologne/buffer is a buffer location; plan archiving into an active"):
        plan_archiving(world.cologne_buffer)
    with (
        out_of_use(world.cologne_archive),
        pytest.raises(Refused, match="cologne/archive is inactive; plan archiving into an active"),
    ):
        plan_archiving(world.cologne_archive)
    plan_archiving(world.cologne_archive)
    with out_of_use(world.cologne_archive):
        assert claim_archive_transfers(worker=WORKER) == []
    assert claim_archive_transfers(worker=WORKER, archive=world.us_archive) == []
    assert len(claim_archive_transfers(worker=WORKER, archive=world.cologne_archive)) == 1


def test_an_archive_at_the_observatory_takes_packages_from_its_buffer(world):
    archive = TapeDataLocationFactory(site=world.ccat, archive=True)
    [package] = world.made_packages()
    plan_archiving(archive)
    [transfer] = claim_archive_transfers(worker=WORKER)
    complete_archive_transfer(transfer, worker=WORKER, checksum=package.checksum)
    package.refresh_from_db()
    assert package.state == PackageState.ARCHIVED


def test_the_copy_that_an_open_archive_transfer_reads_can_not_be_deleted(world):
    package = world.archived_package()
    second = S3DataLocationFactory(site=world.cologne, name="mirror", archive=True)
    [transfer] = plan_archiving(second)
    copies = PhysicalCopy.objects.at(world.cologne_buffer).of(package)
    with pytest.raises(IntegrityError, match=f"rule 3: long_term_archive_transfer {transfer.pk} still needs it"):
        copies.update(status=PhysicalCopyStatus.DELETION_SCHEDULED)


# Archive


def test_a_matching_checksum_makes_the_copy_verified_and_the_package_archived(world):
    transfer = begun(world)
    package = transfer.raw_data_package
    complete_archive_transfer(transfer, worker=WORKER, checksum=package.checksum, size_bytes=package.size_bytes)
    package.refresh_from_db()
    copy = world.copy(package, world.cologne_archive)
    assert (transfer.status, package.state) == (Status.COMPLETED, PackageState.ARCHIVED)
    assert (copy.status, copy.verification, copy.checksum) == ("present", "verified", package.checksum)
    assert_files_may_go(package)


def test_archiving_can_be_reported_again(world):
    transfer = begun(world)
    for _ in range(2):
        complete_archive_transfer(transfer, worker=WORKER, checksum=transfer.raw_data_package.checksum)
    assert transfer.log.filter(message__startswith="archived").count() == 1
    with pytest.raises(CompletionConflict, match="was completed by"):
        complete_archive_transfer(transfer, worker=WORKER, checksum=WRONG)


def test_a_mismatch_can_be_reported_again(world):
    transfer = begun(world)
    for status in (Status.PENDING, Status.FAILED):
        for is_new in (True, False):
            with CaptureQueriesContext(connection) as queries:
                answer = complete_archive_transfer(transfer, worker=WORKER, checksum=WRONG)
            assert (answer.status, answer.retry_count) == (status, 1)
            assert any("physical_copy" in query["sql"] for query in queries) == is_new
        with pytest.raises(InvalidTransition):
            complete_archive_transfer(transfer, worker=WORKER, checksum="a" * 64)
        LongTermArchiveTransfer.objects.update(max_retries=1)
        claim_archive_transfers(worker=WORKER)
    assert FixityCheck.objects.filter(actual=WRONG).count() == transfer.log.filter(level=LogLevel.ERROR).count() == 2
    assert_nothing_may_go(transfer.raw_data_package)


def test_a_failure_can_be_reported_again(world):
    transfer = begun(world)
    for _ in range(2):
        fail_archive_transfer(transfer, worker=WORKER, message="tape library did not answer")
        assert (transfer.status, transfer.retry_count) == (Status.PENDING, 1)
    assert transfer.log.filter(level=LogLevel.ERROR).count() == 1


def test_the_second_archive_leaves_the_package_archived(world):
    package = world.archived_package()
    archives = PhysicalCopy.objects.of(package).filter(data_location__location_type="long_term_archive")
    assert archives.filter(verification=Verification.VERIFIED, status=PhysicalCopyStatus.PRESENT).count() == 2
    assert set(package.archive_transfers.values_list("status", flat=True)) == {Status.COMPLETED}


def test_only_the_worker_that_holds_an_archive_transfer_completes_it(world):
    transfer = begun(world)
    with pytest.raises(LostClaim):
        complete_archive_transfer(transfer, worker="other", checksum=transfer.raw_data_package.checksum)
    assert not PhysicalCopy.objects.at(world.cologne_archive).exists()


def test_nothing_is_archived_if_the_end_of_the_transaction_fails(world, monkeypatch):
    transfer = begun(world)
    monkeypatch.setattr("opsdb.workflows.archiving.log_archive_transfers", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        complete_archive_transfer(transfer, worker=WORKER, checksum=transfer.raw_data_package.checksum)
    assert not PhysicalCopy.objects.at(world.cologne_archive).exists()
    assert_nothing_may_go(transfer.raw_data_package)


def test_a_package_whose_archiving_failed_for_good_is_failed_until_it_is_reset(world):
    transfer = begun(world)
    package = transfer.raw_data_package
    fail_archive_transfer(transfer, worker=WORKER, message="no tape", retryable=False)
    package.refresh_from_db()
    assert (transfer.status, package.state) == (Status.FAILED, PackageState.FAILED)
    assert transfer.log.get(level=LogLevel.ERROR).message == "failed: no tape"
    reset_archive_transfer(transfer)
    package.refresh_from_db()
    assert (transfer.status, package.state) == (Status.PENDING, PackageState.TRANSFERRING)
    [transfer] = claim_archive_transfers(worker=WORKER)
    complete_archive_transfer(transfer, worker=WORKER, checksum=package.checksum)
    package.refresh_from_db()
    assert package.state == PackageState.ARCHIVED


def test_a_package_that_one_archive_could_not_take_is_archived_by_another(world):
    transfer = begun(world)
    fail_archive_transfer(transfer, worker=WORKER, message="no tape", retryable=False)
    plan_archiving(world.us_archive)
    [other] = claim_archive_transfers(worker=WORKER)
    complete_archive_transfer(other, worker=WORKER, checksum=other.raw_data_package.checksum)
    assert RawDataPackage.objects.get().state == PackageState.ARCHIVED
    reset_archive_transfer(transfer)
    assert RawDataPackage.objects.get().state == PackageState.ARCHIVED


# A wrong checksum at every stage


def test_a_wrong_checksum_from_packaging_never_lets_the_files_go(world):
    [package] = world.plan_packages()
    truth = "a" * 64
    world.make(package, checksum=WRONG)
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    world.make_bundle(bundle)
    plan_transfers()
    world.carry()
    for _ in range(4):
        [transfer] = claim_unpacking(worker=WORKER)
        complete_unpacking(transfer, worker=WORKER, reports=[found(package, truth)])
    assert transfer.unpack_status == Status.FAILED
    assert plan_archiving(world.cologne_archive) == []
    assert_nothing_may_go(package)


def test_a_wrong_checksum_from_bundling_never_lets_the_files_go(world):
    [package] = world.made_packages()
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    world.make_bundle(bundle, checksum=WRONG)
    plan_transfers()
    for _ in range(4):
        [transfer] = claim_transfers(worker=WORKER)
        complete_transfer(transfer, worker=WORKER, checksum="a" * 64)
    assert transfer.status == Status.FAILED
    assert claim_unpacking(worker=WORKER) == []
    assert_nothing_may_go(package)


def test_a_wrong_checksum_from_a_transfer_never_lets_the_files_go(world):
    bundle = world.made_bundle()
    plan_transfers()
    [transfer] = claim_transfers(worker=WORKER)
    complete_transfer(transfer, worker=WORKER, checksum=WRONG)
    assert claim_unpacking(worker=WORKER) == []
    assert_nothing_may_go(bundle.raw_data_packages.get())


def test_a_wrong_checksum_from_unpacking_never_lets_the_files_go(world):
    bundle = world.made_bundle()
    plan_transfers()
    world.carry()
    package = bundle.raw_data_packages.get()
    [transfer] = claim_unpacking(worker=WORKER)
    complete_unpacking(transfer, worker=WORKER, reports=[found(package, WRONG)])
    assert plan_archiving(world.cologne_archive) == []
    assert_nothing_may_go(package)


@pytest.mark.parametrize("report", [{"checksum": WRONG}, {"size_bytes": 1}])
def test_a_wrong_checksum_or_size_from_an_archive_never_lets_the_files_go(world, report):
    transfer = begun(world)
    package = transfer.raw_data_package
    for attempt in range(4):
        complete_archive_transfer(transfer, worker=WORKER, **{"checksum": package.checksum, **report})
        assert transfer.status == (Status.PENDING if attempt < 3 else Status.FAILED)
        assert f"raw_data_package {package.pk}" in transfer.failure_message
        copy = world.copy(package, world.cologne_archive)
        assert (copy.status, copy.verification) == (PhysicalCopyStatus.CORRUPT, Verification.MISMATCH)
        assert_nothing_may_go(package)
        claim_archive_transfers(worker=WORKER)
    reset_archive_transfer(transfer)
    [transfer] = claim_archive_transfers(worker=WORKER)
    complete_archive_transfer(transfer, worker=WORKER, checksum=package.checksum)
    assert_files_may_go(package)


def test_what_differs_leaves_a_fixity_check(world):
    transfer = begun(world)
    complete_archive_transfer(transfer, worker=WORKER, checksum=WRONG)
    check = FixityCheck.objects.get(copy=world.copy(transfer.raw_data_package, world.cologne_archive))
    assert (check.ok, check.actual, check.expected) == (False, WRONG, transfer.raw_data_package.checksum)
    assert check.checked_by == WORKER


# Races


@pytest.mark.django_db(transaction=True)
def test_two_managers_that_plan_archiving_at_once_plan_every_package_once():
    world = build_world()
    buffered(world, 4)
    planned = race(3, lambda number: plan_archiving(world.cologne_archive))
    assert all(isinstance(transfers, list) for transfers in planned), planned
    assert LongTermArchiveTransfer.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_race_for_one_archive_transfer_exactly_one_wins():
    world = build_world()
    buffered(world)
    plan_archiving(world.cologne_archive)
    claimed = race(4, lambda number: claim_archive_transfers(worker=f"worker {number}", limit=5))
    assert sorted(map(len, claimed)) == [0, 0, 0, 1]


@pytest.mark.django_db(transaction=True)
def test_two_archives_that_complete_the_same_package_at_once_both_succeed():
    world = build_world()
    [package] = buffered(world)
    for archive in world.archives:
        plan_archiving(archive)
    transfers = claim_archive_transfers(worker=WORKER, limit=2)
    done = race(
        2, lambda number: complete_archive_transfer(transfers[number], worker=WORKER, checksum=package.checksum)
    )
    assert [transfer.status for transfer in done] == [Status.COMPLETED] * 2, done
    package.refresh_from_db()
    assert package.state == PackageState.ARCHIVED


@pytest.mark.django_db(transaction=True)
def test_a_report_that_is_sent_twice_at_once_counts_once():
    world = build_world()
    transfer = begun(world)
    checksum = transfer.raw_data_package.checksum
    again = LongTermArchiveTransfer.objects.get(pk=transfer.pk)
    done = race(
        2, lambda number: complete_archive_transfer((transfer, again)[number], worker=WORKER, checksum=checksum)
    )
    assert [outcome.status for outcome in done] == [Status.COMPLETED] * 2, done
    assert PhysicalCopy.objects.at(world.cologne_archive).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deletion_first", [True, False])
def test_planning_an_archive_transfer_and_deleting_what_it_reads_never_both_succeed(deletion_first):
    world = build_world()
    DataLocation.objects.update(retention_days=0)
    package = world.archived_package()
    second = S3DataLocationFactory(site=world.cologne, name="mirror", archive=True)
    copies = PhysicalCopy.objects.at(world.cologne_buffer).of(package)

    def delete():
        return copies.update(status=PhysicalCopyStatus.DELETION_SCHEDULED)

    if deletion_first:
        assert overtaken(delete, lambda: plan_archiving(second)) == []
    else:
        assert "deletion rule 3" in str(overtaken(lambda: plan_archiving(second), delete))
