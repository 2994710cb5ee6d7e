"""The files that a table of observation units refers to: inpar parameters, tilings, mapping parameters, azimuths.

Formats: docs/formats/obs-units.md.
"""

from __future__ import annotations

import json

from opsdb.models import AzimuthRange, ChaiTiling, PrimeCamObservationConfiguration

from .beside import WrongReference, beside, files_of
from .columns import Cell, Column, Flag, Number, Text, Whole
from .errors import LoadError, Problems, near
from .inpar import SUFFIX as INPAR_SUFFIX
from .inpar import read_inpar
from .tables import TableRow, read_table

TILING_SUFFIX = ".csv"


class JsonObject(Cell):
    """A JSON object."""

    expected = 'a JSON object such as {"turns": 22}'

    def read(self, text):
        try:
            value = json.loads(text, parse_constant=_refuse)
        except RecursionError:
            raise ValueError from None
        if not isinstance(value, dict):
            raise ValueError
        return value

    def write(self, value):
        return json.dumps(value, ensure_ascii=False)


def _refuse(constant):
    raise ValueError(f"{constant} is no JSON")


def columns_of(model, target=None, **cells) -> tuple[Column, ...]:
    """Return columns called and explained as fields of a model; required where a row can't do without.

    Args:
        model: whose fields they are.
        target: ``""`` where the columns fill no field of the table's own rows.
        cells: what a column holds, by the field's name.
    """
    columns = []
    for name, cell in cells.items():
        field = model._meta.get_field(name)
        required = not field.blank and not field.has_default()
        empty = None if field.null else field.get_default()
        columns.append(Column(name, cell, str(field.help_text), required=required, field=target, empty=empty))
    return tuple(columns)


TILE_COLUMNS = columns_of(
    ChaiTiling,
    tile_index=Whole(0),
    x_offset_arcsec=Number(unit="arcsec"),
    y_offset_arcsec=Number(unit="arcsec"),
    width_arcsec=Number(0, unit="arcsec", above=True),
    height_arcsec=Number(0, unit="arcsec", above=True),
    angle_deg=Number(-360, 360, "degrees"),
    priority=Whole(),
    done=Flag(),
)

AZIMUTH_COLUMNS = (
    Column("source", Text(200), "Source that the range is of; without this column, the unit's."),
    *columns_of(
        AzimuthRange,
        azimuth_min_deg=Number(-360, 720, "degrees"),
        azimuth_max_deg=Number(-360, 720, "degrees"),
        rising=Flag(),
        lst_start_hours=Number(0, 24, "hours", below=True),
        lst_end_hours=Number(0, 24, "hours", below=True),
    ),
)

MAPPING_COLUMNS = (
    Column("configuration", Text(200), "Name of the recipe that the row describes.", required=True),
    *columns_of(
        PrimeCamObservationConfiguration,
        version=Whole(1),
        scan_type=Text(50),
        width_deg=Number(0, unit="degrees"),
        height_deg=Number(0, unit="degrees"),
        velocity_deg_s=Number(0, unit="degrees per second"),
        spacing_deg=Number(0, unit="degrees", above=True),
        angle_deg=Number(-360, 360, "degrees"),
        elevation_deg=Number(0, 90, "degrees"),
        parameters=JsonObject(),
        description=Text(),
    ),
)


class RecipeFiles:
    """Reads the files that one table refers to, each once; what is wrong is noted, in the file or at the reference.

    Args:
        problems: those of the table; problems of its files are added to them.
    """

    def __init__(self, problems: Problems):
        self.problems = problems
        self.read: dict[tuple, object] = {}

    def parameters(self, row: TableRow, column: str) -> dict[str, TableRow] | None:
        """Return the inpar parameters of a file or folder by their keys; None if one is wrong."""
        return self._merged(row, column, INPAR_SUFFIX, "parameter", self._inpar)

    def tiles(self, row: TableRow, column: str) -> dict[int, TableRow] | None:
        """Return the tiles of a file or folder by their numbers; None if one is wrong."""
        return self._merged(row, column, TILING_SUFFIX, "tile", self._tiling)

    def mapping(self, row: TableRow, column: str, name: str) -> dict[int, TableRow] | None:
        """Return the rows of a mapping table that describe a recipe, by version; None if the table is wrong."""
        rows = self._table(row, column, MAPPING_COLUMNS)
        if rows is None:
            return None
        found: dict[int, TableRow] = {}
        for one in rows:
            if one.values["configuration"] == name:
                version = one.values.get("version", 1)
                first = found.setdefault(version, one)
                if first is not one:
                    one.problem(f"version {version} is on line {first.line} too", "configuration", expected="one row")
                    return None
        if not found:
            row.problem(
                f"has no row for configuration {name}",
                column,
                expected=near(name, {one.values["configuration"] for one in rows}),
            )
            return None
        return found

    def azimuth_ranges(self, row: TableRow, column: str, names: set[str]) -> list[TableRow] | None:
        """Return the rows of an azimuth table that are of a source with these names; None if the table is wrong."""
        rows = self._table(row, column, AZIMUTH_COLUMNS, _check_azimuths)
        if rows is None:
            return None
        wanted = {name.casefold() for name in names}
        found = [one for one in rows if (one.values.get("source") or min(names)).casefold() in wanted]
        if not found:
            row.problem(
                "has no row for the source",
                column,
                expected=near(min(names), {one.values["source"] for one in rows}),
            )
            return None
        return found

    def _merged(self, row, column, suffix, what, read_one):
        """Return what all files of a reference hold, by key; a key in two of them is a problem."""
        paths = self._paths(row, column, suffix)
        if paths is None:
            return None
        merged, complete = {}, True
        for path in paths:
            entries = self._once((what, path), lambda path=path: read_one(path))
            if entries is None:
                complete = False
                continue
            for key, entry in entries.items():
                if key in merged:
                    entry.problem(
                        f"{what} {key} is in {merged[key].problems.path.name} too", expected=f"every {what} in one file"
                    )
                    complete = False
                merged[key] = entry
        return merged if complete else None

    def _paths(self, row, column, suffix):
        given = row.values[column]
        try:
            return self._once((suffix, given), lambda: files_of(row.problems.path, given, suffix))
        except WrongReference as error:
            row.problem(error.args[0], column, expected=error.args[1])
            return None

    def _once(self, key, read):
        """Return what a file holds, read at the first call; None if it is wrong, which is noted then."""
        if key not in self.read:
            known = len(self.problems.found)
            try:
                found = read()
            except LoadError as error:
                if error.omitted:
                    raise
            self.read[key] = found if len(self.problems.found) == known else None
        return self.read[key]

    def _table(self, row, column, columns, check=None):
        try:
            path = beside(row.problems.path, row.values[column])
        except WrongReference as error:
            row.problem(error.args[0], column, expected=error.args[1])
            return None

        def read():
            rows = read_table(path, columns, Problems(path, self.problems))
            if check:
                check(rows)
            return rows

        return self._once((check, path), read)

    def _inpar(self, path):
        problems = Problems(path, self.problems)
        return {
            one.key: TableRow(problems, one.line, {"value": one.value, "comment": one.comment})
            for one in read_inpar(path, problems)
        }

    def _tiling(self, path):
        found = {}
        for row in read_table(path, TILE_COLUMNS, Problems(path, self.problems)):
            number = row.values.pop("tile_index", None)
            if number in found:
                row.problem(f"is on line {found[number].line} too", "tile_index", expected="every tile once")
            found[number] = row
        return found


def _check_azimuths(rows):
    seen = {}
    for row in rows:
        low, high = row.values.get("azimuth_min_deg"), row.values.get("azimuth_max_deg")
        if low is not None and high is not None and low >= high:
            row.problem("is not above azimuth_min_deg", "azimuth_max_deg", expected="across north as 350 to 370")
        first = seen.setdefault(tuple(row.values.items()), row)
        if first is not row:
            row.problem(f"the range is on line {first.line} already", expected="every range once")
