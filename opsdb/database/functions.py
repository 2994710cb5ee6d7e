"""Database functions for querysets, mostly those of ``database/sql/``, so that each rule is implemented once."""

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Func, Value
from django.db.models.expressions import RawSQL
from django.db.models.sql import Query

from .aliases import reading_connection
from .indexes import folded, spelled


class UtcMidnight(Func):
    """The beginning of a date in UTC, whatever the time zone of the session is."""

    template = "((%(expressions)s)::date::timestamp AT TIME ZONE 'UTC')"
    output_field = models.DateTimeField()


class IsReadable(Func):
    """Whether a copy can be read from: of its status and verification."""

    function = "opsdb_is_readable"
    output_field = models.BooleanField()


class IsAmong(Func):
    """Whether an expression is one of an array: of thousands of values, which are passed as one, or of a query.

    Unlike ``IN``, a query is no join, which PostgreSQL may make with whole tables where a list joins many.
    """

    template = "%(expressions)s)"
    arg_joiner = " = ANY ("
    output_field = models.BooleanField()

    def __init__(self, expression: Any, values: Sequence[Any] | ArraySubquery) -> None:
        super().__init__(expression, values if isinstance(values, ArraySubquery) else Value(list(values)))


class IsSafeCopy(Func):
    """Whether others may be deleted for a copy: of its key."""

    function = "opsdb_is_safe_copy"
    output_field = models.BooleanField()


class IsSafeArchiveCopy(Func):
    """Whether a copy is safe and present in a long-term archive: of its key."""

    function = "opsdb_is_safe_archive_copy"
    output_field = models.BooleanField()


class LocationIsFull(Func):
    """Whether a location is filled above its threshold: of its key."""

    function = "opsdb_location_is_full"
    output_field = models.BooleanField()


class WhyNotDecide(Func):
    """Why a person can't decide a request for deletion of another one, or NULL: of the keys of both as texts, who
    decides first, of when it was asked for, and of what to call who asked.
    """

    function = "opsdb_why_not_decide"
    output_field = models.TextField()


class RetentionHorizon(Func):
    """The moment before which a copy must have arrived for its retention to have passed: of the retention in days."""

    function = "opsdb_retention_horizon"
    output_field = models.DateTimeField()


class DeletionRule(Func):
    """Number of the deletion rule that holds a copy back; none when it can be deleted: of its key."""

    function = "opsdb_deletion_blocker"
    template = "(%(function)s(%(expressions)s)).rule"
    output_field = models.IntegerField()


class TokenIsUsable(Func):
    """Whether a token is active, not revoked and not expired at a moment: of ``active``, ``expires_at``,
    ``revoked_at`` and a moment."""

    function = "opsdb_token_is_usable"
    output_field = models.BooleanField()


class RowValue(Func):
    """Several columns as one value, which PostgreSQL compares in their order."""

    function = "ROW"
    output_field = models.TextField()


def folded_texts(texts: Sequence[str]) -> list[str]:
    """Return texts as :func:`~opsdb.database.indexes.folded` has them, by one query."""
    return _each(folded, texts)


def spelled_texts(texts: Sequence[str]) -> list[str]:
    """Return names as :func:`~opsdb.database.indexes.spelled` has them, by one query."""
    return _each(spelled, texts)


def _each(expression_of, texts):
    if not texts:
        return []
    connection = reading_connection()
    query = Query(None)
    expression = expression_of(RawSQL("given", [])).resolve_expression(query)
    sql, params = query.get_compiler(connection=connection).compile(expression)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {sql} FROM unnest(%s::text[]) WITH ORDINALITY AS text (given, place) ORDER BY place",  # noqa: S608
            [*params, list(texts)],
        )
        return [text for (text,) in cursor]
