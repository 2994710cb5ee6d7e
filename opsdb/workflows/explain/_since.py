"""Since when a row has been waiting, and what was changed since, according to its newest changes."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model

from opsdb.models import ChangeLog, Status
from opsdb.models.enums import ChangeOperation

LOOKED_AT = 50
"""How many changes of a row are looked at, the newest first: one walk along an index."""


def _changes_of(row):
    return list(ChangeLog.objects.of(row).values_list("changed_at", "operation", "after")[:LOOKED_AT])


def pending_since(row: Model, *fields: str) -> datetime | None:
    """Return when a row last became pending, or was made; None where its newest changes don't show it. One query.

    Args:
        row: the row.
        fields: its fields that may have become pending, or made it so.
    """
    changes = _changes_of(row)
    for changed_at, operation, after in changes:
        if operation == ChangeOperation.INSERT:
            return row.created_at
        if any((after or {}).get(name) == Status.PENDING for name in fields):
            return changed_at
    # A row that was inserted together with many others has no change of its own.
    is_whole = len(changes) < LOOKED_AT and bool(changes or row.updated_at == row.created_at)
    return row.created_at if is_whole else None


def was_changed_after(row: Model, field: str, moment: datetime) -> bool:
    """Return whether a field was changed after a time, according to the newest changes of its row. One query."""
    return any(
        changed_at > moment and operation == ChangeOperation.UPDATE and field in (after or {})
        for changed_at, operation, after in _changes_of(row)
    )
