"""Lists in a temporary file, and what else keeps the memory of a load small."""

import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from opsdb.loaders.cells import NumberCell, TableColumn, TextCell
from opsdb.loaders.entries import NO_MEMBERS, RowEntry
from opsdb.loaders.errors import LoadProblems
from opsdb.loaders.overlapping import overlapping
from opsdb.loaders.spool import CHUNK_SIZE, Spool, batches
from opsdb.loaders.tables import TableRow, read_rows
from opsdb.models import FixedSource, Site

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize("number", [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 2 * CHUNK_SIZE + 7])
def test_what_is_written_is_read_again_and_again(number):
    found = Spool(range(number))
    assert len(found) == number and list(found) == list(found) == list(range(number))
    assert [pair for pair in zip(found, found, strict=True) if pair[0] != pair[1]] == []
    assert [len(batch) for batch in batches(found, 400)][-1:] == ([number % 400 or 400] if number else [])
    for position in {0, number // 2, number - 1, -1} if number else ():
        assert found[position] == range(number)[position]
    with pytest.raises(IndexError):
        found[number]


def test_a_row_comes_back_with_the_very_rows_and_problems_that_it_refers_to():
    site, problems = Site(pk=1, name="a site"), LoadProblems("list.csv")
    entries = Spool(
        RowEntry(TableRow(problems, line, {"name": f"s{line}"}), FixedSource, {"site": site, "name": f"s{line}"})
        for line in range(CHUNK_SIZE + 1)
    )
    first = entries[0]
    assert first.values["site"] is site and first.row.problems is problems and first.members is NO_MEMBERS
    assert (first.model, first.row.values) == (FixedSource, {"name": "s0"})
    first.row.problem("is wrong", "name")
    assert len(problems.found) == 1


def peak_of_reading(rows):
    """The bytes that are needed at most to read a table of sources, beside its text."""
    columns = (TableColumn("name", TextCell(), ""), TableColumn("number", NumberCell(), ""))
    text = "name,number\n" + "".join(f"source {row},{row}\n" for row in range(rows))
    problems = LoadProblems("list.csv")
    tracemalloc.start()
    try:
        entries = Spool(RowEntry(row, FixedSource, dict(row.values)) for row in read_rows(text, columns, problems))
        assert sum(entry.values["number"] for entry in entries) == rows * (rows - 1) / 2
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_table_of_twice_the_rows_takes_no_more_memory():
    peak_of_reading(10)  # what is imported and cached at the first time
    assert peak_of_reading(4 * CHUNK_SIZE) - peak_of_reading(2 * CHUNK_SIZE) < 2 * CHUNK_SIZE * 150


def test_spans_that_overlap_are_found_in_any_order_and_by_group():
    def span(one):
        group, start, end = one
        return NOON + timedelta(hours=start), NOON + timedelta(hours=end), group

    apart = [("a", 4, 5), ("a", 0, 2), ("b", 1, 3), ("a", 2, 4), ("a", 3, 3), ("a", 1, 1)]
    assert list(overlapping(apart, span)) == []
    assert list(overlapping([*apart, ("b", 2, 4), ("a", 1, 9)], span)) == [
        (("a", 1, 9), ("a", 0, 2)),
        (("a", 2, 4), ("a", 1, 9)),
        (("b", 2, 4), ("b", 1, 3)),
        (("a", 4, 5), ("a", 1, 9)),
    ]
