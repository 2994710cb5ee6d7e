"""How rows and querysets are shown in a terminal and in a notebook: bounded, escaped, without secrets.

Nothing is counted, and no row that a row refers to is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import models
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator

from opsdb.database.withholding import SECRET_COLUMNS
from opsdb.formatting import format_second

ROWS_SHOWN = 20
CHARACTERS_SHOWN = 100


def shown_fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """Return the fields of a model that may be shown, its parents' too, in their order."""
    return [
        field
        for field in model._meta.concrete_fields
        if field.column not in SECRET_COLUMNS and not getattr(field.remote_field, "parent_link", False)
    ]


def describe_row(row: models.Model) -> str:
    """Return the ``repr`` of a row: class, key and text."""
    return f"<{type(row).__name__} {row.pk}: {row}>"


def row_as_html(row: models.Model) -> str:
    """Return a row as an HTML table of its fields, those that are not loaded left out."""
    return _table(
        describe_row(row), (), [(field.attname, row.__dict__[field.attname]) for field in _loaded_fields(row)]
    )


def queryset_as_html(queryset: models.QuerySet[Any]) -> str:
    """Return the first rows of a queryset as an HTML table, by one query of one row more than is shown."""
    found = queryset._result_cache
    rows = list(islice(queryset[: ROWS_SHOWN + 1] if found is None else found, ROWS_SHOWN + 1))
    more = len(rows) > ROWS_SHOWN
    name = f"{queryset.model.__name__}: {f'the first {ROWS_SHOWN} rows' if more else f'{len(rows)} rows'}"
    shown = rows[:ROWS_SHOWN]
    if shown and isinstance(shown[0], models.Model):
        columns = _columns_of(shown)
        return _table(name, columns, [[row.__dict__.get(column, "") for column in columns] for row in shown])
    if shown and isinstance(shown[0], dict):
        return _table(name, list(shown[0]), [list(row.values()) for row in shown])
    return _table(name, (), [row if isinstance(row, tuple) else (row,) for row in shown])


def _loaded_fields(row):
    return [field for field in shown_fields(type(row)) if field.attname in row.__dict__]


def _columns_of(rows):
    """Return the names of fields and annotations that any of the rows has; rows of subtypes differ."""
    names: dict[str, None] = {}
    for row in rows:
        names |= dict.fromkeys(field.attname for field in _loaded_fields(row))
    known = {field.attname for field in rows[0]._meta.concrete_fields}
    annotations = [name for name in rows[0].__dict__ if not name.startswith("_") and name not in known]
    return [*names, *annotations]


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = format_html("<thead><tr>{}</tr></thead>", format_html_join("", "<th>{}</th>", ((name,) for name in columns)))
    lines = [
        format_html("<tr>{}</tr>", format_html_join("", "<td>{}</td>", ((_text(one),) for one in row))) for row in rows
    ]
    body = format_html_join("", "{}", ((line,) for line in lines))
    return format_html("<table><caption>{}</caption>{}<tbody>{}</tbody></table>", title, head if columns else "", body)


def _text(value):
    if value is None:
        return ""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return f"{format_second(value)}Z"
    return Truncator(str(value)).chars(CHARACTERS_SHOWN)
