"""Kinds of files that can be loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TextIO

from django.db import models

from .cells import ReferenceCell
from .entries import NO_MEMBERS, RowEntry, RowRules
from .loading import ON_CONFLICT, Loading
from .recognition import Likeness, table_likeness
from .tables import TableRow, header_of, read_table, write_table
from .text_files import LoadFile

ROWS_FETCHED = 1000


@dataclass(frozen=True)
class KindOption:
    """An option of a kind.

    Attributes:
        flag: what the command calls it.
        how: arguments of argparse's ``add_argument``.
    """

    flag: str
    how: dict[str, Any]

    @property
    def name(self) -> str:
        """Name in Python."""
        return self.flag.lstrip("-").replace("-", "_")


class FileKind(RowRules):
    """A kind of file that can be loaded, and the rules of its rows.

    Attributes:
        name: what the command calls it.
        help: what it loads, in a few words.
        description: what the files are, for the command's help.
        example: a command line.
        options: options besides those of every kind.
        looks: what such a file has, by which it is recognized, in words.
    """

    name: str
    help: str
    description = ""
    example: str
    options: tuple[KindOption, ...] = ()
    looks = ""

    def likeness(self, text: str) -> Likeness:
        """Return how much a text looks like a file of this kind; by default not at all.

        Args:
            text: of a file, as :func:`~opsdb.loaders.text_files.read_text` returns it.
        """
        return Likeness()

    def load(self, loading: Loading, files: Sequence[LoadFile]) -> None:
        """Read files and write rows through ``loading``, inside its transaction; note problems there.

        Raises:
            LoadError: reading on makes no sense.
        """
        raise NotImplementedError

    def complete(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a load with the defaults of the kind.

        Raises:
            TypeError: an option is unknown, or needed and missing.
        """
        known = {option.name: option for option in self.options}
        if unknown := options.keys() - known.keys() - {"on_conflict"}:
            raise TypeError(f"{self.name} has no option {', '.join(sorted(unknown))}")
        completed: dict[str, Any] = {"on_conflict": "error"}
        for name, option in known.items():
            completed[name] = option.how.get("default", False if option.how.get("action") == "store_true" else None)
            if option.how.get("required") and options.get(name) is None:
                raise TypeError(f"{self.name} needs the option {name}")
        completed |= options
        if completed["on_conflict"] not in ON_CONFLICT:
            raise TypeError(f"on_conflict is one of {', '.join(ON_CONFLICT)}")
        return completed


class TableKind(FileKind):
    """A kind whose files are CSV tables with a header, of ``columns``."""

    @property
    def looks(self) -> str:
        """The columns that the header of such a table must have."""
        return f"a header with {', '.join(column.name for column in self.columns if column.required)}"

    def likeness(self, text: str) -> Likeness:
        """Return how much the header of a text looks like that of such a table, also if names in it are misspelt."""
        return table_likeness(header_of(text), self.columns)

    def load(self, loading: Loading, files: Sequence[LoadFile]) -> None:
        rows: list[TableRow] = []
        for file in files:
            rows += read_table(file, self.columns, loading.problems_of(file), loading.progress)
        loading.plan.count("rows read", len(rows))
        entries = self.entries(loading, rows)
        loading.problems.stop_if_any()
        loading.write(entries)

    def entries(self, loading: Loading, rows: Sequence[TableRow]) -> list[RowEntry]:
        """Return the entries of the rows; by default one of ``model`` each, columns being its fields."""
        many = {one.name for one in self.model._meta.many_to_many}
        targets = [(column.name, column.target) for column in self.columns if column.target]
        entries = []
        for row in rows:
            given = {target: row.values[name] for name, target in targets if name in row.values}
            members = {name: given.pop(name) or [] for name in many & given.keys()}
            entries.append(RowEntry(row, self.model, given, members or NO_MEMBERS))
        return entries

    def export(self, queryset: models.QuerySet, stream: TextIO) -> None:
        """Write the rows of a queryset as a file that :meth:`load` reads; loading it changes nothing.

        Args:
            queryset: rows of ``model``.
            stream: a text file opened with ``newline=""``.
        """
        if hasattr(queryset, "specific"):
            queryset = queryset.specific()
        references = [column for column in self.columns if isinstance(column.cell, ReferenceCell) and column.target]
        single = [
            "__".join([column.target, *lookup.split("__")[:-1]])
            for column in references
            if not column.cell.many
            for lookup in column.cell.lookups
        ]
        if single:
            queryset = queryset.select_related(*single)
        several = [column.target for column in references if column.cell.many]
        # A cursor that is left to the garbage collector would be closed in somebody else's transaction.
        with closing(queryset.prefetch_related(*several).iterator(ROWS_FETCHED)) as rows:
            write_table(self.columns, map(self.values_of, rows), stream)

    def values_of(self, row: models.Model) -> dict[str, object]:
        """Return the values of a row of the database by the names of columns."""
        return {column.name: getattr(row, column.target) for column in self.columns if column.target}
