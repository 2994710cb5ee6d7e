"""What the database refuses, as a message for people instead of a server error."""

from django.apps import apps
from django.db import DataError, IntegrityError, connections, models
from django.forms import BaseForm
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from opsdb.database.withholding import shown_detail

from .values import with_row_labels

# SQLSTATE classes and codes (PostgreSQL manual, appendix A) that blame the row and not the server.
INTEGRITY = "23"
NOT_NULL = "23502"
DATA = "22"
RAISED = "P0001"
# What Django raises for what the database refuses.
REFUSED = (IntegrityError, DataError)


class Refusal(Exception):
    """A change that the database refused: the text for people and, where known, the field it is about."""

    def __init__(self, text: str, field: str | None = None):
        super().__init__(text)
        self.text = text
        self.field = field

    @classmethod
    def of(cls, error: Exception) -> "Refusal":
        """Read a database error; anything that is no refusal is raised again."""
        if isinstance(error, models.ProtectedError | models.RestrictedError):
            return cls(capfirst(str(error.args[0])))
        cause = error.__cause__
        state = getattr(cause, "sqlstate", None) or ""
        if not (state == RAISED or state.startswith((INTEGRITY, DATA)) or isinstance(error, DataError)):
            raise error
        details = getattr(cause, "diag", None)
        constraint = _constraint(details.constraint_name) if details else None
        message = constraint and constraint.violation_error_message
        if message and message != constraint.default_violation_error_message:
            return cls(str(message), getattr(constraint, "field", None))
        if state == NOT_NULL:
            text = _("%(field)s must be given.") % {"field": capfirst(details.column_name)}
            return cls(text, details.column_name)
        texts = details and (details.message_primary, details.message_hint or shown_detail(details))
        text = ". ".join(text.rstrip(".") for text in texts if text) + "." if texts else str(error)
        return cls(with_row_labels(text), details and details.column_name)

    def add_to(self, form: BaseForm) -> None:
        """Put it beside its field, or above the form where that has no such field."""
        form.add_error(self.field if self.field in form.fields else None, self.text)


def _constraint(name):
    """Return the declared constraint of this name, or None."""
    for model in apps.get_models(include_auto_created=True):
        for constraint in model._meta.constraints:
            if constraint.name == name:
                return constraint
    return None


def check_now(using: str) -> None:
    """Let the database check what it would check at the end of the transaction, while it can still be answered."""
    connections[using].check_constraints()
