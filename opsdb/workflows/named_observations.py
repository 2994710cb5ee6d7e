"""Observations that a text names as people call them: after their unit or source, their date or minute, and a module.

The names are looked for in small tables; of the observations so named only the newest are found, along their indexes.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from opsdb.database.functions import spelled_texts
from opsdb.models import ExecutedObsUnit, InstrumentModule, ObsUnit, Source

from ._search_names import are_called
from .search_text import SearchText

MOST_OBSERVATIONS = 500
"""How many observations a text may name; of more, the newest."""
_MOST_UNITS = 1_000


@dataclass(frozen=True)
class NamedObservations:
    """Observations that a text names, and perhaps one module.

    Attributes:
        keys: of the observations.
        modules: keys of the modules that are named, or None where the text names none.
    """

    keys: list[UUID]
    modules: list[int] | None = None

    @classmethod
    def of_text(cls, search: SearchText) -> NamedObservations | None:
        """Return the observations that a text names, or None where it names none. Five queries at most."""
        if not search.is_searchable or search.is_only_key or search.text.isdecimal():
            return None  # a number is a key
        moment = search.moment
        if moment is not None and "/" in search.text.split(" ")[0]:
            return None  # a path that has a date
        name, *others = search.labels or ["" if moment else search.text]
        rows = moment.executions() if moment is not None else ExecutedObsUnit.objects.all()
        if name:
            units = _units_called(name)
            if not units:
                return None
            rows = rows.filter(obs_unit__in=units)
        elif moment is None or (moment.rest and moment.rest.lower() != "night"):
            return None
        keys = list(rows.order_by("-start_time").values_list("pk", flat=True)[:MOST_OBSERVATIONS])
        modules = _modules_called(others[0]) if others else None
        return cls(keys, modules) if keys and modules != [] else None


def _units_called(name):
    """Return the keys of the units that are called so, or whose source is."""
    (spelling,) = spelled_texts([name])
    if not spelling:
        return []
    sources = are_called(Source.objects.all(), ("name", "aliases"), spelling).values("pk")
    units = are_called(ObsUnit.objects.all(), ("name",), spelling).values("pk")
    either = Q(pk__in=units) | Q(source__in=sources)
    return list(ObsUnit.objects.filter(either).order_by().values_list("pk", flat=True)[:_MOST_UNITS])


def _modules_called(name):
    return list(InstrumentModule.objects.filter(name__iexact=name).order_by().values_list("pk", flat=True))
