"""What spreadsheets make of a table is read when the whole file is consistent, and named otherwise."""

import builtins
import io
import re
import zipfile
from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from opsdb.loaders import LoadError, load
from opsdb.loaders.errors import LoadProblems
from opsdb.loaders.spreadsheets import workbook_text
from opsdb.models import Downtime, FixedSource
from opsdb.testing.factories import UserFactory

pytestmark = pytest.mark.django_db
ROWS = [["name", "ra", "dec", "vlsr_km_s"], ["one", "83.5", "-5.25", "1.5"], ["two", "10", "20", ""]]


def lines(mark, *, comma=False):
    rows = [[cell.replace(".", ",") if comma else cell for cell in row] for row in ROWS]
    return "".join(f"{mark.join(row)}\n" for row in rows)


def workbook(*sheets):
    from openpyxl import Workbook

    book = Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet()
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def edited(content, **cells):
    """Return a workbook with the XML of cells replaced, as other programs write them."""
    old = zipfile.ZipFile(io.BytesIO(content))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as new:
        for part in old.namelist():
            text = old.read(part)
            if part == "xl/worksheets/sheet1.xml":
                for place, cell in cells.items():
                    text, number = re.subn(rf'<c r="{place}".*?(/>|</c>)(?=<c|</row>)'.encode(), cell.encode(), text)
                    assert number == 1
            new.writestr(part, text)
    return stream.getvalue()


NUMBERS = [ROWS[0], ["one", 83.5, -5.25, 1.5], ["two", 10, 20, 7]]


def upload(content, name="list.csv"):
    file = io.BytesIO(content)
    file.name = name
    return file


WELL = {
    "semicolons": lines(";").encode(),
    "semicolons and decimal commas": lines(";", comma=True).encode(),
    "tabs and decimal commas": lines("\t", comma=True).encode(),
    "Excel's first line": b"sep=;\r\n" + lines(";").encode(),
    "Excel's first line with commas": b"sep=,\n" + lines(",").encode(),
    "UTF-16 with a byte-order mark": lines("\t").encode("utf-16"),
    "UTF-16 without one": lines(",").encode("utf-16-le"),
    "UTF-16, the other way round": lines(",").encode("utf-16-be"),
    "a workbook": workbook(ROWS),
    "a workbook with numbers": workbook([ROWS[0], ["one", 83.5, -5.25, 1.5], ["two", 10, 20.0, None]]),
    "a workbook with stored values of formulas": edited(
        workbook(NUMBERS),
        D2='<c r="D2"><f>3/2</f><v>1.5</v></c>',
        D3='<c r="D3" t="str"><f>IF(A3="two","",1)</f><v></v></c>',
    ),
    "a workbook with empty sheets": workbook(ROWS, [], []),
}


@pytest.mark.parametrize("what", WELL)
def test_a_consistent_file_is_read(what):
    load("sources", upload(WELL[what]))
    assert list(FixedSource.objects.order_by("name").values_list("name", "ra_deg", "dec_deg", "vlsr_km_s")) == [
        ("one", 83.5, -5.25, 1.5),
        ("two", 10, 20, None),
    ]


BADLY = {
    "points and commas": (
        lines(";", comma=True).replace("-5,25", "-5.25"),
        "line 2, dec: '-5.25' has another decimal mark",
    ),
    "points between thousands": (
        "name;ra;dec;vlsr\nx;1;2;1.234,5\n",
        "line 2, vlsr: '1.234,5' has another decimal mark",
    ),
    "decimal commas in quotes": ('name,ra,dec\nx,"83,5",2\n', "line 2, ra: '83,5' is not valid"),
    "another mark": ("sep=|\nname|ra|dec\n", "'sep=|' is no mark between columns; expected sep=, or sep=;"),
    "two sheets": (workbook(ROWS, ROWS), "this workbook has 2 sheets with cells: Sheet, Sheet1; expected one"),
    "a formula that was never calculated": (
        workbook([ROWS[0], ["one", 83.5, -5.25, "=2+3"], ["two", 10, "=C2*2", ""]]),
        "list.csv, line 2: cell D2 has a formula whose value is not stored; expected the value, a workbook that Excel "
        "or LibreOffice has calculated and saved, or CSV (in Excel: save as “CSV UTF-8”)\n"
        "list.csv, line 3: cell C3 has a formula whose value is not stored; ",
    ),
    "a formula in place of all others": (workbook([["=A2"]]), "line 1: cell A1 has a formula whose value is not"),
    "an error": (
        edited(workbook(NUMBERS), D3='<c r="D3" t="e"><f>#REF!+1</f><v>#REF!</v></c>'),
        "line 3: cell D3 has the error #REF!; expected a value, or an empty cell",
    ),
    "an error that was entered": (workbook([*NUMBERS, ["#N/A", 1, 2, 3]]), "line 4: cell A4 has the error #N/A;"),
    "a duration": (workbook([*NUMBERS, ["x", 1, 2, timedelta(days=2)]]), "line 4: cell D4 is a duration, 2 days"),
    "no workbook": (b"PK\x03\x04 nothing", "this workbook can't be read"),
}


@pytest.mark.parametrize("what", BADLY)
def test_an_inconsistent_file_is_named(what):
    content, message = BADLY[what]
    with pytest.raises(LoadError) as caught:
        load("sources", upload(content.encode() if isinstance(content, str) else content))
    assert message in str(caught.value)
    assert not FixedSource.objects.exists()


def test_a_formula_that_was_never_calculated_blanks_nothing():
    load("sources", upload(workbook(NUMBERS)))
    with pytest.raises(LoadError, match="cell D2 has a formula whose value is not stored"):
        load("sources", upload(workbook([ROWS[0], ["one", 83.5, -5.25, "=2+3"]])), on_conflict="update")
    assert FixedSource.objects.get(name="one").vlsr_km_s == 1.5


def test_a_workbook_that_was_damaged_anywhere_is_named_or_read():
    """A byte in every part of the file in turn: its directory, its compressed data, its XML."""
    good = workbook(ROWS)
    refused = set()
    for place in range(4, len(good), 61):
        content = good[:place] + bytes([good[place] ^ 0x5A]) + good[place + 1 :]
        problems = LoadProblems("list.xlsx")
        try:
            workbook_text(content, problems)
        except LoadError as error:
            refused.add(str(error))
    assert any("decompress" in message for message in refused)
    assert all(message.startswith("list.xlsx: this workbook ") for message in refused)


def test_a_workbook_keeps_an_angle_that_it_takes_for_a_time():
    load("sources", upload(workbook([["name", "ra", "dec"], ["x", time(3, 12, 5, 400_000), "+10:30:00"]])))
    assert FixedSource.objects.get().ra_deg == pytest.approx(48.0225)


def test_without_openpyxl_a_workbook_is_named(monkeypatch):
    real = builtins.__import__

    def imported(name, *args, **kwargs):
        if name == "openpyxl":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", imported)
    with pytest.raises(LoadError, match=r"this is an Excel workbook; expected CSV .* or ops-db\[xlsx\]"):
        load("sources", upload(WELL["a workbook"], "list.xlsx"))


@pytest.mark.parametrize(
    ("content", "name"), [(WELL["a workbook"], "list.xlsx"), (WELL["UTF-16 without one"], "list.csv")]
)
def test_the_admin_previews_and_loads_what_is_no_utf_8(content, name):
    client = Client()
    client.force_login(UserFactory(superuser=True))
    url = "/admin/opsdb/source/import/sources/"
    page = client.post(url, {"file": SimpleUploadedFile(name, content), "on_conflict": "error"})
    assert page.context["totals"] == [("create", "fixed source", 2)]
    assert client.post(url, {"opsdb_signed": page.context["signed"], "reason": "a list"}).status_code == 302
    assert FixedSource.objects.count() == 2


HEADER = "telescope,instrument,module,start,end,reason\n"


def test_a_day_is_meant_as_a_whole_in_a_downtime(reference):
    load("downtimes", upload((HEADER + "FYST,,,2031-05-04,2031-05-04,one day\n").encode()))
    down = Downtime.objects.get()
    assert (down.start_time, down.end_time) == (datetime(2031, 5, 4, tzinfo=UTC), datetime(2031, 5, 5, tzinfo=UTC))


@pytest.mark.parametrize("text", ["2031-W03-1", "20310103", "2031-01-03T02", "2031-05-04 ", "24:00:00", "46447"])
def test_week_dates_and_bare_numbers_are_no_times(reference, text):
    wanted = "a time such as 2026-06-15T02:00:00Z"
    if text.strip() == "2031-05-04":
        kind, table = "slots", f"telescope,start_time,end_time,unit\nFYST,{text},2031-05-05T00:00:00Z,WFS/x\n"
    else:
        kind, table = "downtimes", f"{HEADER}FYST,,,{text},,why\n"
    with pytest.raises(LoadError, match=wanted):
        load(kind, upload(table.encode()))
