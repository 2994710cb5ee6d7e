"""Reconciliation: what a storage lists, compared with the recorded copies."""

import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from opsdb.models import ChangeLog, PhysicalCopy
from opsdb.testing.factories import RawDataFileFactory, UserFactory
from opsdb.workflows import (
    ListedFile,
    OpsdbError,
    ReconciliationAborted,
    attributed,
    explain_deletion,
    reconcile_location,
)
from tests.workflows.scenario_deletion import RIGHT, SIZE, WRONG, force, long_ago, tell_story
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def story():
    return tell_story()


def status_of(copy):
    return PhysicalCopy.objects.values_list("status", flat=True).get(pk=copy.pk)


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


def test_a_deleted_copy_whose_bytes_are_listed_has_returned(story):
    listing = listing_of(story.buffer)
    force(story.package_copy, status="deleted", deleted_at=timezone.now())
    found = compare(story.buffer, listing)
    assert (found.unknown, found.returned_copies) == (0, [(story.package_copy.pk, story.package.relative_path)])


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
reconcile_location(location, listing, abort_threshold=1, minimum_age=timedelta(0))
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
