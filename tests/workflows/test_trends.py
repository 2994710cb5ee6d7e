"""Trends: sums by day and week of what was noted, and what they lead to."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from opsdb.models import Quality, WorkStage
from opsdb.testing.factories import (
    ChaiModuleConfigurationFactory,
    DataLocationUsageFactory,
    DiskDataLocationFactory,
    ExecutedObsUnitFactory,
    InstrumentFactory,
    ObservingProgramFactory,
    ObsUnitFactory,
    StageActivityFactory,
    TimeAllocationFactory,
)
from opsdb.workflows import (
    OpsdbError,
    count_stage_failures,
    measure_archive_delays,
    measure_backlogs,
    measure_observing_time,
    measure_traffic_rates,
    measure_volumes,
)

pytestmark = pytest.mark.django_db
FIRST = date(2026, 6, 1)  # a Monday
END = date(2026, 7, 1)
ALL = (
    count_stage_failures,
    measure_archive_delays,
    measure_backlogs,
    measure_observing_time,
    measure_traffic_rates,
    measure_volumes,
)


def at(day, hour=0):
    return datetime(2026, 6, day, hour, tzinfo=UTC)


def note(stage, moment, **facts):
    return StageActivityFactory(stage=stage, begins_at=moment, **{"added": 0, "completed": 0, "bytes": 0, **facts})


@pytest.mark.parametrize("measure", ALL)
def test_a_period_has_a_day(measure):
    with pytest.raises(OpsdbError, match="has no day"):
        measure(FIRST, FIRST)


@pytest.mark.parametrize("measure", ALL)
def test_one_to_three_queries_of_an_empty_database(measure, django_assert_max_num_queries):
    with django_assert_max_num_queries(3 if measure is measure_observing_time else 1):
        measure(FIRST, END)


def test_volume_is_what_came_and_stayed_and_leads_to_a_day():
    location = DiskDataLocationFactory(capacity_bytes=10_000)
    for day, net, arrived in (
        (date(2025, 1, 1), 1_000, 1_500),
        (date(2026, 6, 10), 500, 500),
        (date(2026, 6, 10), -200, 100),
        (date(2026, 6, 30), 1_400, 1_400),
        (END, 9_999, 9_999),
    ):
        DataLocationUsageFactory(data_location=location, day=day, bytes=net, arrived_bytes=arrived)
    [trend] = measure_volumes(FIRST, END)
    assert (trend.id, trend.site, trend.location) == (location.pk, location.site.short_name, location.name)
    assert [day.day for day in trend.days] == [FIRST + timedelta(days=number) for number in range(30)]
    days = {day.day.day: (day.held_bytes, day.arrived_bytes, day.left_bytes) for day in trend.days}
    assert days[1] == (1_000, 0, 0)
    assert days[10] == (1_300, 600, 300)
    assert days[30] == (2_700, 1_400, 0)
    # 100 a day over the last 14 days; 7,300 are left.
    assert trend.growth_bytes_per_day == 100
    assert trend.full_on == date(2026, 6, 30) + timedelta(days=73)
    [short] = measure_volumes(date(2026, 6, 30), END)
    assert (short.days, short.growth_bytes_per_day, short.full_on) == (trend.days[-1:], 100, trend.full_on)


@pytest.mark.parametrize(
    ("capacity", "net", "full_on"),
    [
        (None, 1_400, None),
        (10_000, -1_000, None),
        (10_000, 0, None),
        (2_000, 1_400, date(2026, 6, 30)),
        (10**15, 14, None),
    ],
)
def test_a_location_is_full_on_a_day_only_where_it_grows_towards_a_capacity(capacity, net, full_on):
    location = DiskDataLocationFactory(capacity_bytes=capacity)
    DataLocationUsageFactory(data_location=location, day=date(2026, 6, 2), bytes=1_000)
    DataLocationUsageFactory(data_location=location, day=date(2026, 6, 25), bytes=net)
    [trend] = measure_volumes(FIRST, END)
    assert trend.full_on == full_on


def test_growth_is_of_complete_days_wherever_a_period_ends():
    today = timezone.now().astimezone(UTC).date()
    location = DiskDataLocationFactory()
    for ago, size in ((40, 500), (10, 1_400), (0, 9_999)):
        DataLocationUsageFactory(data_location=location, day=today - timedelta(days=ago), bytes=size, copies=1)
    for start, end in ((0, 1), (-30, 1), (0, 40), (30, 40)):
        [trend] = measure_volumes(today + timedelta(days=start), today + timedelta(days=end))
        assert trend.growth_bytes_per_day == 100, (start, end)


def test_traffic_is_by_hour_and_way():
    one, other = DiskDataLocationFactory.create_batch(2)
    way = {"origin_location": one, "destination_location": other}
    note(WorkStage.TRANSFER, at(3, 14), completed=2, bytes=100, **way)
    note(WorkStage.TRANSFER, at(3, 14), completed=1, bytes=50, **way)
    note(WorkStage.TRANSFER, at(3, 15), completed=1, bytes=10, **way)
    note(WorkStage.TRANSFER, at(3, 14), added=7, **way)
    note(WorkStage.TRANSFER, datetime(2026, 7, 1, tzinfo=UTC), completed=1, bytes=10, **way)
    note(WorkStage.ARCHIVING, at(3), completed=5, **way)
    rates = measure_traffic_rates(FIRST, END)
    assert [(rate.begins_at, rate.volume_bytes, rate.transfers) for rate in rates] == [
        (at(3, 14), 150, 3),
        (at(3, 15), 10, 1),
    ]
    assert {(rate.origin, rate.destination) for rate in rates} == {(f"{one.site}/{one}", f"{other.site}/{other}")}


def test_delays_are_quantiles_of_each_week():
    # Step 48 is from 64 to 69.8 minutes, step 56 from 128 to 139.6.
    note(WorkStage.ARCHIVING, at(3), completed=80, delay_step=48)
    note(WorkStage.ARCHIVING, at(7), completed=20, delay_step=56)
    note(WorkStage.ARCHIVING, at(8), completed=1, delay_step=0)
    note(WorkStage.ARCHIVING, at(8), completed=40)
    first, second = measure_archive_delays(FIRST, END)
    assert (first.week, first.packages) == (FIRST, 100)
    assert first.median == timedelta(minutes=2 ** ((48 + 50 / 80) / 8))
    assert first.ninth_decile == timedelta(minutes=2 ** ((56 + 10 / 20) / 8))
    assert (second.week, second.packages) == (date(2026, 6, 8), 1)
    assert timedelta(minutes=1) < second.median < second.ninth_decile < timedelta(minutes=1.1)
    [whole] = measure_archive_delays(FIRST, END, step="period")
    assert (whole.week, whole.packages) == (FIRST, 101)
    assert whole.median == timedelta(minutes=2 ** ((48 + 49.5 / 80) / 8))


def test_failures_are_by_day_and_stage():
    note(WorkStage.TRANSFER, at(3, 1), failures=2)
    note(WorkStage.TRANSFER, at(3, 23), failures=1)
    note(WorkStage.PACKAGING, at(3), failures=1)
    note(WorkStage.PACKAGING, at(3), failures=-1)
    found = [(one.day, one.stage, one.number) for one in count_stage_failures(FIRST, END)]
    assert found == [(date(2026, 6, 3), WorkStage.TRANSFER, 3)]


def test_a_backlog_drains_at_the_rate_of_the_last_days():
    note(WorkStage.ARCHIVING, datetime(2025, 1, 1, tzinfo=UTC), added=100, completed=60)
    note(WorkStage.ARCHIVING, at(10), added=20)
    note(WorkStage.ARCHIVING, at(26), added=5, completed=35)
    backlogs = {one.stage: one for one in measure_backlogs(FIRST, END)}
    assert list(backlogs) == list(WorkStage)
    archiving = backlogs[WorkStage.ARCHIVING]
    waiting = {day.day: number for day, number in archiving.days}
    assert (waiting[1], waiting[10], waiting[25], waiting[26], archiving.waiting) == (40, 60, 60, 30, 30)
    assert (archiving.added_per_day, archiving.completed_per_day, archiving.grows) == (5 / 7, 5, False)
    assert archiving.drains_in == timedelta(days=6)
    assert backlogs[WorkStage.STAGING].drains_in == timedelta()
    [stuck] = [one for one in measure_backlogs(FIRST, date(2026, 6, 20)) if one.stage == WorkStage.ARCHIVING]
    assert (stuck.waiting, stuck.drains_in) == (60, None)


def test_hours_are_by_week_and_program_against_what_was_allocated():
    program = ObservingProgramFactory(short_name="GEco")
    unit = ObsUnitFactory(observing_program=program)
    for day, hours, quality in ((2, 3, Quality.GOOD), (7, 1, Quality.BAD), (8, 2, Quality.UNASSESSED)):
        ExecutedObsUnitFactory(
            completed=True,
            obs_unit=unit,
            start_time=at(day),
            end_time=at(day) + timedelta(hours=hours),
            quality=quality,
        )
    ExecutedObsUnitFactory(obs_unit=unit, start_time=at(9))
    TimeAllocationFactory(
        observing_program=program, start_date=date(2026, 5, 30), end_date=date(2026, 6, 9), hours=20, period="2026A"
    )
    found = {
        week.week: (week.program, week.hours, week.good_hours, week.assessed_hours, week.allocated_hours)
        for week in measure_observing_time(FIRST, END)
        if week.program_id == program.pk
    }
    assert found == {FIRST: ("GEco", 4, 3, 4, 14), date(2026, 6, 8): ("GEco", 2, 0, 0, 2)}
    for week in measure_observing_time(FIRST, END):
        [whole] = week.allocations
        assert (whole.period, whole.hours) == ("2026A", 20) and whole.instrument


def test_what_is_used_of_an_allocation_is_by_its_instrument_and_leads_somewhere():
    allocation = TimeAllocationFactory(start_date=date(2026, 6, 1), end_date=date(2026, 6, 11), hours=20)
    unit = ObsUnitFactory(observing_program=allocation.observing_program)

    def observe(day, instrument):
        execution = ExecutedObsUnitFactory(
            completed=True, obs_unit=unit, start_time=at(day), end_time=at(day) + timedelta(hours=3)
        )
        module = ChaiModuleConfigurationFactory(instrument_module__instrument=instrument)
        execution.module_configurations.add(module)

    observe(2, allocation.instrument)
    observe(3, InstrumentFactory())
    for day in (5, 30):
        [whole] = {
            whole for week in measure_observing_time(date(2026, 5, 1), date(2026, 6, day)) for whole in week.allocations
        }
        assert whole.used_hours == (3 if day == 5 else None)
    [whole] = {
        whole for week in measure_observing_time(date(2026, 6, 1), date(2026, 6, 6)) for whole in week.allocations
    }
    # Five of ten days have gone.
    assert whole.hours_at_this_rate(date(2026, 6, 5)) == 6


@pytest.mark.parametrize(
    ("step", "begins_at", "hours"), [("day", at(3), 24), ("week", at(1), 7 * 24)], ids=["day", "week"]
)
def test_traffic_of_long_periods_is_by_day_or_week(step, begins_at, hours):
    one, other = DiskDataLocationFactory.create_batch(2)
    for hour in (0, 23):
        note(WorkStage.TRANSFER, at(3, hour), completed=1, bytes=840, origin_location=one, destination_location=other)
    [rate] = measure_traffic_rates(FIRST, END, step=step)
    assert (rate.begins_at, rate.hours) == (begins_at, hours)
    assert (rate.volume_bytes, rate.transfers, rate.bytes_per_hour) == (1_680, 2, 1_680 / hours)


def test_a_week_that_the_period_cuts_has_the_hours_of_its_days():
    one, other = DiskDataLocationFactory.create_batch(2)
    note(WorkStage.TRANSFER, at(4), completed=1, bytes=96, origin_location=one, destination_location=other)
    [rate] = measure_traffic_rates(FIRST + timedelta(days=2), FIRST + timedelta(days=4), step="week")
    assert (rate.begins_at, rate.hours, rate.bytes_per_hour) == (at(3), 48, 2)
