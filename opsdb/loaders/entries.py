"""Rows as files declare them, and the rules by which they are matched to and compared with rows of the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from django.db import models

from opsdb.formatting import format_second

from .cells import TableColumn
from .plan import LoadPlan
from .tables import TableRow

LONGEST_VALUE = 80
NO_MEMBERS: Mapping[str, list] = MappingProxyType({})

Difference = tuple[str, object, object]
"""Name, old and new value of a field."""


@dataclass(slots=True)
class RowEntry:
    """A row as a file declares it.

    Attributes:
        row: where the file describes it.
        model: what it is a row of.
        values: by field.
        members: lists of rows, by many-to-many field.
        filled_in: fields whose values the file leaves open; only a new row gets them.
    """

    row: TableRow
    model: type[models.Model]
    values: dict[str, object]
    members: Mapping[str, list] = field(default_factory=lambda: NO_MEMBERS)
    filled_in: Set[str] = frozenset()

    def instance(self) -> models.Model:
        """Return a new row with these values."""
        return self.model(**self.values)


class RowRules:
    """How the rows of one model are identified, compared and named.

    Attributes:
        model: what they are rows of; entries may also be of its subtypes.
        columns: the columns of the table that describes them, if a table does.
    """

    model: type[models.Model]
    columns: tuple[TableColumn, ...] = ()

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that identify a row."""
        return self.model.natural_key_fields

    def key(self, entry: RowEntry) -> tuple:
        """Return the values of the key fields; a primary key for a row of the database."""
        return tuple(primary_key_or_value(entry.values[name]) for name in self.key_fields)

    def present(self, entries: Collection[RowEntry]) -> dict[tuple, models.Model]:
        """Return the rows of the database that entries may match, by key."""
        found = self.model._default_manager.filter(self.candidates(entries))
        if hasattr(found, "specific"):
            found = found.specific()
        names = [self.model._meta.get_field(name).attname for name in self.key_fields]
        return {tuple(getattr(row, name) for name in names): row for row in found}

    def candidates(self, entries: Collection[RowEntry]) -> models.Q:
        """Return a filter that every possible match of the entries satisfies, so that one query fetches all of them."""
        condition = models.Q()
        for name in self.key_fields:
            values = {primary_key_or_value(entry.values[name]) for entry in entries}
            if None not in values:
                condition &= models.Q(**{f"{name}__in": values})
        return condition

    def differences(self, present: models.Model, entry: RowEntry) -> list[Difference]:
        """Return what an entry would change in the row that it matches."""
        found: list[Difference] = []
        for name, new in entry.values.items():
            if name in entry.filled_in:
                continue
            attribute = present._meta.get_field(name).attname
            if getattr(present, attribute) != primary_key_or_value(new):
                found.append((name, getattr(present, name), new))
        for name, members in entry.members.items():
            old = list(getattr(present, name).all())
            if set(old) != set(members):
                found.append((name, old, members))
        return found

    def label(self, entry: RowEntry) -> str:
        """Return the name of the row in plans and messages."""
        return " / ".join(
            format_value(entry.values[name]) for name in self.key_fields if entry.values[name] is not None
        )

    def facts(self, entry: RowEntry) -> Iterable[tuple[str, str]]:
        """Return what of a row people check before they load it: name and value of each."""
        return ()

    def is_same(self, first: RowEntry, entry: RowEntry, plan: LoadPlan) -> bool:
        """Whether an entry may repeat another one of the same key; a note in the plan then names it."""
        return False

    def check(self, entries: Collection[RowEntry]) -> None:
        """Note problems of entries that only show beside other rows; called with those of a model that are new."""

    def note_refusal(self, entry: RowEntry, reasons: Iterable[tuple[str | None, str]]) -> None:
        """Note why the database refused an entry, at the columns of its fields.

        Args:
            entry: the row.
            reasons: field, or None, and message of every reason.
        """
        columns = {column.target: column.name for column in self.columns}
        for name, message in reasons:
            entry.row.problem(f"{self.label(entry)} can't be written: {message}", columns.get(name, name))


def primary_key_or_value(value: object) -> object:
    """Return the primary key of a row, and anything else as it is."""
    return value.pk if isinstance(value, models.Model) else value


def format_value(value: object) -> str:
    """Return a field's value as plans and messages show it, on one line of limited length."""
    if value is None or value == "" or value == []:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list):
        return ", ".join(sorted(map(format_value, value)))
    if hasattr(value, "natural_key"):
        return " / ".join(map(str, value.natural_key()))
    if isinstance(value, datetime):
        return format_second(value)
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
