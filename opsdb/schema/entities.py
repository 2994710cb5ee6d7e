"""Diagrams of tables: boxes with their keys, and a line for every reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from opsdb.svg import drawing, element, linked, shortened

from .description import Column, Schema, SchemaArea, SchemaTable
from .layers import Placement, place_in_layers

WIDTH, HEAD, ROW, PAD = 222, 26, 18, 10
LETTER = 7.6  # width of a letter of a title
BETWEEN_LAYERS, BETWEEN_BOXES, MARGIN = 84, 22, 16
TYPE_LETTERS = 12
FOOT = 9
Href = Callable[[str], "str | None"]
# A fill and a line for every area; both have enough contrast with the text on them in light and dark pages.
COLOURS = {
    "observatory": ("#dbeafe", "#1d4ed8"),
    "planning": ("#dcfce7", "#15803d"),
    "execution": ("#fef9c3", "#a16207"),
    "data": ("#ffedd5", "#c2410c"),
    "locations": ("#e0e7ff", "#4338ca"),
    "copies": ("#fce7f3", "#be185d"),
    "transfer": ("#cffafe", "#0e7490"),
    "archive": ("#ede9fe", "#6d28d9"),
    "reduction": ("#ecfccb", "#4d7c0f"),
    "publications": ("#fae8ff", "#a21caf"),
    "failures": ("#ffe4e6", "#be123c"),
    "access": ("#fee2e2", "#b91c1c"),
    "history": ("#e7e5e4", "#57534e"),
}
OTHER = ("#f3f4f6", "#4b5563")
INK, QUIET, PAPER = "#1f2937", "#4b5563", "#ffffff"
SHORT_TYPES = {
    "timestamp with time zone": "timestamptz",
    "double precision": "double",
    "character varying": "varchar",
}


@dataclass(frozen=True)
class _Line:
    """A row of a box, and where a reference leaves it."""

    text: str
    note: str
    is_key: bool = False
    references: str = ""
    is_many: bool = False


@dataclass(frozen=True)
class _Box:
    table: str
    title: str
    lines: Sequence[_Line]
    colours: tuple[str, str]
    is_outside: bool = False

    @property
    def width(self) -> float:
        """So that the title and every name of a column has room."""
        names = max(
            (len(line.text) * LETTER * 0.88 + len(line.note[:TYPE_LETTERS]) * 7 for line in self.lines), default=0
        )
        return max(WIDTH, len(self.title) * LETTER + 2 * PAD, names + 3 * PAD)

    @property
    def height(self) -> float:
        return HEAD + ROW * len(self.lines) + (6 if self.lines else 0)


def area_diagram(schema: Schema, area: SchemaArea, href: Href, *, name: str = "") -> SafeString:
    """Return the diagram of the tables of an area, with the keys of each and the tables of others that they refer to.

    Args:
        schema: the whole.
        area: whose tables are drawn.
        href: the address of a table; None for one without.
        name: of the drawing, unique on the page.
    """
    tables = [table for table in area.tables if table.kind != "table of links"]
    return _diagram(
        schema,
        tables,
        href,
        name=name or f"entities-{area.name}",
        title=f"Tables of the area {area.name}",
    )


def table_diagram(schema: Schema, table: SchemaTable, href: Href, *, name: str) -> SafeString:
    """Return the diagram of one table with what it refers to; what refers to it is listed beside it."""
    return _diagram(schema, [table], href, name=name, title=f"References of {table.name}")


def _diagram(schema: Schema, tables: Sequence[SchemaTable], href: Href, *, name: str, title: str) -> SafeString:
    areas = schema.area_of()
    inside = {table.name for table in tables}
    boxes = {
        table.name: _Box(table.name, table.name, _lines(table), COLOURS[areas[table.name].name]) for table in tables
    }
    for table in tables:
        for line in boxes[table.name].lines:
            if line.references and line.references not in boxes:
                area = areas.get(line.references)
                colours = COLOURS[area.name] if area else OTHER
                note = f"in {area.name}" if area else "of Django"
                boxes[line.references] = _Box(
                    line.references, line.references, (_Line(note, ""),), colours, is_outside=True
                )
    arrows = [
        (line.references, table)
        for table in inside
        for line in boxes[table].lines
        if line.references != table and line.references
    ]
    placement = place_in_layers(
        {key: (box.width, box.height) for key, box in boxes.items()},
        sorted(arrows),
        between_layers=BETWEEN_LAYERS,
        between_boxes=BETWEEN_BOXES,
    )
    parts = [element("rect", width=placement.width + 2 * MARGIN, height=placement.height + 2 * MARGIN, fill=PAPER)]
    lines = [
        _line_of(boxes, placement, table, number, line)
        for table in inside
        for number, line in enumerate(boxes[table].lines)
        if line.references
    ]
    parts += sorted(lines)
    parts += [_box(box, placement, href) for box in boxes.values()]
    return drawing(
        *parts,
        name=name,
        width=placement.width + 2 * MARGIN,
        height=placement.height + 2 * MARGIN,
        title=title,
        description="A box for every table, with its keys; a line for every reference, forked where many rows refer.",
        is_paper=True,
    )


def _lines(table: SchemaTable) -> list[_Line]:
    shown = [column for column in table.columns if column.is_primary_key or column.natural_key or column.references]
    lines = [_line(column, table) for column in shown]
    lines += [
        _Line(link.field, "links", references=link.references, is_many=True)
        for link in table.links
        if link.table == table.name and link.through not in _modelled(table)
    ]
    if rest := len(table.columns) - len(shown):
        lines.append(_Line(f"and {rest} other column{'s' if rest > 1 else ''}", ""))
    return lines


def _modelled(table: SchemaTable) -> set[str]:
    """Tables of links that have a model: they are boxes of their own, with both references."""
    return {relation.table for relation in table.referenced_by} & {
        link.through for link in table.links if not link.through.startswith(f"{link.table}_{link.field}")
    }


def _line(column: Column, table: SchemaTable) -> _Line:
    relation = next((one for one in table.references if one.column == column.name), None)
    return _Line(
        column.name,
        SHORT_TYPES.get(column.sql_type, column.sql_type) + ("?" if column.null else ""),
        is_key=column.is_primary_key or bool(column.natural_key),
        references=column.references,
        is_many=relation is not None and not relation.is_unique,
    )


def corner(placement: Placement, name: str) -> tuple[float, float]:
    """Return the upper left corner of a box within the margin of its drawing."""
    left, top = placement.corners[name]
    return left + MARGIN, top + MARGIN


def _line_of(boxes: dict[str, _Box], placement: Placement, table: str, number: int, line: _Line) -> SafeString:
    left, top = corner(placement, table)
    y = top + HEAD + ROW * number + ROW / 2 + 3
    start_left, start_top = corner(placement, line.references)
    start = (start_left + boxes[line.references].width, start_top + HEAD / 2)
    colour = boxes[table].colours[1]
    if line.references == table:
        return element(
            "path",
            d=f"M{start[0]:.1f},{start[1]:.1f} h14 V{y:.1f} h-14",
            fill="none",
            stroke=colour,
            stroke_width=1.3,
        )
    bends = [(x + MARGIN, y_bend + MARGIN) for x, y_bend in placement.bends.get((line.references, table), ())]
    end = (left - (FOOT if line.is_many else 0), y)
    parts = [element("path", d=curve([start, *bends, end]), fill="none", stroke=colour, stroke_width=1.3)]
    if line.is_many:
        parts.append(
            element(
                "path",
                d=f"M{left - FOOT:.1f},{y:.1f} L{left:.1f},{y - 5:.1f} M{left - FOOT:.1f},{y:.1f} L{left:.1f},{y:.1f} "
                f"M{left - FOOT:.1f},{y:.1f} L{left:.1f},{y + 5:.1f}",
                fill="none",
                stroke=colour,
                stroke_width=1.3,
            )
        )
    parts.append(element("circle", cx=start[0], cy=start[1], r=3, fill=colour))
    return element("g", *parts)


def curve(points: Sequence[tuple[float, float]]) -> str:
    """Return a path that leaves and enters each point horizontally, straight where it passes a layer."""
    path = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
    for (x1, y1), (x2, y2) in zip(points, points[1:], strict=False):
        if y1 == y2:
            path.append(f"L{x2:.1f},{y2:.1f}")
            continue
        reach = max(abs(x2 - x1) / 2, 24)
        path.append(f"C{x1 + reach:.1f},{y1:.1f} {x2 - reach:.1f},{y2:.1f} {x2:.1f},{y2:.1f}")
    return " ".join(path)


def text_at(text: str, x: float, y: float, **attributes: object) -> SafeString:
    """Return a text."""
    return element("text", text, x=x, y=y, **{"fill": INK, "font_family": "sans-serif", "font_size": 12, **attributes})


def _box(box: _Box, placement: Placement, href: Href) -> SafeString:
    left, top = corner(placement, box.table)
    fill, line = box.colours
    parts = [
        element(
            "rect",
            x=left,
            y=top,
            width=box.width,
            height=box.height,
            rx=5,
            fill=PAPER,
            stroke=line,
            stroke_width=1.3,
            stroke_dasharray="4 3" if box.is_outside else None,
        ),
        element("rect", x=left + 1, y=top + 1, width=box.width - 2, height=HEAD - 2, rx=4, fill=fill),
        text_at(box.title, left + PAD, top + 17, font_weight="bold", font_size=12.5),
    ]
    for number, row in enumerate(box.lines):
        y = top + HEAD + ROW * number + ROW / 2 + 7
        weight = "bold" if row.is_key else None
        colour = QUIET if not row.note else INK
        parts.append(text_at(row.text, left + PAD, y, font_weight=weight, fill=colour))
        note = shortened(row.note, TYPE_LETTERS)
        if note:
            parts.append(text_at(note, left + box.width - PAD, y, text_anchor="end", fill=QUIET, font_size=11))
    return linked(*parts, href=href(box.table), label=box.table)
