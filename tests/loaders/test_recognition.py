"""The kind of a file is known by what it has, never by its name, and where two are possible nothing is guessed."""

import io
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.loaders import LoadError, TableKind, kinds, recognize_kind, text_files
from tests.commands import ROOT

SAMPLES = ROOT / "opsdb" / "reference" / "samples"
SEASON = SAMPLES / "season_2026A"
CASES = Path(__file__).parent / "cases"


def upload(content, name="upload.bin"):
    """A file as a browser sends it, with a name that says nothing."""
    file = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    file.name = name
    return file


def kind_of(content, name="upload.bin"):
    return recognize_kind(upload(content, name)).name


def refusal_of(content):
    with pytest.raises(LoadError) as caught:
        recognize_kind(upload(content))
    return str(caught.value)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (SAMPLES / "fyst_timeline_2026-06-15.ecsv", "slots"),
        (SAMPLES / "toast_schedule_2026-06-16.txt", "slots"),
        (SAMPLES / "season_2026A.yaml", "all"),
        (SEASON / "allocations.csv", "allocations"),
        (SEASON / "chai.kosma", "sources"),
        (SEASON / "downtimes.csv", "downtimes"),
        (SEASON / "fields.csv", "sources"),
        (SEASON / "obs_units_chai.csv", "obs-units"),
        (SEASON / "obs_units_prime_cam.csv", "obs-units"),
        (SEASON / "slots_chai.csv", "slots"),
        *((CASES / name, "sources") for name in ("apex.cat", "iram.sou", "bodies.kosma", "dups.kosma", "ccat.csv")),
        *((CASES / name, "slots") for name in ("time_tai.ecsv", "toast_clash.txt", "vprec.txt")),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_files_of_each_kind_are_recognized_by_their_content(file, kind):
    assert recognize_kind(file).name == kind
    assert kind_of(file.read_bytes(), "season.yaml") == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("NAME;RA;Dec\nM 31;10,68;41,27\n", "sources"),
        ("sep=;\nname;lon;lat;system\n", "sources"),
        ("name\tra\tdec\nM 31\t10.68\t41.27\n", "sources"),
        ("#RESOURCE=I/311\n#Name: I/311\nHIP\tRAICRS\tDEICRS\n", None),
        ("#RESOURCE=I/311\nHIP\tRA_ICRS\tDE_ICRS\n\tdeg\tdeg\n---\t---\t---\n1\t0.1\t1.1\n", "sources"),
        ("#\tidentifier\ttyp\tcoord1 (ICRS,J2000/J2000)\n1\tM 31\tG\t00 42 44 +41 16 08\n", "sources"),
        ('COMMON: SBAS=-1\nSNAM=X ; SLAM=1 2 3 s; SBET=4 5 6 "\n', "sources"),
        ("* JCMT\nW3OH  02 27 03.8 + 61 52 25 RJ - 46.0 n/a n/a LSR RADIO\n", "sources"),
        ("! of KOSMA\nMars\n@Moon\n1 Ceres\n", "sources"),
        ("name,RA,DEC,width,hight,scan_type\nT1,15:28:00,-34,4,4,daisy\n", "sources"),
        ("# the season\n---\nload:\n  - kind: sources\n", "all"),
        ("season: 2026A\n", "all"),
    ],
)
def test_formats_are_recognized_by_what_only_they_have(text, kind):
    if kind is None:
        assert "none of the kinds" in refusal_of(text)
    else:
        assert kind_of(text) == kind


@pytest.mark.parametrize("name", [name for name, kind in kinds().items() if isinstance(kind, TableKind)])
def test_a_table_with_a_column_misspelt_or_missing_is_still_of_its_kind(name):
    columns = [column.name for column in kinds()[name].columns]
    needed = [column.name for column in kinds()[name].columns if column.required]
    assert kind_of(",".join(needed) + "\n") == name
    for place in range(len(columns)):
        misspelt = [*columns[:place], f"x{columns[place]}", *columns[place + 1 :]]
        assert kind_of(",".join(misspelt) + "\n") == name
        assert kind_of(",".join(columns[:place] + columns[place + 1 :]) + "\n") == name


def test_a_needed_column_may_be_misspelt_in_a_short_header():
    assert kind_of("program,name,sorce,mod,configuration\n") == "obs-units"
    assert kind_of("nmae,ra,dec\n") == "sources"
    assert kind_of("telescope,start_tme,end_tme,unti\n") == "slots"
    assert kind_of("start,raeson\n") == "downtimes"


def test_what_only_has_a_name_too_is_of_the_kind_with_more_columns():
    assert kind_of("program,name,source,mode,configuration,velocity,foo\n") == "obs-units"
    assert kind_of("telescope,start_time,end_time,unit,name\n") == "slots"
    assert kind_of("name,comment\n") == "sources"


@pytest.mark.parametrize(
    ("header", "both"),
    [
        ("telescope,start_time,end_time,unit,start,reason", "slots as well as downtimes"),
        ("name,ra,dec,program,mode,configuration", "obs-units as well as sources"),
    ],
)
def test_a_header_of_two_kinds_is_refused(header, both):
    said = refusal_of(f"{header}\n")
    assert f"this looks like {both}" in said
    assert "; or obs-units: a header with program, name, mode, configuration; or" in said


@pytest.mark.parametrize(
    "text",
    [
        "id,name,amount\n1,x,2\n",
        "hello, what is this\n",
        "In the ICRS frame\nthere are\nsome positions\n",
        '{"load": []}\n',
        "<html>\n",
        "a: b\nload:\n",
        "#!/bin/sh\n",
        "\t\t\n.\n",
        "=load:\n",
        "name" * 50_000 + "\n",
        ",".join(f"c{number}" for number in range(20_000)) + "\n",
        '"' * 300_001,
        "\r\r\rx\n",
        (SEASON / "azimuth_ranges.csv").read_text(),
        (SEASON / "mappings.csv").read_text(),
    ],
)
def test_what_is_of_no_kind_is_refused_with_what_was_looked_for(text):
    said = refusal_of(text)
    assert "line 1: this is none of the kinds of files that are loaded" in said
    assert "allocations: a header with program, instrument, period, start_date, end_date, hours" in said
    assert "all: YAML that begins with load: or season:" in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this file is empty"),
        (b"\xef\xbb\xbf \n", "this file is empty"),
        (b"name,ra\x00,dec\n", "contains a NUL byte"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "contains"),
        (b"name,\xff\xe4\n", "is not UTF-8 text"),
        (b"\xff\xfen\x00a", "UTF-16"),
        (b"PK\x03\x04rubbish", "workbook"),
    ],
)
def test_what_is_no_text_is_refused_as_when_it_is_loaded(content, message):
    assert message in refusal_of(content)


def test_a_file_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(text_files, "MAX_FILE_BYTES", 10)
    assert "this file is too large" in refusal_of("name,ra,dec\n")
    assert "does not exist" in pytest.raises(LoadError, recognize_kind, "nothing.csv").value.problems[0].message


def test_utf_16_and_workbooks_are_read():
    table = "telescope,start_time,end_time,unit\n"
    assert kind_of(table.encode("utf-16")) == kind_of(table.encode("utf-16-le")) == "slots"
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["program", "instrument", "period", "start_date", "end_date", "hours"])
    stream = io.BytesIO()
    book.save(stream)
    assert kind_of(stream.getvalue()) == "allocations"


def test_no_query_is_made_and_the_file_can_be_read_again(db):
    file = upload("name,ra,dec\nM 31,10,41\n")
    with CaptureQueriesContext(connection) as queries:
        assert recognize_kind(file).name == recognize_kind(file).name == "sources"
    assert not queries.captured_queries


def test_every_kind_says_what_it_is_recognized_by():
    assert all(kind.looks for kind in kinds().values())
