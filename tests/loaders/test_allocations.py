"""Allocated time from tables."""

from datetime import date

import pytest

from opsdb.loaders.errors import LoadError
from opsdb.loaders.loading import load
from opsdb.models import Instrument, Telescope, TimeAllocation
from tests.factories.observatory import InstrumentFactory, TelescopeFactory

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
    said = (
        "file.csv, line 2: time allocation 'GEco / CHAI / 2026A' is there with other facts: hours 380 → 300; expected "
    )
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
        "The program has another allocation for this instrument at that time."
    )
    assert run(earlier.replace("GEco", "Cal"), earlier.replace("CHAI", "Prime-Cam")).counted("create") == 2


def test_a_border_between_periods_moves_in_two_steps_since_the_time_between_would_overlap(run, refused):
    run(FIRST, SECOND)
    first, second = (row.replace("2026-09-01", "2026-10-01") for row in (FIRST, SECOND))
    assert "has another allocation" in refused(first, second, on_conflict="update")
    run(second, on_conflict="update")
    assert run(first, on_conflict="update").counted("update") == 1


@pytest.mark.parametrize("end", ["2026-03-01", "2026-02-28"])
def test_a_period_ends_after_it_starts(refused, end):
    assert f"line 2, end_date: '{end}' is not after start_date" in refused(FIRST.replace("2026-09-01", end))


def test_an_instrument_that_two_telescopes_have_needs_its_telescope(run, refused):
    other = InstrumentFactory(telescope=TelescopeFactory(short_name="other"), name="CHAI")
    assert Instrument.objects.filter(name="CHAI").count() == 2
    said = refused(FIRST)
    assert "line 2, instrument: 'CHAI' names no instrument" in said
    assert "FYST/CHAI" in said
    run(FIRST.replace("CHAI", "other/CHAI"))
    assert TimeAllocation.objects.get().instrument == other
    assert Telescope.objects.count() == 2
