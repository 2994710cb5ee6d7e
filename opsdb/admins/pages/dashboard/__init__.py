"""How things stand: every stage from observed to archived, what needs somebody, how full it is, what was observed.

A fixed number of queries, each along an index and of bounded size: the page costs the same on tables of any size, and
marks the numbers that are estimates.
"""

from datetime import UTC

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from opsdb.models import DataLocation, PackageState, PhysicalCopy, Status
from opsdb.workflows import Exactness, RowCount, get_overview

from ..counts import format_count
from ..parts import Content
from ..viewer import AdminPage, Viewer
from .locations import locations_section
from .nights import nights_section
from .runs import runs_section
from .stages import STAGES, stages_section
from .troubles import troubles_section, visible_troubles

REFRESH_SECONDS = 30
MODELS = (*{kind.model: None for kind in STAGES.values()}, PhysicalCopy, DataLocation)


def view(viewer: Viewer) -> Content | HttpResponse:
    """The dashboard as a page, or only what changes in it, for its refreshing."""
    context = context_of(viewer)
    if "fragment" in viewer.request.GET:
        return render(viewer.request, "admin/opsdb/dashboard_state.html", context)
    context["navigation"] = ()
    shown = render_to_string("admin/opsdb/dashboard.html", context)
    return Content(whole=shown, live=True)


def context_of(viewer: Viewer) -> dict:
    """Return what the dashboard's templates show to this person."""
    found = get_overview()
    parts = [
        stages_section(viewer, found),
        troubles_section(viewer, found),
        nights_section(viewer),
        locations_section(viewer, found),
        runs_section(viewer, found),
    ]
    return {
        "sections": [section for section in parts if section],
        "summary": _summary(viewer, found),
        "at": f"{found.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "url": viewer.page_url("dashboard", fragment=1),
        "seconds": REFRESH_SECONDS,
        "navigation": viewer.navigation("dashboard"),
    }


def _summary(viewer, found):
    """What a screen reader reads when it changes."""
    failures = {
        STAGES[stage.name].title: count.number
        for stage in found.stages
        # The state of a package repeats what became of its transfers.
        if viewer.sees(STAGES[stage.name].model) and STAGES[stage.name].states is not PackageState
        for count in stage.states
        if count.state == Status.FAILED and count.number.value
    }
    exactness = Exactness.EXACT if all(number.is_exact for number in failures.values()) else Exactness.ESTIMATED
    failed = RowCount(sum(number.value for number in failures.values()), exactness)
    where = ", ".join(f"{title}: {format_count(number)}" for title, number in failures.items())
    stalled = len(visible_troubles(viewer, found.stalled))
    if not failed.value and not stalled:
        return _("Nothing has failed and nothing is stalled.")
    return " ".join(
        [
            ngettext("%(count)s has failed", "%(count)s have failed", failed.value) % {"count": format_count(failed)}
            + (f" ({where})," if where else ","),
            ngettext("%(count)s is stalled.", "%(count)s are stalled.", stalled) % {"count": f"{stalled:,}"},
        ]
    )


PAGE = AdminPage("dashboard", ("dashboard/",), lazy("Dashboard"), view, MODELS, beside_lists=False)
