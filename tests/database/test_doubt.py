"""Doubt does not count: only a copy that is verified, can be read, and is at an active location lets another go."""

import pytest
from django.utils import timezone

from opsdb.database.functions import IsSafeCopy
from opsdb.models import DataLocation, DataProduct, PhysicalCopy
from opsdb.testing.factories import (
    DataProductFactory,
    DataReleaseFactory,
    DiskDataLocationFactory,
    RawDataFileFactory,
    TapeDataLocationFactory,
)
from opsdb.testing.factories.verifying import verify
from opsdb.workflows import explain_deletion
from tests.databases import as_owner
from tests.workflows.racing import overtaken
from tests.workflows.scenario_deletion import RIGHT, SIZE, WRONG, force, refusal_of, sql, tell_story

pytestmark = pytest.mark.django_db

DOUBTS = {
    "unverified": {"verification": "unverified", "verified_at": None},
    "mismatch": {"verification": "mismatch", "checksum": WRONG},
    "missing": {"status": "missing"},
    "corrupt": {"status": "corrupt"},
    "scheduled": {"status": "deletion_scheduled"},
    "deleted": {"status": "deleted", "deleted_at": timezone.now()},
    "other checksum": {"checksum": WRONG},
    "other algorithm": {"checksum_algorithm": "blake2b", "checksum": RIGHT * 2},
    "no checksum": {"verification": "unverified", "verified_at": None, "checksum": None},
}
every_doubt = pytest.mark.parametrize("doubt", DOUBTS)


def copy_of(content, location=None, **facts):
    location = location or DiskDataLocationFactory()
    made = PhysicalCopy.objects.create(data_location_id=location.pk, **{content._meta.db_table: content}, **facts)
    return PhysicalCopy.objects.get(pk=made.pk)


def product_twice():
    """A product that nothing supersedes, and its two copies, both verified."""
    product = DataProductFactory(size_bytes=SIZE, checksum=RIGHT)
    processing = DiskDataLocationFactory(processing=True, retention_days=0)
    return product, verify(copy_of(product, processing)), verify(copy_of(product))


def schedule(copy):
    return lambda: sql("UPDATE physical_copy SET status = 'deletion_scheduled' WHERE id = %s", copy.pk)


def assert_held_back(copy, why):
    found = explain_deletion(copy)
    assert (found.rule, found.may_go) == (2, False), str(found)
    assert why in found.why
    for attempt in (
        schedule(copy),
        lambda: PhysicalCopy.objects.filter(pk=copy.pk).update(status="deletion_scheduled"),
        lambda: PhysicalCopy.objects.filter(pk=copy.pk).update(status="deletion_possible"),
    ):
        refusal = refusal_of(attempt)
        assert refusal.constraint_name == "physical_copy_deletion_is_safe"
        held_back = f"physical_copy {copy.pk}: cannot be deleted because of deletion rule 2: {found.why}"
        assert refusal.message_primary == held_back


def assert_may_go(copy):
    assert refusal_of(schedule(copy)) is None, str(explain_deletion(copy))


@every_doubt
def test_a_doubtful_copy_is_no_second_copy_of_a_product(doubt):
    product, copy, other = product_twice()
    assert_may_go(copy)
    force(other, **DOUBTS[doubt])
    assert_held_back(copy, f"data_product {product.pk} has no other verified copy, and nothing supersedes it")


def test_a_copy_at_an_inactive_location_is_no_second_copy_of_a_product():
    product, copy, other = product_twice()
    DataLocation.objects.filter(pk=other.data_location_id).update(active=False)
    assert_held_back(copy, f"data_product {product.pk} has no other verified copy")
    DataLocation.objects.filter(pk=other.data_location_id).update(active=True)
    assert_may_go(copy)


def test_an_archive_that_takes_no_new_data_keeps_what_it_has():
    product, copy, other = product_twice()
    archive = TapeDataLocationFactory(archive=True, active=False)
    kept = verify(copy_of(product, archive))
    force(other, status="missing")
    assert_may_go(copy)
    story = tell_story()
    DataLocation.objects.filter(pk=story.archive.pk).update(active=False)
    assert_may_go(story.package_copy)
    assert PhysicalCopy.objects.filter(IsSafeCopy("pk"), pk__in=[kept.pk, story.archive_copy.pk]).count() == 2


def test_a_copy_that_is_made_up_elsewhere_lets_the_real_one_not_go():
    """What the attack did: an unverified row of a copy that nobody ever wrote."""
    product, copy, other = product_twice()
    force(other, status="missing")
    sql(
        "INSERT INTO physical_copy (data_location_id, data_product_id, status, checksum, checksum_algorithm, "
        "size_bytes, verification, retry_count, failure_message) "
        "VALUES (%s, %s, 'present', %s, 'sha256', %s, 'unverified', 0, '')",
        DiskDataLocationFactory().pk,
        product.pk,
        RIGHT,
        SIZE,
    )
    assert_held_back(copy, "has no other verified copy")


@every_doubt
def test_a_doubtful_copy_lets_no_unarchived_data_go_from_a_processing_location(doubt):
    story = tell_story()
    force(story.package, state="transferring")
    PhysicalCopy.objects.filter(pk=story.archive_copy.pk).update(status="missing")
    verify(story.package_copy)
    staged = {
        "file": copy_of(story.file, story.processing),
        "package": story.staged_copy,
        "bundle": copy_of(story.bundle, story.processing),
    }
    for copy in staged.values():
        assert_may_go(copy)
    force(story.package_copy, **DOUBTS[doubt])
    for copy in staged.values():
        assert_held_back(copy, f"raw_data_package {story.package.pk} is transferring, not archived")


@every_doubt
def test_a_doubtful_copy_lets_no_file_go_that_is_in_no_package(doubt):
    story = tell_story()
    file = RawDataFileFactory(source_location=story.source)
    staged, first = copy_of(file, story.processing), verify(copy_of(file, story.source))
    assert_may_go(staged)
    force(first, **({**DOUBTS[doubt]} if doubt != "other algorithm" else {"checksum": WRONG}))
    assert_held_back(staged, f"raw_data_file {file.pk} is in no raw data package")


def superseded(*chain):
    """The only copy of a product that others supersede, each the one before."""
    product = DataProductFactory(size_bytes=SIZE, checksum=RIGHT)
    processing = DiskDataLocationFactory(processing=True, retention_days=0)
    copy = verify(copy_of(product, processing))
    for before, after in zip((product, *chain), chain, strict=False):
        DataProduct.objects.filter(pk=before.pk).update(superseded_by=after)
    return product, copy


@every_doubt
def test_a_product_stays_while_what_supersedes_it_has_only_a_doubtful_copy(doubt):
    later = DataProductFactory(size_bytes=SIZE, checksum=RIGHT)
    product, copy = superseded(later)
    why = f"data_product {product.pk} has no other verified copy, and data_product {later.pk}, which supersedes it, has"
    assert_held_back(copy, f"{why} no verified copy")
    kept = copy_of(later)
    assert_held_back(copy, f"{why} no verified copy")
    verify(kept)
    assert_may_go(copy)
    force(kept, **DOUBTS[doubt])
    assert_held_back(copy, f"{why} no verified copy")


def test_a_product_stays_while_the_last_that_supersedes_it_has_no_copy():
    """Of those between, a copy is not enough: each of them may go for the same reason."""
    between, last = DataProductFactory(kept=True), DataProductFactory()
    product, copy = superseded(between, last)
    assert_held_back(copy, f"data_product {last.pk}, which supersedes it, has no verified copy")
    verify(copy_of(last))
    assert_may_go(copy)
    DataReleaseFactory().products.add(product)
    assert_held_back(copy, "holds it")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deletion_first", [True, False])
def test_a_product_and_what_supersedes_it_are_not_both_lost_at_once(deletion_first):
    """The deletion of the one relies on the copy of the other: whichever is first, the second waits and sees it."""
    later = DataProductFactory(kept=True)
    kept = later.copies.get()
    _, copy = superseded(later)
    delete = schedule(copy)

    def doubt():
        PhysicalCopy.objects.filter(pk=kept.pk).update(verification="unverified", verified_at=None)

    if deletion_first:
        overtaken(delete, doubt)
        refusal = refusal_of(lambda: PhysicalCopy.objects.filter(pk=copy.pk).update(status="deletion_in_progress"))
    else:
        refusal = overtaken(doubt, lambda: refusal_of(delete))
    assert f"data_product {later.pk}, which supersedes it, has no verified copy" in refusal.message_primary


@pytest.mark.django_db(transaction=True)
def test_two_deletions_do_not_rely_on_each_other():
    """Both copies of a product in two transactions at once."""
    _, copy, other = product_twice()
    DataLocation.objects.filter(pk=other.data_location_id).update(retention_days=0)
    refusal = overtaken(schedule(copy), lambda: refusal_of(schedule(other)))
    assert "has no other verified copy" in refusal.message_primary


@pytest.mark.django_db(transaction=True)
def test_a_product_that_comes_to_supersede_while_another_deletion_waits_is_seen():
    later, none = DataProductFactory(kept=True), DataProductFactory()
    _, copy = superseded(later)
    refusal = overtaken(
        lambda: DataProduct.objects.filter(pk=later.pk).update(superseded_by=none), lambda: refusal_of(schedule(copy))
    )
    assert f"data_product {none.pk}, which supersedes it, has no verified copy" in refusal.message_primary


def test_the_same_function_answers_querysets():
    product, copy, other = product_twice()
    force(other, verification="unverified", verified_at=None)
    assert list(PhysicalCopy.objects.filter(IsSafeCopy("pk"), data_product=product)) == [copy]


def test_with_the_rule_as_it_was_the_doubtful_copy_counts():
    """What the tests above see is what opsdb_is_safe_copy asks, and nothing else."""
    product, copy, other = product_twice()
    force(other, verification="unverified", verified_at=None)
    assert_held_back(copy, "has no other verified copy")
    with as_owner():
        sql(
            "CREATE OR REPLACE FUNCTION opsdb_is_safe_copy(copy_id bigint) RETURNS boolean LANGUAGE sql STABLE AS "
            "'SELECT opsdb_is_readable(status, verification) FROM public.physical_copy WHERE id = copy_id'"
        )
    assert_may_go(copy)
    assert product.copies.count() == 2
