"""The way of a run: started, submitted, completed, failed, reset."""

import pytest
from django.db import IntegrityError, transaction

from opsdb.models import (
    ExecutedReductionStep,
    PhysicalCopy,
    PhysicalCopyStatus,
    Pipeline,
    RunStatus,
    StagingJob,
)
from opsdb.testing.factories import PipelineFactory
from opsdb.testing.nights import WORKER, build_world, found, out_of_use
from opsdb.workflows import (
    Conflict,
    InvalidTransition,
    NotFound,
    OpsdbError,
    Refused,
    begin_run,
    cancel_run,
    claim_runs,
    claim_staging,
    collect_run,
    complete_run,
    complete_staging,
    fail_run,
    list_missing_content,
    plan_runs,
    reset_run,
    start_run,
    submit_run,
)
from tests.workflows.racing import race
from tests.workflows.reducing import available, completed, go, make_step, observed


@pytest.fixture
def pipeline(db):
    return PipelineFactory()


@pytest.fixture
def run(pipeline):
    available(pipeline)
    [planned] = plan_runs(make_step(pipeline, max_retries=1))
    return planned


@pytest.mark.django_db
def test_a_run_has_its_data_staged_and_released():
    world = build_world()
    world.archived_package()
    [run] = plan_runs(make_step(PipelineFactory(processing_location=world.processing)))
    with pytest.raises(Refused, match="can't be read at cologne/ramses; have the data staged first"):
        submit_run(run, hpc_job_id="1")
    start_run(run, user=world.user)
    assert run.status == RunStatus.STAGING_DATA
    assert (run.staging_job.requested_by, run.staging_job.purpose) == (world.user, f"executed_reduction_step {run.pk}")
    assert start_run(run).staging_job_id == run.staging_job_id
    assert StagingJob.objects.count() == 1
    with pytest.raises(Refused, match="can't be read at cologne/ramses"):
        submit_run(run, hpc_job_id="1")
    [job] = claim_staging(worker=WORKER)
    complete_staging(job, worker=WORKER, reports=[found(content) for content in list_missing_content(job)])
    completed(run, "map.fits")
    job.refresh_from_db()
    assert not job.active


def test_a_manager_claims_the_oldest_runs_that_can_start(pipeline):
    lost, first, second = (available(pipeline, name=f"{number}.tar") for number in range(3))
    runs = []
    for package in (lost, first, second):
        step = make_step(pipeline)
        run = ExecutedReductionStep.objects.create(step=step, software_version=step.software.versions.get())
        run.input_packages.add(package)
        runs.append(run)
    PhysicalCopy.objects.filter(raw_data_package=lost).update(status=PhysicalCopyStatus.MISSING)
    assert claim_runs(location=PipelineFactory().processing_location) == []
    [claimed] = claim_runs()
    assert (claimed, claimed.status) == (runs[1], RunStatus.STAGING_DATA)
    assert claimed.staging_job.raw_data_packages.get() == first
    assert claim_runs(limit=5, location=pipeline.processing_location) == [runs[2]]
    assert claim_runs(limit=5) == []
    runs[0].refresh_from_db()
    assert runs[0].status == RunStatus.PENDING
    with pytest.raises(OpsdbError, match="the limit is 0; give 1 or more"):
        claim_runs(limit=0)


def pending_runs(pipeline, number, available_to=None):
    """Pending runs of a pipeline, each of a package that can be read where it runs, or another."""
    runs = []
    for _ in range(number):
        step = make_step(pipeline)
        run = ExecutedReductionStep.objects.create(step=step, software_version=step.software.versions.get())
        run.input_packages.add(available(available_to or pipeline))
        runs.append(run)
    return runs


def test_runs_of_the_most_urgent_pipeline_are_claimed_first(pipeline):
    first, _ = pending_runs(pipeline, 2)
    urgent = PipelineFactory(priority=pipeline.priority + 1, processing_location=pipeline.processing_location)
    [most_urgent] = pending_runs(urgent, 1)
    assert claim_runs(limit=2) == [most_urgent, first]


@pytest.fixture
def attempts(monkeypatch):
    """The runs that a manager tries to start."""
    tried = []
    monkeypatch.setattr("opsdb.workflows.runs.start_run", lambda run: (tried.append(run), start_run(run))[1])
    return tried


def test_runs_that_have_lost_an_input_are_not_even_tried(pipeline, attempts):
    lost = pending_runs(pipeline, 3)
    PhysicalCopy.objects.update(status=PhysicalCopyStatus.MISSING)
    [good] = pending_runs(pipeline, 1)
    assert claim_runs(limit=4) == attempts == [good]
    assert not set(attempts) & set(lost)


def test_a_full_location_does_not_hold_back_another_and_is_not_asked_for_each_run(pipeline, attempts, monkeypatch):
    monkeypatch.setattr("opsdb.workflows.runs.TRIED_WITHOUT_ROOM", 2)
    full = PipelineFactory(priority=pipeline.priority + 1, processing_location__capacity_bytes=1)
    waiting = pending_runs(full, 5, available_to=pipeline)
    [good] = pending_runs(pipeline, 1)
    assert claim_runs(limit=2) == [good]
    assert len(set(attempts) & set(waiting)) == 2


def test_no_run_of_a_disabled_pipeline_or_an_inactive_location_is_claimed(run, pipeline):
    Pipeline.objects.update(enabled=False)
    assert claim_runs() == []
    Pipeline.objects.update(enabled=True)
    with out_of_use(pipeline.processing_location):
        assert claim_runs() == []
    assert claim_runs() == [run]


def test_a_run_goes_its_way_and_every_step_can_be_repeated(run):
    steps = [
        (RunStatus.SUBMITTED, lambda: submit_run(run, hpc_job_id="4711")),
        (RunStatus.RUNNING, lambda: begin_run(run)),
        (RunStatus.COLLECTING_RESULTS, lambda: collect_run(run)),
        (RunStatus.COMPLETED, lambda: complete_run(run, wall_time_seconds=60.0, cpu_hours=1.0, peak_memory_gb=2.0)),
    ]
    for state, step in steps:
        assert step().status == state
        before = ExecutedReductionStep.objects.values().get()
        assert step().status == state
        assert ExecutedReductionStep.objects.values().get() == before
    assert (run.hpc_job_id, run.exit_code, run.wall_time_seconds) == ("4711", 0, 60.0)
    assert run.submitted_at <= run.started_at <= run.finished_at


def test_a_step_out_of_turn_is_refused_and_says_what_is_possible(run):
    for step in (begin_run, collect_run, complete_run):
        with pytest.raises(InvalidTransition, match=f"executed_reduction_step {run.pk}: status cannot go from pending"):
            step(run)


def test_a_run_is_one_job(run):
    submit_run(run, hpc_job_id="1")
    with pytest.raises(Conflict, match="was submitted as job 1, not 2"):
        submit_run(run, hpc_job_id="2")
    with pytest.raises(Refused, match="number of the job"):
        submit_run(run, hpc_job_id=" ")


def test_an_exit_code_is_no_success(run):
    go(run, RunStatus.RUNNING)
    for step in (collect_run, complete_run):
        with pytest.raises(Refused, match="exit code 3"):
            step(run, exit_code=3)


def test_a_failed_run_is_tried_again_until_its_retries_are_used_up(run):
    go(run, RunStatus.RUNNING)
    fail_run(run, message="node died", exit_code=1)
    assert (run.status, run.retry_count, run.failure_message) == (RunStatus.PENDING, 1, "node died")
    assert (run.hpc_job_id, run.submitted_at, run.started_at, run.exit_code) == ("", None, None, None)
    fail_run(run, message="node died", exit_code=1)
    assert (run.status, run.retry_count) == (RunStatus.PENDING, 1)
    go(run, RunStatus.SUBMITTED)
    fail_run(run, message="node died again")
    assert (run.status, run.retry_count) == (RunStatus.FAILED, 1)
    assert run.finished_at
    assert fail_run(run, message="node died again").status == RunStatus.FAILED


def test_a_failure_that_no_retry_helps_is_final(run):
    fail_run(run, message="no such configuration", retryable=False)
    assert run.status == RunStatus.FAILED
    with pytest.raises(Refused, match="describe what went wrong"):
        fail_run(run, message=" ")


def test_a_run_that_has_not_begun_has_no_attempt_to_repeat(run):
    with pytest.raises(InvalidTransition):
        fail_run(run, message="too early")


def test_an_operator_resets_a_failed_run(run):
    go(run, RunStatus.RUNNING)
    fail_run(run, message="bad", retryable=False)
    reset_run(run)
    assert (run.status, run.retry_count, run.finished_at) == (RunStatus.PENDING, 0, None)
    with pytest.raises(InvalidTransition):
        reset_run(run)


def test_a_failed_run_stays_failed_while_another_is_open_for_its_sub_group(run, pipeline):
    fail_run(run, message="bad", retryable=False)
    [other] = plan_runs(run.step, again=True)
    with pytest.raises(Refused, match=f"executed_reduction_step {other.pk} is open"):
        reset_run(run)


def test_a_run_can_be_cancelled_until_it_collects_its_results(run):
    go(run, RunStatus.COLLECTING_RESULTS)
    with pytest.raises(InvalidTransition):
        cancel_run(run, reason="no longer wanted")


def test_a_cancelled_run_says_why(run):
    with pytest.raises(Refused, match="give the reason"):
        cancel_run(run, reason="")
    cancel_run(run, reason="no longer wanted")
    assert (run.status, run.failure_message) == (RunStatus.CANCELLED, "no longer wanted")
    assert cancel_run(run, reason="no longer wanted").status == RunStatus.CANCELLED


def test_a_run_that_is_not_there_is_not_found(run):
    with pytest.raises(NotFound):
        begin_run(ExecutedReductionStep(pk=0))


def test_the_database_keeps_one_open_run_per_step_and_sub_group(run):
    with pytest.raises(IntegrityError, match="open run"), transaction.atomic():
        try:
            ExecutedReductionStep.objects.create(step=run.step, sub_group_key=run.sub_group_key)
        except IntegrityError as error:
            raise IntegrityError(f"open run: {error}") from error


@pytest.mark.django_db(transaction=True)
def test_two_managers_at_once_claim_different_runs():
    pipeline = PipelineFactory()
    for _ in range(4):
        observed(pipeline)
    planned = [run for _ in range(4) for run in plan_runs(make_step(pipeline))]
    claimed = race(2, lambda number: claim_runs(limit=2))
    assert sorted(run.pk for runs in claimed for run in runs) == [run.pk for run in planned]


@pytest.mark.django_db(transaction=True)
def test_two_submissions_at_once_are_one_job():
    for _ in range(3):
        pipeline = PipelineFactory()
        available(pipeline)
        [run] = plan_runs(make_step(pipeline))
        outcomes = race(
            2, lambda number, pk=run.pk: submit_run(ExecutedReductionStep.objects.get(pk=pk), hpc_job_id=str(number))
        )
        assert [isinstance(one, Conflict) for one in outcomes].count(True) == 1
