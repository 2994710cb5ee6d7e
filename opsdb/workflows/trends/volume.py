"""How much every location held, and when it will be full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from opsdb.database.aliases import read_rows

from ._periods import DAY, days_of, end_of_complete_days, require_period

GROWTH_DAYS = 14
"""Days over which the present growth is averaged."""
FARTHEST = timedelta(days=36_500)

# What came before the period, and before the days of the growth, counts on one day.
SQL = """
SELECT location.id, site.short_name, location.name, location.location_type, location.capacity_bytes,
    greatest(usage.day, %(before)s), sum(usage.bytes)::numeric, sum(usage.arrived_bytes)::numeric
FROM data_location AS location
JOIN site ON site.id = location.site_id
LEFT JOIN data_location_usage AS usage ON usage.data_location_id = location.id AND usage.day < %(end)s
WHERE %(location)s::bigint IS NULL OR location.id = %(location)s
GROUP BY location.id, site.short_name, 6
ORDER BY site.short_name, location.name
"""


@dataclass(frozen=True)
class DayVolume:
    """What a location held at the end of a day, and what came and went on it.

    Attributes:
        day: the day (UTC).
        held_bytes: at its end.
        arrived_bytes: of the copies that arrived on it.
        left_bytes: of the copies that were deleted, or found missing, on it.
    """

    day: date
    held_bytes: int
    arrived_bytes: int
    left_bytes: int


@dataclass(frozen=True)
class VolumeTrend:
    """How the volume of a location went over a period.

    Attributes:
        id: key of the location.
        site: short name of its site.
        location: its name.
        location_type: its purpose.
        capacity_bytes: how many bytes it could store, if that is known.
        days: every day of the period.
        growth_bytes_per_day: mean of the last :data:`GROWTH_DAYS` complete days of the period, or of those since its
            first copy; below 0 if it shrank.
        full_on: the day on which it will be full at that rate; None where it does not grow, has no known capacity, or
            that is more than a century away. The last day of the period if it is full then.
    """

    id: int
    site: str
    location: str
    location_type: str
    capacity_bytes: int | None
    days: Sequence[DayVolume]
    growth_bytes_per_day: float
    full_on: date | None

    @property
    def held_bytes(self) -> int:
        """What it held at the end of the period."""
        return self.days[-1].held_bytes


def measure_volumes(start: date, end: date, *, location: int | None = None) -> list[VolumeTrend]:
    """Return how much every location held at the end of each day of a period, by site and name. One query.

    A copy counts from its arrival to its deletion; one that is missing is counted until it was found so.

    Args:
        start: first day (UTC).
        end: day after the last one.
        location: key of the only location that is asked for.

    Raises:
        OpsdbError: the period has no day.
    """
    require_period(start, end)
    first = min(start, end_of_complete_days(end) - GROWTH_DAYS * DAY)
    notes: dict[tuple, dict[date, tuple[int, int]]] = {}
    for *facts, day, held, arrived in read_rows(SQL, {"before": first - DAY, "end": end, "location": location}):
        of_location = notes.setdefault(tuple(facts), {})
        if day is not None and held is not None:
            of_location[day] = (int(held), int(arrived))
    return [_trend(facts, of_location, first, start, end) for facts, of_location in notes.items()]


def _trend(location, notes, first, start, end):
    key, site, name, location_type, capacity = location
    held = notes.get(first - DAY, (0, 0))[0]
    levels = {first - DAY: held}
    days = []
    for day in days_of(first, end):
        net, arrived = notes.get(day, (0, 0))
        held += net
        levels[day] = held
        if day >= start:
            days.append(DayVolume(day, held, arrived, arrived - net))
    growth = _growth(levels, notes, end)
    return VolumeTrend(
        key, site, name, location_type, capacity, days, growth, _full_on(capacity, held, growth, end - DAY)
    )


def _growth(levels, notes, end):
    """Return the mean growth by day over the last complete days, or those that there are notes of."""
    last = end_of_complete_days(end)
    begin = max(last - GROWTH_DAYS * DAY, min(notes, default=last))
    return (levels[last - DAY] - levels[begin - DAY]) / (last - begin).days if begin < last else 0.0


def _full_on(capacity, held, growth, last):
    if capacity is None:
        return None
    if held >= capacity:
        return last
    if growth <= 0:
        return None
    left = (capacity - held) / growth
    if left > FARTHEST.days:
        return None
    return last + timedelta(days=left)
