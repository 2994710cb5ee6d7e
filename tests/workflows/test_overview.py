"""The overview: every stage and location, what failed and what is stalled."""

import pytest
from django.db import connection

from opsdb.models import (
    DataLocation,
    DataTransfer,
    ExecutedReductionStep,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
    RunStatus,
)
from opsdb.testing.factories import (
    PipelineFactory,
    ReductionSoftwareVersionFactory,
    ReductionStepFactory,
)
from opsdb.testing.nights import WORKER, WRONG, build_world
from opsdb.workflows import (
    Exactness,
    claim_archive_transfers,
    claim_unpacking,
    complete_archive_transfer,
    complete_transfer,
    fail_run,
    fail_transfer,
    fail_unpacking,
    get_overview,
    list_queues,
    plan_archiving,
    plan_runs,
    plan_transfers,
    record_fixity,
)
from opsdb.workflows.overview import queries, reading
from tests.databases import as_owner
from tests.plans import assert_along_indexes, planning_without
from tests.workflows.explaining import stop_the_clock
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    return build_world()


@pytest.fixture
def step(world):
    made = ReductionStepFactory(pipeline=PipelineFactory(processing_location=world.processing), max_retries=1)
    ReductionSoftwareVersionFactory(software=made.software)
    return made


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
    assert stage(answer, "packages") == {"waiting": 1, "archived": 1}
    assert stage(answer, "making packages") == {"pending": 1, "completed": 1}
    assert stage(answer, "making bundles") == {"completed": 1}
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
    assert oldest["packages"] == RawDataPackage.objects.get(pk=old.pk).created_at
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
    assert stage(get_overview(), "runs") == {"pending": 1}
    fail_run(run, message="bad", retryable=False)
    answer = get_overview()
    assert stage(answer, "runs") == {"failed": 1}
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
    monkeypatch.setattr(reading, "EXACT_LIMIT", 2)
    world.plan_packages(files=6)
    world.archived_package(files=7)
    with as_owner(), connection.cursor() as cursor:
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
    number = reading._Statistics({}, []).total("raw_data_file", reading.EXACT_LIMIT + 1)
    assert (number.exactness, str(number)) == (Exactness.AT_LEAST, "at least 1,001")


@pytest.mark.parametrize("name", ["STATES", "FILES", "COPIES", "FAILURES", "STALLED"])
def test_an_overview_reads_large_tables_along_indexes(world, name):
    sql = getattr(queries, name).replace("%(before)s", "now()")
    with planning_without("seqscan", "sort"):
        assert_along_indexes(sql)
