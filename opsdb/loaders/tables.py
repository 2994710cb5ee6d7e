"""Planning tables: CSV files with a header that names the columns, as programs and spreadsheets write them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TextIO

from .cells import CellError, ReferenceCell, TableColumn
from .errors import LoadError, LoadProblems, listed, near, shown
from .progress import Counted, Progress, no_progress
from .spool import batches
from .text_files import LoadFile, lines_of, read_text

DELIMITERS = ",;\t"
FOUND_KEPT = 5000
CSV_RULES = "comma-separated values (RFC 4180)"


@dataclass(slots=True)
class TableRow:
    """A row of a file.

    Attributes:
        problems: those of the file.
        line: where it begins.
        values: by the names of columns, of those that the file has.
        texts: of the cells, by the names of columns.
        headings: of the columns, where the file uses an alias.
    """

    problems: LoadProblems
    line: int
    values: dict[str, object]
    texts: dict[str, str] = field(default_factory=dict)
    headings: dict[str, str] = field(default_factory=dict)

    def problem(self, message: str, column: str | None = None, *, expected: str = "") -> None:
        """Note what is wrong with the row, or with the value in a column, which the message then shows."""
        heading = self.headings.get(column, column)
        value = self.texts.get(column) or None
        self.problems.add(message, expected=expected, line=self.line, column=heading, value=value)


def read_table(
    file: LoadFile, columns: Sequence[TableColumn], problems: LoadProblems, progress: Progress = no_progress
) -> list[TableRow]:
    """Return the rows of a short CSV file, see :func:`read_rows`."""
    return list(read_rows(read_text(file, problems), columns, problems, progress))


def read_rows(
    text: str, columns: Sequence[TableColumn], problems: LoadProblems, progress: Progress = no_progress
) -> Iterator[TableRow]:
    """Yield the rows of a CSV file, cells converted and references resolved; what is wrong is noted.

    A row with a wrong cell lacks that column, so that the others can still be checked.

    Args:
        text: of the file.
        columns: those that the header may have.
        problems: those of this file.
        progress: wraps the rows.

    Raises:
        LoadError: the text isn't CSV, has a wrong header or no rows, or has too many problems.
    """
    first_line, start, delimiter = _dialect(text, problems)
    numbered = _rows(text, first_line, start, delimiter, problems)
    header_line, header = next(numbered, (1, []))
    headings = _headings(header, header_line, columns, problems)
    present = [column for column, _ in headings]
    headings = {column.name: heading for column, heading in headings}
    # The whole file is split twice: what is wrong with it as a table is reported before what is wrong with its cells.
    numbers, decimal_commas = _looked_through(numbered, present if delimiter != "," else (), headings, problems)
    if not numbers:
        problems.stop("there are no rows below the header", expected="at least one", line=header_line)
    numbered = islice(_rows(text, first_line, start, delimiter, problems), 1, None)
    references = [_References(column) for column in present if isinstance(column.cell, ReferenceCell)]
    read = _read_cells(
        progress(Counted(numbered, numbers), f"Reading {problems.path.name}"),
        present,
        headings,
        decimal_commas,
        problems,
    )
    for rows in batches(read):
        for reference in references:
            reference.resolve(rows)
        yield from rows


def _read_cells(numbered, present, headings, decimal_commas, problems):
    for line, cells in numbered:
        if len(cells) < len(present) or any(cell.strip() for cell in cells[len(present) :]):
            problems.add(
                f"the row has {len(cells)} fields, the header {len(present)}",
                expected="a field for every column; texts with commas in double quotes",
                line=line,
            )
            continue
        row = TableRow(problems, line, {}, headings=headings)
        for place, (column, cell) in enumerate(zip(present, cells, strict=False)):
            read_cell(row, column, (cell.replace(",", ".") if place in decimal_commas else cell).strip())
        yield row


def header_of(text: str) -> list[str]:
    """Return the names in the header of a CSV file; none of a text whose beginning is no CSV.

    Args:
        text: of the file.
    """
    problems = LoadProblems("")
    try:
        first_line, start, delimiter = _dialect(text, problems)
        _line, header = next(_rows(text, first_line, start, delimiter, problems), (1, ()))
    except LoadError:
        return []
    return [name.strip() for name in header]


def write_table(columns: Sequence[TableColumn], rows: Iterable[Mapping[str, Any]], stream: TextIO) -> None:
    """Write a CSV file that :func:`read_table` reads.

    Args:
        columns: what is written, in this order.
        rows: dictionaries of values by the names of columns; ``None`` and ``[]`` are empty cells.
        stream: a text file opened with ``newline=""``.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(column.name for column in columns)
    for row in rows:
        values = [row.get(column.name) for column in columns]
        writer.writerow(
            "" if value is None or value in ("", []) else column.cell.write(value)
            for column, value in zip(columns, values, strict=True)
        )


def _dialect(text, problems):
    """Return the number of the first line, its place, and the mark between columns.

    The mark is what the line ``sep=`` of Excel names, else the one by which the header has most columns.
    """
    first = text.partition("\n")[0]
    if named := re.fullmatch(r'"?sep=(.)"?\r?', first, re.IGNORECASE):
        if named[1] not in DELIMITERS:
            problems.stop(f"{shown(first.strip())} is no mark between columns", expected="sep=, or sep=;", line=1)
        return 2, len(first) + 1, named[1]
    line, header = next(((number, line) for number, line in enumerate(lines_of(text), 1) if line.strip()), (1, ""))
    try:
        return 1, 0, max(DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark), ())))
    except csv.Error as error:
        problems.stop(f"this is not CSV: {in_words(error)}", expected=CSV_RULES, line=line)


def _looked_through(numbered, present, headings, problems):
    """Return the number of rows, and the places of cells with decimal commas.

    That is where numbers stand, if all numbers of the file that have a comma or a point have commas.
    """
    places = [place for place, column in enumerate(present) if column.cell.is_number]
    firsts = {}
    number = 0
    for line, cells in numbered:
        number += 1
        for place in places:
            for mark in ",.":
                if place < len(cells) and mark in cells[place]:
                    firsts.setdefault(mark, (line, place, cells[place]))
    if len(firsts) > 1:
        (line, place, cell), (other, _, _) = sorted(firsts.values(), reverse=True)
        problems.add(
            "has another decimal mark than "
            + (f"line {other}" if other != line else "the row has elsewhere, or one for thousands"),
            expected="decimal points or decimal commas in the whole file, and nothing between thousands",
            line=line,
            column=headings[present[place].name],
            value=cell,
        )
        problems.stop_if_any()
    return number, set(places) if "," in firsts else set()


def _rows(text, first_line, start, delimiter, problems):
    """Yield the number of the line and the cells of every row that has any, from a place of the text on."""
    reader = csv.reader(lines_of(text, start), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + first_line
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.stop(f"this is not CSV: {in_words(error)}", expected=CSV_RULES, line=line)
        if any(map(str.strip, cells)):
            yield line, cells


def in_words(error: csv.Error) -> str:
    """Return what is wrong with a row that Python's reader of CSV refuses."""
    text = str(error)
    if "unexpected end" in text:
        return "a double quote that opens here is never closed"
    if "field limit" in text:
        return f"a cell has more than {csv.field_size_limit()} characters, perhaps as its double quote is never closed"
    if "expected after" in text:
        return "more characters follow a double quote that closes a cell"
    return text


def _headings(header, line, columns: tuple[TableColumn, ...], problems):
    """Return every column of the file with what its header calls it."""
    names = [name.strip() for name in header]
    while names and not names[-1]:
        names.pop()
    if len(names) == 1 and "|" in names[0]:
        problems.stop(f"the header {shown(names[0])} has one column", expected="commas between columns", line=line)
    known = {name.casefold(): column for column in columns for name in (column.name, *column.aliases)}
    found = {}
    for name in names:
        column = known.get(name.casefold())
        if column is None:
            what = f"unknown column {shown(name)}" if name else "a column in the middle has no name"
            problems.add(
                what,
                expected=near(name, [one for column in columns for one in (column.name, *column.aliases)]),
                line=line,
            )
        elif column.name in found:
            first = found[column.name]
            same = (
                f"column {shown(name)} is repeated"
                if first == name
                else f"{shown(name)} is another name of column {shown(first)}"
            )
            problems.add(same, expected="each column once", line=line)
        else:
            found[column.name] = name
    missing = [column.name for column in columns if column.required and column.name not in found]
    if missing:
        what = "columns are" if len(missing) > 1 else "a column is"
        needed = ", ".join(column.name for column in columns if column.required)
        problems.add(f"{what} missing: {', '.join(missing)}", expected=f"at least {needed}", line=line)
    problems.stop_if_any()
    return [(known[name.casefold()], name) for name in names]


def read_cell(row: TableRow, column: TableColumn, text: str, given: str | None = None) -> None:
    """Give a row the value of a cell; what is wrong with it is noted.

    Args:
        row: of the cell.
        column: of the cell.
        text: of the cell.
        given: how the file has it, if not so.
    """
    row.texts[column.name] = text if given is None else given
    if not text:
        if column.required:
            row.problem("the cell is empty", column.name, expected=column.cell.expected)
        else:
            row.values[column.name] = column.empty
        return
    try:
        row.values[column.name] = column.cell.read(text)
    except CellError as error:
        row.problem(str(error), column.name, expected=error.expected)
    except (ValueError, OverflowError):
        row.problem("is not valid", column.name, expected=column.cell.expected)


class _References:
    """The rows of the database that cells of a column name; each is looked up once as long as they are few.

    Args:
        column: of the table.
    """

    def __init__(self, column: TableColumn):
        self._column, self._cell = column, column.cell
        self._found: dict[Any, Any] = {}
        self._unknown: set[Any] = set()
        self._known: list[str] | None = None

    def resolve(self, rows: Sequence[TableRow]) -> None:
        """Replace the names of rows by the rows, with one query for all."""
        name = self._column.name
        given = [row for row in rows if row.values.get(name)]
        if len(self._found) > FOUND_KEPT:
            self._found.clear()
        keys = {key for row in given for key in self._keys(row)} - self._found.keys() - self._unknown
        if keys:
            self._found |= self._cell.found(keys)
            self._unknown |= keys - self._found.keys()
        for row in given:
            wanted = self._keys(row)
            if problem := self._problem(wanted):
                message, expected = problem
                row.problem(message, name, expected=expected)
                del row.values[name]
            else:
                row.values[name] = [self._found[key] for key in wanted] if self._cell.many else self._found[wanted[0]]

    def _keys(self, row):
        value = row.values[self._column.name]
        return value if self._cell.many else [value]

    def _problem(self, wanted):
        """Return what is wrong with the names of a cell, and what would be right; None if nothing is."""
        cell = self._cell
        model = cell.model._meta
        several = [key for key in wanted if isinstance(self._found.get(key), list)]
        if several:
            names = listed(cell.key_of(one)[-1] for one in self._found[several[0]])
            return (
                f"is the name or an alias of several {model.verbose_name_plural}: {names}",
                f"a name that only one {model.verbose_name} has",
            )
        missing = ["/".join(key) for key in wanted if key not in self._found]
        if not missing:
            return None
        if self._known is None:
            self._known = cell.known()
        return (
            f"names unknown {model.verbose_name_plural}: {listed(missing)}"
            if cell.many
            else f"is not a known {model.verbose_name}",
            near(missing[0], self._known) if self._known else f"{model.verbose_name_plural} to be loaded first",
        )
