"""Arrivals: the copies that workers have written, compared with what should be there, and recorded.

A copy counts as verified only if its checksum is that of its content. One that differs is recorded as corrupt, so that
nobody reads it and no rule counts on it, until it is written again.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from opsdb.models import (
    DataLocation,
    DataTransfer,
    FixityCheck,
    LongTermArchiveTransfer,
    PhysicalCopy,
    PhysicalCopyStatus,
    Verification,
)

from . import work
from ._reports import Content, CopyReport, by_model, mismatch, require_known, summarize
from .states import move_state


def record_new_copy(content: Content, location: DataLocation) -> PhysicalCopy:
    """Record the first copy of content that was made here, and return it.

    It is not verified: the recorded checksum was computed from these bytes, so there is nothing yet to compare with.
    """
    return PhysicalCopy.objects.create(
        data_location=location,
        size_bytes=content.size_bytes,
        checksum=content.checksum,
        checksum_algorithm=content.checksum_algorithm,
        **{content._meta.db_table: content},
    )


def record_arrival(transfer: DataTransfer | LongTermArchiveTransfer, report: CopyReport, *, worker: str) -> str:
    """Record what a worker found at the destination of its transfer, and return the mismatch, empty if there is none.

    Locks the transfer, and as :func:`record_arrivals`.

    Args:
        transfer: what the worker has claimed.
        report: what it found.
        worker: its name.

    Raises:
        LostClaim: the worker no longer holds the transfer.
        InvalidTransition: the transfer is not in progress.
        Refused: the checksum can't be compared.
    """
    work.lock_claimed(transfer, worker=worker)
    return summarize(record_arrivals(transfer.destination_location, [report], worker=worker))


def record_arrivals(
    location: DataLocation, reports: Iterable[CopyReport], *, worker: str, staged: bool = False
) -> list[str]:
    """Record the copies that a worker has written at a location, and return the mismatches, one text for each.

    What agrees is present, or staged, and verified; what differs is corrupt. A copy there that was deleted, missing,
    corrupt or scheduled for deletion has been written again. What differs, and what replaces an older copy, also
    gets a fixity check.

    Locks, in the order of their keys, first the copies of this content at the location, then the content.

    Args:
        location: where they were written.
        reports: what was found.
        worker: who found it.
        staged: whether the copies are there only for a while.

    Raises:
        NotFound: there is no such row.
        Conflict: two reports of one row differ.
        Refused: a report can't be compared.
        InvalidTransition: the copy there is being deleted at this moment.
    """
    return [
        problem
        for model, by_key in by_model(reports).items()
        for problem in _record_arrivals_of(model, location, by_key, worker, staged)
    ]


def _record_arrivals_of(model, location, reports, worker, staged):
    target = model._meta.db_table
    copies = PhysicalCopy.objects.at(location).filter(**{f"{target}__in": list(reports)}).order_by("pk")
    # A deletion locks the copy, and then its content.
    list(copies.select_for_update(no_key=True).values_list("pk"))
    contents = list(
        model._default_manager.filter(pk__in=reports).order_by("pk").select_for_update(no_key=True, of=("self",))
    )
    require_known(model, reports, contents)
    known = {getattr(copy, f"{target}_id"): copy for copy in copies}
    now = timezone.now()
    new, differing, problems = [], [], []

    def check(copy, content, report):
        return FixityCheck(
            copy=copy,
            checked_at=now,
            expected=content.checksum,
            actual=report.checksum,
            algorithm=report.checksum_algorithm,
            ok=report.checksum == content.checksum,
            checked_by=worker,
        )

    for content in contents:
        report = reports[content.pk]
        problem = mismatch(content, report)
        facts = {
            "checksum": report.checksum,
            "checksum_algorithm": report.checksum_algorithm,
            "size_bytes": content.size_bytes if report.size_bytes is None else report.size_bytes,
            "verification": Verification.MISMATCH if problem else Verification.VERIFIED,
            "verified_at": now,
        }
        if problem:
            problems.append(problem)
        if copy := known.get(content.pk):
            # The database requires a check when a copy becomes verified again.
            check(copy, content, report).save()
            _rewrite(copy, bool(problem), staged, facts)
            continue
        status = PhysicalCopyStatus.STAGED if staged and not problem else PhysicalCopyStatus.PRESENT
        copy = PhysicalCopy(data_location=location, status=status, **{target: content}, **facts)
        new.append(copy)
        if problem:
            differing.append((copy, content, report))
    PhysicalCopy.objects.bulk_create(new)
    for copy, content, report in differing:
        check(copy, content, report).save()
        move_state(copy, PhysicalCopyStatus.CORRUPT)
    return problems


def _rewrite(copy, differs, staged, facts):
    """Refresh a copy's record after new bytes have replaced the old ones."""
    before = PhysicalCopyStatus(copy.status)
    if differs:
        after = PhysicalCopyStatus.CORRUPT
    elif staged and before != PhysicalCopyStatus.PRESENT:
        after = PhysicalCopyStatus.STAGED
    else:
        after = PhysicalCopyStatus.PRESENT
    facts |= {"deletion_requested_at": None, "deleted_at": None, "failure_message": ""}
    if before == after:
        PhysicalCopy.objects.filter(pk=copy.pk).update(**facts)
        return
    if after not in before.may_become:
        move_state(copy, PhysicalCopyStatus.PRESENT, **facts)
    move_state(copy, after, **facts)
