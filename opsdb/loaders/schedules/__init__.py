"""Observing schedules: the planner's ECSV timelines and TOAST's text schedules.

Nothing here knows the database. Formats: docs/formats/slots.md. Facts about them come from the programs that write
them, ``fyst_trajectories.overhead.io`` (github.com/ccatobs/fyst-trajectories) and ``toast.schedule``
(github.com/hpc4cmb/toast).
"""

from __future__ import annotations

from ..errors import LoadProblems, shown
from ..text_files import LoadFile, lines_of, path_of, read_text
from .blocks import (
    AZIMUTH_RANGE_DEG,
    CALIBRATION,
    CONSTANT_ELEVATION_SCAN,
    ELEVATION_RANGE_DEG,
    IDLE,
    LONGEST_OBSERVED,
    SCIENCE,
    SLEW,
    Block,
    BlocksOfUnit,
    Schedule,
    SkyField,
    Sweep,
)
from .ecsv import read_ecsv
from .toast_text import read_toast_text

__all__ = [
    "AZIMUTH_RANGE_DEG",
    "CALIBRATION",
    "CONSTANT_ELEVATION_SCAN",
    "ELEVATION_RANGE_DEG",
    "IDLE",
    "LONGEST_OBSERVED",
    "SCIENCE",
    "SLEW",
    "Block",
    "BlocksOfUnit",
    "Schedule",
    "SkyField",
    "Sweep",
    "is_schedule",
    "names_format",
    "read_schedule",
]


def is_schedule(text: str) -> bool:
    """Return whether a text begins as a schedule does: with a comment that announces the format."""
    return _first_line(text).lstrip().startswith("#")


def names_format(text: str) -> bool:
    """Return whether the first line of a text announces one of the formats of schedules that are read."""
    return _reader_of(text) is not None


def read_schedule(file: LoadFile, problems: LoadProblems | None = None, text: str | None = None) -> Schedule:
    """Read a schedule, an ECSV timeline or a TOAST text schedule; the first line decides which.

    Args:
        file: its path, or an open binary file.
        problems: where problems are noted; new ones of this file by default.
        text: of the file, if it was read before.

    Raises:
        LoadError: the file can't be read, or rows are wrong; every problem names its line and column.
    """
    path = path_of(file)
    problems = LoadProblems(path) if problems is None else problems
    text = read_text(file, problems) if text is None else text
    if read := _reader_of(text):
        return read(path, text, problems)
    problems.stop(
        f"{shown(_first_line(text))} is not the beginning of a schedule",
        expected="'# %ECSV 1.0' (ECSV timeline) or '#Site Telescope Latitude [deg] …' (TOAST text schedule)",
        line=1,
    )


def _reader_of(text):
    first = _first_line(text).lstrip()
    if first.startswith("# %ECSV"):
        return read_ecsv
    if first.startswith("#") and "site" in first.lower() and "telescope" in first.lower():
        return read_toast_text
    return None


def _first_line(text):
    return next(lines_of(text)).rstrip("\r\n")
