"""Which columns of a model an index leads to, in which order."""

from collections.abc import Iterable

from django.db.models import Model


def _indexed(model):
    """Yield the fields of each index that covers the rows of a model and ends with the key."""
    options = model._meta.concrete_model._meta
    # A proxy whose manager has a condition may have indexes of the rows that meet it.
    covering = (None, getattr(model._default_manager, "condition", None))
    for index in options.indexes:
        if index.condition in covering and index.fields[-1:] == [options.pk.name]:
            yield index.fields


def leading_fields(model: type[Model]) -> set[str]:
    """Return the fields of which an index gives the rows of one value in the order of the key."""
    return {fields[0] for fields in _indexed(model) if len(fields) == 2}


def index_led_by(model: type[Model], names: Iterable[str]) -> list[str] | None:
    """Return the fields of an index that gives the rows of one value of each of these fields in order, or None."""
    return next((fields for fields in _indexed(model) if {*fields[: len(names)]} == {*names}), None)
