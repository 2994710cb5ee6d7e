"""Reading ECSV timelines, as the planner writes them."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

from ..errors import LoadProblems, listed, shown
from .blocks import Schedule
from .ecsv_columns import plain_columns
from .headers import is_comment, read_site
from .rows import KNOWN_COLUMNS, REQUIRED_COLUMNS, read_blocks


def read_ecsv(path: Path, lines: list[str], problems: LoadProblems) -> Schedule:
    """Return the schedule of an ECSV timeline.

    Args:
        path: for messages.
        lines: of the file.
        problems: those of the file.

    Raises:
        LoadError: the file is no ECSV timeline, or rows are wrong.
    """
    from astropy.table.meta import YamlParseError, get_header_from_yaml

    header_length = next((i for i, line in enumerate(lines) if line.strip() and not is_comment(line)), None)
    if header_length is None:
        problems.stop("the line with the column names is missing", line=len(lines))
    comments = [line.strip().removeprefix("#").removeprefix(" ") for line in lines[1:header_length] if line.strip()]
    try:
        header = get_header_from_yaml(comments)
    except (YamlParseError, TypeError, ValueError, AttributeError) as error:
        mark = getattr(error.__cause__ or error.__context__ or error, "problem_mark", None)
        problems.stop("the YAML header can't be read", expected="an ECSV 1.0 header", line=mark.line + 2 if mark else 1)
    if not isinstance(header, dict) or not _is_list_of_columns(header.get("datatype")):
        problems.stop("the header has no list of columns", expected="'# datatype:' with a name per column", line=1)
    delimiter = header.get("delimiter", " ")
    if delimiter not in (" ", ","):
        problems.stop(f"delimiter {shown(delimiter)} is not allowed", expected="a space or a comma", line=1)

    datatypes = {column["name"]: column.get("datatype", "string") for column in header["datatype"]}
    names, names_line = None, None
    row_lines = []
    rows = []
    for line, cells in _split_rows(lines, header_length, delimiter, problems):
        if names is None:
            names, names_line = cells, line
            _refuse_repeats(names, names_line, problems)
            if names != [column["name"] for column in header["datatype"]]:
                problems.stop(
                    f"the columns are {listed(names, 30)}, the header above declares {listed(datatypes, 30)}",
                    expected="the same names in the same order",
                    line=line,
                )
        elif len(cells) != len(names):
            problems.add(
                f"the row has {len(cells)} fields, the columns are {len(names)}",
                expected="a field for every column; texts with spaces in double quotes",
                line=line,
            )
        else:
            row_lines.append(line)
            rows.append(cells)
    problems.stop_if_any()
    if not rows:
        problems.stop("there are no rows below the column names", line=names_line)

    table = _parse_ecsv(lines, names_line, row_lines, rows, datatypes, problems)
    values = plain_columns(table, names_line, problems)
    problems.stop_if_any()
    _refuse_missing(values, names_line, problems)
    site_line = next((n for n, line in enumerate(lines[:header_length], 1) if "telescope_name" in line), 1)
    site = read_site(table.meta, site_line, problems)
    problems.stop_if_any()
    blocks = read_blocks(values, row_lines, problems, azimuth_may_wrap=False)
    return Schedule(
        path=Path(path),
        **site,
        blocks=blocks,
        header_line=site_line,
        ignored_columns=tuple(name for name in values if name not in KNOWN_COLUMNS),
    )


def _is_list_of_columns(columns):
    return isinstance(columns, list) and all(isinstance(column, dict) and "name" in column for column in columns)


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


def _split_rows(lines, start, delimiter, problems):
    """Yield (line number, fields) per row, as astropy splits them: a quoted field may run over several lines."""
    content = [(n, line) for n, line in enumerate(lines[start:], start + 1) if line.strip() and not is_comment(line)]
    reader = csv.reader(
        (f"{line.strip()}\n" for _, line in content),
        delimiter=delimiter,
        quotechar='"',
        doublequote=True,
        skipinitialspace=True,
    )
    while reader.line_num < len(content):
        first_line, _ = content[reader.line_num]
        try:
            yield first_line, next(reader)
        except csv.Error as error:
            problems.stop(f"the row can't be split into fields: {error}", line=first_line)


def _parse_ecsv(lines, names_line, row_lines, rows, datatypes, problems):
    from astropy.io import ascii as astropy_ascii

    try:
        with warnings.catch_warnings(action="ignore"):
            table = astropy_ascii.read(lines, format="ecsv", guess=False)
    except Exception as error:  # astropy raises whatever numpy, YAML or a column's own class raised
        for line, cells in zip(row_lines, rows, strict=True):
            for cell, (name, datatype) in zip(cells, datatypes.items(), strict=True):
                if not _fits_datatype(cell, datatype):
                    problems.add(f"{shown(cell)} is not of type {datatype}", line=line, column=name)
        problems.stop_if_any()
        problems.stop(f"astropy can't read this table: {error}", line=names_line)
    if len(table) != len(rows):
        problems.stop("astropy reads other rows or columns than this file shows", line=names_line)
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
