"""Reading TOAST's text schedules: columns are recognized by their names, in the files of every version of TOAST."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from ..errors import LoadProblems, shown
from ..spool import Spool, batches
from ..text_files import lines_of
from .blocks import Block, Schedule
from .headers import is_comment, read_site
from .rows import KNOWN_COLUMNS, read_blocks

# What the line of column names calls a column, by the name that it has here; longer names come before their beginnings.
# The names of all four layouts that TOAST has written, with and without rotation, concise and verbose.
COLUMN_NAMES = {
    "start_time": ("start time utc",),
    "stop_time": ("stop time utc",),
    "start_mjd": ("start mjd",),
    "stop_mjd": ("stop mjd",),
    "boresight_angle": ("rotation",),
    "name": ("patch name",),
    "azmin": ("az min",),
    "azmax": ("az max",),
    "el": ("elev", "el"),
    "rising_or_setting": ("r/s",),
    **{
        f"{body}_{angle}{end}": (f"{body} {angle}{end}",)
        for body in ("sun", "moon")
        for end in (1, 2)
        for angle in ("el", "az")
    },
    "moon_phase": ("moon phase", "phase"),
    "scan_index": ("pass",),
    "subscan_index": ("sub",),
    "cumulative_time": ("ctime",),
}
_BY_NAME = {name: column for column, names in COLUMN_NAMES.items() for name in names}
_NAMES = re.compile(
    r"\s*("
    + "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(_BY_NAME, key=len, reverse=True))
    + r")\.?(?=\s|$)",
    re.IGNORECASE,
)
NEEDED = ("start_time", "stop_time", "name", "azmin", "azmax", "el")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_toast_text(path: Path, text: str, problems: LoadProblems) -> Schedule:
    """Return the schedule of a text file with ``|`` or white space between fields.

    Args:
        path: for messages.
        text: of the file.
        problems: those of the file.

    Raises:
        LoadError: the file is no text schedule, or rows are wrong.
    """
    content = _numbered(text, comments=False)
    comments = (pair for pair in islice(_numbered(text), 1, None) if is_comment(pair[1]))
    column_line = next((pair for pair in comments if "start" in pair[1].lower()), None)
    site_line, site_text = next(content, (0, ""))
    if not site_text:
        problems.stop(
            "the line with the site's values is missing",
            expected="site, telescope, latitude, longitude and elevation below the line '#Site …'",
            line=2,
        )
    site = _textread_site(site_text, site_line, problems)
    if column_line is None:
        problems.stop(
            "the line with the column names is missing",
            expected="'#Start time UTC  Stop time UTC  Rotation  Patch name  Az min …'",
            line=site_line + 1,
        )
    names = _column_names(*column_line, problems)
    blocks: Spool[Block] = Spool()
    for batch in batches(_fields(content, names, problems)):
        columns = {
            name: [cells[place] for _, cells in batch] for place, name in enumerate(names) if name in KNOWN_COLUMNS
        }
        blocks.extend(read_blocks(columns, [number for number, _ in batch], problems, azimuth_may_wrap=True))
    problems.stop_if_any()
    if not blocks:
        problems.stop("there are no rows below the column names", expected="at least one", line=column_line[0])
    ignored = tuple(name for name in names if name not in KNOWN_COLUMNS and name not in COLUMN_NAMES)
    return Schedule(path=Path(path), **site, blocks=blocks, header_line=site_line, ignored_columns=ignored)


def _numbered(text, *, comments=True):
    """Yield the lines that are not blank, with their numbers."""
    for number, line in enumerate(lines_of(text), 1):
        if line.strip() and (comments or not is_comment(line)):
            yield number, line


def _fields(content, names, problems):
    """Yield the number and the fields of every line that has one for each column."""
    for number, line in content:
        cells = _split_text(line)
        if len(cells) == len(names):
            yield number, cells
        else:
            problems.add(
                f"the row has {len(cells)} fields, the columns are {len(names)}",
                expected=f"{', '.join(names)}; a date and its time count as one field, a name has no spaces",
                line=number,
            )


def _column_names(line, text, problems):
    """Return the names of the columns; an unknown name is separated from its neighbours only by bars."""
    text = text.strip().removeprefix("#").strip()
    if "|" in text:
        texts = [" ".join(name.lower().split()).rstrip(".") for name in text.split("|")]
        names = [_BY_NAME.get(name, name) for name in texts]
    else:
        names, place = [], 0
        while place < len(text.rstrip()):
            found = _NAMES.match(text, place)
            if found is None:
                problems.stop(
                    f"unknown column {shown(text[place:].strip())}",
                    expected=f"names such as {', '.join(name.capitalize() for name in _BY_NAME)}",
                    line=line,
                )
            names.append(_BY_NAME[" ".join(found[1].lower().split())])
            place = found.end()
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        problems.stop(f"column {shown(twice[0])} is repeated", expected="each column once", line=line)
    missing = [name for name in NEEDED if name not in names]
    if missing:
        problems.stop(
            f"columns are missing: {', '.join(missing)}",
            expected=f"at least {', '.join(COLUMN_NAMES[name][0].capitalize() for name in NEEDED)}",
            line=line,
        )
    return names


def _textread_site(text, line, problems):
    parts = [part.strip() for part in text.split("|")] if "|" in text else text.rsplit(maxsplit=4)
    if len(parts) != 5:
        problems.stop(
            f"the site's line has {len(parts)} fields",
            expected="site, telescope, latitude, longitude and elevation",
            line=line,
        )
    site_name, telescope, latitude, longitude, _ = parts
    meta = {"site_name": site_name, "telescope_name": telescope, "site_lat": latitude, "site_lon": longitude}
    return read_site(meta, line, problems)


def _split_text(line):
    if "|" in line:
        return [cell.strip() for cell in line.split("|")]
    cells = []
    for cell in line.split():
        if cells and DATE.fullmatch(cells[-1]) and ":" in cell:
            cells[-1] += f" {cell}"
        else:
            cells.append(cell)
    return cells
