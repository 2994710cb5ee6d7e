"""The second person: who asks is known, only that person edits, and another decides who owes the first nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.utils import timezone

from opsdb.models import ChangeLog, DeletionRequest
from opsdb.testing.factories import (
    DeletionRequestFactory,
    DeletionRequestItemFactory,
    DiskDataLocationFactory,
    PhysicalCopyFactory,
    RoleFactory,
    UserFactory,
)
from opsdb.workflows import (
    Refused,
    approve_deletion,
    attributed,
    find_decision_rights,
    reject_deletion,
    request_deletion,
)
from tests.databases import as_owner
from tests.workflows.scenario_deletion import refusal_of, sql, tell_story

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def decide_by_sql(request, person, status="approved"):
    """Decide as somebody who knows how to name an acting user to the database."""
    sql("SELECT set_config('opsdb.user_id', %s, true)", "" if person is None else str(person.pk))
    sql(
        "UPDATE deletion_request SET status = %s, approved_by_id = %s, decided_at = %s WHERE id = %s",
        status,
        None if person is None else person.pk,
        LONG_AGO,
        request.pk,
    )


def decider(**fields):
    return UserFactory(is_superuser=True, **fields)


def test_nobody_asks_in_the_name_of_another():
    me, other, place = UserFactory(), UserFactory(), DiskDataLocationFactory()
    facts = {"data_location_id": place.pk, "reason": "full", "limit": 9}

    def ask(actor, **more):
        with attributed(user=actor):
            return DeletionRequest.objects.create(**facts, **more)

    refusal = refusal_of(lambda: ask(me, requested_by=other))
    assert refusal.constraint_name == "deletion_request_filed_in_person"
    assert refusal.message_primary.endswith(f"user {me} cannot ask for it in the name of user {other}")
    refusal = refusal_of(lambda: DeletionRequest.objects.create(**facts, requested_by=me))
    assert refusal.message_primary.endswith("cannot be made without an acting user")
    assert ask(me, requested_by=me).requested_by == me
    request = ask(me)
    request.refresh_from_db()
    assert request.requested_by == me


def test_the_workflow_does_not_ask_in_the_name_of_another():
    story, me, other = tell_story(), UserFactory(), UserFactory()
    with attributed(user=other), pytest.raises(Refused, match="cannot ask for it in the name of user"):
        request_deletion(story.buffer, [story.package_copy], user=me, reason="full", dry_run=False)
    assert not DeletionRequest.objects.exists()


def test_only_who_asked_edits_and_withdraws():
    request, other = DeletionRequestFactory(), UserFactory()
    rows = DeletionRequest.objects.filter(pk=request.pk)
    item = DeletionRequestItemFactory(deletion_request=request)
    copy = PhysicalCopyFactory(data_location=request.data_location)

    def as_(actor, act):
        def attempt():
            with attributed(user=actor):
                return act()

        return attempt

    edits = {
        "reason": lambda: rows.update(reason="something else"),
        "limit": lambda: rows.update(limit=1_000),
        "override": lambda: rows.update(overrides_retention=True),
        "another copy": lambda: request.request_items.create(physical_copy=copy),
        "one copy less": lambda: item.delete(),
        "away": lambda: DeletionRequest.objects.get(pk=request.pk).delete(),
        "away by SQL": lambda: sql("DELETE FROM deletion_request_item; DELETE FROM deletion_request"),
        "away alone": lambda: sql("DELETE FROM deletion_request WHERE id = %s", request.pk),
    }
    for name, edit in edits.items():
        for actor in (other, request.decider, None):
            refusal = refusal_of(as_(actor, edit))
            assert f"only user {request.requested_by}, who asked, can" in refusal.message_primary, name
    for name in ("reason", "limit", "override", "another copy", "one copy less", "away"):
        as_(request.requested_by, edits[name])()
    assert not rows.exists()


def test_nothing_is_decided_by_nobody():
    request = DeletionRequestFactory()
    for status in ("approved", "rejected"):
        refusal = refusal_of(lambda status=status: decide_by_sql(request, None, status))
        assert refusal.message_primary == f"deletion_request {request.pk}: cannot be decided without an acting user"


def test_the_times_are_those_of_the_database():
    request = DeletionRequestFactory(created_at=LONG_AGO)
    before = timezone.now() - timedelta(minutes=1)
    decide_by_sql(request, request.decider)
    DeletionRequest.objects.filter(pk=request.pk).update(status="executed", executed_at=LONG_AGO)
    request.refresh_from_db()
    assert min(request.created_at, request.decided_at, request.executed_at) > before


@pytest.mark.parametrize("decide", [approve_deletion, reject_deletion])
def test_an_account_that_is_younger_than_the_request_does_not_decide_it(decide):
    request = DeletionRequestFactory()
    young = decider(date_joined=LONG_AGO)
    with pytest.raises(
        Refused, match=f"user {young} cannot decide it, because the account was created after the request"
    ):
        decide(request, user=young)
    assert refusal_of(lambda: decide_by_sql(request, young)).constraint_name == "deletion_request_decided_in_person"
    assert decide(request, user=_old(request)).approved_by == request.decider


def test_who_has_the_right_is_who_is_not_refused():
    me, other, old = (UserFactory(is_superuser=True) for _number in range(3))
    with attributed(user=me):
        made_by_me = decider()
    UserFactory(is_superuser=True, is_active=False)
    request = DeletionRequestFactory(requested_by=me)
    young, lacking = decider(), request.decider
    everybody = sorted((me, other, old, made_by_me, young, lacking), key=lambda user: user.username)
    rights = {user: find_decision_rights([request], user=user)[request.pk] for user in everybody}
    for user, found in rights.items():
        with transaction.atomic():
            refused = None
            try:
                reject_deletion(request, user=user)
            except Refused as error:
                refused = error
            transaction.set_rollback(True)
        request.refresh_from_db()
        assert bool(found.why_not) is (refused is not None), user
        assert found.people == (tuple(sorted([other.username, old.username])) if refused else ())


def _old(request):
    """The decider of a request with the right to decide."""
    request.decider.user_permissions.add(Permission.objects.get(codename="approve_deletionrequest"))
    return type(request.decider).objects.get(pk=request.decider.pk)


def made(me):
    return decider()


def given_a_password(me):
    other = UserFactory(is_superuser=True)
    other.set_password("Cerro-Chajnantor-5612")
    return other


def given_a_role(me):
    other = UserFactory(is_superuser=True)
    other.groups.add(RoleFactory().group_ptr)
    return other


def given_a_permission(me):
    other = UserFactory(is_superuser=True)
    other.user_permissions.add(Permission.objects.get(codename="approve_deletionrequest"))
    return other


def made_a_superuser(me):
    other = UserFactory()
    other.is_superuser = True
    return other


def made_active(me):
    other = UserFactory(is_superuser=True, is_active=False)
    other.is_active = True
    return other


@pytest.mark.parametrize(
    "favour", [made, given_a_password, given_a_role, given_a_permission, made_a_superuser, made_active]
)
def test_an_account_that_owes_itself_or_its_rights_to_who_asked_does_not_decide(favour):
    me = UserFactory()
    with attributed(user=me):
        other = favour(me)
        other.save()
    request = DeletionRequestFactory(requested_by=me)
    with pytest.raises(Refused, match=f"from user {me}, who asked|created by user {me}, who asked"):
        approve_deletion(request, user=other)
    assert refusal_of(lambda: decide_by_sql(request, other)).constraint_name == "deletion_request_decided_in_person"
    somebody = DeletionRequestFactory()
    assert approve_deletion(somebody, user=other).approved_by == other


def test_an_account_whose_role_owes_its_permissions_to_who_asked_does_not_decide():
    me, other, role = UserFactory(), decider(), RoleFactory()
    other.groups.add(role.group_ptr)
    permission = Permission.objects.get(codename="approve_deletionrequest")
    with attributed(user=me):
        role.permissions.add(permission)
    change = ChangeLog.objects.get(table_name="role", row_id=str(role.pk), operation="update")
    assert (change.user, change.after) == (me, {"permissions": permission.pk})
    request = DeletionRequestFactory(requested_by=me)
    with pytest.raises(Refused, match=f"a role of the account got permissions from user {me}, who asked"):
        approve_deletion(request, user=other)
    assert refusal_of(lambda: decide_by_sql(request, other)).constraint_name == "deletion_request_decided_in_person"
    assert approve_deletion(DeletionRequestFactory(), user=other).approved_by == other


def test_the_rule_is_what_refuses():
    """Without the trigger the same attack succeeds: what is tried above is tried for real."""
    request = DeletionRequestFactory()
    young = decider()
    with pytest.raises(IntegrityError), transaction.atomic():
        decide_by_sql(request, young)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    with as_owner():
        sql("DROP TRIGGER deletion_request_decided_in_person ON deletion_request")
    decide_by_sql(request, young)
    request.refresh_from_db()
    assert request.approved_by == young
