"""The way into the long-term archive, and back out of it for processing."""

from django.utils.translation import gettext_lazy as _

from opsdb.models import (
    DataProduct,
    LongTermArchiveTransfer,
    LongTermArchiveTransferLog,
    RawDataPackage,
    StagingJob,
    Status,
)

from .base import OpsFilterSet, Size
from .parameters import KeyParameter
from .related import reference, site

__all__ = ["LongTermArchiveTransferFilterSet", "LongTermArchiveTransferLogFilterSet", "StagingJobFilterSet"]


class LongTermArchiveTransferFilterSet(OpsFilterSet[LongTermArchiveTransfer]):
    size = Size.BIG
    search_fields = ("id", "raw_data_package", "raw_data_package__name__startswith")
    windows = ("created_at",)
    few = ("raw_data_package",)
    usual = {"status": Status.COMPLETED}

    class Meta:
        model = LongTermArchiveTransfer
        fields = ("status", "origin_location", "destination_location", "raw_data_package")


class LongTermArchiveTransferLogFilterSet(OpsFilterSet[LongTermArchiveTransferLog]):
    size = Size.BIG
    search_fields = ("id", "long_term_archive_transfer")
    windows = ("logged_at",)
    few = ("long_term_archive_transfer",)

    class Meta:
        model = LongTermArchiveTransferLog
        fields = ("long_term_archive_transfer", "level")


class StagingJobFilterSet(OpsFilterSet[StagingJob]):
    search_fields = ("id", "purpose")
    windows = ("created_at", "expires_at")
    joined = {
        "site": site("destination_location__site"),
        "raw_data_package": reference("raw_data_packages", RawDataPackage, _("Package")),
        "data_product": KeyParameter(
            "data_products", related=DataProduct, label=_("Product"), help_text=_("Key of a product in it.")
        ),
    }

    class Meta:
        model = StagingJob
        fields = ("status", "active", "destination_location", "requested_by")
