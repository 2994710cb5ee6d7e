"""Which index serves a query of a big table, so that no other rows are read.

A page of rows costs little where an index leads to the rows of the asked values and gives them in the order of the
list. Any other way PostgreSQL reads rows until it has found a page of them: the whole table, if there are few.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.db.models import DateTimeField, F, Model, Q, UniqueConstraint


class _Access(NamedTuple):
    fields: tuple[str, ...]
    condition: Q | None


class Way(NamedTuple):
    """A way along an index.

    Attributes:
        columns: the columns of the index that one value each is asked of, in their order.
        order: the fields in whose order the index gives the rows; the key comes last.
    """

    columns: list[str]
    order: list[str]


def _accesses(model: type[Model]) -> Iterator[_Access]:
    """Yield what the indexes of a model's table lead to: those of fields, keys and constraints among them."""
    options = model._meta.concrete_model._meta
    yield _Access((options.pk.name,), None)
    for index in options.indexes:
        names = index.fields or _names_of(index.expressions)
        if names:
            yield _Access(tuple(name.removeprefix("-") for name in names), index.condition)
    for constraint in options.constraints:
        if isinstance(constraint, UniqueConstraint) and constraint.fields:
            yield _Access(tuple(constraint.fields), constraint.condition)
    for field in options.local_fields:
        if field.unique or field.db_index:
            yield _Access((field.name,), None)


def _names_of(expressions):
    """Return the names of columns in an index of expressions; nothing when it holds anything else."""
    columns = [getattr(one, "expression", one) for one in expressions]
    return [one.name for one in columns] if all(isinstance(one, F) for one in columns) else []


def _is_implied(condition: Q | None, values: Mapping[str, Any]) -> bool:
    """Whether the condition of an index holds of every row with these values."""
    if condition is None:
        return True
    if not isinstance(condition, Q):
        name, _, lookup = condition[0].partition("__")
        if name not in values:
            return False
        wanted = condition[1]
        return wanted is False if lookup == "isnull" else values[name] in (wanted if lookup == "in" else [wanted])
    if condition.negated:
        return all(
            not isinstance(part, Q) and part[0] in values and values[part[0]] != part[1] for part in condition.children
        )
    return condition.connector == Q.AND and all(_is_implied(part, values) for part in condition.children)


def _fixed_by(condition: Q | None) -> set[str]:
    """Return the columns of which the condition of an index allows one value."""
    if condition is None or condition.negated:
        return set()
    return {part[0] for part in condition.children if not isinstance(part, Q) and "__" not in part[0]}


def way_along(model: type[Model], values: Mapping[str, Any], along: str | None = None) -> Way | None:
    """Return the way along an index to the rows of these values, or None when no index serves them together.

    Args:
        model: the model, whose manager's condition counts too.
        values: what is asked of columns, by field name: one value each.
        along: the field by which the rows are sorted or of which a range is asked; by default the key, or a time.
    """
    key = model._meta.pk.name
    own = getattr(model._default_manager, "condition", None)
    # Where the rows of a proxy have indexes of their own, others lead past rows of its other kinds.
    is_rare = own is not None and any(index.condition == own for index in model._meta.concrete_model._meta.indexes)
    ways = []
    for access in _accesses(model):
        if access.condition != own and (is_rare or not _is_implied(access.condition, values)):
            continue
        asked = set(values) - (_fixed_by(access.condition) if access.condition != own else set())
        columns, rest = access.fields[: len(asked)], access.fields[len(asked) :]
        if set(columns) != asked or not _leads(model, rest, along):
            continue
        ways.append(Way([*columns], [*rest[: rest.index(key) if key in rest else len(rest)], key]))
    return min(ways, key=lambda way: len(way.order), default=None)


def _leads(model, rest, along):
    if not rest:
        return False
    if along is not None:
        return rest[0] == along
    return rest[0] == model._meta.pk.name or isinstance(model._meta.get_field(rest[0]), DateTimeField)


def is_sorted_by_index(model: type[Model], name: str) -> bool:
    """Return whether an index on all rows gives them in the order of a field."""
    return any(access.fields[0] == name and access.condition is None for access in _accesses(model))
