"""Why a reduction step has no run."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from opsdb.formatting import format_minute, format_time_since
from opsdb.models import ExecutedReductionStep, ReductionStep, TriggerType

from ..errors import Refused, name_row
from ..versions import choose_software_version
from ._explanation import Explanation, done, explains, waits
from ._who import MANAGER, NOBODY, OPERATOR
from .runs import disabled, explain_run

MOST_PACKAGES = 10_000
PLAN_RUNS = "opsdb.workflows.plan_runs"


@explains(ReductionStep)
def explain_step(step: ReductionStep) -> Explanation:
    """Return why a step of a pipeline has no run for its newest packages, or what its open run waits for.

    Args:
        step: the step.
    """
    pipeline = step.pipeline
    names = {"name": name_row(ReductionStep, step.pk), "pipeline": pipeline}
    if not pipeline.enabled:
        enable = _("enable the pipeline %(pipeline)s") % names
        return waits(step, "disabled", disabled(names["name"], pipeline), enable, OPERATOR)
    open_run = step.runs.open().order_by("pk").first()
    if open_run:
        why = _("%(name)s: %(run)s is open") % {**names, "run": name_row(ExecutedReductionStep, open_run.pk)}
        return explain_run(open_run).because_of(step, "running", why)
    oldest = step.has_new_since(of_newest=MOST_PACKAGES)
    if oldest is None:
        idle = _("%(name)s: no available package waits for a run of it (the newest %(number)s were looked at)")
        return done(step, "idle", idle % {**names, "number": f"{MOST_PACKAGES:,}"})
    try:
        choose_software_version(step)
    except Refused as refused:
        why = _("%(name)s: no version of its software may be used: %(reason)s") % {**names, "reason": refused}
        return waits(step, "waiting", why, _("register a version or pin one, or change the policy"), OPERATOR)
    for dependency in step.dependencies.select_related("depends_on").order_by("depends_on"):
        before = dependency.depends_on
        has_new = before.has_new_since(of_newest=MOST_PACKAGES) is not None
        if has_new or before.runs.open().exists() or before.runs.failed().exists():
            answer = explain_step(before)
            failed = before.runs.failed().order_by("-pk").first()
            if answer.done and failed:
                answer = explain_run(failed)
            if not answer.done:
                why = _("%(name)s: waits for %(before)s (%(title)s)") % {
                    **names,
                    "before": name_row(ReductionStep, before.pk),
                    "title": before,
                }
                return answer.because_of(step, "waiting", why)
    quiet_at = oldest + timedelta(seconds=step.cooldown_seconds)
    if quiet_at > timezone.now():
        why = _("%(name)s: its cooldown of %(seconds)d s after the last new package is not over") % {
            **names,
            "seconds": step.cooldown_seconds,
        }
        return waits(
            step, "cooling down", why, _("wait until %(time)s UTC or later") % {"time": format_minute(quiet_at)}, NOBODY
        )
    return _explain_planning(step, names).because_of(
        step,
        "waiting",
        _("%(name)s: has had new packages for %(duration)s") % {**names, "duration": format_time_since(oldest)},
    )


def _explain_planning(step, names) -> Explanation:
    pipeline = step.pipeline
    if pipeline.trigger_type == TriggerType.MANUAL:
        why = _("%(name)s: its pipeline %(pipeline)s is planned by hand") % names
        plan = _("plan the runs by %(plan_runs)s, once the cooldown of each sub-group is over")
        return waits(step, "waiting", why, plan % {"plan_runs": PLAN_RUNS}, OPERATOR)
    try:
        if not pipeline.is_due(timezone.now()):
            why = _("%(name)s: its pipeline %(pipeline)s is planned at fixed times") % names
            next_time = format_minute(pipeline.next_time(timezone.now()))
            return waits(step, "waiting", why, _("wait until %(time)s UTC") % {"time": next_time}, NOBODY)
    except ValueError as error:
        why = _("%(name)s: the trigger of its pipeline can't be parsed: %(reason)s") % {**names, "reason": error}
        return waits(step, "waiting", why, _("correct the trigger of the pipeline %(pipeline)s") % names, OPERATOR)
    why = _("%(name)s: its pipeline %(pipeline)s is due to be planned") % names
    return waits(step, "waiting", why, _("plan the runs, once the cooldown of each sub-group is over"), MANAGER)
