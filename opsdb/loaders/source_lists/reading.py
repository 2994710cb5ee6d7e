"""Reading lists by their declarations, and those of the KOSMA control software."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from opsdb.models import SourceType

from ..bodies import body_called, body_names, is_designation
from ..cells import TableColumn
from ..coordinates import SYSTEMS
from ..errors import LoadProblems, listed, shown
from ..progress import Progress, no_progress
from ..tables import TableRow, read_cell
from ..text_files import counted_lines
from .declared import EFFELSBERG, LINE_FORMATS, NEEDS_EQUINOX, LineFormat

LONGEST_LINE = 10_000
KOSMA = "kosma"
KOSMA_SHAPE = "name longitude latitude system [velocity] [! comment]"
# A name with blanks is in double quotes; in one without, every character but the quote is itself.
_KOSMA_LINE = re.compile(r'(?:"(?P<quoted>[^"]*)"|(?P<name>[^\s"!#][^\s"]*))(?:\s+(?P<rest>.*))?')


def read_list(
    name: str,
    text: str,
    columns: Sequence[TableColumn],
    problems: LoadProblems,
    equinox: str | None = None,
    progress: Progress = no_progress,
) -> Iterator[TableRow]:
    """Yield the rows of a list, as those of a table of sources; what is wrong is noted.

    Args:
        name: of the format: ``kosma``, or a declared one.
        text: of the file.
        columns: of a table of sources.
        problems: those of the file.
        equinox: of positions whose lines have none.
        progress: wraps the lines.

    Raises:
        LoadError: there are no sources, or too many problems.
    """
    declared = LINE_FORMATS.get(name)
    by_name = {column.name: column for column in columns}
    is_empty = True
    state: dict[str, str] = {}
    for number, line in enumerate(progress(counted_lines(text), f"Reading {problems.path.name}"), 1):
        row = TableRow(problems, number, {})
        cells = _cells(row, declared, line.strip(), equinox, state)
        if cells is None:
            continue
        for column, cell in cells.items():
            # The unit is not in the file but in its format.
            as_given = cell.removesuffix("h").strip() if column == "longitude" and declared else None
            read_cell(row, by_name[column], cell.strip(), as_given)
        is_empty = False
        yield row
    if is_empty:
        problems.stop_if_any()
        problems.stop("there are no sources", expected=declared.shape if declared else KOSMA_SHAPE)


def _cells(row, declared, text, equinox, state):
    """Return the texts of a line by column, or None if it has no source or is wrong, with the problem noted."""
    if len(text) > LONGEST_LINE:
        row.problem(f"the line has {len(text)} characters", expected=f"at most {LONGEST_LINE}")
        return None
    if not text or text[0] in (declared.comments if declared else "!#"):
        return None
    if declared is EFFELSBERG and _is_header(text, state):
        return None
    return _declared_cells(row, declared, text, equinox, state) if declared else _kosma_cells(row, text)


def _declared_cells(row, declared: LineFormat, text, equinox, state):
    """Return the texts of a line by column, or None with the problem noted."""
    found = declared.line.fullmatch(text)
    if found is None:
        row.problem(f"{shown(text)} is no line of a list of {declared.of}", expected=declared.shape)
        return None
    given = {name: (value or "").strip() for name, value in found.groupdict().items()}
    given = {name: "" if value in declared.nothing else value for name, value in given.items()}
    word = given.get("system", "").upper() or state.get("SBAS", "")
    system = declared.systems.get(word)
    if system is None:
        row.problem(
            f"system {shown(word)} is not that of a source" if word else "there is no system",
            expected=f"{declared.system_word}one of {', '.join(filter(None, declared.systems))}",
        )
        return None
    cells = {"name": given["name"], "system": system["system"], "equinox": system["equinox"]}
    if system["equinox"] == NEEDS_EQUINOX:
        cells["equinox"] = given.get("equinox") or equinox or ""
        if not cells["equinox"]:
            row.problem(
                f"{shown(given['name'])} has no equinox", expected="--equinox 2000 or another one for such lines"
            )
            return None
    if declared.alias_mark:
        cells["name"], *aliases = given["name"].split(declared.alias_mark)
        cells["aliases"] = ";".join(aliases)
    cells["longitude"], cells["latitude"] = (_angle(given[name]) for name in ("longitude", "latitude"))
    if system.get("longitude") == "hours" and ":" not in cells["longitude"]:
        cells["longitude"] += "h"
    if given.get("velocity"):
        for column, words, of in (
            ("velocity_frame", declared.frames, "frame"),
            ("velocity_convention", declared.conventions, "convention"),
        ):
            word = given.get(of, "").upper()
            # A word without a meaning here is refused by the cell.
            cells[column] = words.get(word, word)
        cells["velocity"] = _angle(given["velocity"])
    if given.get("comment"):
        cells["comment"] = given["comment"]
    return cells


def _angle(text):
    """Return numbers with the sign beside them, and with colons between the parts."""
    text = re.sub(r"^([+-])\s+", r"\1", text.strip())
    return re.sub(r"[:\s]\s*", ":", text)


def _is_header(text, state):
    """Whether a line of Effelsberg's catalogues is no source; what it sets for those below is kept."""
    head = re.match(r"(COMMON|INDIVIDUAL)\s*:(.*)", text, re.IGNORECASE)
    if head and head[1].upper() == "COMMON":
        state.clear()
        state.update((key.upper(), value) for key, value in re.findall(r"(\w+)\s*=\s*([^;!\s]+)", head[2]))
    return head is not None


def _kosma_cells(row, text):
    found = _KOSMA_LINE.fullmatch(text)
    if found is None:
        row.problem("the line can't be split", expected='a name with blanks in double quotes ("W 49")')
        return None
    name = found["name"] if found["quoted"] is None else found["quoted"]
    place, comment = re.fullmatch(r"([^!#]*)(?:[!#]+(.*))?", found["rest"] or "").groups()
    words = re.sub(r"(^|\s)([+-])\s+(?=\d)", r"\1\2", place).split()
    cells = _kosma_place(row, name, words, found["quoted"] is not None)
    if cells and comment and comment.strip():
        cells["comment"] = comment.strip()
    return cells


def _kosma_place(row, name, words, quoted):
    if not words:
        body = name.removeprefix("@")
        known = body_called(body)
        if not known and not is_designation(body):
            row.problem(
                f"{shown(name)} has no position",
                expected=f"a position, a designation such as 67P, or one of {listed(body_names(), 50)}",
            )
            return None
        return {"name": body, "type": SourceType.SOLAR_SYSTEM.value}
    # "1 Ceres" is a body, and its name needs no quotes.
    if (len(words) == 1 and not quoted) and (known := body_called(f"{name} {words[0]}")):
        return {"name": known.name, "type": SourceType.SOLAR_SYSTEM.value}
    place = next((place for place, word in enumerate(words) if word.upper() in SYSTEMS), None)
    if place not in (2, 6) or len(words) > place + 2:
        if place is None:
            found = "the system is missing"
        elif place in (2, 6):
            found = f"{len(words) - place - 1} fields follow the system"
        else:
            found = f"{place} fields instead of 2 or 6 precede the system {words[place]}"
        row.problem(found, expected=f"{KOSMA_SHAPE}, the system one of {', '.join(SYSTEMS)}")
        return None
    half = place // 2
    cells = {"name": name, "longitude": " ".join(words[:half]), "latitude": " ".join(words[half:place])}
    cells["system"] = words[place]
    if len(words) > place + 1:
        cells["vlsr_km_s"] = words[place + 1]
    return cells
