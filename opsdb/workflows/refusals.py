"""What the database refuses, raised as the workflows raise it."""

from contextlib import contextmanager

from django.db import IntegrityError, models

from .errors import Refused
from .states import name_of


@contextmanager
def as_refused():
    """Raise what a rule of the database refuses as ``Refused``, with its message and its hint.

    Put a ``transaction.atomic()`` within, so that a transaction around can go on.
    """
    try:
        yield
    except IntegrityError as error:
        details = getattr(error.__cause__, "diag", None)
        if details is None or not details.message_primary:
            raise
        raise Refused(". ".join(filter(None, (details.message_primary, details.message_hint)))) from error


@contextmanager
def as_refused_check(row):
    """Raise what a CHECK on this row refuses as ``Refused``, in the words of the model: PostgreSQL only names it.

    Put a ``transaction.atomic()`` within, so that a transaction around can go on.
    """
    try:
        yield
    except IntegrityError as error:
        broken = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        for check in row._meta.constraints:
            if isinstance(check, models.CheckConstraint) and check.name == broken:
                raise Refused(f"{name_of(type(row), row.pk)}: {check.violation_error_message}") from error
        raise
