"""The raw data: files, the packages they travel in, and what an archive says of a package."""

import math

from django.db import models
from django.db.models import Q

from .base import (
    Checksummed,
    OpsQuerySet,
    Row,
    Timestamped,
    WorkItem,
    checksummed_constraints,
    open_work,
    work_item_constraints,
)
from .constraints import (
    Check,
    Index,
    Rule,
    Unique,
    between,
    immutable,
    implies,
    json_object,
    not_negative,
    ordered,
    positive,
    refuse_if,
    relative_path,
)
from .enums import ChecksumAlgorithm, LocationType, PackageState, Status
from .execution import ExecutedObsUnit
from .identifiers import uuid7
from .locations import DataLocation
from .observatory import InstrumentModule
from .planning import ConstantElevationSource, FixedSource

SPEED_OF_LIGHT_M_S = 299_792_458  # exact by definition of the metre (SI brochure, 9th edition)
# REC-ObsCore-v1.1, section 3.3.1
OBSCORE_PRODUCT_TYPES = ("image", "cube", "spectrum", "sed", "timeseries", "visibility", "event", "measurements")
MJD_OF_UNIX_EPOCH = 40_587  # 1970-01-01T00:00 UTC


class DataTransferPackage(Checksummed, WorkItem, Timestamped):
    """A bundle of raw data packages that travels from one site to another as one file."""

    id = models.UUIDField(primary_key=True, default=uuid7, help_text="Identifier (UUIDv7).")
    origin_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        related_name="data_transfer_packages",
        help_text="Where it is made.",
    )
    name = models.CharField(max_length=255, unique=True, help_text="File name, unique among all transfer packages.")
    relative_path = models.CharField(max_length=1000, help_text="Path below its location.")

    class Meta:
        constraints = [
            *work_item_constraints(),
            *checksummed_constraints(),
            relative_path(),
            implies(
                "completed_has_checksum",
                Q(status=Status.COMPLETED),
                Q(checksum__isnull=False, size_bytes__isnull=False),
                "A completed package has a size and a checksum.",
                "checksum",
            ),
        ]
        indexes = [open_work()]

    def __str__(self):
        return self.name


class RawDataPackageQuerySet(OpsQuerySet):
    def in_state(self, state):
        """Packages in this state."""
        return self.filter(state=state)

    def not_archived(self):
        """Packages that are not safe in an archive yet."""
        return self.exclude(state=PackageState.ARCHIVED)


class RawDataPackage(Checksummed, WorkItem, Timestamped):
    """A tar of the raw files that one module wrote in one execution, or of a part of them."""

    id = models.UUIDField(primary_key=True, default=uuid7, help_text="Identifier (UUIDv7).")
    executed_obs_unit = models.ForeignKey(
        ExecutedObsUnit,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_packages",
        help_text="The execution whose data it holds.",
    )
    instrument_module = models.ForeignKey(
        InstrumentModule,
        on_delete=models.PROTECT,
        related_name="raw_data_packages",
        help_text="The module that wrote them.",
    )
    part = models.IntegerField(default=1, help_text="Number of the part, from 1; a part holds at most about 50 GB.")
    name = models.CharField(max_length=255, unique=True, help_text="File name, unique among all raw data packages.")
    relative_path = models.CharField(max_length=1000, help_text="Path below its location.")
    file_count = models.IntegerField(default=0, help_text="Number of raw files in it.")
    state = models.CharField(
        max_length=20,
        choices=PackageState,
        default=PackageState.WAITING,
        help_text="How far it is on its way to the archive.",
    )
    data_transfer_package = models.ForeignKey(
        DataTransferPackage,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="raw_data_packages",
        help_text="The bundle it travels in; empty until it is bundled.",
    )

    objects = RawDataPackageQuerySet.as_manager()

    class Meta:
        constraints = [
            *work_item_constraints(),
            *checksummed_constraints(),
            Unique(
                "unique_part",
                "executed_obs_unit",
                "instrument_module",
                "part",
                message="The execution has a package of this number for this module.",
            ),
            positive("part"),
            not_negative("file_count"),
            relative_path(),
            implies(
                "completed_has_checksum",
                Q(status=Status.COMPLETED),
                Q(checksum__isnull=False, size_bytes__isnull=False),
                "A completed package has a size and a checksum.",
                "checksum",
            ),
            implies(
                "archived_has_checksum",
                Q(state=PackageState.ARCHIVED),
                Q(checksum__isnull=False, size_bytes__isnull=False),
                "An archived package has a size and a checksum.",
                "state",
            ),
            immutable("executed_obs_unit_id", "instrument_module_id", "part"),
        ]
        indexes = [
            open_work(),
            Index(fields=["state", "created_at"], name="not_archived", condition=~Q(state=PackageState.ARCHIVED)),
            Index(
                fields=["data_transfer_package"],
                name="bundled",
                condition=Q(data_transfer_package__isnull=False),
            ),
            Index(fields=["created_at"], name="unbundled", condition=Q(data_transfer_package__isnull=True)),
        ]

    def __str__(self):
        return self.name


class RawDataFileQuerySet(OpsQuerySet):
    def unpackaged(self):
        """Files that are in no package yet."""
        return self.filter(raw_data_package__isnull=True)

    def at(self, location):
        """Files that were written to this source location."""
        return self.filter(source_location=location)

    def of(self, execution):
        """Files of this execution."""
        return self.filter(executed_obs_unit=execution)


class RawDataFile(Timestamped):
    """One file as an instrument wrote it."""

    id = models.UUIDField(primary_key=True, default=uuid7, help_text="Identifier (UUIDv7), made where the file was.")
    executed_obs_unit = models.ForeignKey(
        ExecutedObsUnit,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_files",
        help_text="The execution that it is from.",
    )
    instrument_module = models.ForeignKey(
        InstrumentModule,
        on_delete=models.PROTECT,
        related_name="raw_data_files",
        help_text="The module that wrote it.",
    )
    source_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_files",
        help_text="The source location that it was written to.",
    )
    raw_data_package = models.ForeignKey(
        RawDataPackage,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="raw_data_files",
        help_text="The package that holds it; empty until it is packaged.",
    )
    relative_path = models.CharField(max_length=1000, help_text="Path below the source location, unique there.")
    size_bytes = models.BigIntegerField(help_text="Size in bytes.")
    checksum = models.CharField(max_length=128, help_text="Checksum of the content, lower-case hexadecimal.")
    checksum_algorithm = models.CharField(
        max_length=16,
        choices=ChecksumAlgorithm,
        default=ChecksumAlgorithm.SHA256,
        help_text="How the checksum was computed.",
    )
    file_type = models.CharField(
        max_length=50, blank=True, default="", help_text="Format or role of the file, such as fits."
    )
    observed_at = models.DateTimeField(null=True, blank=True, help_text="Time of the first sample in it (UTC).")

    objects = RawDataFileQuerySet.as_manager()

    class Meta:
        constraints = [
            *checksummed_constraints(),
            Unique(
                "unique_path",
                "source_location",
                "relative_path",
                message="The location has a file of this path.",
            ),
            relative_path(),
            immutable("executed_obs_unit_id", "instrument_module_id", "source_location_id"),
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
            Index(fields=["raw_data_package"], name="packaged", condition=Q(raw_data_package__isnull=False)),
            Index(
                fields=["source_location", "executed_obs_unit", "instrument_module"],
                name="unpackaged",
                condition=Q(raw_data_package__isnull=True),
            ),
        ]

    def __str__(self):
        return self.relative_path


class RawDataPackageMetadata(Row):
    """What a raw data package holds, in the mandatory columns of IVOA ObsCore 1.1 (REC-ObsCore-v1.1, table 1)."""

    raw_data_package = models.OneToOneField(
        RawDataPackage,
        on_delete=models.PROTECT,
        related_name="metadata",
        help_text="The package it describes.",
    )
    dataproduct_type = models.CharField(
        "dataproduct_type",
        max_length=30,
        blank=True,
        default="",
        help_text="Logical data product type, such as cube or timeseries.",
    )
    calib_level = models.IntegerField("calib_level", default=0, help_text="Calibration level, 0 (raw) to 4.")
    obs_collection = models.CharField("obs_collection", max_length=200, help_text="Name of the data collection.")
    obs_id = models.CharField("obs_id", max_length=200, help_text="Identifier of the observation.")
    obs_publisher_did = models.CharField(
        "obs_publisher_did", max_length=500, help_text="Data set identifier given by the publisher."
    )
    access_url = models.TextField("access_url", blank=True, default="", help_text="URL to download from.")
    access_format = models.CharField(
        "access_format", max_length=100, blank=True, default="", help_text="Media type of the content."
    )
    access_estsize = models.BigIntegerField(
        "access_estsize", null=True, blank=True, help_text="Estimated size, kilobytes."
    )
    target_name = models.CharField(
        "target_name", max_length=200, blank=True, default="", help_text="Name of the observed target."
    )
    s_ra = models.FloatField("s_ra", null=True, blank=True, help_text="Central right ascension (ICRS), degrees.")
    s_dec = models.FloatField("s_dec", null=True, blank=True, help_text="Central declination (ICRS), degrees.")
    s_fov = models.FloatField("s_fov", null=True, blank=True, help_text="Diameter of the covered region, degrees.")
    s_region = models.TextField("s_region", blank=True, default="", help_text="Covered region (STC-S or DALI), ICRS.")
    s_resolution = models.FloatField(
        "s_resolution", null=True, blank=True, help_text="Spatial resolution (FWHM), arcsec."
    )
    s_xel1 = models.BigIntegerField(
        "s_xel1", null=True, blank=True, help_text="Number of elements along the first spatial axis."
    )
    s_xel2 = models.BigIntegerField(
        "s_xel2", null=True, blank=True, help_text="Number of elements along the second spatial axis."
    )
    t_min = models.FloatField("t_min", null=True, blank=True, help_text="Start time, MJD.")
    t_max = models.FloatField("t_max", null=True, blank=True, help_text="Stop time, MJD.")
    t_exptime = models.FloatField("t_exptime", null=True, blank=True, help_text="Total exposure time, seconds.")
    t_resolution = models.FloatField(
        "t_resolution", null=True, blank=True, help_text="Temporal resolution (FWHM), seconds."
    )
    t_xel = models.BigIntegerField("t_xel", null=True, blank=True, help_text="Number of elements along the time axis.")
    em_min = models.FloatField(
        "em_min", null=True, blank=True, help_text="Start in spectral coordinates, metres (vacuum)."
    )
    em_max = models.FloatField(
        "em_max", null=True, blank=True, help_text="Stop in spectral coordinates, metres (vacuum)."
    )
    em_res_power = models.FloatField("em_res_power", null=True, blank=True, help_text="Spectral resolving power.")
    em_xel = models.BigIntegerField(
        "em_xel", null=True, blank=True, help_text="Number of elements along the spectral axis."
    )
    o_ucd = models.CharField("o_ucd", max_length=100, blank=True, default="", help_text="UCD of the observable.")
    pol_states = models.CharField(
        "pol_states", max_length=100, blank=True, default="", help_text="Polarization states, such as /I/Q/U/."
    )
    pol_xel = models.BigIntegerField("pol_xel", null=True, blank=True, help_text="Number of polarization samples.")
    facility_name = models.CharField(
        "facility_name", max_length=200, blank=True, default="", help_text="Facility used."
    )
    instrument_name = models.CharField(
        "instrument_name", max_length=200, blank=True, default="", help_text="Instrument used."
    )
    extra = models.JSONField(default=dict, blank=True, help_text="Further metadata, a JSON object.")

    class Meta:
        verbose_name = "raw data package metadata"
        verbose_name_plural = "raw data package metadata"
        constraints = [
            between("calib_level", 0, 4),
            between("s_ra", 0, 360, "°", below_high=True),
            between("s_dec", -90, 90, "°"),
            not_negative("s_fov"),
            not_negative("access_estsize"),
            ordered("t_min", "t_max", strict=False),
            not_negative("t_exptime"),
            positive("em_min"),
            ordered("em_min", "em_max", strict=False),
            Check(
                "dataproduct_type_known",
                Q(dataproduct_type__in=["", *OBSCORE_PRODUCT_TYPES]),
                f"Use a data product type of ObsCore 1.1: {', '.join(OBSCORE_PRODUCT_TYPES)}.",
                "dataproduct_type",
            ),
            json_object("extra"),
        ]

    def __str__(self):
        return self.obs_id

    def derive(self):
        """Fill what follows from execution, unit, source, module and telescope; nothing is saved.

        Times become MJD (UTC), frequencies vacuum wavelengths in metres, sizes kilobytes. A solar-system
        object has no fixed place, so position and region stay empty. Returns the same object.
        """
        package = self.raw_data_package
        execution, module = package.executed_obs_unit, package.instrument_module
        unit, instrument = execution.obs_unit, module.instrument
        self.calib_level = 0
        self.obs_collection = unit.observing_program.short_name
        self.obs_id = str(execution.pk)
        self.obs_publisher_did = f"ivo://{instrument.telescope.observatory.short_name.lower()}/raw?{package.pk}"
        self.access_format = "application/x-tar"
        self.access_estsize = None if package.size_bytes is None else -(-package.size_bytes // 1000)
        self.facility_name = instrument.telescope.name
        self.instrument_name = instrument.name
        self.t_min = _mjd(execution.start_time)
        self.t_max = _mjd(execution.end_time)
        self.t_exptime = (
            None if execution.end_time is None else (execution.end_time - execution.start_time).total_seconds()
        )
        self.em_min = SPEED_OF_LIGHT_M_S / (module.frequency_max_ghz * 1e9)
        self.em_max = SPEED_OF_LIGHT_M_S / (module.frequency_min_ghz * 1e9)
        self.target_name = unit.source.name if unit.source else ""
        self.s_ra, self.s_dec, self.s_fov, self.s_region = _footprint(unit.source and unit.source.specific)
        return self


def _mjd(moment):
    return None if moment is None else moment.timestamp() / 86_400 + MJD_OF_UNIX_EPOCH


def _footprint(source):
    """Return RA and Dec of a source's centre, diameter (all in degrees) and STC-S region."""
    if isinstance(source, FixedSource):
        return source.ra_deg, source.dec_deg, None, ""
    if not isinstance(source, ConstantElevationSource):
        return None, None, None, ""
    width = (source.ra_max_deg - source.ra_min_deg) % 360 or 360.0
    height = source.dec_max_deg - source.dec_min_deg
    corners = [
        (source.ra_min_deg, source.dec_min_deg),
        (source.ra_max_deg, source.dec_min_deg),
        (source.ra_max_deg, source.dec_max_deg),
        (source.ra_min_deg, source.dec_max_deg),
    ]
    region = "POLYGON ICRS " + " ".join(f"{ra % 360:g} {dec:g}" for ra, dec in corners)
    ra_center = (source.ra_min_deg + width / 2) % 360
    dec_center = source.dec_min_deg + height / 2
    return ra_center, dec_center, math.hypot(width * math.cos(math.radians(dec_center)), height), region
