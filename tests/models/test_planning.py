"""Allocated and used time, and what a form says before the database would."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from opsdb.models import TimeAllocation
from opsdb.testing.factories import (
    ChaiModuleConfigurationFactory,
    ExecutedObsUnitFactory,
    InstrumentFactory,
    InstrumentModuleFactory,
    ObservatoryFactory,
    ObservingProgramFactory,
    ObsModeFactory,
    ObsUnitFactory,
    SubObservingProgramFactory,
    TimeAllocationFactory,
)

pytestmark = pytest.mark.django_db

START, END = date(2025, 7, 1), date(2026, 1, 1)


@pytest.fixture
def allocation():
    return TimeAllocationFactory(start_date=START, end_date=END)


def observe(program, instrument, start, hours, modules=1, **fields):
    """An execution of a unit of this program, with modules of this instrument."""
    configurations = [
        ChaiModuleConfigurationFactory(instrument_module=InstrumentModuleFactory(instrument=instrument))
        for _ in range(modules)
    ]
    return ExecutedObsUnitFactory(
        obs_unit=ObsUnitFactory(observing_program=program),
        start_time=start,
        module_configurations=configurations,
        **({"completed": True, "end_time": start + timedelta(hours=hours)} | fields),
    )


def used_hours(allocation):
    return TimeAllocation.objects.with_used_hours().get(pk=allocation.pk).used_hours


def test_used_time_is_counted_from_executions(allocation):
    program, instrument = allocation.observing_program, allocation.instrument
    assert used_hours(allocation) == 0
    observe(program, instrument, datetime(2025, 7, 1, tzinfo=UTC), 1.5)
    observe(program, instrument, datetime(2025, 12, 31, 23, 59, tzinfo=UTC), 2)  # begins in the period
    observe(program, instrument, datetime(2025, 9, 1, tzinfo=UTC), 0.25, aborted=True)
    assert used_hours(allocation) == pytest.approx(3.75)


def test_the_days_of_a_period_are_those_of_utc_in_a_session_of_another_zone(allocation):
    program, instrument = allocation.observing_program, allocation.instrument
    observe(program, instrument, datetime(2025, 7, 1, 0, 30, tzinfo=UTC), 1)
    observe(program, instrument, datetime(2026, 1, 1, 0, 30, tzinfo=UTC), 2)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'America/Santiago'")
    assert used_hours(allocation) == pytest.approx(1)


def test_an_execution_with_two_modules_counts_once(allocation):
    observe(allocation.observing_program, allocation.instrument, datetime(2025, 9, 1, tzinfo=UTC), 1, modules=2)
    assert used_hours(allocation) == pytest.approx(1)


def test_what_is_not_of_the_allocation_does_not_count(allocation):
    program, instrument = allocation.observing_program, allocation.instrument
    inside = datetime(2025, 9, 1, tzinfo=UTC)
    observe(ObservingProgramFactory(), instrument, inside, 1)
    observe(program, InstrumentFactory(), inside, 1)
    observe(program, instrument, datetime(2025, 6, 30, 23, 59, tzinfo=UTC), 1)
    observe(program, instrument, datetime(2026, 1, 1, tzinfo=UTC), 1)
    observe(program, instrument, inside, 1, completed=False, end_time=None)
    assert used_hours(allocation) == 0


def test_used_time_of_many_allocations_is_one_query(allocation, django_assert_num_queries):
    TimeAllocationFactory.create_batch(3)
    with django_assert_num_queries(1):
        assert len(TimeAllocation.objects.with_used_hours()) == 4


def test_a_form_says_that_the_sub_program_is_of_another_program():
    unit = ObsUnitFactory()
    unit.sub_observing_program = SubObservingProgramFactory()
    with pytest.raises(ValidationError) as caught:
        unit.full_clean()
    assert caught.value.message_dict == {
        "sub_observing_program": ["The sub-program must be a part of the unit's own observing program."]
    }


def test_a_form_says_that_a_unit_needs_a_source():
    unit = ObsUnitFactory(obs_mode=ObsModeFactory(name="OTF"))
    unit.source = None
    with pytest.raises(ValidationError) as caught:
        unit.full_clean()
    assert caught.value.message_dict == {"source": ["A unit in mode OTF needs a source."]}
    ObsUnitFactory(without_source=True).full_clean()


def test_a_form_says_that_a_time_zone_is_unknown():
    observatory = ObservatoryFactory()
    observatory.time_zone = "America/Atlantis"
    with pytest.raises(ValidationError) as caught:
        observatory.full_clean()
    assert caught.value.message_dict == {
        "time_zone": ["“America/Atlantis” is not an IANA time zone, such as America/Santiago."]
    }
