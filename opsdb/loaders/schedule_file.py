"""Reading observing schedules: the planner's ECSV timelines and TOAST's text schedules.

Nothing here knows the database. Formats: docs/formats/slots.md. Facts about them come from the programs that write
them, ``fyst_trajectories.overhead.io`` (github.com/ccatobs/fyst-trajectories) and ``toast.schedule``
(github.com/hpc4cmb/toast).
"""

from __future__ import annotations

import csv
import json
import math
import re
import warnings
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, datetime
from pathlib import Path

from .errors import Problems, listed, shown
from .files import path_of, read_lines

SCIENCE, CALIBRATION, SLEW, IDLE = "science", "calibration", "slew", "idle"
BLOCK_TYPES = (SCIENCE, CALIBRATION, SLEW, IDLE)
CALIBRATION_TYPES = ("retune", "pointing_cal", "focus", "skydip", "planet_cal", "beam_map")
CONSTANT_ELEVATION_SCAN = "constant_el"

REQUIRED_COLUMNS = ("start_time", "stop_time", "name", "azmin", "azmax", "el")
TIME_COLUMNS = ("start_time", "stop_time")
COLUMN_UNITS = {
    "boresight_angle": "deg",
    "azmin": "deg",
    "azmax": "deg",
    "el": "deg",
    "ra_center": "deg",
    "dec_center": "deg",
    "width": "deg",
    "height": "deg",
    "velocity": "deg/s",
}
FIELD_COLUMNS = ("ra_center", "dec_center", "width", "height")
KNOWN_COLUMNS = {
    *REQUIRED_COLUMNS,
    *COLUMN_UNITS,
    "scan_index",
    "subscan_index",
    "block_type",
    "scan_type",
    "rising",
    "scan_params_json",
    "block_meta_json",
}

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

AZIMUTH_RANGE_DEG = (-360.0, 720.0)
ELEVATION_RANGE_DEG = (0.0, 90.0)
LARGEST_INDEX = 2**31 - 1
LONGEST_NAME = 200


@dataclass(frozen=True)
class SkyField:
    """The rectangle on the sky that a block covers; width and height are angles on the sky, in degrees."""

    ra_deg: float
    dec_deg: float
    width_deg: float
    height_deg: float

    def ra_range_deg(self) -> tuple[float, float]:
        """Return the right ascensions of the edges at the centre's declination, from 0 to below 360 degrees.

        The width is an angle on the sky, so the range in right ascension is 1/cos(declination) wider
        (``FieldRegion`` of fyst_trajectories). A field right round the sky gives (0, 360).
        """
        half = self.width_deg / 2 / math.cos(math.radians(self.dec_deg))
        if half >= 180:
            return 0.0, 360.0
        return (self.ra_deg - half) % 360, (self.ra_deg + half) % 360

    def dec_range_deg(self) -> tuple[float, float]:
        """Return the lowest and highest declination, in degrees."""
        return self.dec_deg - self.height_deg / 2, self.dec_deg + self.height_deg / 2


@dataclass(frozen=True)
class Block:
    """One row of a schedule. ``line`` is where it begins in the file; times are UTC, angles degrees."""

    line: int
    name: str
    type: str
    start: datetime
    end: datetime
    azimuth_min_deg: float
    azimuth_max_deg: float
    elevation_deg: float
    boresight_angle_deg: float | None = None
    scan_index: int | None = None
    subscan_index: int | None = None
    scan_type: str = ""
    target: str = ""
    field: SkyField | None = None
    velocity_deg_s: float | None = None
    scan_parameters: dict = dataclass_field(default_factory=dict)

    @property
    def is_observed(self) -> bool:
        """Whether something is observed: slews and idle time are not."""
        return self.type in (SCIENCE, CALIBRATION)


@dataclass(frozen=True)
class Schedule:
    """A schedule file that was read and found sound by itself."""

    path: Path
    site_name: str
    telescope_name: str
    latitude_deg: float | None
    longitude_deg: float | None
    blocks: tuple[Block, ...]
    header_line: int
    ignored_columns: tuple[str, ...] = ()

    def count(self, block_type: str) -> int:
        """Return the number of blocks of a type."""
        return sum(block.type == block_type for block in self.blocks)


def is_schedule(lines) -> bool:
    """Whether lines begin as a schedule does: a comment that says what comes."""
    return lines[0].lstrip().startswith("#")


def read_schedule(file, problems=None) -> Schedule:
    """Read a schedule, an ECSV timeline or a TOAST text schedule; the first line tells which.

    Args:
        file: its path, or an open binary file.
        problems: where to note what is wrong; new ones of this file if not given.

    Raises:
        LoadError: the file can't be read, or rows are wrong; every problem names its line and column.
    """
    path = path_of(file)
    problems = Problems(path) if problems is None else problems
    lines = read_lines(file, problems)
    first = lines[0].lstrip()
    if first.startswith("# %ECSV"):
        return _read_ecsv(path, lines, problems)
    if first.startswith("#") and "site" in first.lower() and "telescope" in first.lower():
        return _read_text(path, lines, problems)
    problems.stop(
        f"{shown(lines[0])} begins no schedule",
        expected="'# %ECSV 1.0' (ECSV timeline) or '#Site Telescope Latitude [deg] …' (TOAST text schedule)",
        line=1,
    )


def _read_ecsv(path, lines, problems):
    from astropy.table.meta import YamlParseError, get_header_from_yaml

    header_length = next((i for i, line in enumerate(lines) if line.strip() and not _is_comment(line)), None)
    if header_length is None:
        problems.stop("the line with the column names is missing", line=len(lines))
    comments = [line.strip().removeprefix("#").removeprefix(" ") for line in lines[1:header_length] if line.strip()]
    try:
        header = get_header_from_yaml(comments)
    except (YamlParseError, TypeError, ValueError, AttributeError) as error:
        mark = getattr(error.__cause__ or error.__context__ or error, "problem_mark", None)
        problems.stop("the YAML header can't be read", expected="an ECSV 1.0 header", line=mark.line + 2 if mark else 1)
    if not isinstance(header, dict) or not _is_list_of_columns(header.get("datatype")):
        problems.stop("the header has no list of columns", expected="'# datatype:' with a name per column", line=1)
    delimiter = header.get("delimiter", " ")
    if delimiter not in (" ", ","):
        problems.stop(f"delimiter {shown(delimiter)} is not allowed", expected="a space or a comma", line=1)

    datatypes = {column["name"]: column.get("datatype", "string") for column in header["datatype"]}
    names, names_line = None, None
    row_lines = []
    rows = []
    for line, cells in _split_rows(lines, header_length, delimiter, problems):
        if names is None:
            names, names_line = cells, line
            _check_columns(names, names_line, problems)
            if names != [column["name"] for column in header["datatype"]]:
                problems.stop(
                    f"the columns are {listed(names, 30)}, the header above declares {listed(datatypes, 30)}",
                    expected="the same names in the same order",
                    line=line,
                )
        elif len(cells) != len(names):
            problems.add(
                f"the row has {len(cells)} fields, the columns are {len(names)}",
                expected="a field for every column; texts with spaces in double quotes",
                line=line,
            )
        else:
            row_lines.append(line)
            rows.append(cells)
    problems.stop_if_any()
    if not rows:
        problems.stop("there are no rows below the column names", line=names_line)

    table = _parse_ecsv(lines, names_line, row_lines, rows, datatypes, problems)
    values = {name: _column_values(table[name], name, names_line, problems) for name in names}
    site_line = next((n for n, line in enumerate(lines[:header_length], 1) if "telescope_name" in line), 1)
    site = _site(table.meta, site_line, problems)
    problems.stop_if_any()
    blocks = _read_blocks(values, row_lines, problems, azimuth_may_wrap=False)
    return Schedule(
        path=Path(path),
        **site,
        blocks=blocks,
        header_line=site_line,
        ignored_columns=tuple(name for name in names if name not in KNOWN_COLUMNS),
    )


def _is_comment(line):
    return line.lstrip().startswith("#")


def _is_list_of_columns(columns):
    return isinstance(columns, list) and all(isinstance(column, dict) and "name" in column for column in columns)


def _check_columns(names, line, problems):
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        problems.stop(f"column {shown(twice[0])} is there twice", expected="every column once", line=line)
    missing = [name for name in REQUIRED_COLUMNS if name not in names]
    if missing:
        problems.stop(
            f"{'columns are' if len(missing) > 1 else 'a column is'} missing: {', '.join(missing)}",
            expected=f"at least {', '.join(REQUIRED_COLUMNS)}",
            line=line,
        )


def _split_rows(lines, start, delimiter, problems):
    """Yield (line number, fields) per row, as astropy splits them: a quoted field may run over several lines."""
    content = [(n, line) for n, line in enumerate(lines[start:], start + 1) if line.strip() and not _is_comment(line)]
    reader = csv.reader(
        (f"{line.strip()}\n" for _, line in content),
        delimiter=delimiter,
        quotechar='"',
        doublequote=True,
        skipinitialspace=True,
    )
    while reader.line_num < len(content):
        first_line, _ = content[reader.line_num]
        try:
            yield first_line, next(reader)
        except csv.Error as error:
            problems.stop(f"the row can't be split into fields: {error}", line=first_line)


def _parse_ecsv(lines, names_line, row_lines, rows, datatypes, problems):
    from astropy.io import ascii as astropy_ascii

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = astropy_ascii.read(lines, format="ecsv", guess=False)
    except Exception as error:  # astropy raises whatever numpy, YAML or a column's own class raised
        for line, cells in zip(row_lines, rows, strict=True):
            for cell, (name, datatype) in zip(cells, datatypes.items(), strict=True):
                if not _fits_datatype(cell, datatype):
                    problems.add(f"{shown(cell)} is no {datatype}", line=line, column=name)
        problems.stop_if_any()
        problems.stop(f"astropy can't read this table: {error}", line=names_line)
    if len(table) != len(rows) or table.colnames != list(datatypes):
        problems.stop("astropy reads other rows or columns than this file shows", line=names_line)
    return table


def _fits_datatype(cell, datatype):
    try:
        if cell == "" or datatype == "string":
            return True
        if datatype.startswith("float"):
            float(cell)
        elif datatype.startswith(("int", "uint")):
            return abs(int(cell)) < 2**63
        elif datatype == "bool":
            return cell in ("True", "False")
    except ValueError:
        return False
    return True


def _column_values(column, name, line, problems):
    """Return the values of an astropy column as Python objects, angles in degrees, nothing as None."""
    from astropy import units
    from astropy.time import Time

    if isinstance(column, Time):
        return column.utc.to_datetime(timezone=UTC).tolist()
    unit = getattr(column, "unit", None)
    if unit is not None and name in COLUMN_UNITS:
        try:
            factor = units.Unit(unit).to(COLUMN_UNITS[name])
        except (units.UnitsError, ValueError, TypeError):
            problems.add(f"unit {shown(unit)}", expected=COLUMN_UNITS[name], line=line, column=name)
            factor = 1
        return [
            value * factor if isinstance(value, float | int) and factor != 1 else value for value in column.tolist()
        ]
    return column.tolist()


def _site(meta, line, problems):
    telescope = meta.get("telescope_name")
    if not isinstance(telescope, str) or not telescope.strip():
        problems.add("telescope_name is missing from the header", expected="'# - {telescope_name: FYST}'", line=line)
    return {
        "site_name": str(meta.get("site_name") or ""),
        "telescope_name": str(telescope or "").strip(),
        "latitude_deg": _site_angle(meta.get("site_lat"), "site_lat", 90, line, problems),
        "longitude_deg": _site_angle(meta.get("site_lon"), "site_lon", 360, line, problems),
    }


def _site_angle(value, name, limit, line, problems):
    if value is None:
        return None
    try:
        degrees = float(value.to_value("deg") if hasattr(value, "to_value") else value)
    except (TypeError, ValueError):
        degrees = math.nan
    if not -limit <= degrees <= limit:
        problems.add(
            f"{shown(value)} is no angle",
            expected=f"degrees from -{limit} to {limit}",
            line=line,
            column=name,
        )
        return None
    return degrees


def _read_text(path, lines, problems):
    """Read TOAST's text schedules, the concise and the older verbose one, with ``|`` or white space between fields."""
    from astropy.io import ascii as astropy_ascii

    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    content = [(number, line) for number, line in numbered if not _is_comment(line)]
    column_line = next((pair for pair in numbered[1:] if _is_comment(pair[1]) and "start" in pair[1].lower()), None)
    if not content:
        problems.stop("the line with the site's values is missing", line=2)
    (site_line, site_text), *rows = content
    site = _text_site(site_text, site_line, problems)
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
    blocks = _read_blocks(
        {name: table[name].tolist() for name in names if name in KNOWN_COLUMNS},
        [number for number, _ in fields],
        problems,
        azimuth_may_wrap=True,
    )
    return Schedule(path=Path(path), **site, blocks=blocks, header_line=site_line)


def _text_site(text, line, problems):
    parts = [part.strip() for part in text.split("|")] if "|" in text else text.rsplit(maxsplit=4)
    if len(parts) != 5:
        problems.stop(
            f"the site's line has {len(parts)} fields",
            expected="site, telescope, latitude, longitude and elevation",
            line=line,
        )
    site_name, telescope, latitude, longitude, _ = parts
    meta = {"site_name": site_name, "telescope_name": telescope, "site_lat": latitude, "site_lon": longitude}
    return _site(meta, line, problems)


DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


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


def _read_blocks(values, row_lines, problems, azimuth_may_wrap):
    typed = "block_type" in values
    blocks = []
    for position, line in enumerate(row_lines):
        row = _Row(line, {name: column[position] for name, column in values.items()}, problems)
        block = _read_block(row, typed, azimuth_may_wrap)
        if block:
            blocks.append(block)
    problems.stop_if_any()
    return tuple(blocks)


def _read_block(row, typed, azimuth_may_wrap):
    known_problems = len(row.problems.found)
    name = row.text("name", default="")
    block_type = row.text("block_type") if typed else _type_by_name(name)
    if block_type not in BLOCK_TYPES:
        row.problem(f"{shown(block_type)} is no block type", "block_type", f"one of {', '.join(BLOCK_TYPES)}")
        return None
    observed = block_type in (SCIENCE, CALIBRATION)
    if observed and not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
        row.problem(f"{shown(name)} is no name", "name", f"1 to {LONGEST_NAME} characters without control characters")

    start, end = row.time("start_time"), row.time("stop_time")
    if start and end and (end < start or (observed and end == start)):
        row.problem(
            f"the block ends at {end.isoformat()}, but starts at {start.isoformat()}",
            "stop_time",
            "a later time",
        )

    azimuth_range = AZIMUTH_RANGE_DEG if observed else (-math.inf, math.inf)
    azimuth_min = row.number("azmin", "an azimuth in degrees", *azimuth_range)
    azimuth_max = row.number("azmax", "an azimuth in degrees", *azimuth_range)
    # The planner gives a slew the elevation that its target will have, which may be below the horizon.
    elevation = row.number(
        "el", "an elevation in degrees", *(ELEVATION_RANGE_DEG if observed else (-math.inf, math.inf))
    )
    if observed and None not in (azimuth_min, azimuth_max) and azimuth_max < azimuth_min:
        if azimuth_may_wrap and azimuth_max + 360 <= AZIMUTH_RANGE_DEG[1]:
            azimuth_max += 360
        else:
            row.problem(
                f"{azimuth_max:g} is below azmin, which is {azimuth_min:g}",
                "azmax",
                "azmin to azmax in growing order; across north as 350 to 370",
            )
    details = _science_details(row) if block_type == SCIENCE else {}
    if block_type == CALIBRATION:
        details = _calibration_details(row, name)
    if observed:
        details |= {
            "boresight_angle_deg": row.number("boresight_angle", "an angle in degrees", optional=True),
            "scan_index": row.index("scan_index"),
            "subscan_index": row.index("subscan_index"),
        }
    if len(row.problems.found) > known_problems:
        return None
    return Block(
        line=row.line,
        name=name,
        type=block_type,
        start=start,
        end=end,
        azimuth_min_deg=azimuth_min,
        azimuth_max_deg=azimuth_max,
        elevation_deg=elevation,
        **details,
    )


def _type_by_name(name):
    """Return the type of a block in a file without that column, by the names the planner gives.

    TOAST itself leaves out every line that says SPECIAL.
    """
    if name in CALIBRATION_TYPES:
        return CALIBRATION
    if name.startswith("slew_to_") or name == SLEW:
        return SLEW
    if name == IDLE or "SPECIAL" in name:
        return IDLE
    return SCIENCE


def _science_details(row):
    details = {
        "scan_type": row.text("scan_type", default="") or CONSTANT_ELEVATION_SCAN,
        "scan_parameters": row.json_object("scan_params_json"),
        "field": _sky_field(row),
    }
    velocity = row.number("velocity", "a velocity in degrees per second", 0, 10, optional=True)
    # 0 is what the planner writes for "unknown": its patches refuse a velocity of 0.
    details["velocity_deg_s"] = velocity or None
    row.json_object("block_meta_json")
    return details


def _sky_field(row):
    known_problems = len(row.problems.found)
    ra = row.number("ra_center", "a right ascension in degrees", -360, 360, optional=True)
    dec = row.number("dec_center", "a declination in degrees", -90, 90, optional=True)
    width = row.number("width", "an angle in degrees", 0, 360, optional=True)
    height = row.number("height", "an angle in degrees", 0, 180, optional=True)
    numbers = (ra, dec, width, height)
    if not any(numbers) or len(row.problems.found) > known_problems:
        return None
    if None in numbers or not (width and height):
        wrong = next(name for name, number in zip(FIELD_COLUMNS[::-1], numbers[::-1], strict=True) if not number)
        row.problem("a field on the sky needs a centre, a width and a height above 0", wrong, "all four, or none")
        return None
    if abs(dec) + height / 2 > 90:
        row.problem(f"the field {height:g}° high at declination {dec:g}° reaches beyond the pole", "height")
        return None
    return SkyField(ra % 360, dec, width, height)


def _calibration_details(row, name):
    meta = row.json_object("block_meta_json")
    scan_type = row.text("scan_type", default="") or name
    calibration = meta.get("cal_type", scan_type)
    if calibration != scan_type:
        row.problem(
            f"cal_type is {shown(calibration)}, but scan_type is {shown(scan_type)}",
            "block_meta_json",
            "the same",
        )
    target = meta.get("target") or ""
    if not isinstance(target, str):
        row.problem(f"target {shown(target)} is no name", "block_meta_json", "a text or null")
        target = ""
    # Right ascension and declination 0/0 stand for "no target" here; only a target is a place to look at.
    return {"scan_type": scan_type, "target": target.strip()}


ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?")


class _Row:
    """The cells of one row; every getter notes a problem and returns None when a cell is not as it should be."""

    def __init__(self, line, cells, problems):
        self.line = line
        self.cells = cells
        self.problems = problems

    def problem(self, message, column, expected=""):
        self.problems.add(message, expected=expected, line=self.line, column=column)

    def text(self, column, default=None):
        value = self.cells.get(column)
        if value is None:
            if default is None:
                self.problem("the value is missing", column)
            return default
        return str(value).strip()

    def number(self, column, what, low=-math.inf, high=math.inf, optional=False):
        value = self.cells.get(column)
        if value is None or value == "":
            if not optional:
                self.problem("the value is missing", column, what)
            return None
        expected = what if math.isinf(low) else f"{what} from {low:g} to {high:g}"
        try:
            number = math.nan if isinstance(value, bool) or "_" in str(value) else float(value)
        except (TypeError, ValueError):
            number = None
        if number is None or not math.isfinite(number):
            self.problem(f"{shown(value)} is no finite number", column, expected)
            return None
        if not low <= number <= high:
            self.problem(f"{shown(value)} is out of range", column, expected)
            return None
        return number

    def index(self, column):
        number = self.number(column, "a whole number", -LARGEST_INDEX, LARGEST_INDEX, optional=True)
        if number is not None and number != int(number):
            self.problem(f"{shown(self.cells[column])} is no whole number", column)
            return None
        return None if number is None else int(number)

    def time(self, column):
        value = self.cells.get(column)
        if value is None or value == "":
            return self.problem("the time is missing", column, "UTC such as 2026-06-15 02:00:00.000")
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        try:
            if not ISO_TIME.fullmatch(text):
                raise ValueError
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            return self.problem(f"{shown(text)} is no time", column, "UTC such as 2026-06-15 02:00:00.000")

    def json_object(self, column):
        value = self.cells.get(column)
        if value is None or value == "":
            return {}
        try:
            parsed = json.loads(str(value), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict):
            self.problem(f"{shown(value)} is no JSON object", column, 'such as {"spacing": 0.1} or {}')
            return {}
        return parsed


def _refuse_constant(name):
    raise ValueError(f"{name} is no JSON number")
