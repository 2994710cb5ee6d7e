"""Where the bytes are, whether they are still right, and what shall be deleted."""

from opsdb.models import (
    DataProductPhysicalCopy,
    DataTransferPackagePhysicalCopy,
    DeletionRequest,
    DeletionRequestItem,
    FixityCheck,
    PhysicalCopy,
    RawDataFilePhysicalCopy,
    RawDataPackagePhysicalCopy,
)
from opsdb.models.copies.querysets import COPY_TARGETS

from .base import OpsFilterSet, Size
from .related import site

__all__ = [
    "PhysicalCopyFilterSet",
    "RawDataFilePhysicalCopyFilterSet",
    "RawDataPackagePhysicalCopyFilterSet",
    "DataTransferPackagePhysicalCopyFilterSet",
    "DataProductPhysicalCopyFilterSet",
    "FixityCheckFilterSet",
    "DeletionRequestFilterSet",
    "DeletionRequestItemFilterSet",
]

OF_COPIES = ("data_location", "status", "verification", "deletion_candidate")


class PhysicalCopyFilterSet(OpsFilterSet[PhysicalCopy]):
    size = Size.BIG
    search_fields = ("id", *COPY_TARGETS)
    windows = ("arrived_at",)
    few = COPY_TARGETS
    joined = {"site": site("data_location__site")}

    class Meta:
        model = PhysicalCopy
        fields = (*OF_COPIES, *COPY_TARGETS)


class RawDataFilePhysicalCopyFilterSet(OpsFilterSet[RawDataFilePhysicalCopy]):
    size = Size.BIG
    search_fields = ("id", "raw_data_file")
    windows = ("arrived_at",)
    few = ("raw_data_file",)

    class Meta:
        model = RawDataFilePhysicalCopy
        fields = (*OF_COPIES, "raw_data_file")


class RawDataPackagePhysicalCopyFilterSet(OpsFilterSet[RawDataPackagePhysicalCopy]):
    size = Size.BIG
    search_fields = ("id", "raw_data_package")
    few = ("raw_data_package",)

    class Meta:
        model = RawDataPackagePhysicalCopy
        fields = ("data_location", "status", "raw_data_package")


class DataTransferPackagePhysicalCopyFilterSet(OpsFilterSet[DataTransferPackagePhysicalCopy]):
    size = Size.BIG
    search_fields = ("id", "data_transfer_package")
    few = ("data_transfer_package",)

    class Meta:
        model = DataTransferPackagePhysicalCopy
        fields = ("data_location", "status", "data_transfer_package")


class DataProductPhysicalCopyFilterSet(OpsFilterSet[DataProductPhysicalCopy]):
    size = Size.BIG
    search_fields = ("id", "data_product")
    few = ("data_product",)

    class Meta:
        model = DataProductPhysicalCopy
        fields = ("data_location", "status", "data_product")


class FixityCheckFilterSet(OpsFilterSet[FixityCheck]):
    size = Size.BIG
    sortable = ("checked_at",)
    search_fields = ("id", "copy")
    windows = ("checked_at",)
    few = ("copy",)
    usual = {"ok": True}

    class Meta:
        model = FixityCheck
        fields = ("copy", "ok")


class DeletionRequestFilterSet(OpsFilterSet[DeletionRequest]):
    search_fields = ("id", "reason", "data_location__name")
    windows = ("created_at", "decided_at")
    order = "-id"
    joined = {"site": site("data_location__site")}

    class Meta:
        model = DeletionRequest
        fields = ("status", "data_location", "overrides_retention", "requested_by", "approved_by")


class DeletionRequestItemFilterSet(OpsFilterSet[DeletionRequestItem]):
    size = Size.BIG
    search_fields = ("deletion_request", "physical_copy")
    few = ("physical_copy",)
    sortable = ("physical_copy",)
    order = "physical_copy"

    class Meta:
        model = DeletionRequestItem
        fields = ("deletion_request", "physical_copy")
