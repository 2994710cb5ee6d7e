"""Recipes, that is configurations, as tables of observation units and their files describe them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef

from opsdb.models import (
    ChaiInparParameter,
    ChaiObservationConfiguration,
    ChaiTiling,
    ConfigurationType,
    CoordinateFrame,
    ExecutedObsUnit,
    ObservationConfiguration,
    PrimeCamObservationConfiguration,
)

from .cells import ChoiceCell, NumberCell, TextCell
from .entries import Difference, RowEntry, RowRules
from .errors import listed, near
from .loading import Loading
from .parts import NEW_VERSION, PartRules, write_parts
from .recipe_files import INPAR, MAPPING, TILING, RecipeFiles, columns_of
from .tables import TableRow

RECIPE_MODELS = {
    ConfigurationType.CHAI: ChaiObservationConfiguration,
    ConfigurationType.PRIME_CAM: PrimeCamObservationConfiguration,
}

CHAI_COLUMNS = columns_of(
    ChaiObservationConfiguration,
    target="",
    switching_mode=TextCell(50),
    integration_time_seconds=NumberCell(0, unit="seconds", above=True),
    reference_position_offset_ra_arcsec=NumberCell(unit="arcsec"),
    reference_position_offset_dec_arcsec=NumberCell(unit="arcsec"),
    coordinate_frame=ChoiceCell(CoordinateFrame.values),
)

TILES = PartRules(ChaiTiling, "configuration", "tile_index", free=("priority", "done"))
PARAMETERS = PartRules(ChaiInparParameter, "configuration", "key", free=("comment",))


@dataclass
class Recipe:
    """A configuration as a row and its files describe it; what they leave out stays as it is.

    Attributes:
        row: the row that names it.
        described_by: the row with its facts: that one, or one of a mapping table.
        type: its kind; None where the row only names it.
        facts, parameters, tiles: its fields, inpar parameters and tiles.
        configuration: the row of the database, once it is there.
        executed: whether something was observed with it.
    """

    row: TableRow
    name: str
    version: int | None
    described_by: TableRow
    type: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, TableRow] | None = None
    tiles: dict[int, TableRow] | None = None
    configuration: ObservationConfiguration | None = None
    executed: bool = False

    @property
    def contents(self) -> tuple[Any, ...]:
        """What must be the same wherever rows describe the recipe."""
        return self.type, self.facts, _plain(self.parameters), _plain(self.tiles)


class DescribedRecipes:
    """The recipes of the rows of tables; rows that describe the same have one.

    Attributes:
        of_rows: a recipe for every row.
    """

    def __init__(self):
        self.of_rows: list[Recipe] = []
        self._firsts: dict[tuple[str | None, int | None], Recipe] = {}

    def add(self, recipe: Recipe) -> None:
        """Add the recipe of another row."""
        first = self._firsts.setdefault((recipe.name, recipe.version), recipe)
        self.of_rows.append(first if first.contents == recipe.contents else recipe)


def _plain(parts):
    return parts and {key: row.values for key, row in parts.items()}


def described_recipe(row: TableRow, referenced: RecipeFiles | None) -> Recipe:
    """Return the configuration as a row and the files that it refers to describe it."""
    recipe = Recipe(row, row.values.get("configuration"), row.values.get("configuration_version"), described_by=row)
    of_chai = [one for one in (INPAR, TILING, *(column.name for column in CHAI_COLUMNS)) if row.texts.get(one)]
    if of_chai and row.texts.get(MAPPING):
        row.problem(
            f"describes a recipe of CHAI ({', '.join(of_chai)}) and one of Prime-Cam",
            MAPPING,
            expected="the columns of one instrument",
        )
    elif of_chai:
        recipe.type = ConfigurationType.CHAI
        recipe.facts = {one.name: row.values[one.name] for one in CHAI_COLUMNS if one.name in row.values}
        if row.values.get(INPAR):
            recipe.parameters = referenced.parameters(row, INPAR)
        if row.values.get(TILING):
            recipe.tiles = referenced.tiles(row, TILING)
    elif row.values.get(MAPPING) and recipe.name:
        versions = referenced.mapping(row, MAPPING, recipe.name)
        recipe.type = ConfigurationType.PRIME_CAM
        if versions:
            _take_mapping(recipe, versions)
    return recipe


def _take_mapping(recipe, versions):
    recipe.version = recipe.version or max(versions)
    if recipe.version in versions:
        recipe.described_by = versions[recipe.version]
        values = recipe.described_by.values
        recipe.facts = {name: one for name, one in values.items() if name not in ("configuration", "version")}
    else:
        recipe.row.problem(
            f"has no version {recipe.version} of configuration {recipe.name}",
            MAPPING,
            expected=f"one of {listed(versions)}",
        )


def find_configurations(rows: Sequence[TableRow], recipes: Sequence[Recipe]) -> list[Recipe]:
    """Return the recipe of every row, one for all rows that name the same; note those that are not described."""
    names = {recipe.name for recipe in recipes if recipe.name}
    executions = ExecutedObsUnit.objects.filter(obs_unit__configuration=OuterRef("pk"))
    there, newest, described = {}, {}, {}
    for one in ObservationConfiguration.objects.filter(name__in=names).annotate(executed=Exists(executions)):
        there[one.name, one.version] = one
        newest[one.name] = max(one.version, newest.get(one.name, 1))
    for recipe in recipes:
        if recipe.type and recipe.name:
            recipe.version = recipe.version or newest.get(recipe.name, 1)
            first = described.setdefault((recipe.name, recipe.version), recipe)
            if first.contents != recipe.contents:
                recipe.row.problem(
                    f"configuration {recipe.name} differs from its description on line {first.row.line}",
                    expected="the same description, or another configuration_version",
                )
    for name, version in described:
        newest[name] = max(version, newest.get(name, 1))
    found = []
    for recipe in recipes:
        recipe.version = recipe.version or newest.get(recipe.name, 1)
        recipe = described.get((recipe.name, recipe.version), recipe)
        if (present := there.get((recipe.name, recipe.version))) is not None:
            recipe.configuration, recipe.executed = present, present.executed
        found.append(recipe)
    _refuse_unknown(rows, found)
    return found


def _refuse_unknown(rows, recipes):
    known = None
    for row, recipe in zip(rows, recipes, strict=True):
        kind = recipe.type or (recipe.configuration and recipe.configuration.type)
        if recipe.name and not kind:
            if known is None:
                known = list(ObservationConfiguration.objects.values_list("name", flat=True).distinct()[:1000])
            row.problem(
                f"is not a known configuration, version {recipe.version}",
                "configuration",
                expected=f"{INPAR}, {TILING} or {MAPPING} to describe it"
                + (f", or {near(recipe.name, known)}" if known else ""),
            )
        for one in row.values.get("module_configurations") or ():
            if kind and one.type != kind:
                row.problem(
                    f"is set up for {one.get_type_display()}, configuration {recipe.name} is for "
                    f"{ConfigurationType(kind).label}",
                    "module_configurations",
                    expected="modules of the instrument that the recipe is for",
                )
                break


def write_recipes(loading: Loading, recipes: Sequence[Recipe]) -> None:
    """Write the described recipes with their parameters and tiles, and note their rows in ``configuration``."""
    described = list({id(recipe): recipe for recipe in recipes if recipe.type}.values())
    executed = {recipe.configuration.pk for recipe in described if recipe.executed}
    loading.write(
        [
            RowEntry(
                recipe.described_by,
                RECIPE_MODELS[recipe.type],
                {"name": recipe.name, "version": recipe.version, **recipe.facts},
            )
            for recipe in described
        ],
        RecipeRules(executed, loading.options["on_conflict"]),
    )
    written = {
        (one.name, one.version): one
        for one in ObservationConfiguration.objects.filter(name__in={recipe.name for recipe in described}).specific()
    }
    for recipe in described:
        recipe.configuration = written[recipe.name, recipe.version]
    for rules, name in ((PARAMETERS, "parameters"), (TILES, "tiles")):
        wholes = [
            (recipe, {(key,): row for key, row in getattr(recipe, name).items()})
            for recipe in described
            if getattr(recipe, name) is not None
        ]
        write_parts(loading, rules, [(one.row, one.configuration, one.executed, parts) for one, parts in wholes])


class RecipeRules(RowRules):
    """Rules of the configurations that units need.

    Args:
        executed: primary keys of those that something was observed with; they stay as they are.
        on_conflict: what happens to others with different values.
    """

    model = ObservationConfiguration

    def __init__(self, executed: Collection[int], on_conflict: str):
        self.executed, self.on_conflict = executed, on_conflict

    def label(self, entry: RowEntry) -> str:
        return f"{entry.values['name']} v{entry.values['version']}"

    def differences(self, present: ObservationConfiguration, entry: RowEntry) -> list[Difference]:
        found = super().differences(present, entry)
        names = {name for name, _, _ in found} - {"description"}
        if names and present.pk in self.executed and self.on_conflict == "update":
            entry.row.problem(
                f"would change {listed(names)} of {present}, which was observed with", expected=NEW_VERSION
            )
        return found
