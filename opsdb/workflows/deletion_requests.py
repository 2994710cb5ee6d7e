"""Stage 7, delete by hand: one person requests the deletion of copies, another approves it, and it is executed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, Permission
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext as _

from opsdb import conf
from opsdb.database.aliases import atomic
from opsdb.database.functions import WhyNotDecide
from opsdb.models import (
    DataLocation,
    DeletionRequest,
    DeletionRequestItem,
    DeletionRequestStatus,
    PhysicalCopy,
    PhysicalCopyStatus,
)
from opsdb.row_labels import place_of

from .attribution import attributed, attributed_to, has_actor
from .deletion import Deletions, DeletionVerdict, _explain_copies, _keys_of, schedule_deletion
from .errors import InvalidTransition, NotFound, OpsdbError, Refused, name_row, translate_integrity_errors
from .states import move_state


@dataclass(frozen=True)
class RequestedDeletion:
    """Content of a request for deletion.

    Attributes:
        request: the request; None for a dry run.
        copy_ids: keys of the copies that may be deleted.
        held_back: for each of the others, what blocks it.
    """

    request: DeletionRequest | None
    copy_ids: list[int]
    held_back: list[DeletionVerdict]


def request_deletion(
    location: DataLocation,
    copies: QuerySet[PhysicalCopy] | Iterable[PhysicalCopy],
    *,
    user: AbstractUser,
    reason: str,
    limit: int | None = None,
    overrides_retention: bool = False,
    dry_run: bool = True,
) -> RequestedDeletion:
    """Return which copies could be deleted by hand and, unless it is a dry run, request the approval of another person.

    The request contains the copies that may be deleted now; what blocks the others is returned. Locks nothing.

    Args:
        location: where they are.
        copies: the copies.
        user: who asks.
        reason: why.
        limit: most copies that the request may contain; ``OPSDB_DELETION_REQUEST_LIMIT`` at most, and when left out.
        overrides_retention: whether copies may be deleted before the retention of the location has passed (rule 5).
        dry_run: whether to write nothing.

    Raises:
        Refused: there are more copies than the limit, one is at another location, none may be deleted, or another
            person acts in the user's name.
        OpsdbError: there is no reason, or the limit is out of range.
    """
    most = conf.get("OPSDB_DELETION_REQUEST_LIMIT")
    limit = most if limit is None else limit
    if not reason.strip():
        raise OpsdbError("deletion_request: has no reason; give one")
    if not 1 <= limit <= most:
        raise OpsdbError(f"deletion_request: the limit is {limit}; give one from 1 to {most}")
    copies = copies[: limit + 1] if isinstance(copies, QuerySet) else copies
    ids = _keys_of(copies)
    if len(ids) > limit:
        raise Refused(f"deletion_request: there are more than {limit} copies; ask for fewer at a time")
    with translate_integrity_errors(), atomic():
        elsewhere = PhysicalCopy.objects.filter(pk__in=ids).exclude(data_location=location).values_list("pk", flat=True)
        if strayed := elsewhere.order_by("pk").first():
            raise Refused(
                f"{name_row(PhysicalCopy, strayed)}: is at another location than {place_of(location)}; leave it out"
            )
        verdicts = _explain_copies(ids)
        going = [verdict.copy_id for verdict in verdicts if _may_be_scheduled(verdict, overrides_retention)]
        held_back = [verdict for verdict in verdicts if verdict.copy_id not in {*going}]
        if dry_run:
            return RequestedDeletion(None, going, held_back)
        if not going:
            reasons = "; ".join(map(str, held_back[:3]))
            raise Refused(
                f"deletion_request: none of the copies may be deleted: {reasons}; leave them out"
                if held_back
                else "deletion_request: no copy is given; choose copies that are there"
            )
        # The trigger filed_in_person refuses a request without an acting user, or in the name of another.
        with attributed_to(user, reason):
            request = DeletionRequest.objects.create(
                data_location_id=location.pk,
                reason=reason,
                requested_by=user,
                limit=limit,
                overrides_retention=overrides_retention,
            )
            DeletionRequestItem.objects.bulk_create(
                DeletionRequestItem(deletion_request=request, physical_copy_id=copy_id) for copy_id in going
            )
        return RequestedDeletion(request, going, held_back)


def _may_be_scheduled(verdict: DeletionVerdict, overrides_retention: bool) -> bool:
    """Return whether a request could schedule a copy. Rule 5 is asked last: where it blocks, no other rule does."""
    if verdict.next_step != PhysicalCopyStatus.DELETION_SCHEDULED:
        return False
    return verdict.may_go or (overrides_retention and verdict.rule == 5)


def _require_permission(request, user, what):
    permission = f"opsdb.{what}_deletionrequest"
    if user is None or not user.has_perm(permission):
        raise Refused(
            f"{name_row(DeletionRequest, request.pk)}: {f'user {user.get_username()}' if user else 'nobody'} lacks the "
            f"permission {permission}; ask somebody who has it"
        )


def approve_deletion(request: DeletionRequest, *, user: AbstractUser) -> DeletionRequest:
    """Approve a request for deletion as another person, and return it. From then on it can't be changed.

    Of two people who decide simultaneously, one succeeds; the other's call is refused. Locks the request.

    Args:
        request: the request.
        user: who approves it.

    Raises:
        Refused: the user lacks the permission ``opsdb.approve_deletionrequest``, or is the one who asked, or has an
            account that is younger than the request, or was made or given rights by the requester, or another person
            acts in the user's name.
        InvalidTransition: it is decided already.
    """
    return _decide(request, user, DeletionRequestStatus.APPROVED)


def reject_deletion(request: DeletionRequest, *, user: AbstractUser) -> DeletionRequest:
    """Reject a request for deletion, also one that was approved but not executed, and return it. Locks the request.

    Args:
        request: the request.
        user: who rejects it.

    Raises:
        Refused: the user lacks the permission ``opsdb.approve_deletionrequest``, or is the one who asked, or has an
            account that is younger than the request, or was made or given rights by the requester, or another person
            acts in the user's name.
        InvalidTransition: it is rejected or executed already.
    """
    return _decide(request, user, DeletionRequestStatus.REJECTED)


def _decide(request, user, status):
    _require_permission(request, user, "approve")
    if user.pk == request.requested_by_id:
        raise Refused(
            f"{name_row(DeletionRequest, request.pk)}: user {user.get_username()} asked for it, so another person "
            "must decide it; ask a person who may approve"
        )
    # The trigger decided_in_person refuses a decision without an acting user, or in the name of another.
    actor = nullcontext() if has_actor() else attributed(user=user)
    with actor, translate_integrity_errors(), atomic():
        return move_state(request, status, approved_by=user, decided_at=Now())


@dataclass(frozen=True)
class DecisionRights:
    """Whether a person may decide a request for deletion, and otherwise who may.

    Attributes:
        why_not: why the person can't decide it, addressed to the person; empty where they can.
        people: the usernames of those who may, where the person can't.
    """

    why_not: str
    people: tuple[str, ...] = ()


def find_decision_rights(requests: Iterable[DeletionRequest], *, user: AbstractUser) -> dict[int, DecisionRights]:
    """Return for requests for deletion, by key, whether a person may decide them, and otherwise who may.

    The status of a request does not matter. Two queries at most, whatever the number of requests, beside those for the
    person's permissions. Who holds the permission by another way than the tables of users, roles and permissions is not
    among the people.

    Args:
        requests: the requests.
        user: the person.
    """
    asked = {request.pk: request for request in requests}
    why_not = {key: _lacks_or_asked(request, user) for key, request in asked.items()}
    if others := [key for key, why in why_not.items() if not why]:
        why_not |= _requests_with_reason(others, Value(str(user.pk))).values_list("pk", "why_not")
    refused = [key for key, why in why_not.items() if why]
    people = {key: [] for key in refused}
    for name, keys in _deciders(refused) if refused else ():
        for key in keys:
            people[key].append(name)
    return {key: DecisionRights(why or "", tuple(people.get(key, ()))) for key, why in why_not.items()}


def _lacks_or_asked(request, user):
    if not user.has_perm("opsdb.approve_deletionrequest"):
        return _("you lack the permission to approve")
    return _("you made the request") if user.pk == request.requested_by_id else ""


def _requests_with_reason(keys, decider):
    """Return requests with what the database has against a decision by a person: of the key as a text."""
    requester = Cast("requested_by_id", TextField())
    why_not = WhyNotDecide(decider, requester, "created_at", Value("the person who asked"))
    return DeletionRequest.objects.filter(pk__in=keys).order_by().annotate(why_not=why_not)


def _deciders(keys):
    """Return the usernames of who may approve, and for each which of the requests they may decide."""
    users, granted = get_user_model(), Q(user=OuterRef("pk")) | Q(group__user=OuterRef("pk"))
    may = Permission.objects.filter(granted, content_type__app_label="opsdb", codename="approve_deletionrequest")
    theirs = _requests_with_reason(keys, Cast(OuterRef("pk"), TextField())).filter(why_not__isnull=True)
    theirs = theirs.filter(~Q(requested_by=OuterRef("pk"))).values("pk")
    holders = users._default_manager.filter(Q(is_superuser=True) | Exists(may), is_active=True)
    holders = holders.annotate(opsdb_requests=ArraySubquery(theirs)).order_by(users.USERNAME_FIELD)
    return holders.values_list(users.USERNAME_FIELD, "opsdb_requests")


def execute_deletion_request(request: DeletionRequest, *, user: AbstractUser) -> Deletions:
    """Schedule the copies of an approved request for deletion, and return which, and what blocks the others.

    Every copy is checked again: what has become unsafe since the approval stays. Locks the request, its copies and
    their content.

    Args:
        request: the request.
        user: who executes it.

    Raises:
        InvalidTransition: the request is not approved, or was executed.
        Refused: the user lacks the permission ``opsdb.execute_deletionrequest``, or no copy may be deleted any
            more; the request stays approved.
        NotFound: there is no such request.
    """
    _require_permission(request, user, "execute")
    executed = DeletionRequestStatus.EXECUTED
    with atomic():
        locked = DeletionRequest.objects.select_for_update(no_key=True).filter(pk=request.pk).first()
        if locked is None:
            raise NotFound(f"{name_row(DeletionRequest, request.pk)}: there is no such row; check its key")
        status = DeletionRequestStatus(locked.status)
        if executed not in status.may_become:
            raise InvalidTransition(
                name_row(DeletionRequest, request.pk), "status", status, executed, status.may_become
            )
        with attributed_to(user, f"deletion request {locked.pk}: {locked.reason}"):
            outcome = schedule_deletion(PhysicalCopy.objects.filter(request_items__deletion_request=locked))
            if not outcome.copies:
                raise Refused(
                    f"{name_row(DeletionRequest, request.pk)}: none of its copies may be deleted any more: "
                    + "; ".join(map(str, outcome.held_back[:3]))
                    + "; reject it, or settle first what holds them back"
                )
            move_state(request, executed, executed_at=Now())
        return outcome
