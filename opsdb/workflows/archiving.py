"""Stage 5, archive: packages are copied from a site's buffer into its archive, and are safe once checksums agree."""

from __future__ import annotations

from opsdb.database.aliases import atomic
from opsdb.models import (
    ChecksumAlgorithm,
    DataLocation,
    LocationType,
    LogLevel,
    LongTermArchiveTransfer,
    PackageState,
    PhysicalCopy,
    RawDataPackage,
    Status,
)
from opsdb.row_labels import place_of

from . import work
from ._predicates import describe_unfit
from ._reports import CopyReport, is_repeated_report, records_conflicts
from ._transfers import log_archive_transfers
from .arrivals import record_arrival
from .errors import Refused
from .room import Room
from .states import move_state


def plan_archiving(archive: DataLocation, *, limit: int = 1_000) -> list[LongTermArchiveTransfer]:
    """Plan the transfer of packages in the buffers of a site into an archive there, and return the new transfers.

    Every active archive at a site is to hold every package that arrives at the site. What does not fit there waits,
    with what is on its way counted.

    Locks the archive, so that one manager plans for it at a time, and the copies to be read in the order of their
    ids, so that none is deleted meanwhile.

    Args:
        archive: the archive.
        limit: how many packages at the most.

    Raises:
        Refused: the location is no active archive.
    """
    if unfit := describe_unfit(archive, LocationType.LONG_TERM_ARCHIVE):
        raise Refused(f"{unfit}; plan archiving into an active long-term archive")
    with atomic():
        DataLocation.objects.select_for_update(no_key=True).get(pk=archive.pk)
        awaiting = RawDataPackage.objects.awaiting_archive(archive, limit=limit).order_by("created_at", "pk")
        keys = list(awaiting.values_list("pk", flat=True)[:limit])
        origins = _keep_what_fits(archive, _origins(keys, archive.site_id))
        transfers = LongTermArchiveTransfer.objects.bulk_create(
            LongTermArchiveTransfer(
                raw_data_package_id=key, origin_location_id=origins[key], destination_location=archive
            )
            for key in keys
            if key in origins
        )
        log_archive_transfers(transfers, f"planned: into {place_of(archive)}")
    return transfers


def _keep_what_fits(archive, origins):
    """Return those of the packages for which the archive has room, the oldest first."""
    room, kept = Room(), {}
    sizes = RawDataPackage.objects.filter(pk__in=origins).order_by("created_at", "pk").values_list("pk", "size_bytes")
    for key, size in sizes:
        if room.takes(archive, size):
            room.book(archive, size)
            kept[key] = origins[key]
    return kept


def _origins(packages, site):
    """Lock the copies of packages in the buffers of a site, and return the location to read each package from."""
    buffers = list(DataLocation.objects.at_site(site).buffers())
    copies = PhysicalCopy.objects.readable().filter(raw_data_package__in=packages, data_location__in=buffers)
    locked = copies.order_by("pk").select_for_update(no_key=True).values_list("data_location", "raw_data_package")
    found = list(locked)
    return {package: buffer.pk for buffer in reversed(buffers) for location, package in found if location == buffer.pk}


def claim_archive_transfers(
    *, worker: str, limit: int = 1, archive: DataLocation | None = None
) -> list[LongTermArchiveTransfer]:
    """Take up to ``limit`` archive transfers for a worker, the oldest first, and return them.

    While the bytes are copied, call :func:`heartbeat_archive_transfer`; then :func:`complete_archive_transfer` or
    :func:`fail_archive_transfer`.

    Locks the transfers; those that another worker is claiming are skipped.

    Args:
        worker: name of the worker.
        limit: how many at the most.
        archive: only those into this archive.

    Raises:
        OpsdbError: the worker has no name, or the limit is below 1.
    """
    transfers = LongTermArchiveTransfer.objects.claimable()
    if archive is not None:
        transfers = transfers.to(archive)
    with atomic():
        claimed = work.claim(transfers, limit=limit, worker=worker)
        log_archive_transfers(claimed, f"claimed by {worker}")
    return claimed


def heartbeat_archive_transfer(transfer: LongTermArchiveTransfer, *, worker: str) -> None:
    """Record that the worker is alive and still copies the package into the archive. Locks the transfer.

    Args:
        transfer: what the worker has claimed.
        worker: its name.

    Raises:
        LostClaim: the worker no longer holds the transfer and should stop.
        InvalidTransition: the transfer is not in progress.
    """
    work.heartbeat(transfer, worker=worker)


@records_conflicts
def complete_archive_transfer(
    transfer: LongTermArchiveTransfer,
    *,
    worker: str,
    checksum: str,
    size_bytes: int | None = None,
    checksum_algorithm: str = ChecksumAlgorithm.SHA256,
    log_path: str = "",
) -> LongTermArchiveTransfer:
    """Record that a package is in an archive, with what the worker found there, and return the transfer.

    If the checksum is the package's, the archive copy is verified, the package archived and the transfer completed,
    all in one transaction. If it is not, the copy there is corrupt, the package is as unsafe as before, and the
    transfer fails: look at the status of what is returned. Idempotent until the transfer is claimed again.

    Locks the transfer, the copies of the package's content, its copy in the archive, and the package.

    Args:
        transfer: what the worker has claimed.
        worker: its name.
        checksum: of the package as the archive has it, read back from there, lower-case hexadecimal.
        size_bytes: its size in bytes.
        checksum_algorithm: how the checksum was computed.
        log_path: file with the worker's log.

    Raises:
        LostClaim: the worker no longer holds the transfer.
        InvalidTransition: the transfer is not in progress.
        CompletionConflict: it was completed with another checksum or size.
        Refused: the checksum can't be compared.
    """
    with atomic():
        package = transfer.raw_data_package
        report = CopyReport(package, checksum, size_bytes, checksum_algorithm)
        if is_repeated_report(transfer, report, worker=worker):
            return transfer
        _lock_new_candidates(package)
        if problem := record_arrival(transfer, report, worker=worker):
            return fail_archive_transfer(transfer, worker=worker, message=problem, log_path=log_path)
        package.refresh_from_db()
        if package.state == PackageState.FAILED:
            move_state(package, PackageState.TRANSFERRING, field="state")
        if package.state != PackageState.ARCHIVED:
            move_state(package, PackageState.ARCHIVED, field="state")
        work.complete(transfer, worker=worker)
        log_archive_transfers([transfer], f"archived, checksum {report} agrees", log_path=log_path)
    return transfer


def _lock_new_candidates(package):
    """Lock the copies that become deletion candidates when the package turns archived: before the package itself."""
    unmarked = PhysicalCopy.objects.of_content_of(package).filter(deletion_candidate=False).order_by("pk")
    list(unmarked.select_for_update(no_key=True).values_list("pk"))


def fail_archive_transfer(
    transfer: LongTermArchiveTransfer, *, worker: str, message: str, retryable: bool = True, log_path: str = ""
) -> LongTermArchiveTransfer:
    """Record that a worker could not archive a package, and return the transfer: pending again, or failed.

    A package that no archive has and whose transfer has failed for good is failed until an operator resets it.
    Idempotent until the transfer is claimed again. Locks the transfer and the package.

    Args:
        transfer: what the worker has claimed.
        worker: its name.
        message: what went wrong.
        retryable: whether another attempt may help.
        log_path: file with the worker's log.

    Raises:
        LostClaim: the worker no longer holds the transfer.
        InvalidTransition: the transfer is not in progress.
        OpsdbError: the message is empty.
    """
    with atomic():
        if not work.fail(transfer, worker=worker, message=message, retryable=retryable):
            return transfer
        if transfer.status == Status.FAILED:
            RawDataPackage.objects.filter(
                pk=transfer.raw_data_package_id, state__in=[PackageState.WAITING, PackageState.TRANSFERRING]
            ).update(state=PackageState.FAILED)
        log_archive_transfers([transfer], f"failed: {message}", LogLevel.ERROR, log_path)
    return transfer


def reset_archive_transfer(transfer: LongTermArchiveTransfer) -> LongTermArchiveTransfer:
    """Make a failed archive transfer, or one whose worker is gone, pending again, and return it. For operators.

    Locks the transfer and the package.

    Raises:
        InvalidTransition: it is pending or completed.
    """
    with atomic():
        work.reset(transfer)
        RawDataPackage.objects.filter(pk=transfer.raw_data_package_id, state=PackageState.FAILED).update(
            state=PackageState.TRANSFERRING
        )
        log_archive_transfers([transfer], "reset", LogLevel.WARNING)
    return transfer
