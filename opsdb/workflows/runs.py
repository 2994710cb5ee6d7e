"""Stage 8, reduce: a manager has the data of planned runs staged, and hands the runs to a cluster.

What the cluster reports takes a run further:

    plan_runs → claim_runs or start_run → submit_run → begin_run → collect_run → complete_run

Locks are taken in this order: steps, runs, copies, products; rows of one table in the order of their ids.
"""

from __future__ import annotations

from collections import Counter

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Exists, OuterRef
from django.utils import timezone

from opsdb.database.aliases import atomic
from opsdb.models import (
    DataLocation,
    DataProduct,
    ExecutedReductionStep,
    PhysicalCopy,
    Pipeline,
    RawDataPackage,
    ReductionStep,
    RunStatus,
)
from opsdb.row_labels import place_of

from .errors import Conflict, InvalidTransition, NoRoom, NotFound, OpsdbError, Refused, name_row
from .staging import release_staging, request_staging
from .states import move_state

WITH_DATA = (RunStatus.SUBMITTED, RunStatus.RUNNING, RunStatus.COLLECTING_RESULTS)
TRIED_WITHOUT_ROOM = 20
NO_ATTEMPT = {
    "hpc_job_id": "",
    "submitted_at": None,
    "started_at": None,
    "finished_at": None,
    "exit_code": None,
    "wall_time_seconds": None,
    "cpu_hours": None,
    "peak_memory_gb": None,
}


def _lock_run(run: ExecutedReductionStep) -> ExecutedReductionStep:
    """Lock a run until the transaction ends, and return it with its step and pipeline."""
    locked = (
        ExecutedReductionStep.objects.filter(pk=run.pk)
        .select_related("step__pipeline")
        .select_for_update(no_key=True, of=("self",))
        .first()
    )
    if locked is None:
        raise NotFound(f"{name_row(ExecutedReductionStep, run.pk)}: there is no such run; check its key")
    return locked


def _refreshed(run):
    run.refresh_from_db()
    return run


def claim_runs(*, limit: int = 1, location: DataLocation | None = None) -> list[ExecutedReductionStep]:
    """Start up to ``limit`` pending runs for a manager, and return them, as :func:`start_run`.

    Runs of the pipelines with the highest priority come first, then the oldest. Call :func:`submit_run` next, for each
    run whose data are there. A run has no columns for a worker and its heartbeat: it belongs to the cluster job with
    its ``hpc_job_id``.

    Runs that can't start (a disabled pipeline, an inactive location, an input without a readable copy, no room for the
    data) stay pending, and ``explain_row`` gives the reason. Of the runs of a location without room, twenty are tried.
    Each run is started in a transaction of its own, which locks the run, skipping one that another manager is starting,
    and the readable copies of its inputs.

    Args:
        limit: how many at the most.
        location: only those whose pipeline runs there.

    Raises:
        OpsdbError: the limit is below 1.
    """
    if limit < 1:
        raise OpsdbError(f"executed_reduction_step: the limit is {limit}; give 1 or more")
    waiting = ExecutedReductionStep.objects.awaiting_start()
    if location is not None:
        waiting = waiting.filter(step__pipeline__processing_location=location)
    claimed: list[ExecutedReductionStep] = []
    tried: list[int] = []
    without_room: Counter[int] = Counter()
    while len(claimed) < limit:
        full = [place for place, number in without_room.items() if number >= TRIED_WITHOUT_ROOM]
        rest = waiting.exclude(pk__in=tried).exclude(step__pipeline__processing_location__in=full)
        keys = list(rest.values_list("pk", flat=True)[: limit - len(claimed)])
        if not keys:
            break
        tried += keys
        for key in keys:
            try:
                with atomic():
                    run = waiting.filter(pk=key).select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
                    if run is not None:
                        claimed.append(start_run(run))
            except NoRoom as error:
                without_room[error.location.pk] += 1
            except Refused:
                continue
    return claimed


def start_run(run: ExecutedReductionStep, *, user: AbstractBaseUser | None = None) -> ExecutedReductionStep:
    """Start a pending run: request its data where its pipeline runs, and return the run.

    Idempotent. Locks the run, and the readable copies.

    Args:
        run: a pending run.
        user: who asks for the data; None for a manager.

    Raises:
        InvalidTransition: the run is neither pending nor staging data.
        Refused: the pipeline is disabled, its location is inactive, or an input has no readable copy.
    """
    with atomic():
        locked = _lock_run(run)
        if locked.status == RunStatus.STAGING_DATA:
            return _refreshed(run)
        pipeline = locked.step.pipeline
        if not pipeline.enabled:
            raise Refused(f"{name_row(Pipeline, pipeline.pk)}: is disabled; enable it to start {locked}")
        move_state(run, RunStatus.STAGING_DATA)
        job = request_staging(
            location=pipeline.processing_location,
            packages=run.input_packages.order_by("pk"),
            products=run.input_products.order_by("pk"),
            user=user,
            purpose=name_row(ExecutedReductionStep, run.pk),
        )
        ExecutedReductionStep.objects.filter(pk=run.pk).update(staging_job=job)
    return _refreshed(run)


def list_missing_inputs(run: ExecutedReductionStep) -> list[RawDataPackage | DataProduct]:
    """Return the input packages and products of a run that can't be read where its pipeline runs. Locks nothing."""
    location = run.step.pipeline.processing_location_id
    missing: list[RawDataPackage | DataProduct] = []
    for inputs, target in ((run.input_packages, "raw_data_package"), (run.input_products, "data_product")):
        copies = PhysicalCopy.objects.at(location).readable().filter(**{target: OuterRef("pk")})
        missing += inputs.filter(~Exists(copies)).order_by("pk")
    return missing


def submit_run(run: ExecutedReductionStep, *, hpc_job_id: str) -> ExecutedReductionStep:
    """Record that a run was handed to the cluster, and return the run.

    Idempotent with the same job number. Locks the run.

    Args:
        run: a run whose data are there.
        hpc_job_id: number of the job at the cluster.

    Raises:
        InvalidTransition: the run is neither pending nor staging data.
        Conflict: it was submitted as another job.
        Refused: inputs are not there, or the job has no number.
    """
    name = name_row(ExecutedReductionStep, run.pk)
    if not hpc_job_id.strip():
        raise Refused(f"{name}: give the number of the job at the cluster")
    with atomic():
        locked = _lock_run(run)
        if locked.status in WITH_DATA and locked.hpc_job_id:
            if locked.hpc_job_id != hpc_job_id:
                raise Conflict(
                    f"{name}: was submitted as job {locked.hpc_job_id}, not {hpc_job_id}; cancel one of them"
                )
            return _refreshed(run)
        if missing := list_missing_inputs(locked):
            first = name_row(type(missing[0]), missing[0].pk)
            raise Refused(
                f"{name}: {first} can't be read at {place_of(locked.step.pipeline.processing_location)}"
                + (f", nor can {len(missing) - 1} more" if len(missing) > 1 else "")
                + "; have the data staged first"
            )
        move_state(run, RunStatus.SUBMITTED, hpc_job_id=hpc_job_id, submitted_at=timezone.now())
    return _refreshed(run)


def begin_run(run: ExecutedReductionStep) -> ExecutedReductionStep:
    """Record that the cluster has started a submitted run, and return the run. Idempotent. Locks the run.

    Raises:
        InvalidTransition: the run is neither submitted nor running.
    """
    return _advance(run, RunStatus.RUNNING, started_at=timezone.now())


def collect_run(run: ExecutedReductionStep, *, exit_code: int = 0) -> ExecutedReductionStep:
    """Record that the program of a run has succeeded and its results are being collected, and return the run.

    Idempotent. Locks the run.

    Args:
        run: a run that is running.
        exit_code: exit code of its program; report any other than 0 by :func:`fail_run`.

    Raises:
        InvalidTransition: the run is neither running nor collecting results.
        Refused: the exit code is not 0.
    """
    _require_success(run, exit_code)
    return _advance(run, RunStatus.COLLECTING_RESULTS, exit_code=exit_code)


def _require_success(run, exit_code):
    if exit_code:
        name = name_row(ExecutedReductionStep, run.pk)
        raise Refused(f"{name}: ended with exit code {exit_code}; record that as a failure")


def _advance(run, to, **facts):
    with atomic():
        if _lock_run(run).status != to:
            move_state(run, to, **facts)
    return _refreshed(run)


def complete_run(
    run: ExecutedReductionStep,
    *,
    exit_code: int = 0,
    wall_time_seconds: float | None = None,
    cpu_hours: float | None = None,
    peak_memory_gb: float | None = None,
) -> ExecutedReductionStep:
    """Record that a run has made its products, and return the run.

    Its products replace those of the same paths that earlier runs of its step made for its sub-group, and its staged
    data are released. Idempotent. Locks the run, and the products in the order of their ids.

    Args:
        run: a run whose products are registered.
        exit_code: of the program; 0.
        wall_time_seconds: run time, seconds.
        cpu_hours: processor time, core hours.
        peak_memory_gb: peak memory, GB.

    Raises:
        InvalidTransition: it is not collecting results.
        Refused: the exit code is not 0.
    """
    _require_success(run, exit_code)
    usage = {"wall_time_seconds": wall_time_seconds, "cpu_hours": cpu_hours, "peak_memory_gb": peak_memory_gb}
    with atomic():
        locked = _lock_run(run)
        if locked.status != RunStatus.COMPLETED:
            move_state(
                run, RunStatus.COMPLETED, exit_code=exit_code, finished_at=timezone.now(), failure_message="", **usage
            )
            _supersede_earlier(locked)
            _release_data(locked)
    return _refreshed(run)


def _supersede_earlier(run):
    made = dict(run.products.values_list("relative_path", "pk"))
    earlier = (
        DataProduct.objects.current()
        .filter(
            run__step=run.step_id,
            run__sub_group_key=run.sub_group_key,
            run__status=RunStatus.COMPLETED,
            run__lt=run.pk,
            relative_path__in=list(made),
        )
        .order_by("pk")
        .select_for_update(no_key=True, of=("self",))
    )
    for product in earlier:
        DataProduct.objects.filter(pk=product.pk).update(superseded_by=made[product.relative_path])


def _release_data(run):
    """Release the staged data of a run that has ended, unless another run waits for them."""
    if run.staging_job_id and not run.staging_job.runs.open().exclude(pk=run.pk).exists():
        release_staging(run.staging_job)


def fail_run(
    run: ExecutedReductionStep, *, message: str, retryable: bool = True, exit_code: int | None = None
) -> ExecutedReductionStep:
    """Record that a run has failed, and return the run: pending again, or failed.

    A retryable failure makes it pending with one more retry, until its step's ``max_retries`` are used up; then, and
    with any other failure, it stays failed until an operator resets it. Its data stay staged while it may be retried.
    Idempotent. Locks the run.

    Args:
        run: an open run. A pending one, which has not started, can only fail for good.
        message: what went wrong, not empty.
        retryable: whether another attempt may help.
        exit_code: of the program, if it ended.

    Raises:
        InvalidTransition: the run has ended otherwise, or has not started.
        Refused: the message is empty.
    """
    name = name_row(ExecutedReductionStep, run.pk)
    if not message.strip():
        raise Refused(f"{name}: describe what went wrong")
    with atomic():
        locked = _lock_run(run)
        status = RunStatus(locked.status)
        if (
            status in (RunStatus.PENDING, RunStatus.FAILED)
            and locked.failure_message == message
            and (status == RunStatus.FAILED or (retryable and locked.retry_count))
        ):
            return _refreshed(run)
        if status == RunStatus.PENDING and retryable:
            raise InvalidTransition(name, "status", status, RunStatus.FAILED, status.may_become - {RunStatus.FAILED})
        move_state(run, RunStatus.FAILED, failure_message=message, exit_code=exit_code, finished_at=timezone.now())
        if retryable and locked.retry_count < locked.step.max_retries:
            move_state(run, RunStatus.PENDING, retry_count=locked.retry_count + 1, **NO_ATTEMPT)
        else:
            _release_data(locked)
    return _refreshed(run)


def cancel_run(run: ExecutedReductionStep, *, reason: str) -> ExecutedReductionStep:
    """Cancel a run for good, and return it; its sub-group gets another run when there are new packages.

    Idempotent. Locks the run.

    Args:
        run: an open run that is not collecting its results yet.
        reason: why, not empty.

    Raises:
        InvalidTransition: it has ended, or is collecting its results.
        Refused: the reason is empty.
    """
    if not reason.strip():
        raise Refused(f"{name_row(ExecutedReductionStep, run.pk)}: give the reason why it is cancelled")
    with atomic():
        locked = _lock_run(run)
        if locked.status != RunStatus.CANCELLED:
            move_state(run, RunStatus.CANCELLED, failure_message=reason, finished_at=timezone.now())
            _release_data(locked)
    return _refreshed(run)


def reset_run(run: ExecutedReductionStep) -> ExecutedReductionStep:
    """Make a failed run pending again with all its retries, and return it. For operators.

    Locks the step and the run.

    Raises:
        InvalidTransition: it has not failed.
        Refused: another run is open for its sub-group.
    """
    with atomic():
        # So that no manager plans a run for the sub-group meanwhile.
        ReductionStep.objects.select_for_update(no_key=True).get(pk=run.step_id)
        locked = _lock_run(run)
        other = locked.step.runs.open().filter(sub_group_key=locked.sub_group_key).exclude(pk=run.pk).first()
        if other:
            raise Refused(
                f"{name_row(ExecutedReductionStep, run.pk)}: {name_row(ExecutedReductionStep, other.pk)} is open for "
                "the same sub-group; wait for it, or cancel it"
            )
        move_state(run, RunStatus.PENDING, only_from=[RunStatus.FAILED], retry_count=0, **NO_ATTEMPT)
    return _refreshed(run)
