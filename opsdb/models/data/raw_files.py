"""Raw data files, as instruments write them."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..base import OpsQuerySet, Timestamped, checksummed_constraints
from ..constraints import (
    NEVER_DELETED,
    Index,
    Rule,
    Unique,
    by_checksum,
    by_file_name,
    frozen_once_verified,
    immutable,
    never_deleted,
    refuse_if,
    relative_path,
)
from ..enums import ChangeLogging, ChecksumAlgorithm, LocationType
from ..execution import ExecutedObsUnit
from ..identifiers import uuid7
from ..locations import DataLocation
from ..observatory import InstrumentModule
from ..safety import contents_are_closed
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
    updated_in_bulk = True

    id = models.UUIDField(primary_key=True, default=uuid7, help_text=_("Identifier (UUIDv7), made where the file was."))
    executed_obs_unit = models.ForeignKey(
        ExecutedObsUnit,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_files",
        help_text=_("The execution that it is from."),
    )
    instrument_module = models.ForeignKey(
        InstrumentModule,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_files",
        help_text=_("The module that wrote it."),
    )
    source_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_files",
        help_text=_("The source location that it was written to."),
    )
    raw_data_package = models.ForeignKey(
        RawDataPackage,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="raw_data_files",
        help_text=_("The package that holds it; empty until it is packaged."),
    )
    relative_path = models.CharField(max_length=1000, help_text=_("Path below the source location, unique there."))
    size_bytes = models.BigIntegerField(help_text=_("Size in bytes."))
    checksum = models.CharField(max_length=128, help_text=_("Checksum of the content, lower-case hexadecimal."))
    checksum_algorithm = models.CharField(
        max_length=16,
        choices=ChecksumAlgorithm,
        default=ChecksumAlgorithm.SHA256,
        help_text=_("How the checksum was computed."),
    )
    file_type = models.CharField(
        max_length=50, blank=True, default="", help_text=_("Format or role of the file, such as fits.")
    )
    observed_at = models.DateTimeField(null=True, blank=True, help_text=_("Time of the first sample in it (UTC)."))

    objects = RawDataFileQuerySet.as_manager()

    class Meta:
        constraints = [
            *checksummed_constraints(),
            Unique(
                "unique_path",
                "source_location",
                "relative_path",
                message="The location has a file of this path.",
                # Beginnings of paths can be searched for, in a database of any collation.
                opclasses=["int8_ops", "varchar_pattern_ops"],
            ),
            relative_path(),
            immutable("executed_obs_unit_id", "instrument_module_id", "source_location_id", hint=NEVER_DELETED),
            frozen_once_verified(
                "raw_data_file",
                *VERIFIED_COLUMNS,
                also="EXISTS (SELECT FROM physical_copy WHERE raw_data_package_id = OLD.raw_data_package_id "
                "AND verification = 'verified')",
            ),
            *never_deleted("a raw data file"),
            Rule(
                name="source_location_type",
                timing="AFTER",
                events="INSERT",
                level="STATEMENT",
                referencing="NEW TABLE AS added",
                declare="wrong record;",
                body="SELECT data_location.name, data_location.location_type, any_file.id INTO wrong\n"
                "FROM (SELECT DISTINCT ON (source_location_id) source_location_id, id FROM added) AS any_file\n"
                "JOIN data_location ON data_location.id = any_file.source_location_id\n"
                f"WHERE data_location.location_type <> '{LocationType.SOURCE}' LIMIT 1;\n"
                + refuse_if(
                    "FOUND",
                    "'raw_data_file ' || wrong.id || ': source_location must be a source location, but ' "
                    "|| wrong.name || ' is a ' || wrong.location_type || ' location'",
                    "Register files at the location that the instrument writes to.",
                    returns="NULL",
                ),
            ),
            *contents_are_closed("package", "raw_data_package", "status = 'completed' OR state = 'archived'"),
            Rule(
                name="package_of_same_execution",
                events='INSERT OR UPDATE OF "raw_data_package_id"',
                when="NEW.raw_data_package_id IS NOT NULL",
                body=refuse_if(
                    "NOT EXISTS (SELECT FROM raw_data_package WHERE id = NEW.raw_data_package_id\n"
                    "AND executed_obs_unit_id = NEW.executed_obs_unit_id\n"
                    "AND instrument_module_id = NEW.instrument_module_id)",
                    "'raw_data_file ' || NEW.id || ': its package must be of the same execution and module'",
                ),
            ),
        ]
        indexes = [
            Index(fields=["executed_obs_unit", "instrument_module"], name="by_execution"),
            Index(fields=["executed_obs_unit", "id"], name="newest_of_execution"),
            Index(fields=["instrument_module", "id"], name="by_module"),
            Index(fields=["source_location", "id"], name="by_location"),
            by_checksum(),
            by_file_name(),
            Index(fields=["raw_data_package"], name="packaged", condition=Q(raw_data_package__isnull=False)),
            Index(
                fields=["source_location", "executed_obs_unit", "instrument_module"],
                name="unpackaged",
                condition=Q(raw_data_package__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.relative_path
