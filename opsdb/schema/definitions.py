"""Definitions in the SQL of PostgreSQL, made by Django's compiler on a connection that is never opened."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from django.db import models
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.postgresql.schema import DatabaseSchemaEditor

NEVER_OPENED = {"NAME": "", "OPTIONS": {}, "TIME_ZONE": None, "CONN_MAX_AGE": 0, "AUTOCOMMIT": True}
CREATED = re.compile(r'^(?:ALTER TABLE "[^"]+" ADD CONSTRAINT "[^"]+"|CREATE (?:UNIQUE )?INDEX "[^"]+" ON "[^"]+") ')
INDEX_NAME = re.compile(r'^CREATE (?:UNIQUE )?INDEX "([^"]+)"')


@cache
def _editor() -> Any:
    return DatabaseSchemaEditor(DatabaseWrapper({**NEVER_OPENED}, "never_opened"), collect_sql=True)


def type_of(field: Any) -> str:
    """Return the type of a column."""
    return str(field.db_type(_editor().connection)).replace(", ", ",")


def default_of(field: Any) -> str:
    """Return what the database puts into a column that an INSERT leaves out; empty for NULL and for nothing."""
    if not field.has_db_default():
        return "next number" if isinstance(field, models.BigAutoField | models.AutoField) else ""
    sql, parameters = _editor().db_default_sql(field)
    quoted = sql % tuple(_quoted(value) for value in parameters)
    return quoted[1:-1] if quoted.startswith("(") else quoted


def _quoted(value: Any) -> str:
    # A document is given to the driver with its dumper, which would come from a connection.
    if hasattr(value, "obj"):
        import json

        return f"'{json.dumps(value.obj)}'"
    return str(_editor().quote_value(value)).strip()


def constraint_definition(model: type[models.Model], constraint: Any) -> str:
    """Return the definition of a constraint, or of the unique index that it is."""
    statement = str(constraint.create_sql(model, _editor()))
    kind = "UNIQUE " if statement.startswith("CREATE UNIQUE") else ""
    return kind + CREATED.sub("", statement)


def index_definition(model: type[models.Model], index: models.Index) -> str:
    """Return the definition of an index, from its method or columns on."""
    return CREATED.sub("", str(index.create_sql(model, _editor())))


def indexes_of_field(model: type[models.Model], field: Any) -> list[tuple[str, str]]:
    """Return name and definition of the indexes that a field has of itself."""
    statements = map(str, _editor()._field_indexes_sql(model, field)) if field.db_type(_editor().connection) else ()
    found = []
    for statement in statements:
        name = INDEX_NAME.match(statement)
        assert name is not None, statement  # noqa: S101 - Django's form of a statement
        found.append((name[1], CREATED.sub("", statement)))
    return found
