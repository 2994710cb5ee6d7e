"""Loading of planning files: a whole file is checked, then written in one transaction or not at all.

    plan = prepare("sources", ["list.csv"], on_conflict="update")   # everything is checked, nothing is written
    plan.counted("create"), plan.steps, plan.notes                  # what would happen
    plan.apply()                                                    # do exactly that

:func:`load` does both at once, :func:`export` writes rows as a file, and :func:`kinds` returns the kinds of files,
each a :class:`TableKind`, or a :class:`FileKind` if its files are no tables. :func:`recognize_kind` returns the kind of
a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any, TextIO
from zlib import crc32

from django.db import DatabaseError, models, transaction

from opsdb.database.aliases import atomic, writing_alias, writing_connection
from opsdb.normalization import escape_unstorable

from .errors import PROBLEM_LIMIT, LoadError, LoadProblem, LoadProblems
from .kind import FileKind, KindOption, TableKind
from .loading import ON_CONFLICT, Loading
from .plan import CREATE, LEAVE, SKIP, STEPS_KEPT, UPDATE, LoadPlan, PlanStep
from .planning_notes import note_planning_warnings
from .progress import Progress
from .recognition import Likeness, UnknownKindError, closest_kind
from .text_files import LoadFile, path_of, read_text, readable_again

__all__ = [
    "CREATE",
    "LEAVE",
    "ON_CONFLICT",
    "PROBLEM_LIMIT",
    "SKIP",
    "STEPS_KEPT",
    "UPDATE",
    "FileKind",
    "KindOption",
    "Likeness",
    "LoadError",
    "LoadFile",
    "LoadPlan",
    "LoadProblem",
    "PlanStep",
    "Progress",
    "TableKind",
    "UnknownKindError",
    "export",
    "kinds",
    "load",
    "prepare",
    "recognize_kind",
]

LOCK_NUMBER = crc32(b"opsdb load")


@cache
def kinds() -> dict[str, FileKind]:
    """Return every kind by its name, in the order in which a season's files are loaded."""
    # Kinds name models, which Django has only once all apps are loaded.
    from .allocations import Allocations
    from .downtimes import Downtimes
    from .obs_units import ObsUnits
    from .season import Season
    from .slots import Slots
    from .sources import Sources

    found: list[FileKind] = [Sources(), ObsUnits(), Allocations(), Downtimes(), Slots()]
    return {kind.name: kind for kind in (*found, Season(found))}


def recognize_kind(file: LoadFile) -> FileKind:
    """Return the kind of a file, by its content alone; its name does not count, and no query is made.

    A table is of the kind that has the most columns of its header, where misspelt names count, too; at least half of
    the header must be of the kind. Errors of the file are for :func:`prepare` to find.

    Args:
        file: a path, or an open binary file such as an upload. A pipe can be read only once.

    Raises:
        UnknownKindError: it is of no kind, or as well of one kind as of another.
        LoadError: it can't be read.
    """
    problems = LoadProblems(path_of(file))
    return closest_kind(kinds().values(), read_text(file, problems), problems)


def prepare(
    kind: str,
    files: LoadFile | Iterable[LoadFile],
    *,
    progress: Progress | None = None,
    sees: Callable[..., bool] | None = None,
    **options: Any,
) -> LoadPlan:
    """Check files and return what loading them would do; nothing is written.

    Args:
        kind: name of a kind, see :func:`kinds`.
        files: paths, or open binary files such as uploads.
        progress: wraps a list that takes long to go through, called with it and a description.
        sees: returns whether the reader of the plan may view rows of all models that it is called with; its notes name
            no others. Left out, they name every row.
        options: options of the kind by their names in Python, and ``on_conflict``: what happens to an existing row
            with different values, ``error`` (default), ``skip`` or ``update``.

    Raises:
        LoadError: the files are wrong; ``problems`` lists why, at most ``PROBLEM_LIMIT`` of them.
        TypeError: an option is unknown, or needed and missing.

    Locks: as :func:`load`, until it returns.
    """
    return _run(kinds()[kind], files, options, commit=False, progress=progress, sees=sees)


def load(
    kind: str,
    files: LoadFile | Iterable[LoadFile],
    *,
    progress: Progress | None = None,
    promised: str | None = None,
    **options: Any,
) -> LoadPlan:
    """Load files, all of them or nothing, and return what was done.

    Args:
        kind, files, progress, options: as for :func:`prepare`.
        promised: fingerprint of the plan that a person agreed to, perhaps in an earlier request; the load is refused
            if it would differ.

    Raises:
        LoadError: the files are wrong, or the load would differ from the plan.
        TypeError: an option is unknown, or needed and missing.

    Locks: the advisory lock of loads, so that one load at a time decides which rows are new.
    """
    return _run(kinds()[kind], files, options, commit=True, progress=progress, promised=promised)


def export(kind: str, queryset: models.QuerySet, stream: TextIO) -> None:
    """Write rows as a file of a kind; loading it changes nothing.

    Args:
        kind: name of a kind of tables.
        queryset: rows of its model.
        stream: a text file opened with ``newline=""``.
    """
    kinds()[kind].export(queryset, stream)


def _run(kind, files, options, *, commit, progress=None, promised=None, sees=None):
    files = [files] if isinstance(files, str | Path) or hasattr(files, "read") else list(files)
    files = [readable_again(file) for file in files]
    plan = LoadPlan(
        kind.name,
        tuple(escape_unstorable(path_of(file).name) for file in files),
        write=partial(_run, kind, files, options, commit=True, sees=sees),
    )
    loading = Loading(kind, files, kind.complete(options), plan, progress)
    with atomic():
        with writing_connection().cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_NUMBER])
            # Triggers would go on with plans that the session made when a table was small.
            cursor.execute("DISCARD PLANS")
        kind.load(loading, files)
        loading.problems.stop_if_any()
        try:
            writing_connection().check_constraints()
        except DatabaseError as error:
            loading.problems.stop(f"the database reports: {str(error).splitlines()[0]}")
        if promised and plan.fingerprint != promised:
            raise LoadError([LoadProblem(loading.problems.path, "the load would differ from its plan", "a new plan")])
        note_planning_warnings(plan, sees)
        if not commit:
            transaction.set_rollback(True, using=writing_alias())
    plan.applied = commit
    return plan
