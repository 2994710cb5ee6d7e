"""Nobody deletes what is needed, whatever they type: every rule, by every way to change a row."""

import itertools
import random
from contextlib import nullcontext
from copy import deepcopy
from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from opsdb.models import (
    ChangeLog,
    DataLocation,
    DataTransferPackage,
    DeletionPolicy,
    DeletionRequest,
    DeletionRequestItem,
    DeletionRequestStatus,
    ExecutedObsUnit,
    ExecutedReductionStep,
    FixityCheck,
    LongTermArchiveTransfer,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataFile,
    RawDataPackage,
    RunStatus,
    StagingJob,
    Verification,
)
from opsdb.row_labels import place_of
from opsdb.testing.factories import (
    DataProductFactory,
    DataReleaseFactory,
    DataTransferFactory,
    DataTransferPackageFactory,
    DeletionRequestFactory,
    DeletionRequestItemFactory,
    DiskDataLocationFactory,
    ExecutedReductionStepFactory,
    LongTermArchiveTransferFactory,
    PublicationFactory,
    RawDataFileFactory,
    RawDataPackageFactory,
    StagingJobFactory,
    TapeDataLocationFactory,
    UserFactory,
)
from opsdb.testing.factories.verifying import verify
from opsdb.workflows import attributed, explain_deletion, record_fixity, release_staging, schedule_deletion
from tests.databases import as_owner
from tests.workflows.racing import overtaken
from tests.workflows.scenario_deletion import (
    RIGHT,
    SIZE,
    WRONG,
    archive_again,
    complete,
    force,
    long_ago,
    refusal_of,
    sql,
    tell_story,
    without_rules,
)
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db

TOWARDS_DELETION = ("deletion_possible", "deletion_scheduled")


@shared_world
def story():
    return tell_story()


def assert_held_back(copy, rule, why):
    """By the workflow, ``update()``, plain SQL and MERGE; and the explanation names the rule and the row."""
    table = "physical_copy"
    found = explain_deletion(copy)
    assert (found.may_go, found.rule) == (False, rule), str(found)
    assert why in found.why
    message = f"physical_copy {copy.pk}: cannot be deleted because of deletion rule {rule}: {found.why}"
    assert str(found) == message
    outcome = schedule_deletion([copy])
    assert (outcome.copies, outcome.held_back) == ([], [found])
    rows = PhysicalCopy.objects.filter(pk=copy.pk)
    for after in TOWARDS_DELETION:
        for attempt in (
            lambda after=after: rows.update(status=after),
            lambda after=after: PhysicalCopy.objects.bulk_update([PhysicalCopy(pk=copy.pk, status=after)], ["status"]),
            lambda after=after: sql(f"UPDATE {table} SET status = %s WHERE id = %s", after, copy.pk),
            lambda after=after: sql(
                f"MERGE INTO {table} AS old USING (VALUES (%s::bigint)) AS new (id) ON old.id = new.id "
                "WHEN MATCHED THEN UPDATE SET status = %s",
                copy.pk,
                after,
            ),
        ):
            refusal = refusal_of(attempt)
            assert refusal is not None
            assert refusal.constraint_name == "physical_copy_deletion_is_safe"
            assert refusal.message_primary == message


def assert_may_go(copy):
    assert explain_deletion(copy).may_go, str(explain_deletion(copy))
    assert refusal_of(lambda: PhysicalCopy.objects.filter(pk=copy.pk).update(status="deletion_scheduled")) is None


def test_what_is_archived_and_needed_by_nobody_may_go_everywhere_but_in_the_archive(story):
    for copy in story.deletable_copies:
        assert_may_go(copy)
    assert not explain_deletion(story.archive_copy).may_go


# Rule 1


def test_rule_1_copies_in_an_archive_are_permanent(story):
    archive_again(story)
    assert_held_back(story.archive_copy, 1, f"copies in the archive {place_of(story.archive)} are permanent")


@pytest.mark.parametrize("before", ["corrupt", "missing"])
def test_rule_1_holds_for_archive_copies_that_are_spoilt_or_lost(story, before):
    archive_again(story)
    PhysicalCopy.objects.filter(pk=story.archive_copy.pk).update(status=before)
    assert explain_deletion(story.archive_copy).rule == 1
    after = "deleted" if before == "missing" else "deletion_scheduled"
    rows = PhysicalCopy.objects.filter(pk=story.archive_copy.pk)
    refusal = refusal_of(lambda: rows.update(status=after, deleted_at=timezone.now()))
    assert "deletion rule 1" in refusal.message_primary


# Rule 2

DOUBTS = {
    "unverified": {"verification": "unverified"},
    "mismatch": {"verification": "mismatch", "checksum": WRONG},
    "corrupt": {"status": "corrupt"},
    "missing": {"status": "missing"},
    "of_wrong_checksum": {"verification": "mismatch", "checksum": WRONG, "status": "corrupt"},
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_rule_2_a_doubtful_archive_copy_counts_for_nothing(story, doubt):
    PhysicalCopy.objects.filter(pk=story.archive_copy.pk).update(**DOUBTS[doubt])
    why = f"raw_data_package {story.package.pk} has 0 verified archive copies elsewhere, and needs 1"
    for copy in (story.file_copy, story.package_copy, story.bundle_copy):
        assert_held_back(copy, 2, why)


@pytest.mark.parametrize("state", ["waiting", "transferring", "failed"])
def test_rule_2_a_package_that_is_not_archived_is_not_safe(story, state):
    force(story.package, state=state)
    for copy in (story.file_copy, story.package_copy, story.bundle_copy):
        assert_held_back(copy, 2, f"raw_data_package {story.package.pk} is {state}, not archived")


def test_rule_2_counts_by_the_checksum_and_not_only_by_the_verdict(story):
    force(story.archive_copy, checksum=WRONG)
    assert story.archive_copy.verification == Verification.VERIFIED
    assert_held_back(story.package_copy, 2, "has 0 verified archive copies")


def test_rule_2_counts_by_the_algorithm_of_the_checksum_as_well(story):
    digits = RIGHT * 2
    force(story.package, checksum=digits, checksum_algorithm="sha512")
    force(story.archive_copy, checksum=digits, checksum_algorithm="sha512")
    assert_may_go(story.package_copy)
    force(story.archive_copy, checksum_algorithm="blake2b")
    assert_held_back(story.package_copy, 2, "has 0 verified archive copies")


def test_rule_2_a_verified_copy_anywhere_else_is_no_archive_copy(story):
    PhysicalCopy.objects.filter(pk=story.archive_copy.pk).update(status="missing")
    other = PhysicalCopy.objects.create(data_location=DiskDataLocationFactory(), raw_data_package=story.package)
    verify(other)
    assert story.staged_copy.verification == Verification.VERIFIED
    assert_held_back(story.package_copy, 2, "has 0 verified archive copies")


def test_rule_2_a_file_in_no_package_is_not_safe(story):
    file = RawDataFileFactory(source_location=story.source)
    copy = PhysicalCopy.objects.create(data_location=story.source, raw_data_file=file)
    assert_held_back(copy, 2, f"raw_data_file {file.pk} is in no raw data package, so no archive holds it")


def test_rule_2_a_file_in_no_package_may_go_where_it_was_staged_while_another_copy_can_be_read(story):
    file = RawDataFileFactory(source_location=story.source)
    staged = PhysicalCopy.objects.create(data_location=story.processing, raw_data_file=file)
    why = "is in no raw data package"
    assert_held_back(staged, 2, why)
    first = PhysicalCopy.objects.create(data_location=story.source, raw_data_file=file)
    assert_held_back(staged, 2, why)
    verify(first)
    assert_may_go(staged)
    assert_held_back(first, 2, why)
    for doubt in (
        {"verification": "mismatch", "checksum": WRONG, "verified_at": timezone.now()},
        {"status": "missing"},
    ):
        force(first, **doubt)
        assert_held_back(staged, 2, why)


@pytest.mark.parametrize("kind", ["file", "bundle"])
def test_rule_2_files_and_bundles_may_go_where_they_were_staged_while_another_copy_can_be_read(story, kind):
    first = getattr(story, f"{kind}_copy")
    force(story.package, state="waiting")
    PhysicalCopy.objects.exclude(pk=first.pk).update(status="missing")
    verify(first)
    staged = PhysicalCopy.objects.create(data_location=story.processing, **{first.target_name: first.target})
    assert_may_go(staged)
    for doubt in (
        {"verification": "mismatch", "checksum": WRONG, "verified_at": timezone.now()},
        {"status": "missing"},
    ):
        force(first, **doubt)
        assert_held_back(staged, 2, "is waiting, not archived")


def test_rule_2_a_bundle_is_only_as_safe_as_each_of_its_packages(story):
    other = RawDataPackageFactory(sealed=True)
    with without_rules(RawDataPackage):
        RawDataPackage.objects.filter(pk=other.pk).update(data_transfer_package=story.bundle)
    assert_held_back(story.bundle_copy, 2, f"raw_data_package {other.pk} is waiting, not archived")


def test_rule_2_asks_for_as_many_archive_copies_as_the_policy_says(story):
    DeletionPolicy.objects.update_or_create(pk=1, defaults={"min_archive_copies": 2})
    assert_held_back(story.package_copy, 2, "has 1 verified archive copies elsewhere, and needs 2")
    archive_again(story)
    assert_may_go(story.package_copy)


def test_rule_2_lets_nothing_go_where_the_policy_is_lost(story):
    assert_may_go(story.package_copy)
    with without_rules(DeletionPolicy):
        DeletionPolicy.objects.all().delete()
    assert_held_back(story.package_copy, 2, "there is no deletion_policy row")
    refusal = refusal_of(
        lambda: PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(status="deletion_possible")
    )
    assert refusal.message_hint == "Run manage.py opsdb_migrate, which stores that row."


def test_rule_2_the_last_copy_of_a_product_stays_unless_it_is_superseded_and_not_published(story):
    product, copy = staged_product(story)
    assert_may_go(copy)
    row = type(product).objects.filter(pk=product.pk)
    why = f"data_product {product.pk} has no other verified copy, and "
    later = product.superseded_by_id
    row.update(superseded_by=None)
    assert_held_back(copy, 2, f"{why}nothing supersedes it")
    row.update(superseded_by=later)
    release = DataReleaseFactory()
    release.products.add(product)
    assert_held_back(copy, 2, f"{why}data_release {release.pk} holds it")
    release.products.clear()
    publication = PublicationFactory()
    publication.products.add(product)
    assert_held_back(copy, 2, f"{why}publication {publication.pk} uses it")


@pytest.mark.parametrize("place", ["processing", "buffer"])
def test_rule_2_a_product_may_go_where_another_copy_can_be_read(story, place):
    product, copy = staged_product(story)
    type(product).objects.filter(pk=product.pk).update(superseded_by=None)
    other = PhysicalCopy.objects.create(data_location=story.buffer, data_product=product, checksum=RIGHT)
    assert_held_back(copy, 2, f"data_product {product.pk} has no other verified copy")
    verify(copy), verify(other)
    assert_may_go(copy if place == "processing" else other)
    assert (copy if place == "processing" else other) in PhysicalCopy.objects.deletable(getattr(story, place))
    record_fixity(other, WRONG)
    assert_held_back(copy, 2, f"data_product {product.pk} has no other verified copy")
    force(other, status="present")
    assert_held_back(copy, 2, f"data_product {product.pk} has no other verified copy")
    record_fixity(other, RIGHT)
    assert_may_go(copy)
    PhysicalCopy.objects.filter(pk=other.pk).update(status="missing")
    assert_held_back(copy, 2, f"data_product {product.pk} has no other verified copy")


@pytest.mark.parametrize("kind", ["file_copy", "package_copy", "bundle_copy"])
def test_where_to_look_for_copies_that_may_go_is_kept_by_the_database(story, kind):
    copy = getattr(story, kind)
    assert copy.deletion_candidate
    assert copy.target_name != "raw_data_file" or PhysicalCopy.objects.deletable(story.source).get() == copy
    again = PhysicalCopy.objects.create(data_location=DiskDataLocationFactory(), **{copy.target_name: copy.target})
    again.refresh_from_db()
    assert again.deletion_candidate
    PhysicalCopy.objects.filter(pk=copy.pk).update(deletion_candidate=False)
    copy.refresh_from_db()
    assert copy.deletion_candidate
    file = RawDataFileFactory(source_location=story.source)
    waiting = PhysicalCopy.objects.create(data_location=story.source, raw_data_file=file)
    waiting.refresh_from_db()
    assert not waiting.deletion_candidate
    assert not ChangeLog.objects.filter(table_name="physical_copy", after__has_key="deletion_candidate").exists()


@pytest.mark.django_db(transaction=True)
def test_a_copy_that_comes_while_its_package_is_archived_is_looked_at():
    story = tell_story()
    force(story.package, state="transferring")
    where = DiskDataLocationFactory()
    made = overtaken(
        lambda: RawDataPackage.objects.filter(pk=story.package.pk).update(state="archived"),
        lambda: PhysicalCopy.objects.create(data_location=where, raw_data_package=story.package),
    )
    made.refresh_from_db()
    assert made.deletion_candidate


@pytest.mark.parametrize("number", [0, -1])
def test_the_policy_cannot_ask_for_no_archive_copy(number):
    DeletionPolicy.objects.get_or_create(pk=1, defaults={"min_archive_copies": 1})
    refusal = refusal_of(lambda: DeletionPolicy.objects.update(min_archive_copies=number))
    assert refusal.constraint_name == "deletion_policy_min_archive_copies_positive"
    assert refusal_of(lambda: DeletionPolicy.objects.create(pk=2, min_archive_copies=1)) is not None


def test_the_last_copy_of_raw_data_at_a_processing_location_stays(story):
    for copy in (story.archive_copy, story.package_copy, story.bundle_copy, story.file_copy):
        PhysicalCopy.objects.filter(pk=copy.pk).update(status="missing")
    assert_held_back_staged(story, "has 0 verified archive copies")
    PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(status="present")
    assert_held_back_staged(story, "has 0 verified archive copies")
    verify(story.package_copy)
    assert_may_go(story.staged_copy)
    PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(
        verification="mismatch", checksum=WRONG, verified_at=timezone.now()
    )
    assert_held_back_staged(story, "has 0 verified archive copies")


def assert_held_back_staged(story, why):
    found = explain_deletion(story.staged_copy)
    assert (found.rule, found.may_go) == (2, False)
    assert why in found.why
    refusal = refusal_of(
        lambda: PhysicalCopy.objects.filter(pk=story.staged_copy.pk).update(status="deletion_scheduled")
    )
    assert refusal.message_primary == str(found)


def test_a_loss_is_not_called_a_deletion_before_the_content_is_safe(story):
    PhysicalCopy.objects.filter(pk__in=[story.archive_copy.pk, story.file_copy.pk]).update(status="missing")
    rows = PhysicalCopy.objects.filter(pk=story.file_copy.pk)
    refusal = refusal_of(lambda: rows.update(status="deleted", deleted_at=timezone.now()))
    assert "deletion rule 2" in refusal.message_primary
    archive_again(story)
    assert refusal_of(lambda: rows.update(status="deleted", deleted_at=timezone.now())) is None


def test_only_rules_1_and_2_hold_back_what_is_missing_already(story):
    DataLocation.objects.filter(pk=story.buffer.pk).update(retention_days=None)
    StagingJobFactory(raw_data_packages=[story.package])
    assert_held_back(story.package_copy, 3, "still needs it")
    rows = PhysicalCopy.objects.filter(pk=story.package_copy.pk)
    rows.update(status="corrupt")
    assert explain_deletion(story.package_copy).rule == 3
    rows.update(status="missing")
    assert explain_deletion(story.package_copy).may_go
    assert refusal_of(lambda: rows.update(status="deleted", deleted_at=timezone.now())) is None


# Rule 3


@pytest.mark.parametrize("status", ["pending", "scheduled", "in_progress"])
def test_rule_3_an_open_transfer_holds_what_it_reads(story, status):
    transfer = DataTransferFactory(
        data_transfer_package=story.bundle,
        origin_location=story.buffer,
        **{status: True} if status != "pending" else {},
    )
    assert_held_back(story.bundle_copy, 3, f"data_transfer {transfer.pk} still needs it")


def test_rule_3_a_transfer_holds_only_what_it_reads_and_what_it_brought(story):
    """Open from another place; arrived elsewhere; and given up."""
    elsewhere = DiskDataLocationFactory()
    DataTransferFactory(data_transfer_package=story.bundle, origin_location=elsewhere)
    arrived = DataTransferFactory(
        data_transfer_package=story.bundle, origin_location=story.source, destination_location=elsewhere
    )
    force(arrived, status="completed", finished_at=timezone.now())
    given_up = DataTransferFactory(
        data_transfer_package=story.bundle, origin_location=elsewhere, destination_location=story.buffer
    )
    force(given_up, status="failed", finished_at=timezone.now(), failure_message="no space")
    assert_may_go(story.bundle_copy)


@pytest.mark.parametrize("unpack_status", ["pending", "in_progress", "failed"])
def test_rule_3_what_has_arrived_stays_until_it_is_unpacked(story, unpack_status):
    transfer = DataTransferFactory(
        data_transfer_package=story.bundle, origin_location=story.source, destination_location=story.buffer
    )
    force(
        transfer,
        status="completed",
        finished_at=timezone.now(),
        unpack_status=unpack_status,
        unpack_failure_message="no space",
    )
    assert_held_back(story.bundle_copy, 3, f"data_transfer {transfer.pk} has not been unpacked and still needs it")
    force(transfer, unpack_status="completed", unpacked_at=timezone.now())
    assert_may_go(story.bundle_copy)


@pytest.mark.parametrize("origin_is_decided", [True, False])
def test_rule_3_an_open_archive_transfer_holds_what_it_reads(story, origin_is_decided):
    transfer = LongTermArchiveTransferFactory(
        raw_data_package=story.package, origin_location=story.buffer if origin_is_decided else None
    )
    for status in ("pending", "scheduled", "in_progress"):
        force(transfer, status=status, started_at=timezone.now())
        assert_held_back(story.package_copy, 3, f"long_term_archive_transfer {transfer.pk} still needs it")
    transfer.delete()
    LongTermArchiveTransferFactory(raw_data_package=story.package, from_buffer=True)
    assert_may_go(story.package_copy)


def test_rule_3_a_bundle_that_is_being_made_holds_what_goes_into_it(story):
    force(story.bundle, status="in_progress", started_at=timezone.now(), finished_at=None)
    assert_held_back(story.package_copy, 3, f"data_transfer_package {story.bundle.pk} still needs it")
    elsewhere = DiskDataLocationFactory(retention_days=0)
    assert_may_go(PhysicalCopy.objects.create(data_location_id=elsewhere.pk, raw_data_package=story.package))


def test_rule_3_a_bundle_that_is_being_made_holds_nothing_else(story):
    other = DataTransferPackageFactory(origin_location=story.buffer)
    force(RawDataPackageFactory(sealed=True), data_transfer_package=other)
    assert_may_go(story.package_copy)


def test_rule_3_an_open_staging_job_holds_what_it_may_read(story):
    job = StagingJobFactory(raw_data_packages=[story.package])
    assert_held_back(story.package_copy, 3, f"staging_job {job.pk} still needs it")


def test_rule_3_an_open_staging_job_holds_products_as_well(story):
    product, copy = staged_product(story)
    job = StagingJobFactory(data_products=[product])
    assert_held_back(copy, 3, f"staging_job {job.pk} still needs it")


# Rule 4


def staged_product(story):
    """A product that another one supersedes, and its only copy."""
    product = DataProductFactory(size_bytes=SIZE, checksum=RIGHT, superseded=True)
    return product, PhysicalCopy.objects.create(data_location=story.processing, data_product=product)


def test_rule_4_an_active_staging_job_holds_what_it_staged(story):
    job = StagingJobFactory(
        raw_data_packages=[story.package], destination_location_id=story.processing.pk, completed=True
    )
    found = explain_deletion(story.staged_copy)
    assert (found.rule, found.held_by) == (4, f"staging_job {job.pk}")
    assert_held_back_by_every_way_from_staged(story, found)
    elsewhere = DiskDataLocationFactory(processing=True, retention_days=0)
    assert_may_go(PhysicalCopy.objects.create(data_location_id=elsewhere.pk, raw_data_package=story.package))
    StagingJob.objects.filter(pk=job.pk).update(active=False)
    assert explain_deletion(story.staged_copy).may_go


def assert_held_back_by_every_way_from_staged(story, found):
    rows = PhysicalCopy.objects.filter(pk=story.staged_copy.pk)
    for attempt in (
        lambda: rows.update(status="deletion_scheduled"),
        lambda: sql("UPDATE physical_copy SET status = 'deletion_scheduled' WHERE id = %s", story.staged_copy.pk),
    ):
        assert refusal_of(attempt).message_primary == str(found)
    assert schedule_deletion(story.staged_copy).held_back == [found]


@pytest.mark.parametrize("status", [str(status) for status in RunStatus.open()])
def test_rule_4_an_open_run_holds_its_input(story, status):
    run = ExecutedReductionStepFactory()
    run.input_packages.add(story.package)
    force(run, status=status)
    found = explain_deletion(story.staged_copy)
    assert (found.rule, found.held_by) == (4, f"executed_reduction_step {run.pk}")
    assert_held_back_by_every_way_from_staged(story, found)
    force(run, status="cancelled")
    assert explain_deletion(story.staged_copy).may_go


def test_rule_4_holds_for_products_as_well(story):
    product, copy = staged_product(story)
    assert_may_go(copy)
    job = StagingJobFactory(data_products=[product], destination_location_id=story.processing.pk, completed=True)
    assert_held_back(copy, 4, f"staging_job {job.pk} still needs it at {place_of(story.processing)}")
    elsewhere = DiskDataLocationFactory(processing=True, retention_days=0)
    assert_may_go(PhysicalCopy.objects.create(data_location_id=elsewhere.pk, data_product=product))
    StagingJob.objects.filter(pk=job.pk).update(active=False)
    run = ExecutedReductionStepFactory()
    run.input_products.add(product)
    assert_held_back(copy, 4, f"executed_reduction_step {run.pk} still needs it at {place_of(story.processing)}")


# Rule 5


def test_rule_5_the_retention_of_the_location_must_have_passed(story):
    DataLocation.objects.filter(pk=story.buffer.pk).update(retention_days=30)
    assert_held_back(story.package_copy, 5, f"the retention of 30 days at {place_of(story.buffer)} has not passed")
    force(story.package_copy, arrived_at=timezone.now() - timedelta(days=29, hours=23))
    assert explain_deletion(story.package_copy).rule == 5
    force(story.package_copy, arrived_at=timezone.now() - timedelta(days=30))
    assert_may_go(story.package_copy)


def test_rule_5_a_location_without_retention_keeps_its_data(story):
    DataLocation.objects.filter(pk=story.buffer.pk).update(retention_days=None)
    force(story.package_copy, arrived_at=long_ago())
    assert_held_back(story.package_copy, 5, f"{place_of(story.buffer)} keeps its data")


def test_rule_5_a_location_that_is_too_full_lets_go_before(story):
    place = DataLocation.objects.filter(pk=story.buffer.pk)
    place.update(retention_days=30, capacity_bytes=2 * SIZE, deletion_threshold_percent=100)
    assert_held_back(story.package_copy, 5, "it is not over its fill threshold")
    place.update(deletion_threshold_percent=99)
    assert_may_go(story.package_copy)


def test_rule_5_yields_to_an_approved_request_that_says_so_and_to_no_other(story):
    DataLocation.objects.filter(pk=story.buffer.pk).update(retention_days=30)
    request = DeletionRequestFactory(data_location_id=story.buffer.pk, overrides_retention=True)
    DeletionRequestItemFactory(deletion_request=request, physical_copy=story.package_copy)
    assert_held_back(story.package_copy, 5, "no approved request overrides that")
    rows = DeletionRequest.objects.filter(pk=request.pk)
    decide(request)
    assert_may_go(story.package_copy)
    assert not explain_deletion(story.bundle_copy).may_go
    copies = PhysicalCopy.objects.filter(pk=story.package_copy.pk)
    copies.update(status="deletion_scheduled")
    rows.update(status="executed")
    assert explain_deletion(story.package_copy).may_go
    copies.update(status="deletion_in_progress")
    copies.update(status="deletion_failed", failure_message="permission denied")
    assert explain_deletion(story.package_copy).may_go
    copies.update(status="present")
    assert_held_back(story.package_copy, 5, "no approved request overrides that")


def test_rule_5_does_not_yield_to_an_approved_request_that_does_not_say_so(story):
    DataLocation.objects.filter(pk=story.buffer.pk).update(retention_days=30)
    request = DeletionRequestFactory(data_location_id=story.buffer.pk)
    DeletionRequestItemFactory(deletion_request=request, physical_copy=story.package_copy)
    decide(request)
    assert_held_back(story.package_copy, 5, "no approved request overrides that")


# What else would let a copy go


def test_a_copy_is_not_born_on_its_way_out(story):
    for status in PhysicalCopyStatus:
        if status in ("present", "staged"):
            continue
        attempts = (
            lambda status=status: PhysicalCopy.objects.create(
                data_location=DiskDataLocationFactory(),
                raw_data_package=story.package,
                status=status,
                deleted_at=timezone.now(),
                failure_message="x",
            ),
            lambda status=status: sql(
                "INSERT INTO physical_copy (data_location_id, raw_data_package_id, status, checksum_algorithm, "
                "verification, retry_count, failure_message, deleted_at) "
                "VALUES (%s, %s, %s, 'sha256', 'unverified', 0, 'x', now())",
                DiskDataLocationFactory().pk,
                story.package.pk,
                str(status),
            ),
        )
        for attempt in attempts:
            assert refusal_of(attempt).constraint_name == "physical_copy_born_present"


@pytest.mark.parametrize(
    "changes",
    [
        {"data_location_id": None},
        {"raw_data_package_id": None},
        {"created_at": None},
        {"id": 10**9},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_copy_stays_the_copy_that_it_is(story, changes):
    other = tell_story()
    column = next(iter(changes))
    value = {
        "data_location_id": other.buffer.pk,
        "raw_data_package_id": other.package.pk,
        "created_at": long_ago(),
        "id": 10**9,
    }[column]
    refusal = refusal_of(
        lambda: sql(f"UPDATE physical_copy SET {column} = %s WHERE id = %s", value, story.package_copy.pk)
    )
    assert "cannot be changed once set" in refusal.message_primary


def test_the_retention_counts_from_when_the_bytes_came_whatever_a_row_says(story):
    copy = PhysicalCopy.objects.create(
        data_location=DiskDataLocationFactory(retention_days=30),
        raw_data_package=story.package,
        created_at=long_ago(),
        arrived_at=long_ago(),
    )
    copy.refresh_from_db()
    assert timezone.now() - copy.arrived_at < timedelta(minutes=1)
    assert explain_deletion(copy).rule == 5
    arrived_at = copy.arrived_at
    PhysicalCopy.objects.filter(pk=copy.pk).update(arrived_at=long_ago())
    sql("UPDATE physical_copy SET arrived_at = %s WHERE id = %s", long_ago(), copy.pk)
    copy.refresh_from_db()
    assert copy.arrived_at == arrived_at


def test_the_retention_begins_again_for_bytes_that_come_again(story):
    copy = force(story.package_copy, arrived_at=long_ago())
    DataLocation.objects.filter(pk=story.buffer.pk).update(retention_days=30)
    for status, facts in (
        ("deletion_scheduled", {}),
        ("deletion_in_progress", {}),
        ("deleted", {"deleted_at": timezone.now()}),
        ("present", {}),
    ):
        PhysicalCopy.objects.filter(pk=copy.pk).update(status=status, **facts)
    assert explain_deletion(copy).rule == 5


@pytest.mark.parametrize("field", ["location_type", "site_id"])
def test_a_location_cannot_be_relabelled(story, field):
    value = "long_term_archive" if field == "location_type" else story.archive.site_id
    refusal = refusal_of(lambda: DataLocation.objects.filter(pk=story.buffer.pk).update(**{field: value}))
    assert "location_type, site_id cannot be changed once set" in refusal.message_primary


# Verification


def test_a_checksum_that_differs_never_counts_as_verified(story):
    location = TapeDataLocationFactory(archive=True)
    for facts in (
        {"checksum": WRONG},
        {"size_bytes": SIZE + 1},
        {"checksum": RIGHT * 2, "checksum_algorithm": "sha512"},
    ):
        with transaction.atomic():
            found = {"checksum": RIGHT, "checksum_algorithm": "sha256", "size_bytes": SIZE} | facts
            copy = PhysicalCopy.objects.create(data_location=location, raw_data_package=story.package, **found)
            check = FixityCheck.objects.create(
                copy=copy,
                checked_at=timezone.now(),
                expected=found["checksum"],
                actual=found["checksum"],
                algorithm=found["checksum_algorithm"],
                ok=True,
            )
            refusal = refusal_of(
                lambda copy=copy, check=check: PhysicalCopy.objects.filter(pk=copy.pk).update(
                    verification="verified", verified_at=check.checked_at
                )
            )
            transaction.set_rollback(True)
        assert refusal.constraint_name == "physical_copy_verification_is_true"
        assert RIGHT in refusal.message_primary


def test_a_verified_copy_cannot_come_to_have_another_checksum_or_size(story):
    rows = PhysicalCopy.objects.filter(pk=story.archive_copy.pk)
    for facts in ({"checksum": WRONG}, {"size_bytes": 1}, {"checksum": "0" * 32, "checksum_algorithm": "md5"}):
        refusal = refusal_of(lambda facts=facts: rows.update(**facts))
        assert refusal.constraint_name == "physical_copy_verification_is_true"


def test_update_does_not_verify_what_nobody_compared(story):
    copy = PhysicalCopy.objects.create(
        data_location=TapeDataLocationFactory(archive=True), raw_data_package=story.package, checksum=RIGHT
    )
    rows = PhysicalCopy.objects.filter(pk=copy.pk)
    now = timezone.now()
    claim = {"verification": "verified", "verified_at": now}
    assert refusal_of(lambda: rows.update(**claim)).constraint_name == "physical_copy_verification_is_proven"
    facts = {"copy": copy, "expected": RIGHT, "algorithm": "sha256"}
    FixityCheck.objects.create(**facts, checked_at=now, actual=WRONG, ok=False)
    claim |= {"verified_at": now + timedelta(seconds=1), "checksum": RIGHT}
    assert refusal_of(lambda: rows.update(**claim)).constraint_name == "physical_copy_verification_is_proven"
    FixityCheck.objects.create(**facts, checked_at=now - timedelta(minutes=1), actual=RIGHT, ok=True)
    assert refusal_of(lambda: rows.update(**claim)).constraint_name == "physical_copy_verification_is_proven"
    FixityCheck.objects.create(**facts, checked_at=claim["verified_at"], actual=RIGHT, ok=True)
    rows.update(**claim)


def test_a_verification_cannot_be_made_fresh_without_a_check(story):
    rows = PhysicalCopy.objects.filter(pk=story.archive_copy.pk)
    refusal = refusal_of(lambda: rows.update(verified_at=timezone.now()))
    assert refusal.constraint_name == "physical_copy_verification_is_proven"


@pytest.mark.parametrize("doubt", ["missing", "corrupt"])
def test_what_comes_back_is_not_verified_any_more(story, doubt):
    rows = PhysicalCopy.objects.filter(pk=story.archive_copy.pk)
    rows.update(status=doubt)
    rows.update(status="present")
    assert rows.get().verification == Verification.UNVERIFIED
    assert_held_back(story.package_copy, 2, "has 0 verified archive copies")


def test_an_old_check_does_not_verify_again(story):
    rows = PhysicalCopy.objects.filter(pk=story.archive_copy.pk)
    before = story.archive_copy.verified_at
    FixityCheck.objects.create(
        copy=story.archive_copy, expected=RIGHT, actual=RIGHT, ok=True, algorithm="sha256", checked_at=before
    )
    rows.update(verification="mismatch", checksum=WRONG)
    refusal = refusal_of(lambda: rows.update(verification="verified", checksum=RIGHT))
    assert refusal.constraint_name == "physical_copy_verification_is_proven"


@pytest.mark.parametrize("fact", ["checksum", "checksum_algorithm", "size_bytes", "relative_path", "file_count"])
def test_facts_of_an_archived_package_never_change(story, fact):
    value = {"checksum": WRONG, "checksum_algorithm": "sha512", "size_bytes": 1, "relative_path": "x", "file_count": 9}
    changes = {fact: value[fact]} | ({"checksum": WRONG * 2} if fact == "checksum_algorithm" else {})
    for state in ("verified", "doubtful"):
        for attempt in (
            lambda changes=changes: RawDataPackage.objects.filter(pk=story.package.pk).update(**changes),
            lambda changes=changes: sql(
                f"UPDATE raw_data_package SET {', '.join(f'{name} = %s' for name in changes)} WHERE id = %s",
                *changes.values(),
                story.package.pk,
            ),
        ):
            assert refusal_of(attempt).constraint_name == "raw_data_package_archived_stays", state
        PhysicalCopy.objects.filter(raw_data_package=story.package).update(verification="unverified")


@pytest.mark.parametrize("fact", ["checksum", "size_bytes", "relative_path"])
def test_facts_of_a_file_never_change_once_its_package_is_verified(story, fact):
    value = {"checksum": WRONG, "size_bytes": 1, "relative_path": "elsewhere"}[fact]
    refusal = refusal_of(lambda: RawDataFile.objects.filter(pk=story.file.pk).update(**{fact: value}))
    assert refusal.constraint_name == "raw_data_file_archived_stays"
    force(story.package, state="transferring")
    refusal = refusal_of(lambda: RawDataFile.objects.filter(pk=story.file.pk).update(**{fact: value}))
    assert refusal.constraint_name == "raw_data_file_facts_frozen"


def test_a_package_is_not_archived_without_a_verified_archive_copy():
    package = complete(RawDataPackageFactory())
    for facts in ({}, {"verification": "mismatch", "checksum": WRONG, "verified_at": timezone.now()}):
        copy = PhysicalCopy.objects.create(
            data_location=TapeDataLocationFactory(archive=True), raw_data_package=package
        )
        if facts:
            PhysicalCopy.objects.filter(pk=copy.pk).update(**facts)
        refusal = refusal_of(lambda: RawDataPackage.objects.filter(pk=package.pk).update(state="archived"))
        assert refusal.constraint_name == "raw_data_package_archived_is_true"
        assert str(package.pk) in refusal.message_primary
    refusal = refusal_of(lambda: RawDataPackageFactory(state=PackageState.ARCHIVED, completed=True))
    assert refusal.constraint_name == "raw_data_package_archived_is_true"


def test_an_archive_transfer_is_not_completed_without_a_verified_copy_there(story):
    transfer = LongTermArchiveTransferFactory(raw_data_package=story.package, in_progress=True)
    rows = LongTermArchiveTransfer.objects.filter(pk=transfer.pk)
    refusal = refusal_of(lambda: rows.update(status="completed", finished_at=timezone.now()))
    assert refusal.constraint_name == "long_term_archive_transfer_completed_is_true"


# Contents


def test_nothing_enters_or_leaves_a_package_that_was_made(story):
    files = RawDataFile.objects
    stranger = RawDataFileFactory(
        source_location=story.source,
        executed_obs_unit=story.file.executed_obs_unit,
        instrument_module=story.file.instrument_module,
    )
    born_inside = RawDataFile(
        source_location=story.source,
        executed_obs_unit=story.file.executed_obs_unit,
        instrument_module=story.file.instrument_module,
        raw_data_package=story.package,
        relative_path="never/in/the/tar",
        size_bytes=1,
        checksum=WRONG,
    )
    message = f"cannot enter or leave raw_data_package {story.package.pk}, because its tar has been made"
    for attempt in (
        lambda: files.filter(pk=stranger.pk).update(raw_data_package=story.package),
        lambda: files.filter(pk=story.file.pk).update(raw_data_package=None),
        lambda: files.bulk_create([born_inside]),
    ):
        assert message in refusal_of(attempt).message_primary


def test_nothing_enters_or_leaves_a_bundle_that_was_made(story):
    packages = RawDataPackage.objects
    stranger = RawDataPackageFactory()
    message = f"cannot enter or leave data_transfer_package {story.bundle.pk}, because its tar has been made"
    for attempt in (
        lambda: packages.filter(pk=stranger.pk).update(data_transfer_package=story.bundle),
        lambda: packages.filter(pk=story.package.pk).update(data_transfer_package=None),
        lambda: RawDataPackageFactory(data_transfer_package=story.bundle),
    ):
        assert message in refusal_of(attempt).message_primary


# Links that hold copies back


def test_what_an_active_staging_job_needs_cannot_be_taken_from_it(story):
    product, _ = staged_product(story)
    job = StagingJobFactory(raw_data_packages=[story.package], data_products=[product])
    for attempt in (
        lambda: job.raw_data_packages.clear(),
        lambda: job.raw_data_packages.set([]),
        lambda: job.data_products.remove(product),
        lambda: job.delete(),
        lambda: sql("DELETE FROM staging_job_raw_data_packages"),
    ):
        assert f"staging_job {job.pk}: " in refusal_of(attempt).message_primary
    other = RawDataPackageFactory()
    refusal = refusal_of(lambda: sql("UPDATE staging_job_raw_data_packages SET rawdatapackage_id = %s", other.pk))
    assert refusal.constraint_name == "staging_job_raw_data_packages_link_immutable"
    release_staging(job)
    job.raw_data_packages.clear()


def test_the_inputs_of_a_run_that_has_begun_cannot_be_taken_from_it(story):
    product, _ = staged_product(story)
    run = ExecutedReductionStepFactory()
    run.input_packages.add(story.package)
    run.input_products.add(product)
    for status in ("staging_data", "submitted", "running", "collecting_results", "completed"):
        force(run, status=status, finished_at=timezone.now())
        for attempt in (
            lambda: run.input_packages.clear(),
            lambda: run.input_products.clear(),
            lambda: sql("DELETE FROM executed_reduction_step_input_package"),
        ):
            assert f"executed_reduction_step {run.pk}: " in refusal_of(attempt).message_primary


def test_what_a_completed_run_was_cannot_be_rewritten():
    run = force(ExecutedReductionStepFactory(), status="completed", finished_at=timezone.now())
    refusal = refusal_of(lambda: ExecutedReductionStep.objects.filter(pk=run.pk).update(sub_group_key="other"))
    assert refusal.constraint_name == "executed_reduction_step_what_ran_stays"


# Requests


@pytest.fixture
def request_of(story):
    request = DeletionRequestFactory(data_location_id=story.buffer.pk, limit=2)
    DeletionRequestItemFactory(deletion_request=request, physical_copy=story.package_copy)
    return request


def decide(request, status="approved", actor=None, **facts):
    with attributed(user=actor or request.decider):
        return DeletionRequest.objects.filter(pk=request.pk).update(status=status, **facts)


@pytest.mark.parametrize("status", ["approved", "rejected"])
def test_nobody_decides_their_own_request(request_of, status):
    refusal = refusal_of(lambda: decide(request_of, status, actor=request_of.requested_by))
    assert refusal.constraint_name == "deletion_request_second_person"
    refusal = refusal_of(
        lambda: sql(
            "UPDATE deletion_request SET status = %s, approved_by_id = requested_by_id, decided_at = now()", status
        )
    )
    assert refusal.constraint_name == "deletion_request_decided_in_person"


def test_nobody_decides_in_the_name_of_another(request_of):
    for actor in (request_of.requested_by, UserFactory()):
        refusal = refusal_of(lambda actor=actor: decide(request_of, actor=actor, approved_by=request_of.decider))
        assert refusal.constraint_name == "deletion_request_decided_in_person"


def test_a_request_is_not_born_decided(story):
    user = UserFactory()
    for status in DeletionRequestStatus:
        if status == "requested":
            continue
        refusal = refusal_of(
            lambda status=status: DeletionRequestFactory(
                status=status, approved_by=user, decided_at=timezone.now(), executed_at=timezone.now()
            )
        )
        assert refusal.constraint_name == "deletion_request_born_requested"
    assert refusal_of(lambda: DeletionRequestFactory(approved_by=user)) is not None


def test_nothing_of_a_request_changes_with_or_after_the_decision(story, request_of):
    terms = ({"reason": "other"}, {"limit": 99}, {"overrides_retention": True})
    for changes in terms:
        refusal = refusal_of(lambda changes=changes: decide(request_of, **changes))
        assert refusal.constraint_name == "deletion_request_terms_stay"
    assert (
        refusal_of(
            lambda: DeletionRequest.objects.filter(pk=request_of.pk).update(approved_by=UserFactory())
        ).constraint_name
        == "deletion_request_decision_stays"
    )
    decide(request_of)
    rows = DeletionRequest.objects.filter(pk=request_of.pk)
    item = request_of.request_items.get()
    attempts = {
        **{str(changes): lambda changes=changes: rows.update(**changes) for changes in terms},
        "another approver": lambda: rows.update(approved_by=UserFactory()),
        "another place": lambda: rows.update(data_location_id=story.archive.pk),
        "another person who asked": lambda: rows.update(requested_by=UserFactory()),
        "one more": lambda: DeletionRequestItemFactory(deletion_request=request_of, physical_copy=story.bundle_copy),
        "one more by bulk": lambda: request_of.items.add(story.bundle_copy),
        "one less": lambda: item.delete(),
        "one less by SQL": lambda: sql("DELETE FROM deletion_request_item"),
        "another copy": lambda: DeletionRequestItem.objects.filter(pk=item.pk).update(physical_copy=story.bundle_copy),
        "back": lambda: rows.update(status="requested"),
        "away": lambda: DeletionRequest.objects.get(pk=request_of.pk).delete(),
        "away by SQL": lambda: sql("DELETE FROM deletion_request_item; DELETE FROM deletion_request"),
    }
    for name, attempt in attempts.items():
        assert refusal_of(attempt) is not None, name


def test_a_request_holds_no_more_than_its_limit(story, request_of):
    DeletionRequestItemFactory(deletion_request=request_of, physical_copy=story.bundle_copy)
    third = PhysicalCopy.objects.create(data_location=story.buffer, raw_data_package=RawDataPackageFactory(sealed=True))
    refusal = refusal_of(lambda: DeletionRequestItemFactory(deletion_request=request_of, physical_copy=third))
    assert refusal.message_primary == f"deletion_request {request_of.pk}: has 3 copies, and its limit is 2"


# DELETE


def kept_rows(story):
    request = DeletionRequestFactory(data_location_id=story.buffer.pk)
    DeletionRequestItemFactory(deletion_request=request, physical_copy=story.package_copy)
    decide(request)
    request.refresh_from_db()
    check = FixityCheck.objects.create(
        copy=story.package_copy,
        checked_at=timezone.now(),
        expected=RIGHT,
        actual=RIGHT,
        ok=True,
        algorithm="sha256",
    )
    return [
        story.file_copy,
        story.file,
        story.package,
        story.bundle,
        story.file.executed_obs_unit,
        check,
        request,
        ChangeLog.objects.first(),
    ]


def test_delete_is_refused(story):
    for row in kept_rows(story):
        model, table = type(row), row._meta.db_table
        rows = model._base_manager.filter(pk=row.pk)
        attempts = {
            "instance": lambda model=model, row=row: model._base_manager.get(pk=row.pk).delete(),
            "queryset": lambda rows=rows: rows.delete(),
            "raw delete": lambda rows=rows: rows._raw_delete("default"),
            "SQL": lambda table=table, row=row: sql(f'DELETE FROM "{table}" WHERE id = %s', row.pk),
            "MERGE": lambda table=table, row=row: sql(
                f'MERGE INTO "{table}" AS old USING (SELECT 1) AS one ON old.id = %s WHEN MATCHED THEN DELETE', row.pk
            ),
        }
        for name, attempt in attempts.items():
            # The application has no right to change the history; its owner is refused too.
            with as_owner() if model is ChangeLog else nullcontext():
                refusal = refusal_of(attempt)
            assert refusal is not None, (name, table)
            if refusal.constraint_name != "protected":
                assert str(row.pk) in refusal.message_primary or "foreign key" in refusal.message_primary


@pytest.mark.parametrize(
    "model", [PhysicalCopy, RawDataFile, RawDataPackage, DataTransferPackage, ExecutedObsUnit], ids=lambda m: m.__name__
)
def test_delete_names_the_row_when_nothing_points_to_it(story, model):
    row = {
        PhysicalCopy: story.staged_copy,
        RawDataFile: RawDataFileFactory(),
        RawDataPackage: RawDataPackageFactory(),
        DataTransferPackage: tell_story().bundle,
        ExecutedObsUnit: RawDataFileFactory().executed_obs_unit,
    }[model]
    table = model._meta.db_table
    for attempt in (
        lambda: model.objects.filter(pk=row.pk)._raw_delete("default"),
        lambda: sql(f"DELETE FROM {table} WHERE id = %s", row.pk),
    ):
        refusal = refusal_of(attempt)
        assert refusal.constraint_name == f"{table}_never_deleted"
        assert refusal.message_primary.startswith(f"{table} {row.pk}: ")


def test_truncate_is_refused():
    """The guards are put back for this, because the other tests empty the tables between them."""
    guarded = [
        (model, rule)
        for model in (
            PhysicalCopy,
            RawDataFile,
            RawDataPackage,
            DataTransferPackage,
            ExecutedObsUnit,
            FixityCheck,
            ChangeLog,
        )
        for rule in model._meta.constraints
        if rule.name.endswith("never_truncated")
    ]
    assert len(guarded) == 7
    with as_owner(), connection.schema_editor(atomic=False) as editor:
        for model, rule in guarded:
            editor.execute(rule.create_sql(model, editor).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
        editor.deferred_sql.clear()
    for model, rule in guarded:
        table = model._meta.db_table
        for statement in (f"TRUNCATE {table} CASCADE", "TRUNCATE data_location, site CASCADE"):
            with as_owner(), pytest.raises(IntegrityError, match="is never emptied"), transaction.atomic():
                sql(statement if "site" not in statement or model is PhysicalCopy else f"TRUNCATE {table} CASCADE")
        assert rule.name.startswith(table)


@pytest.mark.parametrize(
    "model", [PhysicalCopy, RawDataFile, RawDataPackage, DataTransferPackage, ExecutedObsUnit], ids=lambda m: m.__name__
)
def test_the_admin_deletes_nothing_that_happened(story, client, model):
    if not admin.site.is_registered(model):
        pytest.skip("has no admin")
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    row = model.objects.first()
    page = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    for address, data in (
        (reverse(f"{page}_delete", args=[row.pk]), {"post": "yes"}),
        (
            reverse(f"{page}_changelist"),
            {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"},
        ),
    ):
        try:
            with transaction.atomic():
                response = client.post(address, data)
                assert response.status_code < 500
        except IntegrityError:
            pass
        assert model.objects.filter(pk=row.pk).exists()


# Isolation


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_sees_the_past_cannot_delete():
    story = tell_story()
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        with (
            pytest.raises(IntegrityError, match="does not see which copies have become doubtful"),
            transaction.atomic(),
        ):
            sql(f"SET TRANSACTION ISOLATION LEVEL {level}")
            PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(status="deletion_scheduled")


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_sees_the_past_cannot_change_what_may_have_been_verified_meanwhile():
    file = RawDataFileFactory()
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        with pytest.raises(IntegrityError, match="does not see which copies were verified"), transaction.atomic():
            sql(f"SET TRANSACTION ISOLATION LEVEL {level}")
            RawDataFile.objects.filter(pk=file.pk).update(checksum=WRONG)
    RawDataFile.objects.filter(pk=file.pk).update(checksum=WRONG)


# Explanation and trigger agree


def change_at_random(story, chance):
    """Change a story where all may go by some of the rows that hold copies back."""
    pick = chance.choice
    if chance.random() < 0.5:
        force(story.package, state=pick(list(PackageState)))
    for copy in (story.archive_copy, *([archive_again(story)] if chance.random() < 0.3 else [])):
        if chance.random() < 0.4:
            PhysicalCopy.objects.filter(pk=copy.pk).update(**DOUBTS[pick(list(DOUBTS))])
    if chance.random() < 0.2:
        DeletionPolicy.objects.update_or_create(pk=1, defaults={"min_archive_copies": pick([1, 2, 3])})
    if chance.random() < 0.3:
        ends = pick([(story.buffer, story.processing), (story.source, story.buffer)])
        transfer = DataTransferFactory(
            data_transfer_package=story.bundle, origin_location=ends[0], destination_location=ends[1]
        )
        if chance.random() < 0.5:
            force(
                transfer,
                status="completed",
                finished_at=timezone.now(),
                unpacked_at=timezone.now(),
                unpack_status=pick(["pending", "completed"]),
            )
    if chance.random() < 0.3:
        LongTermArchiveTransferFactory(
            raw_data_package=story.package, origin_location=pick([None, story.buffer, story.source])
        )
    if chance.random() < 0.4:
        active = chance.random() < 0.5
        job = StagingJobFactory(
            raw_data_packages=[story.package],
            destination_location_id=story.processing.pk,
            active=active,
            completed=not active,
        )
        if chance.random() < 0.7:
            force(job, status="completed", finished_at=timezone.now())
    if chance.random() < 0.3:
        run = ExecutedReductionStepFactory()
        run.input_packages.add(story.package)
        force(run, status=pick(list(RunStatus)), finished_at=timezone.now(), failure_message="x")
    for place in (story.source, story.buffer, story.processing):
        if chance.random() < 0.4:
            DataLocation.objects.filter(pk=place.pk).update(
                retention_days=pick([None, 0, 30]),
                capacity_bytes=pick([None, SIZE]),
                deletion_threshold_percent=pick([None, 50, 100]),
            )
    if chance.random() < 0.3:
        request = DeletionRequestFactory(data_location_id=story.buffer.pk, overrides_retention=chance.random() < 0.7)
        DeletionRequestItemFactory(deletion_request=request, physical_copy=story.package_copy)
        if chance.random() < 0.7:
            decide(request)
    for copy in story.deletable_copies:
        if chance.random() < 0.5:
            force(copy, status=pick(list(PhysicalCopyStatus)), deleted_at=timezone.now(), failure_message="x")


@pytest.mark.parametrize("seed", range(60))
def test_explain_deletion_says_may_go_exactly_when_the_database_lets_it_go(story, seed):
    change_at_random(story, random.Random(seed))
    for copy in (*story.deletable_copies, story.archive_copy):
        found = explain_deletion(copy)
        if found.next_step is None:
            continue
        rows = PhysicalCopy.objects.filter(pk=copy.pk)
        refusal = refusal_of(
            lambda rows=rows, found=found: rows.update(status=found.next_step, deleted_at=timezone.now())
        )
        assert found.may_go == (refusal is None), f"{found} / {refusal and refusal.message_primary}"
        if refusal is not None:
            assert refusal.message_primary == str(found)
    for place in (story.source, story.buffer, story.processing, story.archive):
        offered = {copy.pk for copy in PhysicalCopy.objects.deletable(place)}
        batch = {copy.pk for copy in PhysicalCopy.objects.deletable(place, limit=10)}
        assert offered == batch
        for copy in itertools.chain(PhysicalCopy.objects.at(place)):
            found = explain_deletion(copy)
            may = found.may_go and copy.status in ("present", "staged", "deletion_possible", "corrupt")
            by_request = copy.request_items.filter(
                deletion_request__status="approved", deletion_request__overrides_retention=True
            ).exists()
            assert (copy.pk in offered) == may or (by_request and may)


def test_the_situations_are_of_both_kinds(story):
    verdicts = set()
    for seed in range(12):
        with transaction.atomic():
            change_at_random(deepcopy(story), random.Random(seed))
            verdicts |= {explain_deletion(copy).rule for copy in story.deletable_copies}
            transaction.set_rollback(True)
    assert {None, 2} <= verdicts


# The setting


def test_migrate_tells_the_database_the_setting(settings):
    settings.OPSDB_MIN_ARCHIVE_COPIES = 2
    call_command("migrate", "opsdb", verbosity=0)
    assert DeletionPolicy.objects.get().min_archive_copies == 2
    settings.OPSDB_MIN_ARCHIVE_COPIES = 3
    assert DeletionPolicy.objects.get().min_archive_copies == 2


def test_check_says_when_the_database_knows_another_number(settings):
    from opsdb.checks import check_deletion_policy

    DeletionPolicy.objects.update_or_create(pk=1, defaults={"min_archive_copies": 1})
    assert check_deletion_policy(None, databases=["default"]) == []
    settings.OPSDB_MIN_ARCHIVE_COPIES = 2
    [warning] = check_deletion_policy(None, databases=["default"])
    assert warning.id == "opsdb.W001"
    assert "is 2" in warning.msg


@pytest.mark.parametrize("number", [0, -1, "2", None, True])
def test_check_refuses_a_number_that_the_database_would(settings, number):
    from opsdb.checks import check_archive_copies

    settings.OPSDB_MIN_ARCHIVE_COPIES = number
    assert [error.id for error in check_archive_copies(None)] == ["opsdb.E003"]
