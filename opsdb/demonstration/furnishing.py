"""What an observatory in operation has beside its data: allocated time, and capacities of its locations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

from opsdb.models import DataLocation, LocationType, ObservingProgram, TimeAllocation

from .facts import DEFAULT_HOURS

FILLED = {
    LocationType.SOURCE: 0.6,
    LocationType.BUFFER: 0.5,
    LocationType.LONG_TERM_ARCHIVE: 0.7,
    LocationType.PROCESSING: 0.3,
}
"""About how full locations are; a capacity is the next round number."""
SMALLEST_BYTES = 10**12
THRESHOLD_PERCENT = 85.0


def allocate_time(first: date, last: date) -> int:
    """Allocate time to every program and instrument for the semesters of a period, as much as it had; return how many.

    Args:
        first: first day.
        last: last day.
    """
    made = 0
    for name, start, end in semesters(first, last):
        for program in ObservingProgram.objects.active().prefetch_related("instruments"):
            for instrument in program.instruments.all():
                of_both = TimeAllocation.objects.filter(observing_program=program, instrument=instrument)
                if of_both.filter(start_date__lt=end, end_date__gt=start).exists():
                    continue
                before = of_both.order_by("-end_date").values_list("hours", flat=True).first()
                TimeAllocation.objects.create(
                    observing_program=program,
                    instrument=instrument,
                    period=name,
                    start_date=start,
                    end_date=end,
                    hours=before or DEFAULT_HOURS,
                )
                made += 1
    return made


def semesters(first: date, last: date) -> Iterator[tuple[str, date, date]]:
    """Yield name, first day and day after the last of a period's semesters, which begin in March and September."""
    day = first
    while day <= last:
        if 3 <= day.month < 9:
            name, start, end = f"{day.year}A", date(day.year, 3, 1), date(day.year, 9, 1)
        else:
            year = day.year if day.month >= 9 else day.year - 1
            name, start, end = f"{year}B", date(year, 9, 1), date(year + 1, 3, 1)
        yield name, start, end
        day = end


def set_capacities() -> None:
    """Give every active location without a capacity one that is filled as usual."""
    for location in DataLocation.objects.active().filter(capacity_bytes=None):
        wanted = max(location.held_bytes() / FILLED[LocationType(location.location_type)], SMALLEST_BYTES)
        DataLocation.objects.filter(pk=location.pk).update(
            capacity_bytes=round_up(wanted), deletion_threshold_percent=THRESHOLD_PERCENT
        )


def round_up(number: float) -> int:
    """Return the next number of two digits and zeros."""
    unit = 10 ** max(math.floor(math.log10(number)) - 1, 0)
    return math.ceil(number / unit) * unit
