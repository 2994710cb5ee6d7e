"""Questions of several workflows about copies; the rules themselves are functions of the database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Case, IntegerField, QuerySet, Value, When

from opsdb.database.functions import IsSafeArchiveCopy, IsSafeCopy
from opsdb.models import (
    DataLocation,
    DataProduct,
    ExecutedReductionStep,
    LocationType,
    PhysicalCopy,
    RawDataPackage,
)
from opsdb.row_labels import place_of

from .errors import name_row

# So often in a row a check could not read what is replaced then.
UNREAD_IS_BAD = 3


def count_safe_archive_copies(package: RawDataPackage) -> int:
    """Return how many verified copies of a package long-term archives have."""
    return PhysicalCopy.objects.filter(IsSafeArchiveCopy("pk"), raw_data_package=package).count()


def find_lacking_archives(package: RawDataPackage) -> list[DataLocation]:
    """Return the active archives that hold no verified copy of a package, by site and name."""
    safe = PhysicalCopy.objects.filter(IsSafeArchiveCopy("pk"), raw_data_package=package)
    archives = DataLocation.objects.archives().active().exclude(pk__in=safe.values("data_location"))
    return list(archives.select_related("site").order_by("site__short_name", "name"))


def without_readable_copy(rows: Iterable[RawDataPackage | DataProduct]) -> list[RawDataPackage | DataProduct]:
    """Return those of some packages and products that have no readable copy. One query for each kind."""
    rows = list(rows)
    readable = set()
    for model in sorted({type(row) for row in rows}, key=str):
        target, keys = model._meta.db_table, [row.pk for row in rows if isinstance(row, model)]
        copies = PhysicalCopy.objects.readable().filter(**{f"{target}__in": keys})
        readable |= {(model, key) for key in copies.values_list(f"{target}_id", flat=True)}
    return [row for row in rows if (type(row), row.pk) not in readable]


def describe_unfit(location: DataLocation, wanted: LocationType) -> str:
    """Return that a location is of another type than wanted or inactive, as messages begin; empty where it is fit."""
    if location.location_type == wanted and location.active:
        return ""
    state = "inactive" if location.location_type == wanted else f"a {location.location_type} location"
    return f"{name_row(DataLocation, location.pk)}: {place_of(location)} is {state}"


def retention_ends_at(location: DataLocation, arrived_at: datetime) -> datetime | None:
    """Return when the retention of a copy ends that arrived then; None where the location keeps its data."""
    days = location.retention_days
    return None if days is None else arrived_at + timedelta(days=days)


def list_lost_inputs(run: ExecutedReductionStep) -> list[RawDataPackage | DataProduct]:
    """Return the inputs of a run of which no copy can be read. Locks nothing."""
    return [*without_readable_copy(run.input_packages.order_by("pk")), *without_readable_copy(run.input_products.all())]


def find_good_copy(package: RawDataPackage, *, but_not_at: DataLocation) -> PhysicalCopy | None:
    """Return the verified copy that a repair at an archive would read; None when there is none. Locks nothing."""
    return good_copies([package.pk], but_not_at).first()


def good_copies(packages: Iterable[object], archive: DataLocation) -> QuerySet[PhysicalCopy]:
    """Return the verified copies of packages elsewhere, the nearest first."""
    nearness = Case(
        When(data_location__site=archive.site_id, then=Value(0)),
        When(data_location__location_type=LocationType.LONG_TERM_ARCHIVE, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return safe_copies_elsewhere(archive).filter(raw_data_package__in=packages).order_by(nearness, "pk")


def safe_copies_elsewhere(archive: DataLocation) -> QuerySet[PhysicalCopy]:
    """Return the verified copies that are not at an archive."""
    return PhysicalCopy.objects.filter(IsSafeCopy("pk")).exclude(data_location=archive)
