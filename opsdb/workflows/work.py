"""The five verbs that every kind of shared work has: claim, heartbeat, complete, fail, reset.

A work item is a row of a model with ``opsdb.models.base.WorkItem``. A worker names itself; only the worker that
holds an item may complete it or fail at it. The stages build their own functions on these; programs call those, because
they also keep the packages and logs that go with an item.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from opsdb.database.aliases import atomic, writing_alias, writing_connection
from opsdb.models.base import WorkItem
from opsdb.models.enums import Status

from .errors import ClaimEnded, LostClaim, OpsdbError, Refused, name_row, translate_check_errors
from .states import move_state

Item = TypeVar("Item", bound=WorkItem)

# One statement instead of an update and a query of what it made, for what workers call most.
CLAIM = """
UPDATE {table} SET status = %s, claimed_by = %s, started_at = %s, heartbeat_at = %s WHERE {key} = ANY(%s)
RETURNING {columns}
"""
DECIDES_FAILURE = ("status", "claimed_by", "failure_message", "retry_count", "max_retries")


def claim(items: QuerySet[Item], *, limit: int, worker: str) -> list[Item]:
    """Take up to ``limit`` pending or scheduled items for a worker, the oldest first, and return them.

    Only what its model calls ``claimable()``, if it does: a relay's second hop waits for the first. Rows that
    another worker is claiming at this moment are skipped (``FOR UPDATE SKIP LOCKED``), so that workers neither
    wait for each other nor get the same item.

    Args:
        items: the items to choose from; its own filters hold, and its order if it has one (priority first).
        limit: how many at the most.
        worker: name of the worker, not empty.

    Raises:
        OpsdbError: the worker has no name, or the limit is below 1.
    """
    model = items.model
    require_claim(model, worker=worker, limit=limit)
    claimable = getattr(items, "claimable", lambda: items.filter(status__in=Status.claimable()))()
    order = [*items.query.order_by, "created_at", "pk"] if items.query.order_by else ["created_at", "pk"]
    with atomic():
        keys = list(
            claimable.order_by(*order)
            .select_for_update(skip_locked=True, of=("self",))
            .values_list("pk", flat=True)[:limit]
        )
        claimed = _mark_claimed(model, keys, worker) if keys else {}
    return [claimed[key] for key in keys]


def require_claim(model: type[Model], *, worker: str, limit: int) -> None:
    """Refuse a claim without a worker's name, or of less than one item.

    Args:
        model: the model of the items.
        worker: name of the worker.
        limit: how many items at the most.

    Raises:
        OpsdbError: the worker has no name, or the limit is below 1.
    """
    if not worker:
        raise OpsdbError(f"{model._meta.db_table}: the name of the worker is empty; give one")
    if limit < 1:
        raise OpsdbError(f"{model._meta.db_table}: the limit is {limit}; give 1 or more")


def _mark_claimed(model, keys, worker):
    """Note the worker in these rows, and return them by key as the database has them then, in one statement."""
    quote, meta, now = writing_connection().ops.quote_name, model._meta, timezone.now()
    statement = CLAIM.format(
        table=quote(meta.db_table),
        key=quote(meta.pk.column),
        columns=", ".join(quote(field.column) for field in meta.concrete_fields),
    )
    parameters = [Status.IN_PROGRESS, worker, now, now, keys]
    return {row.pk: row for row in model._default_manager.using(writing_alias()).raw(statement, parameters)}


def _held(item, worker):
    """Return the queryset of the item while this worker holds it."""
    return type(item)._default_manager.filter(pk=item.pk, status=Status.IN_PROGRESS, claimed_by=worker)


def _lost(item, worker, to) -> OpsdbError:
    """Return the error for a worker that can't move the item to a state, with the reason."""
    model = type(item)
    now = model._default_manager.filter(pk=item.pk).values("status", "claimed_by").first()
    name = name_row(model, item.pk)
    if now and now["status"] != Status.IN_PROGRESS:
        status = Status(now["status"])
        return ClaimEnded(name, "status", status, to, worker)
    return LostClaim(f"{name}: {worker} has no claim on it; {describe_claim(now and now['claimed_by'])}")


def describe_claim(holder: str | None) -> str:
    """Return who holds work, and what a worker does that does not."""
    claim = f"is claimed by {holder}" if holder else "is not claimed"
    return f"it {claim}; stop, and claim other work"


def lock_claimed(item: Item, *, worker: str) -> Item:
    """Lock an item that this worker holds until the transaction ends, refresh it, and return it.

    Raises:
        LostClaim: the worker no longer holds the item.
        ClaimEnded: the item is in progress no more.
    """
    if _held(item, worker).select_for_update(no_key=True).values_list("pk").first() is None:
        raise _lost(item, worker, Status.COMPLETED)
    item.refresh_from_db()
    return item


def heartbeat(item: WorkItem, *, worker: str) -> None:
    """Record that the worker is alive and still busy with the item.

    Raises:
        LostClaim: the worker no longer holds the item and should stop.
        ClaimEnded: the item is in progress no more.
    """
    if not _held(item, worker).update(heartbeat_at=timezone.now()):
        raise _lost(item, worker, Status.IN_PROGRESS)


def complete(item: Item, *, worker: str, **facts: Any) -> Item:
    """Complete an item, with its results (checksum, size), and return it.

    Raises:
        LostClaim: the worker no longer holds the item.
        ClaimEnded: the item is in progress no more.
    """
    now = timezone.now()
    changes = {"status": Status.COMPLETED, "finished_at": now, "heartbeat_at": now, "failure_message": "", **facts}
    if not _held(item, worker).update(**changes):
        raise _lost(item, worker, Status.COMPLETED)
    item.refresh_from_db()
    return item


def fail(item: WorkItem, *, worker: str, message: str, retryable: bool = True) -> bool:
    """Mark the item as failed and refresh it; return False if this failure was already recorded.

    A retryable failure makes it pending again with one more retry, until ``max_retries`` are used up; then, and
    with any other failure, it stays failed until an operator resets it. Idempotent until the item is claimed again.
    Locks the item.

    Args:
        item: what the worker has claimed.
        worker: its name.
        message: what went wrong, not empty.
        retryable: whether another attempt may help.

    Raises:
        LostClaim: the worker no longer holds the item.
        ClaimEnded: the item is in progress no more.
        OpsdbError: the message is empty.
    """
    if not message.strip():
        raise OpsdbError(f"{name_row(type(item), item.pk)}: describe what went wrong")
    with atomic():
        row = type(item)._default_manager.filter(pk=item.pk)
        now = row.select_for_update(no_key=True).values(*DECIDES_FAILURE).first()
        if _has_failed(now, message, retryable):
            item.refresh_from_db()
            return False
        if now is None or (now["status"], now["claimed_by"]) != (Status.IN_PROGRESS, worker):
            raise _lost(item, worker, Status.FAILED)
        changes = {"failure_message": message, "claimed_by": "", "heartbeat_at": None}
        if retryable and now["retry_count"] < now["max_retries"]:
            changes |= {"status": Status.PENDING, "retry_count": now["retry_count"] + 1, "started_at": None}
        else:
            changes |= {"status": Status.FAILED, "finished_at": timezone.now()}
        row.update(**changes)
    item.refresh_from_db()
    return True


def _has_failed(now, message, retryable):
    """Return whether the last failure of an item, which no worker has claimed since, has this message."""
    if now is None or now["failure_message"] != message:
        return False
    again = now["status"] == Status.PENDING and retryable and now["retry_count"] > 0
    return now["status"] == Status.FAILED or again


def reset(item: Item) -> Item:
    """Make a failed item, or one whose worker is gone, pending again with all its retries. For operators.

    Raises:
        InvalidTransition: it is neither failed, scheduled nor in progress.
        Refused: it is a staging job that was released.
    """
    with translate_check_errors(item), atomic():
        return move_state(
            item,
            Status.PENDING,
            retry_count=0,
            claimed_by="",
            scheduled_at=None,
            started_at=None,
            heartbeat_at=None,
            finished_at=None,
        )


def filter_stalled(items: QuerySet[Item], *, older_than: timedelta) -> QuerySet[Item]:
    """Return the items in progress whose last heartbeat is older than this.

    Args:
        items: a queryset of one kind of work, in any state.
        older_than: the shortest time since the last heartbeat, or since the start of work without one.
    """
    limit = timezone.now() - older_than
    return items.filter(status=Status.IN_PROGRESS).filter(
        Q(heartbeat_at__lt=limit) | Q(heartbeat_at__isnull=True, started_at__lt=limit)
    )


def settle_conflict(item: Item) -> Item:
    """Settle the conflict of completed work with a second report that differed, and return the item.

    For operators, after a fixity check has shown which report was right. Idempotent. Locks the item.

    Raises:
        Refused: it is not completed.
    """
    with atomic():
        row = type(item)._default_manager.filter(pk=item.pk).select_for_update(no_key=True)
        status = row.values_list("status", flat=True).first()
        if status != Status.COMPLETED:
            raise Refused(f"{name_row(type(item), item.pk)}: is {status}, not completed; reset it if it failed")
        row.exclude(failure_message="").update(failure_message="")
    item.refresh_from_db()
    return item
