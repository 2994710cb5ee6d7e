import factory
from django.utils import timezone

from opsdb.models import (
    ChecksumAlgorithm,
    DataProductPhysicalCopy,
    DataTransferPackagePhysicalCopy,
    DeletionPolicy,
    DeletionRequest,
    DeletionRequestItem,
    DeletionRequestStatus,
    FixityCheck,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataFilePhysicalCopy,
    RawDataPackagePhysicalCopy,
)
from opsdb.workflows import attributed

from .access import UserFactory
from .base import EPOCH, OpsFactory, afterwards, change, checksum, same
from .data import DataTransferPackageFactory, RawDataFileFactory, RawDataPackageFactory
from .locations import DiskDataLocationFactory
from .reduction import DataProductFactory
from .verifying import verify


def _becomes(status, by=(), **facts):
    """Take a copy into a state that none is born with, by those that come before."""

    def take(copy):
        for before in by:
            change(copy, status=before)
        change(copy, status=status, **facts)

    return afterwards(take)


BEING_DELETED = (PhysicalCopyStatus.DELETION_SCHEDULED, PhysicalCopyStatus.DELETION_IN_PROGRESS)


class CopyFactory(OpsFactory):
    """What the factories of all kinds of copy share. A deletable copy is one that no rule holds back."""

    class Meta:
        abstract = True

    data_location = factory.SubFactory(DiskDataLocationFactory)

    class Params:
        verified = factory.Trait(check=afterwards(verify))
        missing = factory.Trait(fate=_becomes(PhysicalCopyStatus.MISSING))
        deleted = factory.Trait(
            deletable=True, fate=_becomes(PhysicalCopyStatus.DELETED, by=BEING_DELETED, deleted_at=EPOCH)
        )
        deletion_failed = factory.Trait(
            deletable=True,
            fate=_becomes(PhysicalCopyStatus.DELETION_FAILED, by=BEING_DELETED, failure_message="permission denied"),
        )


class RawDataFilePhysicalCopyFactory(CopyFactory):
    class Meta:
        model = RawDataFilePhysicalCopy

    raw_data_file = factory.SubFactory(RawDataFileFactory)
    data_location = factory.SelfAttribute("raw_data_file.source_location")

    class Params:
        deletable = factory.Trait(
            raw_data_file=factory.SubFactory(RawDataFileFactory, archived=True, source_location__retention_days=0)
        )


class RawDataPackagePhysicalCopyFactory(CopyFactory):
    class Meta:
        model = RawDataPackagePhysicalCopy

    raw_data_package = factory.SubFactory(RawDataPackageFactory, completed=True)

    class Params:
        deletable = factory.Trait(
            raw_data_package=factory.SubFactory(RawDataPackageFactory, archived=True),
            data_location=factory.SubFactory(DiskDataLocationFactory, retention_days=0),
        )


class DataTransferPackagePhysicalCopyFactory(CopyFactory):
    class Meta:
        model = DataTransferPackagePhysicalCopy

    data_transfer_package = factory.SubFactory(DataTransferPackageFactory, completed=True)
    data_location = factory.SelfAttribute("data_transfer_package.origin_location")

    class Params:
        deletable = factory.Trait(
            data_transfer_package=factory.SubFactory(
                DataTransferPackageFactory, archived=True, origin_location__retention_days=0
            )
        )


class DataProductPhysicalCopyFactory(CopyFactory):
    class Meta:
        model = DataProductPhysicalCopy

    data_product = factory.SubFactory(DataProductFactory)
    data_location = factory.SelfAttribute("data_product.run.step.pipeline.processing_location")

    class Params:
        deletable = factory.Trait(
            data_product=factory.SubFactory(
                DataProductFactory, superseded=True, run__step__pipeline__processing_location__retention_days=0
            )
        )


class PhysicalCopyFactory(RawDataPackagePhysicalCopyFactory):
    """A copy of any kind: of a raw package, unless ``raw_data_package=None`` and another one is given."""

    class Meta:
        model = PhysicalCopy


class FixityCheckFactory(OpsFactory):
    class Meta:
        model = FixityCheck

    copy = factory.SubFactory(PhysicalCopyFactory)
    checked_at = factory.LazyFunction(timezone.now)
    algorithm = ChecksumAlgorithm.SHA256
    expected = factory.Sequence(checksum)
    actual = factory.SelfAttribute("expected")
    ok = factory.LazyAttribute(lambda check: check.actual == check.expected)


class DeletionPolicyFactory(OpsFactory):
    """There is one policy."""

    class Meta:
        model = DeletionPolicy
        django_get_or_create = ("id",)

    id = 1
    min_archive_copies = 1


def _decided(decision, *after):
    """Let another person decide a request, and then take it to other states."""

    def decide(request):
        with attributed(user=request.decider):
            for status in (decision, *after):
                change(request, status=status)

    return factory.Trait(decision=afterwards(decide))


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
        executed = _decided(DeletionRequestStatus.APPROVED, DeletionRequestStatus.EXECUTED)

    @classmethod
    def _create(cls, model_class, *args, **fields):
        """Ask in person; ``decider`` of the request is another person whose account is older, as it must be."""
        decider = UserFactory()
        with attributed(user=fields["requested_by"]):
            request = super()._create(model_class, *args, **fields)
        request.decider = decider
        return request


class DeletionRequestItemFactory(OpsFactory):
    class Meta:
        model = DeletionRequestItem

    deletion_request = factory.SubFactory(DeletionRequestFactory)
    physical_copy = factory.SubFactory(PhysicalCopyFactory, data_location=same("deletion_request.data_location"))

    @classmethod
    def _create(cls, model_class, *args, **fields):
        with attributed(user=fields["deletion_request"].requested_by):
            return super()._create(model_class, *args, **fields)
