"""Raw data packages: tars of the raw files of one module in one execution."""

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, implies, not_negative, positive, relative_path
from opsdb.database.identifiers import uuid7
from opsdb.database.indexes import Index, by_checksum, by_part_of_path
from opsdb.database.triggers import (
    NEVER_DELETED,
    FrozenOnceVerified,
    Immutable,
    NeverDeleted,
    Refuses,
    Trigger,
    columns_differ,
    notes_activity,
)

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
from ..enums import ChangeLogging, PackageState, Status, WorkStage
from ..execution import ExecutedObsUnit
from ..locations import DataLocation
from ..managers import manager_of
from ..observatory import InstrumentModule
from .related import readable_keys, related
from .transfer_packages import VERIFIED_COLUMNS, DataTransferPackage

__all__ = [
    "RawDataPackage",
]


# What is recorded of an archived package stays for good, also while all of its copies are in doubt.
ARCHIVED_COLUMNS = (*VERIFIED_COLUMNS, "file_count", "name")


class RawDataPackageQuerySet(OpsQuerySet["RawDataPackage"]):
    def in_state(self, state: PackageState) -> Self:
        """Packages in this state."""
        return self.filter(state=state)

    def not_archived(self) -> Self:
        """Packages that are not safe in an archive yet."""
        return self.exclude(state=PackageState.ARCHIVED)

    def awaiting_packaging(self, source: DataLocation | None = None) -> Self:
        """Packages whose tar a worker has to make, of files at this source location if one is given."""
        waiting = self.filter(status__in=Status.claimable())
        if source is None:
            return waiting
        files = related(self.model, "raw_data_files").filter(raw_data_package=OuterRef("pk"), source_location=source)
        return waiting.filter(Exists(files))

    def readable_at(self, *locations: DataLocation) -> Self:
        """Packages with a copy at one of these locations that can be read."""
        copies = related(self.model, "copies").readable()
        return self.filter(Exists(copies.filter(raw_data_package=OuterRef("pk"), data_location__in=locations)))

    def awaiting_bundling(self, buffer: DataLocation | None = None) -> Self:
        """Packages that are made and sit in a buffer, or in this one, without a transfer package.

        Served by ``raw_data_package_unbundled``.
        """
        unbundled = self.filter(status=Status.COMPLETED, data_transfer_package__isnull=True)
        if buffer is None:
            buffer = DataLocation.objects.buffers().order_by()
            return unbundled.readable_at(*buffer)
        return unbundled.readable_at(buffer)

    def awaiting_archive(self, archive: DataLocation, *, limit: int = 1_000) -> Self:
        """Packages that can be read in a buffer at the site of this archive and have no transfer into it.

        At most this many of each buffer. Served by ``physical_copy_by_location``: it costs as much as the buffers hold.
        """
        buffers = list(DataLocation.objects.at_site(archive.site_id).buffers())
        if not buffers:
            return self.none()
        planned = related(self.model, "archive_transfers").filter(
            raw_data_package=OuterRef("raw_data_package"), destination_location=archive
        )
        return self.filter(pk__in=readable_keys(self.model, "raw_data_package", buffers, planned, limit))


class RawDataPackage(Checksummed, WorkItem, Timestamped):
    """A tar of the raw files that one module wrote in one observation, or of a part of them.

    It is what archives hold and what pipelines reduce. Between sites it travels in a ``DataTransferPackage``. Its
    ``status`` is the work of making the tar, its ``state`` the way to the archive.
    """

    change_logging = ChangeLogging.CHANGES

    id = models.UUIDField(primary_key=True, default=uuid7, help_text=_("Identifier (UUIDv7)."))
    executed_obs_unit = models.ForeignKey(
        ExecutedObsUnit,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_packages",
        help_text=_("Observation whose data the package holds."),
    )
    instrument_module = models.ForeignKey(
        InstrumentModule,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_packages",
        help_text=_("Module that wrote the data."),
    )
    part = models.IntegerField(default=1, help_text=_("Number of the part, from 1; a part holds at most about 50 GB."))
    name = models.CharField(max_length=255, unique=True, help_text=_("File name, unique among all packages."))
    relative_path = models.CharField(max_length=1000, help_text=_("Path relative to the location of each copy."))
    file_count = models.IntegerField(default=0, help_text=_("Number of raw files in the package."))
    state = models.CharField(
        max_length=20,
        choices=PackageState,
        default=PackageState.WAITING,
        help_text=_("Stage that the package has reached on its way to the archive."),
    )
    data_transfer_package = models.ForeignKey(
        DataTransferPackage,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="raw_data_packages",
        help_text=_("Bundle that carries the package; empty until it is bundled."),
    )

    objects = manager_of(RawDataPackageQuerySet)

    class Meta:
        verbose_name = _("package")
        constraints = [
            *work_item_constraints(),
            *notes_activity(WorkStage.PACKAGING),
            *checksummed_constraints(),
            Unique(
                "unique_part",
                "executed_obs_unit",
                "instrument_module",
                "part",
                message="The observation has a package of this number for this module; choose another number.",
            ),
            positive("part"),
            not_negative("file_count"),
            relative_path(),
            implies(
                "completed_has_checksum",
                Q(status=Status.COMPLETED),
                Q(checksum__isnull=False, size_bytes__isnull=False),
                "A completed package must have a size and a checksum; give both.",
                "checksum",
            ),
            implies(
                "archived_has_checksum",
                Q(state=PackageState.ARCHIVED),
                Q(checksum__isnull=False, size_bytes__isnull=False),
                "An archived package must have a size and a checksum; complete the package first.",
                "state",
            ),
            Immutable("executed_obs_unit_id", "instrument_module_id", "part", hint=NEVER_DELETED),
            FrozenOnceVerified("raw_data_package", *VERIFIED_COLUMNS, "file_count"),
            Refuses(
                "archived_stays",
                f"OLD.state = 'archived' AND ({columns_differ(ARCHIVED_COLUMNS)})",
                f"raw_data_package {{old.id}}: {', '.join(ARCHIVED_COLUMNS)} cannot be changed, because it was "
                "archived",
                "Leave them as they are; bytes that differ are recorded as a fixity check of their copy.",
                events="UPDATE",
                field="state",
            ),
            Trigger(
                "bundle_entered",
                "opsdb_bundle_is_open",
                events="INSERT",
                when="NEW.data_transfer_package_id IS NOT NULL",
                field="data_transfer_package",
            ),
            Trigger(
                "bundle_still_open",
                "opsdb_bundle_is_open",
                events="UPDATE OF data_transfer_package_id",
                when="OLD.data_transfer_package_id IS DISTINCT FROM NEW.data_transfer_package_id",
                field="data_transfer_package",
            ),
            Trigger(
                "archived_is_true",
                "opsdb_archived_is_true",
                timing="AFTER",
                events="INSERT OR UPDATE OF state",
                when="NEW.state = 'archived'",
                field="state",
            ),
            Trigger(
                "fails_with_its_making",
                "opsdb_fail_with_making",
                events="UPDATE OF status",
                when="(OLD.status <> 'failed' AND NEW.status = 'failed' AND NEW.state = 'waiting') "
                "OR (OLD.status = 'failed' AND NEW.status <> 'failed' AND NEW.state = 'failed')",
            ),
            Trigger(
                "archived_marks_candidates",
                "opsdb_mark_archived_candidates",
                timing="AFTER",
                events="UPDATE OF state",
                when="OLD.state <> 'archived' AND NEW.state = 'archived'",
            ),
            NeverDeleted("a package"),
        ]
        indexes = [
            open_work(serves=["numbers of packages by state of work"]),
            claimable_work(serves=["packages to be made"]),
            disputed_work(serves=["packages made twice"]),
            Index(
                fields=["state", "created_at"],
                name="not_archived",
                condition=~Q(state=PackageState.ARCHIVED),
                serves=["numbers of packages by state"],
            ),
            Index(
                fields=["data_transfer_package"],
                name="bundled",
                condition=Q(data_transfer_package__isnull=False),
                serves=["list of packages of a bundle"],
            ),
            Index(
                fields=["created_at"],
                name="unbundled",
                condition=Q(data_transfer_package__isnull=True),
                serves=["packages to be bundled"],
            ),
            Index(fields=["instrument_module", "id"], name="by_module", serves=["list of packages of a module"]),
            by_checksum(serves=["package of a checksum"]),
            by_part_of_path(serves=["packages of a part of a path"]),
        ]

    def __str__(self) -> str:
        return self.name
