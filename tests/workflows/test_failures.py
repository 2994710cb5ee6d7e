"""Failures of all kinds in one list, and in groups of one cause."""

import pytest

from opsdb.models import DataTransfer, PhysicalCopy, PhysicalCopyStatus
from opsdb.testing import factories
from opsdb.testing.nights import WORKER, WRONG, build_world, out_of_use
from opsdb.workflows import (
    CompletionConflict,
    FailureKind,
    Remedy,
    claim_unpacking,
    complete_packaging,
    complete_transfer,
    explain_row,
    fail_fixity,
    fail_transfer,
    fail_unpacking,
    group_failures,
    list_failures,
    normalize_message,
    record_fixity,
    repair_copy,
)
from opsdb.workflows import failures as module
from tests.plans import assert_along_indexes, planning_without
from tests.workflows.explaining import stop_the_clock
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    return build_world()


def only():
    """The only failure."""
    [failure] = list_failures().failures
    return failure


def test_nothing_has_failed(db):
    found = list_failures()
    assert (found.failures, found.truncated, group_failures(found.failures)) == ([], [], [])


@pytest.mark.parametrize(
    ("factory", "place"),
    [
        (factories.RawDataPackageFactory, None),
        (factories.DataTransferPackageFactory, "origin_location"),
        (factories.DataTransferFactory, "destination_location"),
        (factories.LongTermArchiveTransferFactory, "destination_location"),
        (factories.StagingJobFactory, "destination_location"),
        (factories.ExecutedReductionStepFactory, "step.pipeline.processing_location"),
    ],
)
def test_failed_work_of_every_kind_is_listed_with_its_place(factory, place):
    row = factory(failed=True, failure_message="no space left on device")
    location = row
    for name in place.split(".") if place else ():
        location = getattr(location, name)
    failure = only()
    assert failure.row == f"{row._meta.db_table} {row.pk}"
    assert (failure.kind, failure.remedy) == (FailureKind.FAILED, Remedy.RESET)
    assert (failure.message, failure.since) == ("no space left on device", row.finished_at)
    assert failure.place == (f"{location.site}/{location}" if place else "")


def test_a_raw_data_package_is_at_the_source_of_its_files(world):
    [package] = world.plan_packages(files=1)
    type(package).objects.filter(pk=package.pk).update(status="in_progress", started_at=package.created_at)
    type(package).objects.filter(pk=package.pk).update(
        status="failed", failure_message="disk full", finished_at=package.created_at
    )
    assert only().place == "ccat/chai"


def test_stalled_work_is_listed_with_its_worker_until_it_fails(world):
    transfer = world.begun_transfer()
    assert list_failures().failures == []
    stop_the_clock(DataTransfer)
    stalled = only()
    assert (stalled.kind, stalled.worker, stalled.message) == (FailureKind.STALLED, WORKER, "")
    fail_transfer(transfer, worker=WORKER, message="no such host", retryable=False)
    failed = only()
    assert (failed.kind, failed.worker, failed.message) == (FailureKind.FAILED, "", "no such host")


def test_unpacking_is_listed_stalled_and_failed(world):
    transfer = world.begun_transfer()
    complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
    [transfer] = claim_unpacking(worker=WORKER)
    stop_the_clock(DataTransfer, unpack_heartbeat_at=1)
    assert (only().kind, only().worker) == (FailureKind.UNPACKING_STALLED, WORKER)
    fail_unpacking(transfer, worker=WORKER, message="not a tar", retryable=False)
    assert (only().kind, only().message) == (FailureKind.UNPACKING_FAILED, "not a tar")


def test_what_was_reported_twice_and_otherwise_is_listed(world):
    [package] = world.made_packages()
    with pytest.raises(CompletionConflict):
        complete_packaging(
            package, worker="another", location=world.ccat_buffer, size_bytes=package.size_bytes, checksum=WRONG
        )
    assert (only().kind, only().remedy) == (FailureKind.CONFLICT, Remedy.SETTLE)
    assert "another then reported" in only().message


def test_copies_are_listed_by_what_is_wrong_with_them(world):
    package = world.archived_package(files=3)
    unread, corrupt = world.copy(package, world.us_archive), world.copy(package, world.cologne_archive)
    missing = world.copy(package.raw_data_files.first(), world.source)
    fail_fixity(unread, message="input/output error")
    record_fixity(corrupt, WRONG)
    PhysicalCopy.objects.filter(pk=missing.pk).update(status=PhysicalCopyStatus.MISSING)
    found = {failure.row: failure for failure in list_failures().failures}
    assert found.keys() == {f"physical_copy {copy.pk}" for copy in (unread, corrupt, missing)}
    kinds = {row: (failure.kind, failure.place, failure.remedy) for row, failure in found.items()}
    assert kinds == {
        f"physical_copy {unread.pk}": (FailureKind.UNREADABLE, "us/archive", Remedy.VERIFY),
        f"physical_copy {corrupt.pk}": (FailureKind.CORRUPT, "cologne/archive", Remedy.REPAIR),
        f"physical_copy {missing.pk}": (FailureKind.MISSING, "ccat/chai", Remedy.RESTORE),
    }
    assert found[f"physical_copy {unread.pk}"].message == "input/output error"


def remedies():
    """What helps against each failure, by row."""
    return {failure.row: failure.remedy for failure in list_failures().failures}


@pytest.mark.parametrize("is_there", [True, False], ids=["corrupt", "missing"])
def test_a_bad_copy_is_repaired_or_brought_back_as_its_state_allows(world, is_there):
    package = world.archived_package()
    copy = world.copy(package, world.us_archive)
    name = f"physical_copy {copy.pk}"
    if is_there:
        record_fixity(copy, WRONG)
    else:
        fail_fixity(copy, message="no such file", absent=True)
    copy.refresh_from_db()
    assert remedies() == {name: Remedy.REPAIR} and "“Repair”" in explain_row(copy).next_step
    with out_of_use(world.us_archive):
        now = PhysicalCopy.objects.get(pk=copy.pk)
        assert remedies() == {name: Remedy.NONE} and "“Enable”" in explain_row(now).next_step
    [transfer] = repair_copy(copy)
    assert remedies() == {name: Remedy.NONE} and "claim it" in explain_row(copy).next_step
    transfer.delete()
    for other in package.copies.exclude(pk=copy.pk):
        record_fixity(other, WRONG)
    assert remedies()[name] == (Remedy.NONE if is_there else Remedy.RESTORE)
    assert ("“Bring back”" in explain_row(copy).next_step) != is_there


def test_one_group_may_need_two_acts(world):
    one, other = world.archived_package(), world.archived_package()
    bad = [world.copy(package, world.us_archive) for package in (one, other)]
    for copy in bad:
        fail_fixity(copy, message="no such file", absent=True)
    [group] = group_failures(list_failures().failures)
    assert group.remedies == [Remedy.REPAIR]
    for copy in other.copies.exclude(pk=bad[1].pk):
        record_fixity(copy, WRONG)
    found = next(one for one in group_failures(list_failures().failures) if one.name == group.name)
    assert {failure.row: failure.remedy for failure in found.failures} == {
        f"physical_copy {bad[0].pk}": Remedy.REPAIR,
        f"physical_copy {bad[1].pk}": Remedy.RESTORE,
    }
    assert set(found.remedies) == {Remedy.REPAIR, Remedy.RESTORE}


def test_bad_copies_cost_one_query_more_however_many(django_assert_num_queries):
    copies = [factories.RawDataPackagePhysicalCopyFactory() for _ in range(3)]
    for some in (copies[:1], copies):
        PhysicalCopy.objects.filter(pk__in=[copy.pk for copy in some]).update(status="missing")
        with django_assert_num_queries(2):
            assert len(list_failures().failures) == len(some)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("file 17 of 200: No space left on device.", "file 3 of 1,000: no space left on device"),
        ("/data/a/2026-01-01.g3: input/output error", "/data/b.g3: input/output error"),
        ("run/17/x.g3: gone", "run/18/y.g3: gone"),
        (
            "01a21843-6bef-704b-904e-c5c177149d80 differs: has ecc3ecfbe0123456",
            "01a21843-6bef-704b-904e-c5c177149d81 differs: has aaaaecfbe0123456",
        ),
        ("timed out after 30.5 s at 2026-06-15T09:56:35Z", "timed out after 31 s at 2026-06-16T10:00:00Z"),
        ("two  blanks\nand a line", "two blanks and a line"),
    ],
)
def test_messages_of_one_cause_are_one(one, other):
    assert normalize_message(one) == normalize_message(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no space left on device", "input/output error"),
        ("sha256 differs", "md5 differs"),
        ("read/write error", "read/only file system"),
    ],
)
def test_messages_of_two_causes_are_two(one, other):
    assert normalize_message(one) != normalize_message(other)


def test_a_group_is_of_one_cause_and_place_over_all_kinds():
    buffer = factories.DiskDataLocationFactory(location_type="buffer")
    first = factories.DataTransferFactory(failed=True, failure_message="17: disk full", destination_location=buffer)
    second = factories.DataTransferPackageFactory(failed=True, failure_message="18: Disk full", origin_location=buffer)
    other = factories.DataTransferFactory(failed=True, failure_message="19: disk full")
    groups = group_failures(list_failures().failures)
    assert [{failure.row for failure in group.failures} for group in groups] == [
        {f"data_transfer {first.pk}", f"data_transfer_package {second.pk}"},
        {f"data_transfer {other.pk}"},
    ]
    assert groups[0].place == f"{buffer.site}/{buffer}"
    names = [group.name for group in groups]
    assert names == [group.name for group in group_failures(list_failures().failures)]
    assert len(set(names)) == 2


def test_more_than_are_looked_at_are_left_out_and_it_is_noted(monkeypatch):
    monkeypatch.setattr(module, "LIMIT", 2)
    factories.DataTransferFactory.create_batch(3, failed=True)
    factories.StagingJobFactory.create_batch(2, failed=True)
    found = list_failures()
    assert len(found.failures) == 4
    assert found.truncated == [("data_transfer", FailureKind.FAILED)]


def test_the_list_is_one_query_along_indexes(django_assert_num_queries):
    factories.DataTransferFactory.create_batch(3, failed=True)
    with django_assert_num_queries(1):
        list_failures()
    with planning_without("seqscan", "sort"):
        assert_along_indexes(module.FAILURES.replace("%(before)s", "now()"))
