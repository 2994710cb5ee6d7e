"""Sites, the places for data at them, and the routes that data take between them."""

import os
from pathlib import Path
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Check, Unique, between, implies, matches, positive
from opsdb.database.indexes import Index
from opsdb.database.triggers import HasSubtype, Immutable, Trigger

from .base import NumberedModel, OpsModel, OpsQuerySet, SpecificQuerySet, SubtypedModel, parent_link
from .enums import ChangeLogging, LocationType, StorageType
from .managers import manager_of
from .observatory import Instrument
from .renaming import former_names, renaming_constraints

__all__ = [
    "Site",
    "DataLocation",
    "DiskDataLocation",
    "S3DataLocation",
    "TapeDataLocation",
    "DataLocationUsage",
]


class SiteQuerySet(OpsQuerySet["Site"]):
    def archiving(self) -> Self:
        """Sites with an active archive, in the order in which they take turns."""
        archives = DataLocation.objects.archives().active().order_by()
        return self.filter(pk__in=archives.values("site")).order_by("short_name")


class Site(NumberedModel):
    """A place with computers: the observatory, a data centre, an archive.

    Its places for data are ``DataLocation`` rows; routes lead from site to site.
    """

    natural_key_fields = ("short_name",)

    name = models.CharField(max_length=200, unique=True, help_text=_("Full name, unique."))
    short_name = models.CharField(
        max_length=30,
        unique=True,
        help_text=_("Lower-case letters and digits; the names of its queues start with it."),
    )
    former_names = former_names()
    location = models.TextField(blank=True, default="", help_text=_("Institute or town, and country."))
    description = models.TextField(blank=True, default="", help_text=_("Role of the site in the data flow."))

    objects = manager_of(SiteQuerySet)

    class Meta:
        constraints = [
            matches("short_name", r"^[a-z0-9]+$", "The short name must be lower-case letters and digits."),
            *renaming_constraints("short_name"),
        ]

    def __str__(self) -> str:
        return self.short_name


# A century: a moment that many days from now is one that PostgreSQL and Python can name.
LONGEST_DAYS = 36_500


class DataLocationQuerySet(SpecificQuerySet["DataLocation"]):
    def active(self) -> Self:
        """Active locations, to which new data may be written."""
        return self.filter(active=True)

    def at_site(self, site: Site | int) -> Self:
        """Locations of this site."""
        return self.filter(site=site)

    def of_type(self, location_type: LocationType) -> Self:
        """Locations of this type, the preferred first."""
        return self.filter(location_type=location_type).order_by("priority", "id")

    def sources(self) -> Self:
        """Where instruments write."""
        return self.of_type(LocationType.SOURCE)

    def buffers(self) -> Self:
        """Where data wait for transfer."""
        return self.of_type(LocationType.BUFFER)

    def archives(self) -> Self:
        """Where data stay for good."""
        return self.of_type(LocationType.LONG_TERM_ARCHIVE)

    def processing(self) -> Self:
        """Where data are reduced."""
        return self.of_type(LocationType.PROCESSING)


class DataLocation(SubtypedModel):
    """A place at a site that holds data for one purpose.

    The purpose (source, buffer, long-term archive, processing) decides what the workflows do there, and the subtype
    (disk, S3, tape) how it is reached.
    """

    discriminator = "storage_type"
    natural_key_fields = ("site", "name")

    site = models.ForeignKey(
        Site,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="data_locations",
        help_text=_("Site where the storage is."),
    )
    name = models.CharField(max_length=60, help_text=_("Lower-case letters, digits and '_', unique at the site."))
    former_names = former_names()
    location_type = models.CharField(
        max_length=20, choices=LocationType, help_text=_("Purpose of the location in the data flow; fixed once set.")
    )
    storage_type = models.CharField(
        max_length=10, choices=StorageType, editable=False, help_text=_("Type of storage; set by its class.")
    )
    priority = models.IntegerField(default=0, help_text=_("Lowest is used first; several buffers give fail-over."))
    active = models.BooleanField(default=True, help_text=_("Whether new data may be written there."))
    instrument = models.ForeignKey(
        Instrument,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="data_locations",
        help_text=_("Instrument that writes there; only for source locations."),
    )
    capacity_bytes = models.BigIntegerField(
        null=True, blank=True, help_text=_("Capacity, bytes; in forms also with a unit, such as 500 TB.")
    )
    retention_days = models.IntegerField(
        null=True, blank=True, help_text=_("Days for which data are kept there; empty: without limit.")
    )
    deletion_threshold_percent = models.FloatField(
        null=True,
        blank=True,
        help_text=_("Fill level above which data may be deleted before their retention has passed, per cent."),
    )
    fixity_interval_days = models.IntegerField(
        null=True, blank=True, help_text=_("Days after which a copy's checksum is due to be verified again.")
    )
    comment = models.TextField(blank=True, default="", help_text=_("Remarks for operators."))

    objects = manager_of(DataLocationQuerySet)

    class Meta:
        constraints = [
            Unique(
                "unique_name",
                "site",
                "name",
                message="The site has a location of this name; choose another.",
            ),
            matches("name", r"^[a-z0-9_]+$", "The name must be lower-case letters, digits and '_'."),
            implies(
                "instrument_only_at_source",
                Q(instrument__isnull=False),
                Q(location_type=LocationType.SOURCE),
                "Only a source location belongs to an instrument; leave the instrument empty at any other.",
                "instrument",
            ),
            positive("capacity_bytes"),
            between("retention_days", 0, LONGEST_DAYS, " days"),
            between("deletion_threshold_percent", 0, 100, " per cent"),
            between("fixity_interval_days", 1, LONGEST_DAYS, " days"),
            Immutable("location_type", "site_id"),
            *renaming_constraints("name"),
            HasSubtype(
                "storage_type",
                {
                    StorageType.DISK: "disk_data_location",
                    StorageType.S3: "s3_data_location",
                    StorageType.TAPE: "tape_data_location",
                },
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def held_bytes(self) -> int:
        """Return how many bytes it holds, as far as is known: a sum over a few rows that the database keeps."""
        return int(self.usage.aggregate(held=models.Sum("bytes"))["held"] or 0)


class DiskDataLocation(DataLocation):
    """A folder on a computer."""

    subtype = StorageType.DISK

    location_ptr = parent_link(DataLocation, _("Location that this folder stores."))
    host = models.CharField(
        max_length=255, blank=True, default="", help_text=_("Host name of the computer; empty for a local disk.")
    )
    user = models.CharField(max_length=100, blank=True, default="", help_text=_("Account on that computer."))
    path = models.CharField(max_length=1000, help_text=_("Absolute path of the folder."))

    class Meta:
        constraints = [
            Check(
                "path_absolute",
                Q(path__regex=r"^/") & ~Q(path__regex=r"(^|/)\.\.(/|$)"),
                "The path must be absolute and without '..'.",
                "path",
            ),
            Trigger(
                "one_per_folder", "opsdb_one_location_per_folder", events="INSERT OR UPDATE OF host, path", field="path"
            ),
        ]


class S3DataLocation(DataLocation):
    """A bucket of an S3 object store. Its credentials are in the environment, never in the database."""

    subtype = StorageType.S3

    location_ptr = parent_link(DataLocation, _("Location that this bucket stores."))
    bucket = models.CharField(max_length=255, help_text=_("Name of the bucket."))
    endpoint_url = models.URLField(
        blank=True, default="", help_text=_("Address of the service; empty for the default one.")
    )
    region = models.CharField(
        max_length=100, blank=True, default="", help_text=_("Region of the bucket, such as eu-central-1.")
    )
    prefix = models.CharField(max_length=500, blank=True, default="", help_text=_("Prefix of the keys of all objects."))

    class Meta:
        verbose_name = _("S3 data location")

    def get_s3_credentials(self) -> tuple[str, str]:
        """Return access key id and secret access key from the environment.

        They are read from ``OPSDB_S3_<SITE>_<LOCATION>_ACCESS_KEY_ID`` and ``…_SECRET_ACCESS_KEY``, site and
        location in capitals, or from the files that these names with ``_FILE`` behind them hold the paths of.

        Raises:
            LookupError: a variable is not set, or its file can't be read; the message names it.
        """
        prefix = f"OPSDB_S3_{self.site.short_name}_{self.name}".upper()
        return _secret(f"{prefix}_ACCESS_KEY_ID"), _secret(f"{prefix}_SECRET_ACCESS_KEY")


def _secret(name: str) -> str:
    """Return an environment variable, or the content of the file that NAME_FILE names."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            secret = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8"
            raise LookupError(f"{name}_FILE: {path} can't be read ({why})") from None
        if not secret:
            raise LookupError(f"{name}_FILE: {path} is empty")
        return secret
    if not os.environ.get(name):
        raise LookupError(f"the environment variable {name} is not set")
    return os.environ[name]


class TapeDataLocation(DataLocation):
    """A pool of tapes."""

    subtype = StorageType.TAPE

    location_ptr = parent_link(DataLocation, _("Location that this pool stores."))
    library = models.CharField(max_length=200, help_text=_("Name of the tape library."))
    pool = models.CharField(max_length=200, blank=True, default="", help_text=_("Name of the pool in the library."))
    mount_path = models.CharField(
        max_length=1000, blank=True, default="", help_text=_("Absolute path at which the pool is mounted.")
    )

    class Meta:
        constraints = [
            Check(
                "mount_path_absolute",
                Q(mount_path="") | (Q(mount_path__regex=r"^/") & ~Q(mount_path__regex=r"(^|/)\.\.(/|$)")),
                "The path must be absolute and without '..'.",
                "mount_path",
            )
        ]


class DataLocationUsage(OpsModel):
    """What was added to or taken from a location on a day; the sum over a location is what it holds.

    Only the database writes it: a note for every statement, which are folded into one for each day.
    """

    change_logging = ChangeLogging.OFF

    id = models.BigAutoField(primary_key=True, help_text=_("Number of the row."))
    data_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="usage",
        help_text=_("Location whose copies are counted."),
    )
    day = models.DateField(help_text=_("Day on which copies arrived or were deleted (UTC)."))
    copies = models.BigIntegerField(help_text=_("Copies added, or taken if below 0."))
    bytes = models.DecimalField(
        max_digits=30,
        decimal_places=0,
        help_text=_("Bytes added, or taken if below 0; sums over many copies pass the range of bigint."),
    )
    arrived_bytes = models.DecimalField(
        max_digits=30, decimal_places=0, help_text=_("Bytes that arrived, whatever has left since.")
    )

    class Meta:
        verbose_name_plural = _("data location usage")
        indexes = [Index(fields=["data_location", "day"], name="by_day")]

    def __str__(self) -> str:
        return f"{self.copies:+d} copies, {int(self.bytes):+d} bytes"
