"""The copies of one kind of content, each as a model of its own over the same table."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .physical_copies import PhysicalCopy
from .querysets import PhysicalCopyQuerySet

__all__ = [
    "RawDataFilePhysicalCopy",
    "RawDataPackagePhysicalCopy",
    "DataTransferPackagePhysicalCopy",
    "DataProductPhysicalCopy",
]


class TargetManager(models.Manager.from_queryset(PhysicalCopyQuerySet)):
    """Manager of a proxy: only the copies of one kind of content."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self.target = target
        self.condition = Q(**{f"{target}__isnull": False})

    def get_queryset(self) -> PhysicalCopyQuerySet:
        return super().get_queryset().filter(self.condition)


class RawDataFilePhysicalCopy(PhysicalCopy):
    """A copy of a raw data file."""

    objects = TargetManager("raw_data_file")

    class Meta:
        proxy = True
        verbose_name = _("copy of a raw data file")
        verbose_name_plural = _("copies of raw data files")


class RawDataPackagePhysicalCopy(PhysicalCopy):
    """A copy of a package."""

    objects = TargetManager("raw_data_package")

    class Meta:
        proxy = True
        verbose_name = _("copy of a package")
        verbose_name_plural = _("copies of packages")


class DataTransferPackagePhysicalCopy(PhysicalCopy):
    """A copy of a bundle."""

    objects = TargetManager("data_transfer_package")

    class Meta:
        proxy = True
        verbose_name = _("copy of a bundle")
        verbose_name_plural = _("copies of bundles")


class DataProductPhysicalCopy(PhysicalCopy):
    """A copy of a product."""

    objects = TargetManager("data_product")

    class Meta:
        proxy = True
        verbose_name = _("copy of a product")
        verbose_name_plural = _("copies of products")
