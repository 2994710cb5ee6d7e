"""A warning about a plan: its text, and who may see which part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Model

from .errors import name_row


class PlanningProblem(StrEnum):
    """What is probably a mistake."""

    NEVER_RISES = "never rises"
    RECIPE = "recipe does not fit"
    MODULES = "no modules"
    DOWNTIME = "downtime"
    ELEVATION = "elevation"
    ALLOCATION = "allocation"
    PROGRAM = "program"


@dataclass(frozen=True)
class PlanningWarning:
    """A property of a plan that is allowed and probably a mistake.

    Attributes:
        kind: what is probably a mistake.
        subject: what has it, such as ``slot 2026-11-26 06:00``.
        problem: what is unusual.
        remedy: what to do unless it is meant.
        field: the field that would have to change.
        row: table and key of what has it; empty for a row that is not saved yet.
        names: models of the rows that the problem and the remedy name.
        outline: the problem, for people who may not view rows of these models.
        general_remedy: the remedy for these people; empty where it names no row.
        subject_names: models of other rows that the subject names.
        subject_outline: the subject, for people who may not view rows of those models.
    """

    kind: PlanningProblem
    subject: str
    problem: str
    remedy: str
    field: str
    row: str = ""
    names: tuple[type[Model], ...] = ()
    outline: str = ""
    general_remedy: str = ""
    subject_names: tuple[type[Model], ...] = ()
    subject_outline: str = ""

    def for_viewer(self, sees: Callable[..., bool]) -> PlanningWarning:
        """Return the warning as a person may read it: without names of rows that they may not view.

        Args:
            sees: returns whether the person may view rows of all models that it is called with.
        """
        warning = self
        if not sees(*self.names):
            warning = replace(warning, problem=self.outline, remedy=self.general_remedy or self.remedy)
        return warning if sees(*self.subject_names) else replace(warning, subject=self.subject_outline)

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem}; {self.remedy}"


class Subject(NamedTuple):
    """What a warning is about, where it is called by other rows."""

    text: str
    names: tuple[type[Model], ...]
    outline: str


def warning_about(
    row: Model,
    subject: str | Subject,
    kind: PlanningProblem,
    field: str,
    problem: str,
    remedy: str,
    names: tuple[type[Model], ...],
    outline: str,
    general_remedy: str = "",
) -> PlanningWarning:
    """Return a warning about a row.

    Args:
        row: the row; it need not be saved.
        subject: how the warning names the row; a :class:`Subject` where that names other rows.
        kind: what is probably a mistake.
        field: the field that would have to change.
        problem: what is unusual.
        remedy: what to do unless it is meant.
        names: models of the rows that the problem and the remedy name.
        outline: the problem, for people who may not view rows of these models.
        general_remedy: the remedy for these people; empty where the remedy names no row.
    """
    key = name_row(type(row), row.pk) if row.pk else ""
    text, others, general = subject if isinstance(subject, Subject) else (subject, (), "")
    return PlanningWarning(kind, text, problem, remedy, field, key, names, outline, general_remedy, others, general)
