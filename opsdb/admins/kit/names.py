"""What people call rows whose own name is a key, a file name or only one with its place: ``Deep56 · 2026-11-23 02:14``.

Nothing here asks the database: a name is made of rows that were loaded with the one that it names, and where they were
not, the row is called as its model calls it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.html import format_html

from opsdb.formatting import format_minute, format_second
from opsdb.models import DataLocation, DataTransferPackage, ExecutedObsUnit, PhysicalCopy, RawDataPackage
from opsdb.models.copies.querysets import COPY_TARGETS
from opsdb.row_labels import place_of

from .values import Text

SEPARATOR = " · "


@dataclass(frozen=True)
class Naming:
    """How people call the rows of a model.

    Attributes:
        column: the field whose column of a list shows the name.
        needs: the related rows that the name is made of, as lookups.
        call: returns the name of a row.
        full: returns what distinguishes the row from all others.
    """

    column: str
    needs: tuple[str, ...]
    call: Callable[[Model], str]
    full: Callable[[Model], str] = str


def _call_execution(execution):
    return SEPARATOR.join([str(execution.obs_unit), format_minute(execution.start_time)])


def _call_package(package):
    parts = [_call_execution(package.executed_obs_unit), str(package.instrument_module)]
    return SEPARATOR.join([*parts, *([f"{package.part}"] if package.part > 1 else [])])


def _call_bundle(bundle):
    return SEPARATOR.join([called(bundle.origin_location), format_second(bundle.created_at)])


def _call_copy(copy):
    target = next(row for name in COPY_TARGETS if (row := getattr(copy, name)) is not None)
    return f"{called(target)} @ {called(copy.data_location)}"


NAMINGS = {
    DataLocation: Naming("name", ("site",), place_of, place_of),
    ExecutedObsUnit: Naming("id", ("obs_unit",), _call_execution, lambda execution: str(execution.pk)),
    RawDataPackage: Naming("name", ("executed_obs_unit__obs_unit", "instrument_module"), _call_package),
    DataTransferPackage: Naming("name", ("origin_location__site",), _call_bundle),
    PhysicalCopy: Naming("id", (*COPY_TARGETS, "data_location"), _call_copy),
}


def naming_of(model: type[Model]) -> Naming | None:
    """Return how people call the rows of a model, or None where they call them as the model does."""
    return next((NAMINGS[base] for base in model.__mro__ if base in NAMINGS), None)


def called(row: Model) -> str:
    """Return what people call a row, as far as that was loaded."""
    naming = naming_of(type(row))
    return naming.call(row) if _can_call(naming, row) else str(row)


def called_with_kind(row: Model) -> str:
    """Return kind and name of a row, where rows of several kinds are shown: ``bundle ccat/buffer · …``, ``run 33``."""
    naming = naming_of(type(row))
    is_named = naming is not None and (naming.column == "name" or _can_call(naming, row))
    return f"{row._meta.verbose_name} {called(row) if is_named else row.pk}"


def named(row: Model) -> Text:
    """Show what people call a row, and to the mouse and to screen readers its whole name, which a button copies."""
    naming, name = naming_of(type(row)), called(row)
    full = naming.full(row) if _can_call(naming, row) else name
    if full == name:
        return name
    return format_html(
        '<span class="opsdb-name" title="{1}" data-copy="{1}">{0}<span class="visually-hidden"> ({1})</span></span>',
        name,
        full,
    )


def _can_call(naming, row):
    return naming is not None and all(_is_loaded(row, path) for path in naming.needs)


def _is_loaded(row, path):
    for name in path.split("__"):
        if row is None:
            return True
        field = row._meta.get_field(name)
        if not field.is_cached(row):
            return getattr(row, field.attname) is None
        row = field.get_cached_value(row)
    return True


def with_names(model: type[Model], paths: Iterable[str]) -> list[str]:
    """Return lookups to related rows with those that the names of these rows are made of."""
    return list(dict.fromkeys(lookup for path in paths for lookup in _named(model, path)))


def places_in_choices(model: type[Model]) -> list[str]:
    """Return the lookups that a choice of rows needs to name them with their place; none of other rows than locations.

    What else is called otherwise than its own name is found by typing that name, which has to stand in the choice.
    """
    return needed_by_name(model) if issubclass(model, DataLocation) else []


def places_of(model: type[Model]) -> list[str]:
    """Return the lookups to the sites of a location, or of the locations that a row refers to."""
    own = places_in_choices(model)
    others = [
        f"{field.name}__{need}"
        for field in model._meta.concrete_fields
        if field.is_relation and not getattr(field.remote_field, "parent_link", False)
        for need in places_in_choices(field.related_model)
    ]
    return [*own, *others]


def needed_by_name(model: type[Model]) -> list[str]:
    """Return the lookups that the names of a model's own rows are made of."""
    naming = naming_of(model)
    return with_names(model, naming.needs) if naming else []


def _named(model, path) -> Iterator[str]:
    yield path
    try:
        related = get_fields_from_path(model, path)[-1].related_model
    except FieldDoesNotExist:
        return
    if related is not None:
        yield from (f"{path}__{need}" for need in needed_by_name(related))
