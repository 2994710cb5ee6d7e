"""Cells that name instruments and their parts; the telescope may be left out if the name is unique without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from django.db import models

from opsdb.models import Instrument, InstrumentModule, InstrumentModuleConfiguration

from .cells import SEPARATOR, Key, ReferenceCell


class InstrumentCell(ReferenceCell):
    """A reference whose first part, the telescope, may be left out where only one row fits without it."""

    def __init__(self, model: type[models.Model], *lookups: str, many: bool = False, example: str):
        super().__init__(model, *lookups, many=many)
        kind = f'{model._meta.verbose_name_plural} separated by "{SEPARATOR}"' if many else model._meta.verbose_name
        article = "" if many else "an " if kind[0] in "aeio" else "a "
        self.expected = f"{article}{kind} such as {example}, behind the telescope if several have one"

    def _key(self, text: str) -> Key:
        parts = tuple(part.strip() for part in text.split("/"))
        if len(parts) not in (len(self.lookups) - 1, len(self.lookups)):
            raise ValueError
        return parts

    def found(self, keys: Collection[Key]) -> dict[Key, models.Model]:
        names = {key[-1] for key in keys}
        related = [lookup.rpartition("__")[0] for lookup in self.lookups if "__" in lookup]
        rows = list(self.model._default_manager.filter(**{f"{self.lookups[-1]}__in": names}).select_related(*related))
        full = {self.key_of(row): row for row in rows}
        short = Counter(key[1:] for key in full)
        return full | {key[1:]: row for key, row in full.items() if short[key[1:]] == 1}


def instrument() -> InstrumentCell:
    """Return the cell that names an instrument."""
    return InstrumentCell(Instrument, "telescope__short_name", "name", example="CHAI")


def instrument_module() -> InstrumentCell:
    """Return the cell that names a module."""
    return InstrumentCell(
        InstrumentModule, "instrument__telescope__short_name", "instrument__name", "name", example="CHAI/LFA"
    )


def module_configurations() -> InstrumentCell:
    """Return the cell that names configurations of modules."""
    return InstrumentCell(
        InstrumentModuleConfiguration,
        "instrument_module__instrument__telescope__short_name",
        "instrument_module__instrument__name",
        "instrument_module__name",
        "name",
        many=True,
        example="CHAI/LFA/CO43",
    )
