"""``opsdb_register`` reads lists as people and programs write them, all or nothing, also when it is killed."""

import csv
import json
import os
import signal
import time
from contextlib import contextmanager

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from opsdb.models import InstrumentModule, PhysicalCopy, RawDataFile
from opsdb.testing.factories import DiskDataLocationFactory, ExecutedObsUnitFactory, InstrumentModuleFactory
from opsdb.workflows import registration
from tests.children import OTHER_SESSIONS, child_that_calls
from tests.databases import as_owner, url_of_test_database

pytestmark = pytest.mark.django_db

COLUMNS = ["executed_obs_unit", "instrument_module", "source_location", "relative_path", "size_bytes", "checksum"]


@pytest.fixture
def rows():
    """A function that makes rows of a list, with names where numbers would do."""
    execution, module = ExecutedObsUnitFactory(), InstrumentModuleFactory()
    location = DiskDataLocationFactory(source=True, instrument=module.instrument)
    module_name = f"{module.instrument.name}/{module.name}"
    location_name = f"{location.site.short_name}/{location.name}"

    def make(number):
        for index in range(number):
            yield [str(execution.pk), module_name, location_name, f"a/{index}.fits", index, f"{index:064x}"]

    return make


@pytest.fixture
def write(tmp_path):
    """A function that writes a list and returns its path."""

    def write(name, content):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif name.endswith(".csv"):
            with path.open("w", newline="") as stream:
                csv.writer(stream).writerows([COLUMNS, *content])
        else:
            path.write_text("".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in content))
        return path

    return write


def refusal(path):
    """The message of a refused list; nothing may have been registered."""
    with pytest.raises(CommandError) as caught:
        call_command("opsdb_register", path)
    assert not RawDataFile.objects.exists()
    return str(caught.value)


@pytest.mark.parametrize("name", ["files.csv", "files.jsonl"])
def test_list_is_registered_and_again_changes_nothing(rows, write, name, capsys):
    path = write(name, rows(5))
    call_command("opsdb_register", path)
    assert capsys.readouterr().out == "5 files registered.\n"
    call_command("opsdb_register", path)
    assert capsys.readouterr().out == "0 files registered, 5 were known already.\n"
    assert RawDataFile.objects.count() == PhysicalCopy.objects.count() == 5


def test_byte_order_mark_and_windows_line_ends_do_no_harm(rows, write):
    text = "\r\n".join(",".join(map(str, row)) for row in [COLUMNS, *rows(2)])
    call_command("opsdb_register", write("files.csv", b"\xef\xbb\xbf" + text.encode()), verbosity=0)
    assert RawDataFile.objects.count() == 2


def test_wrong_value_names_file_line_and_column(rows, write):
    batch = list(rows(4))
    batch[2][4] = "large"
    path = write("files.csv", batch)
    assert refusal(path).startswith(f"{path}, line 4, size_bytes: 'large' can't be read")


def test_contradiction_names_the_line(rows, write):
    batch = [*rows(3), *rows(2)]
    batch[4][5] = "f" * 64
    message = refusal(write("files.jsonl", batch))
    assert "line 5: the file a/1.fits was registered with checksum" in message


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("files.txt", b"", "ends in .csv or .jsonl"),
        ("files.csv", b"", "columns checksum, executed_obs_unit"),
        ("files.csv", b"path,size\n", "are missing"),
        ("files.csv", (",".join([*COLUMNS, "colour"]) + "\n").encode(), "unknown columns colour"),
        ("files.csv", (",".join([*COLUMNS, "size_bytes"]) + "\n").encode(), "repeated columns size_bytes"),
        ("files.csv", (",".join(COLUMNS) + "\na,b\n").encode(), "line 2: there are 2 fields; expected 6"),
        ("files.csv", b"a\0b\n", "line 1: contains a NUL byte"),
        ("files.csv", b"\xff\xfe\x00", "not UTF-8"),
        ("files.csv", b"x" * 200_000, "line 1: this line is too long"),
        ("files.jsonl", b"[1, 2]\n", "line 1: this is '[1, 2]'; expected a JSON object"),
        ("files.jsonl", b"{\n", "line 1: this is not JSON"),
        ("files.jsonl", b"{}\n", "line 1: columns"),
        ("files.jsonl", b"", "this list has no files; expected at least one"),
        ("files.jsonl", b"\n\n", "this list has no files"),
        ("files.csv", ",".join(COLUMNS).encode(), "this list has no files"),
        ("files.jsonl", b"[" * 60_000, "line 1: this is nested more than 100 levels deep; expected a JSON object"),
        ("files.jsonl", b'{"size_bytes": 1e400}\n', "line 1: this has a number that is too large: '1e400'"),
        ("files.jsonl", b'{"size_bytes": NaN}\n', "line 1: this has NaN, which is no JSON number"),
        (
            "files.jsonl",
            rb'{"checksum": "\ud800"}',
            r"contains a character that can't be stored: '\ud800'",
        ),
        ("files.jsonl", rb'{"a\u0000": 1}', r"line 1: this contains a character that can't be stored: 'a\x00'"),
    ],
)
def test_broken_list_gets_one_line(write, name, content, said):
    message = refusal(write(name, content))
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("relative_path", "観" * 990, "bytes"),
        ("relative_path", "a/../b.fits", "relative_path"),
        ("size_bytes", 2**63 - 1, "1 PB"),
        ("checksum", "md5:" + "0" * 32, "md5"),
        ("observed_at", "2026-06-15T02:14:00", "zone"),
        ("observed_at", "infinity", "observed_at"),
        ("observed_at", "2999-01-01T00:00:00Z", "future"),
        ("relative_path", True, "relative_path: true is not a text; expected a text, in double quotes"),
        ("relative_path", ["x"], """relative_path: ["x"] is not a text"""),
        ("relative_path", 7, "relative_path: 7 is not a text"),
        ("checksum", {"sha256": "0"}, "checksum: {"),
        ("file_type", 1.5, "file_type: 1.5 is not a text"),
        ("executed_obs_unit", 5, "executed_obs_unit: 5 is not a text; expected a UUID, in double quotes"),
        ("executed_obs_unit", "5", "executed_obs_unit: '5' can't be read; expected a UUID"),
        ("observed_at", 1764169200, "observed_at: 1764169200 is not a text; expected a time with its zone"),
        ("size_bytes", "1_000", "size_bytes: '1_000' can't be read; expected a whole number of bytes"),
        ("size_bytes", "٣", "size_bytes: '٣' can't be read"),
        ("size_bytes", "9" * 5000, "size_bytes: '999"),
        ("size_bytes", 9 * 10**24, "size_bytes"),
        ("size_bytes", -1, "size_bytes: -1 can't be read"),
        ("size_bytes", 10.5, "size_bytes: 10.5 can't be read"),
        ("size_bytes", True, "size_bytes: true can't be read"),
        ("instrument_module", True, "instrument_module: true can't be read; expected a number or a name such as"),
        ("instrument_module", "٣", "instrument_module: '٣' can't be read"),
        ("source_location", [1], "source_location: [1] can't be read; expected a number or a name such as"),
        ("source_location", "ccat", "source_location: 'ccat' can't be read"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_is_refused_with_its_line(rows, write, column, value, said):
    """What instruments with wrong clocks, other checksums and foreign names report."""
    batch = [dict(zip(COLUMNS, row, strict=True)) for row in rows(3)]
    batch[1][column] = value
    path = write("files.jsonl", "".join(json.dumps(row) + "\n" for row in batch).encode())
    message = refusal(path)
    assert message.startswith(f"{path}, line 2")
    assert said in message


def test_a_module_of_another_instrument_is_refused_with_its_line(rows, write):
    batch = list(rows(3))
    other = InstrumentModuleFactory()
    batch[2][1] = f"{other.instrument.name}/{other.name}"
    message = refusal(write("files.csv", batch))
    assert "line 4" in message
    assert other.instrument.name in message


@pytest.mark.parametrize("name", ["files.csv", "files.jsonl"])
def test_a_module_is_named_with_its_telescope_where_several_have_one_of_the_name(rows, write, name):
    batch = list(rows(2))
    module = InstrumentModule.objects.get()
    other = InstrumentModuleFactory(name=module.name, instrument__name=module.instrument.name)
    whole = f"{module.instrument.telescope.short_name}/{batch[0][1]}"
    named = sorted(f"{one.instrument.telescope.short_name}/{batch[0][1]} (number {one.pk})" for one in (module, other))
    assert (
        f"instrument_module: '{batch[0][1]}' may be each of {', '.join(named)}; "
        "expected the whole name or the number of one of them"
    ) in refusal(write(name, batch))
    batch[0][1], batch[1][1] = whole, module.pk
    call_command("opsdb_register", write(name, batch), verbosity=0)
    assert {file.instrument_module for file in RawDataFile.objects.all()} == {module}


def test_checksums_and_paths_are_read_however_they_are_written(rows, write):
    batch = list(rows(2))
    batch[0][5] = f"sha256:{batch[0][5]}".upper()
    batch[0][3], batch[1][3] = f"/{batch[0][3]}", f"./{batch[1][3]}"
    call_command("opsdb_register", write("files.csv", batch), verbosity=0)
    call_command("opsdb_register", write("files.csv", rows(2)), verbosity=0)
    assert sorted(RawDataFile.objects.values_list("relative_path", "checksum")) == [
        ("a/0.fits", f"{0:064x}"),
        ("a/1.fits", f"{1:064x}"),
    ]


def test_missing_file_and_folder_get_one_line(tmp_path):
    assert "No such file" in refusal(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "s a directory" in refusal(tmp_path / "folder.csv")


def wait_for(child, condition):
    """Wait until another session has a property; the role that logged in may look."""
    asked = f"SELECT EXISTS (SELECT FROM ({OTHER_SESSIONS}) AS other WHERE {condition})"
    until = time.monotonic() + 60
    with as_owner(), connection.cursor() as cursor:
        while not cursor.execute(asked).fetchone()[0]:
            assert child.is_alive() and time.monotonic() < until, condition
            time.sleep(0.01)


@contextmanager
def registered_meanwhile(path):
    """Another session has registered a file, and not ended its transaction, for whose end others wait."""
    with psycopg.connect(url_of_test_database()) as session:
        session.execute(
            "INSERT INTO raw_data_file (id, executed_obs_unit_id, instrument_module_id, source_location_id, "
            "relative_path, size_bytes, checksum) SELECT gen_random_uuid(), execution.id, module.id, location.id, %s, "
            "1, repeat('0', 64) FROM executed_obs_unit AS execution, instrument_module AS module, data_location AS "
            "location",
            [path],
        )
        yield
        session.rollback()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("lines", "moment"),
    [
        # What names of locations stand for is asked after the temporary table was made, and before the first line.
        (0, "query LIKE '%FROM \"data_location\"%'"),
        (1_500, "query LIKE '%COPY%'"),
        (2_501, "query LIKE '%INSERT INTO raw_data_file%' AND cardinality(pg_blocking_pids(pid)) > 0"),
    ],
    ids=["begun", "copying", "inserting"],
)
def test_kill_leaves_nothing_behind_and_the_next_run_completes(
    rows, write, lines, moment, tmp_path, monkeypatch, capsys
):
    """The list comes by a pipe, from which it can be read only so far."""
    monkeypatch.setattr(registration, "CHUNK", 1_000)
    path, pipe = write("files.csv", rows(2_500)), tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    with registered_meanwhile("a/2000.fits"):
        child = child_that_calls("opsdb_register", pipe)
        with pipe.open("w") as stream:
            stream.writelines(path.read_text().splitlines(keepends=True)[:lines])
            stream.flush()
            if lines > 2_500:
                stream.close()
            wait_for(child, moment)
            child.kill()
            child.join()
    assert child.exitcode == -signal.SIGKILL
    assert not RawDataFile.objects.exists()
    assert not PhysicalCopy.objects.exists()
    call_command("opsdb_register", path)
    assert capsys.readouterr().out == "2500 files registered.\n"
    assert RawDataFile.objects.count() == PhysicalCopy.objects.count() == 2_500
