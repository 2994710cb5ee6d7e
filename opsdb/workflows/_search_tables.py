"""Small tables whose rows are found by their names: one query finds which of them have a name like the searched one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from django.contrib.auth import get_user_model
from django.db.models import CharField, F, IntegerField, Model, QuerySet, Value
from django.db.models.functions import Cast, Concat

from opsdb.models import (
    DataGrouping,
    DataRelease,
    Instrument,
    InstrumentModule,
    InstrumentModuleConfiguration,
    ObservationConfiguration,
    Observatory,
    ObsMode,
    Pipeline,
    Publication,
    ReductionSoftware,
    ReductionStep,
    ReductionStepConfig,
    Role,
    Site,
    SubObservingProgram,
    Telescope,
)

from ._search_names import are_called


@dataclass(frozen=True)
class NamedTable:
    """A table with thousands of rows at most.

    Attributes:
        rows: with the rows that their names are made of.
        columns: with names; the first one has the name.
    """

    rows: QuerySet
    columns: tuple[str, ...]

    @property
    def model(self) -> type[Model]:
        """The model of the rows."""
        return self.rows.model


def _inside(model: type[Model], *parents: str, of: str = "name") -> NamedTable:
    """Return a table whose rows are also found behind the names of those that they are parts of: ``CHAI/LFA``."""
    path = [part for parent in parents for part in (F(parent), Value("/"))]
    place = Concat(*path, Cast(of, CharField()), output_field=CharField())
    related = [parent.rpartition("__")[0] for parent in parents]
    columns = ("place", "name", *(["former_names"] if _has(model, "former_names") else []))
    return NamedTable(model._default_manager.select_related(*related).annotate(place=place), columns)


def _has(model, name):
    return any(field.name == name for field in model._meta.get_fields())


@cache
def named_tables() -> tuple[NamedTable, ...]:
    """Return the tables in the order of the areas."""
    user = get_user_model()
    known = (user.USERNAME_FIELD, "first_name", "last_name", "email")
    return (
        NamedTable(Observatory.objects.all(), ("short_name", "name", "former_names")),
        NamedTable(Telescope.objects.all(), ("short_name", "name", "former_names")),
        NamedTable(Instrument.objects.all(), ("name", "former_names")),
        _inside(InstrumentModule, "instrument__name"),
        _inside(InstrumentModuleConfiguration, "instrument_module__instrument__name", "instrument_module__name"),
        _inside(SubObservingProgram, "observing_program__short_name", of="short_name"),
        NamedTable(ObsMode.objects.all(), ("name", "former_names")),
        NamedTable(ObservationConfiguration.objects.all(), ("name",)),
        NamedTable(Site.objects.all(), ("short_name", "name", "former_names")),
        NamedTable(DataGrouping.objects.all(), ("name",)),
        NamedTable(Pipeline.objects.all(), ("name",)),
        _inside(ReductionStep, "pipeline__name"),
        NamedTable(ReductionSoftware.objects.all(), ("name",)),
        NamedTable(ReductionStepConfig.objects.all(), ("name",)),
        NamedTable(DataRelease.objects.all(), ("name",)),
        NamedTable(Publication.objects.all(), ("title",)),
        NamedTable(user._default_manager.all(), tuple(dict.fromkeys(name for name in known if _has(user, name)))),
        NamedTable(Role.objects.all(), ("name",)),
    )


def tables_with(spelling: str, models: Collection[type[Model]] | None) -> list[NamedTable]:
    """Return the tables that have a row which is called so, by one query.

    Args:
        spelling: what is searched, as the database spells it.
        models: kinds to search; all when left out.
    """
    asked = [table for table in named_tables() if models is None or table.model in models]
    parts = [
        are_called(table.rows, table.columns, spelling)
        .order_by()
        .annotate(number=Value(number, IntegerField()))
        .values_list("number", flat=True)[:1]
        for number, table in enumerate(asked)
    ]
    if not parts or not spelling:
        return []
    first, *others = parts
    numbers = sorted(first.union(*others, all=True)) if others else list(first)
    return [asked[number] for number in numbers]
