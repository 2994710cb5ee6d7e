"""Problems of files, and the error that a loader raises with them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from opsdb.normalization import escape_unstorable
from opsdb.workflows import OpsdbError

PROBLEM_LIMIT = 100
SHOWN_VALUE_LENGTH = 60


def shown(value: object) -> str:
    """Return a value for a one-line message: quoted, escaped and cut to a readable length."""
    text = str(value) if not isinstance(value, str) else value
    if len(text) > SHOWN_VALUE_LENGTH:
        text = f"{text[:SHOWN_VALUE_LENGTH]}…"
    return repr(text)


def listed(names: Iterable[object], limit: int = 12) -> str:
    """Return names for a message, sorted, separated by commas and cut after ``limit``."""
    names = sorted(map(str, names), key=str.casefold)
    if not names:
        return "none"
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def near(name: object, known: Iterable[object], *, cutoff: float = 0.6, limit: int = 12) -> str:
    """Return what a wrong name may have meant, for a message: similar names, or the known ones if there are none.

    Args:
        name: the wrong name.
        known: the right ones.
        cutoff: similarity that a name needs, as for ``difflib.get_close_matches``.
        limit: number of known names that are listed.
    """
    known = {str(one).casefold(): str(one) for one in known}
    close = difflib.get_close_matches(str(name).casefold(), known, 3, cutoff)
    return f"{' or '.join(known[one] for one in close)}?" if close else f"one of {listed(known.values(), limit)}"


@dataclass(frozen=True)
class LoadProblem:
    """One problem of a file: where it is, what is wrong, which value, and what would be right."""

    path: Path
    message: str
    expected: str = ""
    line: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = escape_unstorable(str(self.path))
        if self.line is not None:
            place += f", line {self.line}"
        if self.column is not None:
            place += f", {self.column}"
        value = "" if self.value is None else f"{shown(self.value)} "
        expected = f"; expected {self.expected}" if self.expected else ""
        return " ".join(f"{place}: {value}{self.message}{expected}".split())


class LoadError(OpsdbError):
    """Files were refused and nothing was written.

    Attributes:
        problems: why, one line each.
        omitted: whether there are more than these.
    """

    def __init__(self, problems: Iterable[LoadProblem], omitted: bool = False):
        self.problems = tuple(problems)
        self.omitted = omitted
        super().__init__(*self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems]
        if self.omitted:
            lines.append(f"Only the first {len(self.problems)} problems are listed.")
        return "\n".join(lines)


class LoadProblems:
    """Collects the problems of the files of one call, so that all are reported at once.

    Args:
        path: the file whose problems are noted.
        all_files: those of the whole call, to which these are added.
    """

    def __init__(self, path: str | Path, all_files: LoadProblems | None = None):
        self.path = Path(path)
        self.found: list[LoadProblem] = [] if all_files is None else all_files.found
        self._of_one_file = all_files is not None

    def __bool__(self) -> bool:
        """Return whether there are any; with ``all_files`` only those of this file count."""
        return any(problem.path == self.path for problem in self.found) if self._of_one_file else bool(self.found)

    def add(
        self,
        message: str,
        *,
        expected: str = "",
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
    ) -> None:
        """Note a problem.

        Raises:
            LoadError: there are ``PROBLEM_LIMIT`` of them.
        """
        self.found.append(LoadProblem(self.path, message, expected, line, column, value))
        if len(self.found) >= PROBLEM_LIMIT:
            raise LoadError(self.found, omitted=True)

    def stop_if_any(self) -> None:
        """Raise LoadError with all problems found so far, in the order of files and lines, if there are any."""
        if self:
            paths = list(dict.fromkeys(problem.path for problem in self.found))
            raise LoadError(sorted(self.found, key=lambda problem: (paths.index(problem.path), problem.line or 0)))

    def stop(
        self,
        message: str,
        *,
        expected: str = "",
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
    ) -> NoReturn:
        """Note a problem after which reading on makes no sense, and raise LoadError."""
        self.found.append(LoadProblem(self.path, message, expected, line, column, value))
        self.stop_if_any()
