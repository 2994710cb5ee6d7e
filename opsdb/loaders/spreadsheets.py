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
    """Return the one sheet of a workbook as comma-separated values, its cells as they were entered.

    Args:
        content: of the file.
        problems: those of the file.

    Raises:
        LoadError: openpyxl is not installed, or the workbook has no or several sheets, or can't be read.
    """
    try:
        from openpyxl import load_workbook
    except ImportError:
        problems.stop("this is an Excel workbook", expected=f"{SAVE_AS}, or ops-db[xlsx] to be installed")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_WORKBOOK_BYTES:
                problems.stop("this workbook is too large", expected=f"at most {MAX_WORKBOOK_BYTES // 1024**2} MiB")
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = [
            (sheet.title, [[_cell_text(cell) for cell in row] for row in sheet.iter_rows()])
            for sheet in workbook.worksheets
            if sheet.sheet_state == "visible"
        ]
    except _Unclear as error:
        problems.stop(str(error), expected=f"a date with its time, or {SAVE_AS}")
    except LoadError:
        raise
    except Exception as error:  # openpyxl raises whatever zlib, zipfile, the parser of XML or its own classes raised
        problems.stop(f"this workbook can't be read: {error or type(error).__name__}", expected=SAVE_AS)
    filled = [(title, rows) for title, rows in sheets if any(map(any, rows))]
    if len(filled) != 1:
        named = ", ".join(title for title, _ in filled)
        problems.stop(
            f"this workbook has {len(filled)} sheets with cells{f': {named}' if named else ''}", expected="one"
        )
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(filled[0][1])
    return text.getvalue()


class _Unclear(Exception):
    pass


def _cell_text(cell):
    value = cell.value
    if value is None:
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
    raise _Unclear(f"cell {cell.coordinate} is a duration, {value}")
