"""What in loaded rows is allowed and probably a mistake, as notes of the plan."""

from __future__ import annotations

from collections.abc import Callable

from opsdb.models import Downtime, ObsUnit, PreScheduledSlot, Source, TimeAllocation
from opsdb.workflows import find_planning_warnings

from .plan import LoadPlan

WARNED_OF = (Source, ObsUnit, PreScheduledSlot, Downtime, TimeAllocation)
MOST_ROWS = 2_000
"""Rows of a model that are looked at."""
MOST_NOTES = 20


def note_planning_warnings(plan: LoadPlan, sees: Callable[..., bool] | None = None) -> None:
    """Add to the notes of a plan what is probably a mistake in the rows that its load has written.

    Args:
        plan: of a load that has been written, and not committed yet.
        sees: returns whether who reads the notes may view rows of all models that it is called with; everything
            without it.
    """
    rows, more = [], False
    for model, keys in plan.written.items():
        if issubclass(model, WARNED_OF):
            rows += model._default_manager.filter(pk__in=keys[:MOST_ROWS]).order_by("pk")
            more = more or len(keys) > MOST_ROWS
    warnings = find_planning_warnings(rows) if rows else []
    if sees is not None:
        warnings = [one.for_viewer(sees) for one in warnings]
    plan.notes += [f"{warning}." for warning in warnings[:MOST_NOTES]]
    if len(warnings) > MOST_NOTES:
        plan.notes.append(f"{len(warnings) - MOST_NOTES:,} more of such warnings are not shown.")
    if more:
        plan.notes.append(f"Only the first {MOST_ROWS:,} rows of each table were looked at for such warnings.")
