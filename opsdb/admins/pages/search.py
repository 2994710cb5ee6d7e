"""Search: one box for all rows that have a name, a path, a key, a date or a place."""

from django.http import HttpResponseRedirect
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import DataProduct, DataTransferPackage, RawDataFile, RawDataPackage
from opsdb.positions import cone_of
from opsdb.workflows import Match, MatchedBy, SearchHit, SearchResult, search_rows

from .described import describe_found_tables
from .found import HOW, SEARCHED, full_name, kind_text, match_text, row_text, row_url
from .parts import Content, Facts, Question, Section, Table, paragraph
from .viewer import AdminPage, Viewer

# What is so found is meant, whatever else has it in a name.
IDENTIFYING = (MatchedBy.KEY, MatchedBy.UUID, MatchedBy.CHECKSUM, MatchedBy.PATH, MatchedBy.DATE)
FILES = (RawDataFile, RawDataPackage, DataTransferPackage, DataProduct)
EXAMPLES = (
    ("ngc253", lazy("a source under any spelling, or a part of its name")),
    ("2026-11-23", lazy("a night; with a time, what began in that minute")),
    ("Deep56 2026-11-23", lazy("what was observed of a unit or source on a date")),
    ("2026-11-23 4_0000", lazy("a date, and a part of the name or path of a raw file of it")),
    ("ecc3ecf", lazy("a checksum, from 7 digits")),
    ("00:47:33 -25:17:18 r=10'", lazy("coordinates, with or without a radius")),
    ("transfer 17", lazy("a kind and a key")),
    ("retention", lazy("a table or a column, and what it means")),
)


def view(viewer: Viewer) -> Content | HttpResponseRedirect:
    """What was found, best first; a single row that the text identifies is opened at once."""
    text = viewer.request.GET.get("q", "").strip()
    help_text = _("A file, package, product, source, unit, program, location, night, instrument, column, checksum, …")
    question = Question("q", _("Search"), text, help=help_text)
    if not text:
        return Content(questions=(question,), sections=(_examples(),))
    result = search_rows(text, models=[model for model in SEARCHED if viewer.sees(model)])
    hits = [hit for hit in result.hits if row_url(viewer, hit.row)]
    described = describe_found_tables(viewer, result.text)
    if alone := _identified(hits, described is not None):
        return HttpResponseRedirect(row_url(viewer, alone.row))
    notes = _notes(viewer, result)
    if hits:
        found = Section(_("Found"), (_table(viewer, hits), *notes), "found")
        return Content(questions=(question,), sections=(found, *([described] if described else [])))
    if described:
        no_rows = paragraph(_("No row that you may view matches “%(text)s”.") % {"text": text})
        return Content(questions=(question,), sections=(described, Section(_("Rows"), (no_rows, *notes), "found")))
    nothing = paragraph(_("Nothing that you may view matches “%(text)s”.") % {"text": text})
    return Content(
        questions=(question,),
        message=_misread(text),
        sections=(
            Section(_("Nothing found"), (nothing, *notes), "found"),
            Section(_("What was searched"), (_searched(viewer),), "searched"),
            _examples(),
        ),
    )


def _identified(hits, has_more: bool) -> SearchHit | None:
    """The row that is opened at once: the only one of this key, checksum, path, file name or night, or the only one."""
    whole = [hit for hit in hits if hit.match == Match.WHOLE]
    if len(whole) != 1:
        return None
    hit = whole[0]
    is_only_one = len(hits) == 1 and not has_more
    return hit if is_only_one or hit.by in IDENTIFYING or isinstance(hit.row, FILES) else None


def _table(viewer, hits):
    rows = [
        (
            format_html('<span title="{}">{}</span>', full_name(hit.row), row_text(viewer, hit.row))
            if full_name(hit.row)
            else row_text(viewer, hit.row),
            kind_text(hit.row),
            match_text(hit),
            _more(viewer, hit.row),
        )
        for hit in hits
    ]
    return Table(_("What was found"), (_("what"), _("kind"), _("found by"), _("more")), rows)


def _more(viewer, row):
    if not hasattr(row, "_meta"):
        return ""
    # What is about all rows of its kind is found as a table.
    others = {row_url(viewer, row), *(link["url"] for link in viewer.links_of_table(type(row)))}
    links = [link for link in viewer.links_of_row(row) if link["url"] not in others]
    parts = ((link["url"], link["title"], row, link["title"]) for link in links)
    return format_html_join(" ", '<a href="{}" aria-label="{} {}">{}</a>', parts)


def _notes(viewer, result: SearchResult):
    """Of what there is more, and what took too long."""
    for model in result.truncated:
        url = viewer.list_url(model, q=result.text)
        number = sum(isinstance(hit.row, model) for hit in result.hits)
        values = {"kind": model._meta.verbose_name_plural, "number": f"{number:,}"}
        text = _("%(number)s %(kind)s are shown, and more match: type more of it, or") % values
        list_text = _("search the list of %(kind)s") % values
        yield format_html('<p class="opsdb-note">{} <a href="{}">{}</a>.</p>', text, url, list_text)
    if result.given_up:
        kinds = ", ".join(str(model._meta.verbose_name_plural) for model in result.given_up)
        text = _("Not searched to the end, because it took too long: %(kinds)s. Type more of it.") % {"kinds": kinds}
        yield paragraph(text, "opsdb-note")


def _searched(viewer):
    """The kinds of rows that the person may view, those that are searched in the same way together."""
    kinds: dict[str, list[str]] = {}
    for model, how in HOW.items():
        if viewer.sees(model):
            kinds.setdefault(str(how), []).append(str(model._meta.verbose_name_plural))
    facts = [(capfirst(", ".join(names)), how) for how, names in kinds.items()]
    return Facts([*facts, (_("Tables and columns"), _("name, whole or part, and you get their descriptions"))])


def _misread(text):
    """What is wrong with coordinates."""
    try:
        cone_of(text)
    except ValueError as error:
        return str(error)
    return ""


def _examples():
    return Section(_("What to try"), (Facts([(example, meaning) for example, meaning in EXAMPLES]),), "try")


PAGE = AdminPage("search", ("search/",), lazy("Search"), view, (*HOW,), beside_lists=False, in_navigation=False)
