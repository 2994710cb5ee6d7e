"""Pausing and enabling what operators may put out of use: locations, routes and pipelines."""

from django.db.models import Model

from opsdb.models import DataLocation, DataTransferRoute, Pipeline

from .errors import NotFound
from .states import name_of

# The field of each that says whether it is in use.
SWITCHES = {DataLocation: "active", DataTransferRoute: "active", Pipeline: "enabled"}


def switch_of(model: type[Model]) -> str:
    """Return the name of the field that says whether rows of a model are in use."""
    return next(name for kind, name in SWITCHES.items() if issubclass(model, kind))


def pause(row: DataLocation | DataTransferRoute | Pipeline):
    """Put a location, route or pipeline out of use, and return it.

    What is under way there goes on; nothing new is planned. The same call again changes nothing. Locks the row.

    Raises:
        NotFound: there is no such row.
    """
    return _switch(row, in_use=False)


def enable(row: DataLocation | DataTransferRoute | Pipeline):
    """Put a location, route or pipeline into use, and return it. The same call again changes nothing. Locks the row.

    Raises:
        NotFound: there is no such row.
    """
    return _switch(row, in_use=True)


def _switch(row, *, in_use):
    field = switch_of(type(row))
    rows = type(row)._default_manager.filter(pk=row.pk)
    if not rows.exclude(**{field: in_use}).update(**{field: in_use}) and not rows.exists():
        raise NotFound(f"{name_of(type(row), row.pk)}: there is no such row")
    row.refresh_from_db(fields=[field])
    return row
