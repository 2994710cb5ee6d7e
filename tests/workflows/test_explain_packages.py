"""Why an observation, a package or a transfer package is not archived yet."""

import pytest

from opsdb.models import (
    DataLocation,
    RawDataPackage,
)
from opsdb.testing.nights import WORKER, WRONG, build_world, out_of_use
from opsdb.workflows import (
    bundle_raw_data_packages,
    claim_archive_transfers,
    complete_archive_transfer,
    explain_row,
    package_raw_data_files,
    plan_archiving,
    plan_transfers,
    record_fixity,
    work,
)
from tests.workflows.explaining import check, stop_the_clock
from tests.workflows.scenario_deletion import force
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    return build_world()


def test_an_observation_is_explained_from_start_to_archive(world):
    execution = world.observe(running=True)
    [file] = world.register(execution, files=1)
    check(execution, "^telescope$", "wait until the observation has ended", "has been running for ")
    check(file, "^telescope$", "wait until the observation has ended", "still running")
    empty = world.observe()
    check(empty, "^instrument$", "register the files", "no file of it is registered")
    ended = world.observe()
    [file, _] = world.register(ended, files=2)
    check(
        ended,
        "^manager$",
        "package the files at ccat/chai",
        "some of its files are in no package",
        "has been in no package for ",
    )
    check(file, "^manager$", "package the files at ccat/chai")
    [package] = package_raw_data_files(world.source)
    check(
        ended, "worker at queue ccat_chai_raw_data_package_creation", "making its tar", "0 of its 1 package is archived"
    )
    world.make(package)
    check(file, "^manager$", "bundle the packages at ccat/buffer", f"is in raw_data_package {package.pk}")
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    world.make_bundle(bundle)
    world.deliver()
    check(ended, "^nobody$", "nothing", "1 of its 1 package is archived", done=True)
    file.refresh_from_db()
    check(file, "^nobody$", "nothing", "which is archived", done=True)


def test_a_package_is_explained_in_every_state_of_its_own_work(world):
    [package] = world.plan_packages()
    check(
        package,
        "worker at queue ccat_chai_raw_data_package_creation",
        "claim it",
        "has been waiting for ",
    )
    [claimed] = work.claim(RawDataPackage.objects.all(), limit=1, worker=WORKER)
    check(package, f"raw_data_package_creation .{WORKER}.", "finish it", f"{WORKER} has been working for")
    stop_the_clock(RawDataPackage)
    check(package, "^operator$", "see whether the worker is alive", "its last heartbeat was 1 d 0 h ago")
    work.fail(claimed, worker=WORKER, message="disk full")
    check(package, "worker at queue", "claim it", "this is retry 1 of 3; the last attempt failed: disk full")
    [claimed] = work.claim(RawDataPackage.objects.all(), limit=1, worker=WORKER)
    work.fail(claimed, worker=WORKER, message="bad disk", retryable=False)
    check(
        package,
        "^operator$",
        f"reset raw_data_package {package.pk}",
        "after 1 of 3 retries, not retried again, because its failure was reported as permanent",
        "(making its tar): bad disk",
    )


def test_a_package_is_explained_in_every_state_of_its_transfer_package(world):
    [package] = world.made_packages()
    check(package, "^manager$", "bundle the packages at ccat/buffer", "in no bundle", state="waiting")
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    queue = "worker at queue ccat_buffer_data_transfer_package_creation"
    check(package, queue, "claim it", f"travels in data_transfer_package {bundle.pk}")
    check(bundle, queue, "claim it")
    [claimed] = work.claim(type(bundle).objects.all(), limit=1, worker=WORKER)
    check(package, queue, "finish it")
    work.fail(claimed, worker=WORKER, message="no space", retryable=False)
    check(package, "^operator$", "reset data_transfer_package", "no space")
    work.reset(claimed)
    world.make_bundle(bundle)
    check(package, "^manager$", "plan the transfers", "no transfer is planned")


def test_a_package_that_no_way_leads_from_says_what_is_missing(world):
    bundle = world.made_bundle()
    package = bundle.raw_data_packages.get()
    with out_of_use(world.cologne_buffer, world.us_buffer):
        check(package, "^operator$", "make or enable a route or a buffer", "has no active buffer")
    with out_of_use(*world.archives):
        check(package, "^operator$", "make or enable", "no site has an active archive")


def test_a_package_without_bytes_is_for_an_operator(world):
    [package] = world.made_packages()
    record_fixity(world.copy(package, world.ccat_buffer), WRONG)
    copy = world.copy(package, world.ccat_buffer)
    step = f"replace the bytes of physical_copy {copy.pk} at ccat/buffer by the right ones"
    answer = check(package, "^operator$", step, "no copy of it can be read in any buffer")
    assert "Bring back" not in answer.next_step, "which is for copies that are gone"
    bundle = world.made_bundle()
    record_fixity(world.copy(bundle, world.ccat_buffer), WRONG)
    check(bundle, "^operator$", "find its bytes", "can't be read at ccat/buffer")


def test_an_archived_package_whose_archive_copy_is_damaged_is_not_done(world):
    package = world.archived_package()
    copies = [world.copy(package, archive) for archive in world.archives]
    record_fixity(copies[0], WRONG)
    answer = check(package, "^operator$", "bring a good copy back", "1 verified copy", state="archived")
    assert "is corrupt" in answer.why[1]
    record_fixity(copies[1], WRONG)
    check(package, "^operator$", "plan its repair", "0 verified copies", state="archived")


def test_an_archived_package_that_needs_more_copies_is_not_done(world, settings):
    world.made_bundle()
    plan_transfers()
    world.carry()
    world.unpack()
    plan_archiving(world.cologne_archive)
    [transfer] = claim_archive_transfers(worker=WORKER)
    complete_archive_transfer(transfer, worker=WORKER, checksum=transfer.raw_data_package.checksum)
    settings.OPSDB_MIN_ARCHIVE_COPIES = 2
    package = RawDataPackage.objects.get()
    check(package, "^manager$", "plan further transfers", "1 verified copy of it; us/archive should hold one, too")
    plan_transfers()
    world.carry()
    world.unpack()
    plan_archiving(world.us_archive)
    check(package, "worker at queue us_archive", "claim it", "1 verified copy")


@pytest.mark.parametrize("interval", [None, 30])
def test_an_archive_copy_that_nobody_has_compared_yet_is_compared_by_who_is_there_for_it(world, interval):
    DataLocation.objects.update(fixity_interval_days=interval)
    package = world.archived_package()
    copy = world.copy(package, world.us_archive)
    force(copy, verification="unverified", verified_at=None)
    if interval is None:
        step = f"have the checksum of physical_copy {copy.pk} at us/archive computed, and record it"
        check(package, "^operator$", step, "unverified")
        record_fixity(copy, package.checksum)
        assert explain_row(package).done
    else:
        check(package, "worker at queue us_archive_fixity_check", f"compute the checksum of physical_copy {copy.pk}")
