"""Archives that have lost a copy get it again from one that has not."""

import pytest
from django.db import IntegrityError, transaction

from opsdb.models import DataLocation, LongTermArchiveTransfer, PhysicalCopy, Verification
from opsdb.testing.factories import TapeDataLocationFactory
from opsdb.testing.nights import WORKER, WRONG, build_world, out_of_use
from opsdb.workflows import (
    Refused,
    claim_archive_transfers,
    complete_archive_transfer,
    explain_row,
    fail_archive_transfer,
    fail_fixity,
    plan_repairs,
    record_fixity,
    repair_copy,
    repair_package,
    reset_archive_transfer,
    write_off_copy,
)
from tests.workflows.explaining import check
from tests.workflows.scenario_deletion import force
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    """An observatory with an archived package."""
    world = build_world()
    world.package = world.archived_package()
    return world


def without_buffers(world, package):
    """Forget all copies outside archives."""
    for copy in PhysicalCopy.objects.of_content_of(package).exclude(data_location__in=world.archives):
        force(copy, status="missing")


@pytest.fixture
def package(world):
    """A package that only the two archives have."""
    without_buffers(world, world.package)
    return world.package


def finish(transfer, checksum=None):
    [claimed] = claim_archive_transfers(worker=WORKER)
    assert claimed == transfer
    return complete_archive_transfer(claimed, worker=WORKER, checksum=checksum or transfer.raw_data_package.checksum)


def lose(copy, how):
    if how == "corrupt":
        record_fixity(copy, WRONG)
    elif how == "missing":
        fail_fixity(copy, message="no such file", absent=True)
    else:
        for _ in range(3):
            fail_fixity(copy, message="Input/output error")


@pytest.mark.parametrize("how", ["corrupt", "missing", "unreadable"])
def test_a_lost_copy_is_replaced_from_the_other_archive_and_verified_again(world, package, how):
    lost = world.copy(package, world.us_archive)
    lose(lost, how)
    check(package, "^operator$", "plan its repair", "1 verified copy", "us/archive should hold one, too")
    check(lost, "^operator$", "plan its repair", state=lost.status)
    [repair] = plan_repairs()
    assert repair.origin_location_id == world.cologne_archive.pk
    assert repair.destination_location_id == world.us_archive.pk
    assert plan_repairs() == []
    check(package, "worker at queue us_archive_long_term_archive_transfer", "claim it", "1 verified copy")
    check(lost, "worker at queue us_archive_long_term_archive_transfer", "claim it")
    assert finish(repair).status == "completed"
    lost.refresh_from_db()
    assert (lost.status, lost.verification, lost.unread_count) == ("present", Verification.VERIFIED, 0)
    assert explain_row(package).done
    assert plan_repairs() == []


def test_a_copy_at_the_same_site_is_read_first(world):
    package = world.package
    record_fixity(world.copy(package, world.us_archive), WRONG)
    [repair] = plan_repairs()
    assert repair.origin_location_id == world.us_buffer.pk


def test_a_repair_that_fails_stays_until_it_is_reset(world, package):
    record_fixity(world.copy(package, world.us_archive), WRONG)
    [repair] = repair_package(package)
    [claimed] = claim_archive_transfers(worker=WORKER)
    fail_archive_transfer(claimed, worker=WORKER, message="tape drive", retryable=False)
    assert plan_repairs() == []
    with pytest.raises(Refused, match="is failed; reset it"):
        repair_package(package)
    check(package, "^operator$", "reset", "tape drive")
    reset_archive_transfer(repair)
    assert finish(repair).status == "completed"


def test_a_new_archive_is_filled_from_the_others(world, package):
    new = TapeDataLocationFactory(site=world.cologne, name="vault", archive=True)
    check(package, "^operator$", "plan its repair", "cologne/vault should hold one, too")
    assert plan_repairs() == []
    [repair] = repair_package(package)
    assert finish(repair).destination_location_id == new.pk
    assert explain_row(package).done


def test_what_needs_no_repair_or_can_have_none_is_refused(world, package):
    with pytest.raises(Refused, match="every active archive holds"):
        repair_package(package)
    [planned] = world.plan_packages()
    with pytest.raises(Refused, match="no archive has had it yet"):
        repair_package(planned)
    with pytest.raises(Refused, match="no copy of a raw data package in an archive"):
        repair_copy(PhysicalCopy.objects.exclude(data_location__in=world.archives).first())
    for archive in world.archives:
        record_fixity(world.copy(package, archive), WRONG)
    with pytest.raises(Refused, match="no copy of it is verified"):
        repair_package(package)
    assert plan_repairs() == []
    check(package, "^operator$", "replace the bytes of physical_copy ", "0 verified copies")
    copy = world.copy(package, world.us_archive)
    check(copy, "^operator$", f"replace the bytes of physical_copy {copy.pk} at us/archive by the right ones")


def test_one_without_a_good_copy_does_not_hide_the_others(world, package):
    other = world.archived_package()
    for archive in world.archives:
        record_fixity(world.copy(package, archive), WRONG)
    record_fixity(world.copy(other, world.us_archive), WRONG)
    assert [repair.raw_data_package_id for repair in plan_repairs(limit=1)] == [other.pk]


def test_an_inactive_archive_is_not_repaired_and_not_missed(world, package):
    record_fixity(world.copy(package, world.us_archive), WRONG)
    with out_of_use(world.us_archive):
        assert plan_repairs() == []
        assert explain_row(package).done


def test_the_database_takes_no_second_transfer_of_what_an_archive_holds_well(world, package):
    with pytest.raises(IntegrityError, match="has a verified copy of raw_data_package"), transaction.atomic():
        LongTermArchiveTransfer.objects.create(raw_data_package=package, destination_location=world.us_archive)
    record_fixity(world.copy(package, world.us_archive), WRONG)
    LongTermArchiveTransfer.objects.create(raw_data_package=package, destination_location=world.us_archive)
    with pytest.raises(IntegrityError, match="unique"), transaction.atomic():
        LongTermArchiveTransfer.objects.create(raw_data_package=package, destination_location=world.us_archive)


def test_what_a_repair_reads_is_not_deleted_meanwhile(world):
    package = world.package
    record_fixity(world.copy(package, world.us_archive), WRONG)
    [repair] = plan_repairs()
    DataLocation.objects.update(retention_days=0)
    told = explain_row(world.copy(package, world.us_buffer))
    assert f"long_term_archive_transfer {repair.pk}" in "; ".join(told.why)
    with pytest.raises(Refused):
        write_off_copy(force(world.copy(package, world.us_archive), status="missing"))


def test_an_archive_copy_that_waits_for_its_check_is_explained_by_it(world, package):
    DataLocation.objects.update(fixity_interval_days=30)
    fail_fixity(world.copy(package, world.us_archive), message="Input/output error")
    check(package, "worker at queue us_archive_fixity_check", "read it again", "1 verified copy", "unverified")
