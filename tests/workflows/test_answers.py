"""Where it is, why it is not done yet, and how things stand."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from opsdb.models import (
    DataLocation,
    DataTransfer,
    DataTransferRoute,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    PhysicalCopy,
    PhysicalCopyStatus,
    Pipeline,
    RawDataPackage,
    ReductionSoftwareVersion,
    RunStatus,
    StagingJob,
    TriggerType,
)
from opsdb.workflows import (
    Ambiguous,
    Exactness,
    NotFound,
    Refused,
    begin_run,
    bundle_raw_data_packages,
    cancel_run,
    claim_archive_transfers,
    claim_deletions,
    claim_staging,
    claim_transfers,
    claim_unpacking,
    collect_run,
    complete_archive_transfer,
    complete_deletion,
    complete_run,
    complete_transfer,
    explain_row,
    fail_archive_transfer,
    fail_deletion,
    fail_run,
    fail_transfer,
    fail_unpacking,
    find_copies,
    find_row,
    get_overview,
    list_queues,
    package_raw_data_files,
    plan_archiving,
    plan_runs,
    plan_transfers,
    record_fixity,
    release_staging,
    request_staging,
    reset_archive_transfer,
    schedule_deletion,
    start_run,
    submit_run,
    work,
)
from opsdb.workflows import get_overview as overview_module
from tests.factories import (
    DataProductFactory,
    ObservingProgramFactory,
    PipelineFactory,
    ReductionSoftwareVersionFactory,
    ReductionStepDependencyFactory,
    ReductionStepFactory,
)
from tests.workflows.scenario import WORKER, WRONG, build_world, out_of_use

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return build_world()


# Finding it


def test_a_row_is_found_by_uuid_name_path_and_table_with_key(world):
    bundle = world.made_bundle()
    package = bundle.raw_data_packages.get()
    file = package.raw_data_files.first()
    product = DataProductFactory()
    for row, *texts in (
        (package, str(package.pk), str(package.pk).upper(), f" {package.name} ", package.relative_path),
        (package, package.checksum, package.checksum.upper()),
        (bundle, str(bundle.pk), bundle.name, bundle.relative_path, f"data_transfer_package {bundle.pk}"),
        (file, str(file.pk), file.relative_path, f"raw_data_file {file.pk}"),
        (package.executed_obs_unit, str(package.executed_obs_unit_id)),
        (product, f"data_product {product.pk}", product.name, product.relative_path),
    ):
        for text in texts:
            assert find_row(text) == row, text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "0198f0e4-0000-7000-8000-000000000000",
        "data_transfer x",
        "data_transfer 99999999999999999999",
        "a\0b",
        "raw_data_file 3",
    ],
)
def test_what_is_not_there_is_not_found(text, world):
    with pytest.raises(NotFound):
        find_row(text)


def test_a_wrong_folder_before_a_name_does_not_find_it(world):
    package = world.made_packages()[0]
    with pytest.raises(NotFound):
        find_row(f"elsewhere/{package.name}")


def test_a_path_that_several_things_have_asks_which(db):
    products = [DataProductFactory(relative_path="map.fits") for _ in range(2)]
    with pytest.raises(Ambiguous) as error:
        find_row("map.fits")
    assert error.value.names == [f"data_product {product.pk}" for product in products]


# Where it is


def places(answer):
    return {(copy.of.partition(" ")[0], f"{copy.site}/{copy.location}", copy.status) for copy in answer.copies}


def test_every_copy_of_an_archived_package_is_told(world):
    package = world.archived_package()
    answer = find_copies(package.name)
    assert answer.subject == f"raw_data_package {package.pk}"
    assert {place for kind, place, _ in places(answer) if kind == "raw_data_package"} == {
        "ccat/buffer",
        "cologne/buffer",
        "cologne/archive",
        "us/buffer",
        "us/archive",
    }
    assert {place for kind, place, _ in places(answer) if kind == "data_transfer_package"} >= {"ccat/buffer"}
    assert {place for kind, place, _ in places(answer) if kind == "raw_data_file"} == {"ccat/chai"}
    assert len(answer.copies) == PhysicalCopy.objects.count()
    archived = [copy for copy in answer.copies if copy.location == "archive"]
    assert all(copy.verification == "verified" and copy.verified_at and copy.relative_path for copy in archived)


def test_a_file_is_also_where_its_packages_are(world):
    package = world.archived_package()
    file = package.raw_data_files.first()
    answer = find_copies(file)
    assert {kind for kind, _, _ in places(answer)} == {"raw_data_file", "raw_data_package", "data_transfer_package"}
    assert len([copy for copy in answer.copies if copy.of == f"raw_data_file {file.pk}"]) == 1


def test_an_observation_a_transfer_package_and_a_product_are_somewhere(world):
    package = world.archived_package()
    assert len(find_copies(package.executed_obs_unit).copies) == PhysicalCopy.objects.count()
    assert {kind for kind, _, _ in places(find_copies(package.data_transfer_package))} == {
        "data_transfer_package",
        "raw_data_package",
    }
    product = DataProductFactory()
    assert find_copies(product).copies == []
    copy = PhysicalCopy.objects.create(data_product=product, data_location=world.processing)
    [found] = find_copies(product).copies
    assert (found.id, found.site, found.location, found.status) == (copy.pk, "cologne", "ramses", "present")
    assert find_copies(copy).copies == [found]


def test_a_deleted_copy_is_told_as_deleted(world):
    package = world.archived_package()
    world.staged(package)
    release_staging(StagingJob.objects.get())
    schedule_deletion(world.copy(package, world.processing))
    [copy] = claim_deletions(world.processing, limit=1).copies
    complete_deletion(copy)
    assert ("raw_data_package", "cologne/ramses", "deleted") in places(find_copies(package))


def test_where_something_is_costs_a_fixed_number_of_queries(world):
    small, large = world.archived_package(files=1), world.archived_package(files=30)
    for kind in ("executed_obs_unit", None):
        costs = []
        for package in (small, large):
            with CaptureQueriesContext(connection) as queries:
                find_copies(getattr(package, kind) if kind else package)
            costs.append(len(queries))
        assert costs[0] == costs[1] <= 4


def test_a_long_list_is_cut_and_says_so(world):
    package = world.archived_package(files=5)
    answer = find_copies(package, limit=3)
    assert answer.truncated
    assert not find_copies(package).truncated


def test_what_has_no_copies_is_refused(world):
    with pytest.raises(Refused, match="has no copies"):
        find_copies(ObservingProgramFactory())


# Why it is not done yet, for every state of the way


def read_in_brackets(thing):
    """Explain a thing in a language that puts every text of it in brackets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translation._trans, "gettext", lambda text: f"⟦{text}⟧")
        patch.setattr(translation._trans, "ngettext", lambda one, many, number: f"⟦{one if number == 1 else many}⟧")
        told = explain_row(thing)
        return [*told.why, told.next_step, told.who_in_words]


def outside_brackets(text):
    """Return what no bracket encloses."""
    while text != (text := re.sub("⟦[^⟦⟧]*⟧", "", text)):
        pass
    return text


def check(thing, who, next_step, *words, state=None, done=False):
    """Explain a thing, compare who does what next, and see that all of it can be translated."""
    told = explain_row(thing)
    assert {outside_brackets(text) for text in read_in_brackets(thing)} == {""}, told
    text = "; ".join(told.why)
    assert re.search(who, told.who), told
    assert next_step in told.next_step, told
    assert all(word in text for word in words), told
    assert told.done == done, told
    assert told.subject.endswith(str(thing.pk))
    assert state is None or told.state == state, told
    if told.who.startswith("worker at queue "):
        name = told.who.removeprefix("worker at queue ").partition(" ")[0]
        assert name in {queue.name for queue in list_queues()}, told
    return told


def stop_the_clock(model, **fields):
    """Make rows look as if their workers had shown no life for a day."""
    model.objects.update(**{name: timezone.now() - timedelta(days=1) for name in fields or {"heartbeat_at": 1}})


def test_an_observation_is_explained_from_start_to_archive(world):
    execution = world.observe(running=True)
    [file] = world.register(execution, files=1)
    check(execution, "^telescope$", "end the observation", "has been running for ")
    check(file, "^telescope$", "end the observation", "still running")
    empty = world.observe()
    check(empty, "^instrument$", "register the files", "no file of it is registered")
    ended = world.observe()
    [file, _] = world.register(ended, files=2)
    check(
        ended,
        "^manager$",
        "package the files at chai",
        "some of its files are in no package",
        "has been in no package for ",
    )
    check(file, "^manager$", "package the files at chai")
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
        "take it up",
        "has been waiting for ",
    )
    [claimed] = work.claim(RawDataPackage.objects.all(), limit=1, worker=WORKER)
    check(package, f"raw_data_package_creation .{WORKER}.", "finish it", f"{WORKER} has been at work for")
    stop_the_clock(RawDataPackage)
    check(package, "^operator$", "see whether the worker is alive", "has shown no life for 1 d 0 h")
    work.fail(claimed, worker=WORKER, message="disk full")
    check(package, "worker at queue", "take it up", "this is retry 1 of 3; the last attempt failed: disk full")
    [claimed] = work.claim(RawDataPackage.objects.all(), limit=1, worker=WORKER)
    work.fail(claimed, worker=WORKER, message="bad disk", retryable=False)
    check(package, "^operator$", f"reset raw_data_package {package.pk}", "after 1 retry (making its tar): bad disk")


def test_a_package_is_explained_in_every_state_of_its_transfer_package(world):
    [package] = world.made_packages()
    check(package, "^manager$", "bundle the packages at ccat/buffer", "in no transfer package", state="waiting")
    [bundle] = bundle_raw_data_packages(world.ccat_buffer)
    queue = "worker at queue ccat_buffer_data_transfer_package_creation"
    check(package, queue, "take it up", f"travels in data_transfer_package {bundle.pk}")
    check(bundle, queue, "take it up")
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
        check(package, "^operator$", "make or activate a route or a buffer", "has no buffer in use")
    with out_of_use(*world.archives):
        check(package, "^operator$", "make or activate", "no site has an archive in use")


def test_a_package_without_bytes_is_for_an_operator(world):
    [package] = world.made_packages()
    record_fixity(world.copy(package, world.ccat_buffer), WRONG)
    check(package, "^operator$", "find its bytes", "no copy of it can be read in any buffer")
    bundle = world.made_bundle()
    record_fixity(world.copy(bundle, world.ccat_buffer), WRONG)
    check(bundle, "^operator$", "find its bytes", "can't be read at ccat/buffer")


def test_a_transfer_is_explained_in_every_state(world):
    bundle = world.made_bundle()
    package = bundle.raw_data_packages.get()
    [transfer] = plan_transfers()
    queue = "worker at queue ccat_buffer_data_transfer"
    check(transfer, queue, "take it up", "from ccat/buffer to cologne/buffer")
    check(package, queue, "take it up", f"data_transfer {transfer.pk}")
    with out_of_use(world.cologne_buffer):
        check(transfer, "^operator$", "activate cologne/buffer, or reroute", "is out of use")
    [transfer] = claim_transfers(worker=WORKER)
    check(package, queue, "finish it", f"{WORKER} has been at work for", state="transferring")
    stop_the_clock(DataTransfer)
    check(transfer, "^operator$", "see whether the worker is alive", "has shown no life")
    fail_transfer(transfer, worker=WORKER, message="line down")
    check(transfer, queue, "take it up", "this is retry 1 of 3; the last attempt failed: line down")
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
    check(transfer, "^operator$", "retry data_transfer", "has shown no life")
    fail_unpacking(transfer, worker=WORKER, message="not a tar")
    check(transfer, queue, "unpack it", "this is retry 1 of 3; the last attempt failed: not a tar")
    [transfer] = claim_unpacking(worker=WORKER)
    fail_unpacking(transfer, worker=WORKER, message="really not a tar", retryable=False)
    check(transfer, "^operator$", "retry data_transfer", "really not a tar")
    check(package, "^operator$", "retry data_transfer", state="failed")


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
    told = check(second, "worker at queue ccat_buffer_data_transfer", "take it up", f"data_transfer {first.pk}")
    assert "waits for the hop before it" in told.why[0]


def test_archiving_is_explained_in_every_state(world):
    world.made_bundle()
    plan_transfers()
    world.carry()
    world.unpack()
    package = RawDataPackage.objects.get()
    check(package, "^manager$", "plan the archiving into cologne/archive", "nobody has planned", state="transferring")
    [transfer] = plan_archiving(world.cologne_archive)
    queue = "worker at queue cologne_archive_long_term_archive_transfer"
    check(package, queue, "take it up", "no archive has it yet", f"long_term_archive_transfer {transfer.pk}")
    with out_of_use(world.cologne_archive):
        check(transfer, "^operator$", "activate cologne/archive", "is out of use")
    [transfer] = claim_archive_transfers(worker=WORKER)
    check(transfer, queue, "finish it")
    stop_the_clock(LongTermArchiveTransfer)
    check(package, "^operator$", "see whether the worker is alive")
    fail_archive_transfer(transfer, worker=WORKER, message="tape jam")
    check(package, queue, "take it up", "tape jam")
    [transfer] = claim_archive_transfers(worker=WORKER)
    fail_archive_transfer(transfer, worker=WORKER, message="no tape", retryable=False)
    check(package, "^operator$", "reset long_term_archive_transfer", "no tape", state="failed")
    reset_archive_transfer(transfer)
    [transfer] = claim_archive_transfers(worker=WORKER)
    complete_archive_transfer(transfer, worker=WORKER, checksum=package.checksum)
    check(package, "^nobody$", "nothing", "1 verified copy", state="archived", done=True)
    check(transfer, "^nobody$", "nothing", "has had a verified copy for ", done=True)


def test_an_archived_package_whose_archive_copy_is_damaged_is_not_done(world):
    package = world.archived_package()
    copies = [world.copy(package, archive) for archive in world.archives]
    record_fixity(copies[0], WRONG)
    check(package, "^nobody$", "nothing", "1 verified copy", done=True)
    record_fixity(copies[1], WRONG)
    told = check(package, "^operator$", "bring a good copy back", "0 verified copies", state="archived")
    assert "is corrupt" in told.why[1]


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
    check(package, "^manager$", "plan further transfers", "1 verified copy of it; needed: 2")
    plan_transfers()
    world.carry()
    world.unpack()
    plan_archiving(world.us_archive)
    check(package, "worker at queue us_archive", "take it up", "1 verified copy")


def test_staging_is_explained_in_every_state(world):
    package = world.archived_package()
    job = request_staging(location=world.processing, packages=[package])
    queue = "worker at queue cologne_ramses_staging"
    check(job, queue, "take it up", "bringing 1 thing to cologne/ramses")
    with out_of_use(world.processing):
        check(job, "^operator$", "activate cologne/ramses", "out of use")
    [claimed] = claim_staging(worker=WORKER)
    check(job, queue, "finish it")
    stop_the_clock(StagingJob)
    check(job, "^operator$", "see whether the worker is alive")
    work.fail(claimed, worker=WORKER, message="tape jam", retryable=False)
    check(job, "^operator$", "reset staging_job", "tape jam")
    work.reset(claimed)
    for copy in PhysicalCopy.objects.filter(raw_data_package=package):
        record_fixity(copy, WRONG)
    check(job, "^operator$", f"bring raw_data_package {package.pk} back", "can be read")
    release_staging(job)
    check(job, "^nobody$", "nothing", "no longer needed", done=True)


def test_a_staged_job_is_done(world):
    job = world.staged(world.archived_package())
    check(job, "^nobody$", "nothing", "its data are there", done=True)


def test_a_copy_is_explained_by_the_rule_that_holds_it_back(world):
    [package] = world.made_packages()
    copy = world.copy(package, world.ccat_buffer)
    check(copy, "^manager$", "bundle the packages", "deletion rule 2", "waiting, not archived")
    file = world.copy(package.raw_data_files.first(), world.source)
    check(file, "^manager$", "bundle the packages", "deletion rule 2")
    [single] = world.register(world.observe(), files=1)
    check(world.copy(single, world.source), "^manager$", "package the files", "deletion rule 2", "is in no raw data")


def test_a_copy_in_an_archive_stays(world):
    package = world.archived_package()
    copy = world.copy(package, world.us_archive)
    check(copy, "^nobody$", "nothing", "deletion rule 1", "permanent", done=True)
    record_fixity(copy, WRONG)
    check(copy, "^operator$", "replace it by a good copy", "deletion rule 1", state="corrupt")


def test_a_copy_waits_for_the_end_of_its_retention(world):
    DataLocation.objects.filter(pk=world.ccat_buffer.pk).update(retention_days=14)
    package = world.archived_package()
    copy = world.copy(package, world.ccat_buffer)
    told = check(copy, "^manager$", "wait until ", "deletion rule 5", "14 days")
    assert f"{copy.arrived_at + timedelta(days=14):%Y-%m-%d}" in told.next_step
    DataLocation.objects.filter(pk=world.ccat_buffer.pk).update(retention_days=None)
    check(copy, "^operator$", "ask for its deletion", "keeps its data")


def test_a_copy_that_a_job_needs_waits_for_its_release(world):
    package = world.archived_package()
    job = world.staged(package)
    copy = world.copy(package, world.processing)
    check(copy, "^manager$", f"release staging_job {job.pk}", "deletion rule 4")
    request_staging(location=world.processing, packages=[package], purpose="spectra")
    check(copy, "worker at queue cologne_ramses_staging", "take it up", "deletion rule 3")


def test_a_copy_is_explained_on_its_way_out(world, settings):
    package = world.archived_package()
    release_staging(world.staged(package))
    copy = world.copy(package, world.processing)
    check(copy, "^manager$", "schedule its deletion", "no rule holds it back")
    schedule_deletion(copy)
    queue = "worker at queue cologne_ramses_deletion"
    check(copy, queue, "delete its bytes", state="deletion_scheduled")
    claim_deletions(world.processing, limit=1)
    check(copy, queue, "confirm that it is deleted", state="deletion_in_progress")
    settings.OPSDB_STALLED_AFTER_SECONDS = 0
    check(copy, "^operator$", "see whether the worker is alive", "has reported nothing")
    [trouble] = get_overview().stalled
    assert (trouble.row, trouble.message) == (f"physical_copy {copy.pk}", "deletion at ramses")
    assert {queue.name: queue.stalled for queue in list_queues() if queue.stalled} == {"cologne_ramses_deletion": 1}
    copy.refresh_from_db()
    fail_deletion(copy, message="read-only")
    check(copy, "^operator$", "schedule its deletion again", "read-only", state="deletion_failed")
    schedule_deletion(copy)
    claim_deletions(world.processing, limit=1)
    complete_deletion(copy)
    check(copy, "^nobody$", "nothing", "was deleted at cologne/ramses", done=True)


def test_a_missing_copy_is_for_an_operator(world):
    [package] = world.made_packages()
    copy = world.copy(package, world.ccat_buffer)
    PhysicalCopy.objects.filter(pk=copy.pk).update(status=PhysicalCopyStatus.MISSING)
    check(copy, "^operator$", "find them", "were not found at ccat/buffer", state="missing")


@pytest.fixture
def step(world):
    made = ReductionStepFactory(pipeline=PipelineFactory(processing_location=world.processing), max_retries=1)
    ReductionSoftwareVersionFactory(software=made.software)
    return made


def test_a_run_is_explained_in_every_state(world, step):
    package = world.archived_package()
    [run] = plan_runs(step)
    check(run, "^manager$", "start the run", "has been waiting for ", state="pending")
    Pipeline.objects.update(enabled=False)
    check(run, "^operator$", "enable the pipeline", "is disabled")
    Pipeline.objects.update(enabled=True)
    with out_of_use(world.processing):
        check(run, "^operator$", "activate cologne/ramses", "out of use")
    start_run(run)
    queue = "worker at queue cologne_ramses_staging"
    check(run, queue, "take it up", f"waits for staging_job {run.staging_job_id}", state="staging_data")
    [job] = claim_staging(worker=WORKER)
    check(run, queue, "finish it")
    work.fail(job, worker=WORKER, message="tape jam", retryable=False)
    check(run, "^operator$", "reset staging_job", "tape jam")
    release_staging(job)
    check(run, "^manager$", "fail the run", f"raw_data_package {package.pk} is not at cologne/ramses")
    world.staged(package)
    check(run, "^manager$", "submit the run", "its data are at cologne/ramses")
    submit_run(run, hpc_job_id="4711")
    check(run, "^cluster$", "begin with job 4711", "job 4711 has been waiting at the cluster for ", state="submitted")
    begin_run(run)
    check(run, "^cluster$", "end job 4711", "job 4711 has been running for ", state="running")
    collect_run(run)
    check(run, "^manager$", "complete the run", "has ended", state="collecting_results")
    fail_run(run, message="no output")
    check(run, "^manager$", "start the run", "no output", state="pending")
    fail_run(run, message="given up", retryable=False)
    check(run, "^operator$", f"reset executed_reduction_step {run.pk}", "given up", state="failed")


def test_a_run_that_has_ended_is_done(world, step):
    world.staged(world.archived_package())
    [run] = plan_runs(step)
    cancel_run(run, reason="no longer wanted")
    check(run, "^nobody$", "nothing", "no longer wanted", state="cancelled", done=True)
    [run] = plan_runs(step, again=True)
    product = DataProductFactory(run=run)
    check(product, "^manager$", "start the run", "its run is not completed")
    for advance in (lambda: submit_run(run, hpc_job_id="1"), lambda: begin_run(run), lambda: collect_run(run)):
        advance()
    complete_run(run)
    check(run, "^nobody$", "nothing", "is completed", state="completed", done=True)
    check(product, "^nobody$", "nothing", "was made by", done=True)


def test_a_run_whose_data_are_lost_is_for_an_operator(world, step):
    package = world.archived_package()
    [run] = plan_runs(step)
    for copy in PhysicalCopy.objects.filter(raw_data_package=package):
        record_fixity(copy, WRONG)
    check(run, "^operator$", f"bring raw_data_package {package.pk} back", "no copy of")


def test_a_step_says_why_it_has_no_run(world, step):
    check(step, "^nobody$", "nothing", "no available package is new", done=True)
    world.archived_package()
    check(step, "^operator$", "by opsdb.workflows.plan_runs", "has had new packages for ", "planned by hand")
    Pipeline.objects.update(trigger_type=TriggerType.CRON, trigger_config={"cron": "0 0 1 1 *"})
    check(step, "^nobody$", "-01-01 00:00 UTC", "at certain times")
    Pipeline.objects.update(trigger_config={"cron": "5-1 * * * *"})
    check(step, "^operator$", "correct the trigger", "5-1", "each range from low to high")
    Pipeline.objects.update(trigger_type=TriggerType.CONTINUOUS)
    check(step, "^manager$", "plan the runs", "has had new packages")
    ReductionSoftwareVersion.objects.update(deprecated=True)
    check(step, "^operator$", "register a version", "no version")
    ReductionSoftwareVersion.objects.update(deprecated=False)
    type(step).objects.update(cooldown_seconds=3_600)
    check(step, "^nobody$", "wait until", "cooldown of 3600 s")
    type(step).objects.update(cooldown_seconds=0)
    later = ReductionStepFactory(pipeline=step.pipeline)
    ReductionSoftwareVersionFactory(software=later.software)
    ReductionStepDependencyFactory(step=later, depends_on=step)
    check(later, "^manager$", "plan the runs", f"waits for reduction_step {step.pk}")
    [run] = plan_runs(step)
    check(later, "^manager$", "start the run", f"executed_reduction_step {run.pk} is open")
    fail_run(run, message="bad", retryable=False)
    check(later, "^operator$", "reset executed_reduction_step", "bad")
    Pipeline.objects.update(enabled=False)
    check(step, "^operator$", "enable the pipeline", "is disabled")


def test_what_needs_no_explanation_is_refused(world):
    with pytest.raises(Refused, match="nothing to explain"):
        explain_row(ObservingProgramFactory())
    with pytest.raises(NotFound):
        explain_row(RawDataPackage(pk=uuid.uuid4()))


# How things stand


def stage(answer, name):
    [found] = [one for one in answer.stages if one.name == name]
    return {count.state: count.number.value for count in found.states if count.number.value}


def place(answer, name):
    [found] = [one for one in answer.locations if f"{one.site}/{one.location}" == name]
    return found


def test_an_empty_database_stands_still(db):
    answer = get_overview()
    assert all(not count.number.value for stage in answer.stages for count in stage.states)
    assert (answer.locations, answer.failures, answer.stalled) == ([], [], [])


def test_every_stage_is_counted_by_state(world):
    world.archived_package(files=3)
    world.register(world.observe(running=True), files=2)
    world.plan_packages(files=1)
    answer = get_overview()
    assert stage(answer, "observations") == {"running": 1, "ended": 2}
    # The file of the running observation stays; the others are packaged.
    assert stage(answer, "raw data files") == {"unpackaged": 2, "packaged": 4}
    assert stage(answer, "raw data packages") == {"waiting": 1, "archived": 1}
    assert stage(answer, "making raw data packages") == {"pending": 1, "completed": 1}
    assert stage(answer, "making transfer packages") == {"completed": 1}
    assert stage(answer, "transfers") == {"completed": 2}
    assert stage(answer, "unpacking") == {}
    assert stage(answer, "archiving") == {"completed": 2}
    assert all(count.number.is_exact for one in answer.stages for count in one.states)


def test_the_oldest_of_each_stage_is_told(world):
    [old] = world.plan_packages(files=1)
    world.plan_packages(files=1)
    first = world.observe()
    world.register(first, files=1)
    world.register(world.observe(), files=1)
    answer = get_overview()
    oldest = {one.name: one.oldest for one in answer.stages}
    assert oldest["raw data files"] == first.start_time
    assert oldest["raw data packages"] == RawDataPackage.objects.get(pk=old.pk).created_at
    assert oldest["staging"] is None


def test_every_location_has_its_volume(world):
    DataLocation.objects.filter(pk=world.source.pk).update(capacity_bytes=10_000)
    world.archived_package(files=3)
    answer = get_overview()
    source = place(answer, "ccat/chai")
    assert (source.copies, source.volume_bytes, source.fill_percent) == (3, 3_000, 30.0)
    assert place(answer, "cologne/archive").copies == 1
    assert place(answer, "ccat/spare_buffer").copies == 0
    assert all(one.lacking.value == 0 for one in answer.locations)
    for location in answer.locations:
        copies = PhysicalCopy.objects.filter(data_location=location.id).existing()
        assert location.copies == copies.count()
        assert sum(count.number.value for count in location.states) == location.copies


def test_expected_minus_actual_copies_is_what_is_lacking(world):
    package = world.archived_package(files=3)
    files = list(package.raw_data_files.all())
    PhysicalCopy.objects.filter(raw_data_file=files[0]).update(status=PhysicalCopyStatus.MISSING)
    record_fixity(world.copy(files[1], world.source), WRONG)
    record_fixity(world.copy(package, world.us_archive), WRONG)
    answer = get_overview()
    source, archive = place(answer, "ccat/chai"), place(answer, "us/archive")
    assert (source.expected.value, source.actual.value, source.lacking.value) == (3, 1, 2)
    assert (archive.expected.value, archive.actual.value, archive.lacking.value) == (1, 0, 1)
    assert {trouble.row for trouble in answer.failures} == {
        f"physical_copy {copy.pk}" for copy in PhysicalCopy.objects.filter(status__in=["missing", "corrupt"])
    }


def test_an_archive_lacks_the_packages_that_only_another_one_has(world):
    world.made_bundle()
    plan_transfers()
    world.carry()
    world.unpack()
    plan_archiving(world.cologne_archive)
    [transfer] = claim_archive_transfers(worker=WORKER)
    complete_archive_transfer(transfer, worker=WORKER, checksum=transfer.raw_data_package.checksum)
    answer = get_overview()
    assert place(answer, "cologne/archive").lacking.value == 0
    assert place(answer, "us/archive").lacking.value == 1


def test_failures_and_stalled_work_are_told(world):
    transfer = world.begun_transfer()
    stop_the_clock(DataTransfer)
    [trouble] = get_overview().stalled
    assert (trouble.row, trouble.message) == (f"data_transfer {transfer.pk}", WORKER)
    assert {queue.name: queue.stalled for queue in list_queues() if queue.stalled} == {"ccat_buffer_data_transfer": 1}
    fail_transfer(transfer, worker=WORKER, message="no such host", retryable=False)
    answer = get_overview()
    assert answer.stalled == []
    [trouble] = answer.failures
    assert (trouble.row, trouble.message) == (f"data_transfer {transfer.pk}", "no such host")


def test_failed_and_stalled_unpacking_is_told(world):
    transfer = world.begun_transfer()
    complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
    assert stage(get_overview(), "unpacking") == {"pending": 1}
    [transfer] = claim_unpacking(worker=WORKER)
    stop_the_clock(DataTransfer, unpack_heartbeat_at=1)
    [trouble] = get_overview().stalled
    assert trouble.message == f"unpacking, {WORKER}"
    fail_unpacking(transfer, worker=WORKER, message="not a tar", retryable=False)
    answer = get_overview()
    assert stage(answer, "unpacking") == {"failed": 1}
    assert [trouble.message for trouble in answer.failures] == ["unpacking: not a tar"]


def test_runs_are_counted(world, step):
    world.staged(world.archived_package())
    [run] = plan_runs(step)
    assert stage(get_overview(), "reduction runs") == {"pending": 1}
    fail_run(run, message="bad", retryable=False)
    answer = get_overview()
    assert stage(answer, "reduction runs") == {"failed": 1}
    assert [trouble.row for trouble in answer.failures] == [f"executed_reduction_step {run.pk}"]
    assert ExecutedReductionStep.objects.get().status == RunStatus.FAILED


def test_an_overview_is_nine_queries_whatever_there_is(world, django_assert_num_queries):
    with django_assert_num_queries(9):
        get_overview()
    for _ in range(3):
        world.archived_package()
    world.plan_packages()
    with django_assert_num_queries(9):
        get_overview()


def test_large_numbers_are_estimated_and_say_so(world, monkeypatch):
    monkeypatch.setattr(overview_module, "EXACT_LIMIT", 2)
    world.plan_packages(files=6)
    world.archived_package(files=7)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    numbers = {
        count.state: count.number
        for one in get_overview().stages
        if one.name == "raw data files"
        for count in one.states
    }
    assert numbers["unpackaged"].is_exact
    assert numbers["packaged"].exactness == Exactness.ESTIMATED
    assert str(numbers["packaged"]).startswith("about ")


def test_what_was_never_analyzed_is_at_least_so_many():
    number = overview_module._Statistics({}, []).total("raw_data_file", overview_module.EXACT_LIMIT + 1)
    assert (number.exactness, str(number)) == (Exactness.AT_LEAST, "at least 1,001")


BIG = "raw_data_file|physical_copy|raw_data_package|data_transfer_package|data_transfer|long_term_archive_transfer"
BIG += "|staging_job|executed_obs_unit|executed_reduction_step|data_product"


@pytest.mark.parametrize("name", ["STATES", "FILES", "COPIES", "FAILURES", "STALLED"])
def test_an_overview_reads_large_tables_along_indexes(world, name):
    sql = getattr(overview_module, name).replace("%(before)s", "now()")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert not re.search(rf"Seq Scan on ({BIG})\b", plan), plan


def test_finding_and_locating_go_along_indexes(world):
    package = world.archived_package()
    file = package.raw_data_files.first()
    asked = [
        lambda: find_copies(file),
        lambda: find_copies(package.executed_obs_unit),
        lambda: find_copies(package.data_transfer_package),
        lambda: find_row(str(package.pk)),
        lambda: find_row(file.relative_path),
        lambda: find_row(package.name),
        lambda: find_row(package.checksum),
        lambda: explain_row(package.executed_obs_unit),
        lambda: explain_row(file),
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for question in asked:
            with CaptureQueriesContext(connection) as queries:
                question()
            for query in queries:
                cursor.execute(f"EXPLAIN {query['sql']}")
                plan = "\n".join(line for (line,) in cursor.fetchall())
                assert not re.search(rf"Seq Scan on ({BIG})\b", plan), plan
