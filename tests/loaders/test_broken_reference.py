"""Broken reference files: each gets lines of its own, and the database stays as it was."""

import os

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsdb.loaders import PROBLEM_LIMIT, LoadError
from opsdb.loaders.reference import REFERENCE_DIRECTORY, Mode, load_reference
from opsdb.models import ChangeLog, Site

pytestmark = pytest.mark.django_db

GOOD = (
    (REFERENCE_DIRECTORY / "observatory.yaml").read_text()
    + """
Instrument:
  - telescope: &fyst [ccat, Fred Young Submillimeter Telescope]
    name: CHAI
  - {telescope: *fyst, name: Prime-Cam, available: true}
"""
)
PIECES = [
    "&a ",
    "*fyst",
    "[",
    "{",
    "]",
    ": ",
    "- ",
    "\t",
    "!!set ",
    "<<: ",
    "? ",
    "\0",
    "\ufeff",
    "~",
    "1",
    ".nan",
    "'",
]
LAUGHS = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))

BROKEN = {
    "a column too many": (b"Site: [{name: x, short_name: x, colour: red}]", "'colour' is not a field of Site"),
    "a column too few": (b"Site: [{name: x}]", "short_name is missing"),
    "not a number": (
        b"Instrument: [{telescope: [a, b], name: x}]\nInstrumentModule: [{instrument: [a, b, x], name: x, pixels: 1,\n"
        b"frequency_min_ghz: .nan, frequency_max_ghz: 1}]",
        "a finite number",
    ),
    "a number of 400 digits": (
        b"Instrument: [{telescope: [a, b], name: x}]\nInstrumentModule: [{instrument: [a, b, x], name: x, pixels: 1,\n"
        b"frequency_min_ghz: " + b"9" * 400 + b", frequency_max_ghz: 1}]",
        "expected a finite number",
    ),
    "a number of 5000 digits": (
        b"Site:\n- {name: x, short_name: 0x" + b"f" * 5000 + b"}",
        "line 2, Site[0].short_name: this number is too long; expected at most 1000 characters",
    ),
    "a number in a text": (b"Site: [{name: x, short_name: 1}]", "expected a text"),
    "a date in a text": (b"Site: [{name: 2026-01-01, short_name: x}]", "expected a text, in quotes"),
    "an unknown row": (
        b"SubObservingProgram: [{observing_program: x, name: y, short_name: z}]",
        "unknown ObservingProgram 'x'",
    ),
    "a row given twice": (
        b"Site: [{name: x, short_name: x}, {name: y, short_name: x}]",
        "this repeats the row at own.yaml",
    ),
    "a name used twice": (b"Site: [{name: x, short_name: x}, {name: x, short_name: y}]", "already exists"),
    "a line of 10 MB": (
        b"Site: [{short_name: x, name: " + b"x" * 10**7 + b"}]",
        "too large; expected at most 2000000",
    ),
    "a NUL byte": (b"Site:\n- {name: x\0}", "line 2: contains a NUL byte"),
    "an escaped NUL": (
        b'Site:\n- {name: "\\0", short_name: x}',
        "Site[0].name: contains a character that",
    ),
    "half a surrogate pair": (
        b'Site: [{name: "\\ud800", short_name: x}]',
        "Site[0].name: contains a character that",
    ),
    "no UTF-8": (b"Site: [{name: \xff}]", "is not UTF-8"),
    "UTF-16 cut off": ("Site: []".encode("utf-16")[:-1], "this is no UTF-16 text"),
    "control characters": (b"Site: [{name: \x07}]", "the control character 0x07"),
    "control characters of YAML": ("Site: [{name: \x80}]".encode(), "not YAML"),
    "an anchor of itself": (b"Site: &a [*a]", "nested too deeply"),
    "a billion laughs": (f"a0: &a0 [x]\n{LAUGHS}".encode(), "too many values"),
    "a set": (b"Site: !!set {a, b}", "expected a list"),
    "bytes": (b"Site: [{name: !!binary aGk=, short_name: x}]", "expected a text"),
    "a list as a name": (b"? [a]\n: b", "a list is not a name"),
    "an impossible day": (b"Site: [{name: 2026-13-99, short_name: x}]", "can't be read: month"),
    "an object of Python": (b"Site: !!python/name:os.system", "not YAML"),
    "two documents": (b"Site: []\n---\nSite: []", "not YAML"),
    "an unclosed text": (b"Site: [{name: 'x", "line 2: this is not YAML"),
}


@pytest.fixture
def write(tmp_path):
    """A function that makes a folder with one file of this content."""

    def write(content):
        (tmp_path / "index.yaml").write_text("files: [own.yaml]")
        (tmp_path / "own.yaml").write_bytes(content)
        return tmp_path

    return write


def said_of(folder):
    """What is said of a folder that is refused, while nothing may change."""
    before = ChangeLog.objects.count(), Site.objects.count()
    with pytest.raises(CommandError) as caught:
        call_command("opsdb_init", reference=str(folder), verbosity=0)
    assert (ChangeLog.objects.count(), Site.objects.count()) == before
    return str(caught.value)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_gets_one_line(write, case):
    content, message = BROKEN[case]
    said = said_of(write(content))
    assert message in said
    assert said.count("\n") == 0 and len(said) < 1000
    assert "own.yaml" in said


def test_what_is_no_readable_file_gets_one_line(tmp_path, write, monkeypatch):
    assert "index.yaml: the file does not exist" in said_of(tmp_path / "none")
    folder = write(b"Site: []")
    (folder / "own.yaml").unlink()
    (folder / "own.yaml").mkdir()
    assert "own.yaml: this is a directory" in said_of(folder)
    (folder / "own.yaml").rmdir()
    (folder / "own.yaml").symlink_to("/nowhere")
    assert "own.yaml: the file does not exist" in said_of(folder)
    if os.geteuid():
        (folder / "own.yaml").unlink()
        (folder / "own.yaml").touch(mode=0)
        assert "own.yaml: permission to read this file is denied" in said_of(folder)


def test_what_is_merged_into_an_index_is_named_with_the_line_that_it_is_merged_into(write):
    folder = write(b"Site: []")
    (folder / "index.yaml").write_text("# of this site\n<<: {files: [own.yaml, none.yaml]}")
    assert "index.yaml, line 2, files[1]: file 'none.yaml' is not beside the index" in said_of(folder)


def test_as_many_problems_are_listed_as_a_person_reads(write):
    rows = "".join(f"- {{name: x{number}}}\n" for number in range(300))
    said = said_of(write(f"Site:\n{rows}".encode())).split("\n")
    assert len(said) == PROBLEM_LIMIT + 1
    assert said[-1] == "Only the first 100 problems are listed."


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_to_a_file_leads_to_anything_but_lines_or_rows(write, data):
    """Whatever the damage: a list of problems, or a file that can be loaded."""
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 60)))
    new = data.draw(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=4).map("".join))
    folder = write((GOOD[:start] + new + GOOD[end:]).encode("utf-8", "surrogatepass"))
    for mode in (Mode.APPEND, Mode.PRUNE):
        try:
            load_reference(folder, mode=mode, dry_run=True)
        except LoadError as error:
            assert all(str(problem).count("\n") == 0 and len(str(problem)) < 1000 for problem in error.problems)
    assert not Site.objects.exists()
