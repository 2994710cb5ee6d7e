"""Stage 2, package: raw files are put into packages, tars that workers make in a buffer at the site.

A manager plans the tars, a worker claims and makes them. Names and paths follow from what is in them, so that a
second attempt at a tar overwrites the first.
"""

from __future__ import annotations

from itertools import groupby, islice
from operator import itemgetter

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Max, Min, Sum

from opsdb import conf
from opsdb.database.aliases import atomic
from opsdb.models import (
    ChecksumAlgorithm,
    DataLocation,
    ExecutedObsUnit,
    LocationType,
    ObservationStatus,
    PackageState,
    RawDataFile,
    RawDataPackage,
    RawDataPackageMetadata,
)
from opsdb.row_labels import place_of

from . import work
from ._packing import complete_tar, correction, divide, put_into, require_room, require_type
from ._reports import CopyReport, is_replay, records_conflicts, require_comparable
from .errors import Refused, name_row
from .routing import choose_buffer
from .states import move_state

FILES_AT_ONCE = 5_000


def package_raw_data_files(source: DataLocation, *, limit: int = 100) -> list[RawDataPackage]:
    """Put the files at a source location that are in no package yet into new packages, and return these.

    Observations that have ended are taken in the order of their ids, each module by itself, its files in the order of
    their paths. A part holds at most ``OPSDB_MAX_PACKAGE_BYTES`` of files; a single larger file gets a part of its
    own. Files that are registered later get further parts. Workers then make the tars, see :func:`claim_packaging`.

    Locks the observations in the order of their ids. One that another manager is packaging at this moment is
    skipped, so that every file gets into one package. Memory stays flat whatever the number of files, which are found
    by ``raw_data_file_unpackaged``.

    Args:
        source: the source location.
        limit: how many pairs of observation and module at the most.

    Raises:
        Refused: the location is no source.
    """
    require_type(source, LocationType.SOURCE)
    ended = ExecutedObsUnit.objects.exclude(status=ObservationStatus.RUNNING)
    packages = []
    with atomic():
        groups = ((execution, module) for execution, module in _groups(source) if ended.filter(pk=execution).exists())
        for execution_id, module_id in islice(groups, limit):
            execution = ended.filter(pk=execution_id).select_for_update(no_key=True, skip_locked=True).first()
            if execution:
                packages += _package(execution, module_id, source)
    return packages


def _groups(source):
    """Yield observation and module of the files that are in no package, each pair by one jump in the index."""
    files = (
        RawDataFile.objects.unpackaged()
        .at(source)
        .order_by("executed_obs_unit_id", "instrument_module_id")
        .values_list("executed_obs_unit_id", "instrument_module_id")
    )
    group = files.first()
    while group:
        yield group
        execution, module = group
        group = (
            files.filter(executed_obs_unit_id=execution, instrument_module_id__gt=module).first()
            or files.filter(executed_obs_unit_id__gt=execution).first()
        )


def _package(execution, module_id, source):
    """Package the files of one module in an observation that is locked; no files, no packages."""
    files = (
        RawDataFile.objects.unpackaged()
        .at(source)
        .of(execution)
        .filter(instrument_module_id=module_id)
        .order_by("relative_path")
        .values_list("pk", "size_bytes")
    )
    made = RawDataPackage.objects.filter(executed_obs_unit=execution, instrument_module_id=module_id)
    last_part = made.aggregate(last=Max("part"))["last"] or 0
    packages = []
    parts = divide(files.iterator(chunk_size=FILES_AT_ONCE), conf.get("OPSDB_MAX_PACKAGE_BYTES"))
    for number, members in groupby(parts, key=itemgetter(0)):
        name = f"{execution.pk}_{module_id}_{last_part + number}.tar"
        package = RawDataPackage.objects.create(
            executed_obs_unit=execution,
            instrument_module_id=module_id,
            part=last_part + number,
            name=name,
            relative_path=f"{execution.start_time:%Y/%m/%d}/{name}",
        )
        while keys := [key for _, key in islice(members, FILES_AT_ONCE)]:
            package.file_count += put_into(RawDataFile.objects.all(), keys, raw_data_package=package)
        package.save(update_fields=["file_count"])
        packages.append(package)
    return packages


def claim_packaging(*, worker: str, limit: int = 1, source: DataLocation | None = None) -> list[RawDataPackage]:
    """Take up to ``limit`` planned packages for a worker that makes their tars, the oldest first, and return them.

    While a tar is made, call :func:`heartbeat_packaging`; then :func:`complete_packaging` or
    :func:`fail_packaging`.

    Locks the packages; those that another worker is claiming are skipped.

    Args:
        worker: name of the worker.
        limit: how many at the most.
        source: only those with files at this source location.

    Raises:
        OpsdbError: the worker has no name, or the limit is below 1.
    """
    return work.claim(RawDataPackage.objects.awaiting_packaging(source), limit=limit, worker=worker)


def heartbeat_packaging(package: RawDataPackage, *, worker: str) -> None:
    """Record that the worker is alive and still makes the tar. Locks the package.

    Args:
        package: what the worker has claimed.
        worker: its name.

    Raises:
        LostClaim: the worker no longer holds the package and should stop.
        InvalidTransition: the package is not in progress.
    """
    work.heartbeat(package, worker=worker)


@records_conflicts
def complete_packaging(
    package: RawDataPackage,
    *,
    worker: str,
    location: DataLocation,
    size_bytes: int,
    checksum: str,
    checksum_algorithm: str = ChecksumAlgorithm.SHA256,
) -> RawDataPackage:
    """Record that a worker has made the tar of a package, with its copy and its metadata, and return the package.

    Idempotent. Locks the package.

    Args:
        package: what the worker has claimed.
        worker: its name.
        location: the buffer that it wrote to, active and at the site of the files: what ``choose_buffer(site)``
            returns. When an operator makes a failing buffer inactive, that is the next one.
        size_bytes: size of the tar in bytes.
        checksum: of the tar, lower-case hexadecimal.
        checksum_algorithm: how it was computed.

    Raises:
        LostClaim: the worker no longer holds the package.
        InvalidTransition: the package is not in progress.
        Refused: the tar can't be there, or can't hold the files.
    """
    with atomic():
        report = CopyReport(package, checksum, size_bytes, checksum_algorithm)
        require_comparable(report)
        if is_replay(package, worker=worker, reports=[report]):
            return package
        work.lock_claimed(package, worker=worker)
        files = package.raw_data_files.aggregate(bytes=Sum("size_bytes"), site=Min("source_location__site"))
        _require_buffer(package, location, files["site"])
        require_room(package, size_bytes=size_bytes, content_bytes=files["bytes"], content="files")
        complete_tar(package, report, worker=worker, location=location)
        metadata = RawDataPackageMetadata.objects.filter(raw_data_package=package).first()
        (metadata or RawDataPackageMetadata(raw_data_package=package)).derive().save()
    return package


def fail_packaging(package: RawDataPackage, *, worker: str, message: str, retryable: bool = True) -> RawDataPackage:
    """Record that a worker could not make a tar, and return the package: pending again, or failed.

    It is pending again until its ``max_retries`` are used up. Idempotent until the package is claimed again. Locks the
    package.

    Args:
        package: what the worker has claimed.
        worker: its name.
        message: what went wrong, not empty.
        retryable: whether another attempt may help.

    Raises:
        LostClaim: the worker no longer holds the package.
        InvalidTransition: the package is not in progress.
        OpsdbError: the message is empty.
    """
    work.fail(package, worker=worker, message=message, retryable=retryable)
    return package


def reset_packaging(package: RawDataPackage) -> RawDataPackage:
    """Make a package whose tar failed, or whose worker is gone, pending again, and return it. For operators.

    Locks the package.

    Raises:
        InvalidTransition: it is completed or pending.
    """
    return work.reset(package)


def correct_packaging(
    package: RawDataPackage,
    *,
    user: AbstractBaseUser | None,
    reason: str,
    location: DataLocation,
    size_bytes: int,
    checksum: str,
    checksum_algorithm: str = ChecksumAlgorithm.SHA256,
) -> RawDataPackage:
    """Correct a package's size and checksum after a wrong report, and return the package. For operators.

    The operator has read the tar in a buffer, as it is or as it was written there again. The record can be corrected
    while no copy of the package was verified against it. Afterwards the copy there can be read; one that was corrupt or
    gone is verified by a fixity check, and then nothing can be corrected any more. A failed package waits again.
    Transfers and unpacking that failed because of it are reset on their own; explain_row() names them.

    Idempotent. Locks the package's copies, then the package.

    Args:
        package: a package that was completed.
        user: the operator; ignored where the surrounding request names its user.
        reason: why it is corrected, not empty; the history keeps it.
        location: the buffer where the tar was read.
        size_bytes: its size in bytes.
        checksum: lower-case hexadecimal.
        checksum_algorithm: how it was computed.

    Raises:
        OpsdbError: the reason is empty.
        Refused: a copy was verified, the package is not completed, or the tar can't be there or hold the files.
    """
    require_type(location, LocationType.BUFFER)
    report = CopyReport(package, checksum, size_bytes, checksum_algorithm)
    with correction(package, report, location=location, user=user, reason=reason):
        content = package.raw_data_files.order_by().aggregate(bytes=Sum("size_bytes"))["bytes"]
        require_room(package, size_bytes=size_bytes, content_bytes=content, content="files")
        RawDataPackageMetadata.objects.get(raw_data_package=package).derive().save()
        if package.state == PackageState.FAILED:
            move_state(package, PackageState.WAITING, field="state")
    return package


def _require_buffer(package, location, site_id):
    if location.active and location.location_type == LocationType.BUFFER and location.site_id == site_id:
        return
    use = site_id and choose_buffer(site_id)
    raise Refused(
        f"{name_row(RawDataPackage, package.pk)}: can't be at {place_of(location)}, which is no active buffer at the "
        "site of its files; " + (f"write it to {place_of(use)}" if use else "add or enable a buffer there")
    )
