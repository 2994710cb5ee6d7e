"""Writing rows: one with readable reasons if it is refused, or many with one statement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DatabaseError, models

from opsdb.database.aliases import atomic, writing_connection


def try_to_save(
    row: models.Model, members: Mapping[str, Iterable[models.Model]] | None = None, **how: Any
) -> list[tuple[str | None, str]]:
    """Save a row and the members of its many-to-many fields, all or nothing.

    Constraints are left to the database, which checks them anyway; Django's own checks, a query each, run only to
    word a refusal.

    Args:
        row: an instance with new or changed fields.
        members: rows by many-to-many field.
        how: arguments of ``save``.

    Returns:
        Why the row was refused: field, or None, and message of every reason; an empty list if it was saved.
    """
    try:
        row.clean_fields(exclude=_resolved_references(row))
        row.clean()
        with atomic():
            row.save(**how)
            set_members(row, members or {})
        return []
    except ValidationError as error:
        return _reasons(error)
    except DatabaseError as error:
        return _reasons_of_database(row, error)


def insert_rows(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert many rows of a model, or of a subtype with their parents, and return their primary keys.

    A statement per table, which is given the rows as one JSON document; ``bulk_create`` takes several times as long,
    as it makes an instance and a placeholder per value, and it refuses subtypes. As there, nothing is validated here.

    Args:
        model: of the rows.
        rows: values by the names of fields; a field that none has gets its default.
    """
    fields = [field for field in model._meta.local_concrete_fields if not field.primary_key]
    parent = next(iter(model._meta.parents), None)
    if parent is None:
        return _insert_documents(model, _documents(fields, rows))
    shared = [field for field in parent._meta.local_concrete_fields if not field.primary_key]
    discriminator = parent._meta.get_field(model.discriminator).column
    parents = _documents(shared, rows)
    keys = _insert_documents(parent, [{**one, discriminator: model.subtype} for one in parents])
    own = model._meta.pk.column
    return _insert_documents(
        model, [{own: key, **one} for key, one in zip(keys, _documents(fields, rows), strict=True)]
    )


def _documents(fields, rows):
    """Return the values of rows by column; columns are the same for all of them."""
    given = [field for field in fields if any(field.name in row for row in rows)]
    others = {
        field.column: field.get_prep_value(field.get_default())
        for field in fields
        if field not in given and field.db_default is models.NOT_PROVIDED
    }
    columns = [(field.name, field.column, field) for field in given]
    return [
        {column: _prepared(field, row[name] if name in row else field.get_default()) for name, column, field in columns}
        | others
        for row in rows
    ]


def _prepared(field, value):
    if value is None:
        return None
    return field.get_prep_value(value.pk if isinstance(value, models.Model) else value)


def _insert_documents(model, documents):
    connection = writing_connection()
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    columns = ", ".join(map(quote, documents[0]))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s) "  # noqa: S608
            f"RETURNING {quote(model._meta.pk.column)}",
            [json.dumps(documents, default=str, ensure_ascii=False, allow_nan=False)],
        )
        return [key for (key,) in cursor]


def _resolved_references(row):
    """Return the names of the references whose rows are at hand; Django would query each once more."""
    fields = [field for field in row._meta.concrete_fields if field.is_relation]
    return {field.name for field in fields if field.get_cached_value(row, default=None) is not None}


def set_members(row: models.Model, members: Mapping[str, Iterable[models.Model]]) -> None:
    """Set the members of a row's many-to-many fields."""
    for name, new in members.items():
        getattr(row, name).set(new)


def _reasons_of_database(row, error):
    try:
        row.full_clean()
    except ValidationError as invalid:
        return _reasons(invalid)
    return [(None, f"the database reports: {str(error).splitlines()[0]}")]


def _reasons(error):
    reasons = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    return [(None if name == NON_FIELD_ERRORS else name, " ".join(messages)) for name, messages in reasons.items()]
