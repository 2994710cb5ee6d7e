"""Stage 3, bundle: packages in a buffer are put into bundles (transfer packages), each transferred as one file.

A manager plans the bundles, a worker claims and makes them. Names and paths follow from what is in
them, so that a second attempt overwrites the first.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Sum

from opsdb import conf
from opsdb.database.aliases import atomic
from opsdb.database.identifiers import uuid7
from opsdb.models import ChecksumAlgorithm, DataLocation, DataTransferPackage, LocationType, RawDataPackage

from . import _packing, work
from ._packing import complete_tar, correction, divide, put_into, require_type
from ._reports import CopyReport, is_replay, records_conflicts, require_comparable


def bundle_raw_data_packages(buffer: DataLocation, *, limit: int = 1_000) -> list[DataTransferPackage]:
    """Put the packages that sit in a buffer without a bundle into new bundles, and return these.

    The packages are taken in the order in which they were made. A bundle holds at most
    ``OPSDB_MAX_TRANSFER_PACKAGE_BYTES``; a single larger package gets one of its own. Workers then make them, see
    :func:`claim_bundling`.

    Locks the buffer, so that one manager bundles there at a time, and the packages in the order of their ids.

    Args:
        buffer: the buffer location.
        limit: how many packages at the most.

    Raises:
        Refused: the location is no buffer.
    """
    require_type(buffer, LocationType.BUFFER)
    with atomic():
        DataLocation.objects.select_for_update(no_key=True).get(pk=buffer.pk)
        waiting = RawDataPackage.objects.awaiting_bundling(buffer)
        sizes = list(waiting.order_by("created_at", "pk").values_list("pk", "size_bytes")[:limit])
        keys = [key for key, _ in sizes]
        free = RawDataPackage.objects.filter(data_transfer_package__isnull=True)
        list(free.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True).values_list("pk"))
        bundles = []
        parts = divide(sizes, conf.get("OPSDB_MAX_TRANSFER_PACKAGE_BYTES"))
        for _, members in groupby(parts, key=itemgetter(0)):
            keys = [key for _, key in members]
            # A package is in one bundle only, so its first one names it.
            name = f"{buffer.site.short_name}_{keys[0]}.tar"
            bundle = DataTransferPackage.objects.create(
                id=uuid7(), origin_location=buffer, name=name, relative_path=f"transfer/{name}"
            )
            put_into(RawDataPackage.objects.all(), keys, data_transfer_package=bundle)
            bundles.append(bundle)
    return bundles


def claim_bundling(*, worker: str, limit: int = 1, buffer: DataLocation | None = None) -> list[DataTransferPackage]:
    """Take up to ``limit`` planned bundles for a worker that makes them, the oldest first, and return them.

    While a bundle is made, call :func:`heartbeat_bundling`; then :func:`complete_bundling` or
    :func:`fail_bundling`.

    Locks the bundles; those that another worker is claiming are skipped.

    Args:
        worker: name of the worker.
        limit: how many at the most.
        buffer: only those in this buffer.

    Raises:
        OpsdbError: the worker has no name, or the limit is below 1.
    """
    bundles = DataTransferPackage.objects.awaiting_building()
    if buffer is not None:
        bundles = bundles.of_origin(buffer)
    return work.claim(bundles, limit=limit, worker=worker)


def heartbeat_bundling(bundle: DataTransferPackage, *, worker: str) -> None:
    """Record that the worker is alive and still makes the tar. Locks the bundle.

    Args:
        bundle: what the worker has claimed.
        worker: its name.

    Raises:
        LostClaim: the worker no longer holds the bundle and should stop.
        InvalidTransition: the bundle is not in progress.
    """
    work.heartbeat(bundle, worker=worker)


@records_conflicts
def complete_bundling(
    bundle: DataTransferPackage,
    *,
    worker: str,
    size_bytes: int,
    checksum: str,
    checksum_algorithm: str = ChecksumAlgorithm.SHA256,
) -> DataTransferPackage:
    """Record that a worker has made a bundle in its buffer, with its copy there, and return it.

    Idempotent. Locks the bundle.

    Args:
        bundle: what the worker has claimed.
        worker: its name.
        size_bytes: size in bytes.
        checksum: lower-case hexadecimal.
        checksum_algorithm: how it was computed.

    Raises:
        LostClaim: the worker no longer holds it.
        InvalidTransition: it is not in progress.
        Refused: it can't hold the packages.
    """
    with atomic():
        report = CopyReport(bundle, checksum, size_bytes, checksum_algorithm)
        require_comparable(report)
        if is_replay(bundle, worker=worker, reports=[report]):
            return bundle
        work.lock_claimed(bundle, worker=worker)
        _require_room(bundle, size_bytes)
        complete_tar(bundle, report, worker=worker, location=bundle.origin_location)
    return bundle


def fail_bundling(
    bundle: DataTransferPackage, *, worker: str, message: str, retryable: bool = True
) -> DataTransferPackage:
    """Record that a worker could not make a tar, and return the bundle: pending again, or failed.

    It is pending again until its ``max_retries`` are used up. Idempotent until the bundle is claimed again.
    Locks the bundle.

    Args:
        bundle: what the worker has claimed.
        worker: its name.
        message: what went wrong, not empty.
        retryable: whether another attempt may help.

    Raises:
        LostClaim: the worker no longer holds the bundle.
        InvalidTransition: the bundle is not in progress.
        OpsdbError: the message is empty.
    """
    work.fail(bundle, worker=worker, message=message, retryable=retryable)
    return bundle


def reset_bundling(bundle: DataTransferPackage) -> DataTransferPackage:
    """Make a failed bundle, or one whose worker is gone, pending again, and return it. For operators.

    Locks the bundle.

    Raises:
        InvalidTransition: it is completed or pending.
    """
    return work.reset(bundle)


def correct_bundling(
    bundle: DataTransferPackage,
    *,
    user: AbstractBaseUser | None,
    reason: str,
    size_bytes: int,
    checksum: str,
    checksum_algorithm: str = ChecksumAlgorithm.SHA256,
) -> DataTransferPackage:
    """Correct a bundle's size and checksum after a wrong report, and return it. For operators.

    As :func:`correct_packaging`, for the copy where it was made; its packages stay failed until a transfer of it is
    reset. Locks the same rows.

    Args:
        bundle: a bundle that was completed.
        user: the operator; ignored where the surrounding request names its user.
        reason: why it is corrected, not empty; the history keeps it.
        size_bytes: its size in bytes.
        checksum: lower-case hexadecimal.
        checksum_algorithm: how it was computed.

    Raises:
        OpsdbError: the reason is empty.
        Refused: a copy was verified, it is not completed, or it can't hold the packages.
    """
    report = CopyReport(bundle, checksum, size_bytes, checksum_algorithm)
    with correction(bundle, report, location=bundle.origin_location, user=user, reason=reason):
        _require_room(bundle, size_bytes)
    return bundle


def _require_room(bundle, size_bytes):
    content = bundle.raw_data_packages.order_by().aggregate(bytes=Sum("size_bytes"))["bytes"]
    _packing.require_room(bundle, size_bytes=size_bytes, content_bytes=content, content="packages")
