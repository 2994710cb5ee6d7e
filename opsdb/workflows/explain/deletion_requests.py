"""Why the copies of a deletion request are not scheduled for deletion yet."""

from __future__ import annotations

from django.utils.translation import gettext as _

from opsdb.formatting import format_minute
from opsdb.models import DeletionRequest, DeletionRequestStatus
from opsdb.row_labels import place_of

from ..errors import name_row
from ._explanation import Explanation, done, explains, waits
from ._who import APPROVER, OPERATOR


@explains(DeletionRequest)
def explain_deletion_request(request: DeletionRequest) -> Explanation:
    """Return why a request for deletion is in its state, and who decides or executes it.

    Args:
        request: the request.
    """
    facts = {
        "name": name_row(DeletionRequest, request.pk),
        "requester": request.requested_by,
        "approver": request.approved_by,
        "place": place_of(request.data_location),
        "requested": format_minute(request.created_at),
        "decided": request.decided_at and format_minute(request.decided_at),
        "executed": request.executed_at and format_minute(request.executed_at),
        "reason": request.reason,
    }
    if request.status == DeletionRequestStatus.EXECUTED:
        why = _("%(name)s: was executed at %(executed)s UTC; the copies at %(place)s that may be deleted are scheduled")
        return done(request, request.status, why % facts)
    if request.status == DeletionRequestStatus.REJECTED:
        why = _("%(name)s: was rejected at %(decided)s UTC by %(approver)s; its copies stay")
        return done(request, request.status, why % facts)
    if request.status == DeletionRequestStatus.APPROVED:
        why = _("%(name)s: was approved at %(decided)s UTC by %(approver)s, and not executed yet")
        step = _(
            "execute %(name)s (“Execute” in the admin, or opsdb.workflows.execute_deletion_request), or reject it when "
            "none of its copies may be deleted any more"
        )
        return waits(request, request.status, why % facts, step % facts, OPERATOR)
    why = _(
        "%(name)s: %(requester)s asked at %(requested)s UTC to delete copies at %(place)s, and nobody has decided yet"
    )
    step = _(
        "approve %(name)s (“Approve” in the admin, or opsdb.workflows.approve_deletion) or reject it, as another "
        "person than %(requester)s"
    )
    return waits(request, request.status, why % facts, step % facts, APPROVER)
