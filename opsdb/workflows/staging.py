"""Stage 6, stage: packages and products are brought to a processing location, and stay while a job needs them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Exists, OuterRef
from django.utils import timezone

from opsdb.database.aliases import atomic
from opsdb.models import (
    DataLocation,
    DataProduct,
    LocationType,
    PhysicalCopy,
    RawDataPackage,
    StagingJob,
    Status,
)

from . import work
from ._predicates import describe_unfit
from ._reports import CopyReport, failed_because_of, is_replay, mismatches, records_conflicts, summarize
from .arrivals import record_arrivals
from .errors import Conflict, NoRoom, Refused, name_row
from .room import Room, describe_lack
from .states import move_state


def request_staging(
    *,
    location: DataLocation,
    packages: Iterable[RawDataPackage] = (),
    products: Iterable[DataProduct] = (),
    user: AbstractBaseUser | None = None,
    purpose: str = "",
    expires_at: datetime | None = None,
) -> StagingJob:
    """Request packages and products at a processing location, and return the job.

    What is there already stays there while the job is active. A repeated request, by the same user for the same
    purpose and time, returns the first job while that is active, unless it has failed or its data are no longer there.
    Locks the readable copies in the order of their ids, so that none is deleted meanwhile, and that of two simultaneous
    requests one makes the job.

    Args:
        location: the processing location.
        packages: raw packages to stage.
        products: data products to stage.
        user: who asks; None for a program.
        purpose: what the data are needed for.
        expires_at: when they are no longer needed, aware; without it they stay until they are released.

    Raises:
        Refused: the location is not for processing or inactive, nothing is requested, the end is in the past, or
            a package or product has no readable copy.
        NoRoom: the location is full, with what is on its way there counted.
    """
    packages, products = list(packages), list(products)
    if unfit := describe_unfit(location, LocationType.PROCESSING):
        raise Refused(f"{unfit}; stage data at an active processing location")
    if not packages and not products:
        raise Refused("staging_job: nothing to stage; name packages or products")
    if expires_at is not None and expires_at <= timezone.now():
        raise Refused(f"staging_job: the time {expires_at.isoformat()} has passed; give a future time, or none")
    with atomic():
        for model, contents in ((RawDataPackage, packages), (DataProduct, products)):
            _require_readable(model, contents)
        terms = {
            "destination_location": location,
            "requested_by": user,
            "purpose": purpose,
            "expires_at": expires_at,
        }
        if (job := _find_same_job(terms, packages, products)) is not None:
            return job
        _require_room(location, packages, products)
        job = StagingJob.objects.create(**terms)
        job.raw_data_packages.set(packages)
        job.data_products.set(products)
    return job


def _find_same_job(terms, packages, products):
    """Return the active job that brings, or has brought, exactly this content on these terms, if there is one."""
    given = {name: value for name, value in terms.items() if value is not None}
    empty = {f"{name}__isnull": True for name in terms.keys() - given}
    same = StagingJob.objects.active().exclude(status=Status.FAILED).filter(**given, **empty)
    wanted = {"raw_data_packages": {row.pk for row in packages}, "data_products": {row.pk for row in products}}
    for relation, keys in wanted.items():
        if keys:
            same = same.filter(**{relation: min(keys)})
    for job in same.order_by("pk"):
        brings = {relation: {*getattr(job, relation).values_list("pk", flat=True)} for relation in wanted}
        if brings == wanted and not (job.status == Status.COMPLETED and list_missing_content(job)):
            return job
    return None


def _require_room(location, packages, products):
    """Lock a location, so that one request at a time books room there, and refuse what does not fit."""
    place = DataLocation.objects.select_for_update(no_key=True).select_related("site").get(pk=location.pk)
    if place.capacity_bytes is None:
        return
    there = PhysicalCopy.objects.at(place).readable()
    coming = StagingJob.objects.to(place).open()
    needed = 0
    for content in (*packages, *products):
        relation = "raw_data_packages" if isinstance(content, RawDataPackage) else "data_products"
        if not there.of(content).exists() and not coming.filter(**{relation: content}).exists():
            needed += content.size_bytes or 0
    if not Room().takes(place, needed):
        lack = describe_lack(place, needed)
        raise NoRoom(f"{name_row(DataLocation, place.pk)}: {lack}; release staging jobs there, or make room", place)


def _require_readable(model, contents):
    target = model._meta.db_table
    copies = PhysicalCopy.objects.readable().filter(**{f"{target}__in": contents}).order_by("pk")
    readable = set(copies.select_for_update(no_key=True).values_list(target, flat=True))
    lost = [name_row(model, content.pk) for content in contents if content.pk not in readable]
    if lost:
        raise Refused(f"staging_job: no copy can be read of {summarize(lost)}; leave them out")


def list_missing_content(job: StagingJob) -> list[RawDataPackage | DataProduct]:
    """Return the packages and products of a job that can't be read at its destination yet: what a worker brings."""
    missing: list[RawDataPackage | DataProduct] = []
    for contents, target in (
        (job.raw_data_packages.order_by("pk"), "raw_data_package"),
        (job.data_products.order_by("pk"), "data_product"),
    ):
        copies = PhysicalCopy.objects.at(job.destination_location_id).readable()
        missing += contents.filter(~Exists(copies.filter(**{target: OuterRef("pk")})))
    return missing


def claim_staging(*, worker: str, limit: int = 1, location: DataLocation | None = None) -> list[StagingJob]:
    """Take up to ``limit`` staging jobs for a worker, the oldest first, and return them.

    While the data are brought, call :func:`heartbeat_staging`; then :func:`complete_staging` or
    :func:`fail_staging`.

    Locks the jobs; those that another worker is claiming are skipped.

    Args:
        worker: name of the worker.
        limit: how many at the most.
        location: only those that bring data there.

    Raises:
        OpsdbError: the worker has no name, or the limit is below 1.
    """
    jobs = StagingJob.objects.claimable()
    if location is not None:
        jobs = jobs.to(location)
    return work.claim(jobs, limit=limit, worker=worker)


def heartbeat_staging(job: StagingJob, *, worker: str) -> None:
    """Record that the worker is alive and still brings the data. Locks the job.

    Args:
        job: what the worker has claimed.
        worker: its name.

    Raises:
        LostClaim: the worker no longer holds the job and should stop.
        InvalidTransition: the job is not in progress.
    """
    work.heartbeat(job, worker=worker)


@records_conflicts
def complete_staging(job: StagingJob, *, worker: str, reports: Iterable[CopyReport]) -> StagingJob:
    """Record what a worker has brought to a job's destination, and return the job.

    Everything that was missing there must have arrived with its own checksum: then the copies are staged and verified,
    and the job is completed. If something is missing or differs, what differs is corrupt, what agrees is kept, and
    the job fails: look at the status of what is returned. Idempotent until the job is claimed again.

    Locks the job, the copies at the destination, and the packages and products, each in the order of their ids.

    Args:
        job: what the worker has claimed.
        worker: its name.
        reports: each package and product as the worker found it there.

    Raises:
        LostClaim: the worker no longer holds the job.
        InvalidTransition: the job is not in progress, or a copy there is being deleted at this moment.
        Conflict: a report is of something that the job did not request.
        Refused: a checksum can't be compared.
    """
    reports = list(reports)
    with atomic():
        if is_replay(job, worker=worker, reports=reports):
            return job
        now = StagingJob.objects.get(pk=job.pk)
        missing = [] if mismatches(reports) else _missing(job, reports)
        if failed_because_of(now.status, now.failure_message, reports, missing):
            job.refresh_from_db()
            return job
        work.lock_claimed(job, worker=worker)
        _require_requested(job, reports)
        problems = record_arrivals(job.destination_location, reports, worker=worker, staged=True)
        problems = problems or _missing(job, reports)
        if problems:
            work.fail(job, worker=worker, message=summarize(problems))
            return job
        work.complete(job, worker=worker)
    return job


def fail_staging(job: StagingJob, *, worker: str, message: str, retryable: bool = True) -> StagingJob:
    """Record that a worker could not bring a job's data, and return the job: pending again, or failed.

    It is pending again until its ``max_retries`` are used up. Idempotent until the job is claimed again. Locks the job.

    Args:
        job: what the worker has claimed.
        worker: its name.
        message: what went wrong, not empty.
        retryable: whether another attempt may help.

    Raises:
        LostClaim: the worker no longer holds the job.
        InvalidTransition: the job is not in progress.
        OpsdbError: the message is empty.
    """
    work.fail(job, worker=worker, message=message, retryable=retryable)
    return job


def reset_staging(job: StagingJob) -> StagingJob:
    """Make a failed job, or one whose worker is gone, pending again, and return it. For operators. Locks the job.

    Raises:
        InvalidTransition: it is pending or completed.
        Refused: it was released.
    """
    return work.reset(job)


def _missing(job, reports):
    """Name what can't be read at the destination and was not reported either."""
    reported = {report.content for report in reports}
    missing = [content for content in list_missing_content(job) if content not in reported]
    return [f"{name_row(type(content), content.pk)}: is missing" for content in missing]


def _require_requested(job, reports):
    requested = {RawDataPackage: set(job.raw_data_packages.values_list("pk", flat=True))}
    requested[DataProduct] = set(job.data_products.values_list("pk", flat=True))
    for report in reports:
        model = type(report.content)
        if report.content.pk not in requested.get(model, ()):
            raise Conflict(
                f"{name_row(StagingJob, job.pk)}: {name_row(model, report.content.pk)} was not requested; "
                "report what the job requests"
            )


def release_staging(job: StagingJob) -> StagingJob:
    """Record that a job's data are no longer needed at its destination, and return the job.

    The copies there may then be deleted, unless another job or an open run needs them. A job that is still open is
    cancelled. Idempotent. Locks the job.
    """
    with atomic():
        job = StagingJob.objects.select_for_update(no_key=True).get(pk=job.pk)
        if job.status in Status.open():
            move_state(
                job,
                Status.FAILED,
                active=False,
                failure_message="released before it was staged",
                finished_at=timezone.now(),
                claimed_by="",
            )
        elif job.active:
            job.active = False
            job.save(update_fields=["active"])
    return job


def expire_staging(*, limit: int = 1_000) -> list[StagingJob]:
    """Release the staging jobs whose time has passed, the longest overdue first, and return them.

    Locks the jobs; those that are locked at this moment are skipped. They are found by ``staging_job_active``.

    Args:
        limit: how many at the most.
    """
    with atomic():
        expired = StagingJob.objects.expired(timezone.now()).select_for_update(no_key=True, skip_locked=True)
        return [release_staging(job) for job in expired[:limit]]
