"""Writing a row, with readable reasons if it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DatabaseError, models, transaction


def try_to_save(
    row: models.Model, members: Mapping[str, Iterable[models.Model]] | None = None, **how: Any
) -> list[tuple[str | None, str]]:
    """Save a row and the members of its many-to-many fields, all or nothing.

    Constraints are left to the database, which checks them anyway; Django's own checks, a query each, run only to
    word a refusal.

    Args:
        row: an instance with new or changed fields.
        members: rows by many-to-many field.
        how: arguments of ``save``.

    Returns:
        Why the row was refused: field, or None, and message of every reason; an empty list if it was saved.
    """
    try:
        row.clean_fields()
        row.clean()
        with transaction.atomic():
            row.save(**how)
            set_members(row, members or {})
        return []
    except ValidationError as error:
        return _reasons(error)
    except DatabaseError as error:
        return _reasons_of_database(row, error)


def set_members(row: models.Model, members: Mapping[str, Iterable[models.Model]]) -> None:
    """Set the members of a row's many-to-many fields."""
    for name, new in members.items():
        getattr(row, name).set(new)


def _reasons_of_database(row, error):
    try:
        row.full_clean()
    except ValidationError as invalid:
        return _reasons(invalid)
    return [(None, f"the database reports: {str(error).splitlines()[0]}")]


def _reasons(error):
    reasons = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    return [(None if name == NON_FIELD_ERRORS else name, " ".join(messages)) for name, messages in reasons.items()]
