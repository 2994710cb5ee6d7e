"""Steps, packages and runs for tests of the reduction."""

from datetime import UTC, datetime

from opsdb.models import (
    DataProductType,
    PhysicalCopy,
    Pipeline,
    RunStatus,
    TriggerType,
)
from opsdb.testing.factories import (
    ExecutedObsUnitFactory,
    RawDataPackageFactory,
    ReductionSoftwareVersionFactory,
    ReductionStepDependencyFactory,
    ReductionStepFactory,
)
from opsdb.testing.factories.base import checksum
from opsdb.workflows import (
    begin_run,
    collect_run,
    complete_run,
    register_data_product,
    submit_run,
)

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)  # a Monday
NIGHT = datetime(2026, 6, 15, 22, tzinfo=UTC)


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


def cron(pipeline, expression):
    Pipeline.objects.filter(pk=pipeline.pk).update(
        trigger_type=TriggerType.CRON, trigger_config={"cron": expression}, created_at=NOON
    )
