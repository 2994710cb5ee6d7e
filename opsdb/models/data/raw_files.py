"""Raw data files, as instruments write them."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, relative_path
from opsdb.database.identifiers import uuid7
from opsdb.database.indexes import Index, by_checksum, by_file_name
from opsdb.database.triggers import (
    NEVER_DELETED,
    FrozenOnceVerified,
    Immutable,
    NeverDeleted,
    Refuses,
    Trigger,
    columns_differ,
)

from ..base import OpsQuerySet, Timestamped, checksummed_constraints
from ..enums import ChangeLogging, ChecksumAlgorithm
from ..execution import ExecutedObsUnit
from ..locations import DataLocation
from ..managers import manager_of
from ..observatory import InstrumentModule
from .raw_packages import RawDataPackage
from .transfer_packages import VERIFIED_COLUMNS

__all__ = [
    "RawDataFile",
]


class RawDataFileQuerySet(OpsQuerySet["RawDataFile"]):
    def unpackaged(self) -> Self:
        """Files that are in no package yet."""
        return self.filter(raw_data_package__isnull=True)

    def at(self, location: DataLocation) -> Self:
        """Files that were written to this source location."""
        return self.filter(source_location=location)

    def of(self, execution: ExecutedObsUnit) -> Self:
        """Files of this execution."""
        return self.filter(executed_obs_unit=execution)


class RawDataFile(Timestamped):
    """One file as an instrument wrote it.

    It is registered once, at its source location, and packaged into one ``RawDataPackage``. Where its bytes are now is
    in its ``PhysicalCopy`` rows.
    """

    change_logging = ChangeLogging.CHANGES
    logged_in_bulk = "UPDATE"

    id = models.UUIDField(primary_key=True, default=uuid7, help_text=_("Identifier (UUIDv7), made where the file was."))
    executed_obs_unit = models.ForeignKey(
        ExecutedObsUnit,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_files",
        help_text=_("Observation that the file is from."),
    )
    instrument_module = models.ForeignKey(
        InstrumentModule,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_files",
        help_text=_("Module that wrote the file."),
    )
    source_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_files",
        help_text=_("Source location that the file was written to."),
    )
    raw_data_package = models.ForeignKey(
        RawDataPackage,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="raw_data_files",
        help_text=_("Package that holds the file; empty until it is packaged."),
    )
    relative_path = models.CharField(
        max_length=1000, help_text=_("Path relative to the source location, unique there.")
    )
    size_bytes = models.BigIntegerField(help_text=_("Size in bytes."))
    checksum = models.CharField(max_length=128, help_text=_("Checksum of the content, lower-case hexadecimal."))
    checksum_algorithm = models.CharField(
        max_length=16,
        choices=ChecksumAlgorithm,
        default=ChecksumAlgorithm.SHA256,
        help_text=_("Hash function of the checksum."),
    )
    file_type = models.CharField(
        max_length=50, blank=True, default="", help_text=_("Format or role of the file, such as fits.")
    )
    observed_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Time of the first sample in the file (UTC).")
    )

    objects = manager_of(RawDataFileQuerySet)

    class Meta:
        constraints = [
            *checksummed_constraints(),
            Unique(
                "unique_path",
                "source_location",
                "relative_path",
                message="The location has a file of this path; choose another.",
                # Beginnings of paths can be searched for, in a database of any collation.
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
            relative_path(),
            Immutable("executed_obs_unit_id", "instrument_module_id", "source_location_id", hint=NEVER_DELETED),
            FrozenOnceVerified("raw_data_file", *VERIFIED_COLUMNS),
            Trigger(
                "archived_stays",
                "opsdb_archived_file_stays",
                ", ".join(VERIFIED_COLUMNS),
                events="UPDATE",
                when=f"OLD.raw_data_package_id IS NOT NULL AND ({columns_differ(VERIFIED_COLUMNS)})",
            ),
            NeverDeleted("a raw data file"),
            Refuses(
                "not_in_future",
                "NEW.observed_at > statement_timestamp() + opsdb_clock_skew()",
                "raw_data_file {new.id}: cannot have been observed at {new.observed_at}, which is in the future",
                "Set the clock of the instrument, and report the right time.",
                events="INSERT OR UPDATE OF observed_at",
                field="observed_at",
            ),
            Trigger(
                "after_first_light",
                "opsdb_files_after_first_light",
                timing="AFTER",
                events="INSERT",
                level="STATEMENT",
                referencing="NEW TABLE AS added",
                field="observed_at",
            ),
            Trigger(
                "corrected_after_first_light",
                "opsdb_files_after_first_light",
                events="UPDATE OF observed_at",
                field="observed_at",
            ),
            Trigger(
                "written_by_its_instrument",
                "opsdb_require_own_instrument",
                timing="AFTER",
                events="INSERT",
                level="STATEMENT",
                referencing="NEW TABLE AS added",
                field="instrument_module",
            ),
            Trigger(
                "source_location_type",
                "opsdb_require_source_locations",
                timing="AFTER",
                events="INSERT",
                level="STATEMENT",
                referencing="NEW TABLE AS added",
                field="source_location",
            ),
            Trigger(
                "package_entered",
                "opsdb_package_is_open",
                events="INSERT",
                when="NEW.raw_data_package_id IS NOT NULL",
                field="raw_data_package",
            ),
            Trigger(
                "package_still_open",
                "opsdb_packages_are_open",
                timing="AFTER",
                events="UPDATE",
                level="STATEMENT",
                referencing="OLD TABLE AS old_rows NEW TABLE AS new_rows",
                field="raw_data_package",
            ),
            Trigger(
                "package_entered_of_same_execution",
                "opsdb_package_of_same_execution",
                events="INSERT",
                when="NEW.raw_data_package_id IS NOT NULL",
                field="raw_data_package",
            ),
            Trigger(
                "package_of_same_execution",
                "opsdb_packages_of_same_execution",
                timing="AFTER",
                events="UPDATE",
                level="STATEMENT",
                referencing="OLD TABLE AS old_rows NEW TABLE AS new_rows",
                field="raw_data_package",
            ),
        ]
        indexes = [
            Index(
                fields=["executed_obs_unit", "id"],
                name="newest_of_execution",
                serves=["list of files of an observation", "numbers of files of an observation by module"],
            ),
            Index(fields=["instrument_module", "id"], name="by_module", serves=["list of files of a module"]),
            Index(fields=["source_location", "id"], name="by_location", serves=["list of files of a source location"]),
            by_checksum(serves=["file of a checksum"]),
            by_file_name(serves=["file of a name"]),
            Index(
                fields=["raw_data_package"],
                name="packaged",
                condition=Q(raw_data_package__isnull=False),
                serves=["list of files of a package"],
            ),
            Index(
                fields=["source_location", "executed_obs_unit", "instrument_module"],
                name="unpackaged",
                condition=Q(raw_data_package__isnull=True),
                serves=["files to be packaged", "number of files in no package"],
            ),
        ]

    def __str__(self) -> str:
        return self.relative_path
