import factory

from opsdb.models import LongTermArchiveTransfer, LongTermArchiveTransferLog, StagingJob

from .base import OpsFactory, many
from .data import RawDataPackageFactory
from .locations import DiskDataLocationFactory, TapeDataLocationFactory
from .work import WorkItemFactory


class LongTermArchiveTransferFactory(WorkItemFactory):
    class Meta:
        model = LongTermArchiveTransfer

    raw_data_package = factory.SubFactory(RawDataPackageFactory, completed=True)
    destination_location = factory.SubFactory(TapeDataLocationFactory, archive=True)

    class Params:
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
