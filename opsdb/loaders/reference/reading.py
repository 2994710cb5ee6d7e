"""Reading reference files: YAML that is checked against the schema, every problem with its line and key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from .. import errors
from ..errors import PROBLEM_LIMIT, LoadError, LoadProblems, shown
from ..yaml_file import read_yaml
from .schema import schemas
from .topics import ArchiveMode, reference_models, writable_fields

INDEX_NAME = "index.yaml"
AT_LEVEL = {0: "this is not a mapping", 1: "this is not a list", 2: "this is not a row"}
TYPE_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number without quotes",
    "null": "null",
    "number": "a finite number without quotes",
    "object": "'field: value' pairs",
    "string": "a text, in quotes if YAML takes it for something else",
}


@dataclass(frozen=True)
class ReferenceEntry:
    """One row of a file; ``where`` is its path there, such as ``Telescope[0]``."""

    problems: LoadProblems
    where: str
    lines: dict[str, int]
    model: type[models.Model]
    values: dict[str, Any]

    def problem(self, message: str, field_name: str | None = None, expected: str = "") -> None:
        """Note a problem of this row, or of one of its fields."""
        place = f"{self.where}.{field_name}" if field_name else self.where
        self.problems.add(message, expected=expected, line=self.lines.get(place, self.lines[self.where]), column=place)


@dataclass
class ReferenceFile:
    """The content of one file: rows, models, and the lines of both."""

    problems: LoadProblems
    lines: dict[str, int]
    models: list[type[models.Model]]
    entries: list[ReferenceEntry]


def read_reference(directory: str | Path, archive_mode: ArchiveMode | None = None) -> list[ReferenceFile]:
    """Return all files of an index, in its order, checked as far as possible without a database.

    Args:
        directory: a folder with ``index.yaml``.
        archive_mode: which file to take if the index has one for each mode.

    Raises:
        LoadError: a file can't be read, or has unknown models or fields or invalid values.
    """
    indexed = _indexed_files(Path(directory), archive_mode or ArchiveMode.default())
    files = {path: _read_file(path) for path in indexed}
    for file in files.values():
        for entry in file.entries:
            _check_values(entry)
    chosen = [files[path] for path, is_chosen in indexed.items() if is_chosen]
    _check_keys([entry for file in chosen for entry in file.entries])
    stop_if_any(files.values())
    return chosen


def stop_if_any(files: Iterable[ReferenceFile]) -> None:
    """Raise LoadError with the first ``PROBLEM_LIMIT`` problems of all files, in their order, if there are any."""
    found = [problem for file in files for problem in file.problems.found]
    if found:
        raise LoadError(found[:PROBLEM_LIMIT], omitted=len(found) >= PROBLEM_LIMIT)


def _indexed_files(directory, archive_mode):
    """Return every file of the index in order, and whether it is loaded."""
    path = directory / INDEX_NAME
    problems = LoadProblems(path)
    document, lines = read_yaml(path, problems)
    _check_schema(document, "index.json", lines, problems)
    problems.stop_if_any()
    present = {file.name for file in directory.glob("*.yaml")}
    indexed, known = {}, {INDEX_NAME}
    for position, item in enumerate(document["files"]):
        where = f"files[{position}]"
        named = {where: item} if isinstance(item, str) else {f"{where}.{mode}": name for mode, name in item.items()}
        for place, name in named.items():
            if name not in present:
                problems.add(
                    f"file {shown(name)} is not beside the index",
                    expected="the name of a YAML file",
                    line=lines[place],
                    column=place,
                )
            if name in known:
                problems.add(f"{shown(name)} is named twice", line=lines[place], column=place)
            known.add(name)
            indexed[directory / name] = isinstance(item, str) or place == f"{where}.{archive_mode}"
    for name in sorted(present - known):
        problems.add(f"{name} is not in the index", expected="all files of the folder", line=lines["files"])
    problems.stop_if_any()
    return indexed


def _read_file(path):
    problems = LoadProblems(path)
    file = ReferenceFile(problems, {}, [], [])
    try:
        document, file.lines = read_yaml(path, problems)
        _check_schema(document, "reference.json", file.lines, problems)
        problems.stop_if_any()
    except LoadError as error:
        problems.found = list(error.problems)
        return file
    known = reference_models()
    for name, rows in document.items():
        file.models.append(known[name])
        for position, values in enumerate(rows):
            file.entries.append(ReferenceEntry(problems, f"{name}[{position}]", file.lines, known[name], dict(values)))
    return file


@cache
def _validator(name):
    from jsonschema import Draft202012Validator, validators

    def is_number(checker, value):
        try:
            return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        except OverflowError:  # a whole number beyond the range of double precision
            return False

    def is_integer(checker, value):
        return isinstance(value, int) and not isinstance(value, bool)

    checker = Draft202012Validator.TYPE_CHECKER.redefine_many({"number": is_number, "integer": is_integer})
    return validators.extend(Draft202012Validator, type_checker=checker)(schemas()[name])


def _check_schema(document, name, lines, problems):
    """Note where a document violates its schema, in the order of the file."""
    seen = set()
    found = []
    for error in _validator(name).iter_errors(document):
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)[1:]
        for place, message, expected in _describe(error, where):
            if (place, message) not in seen:
                seen.add((place, message))
                line = lines.get(place) or lines.get(where, 1)
                found.append((line, message, expected, place or None))
    for line, message, expected, place in sorted(found, key=lambda one: one[0]):
        problems.add(message, expected=expected, line=line, column=place)


def _describe(error, where):
    """Yield path, message and what is expected of an error of the schema."""
    value, wanted = error.instance, error.validator_value
    within = f"{where}." if where else ""
    kind = where.partition("[")[0]
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        for name in sorted(set(value) - set(known)):
            is_model = "$defs" in error.schema
            message = "is not a model of reference data" if is_model else f"is not a field of {kind or 'the index'}"
            yield within + name, f"{shown(name)} {message}", near(name, known)
    elif error.validator == "required":
        unknown = set(value) - set(error.schema["properties"])
        for name in wanted:
            if name not in value and not difflib.get_close_matches(name, unknown):
                yield within + name, f"{name} is missing", error.schema["properties"][name].get("description", "")
    elif "title" in error.schema and error.validator in ("type", "minItems", "maxItems", "minLength") and where:
        yield where, f"{shown(value)} does not identify a row", error.schema["title"]
    elif error.validator == "type":
        types = [wanted] if isinstance(wanted, str) else wanted
        message = AT_LEVEL.get(len(error.absolute_path), f"{shown(value)} is not a valid value of this field")
        yield where, message, " or ".join(TYPE_NAMES[one] for one in types)
    elif error.validator == "enum":
        yield (
            where,
            f"{shown(value)} is not a valid value of this field",
            f"one of {', '.join(str(one) for one in wanted if one)}",
        )
    elif error.validator == "maxLength":
        yield where, f"{shown(value)} is too long", f"at most {wanted} characters"
    elif error.validator in ("minLength", "minItems"):
        yield where, "this must not be empty", ""
    else:
        yield (
            where,
            f"{shown(value)} is not valid here",
            error.schema.get("description", "a file, or one for each mode"),
        )


def near(name: str, known: Iterable[str]) -> str:
    """Return which known names may have been meant; keys and names of fields are short, so less similar ones count."""
    return errors.near(name, known, cutoff=0.5, limit=30)


def _check_values(entry):
    """Convert every value to its type, and note which ones the field refuses."""
    fields = writable_fields(entry.model)
    for name, value in entry.values.items():
        if fields[name].is_relation:
            continue
        try:
            entry.values[name] = fields[name].clean(value, None)
        except ValidationError as error:
            entry.problem(" ".join(error.messages), name)


def _check_keys(entries):
    seen = {}
    for entry in entries:
        key = (entry.model, *(str(entry.values.get(name)) for name in entry.model.natural_key_fields))
        if key in seen:
            first = seen[key]
            entry.problem(f"this repeats the row at {first.problems.path.name}, {first.where}")
        seen[key] = entry
