"""What the database notes of volume and work agrees with its rows, and nobody else writes it."""

from collections import Counter
from datetime import UTC, timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models import F, Sum

from opsdb.models import (
    DataLocationUsage,
    DataTransfer,
    DataTransferPackage,
    LongTermArchiveTransfer,
    PhysicalCopy,
    RawDataPackage,
    StageActivity,
    StagingJob,
    WorkStage,
)
from opsdb.testing.factories import DataTransferFactory, PipelineFactory, StagingJobFactory
from opsdb.testing.nights import WORKER, build_world
from opsdb.workflows import claim_transfers, fail_run, fail_transfer, plan_runs, reset_transfer, start_run, work
from tests.databases import as_owner
from tests.workflows.reducing import available, make_step
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db
NOW_AND_THEN = "random() >= 0.02"
GONE = ("deleted", "missing")


@shared_world
def world():
    """An observatory with archived packages, one of them deleted from a buffer."""
    world = build_world()
    for _ in range(2):
        world.archived_package()
    world.made_packages()
    return world


def day_of(moment):
    return moment.astimezone(UTC).date()


def noted_usage():
    sums = DataLocationUsage.objects.values_list("data_location", "day").annotate(
        Sum("copies"), Sum("bytes"), Sum("arrived_bytes")
    )
    return {(place, day): tuple(map(int, facts)) for place, day, *facts in sums if any(facts)}


def usage_of_copies():
    noted = {}

    def add(place, moment, *facts):
        key = place, day_of(moment)
        noted[key] = tuple(map(sum, zip(noted.get(key, (0, 0, 0)), facts, strict=True)))

    for copy in PhysicalCopy.objects.all():
        size = copy.size_bytes or 0
        add(copy.data_location_id, copy.arrived_at, 1, size, size)
        if copy.status in GONE:
            add(copy.data_location_id, copy.deleted_at if copy.status == "deleted" else copy.updated_at, -1, -size, 0)
    return {key: facts for key, facts in noted.items() if any(facts)}


def noted_work():
    sums = StageActivity.objects.values_list("stage", "begins_at").annotate(
        Sum("added"), Sum("completed"), Sum("bytes")
    )
    return {(stage, begins_at): tuple(map(int, facts)) for stage, begins_at, *facts in sums if any(facts)}


def work_of_rows():
    noted = Counter()

    def add(stage, moment, *facts):
        is_transfer = stage == WorkStage.TRANSFER
        hour = moment.astimezone(UTC).hour if is_transfer else 0
        begins_at = moment.astimezone(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
        for number, fact in enumerate(facts):
            noted[stage.value, begins_at, number] += fact

    for stage, model, size in (
        (WorkStage.PACKAGING, RawDataPackage, "size_bytes"),
        (WorkStage.BUNDLING, DataTransferPackage, "size_bytes"),
        (WorkStage.TRANSFER, DataTransfer, "bytes_transferred"),
        (WorkStage.ARCHIVING, LongTermArchiveTransfer, None),
        (WorkStage.STAGING, StagingJob, None),
    ):
        for row in model.objects.all():
            add(stage, row.created_at, 1, 0, 0)
            if row.status == "completed":
                add(stage, row.finished_at, 0, 1, (size and getattr(row, size)) or 0)
    for transfer in DataTransfer.objects.filter(status="completed"):
        add(WorkStage.UNPACKING, transfer.finished_at, 1, 0, 0)
        if transfer.unpack_status == "completed":
            add(WorkStage.UNPACKING, transfer.unpacked_at, 0, 1, 0)
    keys = {key[:2] for key, number in noted.items() if number}
    return {key: tuple(noted[(*key, number)] for number in range(3)) for key in keys}


def assert_notes_agree():
    assert noted_usage() == usage_of_copies()
    assert noted_work() == work_of_rows()


def test_notes_agree_with_the_rows_whatever_becomes_of_them(world):
    assert_notes_agree()
    assert {stage for stage, _ in noted_work()} >= {"packaging", "bundling", "transfer", "unpacking", "archiving"}
    copies = PhysicalCopy.objects.at(world.ccat_buffer).filter(raw_data_package__isnull=False)
    copies.filter(pk=copies.first().pk).update(status="missing")
    copies.filter(pk=copies.last().pk).update(size_bytes=None)
    assert_notes_agree()
    copies.filter(status="missing").update(status="present")
    assert_notes_agree()
    for model in (RawDataPackage, DataTransferPackage, DataTransfer, LongTermArchiveTransfer):
        earlier = timedelta(days=3, hours=5)
        model.objects.filter(status="completed").update(
            created_at=F("created_at") - 2 * earlier, finished_at=F("finished_at") - earlier
        )
    assert_notes_agree()
    job = StagingJobFactory(completed=True)
    assert_notes_agree()
    job.delete()
    assert_notes_agree()


def test_a_package_is_archived_after_a_delay_that_is_noted_once(world):
    transfers = LongTermArchiveTransfer.objects.filter(status="completed").select_related(
        "raw_data_package__executed_obs_unit"
    )
    for number, transfer in enumerate(transfers):
        end = transfer.raw_data_package.executed_obs_unit.end_time
        transfers.filter(pk=transfer.pk).update(finished_at=end + timedelta(minutes=[1, 60, 61, 24 * 60][number]))
    noted = StageActivity.objects.filter(stage="archiving", delay_step__isnull=False).values_list("delay_step")
    sums = dict(noted.annotate(Sum("completed")).values_list("delay_step", "completed__sum"))
    # 60 = 2^(47.25/8) minutes; 1440 = 2^(83.9/8).
    assert {step: number for step, number in sums.items() if number} == {0: 1, 47: 2, 83: 1}
    with connection.cursor() as cursor:
        for later, step in ((0, 0), (1, None)):
            cursor.execute(
                "SELECT opsdb_archive_delay_step(to_jsonb(each) || jsonb_build_object('id', id + %s)) "
                "FROM long_term_archive_transfer AS each WHERE id = %s",
                [later, transfers[0].pk],
            )
            assert cursor.fetchone() == (step,)


def test_every_failed_attempt_is_noted_and_stays_so(world):
    def failures(stage="transfer"):
        return StageActivity.objects.filter(stage=stage).aggregate(sum=Sum("failures"))["sum"] or 0

    pipeline = PipelineFactory()
    available(pipeline)
    [run] = plan_runs(make_step(pipeline))
    for retryable in (True, True, False):
        start_run(run)
        fail_run(run, message="out of memory", retryable=retryable)
    assert failures("reduction") == 3
    made = DataTransferFactory()
    for retryable in (True, True, False):
        [transfer] = claim_transfers(worker=WORKER)
        fail_transfer(transfer, worker=WORKER, message="link down", retryable=retryable)
    assert failures() == 3
    reset_transfer(transfer)
    assert failures() == 3
    package = world.plan_packages()[0]
    [package] = work.claim(RawDataPackage.objects.filter(pk=package.pk), limit=1, worker=WORKER)
    work.heartbeat(package, worker=WORKER)
    assert failures("packaging") == 0
    work.fail(package, worker=WORKER, message="no space left", retryable=False)
    assert failures("packaging") == 1
    RawDataPackage.objects.filter(pk=package.pk).update(finished_at=F("finished_at") - timedelta(days=9))
    at = StageActivity.objects.filter(stage="packaging").values_list("begins_at").annotate(sum=Sum("failures"))
    assert [day_of(moment) for moment, number in at if number] == [
        day_of(RawDataPackage.objects.get(pk=package.pk).finished_at)
    ]
    assert made.pk == transfer.pk


def test_a_heartbeat_is_not_noted(world):
    [transfer] = [DataTransferFactory()] and claim_transfers(worker=WORKER)
    before = StageActivity.objects.count()
    work.heartbeat(transfer, worker=WORKER)
    assert StageActivity.objects.count() == before


def test_folding_keeps_the_sums(world):
    with as_owner(), connection.cursor() as cursor:
        for name in ("opsdb_fold_usage", "opsdb_fold_activity"):
            cursor.execute("SELECT pg_get_functiondef(%s::regproc)", [name])
            [definition] = cursor.fetchone()
            assert NOW_AND_THEN in definition
            cursor.execute(definition.replace(NOW_AND_THEN, "false"))
    copies = PhysicalCopy.objects.at(world.ccat_buffer).filter(raw_data_package__isnull=False)
    for status in ("missing", "present"):
        copies.update(status=status)
        world.plan_packages()
    assert_notes_agree()
    assert world.ccat_buffer.usage.count() == 1
    packaging = StageActivity.objects.filter(stage="packaging")
    assert packaging.count() == packaging.values("begins_at").distinct().count()


@pytest.mark.parametrize("model", [DataLocationUsage, StageActivity])
def test_nobody_but_the_database_writes_notes(world, model):
    before = list(model.objects.order_by("pk").values())
    assert before
    for attempt in (
        lambda: model.objects.update(bytes=1),
        lambda: model.objects.all().delete(),
        lambda: model.objects.bulk_create([model(**{**before[0], "id": None})]),
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            attempt()
    assert list(model.objects.order_by("pk").values()) == before
