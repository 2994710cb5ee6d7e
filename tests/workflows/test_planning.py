"""What gets a run and what a run reads, and when a pipeline is due."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from opsdb.models import (
    Pipeline,
    RunStatus,
    TriggerType,
)
from opsdb.testing.factories import (
    DataGroupingFactory,
    ExecutedObsUnitFactory,
    InstrumentModuleFactory,
    ObsUnitFactory,
    PipelineFactory,
    RawDataPackageFactory,
    ReductionSoftwareVersionFactory,
    ReductionStepFactory,
)
from opsdb.testing.nights import build_world
from opsdb.workflows import (
    Refused,
    cancel_run,
    fail_run,
    list_due_pipelines,
    plan_runs,
    reset_run,
    start_run,
)
from tests.workflows.racing import race
from tests.workflows.reducing import NIGHT, NOON, available, completed, cron, go, make_step, observed


@pytest.fixture
def pipeline(db):
    return PipelineFactory()


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


@pytest.mark.django_db(transaction=True)
def test_two_managers_at_once_plan_one_run():
    for _ in range(3):
        pipeline = PipelineFactory(data_grouping=DataGroupingFactory())
        step = make_step(pipeline, group_by=["obs_unit"])
        available(pipeline)
        outcomes = race(3, lambda number, step=step: len(plan_runs(step)))
        assert sorted(outcomes) == [0, 0, 1]
        assert step.runs.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_reset_and_a_plan_at_once_leave_one_open_run():
    for _ in range(3):
        pipeline = PipelineFactory()
        step = make_step(pipeline)
        available(pipeline)
        [run] = plan_runs(step)
        fail_run(run, message="bad", retryable=False)
        available(pipeline)
        outcomes = race(2, lambda number, run=run, step=step: plan_runs(step) if number else reset_run(run))
        assert not [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, Refused)]
        assert step.runs.open().count() == 1
