"""Full places are passed over, and what waits for room says so."""

from datetime import timedelta

import pytest

from opsdb.models import DataLocation, DataTransfer, LongTermArchiveTransfer, PhysicalCopy
from opsdb.testing.factories import DiskDataLocationFactory
from opsdb.testing.nights import WRONG, build_world
from opsdb.workflows import (
    NoRoom,
    count_booked_bytes,
    count_free_bytes,
    explain_row,
    plan_archiving,
    plan_repairs,
    plan_transfers,
    record_fixity,
    request_staging,
    reroute_transfer,
)
from tests.workflows.explaining import check
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    return build_world()


def limit(location, capacity, **facts):
    DataLocation.objects.filter(pk=location.pk).update(capacity_bytes=capacity, **facts)
    location.refresh_from_db()


def ends_of(transfers):
    return [transfer.destination_location_id for transfer in transfers]


def test_what_is_on_its_way_counts_as_being_there(world):
    bundle = world.made_bundle()
    limit(world.cologne_buffer, bundle.size_bytes)
    assert count_free_bytes(world.us_buffer) is None
    plan_transfers()
    assert count_booked_bytes(world.cologne_buffer) == bundle.size_bytes
    assert count_free_bytes(world.cologne_buffer) == 0
    [transfer] = world.carry()
    assert (count_booked_bytes(world.cologne_buffer), count_free_bytes(world.cologne_buffer)) == (0, 0)
    assert transfer.destination_location_id == world.cologne_buffer.pk


def test_a_full_buffer_is_passed_over_for_another_buffer_and_then_for_another_site(world):
    bundle = world.made_bundle()
    other = world.made_bundle()
    spare = DiskDataLocationFactory(site=world.cologne, name="spare", priority=9)
    limit(world.cologne_buffer, 1)
    limit(spare, bundle.size_bytes)
    limit(world.us_buffer, other.size_bytes - 1)
    assert ends_of(plan_transfers()) == [spare.pk], "one fits, and is booked; the other waits"
    limit(world.us_buffer, other.size_bytes)
    assert ends_of(plan_transfers()) == [world.us_buffer.pk]


def test_a_bundle_that_fits_nowhere_waits_and_says_when_there_is_room(world):
    bundle = world.made_bundle()
    for buffer in (world.cologne_buffer, world.us_buffer):
        limit(buffer, 1)
    assert plan_transfers() == []
    check(bundle, "^operator$", "make room at cologne/buffer", "is full", "has no retention")
    for buffer in (world.cologne_buffer, world.us_buffer):
        limit(buffer, 1, retention_days=7)
    held = PhysicalCopy.objects.create(
        data_location_id=world.cologne_buffer.pk, data_transfer_package=world.made_bundle(), size_bytes=1
    )
    answer = check(
        bundle,
        "^manager$",
        "schedule deletions at cologne/buffer from ",
        "is full",
        "the retention of its oldest copy ends at ",
    )
    assert f"{held.arrived_at + timedelta(days=7):%Y-%m-%d %H:%M}" in answer.next_step
    for buffer in (world.cologne_buffer, world.us_buffer):
        limit(buffer, 10**9)
    check(bundle, "^manager$", "plan the transfers")
    assert len(plan_transfers()) == 2


def test_a_full_archive_waits_with_what_does_not_fit(world):
    world.made_bundle(executions=2)
    plan_transfers()
    world.carry()
    world.unpack()
    [copy, other] = (
        PhysicalCopy.objects.at(world.cologne_buffer)
        .filter(raw_data_package__isnull=False)
        .order_by("raw_data_package__created_at")
    )
    limit(world.cologne_archive, copy.raw_data_package.size_bytes)
    assert [transfer.raw_data_package_id for transfer in plan_archiving(world.cologne_archive)] == [
        copy.raw_data_package_id
    ]
    check(other.raw_data_package, "^operator$", "make room at cologne/archive", "is full")
    limit(world.cologne_archive, 10**9)
    assert len(plan_archiving(world.cologne_archive)) == LongTermArchiveTransfer.objects.count() - 1 == 1


def test_staging_into_a_full_place_is_refused_and_a_repeated_request_is_not(world):
    package = world.archived_package()
    limit(world.processing, package.size_bytes)
    job = request_staging(location=world.processing, packages=[package], purpose="maps")
    assert request_staging(location=world.processing, packages=[package], purpose="maps") == job
    other = world.archived_package()
    with pytest.raises(NoRoom, match="cologne/ramses is full: with what is on its way there, 0 bytes are free"):
        request_staging(location=world.processing, packages=[other], purpose="maps")
    limit(world.processing, package.size_bytes + other.size_bytes)
    assert request_staging(location=world.processing, packages=[package, other], purpose="spectra").pk != job.pk


def test_no_other_way_is_taken_to_a_full_place(world):
    world.made_bundle()
    [transfer] = plan_transfers()
    for buffer in (world.cologne_buffer, world.us_buffer):
        limit(buffer, 1)
    with pytest.raises(NoRoom):
        reroute_transfer(transfer)
    assert DataTransfer.objects.get().status == "pending"


def test_a_repair_needs_no_further_room(world):
    package = world.archived_package()
    record_fixity(world.copy(package, world.us_archive), WRONG)
    limit(world.us_archive, package.size_bytes)
    assert len(plan_repairs()) == 1
    assert not explain_row(package).done
