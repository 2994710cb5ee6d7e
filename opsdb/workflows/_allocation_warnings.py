"""What in allocated time and in programs is allowed and probably a mistake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from django.db.models import Count, prefetch_related_objects

from opsdb.models import ExecutedObsUnit, Instrument, ObservingProgram, ObsUnit, PreScheduledSlot, TimeAllocation

from ._planning_warning import PlanningProblem, PlanningWarning, Subject, warning_about

HOURS_OF_A_DAY = 24
DAY = timedelta(days=1)
# What decides which observations count for an allocation.
COUNTED_BY = ("observing_program_id", "instrument_id", "start_date", "end_date")


def about_allocations(allocations: Sequence[TimeAllocation], now: datetime) -> list[PlanningWarning]:
    """Return what is probably a mistake in allocations, which need not be saved yet."""
    if not allocations:
        return []
    prefetch_related_objects(allocations, "instrument", "observing_program__instruments")
    periods = _periods_of({one.period for one in allocations})
    saved = TimeAllocation.objects.filter(pk__in=[one.pk for one in allocations if one.pk])
    used = {
        key: (hours, facts)
        for key, hours, *facts in saved.with_used_hours().values_list("pk", "used_hours", *COUNTED_BY)
    }
    return [
        warning
        for one in allocations
        for warning in (
            *_about_hours(one, _used_of(one, used)),
            *_about_period(one, periods[one.period], now.date()),
            *_about_program(one, now.date()),
        )
    ]


def _periods_of(names) -> dict[str, list[TimeAllocation]]:
    found: dict[str, list[TimeAllocation]] = {name: [] for name in names}
    for one in TimeAllocation.objects.filter(period__in=names).order_by("start_date", "pk"):
        found[one.period].append(one)
    return found


def _used_of(allocation, used) -> float:
    """Return the hours that the database has counted; none where other observations are about to count."""
    hours, facts = used.get(allocation.pk, (0.0, []))
    return hours if facts == [getattr(allocation, column) for column in COUNTED_BY] else 0.0


def _warning(allocation, field, problem, remedy, names, outline) -> PlanningWarning:
    name = f"allocation {allocation.period}"
    text = f"{name} of {allocation.observing_program} with {allocation.instrument}"
    subject = Subject(text, (ObservingProgram, Instrument), name)
    kind = PlanningProblem.ALLOCATION
    return warning_about(allocation, subject, kind, field, problem, remedy, names, outline)


def _about_hours(allocation, used) -> Iterator[PlanningWarning]:
    days = (allocation.end_date - allocation.start_date).days
    if allocation.hours > days * HOURS_OF_A_DAY:
        problem = f"{_hours(allocation.hours)} are more than the {_hours(days * HOURS_OF_A_DAY)} of its {_days(days)}"
        yield _warning(allocation, "hours", problem, "check the hours and the dates", (), problem)
    elif allocation.hours < used:
        problem = f"{_hours(used)} have been observed already, which is more than {_hours(allocation.hours)}"
        outline = "more hours than these have been observed already"
        yield _warning(allocation, "hours", problem, "allocate more, or check the hours", (ExecutedObsUnit,), outline)


def _hours(hours):
    return f"{hours:,.0f} h" if hours >= 100 else f"{hours:.3g} h"


def _days(days):
    return "1 day" if days == 1 else f"{days:,} days"


def _about_period(allocation, namesakes, today: date) -> Iterator[PlanningWarning]:
    """Yield a warning about dates that differ from those of the period's other allocations, or are over."""
    others = [one for one in namesakes if one.pk != allocation.pk]
    first = min((one.start_date for one in others), default=allocation.start_date)
    last = max((one.end_date for one in others), default=allocation.end_date)
    within = first <= allocation.start_date and allocation.end_date <= last
    if not within and not (allocation.start_date <= first and last <= allocation.end_date):
        yield _warning(
            allocation,
            "start_date",
            f"{allocation.start_date} to {allocation.end_date - DAY} is not within {first} to {last - DAY}, "
            f"which the other allocations of {allocation.period} have",
            "check the dates and the name of the period",
            (TimeAllocation,),
            "other allocations of the period have other dates",
        )
    elif not allocation.pk and allocation.end_date <= today:
        problem = f"its period ended on {allocation.end_date - DAY}"
        yield _warning(allocation, "end_date", problem, "check the dates", (), problem)


def _about_program(allocation, today: date) -> Iterator[PlanningWarning]:
    program, instrument = allocation.observing_program, allocation.instrument
    listed = {one.pk for one in program.instruments.all()}
    if listed and instrument.pk not in listed:
        yield _warning(
            allocation,
            "instrument",
            f"the program {program} does not observe with {instrument}",
            "choose an instrument of the program, or add the instrument to the program",
            (ObservingProgram, Instrument),
            "its program does not observe with its instrument",
        )
    if not program.active and allocation.end_date > today:
        yield _warning(
            allocation,
            "observing_program",
            f"the program {program} no longer observes",
            "choose another program, or make this one active again",
            (ObservingProgram,),
            "its program no longer observes",
        )


def about_programs(programs: Sequence[ObservingProgram], now: datetime) -> list[PlanningWarning]:
    """Return what is probably a mistake in programs, which need not be saved yet."""
    ended = [one for one in programs if one.pk and not one.active]
    if not ended:
        return []
    slots = PreScheduledSlot.objects.filter(start_time__gt=now, obs_unit__observing_program__in=ended).order_by()
    numbers = dict(slots.values_list("obs_unit__observing_program").annotate(number=Count("pk")))
    return [
        warning_about(
            program,
            f"program {program}",
            PlanningProblem.PROGRAM,
            "active",
            f"no longer observes and has {'1 slot' if number == 1 else f'{number:,} slots'} to come",
            "delete the slots, or keep the program active until they are over",
            (PreScheduledSlot, ObsUnit),
            "no longer observes and has slots to come that you may not view",
        )
        for program in ended
        if (number := numbers.get(program.pk))
    ]
