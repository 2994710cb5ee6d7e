"""Writing a row and saying in a person's words why it was refused."""

from __future__ import annotations

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DatabaseError, transaction


def try_to_save(row, members=None, **how) -> list[tuple[str | None, str]]:
    """Save a row and the members of its many-to-many fields, all or nothing.

    The constraints are left to the database, which checks them anyway; Django's own check, a query for each, is
    done only for the words of a refusal.

    Args:
        row: an instance with new or changed fields.
        members: rows by many-to-many field.
        how: arguments of ``save``.

    Returns:
        Why the row was refused: field, or None, and message of every reason; nothing if it was saved.
    """
    try:
        row.clean_fields()
        row.clean()
        with transaction.atomic():
            row.save(**how)
            for name, new in (members or {}).items():
                getattr(row, name).set(new)
        return []
    except ValidationError as error:
        return _reasons(error)
    except DatabaseError as error:
        return _reasons_of_database(row, error)


def _reasons_of_database(row, error):
    try:
        row.full_clean()
    except ValidationError as invalid:
        return _reasons(invalid)
    return [(None, f"the database says: {str(error).splitlines()[0]}")]


def _reasons(error):
    reasons = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    return [(None if name == NON_FIELD_ERRORS else name, " ".join(messages)) for name, messages in reasons.items()]
