"""Why a staging job is not completed yet."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb.models import StagingJob, Status
from opsdb.row_labels import place_of

from .._predicates import without_readable_copy
from ..errors import name_row
from ..queues import Operation
from ..staging import list_missing_content
from ._explanation import RELEASE_STAGING, Explanation, done, enable, explain_work, explains, waits
from ._lost import explain_lost
from ._who import OPERATOR

RESET_STAGING = "opsdb.workflows.reset_staging"


@explains(StagingJob)
def explain_staging(job: StagingJob) -> Explanation:
    """Return why a staging job is not completed.

    Args:
        job: the staging job.
    """
    name = name_row(StagingJob, job.pk)
    if not job.active:
        return done(job, job.status, _("%(name)s: its data are no longer needed") % {"name": name})
    destination = job.destination_location
    at = {"name": name, "place": place_of(destination)}
    release = _("release the job (“Release” in the admin, or %(release)s)") % {"release": RELEASE_STAGING}
    if job.status == Status.COMPLETED:
        return done(job, job.status, _("%(name)s: its data are at %(place)s") % at)
    if job.status in Status.claimable() and not destination.active:
        why = _("%(name)s: brings data to %(place)s, which is inactive") % at
        step = _("%(enable)s, or %(release)s") % {"enable": enable(destination), "release": release}
        return waits(job, job.status, why, step, OPERATOR)
    missing = list_missing_content(job)
    unreadable = without_readable_copy(missing)
    if unreadable and job.status != Status.IN_PROGRESS:
        return explain_lost(job, unreadable[0], release)
    what = ngettext("bringing %(count)d item to %(place)s", "bringing %(count)d items to %(place)s", len(missing)) % {
        "count": len(missing),
        "place": place_of(destination),
    }
    return explain_work(job, what, destination, Operation.STAGING, RESET_STAGING)
