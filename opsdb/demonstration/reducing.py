"""Reducing the archived data, and publishing the products."""

from __future__ import annotations

from collections import Counter
from typing import Any

from opsdb.models import (
    DataGrouping,
    DataProduct,
    DataProductType,
    ExecutedObsUnit,
    ExecutedReductionStep,
    Pipeline,
    ReductionSoftware,
    ReductionSoftwareVersion,
    ReductionStep,
    ReductionStepConfig,
    RunStatus,
    SourceType,
    StagingJob,
)
from opsdb.workflows import (
    CopyReport,
    begin_run,
    claim_staging,
    collect_run,
    complete_run,
    complete_staging,
    create_publication,
    create_release,
    list_missing_content,
    plan_runs,
    publish_publication,
    publish_release,
    register_data_product,
    start_run,
    submit_run,
)

from .facts import BATCH, PRODUCT_BYTES, WORKER, digest
from .setting import DemoSetting


class DataReducer:
    """Reduces data and publishes products.

    Args:
        setting: where data are reduced.
        seed: of the demonstration.
        done: counts of events.
    """

    def __init__(self, setting: DemoSetting, seed: int, done: Counter):
        self.setting, self.seed, self.done = setting, seed, done

    def reduce(self) -> None:
        """Stage the science data of each night, reduce them, and register a map and a plot of each."""
        for run in plan_runs(self.step("maps", ["night"]), limit=BATCH):
            start_run(run)
            self.stage()
            submit_run(run, hpc_job_id=f"demo-{run.pk}")
            begin_run(run)
            collect_run(run)
            self.register_product(run, DataProductType.SCIENCE, "map.fits")
            self.register_product(run, DataProductType.PLOT, "map.png")
            complete_run(run, wall_time_seconds=600, cpu_hours=8, peak_memory_gb=12)
            self.done["reduction runs"] += 1

    def register_product(self, run: ExecutedReductionStep, type: DataProductType, name: str) -> None:
        """Register a product of a run."""
        register_data_product(
            run,
            type=type,
            name=name,
            relative_path=f"demo/{run.pk}/{name}",
            size_bytes=PRODUCT_BYTES,
            checksum=digest(self.seed, run.sub_group_key, name),
            location=run.step.pipeline.processing_location,
        )
        self.done["data products"] += 1

    def stage(self) -> None:
        """Complete the pending staging jobs."""
        for job in claim_staging(worker=WORKER, limit=BATCH):
            self.complete_staging(job)

    def complete_staging(self, job: StagingJob) -> None:
        """Report the packages that were staged."""
        complete_staging(
            job, worker=WORKER, reports=[CopyReport(missing, missing.checksum) for missing in list_missing_content(job)]
        )
        self.done["staging jobs"] += 1

    def step(self, name: str, group_by: list[str], **pipeline: Any) -> ReductionStep:
        """Return the only step of a pipeline, which the first demonstration creates."""
        grouping, _ = DataGrouping.objects.get_or_create(
            name="demonstration: fields",
            defaults={
                "description": "Packages of fields, those scanned at a constant elevation if enough of them are up.",
                "filter_rules": [
                    {"table": "source", "column": "type", "operator": "in", "value": self.types_of_fields()}
                ],
            },
        )
        made, _ = Pipeline.objects.get_or_create(
            name=f"demonstration: {name}",
            defaults={"data_grouping": grouping, "processing_location": self.setting.processing, **pipeline},
        )
        software, _ = ReductionSoftware.objects.get_or_create(name=f"demonstration {name}")
        ReductionSoftwareVersion.objects.get_or_create(software=software, version="1.0.0")
        config, _ = ReductionStepConfig.objects.get_or_create(
            software=software, name="default", defaults={"cpu": 4, "memory_gb": 16, "time_hours": 2}
        )
        step, _ = ReductionStep.objects.get_or_create(
            pipeline=made, name=name, defaults={"software": software, "config": config, "group_by": group_by}
        )
        return step

    @staticmethod
    def types_of_fields() -> list[str]:
        """Return the types of sources whose data are reduced: at some times of the year few scanned fields are up."""
        scanned, fixed = SourceType.CONSTANT_ELEVATION.value, SourceType.FIXED.value
        executed = ExecutedObsUnit.objects.filter(obs_unit__source__type=scanned)
        return [scanned] if executed[len(RunStatus) - 1 :].exists() else [scanned, fixed]

    def publish(self) -> None:
        """Release the maps, and publish a paper about them."""
        maps = list(
            DataProduct.objects.filter(
                type=DataProductType.SCIENCE, run__step__pipeline__name="demonstration: maps", releases__isnull=True
            )
        )
        if not maps:
            return
        version = f"{maps[0].pk}"
        release = publish_release(create_release("demonstration maps", version=version, products=maps))
        publish_publication(
            create_publication(
                title=f"Maps of the demonstration, {version}", year=2026, authors=["A. Nobody"], releases=[release]
            )
        )
        self.done["releases"] += 1
        self.done["publications"] += 1
