"""Reading schedule files: what is right is understood, what is wrong is named with its line and column."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsdb.loaders import PROBLEM_LIMIT, LoadError
from opsdb.loaders.schedules import CALIBRATION, IDLE, SCIENCE, SLEW, SkyField, read_schedule
from tests.schedules import TEXT_SCHEDULE, TIMELINE, at, calibration, line_of, science, slew, timeline

MIDNIGHT = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def schedule(tmp_path):
    """Write a text to a file and read it as a schedule."""

    def read(text, **kwargs):
        path = tmp_path / "schedule.txt"
        path.write_text(text, **kwargs)
        return read_schedule(path)

    return read


@pytest.fixture
def refused(schedule):
    """Read a text that must be refused; return what is said about it, without the name of the file."""

    def read(text):
        with pytest.raises(LoadError) as caught:
            schedule(text)
        lines = str(caught.value).split("\n")
        assert all(line.partition("schedule.txt")[1] for line in lines[:PROBLEM_LIMIT])
        return "\n".join(line.partition("schedule.txt")[2] for line in lines)

    return read


def test_the_planners_timeline_has_its_blocks_with_their_lines():
    read = read_schedule(TIMELINE)
    assert {kind: read.count(kind) for kind in (SCIENCE, CALIBRATION, SLEW, IDLE)} == {
        SCIENCE: 14,
        CALIBRATION: 31,
        SLEW: 15,
        IDLE: 0,
    }
    lines = TIMELINE.read_text().split("\n")
    assert all(lines[block.line - 1].split('"')[1][:19] == f"{block.start:%F %T}" for block in read.blocks)
    first = next(block for block in read.blocks if block.type == SCIENCE)
    assert (first.line, first.name, first.scan_type) == (55, "Deep56", "constant_el")
    assert first.start == datetime(2026, 6, 15, 2, 14, 32, 312000, tzinfo=UTC)
    assert first.field == SkyField(24, -32, 40, 10)
    assert [block.target for block in read.blocks if block.scan_type == "planet_cal"] == ["neptune"]
    assert (read.telescope_name, read.latitude_deg, read.ignored_columns) == ("FYST", -22.985639, ())


def test_the_toast_text_schedule_is_read_as_science_at_constant_elevation():
    read = read_schedule(TEXT_SCHEDULE)
    assert len(read.blocks) == 12
    last = read.blocks[-1]
    assert (last.line, last.name, last.type, last.scan_type, last.field) == (
        15,
        "Virgo",
        SCIENCE,
        "constant_el",
        None,
    )
    assert (last.azimuth_min_deg, last.azimuth_max_deg, last.elevation_deg) == (352.5, 367.5, 54)
    assert (read.site_name, read.telescope_name, read.longitude_deg) == ("Chajnantor", "FYST", -67.74)


SITE = "#Site Telescope Latitude [deg] Longitude [deg] Elevation [m]\nCerro Chajnantor FYST -22.986 -67.740 5611.8\n"
CONCISE = "#Start time UTC Stop time UTC Rotation Patch name Az min Az max El Pass Sub\n"
VERBOSE = (
    "#Start time UTC Stop time UTC Start MJD Stop MJD Rotation Patch name Az min Az max El R/S Sun el1 Sun az1 "
    "Sun el2 Sun az2 Moon el1 Moon az1 Moon el2 Moon az2 Phase Pass Sub CTime\n"
)
ROW = "2026-07-01 00:00:00 2026-07-01 00:30:00 -5.00 field 350.00 10.00 50.00 3 1\n"
BARS = "".join(
    line + "\n"
    for line in (
        "#Site|Telescope|Latitude [deg]|Longitude [deg]|Elevation [m]",
        "Cerro Chajnantor|FYST|-22.986|-67.740|5611.8",
        "#Start time UTC|Stop time UTC|Rotation|Patch name|Az min|Az max|El|Pass|Sub",
    )
)
BARRED = "2026-07-01 00:00:00|2026-07-01 00:30:00|-5.00|field|350.00|10.00|50.00|3|1\n"
VERBOSE_ROW = (
    "2026-07-01 00:00:00 2026-07-01 00:30:00 61222.000000 61222.020833 -5.00 field 350.00 10.00 50.00 R "
    "-10 280 -12 281 30 90 31 91 0.5 3 1 0.02\n"
)


@pytest.mark.parametrize(
    "text",
    [
        SITE + CONCISE + ROW,
        SITE + VERBOSE + VERBOSE_ROW,
        SITE + CONCISE + ROW.replace("01 00:", "01T00:"),
        "# Site | Telescope | Latitude [deg] | Longitude [deg] | Elevation [m]\n"
        "Cerro Chajnantor | FYST | -22.986 | -67.740 | 5611.8\n"
        "# Start time UTC | Stop time UTC | Rotation | Patch name | Az min. | Az max. | Elev. | Pass | Sub\n"
        "2026-07-01 00:00:00 | 2026-07-01 00:30:00 | -5.00 | field | 350.00 | 10.00 | 50.00 | 3 | 1\n",
    ],
    ids=["concise", "verbose with MJD", "ISO times", "bars"],
)
def test_every_layout_of_toast_text_gives_the_same_block(schedule, text):
    read = schedule(text)
    (block,) = read.blocks
    assert (read.site_name, read.telescope_name) == ("Cerro Chajnantor", "FYST")
    assert (block.name, block.start, block.boresight_angle_deg) == ("field", MIDNIGHT, -5)
    assert (block.azimuth_min_deg, block.azimuth_max_deg) == (350, 370)
    assert (block.scan_index, block.subscan_index) == (3, 1)


def test_a_pass_below_zero_is_a_partial_scan(schedule):
    assert schedule(SITE + CONCISE + ROW.replace(" 3 1", " -2 0")).blocks[0].scan_index == -2


def test_a_file_without_block_types_tells_them_by_the_planners_names(schedule):
    names = ["field", "retune", "slew_to_field", "idle", "SPECIAL_cycle"]
    rows = "".join(ROW.replace("field", name).replace("350.00 10.00", "10.00 20.00") for name in names)
    assert [block.type for block in schedule(SITE + CONCISE + rows).blocks] == [SCIENCE, CALIBRATION, SLEW, IDLE, IDLE]


def test_toasts_own_ecsv_with_units_and_zones_is_read(schedule):
    text = """# %ECSV 1.0
# ---
# datatype:
# - {name: start_time, datatype: string}
# - {name: stop_time, datatype: string}
# - {name: boresight_angle, unit: deg, datatype: float64}
# - {name: name, datatype: string}
# - {name: azmin, unit: rad, datatype: float64}
# - {name: azmax, unit: rad, datatype: float64}
# - {name: el, unit: deg, datatype: float64}
# - {name: scan_index, datatype: string}
# - {name: subscan_index, datatype: string}
# meta: !!omap
# - {site_name: Atacama}
# - {telescope_name: FYST}
# - site_lat: !astropy.units.Quantity
#     unit: !astropy.units.Unit {unit: deg}
#     value: -22.986
# - site_lon: !astropy.units.Quantity
#     unit: !astropy.units.Unit {unit: deg}
#     value: -67.740
# schema: astropy-2.0
start_time stop_time boresight_angle name azmin azmax el scan_index subscan_index
2026-07-01T02:00:00+02:00 2026-07-01T00:30:00+00:00 0.0 small_patch 1.0 2.0 50.0 3 1
"""
    read = schedule(text)
    (block,) = read.blocks
    assert (block.start, block.type, block.scan_index) == (MIDNIGHT, SCIENCE, 3)
    assert block.azimuth_min_deg == pytest.approx(57.29578)
    assert read.latitude_deg == pytest.approx(-22.986)


def test_commas_byte_order_mark_and_crlf_are_accepted(schedule):
    text = timeline(science(), separator=",").replace("\n", "\r\n")
    assert schedule(text, encoding="utf-8-sig", newline="").blocks[0].name == "Deep56"


def test_lines_are_counted_across_comments_blank_lines_and_texts_with_line_breaks(schedule, refused):
    text = timeline(science(), at(1, scan_params_json='"{""spacing"":\n0.1}"'), at(2))
    first = line_of(text, 0)
    lines = text.split("\n")
    lines.insert(first, "# a comment")
    lines.insert(first, "")
    assert [block.line for block in schedule("\n".join(lines)).blocks] == [first, first + 3, first + 5]
    lines[first + 4] = lines[first + 4].replace(" 50.0 ", " 95.0 ")
    assert f", line {first + 5}, el: '95.0' is out of range" in refused("\n".join(lines))


def test_slews_may_run_backwards_and_below_the_horizon(schedule):
    assert schedule(timeline(slew())).count(SLEW) == 1


def test_an_empty_timeline_is_one_idle_moment(schedule):
    never = '"2000-01-01 00:00:00.000"'
    row = science(start_time=never, stop_time=never, name='""', block_type="idle", scan_type='""')
    assert schedule(timeline(row)).count(IDLE) == 1


def test_position_zero_is_no_target_in_calibrations_but_a_place_for_science(schedule):
    read = schedule(timeline(calibration("focus"), at(1, ra_center="0.0", dec_center="0.0")))
    assert read.blocks[0].field is None
    assert read.blocks[1].field == SkyField(0, 0, 40, 10)


def test_science_without_a_field_is_taken_for_what_it_is(schedule):
    nothing = dict.fromkeys(("ra_center", "dec_center", "width", "height"), "0.0")
    assert schedule(timeline(science(**nothing))).blocks[0].field is None


def test_the_width_of_a_field_is_an_angle_on_the_sky():
    assert SkyField(24, -60, 40, 10).ra_range_deg() == pytest.approx((344, 64))
    assert SkyField(24, -60, 40, 10).dec_range_deg() == (-65, -55)
    assert SkyField(24, -80, 80, 2).ra_range_deg() == (0, 360)


WRONG_CELLS = {
    "stop_time": ('"2026-07-01 01:00:00"', "the block ends at 2026-07-01T01:00:00+00:00, but starts at"),
    "start_time": ('"yesterday"', "'yesterday' is not a time; expected UTC such as"),
    "el": ("nan", "'nan' is not a finite number"),
    "azmin": ("inf", "'inf' is not a finite number"),
    "azmax": ("100.0", "100 is below azmin, which is 120.5"),
    "dec_center": ("-91.0", "'-91.0' is out of range"),
    "ra_center": ("400.0", "'400.0' is out of range"),
    "width": ("0.0", "a field on the sky needs a centre, a width and a height above 0"),
    "height": ("170.0", "reaches beyond the pole"),
    "velocity": ("-1.0", "'-1.0' is out of range"),
    "scan_index": ("1.5", "'1.5' is not of type int64"),
    "rising": ("yes", "'yes' is not of type bool"),
    "boresight_angle": ("left", "'left' is not of type float64"),
    "block_type": ("nap", "'nap' is not a block type; expected one of science, calibration, slew, idle"),
    "name": ('""', "is not a name"),
    "scan_params_json": ('"{""a"": NaN}"', "is not a JSON object"),
    "block_meta_json": ("[]", "'[]' is not a JSON object"),
}
WRONG_JSON = {
    '{""x"": 1e400}': "is not a JSON object: it has a number that is too large: '1e400'; expected one such as",
    '{""x"": ' + "9" * 400 + "}": "is not a JSON object: it has a number that is too large: '99999",
    r'{""x"": ""ma\u0000""}': r"is not a JSON object: it contains a character that can't be stored: 'ma\x00'",
    r'{""x"": [""\ud800""]}': r"is not a JSON object: it contains a character that can't be stored: '\ud800'",
    r'{""\ud800"": 1}': r"is not a JSON object: it contains a character that can't be stored: '\ud800'",
    '{""x"": NaN}': "is not a JSON object: it has NaN, which is no JSON number",
    '{""x"": ' + "[" * 60_000: "is not a JSON object: it is nested more than 100 levels deep",
    '{""x"": ' + "[" * 100 + "7" + "]" * 100 + "}": "is not a JSON object: it is nested more than 100 levels deep",
    "{x: 1}": "is not a JSON object: it is not JSON: Expecting property name",
}


@pytest.mark.parametrize("column", ["scan_params_json", "block_meta_json"])
@pytest.mark.parametrize("text", WRONG_JSON, ids=lambda text: text[:15])
def test_json_that_no_database_can_store_is_named(refused, column, text):
    cells = {column: f'"{text}"'}
    said = refused(timeline(calibration("focus", **cells) if column == "block_meta_json" else science(**cells)))
    assert f", {column}: " in said
    assert WRONG_JSON[text] in said
    assert "\n" not in said


def test_json_is_kept_as_it_was_written(schedule):
    text = r'"{""a"": [1, 1.5, null, ""\\u0000 µ""], ""b"": {""c"": true}}"'
    (block,) = schedule(timeline(science(scan_params_json=text))).blocks
    deep = "[" * 99 + "7" + "]" * 99
    (deepest,) = schedule(timeline(science(scan_params_json=f'"{{""x"": {deep}}}"'))).blocks
    assert str(deepest.scan_parameters["x"]) == deep
    assert block.scan_parameters == {"a": [1, 1.5, None, r"\u0000 µ"], "b": {"c": True}}


@pytest.mark.parametrize("unit", ["", "[us]", "[ns]"])
def test_times_that_numpy_holds_without_a_zone_are_utc(schedule, unit):
    text = timeline(at(0), at(1)).replace("start_time, datatype: string", f"start_time, datatype: 'datetime64{unit}'")
    text = re.sub('"2026-07-01 (0[01]:00:00)"', r"2026-07-01T\1", text)
    assert [block.start for block in schedule(text).blocks] == [MIDNIGHT, MIDNIGHT + timedelta(hours=1)]


@pytest.mark.parametrize("column", WRONG_CELLS)
def test_a_wrong_cell_is_named_with_line_and_column(refused, column):
    cell, message = WRONG_CELLS[column]
    text = timeline(science(), at(1, **{column: cell}))
    said = refused(text)
    assert said.startswith(f", line {line_of(text, 1)}, {column}: ")
    assert message in said
    assert "\n" not in said


@pytest.mark.parametrize("column", ["start_time", "stop_time", "azmin", "azmax", "el"])
def test_an_empty_cell_is_missing(refused, column):
    assert f"{column}: the " in refused(timeline(science(**{column: '""'})))


def test_an_observed_block_lasts_a_day_at_most(schedule, refused):
    a_day = at(0, stop_time='"2026-07-02 00:00:00"')
    assert len(schedule(timeline(a_day)).blocks) == 1
    text = timeline(at(0), at(1, stop_time='"9026-07-01 01:30:00"'), slew(stop_time='"2026-07-09 00:00:00"'))
    assert refused(text) == (
        f", line {line_of(text, 1)}, stop_time: the block lasts from 2026-07-01T01:00:00+00:00 to "
        "9026-07-01T01:30:00+00:00; expected a time at most 24 hours after the start; check the dates of both"
    )


def test_all_problems_are_told_at_once_and_in_order(refused):
    said = refused(timeline(at(0, el="95.0", azmin="900.0"), at(1), at(2, dec_center="99.0"))).split("\n")
    assert [line.split(": ")[0].split(", ")[-1] for line in said] == ["azmin", "el", "dec_center"]


def test_after_a_hundred_problems_it_stops(refused):
    said = refused(timeline(*(science(el="95.0") for _ in range(150)))).split("\n")
    assert len(said) == PROBLEM_LIMIT + 1


def test_a_calibration_must_say_one_kind(refused):
    text = timeline(calibration("focus", scan_type="skydip"))
    assert "cal_type is 'focus', but scan_type is 'skydip'" in refused(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace(" el scan_index", " el scan_number"), "the columns are"),
        (lambda text: text.replace("name: el,", "name: e,").replace(" el ", " e "), "a column is missing: el"),
        (lambda text: text.replace("name: el,", "name: azmax,").replace(" el ", " azmax "), "'azmax' is repeated"),
        (lambda text: text + "one two three\n", "the row has 3 fields, the columns are 19"),
        (lambda text: text.replace("datatype: [", "datatype: [[["), "the YAML header can't be read"),
        (lambda text: text.replace("datatype: [", "columns: ["), "the header has no list of columns"),
        (lambda text: text.replace("telescope_name", "telescope"), "telescope_name is missing"),
        (lambda text: text.replace("site_lat: -22.985639", "site_lat: south"), "site_lat: 'south' is not an angle"),
        (lambda text: text.replace("name: el, d", "name: el, unit: m, d"), "el: unit 'm'; expected deg"),
        (lambda text: text.replace("datatype: string", "datatype: null", 1), "the header has no list of columns"),
        (lambda text: text.replace("datatype: float64", "datatype: floaty", 1), "astropy can't read this table"),
        (
            lambda text: text.replace('"2026-07-01 00:30:00.000"', '"2026-07-01 00:30:00.000'),
            "fields, the columns are 19",
        ),
        (lambda text: text[: text.index("start_time stop_time")], "the line with the column names is missing"),
        (lambda text: text[: text.rindex('"2026-07-01 00:00:00.000"')], "there are no rows"),
        (lambda text: text.replace("# %ECSV 1.0\n", ""), "is not the beginning of a schedule"),
        (lambda text: text.replace("Deep56", "x" * 300), "is not a name"),
        (lambda text: text.replace("Deep56", "Deep\x1b[31m56"), "contains the control character 0x1b"),
        (lambda text: text.replace("Deep56", "x" * 10_000_000), "can't be split into fields: a cell has more than"),
        (lambda text: text.replace("!!omap", '!!python/object/apply:os.system ["true"]'), "YAML header can't be read"),
    ],
)
def test_a_broken_timeline_gets_one_line(refused, change, message):
    text = timeline(science())
    broken = change(text)
    assert broken != text
    said = refused(broken)
    assert message in said
    assert len(said) < 700
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#Site Telescope\n", "line 2: the line with the site's values is missing"),
        ("#Site Telescope\nx FYST -22 -67\n", "line 2: the site's line has 4 fields"),
        ("#Site Telescope\nx FYST -22 -670 5611\n", "line 2, site_lon: '-670' is not an angle"),
        (SITE, "the line with the column names is missing"),
        (SITE + ROW, "the line with the column names is missing"),
        (SITE + CONCISE, "line 3: there are no rows"),
        (SITE + CONCISE + ROW + ROW[:-3] + "\n", "line 5: the row has 8 fields, the columns are 9"),
        (SITE + CONCISE + VERBOSE_ROW, "line 4: the row has 22 fields, the columns are 9"),
        (BARS + BARRED.replace("2026-07-01 00:00:00|", "|", 1), "line 4, start_time: the time is missing"),
        (BARS + BARRED.replace("field", "a\tfield"), r"line 4, name: 'a\tfield' is not a name"),
        (BARS + BARRED.replace("field", "\t"), "line 4, name: '' is not a name"),
        (BARS + BARRED.replace("|3|1", "|3||"), "line 4: the row has 10 fields, the columns are 9"),
        (SITE + CONCISE + ROW.replace(" 50.00", " high"), "line 4, el: 'high' is not a finite number"),
        (SITE + CONCISE + ROW.replace(" 50.00", " 1_0"), "line 4, el: '1_0' is not a finite number"),
        (SITE + CONCISE + ROW.replace("350.00", "3500.00"), "line 4, azmin: '3500.00' is out of range"),
    ],
)
def test_a_broken_text_schedule_is_named_with_its_line(refused, text, message):
    assert message in refused(text)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.tuples(
            st.floats(0, 90),
            st.floats(-180, 360),
            st.floats(0, 300),
            st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=30),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_what_astropy_writes_is_read_back_as_it_was(tmp_path_factory, rows):
    from astropy.table import Table

    table = Table(
        {
            "start_time": [f"2026-07-01 {hour:02}:00:00.000" for hour in range(len(rows))],
            "stop_time": [f"2026-07-01 {hour:02}:59:59.999" for hour in range(len(rows))],
            "name": [row[3] for row in rows],
            "azmin": [row[1] for row in rows],
            "azmax": [row[1] + row[2] for row in rows],
            "el": [row[0] for row in rows],
        },
        meta={"telescope_name": "FYST"},
    )
    path = tmp_path_factory.mktemp("written") / "timeline.ecsv"
    table.write(path, format="ascii.ecsv")
    blocks = read_schedule(path).blocks
    assert [(block.elevation_deg, block.azimuth_min_deg, block.name) for block in blocks] == [
        (elevation, azimuth, name) for elevation, azimuth, _, name in rows
    ]
