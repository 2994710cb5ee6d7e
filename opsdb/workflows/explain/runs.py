"""Why a run is not completed yet, and whether a product is available."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext as _

from opsdb.formatting import format_time_since
from opsdb.models import (
    DataProduct,
    DataProductType,
    DataRelease,
    ExecutedReductionStep,
    Pipeline,
    Publication,
    RunStatus,
    StagingJob,
)
from opsdb.row_labels import place_of

from .._predicates import list_lost_inputs, without_readable_copy
from ..errors import name_row
from ..room import Room
from ..runs import list_missing_inputs
from ._explanation import (
    REMAKE_PRODUCT,
    RESTORE_COPY,
    Explanation,
    after_failure,
    describe_tries,
    done,
    enable,
    explains,
    remove_cause,
    waits,
    waits_for_room,
)
from ._lost import explain_lost
from ._since import pending_since
from ._who import CLUSTER, MANAGER, OPERATOR
from .staging import explain_staging

CANCEL_RUN = "opsdb.workflows.cancel_run"
RESET_RUN = "opsdb.workflows.reset_run"


def disabled(name: str, pipeline: Pipeline) -> str:
    """Return the reason of a row whose pipeline is disabled."""
    return _("%(name)s: its pipeline %(pipeline)s is disabled") % {"name": name, "pipeline": pipeline}


@explains(ExecutedReductionStep)
def explain_run(run: ExecutedReductionStep) -> Explanation:
    """Return why a run is not completed.

    Args:
        run: the run.
    """
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
        tries = describe_tries(run.retry_count, step.max_retries, step, run.finished_at)
        why = _("%(name)s: failed %(tries)s: %(message)s") % {
            "name": name,
            "tries": tries,
            "message": run.failure_message,
        }
        answer = waits(run, status, why, remove_cause(name, RESET_RUN), OPERATOR)
        return replace(answer, why=(*answer.why, _log_of(run, name)))
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
        return waits(run, status, why, _("wait until job %(job)s has ended") % names, CLUSTER)
    why = _("%(name)s: job %(job)s has ended") % names
    return waits(run, status, why, _("register its products and complete the run"), MANAGER)


def _log_of(run, name):
    """Return where the log of a run is."""
    log = DataProduct.objects.filter(run=run, type=DataProductType.LOG).order_by("pk").first()
    if log:
        return _("%(name)s: its log is %(log)s") % {"name": name, "log": name_row(DataProduct, log.pk)}
    if not run.hpc_job_id:
        return _("%(name)s: none of its products is a log") % {"name": name}
    text = _(
        "%(name)s: none of its products is a log; ask the cluster at %(place)s for the output of job %(job)s, by which "
        "number its batch system knows it"
    )
    place = place_of(run.step.pipeline.processing_location)
    return text % {"name": name, "job": run.hpc_job_id, "place": place}


def _explain_pending_run(run, name) -> Explanation:
    pipeline = run.step.pipeline
    place = pipeline.processing_location
    if not pipeline.enabled:
        step = _("enable the pipeline %(pipeline)s, or cancel the run") % {"pipeline": pipeline}
        return waits(run, run.status, disabled(name, pipeline), step, OPERATOR)
    if not place.active:
        why = _("%(name)s: it runs at %(place)s, which is inactive") % {"name": name, "place": place_of(place)}
        return waits(run, run.status, why, enable(place), OPERATOR)
    lost = without_readable_copy(list_missing_inputs(run))
    if lost:
        cancel = _("cancel the run (“Cancel run” in the admin, or %(cancel)s)") % {"cancel": CANCEL_RUN}
        return explain_lost(run, lost[0], cancel)
    needed = sum(content.size_bytes or 0 for content in list_missing_inputs(run))
    if not Room().takes(place, needed):
        return waits_for_room(run, run.status, place, needed)
    since = pending_since(run, "status")
    why = (
        _("%(name)s: has been waiting for %(duration)s")
        if since
        else _("%(name)s: waits to be started; it was made %(duration)s ago")
    ) % {"name": name, "duration": format_time_since(since or run.created_at)}
    return waits(run, run.status, why, _("start the run"), MANAGER)


@explains(DataProduct)
def explain_product(product: DataProduct) -> Explanation:
    """Return whether a product is available, superseded or lost, and what has to happen if it is lost.

    Args:
        product: the product.
    """
    name = name_row(DataProduct, product.pk)
    is_lost = bool(without_readable_copy([product])) and product.copies.exists()
    if product.superseded_by_id:
        why = _("%(name)s: is superseded by %(other)s") % {
            "name": name,
            "other": name_row(DataProduct, product.superseded_by_id),
        }
        users = _name_users(product)
        if not is_lost or not users:
            return done(product, "superseded", why)
        why = _("%(why)s, but %(users)s still holds it, and no copy of it can be read") % {
            "why": why,
            "users": ", ".join(users),
        }
        step = _("%(bring)s, or put %(other)s there in its place if that is not published yet") % {
            "bring": _bring_back(product),
            "other": name_row(DataProduct, product.superseded_by_id),
        }
        return waits(product, "superseded", why, step, OPERATOR)
    answer = explain_run(product.run)
    if not answer.done:
        return answer.because_of(product, "being made", _("%(name)s: its run is not completed") % {"name": name})
    made = _("%(name)s: was made by %(run)s") % {"name": name, "run": answer.subject}
    return _explain_lost_product(product, name, made) if is_lost else done(product, "made", made)


def _explain_lost_product(product, name, made) -> Explanation:
    """Return the explanation of a product of which no copy can be read any more."""
    users = _name_users(product)
    lost = _("%(name)s: no copy of it can be read") % {"name": name}
    if users:
        lost = _("%(lost)s, and it is in %(users)s") % {"lost": lost, "users": ", ".join(users)}
    run = product.run
    open_run = run.step.runs.open().filter(sub_group_key=run.sub_group_key).order_by("pk").first()
    if open_run:
        why = _("%(name)s: %(run)s makes it again") % {"name": name, "run": name_row(type(open_run), open_run.pk)}
        return explain_run(open_run).because_of(product, "lost", made, lost, why)
    inputs = list_lost_inputs(run)
    if inputs:
        why = _("%(name)s: can't be made again, because no copy of %(content)s can be read") % {
            "name": name,
            "content": name_row(type(inputs[0]), inputs[0].pk),
        }
        answer = waits(product, "lost", why, _bring_back(product), OPERATOR)
        return answer.because_of(product, "lost", made, lost)
    step = _(
        "make it again, as %(run)s did (“Make again” in the admin, or %(remake)s); or, if it must stay the same, "
        "%(bring)s"
    ) % {"run": name_row(type(run), run.pk), "remake": REMAKE_PRODUCT, "bring": _bring_back(product)}
    return waits(product, "lost", lost, step, OPERATOR).because_of(product, "lost", made)


def _name_users(product) -> list[str]:
    """Return the names of the first releases and publications that hold a product."""
    return [
        name_row(model, key)
        for model in (DataRelease, Publication)
        for key in model.objects.filter(products=product).order_by("pk").values_list("pk", flat=True)[:3]
    ]


def _bring_back(product) -> str:
    """Return the step of an operator: where its bytes may be."""
    places = product.copies.select_related("data_location__site").order_by("pk")
    named = ", ".join(f"{place_of(copy.data_location)} ({copy.get_status_display()})" for copy in places[:5])
    step = _("ask for its bytes where its copies were, %(places)s, and bring one back (“Bring back”, or %(restore)s)")
    return step % {"places": named, "restore": RESTORE_COPY}
