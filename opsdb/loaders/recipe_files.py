"""The files that a table of observation units refers to: inpar parameters, tilings, mapping parameters, azimuths.

Formats: docs/formats/obs-units.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db import models

from opsdb.models import AzimuthRange, ChaiTiling, PrimeCamObservationConfiguration

from .cells import Cell, CellError, FlagCell, IntegerCell, NumberCell, TableColumn, TextCell
from .errors import PROBLEM_LIMIT, LoadError, LoadProblems, near
from .inpar import SUFFIX as INPAR_SUFFIX
from .inpar import read_inpar
from .json_text import JsonError, read_json
from .relative_files import WrongReference, referenced_files, resolve_reference
from .tables import TableRow, read_table

FILE_COLUMNS = INPAR, TILING, MAPPING, AZIMUTHS = "inpar", "tiling", "mapping", "azimuth_table"
TILING_SUFFIX = ".csv"


class JsonObjectCell(Cell):
    """A JSON object."""

    expected = 'a JSON object such as {"turns": 22}'

    def read(self, text: str) -> dict[str, Any]:
        try:
            value = read_json(text)
        except JsonError as error:
            raise CellError(str(error), self.expected) from None
        if not isinstance(value, dict):
            raise ValueError
        return value

    def write(self, value: dict[str, Any]) -> str:
        return json.dumps(value, ensure_ascii=False)


def columns_of(model: type[models.Model], target: str | None = None, **cells: Cell) -> tuple[TableColumn, ...]:
    """Return columns with the names and help texts of a model's fields; required where a row needs a value.

    Args:
        model: of the fields.
        target: ``""`` if the columns fill no field of the table's own rows.
        cells: what a column holds, by the field's name.
    """
    columns = []
    for name, cell in cells.items():
        field = model._meta.get_field(name)
        required = not field.blank and not field.has_default()
        empty = None if field.null else field.get_default()
        columns.append(TableColumn(name, cell, str(field.help_text), required=required, field=target, empty=empty))
    return tuple(columns)


TILE_COLUMNS = columns_of(
    ChaiTiling,
    tile_index=IntegerCell(0),
    x_offset_arcsec=NumberCell(unit="arcsec"),
    y_offset_arcsec=NumberCell(unit="arcsec"),
    width_arcsec=NumberCell(0, unit="arcsec", above=True),
    height_arcsec=NumberCell(0, unit="arcsec", above=True),
    angle_deg=NumberCell(-360, 360, "degrees"),
    priority=IntegerCell(),
    done=FlagCell(),
)

AZIMUTH_COLUMNS = (
    TableColumn("source", TextCell(200), "Source that the range is of; without this column, the unit's."),
    *columns_of(
        AzimuthRange,
        azimuth_min_deg=NumberCell(-360, 720, "degrees"),
        azimuth_max_deg=NumberCell(-360, 720, "degrees"),
        rising=FlagCell(),
        lst_start_hours=NumberCell(0, 24, "hours", below=True),
        lst_end_hours=NumberCell(0, 24, "hours", below=True),
    ),
)

MAPPING_COLUMNS = (
    TableColumn("configuration", TextCell(200), "Name of the recipe that the row describes.", required=True),
    *columns_of(
        PrimeCamObservationConfiguration,
        version=IntegerCell(1),
        scan_type=TextCell(50),
        width_deg=NumberCell(0, unit="degrees"),
        height_deg=NumberCell(0, unit="degrees"),
        velocity_deg_s=NumberCell(0, unit="degrees per second"),
        spacing_deg=NumberCell(0, unit="degrees", above=True),
        angle_deg=NumberCell(-360, 360, "degrees"),
        elevation_deg=NumberCell(0, 90, "degrees"),
        parameters=JsonObjectCell(),
        description=TextCell(),
    ),
)


class RecipeFiles:
    """Reads the files that one table refers to, each once; problems are noted in the file or at the reference.

    Args:
        problems: those of the table, to which problems of its files are added.
    """

    def __init__(self, problems: LoadProblems):
        self.problems = problems
        self.known: dict[tuple, object] = {}

    def parameters(self, row: TableRow, column: str) -> dict[str, TableRow] | None:
        """Return the inpar parameters of a file or folder by their keys; None if one is wrong."""
        return self._merged(row, column, INPAR_SUFFIX, "parameter", _parameters)

    def tiles(self, row: TableRow, column: str) -> dict[int, TableRow] | None:
        """Return the tiles of a file or folder by their numbers; None if one is wrong."""
        return self._merged(row, column, TILING_SUFFIX, "tile", _tiles)

    def mapping(self, row: TableRow, column: str, name: str) -> dict[int, TableRow] | None:
        """Return the rows of a mapping table that describe a recipe, by version; None if there is none."""
        recipes = self._table(row, column, _mappings)
        if recipes is None:
            return None
        if name not in recipes:
            row.problem(f"has no row for configuration {name}", column, expected=near(name, recipes))
        return recipes.get(name)

    def azimuth_ranges(
        self, row: TableRow, column: str, name: str, aliases: Iterable[str] = ()
    ) -> list[TableRow] | None:
        """Return the rows of an azimuth table that are of a source; None if there is none."""
        sources = self._table(row, column, _azimuths)
        if sources is None:
            return None
        found = [one for called in ("", name, *aliases) for one in sources.get(called.casefold(), ())]
        if not found:
            there = {one.values["source"] for rows in sources.values() for one in rows}
            row.problem("has no row for the source", column, expected=near(name, there))
        return found or None

    def _merged(self, row, column, suffix, what, read):
        """Return the content of all files of a reference by key; a key in two of them is a problem."""
        given = row.values[column]
        if (what, given) not in self.known:
            self.known[what, given] = None
            paths = self._found(row, column, lambda: referenced_files(row.problems.path, given, suffix))
            if paths is not None:
                self.known[what, given] = self._united(what, [self._once(what, path, read) for path in paths])
        return self.known[what, given]

    def _united(self, what, files):
        if None in files:
            return None
        united, complete = {}, True
        for found in files:
            for key in found.keys() & united.keys():
                found[key].problem(
                    f"{what} {key} is also in {united[key].problems.path.name}", expected=f"each {what} in one file"
                )
                complete = False
            united |= found
        return united if complete else None

    def _table(self, row, column, read):
        path = self._found(row, column, lambda: resolve_reference(row.problems.path, row.values[column]))
        return None if path is None else self._once(column, path, read)

    def _found(self, row, column, look):
        try:
            return look()
        except WrongReference as error:
            row.problems.add(error.args[0], expected=error.args[1], line=row.line, column=column)
            return None

    def _once(self, what, path, read):
        """Return the content of a file, read at the first call; None if it is wrong, which is noted then."""
        if (what, path) not in self.known:
            problems, found = LoadProblems(path), None
            try:
                found = read(path, problems)
            except LoadError as error:
                if error.omitted:
                    raise
            self.known[what, path] = None if problems else found
            self.problems.found += problems.found
            if len(self.problems.found) >= PROBLEM_LIMIT:
                raise LoadError(self.problems.found[:PROBLEM_LIMIT], omitted=True)
            problems.found = self.problems.found
        return self.known[what, path]


def _parameters(path, problems):
    return {
        one.key: TableRow(problems, one.line, {"value": one.value, "comment": one.comment})
        for one in read_inpar(path, problems)
    }


def _tiles(path, problems):
    tiles = {}
    for row in read_table(path, TILE_COLUMNS, problems):
        number = row.values.pop("tile_index", None)
        first = tiles.setdefault(number, row)
        if first is not row and number is not None:
            row.problem(f"is also on line {first.line}", "tile_index", expected="each tile once")
    return tiles


def _mappings(path, problems):
    """Return the rows of a mapping table by configuration and version."""
    recipes = {}
    for row in read_table(path, MAPPING_COLUMNS, problems):
        version = row.values.get("version", 1)
        first = recipes.setdefault(row.values.get("configuration"), {}).setdefault(version, row)
        if first is not row:
            row.problem(
                f"version {version} is also on line {first.line}", "configuration", expected="each version once"
            )
    return recipes


def _azimuths(path, problems):
    """Return the rows of an azimuth table by source."""
    sources, seen = {}, {}
    for row in read_table(path, AZIMUTH_COLUMNS, problems):
        low, high = row.values.get("azimuth_min_deg"), row.values.get("azimuth_max_deg")
        if low is not None and high is not None and low >= high:
            row.problem("is not above azimuth_min_deg", "azimuth_max_deg", expected="across north as 350 to 370")
        first = seen.setdefault(tuple(row.values.items()), row)
        if first is not row:
            row.problem(f"the range is also on line {first.line}", expected="each range once")
        sources.setdefault((row.values.get("source") or "").casefold(), []).append(row)
    return sources
