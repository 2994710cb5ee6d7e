"""Schedules as files describe them: blocks of time, and what is observed in each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from pathlib import Path

SCIENCE, CALIBRATION, SLEW, IDLE = "science", "calibration", "slew", "idle"
BLOCK_TYPES = (SCIENCE, CALIBRATION, SLEW, IDLE)
CONSTANT_ELEVATION_SCAN = "constant_el"

AZIMUTH_RANGE_DEG = (-360.0, 720.0)
ELEVATION_RANGE_DEG = (0.0, 90.0)


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
    azimuth_final_deg: float | None = None
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
