"""Lists of raw data files (CSV with a header, or JSON lines), read a line at a time whatever their length."""

import csv
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID

from django.utils.dateparse import parse_datetime

from opsdb.models import DataLocation, InstrumentModule
from opsdb.workflows import RawFileReport, Registration, RegistrationRefused, register_raw_data_files
from opsdb.workflows.registration import COLUMNS

from .cells import CellError
from .errors import LoadProblems, listed, shown
from .json_text import JsonError, read_json
from .tables import CSV_RULES, in_words

REQUIRED = COLUMNS[:6]
MAX_LINE_CHARACTERS = 100_000


def load_raw_data_files(
    path: str | Path, *, watch: Callable[[Iterable[RawFileReport]], Iterable[RawFileReport]] = lambda reports: reports
) -> Registration:
    """Register the files of a list, all or none. Idempotent.

    The columns are the fields of ``RawFileReport``, the first six of which are needed. ``instrument_module`` is a
    number, ``instrument/module`` or ``telescope/instrument/module``, ``source_location`` a number or
    ``site/location``; times are ISO 8601 with a zone. Of JSON objects, keys and sizes may be numbers, all else is text.

    Args:
        path: the list; ``.csv``, or ``.jsonl`` with one JSON object a line.
        watch: wraps the reports as they are read, to show progress.

    Raises:
        LoadError: the file can't be read, it lists nothing, or lines are wrong or contradict what is recorded; nothing
            is registered.
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
            row = read_json(text)
        except JsonError as error:
            problems.stop(f"this {error}", expected="a JSON object on each line", line=line)
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
    modules = _PrimaryKeys(
        InstrumentModule, "instrument__telescope__short_name", "instrument__name", "name", shape="CHAI/LFA", least=2
    )
    locations = _PrimaryKeys(DataLocation, "site__short_name", "name", shape="ccat/chai_source", least=2)
    casts = {
        "id": _of_text(UUID, "a UUID"),
        "executed_obs_unit": _of_text(UUID, "a UUID"),
        "instrument_module": modules.number_of,
        "source_location": locations.number_of,
        "size_bytes": _size,
        "observed_at": _of_text(_aware_time, "a time with its zone, such as 2026-06-15T02:00:00Z"),
    }
    text = _of_text(str, "a text")
    line = None
    for line, row in rows:
        values = {}
        for name, value in row.items():
            if value in ("", None):
                continue
            try:
                values[name] = casts.get(name, text)(value)
            except CellError as error:
                problems.stop(str(error), expected=error.expected, line=line, column=name)
        missing = [name for name in REQUIRED if name not in values]
        if missing:
            problems.stop(f"{', '.join(missing)} is empty", expected="a value", line=line)
        yield RawFileReport(**values, line=line)
    if line is None:
        problems.stop("this list has no files", expected="at least one")


def _of_text(read, expected):
    """Return a function that reads a text, and refuses the other values that JSON has."""

    def of_text(value):
        if not isinstance(value, str):
            raise CellError(f"{_as_json(value)} is not a text", f"{expected}, in double quotes")
        try:
            return read(value)
        except ValueError:
            raise _unreadable(value, expected) from None

    return of_text


def _size(value):
    number = _whole_number(value)
    if number is None:
        raise _unreadable(value, "a whole number of bytes, such as 1500000000")
    return number


def _whole_number(value):
    """Return a number that is given as one or as digits; None for anything else."""
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"\s*[0-9]{1,20}\s*", value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _aware_time(text):
    moment = parse_datetime(text)
    if moment is None or moment.tzinfo is None:
        raise ValueError
    return moment


def _unreadable(value, expected):
    return CellError(f"{shown(value) if isinstance(value, str) else _as_json(value)} can't be read", expected)


def _as_json(value):
    return shown(json.dumps(value, ensure_ascii=False))[1:-1]


class _PrimaryKeys:
    """Primary keys of rows that a list names by number or by names with ``/`` between them.

    Args:
        model: of the rows.
        lookups: what their names consist of.
        shape: an example of a name.
        least: of how many parts a name consists at least; those before them may be left out if it fits one row only.
    """

    def __init__(self, model, *lookups, shape, least):
        self.shape, self.least = shape, least
        self.known: dict[str, dict[str, int]] = {}
        self.names = []
        for key, *parts in model.objects.order_by("pk").values_list("pk", *lookups):
            self.names.append("/".join(parts))
            for left_out in range(len(parts) - least + 1):
                self.known.setdefault("/".join(parts[left_out:]), {})[self.names[-1]] = key

    def number_of(self, value):
        found = self.known.get(value, {}) if isinstance(value, str) else {}
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            several = listed(f"{name} (number {key})" for name, key in found.items())
            raise CellError(f"{shown(value)} may be each of {several}", "the whole name or the number of one of them")
        number = _whole_number(value)
        if number is None:
            raise _unreadable(value, f"a number or a name such as {self.shape}; there are {listed(self.names)}")
        return number
