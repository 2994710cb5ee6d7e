"""All failures and stalled work, in groups of one cause, with one button for each group."""

from collections.abc import Iterable

from django.db.models import Model
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from opsdb.models import (
    DataTransfer,
    DataTransferPackage,
    ExecutedReductionStep,
    FailureAcknowledgement,
    LongTermArchiveTransfer,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
    StagingJob,
    Status,
)
from opsdb.row_labels import tables
from opsdb.workflows import (
    Failure,
    FailureGroup,
    FailureKind,
    FailureList,
    Remedy,
    group_failures,
    list_acknowledgements,
    list_failures,
)
from opsdb.workflows.failures import LIMIT

from ..actions.remedies import LABELS, action_for, combined
from ..kit.columns import moment
from ..kit.confirmation import Confirmation
from ..kit.values import Text
from . import acknowledgements
from .acknowledgements import acknowledgement_part, known_facts, place_shown, withdrawal_part
from .counts import format_age
from .found import link_rows, with_called
from .parts import Content, Facts, Section, Table, message, paragraph, shown_of
from .viewer import AdminPage, Viewer
from .why_links import why_link

MODELS = (
    DataTransfer,
    RawDataPackage,
    DataTransferPackage,
    LongTermArchiveTransfer,
    StagingJob,
    ExecutedReductionStep,
    PhysicalCopy,
)
GROUPS_SHOWN = 50
ROWS_SHOWN = 20  # of each group
GROUP = "group"
CAUSE = "cause"  # of groups that differ by place and worker
REMEDY = "remedy"  # which of those of a group


def visible_groups(viewer: Viewer, found: FailureList) -> list[FailureGroup]:
    """Return the failures of rows that the person may view, in groups of one cause."""
    return group_failures(failure for failure in found.failures if viewer.sees(tables()[failure.table]))


def view(viewer: Viewer) -> Content | HttpResponse:
    """All groups, or the one that is asked for; posted, what helps against all failures of a group."""
    found = list_failures()
    groups = visible_groups(viewer, found)
    known = visible_acknowledgements(viewer)
    posted = viewer.request.POST
    if posted and (answered := acknowledgements.answer(viewer, groups, known)):
        return answered
    name = (posted or viewer.request.GET).get(GROUP, "")
    is_part = bool(name) or CAUSE in posted
    chosen = groups
    if CAUSE in posted:
        # Acknowledged failures are left alone.
        chosen = [group for group in groups if group.cause == posted[CAUSE] and group.name not in known]
    elif name:
        chosen = [group for group in groups if group.name == name]
    if posted and is_part:
        offered = [remedy for group in chosen for remedy in group.remedies]
        remedy = posted.get(REMEDY, offered[0] if offered else "")
        treated = treatable(
            viewer, (failure for group in chosen for failure in group.failures if failure.remedy == remedy)
        )
        if treated:
            field = CAUSE if CAUSE in posted else GROUP
            hidden = ((field, posted[field]), (REMEDY, remedy))
            return _GroupConfirmation(viewer, Remedy(remedy), treated, hidden).answer()
    links = [(_("All failures"), viewer.page_url("failures"))] if is_part else []
    if not chosen:
        text = _("These failures are over.") if is_part else _("Nothing needs attention.")
        section = Section(_("Failures"), (paragraph(text),), "failures")
        return Content(sections=(section,), links=links)
    # Stable: among what is known and what is not, the largest stay first.
    shown = sorted(chosen, key=lambda group: group.name in known)[:GROUPS_SHOWN]
    new = [] if name else [group for group in groups if group.name not in known]
    rows = {group.name: group.failures if name else group.failures[:ROWS_SHOWN] for group in shown}
    links_of_rows = link_rows(viewer, (failure.row for some in rows.values() for failure in some))
    notes = [*_lists_of(viewer, found), _groups_shown(len(shown), len(chosen))]
    return Content(
        links=links,
        sections=[
            _section(viewer, group, known.get(group.name), rows[group.name], links_of_rows, new) for group in shown
        ],
        whole=render_to_string("admin/opsdb/failure_notes.html", {"notes": [note for note in notes if note]}),
    )


# The lists of all failures of a kind, where a list can be narrowed to them.
LISTED = {
    FailureKind.FAILED: {"status__exact": Status.FAILED.value},
    FailureKind.UNPACKING_FAILED: {
        "status__exact": Status.COMPLETED.value,
        "unpack_status__exact": Status.FAILED.value,
    },
    FailureKind.CORRUPT: {"status__exact": PhysicalCopyStatus.CORRUPT.value},
    FailureKind.MISSING: {"status__exact": PhysicalCopyStatus.MISSING.value},
    FailureKind.DELETION_FAILED: {"status__exact": PhysicalCopyStatus.DELETION_FAILED.value},
}


def _lists_of(viewer, found):
    """Yield of which kinds there are more, with the lists of all of them."""
    for table, kind in found.truncated:
        model = tables()[table]
        if not viewer.sees(model):
            continue
        words = {"kinds": model._meta.verbose_name_plural, "state": _(kind.value), "limit": LIMIT}
        text = _("Of the %(kinds)s with the state “%(state)s” only %(limit)s are on this page.") % words
        url = viewer.list_url(model, **LISTED[kind]) if kind in LISTED else None
        link = format_html('<a href="{}">{}</a>', url, _("List of all of them")) if url else ""
        yield format_html("{} {}", text, link)


def _groups_shown(shown, number):
    if shown == number:
        return ""
    text = _("%(shown)s of %(number)s causes are shown, the largest first. The others follow when these are over.")
    return text % {"shown": shown, "number": number}


def message_of(viewer: Viewer, group: FailureGroup) -> str:
    """Return what went wrong, as far as the person may see it."""
    return viewer.name_rows(group.message) or _(group.failures[0].kind.value)


def visible_acknowledgements(viewer: Viewer) -> dict[str, FailureAcknowledgement]:
    """Return the acknowledgements that hold now, by group; none where the person may not view them."""
    return list_acknowledgements() if viewer.sees(FailureAcknowledgement) else {}


def _section(viewer, group, known, rows, links, new):
    lines = [
        (
            links[failure.row],
            _(failure.kind.value),
            moment(failure.since) if failure.since else "–",
            format_age(failure.since),
            message(viewer.link_names(failure.message)),
            why_link(viewer, failure.row),
        )
        for failure in rows
    ]
    facts = Facts(
        [
            *(known_facts(viewer, known) if known else []),
            (_("how many"), kinds_of(group.failures)),
            (_("what helps"), hints_of(viewer, group)),
            (_("worker"), group.worker),
            (_("first [UTC]"), moment(group.first) if group.first and group.first != group.last else ""),
        ]
    )
    columns = (_("what"), _("state"), _("since [UTC]"), _("for"), _("what is known"), _("why"))
    more = len(group.failures) > len(rows)
    table = Table(
        _("Failures"),
        columns,
        lines,
        note=shown_of(len(rows), len(group.failures)),
        more=viewer.page_url("failures", group=group.name) if more else None,
    )
    title = message_of(viewer, group)
    if place := place_shown(viewer, group):
        title = f"{title} · {place}"
    acknowledging = withdrawal_part(viewer, group) if known else acknowledgement_part(viewer, group, new, title)
    if known:
        title = _("Known: %(what)s") % {"what": title}
    return Section(title, (facts, remedy_button(viewer, group, new), acknowledging, table), f"group-{group.name}")


def hints_of(viewer: Viewer, group: FailureGroup) -> Text:
    """Return what is done about some failures of a group already, or is in the way; empty where nothing is."""
    return viewer.link_names("; ".join(group.hints)) if group.hints else ""


def kinds_of(failures: Iterable[Failure]) -> str:
    """Return how many rows of each kind there are: ``2 data transfers, 1 staging job``."""
    numbers: dict[type[Model], int] = {}
    for failure in failures:
        model = tables()[failure.table]
        numbers[model] = numbers.get(model, 0) + 1
    return ", ".join(
        f"{number} {ngettext(str(model._meta.verbose_name), str(model._meta.verbose_name_plural), number)}"
        for model, number in numbers.items()
    )


def _may_treat(viewer, failure):
    model = tables()[failure.table]
    action = action_for(failure)
    return action is not None and action.is_allowed(viewer.site.get_model_admin(model), viewer.request)


def remedy_button(viewer: Viewer, group: FailureGroup, groups: Iterable[FailureGroup] = ()) -> str:
    """Return the buttons that lead to previews of what helps against the failures of a group; empty for none.

    Args:
        viewer: the person.
        group: the group.
        groups: those that are shown with it. The first of several with one cause has a button for all of these, too.
    """
    alike = [one for one in groups if one.cause == group.cause]
    buttons = _buttons_for(viewer, [group], GROUP, group.name)
    if len(alike) > 1 and alike[0].name == group.name:
        buttons += _buttons_for(viewer, alike, CAUSE, group.cause)
    if not buttons:
        return ""
    context = {"buttons": buttons, "url": viewer.page_url("failures")}
    return render_to_string("admin/opsdb/failure_button.html", context, viewer.request)


def _buttons_for(viewer, groups, field, value):
    buttons = []
    for remedy in dict.fromkeys(remedy for group in groups for remedy in group.remedies):
        of_remedy = [failure for group in groups for failure in group.failures if failure.remedy == remedy]
        number = sum(_may_treat(viewer, failure) for failure in of_remedy)
        if number:
            label, about = LABELS[remedy]
            button = {"field": field, "value": value, "remedy": remedy.value, "number": number}
            buttons.append({**button, "label": label, "about": about, "of_all": field == CAUSE})
    return buttons


def treatable(viewer: Viewer, failures: Iterable[Failure]) -> list[tuple[Model, object]]:
    """Return the rows that the person may do something about, each with what: one query for each table."""
    wanted = [failure for failure in failures if _may_treat(viewer, failure)]
    rows = {
        table: with_called(viewer, tables()[table]).in_bulk([one.key for one in wanted if one.table == table])
        for table in dict.fromkeys(failure.table for failure in wanted)
    }
    treated = []
    for failure in wanted:
        model = tables()[failure.table]
        row = rows[failure.table].get(model._meta.pk.to_python(failure.key))
        if row is not None:
            treated.append((row, action_for(failure)))
    return treated


class _GroupConfirmation(Confirmation):
    """The preview of what helps against all failures of a group or of one cause, and the confirmation of it."""

    def __init__(self, viewer, remedy, treated, hidden):
        model_admin = viewer.pages["failures"][1]
        super().__init__(combined(remedy, treated), model_admin, viewer.request, [row for row, _action in treated])
        self.hidden = hidden
        self.trail = (_("Failures"), viewer.page_url("failures"))

    def _hidden(self):
        yield from self.hidden

    def _way_back(self):
        return self.trail[1]


PAGE = AdminPage("failures", ("failures/",), lazy("Failures"), view, MODELS, beside_lists=False, takes_posts=True)
