"""Staging: data come to a processing location, stay while somebody needs them, and may go then."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from opsdb.models import FixityCheck, PhysicalCopy, PhysicalCopyStatus, StagingJob, Status, Verification
from opsdb.testing.factories import DataProductFactory, UserFactory
from opsdb.testing.nights import WORKER, WRONG, build_world, found, out_of_use
from opsdb.workflows import (
    Conflict,
    InvalidTransition,
    LostClaim,
    Refused,
    claim_staging,
    complete_staging,
    expire_staging,
    list_missing_content,
    release_staging,
    request_staging,
    work,
)
from tests.workflows.racing import overtaken, race
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    """An observatory with two archived packages."""
    world = build_world()
    world.packages = archived(world)
    return world


def archived(world):
    bundle = world.made_bundle(executions=2)
    world.deliver()
    return list(bundle.raw_data_packages.order_by("pk"))


def product_at(location):
    product = DataProductFactory()
    PhysicalCopy.objects.create(
        data_product=product, data_location=location, checksum=product.checksum, size_bytes=product.size_bytes
    )
    return product


def begun(world, number=2):
    packages = world.packages[:number]
    request_staging(location=world.processing, packages=packages)
    [job] = claim_staging(worker=WORKER)
    return job, packages


# Request


def test_a_request_says_what_where_for_whom_and_how_long(world):
    package = world.packages[0]
    product = product_at(world.us_buffer)
    end = timezone.now() + timedelta(days=3)
    job = request_staging(
        location=world.processing,
        packages=[package],
        products=[product],
        user=world.user,
        purpose="a map",
        expires_at=end,
    )
    assert (job.status, job.active, job.purpose, job.expires_at) == (Status.PENDING, True, "a map", end)
    assert (job.requested_by, job.destination_location_id) == (world.user, world.processing.pk)
    assert list_missing_content(job) == [package, product]
    assert list(StagingJob.objects.claimable().to(world.processing)) == [job]


def test_requests_that_can_not_be_met_are_refused(world):
    package = world.packages[0]
    [planned] = world.plan_packages()
    for wish, reason in (
        (
            {"location": world.us_buffer, "packages": [package]},
            "us/buffer is a buffer location; stage data at an active",
        ),
        ({"location": world.processing}, "nothing to stage"),
        ({"location": world.processing, "packages": [package], "expires_at": timezone.now()}, "has passed"),
        (
            {"location": world.processing, "packages": [package, planned]},
            f"no copy can be read of raw_data_package {planned.pk}",
        ),
    ):
        with pytest.raises(Refused, match=reason):
            request_staging(**wish)
    with (
        out_of_use(world.processing),
        pytest.raises(Refused, match="is inactive; stage data at an active processing location"),
    ):
        request_staging(location=world.processing, packages=[package])
    assert not StagingJob.objects.exists()


# Stage


def test_staged_packages_have_verified_copies_at_the_processing_location(world):
    job, packages = begun(world)
    complete_staging(job, worker=WORKER, reports=map(found, packages))
    assert job.status == Status.COMPLETED
    for package in packages:
        copy = world.copy(package, world.processing)
        assert (copy.status, copy.verification) == (PhysicalCopyStatus.STAGED, Verification.VERIFIED)
    assert list_missing_content(job) == []


def test_products_are_staged_too(world):
    product = product_at(world.us_buffer)
    job = world.staged(products=[product])
    assert job.status == Status.COMPLETED
    assert world.copy(product, world.processing).status == PhysicalCopyStatus.STAGED


def test_staging_can_be_reported_again(world):
    job, packages = begun(world)
    for _ in range(2):
        complete_staging(job, worker=WORKER, reports=map(found, packages))
    assert PhysicalCopy.objects.at(world.processing).count() == 2


@pytest.mark.parametrize("lacking", ["differs", "is missing"])
def test_a_failed_staging_can_be_reported_again_until_it_is_claimed_again(world, lacking):
    job, [first, second] = begun(world)
    reports = [found(first), found(second, WRONG)] if lacking == "differs" else [found(first)]
    for _ in range(2):
        complete_staging(job, worker=WORKER, reports=reports)
        assert (job.status, job.retry_count) == (Status.PENDING, 1)
    assert FixityCheck.objects.filter(ok=False).count() == (lacking == "differs")
    with pytest.raises(InvalidTransition):
        complete_staging(job, worker=WORKER, reports=map(found, [first, second]))
    claim_staging(worker="other")
    with pytest.raises(LostClaim, match="is claimed by other; stop, and claim other work"):
        complete_staging(job, worker=WORKER, reports=reports)


def test_what_is_there_already_need_not_be_brought_again(world):
    job, [first, second] = begun(world)
    complete_staging(job, worker=WORKER, reports=map(found, [first, second]))
    again = world.staged(first, second, purpose="once more")
    assert again.status == Status.COMPLETED
    made_here = product_at(world.processing)
    assert list_missing_content(request_staging(location=world.processing, products=[made_here])) == []


def test_a_product_that_was_made_there_stays_present_when_it_is_staged(world):
    product = product_at(world.processing)
    request_staging(location=world.processing, products=[product])
    [job] = claim_staging(worker=WORKER)
    complete_staging(job, worker=WORKER, reports=[found(product)])
    copy = world.copy(product, world.processing)
    assert (copy.status, copy.verification) == (PhysicalCopyStatus.PRESENT, Verification.VERIFIED)


def test_a_wrong_checksum_fails_the_job_and_its_copy_never_counts(world):
    job, [good, bad] = begun(world)
    complete_staging(job, worker=WORKER, reports=[found(good), found(bad, WRONG)])
    assert (job.status, job.retry_count) == (Status.PENDING, 1)
    assert f"raw_data_package {bad.pk}: checksum is sha256 {WRONG}" in job.failure_message
    copy = world.copy(bad, world.processing)
    assert (copy.status, copy.verification) == (PhysicalCopyStatus.CORRUPT, Verification.MISMATCH)
    assert list_missing_content(job) == [bad]
    [job] = claim_staging(worker=WORKER)
    complete_staging(job, worker=WORKER, reports=[found(bad)])
    copy.refresh_from_db()
    assert (job.status, copy.status, copy.verification) == ("completed", "staged", "verified")


def test_a_job_that_misses_something_is_not_complete(world):
    job, [first, second] = begun(world)
    complete_staging(job, worker=WORKER, reports=[found(first)])
    assert (job.status, job.failure_message) == (Status.PENDING, f"raw_data_package {second.pk}: is missing")


def test_what_was_not_asked_for_is_refused(world):
    job, packages = begun(world, 1)
    [stranger] = world.made_packages()
    with pytest.raises(Conflict, match=f"raw_data_package {stranger.pk} was not requested"):
        complete_staging(job, worker=WORKER, reports=map(found, [*packages, stranger]))
    assert not PhysicalCopy.objects.at(world.processing).exists()


def test_only_the_worker_that_holds_a_job_completes_it(world):
    job, packages = begun(world, 1)
    with pytest.raises(LostClaim):
        complete_staging(job, worker="other", reports=map(found, packages))


def test_a_deleted_copy_is_staged_again(world):
    package = world.packages[0]
    release_staging(world.staged(package))
    copies = PhysicalCopy.objects.at(world.processing).of(package)
    copies.update(status=PhysicalCopyStatus.DELETION_SCHEDULED)
    copies.update(status=PhysicalCopyStatus.DELETION_IN_PROGRESS)
    copies.update(status=PhysicalCopyStatus.DELETED, deleted_at=timezone.now())
    world.staged(package)
    copy = copies.get()
    assert (copy.status, copy.verification, copy.deleted_at) == ("staged", "verified", None)


def test_a_job_that_failed_is_reset_by_an_operator(world):
    job, packages = begun(world, 1)
    work.fail(job, worker=WORKER, message="no space", retryable=False)
    work.reset(job)
    [job] = claim_staging(worker=WORKER)
    assert complete_staging(job, worker=WORKER, reports=map(found, packages)).status == Status.COMPLETED


# Release


def delete(world, package):
    copies = PhysicalCopy.objects.at(world.processing).of(package)
    with transaction.atomic():
        copies.update(status=PhysicalCopyStatus.DELETION_SCHEDULED)


def test_staged_data_stay_while_a_job_needs_them_and_may_go_when_all_are_released(world):
    package = world.packages[0]
    jobs = [world.staged(package, purpose=purpose) for purpose in ("maps", "spectra")]
    for job in jobs:
        with pytest.raises(IntegrityError, match="deletion rule 4: staging_job"):
            delete(world, package)
        released = release_staging(job)
        assert (released.status, released.active) == (Status.COMPLETED, False)
    delete(world, package)


def test_a_job_that_is_released_before_it_is_done_is_given_up(world):
    job, packages = begun(world, 1)
    release_staging(job)
    released = release_staging(job)
    assert (released.status, released.active) == (Status.FAILED, False)
    assert released.failure_message == "released before it was staged"
    with pytest.raises(InvalidTransition):
        complete_staging(job, worker=WORKER, reports=map(found, packages))


def test_a_released_job_is_not_begun(world):
    package = world.packages[0]
    job = request_staging(location=world.processing, packages=[package])
    with out_of_use(world.processing):
        assert claim_staging(worker=WORKER) == []
    release_staging(job)
    assert claim_staging(worker=WORKER) == []


def test_a_released_job_is_over_whatever_anybody_does(world):
    job = request_staging(location=world.processing, packages=world.packages[:1])
    rows = StagingJob.objects.filter(pk=job.pk)
    for status in Status.open():
        begun = timezone.now() if status == Status.IN_PROGRESS else None
        with pytest.raises(IntegrityError, match="released_is_over"), transaction.atomic():
            rows.update(active=False, status=status, started_at=begun, scheduled_at=timezone.now())
    release_staging(job)
    with pytest.raises(
        Refused, match=f"staging_job {job.pk}: A released staging job is over; request the staging again"
    ):
        work.reset(job)
    assert rows.get().status == Status.FAILED


def test_the_same_request_again_returns_the_first_job(world):
    packages, product = world.packages, product_at(world.processing)
    end = timezone.now() + timedelta(days=1)
    wish = {"location": world.processing, "packages": packages, "products": [product], "expires_at": end}
    job = request_staging(**wish)
    assert request_staging(**{**wish, "packages": packages[::-1]}) == job
    others = (
        {"packages": packages[:1]},
        {"products": []},
        {"purpose": "maps"},
        {"expires_at": None},
        {"user": UserFactory()},
    )
    made = [request_staging(**{**wish, **other}) for other in others]
    assert [request_staging(**{**wish, **other}) for other in others] == made
    assert len({job, *made}) == 6
    release_staging(job)
    assert request_staging(**wish) not in {job, *made}


def test_a_request_for_what_was_staged_and_is_lost_makes_a_new_job(world):
    package = world.packages[0]
    job = world.staged(package)
    assert request_staging(location=world.processing, packages=[package]) == job
    PhysicalCopy.objects.at(world.processing).of(package).update(status=PhysicalCopyStatus.MISSING)
    assert request_staging(location=world.processing, packages=[package]) != job


def test_jobs_whose_time_has_passed_are_released(world):
    package = world.packages[0]
    soon, later = timezone.now() + timedelta(hours=1), timezone.now() + timedelta(days=9)
    jobs = [world.staged(package, expires_at=end) for end in (soon, later, None)]
    assert expire_staging() == []
    StagingJob.objects.filter(pk=jobs[0].pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert expire_staging() == [jobs[0]]
    assert expire_staging() == []
    assert [StagingJob.objects.get(pk=job.pk).active for job in jobs] == [False, True, True]


def test_jobs_are_claimed_for_a_location(world):
    request_staging(location=world.processing, packages=world.packages[:1])
    assert claim_staging(worker=WORKER, location=world.us_buffer) == []
    assert len(claim_staging(worker=WORKER, location=world.processing)) == 1


# Races


@pytest.mark.django_db(transaction=True)
def test_two_that_ask_the_same_at_once_get_one_job():
    world = build_world()
    packages = archived(world)
    for _round in range(2):
        jobs = race(3, lambda number: request_staging(location=world.processing, packages=packages))
        assert jobs == [StagingJob.objects.get(active=True)] * 3
        release_staging(jobs[0])


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_race_for_one_job_exactly_one_wins():
    world = build_world()
    package = world.archived_package()
    for round in range(2):
        request_staging(location=world.processing, packages=[package], purpose=f"round {round}")
        claimed = race(4, lambda number: claim_staging(worker=f"worker {number}", limit=5))
        assert sorted(map(len, claimed)) == [0, 0, 0, 1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deletion_first", [True, False])
def test_a_request_and_the_deletion_of_what_is_staged_already_never_both_succeed(deletion_first):
    world = build_world()
    package = world.archived_package()
    release_staging(world.staged(package))

    def ask():
        return request_staging(location=world.processing, packages=[package])

    def remove():
        return delete(world, package)

    if deletion_first:
        job = overtaken(remove, ask)
        assert list_missing_content(job) == [package]
    else:
        refusal = overtaken(ask, remove)
        assert "deletion rule" in str(refusal)


@pytest.mark.django_db(transaction=True)
def test_a_request_waits_for_a_deletion_of_the_last_copy_that_can_be_read():
    world = build_world()
    product = product_at(world.processing)
    type(product).objects.filter(pk=product.pk).update(superseded_by=DataProductFactory(kept=True))
    type(world.processing).objects.filter(pk=world.processing.pk).update(retention_days=0)
    copies = PhysicalCopy.objects.at(world.processing).of(product)
    asked = overtaken(
        lambda: copies.update(status=PhysicalCopyStatus.DELETION_SCHEDULED),
        lambda: request_staging(location=world.processing, products=[product]),
    )
    assert isinstance(asked, Refused), asked
    assert not StagingJob.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_jobs_that_bring_the_same_package_at_once_share_one_copy():
    world = build_world()

    def bring_twice(package):
        for purpose in ("maps", "spectra"):
            request_staging(location=world.processing, packages=[package], purpose=purpose)
        jobs = claim_staging(worker=WORKER, limit=2)
        return race(2, lambda number: complete_staging(jobs[number], worker=WORKER, reports=[found(package)]))

    for package in archived(world):
        done = bring_twice(package)
        assert [job.status for job in done] == [Status.COMPLETED] * 2, done
        assert PhysicalCopy.objects.at(world.processing).of(package).count() == 1
