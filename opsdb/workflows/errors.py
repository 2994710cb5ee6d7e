"""Errors that workflows raise. Every message names the row, the reason, and the remedy.

All errors derive from :class:`OpsdbError`, so that one ``except`` catches whatever a workflow refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, models
from django.utils import timezone

from opsdb.database.refusals import explain_refusal
from opsdb.formatting import format_minute
from opsdb.row_labels import place_of

if TYPE_CHECKING:
    from opsdb.models import DataLocation
    from opsdb.models.enums import StateChoices

    from .reconciliation import Reconciliation

MAX_REPORTED = 100


def name_row(model: type[models.Model], pk: object) -> str:
    """Return how messages name a row: its table and key.

    Args:
        model: the model of the row.
        pk: its primary key, as in the database; a row need not exist.
    """
    return f"{model._meta.db_table} {pk}"


class OpsdbError(Exception):
    """Base of all errors of this package."""


class InvalidTransition(OpsdbError):
    """A row may not take this step from the state it is in.

    Attributes:
        row: table and key of the row.
        field: the field that holds the state.
        before: the state it is in.
        after: the requested state.
        allowed: the states that it can change to.
    """

    def __init__(
        self, row: str, field: str, before: StateChoices, after: StateChoices, allowed: Iterable[StateChoices]
    ) -> None:
        self.row, self.field, self.before, self.after = row, field, before, after
        self.allowed = sorted(allowed, key=lambda state: state.order)
        could = f"it can become: {', '.join(self.allowed)}" if self.allowed else f"leave it, because {before} is final"
        super().__init__(f"{row}: {field} cannot go from {before} to {after}; {could}")


class NotFound(OpsdbError):
    """There is no such row."""


class Conflict(OpsdbError):
    """A report contradicts what is recorded; nothing was changed."""


class CompletionConflict(Conflict):
    """Work was completed, and a second report of it differs; the record stays, and the item has a note of it.

    Attributes:
        item: the work.
        what: who reported what instead, and when.
    """

    def __init__(self, item: Any, what: str) -> None:
        self.item = item
        finished = type(item)._default_manager.filter(pk=item.pk).values_list("claimed_by", "finished_at").first()
        by, at = finished or ("", None)
        self.what = f"{what} ({format_minute(timezone.now())} UTC)"
        super().__init__(
            f"{name_row(type(item), item.pk)}: was completed by {by or 'somebody'}"
            + (f" at {format_minute(at)} UTC" if at else "")
            + f"; {self.what}; nothing was changed: have the copy checked, then settle the conflict"
        )


class Refused(OpsdbError):
    """A rule refuses this; the message names the rule and the row."""


class LostClaim(OpsdbError):
    """The work no longer belongs to this worker: it was reset, or another worker claimed it."""


class ClaimEnded(LostClaim, InvalidTransition):
    """The work is in progress no more: it was reset, has failed or is completed since this worker claimed it.

    Attributes:
        row, field, before, after, allowed: as of :class:`InvalidTransition`.
    """

    def __init__(self, row: str, field: str, before: StateChoices, after: StateChoices, worker: str) -> None:
        InvalidTransition.__init__(self, row, field, before, after, before.may_become)
        OpsdbError.__init__(
            self,
            f"{row}: {worker} has no claim on it any more, because its {field} is {before}; stop, and claim other work",
        )


class Ambiguous(OpsdbError):
    """Several rows match; the message names them.

    Attributes:
        names: table and key of each.
    """

    def __init__(self, text: str, names: list[str]) -> None:
        self.names = names
        super().__init__(f"{text!r} may be any of: {', '.join(names)}; name one of them")


class NoRoute(Refused):
    """No route leads there with the routes and locations as they are now."""


class NoRoom(NoRoute):
    """A route leads there, and every location at its end is full.

    Attributes:
        location: the first location that is full.
    """

    def __init__(self, message: str, location: DataLocation) -> None:
        self.location = location
        super().__init__(message)


class RegistrationRefused(OpsdbError):
    """Some rows are wrong or contradict what is recorded; nothing was written.

    Attributes:
        problems: pairs of line number (from 1) and what is wrong there, at most 100.
    """

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        self.problems = problems
        more = "" if len(problems) < MAX_REPORTED else " (and perhaps more)"
        lines = "; ".join(f"line {line}: {problem}" for line, problem in problems[:3])
        wrong = "1 line is" if len(problems) == 1 else f"{len(problems)} lines are"
        super().__init__(
            f"nothing was registered, because {wrong} wrong{more}: {lines}{' …' if len(problems) > 3 else ''}; "
            "correct that, and register all lines again"
        )


class ReconciliationAborted(Refused):
    """Too much is missing to trust the listing; nothing was changed.

    Attributes:
        found: result of the comparison.
    """

    def __init__(self, location: DataLocation, found: Reconciliation, threshold: float) -> None:
        self.found = found
        super().__init__(
            f"{name_row(type(location), location.pk)} ({place_of(location)}): {found.missing} of {found.expected} "
            f"copies are not listed, more than {threshold:.1%}; "
            + (found.advice or "look at the listing first, then repeat with a higher threshold if it is right")
        )


@contextmanager
def translate_integrity_errors() -> Iterator[None]:
    """Raise what a rule of the database refuses as :class:`Refused`, in the words of that rule.

    Put a ``atomic()`` inside, so that a surrounding transaction can continue.
    """
    try:
        yield
    except IntegrityError as error:
        details: Any = getattr(error.__cause__, "diag", None)
        if details is None or not details.message_primary:
            raise
        raise Refused(_in_words(error, details)) from error


def _in_words(error, details) -> str:
    """Return the message of a trigger with its hint, or else the message of the constraint in the model or table."""
    if details.message_hint:
        return f"{details.message_primary}. {details.message_hint}"
    refusal = explain_refusal(error)
    if refusal is None:
        return details.message_primary
    # A trigger of a host project need not name a table.
    return f"{details.table_name}: {refusal.text}" if details.table_name else refusal.text


@contextmanager
def translate_check_errors(row: models.Model) -> Iterator[None]:
    """Raise what a CHECK on this row refuses as :class:`Refused`, with the model's message: PostgreSQL only names it.

    Put a ``atomic()`` inside, so that a surrounding transaction can continue.

    Args:
        row: the row that the block saves; the message names it by its table and key.
    """
    try:
        yield
    except IntegrityError as error:
        broken = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        for check in row._meta.constraints:
            if isinstance(check, models.CheckConstraint) and check.name == broken:
                raise Refused(f"{name_row(type(row), row.pk)}: {check.violation_error_message}") from error
        raise
