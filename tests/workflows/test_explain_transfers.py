"""Why a transfer, its unpacking, a transfer into an archive or a staging job is not completed yet."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsdb.models import (
    DataTransfer,
    DataTransferRoute,
    LongTermArchiveTransfer,
    PhysicalCopy,
    RawDataPackage,
    StagingJob,
)
from opsdb.testing.nights import WORKER, WRONG, build_world, out_of_use
from opsdb.workflows import (
    claim_archive_transfers,
    claim_staging,
    claim_transfers,
    claim_unpacking,
    complete_archive_transfer,
    complete_transfer,
    fail_archive_transfer,
    fail_transfer,
    fail_unpacking,
    plan_archiving,
    plan_transfers,
    record_fixity,
    release_staging,
    request_staging,
    reset_archive_transfer,
    reset_transfer,
    reset_unpacking,
    work,
)
from opsdb.workflows.explain import _since
from tests.workflows.explaining import check, made_at, stop_the_clock
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    return build_world()


def test_a_transfer_is_explained_in_every_state(world):
    bundle = world.made_bundle()
    package = bundle.raw_data_packages.get()
    [transfer] = plan_transfers()
    queue = "worker at queue ccat_buffer_data_transfer"
    check(transfer, queue, "claim it", "from ccat/buffer to cologne/buffer")
    check(package, queue, "claim it", f"data_transfer {transfer.pk}")
    with out_of_use(world.cologne_buffer):
        answer = check(transfer, "^operator$", "enable cologne/buffer (“Enable” in the admin", "is inactive")
        assert f"or reroute data_transfer {transfer.pk} (“Reroute” in the admin" in answer.next_step
    [transfer] = claim_transfers(worker=WORKER)
    check(package, queue, "finish it", f"{WORKER} has been working for", state="transferring")
    stop_the_clock(DataTransfer)
    check(transfer, "^operator$", "see whether the worker is alive", "its last heartbeat was ")
    fail_transfer(transfer, worker=WORKER, message="line down")
    check(transfer, queue, "claim it", "this is retry 1 of 3; the last attempt failed: line down")
    [transfer] = claim_transfers(worker=WORKER)
    fail_transfer(transfer, worker=WORKER, message="no such host", retryable=False)
    check(transfer, "^operator$", f"reset data_transfer {transfer.pk}", "no such host")
    check(package, "^operator$", f"reset data_transfer {transfer.pk}", "no such host", state="failed")


def test_unpacking_is_explained_in_every_state(world):
    transfer = world.begun_transfer()
    package = transfer.data_transfer_package.raw_data_packages.get()
    complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
    queue = "worker at queue cologne_buffer_data_transfer_unpacking"
    check(transfer, queue, "unpack it", "to be unpacked at cologne/buffer")
    check(package, queue, "unpack it")
    [transfer] = claim_unpacking(worker=WORKER)
    check(transfer, queue, "finish unpacking", f"{WORKER} unpacks it")
    stop_the_clock(DataTransfer, unpack_heartbeat_at=1)
    check(transfer, "^operator$", "reset the unpacking of data_transfer", "its last heartbeat was ")
    fail_unpacking(transfer, worker=WORKER, message="not a tar")
    check(transfer, queue, "unpack it", "this is retry 1 of 3; the last attempt failed: not a tar")
    [transfer] = claim_unpacking(worker=WORKER)
    fail_unpacking(transfer, worker=WORKER, message="really not a tar", retryable=False)
    check(transfer, "^operator$", "reset the unpacking of data_transfer", "really not a tar")
    check(package, "^operator$", "reset the unpacking of data_transfer", state="failed")


def test_the_second_hop_waits_for_the_first(world):
    DataTransferRoute.objects.update(active=False)
    DataTransferRoute.objects.create(
        name="by us",
        origin_site=world.ccat,
        destination_site=world.cologne,
        relay_site=world.us,
        route_type="relay",
        method="bbcp",
    )
    world.made_bundle()
    first, second = plan_transfers()
    answer = check(second, "worker at queue ccat_buffer_data_transfer", "claim it", f"data_transfer {first.pk}")
    assert "waits for the hop before it" in answer.why[0]


def test_archiving_is_explained_in_every_state(world):
    world.made_bundle()
    plan_transfers()
    world.carry()
    world.unpack()
    package = RawDataPackage.objects.get()
    check(package, "^manager$", "plan the archiving into cologne/archive", "nobody has planned", state="transferring")
    [transfer] = plan_archiving(world.cologne_archive)
    queue = "worker at queue cologne_archive_long_term_archive_transfer"
    check(package, queue, "claim it", "no archive has it yet", f"long_term_archive_transfer {transfer.pk}")
    with out_of_use(world.cologne_archive):
        check(transfer, "^operator$", "enable cologne/archive", "is inactive")
    [transfer] = claim_archive_transfers(worker=WORKER)
    check(transfer, queue, "finish it")
    stop_the_clock(LongTermArchiveTransfer)
    check(package, "^operator$", "see whether the worker is alive")
    fail_archive_transfer(transfer, worker=WORKER, message="tape jam")
    check(package, queue, "claim it", "tape jam")
    [transfer] = claim_archive_transfers(worker=WORKER)
    fail_archive_transfer(transfer, worker=WORKER, message="no tape", retryable=False)
    check(package, "^operator$", "reset long_term_archive_transfer", "no tape", state="failed")
    reset_archive_transfer(transfer)
    [transfer] = claim_archive_transfers(worker=WORKER)
    complete_archive_transfer(transfer, worker=WORKER, checksum=package.checksum)
    check(package, "^manager$", "plan further transfers", "1 verified copy", state="archived")
    check(transfer, "^nobody$", "nothing", "has had a verified copy for ", done=True)


def test_staging_is_explained_in_every_state(world):
    package = world.archived_package()
    job = request_staging(location=world.processing, packages=[package])
    queue = "worker at queue cologne_ramses_staging"
    check(job, queue, "claim it", "bringing 1 item to cologne/ramses")
    with out_of_use(world.processing):
        check(job, "^operator$", "enable cologne/ramses", "inactive")
    [claimed] = claim_staging(worker=WORKER)
    check(job, queue, "finish it")
    stop_the_clock(StagingJob)
    check(job, "^operator$", "see whether the worker is alive")
    work.fail(claimed, worker=WORKER, message="tape jam", retryable=False)
    check(job, "^operator$", "reset staging_job", "tape jam")
    work.reset(claimed)
    for copy in PhysicalCopy.objects.filter(raw_data_package=package):
        record_fixity(copy, WRONG)
    check(job, "^operator$", f"replace the bytes of a corrupt copy of raw_data_package {package.pk}", "can be read")
    release_staging(job)
    check(job, "^nobody$", "nothing", "no longer needed", done=True)


def test_a_staged_job_is_done(world):
    job = world.staged(world.archived_package())
    check(job, "^nobody$", "nothing", "its data are at ", done=True)


def test_work_waits_since_it_became_pending_and_not_since_it_was_made(world):
    transfer = world.begun_transfer()
    made_at(transfer, timezone.now() - timedelta(hours=7))
    fail_transfer(transfer, worker=WORKER, message="no such host", retryable=False)
    reset_transfer(transfer)
    check(transfer, "worker at queue", "claim it", "has been waiting for 0 s for a worker")
    [transfer] = claim_transfers(worker=WORKER)
    complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
    DataTransfer.objects.filter(pk=transfer.pk).update(finished_at=timezone.now() - timedelta(hours=7))
    check(transfer, "worker at queue", "unpack it", "has been waiting for 7 h")
    [transfer] = claim_unpacking(worker=WORKER)
    fail_unpacking(transfer, worker=WORKER, message="not a tar", retryable=False)
    reset_unpacking(transfer)
    check(transfer, "worker at queue", "unpack it", "has been waiting for 0 s to be unpacked")


def test_work_that_was_never_begun_waits_since_it_was_made(world):
    world.made_bundle()
    [transfer] = plan_transfers()
    made_at(transfer, timezone.now() - timedelta(hours=7))
    check(transfer, "worker at queue", "claim it", "has been waiting for 7 h")


def test_work_whose_changes_do_not_tell_was_made_at_a_time(world, monkeypatch, django_assert_num_queries):
    world.made_bundle()
    [transfer] = plan_transfers()
    made_at(transfer, timezone.now() - timedelta(hours=7))
    monkeypatch.setattr(_since, "LOOKED_AT", 1)
    transfer.refresh_from_db()
    with django_assert_num_queries(1):
        assert _since.pending_since(transfer, "status") is None
    check(transfer, "worker at queue", "claim it", "waits for a worker", "it was made 7 h 0 min ago")


def test_work_that_failed_for_good_tells_that_it_was_not_tried_again(world):
    transfer = world.begun_transfer()
    fail_transfer(transfer, worker=WORKER, message="no such host", retryable=False)
    check(
        transfer, "^operator$", "reset", "after 0 of 3 retries, not retried, because its failure was reported as perm"
    )
    DataTransfer.objects.filter(pk=transfer.pk).update(max_retries=5)
    check(transfer, "^operator$", "reset", "after 0 of 5 retries, not retried yet (carrying it")
