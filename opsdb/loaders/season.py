"""A whole season: an index lists files of all kinds, which are loaded in its order, all or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from opsdb.database.aliases import atomic

from .cells import ReferenceCell, TextCell
from .errors import PROBLEM_LIMIT, LoadError, LoadProblems, near, shown
from .kind import FileKind
from .loading import ON_CONFLICT, Loading
from .recognition import Likeness
from .relative_files import WrongReference, resolve_reference
from .tables import read_table
from .text_files import LoadFile, first_lines
from .yaml_file import read_yaml

# The kinds that the rows of a kind refer to, in the order of loading.
DEPENDS_ON = {"obs-units": ("sources",), "slots": ("sources", "obs-units")}
ALWAYS_TABLES = {"obs-units"}
FIRST_KEY = re.compile(r"""["']?(load|season)["']?\s*:(\s|$)""")
ENTRY_KEYS = ("kind", "files", "options")


@dataclass(frozen=True)
class SeasonEntry:
    """One entry of an index, and its line there."""

    kind: FileKind
    files: list[Path]
    options: dict
    line: int


class Season(FileKind):
    """Everything that a season needs, from one index.

    Args:
        kinds: what an index may name.
    """

    name = "all"
    help = "a whole season: the files that an index names, in its order"
    description = "Load all files that a YAML index names, in its order and in one transaction."
    example = "manage.py opsdb_load all season.yaml --dry-run"
    looks = "YAML that begins with load: or season:"

    def __init__(self, kinds: Iterable[FileKind]):
        self.kinds = {kind.name: kind for kind in kinds}

    def likeness(self, text: str) -> Likeness:
        """Return that a text is an index if its first key is one of an index."""
        lines = (line for line in first_lines(text) if line.strip() and not line.startswith(("#", "---", "%")))
        return Likeness(is_format=FIRST_KEY.match(next(lines, "")) is not None)

    def load(self, loading: Loading, files: Sequence[LoadFile]) -> None:
        if len(files) != 1 or hasattr(files[0], "read"):
            loading.problems.stop(
                "a season is loaded from one index file with its files beside it", expected="one path"
            )
        entries = read_index(files[0], self.kinds, loading.problems_of(files[0]), loading.options["on_conflict"])
        wrong: dict[str, Path] = {}
        for entry in entries:
            before = [wrong[name] for name in DEPENDS_ON.get(entry.kind.name, ()) if name in wrong]
            try:
                if before:
                    _check_cells(entry, before[0], loading)
                else:
                    _load(entry, loading)
            except LoadError as error:
                wrong.setdefault(entry.kind.name, error.problems[0].path)
                loading.problems.found += error.problems
                if error.omitted or len(loading.problems.found) >= PROBLEM_LIMIT:
                    raise LoadError(loading.problems.found[:PROBLEM_LIMIT], omitted=True) from None
        if loading.problems:
            raise LoadError(loading.problems.found)


def read_index(
    path: str | Path, kinds: Mapping[str, FileKind], problems: LoadProblems, on_conflict: str = "error"
) -> list[SeasonEntry]:
    """Return the entries of an index.

    Args:
        path: the index; its files are beside it or below its folder.
        kinds: what it may name.
        problems: those of the index.
        on_conflict: of entries without an option of their own.

    Raises:
        LoadError: the index is wrong; every problem names its line and key.
    """
    document, lines = read_yaml(path, problems)
    wanted = "'load:' with a list of entries, each with 'kind' and 'files'"
    if not isinstance(document, dict) or not isinstance(document.get("load"), list) or not document["load"]:
        problems.stop("this index loads nothing", expected=wanted, line=lines.get("load", 1))
    for key in document.keys() - {"load", "season"}:
        problems.add(f"unknown key {shown(key)}", expected="load or season", line=lines[key], column=key)
    if not isinstance(document.get("season", ""), str):
        problems.add("this is not a name", expected="a text", line=lines["season"], column="season")
    entries = [
        _entry(given, kinds, f"load[{position}]", lines, path, problems, on_conflict)
        for position, given in enumerate(document["load"])
    ]
    problems.stop_if_any()
    return entries


def _entry(given, kinds, where, lines, path, problems, on_conflict):
    def problem(message, key=None, expected=""):
        place = f"{where}.{key}" if key else where
        problems.add(message, expected=expected, line=lines.get(place, lines[where]), column=place)

    if not isinstance(given, dict):
        problem("this is not an entry", expected="'kind', 'files' and optionally 'options'")
        return None
    for key in given.keys() - {*ENTRY_KEYS}:
        problem(f"unknown key {shown(key)}", key, "kind, files or options")
    kind = kinds.get(given["kind"]) if isinstance(given.get("kind"), str) else None
    if kind is None:
        problem(f"{shown(given.get('kind', ''))} is not a kind of file", "kind", near(given.get("kind", ""), kinds))
    files = _files(given.get("files"), path, problem)
    options = given.get("options")
    options = {} if options is None else options
    if not isinstance(options, dict):
        problem("these are not options", "options", "'option: value' pairs")
    elif kind:
        options = _options(kind, options, on_conflict, problem)
    return SeasonEntry(kind, files, options, lines[where])


def _files(given, path, problem):
    files = [given] if isinstance(given, str) else given
    if not isinstance(files, list) or not files or not all(isinstance(name, str) and name for name in files):
        problem("files are missing", "files", "the name of a file, or a list of them")
        return []
    found = []
    for name in files:
        try:
            found.append(resolve_reference(path, name))
        except WrongReference as error:
            problem(error.args[0], "files", error.args[1])
    return found


def _options(kind, given, on_conflict, problem):
    """Return the options of an entry, noting those that the command would refuse."""
    known = {option.name: option for option in kind.options}
    named, spelled = {"on_conflict": on_conflict}, {}
    for text, value in given.items():
        name = text.replace("-", "_")
        if name in spelled:
            problem(f"{shown(text)} and {shown(spelled[name])} are one option", f"options.{text}", "one of them")
        named[name], spelled[name] = value, text
    for name, value in list(named.items()):
        if name == "on_conflict":
            choices, wanted = ON_CONFLICT, f"one of {', '.join(ON_CONFLICT)}"
        elif name not in known:
            problem(f"{kind.name} has no option {shown(name)}", f"options.{name}", near(name, {*known, "on_conflict"}))
            del named[name]
            continue
        elif known[name].how.get("action") == "store_true":
            choices, wanted = (True, False), "true or false"
        else:
            choices = known[name].how.get("choices")
            wanted = f"one of {', '.join(choices)}" if choices else "a text"
        if value not in choices if choices else not isinstance(value, str):
            problem(f"{shown(value)} is not a valid value of this option", f"options.{name}", wanted)
            del named[name]
    try:
        return kind.complete(named)
    except TypeError as error:
        problem(str(error), "options")
        return {}


def _load(entry, loading):
    """Load the files of an entry in a savepoint, so that other entries are checked even if it has problems."""
    inner = _nested(entry, loading)
    with atomic():
        entry.kind.load(inner, entry.files)
        inner.problems.stop_if_any()


def _check_cells(entry, before, loading):
    """Check the files of an entry as far as possible although files that it depends on have errors."""
    inner = _nested(entry, loading)
    for file in entry.files:
        problems = inner.problems_of(file)
        if tables := entry.kind.name in ALWAYS_TABLES:
            columns = [
                replace(column, cell=TextCell()) if isinstance(column.cell, ReferenceCell) else column
                for column in entry.kind.columns
            ]
            try:
                read_table(file, columns, problems)
            except LoadError as error:
                if error.omitted:
                    raise
        checked = "only the cells were checked" if tables else "this was not checked"
        problems.add(f"{checked}, because it depends on {before.name}, which has errors")
    inner.problems.stop_if_any()


def _nested(entry, loading):
    return Loading(entry.kind, entry.files, entry.options, loading.plan, loading.progress)
