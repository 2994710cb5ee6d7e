"""Allocated time from tables."""

from datetime import date

import pytest

from opsdb.loaders import LoadError, load
from opsdb.models import Instrument, Telescope, TimeAllocation
from opsdb.testing.factories.observatory import InstrumentFactory, TelescopeFactory

HEADER = "program,instrument,period,start_date,end_date,hours\n"
FIRST = "GEco,CHAI,2026A,2026-03-01,2026-09-01,380\n"
SECOND = "GEco,CHAI,2026B,2026-09-01,2027-03-01,410\n"


@pytest.fixture
def run(tmp_path, reference):
    def run(*rows, **options):
        path = tmp_path / "file.csv"
        path.write_text(HEADER + "".join(rows))
        return load("allocations", path, **options)

    return run


@pytest.fixture
def refused(run, tmp_path):
    def refused(*rows, **options):
        before = list(TimeAllocation.objects.values())
        with pytest.raises(LoadError) as caught:
            run(*rows, **options)
        assert list(TimeAllocation.objects.values()) == before
        return str(caught.value).replace(f"{tmp_path}/", "")

    return refused


def test_what_a_row_says_is_stored_and_periods_may_touch(run):
    run(SECOND, FIRST)
    first = TimeAllocation.objects.get(period="2026A")
    assert (str(first.observing_program), str(first.instrument), first.hours) == ("GEco", "CHAI", 380)
    assert (first.start_date, first.end_date) == (date(2026, 3, 1), date(2026, 9, 1))
    assert run(FIRST, SECOND).changes_nothing


def test_other_hours_are_a_conflict_that_may_be_settled(run, refused):
    run(FIRST)
    other = FIRST.replace("380", "300")
    row = "file.csv, line 2: time allocation 'GEco / CHAI / 2026A'"
    said = f"{row} exists with different values: hours 380 → 300; expected "
    assert refused(other).startswith(said)
    assert run(other, on_conflict="skip").counted("skip") == 1
    assert run(other, on_conflict="update").counted("update") == 1
    assert TimeAllocation.objects.get().hours == 300


def test_overlaps_are_named_with_both_lines(run, refused):
    earlier = SECOND.replace("2026-09-01", "2026-08-31")
    assert refused(FIRST, earlier) == (
        "file.csv, line 3, start_date: '2026-08-31' GEco / CHAI / 2026B starts before 2026A of line 2 ends; "
        "expected 2026-09-01 or later"
    )
    run(FIRST)
    assert refused(earlier) == (
        "file.csv, line 2: GEco / CHAI / 2026B can't be written: "
        "The program has another allocation for this instrument at that time; choose a period that is free."
    )
    assert run(earlier.replace("GEco", "Cal"), earlier.replace("CHAI", "Prime-Cam")).counted("create") == 2


@pytest.mark.parametrize("border", ["2026-08-01", "2026-10-01"])
def test_borders_between_periods_move_in_one_load_whatever_the_order(run, border):
    third = "GEco,CHAI,2027A,2027-03-01,2027-09-01,300\n"
    before = [FIRST, SECOND, third]
    run(*before)
    after = [row.replace("2026-09-01", border).replace("2027-03-01", "2027-04-01") for row in before]
    assert run(*after, on_conflict="update").counted("update") == 3
    assert run(*before[::-1], on_conflict="update").counted("update") == 3
    assert run(*before).changes_nothing


def test_a_new_period_may_take_the_time_that_another_gives_up_in_the_same_load(run):
    run(FIRST)
    shorter = FIRST.replace("2026-09-01", "2026-06-01")
    plan = run("GEco,CHAI,2026A2,2026-06-01,2026-09-01,100\n", shorter, on_conflict="update")
    assert (plan.counted("create"), plan.counted("update")) == (1, 1)


def test_of_changes_that_can_not_all_be_made_the_refused_one_is_named(run, refused):
    third = "GEco,CHAI,2027A,2027-03-01,2027-09-01,300\n"
    run(FIRST, SECOND, third)
    shorter = FIRST.replace("2026-09-01", "2026-08-01")
    longer = SECOND.replace("2026-09-01", "2026-08-01").replace("2027-03-01", "2027-04-01")
    assert refused(longer, shorter, on_conflict="update") == (
        "file.csv, line 2: GEco / CHAI / 2026B can't be written: "
        "The program has another allocation for this instrument at that time; choose a period that is free."
    )


@pytest.mark.parametrize("end", ["2026-03-01", "2026-02-28"])
def test_a_period_ends_after_it_starts(refused, end):
    assert f"line 2, end_date: '{end}' is not after start_date" in refused(FIRST.replace("2026-09-01", end))


def test_an_instrument_that_two_telescopes_have_needs_its_telescope(run, refused):
    other = InstrumentFactory(telescope=TelescopeFactory(short_name="other"), name="CHAI")
    assert Instrument.objects.filter(name="CHAI").count() == 2
    said = refused(FIRST)
    assert "line 2, instrument: 'CHAI' is not a known instrument" in said
    assert "FYST/CHAI" in said
    run(FIRST.replace("CHAI", "other/CHAI"))
    assert TimeAllocation.objects.get().instrument == other
    assert Telescope.objects.count() == 2
