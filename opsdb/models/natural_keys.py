"""Natural keys: the fields by which people identify a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def natural_key_method(cls: Any) -> Callable[[Any], tuple[Any, ...]]:
    """Return the method of a model that returns a row's natural key, from its ``natural_key_fields``."""

    def natural_key(self: Any) -> tuple[Any, ...]:
        parts = []
        for name in cls.natural_key_fields:
            value = getattr(self, name)
            parts += value.natural_key() if cls._meta.get_field(name).is_relation else [value]
        return tuple(parts)

    natural_key.__doc__ = f"Return the natural key: {', '.join(cls.natural_key_fields)}."
    natural_key.dependencies = [
        field.remote_field.model._meta.label_lower
        for field in map(cls._meta.get_field, cls.natural_key_fields)
        if field.is_relation
    ]
    return natural_key


def natural_key_lookups(model: Any, prefix: str = "") -> list[str]:
    """Return the lookups of a model's natural key, references resolved (``telescope__name``)."""
    lookups = []
    for name in model.natural_key_fields:
        field = model._meta.get_field(name)
        if field.is_relation:
            lookups += natural_key_lookups(field.related_model, f"{prefix}{name}__")
        else:
            lookups.append(prefix + name)
    return lookups
