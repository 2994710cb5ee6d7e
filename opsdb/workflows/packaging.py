"""Stages 2 and 3, package and bundle: raw files go into packages, packages into what travels as one file.

A manager plans the tars, a worker claims and makes them. Names and paths follow from what is in them, so that a
second attempt at a tar overwrites the first.
"""

from contextlib import contextmanager
from itertools import groupby, islice
from operator import itemgetter

from django.db import transaction
from django.db.models import Max, Min, Sum

from opsdb import conf
from opsdb.database.identifiers import uuid7
from opsdb.models import (
    ChecksumAlgorithm,
    DataLocation,
    DataTransferPackage,
    ExecutedObsUnit,
    LocationType,
    ObservationStatus,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataFile,
    RawDataPackage,
    RawDataPackageMetadata,
    Status,
    Verification,
)

from . import work
from .arrivals import Found, disagreement, is_replay, record_arrivals, record_new_copy, require_legible
from .attribution import attributed, is_attributed
from .errors import Conflict, OpsdbError, Refused
from .refusals import as_refused
from .routing import first_buffer
from .states import move, name_of

FILES_AT_ONCE = 5_000
FACTS = ("size_bytes", "checksum", "checksum_algorithm")


def package_raw_data_files(source: DataLocation, *, limit: int = 100) -> list[RawDataPackage]:
    """Put the files at a source location that are in no package yet into new packages, and return these.

    Executions that have ended are taken in the order of their ids, each module by itself, its files in the order of
    their paths. A part holds at most ``OPSDB_MAX_PACKAGE_BYTES`` of files; a single larger file gets a part of its
    own. Files that come later get further parts. Workers then make the tars, see :func:`complete_packaging`.

    Locks the executions in the order of their ids. One that another manager is packaging at this moment is passed
    over, so that every file gets into one package. Memory stays flat whatever the number of files, which are found
    by ``raw_data_file_unpackaged``.

    Args:
        source: the source location.
        limit: how many pairs of execution and module at the most.

    Raises:
        Refused: the location is no source.
    """
    _require_type(source, LocationType.SOURCE)
    ended = ExecutedObsUnit.objects.exclude(status=ObservationStatus.RUNNING)
    packages = []
    with transaction.atomic():
        groups = ((execution, module) for execution, module in _groups(source) if ended.filter(pk=execution).exists())
        for execution_id, module_id in islice(groups, limit):
            execution = ended.filter(pk=execution_id).select_for_update(no_key=True, skip_locked=True).first()
            if execution:
                packages += _package(execution, module_id, source)
    return packages


def _groups(source):
    """Yield execution and module of the files that are in no package, each pair by one jump in the index."""
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
    """Package the files of one module in an execution that is locked; no files, no packages."""
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
    parts = _divided(files.iterator(chunk_size=FILES_AT_ONCE), conf.get("OPSDB_MAX_PACKAGE_BYTES"))
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
            package.file_count += _adopt(RawDataFile.objects.unpackaged(), keys, raw_data_package=package)
        package.save(update_fields=["file_count"])
        packages.append(package)
    return packages


def _divided(sizes, maximum):
    """Yield number of the part, from 1, and key for each pair of key and size; a part ends before it gets too large."""
    number, held = 0, maximum + 1
    for key, size in sizes:
        if held + size > maximum:
            number, held = number + 1, 0
        held += size
        yield number, key


def _adopt(free, keys, **container):
    """Put rows that are in no container yet into one, and return how many."""
    adopted = free.filter(pk__in=keys).update(**container)
    if adopted < len(keys):
        [(field, row)] = container.items()
        raise Conflict(
            f"{name_of(type(row), row.pk)}: {len(keys) - adopted} rows that it should hold got another {field} "
            "meanwhile; nothing was changed, try again"
        )
    return adopted


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

    The same call again changes nothing. Locks the package.

    Args:
        package: what the worker has claimed.
        worker: its name.
        location: the buffer that it wrote to, in use and at the site of the files. ``first_buffer(site)`` is where
            to write to; when that one fails and an operator has put it out of use, it is the next one.
        size_bytes: size of the tar in bytes.
        checksum: of the tar, lower-case hexadecimal.
        checksum_algorithm: how it was computed.

    Raises:
        LostClaim: the worker holds the package no longer.
        InvalidTransition: the package is not in progress.
        Refused: the tar can't be there, or can't hold the files.
    """
    with transaction.atomic():
        found = Found(package, checksum, size_bytes, checksum_algorithm)
        require_legible(found)
        if is_replay(package, worker=worker, reports=[found]):
            return package
        work.hold(package, worker=worker)
        files = package.raw_data_files.aggregate(bytes=Sum("size_bytes"), site=Min("source_location__site"))
        _require_buffer(package, location, files["site"])
        _require_room(package, size_bytes, files["bytes"], "files")
        _complete(package, worker, found, location)
        metadata = RawDataPackageMetadata.objects.filter(raw_data_package=package).first()
        (metadata or RawDataPackageMetadata(raw_data_package=package)).derive().save()
    return package


def bundle_raw_data_packages(buffer: DataLocation, *, limit: int = 1_000) -> list[DataTransferPackage]:
    """Put the packages that sit in a buffer without a transfer package into new transfer packages, and return these.

    The packages are taken in the order in which they were made. A transfer package holds at most
    ``OPSDB_MAX_TRANSFER_PACKAGE_BYTES``; a single larger package gets one of its own. Workers then make them, see
    :func:`complete_bundling`.

    Locks the buffer, so that one manager bundles there at a time, and the packages in the order of their ids.

    Args:
        buffer: the buffer location.
        limit: how many packages at the most.

    Raises:
        Refused: the location is no buffer.
    """
    _require_type(buffer, LocationType.BUFFER)
    with transaction.atomic():
        DataLocation.objects.select_for_update(no_key=True).get(pk=buffer.pk)
        waiting = RawDataPackage.objects.awaiting_bundling(buffer)
        sizes = list(waiting.order_by("created_at", "pk").values_list("pk", "size_bytes")[:limit])
        keys = [key for key, _ in sizes]
        free = RawDataPackage.objects.filter(data_transfer_package__isnull=True)
        list(free.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True).values_list("pk"))
        bundles = []
        parts = _divided(sizes, conf.get("OPSDB_MAX_TRANSFER_PACKAGE_BYTES"))
        for _, members in groupby(parts, key=itemgetter(0)):
            keys = [key for _, key in members]
            # A package is in one bundle only, so its first one names it.
            name = f"{buffer.site.short_name}_{keys[0]}.tar"
            bundle = DataTransferPackage.objects.create(
                id=uuid7(), origin_location=buffer, name=name, relative_path=f"transfer/{name}"
            )
            _adopt(free, keys, data_transfer_package=bundle)
            bundles.append(bundle)
    return bundles


def complete_bundling(
    bundle: DataTransferPackage,
    *,
    worker: str,
    size_bytes: int,
    checksum: str,
    checksum_algorithm: str = ChecksumAlgorithm.SHA256,
) -> DataTransferPackage:
    """Record that a worker has made a transfer package in its buffer, with its copy there, and return it.

    The same call again changes nothing. Locks the transfer package.

    Args:
        bundle: what the worker has claimed.
        worker: its name.
        size_bytes: size in bytes.
        checksum: lower-case hexadecimal.
        checksum_algorithm: how it was computed.

    Raises:
        LostClaim: the worker holds it no longer.
        InvalidTransition: it is not in progress.
        Refused: it can't hold the packages.
    """
    with transaction.atomic():
        found = Found(bundle, checksum, size_bytes, checksum_algorithm)
        require_legible(found)
        if is_replay(bundle, worker=worker, reports=[found]):
            return bundle
        work.hold(bundle, worker=worker)
        held = bundle.raw_data_packages.order_by().aggregate(bytes=Sum("size_bytes"))["bytes"]
        _require_room(bundle, size_bytes, held, "packages")
        _complete(bundle, worker, found, bundle.origin_location)
    return bundle


def correct_packaging(
    package: RawDataPackage,
    *,
    user,
    reason: str,
    location: DataLocation,
    size_bytes: int,
    checksum: str,
    checksum_algorithm: str = ChecksumAlgorithm.SHA256,
) -> RawDataPackage:
    """Record what the tar of a package is that was reported wrongly, and return the package; an operator's act.

    The operator has read the tar in a buffer, as it is or as it was written there again. While no copy of the package
    was verified, nothing vouches for what is recorded, and it can be corrected. The copy there can then be read; one
    that was corrupt or gone is verified by a fixity check, after which nothing can be corrected any more. A failed
    package waits again. Transfers and unpacking that failed because of it are reset on their own; explain() names them.

    The same call again changes nothing. Locks the package's copies, then the package.

    Args:
        package: a package that was completed.
        user: the operator; whom the surrounding request names, if it names one.
        reason: why it is corrected, not empty; the history keeps it.
        location: the buffer where the tar was read.
        size_bytes: its size in bytes.
        checksum: lower-case hexadecimal.
        checksum_algorithm: how it was computed.

    Raises:
        OpsdbError: the reason is empty.
        Refused: a copy was verified, the package is not completed, or the tar can't be there or hold the files.
    """
    _require_type(location, LocationType.BUFFER)
    found = Found(package, checksum, size_bytes, checksum_algorithm)
    with _correction(package, found, location, user, reason):
        content = package.raw_data_files.order_by().aggregate(bytes=Sum("size_bytes"))["bytes"]
        _require_room(package, size_bytes, content, "files")
        RawDataPackageMetadata.objects.get(raw_data_package=package).derive().save()
        if package.state == PackageState.FAILED:
            move(package, PackageState.WAITING, field="state")
    return package


def correct_bundling(
    bundle: DataTransferPackage,
    *,
    user,
    reason: str,
    size_bytes: int,
    checksum: str,
    checksum_algorithm: str = ChecksumAlgorithm.SHA256,
) -> DataTransferPackage:
    """Record what a transfer package is, where it was made, that was reported wrongly, and return it.

    As :func:`correct_packaging`; its raw packages stay failed until a transfer of it is reset.

    Args:
        bundle: a transfer package that was completed.
        user: the operator; whom the surrounding request names, if it names one.
        reason: why it is corrected, not empty; the history keeps it.
        size_bytes: its size in bytes.
        checksum: lower-case hexadecimal.
        checksum_algorithm: how it was computed.

    Raises:
        OpsdbError: the reason is empty.
        Refused: a copy was verified, it is not completed, or it can't hold the packages.
    """
    found = Found(bundle, checksum, size_bytes, checksum_algorithm)
    with _correction(bundle, found, bundle.origin_location, user, reason):
        held = bundle.raw_data_packages.order_by().aggregate(bytes=Sum("size_bytes"))["bytes"]
        _require_room(bundle, size_bytes, held, "packages")
    return bundle


@contextmanager
def _correction(package, found, location, user, reason):
    """Correct the facts of a package and of its copy at a location, in a transaction with what is done within."""
    name = name_of(type(package), package.pk)
    if not reason.strip():
        raise OpsdbError(f"{name}: say why it is corrected")
    require_legible(found)
    who = attributed(user=None if is_attributed() else user, reason=reason)
    with who, as_refused(), transaction.atomic():
        copies = list(PhysicalCopy.objects.of(package).order_by("pk").select_for_update(no_key=True))
        package.refresh_from_db(from_queryset=type(package).objects.select_for_update(no_key=True))
        if package.status != Status.COMPLETED:
            raise Refused(f"{name}: is {package.status}, so that nothing was reported of it yet; complete it")
        here = next((copy for copy in copies if copy.data_location_id == location.pk), None)
        can_be_read = here is not None and here.status in PhysicalCopyStatus.readable()
        if not (can_be_read and here.checksum == found.checksum and not disagreement(package, found)):
            verified = next((copy for copy in copies if copy.verification == Verification.VERIFIED), None)
            if verified:
                raise Refused(
                    f"{name}: cannot be corrected, because {name_of(PhysicalCopy, verified.pk)} was verified against "
                    "its checksum; write what differs again from there"
                )
            package.size_bytes, package.checksum = found.size_bytes, found.checksum
            package.checksum_algorithm = found.checksum_algorithm
            package.save(update_fields=FACTS)
            if can_be_read and here.verification == Verification.UNVERIFIED:
                PhysicalCopy.objects.filter(pk=here.pk).update(**{fact: getattr(found, fact) for fact in FACTS})
            else:
                record_arrivals(location, [found], worker=str(user))
        yield


def _complete(package, worker, found, location):
    work.complete(package, worker=worker, **{fact: getattr(found, fact) for fact in FACTS})
    record_new_copy(package, location)


def _require_type(location, location_type):
    if location.location_type != location_type:
        name = name_of(DataLocation, location.pk)
        raise Refused(f"{name}: {location} is a {location.location_type} location, not a {location_type}")


def _require_buffer(package, location, site_id):
    if location.active and location.location_type == LocationType.BUFFER and location.site_id == site_id:
        return
    use = site_id and first_buffer(site_id)
    raise Refused(
        f"{name_of(RawDataPackage, package.pk)}: can't be at location {location}, which is no buffer in use at the "
        "site of its files; " + (f"write it to {use}" if use else "make or activate a buffer there")
    )


def _require_room(package, size_bytes, content_bytes, content):
    name = name_of(type(package), package.pk)
    if content_bytes is None:
        raise Refused(f"{name}: has no {content}, so there is nothing to make")
    if size_bytes < content_bytes:
        raise Refused(
            f"{name}: a tar of {size_bytes} bytes can't hold its {content} of {content_bytes} bytes; make it again"
        )
