"""Lists of raw data files (CSV with a header, or JSON lines), read a line at a time whatever their length."""

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID

from django.utils.dateparse import parse_datetime

from opsdb.models import DataLocation, InstrumentModule
from opsdb.workflows import RawFileReport, Registration, RegistrationRefused, register_raw_data_files
from opsdb.workflows.registration import COLUMNS

from .errors import LoadProblems, listed, shown
from .tables import CSV_RULES, in_words

REQUIRED = COLUMNS[:6]
MAX_LINE_CHARACTERS = 100_000


def load_raw_data_files(
    path: str | Path, *, watch: Callable[[Iterable[RawFileReport]], Iterable[RawFileReport]] = lambda reports: reports
) -> Registration:
    """Register the files of a list, all or none. Idempotent.

    The columns are the fields of ``RawFileReport``, the first six of which are needed. ``instrument_module`` is a
    number or ``instrument/module``, ``source_location`` a number or ``site/location``; times are ISO 8601 with a
    zone.

    Args:
        path: the list; ``.csv``, or ``.jsonl`` with one JSON object a line.
        watch: wraps the reports as they are read, to show progress.

    Raises:
        LoadError: the file can't be read, or lines are wrong or contradict what is recorded; nothing is registered.
    """
    path = Path(path)
    problems = LoadProblems(path)
    rows_of = {".csv": _csv_rows, ".jsonl": _json_rows}.get(path.suffix.lower())
    if rows_of is None:
        problems.stop("unknown kind of file", expected="a name that ends in .csv or .jsonl")
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return register_raw_data_files(watch(_reports(rows_of(stream, problems), problems)))
    except RegistrationRefused as refused:
        for line, problem in refused.problems:
            problems.add(problem, line=line)
        problems.stop_if_any()
        raise
    except OSError as error:
        problems.stop(f"this file can't be read: {error.strerror or error}")
    except UnicodeDecodeError:
        problems.stop("this is not UTF-8 text", expected="UTF-8; save it again with that encoding")


def _bounded_lines(stream, problems):
    number = 0
    while text := stream.readline(MAX_LINE_CHARACTERS):
        number += 1
        if "\0" in text:
            problems.stop("contains a NUL byte", expected="plain text", line=number)
        if len(text) == MAX_LINE_CHARACTERS and not text.endswith("\n"):
            problems.stop("this line is too long", expected=f"at most {MAX_LINE_CHARACTERS} characters", line=number)
        yield text


def _csv_rows(stream, problems):
    """Yield line and row of a CSV list whose first line names the columns."""
    reader = csv.reader(_bounded_lines(stream, problems), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_names(header, problems, line=1)
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                problems.stop(
                    f"there are {len(row)} fields", expected=f"{len(header)}, as the header has", line=reader.line_num
                )
            yield reader.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        problems.stop(f"this is not CSV: {in_words(error)}", expected=CSV_RULES, line=reader.line_num)


def _json_rows(stream, problems):
    """Yield line and row of a list of JSON objects."""
    for line, text in enumerate(_bounded_lines(stream, problems), 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except ValueError as error:
            problems.stop(f"this is not JSON: {error}", expected="a JSON object on each line", line=line)
        if not isinstance(row, dict):
            problems.stop(f"this is {shown(text.strip())}", expected="a JSON object", line=line)
        _check_names(row, problems, line)
        yield line, row


def _check_names(names, problems, line):
    names = list(names)
    for wrong, expected in (
        ([name for name in REQUIRED if name not in names], "columns {} are missing"),
        ([name for name in names if name not in COLUMNS], "unknown columns {}"),
        ([name for name in set(names) if names.count(name) > 1], "repeated columns {}"),
    ):
        if wrong:
            problems.stop(expected.format(listed(wrong)), expected=f"of {', '.join(COLUMNS)}", line=line)


def _reports(rows, problems):
    """Yield a report for every row, with primary keys for names."""
    modules = _PrimaryKeys(InstrumentModule, "instrument__name", "name", shape="CHAI/LFA")
    locations = _PrimaryKeys(DataLocation, "site__short_name", "name", shape="ccat/chai_source")
    casts = {
        "id": UUID,
        "executed_obs_unit": UUID,
        "instrument_module": modules.number_of,
        "source_location": locations.number_of,
        "size_bytes": _whole_number,
        "observed_at": _aware_time,
    }
    for line, row in rows:
        values = {}
        for name, value in row.items():
            if value in ("", None):
                continue
            try:
                values[name] = casts.get(name, _text)(value if isinstance(value, str) else str(value))
            except ValueError as error:
                problems.stop(f"{shown(value)} can't be read", expected=str(error), line=line, column=name)
        missing = [name for name in REQUIRED if name not in values]
        if missing:
            problems.stop(f"{', '.join(missing)} is empty", expected="a value", line=line)
        yield RawFileReport(**values, line=line)


def _text(value):
    return value


def _whole_number(text):
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number of bytes, such as 1500000000") from None


def _aware_time(text):
    moment = parse_datetime(text)
    if moment is None or moment.tzinfo is None:
        raise ValueError("a time with its zone, such as 2026-06-15T02:00:00Z")
    return moment


class _PrimaryKeys:
    """Primary keys of rows that a list names by number or by ``one/other``."""

    def __init__(self, model, *lookups, shape):
        self.known = {"/".join(names): key for key, *names in model.objects.order_by("pk").values_list("pk", *lookups)}
        self.shape = shape

    def number_of(self, text):
        if text in self.known:
            return self.known[text]
        if text.isascii() and text.isdigit():
            return int(text)
        raise ValueError(f"a number or a name such as {self.shape}; there are {listed(self.known)}")
