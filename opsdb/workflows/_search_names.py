"""Rows by their key, and by their names and aliases in any spelling, which the database alone compares."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from enum import IntEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Case, IntegerField, Model, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Concat, Length

from opsdb.database.functions import spelled_texts
from opsdb.database.indexes import spelled


class Rank(IntEnum):
    """How well a row is called what was searched, best first."""

    MEANT = 0
    WHOLE = 1
    BEGINNING = 2
    PART = 3


def rows_by_key(model: type[Model], key: str) -> list[Model]:
    """Return the row of a key, in a list that is empty where there is none or the text can't be a key."""
    try:
        return list(model._default_manager.filter(pk=model._meta.pk.to_python(key)))
    except (ValidationError, OverflowError):
        return []


def quoted_spelling(*columns: str) -> Any:
    """Return quoted names as an expression, see :func:`~opsdb.database.indexes.spelled`."""
    quote = Value('"', TextField())
    return spelled(Concat(*(part for column in columns for part in (quote, Cast(column, TextField()), quote))))


def are_called(rows: QuerySet, columns: Sequence[str], spelling: str, meant: Collection[Any] = ()) -> QuerySet:
    """Return the rows that are called so, as ``rows_called`` finds them, in no order.

    Args:
        rows: that are searched.
        columns: with names, or a JSON list of names.
        spelling: what is searched, as the database spells it.
        meant: keys of rows that are surely meant.
    """
    text = "" if '"' in spelling else spelling
    # What is within a single letter or digit is no news.
    wanted = text if len(text) > 1 else f'"{text}"'
    either = Q(pk__in=meant) | Q(spelling__contains=wanted) if text else Q(pk__in=meant)
    return rows.annotate(spelling=quoted_spelling(*columns)).filter(either)


def rows_called(
    rows: QuerySet, columns: Sequence[str], spelling: str, meant: Collection[Any], limit: int
) -> Iterator[tuple[Model, Rank, str]]:
    """Yield the rows that are called so, best first, with how well, and with the alias if it is not by their name.

    Args:
        rows: that are searched.
        columns: with names, or a JSON list of names; the first one has the name.
        spelling: what is searched, as the database spells it.
        meant: keys of rows that are surely meant.
        limit: number of rows.
    """
    text = "" if '"' in spelling else spelling
    whole, beginning = f'"{text}"', f'"{text}'
    rank = Case(
        When(pk__in=meant, then=Rank.MEANT),
        When(spelling__contains=whole, then=Rank.WHOLE),
        When(spelling__contains=beginning, then=Rank.BEGINNING),
        default=Rank.PART,
        output_field=IntegerField(),
    )
    likely = are_called(rows, columns, spelling, meant).annotate(own=spelled(columns[0]))
    found = list(likely.annotate(rank=rank).order_by("rank", Length(columns[0]), columns[0], "pk")[:limit])
    aliases = [list(getattr(row, "aliases", ())) for row in found]
    spelled_as = iter(spelled_texts([alias for those in aliases for alias in those]))
    for row, those in zip(found, aliases, strict=True):
        as_spelled = [(alias, next(spelled_as)) for alias in those]
        is_found = spelling.__eq__ if row.rank <= Rank.WHOLE else lambda one: spelling in one
        by_alias = "" if is_found(row.own) else next((alias for alias, one in as_spelled if is_found(one)), "")
        yield row, Rank(row.rank), by_alias
