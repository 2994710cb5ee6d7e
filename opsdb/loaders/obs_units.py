"""Observation units, with the recipes that their files describe and the azimuth ranges of their fields."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TextIO

from django.db.models import QuerySet, prefetch_related_objects

from opsdb.models import ObservingProgram, ObsMode, ObsUnit, Source, SubObservingProgram

from .azimuth_ranges import add_azimuth_ranges, write_azimuth_ranges
from .cells import FlagCell, IntegerCell, Key, NumberCell, ReferenceCell, TableColumn, TextCell
from .entries import RowEntry
from .errors import near
from .instrument_cells import module_configurations
from .kind import TableKind
from .loading import Loading
from .recipe_files import AZIMUTHS, FILE_COLUMNS, INPAR, MAPPING, TILING, RecipeFiles, columns_of
from .recipes import CHAI_COLUMNS, DescribedRecipes, Recipe, described_recipe, find_configurations, write_recipes
from .spool import Spool, batches
from .tables import TableRow, read_rows
from .text_files import LoadFile, read_text


class SourceCell(ReferenceCell):
    """A source, named by its name or by an unambiguous alias."""

    def found(self, keys: Collection[Key]) -> dict[Key, Source | list[Source]]:
        return {
            (name,): those[0] if len(those) == 1 else those
            for name, those in Source.objects.matches([name for (name,) in keys]).items()
        }


class ObsUnits(TableKind):
    """Observation units, identified by program and name."""

    name = "obs-units"
    help = "observation units, with recipes, tilings, inpar and mapping parameters, azimuth tables"
    description = (
        "Load observation units from a CSV table. Its columns refer to other files, beside it or below its folder."
    )
    example = "manage.py opsdb_load obs-units obs_units.csv --on-conflict update"
    model = ObsUnit
    columns = (
        TableColumn(
            "program",
            ReferenceCell(ObservingProgram, "short_name"),
            "Code of the observing program.",
            required=True,
            field="observing_program",
        ),
        TableColumn("sub_program", TextCell(50), "Code of a part of that program.", field=""),
        TableColumn.of_field(ObsUnit, "name", TextCell(200), required=True),
        TableColumn("source", SourceCell(Source, "name"), "Name or alias; empty in modes without a target on the sky."),
        TableColumn.of_field(ObsUnit, "obs_mode", ReferenceCell(ObsMode, "name"), name="mode", required=True),
        TableColumn("configuration", TextCell(200), "Name of the recipe.", required=True, field=""),
        TableColumn("configuration_version", IntegerCell(1), "Version of the recipe; the newest if empty.", field=""),
        TableColumn.of_field(ObsUnit, "module_configurations", module_configurations()),
        TableColumn(INPAR, TextCell(), "CHAI: folder of `.inpar` files, or one file.", field=""),
        TableColumn(TILING, TextCell(), "CHAI: folder of `.csv` files with tiles, or one file.", field=""),
        *CHAI_COLUMNS,
        TableColumn(MAPPING, TextCell(), "Prime-Cam: table with a row for the recipe.", field=""),
        TableColumn(
            AZIMUTHS, TextCell(), "Table with azimuth ranges of the source, a field at constant elevation.", field=""
        ),
        *columns_of(
            ObsUnit,
            line_id=TextCell(50),
            rest_frequency_ghz=NumberCell(0, unit="GHz", above=True),
            version=IntegerCell(1),
            priority=IntegerCell(),
            available=FlagCell(),
            elevation_min_deg=NumberCell(0, 90, "degrees"),
            elevation_max_deg=NumberCell(0, 90, "degrees"),
            pwv_max_mm=NumberCell(0, unit="mm", above=True),
            planned_duration_seconds=NumberCell(0, unit="seconds", above=True),
            requested_executions=IntegerCell(1),
            lst_start_hours=NumberCell(0, 24, "hours", below=True),
            lst_end_hours=NumberCell(0, 24, "hours", below=True),
            comment=TextCell(),
        ),
    )

    def load(self, loading: Loading, files: Sequence[LoadFile]) -> None:
        rows: Spool[TableRow] = Spool()
        recipes, fields = DescribedRecipes(), {}
        for file in files:
            problems = loading.problems_of(file)
            found = read_rows(read_text(file, problems), self.columns, problems, loading.progress)
            referenced = None if hasattr(file, "read") else RecipeFiles(problems)
            for batch in batches(found):
                for row in batch:
                    _check_row(row, is_alone=referenced is None)
                    recipes.add(described_recipe(row, referenced))
                    add_azimuth_ranges(fields, row, referenced)
                _find_sub_programs(batch)
                rows.extend(batch)
        loading.plan.count("rows read", len(rows))
        recipes = find_configurations(rows, recipes.of_rows)
        loading.problems.stop_if_any()

        write_recipes(loading, recipes)
        write_azimuth_ranges(loading, fields)
        entries: Spool[RowEntry] = Spool()
        for batch in batches(rows):
            entries.extend(self.entries(loading, batch, recipes[len(entries) : len(entries) + len(batch)]))
        loading.write(entries)

    def entries(self, loading: Loading, rows: Sequence[TableRow], recipes: Sequence[Recipe] = ()) -> list[RowEntry]:
        entries = super().entries(loading, rows)
        for entry, recipe in zip(entries, recipes, strict=True):
            entry.values["configuration"] = recipe.configuration
            if "sub_program" in entry.row.values:
                entry.values["sub_observing_program"] = entry.row.values["sub_program"]
        return entries

    def present(self, entries: Collection[RowEntry]) -> dict[tuple, ObsUnit]:
        present = super().present(entries)
        prefetch_related_objects(list(present.values()), "module_configurations")
        return present

    def export(self, queryset: QuerySet, stream: TextIO) -> None:
        """Write units without the files of their recipes, which must be in the database where they are loaded."""
        modules = "module_configurations__instrument_module__instrument__telescope"
        queryset = queryset.select_related("sub_observing_program", "configuration").prefetch_related(modules)
        super().export(queryset, stream)

    def values_of(self, row: ObsUnit) -> dict[str, object]:
        return super().values_of(row) | {
            "sub_program": row.sub_observing_program and row.sub_observing_program.short_name,
            "configuration": row.configuration.name,
            "configuration_version": row.configuration.version,
        }


def _check_row(row, *, is_alone):
    """Note what contradicts itself in one row; a table that is sent by itself refers to no files."""
    mode = row.values.get("mode")
    if mode and mode.needs_source and not row.texts.get("source"):
        row.problem(f"a unit in mode {mode} needs a source", expected="one in the column source")
    lowest, highest = row.values.get("elevation_min_deg"), row.values.get("elevation_max_deg")
    if lowest is not None and highest is not None and lowest > highest:
        row.problem("is below elevation_min_deg", "elevation_max_deg", expected=f"{lowest:g} or more")
    if is_alone:
        for column in FILE_COLUMNS:
            if row.values.pop(column, None):
                row.problem("refers to a file beside the table", column, expected="no files with an uploaded table")


def _find_sub_programs(rows):
    """Replace the codes of sub-programs by the sub-programs."""
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
                f"is not a sub-program of {program}",
                "sub_program",
                expected=near(code, there) if there else "an empty cell, as the program has no sub-programs",
            )
