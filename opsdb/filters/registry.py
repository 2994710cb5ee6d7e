"""The filter set of each model."""

from types import ModuleType
from typing import Any

from django.db.models import Model

from . import (
    archive,
    copies,
    data,
    execution,
    failures,
    history,
    locations,
    observatory,
    planning,
    publications,
    reduction,
    transfer,
)
from .base import OpsFilterSet

AREAS: list[ModuleType] = [
    observatory,
    planning,
    execution,
    data,
    locations,
    copies,
    transfer,
    archive,
    failures,
    reduction,
    publications,
    history,
]
FILTERSETS: dict[type[Model], type[OpsFilterSet[Any]]] = {
    one._meta.model: one
    for area in AREAS
    for one in (getattr(area, name) for name in area.__all__)
    if isinstance(one, type) and issubclass(one, OpsFilterSet)
}
"""Filter sets by model, in the order of the areas."""


def filterset_for(model: type[Model]) -> type[OpsFilterSet[Any]]:
    """Return the filter set of a model.

    Raises:
        LookupError: it has none.
    """
    try:
        return FILTERSETS[model]
    except KeyError:
        raise LookupError(
            f"{model._meta.label} has no filter set; opsdb.filters.FILTERSETS names those that do"
        ) from None
