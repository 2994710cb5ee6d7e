"""Lists in a temporary file, and what else keeps the memory of a load small."""

import io
import resource
import tempfile
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from opsdb.loaders import spool
from opsdb.loaders.cells import NumberCell, TableColumn, TextCell
from opsdb.loaders.entries import NO_MEMBERS, RowEntry
from opsdb.loaders.errors import LoadError, LoadProblems
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


@pytest.mark.parametrize(
    "part", [slice(990, 1010), slice(None), slice(None, None, -700), slice(2000, 9000), slice(3, 3)]
)
def test_a_part_is_read_with_every_chunk_once(part, monkeypatch):
    found = Spool(range(2 * CHUNK_SIZE + 7))
    read = []
    monkeypatch.setattr(
        Spool, "_read", lambda self, *place, _read=Spool._read: read.append(place) or _read(self, *place)
    )
    assert found[part] == list(range(2 * CHUNK_SIZE + 7))[part]
    assert len(read) == len(set(read)) <= 2


def test_items_come_in_another_order_with_few_in_memory(monkeypatch):
    monkeypatch.setattr(spool, "ORDERED_AT_ONCE", 300)
    found = Spool(range(2 * CHUNK_SIZE + 7))
    order = [position * 7 % len(found) for position in range(len(found))]
    assert list(found.in_order(order)) == order and list(found.in_order([5, 2])) == [5, 2]


def test_rows_beyond_those_that_are_kept_come_back_as_copies(monkeypatch):
    monkeypatch.setattr(spool, "SHARED_LIMIT", 2)
    problems, sites = LoadProblems("list.csv"), [Site(pk=number, name=f"site {number}") for number in range(5)]
    found = Spool((problems, site) for _ in range(CHUNK_SIZE) for site in sites)
    assert [site for _, site in found[:5]] == sites and found[4][1].name == "site 4"
    assert found[0][1] is sites[0] and found[4][1] is not sites[4] and found[4][0] is problems
    assert len(found._shared) == 2


def test_a_full_folder_of_temporary_files_is_named_with_the_variable_that_chooses_it(monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **how: io.FileIO("/dev/full", "r+"))
    with pytest.raises(LoadError, match="No space left on device; expected .*TMPDIR") as refused:
        Spool(range(CHUNK_SIZE))
    assert str(refused.value).startswith(f"{tempfile.gettempdir()}: the rows of this load can't be kept")


def test_a_full_folder_refuses_a_load_of_many_rows_and_leaves_none(db, tmp_path, monkeypatch):
    path = tmp_path / "list.csv"
    path.write_text("name,ra,dec\n" + "".join(f"s{row},{row % 360},5\n" for row in range(2 * CHUNK_SIZE)))
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, kept[1]))
    try:
        with pytest.raises(CommandError, match="TMPDIR set to a folder that has it"):
            call_command("opsdb_load", "sources", str(path), verbosity=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
    assert not FixedSource.objects.exists()


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
