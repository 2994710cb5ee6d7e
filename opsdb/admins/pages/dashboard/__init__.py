"""The dashboard: every stage from observed to archived, what needs attention, fill levels, and what was observed.

A fixed number of queries, each along an index and of bounded size: the page costs the same on tables of any size, and
marks the numbers that are estimates.
"""

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from opsdb.formatting import format_second
from opsdb.models import DataLocation, DeletionRequestStatus, PackageState, PhysicalCopy, PhysicalCopyStatus, Status
from opsdb.workflows import (
    Exactness,
    FailureKind,
    RowCount,
    Severity,
    get_overview,
    list_failures,
    validate_topology,
)

from ..counts import format_count
from ..failures import visible_acknowledgements, visible_groups
from ..parts import Content
from ..topology import sees_topology, topology_section
from ..viewer import AdminPage, Viewer
from .locations import BAD, locations_section
from .nights import nights_section
from .runs import runs_section
from .stages import STAGES, held_up_packages, stages_section
from .trends import trends_section
from .troubles import troubles_section, visible_troubles, waiting_deletions

REFRESH_SECONDS = 30
# Other problems than the failed work of the stages, with the words of the headline.
COPIES_IN = {
    PhysicalCopyStatus.CORRUPT: lazy("corrupt copies: %(count)s"),
    PhysicalCopyStatus.MISSING: lazy("missing copies: %(count)s"),
    PhysicalCopyStatus.DELETION_FAILED: lazy("failed deletions: %(count)s"),
}
OTHERS = {
    FailureKind.UNREADABLE: lazy("unreadable copies: %(count)s"),
    FailureKind.CONFLICT: lazy("reported twice: %(count)s"),
}
# What the list of failures calls the failed work of a stage, by the column of its states, and bad copies by theirs.
FAILURES_OF = {"status": (FailureKind.FAILED,), "unpack_status": (FailureKind.UNPACKING_FAILED,)}
COPY_FAILURES = {
    PhysicalCopyStatus.CORRUPT: (FailureKind.CORRUPT,),
    PhysicalCopyStatus.MISSING: (FailureKind.MISSING,),
    PhysicalCopyStatus.DELETION_FAILED: (FailureKind.DELETION_FAILED,),
}
# Requests for deletion that wait for this person.
DELETIONS = {
    DeletionRequestStatus.REQUESTED: lazy("deletions to decide on: %(count)s"),
    DeletionRequestStatus.APPROVED: lazy("deletions to carry out: %(count)s"),
}
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
    found, groups = get_overview(), visible_groups(viewer, list_failures())
    known = visible_acknowledgements(viewer)
    deletions = waiting_deletions(viewer)
    parts = [
        stages_section(viewer, found),
        troubles_section(viewer, found, groups, known, deletions),
        nights_section(viewer),
        _topology_section(viewer),
        locations_section(viewer, found),
        trends_section(viewer, found.at),
        runs_section(viewer, found),
    ]
    return {
        "sections": [section for section in parts if section],
        "summary": _summary(viewer, found, groups, known, deletions)
        + _held_up_text(viewer, found)
        + _known_text(groups, known),
        "at": format_second(found.at),
        "failures_url": viewer.page_url("failures"),
        "url": viewer.page_url("dashboard", fragment=1),
        "seconds": REFRESH_SECONDS,
        "navigation": viewer.navigation("dashboard"),
    }


def _topology_section(viewer):
    """What stops data or endangers them; notes stand on the page of the data flow."""
    if not sees_topology(viewer):
        return None
    return topology_section(
        viewer, [one for one in validate_topology(credentials=False) if one.severity is not Severity.NOTE]
    )


def _held_up_text(viewer, found):
    """How many packages wait because of failures, as a part of the headline: the stage of packages counts these."""
    number = held_up_packages(viewer, found)
    if number is None:
        return ""
    text = ngettext(" %(number)s package is held up.", " %(number)s packages are held up.", number.value)
    return text % {"number": format_count(number)}


def _known_text(groups, known):
    """The number of acknowledged failures, as the end of the headline, which does not count them."""
    number = len(_known_failures(groups, known))
    text = ngettext(" %(number)s more failure is known.", " %(number)s more failures are known.", number)
    return text % {"number": f"{number:,}"} if number else ""


def _known_failures(groups, known):
    return [failure for group in groups if group.name in known for failure in group.failures]


def _summary(viewer, found, groups, known, deletions):
    """The open problems in a sentence, which a screen reader reads when it changes. Acknowledged ones are left out."""
    known = _known_failures(groups, known)

    def left(number, kinds, table=None):
        """Return a number without the acknowledged part of it."""
        those = sum(one.kind in kinds and table in (None, one.table) for one in known)
        return RowCount(max(number.value - those, 0), number.exactness)

    failed = {
        str(STAGES[stage.name].title): left(count.number, FAILURES_OF[display.column], display.model._meta.db_table)
        for stage in found.stages
        # The state of a package repeats what became of its transfers.
        if viewer.sees((display := STAGES[stage.name]).model) and display.states is not PackageState
        for count in stage.states
        if count.state == Status.FAILED
    }
    failed = {title: number for title, number in failed.items() if number.value}
    parts = []
    if failed:
        where = ", ".join(f"{title}: {format_count(number)}" for title, number in failed.items())
        text = _("%(count)s failed (%(where)s)")
        parts.append((text.replace("%(where)s", where), _sum(failed.values())))
    for state in BAD if viewer.sees(PhysicalCopy) else ():
        numbers = [count.number for place in found.locations for count in place.states if count.state == state]
        parts.append((COPIES_IN[state], left(_sum(numbers), COPY_FAILURES[state])))
    failures = [failure for group in groups for failure in group.failures]
    for kind, text in OTHERS.items():
        parts.append((text, left(RowCount(sum(failure.kind is kind for failure in failures)), (kind,))))
    rows = {one.row for one in known}
    stalled = [one for one in visible_troubles(viewer, found.stalled) if one.row not in rows]
    parts.append((_("%(count)s stalled"), RowCount(len(stalled))))
    parts += [(DELETIONS[one.status], one.count_for(viewer)) for one in deletions]
    parts = [(text, number) for text, number in parts if number.value]
    if not parts:
        return _("Nothing else needs attention.") if known else _("Nothing has failed and nothing is stalled.")
    total = _sum(number for _text, number in parts)
    return _("%(total)s: %(parts)s.") % {
        "total": ngettext("%(count)s needs attention", "%(count)s need attention", total.value)
        % {"count": format_count(total)},
        "parts": ", ".join(text % {"count": format_count(number)} for text, number in parts),
    }


def _sum(numbers):
    numbers = list(numbers)
    exactness = Exactness.EXACT if all(number.is_exact for number in numbers) else Exactness.ESTIMATED
    return RowCount(sum(number.value for number in numbers), exactness)


PAGE = AdminPage("dashboard", ("dashboard/",), lazy("Dashboard"), view, MODELS, beside_lists=False)
