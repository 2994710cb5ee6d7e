"""What packaging and bundling share: to divide rows into tars, and to complete and correct a tar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import F, Func, IntegerField, QuerySet
from django.db.models.lookups import Exact

from opsdb.database.aliases import atomic
from opsdb.database.functions import IsAmong
from opsdb.models import (
    DataLocation,
    DataTransferPackage,
    LocationType,
    PhysicalCopy,
    RawDataPackage,
    Status,
    Verification,
)
from opsdb.row_labels import place_of

from . import work
from ._reports import CopyReport, mismatch, require_comparable
from .arrivals import record_arrivals, record_new_copy
from .attribution import attributed_to, name_actor
from .errors import Conflict, OpsdbError, Refused, name_row, translate_integrity_errors

REPORTED_COLUMNS = ("size_bytes", "checksum", "checksum_algorithm")

Tar = RawDataPackage | DataTransferPackage


def divide(sizes: Iterable[tuple[Any, int]], maximum: int) -> Iterator[tuple[int, Any]]:
    """Yield number of the part, from 1, and key for each pair of key and size; a part ends before it gets too large."""
    number, filled = 0, maximum + 1
    for key, size in sizes:
        if filled + size > maximum:
            number, filled = number + 1, 0
        filled += size
        yield number, key


def put_into(rows: QuerySet[Any], keys: list[Any], **container: Tar) -> int:
    """Put rows that are in no container yet into one, and return how many."""
    [(field, row)] = container.items()
    # IS NULL would have the index of all rows that are in none gone through for every few thousand of them.
    free = Exact(Func(F(field), function="num_nonnulls", output_field=IntegerField()), 0)
    put = rows.filter(IsAmong(F("pk"), keys), free).update(**container)
    if put < len(keys):
        raise Conflict(
            f"{name_row(type(row), row.pk)}: {len(keys) - put} rows that it should hold got another {field} "
            "meanwhile; nothing was changed, try again"
        )
    return put


@contextmanager
def correction(
    tar: Tar, report: CopyReport, *, location: DataLocation, user: AbstractBaseUser | None, reason: str
) -> Iterator[None]:
    """Correct the facts of a tar and of its copy at a location, in one transaction with the block.

    Locks the copies of the tar, then the tar, which is refreshed.

    Args:
        tar: the package or bundle.
        report: the size in bytes and the checksum of what is at the location.
        location: where the bytes are.
        user: who corrects; ignored where the surrounding block names somebody.
        reason: why, not empty; the history keeps it.

    Raises:
        OpsdbError: the reason is empty.
        Refused: the report can't be compared, the tar is not completed, or a copy was verified against the checksum
            that would change.
    """
    name = name_row(type(tar), tar.pk)
    if not reason.strip():
        raise OpsdbError(f"{name}: give the reason why it is corrected")
    require_comparable(report)
    with attributed_to(user, reason), translate_integrity_errors(), atomic():
        copies = list(PhysicalCopy.objects.of(tar).order_by("pk").select_for_update(no_key=True))
        tar.refresh_from_db(from_queryset=type(tar).objects.select_for_update(no_key=True))
        if tar.status != Status.COMPLETED:
            raise Refused(f"{name}: is {tar.status}, so that nothing was reported of it yet; complete it")
        here = next((copy for copy in copies if copy.data_location_id == location.pk), None)
        can_be_read = here is not None and here.is_readable
        if not (can_be_read and here.checksum == report.checksum and not mismatch(tar, report)):
            verified = next((copy for copy in copies if copy.verification == Verification.VERIFIED), None)
            if verified:
                raise Refused(
                    f"{name}: cannot be corrected, because {name_row(PhysicalCopy, verified.pk)} was verified against "
                    "its checksum; replace the copies that differ from it by copies of that one"
                )
            tar.size_bytes, tar.checksum = report.size_bytes, report.checksum
            tar.checksum_algorithm = report.checksum_algorithm
            tar.save(update_fields=REPORTED_COLUMNS)
            if can_be_read and here.verification == Verification.UNVERIFIED:
                facts = {column: getattr(report, column) for column in REPORTED_COLUMNS}
                PhysicalCopy.objects.filter(pk=here.pk).update(**facts)
            else:
                record_arrivals(location, [report], worker=name_actor())
        yield


def complete_tar(tar: Tar, report: CopyReport, *, worker: str, location: DataLocation) -> None:
    """Complete a tar that a worker has made, with the facts it reported and its first copy.

    Args:
        tar: the package or bundle, claimed by the worker.
        report: its size in bytes and its checksum.
        worker: name of the worker.
        location: where the tar is.

    Raises:
        LostClaim: the worker no longer holds the tar.
        ClaimEnded: the tar is in progress no more.
    """
    work.complete(tar, worker=worker, **{column: getattr(report, column) for column in REPORTED_COLUMNS})
    record_new_copy(tar, location)


def require_type(location: DataLocation, location_type: LocationType) -> None:
    """Refuse a location of another type.

    Raises:
        Refused: the location has another type.
    """
    if location.location_type != location_type:
        name = name_row(DataLocation, location.pk)
        raise Refused(
            f"{name}: {place_of(location)} is a {location.location_type} location, not a {location_type}; choose one "
            "of that type"
        )


def require_room(tar: Tar, *, size_bytes: int, content_bytes: int | None, content: str) -> None:
    """Refuse a tar that has no content, or is smaller than its content.

    Args:
        tar: the package or bundle.
        size_bytes: its reported size.
        content_bytes: the size of its content together; None where it has none.
        content: plural name of what it holds, such as ``raw files``.

    Raises:
        Refused: the tar has no content, or is smaller than it.
    """
    name = name_row(type(tar), tar.pk)
    if content_bytes is None:
        raise Refused(f"{name}: has no {content}, so there is nothing to make; put {content} into it first")
    if size_bytes < content_bytes:
        raise Refused(
            f"{name}: a tar of {size_bytes} bytes can't hold its {content} of {content_bytes} bytes; make it again"
        )
