"""Why a run is not completed yet, and where a product stands."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb.formatting import format_time_since
from opsdb.models import DataProduct, ExecutedReductionStep, Pipeline, RunStatus, StagingJob

from .._predicates import without_readable_copy
from ..errors import name_row
from ..runs import list_missing_inputs
from ._explanation import (
    CLUSTER,
    MANAGER,
    OPERATOR,
    Explanation,
    activate,
    after_failure,
    done,
    explains,
    place_of,
    remove_cause,
    waits,
)
from .staging import explain_staging

RESET_RUN = "opsdb.workflows.reset_run"


def disabled(name: str, pipeline: Pipeline) -> str:
    """Return the reason of a row whose pipeline is disabled."""
    return _("%(name)s: its pipeline %(pipeline)s is disabled") % {"name": name, "pipeline": pipeline}


@explains(ExecutedReductionStep)
def explain_run(run: ExecutedReductionStep) -> Explanation:
    name, status, step = name_row(ExecutedReductionStep, run.pk), RunStatus(run.status), run.step
    names = {"name": name, "job": run.hpc_job_id}
    if status == RunStatus.COMPLETED:
        return done(run, status, _("%(name)s: is completed") % names)
    if status == RunStatus.CANCELLED and run.failure_message:
        why = _("%(name)s: was cancelled: %(message)s") % {"name": name, "message": run.failure_message}
        return done(run, status, why)
    if status == RunStatus.CANCELLED:
        return done(run, status, _("%(name)s: was cancelled") % names)
    if status == RunStatus.FAILED:
        why = ngettext(
            "%(name)s: failed after %(retries)d of %(most)d retry: %(message)s",
            "%(name)s: failed after %(retries)d of %(most)d retries: %(message)s",
            step.max_retries,
        ) % {"name": name, "retries": run.retry_count, "most": step.max_retries, "message": run.failure_message}
        return waits(run, status, why, remove_cause(name, RESET_RUN), OPERATOR)
    if status == RunStatus.PENDING:
        answer = _explain_pending_run(run, name)
        return after_failure(answer, name, retry=run.retry_count, most=step.max_retries, message=run.failure_message)
    if status == RunStatus.STAGING_DATA:
        missing = list_missing_inputs(run)
        at = {"name": name, "place": place_of(step.pipeline.processing_location)}
        if not missing:
            return waits(run, status, _("%(name)s: its data are at %(place)s") % at, _("submit the run"), MANAGER)
        job = run.staging_job
        answer = job and explain_staging(job)
        if answer and not answer.done:
            why = _("%(name)s: waits for %(job)s") % {"name": name, "job": name_row(StagingJob, job.pk)}
            return answer.because_of(run, status, why)
        why = _("%(name)s: %(content)s is not at %(place)s, and no staging job brings it") % {
            **at,
            "content": name_row(type(missing[0]), missing[0].pk),
        }
        return waits(run, status, why, _("fail the run, so that its data are staged again"), MANAGER)
    if status == RunStatus.SUBMITTED:
        why = _("%(name)s: job %(job)s has been waiting at the cluster for %(duration)s") % {
            **names,
            "duration": format_time_since(run.submitted_at),
        }
        return waits(run, status, why, _("start job %(job)s") % names, CLUSTER)
    if status == RunStatus.RUNNING:
        why = _("%(name)s: job %(job)s has been running for %(duration)s") % {
            **names,
            "duration": format_time_since(run.started_at),
        }
        return waits(run, status, why, _("end job %(job)s") % names, CLUSTER)
    why = _("%(name)s: job %(job)s has ended") % names
    return waits(run, status, why, _("register its products and complete the run"), MANAGER)


def _explain_pending_run(run, name) -> Explanation:
    pipeline = run.step.pipeline
    place = pipeline.processing_location
    if not pipeline.enabled:
        step = _("enable the pipeline %(pipeline)s, or cancel the run") % {"pipeline": pipeline}
        return waits(run, run.status, disabled(name, pipeline), step, OPERATOR)
    if not place.active:
        why = _("%(name)s: it runs at %(place)s, which is inactive") % {"name": name, "place": place_of(place)}
        return waits(run, run.status, why, activate(place), OPERATOR)
    lost = without_readable_copy(list_missing_inputs(run))
    if lost:
        names = {"name": name, "content": name_row(type(lost[0]), lost[0].pk)}
        why = _("%(name)s: no copy of %(content)s can be read") % names
        return waits(run, run.status, why, _("bring %(content)s back") % names, OPERATOR)
    why = _("%(name)s: has been waiting for %(duration)s") % {
        "name": name,
        "duration": format_time_since(run.created_at),
    }
    return waits(run, run.status, why, _("start the run"), MANAGER)


@explains(DataProduct)
def explain_product(product: DataProduct) -> Explanation:
    name = name_row(DataProduct, product.pk)
    if product.superseded_by_id:
        why = _("%(name)s: is replaced by %(other)s") % {
            "name": name,
            "other": name_row(DataProduct, product.superseded_by_id),
        }
        return done(product, "superseded", why)
    answer = explain_run(product.run)
    if answer.done:
        return done(product, "made", _("%(name)s: was made by %(run)s") % {"name": name, "run": answer.subject})
    return answer.because_of(product, "being made", _("%(name)s: its run is not completed") % {"name": name})
