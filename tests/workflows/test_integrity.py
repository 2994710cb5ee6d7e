"""Copies are compared with what they should be, and locations with what their storage lists."""

import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from opsdb.models import ChangeLog, DataLocation, FixityCheck, PhysicalCopy, PhysicalCopyStatus, Verification
from opsdb.workflows import (
    Conflict,
    ListedFile,
    NotFound,
    OpsdbError,
    ReconciliationAborted,
    Refused,
    attributed,
    claim_deletions,
    explain_deletion,
    list_due_fixity_checks,
    reconcile_location,
    record_fixity,
    schedule_deletion,
)
from tests.factories import DataProductFactory, RawDataFileFactory, RawDataPackageFactory, UserFactory
from tests.factories.base import checksum
from tests.workflows.racing import race
from tests.workflows.scenario_deletion import RIGHT, SIZE, WRONG, force, long_ago, sql, tell_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story():
    return tell_story()


def status_of(copy):
    return PhysicalCopy.objects.values_list("status", flat=True).get(pk=copy.pk)


# Fixity checks


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
    assert FixityCheck.objects.count() == 1


def test_an_older_check_does_not_overrule_a_newer_one(story):
    record_fixity(story.package_copy, WRONG)
    with pytest.raises(Conflict, match="was compared at"):
        record_fixity(story.package_copy, RIGHT, checked_at=timezone.now() - timedelta(hours=1))
    assert status_of(story.package_copy) == "corrupt"


def test_what_cannot_be_compared_is_refused(story):
    unsealed = PhysicalCopy.objects.create(data_location=story.buffer, raw_data_package=RawDataPackageFactory())
    with pytest.raises(OpsdbError, match="not known yet"):
        record_fixity(unsealed, RIGHT)
    with pytest.raises(OpsdbError, match="md5 can't be compared"):
        record_fixity(story.package_copy, "0" * 32, algorithm="md5")
    with pytest.raises(Refused):
        record_fixity(story.package_copy, RIGHT.upper().replace("0", "Z"))
    with pytest.raises(OpsdbError, match="time zone"):
        record_fixity(story.package_copy, RIGHT, checked_at=timezone.now() + timedelta(days=1))
    with pytest.raises(OpsdbError, match="time zone"):
        record_fixity(story.package_copy, RIGHT, checked_at=timezone.now().replace(tzinfo=None))
    with pytest.raises(NotFound):
        record_fixity(PhysicalCopy(pk=987654321), RIGHT)
    assert not FixityCheck.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_checks_at_once_leave_the_verdict_of_the_later():
    for _ in range(20):
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


# What is due


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
    for copy in make_due(story, None, None, None):
        assert len(list_due_fixity_checks(story.buffer, quota=2)) == 2 - min(2, FixityCheck.objects.count())
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
    with transaction.atomic():
        sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        plan = PhysicalCopy.objects.due_for_fixity(story.buffer, limit=10).explain()
    walks = [line for line in plan.splitlines() if "physical_copy_by_verification" in line]
    assert len(walks) == 2
    assert "verified_at IS NULL" in plan
    assert "verified_at <=" in plan


# Listings


def listing_of(location):
    """What the storage would list if all were right."""
    return [
        ListedFile(copy.target.relative_path, copy.size_bytes, copy.target.checksum)
        for copy in PhysicalCopy.objects.at(location).exclude(status__in=["deleted", "missing"]).order_by("pk")
    ]


def compare(location, listing, **options):
    options = {"abort_threshold": 1, "minimum_age": timedelta(0)} | options
    return reconcile_location(location, listing, **options)


def test_a_listing_that_agrees_finds_nothing(story):
    found = compare(story.buffer, listing_of(story.buffer))
    assert (found.listed, found.expected) == (2, 2)
    assert (found.missing, found.unknown, found.differing, found.returned, found.young, found.marked) == (0,) * 6


def test_what_is_not_listed_is_missing_and_marked_only_when_it_is_no_dry_run(story):
    listing = listing_of(story.buffer)[1:]
    found = compare(story.buffer, listing)
    assert (found.missing, found.marked) == (1, 0)
    assert found.missing_copies == [(story.package_copy.pk, story.package.relative_path)]
    assert status_of(story.package_copy) == "present"
    with attributed(user=UserFactory(), origin="opsdb_reconcile"):
        found = compare(story.buffer, listing, dry_run=False)
    assert (found.missing, found.marked) == (1, 1)
    assert status_of(story.package_copy) == "missing"
    assert ChangeLog.objects.of(story.package_copy).first().origin == "opsdb_reconcile"
    assert compare(story.buffer, listing, dry_run=False).marked == 0


def test_what_differs_and_what_nobody_knows_is_named_and_left_alone(story):
    listing = [
        ListedFile(story.package.relative_path, SIZE + 1, RIGHT),
        (story.bundle.relative_path, None, WRONG),
        ("stray/file.fits", 5, None),
    ]
    found = compare(story.buffer, listing, dry_run=False)
    assert (found.missing, found.differing, found.unknown, found.marked) == (0, 2, 1, 0)
    assert found.unknown_paths == ["stray/file.fits"]
    assert found.differing_copies == [
        (story.package_copy.pk, story.package.relative_path, f"size {SIZE + 1}, not {SIZE}"),
        (story.bundle_copy.pk, story.bundle.relative_path, f"checksum {WRONG}, not {RIGHT}"),
    ]
    assert PhysicalCopy.objects.at(story.buffer).filter(status="present").count() == 2


def test_too_much_missing_aborts_and_changes_nothing(story):
    listing = listing_of(story.buffer)[1:]
    with pytest.raises(ReconciliationAborted, match="1 of 2 copies are not listed, more than 10.0%") as caught:
        compare(story.buffer, listing, abort_threshold=0.1, dry_run=False)
    assert caught.value.found.missing == 1
    assert status_of(story.package_copy) == "present"
    with pytest.raises(ReconciliationAborted):
        compare(story.buffer, [], abort_threshold=0.99, dry_run=False)
    assert compare(story.buffer, listing, abort_threshold=0.5, dry_run=False).marked == 1


def test_copies_that_came_while_the_listing_was_made_are_not_judged(story):
    force(story.package_copy, arrived_at=long_ago())
    found = compare(story.buffer, [], minimum_age=timedelta(hours=1), dry_run=False)
    assert (found.expected, found.missing, found.young, found.marked) == (1, 1, 1, 1)
    assert status_of(story.bundle_copy) == "present"


def test_a_missing_copy_that_is_listed_is_reported_as_returned(story):
    listing = listing_of(story.buffer)
    PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(status="missing")
    found = compare(story.buffer, listing, dry_run=False)
    assert (found.returned, found.unknown, found.missing) == (1, 0, 0)
    assert status_of(story.package_copy) == "missing"


def test_a_deleted_copy_whose_bytes_are_listed_is_unknown(story):
    listing = listing_of(story.buffer)
    force(story.package_copy, status="deleted", deleted_at=timezone.now())
    assert compare(story.buffer, listing).unknown_paths == [story.package.relative_path]


@pytest.mark.parametrize("status", ["deletion_scheduled", "deletion_in_progress", "deletion_failed"])
def test_what_is_being_deleted_is_not_missed(story, status):
    force(story.package_copy, status=status, failure_message="x")
    assert compare(story.buffer, listing_of(story.buffer)[1:]).missing == 0


def test_an_archive_copy_that_is_gone_no_longer_counts(story):
    assert explain_deletion(story.package_copy).may_go
    compare(story.archive, [], dry_run=False)
    assert explain_deletion(story.package_copy).rule == 2


def test_nonsense_is_refused(story):
    for options in ({"abort_threshold": 1.5}, {"abort_threshold": -0.1}, {"minimum_age": timedelta(-1)}):
        with pytest.raises(OpsdbError):
            compare(story.buffer, [], **options)
    with pytest.raises(OpsdbError, match="can't be read"):
        compare(story.buffer, [("path", "many", None)])
    with pytest.raises(OpsdbError, match="can't be read"):
        compare(story.buffer, [("path",)])
    assert compare(story.buffer, []).listed == 0


def test_two_comparisons_can_follow_in_one_transaction(story):
    with transaction.atomic():
        for _ in range(2):
            compare(story.buffer, listing_of(story.buffer), dry_run=False)
        with pytest.raises(ReconciliationAborted):
            compare(story.buffer, [], abort_threshold=0)
        compare(story.buffer, listing_of(story.buffer))


def test_many_copies_are_compared_by_the_thousand(story):
    files = RawDataFileFactory.build_batch(
        3_000,
        source_location=story.source,
        executed_obs_unit=story.file.executed_obs_unit,
        instrument_module=story.file.instrument_module,
    )
    type(files[0]).objects.bulk_create(files)
    PhysicalCopy.objects.bulk_create(
        PhysicalCopy(data_location=story.source, raw_data_file=file, size_bytes=file.size_bytes) for file in files
    )
    listing = ((file.relative_path, file.size_bytes, file.checksum) for file in files[:-500])
    found = compare(story.source, listing, dry_run=False)
    assert (found.listed, found.missing, found.marked, found.unknown) == (2_500, 501, 501, 0)
    assert len(found.missing_copies) == 100


MEMORY = """
import resource, sys
from datetime import timedelta
import django
django.setup()
from opsdb.models import DataLocation
from opsdb.workflows import reconcile_location
location = DataLocation.objects.get(pk=int(sys.argv[1]))
listing = ((f"some/folder/file-{number}.fits", number, None) for number in range(int(sys.argv[2])))
reconcile(location, listing, abort_threshold=1, minimum_age=timedelta(0))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.django_db(transaction=True)
def test_the_memory_of_a_comparison_does_not_grow_with_the_listing():
    from tests.databases import url_of_test_database

    story = tell_story()
    peaks = []
    for number in (1_000, 200_000):
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(story.buffer.pk), str(number)],
            env={
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "DATABASE_URL": url_of_test_database(),
                "SECRET_KEY": "x",
                "PATH": "",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 20_000, "kilobytes"
    connection.close()
