"""Workbooks of Excel as the text of a table."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime, time

from .errors import LoadError, LoadProblems

SIGNATURE = b"PK\x03\x04"
MAX_WORKBOOK_BYTES = 256 * 1024 * 1024
SAVE_AS = "CSV (in Excel: save as “CSV UTF-8”)"


def is_workbook(content: bytes) -> bool:
    """Whether a file's content is that of a workbook."""
    return content.startswith(SIGNATURE)


def workbook_text(content: bytes, problems: LoadProblems) -> str:
    """Return the one sheet of a workbook as comma-separated values, its cells as they were entered or calculated.

    The values of formulas are those that a spreadsheet program stored when it saved the workbook.

    Args:
        content: of the file.
        problems: those of the file.

    Raises:
        LoadError: openpyxl is not installed, the workbook has no or several sheets or can't be read, or a cell has an
            error, a duration, or a formula whose value isn't stored.
    """
    try:
        from openpyxl import load_workbook
    except ImportError:
        problems.stop("this is an Excel workbook", expected=f"{SAVE_AS}, or ops-db[xlsx] to be installed")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_WORKBOOK_BYTES:
                problems.stop("this workbook is too large", expected=f"at most {MAX_WORKBOOK_BYTES // 1024**2} MiB")
        # openpyxl gives either the stored values of formulas or the formulas.
        values = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        formulas = load_workbook(io.BytesIO(content), read_only=True)
        sheets = [
            (sheet.title, _texts(sheet, entered, problems))
            for sheet, entered in zip(values.worksheets, formulas.worksheets, strict=True)
            if sheet.sheet_state == "visible"
        ]
    except LoadError:
        raise
    except Exception as error:  # openpyxl raises whatever zlib, zipfile, the parser of XML or its own classes raised
        problems.stop(f"this workbook can't be read: {error or type(error).__name__}", expected=SAVE_AS)
    problems.stop_if_any()
    filled = [(title, rows) for title, rows in sheets if any(map(any, rows))]
    if len(filled) != 1:
        named = ", ".join(title for title, _ in filled)
        problems.stop(
            f"this workbook has {len(filled)} sheets with cells{f': {named}' if named else ''}", expected="one"
        )
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(filled[0][1])
    return text.getvalue()


class _UnclearCell(Exception):
    """A cell has no value that could be meant; the arguments are what is wrong, and what would be right."""


def _texts(sheet, formulas, problems):
    """Return the texts of the cells of a sheet, row by row; what is wrong with cells is noted."""
    rows = []
    for row, entered in zip(sheet.iter_rows(), formulas.iter_rows(), strict=True):
        texts = []
        for cell, formula in zip(row, entered, strict=True):
            try:
                texts.append(_cell_text(cell, is_formula=formula.data_type == "f"))
            except _UnclearCell as error:
                wrong, expected = error.args
                problems.add(f"cell {cell.coordinate} {wrong}", expected=expected, line=cell.row)
        rows.append(texts)
    return rows


def _cell_text(cell, *, is_formula):
    value = cell.value
    if cell.data_type == "e":
        raise _UnclearCell(f"has the error {value}", "a value, or an empty cell")
    if value is None:
        # A formula whose result is the empty text has that type.
        if is_formula and cell.data_type != "str":
            raise _UnclearCell(
                "has a formula whose value is not stored",
                f"the value, a workbook that Excel or LibreOffice has calculated and saved, or {SAVE_AS}",
            )
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        # Excel has one type for days and times; how a cell is shown decides which it is.
        shows_time = "h" in (cell.number_format or "").lower()
        return value.isoformat(sep=" ") if shows_time or value.time() != time(0) else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, int | str):
        return str(value)
    raise _UnclearCell(f"is a duration, {value}", f"a date with its time, or {SAVE_AS}")
