"""What a loader says when a file is not as it should be."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

PROBLEM_LIMIT = 100
SHOWN_VALUE_LENGTH = 60


def shown(value: object) -> str:
    """Return a value as it may stand in a one-line message: quoted, escaped and cut to a readable length."""
    text = str(value) if not isinstance(value, str) else value
    if len(text) > SHOWN_VALUE_LENGTH:
        text = f"{text[:SHOWN_VALUE_LENGTH]}…"
    return repr(text)


def listed(names, limit=12) -> str:
    """Return names in a row for a message, cut after ``limit``."""
    names = sorted(map(str, names), key=str.casefold)
    if not names:
        return "none"
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def near(name, known) -> str:
    """Return what a wrong name may have meant, for a message: near names, else the known ones."""
    known = {str(one).casefold(): str(one) for one in known}
    close = difflib.get_close_matches(str(name).casefold(), known, 3, 0.6)
    return f"{' or '.join(known[one] for one in close)}?" if close else f"one of {listed(known.values())}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a file: where, what, which value, and what would be right."""

    path: Path
    message: str
    expected: str = ""
    line: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = str(self.path)
        if self.line is not None:
            place += f", line {self.line}"
        if self.column is not None:
            place += f", {self.column}"
        value = "" if self.value is None else f"{shown(self.value)} "
        expected = f"; expected {self.expected}" if self.expected else ""
        return " ".join(f"{place}: {value}{self.message}{expected}".split())


class LoadError(Exception):
    """A file was refused and nothing was written. ``problems`` says why, one line each."""

    def __init__(self, problems, omitted=False):
        self.problems = tuple(problems)
        self.omitted = omitted
        super().__init__(*self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems]
        if self.omitted:
            lines.append(f"Only the first {len(self.problems)} problems are listed.")
        return "\n".join(lines)


class Problems:
    """Collects the problems of the files of one call, so that a person can mend them all at once.

    Args:
        path: the file that problems are noted of.
        all_files: the problems of the whole call, which these are added to.
    """

    def __init__(self, path, all_files: Problems | None = None):
        self.path = Path(path)
        self.found: list[Problem] = [] if all_files is None else all_files.found
        self._of_one_file = all_files is not None

    def __bool__(self) -> bool:
        """Whether there are any, in a part of a call only those of its file."""
        return any(problem.path == self.path for problem in self.found) if self._of_one_file else bool(self.found)

    def add(self, message, *, expected="", line=None, column=None, value=None) -> None:
        """Note a problem; raises LoadError at once when there are more than a person would read."""
        self.found.append(Problem(self.path, message, expected, line, column, value))
        if len(self.found) >= PROBLEM_LIMIT:
            raise LoadError(self.found, omitted=True)

    def stop_if_any(self) -> None:
        """If there are any, raise LoadError with everything found so far, file by file and line by line."""
        if self:
            paths = list(dict.fromkeys(problem.path for problem in self.found))
            raise LoadError(sorted(self.found, key=lambda problem: (paths.index(problem.path), problem.line or 0)))

    def stop(self, message, *, expected="", line=None, column=None, value=None):
        """Note a problem after which reading on makes no sense, and raise LoadError."""
        self.found.append(Problem(self.path, message, expected, line, column, value))
        self.stop_if_any()
