"""The diagram of all tables on one screen: a frame for every area, a line for every reference."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from opsdb.svg import drawing, element, linked, together

from .description import Schema, SchemaArea
from .entities import COLOURS, MARGIN, PAPER, QUIET, Href, corner, curve, text_at
from .layers import Placement, place_in_layers

HEAD, ROW, PAD, GUTTER = 30, 19, 10, 26
LETTER = 6.7
BETWEEN_LAYERS, BETWEEN_FRAMES, LEGEND = 60, 26, 30
TRACK, STRAND = 5, 4
# Tables that nearly every area refers to: a sign at the table replaces the line.
EVERYWHERE = "user"


Arrow = tuple[str, str, bool]  # table, what it refers to, whether many rows may refer to one


@dataclass
class _Frame:
    area: SchemaArea
    tables: list[str]
    within: list[Arrow]
    tracks: dict[Arrow, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = {name: number for number, name in enumerate(self.tables)}
        self._choose_tracks()
        longest = max(len(name) for name in self.tables)
        self.width = longest * LETTER + 2 * PAD + GUTTER + TRACK * (max(self.tracks.values(), default=0) + 1)
        self.height = HEAD + ROW * len(self.tables) + PAD

    def _choose_tracks(self) -> None:
        """Give every line within the area a track in the gutter, short ones first, so that none covers another."""
        used: list[list[tuple[int, int]]] = []
        for one in sorted(self.within, key=lambda one: (self._span(one)[1] - self._span(one)[0], self._span(one))):
            low, high = self._span(one)
            free = (number for number, spans in enumerate(used) if all(high < a or b < low for a, b in spans))
            track = next(free, len(used))
            if track == len(used):
                used.append([])
            used[track].append((low, high))
            self.tracks[one] = track

    def _span(self, arrow: Arrow) -> tuple[int, int]:
        low, high = sorted((self.rows[arrow[0]], self.rows[arrow[1]]))
        return low, high


def whole_diagram(schema: Schema, href: Href, *, name: str = "entities") -> SafeString:
    """Return the diagram of all tables.

    Args:
        schema: the whole.
        href: the address of a table; None for one without.
        name: of the drawing, unique on the page.
    """
    tables = {
        area.name: [table.name for table in area.tables if table.kind != "table of links"] for area in schema.areas
    }
    area_of = {table: area for area, names in tables.items() for table in names}
    across: dict[tuple[str, str], list[Arrow]] = defaultdict(list)
    within: dict[str, list[Arrow]] = defaultdict(list)
    for one in _arrows(schema, area_of):
        here, there = area_of[one[0]], area_of[one[1]]
        if here == there:
            within[here].append(one)
        else:
            across[there, here].append(one)
    frames = {area.name: _Frame(area, tables[area.name], within[area.name]) for area in schema.areas}
    placement = place_in_layers(
        {key: (frame.width, frame.height) for key, frame in frames.items()},
        list(across),
        between_layers=BETWEEN_LAYERS,
        between_boxes=BETWEEN_FRAMES,
        thickness={pair: STRAND * len(lines) for pair, lines in across.items()},
    )
    width, height = placement.width + 2 * MARGIN, placement.height + 2 * MARGIN + LEGEND
    parts = [element("rect", width=width, height=height, fill=PAPER)]
    parts += [_frame(frames[key], placement) for key in frames]
    parts += [_strands(frames, placement, pair, lines) for pair, lines in across.items()]
    parts += [_arcs(frame, placement) for frame in frames.values()]
    users = {one.table for one in schema.tables()[EVERYWHERE].referenced_by} if EVERYWHERE in area_of else set()
    parts += [_names(frame, placement, href, users) for frame in frames.values()]
    legend = f"Each line leads from a table (left end) to the table that it refers to. ● refers to {EVERYWHERE}."
    parts.append(text_at(legend, MARGIN, height - MARGIN + 4, fill=QUIET))
    return drawing(
        *parts,
        name=name,
        width=width,
        height=height,
        title="All tables",
        description="A frame for every area with its tables, and a line for every reference.",
        is_paper=True,
    )


def _arrows(schema: Schema, area_of: dict[str, str]) -> list[Arrow]:
    """Return every reference and every relation of many to many without a model of its own, once."""
    found = [
        (one.table, one.references, not one.is_unique)
        for table in schema.tables().values()
        for one in table.references
        if one.table in area_of and one.references in area_of and one.references != EVERYWHERE
    ]
    found += [
        (link.table, link.references, True)
        for table in schema.tables().values()
        for link in table.links
        if link.table == table.name and link.references in area_of and link.through not in area_of
    ]
    return list(dict.fromkeys(found))


def _frame(frame: _Frame, placement: Placement) -> SafeString:
    left, top = corner(placement, frame.area.name)
    fill, line = COLOURS[frame.area.name]
    return element(
        "g",
        element("rect", x=left, y=top, width=frame.width, height=frame.height, rx=6, fill=PAPER, stroke=line),
        element("rect", x=left + 1, y=top + 1, width=frame.width - 2, height=HEAD - 6, rx=5, fill=fill),
        text_at(frame.area.name, left + PAD, top + 18, font_weight="bold", font_size=13),
    )


def _middle(frame: _Frame, top: float, table: str) -> float:
    return top + HEAD + ROW * frame.rows[table] + ROW / 2


def _names(frame: _Frame, placement: Placement, href: Href, users: set[str]) -> SafeString:
    left, top = corner(placement, frame.area.name)
    parts = []
    for table in frame.tables:
        y = _middle(frame, top, table)
        sign = [element("tspan", " ●", fill=COLOURS["access"][1], font_size=9)] if table in users else []
        name = text_at(together([table, *sign]), left + PAD, y + 4)
        parts.append(linked(name, href=href(table), label=table))
    return element("g", *parts)


def _strands(
    frames: dict[str, _Frame],
    placement: Placement,
    pair: tuple[str, str],
    lines: list[Arrow],
) -> SafeString:
    """Return the lines from one area to another, side by side where they pass an area between."""
    there, here = pair
    start_left, start_top = corner(placement, there)
    end_left, end_top = corner(placement, here)
    bends = placement.bends.get(pair, [])
    colour = COLOURS[here][1]
    parts = []
    lines = sorted(lines, key=lambda one: (frames[there].rows[one[1]], frames[here].rows[one[0]]))
    for number, (table, references, is_many) in enumerate(lines):
        start = (start_left + frames[there].width, _middle(frames[there], start_top, references))
        end = (end_left, _middle(frames[here], end_top, table))
        passed = [(x + MARGIN, y + MARGIN + number * STRAND) for x, y in bends]
        backward = start[0] > end[0]
        if backward:  # from the right side to the left one, which few do
            start, end = (start_left, start[1]), (end_left + frames[here].width, end[1])
        d = curve([end, start] if backward else [start, *passed, end])
        parts.append(element("path", d=d, fill="none", stroke=colour, stroke_width=1.2, stroke_opacity=0.85))
        parts.append(element("circle", cx=start[0], cy=start[1], r=2.6, fill=colour))
        if is_many:
            x, y = end
            foot = 7 if backward else -7
            parts.append(
                element(
                    "path",
                    d=f"M{x:.1f},{y - 4:.1f} L{x + foot:.1f},{y:.1f} L{x:.1f},{y + 4:.1f}",
                    fill="none",
                    stroke=colour,
                    stroke_width=1.2,
                )
            )
    return element("g", *parts)


def _arcs(frame: _Frame, placement: Placement) -> SafeString:
    """Return the lines within an area, in the gutter at its right side."""
    left, top = corner(placement, frame.area.name)
    colour = COLOURS[frame.area.name][1]
    outermost = max(frame.tracks.values(), default=0)
    inner = left + frame.width - GUTTER + 8 - TRACK * (outermost + 1)
    parts = []
    for (table, references, is_many), track in frame.tracks.items():
        x = inner + 10 + TRACK * track
        y1, y2 = _middle(frame, top, references), _middle(frame, top, table)
        y1, y2 = (y1 - 4, y2 + 4) if table == references else (y1, y2 + (3 if y2 > y1 else -3))
        line = {"fill": "none", "stroke": colour, "stroke_width": 1.1}
        parts.append(element("path", d=f"M{inner:.1f},{y1:.1f} H{x:.1f} V{y2:.1f} H{inner:.1f}", **line))
        parts.append(element("circle", cx=inner, cy=y1, r=2.6, fill=colour))
        if is_many:
            foot = f"M{inner:.1f},{y2 - 3:.1f} L{inner + 5:.1f},{y2:.1f} L{inner:.1f},{y2 + 3:.1f}"
            parts.append(element("path", d=foot, **line))
    return element("g", *parts)
