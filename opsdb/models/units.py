"""The units of numeric columns. A field's name ends in its unit, by one table for all models."""

from __future__ import annotations

from typing import Any

from django.db import models

# What names end in, and the unit as VOUnits and astropy write it. The longest end counts.
UNITS = {
    "deg": "deg",
    "arcsec": "arcsec",
    "mas": "mas",
    "mas_yr": "mas/yr",
    "deg_s": "deg/s",
    "km_s": "km/s",
    "m": "m",
    "mm": "mm",
    "ghz": "GHz",
    "khz": "kHz",
    "hz": "Hz",
    "seconds": "s",
    "hours": "h",
    "days": "d",
    "bytes": "byte",
    "gb": "Gbyte",
    "percent": "%",
}
# Names that do not end in their unit.
OTHERS = {"bytes": "byte", "bytes_transferred": "byte", "hours": "h"}
NUMBERS = (models.IntegerField, models.FloatField, models.DecimalField)


def unit_of(field: models.Field[Any, Any], name: str = "") -> str | None:
    """Return the unit of a column, as VOUnits and astropy write it, or None if it has none.

    Args:
        field: of a model, or of an annotation.
        name: of the annotation, or of a field that has no model.
    """
    if not isinstance(field, NUMBERS):
        return None
    name = getattr(field, "name", None) or name
    if (units := getattr(getattr(field, "model", None), "units", None)) is not None:
        return units.get(name)
    words = name.split("_")
    ends = ("_".join(words[start:]) for start in range(1, len(words)))
    return next((UNITS[end] for end in ends if end in UNITS), OTHERS.get(name))
