"""Tables and columns that a search text names, each with a link to its description. No query is sent for it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Model
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from opsdb.schema import describe_schema
from opsdb.schema.description import Column
from opsdb.workflows import Match

from .about import as_html, column_anchor, page_about, page_name
from .parts import Section, Table
from .viewer import Viewer

LIMIT = 10
_SHORTEST_PART = 3
_ORDER = list(Match)
_MARKS = re.compile(r"[\s_./()\[\]-]+")


@dataclass(frozen=True)
class Described:
    """A table, or a column of it, that was found.

    Attributes:
        model: of the table.
        url: of its description.
        label: what people call it.
        match: how well it matches.
        meaning: what it is.
        column: the column; None for the table.
    """

    model: type[Model]
    url: str
    label: str
    match: Match
    meaning: str
    column: Column | None = None

    @property
    def order(self) -> tuple:
        """Best first, and tables before columns."""
        return _ORDER.index(self.match), self.column is not None, len(self.label), self.label, self.url


def _spelled(name):
    return _MARKS.sub(" ", str(name).casefold()).strip()


def _grade(text, *names) -> Match | None:
    spellings = {_spelled(name) for name in names}
    if text in spellings:
        return Match.WHOLE
    if len(text) < _SHORTEST_PART:
        return None
    if any(one.startswith(text) for one in spellings):
        return Match.BEGINNING
    return Match.PART if any(text in one for one in spellings) else None


def find_described(viewer: Viewer, text: str) -> list[Described]:
    """Return the tables and columns whose names have a text, of tables that the person may view, best first.

    Args:
        viewer: the person.
        text: whole or part of a name, as people or as the database call it.
    """
    searched = _spelled(text)
    return sorted(_described(viewer, searched), key=lambda found: found.order) if searched else []


def _described(viewer, text) -> Iterator[Described]:
    described = describe_schema().tables()
    for model in viewer.site._registry:
        options = model._meta
        url = None if options.proxy or page_about(model) is None else viewer.page_url(page_name(model))
        if url is None:
            continue
        table = described[options.db_table]
        if match := _grade(text, options.verbose_name, options.verbose_name_plural, options.db_table):
            yield Described(model, url, capfirst(options.verbose_name_plural), match, table.meaning)
        tables = [f"{_spelled(name)} " for name in (options.verbose_name, options.db_table)]
        # Behind the name of its table a column is meant alone.
        inside = next((text.removeprefix(name) for name in tables if text.startswith(name)), "")
        for column in table.columns:
            label = _label_of(model, column.name)
            match = _grade(text, label, column.name) or (inside and _grade(inside, label, column.name))
            if match:
                place = f"{url}#{column_anchor(column.name)}"
                yield Described(model, place, capfirst(label), match, column.meaning, column)


def _label_of(model, column):
    """Return what people call a column."""
    field = next((field for field in model._meta.local_concrete_fields if field.column == column), None)
    if field is None:
        return column.replace("_", " ")
    return str(field.verbose_name)


def describe_found_tables(viewer: Viewer, text: str) -> Section | None:
    """Return the tables and columns that a text names; None if there are none.

    Args:
        viewer: the person.
        text: what they search.
    """
    found = find_described(viewer, text)
    if not found:
        return None
    rows = [
        (
            format_html('<a href="{}">{}</a>', one.url, one.label),
            _("table") if one.column is None else _("column of %(table)s") % {"table": _table_of(one)},
            as_html(one.meaning),
        )
        for one in found[:LIMIT]
    ]
    note = (
        _("There are more: type the name of the table before it, such as “run status”.") if len(found) > LIMIT else ""
    )
    title = _("Tables and columns")
    return Section(title, (Table(title, (_("what"), _("kind"), _("meaning")), rows, note=note),), "described")


def _table_of(found):
    return found.model._meta.verbose_name_plural
