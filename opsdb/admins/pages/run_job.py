"""A run's job at the cluster: where it ran, where its log is, the resources that it requested and used."""

import signal

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb.formatting import format_exact_duration, format_minute
from opsdb.models import (
    ChangeLog,
    ChangeOperation,
    DataLocation,
    DataProduct,
    DataProductType,
    ExecutedReductionStep,
    RunStatus,
)
from opsdb.models.copies.querysets import GONE

from ..kit.columns import human_number
from ..kit.names import called
from .parts import Facts, Section, spaced
from .viewer import Viewer

EARLIER_JOBS = 5
LOGS = 3
BY_SIGNAL = 128  # A shell adds it to the number of the signal that ended a program.


def job_section(viewer: Viewer, run: ExecutedReductionStep) -> Section:
    """Return what is known of a run's job, and what can be done. Five queries at most."""
    run = ExecutedReductionStep.objects.select_related(
        "step__config",
        "step__pipeline__processing_location__site",
        "step__pipeline__processing_location__diskdatalocation",
    ).get(pk=run.pk)
    facts = [
        (_("job"), _job(run)),
        (_("earlier jobs"), _earlier_jobs(viewer, run)),
        (_("where"), _place(viewer, run.step.pipeline.processing_location)),
        (_("log"), _log(viewer, run)),
        (_("asked for"), _asked(viewer, run.step)),
        (_("used"), _used(run)),
        (_("exit code"), _exit_code(run.exit_code)),
        (_("what went wrong"), run.failure_message),
        (_("what can be done"), _remedy(viewer, run)),
    ]
    return Section(_("Job at the cluster"), (Facts(facts),), "job")


def _job(run):
    if run.hpc_job_id:
        return format_html('<code class="opsdb-code" data-copy>{}</code>', run.hpc_job_id)
    return _("none: it has not been handed to the cluster, or was reset since")


def _earlier_jobs(viewer, run):
    """Return the jobs that the run was before it was tried again, which its history has."""
    if not viewer.sees(ChangeLog):
        return None
    changes = ChangeLog.objects.of(run).filter(operation=ChangeOperation.UPDATE, before__has_key="hpc_job_id")
    found = changes.exclude(before__hpc_job_id="").values_list("before__hpc_job_id", "changed_at")[:EARLIER_JOBS]
    return ", ".join(_("%(job)s (until %(time)s UTC)") % {"job": job, "time": format_minute(at)} for job, at in found)


def _place(viewer, location):
    if not viewer.sees(DataLocation):
        return viewer.withheld
    link = viewer.link(location, called(location))
    disk = getattr(location, "diskdatalocation", None)
    if disk is None:
        return link
    return format_html("{}, {}", link, f"{disk.host}:{disk.path}" if disk.host else disk.path)


def _log(viewer, run):
    logs = DataProduct.objects.filter(run=run, type=DataProductType.LOG).order_by("pk")
    logs = list(logs.prefetch_related("copies__data_location__site")[:LOGS]) if viewer.sees(DataProduct) else []
    if logs:
        return spaced(_link_to_log(viewer, log) for log in logs)
    if not run.hpc_job_id:
        return _("none: the run has no job, and has registered no product of the type log")
    return _(
        "not registered: no product of the run is a log. The cluster keeps the output of job %(job)s where its job "
        "script configures; log in there, and query its batch system (if that is Slurm: scontrol show job %(job)s, or "
        "sacct -j %(job)s)."
    ) % {"job": run.hpc_job_id}


def _link_to_log(viewer, log):
    places = [called(copy.data_location) for copy in log.copies.all() if copy.status not in GONE]
    where = ", ".join(places) if viewer.sees(DataLocation) else ""
    return format_html(
        "{} {}", viewer.link(log, log.relative_path), _("at %(places)s") % {"places": where} if where else ""
    )


def _configuration(viewer, step):
    """Return a link to what sets the resources of a step's runs: its configuration, or the step that has none."""
    if step.config is None:
        return format_html(_("the step {}"), viewer.link(step))
    return format_html(_("the configuration {}"), viewer.link(step.config))


def _asked(viewer, step):
    config = step.config
    if config is None:
        return _("not known: its step has no configuration")
    text = ngettext(
        "%(cores)s core, %(memory)s GB of memory, %(time)s",
        "%(cores)s cores, %(memory)s GB of memory, %(time)s",
        config.cpu,
    )
    asked = text % {
        "cores": config.cpu,
        "memory": human_number(config.memory_gb),
        "time": format_exact_duration(3_600 * config.time_hours),
    }
    return format_html(_("{}, by {} of its step"), asked, _configuration(viewer, step))


def _used(run):
    """Return what the job used, as far as the cluster has reported it."""
    parts = []
    if run.cpu_hours is not None:
        parts.append(_("%(hours)s core hours") % {"hours": human_number(run.cpu_hours)})
    if run.peak_memory_gb is not None:
        parts.append(_("%(memory)s GB of memory") % {"memory": human_number(run.peak_memory_gb)})
    if run.wall_time_seconds is not None:
        parts.append(format_exact_duration(run.wall_time_seconds))
    return ", ".join(parts) or _("not reported")


def _exit_code(code):
    if code is None or code <= BY_SIGNAL:
        return code
    try:
        name = signal.Signals(code - BY_SIGNAL).name
    except ValueError:
        return code
    if name == "SIGKILL":
        return _("%(code)s: it was killed (SIGKILL), as jobs are that need more memory than they asked for") % {
            "code": code
        }
    return _("%(code)s: it was ended by the signal %(name)s") % {"code": code, "name": name}


def _remedy(viewer, run):
    if run.status == RunStatus.FAILED:
        return format_html(
            _(
                "“Reset” lets it run again with all its retries, once the cause is removed. If it needed more memory "
                "or time, give it more in {} first. Reset clears the number, times, exit code and use of this job, "
                "which stay in the history."
            ),
            _configuration(viewer, run.step),
        )
    if run.status in (RunStatus.SUBMITTED, RunStatus.RUNNING):
        return _("“Cancel run” ends it here for good; the job at the cluster has to be ended there.")
    return None
