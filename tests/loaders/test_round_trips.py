"""What is written as a file, loaded, exported and loaded again is the same; the export changes nothing."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsdb.loaders.loading import export, load, prepare
from opsdb.models import FixedSource, ObsUnit, PreScheduledSlot, Source, Telescope
from opsdb.models.enums import CoordinateFrame
from tests.factories.observatory import TelescopeFactory
from tests.factories.planning import ObsUnitFactory

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
    "vlsr_km_s": finite(-299792, 299792),
}
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


def round_trip(tmp_path, kind, model, text):
    """Load a text, check that its export changes nothing, and loads into the same rows when there are none."""
    path, back = tmp_path / "there.csv", tmp_path / "back.csv"
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
def test_sources_survive_file_database_and_export(tmp_path, rows):
    seen = [row["naif_id"] for row in rows if "naif_id" in row]
    if len(set(seen)) < len(seen):
        return
    loaded = round_trip(tmp_path, "sources", Source, written(rows))
    by_name = {row["name"]: row for row in loaded}
    for row in rows:
        there = by_name[row["name"]]
        assert there["comment"] == row.get("comment", "")
        assert there["aliases"] == row.get("aliases", [])
        if "longitude" in row:
            assert (there["longitude_deg"], there["latitude_deg"]) == (row["longitude"], row["latitude"])
            assert 0 <= there["ra_deg"] < 360
            assert there["vlsr_km_s"] == row.get("vlsr_km_s")


@modest
@given(
    ra=finite(0, 359.9),
    dec=finite(-90, 90),
    frame=st.sampled_from(CoordinateFrame.values),
    equinox=st.sampled_from(["", "J2000", "B1950", "1975"]),
    given_position=st.none() | st.tuples(finite(-360, 360), finite(-90, 90)),
)
def test_an_export_of_sources_that_were_entered_by_hand_names_what_would_change(
    tmp_path, ra, dec, frame, equinox, given_position
):
    """A position that does not belong to what was given shows as a difference; every other export changes nothing."""
    longitude, latitude = given_position or (None, None)
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
