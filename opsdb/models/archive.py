"""Transfers into the long-term archive, and staging of data for processing."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, differ, implies
from opsdb.database.indexes import Index
from opsdb.database.triggers import (
    AppendOnly,
    Immutable,
    LocationOfType,
    Trigger,
    holds_back_deletion,
    notes_activity,
    stays_linked,
)

from .base import (
    NumberedModel,
    OpsQuerySet,
    WorkItem,
    claimable_work,
    disputed_work,
    open_work,
    work_item_constraints,
)
from .data.raw_packages import RawDataPackage
from .enums import ChangeLogging, LocationType, Status, WorkStage
from .locations import DataLocation
from .managers import manager_of
from .querysets import ModelT
from .transfer import LogLine

__all__ = [
    "LongTermArchiveTransfer",
    "LongTermArchiveTransferLog",
    "StagingJob",
]


class WorkQuerySet(OpsQuerySet[ModelT]):
    def open(self) -> Self:
        """Work that remains to be done."""
        return self.filter(status__in=Status.open())

    def failed(self) -> Self:
        """Work that failed for good."""
        return self.filter(status=Status.FAILED)


class LongTermArchiveTransferQuerySet(WorkQuerySet["LongTermArchiveTransfer"]):
    def to(self, location: DataLocation) -> Self:
        """Transfers into this archive."""
        return self.filter(destination_location=location)

    def claimable(self) -> Self:
        """Transfers that a worker may begin: pending or scheduled, and the archive is active."""
        return self.filter(status__in=Status.claimable(), destination_location__active=True)


class LongTermArchiveTransfer(WorkItem, NumberedModel):
    """The move of one raw package into one long-term archive.

    It reads from a copy at the archive's site. Transport between sites is a ``DataTransfer``. When the archive's copy
    has become bad, a repair is a further transfer of this kind, from any location with a verified copy.
    """

    change_logging = ChangeLogging.CHANGES

    raw_data_package = models.ForeignKey(
        RawDataPackage,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="archive_transfers",
        help_text=_("Package that is archived."),
    )
    origin_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="outgoing_archive_transfers",
        help_text=_("Location that the package is read from; empty until one is chosen."),
    )
    destination_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="incoming_archive_transfers",
        help_text=_("Archive that the package is written to."),
    )

    objects = manager_of(LongTermArchiveTransferQuerySet)

    class Meta:
        verbose_name = _("archive transfer")
        constraints = [
            *work_item_constraints(),
            *notes_activity(WorkStage.ARCHIVING, is_deletable=True),
            Unique(
                "unique_destination",
                "raw_data_package",
                "destination_location",
                condition=~Q(status=Status.COMPLETED),
                message=(
                    "The package has a transfer into this archive that is not completed; "
                    "wait for that one, or reset it if it failed."
                ),
            ),
            differ(
                "origin_location",
                "destination_location",
                "A transfer must end at another location than it starts; choose another one.",
            ),
            LocationOfType("destination_location", LocationType.LONG_TERM_ARCHIVE),
            Immutable("raw_data_package_id", "destination_location_id"),
            Trigger("again_is_repair", "opsdb_archive_again_is_repair", events="INSERT", field="destination_location"),
            Trigger(
                "completed_is_true",
                "opsdb_archive_transfer_is_true",
                events="INSERT OR UPDATE OF status",
                when="NEW.status = 'completed'",
                field="status",
            ),
            Trigger(
                "reads_what_stays",
                "opsdb_read_what_stays",
                "raw_data_package",
                events="INSERT",
                when="opsdb_is_open_work(NEW.status)",
                field="origin_location",
            ),
            Trigger(
                "again_reads_what_stays",
                "opsdb_read_what_stays",
                "raw_data_package",
                events="UPDATE OF status",
                when="OLD.status = 'failed' AND opsdb_is_open_work(NEW.status)",
                field="origin_location",
            ),
        ]
        indexes = [
            open_work(serves=["list of archive transfers that failed"]),
            claimable_work(serves=["archive transfers to be carried"]),
            disputed_work(serves=["archive transfers reported twice"]),
            Index(
                fields=["origin_location", "id"],
                name="by_origin",
                serves=["list of archive transfers from a location"],
            ),
            Index(
                fields=["destination_location", "id"],
                name="by_destination",
                serves=["list of archive transfers to a location"],
            ),
            Index(
                fields=["raw_data_package", "destination_location"],
                name="by_package",
                serves=["archive transfers of a package"],
            ),
        ]

    def __str__(self) -> str:
        return f"archive transfer {self.pk}"


class LongTermArchiveTransferLog(LogLine):
    """A line about one archive transfer."""

    long_term_archive_transfer = models.ForeignKey(
        LongTermArchiveTransfer,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="log",
        help_text=_("Archive transfer that the line is about."),
    )

    class Meta:
        verbose_name = _("archive transfer log")
        constraints = [AppendOnly("a log line", deletable=True)]
        indexes = [
            Index(
                fields=["long_term_archive_transfer", "logged_at"],
                name="by_transfer",
                serves=["log of an archive transfer"],
            )
        ]


class StagingJobQuerySet(WorkQuerySet["StagingJob"]):
    def active(self) -> Self:
        """Jobs whose data must stay where they were staged."""
        return self.filter(active=True)

    def to(self, location: DataLocation) -> Self:
        """Jobs that bring data to this processing location."""
        return self.filter(destination_location=location)

    def claimable(self) -> Self:
        """Jobs that a worker may begin: pending or scheduled, still needed, and the destination is active."""
        return self.active().filter(status__in=Status.claimable(), destination_location__active=True)

    def expired(self, now: datetime) -> Self:
        """Active jobs whose data are no longer needed at this moment, the longest over first.

        Served by ``staging_job_active``.
        """
        return self.active().filter(expires_at__lte=now).order_by("expires_at", "pk")


class StagingJob(WorkItem, NumberedModel):
    """A request to keep packages or products at a processing location for a limited time.

    While it is active, the staged copies stay; runs of reduction steps stage their input by one.
    """

    raw_data_packages = models.ManyToManyField(
        RawDataPackage, blank=True, related_name="staging_jobs", help_text=_("Raw packages to stage.")
    )
    data_products = models.ManyToManyField(
        "opsdb.DataProduct", blank=True, related_name="staging_jobs", help_text=_("Products to stage.")
    )
    destination_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        related_name="staging_jobs",
        help_text=_("Processing location that the data are staged to."),
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Person who requested the staging."),
    )
    purpose = models.TextField(blank=True, default="", help_text=_("Analysis that needs the data."))
    active = models.BooleanField(default=True, help_text=_("Whether the staged data are still needed."))
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the staged data are no longer needed (UTC).")
    )

    objects = manager_of(StagingJobQuerySet)

    class Meta:
        constraints = [
            *work_item_constraints(),
            *notes_activity(WorkStage.STAGING, is_deletable=True),
            LocationOfType("destination_location", LocationType.PROCESSING),
            holds_back_deletion(
                "raw_data_packages_wait", "staging_job_raw_data_packages", "raw_data_package", "rawdatapackage_id"
            ),
            stays_linked(
                "raw_data_packages_stay",
                "opsdb_keep_staged",
                "staging_job_raw_data_packages",
                "raw_data_package",
                "rawdatapackage_id",
            ),
            holds_back_deletion("data_products_wait", "staging_job_data_products", "data_product", "dataproduct_id"),
            stays_linked(
                "data_products_stay",
                "opsdb_keep_staged",
                "staging_job_data_products",
                "data_product",
                "dataproduct_id",
            ),
            implies(
                "released_is_over",
                Q(active=False),
                ~Q(status__in=Status.open()),
                "A released staging job is over; request the staging again.",
                "active",
            ),
        ]
        indexes = [
            open_work(),
            claimable_work(),
            disputed_work(),
            Index(fields=["expires_at"], name="active", condition=Q(active=True)),
        ]

    def __str__(self) -> str:
        return f"staging job {self.pk}"
