"""How long programs observed, against what they were allocated, and how good their data are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from opsdb.database.aliases import read_rows
from opsdb.models import Quality, TimeAllocation

from ._periods import DAY, begin_of, require_period, week_of

EXECUTED = """
SELECT program.id, program.short_name, date_trunc('week', execution.start_time, 'UTC'),
    sum(extract(epoch FROM execution.end_time - execution.start_time)) / 3600,
    sum(extract(epoch FROM execution.end_time - execution.start_time)) FILTER (WHERE quality = %(good)s) / 3600,
    sum(extract(epoch FROM execution.end_time - execution.start_time)) FILTER (WHERE quality <> %(unassessed)s) / 3600
FROM executed_obs_unit AS execution
JOIN obs_unit ON obs_unit.id = execution.obs_unit_id
JOIN observing_program AS program ON program.id = obs_unit.observing_program_id
WHERE execution.start_time >= %(start)s AND execution.start_time < %(end)s AND execution.end_time IS NOT NULL
GROUP BY 1, 3
ORDER BY 2, 3
"""

ALLOCATED = """
SELECT program.id, program.short_name, allocation.id, allocation.period, instrument.name, allocation.hours,
    allocation.start_date, allocation.end_date
FROM time_allocation AS allocation
JOIN instrument ON instrument.id = allocation.instrument_id
JOIN observing_program AS program ON program.id = allocation.observing_program_id
WHERE allocation.start_date < %(end)s AND allocation.end_date > %(start)s
ORDER BY 2, 7, 3
"""


@dataclass(frozen=True)
class WholeAllocation:
    """An allocation of time, of which a week or a period has a part.

    Attributes:
        allocation_id: its key.
        period: its name.
        instrument: name of its instrument.
        hours: of the whole allocation.
        start_date: its first day.
        end_date: the day after its last one.
        used_hours: of finished observations in its whole period; None where that does not include the last day that was
            asked for.
    """

    allocation_id: int
    period: str
    instrument: str
    hours: float
    start_date: date
    end_date: date
    used_hours: float | None = None

    def share_gone(self, day: date) -> float:
        """Return which part of its period is over at the end of a day of it, from 0 to 1."""
        return (day + DAY - self.start_date) / (self.end_date - self.start_date)

    def hours_at_this_rate(self, day: date) -> float:
        """Return how many hours will have been used at its end if use continues as until the end of a day of it."""
        return (self.used_hours or 0.0) / self.share_gone(day)


@dataclass(frozen=True)
class ProgramWeek:
    """How long a program observed in a week.

    Attributes:
        program_id: key of the program.
        program: its short name.
        week: its Monday; an observation counts in the week in which it began (UTC).
        hours: of finished observations.
        good_hours: of those that were judged as good.
        assessed_hours: of those that were judged at all.
        allocated_hours: what its allocations give it in that week, if they are spread evenly over their days.
        allocations: these allocations as a whole, the earliest first.
    """

    program_id: int
    program: str
    week: date
    hours: float
    good_hours: float
    assessed_hours: float
    allocated_hours: float
    allocations: tuple[WholeAllocation, ...] = ()


def measure_observing_time(start: date, end: date) -> list[ProgramWeek]:
    """Return how long every program observed in each week of a period, by program and week. Three queries.

    Weeks in which a program neither observed nor had an allocation are left out. In a week that the period cuts, only
    its days in the period count.

    Args:
        start: first day (UTC).
        end: day after the last one.

    Raises:
        OpsdbError: the period has no day.
    """
    require_period(start, end)
    names: dict[int, str] = {}
    executed, allocated = {}, {}
    wholes: dict[tuple[int, date], list[WholeAllocation]] = {}
    facts = {"good": Quality.GOOD.value, "unassessed": Quality.UNASSESSED.value}
    for key, name, week, *hours in read_rows(EXECUTED, {"start": begin_of(start), "end": begin_of(end), **facts}):
        names[key] = name
        executed[key, week.date()] = [float(each or 0) for each in hours]
    current = TimeAllocation.objects.filter(start_date__lt=end, end_date__gte=end)
    used = dict(current.with_used_hours().values_list("pk", "used_hours"))
    for key, name, *whole in read_rows(ALLOCATED, {"start": start, "end": end}):
        names[key] = name
        allocation = WholeAllocation(*whole, used_hours=used.get(whole[0]))
        first, after = allocation.start_date, allocation.end_date
        per_day = allocation.hours / (after - first).days
        day, last = max(first, start), min(after, end)
        while day < last:
            week = week_of(day)
            following = min(week + 7 * DAY, last)
            allocated[key, week] = allocated.get((key, week), 0.0) + per_day * (following - day).days
            wholes.setdefault((key, week), []).append(allocation)
            day = following
    weeks = sorted({*executed, *allocated}, key=lambda one: (names[one[0]], one[1]))
    return [
        ProgramWeek(
            key,
            names[key],
            week,
            *executed.get((key, week), (0.0, 0.0, 0.0)),
            allocated.get((key, week), 0.0),
            tuple(wholes.get((key, week), ())),
        )
        for key, week in weeks
    ]
