"""What a row is, as a parameter would ask for it, and whether a row is what is asked for."""

from datetime import UTC, datetime, timedelta

from django.db.models import Manager, Model

from opsdb.filters.base import ORDERING, SEARCH
from opsdb.filters.parameters import (
    ConeParameter,
    FileNameParameter,
    ModuleOfExecutionParameter,
    NightParameter,
)
from opsdb.models import FixedSource
from opsdb.testing.factories import FACTORIES

COMPARED = {
    "exact": lambda own, asked: own == asked,
    "iexact": lambda own, asked: str(own).lower() == str(asked).lower(),
    "gte": lambda own, asked: own >= asked,
    "lte": lambda own, asked: own <= asked,
    "lt": lambda own, asked: own < asked,
}


def values_at(row, path):
    """The values at the end of a path, of which there are several through links and none through what is empty."""
    rows = [row]
    for name in path.split("__"):
        found = [getattr(one, name) for one in rows]
        found = [each for one in found for each in (one.all() if isinstance(one, Manager) else [one])]
        rows = [one for one in found if one is not None]
    return [one.pk if isinstance(one, Model) else one for one in rows]


def path_of(parameter):
    """The path from a row to what a parameter compares."""
    if isinstance(parameter, ModuleOfExecutionParameter):
        return f"module_configurations__{parameter.lookup}"
    if isinstance(parameter, NightParameter):
        return "start_time" if parameter.field_name == "pk" else f"{parameter.field_name}__start_time"
    return parameter.field_name


def values_of(parameter, row):
    """What a row has where a parameter looks."""
    values = values_at(row, path_of(parameter))
    if isinstance(parameter, NightParameter):
        return [(time - timedelta(hours=12)).date() for time in values]
    if isinstance(parameter, FileNameParameter):
        return [value.rpartition("/")[2] for value in values]
    if isinstance(parameter, ConeParameter):
        return [value for value in values if FixedSource.objects.filter(pk=value).exists()]
    return values


def match_twice(row, value, parameter):
    """Link a row to one more row that has the value where a parameter looks; return whether there can be one."""
    name, *way = path_of(parameter).split("__")
    links = getattr(row, name, None)
    if not (isinstance(links, Manager) and way):
        return False
    like = links.filter(**{"__".join(way): value}).first()
    same = {way[0]: getattr(like, way[0])}
    if hasattr(links, "through"):
        links.add(FACTORIES[links.model](**same))
    else:
        FACTORIES[links.model](**same, **{links.field.name: row})
    return True


def text_of(parameter, value):
    """A value as an address gives it."""
    if isinstance(parameter, ConeParameter):
        source = FixedSource.objects.get(pk=value)
        return f"{source.ra_deg},{source.dec_deg},0.000001"
    if isinstance(value, bool):
        return str(value).lower()
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def meets(parameter, row, asked):
    """Whether a row is what is asked for."""
    compare = COMPARED["exact" if isinstance(parameter, ConeParameter) else parameter.lookup_expr]
    return any(compare(own, asked) for own in values_of(parameter, row))


def parameters_of(filterset):
    """The parameters that ask for a value of the row, by name."""
    return {name: one for name, one in filterset().filters.items() if name not in (SEARCH, ORDERING)}


def example_of(model, parameter):
    """A row that a parameter can ask for, and the value; None where no row has any."""
    for row in model._default_manager.order_by("pk"):
        for value in values_of(parameter, row):
            if value not in ("", None):
                return row, value
    return None
