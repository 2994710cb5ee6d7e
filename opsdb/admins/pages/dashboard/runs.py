"""What is being reduced."""

from django.utils.translation import gettext as _

from opsdb.models import ExecutedReductionStep, RunStatus
from opsdb.workflows import Overview

from ...kit.columns import badge
from ..counts import format_age
from ..parts import Section, Table
from ..viewer import Viewer
from ..why_links import why_link

RUNS_SHOWN = 5  # of each state


def runs_section(viewer: Viewer, found: Overview) -> Section | None:
    if not viewer.sees(ExecutedReductionStep):
        return None
    first, *others = (
        ExecutedReductionStep.objects.filter(status=status).order_by("created_at").values("pk")[:RUNS_SHOWN]
        for status in RunStatus.open()
    )
    runs = ExecutedReductionStep.objects.filter(pk__in=first.union(*others, all=True)).select_related("step__pipeline")
    rows = [
        (
            viewer.link(run),
            viewer.link(run.step.pipeline),
            run.step.name,
            badge(RunStatus(run.status)),
            run.hpc_job_id or "–",
            format_age(run.started_at or run.submitted_at or run.created_at, found.at),
            why_link(viewer, f"executed_reduction_step {run.pk}"),
        )
        for run in sorted(runs, key=lambda run: (RunStatus.values.index(run.status), run.created_at))
    ]
    return Section(
        _("Running reductions"),
        (
            Table(
                _("Open runs, the oldest of each state"),
                (_("run"), _("pipeline"), _("step"), _("state"), _("job"), _("for"), _("why")),
                rows,
                _("No run is open."),
                more=viewer.list_url(ExecutedReductionStep, status__in=",".join(RunStatus.open())) if rows else None,
            ),
        ),
        "opsdb-runs",
    )
