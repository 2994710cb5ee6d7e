"""The files of the reference in each format, and the first difference from those of a folder."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from functools import cache
from pathlib import Path

from . import markdown, mermaid
from .description import FORMAT, Schema
from .entities import area_diagram
from .states import state_diagram
from .whole import whole_diagram

FORMATS = ("markdown", "json", "mermaid", "svg")
ELEMENT = re.compile(r"(?=<(?:title|desc|g|a|rect|path|circle|text|/svg)\b)")
LONGEST = 100  # letters of a line in a message


def files_of(schema: Schema, format: str) -> dict[str, str]:
    """Return the text of every file by its name; the first one is the whole, or the index of the others.

    Args:
        schema: the description.
        format: one of ``FORMATS``; Markdown comes with the pictures that it shows.
    """
    match format:
        case "markdown":
            return {**markdown.pages(schema), **_pictures(schema)}
        case "json":
            text = json.dumps({"format": FORMAT, **asdict(schema)}, indent=1, ensure_ascii=False)
            return {"schema.json": text + "\n"}
        case "mermaid":
            return mermaid.diagrams(schema)
        case "svg":
            return dict(_pictures(schema))
    raise ValueError(f"{format!r} is no format of the reference; known are {', '.join(FORMATS)}")


@cache
def _pictures(schema: Schema) -> dict[str, str]:
    def nowhere(table: str) -> None:
        """Pictures on pages have no links."""

    drawings = {
        markdown.WHOLE: whole_diagram(schema, nowhere),
        **{markdown.area_picture(area): area_diagram(schema, area, nowhere) for area in schema.areas},
        **{
            markdown.state_picture(one): state_diagram(one, name=f"states-{one.name.lower()}")
            for one in schema.enumerations
            if one.is_state_machine
        },
    }
    # An element a line, so that a change shows as one.
    return {name: ELEMENT.sub("\n", drawing) + "\n" for name, drawing in drawings.items()}


def write_files(files: dict[str, str], folder: Path) -> None:
    """Write files into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def first_difference(files: dict[str, str], folder: Path) -> str:
    """Return how a folder first differs from what would be written into it; empty if it does not."""
    for name, text in files.items():
        path = folder / name
        if not path.is_file():
            return f"{path}: is missing"
        found, expected = path.read_text(encoding="utf-8").splitlines(), text.splitlines()
        for number in range(max(len(found), len(expected))):
            is_line, should_be = _line(found, number), _line(expected, number)
            if is_line != should_be:
                return f"{path}, line {number + 1}: is {_shown(is_line, should_be)}, but should be " + _shown(
                    should_be, is_line
                )
    suffixes = {Path(name).suffix for name in files}
    for path in sorted(folder.iterdir()):
        if path.suffix in suffixes and path.name not in files:
            return f"{path}: is not part of the reference"
    return ""


def _line(lines: list[str], number: int) -> str | None:
    return lines[number] if number < len(lines) else None


def _shown(line: str | None, other: str | None) -> str:
    """Return a line from shortly before where it differs from another."""
    if line is None:
        return "no line"
    same = next((place for place, (a, b) in enumerate(zip(line, other or "", strict=False)) if a != b), 0)
    start = max(same - LONGEST // 3, 0)
    end = start + LONGEST
    return f"“{'…' if start else ''}{line[start:end]}{'…' if end < len(line) else ''}”"
