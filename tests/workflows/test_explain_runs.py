"""Why a run is not completed yet, and why a step has no run."""

import pytest

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
    fail_run,
    plan_runs,
    record_fixity,
    release_staging,
    start_run,
    submit_run,
    work,
)
from tests.workflows.explaining import check
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
