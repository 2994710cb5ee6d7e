"""What needs somebody: what failed, what is stalled, and what has been waiting longest."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import CharField, F, TextField, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from opsdb import conf
from opsdb.models import (
    DataTransfer,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    PackageState,
    PhysicalCopy,
    RawDataPackage,
    StagingJob,
    Status,
)
from opsdb.row_labels import tables
from opsdb.workflows import Overview, Trouble
from opsdb.workflows.overview import WORK

from ...kit.columns import moment
from ..counts import format_age
from ..parts import Section, Table, subheading
from ..viewer import Viewer
from ..why import why_link

WAITING_SHOWN = 2  # of each kind and state


# What nobody has begun, and the packages that are not archived.
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


def troubles_section(viewer: Viewer, found: Overview) -> Section | None:
    failures, stalled = visible_troubles(viewer, found.failures), visible_troubles(viewer, found.stalled)
    waiting = _waiting(viewer, found.at)
    if not any(viewer.sees(model) for model in (*WORK.values(), PhysicalCopy, ExecutedReductionStep)):
        return None

    def rows(troubles):
        return [
            (
                viewer.link_names(trouble.row),
                moment(trouble.since) if trouble.since else "–",
                format_age(trouble.since, found.at),
                viewer.link_names(trouble.message),
                why_link(viewer, trouble.row),
            )
            for trouble in troubles
        ]

    columns = (_("what"), _("since [UTC]"), _("for"), _("what is known"), _("why"))
    hours = conf.get("OPSDB_STALLED_AFTER_SECONDS") / 3_600
    return Section(
        _("What needs somebody"),
        (
            subheading(_("Failed")),
            Table(_("What failed last"), columns, rows(failures[:20]), _("Nothing has failed.")),
            subheading(_("Stalled")),
            Table(
                _("Work in progress without a heartbeat"),
                columns,
                rows(stalled[:20]),
                _("Every worker has sent a heartbeat in the last %(hours)g h.") % {"hours": hours},
            ),
            subheading(_("Waiting longest")),
            Table(
                _("What waits longest for somebody to take it up"),
                columns,
                rows(waiting),
                _("Nothing waits for more than %(hours)g h.") % {"hours": hours},
            ),
        ),
        "opsdb-troubles",
    )


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
                reasons.append(_("its destination %(place)s is inactive") % {"place": place})
            if failure:
                reasons.append(_("the last failure: %(message)s") % {"message": failure})
            found[f"{table} {key}"] = Trouble(f"{table} {key}", since, "; ".join(reasons))
    return sorted(found.values(), key=lambda one: one.since)
