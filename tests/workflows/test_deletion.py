"""How copies go: scheduled, started, confirmed; or asked for by one person and approved by another."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from opsdb.models import (
    ChangeLog,
    DataLocation,
    DataLocationUsage,
    DeletionRequest,
    DeletionRequestItem,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataFile,
    RawDataPackage,
    Verification,
)
from opsdb.testing.factories import (
    DataProductFactory,
    DataReleaseFactory,
    DataTransferFactory,
    DeletionRequestFactory,
    DeletionRequestItemFactory,
    DiskDataLocationFactory,
    ExecutedReductionStepFactory,
    LongTermArchiveTransferFactory,
    PublicationFactory,
    RawDataFileFactory,
    RawDataPackageFactory,
    StagingJobFactory,
    UserFactory,
)
from opsdb.testing.factories.verifying import verify
from opsdb.workflows import (
    InvalidTransition,
    NotFound,
    OpsdbError,
    Refused,
    approve_deletion,
    attributed,
    cancel_deletion,
    claim_deletions,
    complete_deletion,
    complete_deletions,
    execute_deletion_request,
    explain_deletion,
    fail_deletion,
    record_fixity,
    reject_deletion,
    request_deletion,
    reset_deletion,
    schedule_deletion,
    write_off_copy,
)
from tests.database.test_indexes import OLD, grow_old
from tests.plans import planning_without
from tests.workflows.racing import overtaken, race
from tests.workflows.scenario_deletion import (
    SIZE,
    WRONG,
    archive_again,
    complete,
    force,
    tell_story,
    without_rules,
)
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def elder(db):
    """A superuser whose account is older than the requests of the test."""
    return UserFactory(is_superuser=True)


@shared_world
def story():
    return tell_story()


def status_of(copy):
    return PhysicalCopy.objects.values_list("status", flat=True).get(pk=copy.pk)


def many_copies(story, number):
    """More copies in other buffers, as one location has each package once: many at one location need many packages."""
    stories = [tell_story() for _ in range(number)]
    return [
        PhysicalCopy.objects.create(data_location=story.buffer, raw_data_package=other.package) for other in stories
    ]


# By a manager and workers


def test_a_copy_goes_step_by_step_and_its_row_stays(story):
    [scheduled] = schedule_deletion(story.package_copy).copies
    assert (scheduled.status, scheduled.deletion_requested_at is not None) == ("deletion_scheduled", True)
    [started] = claim_deletions(story.buffer, limit=10).copies
    assert (started.pk, started.status) == (story.package_copy.pk, "deletion_in_progress")
    confirmed = complete_deletion(started)
    assert (confirmed.status, confirmed.deleted_at is not None) == ("deleted", True)
    assert claim_deletions(story.buffer, limit=10).copies == []
    assert not explain_deletion(confirmed).may_go
    assert "there is nothing to delete" in str(explain_deletion(confirmed))


def test_scheduling_and_confirming_again_change_nothing(story):
    first = schedule_deletion([story.package_copy])
    requested_at = first.copies[0].deletion_requested_at
    again = schedule_deletion([story.package_copy])
    assert [copy.deletion_requested_at for copy in again.copies] == [requested_at]
    [started] = claim_deletions(story.buffer, limit=1).copies
    deleted_at = complete_deletion(started).deleted_at
    assert complete_deletion(started).deleted_at == deleted_at


def test_one_copy_that_must_stay_does_not_stop_the_others(story):
    transfer = DataTransferFactory(data_transfer_package=story.bundle, origin_location=story.buffer)
    outcome = schedule_deletion(PhysicalCopy.objects.at(story.buffer))
    assert outcome.copies == [story.package_copy]
    [held] = outcome.held_back
    assert (held.copy_id, held.rule, held.held_by) == (story.bundle_copy.pk, 3, f"data_transfer {transfer.pk}")


def test_a_worker_gets_nothing_that_became_unsafe_since_it_was_scheduled(story):
    schedule_deletion([story.package_copy, story.bundle_copy])
    record_fixity(story.archive_copy, WRONG)
    outcome = claim_deletions(story.buffer, limit=10)
    assert outcome.copies == []
    assert {held.rule for held in outcome.held_back} == {2}
    copy = PhysicalCopy.objects.get(pk=story.package_copy.pk)
    assert copy.status == "present"
    assert "deletion rule 2" in copy.failure_message


def test_many_are_confirmed_together_or_none(story):
    begun = schedule_deletion([story.package_copy, story.bundle_copy]).copies
    started = claim_deletions(story.buffer, limit=1).copies
    with pytest.raises(InvalidTransition):
        complete_deletions(begun)
    assert set(PhysicalCopy.objects.filter(pk__in=[copy.pk for copy in begun]).values_list("status", flat=True)) == {
        "deletion_in_progress",
        "deletion_scheduled",
    }
    started += claim_deletions(story.buffer, limit=1).copies
    assert {copy.status for copy in complete_deletions(started)} == {"deleted"}


def test_what_a_worker_has_deleted_can_always_be_reported(story):
    """The bytes are gone: a doubt that came in between doesn't make that untrue."""
    schedule_deletion(story.package_copy)
    [started] = claim_deletions(story.buffer, limit=1).copies
    record_fixity(story.archive_copy, WRONG)
    assert complete_deletion(started).status == "deleted"


def test_a_failed_deletion_says_why_and_can_be_taken_up_again(story):
    schedule_deletion(story.package_copy)
    [started] = claim_deletions(story.buffer, limit=1).copies
    with pytest.raises(OpsdbError, match="describe what went wrong"):
        fail_deletion(started, message=" ")
    for _ in range(2):
        failed = fail_deletion(started, message="permission denied")
        told = (failed.status, failed.failure_message, failed.retry_count)
        assert told == ("deletion_failed", "permission denied", 1)
    with pytest.raises(InvalidTransition):
        fail_deletion(started, message="disk failed")
    assert schedule_deletion(failed).copies == [failed]
    [started] = claim_deletions(story.buffer, limit=1).copies
    assert complete_deletion(started).failure_message == ""


def test_an_operator_resets_a_failed_deletion(story):
    with pytest.raises(InvalidTransition, match="from present to deletion_scheduled"):
        reset_deletion(story.package_copy)
    schedule_deletion(story.package_copy)
    [started] = claim_deletions(story.buffer, limit=1).copies
    fail_deletion(started, message="permission denied")
    again = reset_deletion(started)
    assert (again.pk, again.status, again.failure_message) == (started.pk, "deletion_scheduled", "")
    with pytest.raises(NotFound):
        reset_deletion(PhysicalCopy(pk=987654321))


def test_a_failed_deletion_is_not_reset_when_a_rule_blocks_it_by_now(story):
    schedule_deletion(story.package_copy)
    [started] = claim_deletions(story.buffer, limit=1).copies
    fail_deletion(started, message="permission denied")
    record_fixity(story.archive_copy, WRONG)
    with pytest.raises(Refused, match=f"physical_copy {started.pk}: cannot be deleted because of deletion rule 2: "):
        reset_deletion(started)
    assert status_of(started) == "deletion_failed"


def test_nobody_confirms_or_fails_what_nobody_has_started(story):
    for copy in (story.package_copy, schedule_deletion(story.bundle_copy).copies[0]):
        with pytest.raises(InvalidTransition, match=f"physical_copy {copy.pk}: status cannot go from"):
            complete_deletion(copy)
        with pytest.raises(InvalidTransition):
            fail_deletion(copy, message="x")
    with pytest.raises(NotFound):
        complete_deletion(PhysicalCopy(pk=987654321))
    with pytest.raises(NotFound):
        explain_deletion(PhysicalCopy(pk=987654321))


def test_a_cancelled_deletion_leaves_the_copy_present(story):
    schedule_deletion(PhysicalCopy.objects.at(story.buffer))
    assert {copy.pk for copy in cancel_deletion(story.package_copy)} == {story.package_copy.pk}
    assert status_of(story.package_copy) == "present"
    assert cancel_deletion(story.package_copy) == []
    claim_deletions(story.buffer, limit=1)
    with pytest.raises(InvalidTransition, match="from deletion_in_progress to present"):
        cancel_deletion([story.package_copy, story.bundle_copy])


def test_a_corrupt_copy_whose_deletion_is_cancelled_or_held_back_is_corrupt_again(story):
    record_fixity(story.package_copy, WRONG)
    schedule_deletion([story.package_copy])
    cancel_deletion(story.package_copy)
    assert status_of(story.package_copy) == "corrupt"
    schedule_deletion([story.package_copy])
    record_fixity(story.archive_copy, WRONG)
    [held] = claim_deletions(story.buffer, limit=1).held_back
    copy = PhysicalCopy.objects.get(pk=story.package_copy.pk)
    assert (copy.status, copy.failure_message, copy.deletion_requested_at) == ("corrupt", str(held), None)
    assert not copy.is_readable


def test_a_stalled_deletion_can_be_found(story):
    schedule_deletion(story.package_copy)
    claim_deletions(story.buffer, limit=1)
    assert PhysicalCopy.objects.deletion_stalled(older_than=timedelta(0)).get() == story.package_copy
    assert not PhysicalCopy.objects.deletion_stalled(older_than=timedelta(hours=1)).exists()


def test_a_missing_copy_is_written_off_only_when_its_content_is_safe(story):
    with pytest.raises(InvalidTransition):
        write_off_copy(story.package_copy)
    PhysicalCopy.objects.filter(pk__in=[story.package_copy.pk, story.archive_copy.pk]).update(status="missing")
    with pytest.raises(Refused, match="deletion rule 2: raw_data_package .* has 0 verified"):
        write_off_copy(story.package_copy)
    archive_again(story)
    assert write_off_copy(story.package_copy).status == "deleted"
    with pytest.raises(Refused, match="deletion rule 1"):
        write_off_copy(story.archive_copy)


def test_a_limit_below_one_is_refused(story):
    with pytest.raises(OpsdbError, match="limit"):
        claim_deletions(story.buffer, limit=0)


# The candidates


def test_candidates_come_in_batches_the_oldest_first(story):
    copies = [story.package_copy, story.bundle_copy, *many_copies(story, 5)]
    seen, after = [], None
    while batch := list(PhysicalCopy.objects.deletable(story.buffer, limit=2, after=after)):
        assert len(batch) <= 2
        seen += batch
        after = batch[-1]
    assert seen == sorted(copies, key=lambda copy: (copy.arrived_at, copy.pk))
    assert seen == list(PhysicalCopy.objects.deletable(story.buffer))


def test_batches_lose_nothing_when_many_copies_came_at_the_same_moment(story):
    copies = many_copies(story, 5)
    moment = timezone.now() - timedelta(days=1)
    for copy in copies:
        force(copy, arrived_at=moment)
    force(copies[2], status="deletion_possible")
    first = list(PhysicalCopy.objects.deletable(story.buffer, limit=3))
    rest = list(PhysicalCopy.objects.deletable(story.buffer, limit=3, after=first[-1]))
    assert [copy.pk for copy in (*first, *rest)][:5] == [copy.pk for copy in copies]


def test_nothing_is_offered_in_an_archive_or_before_the_retention_has_passed(story):
    assert list(PhysicalCopy.objects.deletable(story.archive)) == []
    DataLocation.objects.filter(pk=story.buffer.pk).update(retention_days=30)
    assert list(PhysicalCopy.objects.deletable(story.buffer)) == []
    assert list(PhysicalCopy.objects.deletable(story.buffer, limit=10)) == []
    DataLocation.objects.filter(pk=story.buffer.pk).update(capacity_bytes=SIZE * 2, deletion_threshold_percent=50)
    assert len(PhysicalCopy.objects.deletable(story.buffer, limit=10)) == 2
    assert list(PhysicalCopy.objects.deletable(story.buffer, limit=0)) == []


def test_a_batch_walks_the_index_of_its_location(story, owner):
    with CaptureQueriesContext(connection) as queries:
        list(PhysicalCopy.objects.deletable(story.buffer, limit=10))
    assert len(queries) <= 2
    grow_old("physical_copy", OLD["physical_copy"])
    with planning_without("seqscan", "bitmapscan"):
        plan = PhysicalCopy.objects.deletable(story.buffer, limit=10, after=story.package_copy).explain()
    assert "physical_copy_pkey" not in plan
    assert "physical_copy_candidates" in plan
    assert "ROW(" in plan


# What a location holds


def test_the_fill_level_is_the_sum_of_what_is_there(story):
    def held():
        return sum(
            copy.size_bytes or 0
            for copy in PhysicalCopy.objects.at(story.buffer).exclude(status__in=["deleted", "missing"])
        )

    assert story.buffer.held_bytes() == held() == 2 * SIZE
    schedule_deletion(story.package_copy)
    [started] = claim_deletions(story.buffer, limit=1).copies
    assert story.buffer.held_bytes() == held() == 2 * SIZE
    complete_deletion(started)
    assert story.buffer.held_bytes() == held() == SIZE
    PhysicalCopy.objects.filter(pk=story.bundle_copy.pk).update(status="missing")
    assert story.buffer.held_bytes() == held() == 0


def test_the_fill_level_stays_a_short_sum(story):
    for number in range(2_000):
        PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(size_bytes=SIZE + number)
    assert story.buffer.held_bytes() == 2 * SIZE + 1_999
    assert DataLocationUsage.objects.filter(data_location=story.buffer).count() < 1_000


# By request


def test_a_request_is_a_dry_run_unless_said_otherwise(story):
    user = UserFactory()
    DataTransferFactory(data_transfer_package=story.bundle, origin_location=story.buffer)
    wish = request_deletion(story.buffer, PhysicalCopy.objects.at(story.buffer), user=user, reason="full")
    assert wish.request is None
    assert wish.copy_ids == [story.package_copy.pk]
    assert [held.rule for held in wish.held_back] == [3]
    assert not DeletionRequest.objects.exists()


def test_a_request_takes_two_people_and_is_executed_once(story, elder):
    asks, decides = UserFactory(is_superuser=True), UserFactory(is_superuser=True)
    wish = request_deletion(story.buffer, [story.package_copy], user=asks, reason="full", limit=5, dry_run=False)
    request = wish.request
    assert list(request.items.all()) == [story.package_copy]
    with pytest.raises(InvalidTransition, match="from requested to executed"):
        execute_deletion_request(request, user=UserFactory(is_superuser=True))
    with pytest.raises(Refused, match="another person"):
        approve_deletion(request, user=asks)
    with pytest.raises(Refused, match="another person"):
        reject_deletion(request, user=asks)
    approved = approve_deletion(request, user=decides)
    assert (approved.status, approved.approved_by) == ("approved", decides)
    with pytest.raises(InvalidTransition):
        approve_deletion(request, user=elder)
    assert execute_deletion_request(request, user=UserFactory(is_superuser=True)).copies == [story.package_copy]
    request.refresh_from_db()
    assert (request.status, request.executed_at is not None) == ("executed", True)
    with pytest.raises(InvalidTransition, match="executed"):
        execute_deletion_request(request, user=UserFactory(is_superuser=True))
    change = ChangeLog.objects.of(request).filter(after__status="approved").get()
    assert change.user == decides
    assert "full" in ChangeLog.objects.of(story.package_copy).first().reason


def test_whoever_is_known_to_act_decides_in_person(story):
    asks, decides = UserFactory(is_superuser=True), UserFactory(is_superuser=True)
    request = request_deletion(story.buffer, [story.package_copy], user=asks, reason="full", dry_run=False).request
    with attributed(user=asks), pytest.raises(Refused, match=f"user {asks} cannot decide it in the name"):
        approve_deletion(request, user=decides)
    with attributed(user=decides):
        approve_deletion(request, user=decides)


@pytest.mark.parametrize(
    ("act", "permission"),
    [(approve_deletion, "approve"), (reject_deletion, "approve"), (execute_deletion_request, "execute")],
)
def test_nobody_decides_or_executes_without_the_permission(story, elder, act, permission):
    user = UserFactory()
    request = request_deletion(
        story.buffer, [story.package_copy], user=UserFactory(), reason="full", dry_run=False
    ).request
    if act is execute_deletion_request:
        approve_deletion(request, user=elder)
    other = "approve" if permission == "execute" else "execute"
    user.user_permissions.add(Permission.objects.get(codename=f"{other}_deletionrequest"))
    with pytest.raises(Refused, match=f"lacks the permission opsdb.{permission}_deletionrequest"):
        act(request, user=user)
    user.user_permissions.add(Permission.objects.get(codename=f"{permission}_deletionrequest"))
    act(request, user=type(user).objects.get(pk=user.pk))


def test_a_rejected_request_is_over(story, elder):
    request = request_deletion(
        story.buffer, [story.package_copy], user=UserFactory(), reason="full", dry_run=False
    ).request
    approve_deletion(request, user=elder)
    reject_deletion(request, user=elder)
    with pytest.raises(InvalidTransition, match="leave it, because rejected is final"):
        execute_deletion_request(request, user=UserFactory(is_superuser=True))


def test_every_copy_is_looked_at_again_at_execution(story, elder):
    archive_again(story)
    other = many_copies(story, 1)[0]
    request = request_deletion(
        story.buffer, [story.package_copy, other], user=UserFactory(), reason="full", dry_run=False
    ).request
    approve_deletion(request, user=elder)
    PhysicalCopy.objects.filter(
        raw_data_package=story.package, data_location__location_type="long_term_archive"
    ).update(status="missing")
    outcome = execute_deletion_request(request, user=UserFactory(is_superuser=True))
    assert outcome.copies == [other]
    assert [held.rule for held in outcome.held_back] == [2]
    assert status_of(story.package_copy) == "present"


def test_a_request_of_which_nothing_may_go_any_more_stays_approved(story, elder):
    request = request_deletion(
        story.buffer, [story.package_copy], user=UserFactory(), reason="full", dry_run=False
    ).request
    approve_deletion(request, user=elder)
    PhysicalCopy.objects.filter(pk=story.archive_copy.pk).update(status="missing")
    with pytest.raises(Refused, match="none of its copies may be deleted any more: .* deletion rule 2.*; reject it"):
        execute_deletion_request(request, user=UserFactory(is_superuser=True))
    request.refresh_from_db()
    assert request.status == "approved"


def test_a_request_that_overrides_the_retention_holds_until_the_bytes_are_gone(story, elder):
    DataLocation.objects.filter(pk=story.buffer.pk).update(retention_days=300)
    facts = {"user": UserFactory(), "reason": "full", "dry_run": False}
    with pytest.raises(Refused, match="deletion rule 5"):
        request_deletion(story.buffer, [story.package_copy], **facts)
    request = request_deletion(story.buffer, [story.package_copy], overrides_retention=True, **facts).request
    approve_deletion(request, user=elder)
    execute_deletion_request(request, user=UserFactory(is_superuser=True))
    [started] = claim_deletions(story.buffer, limit=5).copies
    failed = fail_deletion(started, message="busy")
    [again] = schedule_deletion(failed).copies
    [started] = claim_deletions(story.buffer, limit=5).copies
    assert complete_deletion(started).status == "deleted"
    PhysicalCopy.objects.filter(pk=again.pk).update(status="present")
    assert explain_deletion(again).rule == 5


def test_a_request_names_no_more_copies_than_its_limit(story, settings):
    facts = {"user": UserFactory(), "reason": "full"}
    with pytest.raises(Refused, match="more than 1 copies"):
        request_deletion(story.buffer, PhysicalCopy.objects.at(story.buffer), limit=1, **facts)
    settings.OPSDB_DELETION_REQUEST_LIMIT = 1
    with pytest.raises(Refused, match="more than 1 copies"):
        request_deletion(story.buffer, PhysicalCopy.objects.at(story.buffer), **facts)
    for limit in (0, 2):
        with pytest.raises(OpsdbError, match="; give one from 1 to 1"):
            request_deletion(story.buffer, [], limit=limit, **facts)


def test_a_request_is_for_one_location_and_has_a_reason(story):
    with pytest.raises(Refused, match=f"physical_copy {story.file_copy.pk}: is at another location"):
        request_deletion(story.buffer, [story.file_copy], user=UserFactory(), reason="full")
    with pytest.raises(OpsdbError, match="has no reason; give one"):
        request_deletion(story.buffer, [story.package_copy], user=UserFactory(), reason=" ")
    with pytest.raises(Refused, match="no copy is given"):
        request_deletion(story.buffer, [], user=UserFactory(), reason="full", dry_run=False)


# Races

ROUNDS = 3


@pytest.mark.django_db(transaction=True)
def test_a_deletion_and_a_doubt_about_the_last_archive_copy_race_and_one_wins():
    """Never do both succeed unless the deletion came first; and neither waits for the other for ever."""
    for _ in range(ROUNDS):
        story = tell_story()

        def act(contender, story=story):
            if contender == 0:
                return schedule_deletion([PhysicalCopy.objects.get(pk=story.package_copy.pk)])
            if contender == 1:
                return schedule_deletion([PhysicalCopy.objects.get(pk=story.file_copy.pk)])
            return record_fixity(PhysicalCopy.objects.get(pk=story.archive_copy.pk), WRONG)

        outcomes = race(3, act)
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
        assert status_of(story.archive_copy) == "corrupt"
        assert claim_deletions(story.buffer, limit=5).copies == []
        assert claim_deletions(story.source, limit=5).copies == []


@pytest.mark.django_db(transaction=True)
def test_a_start_and_a_doubt_race_and_exactly_one_wins():
    """What matters: bytes are handed to a worker only before the last archive copy is known to be spoilt."""
    for _ in range(ROUNDS):
        story = tell_story()
        schedule_deletion([story.package_copy])

        def act(contender, story=story):
            if contender == 0:
                outcome = claim_deletions(story.buffer, limit=1)
                return bool(outcome.copies), timezone.now()
            with transaction.atomic():
                check = record_fixity(PhysicalCopy.objects.get(pk=story.archive_copy.pk), WRONG)
            return check, timezone.now()

        started, doubted = race(2, act)
        assert not isinstance(started, Exception), started
        assert not isinstance(doubted, Exception), doubted
        in_progress = status_of(story.package_copy) == PhysicalCopyStatus.DELETION_IN_PROGRESS
        assert in_progress == started[0]
        log = list(
            ChangeLog.objects.filter(
                table_name="physical_copy", row_id__in=[str(story.package_copy.pk), str(story.archive_copy.pk)]
            ).order_by("changed_at", "id")
        )
        if in_progress:
            order = [
                change.row_id for change in log if change.after.get("status") in ("deletion_in_progress", "corrupt")
            ]
            assert order == [str(story.package_copy.pk), str(story.archive_copy.pk)]


@pytest.mark.django_db(transaction=True)
def test_plain_updates_race_as_safely_as_workflows():
    for _ in range(ROUNDS):
        story = tell_story()

        def act(contender, story=story):
            with transaction.atomic():
                if contender == 0:
                    PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(status="deletion_scheduled")
                else:
                    PhysicalCopy.objects.filter(pk=story.archive_copy.pk).update(verification="unverified")
            return True

        deleted, doubted = race(2, act)
        assert doubted is True
        if deleted is not True:
            assert isinstance(deleted, IntegrityError)
            assert "deletion rule 2" in str(deleted)
        assert not isinstance(deleted, OperationalError)
        if status_of(story.package_copy) == "present":
            assert isinstance(deleted, IntegrityError)


def by_workflow(copy):
    outcome = schedule_deletion(PhysicalCopy.objects.get(pk=copy.pk))
    if outcome.held_back:
        raise Refused(str(outcome.held_back[0]))


def by_update(copy):
    PhysicalCopy.objects.filter(pk=copy.pk).update(status="deletion_scheduled")


def doubt_by_check(copy):
    record_fixity(PhysicalCopy.objects.get(pk=copy.pk), WRONG)


def doubt_by_update(copy):
    PhysicalCopy.objects.filter(pk=copy.pk).update(verification="unverified")


def loss_by_update(copy):
    PhysicalCopy.objects.filter(pk=copy.pk).update(status="missing")


every_deletion = pytest.mark.parametrize("delete", [by_workflow, by_update])
every_doubt = pytest.mark.parametrize("doubt", [doubt_by_check, doubt_by_update, loss_by_update])


def act_while(first, then):
    """Do the first in a transaction, and the other meanwhile: it must wait. Return the error of the other, or None."""
    outcome = overtaken(first, then, must_wait=True)
    return outcome if isinstance(outcome, Exception) else None


@every_deletion
@every_doubt
@pytest.mark.parametrize("name", ["file_copy", "package_copy", "bundle_copy"])
@pytest.mark.django_db(transaction=True)
def test_a_deletion_waits_for_a_doubt_that_is_not_committed_and_then_sees_it(name, delete, doubt):
    story = tell_story()
    copy = getattr(story, name)
    error = act_while(lambda: doubt(story.archive_copy), lambda: delete(copy))
    assert isinstance(error, Refused | IntegrityError)
    assert "deletion rule 2" in str(error)
    assert status_of(copy) == "present"


@every_deletion
@every_doubt
@pytest.mark.django_db(transaction=True)
def test_a_doubt_waits_for_a_deletion_that_is_not_committed(delete, doubt):
    story = tell_story()
    assert act_while(lambda: delete(story.package_copy), lambda: doubt(story.archive_copy)) is None
    assert claim_deletions(story.buffer, limit=1).copies == []


@every_deletion
@pytest.mark.django_db(transaction=True)
def test_the_last_two_copies_do_not_each_take_the_other_for_the_one_that_stays(delete):
    story = tell_story()
    PhysicalCopy.objects.exclude(pk=story.staged_copy.pk).update(status="missing")
    other = PhysicalCopy.objects.create(
        data_location=DiskDataLocationFactory(processing=True, retention_days=0), raw_data_package=story.package
    )
    verify(other)
    error = act_while(lambda: delete(story.staged_copy), lambda: delete(other))
    assert "deletion rule 2" in str(error)
    assert status_of(other) == "present"


def plan_archiving(story):
    LongTermArchiveTransferFactory(raw_data_package=story.package, origin_location=story.buffer)


def plan_transfer(story):
    DataTransferFactory(data_transfer_package=story.bundle, origin_location=story.buffer)


def plan_staging(story):
    StagingJobFactory(raw_data_packages=[story.package])


def plan_run(story):
    ExecutedReductionStepFactory().input_packages.add(story.package)


@pytest.mark.parametrize("publish", [DataReleaseFactory, PublicationFactory])
@pytest.mark.django_db(transaction=True)
def test_a_deletion_waits_for_a_release_of_the_product_and_then_sees_it(publish):
    place = DiskDataLocationFactory(processing=True, retention_days=0)
    product = DataProductFactory(superseded=True)
    copy = PhysicalCopy.objects.create(data_location=place, data_product=product)
    holder = publish()
    error = act_while(lambda: holder.products.add(product), lambda: by_update(copy))
    assert "deletion rule 2" in str(error)
    assert status_of(copy) == "present"


@every_deletion
@pytest.mark.django_db(transaction=True)
def test_the_last_two_copies_of_a_product_do_not_each_take_the_other_for_the_one_that_stays(delete):
    product = DataProductFactory()
    one, other = (
        verify(
            PhysicalCopy.objects.create(
                data_location=DiskDataLocationFactory(processing=True, retention_days=0), data_product=product
            )
        )
        for _ in range(2)
    )
    error = act_while(lambda: delete(one), lambda: delete(other))
    assert "deletion rule 2" in str(error)
    assert status_of(other) == "present"


def test_a_package_that_turns_archived_marks_every_copy_of_what_it_holds(story):
    with without_rules(PhysicalCopy, type(story.package)):
        PhysicalCopy.objects.update(deletion_candidate=False)
        type(story.package).objects.update(state="transferring")
    unmarked = PhysicalCopy.objects.of_content_of(story.package)
    assert {*unmarked} == {*story.deletable_copies, story.archive_copy}
    type(story.package).objects.filter(pk=story.package.pk).update(state="archived")
    assert not unmarked.filter(deletion_candidate=False).exists()


READERS = [
    (plan_archiving, "package_copy", 3),
    (plan_transfer, "bundle_copy", 3),
    (plan_staging, "package_copy", 3),
    (plan_run, "staged_copy", 4),
]


@every_deletion
@pytest.mark.parametrize(("plan", "name", "rule"), READERS)
@pytest.mark.django_db(transaction=True)
def test_a_deletion_waits_for_a_reader_that_is_being_planned_and_then_sees_it(plan, name, rule, delete):
    story = tell_story()
    error = act_while(lambda: plan(story), lambda: delete(getattr(story, name)))
    assert f"deletion rule {rule}" in str(error)


@pytest.mark.parametrize(("plan", "name", "rule"), READERS)
@pytest.mark.django_db(transaction=True)
def test_a_reader_that_is_planned_during_a_deletion_stops_its_next_step(plan, name, rule):
    story = tell_story()
    copy = getattr(story, name)
    assert act_while(lambda: by_workflow(copy), lambda: plan(story)) is None
    [held] = claim_deletions(copy.data_location, limit=1).held_back
    assert held.rule == rule


@pytest.mark.parametrize("plan", [plan_archiving, plan_transfer])
@pytest.mark.django_db(transaction=True)
def test_no_transfer_is_planned_from_bytes_that_a_worker_is_deleting(plan):
    story = tell_story()
    schedule_deletion([story.package_copy, story.bundle_copy])
    error = act_while(lambda: claim_deletions(story.buffer, limit=2), lambda: plan(story))
    assert "which it would read, is being deleted" in str(error)


@pytest.mark.parametrize("name", ["data_transfer", "long_term_archive_transfer"])
def test_a_failed_transfer_is_not_tried_again_from_bytes_that_a_worker_is_deleting(name):
    story = tell_story()
    transfer = {
        "data_transfer": lambda: DataTransferFactory(
            data_transfer_package=story.bundle, origin_location=story.buffer, failed=True
        ),
        "long_term_archive_transfer": lambda: LongTermArchiveTransferFactory(
            raw_data_package=story.package, origin_location=story.buffer, failed=True
        ),
    }[name]()
    schedule_deletion([story.package_copy, story.bundle_copy])
    assert len(claim_deletions(story.buffer, limit=2).copies) == 2
    with (
        pytest.raises(IntegrityError, match=f"{name} {transfer.pk}.*which it would read, is being deleted"),
        transaction.atomic(),
    ):
        type(transfer).objects.filter(pk=transfer.pk).update(status="pending", finished_at=None)


@pytest.mark.django_db(transaction=True)
def test_a_file_does_not_slip_into_a_package_that_is_being_completed():
    file = RawDataFileFactory()
    package = RawDataPackageFactory(
        executed_obs_unit=file.executed_obs_unit, instrument_module=file.instrument_module, status="pending"
    )
    error = act_while(
        lambda: complete(package), lambda: RawDataFile.objects.filter(pk=file.pk).update(raw_data_package=package)
    )
    assert "because its tar has been made" in str(error)


@pytest.mark.django_db(transaction=True)
def test_facts_do_not_change_while_a_copy_is_verified_against_them():
    package = complete(RawDataPackageFactory())
    archive = DiskDataLocationFactory(archive=True)
    error = act_while(
        lambda: verify(PhysicalCopy.objects.create(data_location=archive, raw_data_package=package)),
        lambda: RawDataPackage.objects.filter(pk=package.pk).update(checksum=WRONG),
    )
    assert "cannot be changed, because a copy was verified against them" in str(error)


@pytest.mark.django_db(transaction=True)
def test_two_people_approve_at_once_and_one_does():
    for _ in range(ROUNDS):
        people = UserFactory.create_batch(2, is_superuser=True)
        request = DeletionRequestFactory()

        def act(contender, request=request, people=people):
            return approve_deletion(DeletionRequest.objects.get(pk=request.pk), user=people[contender])

        outcomes = race(2, act)
        names = sorted(type(outcome).__name__ for outcome in outcomes)
        assert names == ["DeletionRequest", "InvalidTransition"]
        winner = next(number for number, outcome in enumerate(outcomes) if isinstance(outcome, DeletionRequest))
        request.refresh_from_db()
        assert request.approved_by == people[winner]


@pytest.mark.django_db(transaction=True)
def test_two_execute_the_same_request_and_one_does():
    for _ in range(ROUNDS):
        story, elder = tell_story(), UserFactory(is_superuser=True)
        request = request_deletion(
            story.buffer, [story.package_copy], user=UserFactory(), reason="full", dry_run=False
        ).request
        approve_deletion(request, user=elder)

        def act(contender, request=request):
            return execute_deletion_request(
                DeletionRequest.objects.get(pk=request.pk), user=UserFactory(is_superuser=True)
            )

        assert sorted(type(outcome).__name__ for outcome in race(2, act)) == ["Deletions", "InvalidTransition"]


@pytest.mark.django_db(transaction=True)
def test_an_item_cannot_slip_in_while_somebody_approves():
    for _ in range(ROUNDS):
        story, elder = tell_story(), UserFactory(is_superuser=True)
        request = DeletionRequestFactory(data_location_id=story.buffer.pk)
        DeletionRequestItemFactory(deletion_request=request, physical_copy=story.package_copy)

        def act(contender, request=request, story=story, elder=elder):
            if contender == 0:
                return approve_deletion(DeletionRequest.objects.get(pk=request.pk), user=elder)
            return DeletionRequestItemFactory(deletion_request=request, physical_copy=story.bundle_copy)

        approved, added = race(2, act)
        assert isinstance(approved, DeletionRequest)
        slipped_in = request.request_items.count() == 2
        assert slipped_in == isinstance(added, DeletionRequestItem)
        if slipped_in:
            item = ChangeLog.objects.of(added).get()
            decision = ChangeLog.objects.of(approved).filter(after__status="approved").get()
            assert item.id < decision.id


@pytest.mark.django_db(transaction=True)
def test_workers_never_get_the_same_copy():
    story = tell_story()
    copies = many_copies(story, 12)
    schedule_deletion(copies)

    def act(contender):
        taken = []
        while batch := claim_deletions(story.buffer, limit=2).copies:
            taken += [copy.pk for copy in batch]
        return taken

    outcomes = race(3, act)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    assert sorted(pk for outcome in outcomes for pk in outcome) == sorted(copy.pk for copy in copies)


@pytest.mark.django_db(transaction=True)
def test_many_batches_in_any_order_do_not_wait_in_a_circle():
    """Two managers schedule the same copies in opposite orders while fixity checks doubt their archive copies."""
    for _ in range(10):
        stories = [tell_story() for _ in range(4)]
        copies = [copy for story in stories for copy in (story.package_copy, story.file_copy, story.bundle_copy)]

        def act(contender, stories=stories, copies=copies):
            if contender < 2:
                return schedule_deletion(copies if contender else copies[::-1])
            for story in stories if contender == 2 else stories[::-1]:
                record_fixity(PhysicalCopy.objects.get(pk=story.archive_copy.pk), WRONG)
            return True

        outcomes = race(4, act)
        deadlocks = [outcome for outcome in outcomes if isinstance(outcome, OperationalError)]
        assert not deadlocks, deadlocks
        unexpected = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert not unexpected, unexpected


def test_a_wrong_checksum_at_any_stage_never_lets_the_source_copy_go(story):
    force(story.package, state="transferring")
    PhysicalCopy.objects.filter(pk=story.archive_copy.pk).update(
        verification=Verification.MISMATCH, checksum=WRONG, status="corrupt"
    )
    assert explain_deletion(story.file_copy).rule == 2
    PhysicalCopy.objects.filter(pk=story.archive_copy.pk).update(status="present")
    assert explain_deletion(story.file_copy).rule == 2
    record_fixity(story.archive_copy, WRONG)
    assert explain_deletion(story.file_copy).rule == 2
    other = PhysicalCopy.objects.create(
        data_location=DiskDataLocationFactory(archive=True), raw_data_package=story.package, checksum=WRONG
    )
    record_fixity(other, WRONG)
    assert explain_deletion(story.file_copy).rule == 2
