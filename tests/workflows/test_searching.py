"""One search finds everything that people know by a name, a path, a key, a date or a place, at a bounded cost."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.database.functions import folded_texts, spelled_texts
from opsdb.database.indexes import FOLDED
from opsdb.models import (
    DataLocation,
    DataProduct,
    ExecutedObsUnit,
    InstrumentModule,
    ObservingProgram,
    ObsUnit,
    RawDataFile,
    RawDataPackage,
    Source,
)
from opsdb.testing import factories
from opsdb.testing.nights import build_world
from opsdb.workflows import Match, MatchedBy, path_parts, search_rows, searching
from opsdb.workflows._search_tables import named_tables
from tests.plans import assert_along_indexes, planning_without
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    world = build_world()
    world.package = world.archived_package(files=3)
    world.execution = world.package.executed_obs_unit
    return world


def rows(text, **options):
    return [hit.row for hit in search_rows(text, **options).hits]


def best(text, **options):
    """How the first row was found."""
    hit = search_rows(text, **options).hits[0]
    return hit.row, hit.match, hit.by


@pytest.fixture
def galaxy():
    return factories.FixedSourceFactory(
        name="NGC 253", aliases=["Sculptor Galaxy", "UGCA 13"], ra_deg=11.888, dec_deg=-25.2883
    )


@pytest.mark.parametrize("text", ["NGC 253", "ngc253", "NGC-253", "ngc_0253", " Ngc 253 "])
def test_a_source_is_found_under_any_spelling(galaxy, text):
    factories.FixedSourceFactory(name="NGC 2536")
    source = Source.objects.get(pk=galaxy.pk)
    assert best(text) == (source, Match.WHOLE, MatchedBy.NAME)
    assert [hit.match for hit in search_rows(text).hits] == [Match.WHOLE, Match.BEGINNING]


def test_a_source_is_found_by_its_aliases_and_names_that_alias(galaxy):
    for text, match in (("sculptorgalaxy", Match.WHOLE), ("sculptor", Match.BEGINNING), ("galaxy", Match.PART)):
        hit = search_rows(text).hits[0]
        assert (hit.row.pk, hit.match, hit.by, hit.detail) == (galaxy.pk, match, MatchedBy.ALIAS, "Sculptor Galaxy")


def test_a_name_means_the_source_that_files_and_filters_mean_by_it_and_others_are_like_it(world):
    other = factories.FixedSourceFactory(name="tclash")
    alias = factories.FixedSourceFactory(name="Other field", aliases=["Tclash"])
    exact = factories.FixedSourceFactory(name="Tclash")
    unit = ObsUnit.objects.first()
    ObsUnit.objects.filter(pk=unit.pk).update(source=other)
    found = [(hit.row.pk, hit.match, hit.by, hit.detail) for hit in search_rows("Tclash").hits]
    assert found == [
        (exact.pk, Match.WHOLE, MatchedBy.NAME, ""),
        (other.pk, Match.BEGINNING, MatchedBy.NAME, ""),
        (alias.pk, Match.BEGINNING, MatchedBy.ALIAS, "Tclash"),
    ]
    assert Source.objects.resolve("Tclash").pk == exact.pk
    assert unit in rows("tclash")


@pytest.mark.parametrize("text", ["shared", "SHARED", "--"])
def test_a_name_that_means_several_sources_finds_them_all(text, db):
    first = factories.FixedSourceFactory(name="first", aliases=["x", "Shared", "--"])
    second = factories.FixedSourceFactory(name="second", aliases=["Shared", "--"])
    alias = "--" if text == "--" else "Shared"
    found = [(hit.row.pk, hit.match, hit.by, hit.detail) for hit in search_rows(text).hits]
    assert found == [(one.pk, Match.WHOLE, MatchedBy.ALIAS, alias) for one in (first, second)]
    with pytest.raises(Source.MultipleObjectsReturned):
        Source.objects.resolve(text)


def test_names_are_compared_in_one_way_by_queries_and_by_what_is_asked_for_texts(db):
    texts = [
        "NGC 0253",
        "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}",
        "e\N{COMBINING ACUTE ACCENT}",
        "ΟΔΟΣ",
        "",
        "A/0-1_b",
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {FOLDED.format('t')} FROM unnest(%s::text[]) WITH ORDINALITY AS x (t, n) ORDER BY n", [texts]
        )
        assert folded_texts(texts) == [text for (text,) in cursor]
    assert folded_texts(texts)[0::2] == ["ngc 0253", "\N{LATIN SMALL LETTER E WITH ACUTE}", ""]
    assert spelled_texts(texts)[0::5] == ["ngc253", "a1b"]


def test_names_of_two_aliases_are_not_taken_together(galaxy):
    assert rows("galaxyugca") == rows('galaxy","ugca') == []


def test_a_source_leads_to_its_units_and_their_newest_executions(world):
    unit = world.execution.obs_unit
    source = factories.FixedSourceFactory(name="W 51")
    ObsUnit.objects.filter(pk=unit.pk).update(source=source)
    found = search_rows("w51").hits
    assert [(hit.row, hit.match) for hit in found] == [
        (Source.objects.get(pk=source.pk), Match.WHOLE),
        (unit, Match.RELATED),
        (world.execution, Match.RELATED),
    ]


def test_units_and_programs_are_found_by_whole_or_part_of_their_names(world):
    unit = factories.ObsUnitFactory(name="Lagoon map 3")
    program = unit.observing_program
    assert best("lagoonmap3") == (unit, Match.WHOLE, MatchedBy.NAME)
    assert best("agoon") == (unit, Match.PART, MatchedBy.NAME)
    assert (program, Match.WHOLE, MatchedBy.NAME) == best(program.short_name, models=[ObservingProgram])


def test_locations_are_found_with_and_without_their_site(world):
    location = factories.DiskDataLocationFactory(site__short_name="cerro", name="lake")
    for text in ("cerro/lake", "CERRO Lake", "lake"):
        assert best(text) == (DataLocation.objects.get(pk=location.pk), Match.WHOLE, MatchedBy.NAME), text
    assert best("erro/la", models=[DataLocation])[1] == Match.PART
    DataLocation.objects.filter(pk=location.pk).update(name="pond")
    assert best("lake", models=[DataLocation])[0].pk == location.pk


def test_rows_of_small_tables_are_found_by_whole_or_part_of_their_names(db):
    made = {}
    for table in named_tables():
        column = next(name for name in table.columns if name != "place")
        factory = factories.FACTORIES[table.model]
        made[table.model] = table.model._default_manager.get(pk=factory(**{column: "oolong"}).pk)
        factory(**{column: "sencha"})
    for text, match in (("oolong", Match.WHOLE), ("OO-long", Match.WHOLE), ("oolo", Match.BEGINNING), ("olon", "part")):
        found = {type(hit.row): (hit.row, hit.match, hit.by) for hit in search_rows(text, models=list(made)).hits}
        assert found == {model: (row, match, MatchedBy.NAME) for model, row in made.items()}, text
        assert {hit.row for hit in search_rows(text).hits} >= set(made.values()), text
    for model, row in made.items():
        assert rows("oolong", models=[model]) == [row]
    assert rows("oolong", models=[Source]) == rows("sencha oolong") == []


def test_parts_are_found_behind_the_name_of_the_whole(db):
    module = factories.InstrumentModuleFactory(instrument__name="Heron", name="LFA")
    other = factories.InstrumentModuleFactory(name="LFA")
    setup = factories.ChaiModuleConfigurationFactory(instrument_module=module, name="CO43")
    assert best("Heron/LFA")[:2] == (module, Match.WHOLE) and other not in rows("heron lfa")
    assert {module, other} <= set(rows("LFA"))
    assert best("heron/lfa/co43")[0].pk == setup.pk
    InstrumentModule.objects.filter(pk=module.pk).update(name="Low band")
    assert module in rows("LFA"), "by its former name"


def test_names_of_small_tables_are_looked_for_by_one_query_and_one_more_of_each_that_has_it(db):
    def number(text):
        with CaptureQueriesContext(connection) as queries:
            search_rows(text, models=[table.model for table in named_tables()])
        return len([query for query in queries if "SELECT" in query["sql"] and "set_config" not in query["sql"]])

    nothing = number("oolong")
    assert nothing == 2, "the spelling, and all tables at once"
    for count in (1, 5):
        for _ in range(count):
            factories.TelescopeFactory(name=f"oolong {factories.TelescopeFactory().pk}")
            factories.PublicationFactory(title="oolong")
        assert number("oolong") == nothing + 2


def test_files_are_found_by_whole_or_part_of_name_and_path(world):
    file = world.package.raw_data_files.order_by("pk").first()
    folder, _, name = file.relative_path.rpartition("/")
    for text in (name, name.upper(), file.relative_path, f"/elsewhere/{file.relative_path}"):
        assert best(text, models=[RawDataFile])[:2] == (file, Match.WHOLE), text
    assert file in rows(file.relative_path[:-2], models=[RawDataFile])
    assert file in rows(file.relative_path[2:-2], models=[RawDataFile])
    assert rows(f"elsewhere/{name}", models=[RawDataFile]) == []


def test_a_part_of_a_path_is_found_among_the_newest_files_and_those_of_its_date(world, monkeypatch):
    monkeypatch.setattr(path_parts, "RECENT_FILES", 1)
    execution = factories.ExecutedObsUnitFactory(start_time=world.execution.start_time - timedelta(days=300))
    day = f"{execution.start_time:%Y-%m-%d}"
    old = factories.RawDataFileFactory(executed_obs_unit=execution, relative_path=f"x/{day}/092809/4_00005.g3")
    factories.RawDataFileFactory(relative_path="y/2020-01-01/092809/4_00005.g4")
    for text in (f"{day}/092809/4_0", f"{day} 4_0000", f"{day}/0928"):
        assert rows(text, models=[RawDataFile]) == [old], text
    assert old not in rows("092809/4_0000", models=[RawDataFile])


def test_signs_of_patterns_mean_themselves(world):
    factories.RawDataFileFactory(relative_path="a/100%_done.fits")
    assert [row.relative_path for row in rows("100%_d")] == ["a/100%_done.fits"]
    assert rows("100__d") == rows("1%done") == rows("100\\%_d") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a\0b",
        "\ud800",
        "x" * 1_001,
        "data_transfer x",
        "data_transfer 99999999999999999999",
        "2026-13-45",
        "%",
    ],
)
def test_what_no_row_can_have_is_not_found(world, text):
    assert rows(text) == []


def test_packages_are_found_by_the_middle_of_their_paths(world):
    package, bundle = world.package, world.package.data_transfer_package
    assert package in rows(package.relative_path[3:-3])
    assert bundle in rows(bundle.relative_path[3:-3])
    assert best(package.name, models=[RawDataPackage]) == (package, Match.WHOLE, MatchedBy.NAME)
    product = factories.DataProductFactory(name="coadd", relative_path="maps/2026/coadd_150GHz.fits")
    assert rows("2026/coadd_15", models=[DataProduct]) == [product]


def test_rows_are_found_by_uuid_checksum_and_table_with_key(world):
    package = world.package
    for text in (str(package.pk), package.pk.hex.upper(), f"raw_data_package {package.pk}"):
        assert [(hit.row, hit.match) for hit in search_rows(text).hits] == [(package, Match.WHOLE)], text
    assert package in rows(str(package.pk)[:18])
    assert package in rows(f"raw data package {package.pk}")
    assert (package, Match.WHOLE) == best(package.checksum, models=[RawDataPackage])[:2]
    assert (package, Match.BEGINNING) == best(package.checksum[:7], models=[RawDataPackage])[:2]
    assert package in rows(f"sha256:{package.checksum}")


def test_a_date_is_a_night_and_a_minute_its_executions_and_packages(world):
    start = world.execution.start_time
    night = (start - timedelta(hours=12)).date()
    assert best(f"{night}") == (night, Match.WHOLE, MatchedBy.DATE)
    assert best(f"{night:%Y%m%d}")[0] == night
    assert best("2020-02-29")[0] == date(2020, 2, 29)
    minute = f"{start:%Y-%m-%d %H:%M}"
    assert best(minute) == (world.execution, Match.WHOLE, MatchedBy.DATE)
    label = f"{world.execution.obs_unit} · {minute} · {world.package.instrument_module}"
    assert rows(label) == [world.execution, world.package]
    assert rows(f"{world.execution.obs_unit} {start:%Y-%m-%d}", models=[ExecutedObsUnit]) == [world.execution]
    assert world.execution not in rows(f"elsewhere · {minute}")


def test_coordinates_find_sources_by_distance_and_the_fields_around(galaxy):
    near = factories.FixedSourceFactory(name="near", ra_deg=11.888, dec_deg=-25.0)
    field = factories.ConstantElevationSourceFactory(ra_min_deg=350, ra_max_deg=20, dec_min_deg=-30, dec_max_deg=-20)
    assert rows("00:47:33 -25:17:18") == [galaxy, near, field]
    assert rows("00:47:33 -25:17:18 r=5'") == [galaxy, field]
    assert rows("11.888 -25.2883 1 deg") == [galaxy, near, field]
    assert float(search_rows("00:47:33 -25:17:18").hits[0].detail) < 0.01
    assert rows("400.0 -95.0") == []


def test_only_the_kinds_that_were_asked_for_are_found(world):
    for text in (world.package.name, str(world.package.pk), f"raw_data_package {world.package.pk}"):
        assert not {type(row) for row in rows(text, models=[Source, RawDataFile])} & {RawDataPackage}
    night = f"{world.execution.start_time:%Y-%m-%d}"
    assert not [row for row in rows(night, models=[Source]) if isinstance(row, date)]


def test_of_each_kind_there_are_no_more_than_the_limit(world):
    for number in range(4):
        factories.ObsUnitFactory(name=f"Trifid {number}")
    result = search_rows("trifid", limit=3)
    assert len(result.hits) == 3
    assert result.truncated == [ObsUnit]
    assert search_rows("trifid", limit=4).truncated == []


def test_a_kind_that_takes_too_long_is_given_up_and_the_others_are_searched(world, monkeypatch):
    def sleep(search, found, limit):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")
        yield

    unit = factories.ObsUnitFactory(name="Trifid")
    monkeypatch.setattr(searching, "LONGEST_SECONDS", 0.3)
    others = [(model, finders) for model, finders in searching._FINDERS if model is ObsUnit]
    monkeypatch.setattr(searching, "_FINDERS", ((Source, (sleep,)), *others))
    result = search_rows("trifid")
    assert (result.given_up, [hit.row for hit in result.hits]) == ([Source], [unit])


TEXTS = ("nothing", "2026-11-23/092809/4_00", "deadbeef", "05:35:17 -05:23:28", "Deep56 · 2026-11-23 02:14 · 280GHz")


@pytest.mark.parametrize("text", [*TEXTS, "/data/x/4_00005.g3", "0198f0e4-0000-7000-8000-000000000000", "map"])
def test_the_number_of_queries_is_bounded_and_each_goes_along_an_index(world, text):
    with CaptureQueriesContext(connection) as queries:
        search_rows(text)
    asked = [
        query["sql"] for query in queries if query["sql"].startswith("SELECT") and "set_config" not in query["sql"]
    ]
    assert len(asked) <= 30
    with planning_without("seqscan"):
        for sql in asked:
            assert_along_indexes(sql)
            reads_no_table = re.search(r"FROM (?!unnest\('\{)", sql) is None
            assert re.search(r"\bLIMIT \d+", sql) or "data_location" in sql or reads_no_table, sql


def test_the_number_of_queries_does_not_grow_with_the_rows(world):
    def number():
        with CaptureQueriesContext(connection) as queries:
            search_rows("trifid")
        return len(queries)

    for index in range(2):
        factories.ObsUnitFactory(name=f"Trifid {index}")
    few = number()
    for index in range(2, 12):
        factories.ObsUnitFactory(name=f"Trifid {index}")
    assert number() <= few
