"""The time zone of a row's observatory, for the local times beside those in UTC."""

from functools import cache

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from opsdb.models import Instrument, InstrumentModule, Observatory, Telescope

ZONE = "opsdb_time_zone"  # attribute of a row: the time zone of its observatory
TO_INSTRUMENT = "telescopes__instruments"
TO_MODULE = f"{TO_INSTRUMENT}__modules"


def with_time_zone(rows: QuerySet) -> QuerySet:
    """Add the time zone of each row's observatory to a queryset: that of the row's telescope, else the only one."""
    return rows.annotate(**{ZONE: _zone_of(rows.model)})


def only_time_zone() -> str | None:
    """Return the time zone of all observatories; None where they have several, or there is none."""
    zones = [*Observatory.objects.order_by().values_list("time_zone", flat=True).distinct()[:2]]
    return zones[0] if len(zones) == 1 else None


@cache
def _zone_of(model):
    ways = {Observatory: "pk", Telescope: "telescopes", Instrument: TO_INSTRUMENT, InstrumentModule: TO_MODULE}
    steps = [(ways[field.related_model], field) for field in model._meta.fields if field.related_model in ways]
    only = Observatory.objects.exclude(Exists(Observatory.objects.exclude(time_zone=OuterRef("time_zone"))))
    zones = [Observatory.objects.filter(**{way: OuterRef(field.attname)}) for way, field in steps] + [only]
    found = [Subquery(observatories.order_by().values("time_zone")[:1]) for observatories in zones]
    return Coalesce(*found) if len(found) > 1 else found[0]
