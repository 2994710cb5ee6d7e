"""Observation units from tables, with their recipes and azimuth ranges: all of it, or nothing."""

import io

import pytest

from opsdb.loaders import LoadError, load, obs_units, spool, tables
from opsdb.models import (
    AzimuthRange,
    ChaiInparParameter,
    ChaiObservationConfiguration,
    ChaiTiling,
    ObservationConfiguration,
    ObsUnit,
    PrimeCamObservationConfiguration,
)
from opsdb.testing.factories.execution import ExecutedObsUnitFactory
from opsdb.testing.factories.planning import ConstantElevationSourceFactory, FixedSourceFactory

HEADER = "program,name,source,mode,configuration"
MAP = "row_spacing = 6 # arcsec\noff_x = -1800\n"
TILES = "tile_index,width_arcsec,height_arcsec\n0,360,360\n1,360,180\n"
SCAN = "configuration,version,scan_type,width_deg,parameters\n"
AZIMUTHS = "source,azimuth_min_deg,azimuth_max_deg,rising,lst_start_hours,lst_end_hours\n"
DEEP = "Deep56,105,120,true,21,0.2\nDeep56,240,255,false,3,6\n"
WRITTEN = (ObsUnit, ObservationConfiguration, ChaiTiling, ChaiInparParameter, AzimuthRange)


@pytest.fixture
def sky(reference):
    FixedSourceFactory(name="Orion KL", aliases=["OMC-1", "common"])
    FixedSourceFactory(name="W49", aliases=["common"])
    ConstantElevationSourceFactory(name="Deep56", aliases=["D56"])


@pytest.fixture
def run(tmp_path, sky):
    """Load a table, given as its extra columns and rows, with files beside it."""

    def run(columns="", *rows, files=None, **options):
        for name, text in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        table = tmp_path / "units.csv"
        table.write_text("\n".join([f"{HEADER}{columns}", *rows]) + "\n")
        return load("obs-units", table, **options)

    return run


@pytest.fixture
def refused(run, tmp_path):
    """Load what must be refused without a trace; return what is said, without the folder."""

    def refused(*arguments, **options):
        before = [list(model.objects.order_by("pk").values()) for model in WRITTEN]
        with pytest.raises(LoadError) as caught:
            run(*arguments, **options)
        assert [list(model.objects.order_by("pk").values()) for model in WRITTEN] == before
        return str(caught.value).replace(f"{tmp_path}/", "")

    return refused


CHAI_ROW = "GEco,Orion CO43,Orion KL,otf,Orion map"
CHAI = (",inpar,tiling", f"{CHAI_ROW},inpar,tiles.csv")
CHAI_FILES = {"inpar/a.inpar": MAP, "tiles.csv": TILES}
SCAN_ROW = "WFS,Deep,Deep56,constant_el,scan"


def test_everything_that_a_row_says_is_stored(run):
    run(
        ",sub_program,module_configurations,line_id,version,priority,available,elevation_min_deg,elevation_max_deg,"
        "pwv_max_mm,planned_duration_seconds,requested_executions,lst_start_hours,lst_end_hours,comment,switching_mode",
        f'{CHAI_ROW},MW,CHAI/LFA/CO43; FYST/CHAI/HFA/CO76,CO43,2,-5,no,30,80.5,0.6,3600,8,22,3,"a, b",position',
    )
    unit = ObsUnit.objects.get()
    assert (str(unit.observing_program), str(unit.sub_observing_program), unit.name) == ("GEco", "MW", "Orion CO43")
    assert (unit.source.name, unit.obs_mode.name, str(unit.configuration)) == ("Orion KL", "otf", "Orion map v1")
    assert {one.name for one in unit.module_configurations.all()} == {"CO43", "CO76"}
    assert (unit.line_id, unit.version, unit.priority, unit.available) == ("CO43", 2, -5, False)
    assert (unit.elevation_min_deg, unit.elevation_max_deg, unit.pwv_max_mm) == (30, 80.5, 0.6)
    assert (unit.planned_duration_seconds, unit.requested_executions) == (3600, 8)
    assert (unit.lst_start_hours, unit.lst_end_hours, unit.comment) == (22, 3, "a, b")


def test_the_files_of_a_row_become_a_recipe(run):
    tiles = "tile_index,x_offset_arcsec,width_arcsec,height_arcsec,done\n7,-5,360,180,yes\n"
    files = {"inpar/a.inpar": MAP, "inpar/b.inpar": "mode = otf\n", "tilings/n.csv": TILES, "tilings/s.csv": tiles}
    run(
        ",inpar,tiling,integration_time_seconds,coordinate_frame",
        f"{CHAI_ROW},inpar,tilings/,0.4,GALACTIC",
        files=files | {"inpar/.swp": "no parameter"},
    )
    recipe = ChaiObservationConfiguration.objects.get()
    assert (recipe.integration_time_seconds, recipe.coordinate_frame, recipe.switching_mode) == (0.4, "galactic", "")
    parameters = {one.key: (one.value, one.comment) for one in recipe.inpar_parameters.all()}
    assert parameters == {"row_spacing": ("6", "arcsec"), "off_x": ("-1800", ""), "mode": ("otf", "")}
    assert list(recipe.tilings.order_by("tile_index").values_list("tile_index", "x_offset_arcsec", "done")) == [
        (0, 0, False),
        (1, 0, False),
        (7, -5, True),
    ]


def test_a_row_of_the_mapping_table_becomes_a_recipe_of_prime_cam_the_newest_if_none_is_named(run):
    table = SCAN + 'scan,1,constant_el,2,\nscan,3,pong,,"{""turns"": 2}"\nother,4,daisy,,\n'
    run(
        ",configuration_version,mapping",
        f"{SCAN_ROW},,maps.csv",
        "WFS,Old,Deep56,constant_el,scan,1,maps.csv",
        "WFS,Bare,Deep56,constant_el,scan,,",
        files={"maps.csv": table},
    )
    found = {unit.name: unit.configuration.version for unit in ObsUnit.objects.all()}
    assert found == {"Deep": 3, "Old": 1, "Bare": 3}
    newest = PrimeCamObservationConfiguration.objects.get(version=3)
    assert (newest.scan_type, newest.width_deg, newest.parameters) == ("pong", None, {"turns": 2})
    assert PrimeCamObservationConfiguration.objects.count() == 2


def test_azimuth_ranges_go_to_the_source_by_its_name_or_alias(run):
    azimuths = AZIMUTHS + DEEP.replace("Deep56", "d56") + "other,1,2,true,,\n"
    files = {"maps.csv": SCAN + "scan,1,constant_el,2,\n", "az.csv": azimuths}
    run(",mapping,azimuth_table", f"{SCAN_ROW},maps.csv,az.csv", "WFS,D,D56,pong,scan,,az.csv", files=files)
    found = AzimuthRange.objects.order_by("azimuth_min_deg").values_list("source__name", "rising", "lst_end_hours")
    assert list(found) == [("Deep56", True, 0.2), ("Deep56", False, 6)]


def test_a_table_without_a_column_of_sources_is_for_the_source_of_the_unit(run):
    files = {"maps.csv": SCAN + "scan,1,constant_el,2,\n"}
    files["az.csv"] = "azimuth_min_deg,azimuth_max_deg,rising\n350,370,true\n"
    run(",mapping,azimuth_table", f"{SCAN_ROW},maps.csv,az.csv", files=files)
    assert AzimuthRange.objects.get().source.name == "Deep56"


def test_the_same_files_again_change_nothing(run):
    run(*CHAI, files=CHAI_FILES)
    again = run(*CHAI)
    assert again.changes_nothing
    assert again.counted("leave") == 6


def test_a_column_that_is_left_out_is_left_alone_and_an_empty_cell_empties(run):
    run(",switching_mode,priority,comment,module_configurations", f"{CHAI_ROW},position,5,why,CHAI/LFA/CO43")
    ObsUnit.objects.update(available=False)
    run(",comment,module_configurations", f"{CHAI_ROW},,", on_conflict="update")
    unit = ObsUnit.objects.get()
    assert (unit.priority, unit.available, unit.comment) == (5, False, "")
    assert not unit.module_configurations.exists()
    assert unit.configuration.specific.switching_mode == "position"


def change_tiles(run, on_conflict, files=None, version=""):
    tiles = "tile_index,width_arcsec,height_arcsec\n0,100,360\n2,50,50\n"
    row = f"{CHAI_ROW},{version},inpar,tiles.csv"
    files = files or {"tiles.csv": tiles, "inpar/a.inpar": "row_spacing = 9\n"}
    return run(",configuration_version,inpar,tiling", row, files=files, on_conflict=on_conflict)


def tiles_and_parameters():
    tiles = ChaiTiling.objects.order_by("tile_index").values_list("tile_index", "width_arcsec")
    return list(tiles), dict(ChaiInparParameter.objects.values_list("key", "value"))


def test_other_tiles_and_parameters_are_a_conflict(run, refused):
    run(*CHAI, files=CHAI_FILES)
    said = change_tiles(refused, "error")
    assert said == (
        "units.csv, line 2: different CHAI inpar parameters of Orion map v1: off_x removed, row_spacing with different "
        "value, comment; expected the same, or --on-conflict skip or update"
    )
    before = tiles_and_parameters()
    plan = change_tiles(run, "skip")
    assert tiles_and_parameters() == before
    assert plan.changes_nothing
    assert plan.counted("skip") == 2
    plan = change_tiles(run, "update")
    assert tiles_and_parameters() == ([(0, 100), (2, 50)], {"row_spacing": "9"})
    assert plan.counted("update") == 4
    assert change_tiles(run, "error").changes_nothing


def test_a_conflict_of_a_recipe_is_named_where_it_is_described(run, refused):
    table = SCAN + "scan,1,constant_el,2,\n"
    run(",mapping", f"{SCAN_ROW},maps.csv", files={"maps.csv": table})
    said = refused(",mapping", f"{SCAN_ROW},maps.csv", files={"maps.csv": table.replace("2,", "3,")})
    assert said.startswith(
        "maps.csv, line 2: Prime-Cam observation configuration 'scan v1' exists with different values"
    )
    assert "width_deg 2 → 3" in said


def test_a_recipe_with_other_facts_is_a_conflict(run, refused):
    run(",switching_mode", f"{CHAI_ROW},position")
    assert "exists with different values: switching_mode position → frequency" in refused(
        ",switching_mode", f"{CHAI_ROW},frequency"
    )
    run(",switching_mode", f"{CHAI_ROW},frequency", on_conflict="skip")
    assert ChaiObservationConfiguration.objects.get().switching_mode == "position"
    run(",switching_mode", f"{CHAI_ROW},frequency", on_conflict="update")
    assert ChaiObservationConfiguration.objects.get().switching_mode == "frequency"


def test_a_recipe_that_was_observed_with_is_never_changed(run, refused):
    run(",inpar,tiling,switching_mode", f"{CHAI_ROW},inpar,tiles.csv,position", files=CHAI_FILES)
    ExecutedObsUnitFactory(obs_unit=ObsUnit.objects.get())
    expected = "expected a new configuration_version"
    assert expected in refused(",switching_mode", f"{CHAI_ROW},frequency", on_conflict="update")
    for files in (
        {"tiles.csv": TILES.replace("180", "190")},
        {"tiles.csv": TILES + "2,1,1\n", "inpar/a.inpar": MAP},
        {"tiles.csv": TILES, "inpar/a.inpar": MAP.replace("6", "7")},
    ):
        assert expected in change_tiles(refused, "update", files)
    done = "tile_index,width_arcsec,height_arcsec,done,priority\n0,360,360,yes,3\n1,360,180,no,2\n"
    change_tiles(run, "update", {"tiles.csv": done, "inpar/a.inpar": MAP.replace("# arcsec", "# seconds of arc")})
    assert ChaiTiling.objects.get(tile_index=0).done
    change_tiles(run, "update", version="2")
    assert ObsUnit.objects.get().configuration.version == 2
    assert ChaiTiling.objects.filter(configuration__version=1, width_arcsec=360).count() == 2


def test_other_azimuths_of_a_source_are_a_conflict(run, refused):
    def ranges(run, text, **options):
        files = {"maps.csv": SCAN + "scan,1,constant_el,2,\n", "az.csv": AZIMUTHS + text}
        return run(",mapping,azimuth_table", f"{SCAN_ROW},maps.csv,az.csv", files=files, **options)

    ranges(run, DEEP)
    other = DEEP.replace("255", "256")
    assert "different azimuth ranges of Deep56: 240° to 255° setting removed, 240° to 256° setting added" in ranges(
        refused, other
    )
    ranges(run, other, on_conflict="skip")
    assert set(AzimuthRange.objects.values_list("azimuth_max_deg", flat=True)) == {120, 255}
    ranges(run, other, on_conflict="update")
    assert set(AzimuthRange.objects.values_list("azimuth_max_deg", flat=True)) == {120, 256}


FILES = {
    "inpar/a.inpar": MAP,
    "inpar2/a.inpar": "row_spacing = 7\n",
    "twice/a.inpar": MAP,
    "twice/b.inpar": MAP,
    "bad/a.inpar": "a = 1\nb\n",
    "tiles.csv": TILES,
    "wrong.csv": TILES.replace("180", "-1") + "1,1,1\n",
    "maps.csv": SCAN + "scan,1,constant_el,2,\n",
    "maps_twice.csv": SCAN + "scan,1,constant_el,2,\nscan,,daisy,2,\n",
    "maps_json.csv": SCAN + 'scan,1,constant_el,2,"[1]"\n',
    "maps_nul.csv": SCAN + 'scan,1,constant_el,2,"{""a"": ""\\u0000""}"\n',
    "maps_infinite.csv": SCAN + 'scan,1,constant_el,2,"{""a"": 1e999}"\n',
    "az.csv": AZIMUTHS + DEEP,
    "az2.csv": AZIMUTHS + DEEP.replace("255", "256"),
    "az_order.csv": AZIMUTHS + "Deep56,120,105,true,,\n",
    "az_twice.csv": AZIMUTHS + "Deep56,1,2,true,,\nDeep56,1,2,true,,\n",
    "az_other.csv": AZIMUTHS + "Deep65,1,2,true,,\n",
}


REFUSED = [
    (
        ",inpar",
        ["GECO,a,Orion KL,otf,x,inpar"],
        "units.csv, line 2, program: 'GECO' is not a known observing program; exp",
    ),
    (",inpar", ["GEco,a,Orion LK,otf,x,inpar"], "line 2, source: 'Orion LK' is not a known source; expected Orion KL?"),
    (
        ",inpar",
        ["GEco,a,common,otf,x,inpar"],
        "line 2, source: 'common' is the name or an alias of several sources: Orion KL, W49",
    ),
    (",inpar", ["GEco,a,Orion KL,oft,x,inpar"], "line 2, mode: 'oft' is not a known observing mode; expected otf?"),
    (",inpar", ["GEco,a,,otf,x,inpar"], "line 2: a unit in mode otf needs a source"),
    (
        ",inpar,sub_program",
        [f"{CHAI_ROW},inpar,WM"],
        "line 2, sub_program: 'WM' is not a sub-program of GEco; expected one of MC, MW, NG",
    ),
    (
        ",mapping,sub_program",
        [f"{SCAN_ROW},maps.csv,MW"],
        "'MW' is not a sub-program of WFS; expected an empty cell, as the program has no sub-programs",
    ),
    (
        ",inpar,module_configurations",
        [f"{CHAI_ROW},inpar,CHAI/LFA/CO44"],
        "names unknown instrument module configurations: CHAI/LFA/CO44; expected FYST/CHAI/LFA/CO43",
    ),
    (",inpar,module_configurations", [f"{CHAI_ROW},inpar,CO43"], "'CO43' is not valid; expected instrument module"),
    (
        ",inpar,module_configurations",
        [f"{CHAI_ROW},inpar,Prime-Cam/280GHz/broadband"],
        "is set up for Prime-Cam, configuration Orion map is for CHAI",
    ),
    ("", [CHAI_ROW], "line 2, configuration: 'Orion map' is not a known configuration, version 1; expected inpar"),
    (
        ",inpar,configuration_version",
        [f"{CHAI_ROW},inpar,1", "GEco,b,Orion KL,otf,Orion map,,2"],
        "line 3, configuration: 'Orion map' is not a known configuration, version 2",
    ),
    (
        ",inpar",
        [f"{CHAI_ROW},inpar", "GEco,b,Orion KL,otf,Orion map,inpar2"],
        "line 3: configuration Orion map differs from its description on line 2",
    ),
    (
        ",inpar,mapping",
        [f"{CHAI_ROW},inpar,maps.csv"],
        "line 2, mapping: 'maps.csv' describes a recipe of CHAI (inpar) and one of Prime-Cam",
    ),
    (",inpar", [f"{CHAI_ROW},../inpar"], "line 2, inpar: '../inpar' leads out of the folder"),
    (",inpar", [f"{CHAI_ROW},twice"], "twice/b.inpar, line 1: parameter row_spacing is also in a.inpar"),
    (",inpar", [f"{CHAI_ROW},bad", f"{CHAI_ROW} 2,bad"], "bad/a.inpar, line 2: 'b' is not a parameter"),
    (",tiling", [f"{CHAI_ROW},wrong.csv"], "wrong.csv, line 3, height_arcsec: '-1' is not valid; expected a number"),
    (",tiling", [f"{CHAI_ROW},wrong.csv"], "wrong.csv, line 4, tile_index: '1' is also on line 3"),
    (",tiling", [f"{CHAI_ROW},inpar/a.inpar"], "inpar/a.inpar, line 1: unknown column 'row_spacing = 6 # arcsec"),
    (",mapping", ["WFS,a,Deep56,pong,scam,maps.csv"], "line 2, mapping: 'maps.csv' has no row for configuration scam"),
    (
        ",mapping,configuration_version",
        [f"{SCAN_ROW},maps.csv,2"],
        "has no version 2 of configuration scan; expected one of 1",
    ),
    (
        ",mapping",
        [f"{SCAN_ROW},maps_twice.csv"],
        "maps_twice.csv, line 3, configuration: 'scan' version 1 is also on line 2",
    ),
    (
        ",mapping",
        [f"{SCAN_ROW},maps_json.csv"],
        "maps_json.csv, line 2, parameters: '[1]' is not valid; expected a JSO",
    ),
    (
        ",mapping",
        [f"{SCAN_ROW},maps_nul.csv"],
        "maps_nul.csv, line 2, parameters: '{\"a\": \"\\\\u0000\"}' contains a character that can't be stored: '\\x00'",
    ),
    (
        ",mapping",
        [f"{SCAN_ROW},maps_infinite.csv"],
        "maps_infinite.csv, line 2, parameters: '{\"a\": 1e999}' has a number that is too large: '1e999'; expected",
    ),
    (
        ",mapping,azimuth_table",
        [f"{SCAN_ROW},maps.csv,az_order.csv"],
        "az_order.csv, line 2, azimuth_max_deg: '105' is",
    ),
    (
        ",mapping,azimuth_table",
        [f"{SCAN_ROW},maps.csv,az_twice.csv"],
        "az_twice.csv, line 3: the range is also on line 2",
    ),
    (
        ",mapping,azimuth_table",
        [f"{SCAN_ROW},maps.csv,az_other.csv"],
        "line 2, azimuth_table: 'az_other.csv' has no row for the source; expected Deep65?",
    ),
    (
        ",mapping,azimuth_table",
        [f"{SCAN_ROW},maps.csv,az.csv", "WFS,b,Deep56,pong,scan,,az2.csv"],
        "line 3, azimuth_table: 'az2.csv' gives azimuths of Deep56 that differ from those of line 2",
    ),
    (
        ",inpar,azimuth_table",
        [f"{CHAI_ROW},inpar,az.csv"],
        "gives azimuths of Orion KL, which is a fixed source; expected a field at constant elevation",
    ),
    (
        ",mapping,azimuth_table",
        ["Cal,a,,focus,scan,maps.csv,az.csv"],
        "'az.csv' gives azimuths, but the row has no source",
    ),
    (",mapping,elevation_min_deg,elevation_max_deg", [f"{SCAN_ROW},maps.csv,60,50"], "'50' is below elevation_min_deg"),
    (",inpar", [f"{CHAI_ROW},inpar", f"{CHAI_ROW},inpar"], "line 3: 'GEco / Orion CO43' repeats line 2"),
]


def test_what_does_not_fit_is_named_with_its_line(refused, subtests):
    for columns, rows, said in REFUSED:
        with subtests.test(said):
            assert said in refused(columns, *rows, files=FILES)


def test_problems_of_the_table_and_its_files_are_told_at_once(refused):
    rows = ["GEco,a,Orion KL,otf,x,bad,wrong.csv", "GECO,b,Orion KL,otf,y,nothing,", "GEco,c,Orion KL,otf,z,bad,"]
    said = refused(",inpar,tiling", *rows, files=FILES).split("\n")
    assert [line.split(":")[0] for line in said] == [
        "units.csv, line 3, program",
        "units.csv, line 3, inpar",
        "bad/a.inpar, line 2",
        "wrong.csv, line 3, height_arcsec",
        "wrong.csv, line 4, tile_index",
    ]


def test_what_only_the_database_refuses_is_named_with_its_line(refused, monkeypatch):
    monkeypatch.setattr(obs_units, "_check_row", lambda row, is_alone: None)
    rows = [f"{CHAI_ROW},inpar,10,20", "GEco,b,,otf,Orion map,,,", "GEco,c,W49,otf,Orion map,,20,10"]
    said = refused(",inpar,elevation_min_deg,elevation_max_deg", *rows, files=FILES).split("\n")
    assert said[0].startswith("units.csv, line 3, source: ")
    assert said[1].startswith("units.csv, line 4, elevation_max_deg: ")
    assert len(said) == 2


def test_a_table_that_is_sent_by_itself_refers_to_no_files(sky):
    upload = io.BytesIO(f"{HEADER},inpar\n{CHAI_ROW},inpar\n".encode())
    with pytest.raises(LoadError, match="line 2, inpar: 'inpar' refers to a file beside the table"):
        load("obs-units", upload)
    upload = io.BytesIO(f"{HEADER},switching_mode\n{CHAI_ROW},position\n".encode())
    assert load("obs-units", upload).counted("create") == 2


def test_the_number_of_queries_does_not_grow_with_the_rows(run, django_assert_max_num_queries):
    def rows(number):
        units = [f"WFS,unit {one},Deep56,constant_el,scan {one},maps.csv,az.csv" for one in range(number)]
        maps = SCAN + "".join(f"scan {one},1,constant_el,2,\n" for one in range(number))
        chai = [f"GEco,unit {one},Orion KL,otf,map {one},,,inpar,tiles.csv" for one in range(number)]
        files = FILES | {"maps.csv": maps}
        return (",mapping,azimuth_table,inpar,tiling", *(f"{one},," for one in units), *chai), files

    for on_conflict in ("error", "error"):
        table, files = rows(40)
        with django_assert_max_num_queries(60):
            run(*table, files=files, on_conflict=on_conflict)


def test_units_of_more_sources_than_are_kept_in_memory_get_each_its_own(run, monkeypatch):
    for module, name, number in ((spool, "SHARED_LIMIT", 3), (spool, "CHUNK_SIZE", 2), (tables, "FOUND_KEPT", 2)):
        monkeypatch.setattr(module, name, number)
    monkeypatch.setattr(tables, "batches", lambda rows: spool.batches(rows, 3))
    names = [f"source {number}" for number in range(8)]
    for name in names:
        FixedSourceFactory(name=name)
    ChaiObservationConfiguration.objects.create(name="map", version=1)
    rows = [f"GEco,{name} {again},{name},otf,map,2" for again in "ab" for name in names]
    run(",priority", "GEco,first,W49,otf,map,1", *rows, files={})
    found = dict(ObsUnit.objects.values_list("name", "source__name"))
    assert found == {"first": "W49"} | {f"{name} {again}": name for again in "ab" for name in names}
