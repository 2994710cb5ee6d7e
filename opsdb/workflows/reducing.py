"""Stage 8, reduce: the packages of a grouping are split into sub-groups, and each step runs once for each of them.

A manager plans runs, has their data staged, and hands them to a cluster; what the cluster says takes a run on:

    plan_runs → start_run → submit_run → begin_run → collect_run → complete_run

Locks are taken in this order: steps, runs, copies, products; rows of one table in the order of their ids.
"""

import re
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import connections, router, transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from opsdb.models import (
    ChecksumAlgorithm,
    DataLocation,
    DataProduct,
    DataProductType,
    ExecutedReductionStep,
    GroupingDimension,
    PhysicalCopy,
    PhysicalCopyStatus,
    Pipeline,
    RawDataPackage,
    ReductionSoftwareVersion,
    ReductionStep,
    RunStatus,
    TriggerType,
    Verification,
    VersionPolicy,
)

from .arrivals import Found, record_new_copy, require_legible
from .errors import Conflict, InvalidTransition, NotFound, Refused
from .staging import release_staging, request_staging
from .states import move, name_of

SHOWN = 5
WITH_DATA = (RunStatus.SUBMITTED, RunStatus.RUNNING, RunStatus.COLLECTING_RESULTS)
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


# Planning


def due_pipelines(now: datetime | None = None) -> list[Pipeline]:
    """Return the enabled pipelines whose trigger makes them start, the most urgent first, for a manager that polls.

    Continuous ones are due always; those with a cron trigger when one of its times (UTC) has passed since they were
    planned last, once, however many have passed; manual ones never: somebody plans them by name. Locks nothing.

    Args:
        now: the moment; this one when left out.

    Raises:
        Refused: a cron expression can't be read. The model's validation refuses it; only plain SQL gets it in.
    """
    now = now or timezone.now()
    due = []
    for pipeline in Pipeline.objects.enabled().exclude(trigger_type=TriggerType.MANUAL):
        try:
            if pipeline.is_due(now):
                due.append(pipeline)
        except ValueError as error:
            raise Refused(f"{name_of(Pipeline, pipeline.pk)}: {error}") from None
    return due


def plan_runs(
    target: ReductionStep | Pipeline,
    *,
    again: bool = False,
    allow_deprecated: bool = False,
    now: datetime | None = None,
    limit: int = 1_000,
) -> list[ExecutedReductionStep]:
    """Plan the runs of a step, or of all steps of a pipeline, and return the new runs.

    Whoever calls this asks for it by name, so that the trigger does not matter; :func:`due_pipelines` says which
    pipelines a manager should ask for. A pipeline with a cron trigger remembers when it was planned.

    A sub-group gets a run when it has an available package that no run of the step has had, the newest such package
    has not changed for the step's cooldown, no run of the step is open for the sub-group, and every step that this
    one depends on has completed with all of its packages and is not at them again. The run reads all available
    packages of the sub-group, and the products that those steps made of them last.

    Locks the steps in the order of their ids, so that one manager plans for a step at a time. Finding what is new
    costs as much as the grouping holds of packages (not files), each looked up in
    ``executed_reduction_step_input_package``; the rest costs as much as the runs that are planned.

    Args:
        target: a step or a pipeline.
        again: plan also for sub-groups without new packages, and without cooldown: after a new version, say.
        allow_deprecated: whether a step may run a pinned version that is deprecated.
        now: the moment from which cooldowns and the next cron time count; this one when left out.
        limit: how many runs of each step at the most.

    Raises:
        Refused: the pipeline is disabled, or a step that has something to do has no version that may run.
        ValidationError: a filter rule of the grouping is wrong.
    """
    steps = target.steps.all() if isinstance(target, Pipeline) else ReductionStep.objects.filter(pk=target.pk)
    runs, now = [], now or timezone.now()
    with transaction.atomic():
        locked = list(
            steps.select_related("pipeline__data_grouping", "pinned_version")
            .order_by("pk")
            .select_for_update(no_key=True, of=("self",))
        )
        for step in sorted(locked, key=lambda step: (step.order, step.pk)):
            if not step.pipeline.enabled:
                raise Refused(f"{name_of(Pipeline, step.pipeline_id)}: is disabled; enable it to plan runs")
            runs += _plan_step(step, again, allow_deprecated, now, limit)
        if isinstance(target, Pipeline):
            Pipeline.objects.filter(pk=target.pk, trigger_type=TriggerType.CRON).exclude(
                last_planned_at__gte=now
            ).update(last_planned_at=now)
    return runs


def _plan_step(step, again, allow_deprecated, now, limit):
    packages = step.pipeline.available_packages() if again else step.new_packages()
    quiet_since = None if again else now - timedelta(seconds=step.cooldown_seconds)
    open_keys = set(step.runs.open().values_list("sub_group_key", flat=True))
    depends_on = list(step.dependencies.order_by("depends_on").values_list("depends_on", flat=True))
    runs, version = [], None
    for values in _sub_groups(step, packages, quiet_since):
        key = sub_group_key(values)
        members = _members(step, values)
        if key in open_keys or not _is_prepared(members, depends_on):
            continue
        version = version or choose_version(step, allow_deprecated=allow_deprecated)
        run = ExecutedReductionStep.objects.create(step=step, sub_group_key=key, software_version=version)
        _read_packages(run, members)
        run.input_products.set(_products_of(run, depends_on))
        runs.append(run)
        if len(runs) == limit:
            break
    return runs


def _sub_groups(step, packages, quiet_since):
    """Yield, for every sub-group with some of the packages, its values by dimension."""
    dimensions = [dimension for dimension in GroupingDimension if dimension in step.group_by]
    keys = [f"{dimension}_key" for dimension in dimensions]
    if not keys:
        newest = packages.aggregate(newest=Max("updated_at"))["newest"]
        if newest and (quiet_since is None or newest <= quiet_since):
            yield {}
        return
    groups = step.split(packages).order_by(*keys).values(*keys).annotate(newest=Max("updated_at"))
    if quiet_since is not None:
        groups = groups.filter(newest__lte=quiet_since)
    for group in list(groups):
        yield {dimension: group[key] for dimension, key in zip(dimensions, keys, strict=True)}


def sub_group_key(values: dict) -> str:
    """Return the key of a sub-group, such as ``source=12, night=2026-06-15``; empty for all together."""
    return ", ".join(f"{dimension}={'none' if value is None else value}" for dimension, value in values.items())


def _members(step, values):
    members = step.split(step.pipeline.available_packages())
    for dimension, value in values.items():
        lookup = f"{dimension}_key__isnull" if value is None else f"{dimension}_key"
        members = members.filter(**{lookup: value is None or value})
    return members


def _input_packages():
    return ExecutedReductionStep.input_packages.through.objects.all()


def _is_prepared(members, depends_on):
    """Return whether the steps that come before have completed with all of the packages, and are at none of them."""
    of_package = _input_packages().filter(raw_data_package=OuterRef("pk"))
    for step in depends_on:
        runs = of_package.filter(run__step=step)
        done = runs.filter(run__status=RunStatus.COMPLETED)
        at_it = runs.filter(run__status__in=RunStatus.open())
        if members.filter(~Exists(done)).exists() or members.filter(Exists(at_it)).exists():
            return False
    return True


def _read_packages(run, members):
    """Make packages the inputs of a run, in the database alone: there can be many."""
    through = ExecutedReductionStep.input_packages.through
    connection = connections[router.db_for_write(through)]
    chosen, params = members.order_by().values("pk").query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {through._meta.db_table} (run_id, raw_data_package_id) "
            f"SELECT %s, chosen.id FROM ({chosen}) AS chosen (id)",
            [run.pk, *params],
        )


def _products_of(run, depends_on):
    """Return the current products that the last completed runs of these steps made of the packages of a run."""
    shared = _input_packages().filter(
        run=OuterRef("pk"),
        raw_data_package__in=_input_packages().filter(run=run).values("raw_data_package"),
    )
    last = (
        ExecutedReductionStep.objects.completed()
        .filter(Exists(shared), step__in=depends_on)
        .order_by("step", "sub_group_key", "-pk")
        .distinct("step", "sub_group_key")
    )
    return DataProduct.objects.current().filter(run__in=list(last.values_list("pk", flat=True)))


def choose_version(step: ReductionStep, *, allow_deprecated: bool = False) -> ReductionSoftwareVersion:
    """Return the version of its software that a step runs now.

    The policy exact takes the pinned version, and refuses it when it is deprecated, because what is deprecated may be
    wrong; compatible takes the highest of the same major number that is not below the pinned one; latest takes the
    highest. Both pass over deprecated versions. Numbers compare as numbers (1.10 is above 1.9), and a pre-release
    (2.0rc1) is below its release.

    Args:
        step: the step.
        allow_deprecated: whether the policy exact takes a deprecated version too, to make an old result again, say.

    Raises:
        Refused: there is none.
    """
    if step.version_policy == VersionPolicy.EXACT:
        if step.pinned_version.deprecated and not allow_deprecated:
            others = ReductionSoftwareVersion.objects.filter(software=step.software_id, deprecated=False)
            known = ", ".join(map(str, sorted(others, key=_rank, reverse=True)[:SHOWN])) or "none is registered"
            raise Refused(
                f"{name_of(ReductionStep, step.pk)}: its pinned version {step.pinned_version} is deprecated; pin "
                f"another one (not deprecated: {known}), or plan with allow_deprecated"
            )
        return step.pinned_version
    usable = list(ReductionSoftwareVersion.objects.filter(software=step.software_id, deprecated=False))
    if step.version_policy == VersionPolicy.COMPATIBLE:
        pinned = _rank(step.pinned_version)
        usable = [version for version in usable if _rank(version) >= pinned and _rank(version)[0][:1] == pinned[0][:1]]
    if not usable:
        raise Refused(
            f"{name_of(ReductionStep, step.pk)}: its software has no version that is not deprecated and fits the "
            f"policy {step.version_policy}"
            + (f" {step.pinned_version}" if step.version_policy == VersionPolicy.COMPATIBLE else "")
            + "; register one, or change the policy"
        )
    return max(usable, key=_rank)


def _rank(version):
    """Return what versions are compared by: the numbers, whether it is a release, the rest, and the age of the row."""
    numbers, rest = re.fullmatch(r"[vV]?([0-9]+(?:\.[0-9]+)*)?(.*)", version.version, re.DOTALL).groups()
    release = [int(number) for number in (numbers or "").split(".") if number]
    while release and release[-1] == 0 and len(release) > 1:
        release.pop()
    return release, rest == "" or rest.startswith("+"), rest, version.pk


# The way of a run


def _lock(run) -> ExecutedReductionStep:
    locked = (
        ExecutedReductionStep.objects.filter(pk=run.pk)
        .select_related("step__pipeline")
        .select_for_update(no_key=True, of=("self",))
        .first()
    )
    if locked is None:
        raise NotFound(f"{name_of(ExecutedReductionStep, run.pk)}: there is no such run")
    return locked


def _refreshed(run):
    run.refresh_from_db()
    return run


def start_run(run: ExecutedReductionStep, *, user=None) -> ExecutedReductionStep:
    """Begin a pending run by having its data staged where its pipeline runs, and return the run.

    The same call again changes nothing. Locks the run, and the copies that can be read.

    Args:
        run: a pending run.
        user: who asks for the data; none for a manager.

    Raises:
        InvalidTransition: the run is neither pending nor staging data.
        Refused: the pipeline is disabled, its location is out of use, or something has no copy that can be read.
    """
    with transaction.atomic():
        locked = _lock(run)
        if locked.status == RunStatus.STAGING_DATA:
            return _refreshed(run)
        pipeline = locked.step.pipeline
        if not pipeline.enabled:
            raise Refused(f"{name_of(Pipeline, pipeline.pk)}: is disabled; enable it to start {locked}")
        move(run, RunStatus.STAGING_DATA)
        job = request_staging(
            location=pipeline.processing_location,
            packages=run.input_packages.order_by("pk"),
            products=run.input_products.order_by("pk"),
            user=user,
            purpose=name_of(ExecutedReductionStep, run.pk),
        )
        ExecutedReductionStep.objects.filter(pk=run.pk).update(staging_job=job)
    return _refreshed(run)


def missing_inputs(run: ExecutedReductionStep) -> list[RawDataPackage | DataProduct]:
    """Return the packages and products that a run is to read and that can't be read where its pipeline runs."""
    location = run.step.pipeline.processing_location_id
    missing = []
    for inputs, target in ((run.input_packages, "raw_data_package"), (run.input_products, "data_product")):
        copies = PhysicalCopy.objects.at(location).readable().filter(**{target: OuterRef("pk")})
        missing += inputs.filter(~Exists(copies)).order_by("pk")
    return missing


def submit_run(run: ExecutedReductionStep, *, hpc_job_id: str) -> ExecutedReductionStep:
    """Record that a run was handed to the cluster, and return the run.

    The same call with the same number of the job changes nothing. Locks the run.

    Args:
        run: a run whose data are there.
        hpc_job_id: number of the job at the cluster.

    Raises:
        InvalidTransition: the run is neither pending nor staging data.
        Conflict: it was submitted as another job.
        Refused: data that it is to read are not there, or the job has no number.
    """
    name = name_of(ExecutedReductionStep, run.pk)
    if not hpc_job_id.strip():
        raise Refused(f"{name}: give the number of the job at the cluster")
    with transaction.atomic():
        locked = _lock(run)
        if locked.status in WITH_DATA and locked.hpc_job_id:
            if locked.hpc_job_id != hpc_job_id:
                raise Conflict(
                    f"{name}: was submitted as job {locked.hpc_job_id}, not {hpc_job_id}; cancel one of them"
                )
            return _refreshed(run)
        if missing := missing_inputs(locked):
            first = name_of(type(missing[0]), missing[0].pk)
            raise Refused(
                f"{name}: {first} can't be read at {locked.step.pipeline.processing_location}"
                + (f", nor can {len(missing) - 1} more" if len(missing) > 1 else "")
                + "; have the data staged first"
            )
        move(run, RunStatus.SUBMITTED, hpc_job_id=hpc_job_id, submitted_at=timezone.now())
    return _refreshed(run)


def begin_run(run: ExecutedReductionStep) -> ExecutedReductionStep:
    """Record that the cluster has begun with a submitted run, and return the run; again, it changes nothing.

    Locks the run.

    Raises:
        InvalidTransition: the run is neither submitted nor running.
    """
    return _advance(run, RunStatus.RUNNING, started_at=timezone.now())


def collect_run(run: ExecutedReductionStep, *, exit_code: int = 0) -> ExecutedReductionStep:
    """Record that the program of a run has ended well and its results are collected, and return the run.

    The same call again changes nothing. Locks the run.

    Raises:
        InvalidTransition: the run is neither running nor collecting results.
        Refused: the exit code is not 0.
    """
    _require_success(run, exit_code)
    return _advance(run, RunStatus.COLLECTING_RESULTS, exit_code=exit_code)


def _require_success(run, exit_code):
    if exit_code:
        name = name_of(ExecutedReductionStep, run.pk)
        raise Refused(f"{name}: ended with exit code {exit_code}; record that as a failure")


def _advance(run, to, **facts):
    with transaction.atomic():
        if _lock(run).status != to:
            move(run, to, **facts)
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
    data are released. The same call again changes nothing. Locks the run, and the products in the order of their ids.

    Args:
        run: a run whose products are registered.
        exit_code: of the program; 0.
        wall_time_seconds: run time, seconds.
        cpu_hours: processor time, core hours.
        peak_memory_gb: most memory it held, GB.

    Raises:
        InvalidTransition: it is not collecting results.
        Refused: the exit code is not 0.
    """
    _require_success(run, exit_code)
    usage = {"wall_time_seconds": wall_time_seconds, "cpu_hours": cpu_hours, "peak_memory_gb": peak_memory_gb}
    with transaction.atomic():
        locked = _lock(run)
        if locked.status != RunStatus.COMPLETED:
            move(run, RunStatus.COMPLETED, exit_code=exit_code, finished_at=timezone.now(), failure_message="", **usage)
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
    with any other failure, it stays failed until an operator resets it. Its data stay staged while it may go on.
    The same call again changes nothing. Locks the run.

    Args:
        run: an open run. A pending one, which has not begun, can only fail for good.
        message: what went wrong, not empty.
        retryable: whether another attempt may help.
        exit_code: of the program, if it ended.

    Raises:
        InvalidTransition: the run has ended otherwise, or has not begun.
        Refused: the message is empty.
    """
    name = name_of(ExecutedReductionStep, run.pk)
    if not message.strip():
        raise Refused(f"{name}: say what went wrong")
    with transaction.atomic():
        locked = _lock(run)
        status = RunStatus(locked.status)
        if (
            status in (RunStatus.PENDING, RunStatus.FAILED)
            and locked.failure_message == message
            and (status == RunStatus.FAILED or (retryable and locked.retry_count))
        ):
            return _refreshed(run)
        if status == RunStatus.PENDING and retryable:
            raise InvalidTransition(name, "status", status, RunStatus.FAILED, status.may_become - {RunStatus.FAILED})
        move(run, RunStatus.FAILED, failure_message=message, exit_code=exit_code, finished_at=timezone.now())
        if retryable and locked.retry_count < locked.step.max_retries:
            move(run, RunStatus.PENDING, retry_count=locked.retry_count + 1, **NO_ATTEMPT)
        else:
            _release_data(locked)
    return _refreshed(run)


def cancel_run(run: ExecutedReductionStep, *, reason: str) -> ExecutedReductionStep:
    """Give a run up for good, and return it; its sub-group gets another run when there is something new.

    The same call again changes nothing. Locks the run.

    Args:
        run: an open run that is not collecting its results yet.
        reason: why, not empty.

    Raises:
        InvalidTransition: it has ended, or is collecting its results.
        Refused: the reason is empty.
    """
    if not reason.strip():
        raise Refused(f"{name_of(ExecutedReductionStep, run.pk)}: say why it is cancelled")
    with transaction.atomic():
        locked = _lock(run)
        if locked.status != RunStatus.CANCELLED:
            move(run, RunStatus.CANCELLED, failure_message=reason, finished_at=timezone.now())
            _release_data(locked)
    return _refreshed(run)


def reset_run(run: ExecutedReductionStep) -> ExecutedReductionStep:
    """Make a failed run pending again with all its retries, and return it; an operator's act.

    Locks the step and the run.

    Raises:
        InvalidTransition: it has not failed.
        Refused: another run is open for its sub-group.
    """
    with transaction.atomic():
        # Nobody plans a run for the sub-group meanwhile.
        ReductionStep.objects.select_for_update(no_key=True).get(pk=run.step_id)
        locked = _lock(run)
        other = locked.step.runs.open().filter(sub_group_key=locked.sub_group_key).exclude(pk=run.pk).first()
        if other:
            raise Refused(
                f"{name_of(ExecutedReductionStep, run.pk)}: {name_of(ExecutedReductionStep, other.pk)} is open for the "
                "same sub-group; wait for it, or cancel it"
            )
        move(run, RunStatus.PENDING, only_from=[RunStatus.FAILED], retry_count=0, **NO_ATTEMPT)
    return _refreshed(run)


# Products


def register_data_product(
    run: ExecutedReductionStep,
    *,
    type: DataProductType,
    name: str,
    relative_path: str,
    size_bytes: int,
    checksum: str,
    checksum_algorithm: str = ChecksumAlgorithm.SHA256,
    quality_metrics: dict | None = None,
    intermediate: bool = False,
    location: DataLocation | None = None,
) -> DataProduct:
    """Record a product of a run with its copy where it was written, and return the product.

    The same call again changes nothing. What an earlier attempt of the run left under the same path is replaced.
    Locks the run, and then the copies and the product if there was one.

    Args:
        run: a run that is running or collecting its results.
        type: what it is.
        name: its name.
        relative_path: path below the location, unique in the run.
        size_bytes: size in bytes.
        checksum: lower-case hexadecimal.
        checksum_algorithm: how it was computed.
        quality_metrics: measures of its quality, a JSON object.
        intermediate: whether it only serves later steps.
        location: where it was written; the processing location of the pipeline when left out.

    Raises:
        Conflict: this attempt of the run has registered something else under the path.
        Refused: the run is not at work, or a fact can't be.
    """
    facts = {
        "type": type,
        "name": name,
        "size_bytes": size_bytes,
        "checksum": checksum,
        "checksum_algorithm": checksum_algorithm,
        "quality_metrics": quality_metrics or {},
        "intermediate": intermediate,
    }
    with transaction.atomic():
        locked = _lock(run)
        location = location or locked.step.pipeline.processing_location
        known = DataProduct.objects.of_run(locked).filter(relative_path=relative_path).first()
        is_at_work = locked.status in (RunStatus.RUNNING, RunStatus.COLLECTING_RESULTS)
        if known and is_at_work and locked.started_at and known.updated_at < locked.started_at:
            return _replace(known, location, facts)
        if known and all(getattr(known, fact) == value for fact, value in facts.items()):
            return known
        if known:
            raise Conflict(
                f"{name_of(DataProduct, known.pk)}: this run has registered {relative_path} with "
                f"{known.checksum_algorithm} {known.checksum}, {known.size_bytes} bytes; register what differs under "
                "another path"
            )
        if not is_at_work:
            raise Refused(
                f"{name_of(ExecutedReductionStep, run.pk)}: is {locked.status}; a product can be registered while its "
                f"run is {RunStatus.RUNNING} or {RunStatus.COLLECTING_RESULTS}"
            )
        product = DataProduct(run=locked, relative_path=relative_path, **facts)
        _require_valid(product)
        product.save()
        record_new_copy(product, location)
    return product


def _require_valid(product):
    require_legible(Found(product, product.checksum, product.size_bytes, product.checksum_algorithm))
    try:
        product.full_clean(exclude=["run"])
    except ValidationError as error:
        what = name_of(ExecutedReductionStep, product.run_id)
        raise Refused(f"{what}: product {product.relative_path!r}: {'; '.join(error.messages)}") from None


def _replace(product, location, facts):
    """Give a product of an earlier attempt, and its copy, the facts of this one."""
    copies = PhysicalCopy.objects.filter(data_product=product)
    elsewhere = copies.existing().exclude(data_location=location).select_related("data_location").first()
    if elsewhere and facts["checksum"] != product.checksum:
        raise Conflict(
            f"{name_of(DataProduct, product.pk)}: an earlier attempt made it otherwise, and it was copied to "
            f"{elsewhere.data_location}; register the new one under another path"
        )
    here = list(copies.at(location).order_by("pk").select_for_update(no_key=True))
    # The checksum is of these very bytes: nothing has been compared yet.
    copied = {fact: facts[fact] for fact in ("size_bytes", "checksum", "checksum_algorithm")}
    copied |= {"verification": Verification.UNVERIFIED, "verified_at": None}
    for copy in here:
        if copy.status in (PhysicalCopyStatus.PRESENT, PhysicalCopyStatus.STAGED):
            PhysicalCopy.objects.filter(pk=copy.pk).update(**copied)
        else:
            move(copy, PhysicalCopyStatus.PRESENT, **copied)
    for fact, value in facts.items():
        setattr(product, fact, value)
    _require_valid(product)
    product.save()
    if not here:
        record_new_copy(product, location)
    return product


def supersede_product(product: DataProduct, *, by: DataProduct) -> DataProduct:
    """Record that a product is replaced by another, and return it; again, it changes nothing.

    Locks both products in the order of their ids.

    Raises:
        Conflict: it is replaced by a third one.
        Refused: the other is itself replaced, or is this one.
    """
    name = name_of(DataProduct, product.pk)
    with transaction.atomic():
        both = DataProduct.objects.filter(pk__in=[product.pk, by.pk]).order_by("pk").select_for_update(no_key=True)
        locked = {row.pk: row for row in both}
        if len(locked) < 2:
            raise Refused(
                f"{name}: can't be replaced by {name_of(DataProduct, by.pk)}; name another product that exists"
            )
        before = locked[product.pk].superseded_by_id
        if before not in (None, by.pk):
            raise Conflict(f"{name}: is replaced by {name_of(DataProduct, before)}; replace that one")
        if (replacement := locked[by.pk].superseded_by_id) is not None:
            raise Refused(
                f"{name_of(DataProduct, by.pk)}: is itself replaced by {name_of(DataProduct, replacement)}; "
                "name that one"
            )
        DataProduct.objects.filter(pk=product.pk).update(superseded_by=by.pk)
    return _refreshed(product)
