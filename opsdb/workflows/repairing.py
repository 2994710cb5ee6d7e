"""Repairs: what an archive has lost or can't read is sent there again, from a verified copy anywhere."""

from __future__ import annotations

from itertools import chain, islice

from django.db.models import Exists, OuterRef, Q

from opsdb.database.aliases import atomic
from opsdb.models import (
    DataLocation,
    LocationType,
    LongTermArchiveTransfer,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
    Status,
)
from opsdb.models.copies.querysets import CHECKABLE
from opsdb.row_labels import place_of

from ._predicates import UNREAD_IS_BAD, find_lacking_archives, good_copies, safe_copies_elsewhere
from ._transfers import log_archive_transfers
from .errors import Refused, name_row

# The copies that are replaced: the bytes are wrong, gone or unreadable. Each walks an index.
BAD = (
    Q(status=PhysicalCopyStatus.CORRUPT),
    Q(status=PhysicalCopyStatus.MISSING),
    Q(status__in=CHECKABLE, next_check_at__isnull=False, unread_count__gte=UNREAD_IS_BAD),
)


def plan_repairs(*, limit: int = 100) -> list[LongTermArchiveTransfer]:
    """Plan to send again what active archives have lost, and return the new transfers.

    A copy in an archive that is corrupt or missing, or could not be read three times in a row, is replaced: a transfer
    brings its package there from a verified copy, at a location of the same site if there is one, else in another
    archive, else anywhere. Its worker completes it as any other archive transfer, and then the copy is present and
    verified again. A package with an open or failed transfer into the archive is passed over, and so is one that has no
    verified copy elsewhere: ``explain_row`` names what it needs.

    Locks the archives, so that one manager plans at a time, and the copies to be read in the order of their ids, so
    that none is deleted meanwhile. Served by ``physical_copy_by_location`` and ``physical_copy_unread``.

    Args:
        limit: how many for each archive at the most.
    """
    transfers = []
    for archive in DataLocation.objects.archives().active().order_by("pk"):
        with atomic():
            DataLocation.objects.select_for_update(no_key=True).get(pk=archive.pk)
            transfers += _plan(archive, _list_bad(archive, limit))
    return transfers


def repair_package(package: RawDataPackage) -> list[LongTermArchiveTransfer]:
    """Plan to bring an archived package into every active archive that lacks a good copy, and return the transfers.

    As :func:`plan_repairs`, with the same locks; and also into an archive that never had it. For operators.

    Raises:
        Refused: the package is not archived yet, every archive has it, its transfers there are planned already or have
            failed, or no copy of it is verified.
    """
    name = name_row(RawDataPackage, package.pk)
    with atomic():
        archives = DataLocation.objects.archives().active().order_by("pk").select_for_update(no_key=True)
        list(archives.values_list("pk"))
        if RawDataPackage.objects.get(pk=package.pk).state != PackageState.ARCHIVED:
            raise Refused(f"{name}: no archive has had it yet, so there is nothing to repair; have it archived")
        lacking = find_lacking_archives(package)
        if not lacking:
            raise Refused(f"{name}: every active archive holds a verified copy; leave it as it is")
        waiting = package.archive_transfers.filter(destination_location__in=lacking).exclude(status=Status.COMPLETED)
        planned = {transfer.destination_location_id: transfer for transfer in waiting.order_by("pk")}
        free = [archive for archive in lacking if archive.pk not in planned]
        if not free:
            transfer = next(iter(planned.values()))
            raise Refused(
                f"{name}: {name_row(LongTermArchiveTransfer, transfer.pk)} into "
                f"{place_of(transfer.destination_location)} is {transfer.status}; "
                + ("reset it" if transfer.status == Status.FAILED else "wait for it")
            )
        transfers = [transfer for archive in free for transfer in _plan(archive, [package.pk])]
        if not transfers:
            raise Refused(f"{name}: no copy of it is verified; have one checked, or bring its bytes back")
    return transfers


def repair_copy(copy: PhysicalCopy) -> list[LongTermArchiveTransfer]:
    """Plan to replace a copy in an archive by a good one, as :func:`repair_package`, and return the transfers.

    Locks the same rows.

    Args:
        copy: a copy in an archive, of a raw data package.

    Raises:
        Refused: the copy is in no archive, or as :func:`repair_package`.
    """
    if copy.data_location.location_type != LocationType.LONG_TERM_ARCHIVE or copy.raw_data_package is None:
        name = name_row(PhysicalCopy, copy.pk)
        raise Refused(f"{name}: is no copy of a raw data package in an archive; bring its bytes back")
    return repair_package(copy.raw_data_package)


def _list_bad(archive, limit):
    """Return the packages whose copy at an archive is to be replaced and that no transfer is to bring there."""
    waiting = LongTermArchiveTransfer.objects.filter(destination_location=archive).exclude(status=Status.COMPLETED)
    copies = PhysicalCopy.objects.at(archive).filter(raw_data_package__isnull=False)
    copies = copies.exclude(raw_data_package__in=waiting.values("raw_data_package"))
    # What has no good copy elsewhere must not hide the rest.
    good = safe_copies_elsewhere(archive).filter(raw_data_package=OuterRef("raw_data_package"))
    copies = copies.filter(Exists(good))
    bad = chain.from_iterable(
        copies.filter(kind).values_list("raw_data_package", flat=True).iterator(chunk_size=1_000) for kind in BAD
    )
    # A copy may be of two kinds.
    return list(dict.fromkeys(islice(bad, limit)))


def _plan(archive, packages):
    """Lock the copies to be read, and plan the transfer of each package that has one into an archive."""
    origins: dict[object, int] = {}
    good = good_copies(packages, archive).values_list("pk", flat=True)
    copies = PhysicalCopy.objects.filter(pk__in=list(good)).order_by("pk")
    list(copies.select_for_update(no_key=True).values_list("pk"))
    for package, location in good_copies(packages, archive).values_list("raw_data_package", "data_location"):
        origins.setdefault(package, location)
    transfers = LongTermArchiveTransfer.objects.bulk_create(
        LongTermArchiveTransfer(
            raw_data_package_id=package, origin_location_id=origins[package], destination_location=archive
        )
        for package in packages
        if package in origins
    )
    log_archive_transfers(transfers, f"planned: repair in {place_of(archive)}")
    return transfers
