"""Changes of state. The tables of allowed steps are in ``opsdb.models.enums``; the database enforces them too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import Model

from opsdb.models.enums import StateChoices

from .errors import InvalidTransition, NotFound, name_row

Row = TypeVar("Row", bound=Model)


def move_state(
    row: Row,
    to: StateChoices,
    *,
    field: str = "status",
    only_from: Iterable[StateChoices] | None = None,
    **changes: Any,
) -> Row:
    """Take a row to another state by a compare-and-set, refresh ``row``, and return it.

    Of two callers that move the same row at once, one succeeds. The row is locked until the transaction ends.

    Args:
        row: the row; its key counts, not the state of the instance.
        to: the new state.
        field: the field that holds the state.
        only_from: the states to leave, if not every state that the table allows.
        changes: other fields to set with it.

    Raises:
        InvalidTransition: the row is in a state that ``to`` may not follow.
        NotFound: there is no such row.
    """
    model = type(row)
    states = StateChoices.of(model._meta.get_field(field))
    only_from = None if only_from is None else list(only_from)
    allowed = [state for state in states if to in state.may_become and (only_from is None or state in only_from)]
    manager = model._default_manager
    if not manager.filter(pk=row.pk, **{f"{field}__in": allowed}).update(**{field: to}, **changes):
        before = manager.filter(pk=row.pk).values_list(field, flat=True).first()
        if before is None:
            raise NotFound(f"{name_row(model, row.pk)}: there is no such row; check its key")
        before = states(before)
        raise InvalidTransition(name_row(model, row.pk), field, before, states(to), before.may_become - {states(to)})
    row.refresh_from_db(fields=[field, *changes])
    return row
