"""Actions on pipelines, their steps and their runs, and on products."""

from dataclasses import replace

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from opsdb.models import ExecutedReductionStep, RunStatus
from opsdb.row_labels import row_label
from opsdb.workflows import (
    cancel_run,
    fail_run,
    name_row,
    plan_runs,
    remake_product,
    reset_run,
    use_newer_products,
)
from opsdb.workflows.run_inputs import NOT_BEGUN

from ..kit.actions import Action, unless_in
from ..kit.orders import OrderForm, Skipped
from .archive import REQUEST_STAGING
from .switches import SWITCH_ACTIONS
from .work import reset_by


class PlanForm(OrderForm):
    """Which groups are planned for."""

    again = forms.BooleanField(
        label=_("Also what was reduced before"),
        required=False,
        help_text=_("Plan also for groups without new packages, and without waiting, for example after a new version."),
    )


def _name(product):
    return row_label(name_row(type(product), product.pk))


def _plan_runs(target, order):
    planned = plan_runs(target, again=order.inputs["again"])
    if not planned:
        raise Skipped(gettext("There is nothing to plan."))
    return planned


def _content_of(runs):
    """Return what distinguishes planned runs beside their keys: the step, the sub-group, the version, the inputs."""
    inputs = {run.pk: ([], []) for run in runs}
    packages = ExecutedReductionStep.input_packages.through.objects.filter(run__in=inputs)
    products = ExecutedReductionStep.input_products.through.objects.filter(run__in=inputs)
    for number, found in enumerate(
        (packages.values_list("run", "raw_data_package"), products.values_list("run", "data_product"))
    ):
        for run, key in found:
            inputs[run][number].append(str(key))
    return [
        (run.step_id, run.sub_group_key, run.software_version_id, [sorted(keys) for keys in inputs[run.pk]])
        for run in runs
    ]


PLAN_RUNS = Action(
    name="plan_runs",
    label=_("Plan runs now"),
    about=_("Runs are planned for everything that is ready, without waiting for the next scheduled planning."),
    run=_plan_runs,
    report=lambda runs: ngettext("%s run is planned", "%s runs are planned", len(runs)) % len(runs),
    pinned=lambda _target, runs: _content_of(runs),
    permission="add_executedreductionstep",
    form=PlanForm,
)
GIVE_UP = Action(
    name="give_up",
    label=_("Give up"),
    about=_("An open run fails for good with your reason, until somebody resets it."),
    run=lambda run, order: fail_run(run, message=order.message, retryable=False),
    unless=unless_in("status", *RunStatus.open(), because=_("It is %(state)s: only open runs are given up.")),
)
CANCEL = Action(
    name="cancel",
    label=_("Cancel run"),
    about=_("An open run is cancelled for good; its group gets another run when there is something new."),
    run=lambda run, order: cancel_run(run, reason=order.message),
    unless=unless_in(
        "status",
        *(status for status in RunStatus.open() if RunStatus.CANCELLED in status.may_become),
        because=_("It is %(state)s: it can't be cancelled."),
    ),
)


def _use_newer(run, order):
    newer = use_newer_products(run, user=order.user, reason=order.message)
    if not newer:
        raise Skipped(gettext("None of its input products is superseded."))
    return newer


USE_NEWER = Action(
    name="use_newer",
    label=_("Use the newer product"),
    about=_("A run that waits or has failed reads, instead of each superseded product, the one that supersedes it."),
    run=_use_newer,
    report=lambda newer: gettext("reads %(products)s instead") % {"products": ", ".join(map(_name, newer))},
    unless=unless_in(
        "status", *NOT_BEGUN, because=_("It is %(state)s: only pending and failed runs can read something else.")
    ),
)


def _reset_run(run, order):
    job = run.hpc_job_id
    reset_run(run)
    return job


def _describe_reset(job):
    if not job:
        return ""
    return gettext(
        "The run no longer has the number of its job, %(job)s, under which the cluster knows its log: write it down if "
        "you still need it, or find it among the earlier jobs on the page of the run, and in its history."
    ) % {"job": job}


RESET = replace(
    reset_by(reset_run, RunStatus.FAILED),
    about=_(
        "Failed runs are pending again with all their retries, and get new jobs. What is known of the jobs that failed "
        "is cleared: number, times, exit code, time and memory used."
    ),
    run=_reset_run,
    report=_describe_reset,
)
PIPELINE_ACTIONS = (*SWITCH_ACTIONS, PLAN_RUNS)
STEP_ACTIONS = (PLAN_RUNS,)
RUN_ACTIONS = (RESET, USE_NEWER, GIVE_UP, CANCEL)
REMAKE = Action(
    name="remake",
    label=_("Make again"),
    about=_("A product of which no copy can be read is made again: a run like the one that made it is planned."),
    run=lambda product, order: remake_product(product),
    report=lambda run: gettext("%s makes it again") % name_row(type(run), run.pk),
    pinned=lambda _product, run: _content_of([run]),
    permission="add_executedreductionstep",
)
PRODUCT_ACTIONS = (REQUEST_STAGING, REMAKE)
