"""How packages are reduced: what gets a run, what a run reads, where it may go, and what it makes."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from opsdb.models import (
    DataProduct,
    DataProductType,
    ExecutedReductionStep,
    PhysicalCopy,
    PhysicalCopyStatus,
    Pipeline,
    RunStatus,
    StagingJob,
    TriggerType,
    Verification,
    VersionPolicy,
)
from opsdb.models.lineage import downstream, lineage
from opsdb.workflows import (
    Conflict,
    InvalidTransition,
    NotFound,
    OpsdbError,
    Refused,
    begin_run,
    cancel_run,
    choose_software_version,
    claim_runs,
    claim_staging,
    collect_run,
    complete_run,
    complete_staging,
    explain_row,
    fail_run,
    list_due_pipelines,
    list_missing_content,
    plan_runs,
    record_fixity,
    register_data_product,
    reset_run,
    start_run,
    submit_run,
    supersede_product,
)
from tests.factories import (
    DataGroupingFactory,
    DataProductFactory,
    ExecutedObsUnitFactory,
    InstrumentModuleFactory,
    ObsUnitFactory,
    PipelineFactory,
    RawDataPackageFactory,
    ReductionSoftwareVersionFactory,
    ReductionStepDependencyFactory,
    ReductionStepFactory,
)
from tests.factories.base import checksum
from tests.workflows.racing import race
from tests.workflows.scenario import WORKER, build_world, found, out_of_use

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)  # a Monday
NIGHT = datetime(2026, 6, 15, 22, tzinfo=UTC)


@pytest.fixture
def pipeline(db):
    return PipelineFactory()


def make_step(pipeline, *, after=(), **facts):
    step = ReductionStepFactory(pipeline=pipeline, **facts)
    ReductionSoftwareVersionFactory(software=step.software, version="1.0")
    for earlier in after:
        ReductionStepDependencyFactory(step=step, depends_on=earlier)
    return step


def available(pipeline, **facts):
    """A package that can be read where the pipeline runs."""
    package = RawDataPackageFactory(completed=True, **facts)
    PhysicalCopy.objects.create(raw_data_package=package, data_location=pipeline.processing_location)
    return package


def observed(pipeline, start_time=NIGHT, **facts):
    return available(pipeline, executed_obs_unit=ExecutedObsUnitFactory(start_time=start_time), **facts)


def go(run, to):
    """Take a run along its way until it is there."""
    steps = [
        (RunStatus.SUBMITTED, lambda: submit_run(run, hpc_job_id=f"job {run.pk}")),
        (RunStatus.RUNNING, lambda: begin_run(run)),
        (RunStatus.COLLECTING_RESULTS, lambda: collect_run(run)),
        (RunStatus.COMPLETED, lambda: complete_run(run)),
    ]
    for state, step in steps:
        if RunStatus(run.status).order < state.order <= to.order:
            step()
    assert run.status == to
    return run


def product(run, path="map.fits", number=1, **facts):
    return register_data_product(
        run,
        **{
            "type": DataProductType.SCIENCE,
            "name": "map",
            "relative_path": path,
            "size_bytes": 10,
            "checksum": checksum(number),
        }
        | facts,
    )


def completed(run, *paths):
    go(run, RunStatus.RUNNING)
    made = [product(run, path, number=run.pk * 100 + number) for number, path in enumerate(paths)]
    go(run, RunStatus.COMPLETED)
    return made


# What gets a run


def test_all_available_packages_together_get_one_run(pipeline):
    packages = {available(pipeline) for _ in range(3)}
    RawDataPackageFactory(completed=True)  # nowhere to be read
    step = make_step(pipeline)
    [run] = plan_runs(step)
    assert (run.sub_group_key, run.status, run.software_version.version) == ("", RunStatus.PENDING, "1.0")
    assert set(run.input_packages.all()) == packages


@pytest.mark.django_db
def test_an_archived_package_is_available():
    world = build_world()
    package = world.archived_package()
    pipeline = PipelineFactory(processing_location=world.processing)
    [run] = plan_runs(make_step(pipeline))
    assert list(run.input_packages.all()) == [package]


@pytest.mark.django_db
def test_a_package_that_no_archive_has_is_not_available():
    world = build_world()
    world.made_packages()
    assert plan_runs(make_step(PipelineFactory(processing_location=world.processing))) == []


def test_packages_are_split_by_night_from_noon_to_noon_utc(pipeline):
    before_midnight = observed(pipeline, NIGHT)
    after_midnight = observed(pipeline, NIGHT + timedelta(hours=13))  # 11:00, still the same night
    next_night = observed(pipeline, NIGHT + timedelta(hours=14))  # 12:00
    runs = plan_runs(make_step(pipeline, group_by=["night"]))
    assert {run.sub_group_key: set(run.input_packages.all()) for run in runs} == {
        "night=2026-06-15": {before_midnight, after_midnight},
        "night=2026-06-16": {next_night},
    }


def test_packages_are_split_by_every_dimension_and_none_is_a_value(pipeline):
    module = InstrumentModuleFactory()
    with_source, without = ObsUnitFactory(), ObsUnitFactory(source=None, obs_mode__needs_source=False)
    packages = [
        available(pipeline, executed_obs_unit=ExecutedObsUnitFactory(obs_unit=unit), instrument_module=module)
        for unit in (with_source, without)
    ]
    step = make_step(pipeline, group_by=["instrument_module", "source"])
    runs = plan_runs(step)
    assert {run.sub_group_key: run.input_packages.get() for run in runs} == {
        f"source={with_source.source_id}, instrument_module={module.pk}": packages[0],
        f"source=none, instrument_module={module.pk}": packages[1],
    }


@pytest.mark.parametrize("dimension", ["observing_program", "obs_unit", "executed_obs_unit", "source"])
def test_every_dimension_can_split(pipeline, dimension):
    for _ in range(2):
        available(pipeline)
    runs = plan_runs(make_step(pipeline, group_by=[dimension]))
    assert len({run.sub_group_key for run in runs}) == 2
    assert all(run.sub_group_key.startswith(f"{dimension}=") for run in runs)


def test_the_rules_of_the_grouping_choose_the_packages(pipeline):
    chosen, _ = observed(pipeline, NIGHT), observed(pipeline, NIGHT + timedelta(days=3))
    rule = {"table": "executed_obs_unit", "column": "start_time", "operator": "lt", "value": "2026-06-16T12:00:00Z"}
    pipeline.data_grouping.filter_rules = [rule]
    pipeline.data_grouping.save()
    [run] = plan_runs(make_step(pipeline))
    assert list(run.input_packages.all()) == [chosen]


def test_a_sub_group_without_anything_new_gets_no_other_run(pipeline):
    available(pipeline)
    step = make_step(pipeline)
    [run] = plan_runs(step)
    assert plan_runs(step) == []
    completed(run)
    assert plan_runs(step) == []
    another = available(pipeline)
    [second] = plan_runs(step)
    assert another in second.input_packages.all()
    assert second.input_packages.count() == 2


def test_the_oldest_new_package_is_looked_for_among_the_newest_only(pipeline):
    step = make_step(pipeline)
    assert step.has_new_since(of_newest=9) is None
    older, newer = available(pipeline), available(pipeline)
    for number, package in ((1, newer), (2, older), (9, older)):
        package.refresh_from_db()
        assert step.has_new_since(of_newest=number) == package.updated_at
    plan_runs(step)
    assert step.has_new_since(of_newest=9) is None


@pytest.mark.parametrize("end", [RunStatus.FAILED, RunStatus.CANCELLED])
def test_a_run_that_was_given_up_is_not_planned_again_by_itself(pipeline, end):
    available(pipeline)
    step = make_step(pipeline, max_retries=0)
    [run] = plan_runs(step)
    go(run, RunStatus.RUNNING)
    fail_run(run, message="no memory") if end == RunStatus.FAILED else cancel_run(run, reason="wrong parameters")
    assert run.status == end
    assert plan_runs(step) == []
    [second] = plan_runs(step, again=True)
    assert second.pk != run.pk


def test_a_sub_group_is_left_alone_until_its_cooldown_is_over(pipeline):
    available(pipeline)
    step = make_step(pipeline, cooldown_seconds=3_600)
    now = timezone.now()
    assert plan_runs(step, now=now + timedelta(minutes=59)) == []
    assert len(plan_runs(step, now=now + timedelta(minutes=61))) == 1


def test_the_cooldown_counts_from_the_newest_package(pipeline):
    old, new = available(pipeline), available(pipeline)
    for package in (old, new):
        package.refresh_from_db()
    step = make_step(pipeline, cooldown_seconds=3_600)
    over_for_old, over = (package.updated_at + timedelta(hours=1) for package in (old, new))
    assert over_for_old < over
    assert plan_runs(step, now=over_for_old) == []
    [run] = plan_runs(step, now=over)
    assert set(run.input_packages.all()) == {old, new}


def test_every_sub_group_has_a_cooldown_of_its_own(pipeline):
    quiet, lively = observed(pipeline, NIGHT), observed(pipeline, NIGHT + timedelta(days=1))
    for package in (quiet, lively):
        package.refresh_from_db()
    step = make_step(pipeline, cooldown_seconds=3_600, group_by=["night"])
    assert plan_runs(step, now=quiet.updated_at) == []
    [run] = plan_runs(step, now=quiet.updated_at + timedelta(hours=1))
    assert run.sub_group_key == "night=2026-06-15"
    [run] = plan_runs(step, now=lively.updated_at + timedelta(hours=1))
    assert run.sub_group_key == "night=2026-06-16"


def test_a_disabled_pipeline_plans_and_starts_nothing(pipeline):
    available(pipeline)
    step = make_step(pipeline)
    [run] = plan_runs(step)
    Pipeline.objects.update(enabled=False)
    with pytest.raises(Refused, match="is disabled"):
        plan_runs(pipeline)
    with pytest.raises(Refused, match="is disabled"):
        start_run(run)


def test_no_more_runs_are_planned_than_asked_for(pipeline):
    for _ in range(5):
        available(pipeline)
    step = make_step(pipeline, group_by=["obs_unit"])
    assert [len(plan_runs(step, limit=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_planning_costs_a_fixed_number_of_queries_whatever_there_is_to_read(pipeline):
    step = make_step(pipeline)
    costs = []
    for packages in (3, 30):
        for _ in range(packages):
            available(pipeline)
        with CaptureQueriesContext(connection) as queries:
            [run] = plan_runs(step)
        costs.append(len(queries))
        cancel_run(run, reason="enough")
    assert costs[0] == costs[1] <= 12


# One after the other


def test_a_step_waits_for_those_it_depends_on_and_reads_their_products(pipeline):
    packages = {observed(pipeline, NIGHT), observed(pipeline, NIGHT + timedelta(days=1))}
    first = make_step(pipeline, group_by=["night"], order=1)
    second = make_step(pipeline, after=[first], order=2)
    one, other = plan_runs(pipeline)
    [early] = completed(one, "a.fits")
    assert plan_runs(second) == []
    [late] = completed(other, "b.fits")
    [run] = plan_runs(pipeline)
    assert run.step == second
    assert set(run.input_products.all()) == {early, late}
    assert set(run.input_packages.all()) == packages


def test_a_step_waits_while_one_it_depends_on_is_at_its_packages_again(pipeline):
    available(pipeline)
    first = make_step(pipeline, order=1)
    second = make_step(pipeline, after=[first], order=2)
    [run] = plan_runs(first)
    [old] = completed(run, "map.fits")
    [again] = plan_runs(first, again=True)
    assert plan_runs(second) == []
    [new] = completed(again, "map.fits")
    [run] = plan_runs(second)
    assert list(run.input_products.all()) == [new]
    old.refresh_from_db()
    assert old.superseded_by == new


def test_a_step_does_not_wait_for_other_sub_groups(pipeline):
    one = observed(pipeline, NIGHT)
    observed(pipeline, NIGHT + timedelta(days=1))
    first = make_step(pipeline, group_by=["night"], order=1)
    second = make_step(pipeline, after=[first], group_by=["night"], order=2)
    runs = plan_runs(first)
    completed(runs[0], "a.fits")
    [run] = plan_runs(second)
    assert list(run.input_packages.all()) == [one]
    assert run.sub_group_key == "night=2026-06-15"


# Which version runs


@pytest.mark.parametrize(
    ("policy", "pinned", "chosen"),
    [
        (VersionPolicy.EXACT, "1.2", "1.2"),
        (VersionPolicy.COMPATIBLE, "1.2", "1.10"),
        (VersionPolicy.COMPATIBLE, "2.0rc1", "2.0"),
        (VersionPolicy.COMPATIBLE, "0.9", None),
        (VersionPolicy.LATEST, None, "2.0"),
        (VersionPolicy.LATEST, "1.2", "2.0"),
    ],
)
def test_the_policy_chooses_the_version(pipeline, policy, pinned, chosen):
    step = ReductionStepFactory(pipeline=pipeline)
    for version in ["0.9", "1.2", "1.10", "1.9.9", "1.11", "2.0rc1", "2.0", "3.0"]:
        ReductionSoftwareVersionFactory(
            software=step.software, version=version, deprecated=version in ("0.9", "1.11", "3.0")
        )
    step.version_policy = policy
    step.pinned_version = pinned and step.software.versions.get(version=pinned)
    if chosen:
        assert choose_software_version(step).version == chosen
    else:
        with pytest.raises(Refused, match=f"reduction_step {step.pk}: .* no version"):
            choose_software_version(step)


def test_a_deprecated_pinned_version_runs_only_when_that_is_allowed(pipeline):
    step = ReductionStepFactory(pipeline=pipeline)
    step.pinned_version, _ = (
        ReductionSoftwareVersionFactory(software=step.software, version=version) for version in ("1.0", "1.1")
    )
    step.version_policy = VersionPolicy.EXACT
    step.save()
    step.software.versions.filter(version="1.0").update(deprecated=True)
    available(pipeline)
    refusal = f"reduction_step {step.pk}: its pinned version 1.0 is deprecated; .*not deprecated: 1.1.*allow_deprecated"
    with pytest.raises(Refused, match=refusal):
        plan_runs(pipeline)
    told = explain_row(step)
    assert (told.who, "pin one" in told.next_step) == ("operator", True)
    [run] = plan_runs(pipeline, allow_deprecated=True)
    assert run.software_version == step.pinned_version


# When a pipeline is due


def cron(pipeline, expression):
    Pipeline.objects.filter(pk=pipeline.pk).update(
        trigger_type=TriggerType.CRON, trigger_config={"cron": expression}, created_at=NOON
    )


def test_a_cron_pipeline_is_due_once_after_each_of_its_times(pipeline):
    cron(pipeline, "0 18 * * mon-fri")

    def due_at(**after):
        return list_due_pipelines(NOON + timedelta(**after)) == [pipeline]

    assert not due_at(hours=5, minutes=59)
    assert due_at(hours=6)
    assert due_at(days=3)
    plan_runs(pipeline, now=NOON + timedelta(days=3))
    pipeline.refresh_from_db()
    assert pipeline.last_planned_at == NOON + timedelta(days=3)
    assert not due_at(days=3, hours=5)
    assert due_at(days=3, hours=6)
    plan_runs(pipeline, now=NOON + timedelta(days=2))
    assert not due_at(days=3, hours=5)
    Pipeline.objects.update(enabled=False)
    assert not due_at(days=9)


def test_continuous_pipelines_are_due_always_and_manual_ones_when_somebody_plans_them(pipeline):
    package = available(pipeline)
    step = ReductionStepFactory(pipeline=pipeline)
    ReductionSoftwareVersionFactory(software=step.software)
    Pipeline.objects.update(trigger_type=TriggerType.MANUAL)
    assert list_due_pipelines() == []
    [run] = plan_runs(pipeline)
    assert list(run.input_packages.all()) == [package]
    Pipeline.objects.update(trigger_type=TriggerType.CONTINUOUS)
    assert list_due_pipelines() == list_due_pipelines() == [pipeline]
    plan_runs(pipeline)
    pipeline.refresh_from_db()
    assert pipeline.last_planned_at is None


@pytest.mark.parametrize("expression", ["5-1 * * * *", "0 0 31 2 *"])
def test_a_cron_expression_that_never_comes_true_is_refused(pipeline, expression):
    cron(pipeline, expression)
    pipeline.refresh_from_db()
    with pytest.raises(ValidationError, match="each range from low to high") as refusal:
        pipeline.full_clean()
    assert list(refusal.value.message_dict) == ["trigger_config"]
    with pytest.raises(Refused, match=f"pipeline {pipeline.pk}: .*{re.escape(expression)}"):
        list_due_pipelines()


def test_a_step_without_a_version_is_refused_when_it_has_something_to_do(pipeline):
    step = ReductionStepFactory(pipeline=pipeline)
    assert plan_runs(step) == []
    available(pipeline)
    with pytest.raises(Refused, match=f"reduction_step {step.pk}: .*register one"):
        plan_runs(step)


# The way of a run


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
    with pytest.raises(Refused, match="can't be read at ramses; have the data staged first"):
        submit_run(run, hpc_job_id="1")
    start_run(run, user=world.user)
    assert run.status == RunStatus.STAGING_DATA
    assert (run.staging_job.requested_by, run.staging_job.purpose) == (world.user, f"executed_reduction_step {run.pk}")
    assert start_run(run).staging_job_id == run.staging_job_id
    assert StagingJob.objects.count() == 1
    with pytest.raises(Refused, match="can't be read at ramses"):
        submit_run(run, hpc_job_id="1")
    [job] = claim_staging(worker=WORKER)
    complete_staging(job, worker=WORKER, reports=[found(thing) for thing in list_missing_content(job)])
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
    with pytest.raises(OpsdbError, match="the limit must be 1 or more"):
        claim_runs(limit=0)


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


# Products


def test_a_product_is_recorded_with_its_copy_and_can_be_sent_again(run):
    go(run, RunStatus.RUNNING)
    made = product(run)
    copy = PhysicalCopy.objects.get(data_product=made)
    assert copy.data_location_id == run.step.pipeline.processing_location_id
    assert (copy.status, copy.verification) == (PhysicalCopyStatus.PRESENT, Verification.UNVERIFIED)
    assert (copy.checksum, copy.size_bytes) == (made.checksum, made.size_bytes)
    assert product(run) == made
    go(run, RunStatus.COMPLETED)
    assert product(run) == made
    assert PhysicalCopy.objects.filter(data_product=made).count() == DataProduct.objects.count() == 1


def test_a_product_with_other_facts_is_refused_and_nothing_changes(run):
    go(run, RunStatus.RUNNING)
    made = product(run)
    for facts in ({"number": 2}, {"size_bytes": 11}, {"name": "other"}):
        with pytest.raises(Conflict, match=f"data_product {made.pk}: "):
            product(run, **facts)
    made.refresh_from_db()
    assert made.checksum == checksum(1)


@pytest.mark.parametrize(
    "facts",
    [{"path": "../map.fits"}, {"path": "/map.fits"}, {"checksum": "xyz"}, {"size_bytes": -1}, {"type": "poem"}],
    ids=str,
)
def test_a_product_that_can_not_be_is_refused(run, facts):
    go(run, RunStatus.RUNNING)
    with pytest.raises(Refused):
        product(run, **facts)
    assert not DataProduct.objects.exists()


def test_only_a_run_at_work_makes_products(run):
    with pytest.raises(Refused, match="is pending"):
        product(run)
    go(run, RunStatus.COMPLETED)
    with pytest.raises(Refused, match="is completed"):
        product(run)


def test_another_attempt_replaces_what_the_first_one_left(run):
    go(run, RunStatus.RUNNING)
    left = product(run, number=1)
    record_fixity(PhysicalCopy.objects.get(data_product=left), checksum=checksum(1))
    fail_run(run, message="node died")
    go(run, RunStatus.RUNNING)
    made = product(run, number=2)
    assert made.pk == left.pk
    copy = PhysicalCopy.objects.get(data_product=made)
    assert made.checksum == copy.checksum == checksum(2)
    assert (copy.status, copy.verification) == (PhysicalCopyStatus.PRESENT, Verification.UNVERIFIED)
    assert product(run, number=2) == made


def test_products_of_a_later_run_replace_those_of_the_same_path(pipeline):
    available(pipeline)
    step = make_step(pipeline)
    [run] = plan_runs(step)
    old, kept = completed(run, "map.fits", "other.fits")
    [again] = plan_runs(step, again=True)
    [new] = completed(again, "map.fits")
    old.refresh_from_db()
    assert old.superseded_by == new
    assert set(DataProduct.objects.current()) == {kept, new}


@pytest.mark.django_db
def test_a_product_is_replaced_by_one_that_is_not_replaced_itself():
    old, new, newer = (DataProductFactory() for _ in range(3))
    assert supersede_product(old, by=new).superseded_by == new
    assert supersede_product(old, by=new).superseded_by == new
    with pytest.raises(Conflict, match=f"is replaced by data_product {new.pk}"):
        supersede_product(old, by=newer)
    with pytest.raises(Refused, match="is itself replaced"):
        supersede_product(new, by=old)
    with pytest.raises(Refused):
        supersede_product(new, by=new)


# What was made of what


@pytest.mark.django_db
def test_lineage_goes_back_to_the_files_in_one_query(django_assert_num_queries):
    world = build_world()
    package = world.archived_package(files=3)
    pipeline = PipelineFactory(processing_location=world.processing)
    PhysicalCopy.objects.create(raw_data_package=package, data_location=world.processing)
    first = make_step(pipeline, order=1, name="calibrate")
    second = make_step(pipeline, after=[first], order=2, name="map")
    [one] = plan_runs(first)
    [calibrated] = completed(one, "calibrated.fits")
    [other] = plan_runs(second)
    [final] = completed(other, "map.fits")
    with django_assert_num_queries(1):
        back = final.lineage()
    assert set(back.products) == {calibrated.pk, final.pk}
    assert back.products[final.pk]["run_id"] == other.pk
    assert back.runs[other.pk]["input_products"] == [calibrated.pk]
    assert back.runs[one.pk]["input_packages"] == [package.pk]
    assert back.runs[one.pk]["version"] == "1.0"
    assert set(back.packages) == {package.pk}
    assert {file["id"] for file in back.files.values()} == set(package.raw_data_files.values_list("pk", flat=True))
    assert not back.truncated
    told = "\n".join(back.lines())
    assert f"data_product {final.pk}" in told
    assert "map.fits" in told
    assert package.name in told
    with django_assert_num_queries(1):
        later = calibrated.downstream()
    assert set(later.products) == {calibrated.pk, final.pk}
    assert set(later.runs) == {other.pk}
    with django_assert_num_queries(1):
        of_package = downstream(package)
    assert set(of_package.products) == {calibrated.pk, final.pk}


@pytest.mark.django_db
def test_lineage_ends_where_it_goes_in_a_circle():
    one, other = DataProductFactory(), DataProductFactory()
    one.run.input_products.add(other)
    other.run.input_products.add(one)
    one.run.input_products.add(one)
    assert set(one.lineage().products) == {one.pk, other.pk}
    assert set(one.downstream().products) == {one.pk, other.pk}
    assert list(one.lineage().lines())


@pytest.mark.django_db
def test_lineage_stops_at_its_limit_and_says_so():
    products = [DataProductFactory() for _ in range(6)]
    for made, of in zip(products[1:], products, strict=False):
        made.run.input_products.add(of)
    assert not products[-1].lineage().truncated
    bounded = lineage(products[-1], limit=3)
    assert bounded.truncated
    assert len(bounded.products) == 3
    assert list(bounded.lines())[-1] == "… and more"


@pytest.mark.django_db
def test_lineage_goes_along_indexes():
    product = DataProductFactory()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for walk in (product.lineage, product.downstream, lambda: downstream(RawDataPackageFactory())):
            with CaptureQueriesContext(connection) as queries:
                walk()
            cursor.execute(f"EXPLAIN {queries[-1]['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan" not in plan, plan


@pytest.mark.django_db
def test_lineage_of_many_diamonds_stays_small():
    layer = [DataProductFactory() for _ in range(3)]
    for _ in range(12):
        above = [DataProductFactory() for _ in range(3)]
        for made in above:
            made.run.input_products.set(layer)
        layer = above
    assert len(layer[0].lineage().products) == 37


# Two managers at once


@pytest.mark.django_db(transaction=True)
def test_two_managers_at_once_plan_one_run():
    for _ in range(15):
        pipeline = PipelineFactory(data_grouping=DataGroupingFactory())
        step = make_step(pipeline, group_by=["obs_unit"])
        available(pipeline)
        outcomes = race(3, lambda number, step=step: len(plan_runs(step)))
        assert sorted(outcomes) == [0, 0, 1]
        assert step.runs.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_reset_and_a_plan_at_once_leave_one_open_run():
    for _ in range(15):
        pipeline = PipelineFactory()
        step = make_step(pipeline)
        available(pipeline)
        [run] = plan_runs(step)
        fail_run(run, message="bad", retryable=False)
        available(pipeline)
        outcomes = race(2, lambda number, run=run, step=step: plan_runs(step) if number else reset_run(run))
        assert not [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, Refused)]
        assert step.runs.open().count() == 1


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
    for _ in range(15):
        pipeline = PipelineFactory()
        available(pipeline)
        [run] = plan_runs(make_step(pipeline))
        outcomes = race(
            2, lambda number, pk=run.pk: submit_run(ExecutedReductionStep.objects.get(pk=pk), hpc_job_id=str(number))
        )
        assert [isinstance(one, Conflict) for one in outcomes].count(True) == 1
