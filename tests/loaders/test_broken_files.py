"""Broken files: whatever is wrong, it is said in lines of their own, and nothing is written."""

import os
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from opsdb.loaders import kinds
from opsdb.testing.factories.planning import FixedSourceFactory, ObsUnitFactory
from tests.databases import row_counts
from tests.loaders.broken import GOOD, spoilt


@pytest.fixture
def season(reference):
    """What the good files refer to."""
    from opsdb.models import ObservingProgram

    ObsUnitFactory(observing_program=ObservingProgram.objects.get(short_name="WFS"), name="Deep56")
    FixedSourceFactory(name="M17")


def run(good, path):
    call_command("opsdb_load", good.kind, str(path), *good.options, verbosity=0)


def refused(good, path):
    """Load a file that must be refused; return what is said."""
    before = row_counts()
    with pytest.raises(CommandError) as caught:
        run(good, path)
    assert row_counts() == before
    lines = str(caught.value).split("\n")
    named = (str(path), *(str(path.parent / name) for name in good.beside), "Only the first 100 problems")
    assert all(line.startswith(named) for line in lines)
    assert all(len(line) < 600 for line in lines)
    return lines


def test_every_kind_is_in_the_table():
    assert {good.kind for good in GOOD.values()} == set(kinds())


@pytest.mark.parametrize("what", GOOD)
def test_a_good_file_loads_and_a_broken_one_is_refused_with_a_line_and_leaves_no_trace(
    season, tmp_path, subtests, what
):
    good = GOOD[what]
    path = tmp_path / good.name
    for name, text in good.beside.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for case, content in spoilt(good).items():
        with subtests.test(case):
            path.write_bytes(content)
            refused(good, path)
    path.write_bytes(b"\xef\xbb\xbf" + good.text.replace("\n", "\r\n").encode())
    run(good, path)
    path.write_text(good.text)
    before = row_counts()
    run(good, path)
    assert row_counts() == before


@pytest.mark.parametrize("what", GOOD)
def test_what_is_no_readable_file_is_named(season, tmp_path, what):
    good = GOOD[what]
    assert "the file does not exist" in refused(good, tmp_path / good.name)[0]
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert "this is a directory" in refused(good, folder)[0]
    closed = Path(tmp_path / "closed.csv")
    closed.touch(mode=0o000)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # nobody: everything is readable for root
    try:
        assert "permission" in refused(good, closed)[0]
    finally:
        os.seteuid(user)


def test_empty_columns_at_the_end_and_empty_rows_do_no_harm(season, tmp_path):
    good = GOOD["sources"]
    path = tmp_path / good.name
    path.write_text(good.text.replace("\n", ",,\n") + ",,,,,,\n\n")
    run(good, path)
