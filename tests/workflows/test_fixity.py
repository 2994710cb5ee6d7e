"""Fixity checks: what a checksum makes of a copy, and which copies are due."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsdb.models import DataLocation, FixityCheck, PhysicalCopy, PhysicalCopyStatus, Verification
from opsdb.testing.factories import DataProductFactory, RawDataPackageFactory
from opsdb.testing.factories.base import checksum
from opsdb.workflows import (
    Conflict,
    NotFound,
    OpsdbError,
    Refused,
    claim_deletions,
    explain_deletion,
    list_due_fixity_checks,
    record_fixity,
    schedule_deletion,
)
from tests.plans import planning_without
from tests.workflows.racing import race
from tests.workflows.scenario_deletion import RIGHT, WRONG, force, tell_story
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def story():
    return tell_story()


def status_of(copy):
    return PhysicalCopy.objects.values_list("status", flat=True).get(pk=copy.pk)


def test_a_checksum_that_agrees_makes_a_copy_verified(story):
    before = story.package_copy.verified_at
    check = record_fixity(story.package_copy, RIGHT, checked_by="worker-1")
    assert (check.ok, check.expected, check.actual, check.checked_by) == (True, RIGHT, RIGHT, "worker-1")
    copy = story.package_copy
    assert (copy.verification, copy.status) == (Verification.VERIFIED, "present")
    assert copy.verified_at == check.checked_at != before


def test_a_checksum_that_differs_makes_a_copy_corrupt_and_nothing_counts_on_it(story):
    schedule_deletion(story.package_copy)
    check = record_fixity(story.archive_copy, WRONG)
    assert (check.ok, check.expected, check.actual) == (False, RIGHT, WRONG)
    copy = story.archive_copy
    assert (copy.status, copy.verification, copy.checksum) == ("corrupt", Verification.MISMATCH, WRONG)
    for held in story.deletable_copies[:3]:
        assert explain_deletion(held).rule == 2
        assert f"raw_data_package {story.package.pk} has 0 verified archive copies" in explain_deletion(held).why
    assert claim_deletions(story.buffer, limit=1).copies == []


def test_a_copy_that_was_repaired_counts_again(story):
    record_fixity(story.archive_copy, WRONG)
    record_fixity(story.archive_copy, RIGHT)
    assert (story.archive_copy.status, story.archive_copy.verification) == ("present", Verification.VERIFIED)
    assert explain_deletion(story.package_copy).may_go


@pytest.mark.parametrize("status", list(PhysicalCopyStatus))
@pytest.mark.parametrize("ok", [True, False])
def test_a_check_leads_from_every_state_to_one_that_is_true(story, status, ok):
    copy = force(story.package_copy, status=status, deleted_at=timezone.now(), failure_message="x")
    if status == "deleted":
        with pytest.raises(Conflict, match="was deleted"):
            record_fixity(copy, RIGHT if ok else WRONG)
        return
    record_fixity(copy, RIGHT if ok else WRONG)
    if status == "deletion_in_progress":
        assert copy.status == status
    elif ok:
        assert copy.status == ("present" if status in ("corrupt", "missing") else status)
    else:
        assert copy.status == "corrupt"
    assert copy.verification == (Verification.VERIFIED if ok else Verification.MISMATCH)


def test_every_kind_of_copy_is_compared_with_its_own_thing(story):
    product = DataProductFactory(size_bytes=1, checksum=checksum(5))
    copies = {
        story.file_copy: story.file.checksum,
        story.bundle_copy: RIGHT,
        PhysicalCopy.objects.create(data_location=story.processing, data_product=product): product.checksum,
    }
    for copy, expected in copies.items():
        assert record_fixity(copy, expected).ok
        assert not record_fixity(copy, WRONG).ok


def test_the_same_check_again_changes_nothing(story):
    moment = timezone.now()
    first = record_fixity(story.package_copy, RIGHT, checked_at=moment)
    assert record_fixity(story.package_copy, RIGHT, checked_at=moment) == first
    assert story.package_copy.fixity_checks.count() == 1


def test_an_older_check_does_not_overrule_a_newer_one(story):
    record_fixity(story.package_copy, WRONG)
    with pytest.raises(Conflict, match="was compared later"):
        record_fixity(story.package_copy, RIGHT, checked_at=timezone.now() - timedelta(hours=1))
    assert status_of(story.package_copy) == "corrupt"


def test_what_cannot_be_compared_is_refused(story):
    unsealed = PhysicalCopy.objects.create(data_location=story.buffer, raw_data_package=RawDataPackageFactory())
    with pytest.raises(OpsdbError, match="has no checksum yet; complete it first"):
        record_fixity(unsealed, RIGHT)
    with pytest.raises(OpsdbError, match="md5 checksum can't be compared"):
        record_fixity(story.package_copy, "0" * 32, algorithm="md5")
    with pytest.raises(Refused):
        record_fixity(story.package_copy, RIGHT.upper().replace("0", "Z"))
    with pytest.raises(OpsdbError, match="time zone"):
        record_fixity(story.package_copy, RIGHT, checked_at=timezone.now() + timedelta(days=1))
    with pytest.raises(OpsdbError, match="time zone"):
        record_fixity(story.package_copy, RIGHT, checked_at=timezone.now().replace(tzinfo=None))
    with pytest.raises(NotFound):
        record_fixity(PhysicalCopy(pk=987654321), RIGHT)
    assert not FixityCheck.objects.exclude(copy__in=[story.archive_copy, story.staged_copy]).exists()


@pytest.mark.django_db(transaction=True)
def test_two_checks_at_once_leave_the_verdict_of_the_later():
    for _ in range(3):
        story = tell_story()
        outcomes = race(
            2,
            lambda number, story=story: record_fixity(
                PhysicalCopy.objects.get(pk=story.package_copy.pk), (RIGHT, WRONG)[number]
            ),
        )
        assert {type(outcome) for outcome in outcomes} == {FixityCheck}
        last = FixityCheck.objects.filter(copy=story.package_copy).order_by("-checked_at").first()
        story.package_copy.refresh_from_db()
        assert story.package_copy.checksum == last.actual
        assert (story.package_copy.status == "present") == last.ok


def make_due(story, *ages):
    DataLocation.objects.filter(pk=story.buffer.pk).update(fixity_interval_days=30)
    story.buffer.refresh_from_db()
    copies = []
    for days in ages:
        copy = PhysicalCopy.objects.create(
            data_location=story.buffer, raw_data_package=RawDataPackageFactory(sealed=True)
        )
        if days is not None:
            force(copy, verified_at=timezone.now() - timedelta(days=days))
        copies.append(copy)
    return copies


def test_the_longest_unchecked_are_due_first_and_never_checked_before_all(story):
    PhysicalCopy.objects.at(story.buffer).update(status="missing")
    month, year, never, fresh = make_due(story, 31, 365, None, 29)
    assert list_due_fixity_checks(story.buffer, quota=10) == [never, year, month]
    assert list_due_fixity_checks(story.buffer, quota=2) == [never, year]
    assert fresh not in list_due_fixity_checks(story.buffer, quota=10)


def test_the_quota_counts_what_was_checked_today(story):
    PhysicalCopy.objects.at(story.buffer).update(status="missing")
    checks = FixityCheck.objects.filter(copy__data_location=story.buffer)
    for copy in make_due(story, None, None, None):
        assert len(list_due_fixity_checks(story.buffer, quota=2)) == 2 - min(2, checks.count())
        record_fixity(copy, copy.raw_data_package.checksum)
    assert list_due_fixity_checks(story.buffer, quota=2) == []


def test_nothing_is_due_where_no_interval_is_set_or_no_bytes_are(story):
    assert list_due_fixity_checks(story.buffer, quota=10) == []
    make_due(story)
    assert len(list_due_fixity_checks(story.buffer, quota=10)) == 2
    PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(status="missing")
    assert list_due_fixity_checks(story.buffer, quota=10) == [story.bundle_copy]
    with pytest.raises(OpsdbError, match="quota"):
        list_due_fixity_checks(story.buffer, quota=0)


def test_what_is_due_is_served_by_its_index(story):
    make_due(story)
    with planning_without("seqscan", "bitmapscan", "sort"):
        plan = PhysicalCopy.objects.due_for_fixity(story.buffer, limit=10).explain()
    walks = [line for line in plan.splitlines() if "physical_copy_by_verification" in line]
    assert len(walks) == 2
    assert "verified_at IS NULL" in plan
    assert "verified_at <=" in plan
