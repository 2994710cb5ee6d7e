"""Why something was refused, as an answer for people and programs, whatever refused it.

``explain(error)`` takes what Django raises for a violated rule of the database, also at the end of a transaction,
and what workflows and models raise.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, connections, models, router
from django.utils.text import capfirst

from .database.refusals import Refusal, RefusalKind, explain_refusal, row_in
from .row_labels import with_row_labels
from .workflows import NotFound, OpsdbError, RegistrationRefused

__all__ = ["REFUSED", "Refusal", "RefusalKind", "check_deferred_rules", "explain", "refusal_of"]

#: What Django raises for what the database refuses.
REFUSED = (IntegrityError, DataError)
SLOT_OVERLAP = "pre_scheduled_slot_no_overlap"


def refusal_of(error: Exception) -> Refusal:
    """Explain an error; what is no refusal is raised again."""
    refusal = explain(error)
    if refusal is None:
        raise error
    return refusal


def explain(error: BaseException) -> Refusal | None:
    """Return what was refused and why; None for an error of any other kind, such as a lost connection.

    Args:
        error: what Django raises for what the database refuses (``IntegrityError``, ``DataError``, ``InternalError``),
            psycopg's own error, ``ProtectedError``, ``ValidationError``, or an error of :mod:`opsdb.workflows`. For a
            slot at a time that is taken, up to three queries find the slots there and the next free time, unless the
            transaction is broken: roll it back, at least to a savepoint, before.
    """
    if isinstance(error, models.ProtectedError | models.RestrictedError):
        return Refusal(str(capfirst(str(error.args[0]))))
    if isinstance(error, ValidationError):
        return _of_validation(error)
    if isinstance(error, OpsdbError):
        return _of_workflow(error)
    refusal = explain_refusal(error)
    if refusal is not None and refusal.rule == SLOT_OVERLAP:
        from .workflows._slot_refusals import with_slots_in_the_way  # needs the models

        return with_slots_in_the_way(refusal, error)
    return refusal


def check_deferred_rules(using: str | None = None) -> None:
    """Let the database check now what it would check at the end of the transaction, while it can still be answered.

    Call it inside the transaction, before a view returns.

    Args:
        using: the database (default: the one that ops-db's models are written to).

    Raises:
        IntegrityError: a rule is violated; see :func:`explain`.
    """
    connections[using or router.db_for_write(apps.get_model("opsdb", "Site"))].check_constraints()


def _of_validation(error):
    if not hasattr(error, "error_dict"):
        return Refusal(" ".join(error.messages), kind=RefusalKind.INVALID)
    field, messages = next(iter(error.message_dict.items()))
    return Refusal(" ".join(messages), None if field == "__all__" else field, kind=RefusalKind.INVALID)


def _of_workflow(error):
    kind = RefusalKind.CONFLICT
    if isinstance(error, NotFound):
        kind = RefusalKind.NOT_FOUND
    elif isinstance(error, RegistrationRefused):
        kind = RefusalKind.INVALID
    cause: Any = getattr(error.__cause__, "__cause__", None)
    rule = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return Refusal(
        str(capfirst(with_row_labels(str(error)))), getattr(error, "field", None), rule, row_in(str(error)), kind
    )
