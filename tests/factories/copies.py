import factory

from opsdb.models import (
    ChecksumAlgorithm,
    DataProductPhysicalCopy,
    DataTransferPackagePhysicalCopy,
    DeletionRequest,
    DeletionRequestItem,
    DeletionRequestStatus,
    FixityCheck,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataFilePhysicalCopy,
    RawDataPackagePhysicalCopy,
    Verification,
)

from .access import UserFactory
from .base import EPOCH, OpsFactory, checksum, same
from .data import DataTransferPackageFactory, RawDataFileFactory, RawDataPackageFactory
from .locations import DiskDataLocationFactory
from .reduction import DataProductFactory


class CopyFactory(OpsFactory):
    """What the factories of all kinds of copy share."""

    class Meta:
        abstract = True

    data_location = factory.SubFactory(DiskDataLocationFactory)

    class Params:
        verified = factory.Trait(
            verification=Verification.VERIFIED, verified_at=EPOCH, checksum=factory.Sequence(checksum)
        )
        deleted = factory.Trait(status=PhysicalCopyStatus.DELETED, deleted_at=EPOCH)
        deletion_failed = factory.Trait(status=PhysicalCopyStatus.DELETION_FAILED, failure_message="permission denied")


class RawDataFilePhysicalCopyFactory(CopyFactory):
    class Meta:
        model = RawDataFilePhysicalCopy

    raw_data_file = factory.SubFactory(RawDataFileFactory)
    data_location = factory.SelfAttribute("raw_data_file.source_location")


class RawDataPackagePhysicalCopyFactory(CopyFactory):
    class Meta:
        model = RawDataPackagePhysicalCopy

    raw_data_package = factory.SubFactory(RawDataPackageFactory, completed=True)


class DataTransferPackagePhysicalCopyFactory(CopyFactory):
    class Meta:
        model = DataTransferPackagePhysicalCopy

    data_transfer_package = factory.SubFactory(DataTransferPackageFactory, completed=True)
    data_location = factory.SelfAttribute("data_transfer_package.origin_location")


class DataProductPhysicalCopyFactory(CopyFactory):
    class Meta:
        model = DataProductPhysicalCopy

    data_product = factory.SubFactory(DataProductFactory)
    data_location = factory.SelfAttribute("data_product.run.step.pipeline.processing_location")


class PhysicalCopyFactory(RawDataPackagePhysicalCopyFactory):
    """A copy of any kind: of a raw package, unless ``raw_data_package=None`` and another one is given."""

    class Meta:
        model = PhysicalCopy


class FixityCheckFactory(OpsFactory):
    class Meta:
        model = FixityCheck

    copy = factory.SubFactory(PhysicalCopyFactory)
    checked_at = EPOCH
    algorithm = ChecksumAlgorithm.SHA256
    expected = factory.Sequence(checksum)
    actual = factory.SelfAttribute("expected")
    ok = factory.LazyAttribute(lambda check: check.actual == check.expected)


def _decided(status, **facts):
    return factory.Trait(status=status, approved_by=factory.SubFactory(UserFactory), decided_at=EPOCH, **facts)


class DeletionRequestFactory(OpsFactory):
    class Meta:
        model = DeletionRequest

    data_location = factory.SubFactory(DiskDataLocationFactory)
    reason = "the buffer is full"
    requested_by = factory.SubFactory(UserFactory)
    limit = 100

    class Params:
        approved = _decided(DeletionRequestStatus.APPROVED)
        rejected = _decided(DeletionRequestStatus.REJECTED)
        executed = _decided(DeletionRequestStatus.EXECUTED, executed_at=EPOCH)


class DeletionRequestItemFactory(OpsFactory):
    class Meta:
        model = DeletionRequestItem

    deletion_request = factory.SubFactory(DeletionRequestFactory)
    physical_copy = factory.SubFactory(PhysicalCopyFactory, data_location=same("deletion_request.data_location"))
