"""How things stand: every stage from observed to archived, what needs somebody, how full it is, what was observed.

A fixed number of queries, each along an index and of bounded size: the page costs the same on tables of any size, and
says which of its numbers are estimates.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from django.db.models import CharField, F, TextField, Value
from django.db.models.functions import Cast
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from opsdb import conf
from opsdb.models import (
    DataLocation,
    DataProduct,
    DataTransfer,
    DataTransferPackage,
    DeletionRequest,
    DeletionRequestStatus,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LocationType,
    LongTermArchiveTransfer,
    ObservationStatus,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataFile,
    RawDataPackage,
    RunStatus,
    StagingJob,
    Status,
)
from opsdb.models.enums import FAILED, StateChoices
from opsdb.workflows import Exactness, Overview, RestState, RowCount, StageName, Trouble, get_overview
from opsdb.workflows.overview import WORK

from ..drawings.bars import fill_bar
from ..drawings.timeline import Hours, Lane, TimeLine
from ..kit.columns import badge, human_size, moment
from ..kit.values import row_in_words, tables
from .bars import bar_legend, execution_bar, execution_table
from .base import NEUTRAL, Content, Figure, Page, Section, Table, Viewer, capped, paragraph, spaced
from .wording import age, said

REFRESH_SECONDS = 30
NIGHTS = 3
EXECUTION_FIELDS = ("start_time", "end_time", "status", "quality")
EXECUTIONS = 300  # the newest of these nights
WAITING_SHOWN = 2  # of each kind and state
RUNS_SHOWN = 5  # of each state


@dataclass(frozen=True)
class Kind:
    """How a stage of the overview is shown here.

    Attributes:
        title: what it is called.
        model: its rows.
        column: the column of its states.
        machine: the states.
        narrowed: what else its list is narrowed by.
        rest: which list stands for a state that is none of the machine's.
        beside: whether it stands beside the way from observed to archived.
    """

    title: str
    model: type
    column: str = "status"
    machine: type[StateChoices] | None = Status
    narrowed: dict = field(default_factory=dict)
    rest: dict = field(default_factory=dict)
    beside: bool = False


KINDS = {
    StageName.OBSERVATIONS: Kind(
        lazy("observed"),
        ExecutedObsUnit,
        machine=ObservationStatus,
        rest={RestState.ENDED: {"status__in": "completed,aborted,failed"}},
    ),
    StageName.FILES: Kind(
        lazy("files registered"),
        RawDataFile,
        machine=None,
        rest={
            RestState.UNPACKAGED: {"raw_data_package__isnull": "True"},
            RestState.PACKAGED: {"raw_data_package__isnull": "False"},
        },
    ),
    StageName.PACKAGING: Kind(lazy("packaged"), RawDataPackage),
    StageName.BUNDLING: Kind(lazy("bundled for transfer"), DataTransferPackage),
    StageName.TRANSFERS: Kind(lazy("transferred"), DataTransfer),
    StageName.UNPACKING: Kind(
        lazy("unpacked"), DataTransfer, column="unpack_status", narrowed={"status__exact": "completed"}
    ),
    StageName.ARCHIVING: Kind(lazy("put into archives"), LongTermArchiveTransfer),
    StageName.PACKAGES: Kind(lazy("packages archived"), RawDataPackage, column="state", machine=PackageState),
    StageName.STAGING: Kind(lazy("staged for reduction"), StagingJob, beside=True),
    StageName.RUNS: Kind(
        lazy("reduced"),
        ExecutedReductionStep,
        machine=RunStatus,
        rest={RestState.COMPLETED_OR_CANCELLED: {"status__in": "completed,cancelled"}},
        beside=True,
    ),
    StageName.PRODUCTS: Kind(lazy("data products"), DataProduct, machine=None, rest={RestState.MADE: {}}, beside=True),
    StageName.DELETION_REQUESTS: Kind(
        lazy("deletions asked for"), DeletionRequest, machine=DeletionRequestStatus, beside=True
    ),
}
REST_WORDS = {
    RestState.ENDED: lazy("ended"),
    RestState.UNPACKAGED: lazy("unpackaged"),
    RestState.PACKAGED: lazy("packaged"),
    RestState.COMPLETED_OR_CANCELLED: lazy("completed or cancelled"),
    RestState.MADE: lazy("made"),
}
MODELS = (*{kind.model: None for kind in KINDS.values()}, PhysicalCopy, DataLocation)
# What nobody has begun, and the packages that are not archived.
WAITING = (
    *((model, "status", Status.claimable()) for model in WORK.values()),
    (RawDataPackage, "state", (PackageState.WAITING, PackageState.TRANSFERRING)),
)
DESTINED = (DataTransfer, LongTermArchiveTransfer, StagingJob)


def view(viewer: Viewer):
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
        _pipeline(viewer, found),
        _troubles(viewer, found),
        _nights(viewer),
        _locations(viewer, found),
        _runs(viewer, found),
    ]
    return {
        "sections": [section for section in parts if section],
        "summary": _summary(viewer, found),
        "at": f"{found.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "url": viewer.page_url("dashboard", fragment=1),
        "seconds": REFRESH_SECONDS,
        "navigation": viewer.navigation("dashboard"),
    }


def _model_of(trouble):
    return tables()[trouble.row.partition(" ")[0]]


def _seen(viewer, troubles):
    return [trouble for trouble in troubles if viewer.sees(_model_of(trouble))]


def _summary(viewer, found):
    """What a screen reader is told when it changes."""
    failures = {
        KINDS[stage.name].title: count.number
        for stage in found.stages
        # The state of a package repeats what became of its transfers.
        if viewer.sees(KINDS[stage.name].model) and KINDS[stage.name].machine is not PackageState
        for count in stage.states
        if count.state == Status.FAILED and count.number.value
    }
    exactness = Exactness.EXACT if all(number.is_exact for number in failures.values()) else Exactness.ESTIMATED
    failed = RowCount(sum(number.value for number in failures.values()), exactness)
    where = ", ".join(f"{title}: {said(number)}" for title, number in failures.items())
    stalled = len(_seen(viewer, found.stalled))
    if not failed.value and not stalled:
        return _("Nothing has failed and nothing is stalled.")
    return " ".join(
        [
            ngettext("%(count)s has failed", "%(count)s have failed", failed.value) % {"count": said(failed)}
            + (f" ({where})," if where else ","),
            ngettext("%(count)s is stalled.", "%(count)s are stalled.", stalled) % {"count": f"{stalled:,}"},
        ]
    )


# From observed to archived


def _pipeline(viewer, found):
    shown = {stage.name: stage for stage in found.stages if viewer.sees(KINDS[stage.name].model)}
    if not shown:
        return None
    ways = [
        [
            _stage(viewer, kind, shown[name], found.at)
            for name, kind in KINDS.items()
            if name in shown and kind.beside == beside
        ]
        for beside in (False, True)
    ]
    titles = (_("From observed to archived"), _("After that"))
    parts = []
    for title, stages in zip(titles, ways, strict=True):
        if stages:
            parts += [
                format_html('<h3 class="opsdb-part">{}</h3>', title) if parts else "",
                render_to_string("admin/opsdb/pipeline.html", {"stages": stages}),
            ]
    return Section(titles[0], parts, "opsdb-pipeline")


def _stage(viewer, kind, stage, now):
    states = []
    level = ""
    for count in stage.states:
        of_machine = kind.machine is not None and count.state in kind.machine.values
        if not count.number.value and (of_machine or count.state not in kind.rest):
            continue
        look = kind.machine(count.state).look if of_machine else NEUTRAL
        if look == FAILED:
            level = "failed"
        lookups = kind.rest.get(count.state) if not of_machine else {f"{kind.column}__exact": count.state}
        states.append(
            {
                "badge": badge(kind.machine(count.state)) if of_machine else REST_WORDS[count.state],
                "number": said(count.number),
                "url": viewer.list_url(kind.model, **kind.narrowed, **(lookups or {})),
            }
        )
    return {
        "title": kind.title,
        "url": viewer.list_url(kind.model, **kind.narrowed),
        "states": states,
        "oldest": stage.oldest,
        "age": age(stage.oldest, now),
        "level": level,
    }


# What needs somebody


def _troubles(viewer, found: Overview):
    failures, stalled = _seen(viewer, found.failures), _seen(viewer, found.stalled)
    waiting = _waiting(viewer, found.at)
    if not any(viewer.sees(model) for model in (*WORK.values(), PhysicalCopy, ExecutedReductionStep)):
        return None

    def rows(troubles):
        return [
            (
                viewer.told(trouble.row),
                moment(trouble.since) if trouble.since else "–",
                age(trouble.since, found.at),
                viewer.told(trouble.message),
                why_link(viewer, trouble.row),
            )
            for trouble in troubles
        ]

    columns = (_("what"), _("since [UTC]"), _("for"), _("what is known"), _("why"))
    hours = conf.get("OPSDB_STALLED_AFTER_SECONDS") / 3_600
    return Section(
        _("What needs somebody"),
        (
            _part(_("Failed")),
            Table(_("What failed last"), columns, rows(failures[:20]), _("Nothing has failed.")),
            _part(_("Stalled")),
            Table(
                _("Work in progress without a sign of life"),
                columns,
                rows(stalled[:20]),
                _("Every worker has shown life in the last %(hours)g h.") % {"hours": hours},
            ),
            _part(_("Waiting longest")),
            Table(
                _("What waits longest for somebody to take it up"),
                columns,
                rows(waiting),
                _("Nothing waits for more than %(hours)g h.") % {"hours": hours},
            ),
        ),
        "opsdb-troubles",
    )


def _part(title):
    return format_html('<h3 class="opsdb-part">{}</h3>', title)


def why_link(viewer: Viewer, name: str):
    """Return the link to why a row, named by table and key, is where it is."""
    url = viewer.page_url("why", q=name)
    if url is None:
        return "–"
    return format_html(
        '<a href="{}" aria-label="{}">{}</a>', url, _("Why %(name)s?") % {"name": row_in_words(name)}, _("Why?")
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
                reasons.append(_("its destination %(place)s is out of use") % {"place": place})
            if failure:
                reasons.append(_("the last failure: %(message)s") % {"message": failure})
            found[f"{table} {key}"] = Trouble(f"{table} {key}", since, "; ".join(reasons))
    return sorted(found.values(), key=lambda one: one.since)


# What was observed


def _nights(viewer):
    if not viewer.sees(ExecutedObsUnit):
        return None
    title = _("Last nights")
    newest = ExecutedObsUnit.objects.latest_first().values_list("start_time", flat=True).first()
    if newest is None:
        return Section(title, (paragraph(_("Nothing has been observed yet."), "opsdb-empty"),), "opsdb-nights")
    dates = [night_of(newest) - timedelta(days=back) for back in range(NIGHTS)]
    last, first = dates[0], datetime.combine(dates[-1], time(12), tzinfo=UTC)
    executions, more = capped(
        ExecutedObsUnit.objects.filter(start_time__gte=first)
        .latest_first()
        .select_related("obs_unit__observing_program")
        .only(
            "start_time", "end_time", "status", "quality", "obs_unit__name", "obs_unit__observing_program__short_name"
        ),
        EXECUTIONS,
    )
    by_night = {date: [] for date in dates}
    for execution in executions:
        by_night[night_of(execution.start_time)].append(execution)
    noon = datetime.combine(last, time(12), tzinfo=UTC)
    lanes = [
        Lane(
            f"{date:%a %Y-%m-%d} ({len(by_night[date])})",
            [execution_bar(viewer, execution) for execution in reversed(by_night[date])],
            start=datetime.combine(date, time(12), tzinfo=UTC),
        )
        for date in dates
    ]
    line = TimeLine(
        name="nights",
        title=_("Executions of the last nights"),
        description=_("One row for each night from noon to noon UTC, the latest first; each bar is an execution."),
        lanes=lanes,
        start=noon,
        end=noon + timedelta(days=1),
        top=Hours("UTC"),
    )
    note = _("Only the newest %(limit)s executions are shown.") % {"limit": EXECUTIONS}
    links = [
        format_html('<a href="{}">{}</a>', url, f"{date:%Y-%m-%d}")
        for date in dates
        if (url := viewer.page_url("night", date))
    ]
    return Section(
        title,
        (
            Figure(
                "nights",
                line.title,
                line.draw(),
                legend=bar_legend(),
                table=execution_table(viewer, executions),
                notes=(note,) if more else (),
            ),
            format_html('<p class="opsdb-links">{} {}</p>', _("Nights:"), spaced(links)) if links else "",
        ),
        "opsdb-nights",
    )


def night_of(moment: datetime):
    """Return the date on which the night of a moment began: nights go from noon to noon, UTC."""
    return (moment.astimezone(UTC) - timedelta(hours=12)).date()


# Where the bytes are


def _locations(viewer, found):
    if not viewer.sees(DataLocation, PhysicalCopy):
        return None

    def copies(place, **lookups):
        return viewer.list_url(PhysicalCopy, data_location__id__exact=place.id, **lookups)

    def bad(place):
        shown = [count for count in place.states if count.state in BAD and count.number.value]
        return (
            spaced(
                format_html(
                    '<a href="{}">{} {}</a>',
                    copies(place, status__exact=count.state),
                    badge(PhysicalCopyStatus(count.state)),
                    said(count.number),
                )
                for count in shown
            )
            or "–"
        )

    rows, lacking = [], []
    for place in found.locations:
        name = f"{place.site}/{place.location}"
        link = format_html('<a href="{}">{}</a>', viewer.row_url(DataLocation, place.id), name)
        out = "" if place.active else format_html(" <em>{}</em>", _("(out of use)"))
        rows.append(
            (
                format_html("{}{}", link, out),
                LocationType(place.location_type).label,
                format_html('<a href="{}">{}</a>', copies(place), f"{place.copies:,}"),
                human_size(place.volume_bytes),
                human_size(place.capacity_bytes) if place.capacity_bytes else "–",
                _fill(place),
                bad(place),
            )
        )
        if place.lacking.value:
            lacking.append((link, said(place.expected), said(place.actual), said(place.lacking), bad(place)))
    return Section(
        _("Volume, and copies against policy"),
        (
            Table(
                _("Locations"),
                (
                    _("location"),
                    _("for"),
                    _("copies"),
                    _("volume"),
                    _("capacity"),
                    _("filled"),
                    _("copies in trouble"),
                ),
                rows,
                _("There are no locations yet."),
            ),
            _part(_("Copies missing against policy")),
            Table(
                _("Locations that lack copies"),
                (_("location"), _("should be there"), _("are there and good"), _("missing"), _("of them known as")),
                lacking,
                _("Every location has the copies that it should have."),
                note=_(
                    "An archive should have every archived package; a package needs %(copies)s verified archive copies"
                    " before other copies may go."
                )
                % {"copies": conf.get("OPSDB_MIN_ARCHIVE_COPIES")},
            ),
        ),
        "opsdb-locations",
    )


BAD = (
    PhysicalCopyStatus.CORRUPT,
    PhysicalCopyStatus.MISSING,
    PhysicalCopyStatus.DELETION_FAILED,
)


def _fill(place):
    if place.fill_percent is None:
        return "–"
    return format_html("{} {}", fill_bar(place.fill_percent), f"{place.fill_percent:.3g} %")


# What is reduced


def _runs(viewer, found):
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
            age(run.started_at or run.submitted_at or run.created_at, found.at),
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


PAGE = Page("dashboard", ("dashboard/",), lazy("Dashboard"), view, MODELS, beside_lists=False)
