"""Reading the blocks of a schedule from the cells of its rows, whatever the format of the file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ..errors import LoadProblems, shown
from ..json_text import JsonError, read_json
from .blocks import (
    AZIMUTH_RANGE_DEG,
    BLOCK_TYPES,
    CALIBRATION,
    CONSTANT_ELEVATION_SCAN,
    ELEVATION_RANGE_DEG,
    IDLE,
    LONGEST_OBSERVED,
    SCIENCE,
    SLEW,
    Block,
    SkyField,
)

CALIBRATION_TYPES = ("retune", "pointing_cal", "focus", "skydip", "planet_cal", "beam_map")

REQUIRED_COLUMNS = ("start_time", "stop_time", "name", "azmin", "azmax", "el")
COLUMN_UNITS = {
    "boresight_angle": "deg",
    "azmin": "deg",
    "azmax": "deg",
    "az_final": "deg",
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

LARGEST_INDEX = 2**31 - 1
LONGEST_NAME = 200
ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?")


def read_blocks(
    values: Mapping[str, Sequence[Any]], row_lines: Sequence[int], problems: LoadProblems, *, azimuth_may_wrap: bool
) -> Iterator[Block]:
    """Yield a block for every row; what is wrong with rows is noted.

    Args:
        values: lists of cells by column.
        row_lines: where each row begins.
        problems: those of the file.
        azimuth_may_wrap: whether an upper azimuth below the lower one is across north, and not an error.

    Raises:
        LoadError: there are too many problems.
    """
    typed = "block_type" in values
    for position, line in enumerate(row_lines):
        row = ScheduleRow(line, {name: column[position] for name, column in values.items()}, problems)
        block = _read_block(row, typed, azimuth_may_wrap)
        if block:
            yield block


def _read_block(row, typed, azimuth_may_wrap):
    known_problems = len(row.problems.found)
    name = row.text("name", default="")
    block_type = row.text("block_type") if typed else _type_by_name(name)
    if block_type not in BLOCK_TYPES:
        row.problem(f"{shown(block_type)} is not a block type", "block_type", f"one of {', '.join(BLOCK_TYPES)}")
        return None
    observed = block_type in (SCIENCE, CALIBRATION)
    if observed and not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
        row.problem(
            f"{shown(name)} is not a name", "name", f"1 to {LONGEST_NAME} characters without control characters"
        )

    start, end = row.time("start_time"), row.time("stop_time")
    if start and end and (end < start or (observed and end == start)):
        row.problem(
            f"the block ends at {end.isoformat()}, but starts at {start.isoformat()}",
            "stop_time",
            "a later time",
        )
    elif start and end and observed and end - start > LONGEST_OBSERVED:
        row.problem(
            f"the block lasts from {start.isoformat()} to {end.isoformat()}",
            "stop_time",
            f"a time at most {LONGEST_OBSERVED // timedelta(hours=1)} hours after the start; check the dates of both",
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
            "azimuth_final_deg": row.final_azimuth("az_final"),
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

    TOAST itself leaves out every line with SPECIAL.
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
        row.problem(
            f"the field {height:g}° high at declination {dec:g}° reaches beyond the pole",
            "height",
            f"at most {2 * (90 - abs(dec)):g} degrees there",
        )
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
        row.problem(f"target {shown(target)} is not a name", "block_meta_json", "a text or null")
        target = ""
    # Right ascension and declination 0/0 stand for "no target" here; only a target is a place to look at.
    return {"scan_type": scan_type, "target": target.strip()}


class ScheduleRow:
    """The cells of one row; every getter notes a problem and returns None if a cell is wrong."""

    def __init__(self, line: int, cells: dict[str, Any], problems: LoadProblems):
        self.line = line
        self.cells = cells
        self.problems = problems

    def problem(self, message: str, column: str, expected: str = "") -> None:
        self.problems.add(message, expected=expected, line=self.line, column=column)

    def text(self, column: str, default: str | None = None) -> str | None:
        value = self.cells.get(column)
        if value is None:
            if default is None:
                self.problem("the value is missing", column)
            return default
        return str(value).strip()

    def number(
        self, column: str, what: str, low: float = -math.inf, high: float = math.inf, optional: bool = False
    ) -> float | None:
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
            self.problem(f"{shown(value)} is not a finite number", column, expected)
            return None
        if not low <= number <= high:
            self.problem(f"{shown(value)} is out of range", column, expected)
            return None
        return number

    def final_azimuth(self, column: str) -> float | None:
        """Return the azimuth at the end of a block; the planner writes NaN where it has no meaning."""
        value = self.cells.get(column)
        if isinstance(value, float) and math.isnan(value):
            return None
        return self.number(column, "an azimuth in degrees", *AZIMUTH_RANGE_DEG, optional=True)

    def index(self, column: str) -> int | None:
        number = self.number(column, "a whole number", -LARGEST_INDEX, LARGEST_INDEX, optional=True)
        if number is not None and number != int(number):
            self.problem(f"{shown(self.cells[column])} is not a whole number", column, "a number such as 3")
            return None
        return None if number is None else int(number)

    def time(self, column: str) -> datetime | None:
        value = self.cells.get(column)
        if value is None or value == "":
            return self.problem("the time is missing", column, "UTC such as 2026-06-15 02:00:00.000")
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        text = str(value).strip()
        try:
            if not ISO_TIME.fullmatch(text):
                raise ValueError
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            return self.problem(f"{shown(text)} is not a time", column, "UTC such as 2026-06-15 02:00:00.000")

    def json_object(self, column: str) -> dict[str, Any]:
        value = self.cells.get(column)
        if value is None or value == "":
            return {}
        try:
            parsed, why = read_json(str(value)), ""
        except JsonError as error:
            parsed, why = None, f": it {error}"
        if not isinstance(parsed, dict):
            self.problem(f"{shown(value)} is not a JSON object{why}", column, 'one such as {"spacing": 0.1}, or {}')
            return {}
        return parsed
