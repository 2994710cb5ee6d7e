"""Why a transfer, its unpacking, or a transfer into an archive is not completed yet."""

from __future__ import annotations

from django.utils.translation import gettext as _

from opsdb.formatting import format_time_since
from opsdb.models import DataTransfer, LongTermArchiveTransfer, Status
from opsdb.row_labels import place_of

from ..errors import name_row
from ..queues import Operation
from ._explanation import (
    Explanation,
    after_failure,
    done,
    enable,
    explain_work,
    explains,
    is_stalled,
    waits,
    worker_at,
)
from ._since import pending_since
from ._who import OPERATOR

RESET_TRANSFER = "opsdb.workflows.reset_transfer"
RESET_UNPACKING = "opsdb.workflows.reset_unpacking"
RESET_ARCHIVE_TRANSFER = "opsdb.workflows.reset_archive_transfer"
REROUTE = "opsdb.workflows.reroute_transfer"


@explains(DataTransfer)
def explain_transfer(transfer: DataTransfer) -> Explanation:
    """Return why a transfer is not completed, or has not been unpacked.

    Args:
        transfer: the transfer.
    """
    name = name_row(DataTransfer, transfer.pk)
    origin, destination = transfer.origin_location, transfer.destination_location
    if transfer.status == Status.COMPLETED:
        return _explain_unpacking(transfer, name, place_of(destination))
    if transfer.status in Status.claimable():
        before = transfer.depends_on
        if before and before.status != Status.COMPLETED:
            why = _("%(name)s: waits for the hop before it, %(before)s") % {
                "name": name,
                "before": name_row(DataTransfer, before.pk),
            }
            return explain_transfer(before).because_of(transfer, transfer.status, why)
        if not destination.active:
            place = place_of(destination)
            why = _("%(name)s: goes to %(place)s, which is inactive") % {"name": name, "place": place}
            step = _("%(enable)s, or reroute %(name)s (“Reroute” in the admin, or %(reroute)s)")
            step %= {"enable": enable(destination), "name": name, "reroute": REROUTE}
            return waits(transfer, transfer.status, why, step, OPERATOR)
    what = _("carrying it from %(origin)s to %(destination)s") % {
        "origin": place_of(origin),
        "destination": place_of(destination),
    }
    return explain_work(transfer, what, origin, Operation.DATA_TRANSFER, RESET_TRANSFER)


def _explain_unpacking(transfer, name, place) -> Explanation:
    state = f"arrived, unpacking {transfer.unpack_status}"
    names = {"name": name, "reset": RESET_UNPACKING}
    who = worker_at(transfer.destination_location, Operation.DATA_TRANSFER_UNPACKING)
    if transfer.unpack_status == Status.COMPLETED:
        why = _("%(name)s: has arrived and was unpacked at %(place)s %(duration)s ago") % {
            "name": name,
            "place": place,
            "duration": format_time_since(transfer.unpacked_at),
        }
        return done(transfer, state, why)
    if transfer.unpack_status == Status.FAILED:
        why = _("%(name)s: unpacking at %(place)s failed: %(message)s") % {
            "name": name,
            "place": place,
            "message": transfer.unpack_failure_message,
        }
        step = _(
            "remove the cause, then reset the unpacking of %(name)s (“Retry unpacking only” in the admin, or %(reset)s)"
        )
        step %= names
        return waits(transfer, state, why, step, OPERATOR)
    if transfer.unpack_status == Status.IN_PROGRESS:
        facts = {"name": name, "worker": transfer.unpack_claimed_by or _("a worker"), "place": place}
        if is_stalled(transfer.unpack_heartbeat_at):
            why = _("%(name)s: %(worker)s unpacks it at %(place)s; its last heartbeat was %(silence)s ago") % {
                **facts,
                "silence": format_time_since(transfer.unpack_heartbeat_at),
            }
            step = _(
                "see whether the worker is alive; if not, reset the unpacking of %(name)s (“Retry unpacking only” in "
                "the admin, or %(reset)s)"
            )
            step %= names
            return waits(transfer, state, why, step, OPERATOR)
        why = _("%(name)s: %(worker)s unpacks it at %(place)s") % facts
        return waits(transfer, state, why, _("finish unpacking it"), who)
    # It may have been reset since it arrived.
    since = pending_since(transfer, "unpack_status")
    since = max(since, transfer.finished_at) if since else None
    why = (
        _("%(name)s: has been waiting for %(duration)s to be unpacked at %(place)s")
        if since
        else _("%(name)s: waits to be unpacked at %(place)s, where it arrived %(duration)s ago")
    ) % {"name": name, "duration": format_time_since(since or transfer.finished_at), "place": place}
    answer = waits(transfer, state, why, _("unpack it"), who)
    return after_failure(
        answer,
        name,
        retry=transfer.unpack_retry_count,
        most=transfer.max_retries,
        message=transfer.unpack_failure_message,
    )


@explains(LongTermArchiveTransfer)
def explain_archive_transfer(transfer: LongTermArchiveTransfer) -> Explanation:
    """Return why an archive transfer is not completed.

    Args:
        transfer: the archive transfer.
    """
    archive, name = transfer.destination_location, name_row(LongTermArchiveTransfer, transfer.pk)
    place = place_of(archive)
    if transfer.status == Status.COMPLETED:
        why = _("%(name)s: %(place)s has had a verified copy for %(duration)s") % {
            "name": name,
            "place": place,
            "duration": format_time_since(transfer.finished_at),
        }
        return done(transfer, transfer.status, why)
    if transfer.status in Status.claimable() and not archive.active:
        why = _("%(name)s: goes into %(place)s, which is inactive") % {"name": name, "place": place}
        return waits(transfer, transfer.status, why, enable(archive), OPERATOR)
    what = _("copying it into %(place)s") % {"place": place}
    return explain_work(transfer, what, archive, Operation.LONG_TERM_ARCHIVE_TRANSFER, RESET_ARCHIVE_TRANSFER)
