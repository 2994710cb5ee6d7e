"""Stage 7, delete: workers delete bytes, and rules in the database decide which.

A deletion is scheduled (by a manager that asks ``PhysicalCopy.objects.deletable(location)``, or by an approved
request), claimed by a worker, and completed or failed by it. A trigger enforces the five rules at every step; here
they are asked before, so that one copy that must stay does not stop the others.

A copy has no column for its worker: a deletion in progress has no heartbeat, and ``deletion_stalled`` finds those that
were claimed long ago. An operator who has found that the worker is gone completes the deletion or fails it.

Locks are taken in this order: copies, transfer packages, raw packages, raw files, products, each by key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from opsdb.database.aliases import atomic, writing_connection
from opsdb.models import DataLocation, PhysicalCopy, PhysicalCopyStatus, Verification

from .errors import InvalidTransition, NotFound, OpsdbError, Refused, name_row, translate_integrity_errors
from .states import move_state

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
# What the rules of deletion.sql hold back, in a few words: docs/operations.md describes them.
RULES = {
    1: lazy("copies in an archive stay for good"),
    2: lazy("its content is not safe elsewhere yet"),
    3: lazy("open work still reads it, or it is not unpacked"),
    4: lazy("a staging job or a run needs it there"),
    5: lazy("its retention has not passed"),
}


Copies: TypeAlias = QuerySet[PhysicalCopy] | Iterable[PhysicalCopy] | PhysicalCopy


@dataclass(frozen=True)
class DeletionVerdict:
    """Whether a copy may take its next step towards deletion, and what blocks it if not.

    Attributes:
        copy_id: key of the copy.
        status: its state.
        next_step: the state that would come next; None when there is none.
        rule: number of the rule that blocks it, 1 to 5; None when none does.
        held_by: table and key of the row that blocks it; empty when none does.
        why: how that row breaks the rule.
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

    def __str__(self) -> str:
        if self.next_step is None:
            return f"physical_copy {self.copy_id}: is {self.status}, so there is nothing to delete"
        if self.rule is None:
            return f"physical_copy {self.copy_id}: can change from {self.status} to {self.next_step}"
        return f"physical_copy {self.copy_id}: cannot be deleted because of deletion rule {self.rule}: {self.why}"


@dataclass(frozen=True)
class Deletions:
    """Result of a step towards deletion.

    Attributes:
        copies: the copies that took the step.
        held_back: for each of the others, what blocks it.
    """

    copies: list[PhysicalCopy]
    held_back: list[DeletionVerdict]


def name_deletion_rule(rule: int, location: DataLocation | None = None) -> str:
    """Return a rule of deletion in a few words, with its number: ``rule 5: retention of 30 days has not passed``.

    Args:
        rule: 1 to 5.
        location: where copies are that it holds back; then the days of its retention are given.
    """
    words = str(RULES[rule])
    if rule == 5 and location is not None:
        days = location.retention_days
        words = (
            _("the location keeps its data")
            if days is None
            else ngettext("retention of %(days)d day has not passed", "retention of %(days)d days has not passed", days)
            % {"days": days}
        )
    return _("rule %(number)d: %(words)s") % {"number": rule, "words": words}


def explain_deletion(copy: PhysicalCopy) -> DeletionVerdict:
    """Return which rule blocks the deletion of a copy, and by which row. Locks nothing.

    The trigger that refuses deletions asks the same function of the database.

    Raises:
        NotFound: there is no such copy.
    """
    verdicts = _explain_copies([copy.pk])
    if not verdicts:
        raise NotFound(f"{name_row(PhysicalCopy, copy.pk)}: there is no such row; check its key")
    return verdicts[0]


def _explain_copies(ids: Iterable[int]) -> list[DeletionVerdict]:
    """Return the verdicts of copies by key, in the order of the keys; unknown keys are left out."""
    connection = writing_connection()
    with connection.cursor() as cursor:
        cursor.execute(EXPLAIN, [list(ids)])
        rows = cursor.fetchall()
    verdicts = []
    for copy_id, status, rule, held_by, why in rows:
        status = PhysicalCopyStatus(status)
        next_step = NEXT_STEP.get(status)
        if rule is None or status == PhysicalCopyStatus.DELETION_IN_PROGRESS or next_step is None:
            verdicts.append(DeletionVerdict(copy_id, status, next_step))
        else:
            verdicts.append(DeletionVerdict(copy_id, status, next_step, rule, held_by, why))
    return verdicts


def _keys_of(copies: Copies) -> list[int]:
    """Return the keys of copies, sorted."""
    if isinstance(copies, PhysicalCopy):
        copies = [copies]
    keys = copies.values_list("pk", flat=True) if isinstance(copies, QuerySet) else (copy.pk for copy in copies)
    return sorted(keys)


def _lock(ids) -> list[int]:
    """Lock copies and then their content, and return the keys of those that exist."""
    found = list(
        PhysicalCopy.objects.filter(pk__in=ids)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk", flat=True)
    )
    _lock_contents(found)
    return found


def _lock_contents(ids):
    with writing_connection().cursor() as cursor:
        cursor.execute(LOCK_CONTENTS, [ids])


def _read(ids) -> list[PhysicalCopy]:
    return list(PhysicalCopy.objects.filter(pk__in=ids).order_by("pk"))


def schedule_deletion(copies: Copies) -> Deletions:
    """Schedule copies for deletion by a worker; those that a rule blocks stay as they are.

    Idempotent: copies that are scheduled already count as scheduled. Also schedules failed deletions again. Locks the
    copies and their content: pass some thousands at a time, as ``PhysicalCopy.objects.deletable(location, limit=1000)``
    does.

    Args:
        copies: one copy, several, or a queryset.

    Raises:
        Refused: a simultaneous change made a rule block one of the copies; nothing was changed.
    """
    with translate_integrity_errors(), atomic():
        ids = _lock(_keys_of(copies))
        verdicts = _explain_copies(ids)
        scheduled = PhysicalCopyStatus.DELETION_SCHEDULED
        going = [verdict.copy_id for verdict in verdicts if verdict.may_go and verdict.next_step == scheduled]
        PhysicalCopy.objects.filter(pk__in=going).update(
            status=scheduled, deletion_requested_at=timezone.now(), failure_message=""
        )
        done = {*going, *(verdict.copy_id for verdict in verdicts if verdict.status == scheduled)}
        return Deletions(_read(done), [verdict for verdict in verdicts if verdict.copy_id not in done])


def claim_deletions(location: DataLocation, *, limit: int) -> Deletions:
    """Give a worker up to ``limit`` copies whose bytes it has to delete now, the oldest first.

    The rules are asked again: a copy that must stay after all becomes present again, or corrupt if its bytes are known
    to differ, with the reason as its failure message. Copies that another worker is claiming at this moment are
    skipped, so that no two get the same. When the bytes are gone, call :func:`complete_deletion`, else
    :func:`fail_deletion`.

    Locks the copies and their content. Served by ``physical_copy_by_location``.

    Args:
        location: where the worker deletes.
        limit: how many at the most.

    Raises:
        OpsdbError: the limit is below 1.
        Refused: a simultaneous change made a rule block one of the copies; nothing was changed.
    """
    if limit < 1:
        raise OpsdbError(f"physical_copy: the limit is {limit}; give 1 or more")
    with translate_integrity_errors(), atomic():
        waiting = PhysicalCopy.objects.at(location).filter(status=PhysicalCopyStatus.DELETION_SCHEDULED)
        ids = list(
            waiting.order_by("arrived_at", "pk")
            .select_for_update(skip_locked=True, no_key=True)
            .values_list("pk", flat=True)[:limit]
        )
        _lock_contents(ids)
        verdicts = _explain_copies(ids)
        going = [verdict.copy_id for verdict in verdicts if verdict.may_go]
        held_back = [verdict for verdict in verdicts if not verdict.may_go]
        PhysicalCopy.objects.filter(pk__in=going).update(status=PhysicalCopyStatus.DELETION_IN_PROGRESS)
        for verdict in held_back:
            _keep([verdict.copy_id], str(verdict))
        return Deletions(_read(going), held_back)


def complete_deletion(copy: PhysicalCopy) -> PhysicalCopy:
    """Record that a worker has deleted the bytes of a copy, and return it; as :func:`complete_deletions`. Locks it."""
    complete_deletions(copy)
    copy.refresh_from_db()
    return copy


def complete_deletions(copies: Copies) -> list[PhysicalCopy]:
    """Record that a worker has deleted the bytes of copies, all or none of them, and return them. Locks the copies.

    Idempotent. The rows stay: they are the audit trail.

    Args:
        copies: one copy, several, or a queryset.

    Raises:
        InvalidTransition: no worker has claimed one of them.
        NotFound: one does not exist.
    """
    keys = _keys_of(copies)
    deleting, deleted = PhysicalCopyStatus.DELETION_IN_PROGRESS, PhysicalCopyStatus.DELETED
    with atomic():
        locked = PhysicalCopy.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True)
        statuses = dict(locked.values_list("pk", "status"))
        for key in keys:
            if key not in statuses:
                raise NotFound(f"{name_row(PhysicalCopy, key)}: there is no such row; check its key")
            status = PhysicalCopyStatus(statuses[key])
            if status not in (deleting, deleted):
                raise InvalidTransition(
                    name_row(PhysicalCopy, key), "status", status, deleted, status.may_become - {deleted}
                )
        PhysicalCopy.objects.filter(pk__in=keys, status=deleting).update(
            status=deleted, deleted_at=timezone.now(), failure_message=""
        )
        return _read(keys)


def fail_deletion(copy: PhysicalCopy, *, message: str) -> PhysicalCopy:
    """Record that a worker could not delete the bytes of a copy, and return it. Locks the copy.

    Idempotent until the deletion is claimed again.

    Args:
        copy: what the worker has claimed.
        message: what went wrong, not empty.

    Raises:
        InvalidTransition: no worker has claimed it.
        OpsdbError: the message is empty.
    """
    if not message.strip():
        raise OpsdbError(f"{name_row(PhysicalCopy, copy.pk)}: describe what went wrong")
    failed = PhysicalCopyStatus.DELETION_FAILED
    with atomic():
        row = PhysicalCopy.objects.filter(pk=copy.pk).select_for_update(no_key=True)
        if row.values_list("status", "failure_message").first() == (failed, message):
            copy.refresh_from_db()
            return copy
        return move_state(copy, failed, failure_message=message, retry_count=F("retry_count") + 1)


def reset_deletion(copy: PhysicalCopy) -> PhysicalCopy:
    """Schedule a failed deletion again, and return the copy. For operators. Locks the copy and its content.

    Raises:
        InvalidTransition: its deletion has not failed.
        Refused: a rule blocks it by now.
        NotFound: there is no such copy.
    """
    name, scheduled = name_row(PhysicalCopy, copy.pk), PhysicalCopyStatus.DELETION_SCHEDULED
    with atomic():
        locked = PhysicalCopy.objects.filter(pk=copy.pk).select_for_update(no_key=True).first()
        if locked is None:
            raise NotFound(f"{name}: there is no such row; check its key")
        status = PhysicalCopyStatus(locked.status)
        if status != PhysicalCopyStatus.DELETION_FAILED:
            raise InvalidTransition(name, "status", status, scheduled, status.may_become - {scheduled})
        if held_back := schedule_deletion(copy).held_back:
            raise Refused(f"{held_back[0]}; opsdb_explain names what has to happen first")
    copy.refresh_from_db()
    return copy


def cancel_deletion(copies: Copies) -> list[PhysicalCopy]:
    """Keep copies that were to be deleted, and return those that this call kept. Locks the copies.

    Args:
        copies: one copy, several, or a queryset.

    Raises:
        InvalidTransition: a worker is deleting one of them, or has done so; nothing was changed.
    """
    cancelled = {
        PhysicalCopyStatus.DELETION_POSSIBLE,
        PhysicalCopyStatus.DELETION_SCHEDULED,
        PhysicalCopyStatus.DELETION_FAILED,
    }
    too_late = {PhysicalCopyStatus.DELETION_IN_PROGRESS, PhysicalCopyStatus.DELETED}
    with atomic():
        locked = PhysicalCopy.objects.filter(pk__in=_keys_of(copies)).order_by("pk").select_for_update(no_key=True)
        statuses = {pk: PhysicalCopyStatus(status) for pk, status in locked.values_list("pk", "status")}
        for pk, status in statuses.items():
            if status in too_late:
                present = PhysicalCopyStatus.PRESENT
                raise InvalidTransition(name_row(PhysicalCopy, pk), "status", status, present, status.may_become)
        kept = [pk for pk, status in statuses.items() if status in cancelled]
        _keep(kept, "")
        return _read(kept)


def _keep(ids: list[int], message: str) -> None:
    """Make copies that are not deleted after all present again, or corrupt if their bytes are known to differ."""
    kept = PhysicalCopy.objects.filter(pk__in=ids)
    kept.update(status=PhysicalCopyStatus.PRESENT, deletion_requested_at=None, failure_message=message)
    kept.filter(verification=Verification.MISMATCH).update(status=PhysicalCopyStatus.CORRUPT)


def write_off_copy(copy: PhysicalCopy) -> PhysicalCopy:
    """Record that a missing copy is given up, because its content is safe elsewhere, and return it.

    Locks the copy and its content.

    Raises:
        Refused: rule 1 or 2 does not allow it.
        InvalidTransition: it is not missing.
    """
    with translate_integrity_errors(), atomic():
        return move_state(
            copy, PhysicalCopyStatus.DELETED, only_from=[PhysicalCopyStatus.MISSING], deleted_at=timezone.now()
        )
