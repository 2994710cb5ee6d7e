"""Schedules as files describe them: blocks of time, and what is observed in each."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from opsdb.normalization import escape_unstorable

from ..spool import Spool

SCIENCE, CALIBRATION, SLEW, IDLE = "science", "calibration", "slew", "idle"
BLOCK_TYPES = (SCIENCE, CALIBRATION, SLEW, IDLE)
CONSTANT_ELEVATION_SCAN = "constant_el"
PLANNED = ("scan_type", "field", "velocity_deg_s", "scan_parameters")
"""What all blocks of one name have in common."""

AZIMUTH_RANGE_DEG = (-360.0, 720.0)
ELEVATION_RANGE_DEG = (0.0, 90.0)
LONGEST_OBSERVED = timedelta(hours=24)


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
    blocks: Spool[Block]
    header_line: int
    ignored_columns: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """Name of the file as text, without its folder."""
        return escape_unstorable(self.path.name)

    def count(self, block_type: str) -> int:
        """Return the number of blocks of a type."""
        return self._counted[block_type]

    @cached_property
    def _counted(self):
        return Counter(block.type for block in self.blocks)

    def observed(self) -> Iterator[Block]:
        """Yield the blocks in which something is observed, in the order of the file."""
        return (block for block in self.blocks if block.is_observed)


class Sweep(NamedTuple):
    """What a block sweeps: from and to a moment (seconds since 1970) and an azimuth, at an elevation (degrees)."""

    start: float
    end: float
    azimuth_min_deg: float
    azimuth_max_deg: float
    elevation_deg: float

    @classmethod
    def of(cls, block: Block) -> Sweep:
        """Return what a block sweeps."""
        start, end = block.start.timestamp(), block.end.timestamp()
        return cls(start, end, block.azimuth_min_deg, block.azimuth_max_deg, block.elevation_deg)


@dataclass
class BlocksOfUnit:
    """What the blocks of one name have in common.

    Attributes:
        first: the first of them in the file.
        number: how many they are.
        longest: duration of the longest.
        end: when the last one ends.
        elevation_deg: the elevation of all of them, or None if they differ.
        swept: what those sweep whose field follows from that, as the file gives none; five numbers of each one after
            the other, see :class:`Sweep`.
        other: one whose scan or field is not that of the first, if there is one.
        differing: name of the column in which it differs.
    """

    first: Block
    number: int = 0
    longest: timedelta = timedelta(0)
    end: datetime = datetime.min.replace(tzinfo=UTC)
    elevation_deg: float | None = None
    swept: array[float] = dataclass_field(default_factory=lambda: array("d"))
    other: Block | None = None
    differing: str = ""

    def sweeps(self) -> Iterator[Sweep]:
        """Yield what is swept."""
        for place in range(0, len(self.swept), len(Sweep._fields)):
            yield Sweep(*self.swept[place : place + len(Sweep._fields)])

    def add(self, block: Block) -> None:
        """Add a block, the first one too."""
        if self.number == 0:
            self.elevation_deg = block.elevation_deg
        elif block.elevation_deg != self.elevation_deg:
            self.elevation_deg = None
        self.number += 1
        self.longest = max(self.longest, block.end - block.start)
        self.end = max(self.end, block.end)
        if self.first.field is None and block.scan_type == CONSTANT_ELEVATION_SCAN:
            self.swept.extend(Sweep.of(block))
        if self.other is None:
            names = (name for name in PLANNED if getattr(block, name) != getattr(self.first, name))
            self.differing = next(names, "")
            self.other = block if self.differing else None
