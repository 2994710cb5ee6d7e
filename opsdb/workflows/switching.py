"""Pause and enable what operators may make inactive: locations, routes and pipelines."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model

from opsdb.models import DataLocation, DataTransferRoute, Pipeline

from .errors import NotFound, name_row

Switchable = TypeVar("Switchable", bound=DataLocation | DataTransferRoute | Pipeline)
# The field with whether a row is active.
_SWITCHES: dict[type[Model], str] = {DataLocation: "active", DataTransferRoute: "active", Pipeline: "enabled"}


def get_switch_field(model: type[Model]) -> str:
    """Return the name of the field with whether rows of a model are active.

    Args:
        model: that of locations, routes or pipelines, or a subtype.
    """
    return next(name for kind, name in _SWITCHES.items() if issubclass(model, kind))


def pause_resource(row: Switchable) -> Switchable:
    """Make a location, route or pipeline inactive, and return it.

    Work in progress there continues; nothing new is planned. Idempotent. Locks the row.

    Raises:
        NotFound: there is no such row.
    """
    return _switch(row, active=False)


def enable_resource(row: Switchable) -> Switchable:
    """Make a location, route or pipeline active, and return it. Idempotent. Locks the row.

    Raises:
        NotFound: there is no such row.
    """
    return _switch(row, active=True)


def _switch(row, *, active):
    field = get_switch_field(type(row))
    rows = type(row)._default_manager.filter(pk=row.pk)
    if not rows.exclude(**{field: active}).update(**{field: active}) and not rows.exists():
        raise NotFound(f"{name_row(type(row), row.pk)}: there is no such row; check its key")
    row.refresh_from_db(fields=[field])
    return row
