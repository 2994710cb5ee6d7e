"""Drawings are well-formed, escaped, within their frame, and say what they show."""

from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsdb.admins.drawings.chart import HEIGHT, LEFT, Chart, ChartColumn, Level, day_ticks, nice_step
from opsdb.admins.drawings.chart import WIDTH as WIDTH_OF_CHART
from opsdb.admins.drawings.fill_level import WIDTH, fill_bar
from opsdb.admins.drawings.flow import LocationBox, RouteArrow, SiteBox, flow_map
from opsdb.admins.drawings.sky_map import OTHERS, SHAPES, Area, Point, cell_of, sky_map, symbol
from opsdb.admins.drawings.timeline import Bar, Hours, Lane, Shade, TimeLine
from opsdb.svg import element, shortened

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
NASTY = "<script>\"'&"
printable = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=40)


def parse(svg):
    return ElementTree.fromstring(svg)  # noqa: S314 - our own


def named(root, tag):
    return [one for one in root.iter() if one.tag.rpartition("}")[2] == tag]


def line(lanes, **options):
    told = {"name": "n", "title": NASTY, "description": NASTY, "start": NOON, "end": NOON + timedelta(days=1)}
    return TimeLine(**{**told, **options}, lanes=lanes)


@given(printable, printable)
@settings(max_examples=40, deadline=None)
def test_an_element_holds_any_text_as_it_is(text, value):
    root = parse(element("g", text, element("b", text), aria_label=value))
    assert root.text == (text or None)
    assert root.get("aria-label", "") == value


def test_a_drawing_has_a_title_and_a_description_and_no_style():
    for svg in (
        line([]).draw(),
        sky_map([], [], name="s", title=NASTY, description=NASTY),
        flow_map([], [], name="f", title=NASTY, description=NASTY),
    ):
        root = parse(svg)
        names = root.get("aria-labelledby"), root.get("aria-describedby")
        assert {one.get("id") for one in named(root, "title") + named(root, "desc")} >= set(names)
        assert all(one.text == NASTY for one in (named(root, "title")[0], named(root, "desc")[0]))
        assert not named(root, "style") and not [one for one in root.iter() if one.get("style")]


@given(
    st.lists(
        st.tuples(st.integers(-3_000, 3_000), st.integers(1, 3_000) | st.none(), st.sampled_from(["planned", "down"])),
        max_size=8,
    )
)
@settings(max_examples=40, deadline=None)
def test_bars_stay_within_the_time_line_and_keep_their_order(spans):
    bars = [
        Bar(
            NOON + timedelta(minutes=start),
            None if length is None else NOON + timedelta(minutes=start + length),
            kind,
            NASTY,
            NASTY,
            "/?a=1&b=2",
            "▲",
        )
        for start, length, kind in spans
    ]
    root = parse(line([Lane(NASTY, bars)]).draw())
    frame = float(root.get("viewBox").split()[2])
    drawn = [one for one in named(root, "rect") if (one.get("class") or "").startswith("opsdb-bar-")]
    assert all(float(one.get("x")) >= 0 and float(one.get("x")) + float(one.get("width")) <= frame for one in drawn)
    within = [bar for bar in bars if bar.start < NOON + timedelta(days=1) and (bar.end is None or bar.end > NOON)]
    assert len(drawn) == len(within)
    assert [one.get("href") for one in named(root, "a")] == ["/?a=1&b=2"] * len(within)


def test_hours_are_those_of_their_zone():
    svg = line([], bottom=Hours("Santiago", ZoneInfo("America/Santiago"))).draw()
    texts = [one.text for one in named(parse(svg), "text")]
    assert texts[:3] == ["UTC", "12", "14"]
    assert texts[texts.index("Santiago") + 1] == "08"  # four hours behind in the southern winter


def test_a_lane_with_its_own_beginning_is_aligned_with_the_others():
    bars = [
        Bar(NOON + timedelta(hours=3 - 24 * back), NOON + timedelta(hours=4 - 24 * back), "completed")
        for back in (0, 1)
    ]
    lanes = [Lane("today", bars[:1], start=NOON), Lane("yesterday", bars[1:], start=NOON - timedelta(days=1))]
    drawn = [one for one in named(parse(line(lanes).draw()), "rect") if one.get("class") == "opsdb-bar-completed"]
    assert drawn[0].get("x") == drawn[1].get("x") and drawn[0].get("y") != drawn[1].get("y")


def test_shades_are_behind_everything():
    svg = line([Lane("", [Bar(NOON, None, "running")])], shades=[Shade(NOON, NOON + timedelta(hours=1), "dark")]).draw()
    assert svg.index("opsdb-shade-dark") < svg.index("opsdb-bar-running")


@given(st.floats(0, 359.9), st.floats(1, 359.9), st.floats(-89, 80), st.sampled_from([0, 180]))
@settings(max_examples=60, deadline=None)
def test_a_field_is_drawn_whole_wherever_the_map_is_cut(west, width, south, center):
    area = Area(west, (west + width) % 360, south, south + 9, 0, NASTY, "/f/")
    pieces = area.pieces(center)
    assert 1 <= len(pieces) <= 2
    spans = [max(ra for ra, _dec in piece) - min(ra for ra, _dec in piece) for piece in pieces]
    assert sum(spans) == pytest.approx(width, abs=0.01)
    root = parse(sky_map([], [area], name="s", title="", description="", center_ra_deg=center))
    assert len(named(root, "polygon")) == len(pieces)


def test_every_sign_has_a_shape_of_its_own():
    assert len({symbol(look, 0, 0).split("class=")[0] for look in range(len(SHAPES))}) == len(SHAPES) == OTHERS + 1


def test_a_point_says_how_many_sources_it_stands_for():
    points = [Point(10, 20, 1, NASTY, "/s/", 42), Point(10, 20, 0, "one")]
    root = parse(sky_map(points, [], name="s", title="", description=""))
    assert "42" in [one.text for one in named(root, "text")]
    (link,) = named(root, "a")
    assert link.get("aria-label") == NASTY and link.get("tabindex") == "-1"


@given(st.floats(0, 359.999), st.floats(-90, 90))
@settings(max_examples=60, deadline=None)
def test_cells_hold_what_is_near_and_do_not_span_the_origin(ra, dec):
    row, column = cell_of(ra, dec, 4)
    assert 0 <= row <= 45 and column >= 0
    assert cell_of(min(ra + 1e-9, 359.9999), dec, 4)[0] == row


def test_sites_stand_in_columns_and_every_way_is_an_arrow_between_two():
    places = [LocationBox(1, NASTY, NASTY, "buffer", "/l/", active=False)]
    sites = [SiteBox(1, "a", 0, places, "/a/"), SiteBox(2, "b", 2, places), SiteBox(3, "c", 2, [])]
    ways = [
        RouteArrow(1, 2, "3", NASTY, "moving", "/w/"),
        RouteArrow(2, 3, "", "", "closed"),
        RouteArrow(3, 2, "", "", "idle"),
        RouteArrow(3, 1, "", ""),
    ]
    root = parse(flow_map(sites, ways, name="f", title="", description=""))
    lefts = [float(one.get("x")) for one in named(root, "rect") if one.get("class") == "opsdb-site"]
    assert lefts[0] < lefts[1] == lefts[2]
    arrows = [one for one in named(root, "path") if "opsdb-way" in (one.get("class") or "")]
    heads = {one.get("id") for one in named(root, "marker")}
    assert len(arrows) == 4 and {one.get("marker-end")[5:-1] for one in arrows} <= heads


@pytest.mark.parametrize(
    ("percent", "width", "level"), [(0, 0, "green"), (50, 60, "green"), (90, 108, "orange"), (250, 120, "red")]
)
def test_a_bar_is_filled_as_far_as_it_says(percent, width, level):
    root = parse(fill_bar(percent, threshold_percent=80))
    bar = named(root, "rect")[1]
    assert (float(bar.get("width")), bar.get("class")) == (width, f"opsdb-bar-{level}")
    assert width <= WIDTH and root.get("aria-hidden") == "true"


def test_texts_are_cut_where_there_is_no_room():
    assert [shortened("Orion KL", length) for length in (8, 7, 1, 0)] == ["Orion KL", "Orion …", "…", "…"]


def chart(**options):
    told = {"name": "n", "title": NASTY, "description": NASTY, "start": date(2026, 6, 1), "end": date(2026, 7, 1)}
    return Chart(**{**told, "write": str, **options})


def test_a_chart_is_within_its_frame_and_keeps_the_order_of_values():
    day = timedelta(days=1)
    levels = [Level(12, NASTY), Level(3, "", date(2026, 6, 8), 7)]
    columns = [ChartColumn(date(2026, 6, 1) + number * day, 1, number, number / 2, NASTY) for number in range(30)]
    root = parse(chart(columns=columns, line=[(one.start, one.value) for one in columns], levels=levels).draw())
    bars = [one for one in named(root, "rect") if one.get("class") == "opsdb-column-whole"]
    assert len(bars) == 29, "nothing is drawn of what is 0"
    tops = [float(one.get("y")) for one in bars]
    assert tops == sorted(tops, reverse=True)
    for one in named(root, "rect"):
        assert LEFT <= float(one.get("x")) <= float(one.get("x")) + float(one.get("width")) <= WIDTH_OF_CHART
        assert 0 <= float(one.get("y")) <= float(one.get("y")) + float(one.get("height")) <= HEIGHT
    [points] = [one.get("points").split() for one in named(root, "polyline")]
    assert [float(point.split(",")[1]) for point in points][1:] == pytest.approx(tops, abs=0.11)
    assert len([one for one in named(root, "line") if one.get("class") == "opsdb-level"]) == 2


@pytest.mark.parametrize("values", [[], [0], [1e-9], [7e18]])
def test_a_chart_has_a_scale_whatever_its_values(values):
    root = parse(chart(columns=[ChartColumn(date(2026, 6, 3), 1, value) for value in values]).draw())
    assert len([one for one in named(root, "line") if one.get("class") == "opsdb-grid"]) >= 2


@pytest.mark.parametrize("least", [1e-9, 0.3, 1, 1.01, 2, 4.99, 5.1, 9.7, 10, 3e15])
def test_a_step_is_the_next_round_number(least):
    step = nice_step(least)
    assert least <= step * (1 + 1e-9) and step <= 2.5 * least * (1 + 1e-9)
    assert f"{step:.6e}"[0] in "125"


@pytest.mark.parametrize(("days", "most"), [(1, 1), (7, 7), (30, 6), (90, 8), (365, 8), (3_000, 10)])
def test_few_days_are_named_at_an_axis(days, most):
    ticks = list(day_ticks(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=days)))
    assert 1 <= len(ticks) <= most
    assert len({text for _, text in ticks}) == len(ticks) or days > 366


def test_values_of_a_count_are_whole():
    texts = [
        one.text
        for one in named(parse(chart(columns=[ChartColumn(date(2026, 6, 3), 1, 1)], is_count=True).draw()), "text")
    ]
    assert texts[:2] == ["0.0", "1.0"]
