"""Errors show no secrets: PostgreSQL puts a refused row, hashes included, into the DETAIL of its error."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.apps import apps
from django.db import DatabaseError

SECRET_COLUMNS = frozenset({"password", "token_hash", "session_key", "session_data"})
WITHHELD = "withheld, because rows of this table hold secrets"
# Errors about a key, whose DETAIL names its columns and values only (PostgreSQL manual, appendix A): a foreign key, a
# unique one, an exclusion.
ABOUT_A_KEY = {"23503", "23505", "23P01"}


@cache
def secret_columns(table: str) -> frozenset[str]:
    """Return the columns of a table that hold secrets."""
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.db_table == table]
    return SECRET_COLUMNS & {field.column for model in models for field in model._meta.local_concrete_fields}


def shown_detail(diag: Any) -> str | None:
    """Return the DETAIL of a database error, or None where it may hold a secret.

    Args:
        diag: psycopg's diagnosis of the error.
    """
    detail: str | None = diag.message_detail
    secrets = secret_columns(diag.table_name) if detail and diag.table_name else frozenset()
    if not detail or not secrets:
        return detail
    is_harmless = diag.sqlstate in ABOUT_A_KEY and not any(column in detail for column in secrets)
    return detail if is_harmless else None


def withhold(error: BaseException) -> None:
    """Take a DETAIL that may hold a secret out of the text of an error and of what it was caused by."""
    diag = getattr(error.__cause__, "diag", None)
    if diag is None or diag.message_detail is None or shown_detail(diag) is not None:
        return
    for one in (error, error.__cause__):
        if one is not None:
            one.args = tuple(_without(arg, diag.message_detail) for arg in one.args)


def _without(argument, detail):
    return argument.replace(detail, WITHHELD) if isinstance(argument, str) else argument


def withholding_secrets(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Execute a statement; the text of its error, and so every log of it, holds no secret. A connection's wrapper."""
    try:
        return execute(sql, params, many, context)
    except DatabaseError as error:
        withhold(error)
        raise


def withhold_on_connect(connection: Any, **kwargs: Any) -> None:
    """Wrap the statements of every new connection; outermost, where no block removes it again."""
    if connection.vendor == "postgresql" and withholding_secrets not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, withholding_secrets)
