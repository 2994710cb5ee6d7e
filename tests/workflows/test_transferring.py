"""Transfers: once from the observatory, then from archive to archive; only what arrives unharmed counts."""

from dataclasses import replace

import pytest
from django.db import IntegrityError

from opsdb.database.identifiers import uuid7
from opsdb.models import (
    DataTransfer,
    DataTransferRoute,
    LogLevel,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
    Status,
    TransferKind,
    Verification,
)
from opsdb.testing.factories import (
    DataTransferRouteFactory,
    DiskDataLocationFactory,
    SiteFactory,
    TapeDataLocationFactory,
)
from opsdb.testing.nights import WORKER, WRONG, build_world, found, out_of_use
from opsdb.workflows import (
    CompletionConflict,
    Conflict,
    CopyReport,
    InvalidTransition,
    LostClaim,
    NoRoute,
    NotFound,
    Refused,
    claim_archive_transfers,
    claim_transfers,
    complete_archive_transfer,
    complete_transfer,
    explain_row,
    fail_transfer,
    plan_archiving,
    plan_transfers,
    record_arrivals,
    reroute_transfer,
    reset_transfer,
    work,
)
from tests.workflows.racing import overtaken, race
from tests.workflows.transferring import ends, made_bundles, only_by_relay, states
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    return build_world()


# Plan


def test_archive_sites_take_turns_with_primary_transfers(world):
    made_bundles(world, 2)
    assert [destination for _, destination in ends(plan_transfers(limit=2))] == ["cologne", "us"]
    made_bundles(world, 3)
    assert [destination for _, destination in ends(plan_transfers())] == ["cologne", "us", "cologne"]
    assert set(DataTransfer.objects.values_list("kind", flat=True)) == {TransferKind.PRIMARY}


def test_a_site_that_no_way_leads_to_is_passed_over_in_turn(world):
    made_bundles(world, 3)
    with out_of_use(world.us_buffer):
        assert {destination for _, destination in ends(plan_transfers())} == {"cologne"}


def test_a_package_gets_one_primary_transfer_even_when_it_failed(world):
    transfer = world.begun_transfer()
    assert plan_transfers() == []
    fail_transfer(transfer, worker=WORKER, message="no network", retryable=False)
    assert plan_transfers() == []


def test_when_nothing_can_be_planned_the_reason_is_said(world):
    world.made_bundle()
    with (
        out_of_use(world.us_archive, world.cologne_archive),
        pytest.raises(NoRoute, match="no site with an active archive"),
    ):
        plan_transfers()
    with (
        out_of_use(world.us_buffer, world.cologne_buffer),
        pytest.raises(NoRoute, match="nothing can be sent from there to an archive.*cologne.*us"),
    ):
        plan_transfers()


def test_what_was_made_at_the_only_archive_site_stays_there_and_does_not_hold_up_others(world):
    source = DiskDataLocationFactory(site=world.us, source=True, instrument=world.module.instrument)
    stays = replace(world, source=source, ccat_buffer=world.us_buffer).made_bundle()
    bundle = world.made_bundle()
    with out_of_use(world.cologne_archive):
        [transfer] = plan_transfers()
        assert transfer.data_transfer_package_id == bundle.pk
        assert plan_transfers() == []
    [transfer] = plan_transfers()
    assert transfer.data_transfer_package_id == stays.pk


def test_what_can_not_be_read_at_its_origin_is_not_planned(world):
    bundle = world.made_bundle()
    bundle.copies.update(status=PhysicalCopyStatus.MISSING)
    assert plan_transfers() == []
    bundle.copies.update(status=PhysicalCopyStatus.PRESENT)
    assert len(plan_transfers()) == 1


def test_what_has_arrived_goes_on_to_the_other_archive_sites(world):
    bundle = world.made_bundle()
    paris = SiteFactory(short_name="paris")
    DiskDataLocationFactory(site=paris, name="buffer")
    TapeDataLocationFactory(site=paris, archive=True)
    plan_transfers()
    assert plan_transfers() == []
    world.carry()
    secondary = plan_transfers()
    assert sorted(ends(secondary)) == [("cologne", "paris"), ("cologne", "us")]
    assert {transfer.kind for transfer in secondary} == {TransferKind.SECONDARY}
    world.carry()
    assert plan_transfers() == []
    assert bundle.data_transfers.count() == 3


def test_a_secondary_transfer_waits_until_a_way_leads_there(world):
    world.made_bundle()
    plan_transfers()
    world.carry()
    with out_of_use(world.us_buffer):
        assert plan_transfers() == []
    assert ends(plan_transfers()) == [("cologne", "us")]


def test_the_copy_that_an_open_transfer_reads_can_not_be_deleted(world):
    package = world.archived_package()
    bundle = package.data_transfer_package
    TapeDataLocationFactory(site=(paris := SiteFactory(short_name="paris")), archive=True)
    DiskDataLocationFactory(site=paris)
    type(world.cologne_buffer).objects.filter(pk=world.cologne_buffer.pk).update(retention_days=0)
    [transfer] = plan_transfers()
    copy = PhysicalCopy.objects.at(transfer.origin_location).of(bundle)
    with pytest.raises(IntegrityError, match=f"deletion rule 3: data_transfer {transfer.pk} still needs it"):
        copy.update(status=PhysicalCopyStatus.DELETION_SCHEDULED)


# Relay


def test_a_relay_is_two_linked_transfers_of_which_the_second_waits_for_the_first(world):
    buffer = only_by_relay(world)
    world.made_bundle()
    first, second = plan_transfers()
    assert ends([first, second]) == [("ccat", "relay"), ("relay", "cologne")]
    assert second.depends_on_id == first.pk
    assert work.claim(DataTransfer.objects.claimable(), limit=10, worker=WORKER) == [first]
    assert claim_transfers(worker="other", limit=10) == []
    complete_transfer(first, worker=WORKER, checksum=first.data_transfer_package.checksum)
    assert claim_transfers(worker="other", limit=10, origin=buffer) == [second]


def test_a_relayed_package_is_unpacked_at_its_last_stop_only(world):
    only_by_relay(world)
    bundle = world.made_bundle()
    world.deliver()
    first, second = bundle.data_transfers.order_by("pk")
    assert (first.unpack_status, second.unpack_status) == (Status.COMPLETED, Status.COMPLETED)
    package = bundle.raw_data_packages.get()
    assert set(package.copies.values_list("data_location__site__short_name", flat=True)) == {"ccat", "cologne"}
    assert package.state == PackageState.ARCHIVED


def test_a_relay_site_with_an_archive_keeps_what_passes_through(world):
    DataTransferRoute.objects.all().delete()
    DataTransferRouteFactory(origin_site=world.ccat, destination_site=world.cologne, relay=True, relay_site=world.us)
    package = world.archived_package()
    assert package.data_transfer_package.data_transfers.count() == 2
    assert package.copies.filter(data_location=world.us_archive, verification=Verification.VERIFIED).exists()


def test_a_last_stop_is_unpacked_though_its_archive_went_out_of_use_meanwhile(world):
    world.made_bundle()
    plan_transfers()
    with out_of_use(world.cologne_archive):
        [transfer] = world.carry()
    assert list(DataTransfer.objects.awaiting_unpack()) == [transfer]


# Carry


def test_a_transfer_takes_its_packages_from_waiting_to_transferring(world):
    world.made_bundle()
    plan_transfers()
    assert states(RawDataPackage.objects.all()) == {PackageState.WAITING}
    [transfer] = claim_transfers(worker=WORKER)
    assert (transfer.status, transfer.claimed_by) == (Status.IN_PROGRESS, WORKER)
    assert states(RawDataPackage.objects.all()) == {PackageState.TRANSFERRING}


def test_claims_can_be_bound_to_origin_and_destination(world):
    made_bundles(world, 2)
    plan_transfers()
    assert claim_transfers(worker=WORKER, limit=9, origin=world.us_buffer) == []
    [transfer] = claim_transfers(worker=WORKER, limit=9, destination=world.us_buffer)
    assert transfer.destination_location_id == world.us_buffer.pk


def test_transfers_to_a_location_out_of_use_are_not_begun(world):
    world.made_bundle()
    plan_transfers()
    with out_of_use(world.cologne_buffer):
        assert claim_transfers(worker=WORKER) == []
    assert len(claim_transfers(worker=WORKER)) == 1


def test_an_arrived_package_has_a_verified_copy_at_its_destination(world):
    transfer = world.begun_transfer()
    bundle = transfer.data_transfer_package
    complete_transfer(transfer, worker=WORKER, checksum=bundle.checksum, size_bytes=bundle.size_bytes)
    assert (transfer.status, transfer.bytes_transferred) == (Status.COMPLETED, bundle.size_bytes)
    copy = world.copy(bundle, world.cologne_buffer)
    assert (copy.status, copy.verification, copy.checksum) == ("present", "verified", bundle.checksum)


def test_an_arrival_can_be_reported_again(world):
    transfer = world.begun_transfer()
    for _ in range(2):
        complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
    assert transfer.log.filter(message__startswith="arrived").count() == 1
    with pytest.raises(CompletionConflict):
        complete_transfer(transfer, worker=WORKER, checksum=WRONG)
    with pytest.raises(InvalidTransition):
        complete_transfer(transfer, worker="other", checksum=transfer.data_transfer_package.checksum)


def test_a_mismatch_at_arrival_can_be_reported_again(world):
    transfer = world.begun_transfer()
    for _ in range(2):
        complete_transfer(transfer, worker=WORKER, checksum=WRONG)
        assert (transfer.status, transfer.retry_count) == (Status.PENDING, 1)
    assert transfer.log.filter(message__startswith="failed").count() == 1
    claim_transfers(worker="other")
    with pytest.raises(LostClaim, match="is claimed by other; stop, and claim other work"):
        complete_transfer(transfer, worker=WORKER, checksum=WRONG)


def test_a_failure_can_be_reported_again(world):
    transfer = world.begun_transfer()
    for _ in range(2):
        fail_transfer(transfer, worker=WORKER, message="connection lost")
        assert (transfer.status, transfer.retry_count) == (Status.PENDING, 1)
    assert transfer.log.filter(message__startswith="failed").count() == 1


@pytest.mark.parametrize("report", [{"checksum": WRONG}, {"size_bytes": 1}])
def test_a_wrong_checksum_or_size_fails_the_transfer_and_its_copy_never_counts(world, report):
    transfer = world.begun_transfer()
    bundle = transfer.data_transfer_package
    report = {"checksum": bundle.checksum, **report}
    for attempt in range(1, 4):
        complete_transfer(transfer, worker=WORKER, **report)
        assert (transfer.status, transfer.retry_count) == (Status.PENDING, attempt)
        copy = world.copy(bundle, world.cologne_buffer)
        assert (copy.status, copy.verification) == (PhysicalCopyStatus.CORRUPT, Verification.MISMATCH)
        claim_transfers(worker=WORKER)
    complete_transfer(transfer, worker=WORKER, **report)
    assert transfer.status == Status.FAILED
    assert "should be" in transfer.failure_message
    assert states(bundle.raw_data_packages.all()) == {PackageState.FAILED}
    assert plan_transfers() == []
    assert not DataTransfer.objects.awaiting_unpack().exists()
    assert not PhysicalCopy.objects.at(world.cologne_buffer).readable().exists()


def test_a_good_attempt_after_a_bad_one_makes_the_copy_good(world):
    transfer = world.begun_transfer()
    bundle = transfer.data_transfer_package
    complete_transfer(transfer, worker=WORKER, checksum=WRONG)
    claim_transfers(worker=WORKER)
    complete_transfer(transfer, worker=WORKER, checksum=bundle.checksum)
    assert transfer.status == Status.COMPLETED
    copy = world.copy(bundle, world.cologne_buffer)
    assert (copy.status, copy.verification) == (PhysicalCopyStatus.PRESENT, Verification.VERIFIED)


def test_a_checksum_of_another_kind_can_not_be_compared_and_changes_nothing(world):
    transfer = world.begun_transfer()
    with pytest.raises(Refused, match="can't compare md5 with sha256; report its sha256 checksum"):
        complete_transfer(transfer, worker=WORKER, checksum="0" * 32, checksum_algorithm="md5")
    transfer.refresh_from_db()
    assert (transfer.status, transfer.retry_count) == (Status.IN_PROGRESS, 0)
    assert not PhysicalCopy.objects.at(world.cologne_buffer).exists()


def test_a_worker_that_has_lost_its_claim_changes_nothing(world):
    transfer = world.begun_transfer()
    reset_transfer(transfer)
    claim_transfers(worker="other")
    with pytest.raises(LostClaim):
        complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
    with pytest.raises(LostClaim):
        fail_transfer(transfer, worker=WORKER, message="late")
    assert not PhysicalCopy.objects.at(world.cologne_buffer).exists()


def test_packages_of_a_transfer_that_failed_for_good_are_failed_until_it_is_reset(world):
    transfer = world.begun_transfer()
    fail_transfer(transfer, worker=WORKER, message="no network", retryable=False)
    packages = transfer.data_transfer_package.raw_data_packages.all()
    assert states(packages) == {PackageState.FAILED}
    reset_transfer(transfer)
    assert (transfer.status, states(packages)) == (Status.PENDING, {PackageState.WAITING})


def test_a_failed_secondary_transfer_leaves_its_packages_as_they_are(world):
    package = world.archived_package()
    TapeDataLocationFactory(site=(paris := SiteFactory(short_name="paris")), archive=True)
    DiskDataLocationFactory(site=paris)
    plan_transfers()
    [transfer] = claim_transfers(worker=WORKER)
    fail_transfer(transfer, worker=WORKER, message="no network", retryable=False)
    assert states([package]) == {PackageState.ARCHIVED}


def test_every_step_of_a_transfer_leaves_a_line_in_its_log(world):
    transfer = world.begun_transfer()
    fail_transfer(transfer, worker=WORKER, message="x" * 2_000, log_path="logs/1.txt")
    reset = claim_transfers(worker=WORKER)[0]
    complete_transfer(reset, worker=WORKER, checksum=reset.data_transfer_package.checksum)
    world.unpack()
    lines = list(transfer.log.order_by("pk"))
    assert [line.message.split(":")[0].split(",")[0] for line in lines] == [
        "planned",
        "claimed by worker",
        "failed",
        "claimed by worker",
        "arrived",
        "unpacking claimed by worker",
        "unpacked 1 packages",
    ]
    assert (lines[2].level, lines[2].status, lines[2].log_path) == (LogLevel.ERROR, Status.PENDING, "logs/1.txt")


# Reroute


def test_a_transfer_is_rerouted_to_the_next_buffer_of_its_site(world):
    world.made_bundle()
    [old] = plan_transfers()
    spare = DiskDataLocationFactory(site=world.cologne, name="spare", priority=9)
    with out_of_use(world.cologne_buffer):
        [new] = reroute_transfer(old)
    old.refresh_from_db()
    assert (old.status, old.failure_message) == (Status.FAILED, "rerouted")
    assert (new.origin_location_id, new.destination_location_id) == (world.ccat_buffer.pk, spare.pk)
    assert claim_transfers(worker=WORKER, limit=9) == [new]


def test_a_primary_transfer_is_rerouted_to_the_next_site_when_its_own_is_gone(world):
    transfer = world.begun_transfer()
    fail_transfer(transfer, worker=WORKER, message="no network", retryable=False)
    with out_of_use(world.cologne_buffer, *world.routes[:1]):
        [new] = reroute_transfer(transfer)
    assert ends([new]) == [("ccat", "us")]
    assert states(transfer.data_transfer_package.raw_data_packages.all()) == {PackageState.WAITING}
    world.carry()
    assert ends(plan_transfers()) == [("us", "cologne")]


def test_both_hops_of_a_relay_are_rerouted_together(world):
    only_by_relay(world)
    world.made_bundle()
    first, second = plan_transfers()
    DataTransferRoute.objects.update(active=False)
    [direct] = reroute_transfer(first)
    assert ends([direct]) == [("ccat", "cologne")]
    second.refresh_from_db()
    assert second.status == Status.FAILED


def test_the_second_hop_of_a_relay_is_rerouted_from_where_the_package_is(world):
    only_by_relay(world)
    world.made_bundle()
    first, second = plan_transfers()
    world.carry()
    spare = DiskDataLocationFactory(site=world.cologne, name="spare", priority=9)
    with out_of_use(world.cologne_buffer):
        [new] = reroute_transfer(second)
    assert (ends([new]), new.destination_location_id, new.depends_on_id) == ([("relay", "cologne")], spare.pk, first.pk)


def test_what_a_worker_is_at_or_has_done_is_not_rerouted(world):
    transfer = world.begun_transfer()
    with pytest.raises(InvalidTransition, match="from in_progress to failed; it can become: pending, completed"):
        reroute_transfer(transfer)
    complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
    with pytest.raises(InvalidTransition, match="final"):
        reroute_transfer(transfer)


def test_a_transfer_is_not_reset_when_its_package_goes_there_by_another(world):
    transfer = world.begun_transfer()
    fail_transfer(transfer, worker=WORKER, message="no network", retryable=False)
    reroute_transfer(transfer)
    with pytest.raises(Conflict, match="has another transfer to (cologne|us)/buffer"):
        reset_transfer(transfer)


def test_what_does_not_exist_can_not_arrive(world):
    with pytest.raises(NotFound, match="there is no such row"):
        record_arrivals(world.us_buffer, [CopyReport(RawDataPackage(pk=uuid7()), WRONG)], worker=WORKER)


def test_what_is_being_deleted_can_not_arrive(world):
    package = world.archived_package()
    type(world.cologne_buffer).objects.filter(pk=world.cologne_buffer.pk).update(retention_days=0)
    copies = PhysicalCopy.objects.at(world.cologne_buffer).of(package)
    copies.update(status=PhysicalCopyStatus.DELETION_SCHEDULED)
    assert record_arrivals(world.cologne_buffer, [found(package)], worker=WORKER) == []
    assert copies.get().status == PhysicalCopyStatus.PRESENT
    copies.update(status=PhysicalCopyStatus.DELETION_SCHEDULED)
    copies.update(status=PhysicalCopyStatus.DELETION_IN_PROGRESS)
    with pytest.raises(InvalidTransition, match="from deletion_in_progress to present"):
        record_arrivals(world.cologne_buffer, [found(package)], worker=WORKER)


# Races


@pytest.mark.django_db(transaction=True)
def test_two_managers_that_plan_at_once_plan_every_transfer_once_and_keep_the_turns():
    world = build_world()
    made_bundles(world, 6)
    planned = race(3, lambda number: plan_transfers(limit=2))
    assert all(isinstance(transfers, list) for transfers in planned), planned
    transfers = DataTransfer.objects.order_by("pk")
    assert transfers.values("data_transfer_package").distinct().count() == transfers.count() == 6
    assert [destination for _, destination in ends(transfers)] == ["cologne", "us"] * 3


@pytest.mark.django_db(transaction=True)
def test_two_managers_that_plan_secondary_transfers_at_once_plan_each_once():
    world = build_world()
    made_bundles(world, 3)
    plan_transfers()
    world.carry()
    planned = race(3, lambda number: plan_transfers())
    assert all(isinstance(transfers, list) for transfers in planned), planned
    assert DataTransfer.objects.filter(kind=TransferKind.SECONDARY).count() == 3


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_race_for_one_transfer_exactly_one_wins():
    world = build_world()
    world.made_bundle()
    plan_transfers()
    claimed = race(4, lambda number: claim_transfers(worker=f"worker {number}", limit=5))
    assert sorted(map(len, claimed)) == [0, 0, 0, 1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deletion_first", [True, False])
def test_planning_a_transfer_and_deleting_what_it_reads_never_both_succeed(deletion_first):
    world = build_world()
    bundle = world.archived_package().data_transfer_package
    TapeDataLocationFactory(site=(paris := SiteFactory(short_name="paris")), archive=True)
    DiskDataLocationFactory(site=paris)
    type(world.cologne_buffer).objects.filter(pk=world.cologne_buffer.pk).update(retention_days=0)
    copies = PhysicalCopy.objects.at(world.cologne_buffer).of(bundle)

    def delete():
        return copies.update(status=PhysicalCopyStatus.DELETION_SCHEDULED)

    if deletion_first:
        [transfer] = overtaken(delete, plan_transfers)
        assert transfer.origin_location_id == world.us_buffer.pk
    else:
        assert "deletion rule 3: data_transfer" in str(overtaken(plan_transfers, delete))


def test_what_is_made_at_the_only_archive_site_need_not_travel(world):
    archive = TapeDataLocationFactory(site=world.ccat, name="archive", archive=True)
    with out_of_use(world.cologne_archive, world.us_archive):
        bundle = world.made_bundle()
        assert plan_transfers() == []
        told = explain_row(bundle)
        assert (told.done, told.next_step) == (True, "nothing")
        plan_archiving(archive)
        [transfer] = claim_archive_transfers(worker=WORKER)
        complete_archive_transfer(transfer, worker=WORKER, checksum=transfer.raw_data_package.checksum)
    assert states(bundle.raw_data_packages.all()) == {PackageState.ARCHIVED}


def test_what_is_made_at_an_archive_site_without_a_way_to_the_others_holds_nothing_up(world):
    TapeDataLocationFactory(site=world.ccat, name="archive", archive=True)
    world.made_bundle()
    with out_of_use(world.cologne_buffer, world.us_buffer):
        assert plan_transfers() == []
    assert ends(plan_transfers()) == [("ccat", "cologne")]
