"""What a page is made of: a title and sections of facts, tables and drawings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.forms import Media
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join, html_safe
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from opsdb.svg import together

from ..kit.values import Text

PAGE_STYLES = Media(css={"all": ["opsdb/pages.css"]})


class PageStylesMixin:
    """Mixin of an admin that shows sections of pages on its forms."""

    @property
    def media(self) -> Media:
        return super().media + PAGE_STYLES


@dataclass(frozen=True)
class Question:
    """An input of a page; it is sent by GET, so that the answer has an address.

    Attributes:
        name: of the parameter.
        label: what to type or choose.
        value: the submitted value.
        type: of the input; ``select`` with choices.
        help: what may be typed.
        choices: value and text of each, for a select.
    """

    name: str
    label: Text
    value: str = ""
    type: str = "search"
    help: Text = ""
    choices: Sequence[tuple[str, Text]] = ()


@dataclass(frozen=True)
class Section:
    """A part of a page under a heading.

    Attributes:
        title: the heading.
        parts: facts, tables, drawings and texts.
        name: anchor, unique on the page.
    """

    title: Text
    parts: Sequence[Text]
    name: str


@dataclass(frozen=True)
class Content:
    """What is on a page.

    Attributes:
        title: if it is another one than that of the page.
        questions: its inputs.
        sections: what it shows.
        message: what went wrong with the question.
        links: further addresses, text and URL of each.
        whole: markup before the sections.
        live: whether it refreshes itself.
        status: of the answer.
    """

    title: Text = ""
    questions: Sequence[Question] = ()
    sections: Sequence[Section] = ()
    message: Text = ""
    links: Sequence[tuple[Text, str]] = ()
    whole: SafeString | str = ""
    live: bool = False
    status: int = 200


@html_safe
@dataclass(frozen=True)
class Table:
    """Rows and columns.

    Attributes:
        caption: what the rows are, for who can't see the page as a whole.
        columns: what each column holds.
        rows: cells; the first of each names the row.
        empty: the text when there are none.
        note: a text below them, such as that these are not all.
        more: address of the list of all.
    """

    caption: Text
    columns: Sequence[Text]
    rows: Sequence[Sequence]
    empty: Text = ""
    note: Text = ""
    more: str | None = None

    @property
    def labelled_rows(self) -> list[list[tuple]]:
        """The rows, each cell with the name of its column, which a phone shows before the cell."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]

    def __str__(self):
        return render_to_string("admin/opsdb/table.html", {"table": self})


@html_safe
@dataclass(frozen=True)
class Facts:
    """Names and values; those without a value are left out."""

    pairs: Iterable[tuple[Text, object]]

    def __str__(self):
        items = format_html_join(
            "",
            "<div><dt>{}</dt><dd>{}</dd></div>",
            ((name, value) for name, value in self.pairs if value is not None and value != ""),
        )
        return format_html('<dl class="opsdb-facts">{}</dl>', items)


@html_safe
@dataclass(frozen=True)
class Figure:
    """A drawing that may be wider than the screen, what its signs mean, and the same as a table."""

    name: str
    label: Text
    drawing: SafeString
    legend: Sequence[tuple[SafeString, Text]] = ()
    table: Table | None = None
    notes: Sequence[Text] = field(default_factory=tuple)

    def __str__(self):
        return render_to_string("admin/opsdb/figure.html", {"figure": self})


def paragraph(text: Text, css: str = "") -> SafeString:
    """Return a text as a paragraph."""
    return format_html('<p class="{}">{}</p>', css, text) if css else format_html("<p>{}</p>", text)


def message(text: Text) -> SafeString | str:
    """Return a failure message as the content of a cell: it breaks anywhere, for it may hold checksums and paths."""
    return format_html('<div class="opsdb-failure-message">{}</div>', text) if text else "–"


def spaced(parts: Iterable) -> SafeString:
    """Return parts with blanks between them."""
    return together(part for one in parts for part in (one, " "))


def capped(rows: QuerySet, limit: int) -> tuple[list, bool]:
    """Return the first rows of a queryset, and whether there are more. One query."""
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit


def first_of(limit: int) -> str:
    """Return the note that rows are left out."""
    return _("The first %(limit)s are shown.") % {"limit": limit}


def shown_of(shown: int, number: int) -> str:
    """Return the note of how many of so many rows are shown; empty where all are."""
    values = {"shown": f"{shown:,}", "number": f"{number:,}"}
    return _("%(shown)s of %(number)s are shown.") % values if shown < number else ""


def subheading(title: Text) -> SafeString:
    """Return the heading of a part of a section."""
    return format_html('<h3 class="opsdb-part">{}</h3>', title)
