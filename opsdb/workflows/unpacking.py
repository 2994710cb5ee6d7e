"""Stage 4, unpack: the raw packages of a transfer package that has arrived are unpacked at its destination.

The work is kept in the transfer's ``unpack_…`` columns.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from opsdb.database.aliases import atomic
from opsdb.models import DataLocation, DataTransfer, LogLevel, PackageState, RawDataPackage, Status, TransferKind

from . import work
from ._reports import CopyReport, failed_because_of, mismatches, records_conflicts, summarize
from ._transfers import carried_packages, log_transfer, move_packages
from .arrivals import record_arrivals
from .errors import ClaimEnded, CompletionConflict, Conflict, LostClaim, OpsdbError, name_row
from .states import move_state


def claim_unpacking(*, worker: str, limit: int = 1, location: DataLocation | None = None) -> list[DataTransfer]:
    """Take up to ``limit`` arrived transfers to unpack for a worker, those that wait longest first, and return them.

    While a bundle is unpacked, call :func:`heartbeat_unpacking`; then :func:`complete_unpacking` or
    :func:`fail_unpacking`.

    Locks the transfers; those that another worker is claiming are skipped.

    Args:
        worker: name of the worker.
        limit: how many at the most.
        location: only those that have arrived there.

    Raises:
        OpsdbError: the worker has no name, or the limit is below 1.
    """
    work.require_claim(DataTransfer, worker=worker, limit=limit)
    arrived = DataTransfer.objects.awaiting_unpack()
    if location is not None:
        arrived = arrived.to(location)
    with atomic():
        claimed = list(arrived.select_for_update(skip_locked=True, of=("self",))[:limit])
        for transfer in claimed:
            move_state(
                transfer,
                Status.IN_PROGRESS,
                field="unpack_status",
                unpack_claimed_by=worker,
                unpack_heartbeat_at=timezone.now(),
            )
            log_transfer(transfer, f"unpacking claimed by {worker}")
    return claimed


def heartbeat_unpacking(transfer: DataTransfer, *, worker: str) -> None:
    """Record that the worker is alive and still unpacking. Locks the transfer.

    Args:
        transfer: the transfer whose unpacking the worker has claimed.
        worker: its name.

    Raises:
        LostClaim: the worker no longer unpacks it and should stop.
        InvalidTransition: it is not being unpacked.
    """
    if not _held(transfer, worker).update(unpack_heartbeat_at=timezone.now()):
        raise _lost(transfer, worker, Status.IN_PROGRESS)


@records_conflicts
def complete_unpacking(
    transfer: DataTransfer, *, worker: str, reports: Iterable[CopyReport], log_path: str = ""
) -> DataTransfer:
    """Record the packages that a worker has unpacked at a transfer's destination, and return the transfer.

    Every package of the transfer package must be there with its own checksum: then its copy is verified, and the
    unpacking is completed. If one is missing or differs, the copies that differ are corrupt, those that agree are
    kept, and the unpacking fails: look at the unpack status of what is returned. Idempotent until it is claimed again.

    Locks the transfer, the packages' copies at the destination, and the packages, each in the order of their ids.

    Args:
        transfer: what the worker has claimed for unpacking.
        worker: its name.
        reports: each package as the worker found it there.
        log_path: file with the worker's log.

    Raises:
        LostClaim: the worker no longer unpacks it.
        InvalidTransition: it is not being unpacked.
        Conflict: a package is not of this transfer, or two reports of it differ.
        CompletionConflict: it was unpacked, and a package is reported with another checksum or size.
        Refused: a checksum can't be compared.
    """
    reports = list(reports)
    with atomic():
        now = DataTransfer.objects.select_for_update(no_key=True).get(pk=transfer.pk)
        expected = set(carried_packages([transfer]).values_list("pk", flat=True))
        reported = {report.content.pk for report in reports}
        if strangers := reported - expected:
            raise Conflict(
                f"{name_row(DataTransfer, transfer.pk)}: {name_row(RawDataPackage, min(strangers))} is not in it; "
                "report the packages that it carries"
            )
        missing = [f"{name_row(RawDataPackage, key)}: is missing" for key in sorted(expected - reported)]
        if now.unpack_status == Status.COMPLETED and (differing := mismatches(reports)):
            what = f"{worker} then reported other values of what was unpacked: {summarize(differing)}"
            raise CompletionConflict(transfer, what)
        done = (now.unpack_status, now.unpack_claimed_by) == (Status.COMPLETED, worker)
        if (done and not missing and not mismatches(reports)) or failed_because_of(
            now.unpack_status, now.unpack_failure_message, reports, missing
        ):
            transfer.refresh_from_db()
            return transfer
        _lock_claimed(transfer, worker, Status.COMPLETED)
        problems = missing + record_arrivals(transfer.destination_location, reports, worker=worker)
        if problems:
            return fail_unpacking(transfer, worker=worker, message=summarize(problems), log_path=log_path)
        move_state(
            transfer,
            Status.COMPLETED,
            field="unpack_status",
            unpacked_at=timezone.now(),
            unpack_failure_message="",
        )
        log_transfer(transfer, f"unpacked {len(reports)} packages", log_path=log_path)
    return transfer


def fail_unpacking(
    transfer: DataTransfer, *, worker: str, message: str, retryable: bool = True, log_path: str = ""
) -> DataTransfer:
    """Record that a worker could not unpack a transfer, and return it: its unpacking is pending again, or failed.

    When the unpacking of a primary transfer has failed for good, its packages that are not at the destination are
    failed until an operator resets it. Idempotent until it is claimed again. Locks the transfer and the raw packages.

    Args:
        transfer: what the worker has claimed for unpacking.
        worker: its name.
        message: what went wrong.
        retryable: whether another attempt may help; there are as many as the transfer may have.
        log_path: file with the worker's log.

    Raises:
        LostClaim: the worker no longer unpacks it.
        InvalidTransition: it is not being unpacked.
        OpsdbError: the message is empty.
    """
    if not message.strip():
        raise OpsdbError(f"{name_row(DataTransfer, transfer.pk)}: describe what went wrong")
    with atomic():
        now = DataTransfer.objects.select_for_update(no_key=True).get(pk=transfer.pk)
        if now.unpack_failure_message == message and (
            now.unpack_status == Status.FAILED
            or (now.unpack_status == Status.PENDING and retryable and now.unpack_retry_count)
        ):
            transfer.refresh_from_db()
            return transfer
        _lock_claimed(transfer, worker, Status.FAILED)
        again = retryable and transfer.unpack_retry_count < transfer.max_retries
        changes = {"unpack_failure_message": message, "unpack_claimed_by": "", "unpack_heartbeat_at": None}
        if again:
            changes["unpack_retry_count"] = transfer.unpack_retry_count + 1
        move_state(transfer, Status.PENDING if again else Status.FAILED, field="unpack_status", **changes)
        log_transfer(transfer, f"unpacking failed: {message}", LogLevel.ERROR, log_path)
        if not again and transfer.kind == TransferKind.PRIMARY:
            there = RawDataPackage.objects.readable_at(transfer.destination_location)
            lost = carried_packages([transfer]).exclude(pk__in=there.values("pk"))
            move_packages(lost, [PackageState.WAITING, PackageState.TRANSFERRING], PackageState.FAILED)
    return transfer


def reset_unpacking(transfer: DataTransfer) -> DataTransfer:
    """Make unpacking that failed, or whose worker is gone, pending again, and return its transfer. For operators.

    Locks the transfer and the raw packages.

    Raises:
        InvalidTransition: its unpacking is pending or completed.
    """
    with atomic():
        move_state(
            transfer,
            Status.PENDING,
            field="unpack_status",
            unpack_retry_count=0,
            unpack_claimed_by="",
            unpack_heartbeat_at=None,
        )
        move_packages(carried_packages([transfer]), [PackageState.FAILED], PackageState.TRANSFERRING)
        log_transfer(transfer, "unpacking reset", LogLevel.WARNING)
    return transfer


def _held(transfer, worker):
    return DataTransfer.objects.filter(pk=transfer.pk, unpack_status=Status.IN_PROGRESS, unpack_claimed_by=worker)


def _lock_claimed(transfer, worker, to):
    if _held(transfer, worker).select_for_update(no_key=True).values_list("pk").first() is None:
        raise _lost(transfer, worker, to)
    transfer.refresh_from_db()


def _lost(transfer, worker, to):
    name = name_row(DataTransfer, transfer.pk)
    now = DataTransfer.objects.filter(pk=transfer.pk).values("unpack_status", "unpack_claimed_by").first()
    if now and now["unpack_status"] != Status.IN_PROGRESS:
        status = Status(now["unpack_status"])
        return ClaimEnded(name, "unpack_status", status, to, worker)
    claim = work.describe_claim(now and now["unpack_claimed_by"])
    return LostClaim(f"{name}: {worker} has no claim on its unpacking; {claim}")
