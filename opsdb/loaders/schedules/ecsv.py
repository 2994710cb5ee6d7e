"""Reading ECSV timelines, as the planner writes them."""

from __future__ import annotations

import csv
import warnings
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from ..errors import LoadProblems, listed, shown
from ..spool import Spool, batches
from ..tables import in_words
from ..text_files import lines_of
from .blocks import Block, Schedule
from .ecsv_columns import plain_columns
from .headers import is_comment, read_site
from .rows import KNOWN_COLUMNS, REQUIRED_COLUMNS, read_blocks

ROWS_AT_ONCE = 5000
LONGEST_SHOWN = 40


def read_ecsv(path: Path, text: str, problems: LoadProblems) -> Schedule:
    """Return the schedule of an ECSV timeline.

    Args:
        path: for messages.
        text: of the file.
        problems: those of the file.

    Raises:
        LoadError: the file is no ECSV timeline, or rows are wrong.
    """
    numbered = ((number, line.rstrip("\r\n")) for number, line in enumerate(lines_of(text), 1))
    header_lines = []
    for number, line in numbered:
        if line.strip() and not is_comment(line):
            numbered = chain([(number, line)], numbered)
            break
        header_lines.append(line)
    else:
        problems.stop(
            "the line with the column names is missing",
            expected=f"below the header {', '.join(REQUIRED_COLUMNS)} and others, and rows",
            line=len(header_lines),
        )
    header = _header(header_lines, problems)
    datatypes = {column["name"]: column.get("datatype", "string") for column in header["datatype"]}
    rows = _split_rows(numbered, header.get("delimiter", " "), problems)
    names_row = next(rows)
    _refuse_repeats(names_row.cells, names_row.line, problems)
    if names_row.cells != [column["name"] for column in header["datatype"]]:
        found = listed((name[:LONGEST_SHOWN] for name in names_row.cells), 30)
        problems.stop(
            f"the columns are {found}, the header above declares {listed(datatypes, 30)}",
            expected="the same names in the same order",
            line=names_row.line,
        )
    return _read_rows(path, header_lines, names_row, rows, datatypes, problems)


@dataclass(slots=True)
class _Row:
    """A row: where it begins, its cells, and its lines, of which a cell with line breaks takes several."""

    line: int
    cells: list[str]
    lines: list[str]


def _header(header_lines, problems):
    from astropy.table.meta import YamlParseError, get_header_from_yaml

    comments = [line.strip().removeprefix("#").removeprefix(" ") for line in header_lines[1:] if line.strip()]
    try:
        header = get_header_from_yaml(comments)
    except (YamlParseError, TypeError, ValueError, AttributeError) as error:
        mark = getattr(error.__cause__ or error.__context__ or error, "problem_mark", None)
        problems.stop("the YAML header can't be read", expected="an ECSV 1.0 header", line=mark.line + 2 if mark else 1)
    if not isinstance(header, dict) or not _is_list_of_columns(header.get("datatype")):
        problems.stop(
            "the header has no list of columns", expected="'# datatype:' with the name and type of each", line=1
        )
    if (delimiter := header.get("delimiter", " ")) not in (" ", ","):
        problems.stop(f"delimiter {shown(delimiter)} is not allowed", expected="a space or a comma", line=1)
    return header


def _read_rows(path, header_lines, names_row, rows, datatypes, problems):
    """Return the schedule of rows that astropy reads some thousand at a time, each time with the header above them."""
    blocks: Spool[Block] = Spool()
    site, ignored = None, ()
    site_line = next((number for number, line in enumerate(header_lines, 1) if "telescope_name" in line), 1)
    for batch in batches(_complete(rows, names_row, problems), ROWS_AT_ONCE):
        table = _parse_ecsv([*header_lines, *names_row.lines], batch, datatypes, names_row.line, problems)
        if table is None:
            continue
        known_problems = len(problems.found)
        values = plain_columns(table, names_row.line, problems)
        if len(problems.found) > known_problems:
            problems.stop_if_any()
        if site is None:
            _refuse_missing(values, names_row.line, problems)
            site = read_site(table.meta, site_line, problems)
            ignored = tuple(name for name in values if name not in KNOWN_COLUMNS)
        blocks.extend(read_blocks(values, [row.line for row in batch], problems, azimuth_may_wrap=False))
    problems.stop_if_any()
    if site is None:
        problems.stop("there are no rows below the column names", expected="at least one", line=names_row.line)
    return Schedule(path=Path(path), **site, blocks=blocks, header_line=site_line, ignored_columns=ignored)


def _complete(rows, names_row, problems):
    """Yield the rows that have a field for every column."""
    for row in rows:
        if len(row.cells) == len(names_row.cells):
            yield row
        else:
            problems.add(
                f"the row has {len(row.cells)} fields, the columns are {len(names_row.cells)}",
                expected="a field for every column; texts with spaces in double quotes",
                line=row.line,
            )


def _is_list_of_columns(columns):
    return isinstance(columns, list) and all(
        isinstance(column, dict)
        and isinstance(column.get("name"), str)
        and isinstance(column.get("datatype", "string"), str)
        for column in columns
    )


def _refuse_repeats(names, line, problems):
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        problems.stop(f"column {shown(twice[0])} is repeated", expected="each column once", line=line)


def _refuse_missing(names, line, problems):
    missing = [name for name in REQUIRED_COLUMNS if name not in names]
    if missing:
        problems.stop(
            f"{'columns are' if len(missing) > 1 else 'a column is'} missing: {', '.join(missing)}",
            expected=f"at least {', '.join(REQUIRED_COLUMNS)}",
            line=line,
        )


def _split_rows(numbered, delimiter, problems):
    """Yield the rows as astropy splits them: a quoted field may run over several lines."""
    taken = []

    def lines():
        for number, line in numbered:
            if line.strip() and not is_comment(line):
                taken.append((number, line))
                yield f"{line.strip()}\n"

    reader = csv.reader(lines(), delimiter=delimiter, quotechar='"', doublequote=True, skipinitialspace=True)
    while True:
        taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.stop(
                f"the row can't be split into fields: {in_words(error)}",
                expected="fields of usual length; texts with spaces in double quotes that are closed",
                line=taken[0][0],
            )
        yield _Row(taken[0][0], cells, [line for _, line in taken])


def _parse_ecsv(head, rows, datatypes, names_line, problems):
    """Return the rows as an astropy table, or None if cells are wrong."""
    from astropy.io import ascii as astropy_ascii

    try:
        with warnings.catch_warnings(action="ignore"):
            table = astropy_ascii.read(
                [*head, *(line for row in rows for line in row.lines)], format="ecsv", guess=False
            )
    except Exception as error:  # astropy raises whatever numpy, YAML or a column's own class raised
        known_problems = len(problems.found)
        for row in rows:
            for cell, (name, datatype) in zip(row.cells, datatypes.items(), strict=True):
                if not _fits_datatype(cell, datatype):
                    problems.add(
                        f"{shown(cell)} is not of type {datatype}",
                        expected="what the header declares for this column",
                        line=row.line,
                        column=name,
                    )
        if len(problems.found) > known_problems:
            return None
        problems.stop_if_any()
        reason = error if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        problems.stop(
            f"astropy can't read this table: {reason}",
            expected="a header and rows as astropy writes them (Table.write with format ascii.ecsv)",
            line=names_line,
        )
    if len(table) != len(rows):
        problems.stop(
            "astropy reads other rows or columns than this file shows",
            expected="texts with spaces, quotes or line breaks in double quotes",
            line=names_line,
        )
    return table


def _fits_datatype(cell, datatype):
    try:
        if cell == "" or datatype == "string":
            return True
        if datatype.startswith("float"):
            float(cell)
        elif datatype.startswith(("int", "uint")):
            return abs(int(cell)) < 2**63
        elif datatype == "bool":
            return cell in ("True", "False")
    except ValueError:
        return False
    return True
