from datetime import timedelta

import factory

from opsdb.models import (
    DataGrouping,
    DataProduct,
    DataProductType,
    ExecutedReductionStep,
    ExecutedReductionStepInputPackage,
    ExecutedReductionStepInputProduct,
    PhysicalCopy,
    Pipeline,
    ReductionSoftware,
    ReductionSoftwareVersion,
    ReductionStep,
    ReductionStepConfig,
    ReductionStepDependency,
    RunStatus,
    TriggerType,
    VersionPolicy,
)

from .base import EPOCH, OpsFactory, afterwards, checksum, many, same
from .data import RawDataPackageFactory
from .locations import DiskDataLocationFactory, TapeDataLocationFactory
from .verifying import verify


class ReductionSoftwareFactory(OpsFactory):
    class Meta:
        model = ReductionSoftware

    name = factory.Sequence("software {}".format)


class ReductionSoftwareVersionFactory(OpsFactory):
    class Meta:
        model = ReductionSoftwareVersion

    software = factory.SubFactory(ReductionSoftwareFactory)
    version = factory.Sequence("1.{}".format)


class ReductionStepConfigFactory(OpsFactory):
    class Meta:
        model = ReductionStepConfig

    software = factory.SubFactory(ReductionSoftwareFactory)
    name = factory.Sequence("config {}".format)


class DataGroupingFactory(OpsFactory):
    class Meta:
        model = DataGrouping

    name = factory.Sequence("grouping {}".format)


class PipelineFactory(OpsFactory):
    class Meta:
        model = Pipeline

    name = factory.Sequence("pipeline {}".format)
    data_grouping = factory.SubFactory(DataGroupingFactory)
    processing_location = factory.SubFactory(DiskDataLocationFactory, processing=True)

    class Params:
        cron = factory.Trait(trigger_type=TriggerType.CRON, trigger_config={"cron": "0 12 * * *"})


class ReductionStepFactory(OpsFactory):
    class Meta:
        model = ReductionStep

    pipeline = factory.SubFactory(PipelineFactory)
    name = factory.Sequence("step {}".format)
    order = factory.Sequence(int)
    software = factory.SubFactory(ReductionSoftwareFactory)
    config = factory.SubFactory(ReductionStepConfigFactory, software=same("software"))

    class Params:
        pinned = factory.Trait(
            version_policy=VersionPolicy.EXACT,
            pinned_version=factory.SubFactory(ReductionSoftwareVersionFactory, software=same("software")),
        )


class ReductionStepDependencyFactory(OpsFactory):
    class Meta:
        model = ReductionStepDependency

    step = factory.SubFactory(ReductionStepFactory)
    depends_on = factory.SubFactory(ReductionStepFactory, pipeline=same("step.pipeline"))


class ExecutedReductionStepFactory(OpsFactory):
    class Meta:
        model = ExecutedReductionStep

    step = factory.SubFactory(ReductionStepFactory)
    input_packages = many("input_packages")
    input_products = many("input_products")

    class Params:
        versioned = factory.Trait(
            software_version=factory.SubFactory(ReductionSoftwareVersionFactory, software=same("step.software"))
        )
        running = factory.Trait(
            status=RunStatus.RUNNING, hpc_job_id="4711", submitted_at=EPOCH, started_at=EPOCH + timedelta(minutes=1)
        )
        completed = factory.Trait(
            status=RunStatus.COMPLETED,
            hpc_job_id="4711",
            submitted_at=EPOCH,
            started_at=EPOCH + timedelta(minutes=1),
            finished_at=EPOCH + timedelta(minutes=3),
            exit_code=0,
        )
        failed = factory.Trait(
            status=RunStatus.FAILED,
            finished_at=EPOCH + timedelta(minutes=3),
            exit_code=1,
            failure_message="out of memory",
        )


def _keep(product):
    """Give a product a verified copy in an archive."""
    verify(PhysicalCopy.objects.create(data_location=TapeDataLocationFactory(archive=True), data_product=product))


class DataProductFactory(OpsFactory):
    class Meta:
        model = DataProduct

    run = factory.SubFactory(ExecutedReductionStepFactory, completed=True)
    type = DataProductType.SCIENCE
    name = factory.Sequence("map {}".format)
    relative_path = factory.Sequence("maps/{}.fits".format)
    size_bytes = 1_000
    checksum = factory.Sequence(checksum)

    class Params:
        kept = factory.Trait(safe_copy=afterwards(_keep))
        superseded = factory.Trait(
            superseded_by=factory.SubFactory("opsdb.testing.factories.reduction.DataProductFactory", kept=True)
        )


class ExecutedReductionStepInputPackageFactory(OpsFactory):
    class Meta:
        model = ExecutedReductionStepInputPackage

    run = factory.SubFactory(ExecutedReductionStepFactory)
    raw_data_package = factory.SubFactory(RawDataPackageFactory)


class ExecutedReductionStepInputProductFactory(OpsFactory):
    class Meta:
        model = ExecutedReductionStepInputProduct

    run = factory.SubFactory(ExecutedReductionStepFactory)
    data_product = factory.SubFactory(DataProductFactory)
