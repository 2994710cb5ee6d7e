"""Why a copy is not deleted yet, or stays."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb.formatting import format_minute, format_time_since
from opsdb.models import (
    DataProduct,
    DeletionRequest,
    DeletionRequestStatus,
    LocationType,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
    StagingJob,
    Status,
)
from opsdb.models.copies.querysets import CHECKABLE, DELETABLE
from opsdb.row_labels import place_of

from .._predicates import UNREAD_IS_BAD, find_good_copy, retention_ends_at
from ..deletion import explain_deletion
from ..errors import name_row
from ..finding import FINDABLE
from ..location_stock import RETENTION_RULE
from ..queues import Operation
from ._explanation import (
    EXPLAINERS,
    RECORD_FIXITY,
    RELEASE_STAGING,
    RESTORE_COPY,
    Explanation,
    done,
    enable,
    explains,
    is_stalled,
    waits,
    worker_at,
)
from ._ways_back import either, list_ways_back, way_back_of
from ._who import MANAGER, NOBODY, OPERATOR
from .deletion_requests import explain_deletion_request
from .transfers import explain_archive_transfer

COMPLETE_DELETION = "opsdb.workflows.complete_deletion"
FAIL_DELETION = "opsdb.workflows.fail_deletion"
RESET_DELETION = "opsdb.workflows.reset_deletion"
REQUEST_DELETION = "opsdb.workflows.request_deletion"
WRITE_OFF = "opsdb.workflows.write_off_copy"
PLAN_REPAIRS = "opsdb.workflows.plan_repairs"


@explains(PhysicalCopy)
def explain_copy(copy: PhysicalCopy) -> Explanation:
    """Return why a copy is in its state, and what its deletion or repair waits for. Locks nothing.

    Args:
        copy: the copy, with its location and the site of that.
    """
    answer = _explain_state(copy)
    asked = _open_request(copy) if copy.status in DELETABLE else None
    if asked is None:
        return answer
    decision = explain_deletion_request(asked)
    if _is_left_to_request(copy):
        return decision.because_of(copy, copy.status, *answer.why)
    return replace(answer, why=(*answer.why, *decision.why))


def _open_request(copy) -> DeletionRequest | None:
    """Return the newest request for its deletion that is neither rejected nor executed."""
    open_states = (DeletionRequestStatus.REQUESTED, DeletionRequestStatus.APPROVED)
    requests = DeletionRequest.objects.filter(request_items__physical_copy=copy, status__in=open_states)
    return requests.select_related("data_location__site", "requested_by", "approved_by").order_by("-pk").first()


def _is_left_to_request(copy) -> bool:
    """Return whether nothing but the retention holds a copy back, or did before a request overrode it.

    Of what may be deleted without a request, the manager process schedules the deletion.
    """
    rule, over = explain_deletion(copy).rule, retention_ends_at(copy.data_location, copy.arrived_at)
    return rule == RETENTION_RULE or (rule is None and (over is None or over > timezone.now()))


def _explain_state(copy) -> Explanation:
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
            step = _(
                "see whether the worker is alive; if not, report the deletion as completed by %(complete)s, or as "
                "failed by %(fail)s"
            )
            return waits(copy, status, why, step % {"complete": COMPLETE_DELETION, "fail": FAIL_DELETION}, OPERATOR)
        why = _("%(name)s: a worker has been deleting it at %(place)s for %(duration)s") % facts
        return waits(copy, status, why, _("complete the deletion"), worker)
    if copy.unread_count and status in CHECKABLE:
        return _explain_unread(copy, name, is_archive)
    verdict = explain_deletion(copy)
    by_rule = _("%(name)s: cannot be deleted because of deletion rule %(rule)d (%(held_by)s): %(why)s")
    facts = {"name": name, "rule": verdict.rule, "held_by": verdict.held_by, "why": verdict.why}
    blocked = verdict.rule is not None and by_rule % facts
    if status == PhysicalCopyStatus.MISSING:
        return _explain_missing(copy, at, verdict, blocked)
    if not blocked and status == PhysicalCopyStatus.DELETION_SCHEDULED:
        why = _("%(name)s: is scheduled for deletion at %(place)s") % at
        return waits(copy, status, why, _("delete its bytes"), worker)
    if not blocked and status == PhysicalCopyStatus.DELETION_FAILED:
        why = _("%(name)s: deleting it at %(place)s failed: %(message)s") % {**at, "message": copy.failure_message}
        step = _("remove the cause, then schedule its deletion again (“Retry deletion” in the admin, or %(reset)s)")
        return waits(copy, status, why, step % {"reset": RESET_DELETION}, OPERATOR)
    if not blocked:
        why = _("%(name)s: no rule blocks its deletion at %(place)s") % at
        return waits(copy, status, why, _("schedule its deletion"), MANAGER)
    if verdict.rule == 1:
        if status == PhysicalCopyStatus.CORRUPT:
            return _explain_bad_archive_copy(copy, status, blocked)
        return done(copy, status, blocked)
    if verdict.rule == RETENTION_RULE:
        over = retention_ends_at(copy.data_location, copy.arrived_at)
        if over is None:
            step = _(
                "request its deletion, overriding the retention, if it is no longer needed (“Request deletion” in the "
                "admin, or %(request)s)"
            )
            return waits(copy, status, blocked, step % {"request": REQUEST_DELETION}, OPERATOR)
        step = _("wait until %(time)s UTC, then schedule its deletion") % {"time": format_minute(over)}
        return waits(copy, status, blocked, step, MANAGER)
    holder = _row_of(verdict.held_by)
    if holder is None and verdict.held_by.startswith("deletion_policy"):
        return waits(copy, status, blocked, _("run manage.py opsdb_migrate, which stores the policy"), OPERATOR)
    if holder is None or isinstance(holder, PhysicalCopy):
        return waits(copy, status, blocked, _("have its content archived, with a verified copy"), OPERATOR)
    answer = EXPLAINERS[type(holder)](holder)
    by = {"name": verdict.held_by}
    if answer.done and isinstance(holder, StagingJob):
        step = _("release %(name)s (“Release” in the admin, or %(release)s), or let it expire")
        return waits(copy, status, blocked, step % {**by, "release": RELEASE_STAGING}, MANAGER)
    if answer.done and isinstance(holder, DataProduct):
        step = _("have a copy of %(name)s brought to another location and checked, or keep this one") % by
        return waits(copy, status, blocked, step, OPERATOR)
    if answer.done:
        return waits(
            copy, status, blocked, _("have the content of %(name)s archived in further archives") % by, MANAGER
        )
    return answer.because_of(copy, status, blocked)


def _explain_unread(copy, name, is_archive) -> Explanation:
    """Return the explanation of a copy that could not be read when it was checked."""
    location = copy.data_location
    last = copy.fixity_checks.filter(actual__isnull=True).order_by("-checked_at", "-pk").first()
    why = ngettext(
        "%(name)s: could not be read at %(place)s %(count)d time in a row, so no other copy may be deleted because of "
        "it: %(message)s",
        "%(name)s: could not be read at %(place)s %(count)d times in a row, so no other copy may be deleted because of "
        "it: %(message)s",
        copy.unread_count,
    ) % {
        "name": name,
        "place": place_of(location),
        "count": copy.unread_count,
        "message": last.failure_message if last else "",
    }
    if is_archive and copy.unread_count >= UNREAD_IS_BAD:
        return _explain_bad_archive_copy(copy, copy.status, why)
    if location.fixity_interval_days is None:
        step = _("read it again, and record what is found (“Record a fixity check” in the admin, or %(record)s)")
        return waits(copy, copy.status, why, step % {"record": RECORD_FIXITY}, OPERATOR)
    if copy.next_check_at is None or copy.next_check_at <= timezone.now():
        step = _("read it again, and report what is found")
    else:
        step = _(
            "read it again after %(time)s UTC, and report what is found; an operator may look at the storage before"
        )
        step %= {"time": format_minute(copy.next_check_at)}
    return waits(copy, copy.status, why, step, worker_at(location, Operation.FIXITY_CHECK))


def _explain_missing(copy, at, verdict, blocked) -> Explanation:
    why = _("%(name)s: its bytes were not found at %(place)s") % at
    if copy.failure_message:
        why = _("%(why)s: %(message)s") % {"why": why, "message": copy.failure_message}
    if not blocked:
        step = _(
            "find them and bring the copy back (“Bring back” in the admin, or %(restore)s), or write it off (“Write "
            "off” in the admin, or %(write_off)s)"
        ) % {"restore": RESTORE_COPY, "write_off": WRITE_OFF}
        return waits(copy, copy.status, why, step, OPERATOR)
    if verdict.rule == 1:
        return replace(_explain_bad_archive_copy(copy, copy.status, blocked), why=(why, blocked))
    step = _("find them and bring the copy back (“Bring back” in the admin, or %(restore)s)") % {
        "restore": RESTORE_COPY
    }
    answer = waits(copy, copy.status, why, step, OPERATOR)
    holder = _row_of(verdict.held_by)
    other = EXPLAINERS[type(holder)](holder) if holder is not None and not isinstance(holder, PhysicalCopy) else None
    if other is None or other.done or other.who == NOBODY:
        return replace(answer, why=(why, blocked))
    step = _("%(find)s; otherwise: %(other)s") % {"find": step, "other": other.next_step}
    return replace(answer, why=(why, blocked, *other.why), next_step=step)


def _explain_bad_archive_copy(copy, status, why) -> Explanation:
    """Return the explanation of a copy in an archive that has to be replaced."""
    package = copy.raw_data_package
    if package is None:
        return waits(copy, status, why, way_back_of(copy), OPERATOR)
    repair = package.archive_transfers.filter(destination_location=copy.data_location_id).exclude(
        status=Status.COMPLETED
    )
    if repair := repair.order_by("pk").first():
        return explain_archive_transfer(repair).because_of(copy, status, why)
    if find_good_copy(package, but_not_at=copy.data_location):
        if not copy.data_location.active:
            return waits(copy, status, why, enable(copy.data_location), OPERATOR)
        step = _("replace it by a good copy: plan its repair (“Repair” in the admin, or %(plan_repairs)s)")
        return waits(copy, status, why, step % {"plan_repairs": PLAN_REPAIRS}, OPERATOR)
    answer = waits(
        copy,
        status,
        _("%(package)s: no other copy of it is verified") % {"package": name_row(RawDataPackage, package.pk)},
        either([*list_ways_back(package.copies.exclude(pk=copy.pk)), way_back_of(copy)]),
        OPERATOR,
    )
    return answer.because_of(copy, status, why)


def _row_of(name):
    table, _separator, key = name.partition(" ")
    model = FINDABLE.get(table)
    return model and model.objects.filter(pk=key).first()
