"""Stage 4, transfer: transfer packages go from site to site and are unpacked there.

The primary transfer brings a package from where it was made to one archive site; the archive sites take turns.
Secondary transfers bring it from there to the others. By a relay it takes two linked transfers.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from opsdb.models import (
    ChecksumAlgorithm,
    DataLocation,
    DataTransfer,
    DataTransferLog,
    DataTransferPackage,
    LogLevel,
    PackageState,
    PhysicalCopy,
    RawDataPackage,
    Site,
    Status,
    TransferKind,
)

from . import work
from .arrivals import Found, arrive, disagreements, failed_by, record_arrivals, summary, was_reported
from .errors import Conflict, InvalidTransition, LostClaim, OpsdbError
from .routing import NoRoute, resolve_route
from .states import move, name_of


def plan_transfers(*, limit: int = 100) -> list[DataTransfer]:
    """Plan what has to travel, and return the new transfers.

    A transfer package that is made gets one primary transfer, to the archive site that follows the one of the last
    primary transfer in the order of short names; a site that no way leads to is passed over. What was made at an
    archive site stays there when no way leads to another. A package that has
    arrived at an archive site gets a secondary transfer from there to every archive site that neither has it nor
    awaits it; a site that no way leads to is tried again at the next call. Routes are resolved by
    :func:`opsdb.workflows.routing.resolve_route`.

    Locks the sites, so that one manager plans at a time, and the copies to be read in the order of their ids, so
    that none is deleted meanwhile.

    Args:
        limit: how many transfer packages at the most, of every origin and destination.

    Raises:
        NoRoute: packages wait and none of them can go to any archive site; nothing was planned.
    """
    with transaction.atomic():
        archiving = _lock_plan()
        return _plan_primary(archiving, limit) + _plan_secondary(archiving, limit)


def _lock_plan():
    """Lock the sites, and return those with an archive."""
    list(Site.objects.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    return list(Site.objects.archiving())


def _plan_primary(archiving, limit):
    waiting = DataTransferPackage.objects.awaiting_transfer()
    last = (
        DataTransfer.objects.filter(kind=TransferKind.PRIMARY)
        .order_by("-pk")
        .values_list("destination_location__site__short_name", flat=True)
        .first()
    )
    planned, stuck = [], []
    for origin in DataLocation.objects.filter(pk__in=waiting.values("origin_location")).order_by("pk"):
        packages = waiting.of_origin(origin).order_by("created_at", "pk")[:limit]
        try:
            for package in _keep_readable(packages, origin):
                hops = _first_way(origin, _in_turn(archiving, last))
                last = hops[-1].destination.site.short_name
                planned += _plan(package, hops, TransferKind.PRIMARY)
        except NoRoute as reason:
            # At an archive site nothing has to travel to become safe.
            if all(site.pk != origin.site_id for site in archiving):
                stuck.append(reason)
    if stuck and not planned:
        raise stuck[0]
    return planned


def _in_turn(archiving, last):
    """Return the archive sites in the order in which they are asked: those after the last one first."""
    return sorted(archiving, key=lambda site: (last is not None and site.short_name <= last, site.short_name))


def _first_way(origin, sites):
    reasons = []
    for site in sites:
        try:
            return resolve_route(origin, site)
        except NoRoute as reason:
            reasons.append(str(reason))
    raise NoRoute(
        f"{name_of(DataLocation, origin.pk)}: no archive site can take what {origin} sends: "
        + ("; ".join(reasons) or "there is no site with an archive in use")
    )


def _plan_secondary(archiving, limit):
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
            try:
                hops = resolve_route(origin, site)
            except NoRoute:
                continue
            for package in packages:
                planned += _plan(package, hops, TransferKind.SECONDARY)
    return planned


def _keep_readable(packages, location):
    """Lock the copies of packages at a location, and return the packages whose copy can be read."""
    packages = list(packages)
    copies = PhysicalCopy.objects.at(location).readable().filter(data_transfer_package__in=packages)
    locked = copies.order_by("pk").select_for_update(no_key=True).values_list("data_transfer_package", flat=True)
    readable = set(locked)
    return [package for package in packages if package.pk in readable]


def _plan(package, hops, kind, after=None):
    transfers = []
    for hop in hops:
        transfer = DataTransfer.objects.create(
            data_transfer_package=package,
            route=hop.route,
            origin_location=hop.origin,
            destination_location=hop.destination,
            kind=kind,
            method=hop.method,
            depends_on=transfers[-1] if transfers else after,
        )
        _log(transfer, f"planned: {hop}")
        transfers.append(transfer)
    return transfers


def claim_transfers(
    *, worker: str, limit: int = 1, origin: DataLocation | None = None, destination: DataLocation | None = None
) -> list[DataTransfer]:
    """Take up to ``limit`` transfers that can begin for a worker, and return them; their packages are transferring.

    Locks the transfers, passing over those that another worker is claiming, and the raw packages in the order of
    their ids. Show life by :func:`opsdb.workflows.work.heartbeat`.

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
    with transaction.atomic():
        claimed = work.claim(transfers, limit=limit, worker=worker)
        _set_out(claimed)
        for transfer in claimed:
            _log(transfer, f"claimed by {worker}")
    return claimed


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
    its retries are used up. The same call again changes nothing, until the transfer is claimed again.

    Locks the transfer, its copy at the destination, the transfer package, and the raw packages.

    Args:
        transfer: what the worker has claimed.
        worker: its name.
        checksum: of the file as it is at the destination, lower-case hexadecimal.
        size_bytes: its size in bytes.
        checksum_algorithm: how the checksum was computed.
        log_path: file with the worker's log.

    Raises:
        LostClaim: the worker holds the transfer no longer.
        InvalidTransition: the transfer is not in progress.
        Refused: the checksum can't be compared.
    """
    with transaction.atomic():
        package = transfer.data_transfer_package
        found = Found(package, checksum, size_bytes, checksum_algorithm)
        if was_reported(transfer, found, worker=worker):
            return transfer
        if problem := arrive(transfer, found, worker=worker):
            return fail_transfer(transfer, worker=worker, message=problem, log_path=log_path)
        package.refresh_from_db()
        work.complete(transfer, worker=worker, bytes_transferred=package.size_bytes)
        _set_out([transfer])
        _log(transfer, f"arrived, checksum {found} agrees", log_path=log_path)
        if _only_passes_through(transfer):
            move(transfer, Status.IN_PROGRESS, field="unpack_status")
            move(transfer, Status.COMPLETED, field="unpack_status", unpacked_at=timezone.now())
            _log(transfer, "relayed: it is unpacked at its last stop")
    return transfer


def _only_passes_through(transfer):
    """Whether the package goes on from here to another site, and this one has no archive for it."""
    site = transfer.destination_location.site_id
    return transfer.next_hops.exists() and not Site.objects.archiving().filter(pk=site).exists()


def fail_transfer(
    transfer: DataTransfer, *, worker: str, message: str, retryable: bool = True, log_path: str = ""
) -> DataTransfer:
    """Record that a worker could not do a transfer, and return it: pending again, or failed.

    When a primary transfer has failed for good, its packages are failed until an operator resets it. The same call
    again changes nothing, until the transfer is claimed again. Locks the transfer and the raw packages.

    Args:
        transfer: what the worker has claimed.
        worker: its name.
        message: what went wrong.
        retryable: whether another attempt may help.
        log_path: file with the worker's log.

    Raises:
        LostClaim, InvalidTransition, OpsdbError: as :func:`opsdb.workflows.work.fail`.
    """
    with transaction.atomic():
        if not work.fail(transfer, worker=worker, message=message, retryable=retryable):
            return transfer
        _log(transfer, f"failed: {message}", LogLevel.ERROR, log_path)
        if transfer.status == Status.FAILED and transfer.kind == TransferKind.PRIMARY:
            _take(_carried([transfer]), [PackageState.WAITING, PackageState.TRANSFERRING], PackageState.FAILED)
    return transfer


def reset_transfer(transfer: DataTransfer) -> DataTransfer:
    """Make a failed transfer, or one whose worker is gone, pending again, and return it; an operator's act.

    Locks the transfer and the raw packages.

    Raises:
        InvalidTransition: it is pending or completed.
        Conflict: the package goes there by another transfer.
    """
    try:
        with transaction.atomic():
            work.reset(transfer)
            _take(_carried([transfer]), [PackageState.FAILED], PackageState.WAITING)
            _log(transfer, "reset", LogLevel.WARNING)
    except IntegrityError as error:
        raise Conflict(
            f"{name_of(DataTransfer, transfer.pk)}: its package has another transfer to "
            f"{transfer.destination_location}; leave this one as it is"
        ) from error
    return transfer


def reroute_transfer(transfer: DataTransfer) -> list[DataTransfer]:
    """Plan anew what a failed transfer, or one that has not begun, should have brought, and return the new transfers.

    An operator's act, when a location or a route is out of use: the transfer, with the hop that waits for it, is
    given up, and its package goes from where it is to the same site as routes and locations are now. If no way leads
    there, what a primary transfer carries goes to the next archive site in turn.

    Locks the sites, so that one manager plans at a time, the transfers, and the raw packages.

    Raises:
        InvalidTransition: a worker is at it, or it is completed.
        NoRoute: no way leads anywhere; nothing was changed.
    """
    with transaction.atomic():
        archiving = _lock_plan()
        chain = [transfer, *transfer.next_hops.order_by("pk")]
        for hop in chain:
            _give_up(hop, "rerouted")
        origin, site = transfer.origin_location, chain[-1].destination_location.site
        sites = [site]
        if transfer.kind == TransferKind.PRIMARY:
            sites += [other for other in _in_turn(archiving, site.short_name) if other.pk != site.pk]
            _take(_carried([transfer]), [PackageState.FAILED], PackageState.WAITING)
        hops = _first_way(origin, sites)
        return _plan(transfer.data_transfer_package, hops, transfer.kind, after=transfer.depends_on)


def _give_up(transfer, why):
    if DataTransfer.objects.filter(pk=transfer.pk, status=Status.FAILED).exists():
        return
    waiting = Status.claimable()
    move(transfer, Status.FAILED, only_from=waiting, failure_message=why, finished_at=timezone.now())
    _log(transfer, why, LogLevel.WARNING)


def claim_unpacking(*, worker: str, limit: int = 1, location: DataLocation | None = None) -> list[DataTransfer]:
    """Take up to ``limit`` arrived transfers to unpack for a worker, those that wait longest first, and return them.

    Locks the transfers, passing over those that another worker is claiming.

    Args:
        worker: name of the worker.
        limit: how many at the most.
        location: only those that have arrived there.

    Raises:
        OpsdbError: the worker has no name, or the limit is below 1.
    """
    if not worker or limit < 1:
        raise OpsdbError(f"claim_unpacking: name the worker, and claim 1 or more, not {limit}")
    arrived = DataTransfer.objects.awaiting_unpack()
    if location is not None:
        arrived = arrived.to(location)
    with transaction.atomic():
        claimed = list(arrived.select_for_update(skip_locked=True, of=("self",))[:limit])
        for transfer in claimed:
            move(
                transfer,
                Status.IN_PROGRESS,
                field="unpack_status",
                unpack_claimed_by=worker,
                unpack_heartbeat_at=timezone.now(),
            )
            _log(transfer, f"unpacking claimed by {worker}")
    return claimed


def heartbeat_unpacking(transfer: DataTransfer, *, worker: str):
    """Show that the worker is alive and still unpacking.

    Raises:
        LostClaim: the worker unpacks it no longer and should stop.
        InvalidTransition: it is not being unpacked.
    """
    if not _unpacked_by(transfer, worker).update(unpack_heartbeat_at=timezone.now()):
        raise _lost_unpacking(transfer, worker, Status.IN_PROGRESS)


def complete_unpacking(
    transfer: DataTransfer, *, worker: str, found: Iterable[Found], log_path: str = ""
) -> DataTransfer:
    """Record the packages that a worker has unpacked at a transfer's destination, and return the transfer.

    Every package of the transfer package must be there with its own checksum: then its copy is verified, and the
    unpacking is completed. If one is missing or differs, the copies that differ are corrupt, those that agree are
    kept, and the unpacking fails: look at the unpack status of what is returned. The same call again changes nothing,
    until it is claimed again.

    Locks the transfer, the packages' copies at the destination, and the packages, each in the order of their ids.

    Args:
        transfer: what the worker has claimed for unpacking.
        worker: its name.
        found: each package as it was found there.
        log_path: file with the worker's log.

    Raises:
        LostClaim: the worker unpacks it no longer.
        InvalidTransition: it is not being unpacked.
        Conflict: a package is not of this transfer, or two reports of it differ.
        Refused: a checksum can't be compared.
    """
    found = list(found)
    with transaction.atomic():
        now = DataTransfer.objects.select_for_update(no_key=True).get(pk=transfer.pk)
        expected = set(_carried([transfer]).values_list("pk", flat=True))
        reported = {report.thing.pk for report in found}
        if strangers := reported - expected:
            raise Conflict(
                f"{name_of(DataTransfer, transfer.pk)}: {name_of(RawDataPackage, min(strangers))} is not in it; "
                "report the packages that it carries"
            )
        missing = [f"{name_of(RawDataPackage, key)}: is missing" for key in sorted(expected - reported)]
        done = (now.unpack_status, now.unpack_claimed_by) == (Status.COMPLETED, worker)
        if (done and not missing and not disagreements(found)) or failed_by(
            now.unpack_status, now.unpack_failure_message, found, missing
        ):
            transfer.refresh_from_db()
            return transfer
        _hold_unpacking(transfer, worker)
        problems = missing + record_arrivals(transfer.destination_location, found, worker=worker)
        if problems:
            return fail_unpacking(transfer, worker=worker, message=summary(problems), log_path=log_path)
        move(
            transfer,
            Status.COMPLETED,
            field="unpack_status",
            unpacked_at=timezone.now(),
            unpack_failure_message="",
        )
        _log(transfer, f"unpacked {len(found)} packages", log_path=log_path)
    return transfer


def fail_unpacking(
    transfer: DataTransfer, *, worker: str, message: str, retryable: bool = True, log_path: str = ""
) -> DataTransfer:
    """Record that a worker could not unpack a transfer, and return it: to be unpacked again, or failed at it.

    When the unpacking of a primary transfer has failed for good, its packages that are not at the destination are
    failed until an operator has it done again. The same call again changes nothing, until it is claimed again. Locks
    the transfer and the raw packages.

    Args:
        transfer: what the worker has claimed for unpacking.
        worker: its name.
        message: what went wrong.
        retryable: whether another attempt may help; there are as many as the transfer may have.
        log_path: file with the worker's log.

    Raises:
        LostClaim: the worker unpacks it no longer.
        InvalidTransition: it is not being unpacked.
        OpsdbError: the message is empty.
    """
    if not message.strip():
        raise OpsdbError(f"{name_of(DataTransfer, transfer.pk)}: say what went wrong")
    with transaction.atomic():
        now = DataTransfer.objects.select_for_update(no_key=True).get(pk=transfer.pk)
        if now.unpack_failure_message == message and (
            now.unpack_status == Status.FAILED
            or (now.unpack_status == Status.PENDING and retryable and now.unpack_retry_count)
        ):
            transfer.refresh_from_db()
            return transfer
        _hold_unpacking(transfer, worker)
        again = retryable and transfer.unpack_retry_count < transfer.max_retries
        changes = {"unpack_failure_message": message, "unpack_claimed_by": "", "unpack_heartbeat_at": None}
        if again:
            changes["unpack_retry_count"] = transfer.unpack_retry_count + 1
        move(transfer, Status.PENDING if again else Status.FAILED, field="unpack_status", **changes)
        _log(transfer, f"unpacking failed: {message}", LogLevel.ERROR, log_path)
        if not again and transfer.kind == TransferKind.PRIMARY:
            there = RawDataPackage.objects.readable_at(transfer.destination_location)
            lost = _carried([transfer]).exclude(pk__in=there.values("pk"))
            _take(lost, [PackageState.WAITING, PackageState.TRANSFERRING], PackageState.FAILED)
    return transfer


def retry_unpacking(transfer: DataTransfer) -> DataTransfer:
    """Have a transfer unpacked again whose unpacking failed or whose worker is gone, and return it; an operator's act.

    Locks the transfer and the raw packages.

    Raises:
        InvalidTransition: its unpacking is pending or completed.
    """
    with transaction.atomic():
        move(
            transfer,
            Status.PENDING,
            field="unpack_status",
            unpack_retry_count=0,
            unpack_claimed_by="",
            unpack_heartbeat_at=None,
        )
        _take(_carried([transfer]), [PackageState.FAILED], PackageState.TRANSFERRING)
        _log(transfer, "unpacking reset", LogLevel.WARNING)
    return transfer


def stalled_unpacking(*, older_than: timedelta):
    """Return the transfers whose unpacking has shown no life for this long."""
    return DataTransfer.objects.unpacking_stalled(older_than=older_than)


def _carried(transfers):
    """The raw packages that transfers carry."""
    bundles = [transfer.data_transfer_package_id for transfer in transfers]
    return RawDataPackage.objects.filter(data_transfer_package__in=bundles)


def _take(packages, before, after):
    """Take those of the packages that are in one of these states to another one."""
    packages = packages.filter(state__in=before)
    keys = list(packages.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    RawDataPackage.objects.filter(pk__in=keys).update(state=after)


def _set_out(transfers):
    primary = [transfer for transfer in transfers if transfer.kind == TransferKind.PRIMARY]
    _take(_carried(primary), [PackageState.WAITING, PackageState.FAILED], PackageState.TRANSFERRING)


def _unpacked_by(transfer, worker):
    return DataTransfer.objects.filter(pk=transfer.pk, unpack_status=Status.IN_PROGRESS, unpack_claimed_by=worker)


def _hold_unpacking(transfer, worker):
    if _unpacked_by(transfer, worker).select_for_update(no_key=True).values_list("pk").first() is None:
        raise _lost_unpacking(transfer, worker, Status.COMPLETED)
    transfer.refresh_from_db()


def _lost_unpacking(transfer, worker, to):
    name = name_of(DataTransfer, transfer.pk)
    now = DataTransfer.objects.filter(pk=transfer.pk).values("unpack_status", "unpack_claimed_by").first()
    if now and now["unpack_status"] != Status.IN_PROGRESS:
        status = Status(now["unpack_status"])
        return InvalidTransition(name, "unpack_status", status, to, status.may_become)
    holder = now and now["unpack_claimed_by"]
    return LostClaim(f"{name}: {worker} does not unpack it, " + (f"{holder} does" if holder else "nobody does"))


def _log(transfer, message, level=LogLevel.INFO, log_path=""):
    DataTransferLog.objects.create(
        data_transfer=transfer, level=level, status=transfer.status, message=message[:1000], log_path=log_path
    )
