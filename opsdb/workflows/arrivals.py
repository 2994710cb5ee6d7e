"""Arrivals: the copies that workers have written, compared with what should be there, and recorded.

A copy counts as verified only if its checksum is that of its content. One that differs is recorded as corrupt, so that
it is not read and no rule relies on it, until it is written again.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F
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

    Args:
        content: the file, package, bundle or product, with its size in bytes and its checksum.
        location: where its bytes are.
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

    What agrees is present, or staged, and verified; what differs is corrupt. Each gets the fixity check by which it is
    so, of the time at which it arrived. A copy there that was deleted, missing, corrupt or scheduled for deletion has
    been written again. New copies take a constant number of statements.

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
    new, agreed, differed, problems = [], [], [], []

    def check(copy, checked_at):
        content = getattr(copy, target)
        report = reports[content.pk]
        return FixityCheck(
            copy=copy,
            checked_at=checked_at,
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
        }
        if problem:
            problems.append(problem)
        if copy := known.get(content.pk):
            setattr(copy, target, content)
            _rewrite(copy, bool(problem), staged, facts, check(copy, now))
            continue
        status = PhysicalCopyStatus.STAGED if staged and not problem else PhysicalCopyStatus.PRESENT
        copy = PhysicalCopy(data_location=location, status=status, **{target: content}, **facts)
        new.append(copy)
        (differed if problem else agreed).append(copy)
    PhysicalCopy.objects.bulk_create(new)
    checks = {copy: check(copy, copy.arrived_at) for copy in new}
    # A copy is verified by its check; one that differs is in doubt before its check is recorded.
    FixityCheck.objects.bulk_create(checks[copy] for copy in agreed)
    _of(agreed).update(verification=Verification.VERIFIED, verified_at=F("arrived_at"))
    _of(differed).update(
        status=PhysicalCopyStatus.CORRUPT, verification=Verification.MISMATCH, verified_at=F("arrived_at")
    )
    FixityCheck.objects.bulk_create(checks[copy] for copy in differed)
    return problems


def _of(copies):
    return PhysicalCopy.objects.filter(pk__in=[copy.pk for copy in copies])


def _rewrite(copy, differs, staged, facts, check):
    """Refresh a copy's record after new bytes have replaced the old ones, and record their check."""
    if differs:
        _refresh(copy, differs, staged, facts | {"verification": Verification.MISMATCH}, check.checked_at)
        check.save()
    else:
        check.save()
        _refresh(copy, differs, staged, facts | {"verification": Verification.VERIFIED}, check.checked_at)


def _refresh(copy, differs, staged, facts, checked_at):
    before = PhysicalCopyStatus(copy.status)
    if differs:
        after = PhysicalCopyStatus.CORRUPT
    elif staged and before != PhysicalCopyStatus.PRESENT:
        after = PhysicalCopyStatus.STAGED
    else:
        after = PhysicalCopyStatus.PRESENT
    facts |= {"verified_at": checked_at, "deletion_requested_at": None, "deleted_at": None, "failure_message": ""}
    if before == after:
        PhysicalCopy.objects.filter(pk=copy.pk).update(**facts)
        return
    if after not in before.may_become:
        move_state(copy, PhysicalCopyStatus.PRESENT, **facts)
    move_state(copy, after, **facts)
