"""Rules that workflows ask in Python; the database has the same rules in its functions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from opsdb.models import DataProduct, LocationType, PhysicalCopy, RawDataPackage


def count_safe_archive_copies(package: RawDataPackage) -> int:
    """Return how many verified copies of a package long-term archives have."""
    return (
        PhysicalCopy.objects.verified()
        .present()
        .filter(
            raw_data_package=package,
            data_location__location_type=LocationType.LONG_TERM_ARCHIVE,
            checksum=package.checksum,
            checksum_algorithm=package.checksum_algorithm,
        )
        .count()
    )


def without_readable_copy(rows: Iterable[RawDataPackage | DataProduct]) -> list[RawDataPackage | DataProduct]:
    """Return those of some packages and products that have no readable copy. One query for each kind."""
    rows = list(rows)
    readable = set()
    for model in sorted({type(row) for row in rows}, key=str):
        target, keys = model._meta.db_table, [row.pk for row in rows if isinstance(row, model)]
        copies = PhysicalCopy.objects.readable().filter(**{f"{target}__in": keys})
        readable |= {(model, key) for key in copies.values_list(f"{target}_id", flat=True)}
    return [row for row in rows if (type(row), row.pk) not in readable]


def retention_ends_at(copy: PhysicalCopy) -> datetime | None:
    """Return when the retention of a copy at its location ends; None where the location keeps its data."""
    days = copy.data_location.retention_days
    return None if days is None else copy.arrived_at + timedelta(days=days)
