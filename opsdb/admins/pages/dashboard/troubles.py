"""Open problems: what failed, what is stalled, and what has been waiting longest."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import CharField, F, TextField, Value
from django.db.models.functions import Cast
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opsdb import conf
from opsdb.models import (
    DataLocation,
    DataTransfer,
    DeletionRequest,
    DeletionRequestStatus,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    PackageState,
    PhysicalCopy,
    RawDataPackage,
    StagingJob,
    Status,
)
from opsdb.row_labels import tables
from opsdb.workflows import Exactness, FailureGroup, FailureKind, Overview, RowCount, Trouble
from opsdb.workflows.overview import WORK

from ...actions.copies import DELETION_REQUEST_ACTIONS
from ...actions.deciding import decision_note, look_up_rights
from ...kit.actions import Action
from ...kit.columns import moment
from ...kit.names import called
from ..acknowledgements import place_shown
from ..counts import format_age
from ..failures import hints_of, kinds_of, message_of, remedy_button
from ..found import link_rows
from ..parts import Section, Table, capped, first_of, message, shown_of, subheading
from ..viewer import Viewer
from ..why_links import why_link

WAITING_SHOWN = 2  # of each kind and state
GROUPS_SHOWN = 20
STALLED_SHOWN = 20
REQUESTS_SHOWN = 20
DECISIONS = ("approve", "reject")
EXECUTION = ("execute", "reject")
STALLED = (FailureKind.STALLED, FailureKind.UNPACKING_STALLED, FailureKind.DELETION_STALLED)


# Work that no worker has begun, and the packages that are not archived.
WAITING = (
    *((model, "status", Status.claimable()) for model in WORK.values()),
    (RawDataPackage, "state", (PackageState.WAITING, PackageState.TRANSFERRING)),
)


DESTINED = (DataTransfer, LongTermArchiveTransfer, StagingJob)


def _model_of(trouble):
    return tables()[trouble.row.partition(" ")[0]]


def visible_troubles(viewer: Viewer, troubles: Iterable[Trouble]) -> list[Trouble]:
    """Return the troubles with rows that the person may view."""
    return [trouble for trouble in troubles if viewer.sees(_model_of(trouble))]


@dataclass(frozen=True)
class WaitingDeletions:
    """Requests for deletion that wait for a decision or an execution.

    Attributes:
        status: requested, for those that wait for a decision, or approved.
        requests: the oldest of them.
        is_cut: whether there are more.
        names: of the actions that they wait for, that which furthers them first.
    """

    status: DeletionRequestStatus
    requests: list[DeletionRequest]
    is_cut: bool
    names: Sequence[str]

    def actions_of(self, viewer: Viewer, request: DeletionRequest) -> list[Action]:
        """Return what the person may do about a request now."""
        model_admin = viewer.site.get_model_admin(DeletionRequest)
        return [
            action
            for action in sorted(DELETION_REQUEST_ACTIONS, key=lambda one: one.name not in self.names[:1])
            if action.name in self.names
            and action.is_allowed(model_admin, viewer.request)
            and action.applies_to(request, viewer.request.user)
        ]

    def count_for(self, viewer: Viewer) -> RowCount:
        """Return how many of them wait for this person, among others."""
        number = sum(bool(self.actions_of(viewer, one)) for one in self.requests)
        return RowCount(number, Exactness.AT_LEAST if self.is_cut and number else Exactness.EXACT)


def waiting_deletions(viewer: Viewer) -> list[WaitingDeletions]:
    """Return the requests for deletion that wait for a decision, and those that wait to be carried out."""
    if not viewer.sees(DeletionRequest, PhysicalCopy):
        return []
    return [
        _requests_in(viewer, DeletionRequestStatus.REQUESTED, DECISIONS),
        _requests_in(viewer, DeletionRequestStatus.APPROVED, EXECUTION),
    ]


def _requests_in(viewer, status, names):
    requests = DeletionRequest.objects.filter(status=status)
    requests = requests.select_related("data_location__site", "requested_by", "approved_by").order_by("pk")
    requests, is_cut = capped(requests, REQUESTS_SHOWN)
    if requests:
        look_up_rights(requests, viewer.request.user)
    return WaitingDeletions(status, requests, is_cut, names)


def troubles_section(
    viewer: Viewer,
    found: Overview,
    groups: Sequence[FailureGroup],
    known: Collection[str],
    deletions: Sequence[WaitingDeletions],
) -> Section | None:
    """Return the open problems: failures in groups of one cause, stalled work, and what has been waiting longest.

    Groups whose names are known are left out, and counted.
    """
    new = [group for group in groups if group.name not in known]
    left_out = {failure.row for group in groups if group.name in known for failure in group.failures}
    stalled = [one for one in visible_troubles(viewer, found.stalled) if one.row not in left_out]
    waiting = _waiting(viewer, found.at)
    if not any(viewer.sees(model) for model in (*WORK.values(), PhysicalCopy, ExecutedReductionStep)):
        return None

    failed = [group for group in new if group.failures[0].kind not in STALLED]
    number, failed = len(failed), failed[:GROUPS_SHOWN]
    stalled = stalled[:STALLED_SHOWN]
    named = (*(group.failures[0] for group in failed), *stalled, *waiting)
    links = link_rows(viewer, (one.row for one in named))

    def rows(troubles):
        return [
            (
                links[trouble.row],
                moment(trouble.since) if trouble.since else "–",
                format_age(trouble.since, found.at),
                message(viewer.link_names(trouble.message)),
                why_link(viewer, trouble.row),
            )
            for trouble in troubles
        ]

    columns = (_("what"), _("since [UTC]"), _("for"), _("what is known"), _("why"))
    hours = conf.get("OPSDB_STALLED_AFTER_SECONDS") / 3_600
    return Section(
        _("What needs attention"),
        (
            *(part for waiting in deletions if waiting.requests for part in _deletions(viewer, waiting)),
            subheading(_("Failed")),
            _failures(viewer, failed, links, found.at, shown_of(len(failed), number)),
            _known(viewer, len(groups) - len(new)),
            subheading(_("Stalled")),
            Table(
                _("Work in progress without a heartbeat"),
                columns,
                rows(stalled),
                _("Every worker has sent a heartbeat in the last %(hours)g h.") % {"hours": hours},
            ),
            subheading(_("Waiting longest, counted from when it was made")),
            Table(
                _("What waits longest for somebody to take it up"),
                (_("what"), _("made at [UTC]"), _("made ago"), _("what is known"), _("why")),
                rows(waiting),
                _("Nothing that waits was made more than %(hours)g h ago.") % {"hours": hours},
            ),
        ),
        "opsdb-troubles",
    )


def _known(viewer, number):
    if not number:
        return ""
    text = ngettext("%(number)s more group is known.", "%(number)s more groups are known.", number)
    url = viewer.page_url("failures")
    return format_html('<p class="opsdb-note"><a href="{}">{}</a></p>', url, text % {"number": number})


def _failures(viewer, groups, links, now, note):
    columns = (_("what happened"), _("where"), _("what"), _("since [UTC]"), _("for"), _("why"), _("what helps"))
    rows = []
    for group in groups:
        newest, url = group.failures[0], viewer.page_url("failures", group=group.name)
        is_alone = len(group.failures) == 1
        what = links[newest.row] if is_alone else kinds_of(group.failures)
        rows.append(
            (
                format_html('<a href="{}">{}</a>', url, message_of(viewer, group)),
                place_shown(viewer, group) or "–",
                what,
                moment(group.first) if group.first else "–",
                format_age(group.first, now),
                why_link(viewer, newest.row),
                remedy_button(viewer, group, groups) or hints_of(viewer, group) or _("see “Why?”"),
            )
        )
    more = viewer.page_url("failures") if groups else None
    return Table(_("What failed, by cause"), columns, rows, _("Nothing has failed."), note, more)


def _deletions(viewer, waiting):
    """Return heading and table of requests for deletion, each with the buttons that lead to its previews."""
    requests, status, is_cut = waiting.requests, waiting.status, waiting.is_cut
    is_decided = status == DeletionRequestStatus.APPROVED
    title = _("Approved deletions to carry out") if is_decided else _("Deletions to decide on")
    by, act = (_("approved by"), _("what to do")) if is_decided else (_("requested by"), _("decision"))
    rows = [
        (
            viewer.link(one, one.reason[:80]),
            called(one.data_location) if viewer.sees(DataLocation) else viewer.withheld,
            viewer.link(one.approved_by if is_decided else one.requested_by),
            moment(one.decided_at if is_decided else one.created_at),
            _buttons(viewer, one, waiting),
        )
        for one in requests
    ]
    columns = (_("reason"), _("where"), by, _("since [UTC]"), act)
    more = viewer.list_url(DeletionRequest, status__exact=status.value) if is_cut else None
    return [subheading(title), Table(title, columns, rows, "", first_of(REQUESTS_SHOWN) if is_cut else "", more)]


def _buttons(viewer, request, waiting):
    buttons = [
        render_to_string(
            "admin/opsdb/act_button.html",
            {"url": viewer.list_url(DeletionRequest), "action": action, "row": request},
            viewer.request,
        )
        for action in waiting.actions_of(viewer, request)
    ]
    return format_html_join(" ", "{}", ([button] for button in buttons)) or decision_note(viewer, request) or "–"


def _waiting(viewer, now):
    """The oldest of each kind and state that waits. One query."""
    parts = [
        model.objects.filter(**{column: state})
        .order_by("created_at")
        .values_list(
            Value(model._meta.db_table, output_field=CharField()),
            Cast("pk", TextField()),
            "created_at",
            "failure_message",
            Value(state.value, output_field=CharField()),
            Cast(F("destination_location__name") if model in DESTINED else Value(""), TextField()),
            F("destination_location__active") if model in DESTINED else Value(True),
        )[:WAITING_SHOWN]
        for model, column, states in WAITING
        for state in states
    ]
    before = now - timedelta(seconds=conf.get("OPSDB_STALLED_AFTER_SECONDS"))
    first, *others = parts
    found = {}
    for table, key, since, failure, state, place, active in first.union(*others, all=True):
        if since < before and viewer.sees(tables()[table]):
            reasons = [_("is %(state)s") % {"state": state}]
            if not active:
                shown = place if viewer.sees(DataLocation) else viewer.withheld
                reasons.append(_("its destination %(place)s is inactive") % {"place": shown})
            if failure:
                reasons.append(_("the last failure: %(message)s") % {"message": failure})
            found[f"{table} {key}"] = Trouble(f"{table} {key}", since, "; ".join(reasons))
    return sorted(found.values(), key=lambda one: one.since)
