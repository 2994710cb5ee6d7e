"""Routes between sites, and the transfers of data."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Check, Unique, differ, implies, not_negative
from opsdb.database.indexes import Index
from opsdb.database.triggers import AppendOnly, Immutable, Refuses, Trigger, notes_activity
from opsdb.formatting import format_minute, format_second

from .base import (
    NumberedModel,
    OpsModel,
    OpsQuerySet,
    WorkItem,
    claimable_work,
    disputed_work,
    open_work,
    work_item_constraints,
)
from .data.transfer_packages import DataTransferPackage
from .enums import ChangeLogging, LogLevel, RouteType, Status, TransferKind, WorkStage
from .locations import DataLocation, Site
from .managers import manager_of
from .renaming import former_names, renaming_constraints

__all__ = [
    "DataTransferRoute",
    "DataTransfer",
    "DataTransferLog",
    "StageActivity",
]


class LogLine(OpsModel):
    """Abstract: a line about one piece of work. It is deleted with its work and never changed."""

    change_logging = ChangeLogging.OFF

    id = models.BigAutoField(primary_key=True, help_text=_("Number of the line."))
    logged_at = models.DateTimeField(db_default=models.functions.Now(), help_text=_("When the line was written (UTC)."))
    level = models.CharField(max_length=10, choices=LogLevel, default=LogLevel.INFO, help_text=_("Event severity."))
    status = models.CharField(max_length=30, blank=True, default="", help_text=_("State of the work at that time."))
    message = models.CharField(max_length=1000, help_text=_("Event in one line; long output stays in files."))
    log_path = models.CharField(max_length=1000, blank=True, default="", help_text=_("File with the full log."))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{format_second(self.logged_at)} {self.message[:80]}"


class DataTransferRouteQuerySet(OpsQuerySet["DataTransferRoute"]):
    def active(self) -> Self:
        """Active routes."""
        return self.filter(active=True)

    def between(self, origin: Site, destination: Site) -> Self:
        """Routes from one site to another, the preferred first."""
        return self.filter(origin_site=origin, destination_site=destination).order_by("priority", "id")


class DataTransferRoute(NumberedModel):
    """A route that data can take from one site to another.

    Without one, data take the way that the topology of sites and locations gives.
    """

    natural_key_fields = ("name",)

    name = models.CharField(max_length=100, unique=True, help_text=_("Name of the route, unique."))
    former_names = former_names()
    origin_site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="outgoing_routes", help_text=_("Site where the route begins.")
    )
    destination_site = models.ForeignKey(
        Site, on_delete=models.PROTECT, related_name="incoming_routes", help_text=_("Site where the route ends.")
    )
    route_type = models.CharField(
        max_length=10,
        choices=RouteType,
        default=RouteType.DIRECT,
        help_text=_("Direct, through a relay site, or between two locations."),
    )
    method = models.CharField(max_length=50, help_text=_("Program that carries the data, such as bbcp."))
    relay_site = models.ForeignKey(
        Site,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="relayed_routes",
        help_text=_("Site between origin and destination, for a relay route."),
    )
    origin_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="outgoing_routes",
        help_text=_("Location where a custom route begins."),
    )
    destination_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="incoming_routes",
        help_text=_("Location where a custom route ends."),
    )
    active = models.BooleanField(default=True, help_text=_("Whether new transfers may use the route."))
    priority = models.IntegerField(default=0, help_text=_("Lowest is used first."))

    objects = manager_of(DataTransferRouteQuerySet)

    class Meta:
        verbose_name = _("transfer route")
        constraints = [
            differ(
                "origin_site",
                "destination_site",
                "A route must end at another site than it begins; choose one.",
            ),
            Check(
                "ends_fit_type",
                Q(
                    route_type=RouteType.DIRECT,
                    relay_site__isnull=True,
                    origin_location__isnull=True,
                    destination_location__isnull=True,
                )
                | Q(
                    route_type=RouteType.RELAY,
                    relay_site__isnull=False,
                    origin_location__isnull=True,
                    destination_location__isnull=True,
                )
                | Q(
                    route_type=RouteType.CUSTOM,
                    relay_site__isnull=True,
                    origin_location__isnull=False,
                    destination_location__isnull=False,
                ),
                "A relay route names a relay site, a custom route both locations, a direct route neither.",
                "route_type",
            ),
            Check(
                "relay_differs",
                ~Q(relay_site=F("origin_site")) & ~Q(relay_site=F("destination_site")),
                "The relay site must be another site than the two ends; choose another one.",
                "relay_site",
            ),
            Trigger(
                "locations_at_ends",
                "opsdb_route_locations_at_ends",
                when="NEW.route_type = 'custom'",
            ),
            *renaming_constraints("name"),
        ]

    def __str__(self) -> str:
        return self.name


class DataTransferQuerySet(OpsQuerySet["DataTransfer"]):
    def open(self) -> Self:
        """Transfers that remain to be done."""
        return self.filter(status__in=Status.open())

    def failed(self) -> Self:
        """Transfers that failed for good."""
        return self.filter(status=Status.FAILED)

    def to(self, location: DataLocation) -> Self:
        """Transfers to this location."""
        return self.filter(destination_location=location)

    def claimable(self) -> Self:
        """Pending or scheduled transfers to an active destination whose previous hop, if any, is completed."""
        return self.filter(
            Q(depends_on__isnull=True) | Q(depends_on__status=Status.COMPLETED),
            status__in=Status.claimable(),
            destination_location__active=True,
        )

    def awaiting_unpack(self) -> Self:
        """Transfers that have arrived and whose unpacking a worker has to do, the longest waiting first.

        Served by ``data_transfer_to_unpack``.
        """
        return self.filter(status=Status.COMPLETED, unpack_status__in=Status.claimable()).order_by("finished_at", "pk")

    def unpacking_stalled(self, *, older_than: timedelta) -> Self:
        """Transfers in unpacking whose last heartbeat is older than this."""
        return self.filter(
            status=Status.COMPLETED,
            unpack_status=Status.IN_PROGRESS,
            unpack_heartbeat_at__lt=timezone.now() - older_than,
        )


class DataTransfer(WorkItem, NumberedModel):
    """One transfer of a bundle (transfer package) from one location to another, and its unpacking there.

    A relay is two of them, where the second hop depends on the first.
    """

    change_logging = ChangeLogging.CHANGES

    data_transfer_package = models.ForeignKey(
        DataTransferPackage,
        on_delete=models.PROTECT,
        related_name="data_transfers",
        help_text=_("Bundle that is transferred."),
    )
    route = models.ForeignKey(
        DataTransferRoute,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="data_transfers",
        help_text=_("Route of the transfer; empty where the topology determined it."),
    )
    origin_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        related_name="outgoing_transfers",
        help_text=_("Location that the bundle is sent from."),
    )
    destination_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        related_name="incoming_transfers",
        help_text=_("Location that the bundle is sent to."),
    )
    kind = models.CharField(
        max_length=10,
        choices=TransferKind,
        default=TransferKind.PRIMARY,
        help_text=_("Primary: from the observatory; secondary: from archive to archive."),
    )
    method = models.CharField(max_length=50, help_text=_("Program that carries the data, such as bbcp."))
    unpack_status = models.CharField(
        max_length=16, choices=Status, default=Status.PENDING, help_text=_("State of the unpacking at the destination.")
    )
    unpack_retry_count = models.IntegerField(default=0, help_text=_("Number of retries of the unpacking."))
    unpack_failure_message = models.TextField(blank=True, default="", help_text=_("Last failure of the unpacking."))
    unpack_claimed_by = models.CharField(
        max_length=200, blank=True, default="", help_text=_("Worker that unpacks or unpacked the bundle.")
    )
    unpack_heartbeat_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Last heartbeat of the worker that unpacks (UTC).")
    )
    unpacked_at = models.DateTimeField(null=True, blank=True, help_text=_("When the bundle was unpacked (UTC)."))
    bytes_transferred = models.BigIntegerField(default=0, help_text=_("Bytes that have arrived at the destination."))
    depends_on = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="next_hops",
        help_text=_("Previous hop of a relay; empty for the first."),
    )

    objects = manager_of(DataTransferQuerySet)

    class Meta:
        verbose_name = _("transfer")
        constraints = [
            *work_item_constraints(),
            *notes_activity(WorkStage.TRANSFER, WorkStage.UNPACKING, is_deletable=True),
            Unique(
                "unique_open",
                "data_transfer_package",
                "destination_location",
                condition=~Q(status=Status.FAILED),
                message=(
                    "The bundle has an open or completed transfer to this location; "
                    "wait for that one, or choose another location."
                ),
            ),
            differ(
                "origin_location",
                "destination_location",
                "A transfer must end at another location than it starts; choose another one.",
            ),
            not_negative("unpack_retry_count"),
            not_negative("bytes_transferred"),
            implies(
                "unpacked_has_time",
                Q(unpack_status=Status.COMPLETED),
                Q(unpacked_at__isnull=False),
                "Completed unpacking must have unpacked_at; give the time at which it was completed.",
                "unpacked_at",
            ),
            implies(
                "unpack_failed_has_message",
                Q(unpack_status=Status.FAILED),
                ~Q(unpack_failure_message=""),
                "Failed unpacking must have an unpack_failure_message; give the error of the last attempt.",
                "unpack_failure_message",
            ),
            implies(
                "unpacked_after_arrival",
                Q(unpack_status__in=[Status.IN_PROGRESS, Status.COMPLETED]),
                Q(status=Status.COMPLETED),
                "Only what has arrived can be unpacked; complete the transfer first.",
                "unpack_status",
            ),
            Immutable("data_transfer_package_id", "origin_location_id", "destination_location_id"),
            Trigger(
                "reads_what_stays",
                "opsdb_read_what_stays",
                "data_transfer_package",
                events="INSERT",
                when="opsdb_is_open_work(NEW.status)",
                field="origin_location",
            ),
            Trigger(
                "again_reads_what_stays",
                "opsdb_read_what_stays",
                "data_transfer_package",
                events="UPDATE OF status",
                when="OLD.status = 'failed' AND opsdb_is_open_work(NEW.status)",
                field="origin_location",
            ),
            Trigger(
                "waits_for_hop",
                "opsdb_wait_for_hop",
                events="INSERT OR UPDATE OF status, depends_on_id",
                when="NEW.depends_on_id IS NOT NULL AND NEW.status IN ('in_progress', 'completed')",
                field="status",
            ),
            Refuses(
                "hop_stays",
                "OLD.depends_on_id IS NOT NULL AND OLD.depends_on_id IS DISTINCT FROM NEW.depends_on_id",
                "data_transfer {old.id}: depends_on_id cannot be changed once set",
                "Plan another transfer.",
                events="UPDATE OF depends_on_id",
                field="depends_on",
            ),
            Check(
                "depends_on_is_older",
                Q(depends_on__lt=F("id")),
                "A hop can only depend on one that was planned before it; choose an older transfer.",
                "depends_on",
            ),
            Trigger(
                "hops_connect",
                "opsdb_connect_hops",
                events='INSERT OR UPDATE OF "depends_on_id"',
                when="NEW.depends_on_id IS NOT NULL",
                field="depends_on",
            ),
        ]
        indexes = [
            open_work(),
            claimable_work(),
            disputed_work(),
            Index(
                fields=["unpack_status", "finished_at"],
                name="to_unpack",
                condition=Q(status=Status.COMPLETED) & ~Q(unpack_status=Status.COMPLETED),
            ),
        ]

    def __str__(self) -> str:
        return f"transfer {self.pk}"


class DataTransferLog(LogLine):
    """A line about one transfer."""

    data_transfer = models.ForeignKey(
        DataTransfer,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="log",
        help_text=_("Transfer that the line is about."),
    )

    class Meta:
        verbose_name = _("transfer log")
        constraints = [AppendOnly("a log line", deletable=True)]
        indexes = [Index(fields=["data_transfer", "logged_at"], name="by_transfer", serves=["log of a transfer"])]


class StageActivity(OpsModel):
    """Work of one stage in an hour or on a day: items added, items completed, and attempts that failed.

    Only the database writes it: a note for every statement, which are folded into one for each time,
    way and delay. Work counts as added when its row was made, as completed when it was finished.
    """

    change_logging = ChangeLogging.OFF

    id = models.BigAutoField(primary_key=True, help_text=_("Number of the row."))
    stage = models.CharField(max_length=12, choices=WorkStage, help_text=_("Stage of the counted work."))
    begins_at = models.DateTimeField(help_text=_("Beginning of the hour, for transfers, or else of the day (UTC)."))
    origin_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        help_text=_("Location that the data come from, if the work moves them."),
    )
    destination_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        help_text=_("Location that the data go to, if the work moves them."),
    )
    delay_step = models.IntegerField(
        null=True,
        blank=True,
        help_text=_(
            "Time from the end of the observation to the verified copy in the archive: step n is from 2^(n/8) to "
            "2^((n+1)/8) minutes."
        ),
    )
    added = models.BigIntegerField(help_text=_("Items added; below 0 to correct a note."))
    completed = models.BigIntegerField(help_text=_("Items completed or cancelled; below 0 to correct a note."))
    failures = models.BigIntegerField(help_text=_("Attempts that failed; below 0 to correct a note."))
    bytes = models.DecimalField(
        max_digits=30, decimal_places=0, help_text=_("Bytes of the completed items, where they have any.")
    )

    class Meta:
        verbose_name_plural = _("activity of stages")
        indexes = [
            Index(fields=["stage", "begins_at"], name="by_time"),
            Index(fields=["origin_location"], name="from", condition=Q(origin_location__isnull=False)),
            Index(fields=["destination_location"], name="to", condition=Q(destination_location__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.stage} {format_minute(self.begins_at)}"
