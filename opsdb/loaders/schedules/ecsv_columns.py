"""Columns of astropy tables as lists of Python objects, whatever kind of column holds the numbers."""

from __future__ import annotations

from typing import Any

from opsdb.earth import utc_datetimes

from ..errors import LoadProblems, shown
from .rows import COLUMN_UNITS, KNOWN_COLUMNS

SKY_COLUMNS = ("ra_center", "dec_center")
# Frames that do not depend on a time or a place.
SKY_FRAMES = ("icrs", "fk4", "fk5", "galactic", "barycentricmeanecliptic", "barycentrictrueecliptic")


def plain_columns(table: Any, line: int, problems: LoadProblems) -> dict[str, list]:
    """Return the values of all columns by name: angles in degrees, times in UTC, nothing and masked cells as None.

    A column of positions (``SkyCoord``), whatever its name, becomes the columns of the field's centre.

    Args:
        table: an astropy table.
        line: where the file names the columns.
        problems: those of the file; wrong units and columns are noted.
    """
    from astropy.coordinates import SkyCoord
    from astropy.time import Time

    found: dict[str, list] = {}
    for name in table.colnames:
        column = table[name]
        if isinstance(column, SkyCoord):
            found |= _centres(column, name, {*table.colnames, *found}, line, problems)
        elif name not in KNOWN_COLUMNS:
            found[name] = [None] * len(table)
        elif isinstance(column, Time):
            try:
                found[name] = utc_datetimes(column)
            except (ValueError, OverflowError, TypeError) as error:
                problems.add(f"can't be converted to UTC: {error}", expected="UTC", line=line, column=name)
        else:
            found[name] = _numbers_or_texts(column, name, line, problems)
    return found


def _numbers_or_texts(column, name, line, problems):
    unit = getattr(column, "unit", None)
    try:
        values = _listed(column)
    except (AttributeError, TypeError, ValueError):
        kind = type(column).__name__
        problems.add(f"is a column of {kind}", expected="numbers, texts or times", line=line, column=name)
        return []
    if unit is None or name not in COLUMN_UNITS:
        return values
    from astropy import units

    try:
        factor = units.Unit(unit).to(COLUMN_UNITS[name])
    except (units.UnitsError, ValueError, TypeError):
        problems.add(f"unit {shown(unit)}", expected=COLUMN_UNITS[name], line=line, column=name)
        return values
    return [value * factor if isinstance(value, float | int) and factor != 1 else value for value in values]


def _listed(column):
    """Return the values of a column, a Quantity or a masked one of these, as Python objects."""
    values = getattr(column, "unmasked", column)
    values = getattr(values, "value", values)
    if values.dtype.kind == "M":
        values = values.astype("datetime64[us]")  # of other units numpy makes numbers or dates
    mask = getattr(column, "mask", None)
    if mask is None or not hasattr(mask, "tolist"):
        return values.tolist()
    values = getattr(values, "data", values)
    return [None if hidden else value for value, hidden in zip(values.tolist(), mask.tolist(), strict=True)]


def _centres(column, name, names, line, problems):
    if any(one in names for one in SKY_COLUMNS):
        problems.add("is a second position of the blocks", expected="one of them", line=line, column=name)
        return {}
    if column.frame.name not in SKY_FRAMES:
        problems.add(
            f"is in the frame {shown(column.frame.name)}",
            expected=f"one of {', '.join(SKY_FRAMES)}",
            line=line,
            column=name,
        )
        return {}
    sky = column.icrs
    return dict(zip(SKY_COLUMNS, (_listed(sky.ra.deg), _listed(sky.dec.deg)), strict=True))
