"""What the database refuses, raised as the workflows raise it."""

from contextlib import contextmanager

from django.db import IntegrityError

from .errors import Refused


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
