"""Stage 4, transfer: bundles are sent from site to site.

The primary transfer brings a package from where it was made to one archive site; the archive sites take turns.
Secondary transfers bring it from there to the others. By a relay it takes two linked transfers. What has arrived is
unpacked, see :mod:`opsdb.workflows.unpacking`.
"""

from __future__ import annotations

from django.db import IntegrityError
from django.utils import timezone

from opsdb.database.aliases import atomic
from opsdb.models import (
    ChecksumAlgorithm,
    DataLocation,
    DataTransfer,
    DataTransferPackage,
    LogLevel,
    PackageState,
    PhysicalCopy,
    Site,
    Status,
    TransferKind,
)
from opsdb.row_labels import place_of

from . import work
from ._reports import CopyReport, is_repeated_report, records_conflicts
from ._transfers import carried_packages, log_transfer, move_packages
from .arrivals import record_arrival
from .errors import Conflict, NoRoom, NoRoute, name_row
from .room import Room
from .routing import Network, resolve_route
from .states import move_state


def plan_transfers(*, limit: int = 100) -> list[DataTransfer]:
    """Plan the transfers of packages that are due, and return the new transfers.

    A bundle that is made gets one primary transfer, to the archive site that follows the one of the last
    primary transfer in the order of short names; an unreachable site is skipped. What was made at an archive site stays
    there when no other is reachable. A package that has arrived at an archive site gets a secondary transfer from there
    to every archive site that neither has it nor awaits it; an unreachable site is tried again at the next call. Routes
    are resolved by :func:`resolve_route`. Full buffers are passed over, with what is on its way there counted; a
    package that fits nowhere waits for the next call.

    Locks the sites, so that one manager plans at a time, and the copies to be read in the order of their ids, so
    that none is deleted meanwhile.

    Args:
        limit: how many bundles at the most, of every origin and destination.

    Raises:
        NoRoute: packages wait and none of them can reach an archive site; nothing was planned.
    """
    with atomic():
        archiving, room, network = _lock_plan(), Room(), Network()
        return _plan_primary(archiving, limit, room, network) + _plan_secondary(archiving, limit, room, network)


def _lock_plan():
    """Lock the sites, and return those with an archive."""
    list(Site.objects.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    return list(Site.objects.archiving())


def _plan_primary(archiving, limit, room, network):
    waiting = DataTransferPackage.objects.awaiting_transfer()
    last = (
        DataTransfer.objects.filter(kind=TransferKind.PRIMARY)
        .order_by("-pk")
        .values_list("destination_location__site__short_name", flat=True)
        .first()
    )
    planned, stuck = [], []
    for origin in (
        DataLocation.objects.filter(pk__in=waiting.values("origin_location")).select_related("site").order_by("pk")
    ):
        packages = waiting.of_origin(origin).order_by("created_at", "pk")[:limit]
        try:
            for package in _keep_readable(packages, origin):
                try:
                    hops = _first_way(origin, _in_turn(archiving, last), room, network, package.size_bytes)
                except NoRoom:
                    continue
                last = hops[-1].destination.site.short_name
                planned += _plan(package, hops, TransferKind.PRIMARY, room)
        except NoRoute as reason:
            # What was made at an archive site can be archived there.
            if all(site.pk != origin.site_id for site in archiving):
                stuck.append(reason)
    if stuck and not planned:
        raise stuck[0]
    return planned


def _in_turn(archiving, last):
    """Return the archive sites in the order in which they are tried: those after the last one first."""
    return sorted(archiving, key=lambda site: (last is not None and site.short_name <= last, site.short_name))


def _first_way(origin, sites, room, network, size_bytes):
    reasons, full = [], None
    for site in sites:
        try:
            return resolve_route(origin, site, room=room, size_bytes=size_bytes, network=network)
        except NoRoom as reason:
            full = full or reason
        except NoRoute as reason:
            reasons.append(str(reason))
    if full:
        raise full
    raise NoRoute(
        f"{name_row(DataLocation, origin.pk)} ({place_of(origin)}): nothing can be sent from there to an archive: "
        + ("; ".join(reasons) or "there is no site with an active archive; add or enable one")
    )


def _plan_secondary(archiving, limit, room, network):
    planned = []
    buffers = DataLocation.objects.buffers().filter(site__in=archiving).select_related("site")
    for origin in buffers:
        for site in archiving:
            if site.pk == origin.site_id:
                continue
            waiting = DataTransferPackage.objects.awaiting_secondary_transfer(origin, site, limit=limit)
            packages = _keep_readable(waiting.order_by("created_at", "pk")[:limit], origin)
            if not packages:
                continue
            for package in packages:
                try:
                    hops = resolve_route(origin, site, room=room, size_bytes=package.size_bytes, network=network)
                except NoRoom:
                    continue
                except NoRoute:
                    break
                planned += _plan(package, hops, TransferKind.SECONDARY, room)
    return planned


def _keep_readable(packages, location):
    """Lock the copies of packages at a location, and return the packages whose copy can be read."""
    packages = list(packages)
    copies = PhysicalCopy.objects.at(location).readable().filter(data_transfer_package__in=packages)
    locked = copies.order_by("pk").select_for_update(no_key=True).values_list("data_transfer_package", flat=True)
    readable = set(locked)
    return [package for package in packages if package.pk in readable]


def _plan(package, hops, kind, room, after=None):
    transfers = []
    for hop in hops:
        room.book(hop.destination, package.size_bytes)
        transfer = DataTransfer.objects.create(
            data_transfer_package=package,
            route=hop.route,
            origin_location=hop.origin,
            destination_location=hop.destination,
            kind=kind,
            method=hop.method,
            depends_on=transfers[-1] if transfers else after,
        )
        log_transfer(transfer, f"planned: {hop}")
        transfers.append(transfer)
    return transfers


def claim_transfers(
    *, worker: str, limit: int = 1, origin: DataLocation | None = None, destination: DataLocation | None = None
) -> list[DataTransfer]:
    """Take up to ``limit`` transfers that can start for a worker, and return them; their packages are transferring.

    While the bytes are copied, call :func:`heartbeat_transfer`; then :func:`complete_transfer` or
    :func:`fail_transfer`.

    Locks the transfers, skipping those that another worker is claiming, and the raw packages in the order of
    their ids.

    Args:
        worker: name of the worker.
        limit: how many at the most.
        origin: only those that start there.
        destination: only those that end there.

    Raises:
        OpsdbError: the worker has no name, or the limit is below 1.
    """
    transfers = DataTransfer.objects.claimable()
    if origin is not None:
        transfers = transfers.filter(origin_location=origin)
    if destination is not None:
        transfers = transfers.to(destination)
    with atomic():
        claimed = work.claim(transfers, limit=limit, worker=worker)
        _mark_transferring(claimed)
        for transfer in claimed:
            log_transfer(transfer, f"claimed by {worker}")
    return claimed


def heartbeat_transfer(transfer: DataTransfer, *, worker: str) -> None:
    """Record that the worker is alive and still carries the bundle. Locks the transfer.

    Args:
        transfer: what the worker has claimed.
        worker: its name.

    Raises:
        LostClaim: the worker no longer holds the transfer and should stop.
        InvalidTransition: the transfer is not in progress.
    """
    work.heartbeat(transfer, worker=worker)


@records_conflicts
def complete_transfer(
    transfer: DataTransfer,
    *,
    worker: str,
    checksum: str,
    size_bytes: int | None = None,
    checksum_algorithm: str = ChecksumAlgorithm.SHA256,
    log_path: str = "",
) -> DataTransfer:
    """Record that a transfer has arrived, with what the worker found at its destination, and return the transfer.

    If the checksum is the package's, the copy there is verified, and the transfer is completed. If it is not, the
    copy there is corrupt, and the transfer fails: look at the status of what is returned. It is pending again until
    its retries are used up. Idempotent until the transfer is claimed again.

    Locks the transfer, its copy at the destination, the bundle, and its packages.

    Args:
        transfer: what the worker has claimed.
        worker: its name.
        checksum: of the file as it is at the destination, lower-case hexadecimal.
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
        package = transfer.data_transfer_package
        report = CopyReport(package, checksum, size_bytes, checksum_algorithm)
        if is_repeated_report(transfer, report, worker=worker):
            return transfer
        if problem := record_arrival(transfer, report, worker=worker):
            return fail_transfer(transfer, worker=worker, message=problem, log_path=log_path)
        package.refresh_from_db()
        work.complete(transfer, worker=worker, bytes_transferred=package.size_bytes)
        _mark_transferring([transfer])
        log_transfer(transfer, f"arrived, checksum {report} agrees", log_path=log_path)
        if _only_passes_through(transfer):
            move_state(transfer, Status.IN_PROGRESS, field="unpack_status")
            move_state(transfer, Status.COMPLETED, field="unpack_status", unpacked_at=timezone.now())
            log_transfer(transfer, "relayed: it is unpacked at its last stop")
    return transfer


def _only_passes_through(transfer):
    """Return whether the package continues from here to another site, and this one has no archive for it."""
    site = transfer.destination_location.site_id
    return transfer.next_hops.exists() and not Site.objects.archiving().filter(pk=site).exists()


def fail_transfer(
    transfer: DataTransfer, *, worker: str, message: str, retryable: bool = True, log_path: str = ""
) -> DataTransfer:
    """Record that a worker could not do a transfer, and return it: pending again, or failed.

    When a primary transfer has failed for good, its packages are failed until an operator resets it.
    Idempotent until the transfer is claimed again. Locks the transfer and the raw packages.

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
        log_transfer(transfer, f"failed: {message}", LogLevel.ERROR, log_path)
        if transfer.status == Status.FAILED and transfer.kind == TransferKind.PRIMARY:
            move_packages(
                carried_packages([transfer]), [PackageState.WAITING, PackageState.TRANSFERRING], PackageState.FAILED
            )
    return transfer


def reset_transfer(transfer: DataTransfer) -> DataTransfer:
    """Make a failed transfer, or one whose worker is gone, pending again, and return it. For operators.

    Locks the transfer and the raw packages.

    Raises:
        InvalidTransition: it is pending or completed.
        Conflict: another transfer brings the package there.
    """
    try:
        with atomic():
            work.reset(transfer)
            move_packages(carried_packages([transfer]), [PackageState.FAILED], PackageState.WAITING)
            log_transfer(transfer, "reset", LogLevel.WARNING)
    except IntegrityError as error:
        raise Conflict(
            f"{name_row(DataTransfer, transfer.pk)}: its bundle has another transfer to "
            f"{place_of(transfer.destination_location)}; leave this one as it is"
        ) from error
    return transfer


def reroute_transfer(transfer: DataTransfer) -> list[DataTransfer]:
    """Replace a failed transfer, or one that has not started, by another way, and return the new transfers.

    For operators, when a location or a route is inactive: the transfer, with the hop that waits for it, is cancelled,
    and its package is sent from where it is to the same site by the routes and locations as they are now. If that site
    is unreachable, the package of a primary transfer is sent to the next archive site in turn.

    Locks the sites, so that one manager plans at a time, the transfers, and the raw packages.

    Raises:
        InvalidTransition: a worker is busy with it, or it is completed.
        NoRoute: no site is reachable, or all that are have no room; nothing was changed.
    """
    with atomic():
        archiving = _lock_plan()
        chain = [transfer, *transfer.next_hops.order_by("pk")]
        for hop in chain:
            _cancel(hop, "rerouted")
        origin, site = transfer.origin_location, chain[-1].destination_location.site
        sites = [site]
        if transfer.kind == TransferKind.PRIMARY:
            sites += [other for other in _in_turn(archiving, site.short_name) if other.pk != site.pk]
            move_packages(carried_packages([transfer]), [PackageState.FAILED], PackageState.WAITING)
        package, room = transfer.data_transfer_package, Room()
        hops = _first_way(origin, sites, room, Network(), package.size_bytes)
        return _plan(package, hops, transfer.kind, room, after=transfer.depends_on)


def _cancel(transfer, why):
    if DataTransfer.objects.filter(pk=transfer.pk, status=Status.FAILED).exists():
        return
    waiting = Status.claimable()
    move_state(transfer, Status.FAILED, only_from=waiting, failure_message=why, finished_at=timezone.now())
    log_transfer(transfer, why, LogLevel.WARNING)


def _mark_transferring(transfers):
    primary = [transfer for transfer in transfers if transfer.kind == TransferKind.PRIMARY]
    waiting = [PackageState.WAITING, PackageState.FAILED]
    move_packages(carried_packages(primary), waiting, PackageState.TRANSFERRING)
