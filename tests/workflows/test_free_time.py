"""A slot whose time is taken is answered with the slots that take it, and with the next free time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from opsdb.errors import explain
from opsdb.models import PreScheduledSlot, Telescope
from opsdb.testing.factories import DowntimeFactory, ObsUnitFactory, PreScheduledSlotFactory, TelescopeFactory
from opsdb.workflows import find_slot_conflict, free_time
from tests.plans import plan_of

pytestmark = pytest.mark.django_db

START = datetime(2026, 6, 15, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def telescope():
    return TelescopeFactory()


@pytest.fixture
def unit():
    return ObsUnitFactory(name="Deep56")


def at(minutes):
    return START + minutes * MINUTE


@pytest.fixture
def take(telescope, unit):
    def make(start, end, **options):
        return PreScheduledSlotFactory(
            **{"obs_unit": unit, "telescope": telescope, **options}, start_time=at(start), end_time=at(end)
        )

    return make


def test_a_time_that_is_free_has_no_conflict(take, telescope):
    take(0, 30)
    take(0, 60, telescope=TelescopeFactory())
    assert find_slot_conflict(telescope, at(30), at(60)) is None
    assert find_slot_conflict(telescope, at(-30), at(0)) is None


def test_the_first_gap_that_is_long_enough_is_free(take, telescope):
    first = take(0, 30)
    take(40, 60)  # ten minutes before it are too few
    take(80, 90)
    found = find_slot_conflict(telescope, at(10), at(30))
    assert (found.slots, found.has_more, found.free_from) == ((first,), False, at(60))
    assert str(found) == (
        "The telescope has another slot at that time: Deep56 (2026-06-15 02:00 to 02:30 UTC); choose a time that is "
        "free. The next one of this length begins at 2026-06-15 03:00 UTC."
    )
    assert find_slot_conflict(telescope, at(10), at(40)).free_from == at(90)


def test_a_downtime_of_the_telescope_is_not_free(take, telescope):
    take(0, 30)
    DowntimeFactory(telescope=telescope, start_time=at(20), end_time=at(200))
    assert find_slot_conflict(telescope, at(0), at(10)).free_from == at(200)
    assert find_slot_conflict(TelescopeFactory(), at(0), at(10)) is None
    DowntimeFactory(telescope=telescope, start_time=at(205), end_time=None)
    assert find_slot_conflict(telescope, at(0), at(5)).free_from == at(200)
    endless = find_slot_conflict(telescope, at(0), at(10))
    assert endless.free_from is None and str(endless).endswith("UTC); choose a time that is free.")


def test_the_slot_that_is_moved_does_not_count(take, telescope):
    moved, other = take(0, 30), take(30, 60)
    found = find_slot_conflict(telescope, at(10), at(40), besides=moved.pk)
    assert found.slots == (other,) and found.free_from == at(60)
    assert find_slot_conflict(telescope, at(10), at(20), besides=moved.pk) is None


def test_three_of_many_slots_are_named_and_fractions_of_seconds_are_rounded_up(take, telescope):
    for number in range(5):
        take(number, number + 0.999999)
    found = find_slot_conflict(telescope, at(-1), at(10))
    assert len(found.slots) == 3 and found.has_more
    assert "02:00 to 02:00:59 UTC), " in str(found) and " and others; choose" in str(found)
    assert found.free_from == at(5), "the next whole second after the last one"


def test_what_is_not_read_counts_as_taken(take, telescope, monkeypatch):
    monkeypatch.setattr(free_time, "MOST_SPANS", 3)
    for number in range(4):
        take(number * 10, number * 10 + 10)
    assert find_slot_conflict(telescope, at(0), at(10)).free_from is None


def test_the_queries_are_few_and_use_indexes(take, telescope):
    PreScheduledSlot.objects.bulk_create(
        PreScheduledSlot(
            telescope=telescope, obs_unit=ObsUnitFactory(), start_time=at(10 * number), end_time=at(10 * number + 10)
        )
        for number in range(-2, 3)
    )
    unit = PreScheduledSlot.objects.first().obs_unit
    PreScheduledSlot.objects.bulk_create(
        PreScheduledSlot(telescope=telescope, obs_unit=unit, start_time=at(10 * number), end_time=at(10 * number + 10))
        for number in range(-5_000, -2)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE pre_scheduled_slot")
    with CaptureQueriesContext(connection) as captured:
        assert find_slot_conflict(telescope, at(5), at(15))
    assert len(captured) == 3
    for query in captured.captured_queries[:2]:
        plan = plan_of(query["sql"])
        assert "Seq Scan on pre_scheduled_slot" not in plan, plan


class TestRefusals:
    def refused(self, attempt):
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            attempt()
        return caught.value

    def test_the_database_is_asked_for_the_slots_and_the_free_time(self, take, telescope):
        take(0, 30)
        error = self.refused(lambda: take(20, 50, obs_unit=ObsUnitFactory()))
        with CaptureQueriesContext(connection) as captured:
            refusal = explain(error)
        assert len(captured) == 3
        assert refusal.rule == "pre_scheduled_slot_no_overlap"
        conflict = find_slot_conflict(telescope, at(20), at(50))
        assert "Deep56 (2026-06-15 02:00 to 02:30 UTC); " in str(conflict)
        assert refusal.text == conflict.describe(with_units=False)
        assert "at that time: 2026-06-15 02:00 to 02:30 UTC; " in refusal.text and "02:30 UTC." in refusal.text
        assert "Deep56" not in refusal.text, "which not everybody may know who asks for a slot"

    def test_without_its_answer_the_time_of_the_slot_is_known(self, take):
        take(0, 30)
        with transaction.atomic():
            try:
                take(20, 50)
            except IntegrityError as error:
                refusal = explain(error)
            transaction.set_rollback(True)
        assert refusal.text == (
            "The telescope has another slot at that time: 2026-06-15 02:00 to 2026-06-15 02:30 UTC; "
            "choose a time that is free."
        )

    def test_a_slot_that_is_gone_is_still_named_by_its_time(self, take):
        slot = take(0, 30)
        error = self.refused(lambda: take(20, 50))
        slot.delete()
        assert "at that time: 2026-06-15 02:00 to 2026-06-15 02:30 UTC; choose" in explain(error).text

    def test_another_style_of_dates_leaves_the_sentence_as_it_is(self, take):
        take(0, 30)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL datestyle = 'German'")
        error = self.refused(lambda: take(20, 50))
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL datestyle = 'ISO'")
        assert explain(error).text == "The telescope has another slot at that time; choose a time that is free."


def test_telescopes_are_told_apart_by_key_or_row(take, telescope):
    take(0, 30)
    by_key = find_slot_conflict(telescope.pk, at(0), at(10))
    assert by_key == find_slot_conflict(Telescope.objects.get(pk=telescope.pk), at(0), at(10))
