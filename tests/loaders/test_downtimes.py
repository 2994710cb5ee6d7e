"""Downtimes from tables."""

from datetime import UTC, datetime

import pytest

from opsdb.loaders import LoadError, load
from opsdb.models import Downtime
from opsdb.testing.factories.access import UserFactory

HEADER = "telescope,instrument,module,start,end,reason,reported_by\n"


def down(start, end="", what="FYST,,", reason="wind", who=""):
    days = [f"2026-06-{one}T00:00Z" if one else "" for one in (start, end)]
    return f"{what},{days[0]},{days[1]},{reason},{who}\n"


@pytest.fixture
def run(tmp_path, reference):
    def run(*rows, **options):
        path = tmp_path / "file.csv"
        path.write_text(HEADER + "".join(rows))
        return load("downtimes", path, **options)

    return run


@pytest.fixture
def refused(run, tmp_path):
    def refused(*rows, **options):
        before = list(Downtime.objects.values())
        with pytest.raises(LoadError) as caught:
            run(*rows, **options)
        assert list(Downtime.objects.values()) == before
        return str(caught.value).replace(f"{tmp_path}/", "")

    return refused


def test_what_a_row_says_is_stored(run):
    UserFactory(username="ada")
    run(
        "FYST,,,2026-06-01T02:00:00,2026-06-01T03:30:00.5-04:00,wind,ada\n",
        down("01", what=",CHAI,"),
        down("01", what=",,FYST/CHAI/HFA"),
    )
    first, second, third = Downtime.objects.order_by("pk")
    assert (str(first.telescope), first.reported_by.username) == ("FYST", "ada")
    assert first.start_time == datetime(2026, 6, 1, 2, tzinfo=UTC)
    assert first.end_time == datetime(2026, 6, 1, 7, 30, 0, 500000, tzinfo=UTC)
    assert (str(second.instrument), second.end_time) == ("CHAI", None)
    assert str(third.instrument_module) == "HFA"


def test_an_open_downtime_is_ended_by_an_update(run, refused):
    run(down("01"))
    assert "end_time nothing → 2026-06-03 00:00:00" in refused(down("01", "03"))
    run(down("01", "03"), on_conflict="update")
    assert Downtime.objects.get().end_time == datetime(2026, 6, 3, tzinfo=UTC)
    assert run(down("01", "03")).changes_nothing


def test_downtimes_may_touch_and_those_of_a_part_may_lie_within(run):
    run(down("01", "03"), down("03", "05"), down("02", "04", ",CHAI,"))
    assert run(down("05"), down("02", "03", ",,CHAI/LFA")).counted("create") == 2


def test_overlaps_are_named_with_the_other(run, refused, subtests):
    assert refused(down("01", "05"), down("04", "06"), down("05", "07", ",CHAI,")) == (
        "file.csv, line 3: overlaps the downtime of line 2, 2026-06-01 00:00:00 to 2026-06-05 00:00:00; "
        "expected downtimes of one target that don't overlap; merge them"
    )
    assert "line 3: overlaps the downtime of line 2" in refused(down("01"), down("04", "06"))
    assert "line 3: overlaps the downtime of line 2" in refused(down("01"), down("01"))
    run(down("10", "20"))
    for row in (down("19", "21"), down("09", "11"), down("09"), down("12", "13")):
        with subtests.test(row):
            said = "overlaps a downtime in the database, 2026-06-10 00:00:00 to 2026-06-20 00:00:00"
            assert f"file.csv, line 2: {said}" in refused(row)
    run(down("25"))
    assert "2026-06-25 00:00:00 to an open end" in refused(down("26"))


def test_a_skipped_downtime_keeps_the_end_that_later_ones_must_not_overlap(run, refused):
    run(down("01", "10"))
    rows = down("01", "02"), down("05", "06")
    assert refused(*rows, on_conflict="skip") == (
        "file.csv, line 3: overlaps the downtime of line 2, 2026-06-01 00:00:00 to 2026-06-10 00:00:00; "
        "expected downtimes of one target that don't overlap; merge them"
    )
    assert run(*rows, on_conflict="update").counted("create") == 1
    assert run(down("01", "20"), down("10", "12"), on_conflict="skip").counted("create") == 1


def test_without_a_column_for_the_end_a_downtime_keeps_its_end(tmp_path, run):
    run(down("01", "03"), down("05", "06"))
    path = tmp_path / "reasons.csv"
    path.write_text("telescope,start,reason\nFYST,2026-06-01,hail\nFYST,2026-06-07,snow\n")
    load("downtimes", path, on_conflict="update")
    ends = [end and end.day for end in Downtime.objects.order_by("start_time").values_list("end_time", flat=True)]
    assert ends == [3, 6, None]
    path.write_text("telescope,start,reason\nFYST,2026-06-04,open until the next\n")
    with pytest.raises(LoadError, match="line 2: overlaps a downtime in the database, 2026-06-05"):
        load("downtimes", path)


def test_what_does_not_fit_is_named_with_its_line(refused, subtests):
    for row, said in {
        down("02", "02"): "line 2, end: '2026-06-02T00:00Z' is not after start",
        down("02", "01"): "line 2, end: '2026-06-01T00:00Z' is not after start",
        down(
            "02", what=",,"
        ): "line 2: names nothing as down; expected exactly one of telescope, instrument and module",
        down("02", what="FYST,CHAI,"): "line 2: names telescope and instrument as down",
        down("02", what="FIST,,"): "line 2, telescope: 'FIST' is not a known telescope; expected FYST?",
        down(
            "02", what=",,CHAI/HFB"
        ): "line 2, module: 'CHAI/HFB' is not a known instrument module; expected FYST/CHAI/HFA",
        down("02", reason=""): "line 2, reason: the cell is empty",
        down("02", who="nobody"): "line 2, reported_by: 'nobody' is not a known user",
        down("31"): "line 2, start: '2026-06-31T00:00Z' is not valid; expected a time such as",
    }.items():
        with subtests.test(said):
            assert said in refused(row)
