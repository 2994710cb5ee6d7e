"""Stage 7, delete: workers delete bytes, but only the database says which.

A copy goes by these steps: it is scheduled (by a manager that asks ``PhysicalCopy.objects.deletable(location)``, or
by an approved request), a worker starts, and confirms or fails. The five rules are in ``database/sql/deletion.sql``,
kept by a trigger that no step gets round; here they are asked before, so that one copy that must stay does not stop
the others.

Locks go in the order of that module: copies, transfer packages, raw packages, raw files, products, each by key.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass

from django.db import connections, router, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from opsdb import conf
from opsdb.models import (
    DataLocation,
    DeletionPolicy,
    DeletionRequest,
    DeletionRequestItem,
    DeletionRequestStatus,
    PhysicalCopy,
    PhysicalCopyStatus,
)

from .attribution import attributed, is_attributed
from .errors import InvalidTransition, NotFound, OpsdbError, Refused
from .refusals import as_refused
from .states import move, name_of

NEXT_STEP = {
    PhysicalCopyStatus.PRESENT: PhysicalCopyStatus.DELETION_SCHEDULED,
    PhysicalCopyStatus.STAGED: PhysicalCopyStatus.DELETION_SCHEDULED,
    PhysicalCopyStatus.DELETION_POSSIBLE: PhysicalCopyStatus.DELETION_SCHEDULED,
    PhysicalCopyStatus.CORRUPT: PhysicalCopyStatus.DELETION_SCHEDULED,
    PhysicalCopyStatus.DELETION_FAILED: PhysicalCopyStatus.DELETION_SCHEDULED,
    PhysicalCopyStatus.DELETION_SCHEDULED: PhysicalCopyStatus.DELETION_IN_PROGRESS,
    PhysicalCopyStatus.DELETION_IN_PROGRESS: PhysicalCopyStatus.DELETED,
    PhysicalCopyStatus.MISSING: PhysicalCopyStatus.DELETED,
}
EXPLAIN = """
SELECT copy.id, copy.status, blocker.rule, blocker.held_by, blocker.why
FROM physical_copy AS copy CROSS JOIN LATERAL opsdb_deletion_blocker(copy.id) AS blocker
WHERE copy.id = ANY (%s) ORDER BY copy.id
"""
LOCK_CONTENTS = "SELECT opsdb_lock_contents(%s::bigint[], for_deletion => true)"


@dataclass(frozen=True)
class Explanation:
    """Whether a copy may take its next step towards deletion, and what holds it back if not.

    Attributes:
        copy_id: key of the copy.
        status: where it stands.
        next_step: the state that would come next; None when there is none.
        rule: number of the rule that holds it back, 1 to 5; None when none does.
        held_by: table and key of the row that holds it back; empty when none does.
        why: what the rule says of that row.
    """

    copy_id: int
    status: PhysicalCopyStatus
    next_step: PhysicalCopyStatus | None
    rule: int | None = None
    held_by: str = ""
    why: str = ""

    @property
    def may_go(self) -> bool:
        """Whether it may take its next step."""
        return self.next_step is not None and self.rule is None

    def __str__(self):
        if self.next_step is None:
            return f"physical_copy {self.copy_id}: is {self.status}, there is nothing to delete"
        if self.rule is None:
            return f"physical_copy {self.copy_id}: may go from {self.status} to {self.next_step}"
        return f"physical_copy {self.copy_id}: deletion rule {self.rule}: {self.why}"


@dataclass(frozen=True)
class Deletions:
    """What a step did.

    Attributes:
        copies: the copies that took the step.
        held_back: for each of the others, what holds it back.
    """

    copies: list[PhysicalCopy]
    held_back: list[Explanation]


@dataclass(frozen=True)
class RequestedDeletion:
    """What a request for deletion covers.

    Attributes:
        request: the request; None for a dry run.
        copy_ids: keys of the copies that may go.
        held_back: for each of the others, what holds it back.
    """

    request: DeletionRequest | None
    copy_ids: list[int]
    held_back: list[Explanation]


def explain_deletion(copy: PhysicalCopy) -> Explanation:
    """Return which rule holds a copy back from deletion, and by which row. Locks nothing.

    The trigger that refuses deletions asks the same function of the database.

    Raises:
        NotFound: there is no such copy.
    """
    explanations = _explain([copy.pk])
    if not explanations:
        raise NotFound(f"{name_of(PhysicalCopy, copy.pk)}: there is no such row")
    return explanations[0]


def _explain(ids) -> list[Explanation]:
    connection = connections[router.db_for_write(PhysicalCopy)]
    with connection.cursor() as cursor:
        cursor.execute(EXPLAIN, [list(ids)])
        rows = cursor.fetchall()
    explanations = []
    for copy_id, status, rule, held_by, why in rows:
        status = PhysicalCopyStatus(status)
        next_step = NEXT_STEP.get(status)
        if rule is None or status == PhysicalCopyStatus.DELETION_IN_PROGRESS or next_step is None:
            explanations.append(Explanation(copy_id, status, next_step))
        else:
            explanations.append(Explanation(copy_id, status, next_step, rule, held_by, why))
    return explanations


def _keys(copies) -> list[int]:
    if isinstance(copies, PhysicalCopy):
        copies = [copies]
    keys = copies.values_list("pk", flat=True) if isinstance(copies, QuerySet) else (copy.pk for copy in copies)
    return sorted(keys)


def _lock(ids) -> list[int]:
    """Lock copies and then what they stand for, and return the keys of those that exist."""
    found = list(
        PhysicalCopy.objects.filter(pk__in=ids)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk", flat=True)
    )
    _lock_contents(found)
    return found


def _lock_contents(ids):
    with connections[router.db_for_write(PhysicalCopy)].cursor() as cursor:
        cursor.execute(LOCK_CONTENTS, [ids])


def _read(ids) -> list[PhysicalCopy]:
    return list(PhysicalCopy.objects.filter(pk__in=ids).order_by("pk"))


def schedule_deletion(copies: QuerySet | Iterable[PhysicalCopy] | PhysicalCopy) -> Deletions:
    """Schedule copies for deletion by a worker; those that a rule holds back stay as they are.

    Copies that are scheduled already count as scheduled, so that the call can be repeated. Also takes up failed
    deletions again. Locks the copies and what they stand for: give it some thousands at a time, as
    ``PhysicalCopy.objects.deletable(location, limit=1000)`` does.

    Raises:
        Refused: something changed meanwhile so that a rule holds a copy back after all; nothing was changed.
    """
    with as_refused(), transaction.atomic():
        ids = _lock(_keys(copies))
        explanations = _explain(ids)
        scheduled = PhysicalCopyStatus.DELETION_SCHEDULED
        going = [found.copy_id for found in explanations if found.may_go and found.next_step == scheduled]
        PhysicalCopy.objects.filter(pk__in=going).update(
            status=scheduled, deletion_requested_at=timezone.now(), failure_message=""
        )
        done = {*going, *(found.copy_id for found in explanations if found.status == scheduled)}
        return Deletions(_read(done), [found for found in explanations if found.copy_id not in done])


def start_deletion(location: DataLocation, *, limit: int) -> Deletions:
    """Hand a worker up to ``limit`` copies whose bytes it has to delete now, the oldest first.

    The rules are asked again: a copy that must stay after all becomes present again, with the reason as its failure
    message. Copies that another worker is taking at this moment are passed over, so that no two get the same.
    Locks the copies and what they stand for. Served by ``physical_copy_by_location``.

    Raises:
        OpsdbError: the limit is below 1.
        Refused: something changed meanwhile so that a rule holds a copy back after all; nothing was changed.
    """
    if limit < 1:
        raise OpsdbError(f"start_deletion: the limit must be 1 or more, not {limit}")
    with as_refused(), transaction.atomic():
        waiting = PhysicalCopy.objects.at(location).filter(status=PhysicalCopyStatus.DELETION_SCHEDULED)
        ids = list(
            waiting.order_by("arrived_at", "pk")
            .select_for_update(skip_locked=True, no_key=True)
            .values_list("pk", flat=True)[:limit]
        )
        _lock_contents(ids)
        explanations = _explain(ids)
        going = [found.copy_id for found in explanations if found.may_go]
        held_back = [found for found in explanations if not found.may_go]
        PhysicalCopy.objects.filter(pk__in=going).update(status=PhysicalCopyStatus.DELETION_IN_PROGRESS)
        for found in held_back:
            PhysicalCopy.objects.filter(pk=found.copy_id).update(
                status=PhysicalCopyStatus.PRESENT, deletion_requested_at=None, failure_message=str(found)
            )
        return Deletions(_read(going), held_back)


def confirm_deletion(copy: PhysicalCopy) -> PhysicalCopy:
    """Record that a worker has deleted the bytes of a copy, and return it; as :func:`confirm_deletions`."""
    confirm_deletions(copy)
    copy.refresh_from_db()
    return copy


def confirm_deletions(copies: QuerySet | Iterable[PhysicalCopy] | PhysicalCopy) -> list[PhysicalCopy]:
    """Record that a worker has deleted the bytes of copies, all or none of them, and return them. Locks the copies.

    The same call again changes nothing. The rows stay: they are the audit trail.

    Raises:
        InvalidTransition: nobody has started to delete one of them.
        NotFound: one does not exist.
    """
    keys = _keys(copies)
    deleting, deleted = PhysicalCopyStatus.DELETION_IN_PROGRESS, PhysicalCopyStatus.DELETED
    with transaction.atomic():
        locked = PhysicalCopy.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True)
        statuses = dict(locked.values_list("pk", "status"))
        for key in keys:
            if key not in statuses:
                raise NotFound(f"{name_of(PhysicalCopy, key)}: there is no such row")
            status = PhysicalCopyStatus(statuses[key])
            if status not in (deleting, deleted):
                raise InvalidTransition(
                    name_of(PhysicalCopy, key), "status", status, deleted, status.may_become - {deleted}
                )
        PhysicalCopy.objects.filter(pk__in=keys, status=deleting).update(
            status=deleted, deleted_at=timezone.now(), failure_message=""
        )
        return _read(keys)


def fail_deletion(copy: PhysicalCopy, *, message: str) -> PhysicalCopy:
    """Record that a worker could not delete the bytes of a copy, and return it. Locks the copy.

    The same call again changes nothing, until the deletion is tried again.

    Args:
        message: what went wrong, not empty.

    Raises:
        InvalidTransition: nobody has started to delete it.
        OpsdbError: the message is empty.
    """
    if not message.strip():
        raise OpsdbError(f"{name_of(PhysicalCopy, copy.pk)}: say what went wrong")
    failed = PhysicalCopyStatus.DELETION_FAILED
    with transaction.atomic():
        known = PhysicalCopy.objects.filter(pk=copy.pk, status=failed, failure_message=message)
        if known.select_for_update(no_key=True).values_list("pk").first():
            copy.refresh_from_db()
            return copy
        return move(copy, failed, failure_message=message, retry_count=F("retry_count") + 1)


def cancel_deletion(copies: QuerySet | Iterable[PhysicalCopy] | PhysicalCopy) -> list[PhysicalCopy]:
    """Keep copies that were to be deleted, and return those that are kept by this; locks them.

    Raises:
        InvalidTransition: a worker is deleting one of them, or has done so; nothing was changed.
    """
    cancelled = {
        PhysicalCopyStatus.DELETION_POSSIBLE,
        PhysicalCopyStatus.DELETION_SCHEDULED,
        PhysicalCopyStatus.DELETION_FAILED,
    }
    too_late = {PhysicalCopyStatus.DELETION_IN_PROGRESS, PhysicalCopyStatus.DELETED}
    with transaction.atomic():
        locked = PhysicalCopy.objects.filter(pk__in=_keys(copies)).order_by("pk").select_for_update(no_key=True)
        statuses = {pk: PhysicalCopyStatus(status) for pk, status in locked.values_list("pk", "status")}
        for pk, status in statuses.items():
            if status in too_late:
                present = PhysicalCopyStatus.PRESENT
                raise InvalidTransition(name_of(PhysicalCopy, pk), "status", status, present, status.may_become)
        kept = [pk for pk, status in statuses.items() if status in cancelled]
        PhysicalCopy.objects.filter(pk__in=kept).update(
            status=PhysicalCopyStatus.PRESENT, deletion_requested_at=None, failure_message=""
        )
        return _read(kept)


def write_off(copy: PhysicalCopy) -> PhysicalCopy:
    """Record that a missing copy need not be looked for any more, because its content is safe elsewhere.

    Locks the copy and what it stands for.

    Raises:
        Refused: rule 1 or 2 says that it must not be missing.
        InvalidTransition: it is not missing.
    """
    with as_refused(), transaction.atomic():
        return move(copy, PhysicalCopyStatus.DELETED, only_from=[PhysicalCopyStatus.MISSING], deleted_at=timezone.now())


def request_deletion(
    location: DataLocation,
    copies: QuerySet | Iterable[PhysicalCopy],
    *,
    user,
    reason: str,
    limit: int | None = None,
    overrides_retention: bool = False,
    dry_run: bool = True,
) -> RequestedDeletion:
    """Say which copies could be deleted by hand and, unless it is a dry run, ask another person to approve that.

    The request holds the copies that may go now; what holds the others back is returned. Locks nothing.

    Args:
        location: where they are.
        copies: the copies.
        user: who asks.
        reason: why.
        limit: most copies that the request may hold; ``OPSDB_DELETION_REQUEST_LIMIT`` at most, and when left out.
        overrides_retention: whether copies may go before the retention of the location has passed (rule 5).
        dry_run: whether to write nothing.

    Raises:
        Refused: there are more copies than the limit, one is at another location, or none may go.
        OpsdbError: there is no reason, or the limit is out of range.
    """
    most = conf.get("OPSDB_DELETION_REQUEST_LIMIT")
    limit = most if limit is None else limit
    if not reason.strip():
        raise OpsdbError("request_deletion: say why")
    if not 1 <= limit <= most:
        raise OpsdbError(f"request_deletion: the limit must be from 1 to {most}, not {limit}")
    copies = copies[: limit + 1] if isinstance(copies, QuerySet) else copies
    ids = _keys(copies)
    if len(ids) > limit:
        raise Refused(f"request_deletion: there are more than {limit} copies; ask for fewer at a time")
    with as_refused(), transaction.atomic():
        elsewhere = PhysicalCopy.objects.filter(pk__in=ids).exclude(data_location=location).values_list("pk", flat=True)
        if strayed := elsewhere.order_by("pk").first():
            raise Refused(f"{name_of(PhysicalCopy, strayed)}: is at another location than {location}; leave it out")
        explanations = _explain(ids)
        going = [found.copy_id for found in explanations if _may_be_scheduled(found, overrides_retention)]
        held_back = [found for found in explanations if found.copy_id not in {*going}]
        if dry_run:
            return RequestedDeletion(None, going, held_back)
        if not going:
            raise Refused(f"request_deletion: no copy may go; {'; '.join(map(str, held_back[:3])) or 'none is given'}")
        with attributed(reason=reason):
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


def _may_be_scheduled(found: Explanation, overrides_retention: bool) -> bool:
    """Say whether a request could schedule a copy; rule 5 is asked last, so that the others hold where it is named."""
    if found.next_step != PhysicalCopyStatus.DELETION_SCHEDULED:
        return False
    return found.may_go or (overrides_retention and found.rule == 5)


def _require_permission(request, user, what):
    permission = f"opsdb.{what}_deletionrequest"
    if user is None or not user.has_perm(permission):
        raise Refused(
            f"{name_of(DeletionRequest, request.pk)}: user {getattr(user, 'pk', 'nobody')} lacks the permission "
            f"{permission}; ask somebody who has it"
        )


def approve(request: DeletionRequest, user) -> DeletionRequest:
    """Approve a request for deletion as another person, and return it. From then on nobody can change it.

    Of two people that decide at once, one does; the other learns what was decided. Locks the request.

    Raises:
        Refused: the user lacks the permission ``opsdb.approve_deletionrequest``, or is the one who asked, or somebody
            else acts in the user's name.
        InvalidTransition: it is decided already.
    """
    return _decide(request, user, DeletionRequestStatus.APPROVED)


def reject(request: DeletionRequest, user) -> DeletionRequest:
    """Reject a request for deletion, also one that was approved but not executed, and return it. Locks the request.

    Raises:
        Refused: the user lacks the permission ``opsdb.approve_deletionrequest``, or is the one who asked, or somebody
            else acts in the user's name.
        InvalidTransition: it is rejected or executed already.
    """
    return _decide(request, user, DeletionRequestStatus.REJECTED)


def _decide(request, user, status):
    _require_permission(request, user, "approve")
    if user.pk == request.requested_by_id:
        raise Refused(f"{name_of(DeletionRequest, request.pk)}: another person than the one who asked must decide it")
    # Who is known to act decides in person, and the database sees to that.
    actor = nullcontext() if is_attributed() else attributed(user=user)
    with actor, as_refused(), transaction.atomic():
        return move(request, status, approved_by=user, decided_at=timezone.now())


def execute(request: DeletionRequest, user) -> Deletions:
    """Schedule the copies of an approved request for deletion, and return which, and what holds back the others.

    Every copy is looked at again: what has become unsafe since the approval stays. Locks the request, its copies and
    what they stand for.

    Args:
        request: the request.
        user: who executes it.

    Raises:
        InvalidTransition: the request is not approved, or was executed.
        Refused: the user lacks the permission ``opsdb.execute_deletionrequest``, or no copy may go any more; the
            request stays approved.
        NotFound: there is no such request.
    """
    _require_permission(request, user, "execute")
    executed = DeletionRequestStatus.EXECUTED
    with transaction.atomic():
        locked = DeletionRequest.objects.select_for_update(no_key=True).filter(pk=request.pk).first()
        if locked is None:
            raise NotFound(f"{name_of(DeletionRequest, request.pk)}: there is no such row")
        status = DeletionRequestStatus(locked.status)
        if executed not in status.may_become:
            raise InvalidTransition(name_of(DeletionRequest, request.pk), "status", status, executed, status.may_become)
        actor = None if is_attributed() else user
        with attributed(user=actor, reason=f"deletion request {locked.pk}: {locked.reason}"):
            outcome = schedule_deletion(PhysicalCopy.objects.filter(request_items__deletion_request=locked))
            if not outcome.copies:
                raise Refused(
                    f"{name_of(DeletionRequest, request.pk)}: no copy may go any more; "
                    + "; ".join(map(str, outcome.held_back[:3]))
                )
            move(request, executed, executed_at=timezone.now())
        return outcome


def tell_deletion_policy(using: str) -> None:
    """Tell a database how many archive copies the setting ``OPSDB_MIN_ARCHIVE_COPIES`` asks for. Locks the policy."""
    wanted = conf.get("OPSDB_MIN_ARCHIVE_COPIES")
    policies = DeletionPolicy.objects.using(using)
    if policies.filter(pk=1, min_archive_copies=wanted).exists():
        return
    with attributed(origin="migrate", reason="OPSDB_MIN_ARCHIVE_COPIES"):
        policies.update_or_create(pk=1, defaults={"min_archive_copies": wanted})
