"""What every queryset of ops-db has in common: natural keys, subtypes, and data frames and tables of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models
from django.db.models.query import ModelIterable

from .display import queryset_as_html
from .frames import ROW_LIMIT, as_dataframe, as_qtable
from .natural_keys import natural_key_lookups

if TYPE_CHECKING:
    import pandas as pd
    from astropy.table import QTable

ModelT = TypeVar("ModelT", bound=models.Model)


class OpsQuerySet(models.QuerySet[ModelT]):
    """Base of every queryset of ops-db."""

    def get_by_natural_key(self, *key: Any) -> ModelT:
        """Return the row with this natural key.

        Raises:
            DoesNotExist: there is none.
        """
        return self.get(**dict(zip(natural_key_lookups(self.model), key, strict=True)))

    def to_dataframe(self, *fields: str, limit: int | None = ROW_LIMIT) -> pd.DataFrame:
        """Return the rows as a pandas data frame, by one query; the extra ``notebook`` installs pandas.

        A column's type follows from its field, also without rows: times are ``datetime64[us, UTC]``, whole numbers that
        may be empty are ``Int64``, texts, choices and UUIDs are ``str``, JSON is ``object``. ``attrs["units"]`` has the
        unit of every column that has one.

        Args:
            fields: names, also of related rows (``obs_unit__name``); by default every column and annotation, without
                hashes of passwords and tokens.
            limit: refuse more rows than this; None takes all of them, read in portions.

        Raises:
            ValueError: there are more rows.
            FieldError: there is no such field.
        """
        return as_dataframe(self, fields, limit)

    def to_qtable(self, *fields: str, limit: int | None = ROW_LIMIT) -> QTable:
        """Return the rows as an astropy ``QTable``, by one query: quantities with units, and ``Time`` (UTC).

        Numbers with a unit are quantities, with NaN where they are empty. Other columns that may be empty are masked.

        Args:
            fields: as of :meth:`to_dataframe`.
            limit: refuse more rows than this; None takes all of them, read in portions.

        Raises:
            ValueError: there are more rows.
            FieldError: there is no such field.
        """
        return as_qtable(self, fields, limit)

    def _repr_html_(self) -> str:
        return queryset_as_html(self)


class _SpecificIterable(ModelIterable):
    def __iter__(self) -> Iterator[Any]:
        for row in super().__iter__():
            yield row.specific


class SpecificQuerySet(OpsQuerySet[ModelT]):
    """Queryset of a joined parent that can return its subtypes."""

    def specific(self) -> Self:
        """Return subtype instances, all in one query."""
        names = [
            model._meta.get_field(model._meta.pk.name).remote_field.name for model in self.model.subtypes().values()
        ]
        clone = self.select_related(*names)
        clone._iterable_class = _SpecificIterable
        return clone
