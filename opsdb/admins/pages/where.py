"""Where is it: every copy of what a person enters."""

from collections.abc import Sequence
from datetime import date

from django.db.models import Model
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    DataLocation,
    DataProduct,
    DataTransferPackage,
    ExecutedObsUnit,
    LocationType,
    ObservingProgram,
    ObsUnit,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataFile,
    RawDataPackage,
    Source,
    Verification,
)
from opsdb.row_labels import row_name, tables
from opsdb.workflows import (
    Ambiguous,
    CopyFound,
    Match,
    NotFound,
    OpsdbError,
    find_copies,
    find_row,
    name_row,
    search_rows,
    trace_journey,
)

from ..kit.columns import badge, code, human_size, moment
from .found import SEARCHED, kind_text, row_text, row_url
from .journey import ON_THE_WAY, journey_line
from .parts import Content, Facts, Question, Section, Table, first_of, paragraph
from .viewer import AdminPage, Viewer

LIMIT = 100
HAVE_COPIES = (ExecutedObsUnit, RawDataFile, RawDataPackage, DataTransferPackage, DataProduct, PhysicalCopy)
WITH_DATA = (Source, ObsUnit, ObservingProgram, date)
"""What has a page of its own that shows the data of many observations."""


class NotUnderstood(OpsdbError):
    """It is not clear, or not for this person, what a text means.

    Attributes:
        sections: what may be meant.
        status: of the answer.
    """

    def __init__(self, message: str, sections: Sequence[Section] = (), status: int = 404):
        super().__init__(message)
        self.sections = sections
        self.status = status

    def content(self, question: Question) -> Content:
        """Return the page with that message, and with the choices where there are any."""
        message = "" if self.sections else str(self)
        return Content(questions=(question,), message=message, sections=self.sections, status=self.status)


def meant(viewer: Viewer, text: str, models: Sequence[type[Model]]) -> Model:
    """Return the row that a person means, if they may view it.

    Args:
        viewer: the person.
        text: what they typed.
        models: what the page can answer about.

    Raises:
        NotUnderstood: there is none, or none that the person may view, or there are several.
    """
    try:
        row = find_row(row_name(text))
        if viewer.sees(type(row)):
            return row
        names = []
    except NotFound:
        names = []
    except Ambiguous as error:
        names = [name for name in error.names if viewer.sees_names(name)]
    found, wider = [], []
    if not names:
        hits = search_rows(text, models=[model for model in SEARCHED if viewer.sees(model)]).hits
        found = [hit for hit in hits if isinstance(hit.row, tuple(models))]
        whole = [hit.row for hit in found if hit.match == Match.WHOLE]
        if len(whole) == 1:
            return whole[0]
        names = [name_row(type(hit.row), hit.row.pk) for hit in found]
        wholes = [hit.row for hit in hits if hit.match == Match.WHOLE and isinstance(hit.row, WITH_DATA)]
        wider = [row for row in wholes if row_url(viewer, row)]
    if not names:
        raise NotUnderstood(
            _(
                "There is no such row that you may view. Give a UUID, a kind and a key such as transfer 17, the"
                " name, path or checksum of a package, file or product, a source or an observation unit, a night, or"
                " coordinates; a part of a name is enough."
            )
        )
    labels = {name: row_text(viewer, hit.row) for name, hit in zip(names, found, strict=False)}
    rows = [
        (
            row_text(viewer, row),
            kind_text(row),
            format_html('<a href="{}">{}</a>', row_url(viewer, row), _("all of it, and where its data are")),
        )
        for row in wider
    ]
    rows += [
        (
            labels.get(name) or viewer.link_names(name),
            tables()[name.partition(" ")[0]]._meta.verbose_name,
            format_html('<a href="?{}">{}</a>', urlencode({"q": name}), _("this one")),
        )
        for name in names
    ]
    table = Table(_("What may be meant"), (_("what"), _("kind"), _("choose")), rows)
    several = _("Several rows may be meant; choose one of them. Of many the newest are listed.")
    raise NotUnderstood(several, (Section(_("Which one?"), (paragraph(several), table), "which"),), 200)


def view(viewer: Viewer) -> Content:
    """The copies of what was asked about."""
    text = viewer.request.GET.get("q", "").strip()
    question = Question(
        "q",
        _("What?"),
        text,
        help=_(
            "An observation, file, package, product or copy: its UUID, its kind and key such as copy 17, its"
            " checksum, or whole or part of its name or path; or what was observed: a source, a unit, a night."
        ),
    )
    if not text:
        return Content(questions=(question,))
    try:
        row = meant(viewer, text, HAVE_COPIES)
        found = find_copies(row, limit=LIMIT)
    except NotUnderstood as error:
        return error.content(question)
    except OpsdbError as error:
        return Content(questions=(question,), message=viewer.link_names(str(error)), status=404)
    kinds = {}
    for copy in found.copies:
        kinds.setdefault(tables()[copy.of.partition(" ")[0]], []).append(copy)
    shown = {model: copies for model, copies in kinds.items() if viewer.sees(model)}
    facts = Facts(
        [
            (_("what"), viewer.link(row)),
            (_("kind"), row._meta.verbose_name),
            (_("key"), code(row.pk)),
            (_("copies that can be read"), _readable(row, shown)),
        ]
    )
    sections = [Section(_("What was asked about"), (facts,), "subject")]
    if isinstance(row, RawDataFile | RawDataPackage) and viewer.sees(*ON_THE_WAY):
        sections.append(Section(_("Its way"), (journey_line(viewer, trace_journey(row)),), "way"))
    for model, copies in shown.items():
        title = (
            _("Copies of it")
            if model is type(row)
            else _("Copies of %(kind)s") % {"kind": model._meta.verbose_name_plural}
        )
        sections.append(Section(title, (copies_found(viewer, model, copies, found.truncated),), model._meta.db_table))
    if not shown:
        nowhere = Table(_("Copies"), (), (), _("No copy of it is known."))
        sections.append(Section(_("Copies"), (nowhere,), "copies"))
    about = [(link["title"], link["url"]) for link in viewer.links_of_row(row, "where")]
    return Content(questions=(question,), sections=sections, links=about)


def _readable(row, kinds):
    """How many copies can be read: of the row itself, and beside that of what it is in or consists of."""
    numbers = {model: f"{sum(copy.is_readable for copy in copies):,}" for model, copies in kinds.items()}
    own = numbers.pop(type(row), None)
    others = ", ".join(
        _("%(number)s of %(kinds)s") % {"number": number, "kinds": model._meta.verbose_name_plural}
        for model, number in numbers.items()
    )
    if own is None:
        return others or "0"
    text = _("%(number)s of the %(kind)s itself") % {"number": own, "kind": row._meta.verbose_name}
    return _("%(own)s; also %(others)s") % {"own": text, "others": others} if others else text


def copies_found(viewer: Viewer, model: type[Model], copies: Sequence[CopyFound], truncated: bool) -> Table:
    """Return copies of rows of one model as a table."""
    rows = [
        (
            format_html('<a href="{}">{}</a>', viewer.row_url(model, copy.of.partition(" ")[2]), copy.name),
            f"{copy.site}/{copy.location}" if viewer.sees(DataLocation) else viewer.withheld,
            LocationType(copy.location_type).label,
            format_html(
                '<a href="{}">{}</a>', viewer.row_url(PhysicalCopy, copy.id), badge(PhysicalCopyStatus(copy.status))
            ),
            verification(copy.verification),
            moment(copy.verified_at) if copy.verified_at else "–",
            "–" if copy.size_bytes is None else human_size(copy.size_bytes),
            code(copy.relative_path),
        )
        for copy in copies
    ]
    columns = (
        _("of"),
        _("location"),
        _("for"),
        _("state"),
        _("checksum"),
        _("compared at [UTC]"),
        _("size"),
        _("path"),
    )
    note = first_of(LIMIT) if truncated and len(copies) >= LIMIT else ""
    return Table(
        _("Copies of %(kind)s") % {"kind": model._meta.verbose_name_plural}, columns, rows, _("No copy is known."), note
    )


SIGNS = {Verification.VERIFIED: "✔", Verification.MISMATCH: "✘", Verification.UNVERIFIED: "○"}


def verification(value: str) -> str:
    """Return what the last comparison of a checksum found, with a sign."""
    return f"{SIGNS[value]} {Verification(value).label}"


def _about(viewer, row):
    """The page on a row that has copies."""
    concrete = row._meta.concrete_model
    return viewer.page_url("where", q=name_row(concrete, row.pk)) if concrete in HAVE_COPIES else None


PAGE = AdminPage("where", ("where/",), lazy("Where is it?"), view, (PhysicalCopy,), about=_about)
