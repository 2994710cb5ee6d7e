"""Azimuth ranges of fields at constant elevation, from the tables that observation units refer to."""

from __future__ import annotations

from opsdb.models import AzimuthRange, ConstantElevationSource, SourceType

from .loading import Loading
from .parts import PartRules, write_parts
from .recipe_files import AZIMUTHS, RecipeFiles
from .tables import TableRow

Fields = dict[int, tuple[TableRow, list[TableRow]]]
"""The row that refers to a table first, and the rows of the table, by the primary key of the source."""


class RangeRules(PartRules):
    """Rules of azimuth ranges, identified by all their values."""

    def part(self, key: tuple) -> str:
        lowest, highest, rising, *_ = key
        return f"{lowest:g}° to {highest:g}° {'rising' if rising else 'setting'}"


RANGES = RangeRules(
    AzimuthRange, "source", "azimuth_min_deg", "azimuth_max_deg", "rising", "lst_start_hours", "lst_end_hours"
)


def add_azimuth_ranges(fields: Fields, row: TableRow, referenced: RecipeFiles | None) -> None:
    """Add the ranges of a row's table to those of its source."""
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
    ranges = referenced.azimuth_ranges(row, AZIMUTHS, source.name, source.aliases)
    if ranges is None:
        return
    first, others = fields.setdefault(source.pk, (row, ranges))
    if [one.values for one in others] != [one.values for one in ranges]:
        row.problem(
            f"gives azimuths of {source} that differ from those of line {first.line}",
            AZIMUTHS,
            expected="one table for a source",
        )


def write_azimuth_ranges(loading: Loading, fields: Fields) -> None:
    """Make the ranges of every source those that its table has."""
    sources = ConstantElevationSource.objects.in_bulk(fields)
    wholes = []
    for number, (row, ranges) in fields.items():
        parts = {tuple(one.values.get(name) for name in RANGES.key_fields[1:]): one for one in ranges}
        wholes.append((row, sources[number], False, parts))
    write_parts(loading, RANGES, wholes)
