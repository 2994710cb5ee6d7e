"""Stage 8, plan: the packages of a grouping are split into sub-groups, and each step gets a run for each of them.

Locks are taken in this order: steps, runs, copies, products; rows of one table in the order of their ids.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from opsdb.database.aliases import atomic, writing_connection
from opsdb.models import (
    DataProduct,
    ExecutedReductionStep,
    GroupingDimension,
    Pipeline,
    ReductionStep,
    RunStatus,
    TriggerType,
)

from .errors import Refused, name_row
from .versions import choose_software_version


def list_due_pipelines(now: datetime | None = None) -> list[Pipeline]:
    """Return the enabled pipelines that are due by their trigger, the most urgent first, for a manager that polls.

    Continuous ones are always due; those with a cron trigger when one of its times (UTC) has passed since they were
    planned last, once, however many have passed; manual ones never: a person plans them by name. Locks nothing.

    Args:
        now: the moment; now when left out.

    Raises:
        Refused: a cron expression is invalid; only plain SQL can store one, the model's validation refuses it.
    """
    now = now or timezone.now()
    due = []
    for pipeline in Pipeline.objects.enabled().exclude(trigger_type=TriggerType.MANUAL):
        try:
            if pipeline.is_due(now):
                due.append(pipeline)
        except ValueError as error:
            raise Refused(f"{name_row(Pipeline, pipeline.pk)}: {error}") from None
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

    The trigger does not matter here: :func:`list_due_pipelines` returns the pipelines that a manager should pass. A
    pipeline with a cron trigger keeps the time at which it was planned.

    A sub-group gets a run when it has an available package that no run of the step has had, the newest such package
    has not changed for the step's cooldown, no run of the step is open for the sub-group, and every step that this
    one depends on has completed with all of its packages and has no open run for them. The run reads all available
    packages of the sub-group, and the products that those steps made of them last.

    Locks the steps in the order of their ids, so that one manager plans for a step at a time. Finding what is new
    costs as much as the grouping holds of packages (not files), each looked up in
    ``executed_reduction_step_input_package``; the rest costs as much as the runs that are planned.

    Args:
        target: a step or a pipeline.
        again: plan also for sub-groups without new packages, and without cooldown: after a new version, for example.
        allow_deprecated: whether a step may run a pinned version that is deprecated.
        now: the moment from which cooldowns and the next cron time count; now when left out.
        limit: how many runs of each step at the most.

    Raises:
        Refused: the pipeline is disabled, or a step with new packages has no version that may run.
        ValidationError: a filter rule of the grouping is wrong.
    """
    steps = target.steps.all() if isinstance(target, Pipeline) else ReductionStep.objects.filter(pk=target.pk)
    runs, now = [], now or timezone.now()
    with atomic():
        locked = list(
            steps.select_related("pipeline__data_grouping", "pinned_version")
            .order_by("pk")
            .select_for_update(no_key=True, of=("self",))
        )
        for step in sorted(locked, key=lambda step: (step.order, step.pk)):
            if not step.pipeline.enabled:
                raise Refused(f"{name_row(Pipeline, step.pipeline_id)}: is disabled; enable it to plan runs")
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
        key = _sub_group_key(values)
        members = _members(step, values)
        if key in open_keys or not _is_prepared(members, depends_on):
            continue
        version = version or choose_software_version(step, allow_deprecated=allow_deprecated)
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


def _sub_group_key(values):
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
    """Return whether the steps before have completed with all of the packages, and have no open run for any of them."""
    of_package = _input_packages().filter(raw_data_package=OuterRef("pk"))
    for step in depends_on:
        runs = of_package.filter(run__step=step)
        done = runs.filter(run__status=RunStatus.COMPLETED)
        open_runs = runs.filter(run__status__in=RunStatus.open())
        if members.filter(~Exists(done)).exists() or members.filter(Exists(open_runs)).exists():
            return False
    return True


def _read_packages(run, members):
    """Make packages the inputs of a run, within the database: there can be many."""
    through = ExecutedReductionStep.input_packages.through
    connection = writing_connection()
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
