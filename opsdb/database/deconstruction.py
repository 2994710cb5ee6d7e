"""How migrations name what is declared: in Django's words, so that they don't depend on ours."""

import copy
from types import MethodType
from typing import Any, Self

from django.db import models

# Texts for people, and what is for their forms; the database does not hold it, and a change of it is no migration.
LEFT_OUT = ("blank", "choices", "editable", "help_text", "verbose_name", "violation_error_message")


class DeconstructsAsDjango:
    """Let migrations name Django's own class of a constraint or index."""

    _django_module: str

    def deconstruct(self) -> Any:
        _, args, kwargs = super().deconstruct()  # type: ignore[misc]
        django_class = next(base for base in type(self).__mro__ if base.__module__.startswith("django."))
        return f"{self._django_module}.{django_class.__name__}", args, _without_texts(kwargs)

    def clone(self) -> Self:
        return copy.copy(self)

    def __eq__(self, other: object) -> bool:
        return hasattr(other, "deconstruct") and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash(self.name)  # type: ignore[attr-defined]


def leave_out_texts(field: models.Field) -> None:
    """Let migrations leave out a field's texts for people and for forms; its comment in the database stays."""
    field.deconstruct = MethodType(_deconstruct_without_texts, field)  # type: ignore[method-assign]


def _deconstruct_without_texts(field):
    name, path, args, kwargs = type(field).deconstruct(field)
    return name, path, args, _without_texts(kwargs)


def _without_texts(kwargs):
    left_out = {*LEFT_OUT, "default"} if "db_default" in kwargs else LEFT_OUT  # one value serves rows and new objects
    return {key: value for key, value in kwargs.items() if key not in left_out}
