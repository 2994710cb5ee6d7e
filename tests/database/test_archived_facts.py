"""What is recorded of archived data stays for good, whatever becomes of the verification of their copies."""

import pytest
from django.db import transaction
from django.db.models.functions import Now

from opsdb.models import PhysicalCopy, RawDataFile, RawDataPackage
from opsdb.models.data.raw_packages import ARCHIVED_COLUMNS
from opsdb.models.data.transfer_packages import VERIFIED_COLUMNS
from opsdb.testing.factories import RawDataFileFactory
from tests.databases import as_owner
from tests.workflows.racing import overtaken
from tests.workflows.scenario_deletion import WRONG, force, refusal_of, sql, tell_story

pytestmark = pytest.mark.django_db

OTHER = {
    "checksum": WRONG,
    "checksum_algorithm": "sha512",
    "size_bytes": 1,
    "relative_path": "x/y",
    "file_count": 9,
    "name": "other.tar",
}
DOUBTS = {
    "verified": {},
    "unverified": {"verification": "unverified", "verified_at": None},
    "missing": {"status": "missing"},
    "corrupt": {"status": "corrupt", "verification": "mismatch", "checksum": WRONG, "verified_at": Now()},
}


def story_in_doubt(doubt):
    """An archived package of whose copies all are in doubt."""
    story = tell_story()
    copies = PhysicalCopy.objects.filter(pk__in=[story.archive_copy.pk, story.package_copy.pk, story.file_copy.pk])
    if DOUBTS[doubt]:
        copies.update(**DOUBTS[doubt])
        PhysicalCopy.objects.filter(pk=story.staged_copy.pk).update(verification="unverified", verified_at=None)
    return story


def attempts(row, fact):
    changes = {fact: OTHER[fact]} | ({"checksum": WRONG * 2} if fact == "checksum_algorithm" else {})
    table = row._meta.db_table
    assignments = ", ".join(f"{name} = %s" for name in changes)
    return (
        lambda: type(row).objects.filter(pk=row.pk).update(**changes),
        lambda: sql(f"UPDATE {table} SET {assignments} WHERE id = %s", *changes.values(), row.pk),
    )


@pytest.mark.parametrize("doubt", DOUBTS)
@pytest.mark.parametrize("fact", ARCHIVED_COLUMNS)
def test_facts_of_an_archived_package_stay_while_all_copies_are_in_doubt(fact, doubt):
    story = story_in_doubt(doubt)
    for attempt in attempts(story.package, fact):
        refusal = refusal_of(attempt)
        assert refusal.constraint_name == "raw_data_package_archived_stays"
        assert refusal.message_primary == (
            f"raw_data_package {story.package.pk}: {', '.join(ARCHIVED_COLUMNS)} cannot be changed, "
            "because it was archived"
        )


@pytest.mark.parametrize("doubt", DOUBTS)
@pytest.mark.parametrize("fact", VERIFIED_COLUMNS)
def test_facts_of_an_archived_file_stay_while_all_copies_are_in_doubt(fact, doubt):
    story = story_in_doubt(doubt)
    for attempt in attempts(story.file, fact):
        refusal = refusal_of(attempt)
        assert refusal.constraint_name == "raw_data_file_archived_stays"
        assert refusal.message_primary == (
            f"raw_data_file {story.file.pk}: {', '.join(VERIFIED_COLUMNS)} cannot be changed, "
            f"because raw_data_package {story.package.pk} was archived"
        )


def test_an_archived_package_keeps_its_files_while_all_copies_are_in_doubt():
    story = story_in_doubt("unverified")
    # Also when the work that made it is begun anew.
    force(story.package, status="failed", failure_message="x")
    stranger = RawDataFileFactory(
        source_location=story.source,
        executed_obs_unit=story.file.executed_obs_unit,
        instrument_module=story.file.instrument_module,
    )
    for attempt in (
        lambda: RawDataFile.objects.filter(pk=story.file.pk).update(raw_data_package=None),
        lambda: sql("UPDATE raw_data_file SET raw_data_package_id = NULL WHERE id = %s", story.file.pk),
        lambda: RawDataFile.objects.filter(pk=stranger.pk).update(raw_data_package=story.package),
        lambda: sql(
            "UPDATE raw_data_file SET raw_data_package_id = NULL, checksum = %s WHERE id = %s", WRONG, story.file.pk
        ),
    ):
        refusal = refusal_of(attempt)
        assert refusal.constraint_name in {"raw_data_file_package_still_open", "raw_data_file_archived_stays"}


def test_an_archived_package_does_not_become_another_state_to_be_rewritten():
    story = story_in_doubt("unverified")
    for state in ("waiting", "transferring", "failed"):
        refusal = refusal_of(
            lambda state=state: sql(
                "UPDATE raw_data_package SET state = %s, checksum = %s WHERE id = %s", state, WRONG, story.package.pk
            )
        )
        assert refusal.constraint_name in {"raw_data_package_archived_stays", "raw_data_package_state_transition"}
        refusal = refusal_of(lambda state=state: RawDataPackage.objects.filter(pk=story.package.pk).update(state=state))
        assert refusal.constraint_name == "raw_data_package_state_transition"


def test_facts_may_be_corrected_before_the_package_is_archived():
    story = tell_story()
    force(story.package, state="transferring")
    PhysicalCopy.objects.filter(pk__in=[story.archive_copy.pk, story.staged_copy.pk]).update(
        verification="unverified", verified_at=None
    )
    for row in (story.file, story.package):
        for attempt in attempts(row, "size_bytes"):
            assert refusal_of(attempt) is None


@pytest.mark.django_db(transaction=True)
def test_facts_of_a_file_do_not_change_while_its_package_is_being_archived():
    story = tell_story()
    force(story.package, state="transferring")
    PhysicalCopy.objects.filter(pk=story.staged_copy.pk).update(verification="unverified", verified_at=None)
    refusal = overtaken(
        lambda: RawDataPackage.objects.filter(pk=story.package.pk).update(state="archived"),
        lambda: refusal_of(lambda: RawDataFile.objects.filter(pk=story.file.pk).update(checksum=WRONG)),
    )
    assert refusal.constraint_name in {"raw_data_file_archived_stays", "raw_data_file_facts_frozen"}


@pytest.mark.parametrize("table", ["raw_data_package", "raw_data_file"])
def test_without_its_rule_the_facts_are_rewritten(table):
    """What the tests above see is this rule, and no other."""
    story = story_in_doubt("unverified")
    row = story.package if table == "raw_data_package" else story.file
    attempt, _ = attempts(row, "relative_path")
    with transaction.atomic():
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        with as_owner():
            sql(f"DROP TRIGGER {table}_archived_stays ON {table}")
        assert refusal_of(attempt) is None
        transaction.set_rollback(True)
    assert refusal_of(attempt).constraint_name == f"{table}_archived_stays"
