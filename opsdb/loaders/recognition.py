"""Which kind of file a text is: by what it has, never by the file's name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cells import TableColumn
from .errors import LoadError, LoadProblem, LoadProblems

if TYPE_CHECKING:
    from .kind import FileKind

NAMES_LOOKED_AT = 200
LONGEST_NAME = 60
NEARLY = 0.8
"""Similarity from which on a name in a header is taken for a misspelt one, as ``difflib`` measures it."""


class UnknownKindError(LoadError):
    """A file is of no kind that is loaded, or as well of one kind as of another.

    Attributes:
        problems: one, whose message names the kinds, and whose ``expected`` lists what files of every kind have.
        kinds: those that it is as well of; none, if it is of no kind.
    """

    def __init__(self, problem: LoadProblem, kinds: Iterable[FileKind]):
        super().__init__([problem])
        self.kinds = tuple(kinds)


@dataclass(frozen=True)
class Likeness:
    """How much a text looks like the files of a kind.

    Attributes:
        is_format: whether it has what only a format of the kind has, which is no table.
        columns: the columns of the kind that its header names, rightly or nearly.
        names: how many names its header has.
        exact: how many of them are names of these columns, and not only nearly.
        needed: how many of these columns the kind needs.
        is_complete: whether every column is named rightly that the kind needs.
    """

    is_format: bool = False
    columns: frozenset[str] = frozenset()
    names: int = 0
    exact: int = 0
    needed: int = 0
    is_complete: bool = False

    @property
    def is_table(self) -> bool:
        """Whether at least half of the header is of the kind; two thirds, where no column is there that it needs."""
        known = len(self.columns)
        return known > 0 and (2 * known >= self.names if self.needed else 3 * known >= 2 * self.names)

    @property
    def rank(self) -> tuple[int, int, bool]:
        """What is compared among kinds of tables: the one with the most columns is meant."""
        return len(self.columns), self.exact, self.is_complete

    def rivals(self, other: Likeness) -> bool:
        """Return whether a text might be meant for this kind as well as for another one that it looks like more.

        So it is if it has all that this kind needs, and of the columns that only one of the two kinds has more than
        half as many are of this one as of the other.
        """
        own, others = len(self.columns - other.columns), len(other.columns - self.columns)
        return self.is_table and (self.rank == other.rank or (self.is_complete and 2 * own > others))


def table_likeness(header: Sequence[str], columns: Sequence[TableColumn]) -> Likeness:
    """Return how much the header of a table looks like that of a table of some columns.

    Args:
        header: the names in it.
        columns: what the table may have.
    """
    known = {name.casefold(): column.name for column in columns for name in (column.name, *column.aliases)}
    given = [name.casefold()[:LONGEST_NAME] for name in header[:NAMES_LOOKED_AT] if name]
    exact = {known[name] for name in given if name in known}
    near = {known[one] for name in given if name not in known for one in _close(name, known)}
    needed = {column.name for column in columns if column.required}
    columns = frozenset(exact | near)
    return Likeness(False, columns, len(given), len(exact), len(columns & needed), needed <= exact)


def closest_kind(kinds: Iterable[FileKind], text: str, problems: LoadProblems) -> FileKind:
    """Return the kind that a text is of.

    Args:
        kinds: those that it may be of.
        text: of the file.
        problems: those of the file.

    Raises:
        UnknownKindError: it is of none of them, or as well of one as of another.
    """
    found = {kind: kind.likeness(text) for kind in kinds}
    looked_for = "; or ".join(f"{kind.name}: {kind.looks}" for kind in found)
    tables = sorted((kind for kind in found if found[kind].is_table), key=lambda kind: found[kind].rank, reverse=True)
    meant = [kind for kind in tables if kind is tables[0] or found[kind].rivals(found[tables[0]])]
    if not meant:
        meant = [kind for kind in found if found[kind].is_format]
    if len(meant) == 1:
        return meant[0]
    message = "this is none of the kinds of files that are loaded"
    if meant:
        message = f"this looks like {' as well as '.join(kind.name for kind in meant)}"
        looked_for = f"what only one kind has: {looked_for}"
    raise UnknownKindError(LoadProblem(problems.path, message, looked_for, 1), meant)


def _close(name, known):
    return difflib.get_close_matches(name, known, 1, NEARLY)
