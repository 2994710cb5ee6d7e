"""How far programs and units are: time allocated and used, observations requested and done, and why a unit is not done.

Everything is summed over the observations when it is asked for, along the index of the observations of a unit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from opsdb.database.aliases import read_rows
from opsdb.formatting import format_duration
from opsdb.models import (
    ExecutedObsUnit,
    ObservationStatus,
    ObservingProgram,
    ObsUnit,
    PreScheduledSlot,
    Quality,
    TimeAllocation,
)

SECONDS_PER_HOUR = 3_600.0


@dataclass(frozen=True)
class TimeUse:
    """Time of finished observations.

    Attributes:
        executions: how many there are.
        hours: their durations, hours.
        overhead_hours: of these hours, observations that were aborted or failed, and what completed ones took beyond
            the planned duration of their unit.
        good_hours: of these hours, observations of good quality.
        assessed_hours: of these hours, observations whose quality was assessed.
    """

    executions: int = 0
    hours: float = 0.0
    overhead_hours: float = 0.0
    good_hours: float = 0.0
    assessed_hours: float = 0.0

    @property
    def good_share(self) -> float | None:
        """The share of good data in what was assessed, 0 to 1; None where nothing was."""
        return self.good_hours / self.assessed_hours if self.assessed_hours else None

    def __add__(self, other: TimeUse) -> TimeUse:
        return TimeUse(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class AllocationUse:
    """What was used of a time allocation.

    Attributes:
        allocation: the allocation, with its instrument.
        use: the observations in its period that used a module of its instrument.
        weeks: the same by the first day of seven, counted from the first day of the period; weeks without an
            observation are left out.
    """

    allocation: TimeAllocation
    use: TimeUse
    weeks: dict[date, TimeUse]

    @property
    def left_hours(self) -> float:
        """What is left, hours; below 0 where more was used than allocated."""
        return self.allocation.hours - self.use.hours

    def is_current(self, day: date) -> bool:
        """Whether the period includes a day."""
        return self.allocation.start_date <= day < self.allocation.end_date


@dataclass(frozen=True)
class ProgramTime:
    """The time of a program.

    Attributes:
        allocations: what was allocated and used, the latest period first.
        use: all finished observations of the program, in or outside of allocated periods.
    """

    allocations: list[AllocationUse]
    use: TimeUse

    def has_time_left(self, day: date) -> bool:
        """Whether an allocation of a day has time left; also where nothing is allocated at all."""
        return not self.allocations or any(one.is_current(day) and one.left_hours > 0 for one in self.allocations)


_MEASURES = """
    count(*),
    coalesce(sum(extract(epoch FROM execution.end_time - execution.start_time)), 0),
    coalesce(sum(CASE
        WHEN execution.status <> 'completed' THEN extract(epoch FROM execution.end_time - execution.start_time)
        ELSE greatest(
            extract(epoch FROM execution.end_time - execution.start_time) - unit.planned_duration_seconds, 0
        )
    END), 0),
    coalesce(sum(extract(epoch FROM execution.end_time - execution.start_time))
        FILTER (WHERE execution.quality = 'good'), 0),
    coalesce(sum(extract(epoch FROM execution.end_time - execution.start_time))
        FILTER (WHERE execution.quality <> 'unassessed'), 0)
"""
_OF_PROGRAM = f"""
    SELECT {_MEASURES}
    FROM obs_unit AS unit JOIN executed_obs_unit AS execution ON execution.obs_unit_id = unit.id
    WHERE unit.observing_program_id = %s AND execution.end_time IS NOT NULL
"""
_OF_ALLOCATIONS = f"""
    SELECT allocation.id,
        date_bin('7 days', execution.start_time, allocation.start_date::timestamp AT TIME ZONE 'UTC') AS week,
        {_MEASURES}
    FROM time_allocation AS allocation
    JOIN obs_unit AS unit ON unit.observing_program_id = allocation.observing_program_id
    JOIN executed_obs_unit AS execution ON execution.obs_unit_id = unit.id
        AND execution.end_time IS NOT NULL
        AND execution.start_time >= allocation.start_date::timestamp AT TIME ZONE 'UTC'
        AND execution.start_time < allocation.end_date::timestamp AT TIME ZONE 'UTC'
    WHERE allocation.observing_program_id = %s
        AND EXISTS (
            SELECT FROM executed_obs_unit_module_configuration AS used
            JOIN instrument_module_configuration AS configuration ON configuration.id = used.module_configuration_id
            JOIN instrument_module AS module ON module.id = configuration.instrument_module_id
            WHERE used.executed_obs_unit_id = execution.id AND module.instrument_id = allocation.instrument_id
        )
    GROUP BY allocation.id, week
    ORDER BY allocation.id, week
"""  # noqa: S608


def _time_use(number, *seconds) -> TimeUse:
    return TimeUse(number, *(float(one) / SECONDS_PER_HOUR for one in seconds))


def measure_program_time(program: ObservingProgram) -> ProgramTime:
    """Return what was allocated to a program and what its finished observations used. Three queries; locks nothing.

    An observation counts to an allocation where it began in its period and used a module of its instrument.
    """
    allocations = TimeAllocation.objects.filter(observing_program=program).select_related("instrument")
    [measured] = read_rows(_OF_PROGRAM, [program.pk])
    weeks: dict[int, dict[date, TimeUse]] = {}
    for key, week, *measures in read_rows(_OF_ALLOCATIONS, [program.pk]):
        weeks.setdefault(key, {})[week.astimezone(UTC).date()] = _time_use(*measures)
    found = []
    for allocation in allocations.order_by("-start_date", "instrument__name"):
        of_allocation = weeks.get(allocation.pk, {})
        found.append(AllocationUse(allocation, sum(of_allocation.values(), TimeUse()), of_allocation))
    return ProgramTime(found, _time_use(*measured))


@dataclass(frozen=True)
class UnitProgress:
    """How far a unit is.

    Attributes:
        unit: the unit, with its program, source and mode.
        requested: how often it is to be executed; None where no number is set.
        completed: how often it was completed.
        good: how often of these with good quality.
        observed: time of its finished observations.
        last_status: how its newest observation ended; empty where there is none.
        next_slot: when its next slot of the schedule begins; None where there is none.
        obstacles: why it is not done, or will not be; empty for a unit that is done.
    """

    unit: ObsUnit
    requested: int | None
    completed: int
    good: int
    observed: timedelta
    last_status: str
    next_slot: datetime | None
    obstacles: list[str] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether it was completed as often as was requested."""
        return self.requested is not None and self.completed >= self.requested


def list_unit_progress(
    units: QuerySet[ObsUnit], *, limit: int, program_time: ProgramTime | None = None
) -> list[UnitProgress]:
    """Return how far the first of some units are, in their order. One query; locks nothing.

    Args:
        units: the units, in an order.
        limit: how many of them are looked at.
        program_time: of their common program; with it, units whose program has no time left are found.
    """
    now = timezone.now()
    executions = ExecutedObsUnit.objects.filter(obs_unit=OuterRef("pk")).order_by()
    of_unit = executions.values("obs_unit")
    completed = Q(status=ObservationStatus.COMPLETED)
    slots = PreScheduledSlot.objects.filter(obs_unit=OuterRef("pk"), start_time__gt=now).order_by("start_time")
    found = units.select_related("observing_program", "source", "obs_mode").annotate(
        completed=Subquery(
            of_unit.annotate(number=Count("pk", filter=completed)).values("number"), output_field=IntegerField()
        ),
        good=Subquery(
            of_unit.annotate(number=Count("pk", filter=completed & Q(quality=Quality.GOOD))).values("number"),
            output_field=IntegerField(),
        ),
        observed=Subquery(of_unit.annotate(time=Sum(F("end_time") - F("start_time"))).values("time")),
        last_status=Subquery(executions.order_by("-start_time").values("status")[:1]),
        next_slot=Subquery(slots.values("start_time")[:1]),
    )
    return [_progress(unit, now, program_time) for unit in found[:limit]]


def _progress(unit, now, program_time) -> UnitProgress:
    progress = UnitProgress(
        unit=unit,
        requested=unit.requested_executions,
        completed=unit.completed or 0,
        good=unit.good or 0,
        observed=unit.observed or timedelta(),
        last_status=unit.last_status or "",
        next_slot=unit.next_slot,
    )
    if not progress.is_done:
        progress.obstacles.extend(_obstacles(progress, now, program_time))
    return progress


def _obstacles(progress, now, program_time) -> Iterable[str]:
    unit = progress.unit
    if not unit.observing_program.active:
        yield _("its program is inactive: enable the program")
    if not unit.available:
        yield _("it is not available for the schedule: make it available")
    if program_time is not None and not program_time.has_time_left(now.date()):
        yield _("its program has no allocated time left now: add a time allocation")
    if progress.last_status in (ObservationStatus.ABORTED, ObservationStatus.FAILED):
        yield _("its newest observation was %(status)s") % {"status": ObservationStatus(progress.last_status).label}
    if progress.last_status == ObservationStatus.RUNNING:
        yield _("it is being observed now")
    elif progress.next_slot is None:
        yield _("no slot is planned for it: schedule it")
    else:
        yield _("its next slot begins in %(time)s") % {
            "time": format_duration((progress.next_slot - now).total_seconds())
        }
