"""Actions on work that a worker claims: the same for every kind of it."""

from collections.abc import Callable

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from opsdb.models import Status
from opsdb.workflows import settle_conflict

from ..kit.actions import Action, unless_in

RESETTABLE = (Status.FAILED, Status.SCHEDULED, Status.IN_PROGRESS)


def reset_by(workflow: Callable, *states: str) -> Action:
    """Return the action that makes failed work pending again."""
    return Action(
        name="reset",
        label=_("Reset"),
        about=_("Failed work, or work whose worker is gone, is pending again with all its retries."),
        run=lambda row, order: workflow(row),
        unless=unless_in(
            "status",
            *(states or RESETTABLE),
            because=_("It is %(state)s: only failed work, or work whose worker is gone, is reset."),
        ),
    )


def give_up_by(workflow: Callable) -> Action:
    """Return the action that lets work in progress fail for good, in the name of the worker that claimed it."""
    return Action(
        name="give_up",
        label=_("Give up"),
        about=_("Work that a worker has claimed fails for good with your reason, until somebody resets it."),
        run=lambda row, order: workflow(row, worker=row.claimed_by, message=order.message, retryable=False),
        unless=unless_in(
            "status", Status.IN_PROGRESS, because=_("It is %(state)s: only work in progress is given up.")
        ),
    )


SETTLE = Action(
    name="settle",
    label=_("Settle conflict"),
    about=_("It was reported a second time with another result; somebody has looked, and the record is right."),
    run=lambda row, order: settle_conflict(row),
    unless=lambda row: (
        "" if row.status == Status.COMPLETED and row.failure_message else gettext("No second report of it differs.")
    ),
)
