"""Explanations, and the sentences that all kinds of rows share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb import conf
from opsdb.formatting import format_minute, format_time_since
from opsdb.models import DataLocation, Status
from opsdb.models.base import WorkItem
from opsdb.row_labels import place_of

from ..errors import name_row
from ..queues import Operation, format_queue_name
from ..room import describe_lack, find_time_of_room
from ._since import pending_since, was_changed_after
from ._who import MANAGER, NOBODY, OPERATOR, WORKER_AT, in_words

ENABLE_RESOURCE = "opsdb.workflows.enable_resource"
RECORD_FIXITY = "opsdb.workflows.record_fixity"
RELEASE_STAGING = "opsdb.workflows.release_staging"
REMAKE_PRODUCT = "opsdb.workflows.remake_product"
USE_NEWER_PRODUCTS = "opsdb.workflows.use_newer_products"
RESTORE_COPY = "opsdb.workflows.restore_copy"


@dataclass(frozen=True)
class Explanation:
    """Why a row is in its state, and what has to happen next.

    The sentences are in the language that is active when it is made; ``state``, ``done`` and ``who`` are never
    translated.

    Attributes:
        subject: table and key of the row.
        state: its state.
        done: whether nothing has to happen any more.
        why: the reasons, the most specific last; each a sentence that names its rows.
        next_step: what has to happen next.
        who: who does it: nobody, manager, operator, approver, telescope, instrument, cluster, or
            ``worker at queue …``.
    """

    subject: str
    state: str
    done: bool
    why: tuple[str, ...]
    next_step: str
    who: str

    @property
    def who_in_words(self) -> str:
        """Who does it, in words for people, in the active language."""
        return in_words(self.who, self.next_step)

    def because_of(self, row: Model, state: str, *why: str) -> Explanation:
        """Return the explanation of another row that waits for this one."""
        return Explanation(name_row(type(row), row.pk), state, False, (*why, *self.why), self.next_step, self.who)


# The function that explains the rows of a model.
EXPLAINERS: dict[type[Model], Callable[[Any], Explanation]] = {}


def explains(model: type[Model]) -> Callable[[Callable[[Any], Explanation]], Callable[[Any], Explanation]]:
    """Register the function that explains the rows of a model."""

    def register(explainer):
        EXPLAINERS[model] = explainer
        return explainer

    return register


def waits(row: Model, state: str, why: str, next_step: str, who: str) -> Explanation:
    """Return the explanation of a row that waits for a step, with who takes it."""
    return Explanation(name_row(type(row), row.pk), str(state), False, (why,), next_step, who)


def done(row: Model, state: str, why: str) -> Explanation:
    """Return the explanation of a row to which nothing has to happen."""
    return Explanation(name_row(type(row), row.pk), str(state), True, (why,), _("nothing"), NOBODY)


def worker_at(location: DataLocation, operation: Operation) -> str:
    """Return the worker of a queue, as ``who``."""
    return f"{WORKER_AT}{format_queue_name(location, operation)}"


def is_stalled(heartbeat_at: datetime | None) -> bool:
    """Return whether the last heartbeat is too old."""
    return heartbeat_at is not None and timezone.now() - heartbeat_at > timedelta(
        seconds=conf.get("OPSDB_STALLED_AFTER_SECONDS")
    )


def after_failure(answer: Explanation, name: str, *, retry: int, most: int, message: str) -> Explanation:
    """Return the explanation with the failure of an earlier attempt put first, if one failed."""
    if not retry:
        return answer
    failed = _("%(name)s: this is retry %(retry)d of %(most)d; the last attempt failed: %(message)s")
    return replace(answer, why=(failed % {"name": name, "retry": retry, "most": most, "message": message}, *answer.why))


def describe_tries(retries: int, most: int, limited: Model, finished_at: datetime) -> str:
    """Return after how many retries something failed, and if retries are left, why they were not used.

    Args:
        retries: how often it was tried again.
        most: how often it may be, now.
        limited: the row that has the limit: raising it later adds retries that were never refused.
        finished_at: when it failed.
    """
    if retries >= most:
        return ngettext("after %(count)d retry", "after %(count)d retries", retries) % {"count": retries}
    tries = ngettext("after %(retries)d of %(most)d retry", "after %(retries)d of %(most)d retries", most) % {
        "retries": retries,
        "most": most,
    }
    if was_changed_after(limited, "max_retries", finished_at):
        return _("%(tries)s, not retried yet") % {"tries": tries}
    again = (
        _("%(tries)s, not retried again, because its failure was reported as permanent")
        if retries
        else _("%(tries)s, not retried, because its failure was reported as permanent")
    )
    return again % {"tries": tries}


def with_conflict(answer: Explanation, row: Model) -> Explanation:
    """Return the explanation of completed work with the second report that differed, until that is settled."""
    if not isinstance(row, WorkItem) or row.status != Status.COMPLETED or not row.failure_message:
        return answer
    name = name_row(type(row), row.pk)
    why = _("%(name)s: was completed, and a later report differs: %(message)s")
    found = replace(answer, why=(why % {"name": name, "message": row.failure_message}, *answer.why))
    if not answer.done:
        return found
    step = _(
        "have the copy checked; when it is clear which report was right, settle the conflict (“Settle conflict” in the "
        "admin, or opsdb.workflows.settle_conflict)"
    )
    return replace(found, done=False, next_step=step, who=OPERATOR)


def remove_cause(name: str, reset: str) -> str:
    """Return the step of an operator after a failure; ``reset`` is the function to call."""
    step = _("remove the cause, then reset %(name)s (“Reset” in the admin, or %(reset)s)")
    return step % {"name": name, "reset": reset}


def enable(location: DataLocation) -> str:
    """Return the step of an operator at an inactive location."""
    step = _("enable %(place)s (“Enable” in the admin, or %(enable)s)")
    return step % {"place": place_of(location), "enable": ENABLE_RESOURCE}


def waits_for_room(row: Model, state: str, location: DataLocation, size_bytes: int | None) -> Explanation:
    """Return the explanation of a row that waits for room at a location."""
    frees_at = find_time_of_room(location)
    facts = {"name": name_row(type(row), row.pk), "lack": describe_lack(location, size_bytes)}
    at = {"place": place_of(location), "time": frees_at and format_minute(frees_at)}
    if frees_at is None:
        why = _("%(name)s: %(lack)s; %(place)s has no retention, so nothing is deleted there by itself") % {
            **facts,
            **at,
        }
        step = _("make room at %(place)s: request deletions there, enlarge it, or add another location") % at
        return waits(row, state, why, step, OPERATOR)
    why = _("%(name)s: %(lack)s; the retention of its oldest copy ends at %(time)s UTC") % {**facts, **at}
    step = _("schedule deletions at %(place)s from %(time)s UTC on; an operator may make room before") % at
    return waits(row, state, why, step, MANAGER)


def explain_work(row: WorkItem, what: str, location: DataLocation, operation: Operation, reset: str) -> Explanation:
    """Return the explanation of a work item that is not completed.

    Args:
        row: the work item.
        what: the work as a phrase for the reason, such as ``making the bundle``.
        location: where the worker is.
        operation: the worker's queue at the location's site.
        reset: the workflow function that resets failed work.
    """
    who = worker_at(location, operation)
    name = name_row(type(row), row.pk)
    if row.status == Status.FAILED:
        tries = describe_tries(row.retry_count, row.max_retries, row, row.finished_at)
        why = _("%(name)s: failed %(duration)s ago %(tries)s (%(what)s): %(message)s") % {
            "name": name,
            "duration": format_time_since(row.finished_at),
            "tries": tries,
            "what": what,
            "message": row.failure_message,
        }
        return waits(row, row.status, why, remove_cause(name, reset), OPERATOR)
    if row.status == Status.IN_PROGRESS:
        heartbeat_at = row.heartbeat_at or row.started_at
        facts = {"name": name, "worker": row.claimed_by or _("a worker"), "duration": format_time_since(row.started_at)}
        if is_stalled(heartbeat_at):
            why = _(
                "%(name)s: %(worker)s has been working for %(duration)s; its last heartbeat was %(silence)s ago"
            ) % {
                **facts,
                "silence": format_time_since(heartbeat_at),
            }
            step = _("see whether the worker is alive; if not, reset %(name)s (“Reset” in the admin, or %(reset)s)")
            return waits(row, row.status, why, step % {"name": name, "reset": reset}, OPERATOR)
        why = _("%(name)s: %(worker)s has been working for %(duration)s") % facts
        step = _("finish it: %(what)s") % {"what": what}
        return waits(row, row.status, why, step, f"{who} ({row.claimed_by})" if row.claimed_by else who)
    since = pending_since(row, "status")
    why = (
        _("%(name)s: has been waiting for %(duration)s for a worker (%(what)s)")
        if since
        else _("%(name)s: waits for a worker (%(what)s); it was made %(duration)s ago")
    ) % {"name": name, "duration": format_time_since(since or row.created_at), "what": what}
    answer = waits(row, row.status, why, _("claim it: %(what)s") % {"what": what}, who)
    return after_failure(answer, name, retry=row.retry_count, most=row.max_retries, message=row.failure_message)
