"""Why a run is not completed yet, and why a step has no run."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsdb.models import (
    PhysicalCopy,
    Pipeline,
    ReductionSoftwareVersion,
    TriggerType,
)
from opsdb.testing.factories import (
    DataProductFactory,
    PipelineFactory,
    ReductionSoftwareVersionFactory,
    ReductionStepDependencyFactory,
    ReductionStepFactory,
)
from opsdb.testing.nights import WORKER, WRONG, build_world, out_of_use
from opsdb.workflows import (
    begin_run,
    cancel_run,
    claim_staging,
    collect_run,
    complete_run,
    explain_row,
    fail_run,
    plan_runs,
    record_fixity,
    release_staging,
    reset_run,
    start_run,
    submit_run,
    work,
)
from tests.workflows.explaining import check, made_at
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


def test_a_run_is_explained_in_every_state(world, step):
    package = world.archived_package()
    [run] = plan_runs(step)
    check(run, "^manager$", "start the run", "has been waiting for ", state="pending")
    Pipeline.objects.update(enabled=False)
    check(run, "^operator$", "enable the pipeline", "is disabled")
    Pipeline.objects.update(enabled=True)
    with out_of_use(world.processing):
        check(run, "^operator$", "enable cologne/ramses", "inactive")
    start_run(run)
    queue = "worker at queue cologne_ramses_staging"
    check(run, queue, "claim it", f"waits for staging_job {run.staging_job_id}", state="staging_data")
    [job] = claim_staging(worker=WORKER)
    check(run, queue, "finish it")
    work.fail(job, worker=WORKER, message="tape jam", retryable=False)
    check(run, "^operator$", "reset staging_job", "tape jam")
    release_staging(job)
    check(run, "^manager$", "fail the run", f"raw_data_package {package.pk} is not at cologne/ramses")
    world.staged(package)
    check(run, "^manager$", "submit the run", "its data are at cologne/ramses")
    submit_run(run, hpc_job_id="4711")
    check(run, "^cluster$", "start job 4711", "job 4711 has been waiting at the cluster for ", state="submitted")
    begin_run(run)
    check(run, "^cluster$", "wait until job 4711 has ended", "job 4711 has been running for ", state="running")
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
    check(run, "^operator$", f"replace the bytes of a corrupt copy of raw_data_package {package.pk}", "no copy of")


def test_a_step_says_why_it_has_no_run(world, step):
    check(step, "^nobody$", "nothing", "no available package waits for a run of it", done=True)
    world.archived_package()
    check(step, "^operator$", "by opsdb.workflows.plan_runs", "has had new packages for ", "planned by hand")
    Pipeline.objects.update(trigger_type=TriggerType.CRON, trigger_config={"cron": "0 0 1 1 *"})
    check(step, "^nobody$", "-01-01 00:00 UTC", "at fixed times")
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


def failed_run(world, step, **failure):
    world.archived_package()
    [run] = plan_runs(step)
    start_run(run)
    return fail_run(run, message="out of memory", **failure)


def test_a_failed_run_tells_why_it_was_not_tried_again(world, step):
    run = failed_run(world, step, retryable=False)
    why = "failed after 0 of 1 retry, not retried, because its failure was reported as permanent: out of memory"
    check(run, "^operator$", "reset", why)
    step.max_retries = 7
    step.save()
    check(run, "^operator$", "reset", "failed after 0 of 7 retries, not retried yet: out of memory")
    reset_run(run)
    step.max_retries = 0
    step.save()
    start_run(run)
    fail_run(run, message="out of memory")
    check(run, "^operator$", "reset", "failed after 0 retries: out of memory")


def test_who_does_it_is_in_words_that_people_understand(world, step):
    run = failed_run(world, step, retryable=False)
    answer = explain_row(run)
    assert answer.who == "operator"
    assert answer.who_in_words == (
        "an operator: somebody with the permission opsdb.change_executedreductionstep, such as the role admin"
    )
    reset_run(run)
    assert explain_row(run).who_in_words == "the manager process (automatic)"
    Pipeline.objects.update(enabled=False)
    assert explain_row(run).who_in_words == "an operator: somebody who may do that, such as the role admin"


def test_a_run_waits_since_it_was_reset_and_not_since_it_was_made(world, step):
    run = failed_run(world, step, retryable=False)
    made_at(run, timezone.now() - timedelta(hours=7))
    reset_run(run)
    check(run, "^manager$", "start the run", "has been waiting for 0 s")
