"""What a load does, row by row; shown before anything is written, and applied as it was shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db import models

from .tables import TableRow

CREATE, UPDATE, LEAVE, SKIP = "create", "update", "leave", "skip"
STEPS_KEPT = 200


@dataclass(frozen=True)
class PlanStep:
    """What happens to one row, and why.

    Attributes:
        what: create, update, leave or skip.
        model: verbose name of its model.
        label: name of the row.
        why: what differs.
        path, line: where a file describes it.
        facts: what people check before they load it, such as a position: name and value of each.
    """

    what: str
    model: str
    label: str
    why: str = ""
    path: Path | None = None
    line: int | None = None
    facts: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.what} {self.model} {self.label}{f' ({self.why})' if self.why else ''}"


@dataclass
class LoadPlan:
    """What a load would do, or with ``applied`` has done.

    Attributes:
        kind: name of the kind of files.
        files: names of the files.
        facts: numbers about the files, by what they count.
        totals: number of rows by what happens to them and verbose name of the model.
        steps: what happens to every row, the first ``STEPS_KEPT`` of each total.
        notes: sentences about what is unusual, but no error.
        applied: whether it was written.
        write: repeats the load and commits it, if it still has the fingerprint that is passed as ``promised``.
        digest: of all that the load does.
        written: keys of the rows that were created or updated, by model.
    """

    kind: str
    files: tuple[str, ...]
    facts: dict[str, int] = field(default_factory=dict)
    totals: Counter[tuple[str, str]] = field(default_factory=Counter)
    steps: list[PlanStep] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    applied: bool = False
    write: Callable[..., LoadPlan] | None = field(default=None, repr=False, compare=False)
    digest: Any = field(default_factory=sha256, repr=False, compare=False)
    written: dict[type[models.Model], list[Any]] = field(default_factory=dict, repr=False, compare=False)
    _names: dict[type[models.Model], str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def counted(self, what: str, model: str | None = None) -> int:
        """Return how many rows are created, updated, left or skipped.

        Args:
            what: create, update, leave or skip.
            model: verbose name of a model; rows of all models without it.
        """
        return sum(number for (one, name), number in self.totals.items() if one == what and model in (None, name))

    @property
    def changes_nothing(self) -> bool:
        """Whether no row is created or updated."""
        return not (self.counted(CREATE) or self.counted(UPDATE))

    def count(self, what: str, number: int) -> None:
        """Add to a number about the files."""
        self.facts[what] = self.facts.get(what, 0) + number

    def note(
        self,
        what: str,
        row: TableRow,
        model: type[models.Model],
        label: str,
        why: str = "",
        facts: Callable[[], Iterable[tuple[str, str]]] = tuple,
    ) -> None:
        """Add a step for a row of a file.

        Args:
            what: create, update, leave or skip.
            row: where the file describes it.
            model: its model.
            label: its name.
            why: what differs.
            facts: returns what people check before they load it; called for the steps that are kept.
        """
        name = self._names.get(model)
        if name is None:
            name = self._names[model] = str(model._meta.verbose_name)
        self.totals[what, name] += 1
        step = PlanStep(what, name, label, why, row.problems.path, row.line)
        self.digest.update(str(step).encode())
        if self.totals[what, name] <= STEPS_KEPT:
            self.steps.append(replace(step, facts=tuple(facts())))

    @property
    def fingerprint(self) -> str:
        """What a later load is given as ``promised``, so that it does this plan or nothing."""
        return self.digest.hexdigest()

    def apply(self) -> LoadPlan:
        """Load the files, and return what was done.

        Raises:
            LoadError: the database or a file has changed so that the load would differ from the plan; nothing was
                written.
        """
        if self.write is None:
            raise TypeError("this plan was not made by prepare() or load()")
        return self.write(promised=self.fingerprint)
