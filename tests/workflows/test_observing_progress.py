"""How far programs and units are: time used of an allocation, and why a unit is not done."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from opsdb.models import ObsUnit
from opsdb.testing import factories
from opsdb.workflows import list_unit_progress, measure_program_time

START = datetime(2026, 3, 14, 3, tzinfo=UTC)


@pytest.fixture
def allocation(db):
    return factories.TimeAllocationFactory(
        start_date=date(2026, 3, 1), end_date=date(2026, 9, 1), hours=10, period="2026A"
    )


@pytest.fixture
def unit(allocation):
    return factories.ObsUnitFactory(
        observing_program=allocation.observing_program, planned_duration_seconds=3_000, requested_executions=2
    )


def observe(unit, instrument=None, start=START, hours=1.0, **columns):
    """An execution with a module of the instrument."""
    columns = {"status": "completed", "end_time": start + timedelta(hours=hours), **columns}
    execution = factories.ExecutedObsUnitFactory(obs_unit=unit, start_time=start, **columns)
    if instrument:
        module = factories.InstrumentModuleFactory(instrument=instrument)
        execution.module_configurations.add(factories.PrimeCamModuleConfigurationFactory(instrument_module=module))
    return execution


def test_time_of_the_instrument_in_the_period_is_used_and_the_rest_is_left(allocation, unit):
    observe(unit, allocation.instrument, quality="good")
    observe(unit, allocation.instrument, START + timedelta(days=7), hours=0.5, status="aborted", quality="bad")
    observe(unit, factories.InstrumentFactory())
    observe(unit, allocation.instrument, datetime(2026, 9, 1, tzinfo=UTC))
    observe(unit, allocation.instrument, datetime(2026, 2, 28, 23, 59, tzinfo=UTC))
    observe(factories.ObsUnitFactory(), allocation.instrument)
    time = measure_program_time(allocation.observing_program)
    (found,) = time.allocations
    assert (found.use.executions, found.use.hours, found.left_hours) == (2, 1.5, 8.5)
    # 10 minutes beyond the planned 50, and all of what was aborted.
    assert found.use.overhead_hours == pytest.approx(1 / 6 + 0.5)
    assert (found.use.good_hours, found.use.assessed_hours) == (1, 1.5)
    assert found.use.good_share == pytest.approx(2 / 3)
    assert {week: use.hours for week, use in found.weeks.items()} == {date(2026, 3, 8): 1, date(2026, 3, 15): 0.5}
    assert (time.use.executions, time.use.hours) == (5, 4.5)
    assert time.has_time_left(date(2026, 3, 1)) and not time.has_time_left(date(2026, 9, 1))


def test_a_running_execution_uses_nothing_yet(allocation, unit):
    observe(unit, allocation.instrument, status="running", end_time=None)
    assert measure_program_time(allocation.observing_program).allocations[0].use.executions == 0


def test_a_unit_is_done_when_it_was_completed_as_often_as_requested(unit):
    observe(unit, quality="good")
    (progress,) = list_unit_progress(ObsUnit.objects.all(), limit=1)
    assert (progress.requested, progress.completed, progress.good) == (2, 1, 1)
    assert progress.observed == timedelta(hours=1)
    assert not progress.is_done and progress.obstacles == ["no slot is planned for it: schedule it"]
    observe(unit)
    (progress,) = list_unit_progress(ObsUnit.objects.all(), limit=1)
    assert progress.is_done and progress.obstacles == []


def test_what_stands_in_the_way_of_a_unit_is_named(allocation, unit):
    observe(unit, status="failed")
    factories.PreScheduledSlotFactory(obs_unit=unit, start_time=timezone.now() + timedelta(days=3))
    ObsUnit.objects.update(available=False)
    type(allocation.observing_program).objects.update(active=False)
    time = measure_program_time(allocation.observing_program)
    type(allocation).objects.update(start_date=date(2020, 1, 1), end_date=date(2020, 2, 1))
    past = measure_program_time(allocation.observing_program)
    (progress,) = list_unit_progress(ObsUnit.objects.all(), limit=1, program_time=past)
    assert [why.partition(":")[0] for why in progress.obstacles[:4]] == [
        "its program is inactive",
        "it is not available for the schedule",
        "its program has no allocated time left now",
        "its newest observation was failed",
    ]
    assert progress.obstacles[4].startswith("its next slot begins in 2 d 23 h")
    assert time.allocations and progress.last_status == "failed"


def test_units_of_any_number_are_looked_at_in_one_query(unit):
    factories.ObsUnitFactory.create_batch(3, observing_program=unit.observing_program)
    with CaptureQueriesContext(connection) as queries:
        assert len(list_unit_progress(ObsUnit.objects.order_by("pk"), limit=3)) == 3
    assert len(queries) == 1
