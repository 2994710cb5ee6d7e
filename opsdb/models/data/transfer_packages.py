"""Data transfer packages: bundles of raw data packages that travel as one file."""

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import implies, relative_path
from opsdb.database.identifiers import uuid7
from opsdb.database.indexes import by_checksum, by_part_of_path
from opsdb.database.triggers import FrozenOnceVerified, NeverDeleted, Trigger, notes_activity

from ..base import (
    Checksummed,
    OpsQuerySet,
    Timestamped,
    WorkItem,
    checksummed_constraints,
    claimable_work,
    disputed_work,
    open_work,
    work_item_constraints,
)
from ..enums import ChangeLogging, Status, TransferKind, WorkStage
from ..locations import DataLocation, Site
from ..managers import manager_of
from .related import readable_keys, related

__all__ = [
    "DataTransferPackage",
]


VERIFIED_COLUMNS = ("checksum", "checksum_algorithm", "size_bytes", "relative_path")


class DataTransferPackageQuerySet(OpsQuerySet["DataTransferPackage"]):
    def of_origin(self, location: DataLocation) -> Self:
        """Transfer packages that are made at this location."""
        return self.filter(origin_location=location)

    def awaiting_building(self) -> Self:
        """Transfer packages whose tar a worker has to make."""
        return self.filter(status__in=Status.claimable())

    def awaiting_transfer(self) -> Self:
        """Transfer packages that can be read where they were made, carry something that no archive has, and have no
        primary transfer.

        Served by ``raw_data_package_not_archived``: what is archived already costs nothing.
        """
        carried = related(self.model, "raw_data_packages").not_archived().filter(data_transfer_package__isnull=False)
        primary = related(self.model, "data_transfers").filter(
            data_transfer_package=OuterRef("pk"), kind=TransferKind.PRIMARY
        )
        here = (
            related(self.model, "copies")
            .readable()
            .filter(data_transfer_package=OuterRef("pk"), data_location=OuterRef("origin_location"))
        )
        return self.filter(
            ~Exists(primary), Exists(here), status=Status.COMPLETED, pk__in=carried.values("data_transfer_package")
        )

    def awaiting_secondary_transfer(self, origin: DataLocation, site: Site, *, limit: int = 1_000) -> Self:
        """Transfer packages that can be read in this buffer, were made elsewhere, and have no transfer to this site.

        A failed secondary transfer counts, because an operator has to deal with it; a failed primary does not, because
        the package has gone to another site instead. Served by ``physical_copy_by_location``: it costs as much as the
        buffer holds.
        """
        gone_elsewhere = Q(kind=TransferKind.PRIMARY, status=Status.FAILED)
        there = related(self.model, "data_transfers").filter(
            ~gone_elsewhere,
            data_transfer_package=OuterRef("data_transfer_package"),
            destination_location__in=DataLocation.objects.at_site(site),
        )
        elsewhere = DataLocation.objects.exclude(site__in=[origin.site_id, site.pk])
        keys = readable_keys(
            self.model,
            "data_transfer_package",
            [origin],
            there,
            limit,
            data_transfer_package__origin_location__in=elsewhere,
        )
        return self.filter(pk__in=keys)


class DataTransferPackage(Checksummed, WorkItem, Timestamped):
    """A bundle of raw data packages that travels from one site to another as one file.

    It is also called a bundle. It exists for transport only: at the destination it is unpacked into its raw data
    packages. Each of its journeys is a ``DataTransfer``.
    """

    change_logging = ChangeLogging.CHANGES

    id = models.UUIDField(primary_key=True, default=uuid7, help_text=_("Identifier (UUIDv7)."))
    origin_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        related_name="data_transfer_packages",
        help_text=_("Location where the bundle is assembled."),
    )
    name = models.CharField(max_length=255, unique=True, help_text=_("File name, unique among all bundles."))
    relative_path = models.CharField(max_length=1000, help_text=_("Path relative to the location of each copy."))

    objects = manager_of(DataTransferPackageQuerySet)

    class Meta:
        verbose_name = _("bundle")
        constraints = [
            *work_item_constraints(),
            *notes_activity(WorkStage.BUNDLING),
            *checksummed_constraints(),
            relative_path(),
            implies(
                "completed_has_checksum",
                Q(status=Status.COMPLETED),
                Q(checksum__isnull=False, size_bytes__isnull=False),
                "A completed bundle must have a size and a checksum; give both.",
                "checksum",
            ),
            FrozenOnceVerified("data_transfer_package", *VERIFIED_COLUMNS),
            Trigger(
                "packages_fail_with_it",
                "opsdb_fail_packages_with_bundle",
                timing="AFTER",
                events="UPDATE OF status",
                when="OLD.status <> NEW.status AND 'failed' IN (OLD.status, NEW.status)",
            ),
            NeverDeleted("a bundle"),
        ]
        indexes = [open_work(), claimable_work(), disputed_work(), by_checksum(), by_part_of_path()]

    def __str__(self) -> str:
        return self.name
