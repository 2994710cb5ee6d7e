from datetime import timedelta

import factory

from opsdb.models import DataLocation, LongTermArchiveTransfer, LongTermArchiveTransferLog, StagingJob, Status

from .base import EPOCH, OpsFactory, many
from .data import RawDataPackageFactory
from .locations import DiskDataLocationFactory, TapeDataLocationFactory
from .work import WorkItemFactory


class LongTermArchiveTransferFactory(WorkItemFactory):
    class Meta:
        model = LongTermArchiveTransfer

    raw_data_package = factory.SubFactory(RawDataPackageFactory, completed=True)
    destination_location = factory.SubFactory(TapeDataLocationFactory, archive=True)

    class Params:
        completed = factory.Trait(
            status=Status.COMPLETED,
            started_at=EPOCH + timedelta(minutes=1),
            finished_at=EPOCH + timedelta(minutes=3),
            raw_data_package=factory.SubFactory(RawDataPackageFactory, archived=True),
            destination_location=factory.LazyAttribute(
                lambda transfer: DataLocation.objects.archives().get(copies__raw_data_package=transfer.raw_data_package)
            ),
        )
        from_buffer = factory.Trait(origin_location=factory.SubFactory(DiskDataLocationFactory))


class LongTermArchiveTransferLogFactory(OpsFactory):
    class Meta:
        model = LongTermArchiveTransferLog

    long_term_archive_transfer = factory.SubFactory(LongTermArchiveTransferFactory)
    message = "began"


class StagingJobFactory(WorkItemFactory):
    class Meta:
        model = StagingJob

    raw_data_packages = many("raw_data_packages")
    data_products = many("data_products")
    destination_location = factory.SubFactory(DiskDataLocationFactory, processing=True)
