"""Files that load, and a table of the ways in which they can be broken; every kind is in both."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

from tests.schedules import TEXT_SCHEDULE, TIMELINE


@dataclass(frozen=True)
class Good:
    """A file that loads, and the cells that would spoil it.

    Attributes:
        kind: what it is a file of.
        text: its content.
        options: of the command.
        name: of the file.
        wrong: what is wrong by old and new text.
        is_table: whether it is a CSV table, which can be broken as such.
        beside: the files that it refers to.
    """

    kind: str
    text: str
    options: tuple[str, ...] = ()
    name: str = "file.csv"
    wrong: dict[str, tuple[str, str]] = field(default_factory=dict)
    is_table: bool = True
    beside: dict[str, str] = field(default_factory=dict)


SOURCES = """\
name,ra,dec,vlsr_km_s,comment
Orion KL,05:35:14.16,-05:22:21.5,9,hot
W 49,287.556,9.105,8,
"""

KOSMA = """\
Orion 05:35:14.16 -05:22:21.5 J2000 9.0 ! hot
W49   43.17 0.01 GALACTIC
"""

SLOTS = """\
telescope,start_time,end_time,unit,azimuth_min_deg,azimuth_max_deg,elevation_deg
FYST,2026-07-01T00:00:00Z,2026-07-01T00:30:00Z,WFS/Deep56,120.5,180.5,50
FYST,2026-07-01T00:30:00Z,2026-07-01T01:00:00Z,WFS/Deep56,350,370,50
"""

UNITS = """\
program,sub_program,name,source,mode,configuration,inpar,tiling,module_configurations,elevation_min_deg,lst_start_hours
GEco,MW,one,M17,otf,map,inpar/map,tiles.csv,CHAI/LFA/CO43,30.5,21
GEco,,two,,skydip,map,,,CHAI/HFA/CO76; CHAI/LFA/CO43,,
"""

UNIT_FILES = {
    "inpar/map/a.inpar": "off_x = -1800 # arcsec\n",
    "tiles.csv": "tile_index,width_arcsec,height_arcsec\n0,360,360\n",
    "bad.inpar": "off_x -1800\n",
    "bad.csv": "tile_index,width_arcsec,height_arcsec\n0,360,nan\n",
}

ALLOCATIONS = """\
program,instrument,period,start_date,end_date,hours
GEco,CHAI,2026A,2026-03-01,2026-09-01,380
GEco,CHAI,2026B,2026-09-01,2027-03-01,410.5
"""

DOWNTIMES = """\
telescope,instrument,module,start,end,reason
FYST,,,2026-05-04T12:00:00Z,2026-05-08T20:00:00Z,mirror
,CHAI,,2026-06-29T14:00:00Z,,cryostat
,,CHAI/HFA,2026-06-29T14:00:00Z,2026-07-02T22:00:00Z,cryostat
"""

SEASON = """\
season: 2026A
load:
  - kind: sources
    files: [list.csv]
    options: {on_conflict: skip}
  - kind: obs-units
    files: units.csv
  - kind: slots
    files: slots.csv
"""

SCHEDULED = ("--program", "WFS", "--create-missing")

GOOD = {
    "sources": Good(
        "sources",
        SOURCES,
        wrong={
            "NaN": ("287.556", "NaN"),
            "an infinite velocity": (",9,", ",inf,"),
            "RA 400": ("287.556", "400"),
            "dec -91": ("9.105", "-91"),
            "a duplicate name": ("W 49", "Orion KL"),
            "no name": ("W 49", ""),
            "a long name": ("W 49", "W" * 201),
        },
    ),
    "sources in a KOSMA list": Good(
        "sources",
        KOSMA,
        name="list.kosma",
        is_table=False,
        wrong={
            "NaN": ("43.17", "NaN"),
            "RA 400": ("05:35:14.16", "400"),
            "dec -91": ("-05:22:21.5", "-91"),
            "a duplicate name": ("W49  ", "Orion"),
            "wrong column count": ("43.17 0.01", "43.17"),
            "an unclosed quote": ("W49", '"W49'),
        },
    ),
    "slots": Good(
        "slots",
        SLOTS,
        wrong={
            "NaN": ("120.5", "NaN"),
            "elevation 91": ("370,50", "370,91"),
            "azimuths in the wrong order": ("120.5,180.5", "180.5,120.5"),
            "dates in the wrong order": ("2026-07-01T01:00:00Z", "2026-07-01T00:10:00Z"),
            "no date": ("2026-07-01T01:00:00Z", "2026-02-30T00:00:00Z"),
            "a date of no calendar": ("2026-07-01T01:00:00Z", "9999-12-31T23:59:59-10:00"),
            "an overlap": ("2026-07-01T00:30:00Z,2026", "2026-07-01T00:29:59Z,2026"),
            "a slot twice": ("2026-07-01T00:30:00Z,2026-07-01T01:00", "2026-07-01T00:00:00Z,2026-07-01T00:30"),
            "an unknown program": ("WFS/Deep56,350", "WSF/Deep56,350"),
            "an unknown unit": ("WFS/Deep56,350", "WFS/Deep57,350"),
            "an unknown telescope": ("FYST,2026-07-01T00:30", "LAT,2026-07-01T00:30"),
        },
    ),
    "obs-units": Good(
        "obs-units",
        UNITS,
        beside=UNIT_FILES,
        wrong={
            "NaN": ("30.5", "NaN"),
            "elevation 91": ("30.5", "91"),
            "LST 24": (",21\n", ",24\n"),
            "an unknown program": ("GEco,MW", "GECO,MW"),
            "an unknown part": ("MW", "WM"),
            "an unknown source": ("M17", "M71"),
            "no source": ("one,M17", "one,"),
            "an unknown mode": ("skydip", "skydive"),
            "an unknown module": ("CHAI/LFA/CO43,", "CHAI/LFA/CO34,"),
            "modules of another instrument": ("CHAI/LFA/CO43,", "Prime-Cam/280GHz/broadband,"),
            "a duplicate name": ("two", "one"),
            "a long name": ("two", "2" * 201),
            "an unknown recipe": ("skydip,map", "skydip,mop"),
            "a folder that isn't there": ("inpar/map", "inpar/mop"),
            "a file elsewhere": ("inpar/map", "../inpar"),
            "no inpar": ("inpar/map", "bad.inpar"),
            "a tile without height": ("tiles.csv", "bad.csv"),
        },
    ),
    "allocations": Good(
        "allocations",
        ALLOCATIONS,
        wrong={
            "NaN": ("410.5", "NaN"),
            "no time": ("410.5", "0"),
            "dates in the wrong order": ("2027-03-01", "2026-08-01"),
            "no date": ("2027-03-01", "2027-02-29"),
            "an overlap": ("2026B,2026-09-01", "2026B,2026-08-31"),
            "an unknown program": ("GEco,CHAI,2026B", "GECO,CHAI,2026B"),
            "an unknown instrument": ("GEco,CHAI,2026B", "GEco,CHAY,2026B"),
            "a period twice": ("2026B", "2026A"),
        },
    ),
    "downtimes": Good(
        "downtimes",
        DOWNTIMES,
        wrong={
            "dates in the wrong order": ("2026-05-08T20", "2026-05-04T11"),
            "no date": ("2026-05-08", "2026-05-32"),
            "a date of no calendar": ("2026-05-08T20:00:00Z", "9999-12-31T23:59:59-10:00"),
            "an overlap": (",,CHAI/HFA,", ",CHAI,,"),
            "an unknown telescope": ("FYST", "FIST"),
            "an unknown instrument": (",CHAI,,", ",CHAY,,"),
            "an unknown module": ("CHAI/HFA", "CHAI/HFB"),
            "nothing down": ("FYST", ""),
            "two things down": ("FYST,", "FYST,CHAI"),
            "no reason": ("mirror", ""),
        },
    ),
    "all": Good(
        "all",
        SEASON,
        name="season.yaml",
        is_table=False,
        beside={"list.csv": SOURCES, "units.csv": UNITS, "slots.csv": SLOTS, **UNIT_FILES},
        wrong={
            "no YAML": ("[list.csv]", "[list.csv"),
            "a tab": ("  - kind: slots", "\t- kind: slots"),
            "a key twice": ("    files: units.csv", "    files: units.csv\n    files: units.csv"),
            "an unknown key": ("season:", "saison:"),
            "an unknown key of an entry": ("    files: units.csv", "    files: units.csv\n    file: units.csv"),
            "no list": ("load:\n", "load: files\nfiles:\n"),
            "no entry": ("  - kind: slots\n", "  - slots\n  - kind: slots\n"),
            "no kind": ("  - kind: slots\n    files", "  - files"),
            "an unknown kind": ("kind: slots", "kind: slits"),
            "itself": ("kind: slots", "kind: all"),
            "no file": ("files: slots.csv", "files: []"),
            "a missing file": ("files: slots.csv", "files: slits.csv"),
            "a file elsewhere": ("files: slots.csv", "files: ../slots.csv"),
            "a number for a file": ("files: slots.csv", "files: 1"),
            "an unknown option": ("on_conflict", "on_conflicts"),
            "a wrong option": ("on_conflict: skip", "on_conflict: ignore"),
            "no options": ("{on_conflict: skip}", "skip"),
            "an object": ("season: 2026A", "season: !!python/object/apply:os.getcwd []"),
        },
    ),
    "slots in a timeline": Good(
        "slots",
        TIMELINE.read_text(),
        options=SCHEDULED,
        name="timeline.ecsv",
        is_table=False,
        wrong={
            "NaN": ("124.69413163338106", "nan"),
            "dates in the wrong order": ('\n"2026-06-15 02:14:32.312"', '\n"2027-06-15 02:14:32.312"'),
            "another telescope": ("telescope_name: FYST", "telescope_name: LAT"),
            "wrong column count": ("124.69413163338106 ", ""),
        },
    ),
    "slots in a text schedule": Good(
        "slots",
        TEXT_SCHEDULE.read_text(),
        options=SCHEDULED,
        name="schedule.txt",
        is_table=False,
        wrong={
            "NaN": ("103.64", "nan"),
            "dates in the wrong order": ("2026-06-16 01:43:30", "2026-06-15 01:43:30"),
            "wrong column count": (" 103.64 ", " "),
        },
    ),
}


def spoilt(good: Good) -> dict[str, bytes]:
    """Return the contents of broken files by what is wrong with them."""
    text = good.text
    content = text.encode()
    files = {
        "an empty file": b"",
        "blank lines": b" \r\n\n",
        "a NUL byte": content.replace(b"\n", b"\0\n", 1),
        "no UTF-8": content + "Größe\n".encode("latin-1"),
        "half a character of UTF-16": text.encode("utf-16")[:-1],
        "binary": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "a line of 10 MB": content + b"x" * 10_000_000 + b"\n",
        "an archive": b"PK\x03\x04" + content,
        "a page": b"<!doctype html>\n<html><body>Sign in</body></html>\n",
    }
    for what, (old, new) in good.wrong.items():
        assert old in text, f"{good.kind}: {old} is not in the good file"
        files[what] = text.replace(old, new, 1).encode()
    if good.is_table:
        files |= {what: _table(rows) for what, rows in _spoilt_rows(list(csv.reader(io.StringIO(text)))).items()}
        files["an unclosed quote"] = content + b'"never closed,1,2\n'
        files["bars"] = content.replace(b",", b"|")
        if good.kind != "sources":  # of sources the same facts twice are one row
            files["a row twice"] = content + content.splitlines(keepends=True)[1]
    return files


def _spoilt_rows(rows):
    header, *rest = rows
    return {
        "a header only": [header],
        "too few fields": [header, rest[0][:-1], *rest[1:]],
        "too many fields": [header, [*rest[0], "more"], *rest[1:]],
        "a duplicate header": [[*header, header[0]], *([*row, row[0]] for row in rest)],
        "an unknown column": [[*header, "colour"], *([*row, "red"] for row in rest)],
        "a missing column": [header[1:], *(row[1:] for row in rest)],
        "a column without a name": [["", *header], *(["x", *row] for row in rest)],
        "no header": rest,
    }


def _table(rows):
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()
