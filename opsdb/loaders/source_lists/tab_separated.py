"""Tab-separated tables of VizieR and SIMBAD.

Layouts: VizieR's ``asu-tsv`` (comments with ``#Column``, names, units, a line of dashes, rows), and SIMBAD's tables of
the TAP service and of lists of objects. Columns without a meaning here are left out, and named in the plan.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ..cells import TableColumn
from ..errors import LoadProblems, listed, shown
from ..progress import Progress, no_progress
from ..tables import TableRow, read_cell
from ..text_files import counted_lines, lines_of

NAMES = ("name", "main_id", "identifier", "simbadname", "object", "source", "hip", "id")
# Columns of longitude and latitude and their system, best first; SIMBAD's lists have both in one column.
POSITIONS = (
    ("ra_icrs", "de_icrs", "ICRS"),
    ("ra", "dec", "ICRS"),
    ("raj2000", "dej2000", "J2000"),
    ("_raj2000", "_dej2000", "J2000"),
    ("rab1950", "deb1950", "B1950"),
    ("glon", "glat", "GALACTIC"),
)
BOTH = re.compile(r"coord\d*\s*\((ICRS),\s*(?:ep=)?J?2000.*\)", re.IGNORECASE)
OTHER_COLUMNS = {
    "pm_ra_mas_yr": ("pmra",),
    "pm_dec_mas_yr": ("pmdec", "pmde"),
    "parallax_mas": ("plx", "plx_value", "parallax"),
}
UNITS = {"pm_ra_mas_yr": ("mas/yr", "mas.yr-1"), "pm_dec_mas_yr": ("mas/yr", "mas.yr-1"), "parallax_mas": ("mas",)}
ANGLE_UNITS = {"deg": "d", '"h:m:s"': "", '"d:m:s"': "", "": "", "h": "h"}
LINES_OF_HEADER = 4
"""Names, units and dashes stand within these."""
EPOCH = re.compile(r"Ep(?:och)?[=\s]*J?((?:19|20)\d\d(?:\.\d+)?)", re.IGNORECASE)


@dataclass(frozen=True)
class TabSeparatedHeader:
    """The header of a tab-separated table: the lines above the rows.

    Attributes:
        line: of the names.
        names: of the columns, as the file has them.
        used: the place of each column of a table of sources, and what its texts lack: a unit.
        epoch: of positions in ICRS, or ``""``.
        last: the last line above the rows.
    """

    line: int
    names: tuple[str, ...]
    used: dict[str, tuple[int, str]]
    epoch: str
    last: int

    @property
    def unused(self) -> list[str]:
        """The names of columns that are left out."""
        used = {place for place, _ in self.used.values()}
        return [name for place, name in enumerate(self.names) if name and place not in used]


def has_positions(names: Collection[str]) -> bool:
    """Return whether the header of a table has columns of longitude and latitude as VizieR and SIMBAD call them.

    Args:
        names: in the header, in lower case.
    """
    pair = any(one in names and other in names for one, other, _system in POSITIONS)
    return pair or any(BOTH.fullmatch(name) for name in names)


def read_header(text: str, problems: LoadProblems) -> TabSeparatedHeader:
    """Return the header of a tab-separated table: the lines above the rows.

    Args:
        text: of the file.
        problems: those of the file.

    Raises:
        LoadError: there are no names or positions.
    """
    comments, head = [], []
    for number, line in enumerate(lines_of(text), 1):
        line = line.rstrip("\r\n")
        if not line.strip():
            continue
        if _is_comment(line):
            comments.append(line)
        elif len(head) < LINES_OF_HEADER:
            head.append((number, line))
        else:
            break
    if not head:
        problems.stop("all lines are comments", expected="a header with the names of columns, and rows below it")
    (header_line, header), *below = head
    given = tuple(name.strip().strip('"') for name in header.removeprefix("#").split("\t"))
    names = [name.casefold() for name in given]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        problems.stop(f"column {shown(twice[0])} is repeated", expected="each column once", line=header_line)
    dashes = next((place for place, (_, line) in enumerate(below) if re.fullmatch(r"[-\t ]*-[-\t ]*", line)), None)
    units = [""] * len(names)
    if dashes:
        units = [unit.strip() for unit in below[0][1].split("\t")]
        units += [""] * (len(names) - len(units))
    used = _used(names, units, header_line, problems)
    last = header_line if dashes is None else below[dashes][0]
    return TabSeparatedHeader(header_line, given, used, _epoch(comments, used, names), last)


def read_tab_separated(
    text: str,
    header: TabSeparatedHeader,
    columns: Sequence[TableColumn],
    problems: LoadProblems,
    progress: Progress = no_progress,
) -> Iterator[TableRow]:
    """Yield the rows of a tab-separated table, as those of a table of sources; what is wrong is noted.

    Args:
        text: of the file.
        header: the lines above the rows.
        columns: of a table of sources.
        problems: those of the file.
        progress: wraps the lines.

    Raises:
        LoadError: there are no rows, or too many problems.
    """
    used, width = header.used, len(header.names)
    by_name = {column.name: column for column in columns}
    headings = {name: header.names[place] for name, (place, _) in used.items() if name in by_name}
    needed = max(place for place, _ in used.values())
    is_empty = True
    for number, line in enumerate(progress(counted_lines(text), f"Reading {problems.path.name}"), 1):
        if number <= header.last or not line.strip() or _is_comment(line):
            continue
        is_empty = False
        cells = [cell.strip().strip('"').strip() for cell in line.split("\t")]
        row = TableRow(problems, number, {}, headings=headings)
        if len(cells) < width and len(cells) <= needed:
            row.problem(f"the row has {len(cells)} fields, the header {width}", expected="a field for every column")
            continue
        as_given = {name: cells[place] for name, (place, _) in used.items()}
        texts = {name: f"{cells[place]}{suffix}" if cells[place] else "" for name, (place, suffix) in used.items()}
        _split_both(texts)
        if header.epoch and (texts.get("pm_ra_mas_yr") or texts.get("pm_dec_mas_yr")):
            texts["epoch"] = header.epoch
        for name, cell in texts.items():
            if name in by_name and not (name in OTHER_COLUMNS and not cell):
                read_cell(row, by_name[name], " ".join(cell.split()), as_given.get(name))
        yield row
    if is_empty:
        problems.stop_if_any()
        problems.stop("there are no rows below the header", expected="at least one", line=header.line)


def _is_comment(line):
    """SIMBAD's lists of objects have a header that begins with ``#`` and a tab."""
    return line.startswith("#") and not re.match(r"#\t", line)


def _used(names, units, line, problems):
    """Return the place of each column of a table of sources, and what its texts lack: a unit."""
    places = {name: place for place, name in enumerate(names)}
    found = {}
    name = next((one for one in NAMES if one in places), None)
    if name is None:
        problems.stop(
            "no column has names of sources",
            expected=f"one of {', '.join(NAMES)}; or --format, if this is no table with tabs between columns",
            line=line,
        )
    found["name"] = places[name], ""
    pair = next((pair for pair in POSITIONS if pair[0] in places and pair[1] in places), None)
    both = next((place for place, one in enumerate(names) if BOTH.fullmatch(one)), None)
    if pair:
        for column, one in (("longitude", pair[0]), ("latitude", pair[1])):
            unit = units[places[one]]
            if unit not in ANGLE_UNITS:
                problems.stop(
                    f"unit {shown(unit)} is not that of an angle",
                    expected=f"one of {listed(filter(None, ANGLE_UNITS))}",
                    line=line,
                    column=one,
                )
            found[column] = places[one], ANGLE_UNITS[unit]
        found[f"system {pair[2]}"] = places[pair[0]], ""
    elif both is not None:
        found["both"], found["system ICRS"] = (both, ""), (both, "")
    else:
        wanted = ", ".join(f"{one} and {other}" for one, other, _ in POSITIONS)
        problems.stop("no columns have positions", expected=f"{wanted} or coord1 (ICRS,J2000/J2000)", line=line)
    for column, others in OTHER_COLUMNS.items():
        one = next((one for one in others if one in places), None)
        if one and units[places[one]] in ("", *UNITS[column]):
            found[column] = places[one], ""
    return found


def _split_both(texts):
    """Put the system, and longitude and latitude of one text, in columns of their own."""
    system = next(name for name in texts if name.startswith("system "))
    del texts[system]
    texts["system"] = system.removeprefix("system ")
    if both := texts.pop("both", None):
        parts = re.fullmatch(r"(.*\S)\s+([+-].*)", both)
        texts["longitude"], texts["latitude"] = parts.groups() if parts else (both, "")


def _epoch(lines, used, names):
    """Return the epoch that VizieR's comment on the column of the longitude names."""
    if "longitude" not in used:
        return ""
    name = names[used["longitude"][0]]
    for line in lines:
        if line.startswith("#Column") and line.split("\t")[1:2] and line.split("\t")[1].strip().casefold() == name:
            found = EPOCH.search(line)
            return f"J{found[1]}" if found and "ICRS" in line else ""
    return ""
