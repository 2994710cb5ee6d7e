"""Room: how many bytes a location can still take, with what is on its way there counted as being there."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Sum

from opsdb.models import (
    DataLocation,
    DataProduct,
    DataTransfer,
    LongTermArchiveTransfer,
    PhysicalCopy,
    RawDataPackage,
    StagingJob,
    Status,
)
from opsdb.row_labels import place_of

from ._predicates import retention_ends_at


class Room:
    """The free bytes of locations, read once each, less what is planned meanwhile."""

    def __init__(self) -> None:
        self._free: dict[int, int | None] = {}

    def takes(self, location: DataLocation, size_bytes: int | None) -> bool:
        """Return whether so many more bytes fit there. What has no capacity takes everything."""
        free = self._read(location)
        return free is None or (size_bytes or 0) <= free

    def book(self, location: DataLocation, size_bytes: int | None) -> None:
        """Count bytes whose transfer there is planned."""
        free = self._read(location)
        if free is not None:
            self._free[location.pk] = free - (size_bytes or 0)

    def _read(self, location):
        if location.pk not in self._free:
            self._free[location.pk] = count_free_bytes(location)
        return self._free[location.pk]


def count_free_bytes(location: DataLocation) -> int | None:
    """Return how many bytes a location can still take; None where its capacity is not known. Locks nothing.

    What open transfers, archive transfers and staging jobs bring there is counted as being there.
    """
    if location.capacity_bytes is None:
        return None
    return location.capacity_bytes - location.held_bytes() - count_booked_bytes(location)


def count_booked_bytes(location: DataLocation) -> int:
    """Return how many bytes open work brings to a location, as far as is known. Served by the indexes of open work."""
    is_open = {"status__in": Status.open(), "destination_location": location.pk}
    transfers = DataTransfer.objects.filter(**is_open).aggregate(size=Sum("data_transfer_package__size_bytes"))
    archiving = LongTermArchiveTransfer.objects.filter(**is_open).aggregate(size=Sum("raw_data_package__size_bytes"))
    return int((transfers["size"] or 0) + (archiving["size"] or 0)) + _count_staging_bytes(location, is_open)


def _count_staging_bytes(location, is_open):
    """Return the bytes of what open staging jobs bring, each package or product once, if it is not there already."""
    there = PhysicalCopy.objects.at(location.pk).readable()
    jobs = StagingJob.objects.filter(**is_open).values("pk")
    total = 0
    for model, through, column in (
        (RawDataPackage, StagingJob.raw_data_packages.through, "rawdatapackage"),
        (DataProduct, StagingJob.data_products.through, "dataproduct"),
    ):
        wanted = through.objects.filter(stagingjob__in=jobs).values(column)
        missing = model.objects.filter(~Exists(there.filter(**{model._meta.db_table: OuterRef("pk")})), pk__in=wanted)
        total += missing.aggregate(size=Sum("size_bytes"))["size"] or 0
    return int(total)


def find_time_of_room(location: DataLocation) -> datetime | None:
    """Return when the retention of the oldest copy at a location ends, the earliest time of an automatic deletion.

    Args:
        location: the location.

    Returns:
        The time, or None where the location has no retention or no copies.
    """
    if location.retention_days is None:
        return None
    arrived = PhysicalCopy.objects.at(location).present().order_by("arrived_at").values_list("arrived_at", flat=True)
    oldest = arrived.first()
    return oldest and retention_ends_at(location, oldest)


def describe_lack(location: DataLocation, size_bytes: int | None) -> str:
    """Return how a location lacks room for so many bytes, as messages name it.

    Args:
        location: the full location.
        size_bytes: how many bytes are needed; None, where that is not known, counts as 0.
    """
    free = count_free_bytes(location)
    return (
        f"{place_of(location)} is full: with what is on its way there, {max(free or 0, 0):,} bytes are free, and "
        f"{size_bytes or 0:,} are needed"
    )
