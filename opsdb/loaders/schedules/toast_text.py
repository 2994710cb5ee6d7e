"""Reading TOAST's text schedules, the concise and the older verbose one."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import LoadProblems
from .blocks import Schedule
from .headers import is_comment, read_site
from .rows import KNOWN_COLUMNS, read_blocks

TEXT_COLUMNS = (
    "start_time",
    "stop_time",
    "boresight_angle",
    "name",
    "azmin",
    "azmax",
    "el",
    "scan_index",
    "subscan_index",
)
VERBOSE_TEXT_COLUMNS = (
    *("start_time", "stop_time", "start_mjd", "stop_mjd", "boresight_angle", "name", "azmin", "azmax", "el"),
    *("rising_or_setting", "sun_el1", "sun_az1", "sun_el2", "sun_az2"),
    *("moon_el1", "moon_az1", "moon_el2", "moon_az2", "moon_phase"),
    *("scan_index", "subscan_index", "cumulative_time"),
)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_toast_text(path: Path, lines: list[str], problems: LoadProblems) -> Schedule:
    """Return the schedule of a text file with ``|`` or white space between fields.

    Args:
        path: for messages.
        lines: of the file.
        problems: those of the file.

    Raises:
        LoadError: the file is no text schedule, or rows are wrong.
    """
    from astropy.io import ascii as astropy_ascii

    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    content = [(number, line) for number, line in numbered if not is_comment(line)]
    column_line = next((pair for pair in numbered[1:] if is_comment(pair[1]) and "start" in pair[1].lower()), None)
    if not content:
        problems.stop("the line with the site's values is missing", line=2)
    (site_line, site_text), *rows = content
    site = _textread_site(site_text, site_line, problems)
    if column_line is None:
        problems.stop(
            "the line with the column names is missing",
            expected="'#Start time UTC  Stop time UTC  Rotation  Patch name  Az min …'",
            line=site_line + 1,
        )
    names = VERBOSE_TEXT_COLUMNS if "mjd" in column_line[1].lower() else TEXT_COLUMNS
    if not rows:
        problems.stop("there are no rows below the column names", line=column_line[0])

    fields = [(number, _split_text(line)) for number, line in rows]
    for number, cells in fields:
        if len(cells) != len(names):
            problems.add(
                f"the row has {len(cells)} fields, the columns are {len(names)}",
                expected=f"{', '.join(names)}; a date and its time count as one field, a name has no spaces",
                line=number,
            )
    problems.stop_if_any()
    table = astropy_ascii.read(
        ["\t".join(cells) for _, cells in fields],
        format="no_header",
        guess=False,
        delimiter="\t",
        quotechar="\0",
        comment="\0",
        fast_reader=False,
        fill_values=None,
        names=names,
        converters={"*": [astropy_ascii.convert_numpy(str)]},
    )
    blocks = read_blocks(
        {name: table[name].tolist() for name in names if name in KNOWN_COLUMNS},
        [number for number, _ in fields],
        problems,
        azimuth_may_wrap=True,
    )
    return Schedule(path=Path(path), **site, blocks=blocks, header_line=site_line)


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
