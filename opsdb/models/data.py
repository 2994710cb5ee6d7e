"""The raw data: files, the packages they travel in, and what an archive says of a package."""

import math

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import (
    Check,
    Unique,
    between,
    implies,
    json_object,
    not_negative,
    ordered,
    positive,
    relative_path,
)
from opsdb.database.identifiers import uuid7
from opsdb.database.indexes import Index, by_checksum, by_file_name
from opsdb.database.triggers import NEVER_DELETED, FrozenOnceVerified, Immutable, Trigger, kept_for_good

from .base import (
    Checksummed,
    OpsQuerySet,
    Row,
    Timestamped,
    WorkItem,
    checksummed_constraints,
    claimable_work,
    open_work,
    work_item_constraints,
)
from .enums import (
    ChecksumAlgorithm,
    PackageState,
    PhysicalCopyStatus,
    Recording,
    Status,
    TransferKind,
    Verification,
)
from .execution import ExecutedObsUnit
from .locations import DataLocation
from .observatory import InstrumentModule
from .planning import ConstantElevationSource, FixedSource

FACTS = ("checksum", "checksum_algorithm", "size_bytes", "relative_path")
SPEED_OF_LIGHT_M_S = 299_792_458  # exact by definition of the metre (SI brochure, 9th edition)
# REC-ObsCore-v1.1, section 3.3.1
OBSCORE_PRODUCT_TYPES = ("image", "cube", "spectrum", "sed", "timeseries", "visibility", "event", "measurements")
MJD_OF_UNIX_EPOCH = 40_587  # 1970-01-01T00:00 UTC


def _related(model, name):
    """Return a queryset of what points to this model under this name, which is declared in a later module."""
    return model._meta.get_field(name).related_model._default_manager.all()


def _readable_keys(model, target, locations, lacking, limit, **facts):
    """Return a subquery of the keys of what can be read at locations and lacks something, up to a limit from each.

    One walk along ``physical_copy_by_location`` for each location and state, and one look for every copy: most of what
    a buffer ever held is deleted, which PostgreSQL's statistics don't tell, so that it would join whole tables instead.

    Args:
        model: what the copies are of.
        target: the field of a copy that points to it.
        locations: where to look, one at least.
        lacking: a queryset, correlated to a copy, of which there must be no row.
        limit: the most from each walk.
        facts: what must hold of a copy.
    """
    copies = _related(model, "copies").exclude(verification=Verification.MISMATCH)
    waiting = copies.alias(done=Subquery(lacking.values("pk")[:1])).filter(
        **facts, **{f"{target}__isnull": False}, done__isnull=True
    )
    first, *others = (
        waiting.filter(data_location=location, status=status).order_by("arrived_at", "pk").values(target)[:limit]
        for location in locations
        for status in PhysicalCopyStatus.readable()
    )
    return first.union(*others, all=True)


class DataTransferPackageQuerySet(OpsQuerySet):
    def of_origin(self, location):
        """Transfer packages that are made at this location."""
        return self.filter(origin_location=location)

    def awaiting_building(self):
        """Transfer packages whose tar a worker has to make."""
        return self.filter(status__in=Status.claimable())

    def awaiting_transfer(self):
        """Transfer packages that can be read where they were made, carry something that no archive has, and have no
        primary transfer.

        Served by ``raw_data_package_not_archived``: what is archived already costs nothing.
        """
        carried = RawDataPackage.objects.not_archived().filter(data_transfer_package__isnull=False)
        primary = _related(self.model, "data_transfers").filter(
            data_transfer_package=OuterRef("pk"), kind=TransferKind.PRIMARY
        )
        here = (
            _related(self.model, "copies")
            .readable()
            .filter(data_transfer_package=OuterRef("pk"), data_location=OuterRef("origin_location"))
        )
        return self.filter(
            ~Exists(primary), Exists(here), status=Status.COMPLETED, pk__in=carried.values("data_transfer_package")
        )

    def awaiting_secondary_transfer(self, origin, site, *, limit=1_000):
        """Transfer packages that can be read in this buffer, were made elsewhere, and have no transfer to this site.

        A failed secondary transfer counts, because an operator has to deal with it; a failed primary does not, because
        the package has gone to another site instead. Served by ``physical_copy_by_location``: it costs as much as the
        buffer holds.
        """
        gone_elsewhere = Q(kind=TransferKind.PRIMARY, status=Status.FAILED)
        there = _related(self.model, "data_transfers").filter(
            ~gone_elsewhere,
            data_transfer_package=OuterRef("data_transfer_package"),
            destination_location__in=DataLocation.objects.at_site(site),
        )
        elsewhere = DataLocation.objects.exclude(site__in=[origin.site_id, site.pk])
        keys = _readable_keys(
            self.model,
            "data_transfer_package",
            [origin],
            there,
            limit,
            data_transfer_package__origin_location__in=elsewhere,
        )
        return self.filter(pk__in=keys)


class DataTransferPackage(Checksummed, WorkItem, Timestamped):
    """A bundle of raw data packages that travels from one site to another as one file."""

    recording = Recording.CHANGES

    id = models.UUIDField(primary_key=True, default=uuid7, help_text=_("Identifier (UUIDv7)."))
    origin_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        related_name="data_transfer_packages",
        help_text=_("Where it is made."),
    )
    name = models.CharField(max_length=255, unique=True, help_text=_("File name, unique among all transfer packages."))
    relative_path = models.CharField(max_length=1000, help_text=_("Path below its location."))

    objects = DataTransferPackageQuerySet.as_manager()

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
            FrozenOnceVerified("data_transfer_package", *FACTS),
            Trigger(
                "packages_fail_with_it",
                "opsdb_fail_packages_with_bundle",
                timing="AFTER",
                events="UPDATE OF status",
                when="OLD.status <> NEW.status AND 'failed' IN (OLD.status, NEW.status)",
            ),
            *kept_for_good("a data transfer package"),
        ]
        indexes = [open_work(), claimable_work(), by_checksum()]

    def __str__(self):
        return self.name


class RawDataPackageQuerySet(OpsQuerySet):
    def in_state(self, state):
        """Packages in this state."""
        return self.filter(state=state)

    def not_archived(self):
        """Packages that are not safe in an archive yet."""
        return self.exclude(state=PackageState.ARCHIVED)

    def awaiting_packaging(self, source=None):
        """Packages whose tar a worker has to make, of files at this source location if one is given."""
        waiting = self.filter(status__in=Status.claimable())
        if source is None:
            return waiting
        files = RawDataFile.objects.filter(raw_data_package=OuterRef("pk"), source_location=source)
        return waiting.filter(Exists(files))

    def readable_at(self, *locations):
        """Packages with a copy at one of these locations that can be read."""
        copies = _related(self.model, "copies").readable()
        return self.filter(Exists(copies.filter(raw_data_package=OuterRef("pk"), data_location__in=locations)))

    def awaiting_bundling(self, buffer=None):
        """Packages that are made and sit in a buffer, or in this one, without a transfer package.

        Served by ``raw_data_package_unbundled``.
        """
        unbundled = self.filter(status=Status.COMPLETED, data_transfer_package__isnull=True)
        if buffer is None:
            buffer = DataLocation.objects.buffers().order_by()
            return unbundled.readable_at(*buffer)
        return unbundled.readable_at(buffer)

    def awaiting_archive(self, archive, *, limit=1_000):
        """Packages that can be read in a buffer at the site of this archive and have no transfer into it.

        At most this many of each buffer. Served by ``physical_copy_by_location``: it costs as much as the buffers hold.
        """
        buffers = list(DataLocation.objects.at_site(archive.site_id).buffers())
        if not buffers:
            return self.none()
        planned = _related(self.model, "archive_transfers").filter(
            raw_data_package=OuterRef("raw_data_package"), destination_location=archive
        )
        return self.filter(pk__in=_readable_keys(self.model, "raw_data_package", buffers, planned, limit))


class RawDataPackage(Checksummed, WorkItem, Timestamped):
    """A tar of the raw files that one module wrote in one execution, or of a part of them."""

    recording = Recording.CHANGES

    id = models.UUIDField(primary_key=True, default=uuid7, help_text=_("Identifier (UUIDv7)."))
    executed_obs_unit = models.ForeignKey(
        ExecutedObsUnit,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_packages",
        help_text=_("The execution whose data it holds."),
    )
    instrument_module = models.ForeignKey(
        InstrumentModule,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="raw_data_packages",
        help_text=_("The module that wrote them."),
    )
    part = models.IntegerField(default=1, help_text=_("Number of the part, from 1; a part holds at most about 50 GB."))
    name = models.CharField(max_length=255, unique=True, help_text=_("File name, unique among all raw data packages."))
    relative_path = models.CharField(max_length=1000, help_text=_("Path below its location."))
    file_count = models.IntegerField(default=0, help_text=_("Number of raw files in it."))
    state = models.CharField(
        max_length=20,
        choices=PackageState,
        default=PackageState.WAITING,
        help_text=_("How far it is on its way to the archive."),
    )
    data_transfer_package = models.ForeignKey(
        DataTransferPackage,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="raw_data_packages",
        help_text=_("The bundle it travels in; empty until it is bundled."),
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
            Immutable("executed_obs_unit_id", "instrument_module_id", "part", hint=NEVER_DELETED),
            FrozenOnceVerified("raw_data_package", *FACTS, "file_count"),
            Trigger(
                "bundle_entered",
                "opsdb_bundle_is_open",
                events="INSERT",
                when="NEW.data_transfer_package_id IS NOT NULL",
            ),
            Trigger(
                "bundle_still_open",
                "opsdb_bundle_is_open",
                events="UPDATE OF data_transfer_package_id",
                when="OLD.data_transfer_package_id IS DISTINCT FROM NEW.data_transfer_package_id",
            ),
            Trigger(
                "archived_is_true",
                "opsdb_archived_is_true",
                timing="AFTER",
                events="INSERT OR UPDATE OF state",
                when="NEW.state = 'archived'",
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
            *kept_for_good("a raw data package"),
        ]
        indexes = [
            open_work(),
            claimable_work(),
            Index(fields=["state", "created_at"], name="not_archived", condition=~Q(state=PackageState.ARCHIVED)),
            Index(
                fields=["data_transfer_package"],
                name="bundled",
                condition=Q(data_transfer_package__isnull=False),
            ),
            Index(fields=["created_at"], name="unbundled", condition=Q(data_transfer_package__isnull=True)),
            Index(fields=["instrument_module", "id"], name="by_module"),
            by_checksum(),
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

    recording = Recording.CHANGES
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
            Immutable("executed_obs_unit_id", "instrument_module_id", "source_location_id", hint=NEVER_DELETED),
            FrozenOnceVerified("raw_data_file", *FACTS),
            *kept_for_good("a raw data file"),
            Trigger(
                "source_location_type",
                "opsdb_require_source_locations",
                timing="AFTER",
                events="INSERT",
                level="STATEMENT",
                referencing="NEW TABLE AS added",
            ),
            Trigger(
                "package_entered",
                "opsdb_package_is_open",
                events="INSERT",
                when="NEW.raw_data_package_id IS NOT NULL",
            ),
            Trigger(
                "package_still_open",
                "opsdb_package_is_open",
                events="UPDATE OF raw_data_package_id",
                when="OLD.raw_data_package_id IS DISTINCT FROM NEW.raw_data_package_id",
            ),
            Trigger(
                "package_of_same_execution",
                "opsdb_package_of_same_execution",
                events='INSERT OR UPDATE OF "raw_data_package_id"',
                when="NEW.raw_data_package_id IS NOT NULL",
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

    def __str__(self):
        return self.relative_path


class RawDataPackageMetadata(Row):
    """What a raw data package holds, in the mandatory columns of IVOA ObsCore 1.1 (REC-ObsCore-v1.1, table 1)."""

    recording = Recording.CHANGES

    raw_data_package = models.OneToOneField(
        RawDataPackage,
        on_delete=models.PROTECT,
        related_name="metadata",
        help_text=_("The package it describes."),
    )
    dataproduct_type = models.CharField(
        "dataproduct_type",
        max_length=30,
        blank=True,
        default="",
        help_text=_("Logical data product type, such as cube or timeseries."),
    )
    calib_level = models.IntegerField("calib_level", default=0, help_text=_("Calibration level, 0 (raw) to 4."))
    obs_collection = models.CharField("obs_collection", max_length=200, help_text=_("Name of the data collection."))
    obs_id = models.CharField("obs_id", max_length=200, help_text=_("Identifier of the observation."))
    obs_publisher_did = models.CharField(
        "obs_publisher_did", max_length=500, help_text=_("Data set identifier given by the publisher.")
    )
    access_url = models.TextField("access_url", blank=True, default="", help_text=_("URL to download from."))
    access_format = models.CharField(
        "access_format", max_length=100, blank=True, default="", help_text=_("Media type of the content.")
    )
    access_estsize = models.BigIntegerField(
        "access_estsize", null=True, blank=True, help_text=_("Estimated size, kilobytes.")
    )
    target_name = models.CharField(
        "target_name", max_length=200, blank=True, default="", help_text=_("Name of the observed target.")
    )
    s_ra = models.FloatField("s_ra", null=True, blank=True, help_text=_("Central right ascension (ICRS), degrees."))
    s_dec = models.FloatField("s_dec", null=True, blank=True, help_text=_("Central declination (ICRS), degrees."))
    s_fov = models.FloatField("s_fov", null=True, blank=True, help_text=_("Diameter of the covered region, degrees."))
    s_region = models.TextField(
        "s_region", blank=True, default="", help_text=_("Covered region (STC-S or DALI), ICRS.")
    )
    s_resolution = models.FloatField(
        "s_resolution", null=True, blank=True, help_text=_("Spatial resolution (FWHM), arcsec.")
    )
    s_xel1 = models.BigIntegerField(
        "s_xel1", null=True, blank=True, help_text=_("Number of elements along the first spatial axis.")
    )
    s_xel2 = models.BigIntegerField(
        "s_xel2", null=True, blank=True, help_text=_("Number of elements along the second spatial axis.")
    )
    t_min = models.FloatField("t_min", null=True, blank=True, help_text=_("Start time, MJD."))
    t_max = models.FloatField("t_max", null=True, blank=True, help_text=_("Stop time, MJD."))
    t_exptime = models.FloatField("t_exptime", null=True, blank=True, help_text=_("Total exposure time, seconds."))
    t_resolution = models.FloatField(
        "t_resolution", null=True, blank=True, help_text=_("Temporal resolution (FWHM), seconds.")
    )
    t_xel = models.BigIntegerField(
        "t_xel", null=True, blank=True, help_text=_("Number of elements along the time axis.")
    )
    em_min = models.FloatField(
        "em_min", null=True, blank=True, help_text=_("Start in spectral coordinates, metres (vacuum).")
    )
    em_max = models.FloatField(
        "em_max", null=True, blank=True, help_text=_("Stop in spectral coordinates, metres (vacuum).")
    )
    em_res_power = models.FloatField("em_res_power", null=True, blank=True, help_text=_("Spectral resolving power."))
    em_xel = models.BigIntegerField(
        "em_xel", null=True, blank=True, help_text=_("Number of elements along the spectral axis.")
    )
    o_ucd = models.CharField("o_ucd", max_length=100, blank=True, default="", help_text=_("UCD of the observable."))
    pol_states = models.CharField(
        "pol_states", max_length=100, blank=True, default="", help_text=_("Polarization states, such as /I/Q/U/.")
    )
    pol_xel = models.BigIntegerField("pol_xel", null=True, blank=True, help_text=_("Number of polarization samples."))
    facility_name = models.CharField(
        "facility_name", max_length=200, blank=True, default="", help_text=_("Facility used.")
    )
    instrument_name = models.CharField(
        "instrument_name", max_length=200, blank=True, default="", help_text=_("Instrument used.")
    )
    extra = models.JSONField(default=dict, blank=True, help_text=_("Further metadata, a JSON object."))

    class Meta:
        verbose_name = _("raw data package metadata")
        verbose_name_plural = _("raw data package metadata")
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
