"""Copies that can't be read when they are checked: recorded, doubted, tried again, shown, and in nobody's way."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from opsdb.models import DataLocation, FixityCheck, PhysicalCopy, Verification
from opsdb.row_labels import place_of
from opsdb.testing.factories import RawDataPackageFactory
from opsdb.workflows import (
    Conflict,
    NotFound,
    OpsdbError,
    claim_deletions,
    explain_deletion,
    fail_fixity,
    get_overview,
    list_due_fixity_checks,
    reconcile_location,
    record_fixity,
    request_verification,
    schedule_deletion,
)
from tests.workflows.explaining import check
from tests.workflows.scenario_deletion import RIGHT, WRONG, force, refusal_of, sql, tell_story

pytestmark = pytest.mark.django_db

NO_ANSWER = "Input/output error"


@pytest.fixture
def story():
    story = tell_story()
    DataLocation.objects.update(fixity_interval_days=30)
    for location in (story.source, story.buffer, story.archive, story.processing):
        location.refresh_from_db()
    return story


def fetch(copy):
    copy.refresh_from_db()
    return copy


def test_what_cannot_be_read_is_no_longer_verified_and_lets_nothing_go(story):
    schedule_deletion(story.package_copy)
    found = fail_fixity(story.archive_copy, message=NO_ANSWER, checked_by="worker-1")
    assert (found.ok, found.actual, found.failure_message, found.checked_by) == (False, None, NO_ANSWER, "worker-1")
    copy = fetch(story.archive_copy)
    assert (copy.status, copy.verification, copy.unread_count) == ("present", Verification.UNVERIFIED, 1)
    assert explain_deletion(story.package_copy).rule == 2
    assert claim_deletions(story.buffer, limit=1).copies == []


def test_what_is_not_there_is_missing_from_every_state_in_which_it_may_be(story):
    for status in ("present", "staged", "deletion_scheduled", "deletion_failed", "corrupt"):
        copy = force(story.package_copy, status=status, failure_message="x", unread_count=0, next_check_at=None)
        fail_fixity(copy, message="No such file or directory", absent=True)
        assert (copy.status, copy.failure_message) == ("missing", "No such file or directory"), status
    copy = force(story.package_copy, status="deletion_in_progress")
    fail_fixity(copy, message="No such file or directory", absent=True)
    assert copy.status == "deletion_in_progress"


def test_the_pause_doubles_and_ends_when_it_can_be_read(story):
    pauses = []
    for _ in range(4):
        fail_fixity(story.archive_copy, message=NO_ANSWER)
        last = story.archive_copy.fixity_checks.latest("pk")
        pauses.append(round((story.archive_copy.next_check_at - last.created_at) / timedelta(hours=1)))
    assert pauses == [1, 2, 4, 8]
    record_fixity(story.archive_copy, RIGHT)
    copy = fetch(story.archive_copy)
    assert (copy.verification, copy.unread_count, copy.next_check_at) == (Verification.VERIFIED, 0, None)
    force(copy, unread_count=50)
    fail_fixity(copy, message=NO_ANSWER)
    assert copy.next_check_at < timezone.now() + timedelta(days=30, minutes=1)


def test_what_differs_stays_known_as_such_while_it_cannot_be_read(story):
    record_fixity(story.archive_copy, WRONG)
    fail_fixity(story.archive_copy, message=NO_ANSWER)
    assert (story.archive_copy.status, story.archive_copy.verification) == ("corrupt", Verification.MISMATCH)


def test_plain_sql_that_records_an_unread_copy_takes_its_verification_too(story):
    sql(
        "INSERT INTO fixity_check (copy_id, checked_at, expected, actual, algorithm, ok, checked_by, failure_message) "
        "VALUES (%s, now(), %s, NULL, 'sha256', false, '', 'EIO')",
        story.archive_copy.pk,
        RIGHT,
    )
    assert fetch(story.archive_copy).verification == Verification.UNVERIFIED


def test_three_copies_that_cannot_be_read_do_not_starve_the_rest(story):
    PhysicalCopy.objects.at(story.buffer).update(status="missing")
    copies = [
        PhysicalCopy.objects.create(data_location=story.buffer, raw_data_package=RawDataPackageFactory(sealed=True))
        for _ in range(8)
    ]
    bad, offered = {copies[0].pk, copies[1].pk, copies[2].pk}, []
    for _ in range(3):
        for copy in PhysicalCopy.objects.due_for_fixity(story.buffer, limit=3):
            offered.append(copy.pk)
            if copy.pk in bad:
                fail_fixity(copy, message=NO_ANSWER)
            else:
                record_fixity(copy, copy.raw_data_package.checksum)
    assert sorted(offered) == [copy.pk for copy in copies]
    assert list_due_fixity_checks(story.buffer, quota=100) == []
    for copy in PhysicalCopy.objects.filter(pk__in=bad):
        force(copy, next_check_at=timezone.now() - timedelta(minutes=copy.pk % 7))
    again = PhysicalCopy.objects.due_for_fixity(story.buffer, limit=9)
    assert {copy.pk for copy in again} == bad


def test_a_request_for_verification_ends_the_pause(story):
    fail_fixity(story.archive_copy, message=NO_ANSWER)
    assert list_due_fixity_checks(story.archive, quota=9) == []
    request_verification(story.archive_copy)
    assert list_due_fixity_checks(story.archive, quota=9) == [story.archive_copy]


def test_a_pause_is_not_made_up(story):
    later = timezone.now() + timedelta(days=900)
    refusal = refusal_of(lambda: PhysicalCopy.objects.filter(pk=story.archive_copy.pk).update(next_check_at=later))
    assert refusal.constraint_name == "physical_copy_pause_after_unread"


def test_the_same_report_again_changes_nothing_and_wrong_ones_are_refused(story):
    moment = timezone.now()
    first = fail_fixity(story.archive_copy, message=NO_ANSWER, checked_at=moment)
    assert fail_fixity(story.archive_copy, message=NO_ANSWER, checked_at=moment) == first
    assert fetch(story.archive_copy).unread_count == 1
    with pytest.raises(OpsdbError, match="give the error of the storage"):
        fail_fixity(story.archive_copy, message=" ")
    with pytest.raises(OpsdbError, match="time zone"):
        fail_fixity(story.archive_copy, message=NO_ANSWER, checked_at=moment.replace(tzinfo=None))
    with pytest.raises(NotFound):
        fail_fixity(PhysicalCopy(pk=987654321), message=NO_ANSWER)
    force(story.package_copy, status="deleted", deleted_at=moment)
    with pytest.raises(Conflict, match="was deleted"):
        fail_fixity(story.package_copy, message=NO_ANSWER)
    assert FixityCheck.objects.filter(actual__isnull=True).count() == 1


def test_a_late_report_does_not_verify_what_could_not_be_read_since(story):
    fail_fixity(story.package_copy, message=NO_ANSWER)
    before = timezone.now() - timedelta(seconds=1)
    with pytest.raises(OpsdbError, match="found a difference, or could not read it"):
        record_fixity(story.package_copy, RIGHT, checked_at=before)


def test_the_explanation_says_when_it_is_tried_again_and_by_whom(story):
    fail_fixity(story.package_copy, message=NO_ANSWER)
    place = f"{story.buffer.site.short_name}_{story.buffer.name}"
    check(
        story.package_copy,
        f"worker at queue {place}_fixity_check",
        "read it again after ",
        "could not be read",
        "1 time in a row",
        NO_ANSWER,
    )
    DataLocation.objects.update(fixity_interval_days=None)
    check(story.package_copy, "^operator$", "record what is found", NO_ANSWER)


def test_status_and_dashboard_name_what_was_found_when_and_by_whom(story, capsys):
    fail_fixity(story.package_copy, message=NO_ANSWER, checked_by="worker-1")
    record_fixity(story.archive_copy, WRONG, checked_by="worker-2")
    fail_fixity(story.bundle_copy, message="No such file or directory", absent=True, checked_by="worker-3")
    reconcile_location(story.source, [], abort_threshold=1, minimum_age=timedelta(0), dry_run=False)
    troubles = {trouble.row: trouble for trouble in get_overview().failures}
    unread, corrupt, absent, unlisted = (
        troubles[f"physical_copy {copy.pk}"]
        for copy in (story.package_copy, story.archive_copy, story.bundle_copy, story.file_copy)
    )
    assert unread.message == f"can't be read: {NO_ANSWER}, found by worker-1 at {place_of(story.buffer)}"
    assert corrupt.message == (
        f"corrupt: has sha256 {WRONG}, should have {RIGHT}, found by worker-2 at {place_of(story.archive)}"
    )
    assert absent.message == f"missing: No such file or directory, found by worker-3 at {place_of(story.buffer)}"
    assert unlisted.message.startswith("missing: not in the listing of its storage that was compared at 2")
    last = story.archive_copy.fixity_checks.filter(ok=False).get()
    assert corrupt.since == last.checked_at
    call_command("opsdb_status")
    printed = capsys.readouterr().out
    assert "worker-1" in printed and "found by worker-2" in "".join(printed.split("\n"))
