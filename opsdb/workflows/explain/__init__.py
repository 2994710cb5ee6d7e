"""Why a row is not where it should be, what has to happen next, and who does it. Nothing is locked.

Each module explains the rows of some models; they register their functions by ``explains``.
"""

from __future__ import annotations

from django.db.models import Model

from ..errors import NotFound, Refused, name_row
from ..finding import FINDABLE, find_row
from . import (  # noqa: F401 - they register explainers
    copies,
    deletion_requests,
    observations,
    packages,
    runs,
    staging,
    steps,
    transfers,
)
from ._explanation import EXPLAINERS, Explanation, with_conflict

__all__ = ["Explanation", "explain_row"]


def explain_row(row: Model | str) -> Explanation:
    """Return why a row is not where it should be: a package not archived, a transfer not moving, a copy not deleted, a
    request not decided, a run not starting; what has to happen next, and who does it.

    Args:
        row: a row, or a text for :func:`find_row`.

    Raises:
        NotFound, Ambiguous: as :func:`find_row`.
        Refused: rows of its kind need no explanation.
    """
    if isinstance(row, str):
        row = find_row(row)
    for model, explainer in EXPLAINERS.items():
        if isinstance(row, model):
            current = model._default_manager.filter(pk=row.pk).first()
            if current is None:
                raise NotFound(f"{name_row(model, row.pk)}: there is no such row; check its key")
            return with_conflict(explainer(current), current)
    raise Refused(f"{name_row(type(row), row.pk)}: there is nothing to explain; ask for {', '.join(FINDABLE)}")
