"""Why a copy is not deleted yet, or stays."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext as _

from opsdb.formatting import format_time_since
from opsdb.models import LocationType, PhysicalCopy, PhysicalCopyStatus, StagingJob

from .._predicates import retention_ends_at
from ..deletion import explain_deletion
from ..errors import name_row
from ..finding import FINDABLE
from ..queues import Operation
from ._explanation import (
    EXPLAINERS,
    MANAGER,
    OPERATOR,
    Explanation,
    done,
    explains,
    format_time,
    is_stalled,
    place_of,
    waits,
    worker_at,
)


@explains(PhysicalCopy)
def explain_copy(copy: PhysicalCopy) -> Explanation:
    name, location = name_row(PhysicalCopy, copy.pk), copy.data_location
    at = {"name": name, "place": place_of(location)}
    status = PhysicalCopyStatus(copy.status)
    is_archive = location.location_type == LocationType.LONG_TERM_ARCHIVE
    worker = OPERATOR if is_archive else worker_at(location, Operation.DELETION)
    if status == PhysicalCopyStatus.DELETED:
        why = _("%(name)s: was deleted at %(place)s %(duration)s ago") % {
            **at,
            "duration": format_time_since(copy.deleted_at),
        }
        return done(copy, status, why)
    if status == PhysicalCopyStatus.DELETION_IN_PROGRESS:
        facts = {**at, "duration": format_time_since(copy.updated_at)}
        if is_stalled(copy.updated_at):
            why = (
                _("%(name)s: a worker claimed its deletion at %(place)s %(duration)s ago, and has not reported since")
                % facts
            )
            step = _("see whether the worker is alive; if not, report the deletion as completed or as failed")
            return waits(copy, status, why, step, OPERATOR)
        why = _("%(name)s: a worker has been deleting it at %(place)s for %(duration)s") % facts
        return waits(copy, status, why, _("complete the deletion"), worker)
    verdict = explain_deletion(copy)
    blocked = verdict.rule is not None and _("%(name)s: deletion rule %(rule)d, by %(held_by)s: %(why)s") % {
        "name": name,
        "rule": verdict.rule,
        "held_by": verdict.held_by,
        "why": verdict.why,
    }
    if status == PhysicalCopyStatus.MISSING:
        why = _("%(name)s: its bytes were not found at %(place)s") % at
        step = _("find them and have them checked again, or write the copy off")
        answer = waits(copy, status, why, step, OPERATOR)
        return replace(answer, why=(why, blocked)) if blocked else answer
    if not blocked and status == PhysicalCopyStatus.DELETION_SCHEDULED:
        why = _("%(name)s: is scheduled for deletion at %(place)s") % at
        return waits(copy, status, why, _("delete its bytes"), worker)
    if not blocked and status == PhysicalCopyStatus.DELETION_FAILED:
        why = _("%(name)s: deleting it at %(place)s failed: %(message)s") % {**at, "message": copy.failure_message}
        return waits(copy, status, why, _("remove the cause, then schedule its deletion again"), OPERATOR)
    if not blocked:
        why = _("%(name)s: no rule blocks its deletion at %(place)s") % at
        return waits(copy, status, why, _("schedule its deletion"), MANAGER)
    if verdict.rule == 1:
        if status == PhysicalCopyStatus.CORRUPT:
            return waits(copy, status, blocked, _("replace it by a good copy"), OPERATOR)
        return done(copy, status, blocked)
    if verdict.rule == 5:
        over = retention_ends_at(copy)
        if over is None:
            return waits(copy, status, blocked, _("request its deletion, if it should go"), OPERATOR)
        step = _("wait until %(time)s, then schedule its deletion") % {"time": format_time(over)}
        return waits(copy, status, blocked, step, MANAGER)
    holder = _row_of(verdict.held_by)
    if holder is None or isinstance(holder, PhysicalCopy):
        return waits(copy, status, blocked, _("make its content safe in an archive"), OPERATOR)
    answer = EXPLAINERS[type(holder)](holder)
    by = {"name": verdict.held_by}
    if answer.done and isinstance(holder, StagingJob):
        return waits(copy, status, blocked, _("release %(name)s, or let it expire") % by, MANAGER)
    if answer.done:
        return waits(copy, status, blocked, _("make the content of %(name)s safe in further archives") % by, MANAGER)
    return answer.because_of(copy, status, blocked)


def _row_of(name):
    table, _separator, key = name.partition(" ")
    model = FINDABLE.get(table)
    return model and model.objects.filter(pk=key).first()
