"""What is written as a file, loaded, exported and loaded again is the same; the export changes nothing."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from opsdb.loaders import export, kinds, load, prepare
from opsdb.models import (
    ChaiInparParameter,
    ChaiTiling,
    CoordinateFrame,
    Downtime,
    FixedSource,
    ObservationConfiguration,
    ObservingProgram,
    ObsUnit,
    PreScheduledSlot,
    Source,
    Telescope,
    TimeAllocation,
)
from opsdb.testing.factories.observatory import TelescopeFactory
from opsdb.testing.factories.planning import FixedSourceFactory, ObsUnitFactory

pytestmark = pytest.mark.django_db
modest = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def finite(low, high):
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


texts = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" ,;\"'|#!@/"), max_size=30).map(
    str.strip
)
names = texts.filter(bool)
optional = {
    "pm_ra_mas_yr": finite(-1e4, 1e4),
    "pm_dec_mas_yr": finite(-1e4, 1e4),
    "parallax_mas": finite(0, 1000),
}
velocities = st.one_of(
    st.fixed_dictionaries({}, optional={"vlsr_km_s": finite(-299792, 299792)}),
    st.fixed_dictionaries(
        {
            "velocity": finite(0.001, 9),
            "velocity_frame": st.sampled_from(["LSRK", "barycentric", "HEL"]),
            "velocity_convention": st.sampled_from(["radio", "optical", "redshift"]),
        }
    ),
)
fixed = st.fixed_dictionaries(
    {
        "name": names,
        "type": st.sampled_from(["fixed", ""]),
        "aliases": st.lists(names, max_size=3),
        "comment": texts,
        "longitude": finite(-360, 360),
        "latitude": finite(-90, 90),
        "system": st.sampled_from(["", "ICRS", "J2000", "B1950", "GALACTIC", "ECLIPTIC", "fk5"]),
    },
    optional=optional,
)
fixed = st.tuples(fixed, velocities).map(lambda parts: {**parts[0], **parts[1]})
bodies = st.fixed_dictionaries(
    {"name": names, "type": st.just("solar_system"), "aliases": st.lists(names, max_size=3), "comment": texts},
    optional={"ephemeris_name": names, "naif_id": st.integers(-(2**31), 2**31 - 1), "horizons_id": texts},
)
fields = st.fixed_dictionaries(
    {
        "name": names,
        "type": st.just("constant_elevation"),
        "ra_min_deg": finite(0, 359.999),
        "ra_max_deg": finite(0, 360),
        "dec_min_deg": finite(-90, 0),
        "dec_max_deg": finite(1e-6, 90),
    },
    optional={"elevation_deg": finite(0, 90), "comment": texts},
)
sources = st.lists(st.one_of(fixed, bodies, fields), min_size=1, max_size=6, unique_by=lambda row: row["name"])


def written(rows):
    """A CSV file with the columns that any of the rows has; lists as JSON lists."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(columns)
    for row in rows:
        cells = [row.get(name, "") for name in columns]
        writer.writerow(json.dumps(cell) if isinstance(cell, list) else cell for cell in cells)
    return stream.getvalue()


def exported(kind, queryset):
    stream = io.StringIO(newline="")
    export(kind, queryset, stream)
    return stream.getvalue()


def facts(model):
    """All facts of the rows of a model, without the keys and times that every load makes new."""
    queryset = model.objects.all()
    if hasattr(queryset, "specific"):
        queryset = queryset.specific()
    made = {"id", "created_at", "updated_at", "source_ptr"}
    rows = [
        {one.name: getattr(row, one.attname) for one in row._meta.concrete_fields if one.name not in made}
        for row in queryset
    ]
    return sorted(rows, key=str)


def close(fact):
    return pytest.approx(fact, abs=1e-9) if isinstance(fact, float) else fact


class Undo(Exception):
    """Ends an example without its rows."""


def round_trip(tmp_path, kind, model, text, name="there.csv"):
    """Load a text, check that its export changes nothing, and loads into the same rows when there are none."""
    path, back = tmp_path / name, tmp_path / "back.csv"
    path.write_text(text, newline="")
    with pytest.raises(Undo), transaction.atomic():
        plan = load(kind, path)
        loaded = facts(model)
        assert plan.counted("create") == len(loaded)
        back.write_text(exported(kind, model.objects.all()), newline="")
        assert prepare(kind, back).changes_nothing
        assert prepare(kind, path).changes_nothing
        model.objects.all().delete()
        load(kind, back)
        again = facts(model)
        assert len(again) == len(loaded)
        for one, other in zip(loaded, again, strict=True):
            assert one == {name: close(fact) for name, fact in other.items()}
        raise Undo
    return loaded


@modest
@given(rows=sources)
@example(rows=[{"name": "x", "type": "fixed", "aliases": ["["], "longitude": 0, "latitude": 0, "system": ""}])
@example(rows=[{"comment": "[{", "name": "Mars", "type": "solar_system", "aliases": []}])
@example(rows=[{"name": "Mars", "type": "solar_system", "aliases": [], "comment": "<html>; Equatorial;"}])
def test_sources_survive_file_database_and_export(tmp_path, rows):
    numbers = [row["naif_id"] for row in rows if "naif_id" in row]
    assume(len(set(numbers)) == len(numbers))
    loaded = round_trip(tmp_path, "sources", Source, written(rows))
    by_name = {row["name"]: row for row in loaded}
    for row in rows:
        there = by_name[row["name"]]
        assert there["comment"] == row.get("comment", "")
        assert there["aliases"] == row.get("aliases", [])
        if "longitude" in row:
            assert (there["longitude_deg"], there["latitude_deg"]) == (row["longitude"], row["latitude"])
            assert 0 <= there["ra_deg"] < 360
            if "velocity" not in row:
                assert there["vlsr_km_s"] == row.get("vlsr_km_s")
            elif (row["velocity_frame"], row["velocity_convention"]) == ("LSRK", "radio"):
                assert (there["vlsr_km_s"], there["given_velocity"]) == (row["velocity"], None)
            else:
                assert there["given_velocity"] == row["velocity"]


class Full:
    """A file on a disk that is full after the header and a few rows."""

    def __init__(self, error):
        self.error, self.writes = error, 0

    def write(self, text):
        self.writes += 1
        if self.writes > 3:
            raise self.error


@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()], ids=["failed", "abandoned"])
@pytest.mark.parametrize("kind", ["sources", "obs-units"])
def test_an_export_that_is_not_finished_leaves_no_cursor_open(monkeypatch, error, kind):
    monkeypatch.setattr("opsdb.loaders.kind.ROWS_FETCHED", 2)
    for number in range(8):
        ObsUnitFactory(name=str(number), source=FixedSourceFactory(name=str(number)))
    with pytest.raises(type(error)) as caught:  # which holds on to all that the export had
        export(kind, kinds()[kind].model.objects.all(), Full(error))
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_cursors")
        assert cursor.fetchall() == []
    assert caught.value is error


@modest
@given(
    ra=finite(0, 359.9),
    dec=finite(-90, 90),
    frame_and_equinox=st.sampled_from(
        [(frame, "") for frame in CoordinateFrame.values]
        + [("fk5", "J2000"), ("fk5", "J1975"), ("fk4", "B1950"), ("fk4", "B1900"), ("ecliptic", "B1950")]
    ),
    given_position=st.none() | st.tuples(finite(-360, 360), finite(-90, 90)),
)
def test_an_export_of_sources_that_were_entered_by_hand_names_what_would_change(
    tmp_path, ra, dec, frame_and_equinox, given_position
):
    """A position that does not belong to what was given shows as a difference; every other export changes nothing."""
    longitude, latitude = given_position or (None, None)
    frame, equinox = frame_and_equinox
    with pytest.raises(Undo), transaction.atomic():
        FixedSource.objects.create(
            name="x",
            ra_deg=ra,
            dec_deg=dec,
            frame=frame,
            equinox=equinox,
            longitude_deg=longitude,
            latitude_deg=latitude,
        )
        path = tmp_path / "x.csv"
        path.write_text(exported("sources", Source.objects.all()), newline="")
        plan = prepare("sources", path, on_conflict="update")
        assert plan.changes_nothing or given_position
        plan.apply()
        assert prepare("sources", path).changes_nothing
        raise Undo


kosma_words = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters='"'), min_size=1, max_size=20)
kosma_lines = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.lists(kosma_words, min_size=1, max_size=3).map(" ".join),
            "longitude": finite(0, 360),
            "latitude": finite(-90, 90),
            "system": st.sampled_from(["J2000", "B1950", "GALACTIC", "ECLIPTIC"]),
            "vlsr_km_s": st.none() | finite(-299792, 299792),
            "comment": texts.map(lambda text: text.lstrip("!# ")),
        }
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda row: row["name"],
)


@modest
@given(rows=kosma_lines)
def test_sources_of_a_kosma_list_survive_file_database_and_export(tmp_path, rows):
    text = "".join(
        f'"{row["name"]}" {row["longitude"]!r} {row["latitude"]!r} {row["system"]}'
        f" {'' if row['vlsr_km_s'] is None else repr(row['vlsr_km_s'])} ! {row['comment']}\n"
        for row in rows
    )
    by_name = {row["name"]: row for row in round_trip(tmp_path, "sources", Source, text, "there.kosma")}
    for row in rows:
        there = by_name[row["name"]]
        assert (there["longitude_deg"], there["latitude_deg"]) == (row["longitude"], row["latitude"])
        assert (there["vlsr_km_s"], there["comment"]) == (row["vlsr_km_s"], row["comment"])


@pytest.fixture
def units(db):
    TelescopeFactory(short_name="FYST")
    return [ObsUnitFactory(name=name) for name in ("Deep56", "a/b, c", 'W 49 "main"')]


slots = st.lists(
    st.fixed_dictionaries(
        {
            "length": st.integers(1, 3600),
            "gap": st.integers(0, 3600),
            "unit": st.integers(0, 2),
            "microsecond": st.integers(0, 999_999),
        },
        optional={
            "azimuths": st.tuples(finite(-360, 720), finite(-360, 720)).map(sorted),
            "elevation_deg": finite(0, 90),
            "boresight_angle_deg": finite(-720, 720),
            "scan_index": st.integers(-(2**31), 2**31 - 1),
            "subscan_index": st.integers(0, 2**31 - 1),
            "origin": texts,
        },
    ),
    min_size=1,
    max_size=6,
)


@modest
@given(rows=slots)
def test_slots_survive_file_database_and_export(units, tmp_path, rows):
    now, table = datetime(2026, 7, 1, tzinfo=UTC), []
    for row in rows:
        unit = ObsUnit.objects.select_related("observing_program").get(pk=units[row["unit"]].pk)
        start = now + timedelta(seconds=row["gap"], microseconds=row["microsecond"])
        now = start + timedelta(seconds=row["length"])
        given = {name: row[name] for name in row.keys() - {"length", "gap", "unit", "microsecond", "azimuths"}}
        azimuths = dict(zip(("azimuth_min_deg", "azimuth_max_deg"), row.get("azimuths", ()), strict=False))
        named = f"{unit.observing_program.short_name}/{unit.name}"
        times = {"start_time": start.isoformat(), "end_time": now.isoformat()}
        table.append({"telescope": "FYST", "unit": named, **times, **azimuths, **given})
    assert Telescope.objects.filter(short_name="FYST").exists()
    loaded = round_trip(tmp_path, "slots", PreScheduledSlot, written(table))
    assert sorted(slot["start_time"].isoformat() for slot in loaded) == sorted(row["start_time"] for row in table)


days = st.dates(date(2020, 1, 1), date(2040, 1, 1))


@modest
@given(
    borders=st.lists(days, min_size=2, max_size=6, unique=True).map(sorted),
    hours=st.lists(finite(1e-3, 1e6), min_size=6, max_size=6),
    owners=st.lists(
        st.sampled_from(["GEco,CHAI", "Cal,CHAI", "Cal,FYST/Prime-Cam", "WFS,Prime-Cam"]), min_size=6, max_size=6
    ),
)
def test_allocations_survive_file_database_and_export(reference, tmp_path, borders, hours, owners):
    table = "program,instrument,period,start_date,end_date,hours\n"
    for position, (start, end) in enumerate(pairwise(borders)):
        table += f"{owners[position]},{position},{start},{end},{hours[position]!r}\n"
    loaded = {row["period"]: row for row in round_trip(tmp_path, "allocations", TimeAllocation, table)}
    for position, (start, end) in enumerate(pairwise(borders)):
        there = loaded[str(position)]
        assert (there["start_date"], there["end_date"], there["hours"]) == (start, end, hours[position])


moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@modest
@given(
    borders=st.lists(moments, min_size=2, max_size=6, unique=True).map(sorted),
    targets=st.lists(st.sampled_from(["FYST,,", ",CHAI,", ",,CHAI/HFA", ",,FYST/CHAI/LFA"]), min_size=6, max_size=6),
    reasons=st.lists(names, min_size=6, max_size=6),
    is_open=st.booleans(),
)
def test_downtimes_survive_file_database_and_export(reference, tmp_path, borders, targets, reasons, is_open):
    stream = io.StringIO("telescope,instrument,module,start,end,reason\n")
    stream.seek(0, io.SEEK_END)
    spans = list(pairwise(borders))
    for position, (start, end) in enumerate(spans):
        until = "" if is_open and position == len(spans) - 1 else end.isoformat()
        csv.writer(stream).writerow([*targets[position].split(","), start.isoformat(), until, reasons[position]])
    loaded = {row["start_time"]: row for row in round_trip(tmp_path, "downtimes", Downtime, stream.getvalue())}
    assert [loaded[start]["reason"] for start, _ in spans] == reasons[: len(spans)]
    assert [row["end_time"] for row in loaded.values()].count(None) == is_open


unit_rows = st.lists(
    st.fixed_dictionaries(
        {
            "program": st.sampled_from(["GEco", "Cal"]),
            "name": names,
            "source": st.sampled_from(["Orion KL", "OMC-1", 'W 49 "main", a/b']),
            "mode": st.sampled_from(["otf", "raster"]),
            "configuration": st.sampled_from(["one", "two, three"]),
            "configuration_version": st.integers(1, 2),
            "switching_mode": st.just("position"),
            "module_configurations": st.sampled_from(["", "CHAI/LFA/CO43", "FYST/CHAI/LFA/CI10; CHAI/HFA/CO76"]),
            "available": st.sampled_from(["yes", "0", "TRUE"]),
        },
        optional={
            "line_id": texts,
            "comment": texts,
            "version": st.integers(1, 2**31 - 1),
            "priority": st.integers(-(2**31), 2**31 - 1),
            "elevation_min_deg": finite(0, 45),
            "elevation_max_deg": finite(45, 90),
            "pwv_max_mm": finite(1e-3, 1e3),
            "planned_duration_seconds": finite(1e-3, 1e9),
            "requested_executions": st.integers(1, 2**31 - 1),
            "lst_start_hours": finite(0, 23.9),
            "lst_end_hours": finite(0, 23.9),
        },
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda row: (row["program"], row["name"]),
)


@pytest.fixture
def sky(reference):
    FixedSourceFactory(name="Orion KL", aliases=["OMC-1"])
    FixedSourceFactory(name='W 49 "main", a/b')


@modest
@given(rows=unit_rows)
def test_units_survive_file_database_and_export(sky, tmp_path, rows):
    path, back = tmp_path / "units.csv", tmp_path / "back.csv"
    path.write_text(written(rows), newline="")
    with pytest.raises(Undo), transaction.atomic():
        load("obs-units", path)
        loaded, modules = facts(ObsUnit), module_names()
        back.write_text(exported("obs-units", ObsUnit.objects.all()), newline="")
        assert prepare("obs-units", back).changes_nothing
        assert prepare("obs-units", path).changes_nothing
        ObsUnit.objects.all().delete()
        load("obs-units", back)
        assert (facts(ObsUnit), module_names()) == (loaded, modules)
        raise Undo
    programs = dict(ObservingProgram.objects.values_list("short_name", "pk"))
    by_name = {(row["observing_program"], row["name"]): row for row in loaded}
    for row in rows:
        there = by_name[programs[row["program"]], row["name"]]
        assert {name: there[name] for name in row.keys() & NUMBERS} == {
            name: row[name] for name in row.keys() & NUMBERS
        }
        assert there["available"] == (row["available"] != "0")


NUMBERS = {"version", "elevation_min_deg", "pwv_max_mm", "planned_duration_seconds", "lst_end_hours"}


def module_names():
    return sorted(ObsUnit.objects.values_list("name", "module_configurations__name"), key=str)


parameters = st.dictionaries(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    texts.map(lambda text: text.replace('"', "").strip()),
    min_size=1,
)
tiles = st.lists(
    st.fixed_dictionaries(
        {
            "tile_index": st.integers(0, 2**31 - 1),
            "x_offset_arcsec": finite(-1e6, 1e6),
            "y_offset_arcsec": finite(-1e6, 1e6),
            "width_arcsec": finite(1e-3, 1e6),
            "height_arcsec": finite(1e-3, 1e6),
            "angle_deg": finite(-360, 360),
            "priority": st.integers(-(2**31), 2**31 - 1),
            "done": st.booleans(),
        }
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda tile: tile["tile_index"],
)


@modest
@given(first=st.tuples(parameters, tiles), second=st.tuples(parameters, tiles))
def test_a_recipe_becomes_what_its_files_say_whatever_it_was(sky, tmp_path, first, second):
    table = tmp_path / "units.csv"
    table.write_text(
        "program,name,source,mode,configuration,inpar,tiling\nGEco,one,Orion KL,otf,map,map.inpar,tiles.csv\n"
    )
    with pytest.raises(Undo), transaction.atomic():
        for keys, mosaic in (first, second):
            (tmp_path / "map.inpar").write_text("".join(f'{key} = "{value}"\n' for key, value in keys.items()))
            (tmp_path / "tiles.csv").write_text(written(mosaic), newline="")
            load("obs-units", table, on_conflict="update")
            assert dict(ChaiInparParameter.objects.values_list("key", "value")) == keys
            assert list(ChaiTiling.objects.order_by("tile_index").values(*mosaic[0])) == sorted(
                mosaic, key=lambda tile: tile["tile_index"]
            )
            assert prepare("obs-units", table).changes_nothing
        assert ObservationConfiguration.objects.count() == 1
        raise Undo


@modest
@given(rows=sources, order=st.permutations(["sources", "allocations"]), hours=finite(1e-3, 1e6))
def test_a_season_survives_files_database_and_export(reference, tmp_path, rows, order, hours):
    numbers = [row["naif_id"] for row in rows if "naif_id" in row]
    assume(len(set(numbers)) == len(numbers))
    index = tmp_path / "season.yaml"
    index.write_text("load:\n" + "".join(f"  - {{kind: {kind}, files: {kind}.csv}}\n" for kind in order))
    table = f"program,instrument,period,start_date,end_date,hours\nCal,CHAI,A,2026-01-01,2026-02-01,{hours!r}\n"
    (tmp_path / "sources.csv").write_text(written(rows), newline="")
    (tmp_path / "allocations.csv").write_text(table)
    with pytest.raises(Undo), transaction.atomic():
        assert load("all", index).counted("create") == len(rows) + 1
        loaded = facts(Source), facts(TimeAllocation)
        for kind, model in (("sources", Source), ("allocations", TimeAllocation)):
            (tmp_path / f"{kind}.csv").write_text(exported(kind, model.objects.all()), newline="")
        assert prepare("all", index).changes_nothing
        for model in (Source, TimeAllocation):
            model.objects.all().delete()
        load("all", index)
        for before, after in zip(loaded, (facts(Source), facts(TimeAllocation)), strict=True):
            assert before == [{name: close(fact) for name, fact in row.items()} for row in after]
        raise Undo
