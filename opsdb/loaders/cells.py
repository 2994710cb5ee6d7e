"""Cells and columns of planning tables: what they may hold, and how they are read and written."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import models
from django.utils.dateparse import parse_datetime

from .json_text import JsonError, read_json

SEPARATOR = ";"
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIME = re.compile(
    rf"{DAY.pattern}[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.,][0-9]+)?)?\s*([Zz]|[+-][0-9]{{2}}(:?[0-9]{{2}})?)?"
)

Key = tuple[Any, ...]
"""What names a row in a cell."""


class CellError(ValueError):
    """A cell is wrong for a reason of its own.

    Args:
        message: what is wrong with it.
        expected: what would be right.
    """

    def __init__(self, message: str, expected: str):
        super().__init__(message)
        self.expected = expected


class Cell:
    """What a cell holds; ``expected`` describes it for messages. Empty cells are never read."""

    expected = "a text"
    is_number = False
    """Whether its text may have a decimal point, which is a comma in the tables of some spreadsheets."""

    def read(self, text: str) -> object:
        """Return the value of a cell's text, which has no blanks around it.

        Raises:
            ValueError: it is not ``expected``.
        """
        return text

    def write(self, value: Any) -> str:
        """Return the text that :meth:`read` turns into this value."""
        return str(value)


class TextCell(Cell):
    """A text of limited length."""

    def __init__(self, max_length: int | None = None):
        self.max_length = max_length
        self.expected = "a text" if max_length is None else f"a text of at most {max_length} characters"

    def read(self, text: str) -> str:
        if self.max_length is not None and len(text) > self.max_length:
            raise ValueError
        return text


class NumberCell(Cell):
    """A finite number.

    Args:
        low, high: the range that it is in.
        unit: for messages.
        above, below: whether the lower and the upper end are excluded.
    """

    is_number = True

    def __init__(
        self,
        low: float = -math.inf,
        high: float = math.inf,
        unit: str = "",
        *,
        above: bool = False,
        below: bool = False,
    ):
        self.low, self.high, self.above, self.below = low, high, above, below
        kind = f"a number{f' of {unit}' if unit else ''}"
        bounds = [f"{'above' if above else 'from'} {low:g}"] if low > -math.inf else []
        bounds += [f"{'below' if below else 'to' if bounds else 'up to'} {high:g}"] if high < math.inf else []
        self.expected = " ".join([kind, *bounds])

    def read(self, text: str) -> float:
        value = float(text)
        if "_" in text or not math.isfinite(value):
            raise ValueError
        if not self.low <= value <= self.high or (self.above and value == self.low):
            raise ValueError
        if self.below and value == self.high:
            raise ValueError
        return value

    def write(self, value: float) -> str:
        return repr(float(value)).removesuffix(".0")


class IntegerCell(Cell):
    """A whole number in a range, by default that of the database's integers."""

    def __init__(self, low: int = -(2**31), high: int = 2**31 - 1):
        self.low, self.high = low, high
        self.expected = f"a whole number from {low} to {high}"

    def read(self, text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,20}", text) or not self.low <= int(text) <= self.high:
            raise ValueError
        return int(text)


class ChoiceCell(Cell):
    """One of some words, in upper or lower case.

    Args:
        words: the words, or the value of each.
    """

    def __init__(self, words: Mapping[str, Any] | Iterable[Any]):
        self.words = dict(words) if isinstance(words, Mapping) else {str(word): word for word in words}
        self.by_text = {word.casefold(): value for word, value in self.words.items()}
        self.expected = f"one of {', '.join(self.words)}"

    def read(self, text: str) -> object:
        if text.casefold() not in self.by_text:
            raise ValueError
        return self.by_text[text.casefold()]

    def write(self, value: Any) -> str:
        return next(word for word, one in self.words.items() if one == value)


class FlagCell(ChoiceCell):
    """Yes or no."""

    def __init__(self):
        super().__init__({"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False})


class TimeCell(Cell):
    """A time, kept in UTC: ISO 8601 with hours and minutes, UTC unless it names a zone."""

    expected = "a time such as 2026-06-15T02:00:00Z (UTC unless it names a zone)"

    def read(self, text: str) -> datetime:
        moment = parse_datetime(text) if TIME.fullmatch(text) else None
        if moment is None:
            raise ValueError
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise ValueError from None

    def write(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class DayCell(TimeCell):
    """A time, or a day that is meant as a whole.

    Args:
        last: whether the day is the last one of a period, which then ends where the next day begins.
    """

    expected = "a time such as 2026-06-15T02:00:00Z (UTC unless it names a zone), or a day such as 2026-06-15 (UTC)"

    def __init__(self, *, last: bool):
        self.last = last

    def read(self, text: str) -> datetime:
        if not DAY.fullmatch(text):
            return super().read(text)
        day = datetime.combine(date.fromisoformat(text), time(0), UTC)
        return day + timedelta(days=1) if self.last else day


class DateCell(Cell):
    """A date."""

    expected = "a date such as 2026-06-15"

    def read(self, text: str) -> date:
        if not DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)

    def write(self, value: date) -> str:
        return value.isoformat()


class TextListCell(Cell):
    """A list of texts, separated by ``;``, or as a JSON list."""

    expected = 'texts separated by ";", or a JSON list of texts'

    def read(self, text: str) -> list[str]:
        if text.startswith("["):
            try:
                texts = read_json(text)
            except JsonError as error:
                raise CellError(str(error), self.expected) from None
            if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
                raise ValueError
            return texts
        return [one.strip() for one in text.split(SEPARATOR) if one.strip()]

    def write(self, value: Sequence[str]) -> str:
        text = f"{SEPARATOR} ".join(value)
        is_plain = not text.startswith("[") and self.read(text) == list(value)
        return text if is_plain else json.dumps(list(value), ensure_ascii=False)


class ReferenceCell(Cell):
    """A row of the database, named by one or more of its fields, separated by ``/``.

    Args:
        model: of the row.
        lookups: the fields that name one, such as ``observing_program__short_name`` and ``name``.
        many: whether the cell names several, separated by ``;``.
    """

    def __init__(self, model: type[models.Model], *lookups: str, many: bool = False):
        self.model, self.lookups, self.many = model, lookups, many
        names = "/".join(one.removesuffix("__short_name").removesuffix("__name") for one in lookups)
        self.expected = f"the {names} of a known {model._meta.verbose_name}"

    def read(self, text: str) -> Any:
        """Return the key or keys, tuples of texts, that :meth:`found` takes."""
        if self.many:
            return [self._key(one.strip()) for one in text.split(SEPARATOR) if one.strip()]
        return self._key(text)

    def _key(self, text: str) -> Key:
        parts = text.split("/", len(self.lookups) - 1)
        if len(parts) != len(self.lookups):
            raise ValueError
        return tuple(part.strip() for part in parts)

    def found(self, keys: Collection[Key]) -> Mapping[Key, models.Model | list[models.Model]]:
        """Return the rows with these keys, by key, in one query; a list of them for an ambiguous key."""
        first = {key[0] for key in keys}
        last = {key[-1] for key in keys}
        rows = self.model._default_manager.filter(**{f"{self.lookups[0]}__in": first, f"{self.lookups[-1]}__in": last})
        if related := {one.rpartition("__")[0] for one in self.lookups if "__" in one}:
            rows = rows.select_related(*related)
        return {self.key_of(row): row for row in rows}

    def known(self, limit: int = 1000) -> list[str]:
        """Return the names of rows that could have been meant."""
        return ["/".join(map(str, key)) for key in self.model._default_manager.values_list(*self.lookups)[:limit]]

    def key_of(self, row: models.Model) -> Key:
        """Return the key that names a row."""
        key = []
        for lookup in self.lookups:
            value = row
            for name in lookup.split("__"):
                value = getattr(value, name)
            key.append(value)
        return tuple(key)

    def write(self, value: Any) -> str:
        if self.many:
            return f"{SEPARATOR} ".join(sorted("/".join(map(str, self.key_of(row))) for row in value.all()))
        return "/".join(map(str, self.key_of(value)))


@dataclass(frozen=True)
class TableColumn:
    """A column of a planning table.

    Attributes:
        name: in the header.
        cell: what its cells hold.
        help: what it means, with its unit, for the format page.
        required: whether every row needs a value.
        field: the model's field, if its name is another one; ``""`` for none.
        empty: value of an empty cell.
        aliases: other names that a header may use.
    """

    name: str
    cell: Cell
    help: str
    required: bool = False
    field: str | None = None
    empty: object = None
    aliases: tuple[str, ...] = ()

    @classmethod
    def of_field(
        cls, model: type[models.Model], field: str, cell: Cell, *, name: str | None = None, **options: Any
    ) -> TableColumn:
        """Return a column with the help text of a model's field.

        Args:
            model: of the field.
            field: its name.
            cell: what cells hold.
            name: of the column, if not that of the field.
            options: ``required``, ``empty`` and ``aliases``.
        """
        help_text = str(model._meta.get_field(field).help_text)
        return cls(name or field, cell, help_text, field=field, **options)

    @property
    def target(self) -> str:
        """The model's field, or ``""``."""
        return self.name if self.field is None else self.field
