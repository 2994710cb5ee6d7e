"""Changes of state. The tables of what may follow what are in ``opsdb.models.enums``; the database keeps them too."""

from django.db.models import Model

from opsdb.models.enums import StateChoices

from .errors import InvalidTransition, NotFound


def name_of(model: type[Model], pk) -> str:
    """Return how messages name a row: its table and key."""
    return f"{model._meta.db_table} {pk}"


def move(row: Model, to, *, field: str = "status", only_from=None, **changes) -> Model:
    """Take a row to another state by a compare-and-set, and bring ``row`` up to date.

    Of two callers that move the same row at once, one succeeds. The row is locked until the transaction ends.

    Args:
        row: the row; its key counts, not what it remembers.
        to: the state to go to.
        field: the field that holds the state.
        only_from: the states to leave, if not every state that the table allows.
        changes: other fields to set with it.

    Raises:
        InvalidTransition: the row is in a state that ``to`` may not follow.
        NotFound: there is no such row.
    """
    model = type(row)
    states = StateChoices.of(model._meta.get_field(field))
    allowed = [state for state in states if to in state.may_become and (only_from is None or state in only_from)]
    manager = model._default_manager
    if not manager.filter(pk=row.pk, **{f"{field}__in": allowed}).update(**{field: to}, **changes):
        before = manager.filter(pk=row.pk).values_list(field, flat=True).first()
        if before is None:
            raise NotFound(f"{name_of(model, row.pk)}: there is no such row")
        before = states(before)
        raise InvalidTransition(name_of(model, row.pk), field, before, states(to), before.may_become - {states(to)})
    row.refresh_from_db(fields=[field, *changes])
    return row
