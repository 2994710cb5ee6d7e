"""Stage 6, stage: packages and products are brought to a processing location, and stay while somebody needs them."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

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
from .arrivals import Found, disagreements, failed_by, is_replay, record_arrivals, summary
from .errors import Conflict, Refused
from .states import move, name_of


def request_staging(
    *,
    location: DataLocation,
    packages: Iterable[RawDataPackage] = (),
    products: Iterable[DataProduct] = (),
    user=None,
    purpose: str = "",
    expires_at: datetime | None = None,
) -> StagingJob:
    """Ask for packages and products at a processing location, and return the job.

    What is there already stays there while the job is active. The same request again, by the same user for the same
    purpose and time, returns the job of the first while that is active, unless it has failed or what it brought is
    there no more. Locks the copies that can
    be read, in the order of their ids, so that none is deleted meanwhile, and that of two that ask at once one makes
    the job.

    Args:
        location: the processing location.
        packages: raw packages to stage.
        products: data products to stage.
        user: who asks; none for a program.
        purpose: what the data are needed for.
        expires_at: when they are no longer needed, aware; without it they stay until they are released.

    Raises:
        Refused: the location is not for processing or out of use, nothing is asked for, the end is in the past, or
            something has no copy that can be read.
    """
    packages, products = list(packages), list(products)
    if location.location_type != LocationType.PROCESSING or not location.active:
        raise Refused(f"{name_of(DataLocation, location.pk)}: {location} is no processing location in use")
    if not packages and not products:
        raise Refused("staging_job: nothing to stage; name packages or products")
    if expires_at is not None and expires_at <= timezone.now():
        raise Refused(f"staging_job: {expires_at.isoformat()} has passed; give a time to come, or none")
    with transaction.atomic():
        for model, things in ((RawDataPackage, packages), (DataProduct, products)):
            _require_readable(model, things)
        terms = {
            "destination_location": location,
            "requested_by": user,
            "purpose": purpose,
            "expires_at": expires_at,
        }
        if (job := _asked_before(terms, packages, products)) is not None:
            return job
        job = StagingJob.objects.create(**terms)
        job.raw_data_packages.set(packages)
        job.data_products.set(products)
    return job


def _asked_before(terms, packages, products):
    """Return the active job that brings, or has brought, just these things on these terms, if there is one."""
    given = {name: value for name, value in terms.items() if value is not None}
    empty = {f"{name}__isnull": True for name in terms.keys() - given}
    same = StagingJob.objects.active().exclude(status=Status.FAILED).filter(**given, **empty)
    wanted = {"raw_data_packages": {row.pk for row in packages}, "data_products": {row.pk for row in products}}
    for things, keys in wanted.items():
        if keys:
            same = same.filter(**{things: min(keys)})
    for job in same.order_by("pk"):
        brings = {things: {*getattr(job, things).values_list("pk", flat=True)} for things in wanted}
        if brings == wanted and not (job.status == Status.COMPLETED and what_is_missing(job)):
            return job
    return None


def _require_readable(model, things):
    target = model._meta.db_table
    copies = PhysicalCopy.objects.readable().filter(**{f"{target}__in": things}).order_by("pk")
    readable = set(copies.select_for_update(no_key=True).values_list(target, flat=True))
    lost = [name_of(model, thing.pk) for thing in things if thing.pk not in readable]
    if lost:
        raise Refused(f"staging_job: no copy can be read of {summary(lost)}; leave them out")


def what_is_missing(job: StagingJob) -> list[RawDataPackage | DataProduct]:
    """Return the packages and products of a job that can't be read at its destination yet: what a worker brings."""
    missing = []
    for things, target in (
        (job.raw_data_packages.order_by("pk"), "raw_data_package"),
        (job.data_products.order_by("pk"), "data_product"),
    ):
        copies = PhysicalCopy.objects.at(job.destination_location_id).readable()
        missing += things.filter(~Exists(copies.filter(**{target: OuterRef("pk")})))
    return missing


def claim_staging(*, worker: str, limit: int = 1, location: DataLocation | None = None) -> list[StagingJob]:
    """Take up to ``limit`` staging jobs for a worker, the oldest first, and return them.

    Locks the jobs, passing over those that another worker is claiming. Show life by
    :func:`opsdb.workflows.work.heartbeat`, give up by :func:`opsdb.workflows.work.fail`.

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


def complete_staging(job: StagingJob, *, worker: str, found: Iterable[Found]) -> StagingJob:
    """Record what a worker has brought to a job's destination, and return the job.

    Everything that was missing there must have come with its own checksum: then the copies are staged and verified,
    and the job is completed. If something is missing or differs, what differs is corrupt, what agrees is kept, and
    the job fails: look at the status of what is returned. The same call again changes nothing, until the job is
    claimed again.

    Locks the job, the copies at the destination, and the packages and products, each in the order of their ids.

    Args:
        job: what the worker has claimed.
        worker: its name.
        found: each package and product as it was found there.

    Raises:
        LostClaim: the worker holds the job no longer.
        InvalidTransition: the job is not in progress, or a copy there is being deleted at this moment.
        Conflict: something is not of this job.
        Refused: a checksum can't be compared.
    """
    found = list(found)
    with transaction.atomic():
        if is_replay(job, worker=worker, reports=found):
            return job
        now = StagingJob.objects.get(pk=job.pk)
        if failed_by(now.status, now.failure_message, found, [] if disagreements(found) else _missing(job, found)):
            job.refresh_from_db()
            return job
        work.hold(job, worker=worker)
        _require_asked_for(job, found)
        problems = record_arrivals(job.destination_location, found, worker=worker, staged=True) or _missing(job, found)
        if problems:
            work.fail(job, worker=worker, message=summary(problems))
            return job
        work.complete(job, worker=worker)
    return job


def _missing(job, found):
    """Name what can't be read at the destination and was not reported either."""
    reported = {report.thing for report in found}
    return [f"{name_of(type(thing), thing.pk)}: is missing" for thing in what_is_missing(job) if thing not in reported]


def _require_asked_for(job, found):
    asked = {RawDataPackage: set(job.raw_data_packages.values_list("pk", flat=True))}
    asked[DataProduct] = set(job.data_products.values_list("pk", flat=True))
    for report in found:
        model = type(report.thing)
        if report.thing.pk not in asked.get(model, ()):
            raise Conflict(
                f"{name_of(StagingJob, job.pk)}: {name_of(model, report.thing.pk)} was not asked for; "
                "report what the job asks for"
            )


def release_staging(job: StagingJob) -> StagingJob:
    """Record that a job's data are no longer needed at its destination, and return the job.

    The copies there may then be deleted, unless another job or an open run needs them. A job that is still open is
    given up. The same call again changes nothing. Locks the job.
    """
    with transaction.atomic():
        job = StagingJob.objects.select_for_update(no_key=True).get(pk=job.pk)
        if job.status in Status.open():
            move(
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
    """Release the staging jobs whose time has passed, the longest over first, and return them.

    Locks the jobs, passing over those that are locked at this moment. They are found by ``staging_job_active``.

    Args:
        limit: how many at the most.
    """
    with transaction.atomic():
        expired = StagingJob.objects.expired(timezone.now()).select_for_update(no_key=True, skip_locked=True)
        return [release_staging(job) for job in expired[:limit]]
