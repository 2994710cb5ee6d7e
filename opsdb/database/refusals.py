"""What the database has refused, in the words of the model, or of the trigger."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from django.apps import apps
from django.db import DataError, models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from opsdb.row_labels import KEY, row_names, with_row_labels

from .triggers import Trigger
from .withholding import shown_detail

# SQLSTATE classes and codes (PostgreSQL manual, appendix A) that blame the row and not the server.
INTEGRITY = "23"
DATA = "22"
RAISED = "P0001"
NOT_NULL = "23502"
UNIQUE = "23505"
CHECK = "23514"


class RefusalKind(StrEnum):
    """What kind of refusal it is, which decides the HTTP status of an answer."""

    INVALID = "invalid"  # the values are wrong, whatever else there is
    CONFLICT = "conflict"  # the values contradict other rows, the state of the row or its history
    NOT_FOUND = "not_found"  # there is no such row


STATUS = {RefusalKind.INVALID: 400, RefusalKind.CONFLICT: 409, RefusalKind.NOT_FOUND: 404}


@dataclass(frozen=True)
class Refusal:
    """What was refused, and why.

    Attributes:
        text: the sentence for people; it names the row and, where there is one, the remedy.
        field: the field of the model that it is about, where it is about one.
        rule: the name of the rule: of a constraint, trigger or index of the database.
        row: table and key of the row, where the message names it.
        kind: whether the values are wrong, or contradict what there is.
    """

    text: str
    field: str | None = None
    rule: str | None = None
    row: str | None = None
    kind: RefusalKind = RefusalKind.CONFLICT

    @property
    def status(self) -> int:
        """The HTTP status of an answer (RFC 9110): 400, 404 or 409."""
        return STATUS[self.kind]


def explain_refusal(error: BaseException) -> Refusal | None:
    """Return what the database has refused, by what Django or psycopg raised for it; None for any other error."""
    cause: Any = error if hasattr(error, "sqlstate") else error.__cause__
    state = getattr(cause, "sqlstate", None) or ""
    if state == RAISED or state.startswith((INTEGRITY, DATA)):
        return _of_database(getattr(cause, "diag", None), state, str(error))
    return Refusal(str(error), kind=RefusalKind.INVALID) if isinstance(error, DataError) else None


def _of_database(diag, state, text):
    if diag is None:
        return Refusal(text)
    model, rule = _declared(diag.constraint_name)
    unique = _unique_field(_model_of(diag.table_name), diag.constraint_name) if state == UNIQUE else None
    field = unique.name if unique else _field_of(model or _model_of(diag.table_name), rule, diag.column_name)
    kind = RefusalKind.CONFLICT
    if state.startswith((DATA, NOT_NULL)) or (state == CHECK and isinstance(rule, models.CheckConstraint)):
        kind = RefusalKind.INVALID
    message = rule and rule.violation_error_message
    row = row_in(diag.message_primary or "", diag.table_name)
    if message and message != rule.default_violation_error_message:
        return Refusal(str(message), field, diag.constraint_name, row, kind)
    if unique:
        [sentence] = unique.model().unique_error_message(unique.model, (unique.name,)).messages
        # Of one row for each other there is none to give instead.
        remedy = _("%(sentence)s; change that row.") if unique.one_to_one else _("%(sentence)s; give another one.")
        remedy %= {"sentence": sentence.rstrip(".")}
        return Refusal(remedy, field, diag.constraint_name, row, kind)
    if state == NOT_NULL:
        return Refusal(_("%(field)s must be given.") % {"field": capfirst(diag.column_name)}, field, None, row, kind)
    texts = (diag.message_primary, diag.message_hint or shown_detail(diag))
    sentence = ". ".join(text.rstrip(".") for text in texts if text) + "."
    return Refusal(with_row_labels(sentence), field, diag.constraint_name, row, kind)


@cache
def _declarations():
    return {
        rule.name: (model, rule)
        for model in apps.get_models(include_auto_created=True)
        for rule in model._meta.constraints
    }


def _declared(name):
    """Return the model and the declared constraint or trigger of this name, or two times None."""
    return _declarations().get(name, (None, None))


@cache
def _model_of(table):
    """Return the model of a table, or None."""
    models = apps.get_models(include_auto_created=True)
    return next((model for model in models if table and model._meta.db_table == table), None)


def _unique_field(model, constraint):
    """Return the field of a model that a constraint, which PostgreSQL has named itself, keeps unique; or None."""
    fields = model._meta.concrete_fields if model else ()
    names = {f"{model._meta.db_table}_{field.column}_key": field for field in fields if field.unique}
    return names.get(constraint)


def _field_of(model, rule, column):
    """Return the name of the field that a refusal is about: what the rule or its only column names."""
    named = column or getattr(rule, "field", None)
    if named is None and isinstance(rule, Trigger) and len(getattr(rule, "columns", ())) == 1:
        named = rule.columns[0]
    if named is None and isinstance(rule, models.UniqueConstraint) and len(rule.fields) == 1:
        named = rule.fields[0]
    if named is None or model is None:
        return named
    fields = {field.column: field.name for field in model._meta.concrete_fields}
    return fields.get(named, named)


def row_in(text: str, table: str | None = None) -> str | None:
    """Return the row that a message names; of a table of one word, only one of the table at fault at its beginning."""
    found = row_names().search(text) or (table and re.match(rf"{re.escape(table)} ({KEY})\b", text))
    return found[0].lower() if found else None
