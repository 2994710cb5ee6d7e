"""Tab-separated tables of VizieR and SIMBAD.

Layouts: VizieR's ``asu-tsv`` (comments with ``#Column``, names, units, a line of dashes, rows), and SIMBAD's tables of
the TAP service and of lists of objects. Columns without a meaning here are left out, and named in the plan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..cells import TableColumn
from ..errors import LoadProblems, listed
from ..tables import TableRow, read_cell

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
EPOCH = re.compile(r"Ep(?:och)?[=\s]*J?((?:19|20)\d\d(?:\.\d+)?)", re.IGNORECASE)


def read_tab_separated(lines: Sequence[str], columns: Sequence[TableColumn], problems: LoadProblems) -> list[TableRow]:
    """Return the rows of a tab-separated table, as those of a table of sources; what is wrong is noted.

    Args:
        lines: of the file.
        columns: of a table of sources.
        problems: those of the file.

    Raises:
        LoadError: the header has no names or positions, or there are no rows.
    """
    content = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not _is_comment(line)]
    (header_line, header), *body = content
    names = [name.strip().strip('"').casefold() for name in header.removeprefix("#").split("\t")]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        problems.stop(f"column {twice[0]} is repeated", expected="each column once", line=header_line)
    dashes = next((place for place, (_, line) in enumerate(body[:3]) if re.fullmatch(r"[-\t ]*-[-\t ]*", line)), None)
    units = [""] * len(names)
    if dashes:
        units = [unit.strip() for unit in body[0][1].split("\t")]
        units += [""] * (len(names) - len(units))
    body = body[dashes + 1 :] if dashes is not None else body
    used = _used(names, units, header_line, problems)
    epoch = _epoch(lines, used, names)
    by_name = {column.name: column for column in columns}
    rows = []
    for number, line in body:
        cells = [cell.strip().strip('"').strip() for cell in line.split("\t")]
        row = TableRow(problems, number, {})
        if len(cells) < len(names) and len(cells) <= max(place for place, _ in used.values()):
            row.problem(
                f"the row has {len(cells)} fields, the header {len(names)}", expected="a field for every column"
            )
            continue
        texts = {name: f"{cells[place]}{suffix}" if cells[place] else "" for name, (place, suffix) in used.items()}
        _split_both(texts)
        if epoch and (texts.get("pm_ra_mas_yr") or texts.get("pm_dec_mas_yr")):
            texts["epoch"] = epoch
        for name, text in texts.items():
            if name in by_name and not (name in OTHER_COLUMNS and not text):
                read_cell(row, by_name[name], " ".join(text.split()))
        rows.append(row)
    if not rows:
        problems.stop_if_any()
        problems.stop("there are no rows below the header", expected="at least one", line=header_line)
    return rows


def unused_columns(lines: Sequence[str], problems: LoadProblems) -> list[str]:
    """Return the names of columns that :func:`read_tab_separated` leaves out."""
    header = next(line for line in lines if line.strip() and not _is_comment(line))
    names = [name.strip().strip('"') for name in header.removeprefix("#").split("\t")]
    used = {place for place, _ in _used([name.casefold() for name in names], [""] * len(names), 1, problems).values()}
    return [name for place, name in enumerate(names) if name and place not in used]


def _is_comment(line):
    """SIMBAD's lists of objects have a header that begins with ``#`` and a tab."""
    return line.startswith("#") and not re.match(r"#\t", line)


def _used(names, units, line, problems):
    """Return the place of each column of a table of sources, and what its texts lack: a unit."""
    places = {name: place for place, name in enumerate(names)}
    found = {}
    name = next((one for one in NAMES if one in places), None)
    if name is None:
        problems.stop("no column has names of sources", expected=f"one of {', '.join(NAMES)}", line=line)
    found["name"] = places[name], ""
    pair = next((pair for pair in POSITIONS if pair[0] in places and pair[1] in places), None)
    both = next((place for place, one in enumerate(names) if BOTH.fullmatch(one)), None)
    if pair:
        for column, one in (("longitude", pair[0]), ("latitude", pair[1])):
            unit = units[places[one]]
            if unit not in ANGLE_UNITS:
                problems.stop(
                    f"unit {unit!r}", expected=f"one of {listed(filter(None, ANGLE_UNITS))}", line=line, column=one
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
