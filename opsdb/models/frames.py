"""Rows of a queryset as a pandas data frame or an astropy table. Both are imported on first use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.query import ValuesIterable

from .display import shown_fields
from .units import unit_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from astropy.table import QTable

ROW_LIMIT = 100_000
PORTION = 10_000


@dataclass(frozen=True)
class Selected:
    """A column of a frame.

    Attributes:
        name: as it was asked for.
        field: the field that its values are of; None for a part of a JSON value and the like.
        is_nullable: whether it may be empty, itself or for want of a related row.
    """

    name: str
    field: models.Field[Any, Any] | None
    is_nullable: bool

    @property
    def unit(self) -> str | None:
        """Its unit, if it has one."""
        return unit_of(self.field, self.name) if self.field is not None else None

    def is_a(self, *kinds: type[Any]) -> bool:
        """Whether its values are of a field of one of these classes."""
        return isinstance(self.field, kinds)


INTEGERS = (models.IntegerField,)
TEXTS = (models.CharField, models.TextField, models.UUIDField, models.GenericIPAddressField)


def as_dataframe(queryset: models.QuerySet[Any], fields: tuple[str, ...], limit: int | None) -> pd.DataFrame:
    """Return the rows of a queryset as a data frame; see ``OpsQuerySet.to_dataframe``."""
    import pandas as pd

    selected, values = _read(queryset, fields, limit)
    frame = pd.DataFrame({column.name: _series(column, values[column.name]) for column in selected})
    frame.attrs["units"] = {column.name: column.unit for column in selected if column.unit}
    return frame


def _series(column: Selected, values: list[Any]) -> pd.Series[Any]:
    import pandas as pd

    if column.is_a(models.DateTimeField):
        return pd.Series(pd.to_datetime(pd.Series(values, dtype="object"), utc=True)).astype("datetime64[us, UTC]")
    if column.is_a(models.BooleanField):
        return pd.Series(values, dtype="boolean" if column.is_nullable else "bool")
    if column.is_a(*INTEGERS):
        return pd.Series(values, dtype="Int64" if column.is_nullable else "int64")
    if column.is_a(models.FloatField):
        return pd.Series(values, dtype="float64")
    if column.is_a(models.DurationField):
        return pd.Series(values, dtype="timedelta64[us]")
    if column.is_a(*TEXTS):
        return pd.Series([None if value is None else str(value) for value in values], dtype="str")
    return pd.Series(values, dtype="object")


def as_qtable(queryset: models.QuerySet[Any], fields: tuple[str, ...], limit: int | None) -> QTable:
    """Return the rows of a queryset as an astropy table; see ``OpsQuerySet.to_qtable``."""
    from astropy.table import QTable

    selected, values = _read(queryset, fields, limit)
    table = QTable()
    for column in selected:
        table[column.name] = _astropy_column(column, values[column.name])
        if column.field is not None and (meaning := getattr(column.field, "help_text", "")):
            table[column.name].info.description = str(meaning)
    return table


def _astropy_column(column: Selected, values: list[Any]) -> Any:
    import numpy as np
    from astropy.table import Column, MaskedColumn
    from astropy.units import Quantity

    if column.is_a(models.DateTimeField):
        return times(values)
    if column.unit:
        return Quantity(np.array([np.nan if value is None else value for value in values], float), column.unit)
    if column.is_a(models.FloatField):
        return Column(np.array([np.nan if value is None else value for value in values], float))
    for kinds, dtype, filler in ((INTEGERS, "int64", 0), ((models.BooleanField,), "bool", False), (TEXTS, "str", "")):
        if column.is_a(*kinds):
            filled: np.ndarray = np.array(
                [filler if value is None else str(value) if dtype == "str" else value for value in values], dtype=dtype
            )
            if not column.is_nullable:
                return Column(filled)
            return MaskedColumn(filled, mask=[value is None for value in values])
    return Column(np.array([*values, None], dtype="object")[:-1])


def times(moments: list[datetime | None]) -> Any:
    """Return moments as one astropy ``Time`` in UTC, masked where there is none."""
    import numpy as np
    from astropy.time import Time

    stamps = [
        "NaT" if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat() for moment in moments
    ]
    return Time(np.array(stamps, dtype="datetime64[us]"), format="datetime64", scale="utc")


def _read(
    queryset: models.QuerySet[Any], fields: tuple[str, ...], limit: int | None
) -> tuple[list[Selected], dict[str, list[Any]]]:
    """Return the columns of a queryset, and their values row by row."""
    rows, names = _rows_of(queryset, fields)
    selected = [_selected(queryset, name) for name in names]
    values: dict[str, list[Any]] = {name: [] for name in names}
    for row in _limited(rows, limit):
        for name in names:
            values[name].append(row[name])
    return selected, values


def _rows_of(queryset, fields):
    if fields:
        return queryset.values(*fields), list(fields)
    if queryset._fields is None:
        names = [field.attname for field in shown_fields(queryset.model)]
        names += [name for name in queryset.query.annotation_select if name not in names]
        return queryset.values(*names), names
    rows, query = queryset._chain(), queryset.query
    rows._iterable_class = ValuesIterable
    return rows, list(query.selected or (*query.extra_select, *query.values_select, *query.annotation_select))


def _limited(rows: models.QuerySet[Any], limit: int | None) -> Iterator[dict[str, Any]]:
    if limit is None:
        yield from rows.iterator(chunk_size=PORTION)
        return
    for number, row in enumerate(rows[: limit + 1]):
        if number == limit:
            raise ValueError(
                f"There are more than {limit} rows: filter them, take the first ones with [:{limit}], or give a limit;"
                " limit=None takes all of them"
            )
        yield row


def _selected(queryset: models.QuerySet[Any], name: str) -> Selected:
    query = queryset.query
    if name in query.annotations:
        try:
            return Selected(name, query.annotations[name].output_field, True)
        except Exception:  # an annotation without a type
            return Selected(name, None, True)
    if name == "pk":
        name = query.get_meta().pk.name
    path, field, targets, rest = query.names_to_path(name.split("__"), query.get_meta(), fail_on_missing=False)
    if rest:
        return Selected(name, None, True)
    steps_may_be_empty = any(not step.direct or step.m2m or step.join_field.null for step in path)
    held = targets[0] if field.is_relation and targets else field
    return Selected(name, held, steps_may_be_empty or field.null)
