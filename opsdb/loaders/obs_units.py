"""Observation units, with the recipes that their files describe and the azimuth ranges of their fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q, prefetch_related_objects

from opsdb.models import (
    AzimuthRange,
    ChaiInparParameter,
    ChaiObservationConfiguration,
    ChaiTiling,
    ConfigurationType,
    ConstantElevationSource,
    CoordinateFrame,
    ExecutedObsUnit,
    ObservationConfiguration,
    ObservingProgram,
    ObsMode,
    ObsUnit,
    PrimeCamObservationConfiguration,
    Source,
    SourceType,
    SubObservingProgram,
)

from .columns import Choice, Column, Flag, Number, Reference, Text, Whole
from .errors import listed, near
from .loading import SKIP, UPDATE, Entry, Kind, TableKind
from .places import module_configurations
from .recipe_files import RecipeFiles, columns_of
from .tables import TableRow, read_table

FILE_COLUMNS = INPAR, TILING, MAPPING, AZIMUTHS = "inpar", "tiling", "mapping", "azimuth_table"
NEW_VERSION = "a new configuration_version"
RECIPE_MODELS = {
    ConfigurationType.CHAI: ChaiObservationConfiguration,
    ConfigurationType.PRIME_CAM: PrimeCamObservationConfiguration,
}

CHAI_COLUMNS = columns_of(
    ChaiObservationConfiguration,
    target="",
    switching_mode=Text(50),
    integration_time_seconds=Number(0, unit="seconds", above=True),
    reference_position_offset_ra_arcsec=Number(unit="arcsec"),
    reference_position_offset_dec_arcsec=Number(unit="arcsec"),
    coordinate_frame=Choice(CoordinateFrame.values),
)


class SourceNamed(Reference):
    """A source by its name, or by an alias that no other has."""

    def found(self, keys):
        names = {name for (name,) in keys}
        rows = list(Source.objects.filter(Q(name__in=names) | Q(aliases__has_any_keys=list(names))))
        by_alias = {}
        for row in rows:
            for alias in row.aliases:
                by_alias.setdefault(alias, set()).add(row)
        aliases = {(alias,): next(iter(those)) for alias, those in by_alias.items() if len(those) == 1}
        return aliases | {(row.name,): row for row in rows}


@dataclass
class Recipe:
    """A configuration as a row and its files describe it; what they leave out is left as it is.

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
    facts: dict = field(default_factory=dict)
    parameters: dict[str, TableRow] | None = None
    tiles: dict[int, TableRow] | None = None
    configuration: ObservationConfiguration | None = None
    executed: bool = False

    @property
    def contents(self):
        """What must be the same wherever rows describe the recipe."""
        return self.type, self.facts, _plain(self.parameters), _plain(self.tiles)


def _plain(parts):
    return parts and {key: row.values for key, row in parts.items()}


class ObsUnits(TableKind):
    """Observation units; one is known by its program and name."""

    name = "obs-units"
    help = "observation units, with recipes, tilings, inpar and mapping parameters, azimuth tables"
    description = (
        "Load observation units from a CSV table. Its columns refer to other files, beside it or below its folder."
    )
    example = "manage.py opsdb_load obs-units obs_units.csv --on-conflict update"
    model = ObsUnit
    columns = (
        Column(
            "program",
            Reference(ObservingProgram, "short_name"),
            "Code of the observing program.",
            required=True,
            field="observing_program",
        ),
        Column("sub_program", Text(50), "Code of a part of that program.", field=""),
        Column("name", Text(200), "Name, unique in the program.", required=True),
        Column("source", SourceNamed(Source, "name"), "Name or alias; empty in modes that look at nothing on the sky."),
        Column("mode", Reference(ObsMode, "name"), "How it is observed.", required=True, field="obs_mode"),
        Column("configuration", Text(200), "Name of the recipe.", required=True, field=""),
        Column("configuration_version", Whole(1), "Version of the recipe; the newest if empty.", field=""),
        Column("module_configurations", module_configurations(), "How the modules are set up."),
        Column(INPAR, Text(), "CHAI: folder of `.inpar` files, or one file.", field=""),
        Column(TILING, Text(), "CHAI: folder of `.csv` files with tiles, or one file.", field=""),
        *CHAI_COLUMNS,
        Column(MAPPING, Text(), "Prime-Cam: table with a row for the recipe.", field=""),
        Column(AZIMUTHS, Text(), "Table with azimuth ranges of the source, a field at constant elevation.", field=""),
        *columns_of(
            ObsUnit,
            line_id=Text(50),
            version=Whole(1),
            priority=Whole(),
            available=Flag(),
            elevation_min_deg=Number(0, 90, "degrees"),
            elevation_max_deg=Number(0, 90, "degrees"),
            pwv_max_mm=Number(0, unit="mm", above=True),
            planned_duration_seconds=Number(0, unit="seconds", above=True),
            requested_executions=Whole(1),
            lst_start_hours=Number(0, 24, "hours", below=True),
            lst_end_hours=Number(0, 24, "hours", below=True),
            comment=Text(),
        ),
    )

    def load(self, loading, files):
        rows, recipes, fields = [], [], {}
        for file in files:
            problems = loading.problems_of(file)
            found = read_table(file, self.columns, problems, loading.progress)
            beside = None if hasattr(file, "read") else RecipeFiles(problems)
            for row in found:
                _check_row(row, beside)
                recipes.append(_recipe(row, beside))
                _add_azimuth_ranges(fields, row, beside)
            rows += found
        loading.plan.count("rows read", len(rows))
        _find_sub_programs(rows)
        recipes = _find_configurations(rows, recipes)
        loading.problems.stop_if_any()

        _write_recipes(loading, recipes)
        _write_azimuth_ranges(loading, fields)
        loading.write(self.entries(loading, rows, recipes))

    def entries(self, loading, rows, recipes):
        entries = super().entries(loading, rows)
        for entry, recipe in zip(entries, recipes, strict=True):
            entry.values["configuration"] = recipe.configuration
            if "sub_program" in entry.row.values:
                entry.values["sub_observing_program"] = entry.row.values["sub_program"]
        return entries

    def present(self, entries):
        present = super().present(entries)
        prefetch_related_objects(list(present.values()), "module_configurations")
        return present

    def export(self, queryset, stream):
        """Write units without the files of their recipes, which must be in the database where they are loaded."""
        modules = "module_configurations__instrument_module__instrument__telescope"
        queryset = queryset.select_related("sub_observing_program", "configuration").prefetch_related(modules)
        super().export(queryset, stream)

    def values_of(self, row):
        return super().values_of(row) | {
            "sub_program": row.sub_observing_program and row.sub_observing_program.short_name,
            "configuration": row.configuration.name,
            "configuration_version": row.configuration.version,
        }


class Recipes(Kind):
    """Configurations that units need.

    Args:
        executed: numbers of those that something was observed with; they stay as they are.
        on_conflict: what becomes of others that are there with other facts.
    """

    model = ObservationConfiguration

    def __init__(self, executed, on_conflict):
        self.executed, self.on_conflict = executed, on_conflict

    def label(self, entry):
        return f"{entry.values['name']} v{entry.values['version']}"

    def differences(self, present, entry):
        found = super().differences(present, entry)
        names = {name for name, _, _ in found} - {"description"}
        if names and present.pk in self.executed and self.on_conflict == "update":
            entry.row.problem(f"would change {listed(names)} of {present}, observed with", expected=NEW_VERSION)
        return found


class Parts(Kind):
    """Tiles, parameters or azimuth ranges: rows that mean nothing without what they are parts of.

    Args:
        model: whose rows they are.
        key_fields: what tells them apart; the first is what they are parts of.
        free: fields that are no part of what was observed.
    """

    key_fields = ()

    def __init__(self, model, *key_fields, free=()):
        self.model, self.key_fields, self.free = model, key_fields, set(free)

    def part(self, key) -> str:
        """Return what a person calls a part within its whole."""
        return str(key[0])

    def label(self, entry):
        whole, *key = (entry.values[name] for name in self.key_fields)
        return f"{whole} / {self.part(key)}"


class Ranges(Parts):
    """Azimuth ranges, known by all that they say."""

    def part(self, key):
        lowest, highest, rising, *_ = key
        return f"{lowest:g}° to {highest:g}° {'rising' if rising else 'setting'}"


TILES = Parts(ChaiTiling, "configuration", "tile_index", free=("priority", "done"))
PARAMETERS = Parts(ChaiInparParameter, "configuration", "key", free=("comment",))
RANGES = Ranges(
    AzimuthRange, "source", "azimuth_min_deg", "azimuth_max_deg", "rising", "lst_start_hours", "lst_end_hours"
)


# What rows and their files say


def _check_row(row, beside):
    """Note what can't be together in one row."""
    mode = row.values.get("mode")
    if mode and mode.needs_source and not row.texts.get("source"):
        row.problem(f"a unit in mode {mode} needs a source", expected="one in the column source")
    lowest, highest = row.values.get("elevation_min_deg"), row.values.get("elevation_max_deg")
    if lowest is not None and highest is not None and lowest > highest:
        row.problem("is below elevation_min_deg", "elevation_max_deg", expected=f"{lowest:g} or more")
    if beside is None:
        for column in FILE_COLUMNS:
            if row.values.pop(column, None):
                row.problem("is a file beside the table", column, expected="no files with a table sent by itself")


def _recipe(row, beside):
    """Return what a row and its files say of its configuration."""
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
            recipe.parameters = beside.parameters(row, INPAR)
        if row.values.get(TILING):
            recipe.tiles = beside.tiles(row, TILING)
    elif row.values.get(MAPPING) and recipe.name:
        versions = beside.mapping(row, MAPPING, recipe.name)
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


def _add_azimuth_ranges(fields, row, beside):
    """Add the ranges of a row's table to those of its source, by the number of the source."""
    source = row.values.get("source")
    if not row.values.get(AZIMUTHS):
        return
    if source is None:
        if not row.texts.get("source"):
            row.problem("gives azimuths, but the row has no source", AZIMUTHS, expected="a source")
        return
    if source.type != SourceType.CONSTANT_ELEVATION:
        row.problem(
            f"gives azimuths of {source}, which is a {source.get_type_display()} source",
            AZIMUTHS,
            expected="a field at constant elevation",
        )
        return
    ranges = beside.azimuth_ranges(row, AZIMUTHS, source.name, source.aliases)
    if ranges is None:
        return
    first, others = fields.setdefault(source.pk, (row, ranges))
    if [one.values for one in others] != [one.values for one in ranges]:
        row.problem(
            f"gives azimuths of {source} that differ from those of line {first.line}",
            AZIMUTHS,
            expected="one table for a source",
        )


# What the database knows


def _find_sub_programs(rows):
    """Put sub-programs in the place of their codes."""
    given = [row for row in rows if row.values.get("sub_program") and row.values.get("program")]
    known = {
        (one.observing_program_id, one.short_name): one
        for one in SubObservingProgram.objects.filter(
            observing_program__in={row.values["program"].pk for row in given}
        ).select_related("observing_program")
    }
    for row in given:
        program, code = row.values["program"], row.values["sub_program"]
        row.values["sub_program"] = known.get((program.pk, code))
        if row.values["sub_program"] is None:
            there = [short_name for owner, short_name in known if owner == program.pk]
            row.problem(
                f"is no part of program {program}",
                "sub_program",
                expected=near(code, there) if there else "nothing, the program has no parts",
            )


def _find_configurations(rows, recipes):
    """Return the recipe of every row, one for all rows that name the same; note those that nobody describes."""
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
                    f"configuration {recipe.name} is described otherwise than on line {first.row.line}",
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
                f"names no known configuration, version {recipe.version}",
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


# What is written before the units


def _write_recipes(loading, recipes):
    described = list({id(recipe): recipe for recipe in recipes if recipe.type}.values())
    executed = {recipe.configuration.pk for recipe in described if recipe.executed}
    loading.write(
        [
            Entry(
                recipe.described_by,
                RECIPE_MODELS[recipe.type],
                {"name": recipe.name, "version": recipe.version, **recipe.facts},
            )
            for recipe in described
        ],
        Recipes(executed, loading.options["on_conflict"]),
    )
    written = {
        (one.name, one.version): one
        for one in ObservationConfiguration.objects.filter(name__in={recipe.name for recipe in described}).specific()
    }
    for recipe in described:
        recipe.configuration = written[recipe.name, recipe.version]
    for kind, name in ((PARAMETERS, "parameters"), (TILES, "tiles")):
        wholes = [
            (recipe, {(key,): row for key, row in getattr(recipe, name).items()})
            for recipe in described
            if getattr(recipe, name) is not None
        ]
        _write_parts(loading, kind, [(one.row, one.configuration, one.executed, parts) for one, parts in wholes])


def _write_azimuth_ranges(loading, fields):
    sources = ConstantElevationSource.objects.in_bulk(fields)
    wholes = []
    for number, (row, ranges) in fields.items():
        parts = {tuple(one.values.get(name) for name in RANGES.key_fields[1:]): one for one in ranges}
        wholes.append((row, sources[number], False, parts))
    _write_parts(loading, RANGES, wholes)


def _write_parts(loading, kind, wholes):
    """Make the parts of every whole those that the files give.

    Args:
        loading: the load.
        kind: what the parts are.
        wholes: the row that names a whole, the whole, whether it was observed with, and its parts by the fields of
            their keys.
    """
    owner, *rest = kind.key_fields
    there = {}
    for one in kind.model.objects.filter(**{f"{owner}__in": [whole for _, whole, _, _ in wholes]}):
        key = tuple(getattr(one, name) for name in rest)
        there.setdefault(getattr(one, f"{owner}_id"), {})[key] = one
    entries, gone = [], []
    for row, whole, executed, parts in wholes:
        wanted = {
            key: Entry(part, kind.model, {**part.values, **dict(zip(rest, key, strict=True)), owner: whole})
            for key, part in parts.items()
        }
        present = there.get(whole.pk, {})
        changes = _changes(kind, present, wanted)
        if changes and (present or executed) and not _may_change(loading, kind, row, whole, executed, changes):
            continue
        for key in present.keys() - wanted.keys():
            gone.append(present[key].pk)
            loading.plan.note(
                UPDATE, row, type(whole), str(whole), f"without {kind.model._meta.verbose_name} {kind.part(key)}"
            )
        entries += wanted.values()
    loading.problems.stop_if_any()
    kind.model.objects.filter(pk__in=gone).delete()
    loading.write(entries, kind)


def _changes(kind, present, wanted) -> dict[str, set]:
    """Return which fields of which parts would change, by a name for the part."""
    changes = {}
    for key in sorted(present.keys() | wanted.keys(), key=str):
        if key not in present or key not in wanted:
            changes[f"{kind.part(key)} {'added' if key in wanted else 'removed'}"] = {"*"}
        elif differences := kind.differences(present[key], wanted[key]):
            names = [name for name, _, _ in differences]
            changes[f"{kind.part(key)} with other {', '.join(names)}"] = set(names)
    return changes


def _may_change(loading, kind, row, whole, executed, changes):
    """Return whether parts that are there may become others, and note it if not."""
    how = loading.options["on_conflict"]
    what = f"{kind.model._meta.verbose_name_plural} of {whole}: {listed(changes)}"
    if how == "skip":
        loading.plan.note(SKIP, row, type(whole), str(whole), what)
        return False
    if executed and set().union(*changes.values()) - kind.free:
        row.problem(f"would change what was observed with, {what}", expected=NEW_VERSION)
        return False
    if how == "error":
        row.problem(f"other {what}", expected="the same, or --on-conflict skip or update")
        return False
    return True
