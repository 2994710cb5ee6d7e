"""Planning tables: CSV files with a header that names the columns, as programs and spreadsheets write them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from .cells import CellError, ReferenceCell, TableColumn
from .errors import LoadProblems, listed, near, shown
from .progress import Progress, no_progress
from .text_files import LoadFile, read_text

DELIMITERS = ",;\t"


@dataclass
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
    """Return the rows of a CSV file, cells converted and references resolved; what is wrong is noted.

    A row with a wrong cell lacks that column, so that the others can still be checked.

    Args:
        file: path, or open binary file.
        columns: those that the header may have.
        problems: those of this file.
        progress: wraps the rows.

    Raises:
        LoadError: the file can't be read, isn't CSV, has a wrong header or no rows, or has too many problems.
    """
    text = read_text(file, problems)
    first_line, delimiter, text = _dialect(text, problems)
    numbered = _rows(text, first_line, delimiter, problems)
    header_line, header = next(((line, cells) for line, cells in numbered if any(map(str.strip, cells))), (1, []))
    headings = _headings(header, header_line, columns, problems)
    present = [column for column, _ in headings]
    headings = {column.name: heading for column, heading in headings}
    rows = []
    cells_of_rows = [(line, cells) for line, cells in numbered if any(map(str.strip, cells))]
    if not cells_of_rows:
        problems.stop("there are no rows below the header", expected="at least one", line=header_line)
    if delimiter != ",":
        _write_decimal_points(cells_of_rows, present, headings, problems)
    for line, cells in progress(cells_of_rows, f"Reading {problems.path.name}"):
        if len(cells) < len(present) or any(cell.strip() for cell in cells[len(present) :]):
            problems.add(
                f"the row has {len(cells)} fields, the header {len(present)}",
                expected="a field for every column; texts with commas in double quotes",
                line=line,
            )
            continue
        row = TableRow(problems, line, {}, headings=headings)
        for column, cell in zip(present, cells, strict=False):
            read_cell(row, column, cell.strip())
        rows.append(row)
    for column in present:
        if isinstance(column.cell, ReferenceCell):
            _resolve(column, rows)
    return rows


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
    """Return the number of the first line, the mark between columns, and the text without a line that names the mark.

    The mark is what the line ``sep=`` of Excel names, else the one by which the header has most columns.
    """
    first, _, rest = text.partition("\n")
    if named := re.fullmatch(r'"?sep=(.)"?\r?', first, re.IGNORECASE):
        if named[1] not in DELIMITERS:
            problems.stop(f"{shown(first.strip())} is no mark between columns", expected="sep=, or sep=;", line=1)
        return 2, named[1], rest
    header = next((line for line in text.splitlines() if line.strip()), "")
    return 1, max(DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark), ()))), text


def _write_decimal_points(cells_of_rows, present, headings, problems):
    """Replace decimal commas by points, if all numbers of the file that have either have commas."""
    places = [place for place, column in enumerate(present) if column.cell.is_number]
    firsts = {}
    for line, cells in cells_of_rows:
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
    elif "," in firsts:
        for _, cells in cells_of_rows:
            for place in places:
                if place < len(cells):
                    cells[place] = cells[place].replace(",", ".")


def _rows(text, first_line, delimiter, problems):
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + first_line
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.stop(f"this is not CSV: {error}", expected="comma-separated values (RFC 4180)", line=line)
        yield line, cells


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


def read_cell(row: TableRow, column: TableColumn, text: str) -> None:
    """Give a row the value of a cell; what is wrong with it is noted."""
    row.texts[column.name] = text
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


def _resolve(column, rows):
    """Replace the names of rows by the rows, with one query for all."""
    cell = column.cell
    given = [row for row in rows if row.values.get(column.name)]
    keys = {key for row in given for key in (row.values[column.name] if cell.many else [row.values[column.name]])}
    found = cell.found(keys) if keys else {}
    known = cell.known() if keys - found.keys() else []
    for row in given:
        wanted = row.values[column.name] if cell.many else [row.values[column.name]]
        missing = [key for key in wanted if key not in found]
        several = [key for key in wanted if isinstance(found.get(key), list)]
        if several:
            names = listed(cell.key_of(one)[-1] for one in found[several[0]])
            row.problem(
                f"is the name or an alias of several {cell.model._meta.verbose_name_plural}: {names}",
                column.name,
                expected=f"a name that only one {cell.model._meta.verbose_name} has",
            )
            del row.values[column.name]
            continue
        if missing:
            names = ["/".join(key) for key in missing]
            row.problem(
                f"names unknown {cell.model._meta.verbose_name_plural}: {listed(names)}"
                if cell.many
                else f"is not a known {cell.model._meta.verbose_name}",
                column.name,
                expected=near(names[0], known)
                if known
                else f"{cell.model._meta.verbose_name_plural} to be loaded first",
            )
            del row.values[column.name]
        else:
            row.values[column.name] = [found[key] for key in wanted] if cell.many else found[wanted[0]]
