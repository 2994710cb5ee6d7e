"""Packaging and bundling: every file in one package, every package in one bundle, none lost, none twice."""

import re

import pytest
from django.db import IntegrityError, connection
from django.db.models import Count, Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from opsdb.models import (
    ChangeLog,
    DataTransfer,
    DataTransferPackage,
    ExecutedObsUnit,
    ObservationStatus,
    PackageState,
    PhysicalCopyStatus,
    RawDataFile,
    RawDataPackage,
    Status,
    Verification,
)
from opsdb.testing.factories import InstrumentModuleFactory, UserFactory
from opsdb.testing.nights import WORKER, WRONG, build_world, digest, found, out_of_use
from opsdb.workflows import (
    CompletionConflict,
    LostClaim,
    OpsdbError,
    Refused,
    attributed,
    bundle_raw_data_packages,
    choose_buffer,
    claim_transfers,
    claim_unpacking,
    complete_bundling,
    complete_packaging,
    complete_transfer,
    complete_unpacking,
    correct_bundling,
    correct_packaging,
    explain_row,
    finish_observation,
    package_raw_data_files,
    packaging,
    plan_transfers,
    record_fixity,
    reset_transfer,
    reset_unpacking,
    work,
)
from tests.workflows.racing import race
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    return build_world()


def sizes_of(packages):
    return [
        list(package.raw_data_files.order_by("relative_path").values_list("size_bytes", flat=True))
        for package in packages
    ]


# Package


def test_files_of_an_execution_and_module_go_into_packages_of_their_own(world):
    other = InstrumentModuleFactory(instrument=world.module.instrument)
    for _ in range(2):
        execution = world.observe()
        world.register(execution, files=3)
        world.register(execution, files=2, module=other)
    packages = package_raw_data_files(world.source)
    assert sorted(package.file_count for package in packages) == [2, 2, 3, 3]
    for package in packages:
        files = package.raw_data_files.all()
        assert {(file.executed_obs_unit_id, file.instrument_module_id) for file in files} == {
            (package.executed_obs_unit_id, package.instrument_module_id)
        }
        assert len(files) == package.file_count
    assert not RawDataFile.objects.unpackaged().exists()


def test_a_part_is_closed_before_it_gets_too_large_and_a_larger_file_gets_its_own(world, settings):
    settings.OPSDB_MAX_PACKAGE_BYTES = 100
    packages = world.plan_packages(sizes=[60, 40, 1, 250, 0, 99, 2])
    assert sizes_of(packages) == [[60, 40], [1], [250], [0, 99], [2]]
    assert [package.part for package in packages] == [1, 2, 3, 4, 5]


def test_parts_are_filled_across_batches_of_files(world, settings, monkeypatch):
    monkeypatch.setattr(packaging, "FILES_AT_ONCE", 2)
    settings.OPSDB_MAX_PACKAGE_BYTES = 50
    packages = world.plan_packages(sizes=[10] * 13)
    assert [package.file_count for package in packages] == [5, 5, 3]
    assert sizes_of(packages) == [[10] * 5, [10] * 5, [10] * 3]


def test_names_and_paths_follow_from_what_is_inside(world):
    [package] = world.plan_packages()
    execution = package.executed_obs_unit
    assert package.name == f"{execution.pk}_{world.module.pk}_1.tar"
    assert package.relative_path == f"{execution.start_time:%Y/%m/%d}/{package.name}"


def test_files_of_a_running_execution_wait_for_its_end(world):
    execution = world.observe(running=True)
    world.register(execution)
    assert package_raw_data_files(world.source) == []
    finish_observation(execution.pk, end_time=execution.start_time.replace(minute=20), status=ObservationStatus.ABORTED)
    assert len(package_raw_data_files(world.source)) == 1


def test_packaging_again_changes_nothing_and_late_files_get_a_further_part(world):
    [first] = world.plan_packages(files=3)
    assert package_raw_data_files(world.source) == []
    world.register(first.executed_obs_unit, files=2)
    [second] = package_raw_data_files(world.source)
    assert (second.part, second.file_count) == (2, 2)
    assert first.raw_data_files.count() == 3


def test_the_limit_counts_pairs_of_execution_and_module_that_have_ended(world):
    world.register(world.observe(running=True))
    for _ in range(3):
        world.register(world.observe())
    assert len(package_raw_data_files(world.source, limit=2)) == 2
    assert len(package_raw_data_files(world.source, limit=2)) == 1


def test_only_a_source_has_raw_files_to_package(world):
    with pytest.raises(Refused, match="is a buffer location, not a source; choose one of that type"):
        package_raw_data_files(world.ccat_buffer)


def test_finding_work_costs_as_many_queries_as_there_are_groups_not_files(world):
    world.register(world.observe(running=True), files=5)
    with CaptureQueriesContext(
        connection,
    ) as few:
        package_raw_data_files(world.source)
    world.register(ExecutedObsUnit.objects.get(), files=200)
    with CaptureQueriesContext(connection) as many:
        package_raw_data_files(world.source)
    assert len(few) == len(many)


def test_a_made_package_has_facts_a_copy_in_the_buffer_and_metadata(world):
    [package] = world.plan_packages()
    world.make(package)
    package.refresh_from_db()
    assert (package.status, package.size_bytes, package.checksum) == (Status.COMPLETED, 3_512, digest(package))
    copy = world.copy(package, world.ccat_buffer)
    assert (copy.status, copy.checksum, copy.size_bytes) == (PhysicalCopyStatus.PRESENT, package.checksum, 3_512)
    assert copy.verification == Verification.UNVERIFIED
    assert package.metadata.obs_id == str(package.executed_obs_unit_id)
    assert package.metadata.access_estsize == 4


def test_completing_a_package_again_changes_nothing(world):
    [package] = world.plan_packages()
    world.make(package)
    again = complete_packaging(
        package, worker=WORKER, location=world.ccat_buffer, size_bytes=3_512, checksum=digest(package)
    )
    assert again.status == Status.COMPLETED
    assert package.copies.count() == 1
    with pytest.raises(CompletionConflict):
        complete_packaging(package, worker=WORKER, location=world.ccat_buffer, size_bytes=3_512, checksum=WRONG)
    package.refresh_from_db()
    assert package.checksum == digest(package)


def test_only_the_worker_that_holds_a_package_completes_it(world):
    [package] = world.plan_packages()
    work.claim(RawDataPackage.objects.awaiting_packaging(), limit=1, worker="other")
    with pytest.raises(LostClaim, match="is claimed by other; stop, and claim other work"):
        complete_packaging(package, worker=WORKER, location=world.ccat_buffer, size_bytes=3_512, checksum=WRONG)
    assert not package.copies.exists()


def test_a_tar_goes_to_the_next_buffer_when_the_first_is_out_of_use(world):
    [package] = world.plan_packages()
    assert choose_buffer(world.ccat).pk == world.ccat_buffer.pk
    with out_of_use(world.ccat_buffer):
        assert choose_buffer(world.ccat).pk == world.spare_buffer.pk
        with pytest.raises(Refused, match="write it to ccat/spare_buffer"):
            world.make(package)
        complete_packaging(
            package, worker=WORKER, location=world.spare_buffer, size_bytes=3_512, checksum=digest(package)
        )
    assert world.copy(package, world.spare_buffer).status == PhysicalCopyStatus.PRESENT
    assert RawDataPackage.objects.awaiting_bundling(world.spare_buffer).get() == package


@pytest.mark.parametrize("place", ["cologne_buffer", "source"])
def test_a_tar_can_only_be_in_a_buffer_at_the_site_of_its_files(world, place):
    [package] = world.plan_packages()
    with pytest.raises(Refused, match="no active buffer at the site of its files"):
        world.make(package, location=getattr(world, place))
    package.refresh_from_db()
    assert package.status == Status.IN_PROGRESS


def test_a_tar_smaller_than_its_files_is_refused(world):
    [package] = world.plan_packages()
    work.claim(RawDataPackage.objects.awaiting_packaging(), limit=1, worker=WORKER)
    with pytest.raises(Refused, match="2999 bytes can't hold its files of 3000 bytes"):
        complete_packaging(package, worker=WORKER, location=world.ccat_buffer, size_bytes=2_999, checksum=WRONG)


@pytest.mark.parametrize("checksum", ["", "G" * 64, "abc", "0" * 63])
def test_a_checksum_that_is_none_is_refused(world, checksum):
    [package] = world.plan_packages()
    work.claim(RawDataPackage.objects.awaiting_packaging(), limit=1, worker=WORKER)
    with pytest.raises(Refused, match="is no sha256 checksum"):
        complete_packaging(package, worker=WORKER, location=world.ccat_buffer, size_bytes=9_999, checksum=checksum)


def test_workers_at_a_source_find_the_packages_of_its_files(world):
    [package] = world.plan_packages()
    assert RawDataPackage.objects.awaiting_packaging(world.source).get() == package
    assert not RawDataPackage.objects.awaiting_packaging(world.us_buffer).exists()
    world.make(package)
    assert not RawDataPackage.objects.awaiting_packaging(world.source).exists()


# Bundle


def test_packages_in_a_buffer_are_bundled_up_to_a_size(world, settings):
    packages = world.made_packages(executions=5)
    settings.OPSDB_MAX_TRANSFER_PACKAGE_BYTES = 2 * 3_512
    bundles = bundle_raw_data_packages(world.ccat_buffer)
    assert [bundle.raw_data_packages.count() for bundle in bundles] == [2, 2, 1]
    assert bundles[0].name == f"ccat_{packages[0].pk}.tar"
    assert bundles[0].origin_location_id == world.ccat_buffer.pk
    assert bundle_raw_data_packages(world.ccat_buffer) == []


def test_what_is_not_made_or_not_there_is_not_bundled(world):
    world.plan_packages()
    [package] = RawDataPackage.objects.all()
    assert bundle_raw_data_packages(world.ccat_buffer) == []
    world.make(package)
    assert bundle_raw_data_packages(world.spare_buffer) == []
    package.copies.update(status=PhysicalCopyStatus.MISSING)
    assert not RawDataPackage.objects.awaiting_bundling().exists()
    assert bundle_raw_data_packages(world.ccat_buffer) == []


def test_a_made_bundle_has_facts_and_a_copy(world):
    bundle = world.made_bundle(executions=2)
    assert (bundle.status, bundle.size_bytes, bundle.checksum) == (Status.COMPLETED, 2 * 3_512 + 512, digest(bundle))
    copy = world.copy(bundle, world.ccat_buffer)
    assert (copy.status, copy.checksum) == (PhysicalCopyStatus.PRESENT, bundle.checksum)
    complete_bundling(bundle, worker=WORKER, size_bytes=2 * 3_512 + 512, checksum=digest(bundle))
    assert bundle.copies.count() == 1


def test_a_bundle_smaller_than_its_packages_is_refused(world):
    world.made_packages()
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    work.claim(DataTransferPackage.objects.awaiting_building(), limit=1, worker=WORKER)
    with pytest.raises(Refused, match="can't hold its packages"):
        complete_bundling(bundle, worker=WORKER, size_bytes=3_511, checksum=WRONG)


def test_a_raw_copy_that_a_bundle_is_made_of_can_not_be_deleted(world):
    [package] = world.made_packages()
    bundle_raw_data_packages(world.ccat_buffer)
    with pytest.raises(IntegrityError, match="deletion rule 2"):
        package.copies.update(status=PhysicalCopyStatus.DELETION_SCHEDULED)


# What could not be made, or was reported wrongly


def test_packages_whose_making_failed_for_good_are_failed_until_it_is_reset(world):
    packages = RawDataPackage.objects.order_by("pk")

    def give_up(item):
        work.claim(type(item).objects.filter(pk=item.pk), limit=1, worker=WORKER)
        work.fail(item, worker=WORKER, message="disk full", retryable=False)

    [package] = world.plan_packages()
    give_up(package)
    assert package.state == packages.get().state == PackageState.FAILED
    work.reset(package)
    assert packages.get().state == PackageState.WAITING
    world.make(package)
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    give_up(bundle)
    assert packages.get().state == PackageState.FAILED
    work.reset(bundle)
    assert packages.get().state == PackageState.WAITING
    world.make_bundle(bundle)
    world.deliver()
    assert packages.get().state == PackageState.ARCHIVED


def test_the_making_of_a_package_decides_on_no_other_state_than_its_own_failure(world):
    [package] = world.plan_packages()
    rows = RawDataPackage.objects.filter(pk=package.pk)

    def stays(state, **changes):
        rows.update(**changes)
        assert rows.get().state == state

    rows.update(state=PackageState.TRANSFERRING)
    stays(PackageState.TRANSFERRING, status=Status.FAILED, finished_at=timezone.now(), failure_message="disk full")
    rows.update(state=PackageState.WAITING)
    stays(PackageState.WAITING, status=Status.FAILED)
    rows.update(state=PackageState.TRANSFERRING)
    stays(PackageState.TRANSFERRING, status=Status.PENDING, finished_at=None)
    rows.update(state=PackageState.WAITING)
    world.make(package)
    rows.update(state=PackageState.FAILED)
    stays(PackageState.FAILED, status=Status.COMPLETED)


def reported_wrongly(world):
    """A package in Cologne whose unpacking failed, because its worker reported another checksum than its tar has."""
    [package] = world.plan_packages()
    world.make(package, checksum=WRONG)
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    world.make_bundle(bundle)
    plan_transfers()
    world.carry()
    [transfer] = claim_unpacking(worker=WORKER)
    DataTransfer.objects.update(max_retries=0)
    complete_unpacking(transfer, worker=WORKER, reports=[found(package, digest(package))])
    package.refresh_from_db()
    assert (transfer.unpack_status, package.state) == (Status.FAILED, PackageState.FAILED)
    return package, transfer


def correct(world, package, **facts):
    facts = {"location": world.ccat_buffer, "size_bytes": 3_512, "checksum": digest(package), **facts}
    return correct_packaging(package, user=world.user, reason="read the disk before the cache was written", **facts)


def test_a_package_whose_checksum_was_reported_wrongly_is_corrected_and_archived(world):
    package, transfer = reported_wrongly(world)
    told = explain_row(package)
    assert told.who == "operator"
    assert re.search(f"correct_packaging; then .*data_transfer {transfer.pk} .*reset_unpacking", told.next_step)
    for _ in range(2):
        correct(world, package)
        assert (package.state, package.checksum) == (PackageState.WAITING, digest(package))
    assert "correct_packaging" not in explain_row(package).next_step
    copy = world.copy(package, world.ccat_buffer)
    assert (copy.status, copy.verification, copy.checksum) == ("present", "unverified", digest(package))
    [change] = ChangeLog.objects.of(package).filter(before__checksum=WRONG)
    assert (change.user, change.reason) == (world.user, "read the disk before the cache was written")
    reset_unpacking(transfer)
    world.unpack()
    world.archive()
    package.refresh_from_db()
    assert package.state == PackageState.ARCHIVED


def test_a_corrected_copy_that_was_called_corrupt_is_verified_again_by_a_fixity_check(world):
    package, _ = reported_wrongly(world)
    copy = world.copy(package, world.ccat_buffer)
    record_fixity(copy, digest(package))
    assert copy.status == PhysicalCopyStatus.CORRUPT
    correct(world, package, checksum=digest(package))
    copy.refresh_from_db()
    assert (copy.status, copy.verification) == (PhysicalCopyStatus.PRESENT, Verification.VERIFIED)
    assert copy.fixity_checks.latest("checked_at").checked_by == world.user.get_username()
    with pytest.raises(Refused, match=f"raw_data_package {package.pk}: .*physical_copy {copy.pk} was verified"):
        correct(world, package, checksum="a" * 64)


def test_who_acts_has_checked_a_corrected_copy_whoever_is_named(world):
    package, _ = reported_wrongly(world)
    copy = world.copy(package, world.ccat_buffer)
    record_fixity(copy, digest(package))
    operator = UserFactory()
    with attributed(user=operator):
        correct(world, package)
    assert copy.fixity_checks.latest("checked_at").checked_by == operator.get_username()


def test_a_correction_by_nobody_known_names_nobody(world):
    package, _ = reported_wrongly(world)
    copy = world.copy(package, world.ccat_buffer)
    record_fixity(copy, digest(package))
    correct_packaging(
        package, user=None, reason="x", location=world.ccat_buffer, size_bytes=3_512, checksum=digest(package)
    )
    assert copy.fixity_checks.latest("checked_at").checked_by == ""


def test_a_tar_that_was_written_again_with_another_size_is_corrected_once_more(world):
    package, _ = reported_wrongly(world)
    correct(world, package, size_bytes=10_000)
    assert package.metadata.access_estsize == 10
    correct(world, package, size_bytes=20_000, checksum="a" * 64)
    package.refresh_from_db()
    assert (package.size_bytes, package.metadata.access_estsize) == (20_000, 20)
    with pytest.raises(Refused, match="can't hold its files"):
        correct(world, package, size_bytes=1)
    assert RawDataPackage.objects.get().size_bytes == 20_000


def test_what_was_verified_or_not_made_can_not_be_corrected(world):
    archived = world.archived_package()
    with pytest.raises(Refused, match="was verified against its checksum"):
        correct(world, archived, checksum=WRONG)
    for copy in archived.copies.filter(verification=Verification.VERIFIED):
        record_fixity(copy, "a" * 64)
    assert not archived.copies.filter(verification=Verification.VERIFIED).exists()
    with pytest.raises(Refused, match="cannot be changed"):
        correct(world, archived, checksum="a" * 64)
    bundle = archived.data_transfer_package
    with pytest.raises(Refused, match=f"data_transfer_package {bundle.pk}: .*was verified"):
        correct_bundling(bundle, user=world.user, reason="typo", size_bytes=9_999, checksum=WRONG)
    [planned] = world.plan_packages()
    with pytest.raises(Refused, match="is pending, so that nothing was reported"):
        correct(world, planned)
    with pytest.raises(Refused, match="not a buffer"):
        correct(world, planned, location=world.source)
    with pytest.raises(OpsdbError, match="give the reason"):
        correct_packaging(
            planned, user=world.user, reason=" ", location=world.ccat_buffer, size_bytes=1, checksum=WRONG
        )


def test_a_bundle_whose_checksum_was_reported_wrongly_is_corrected_and_delivered(world):
    [package] = world.made_packages()
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    world.make_bundle(bundle, checksum=WRONG)
    plan_transfers()
    DataTransfer.objects.update(max_retries=0)
    [transfer] = claim_transfers(worker=WORKER)
    complete_transfer(transfer, worker=WORKER, checksum=digest(bundle))
    assert RawDataPackage.objects.get().state == PackageState.FAILED
    assert "correct_bundling; then" in explain_row(package).next_step
    facts = {"size_bytes": bundle.size_bytes, "checksum": digest(bundle)}
    correct_bundling(bundle, user=world.user, reason="typo", **facts)
    assert ChangeLog.objects.of(bundle).filter(reason="typo", user=world.user).exists()
    reset_transfer(transfer)
    world.deliver()
    package.refresh_from_db()
    assert package.state == PackageState.ARCHIVED


# Races


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round", range(2))
def test_of_a_correction_and_an_arrival_that_verifies_what_is_recorded_one_wins(round):
    world = build_world()
    package, transfer = reported_wrongly(world)
    reset_unpacking(transfer)
    claim_unpacking(worker=WORKER)

    def act(number):
        if number:
            return correct(world, RawDataPackage.objects.get())
        return complete_unpacking(transfer, worker=WORKER, reports=[found(package, WRONG)])

    arrived, corrected = race(2, act)
    package.refresh_from_db()
    there = world.copy(package, world.cologne_buffer)
    if isinstance(corrected, Refused):
        assert (package.checksum, there.verification) == (WRONG, Verification.VERIFIED)
    else:
        assert (package.checksum, there.verification) == (digest(package), Verification.MISMATCH)
        assert arrived.unpack_status == Status.FAILED


@pytest.mark.django_db(transaction=True)
def test_two_managers_that_package_at_once_put_every_file_into_one_package(settings):
    world = build_world()
    settings.OPSDB_MAX_PACKAGE_BYTES = 7 * 1_000
    for _ in range(6):
        world.register(world.observe(), files=20)
    made = race(3, lambda number: package_raw_data_files(world.source))
    assert not RawDataFile.objects.unpackaged().exists()
    assert sum(map(len, made)) == RawDataPackage.objects.count() == 6 * 3
    held = RawDataPackage.objects.annotate(held=Count("raw_data_files"), bytes=Sum("raw_data_files__size_bytes"))
    assert all(package.held == package.file_count and package.bytes <= 7_000 for package in held)


@pytest.mark.django_db(transaction=True)
def test_two_managers_that_bundle_at_once_put_every_package_into_one_bundle(settings):
    world = build_world()
    world.made_packages(executions=8)
    settings.OPSDB_MAX_TRANSFER_PACKAGE_BYTES = 3 * 3_512
    made = race(3, lambda number: bundle_raw_data_packages(world.ccat_buffer))
    assert sum(map(len, made)) == DataTransferPackage.objects.count() == 3
    assert not RawDataPackage.objects.awaiting_bundling().exists()
