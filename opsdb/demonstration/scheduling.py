"""Planning a night: units that are up, by turns, and calibrations between them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from opsdb.models import (
    ConfigurationType,
    InstrumentModuleConfiguration,
    ObsUnit,
    PreScheduledSlot,
    ProgramKind,
    Telescope,
)

from .facts import (
    BRIEF_OBSERVATIONS,
    CALIBRATIONS,
    DEFAULT_HOURS,
    HIGHEST_DEG,
    LOWEST_DEG,
    NIGHT,
    NIGHT_BEGINS,
    ORIGIN,
    PARTS,
    SCIENCE,
    SETTLING,
)
from .nights import Night
from .setting import DemoSetting

J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class NightBlock:
    """A time at which the telescope executes a unit.

    Attributes:
        unit: what is executed.
        start: when it begins.
        end: when it ends.
        configurations: how the modules are set up that write files.
        elevation_deg: where the telescope looks.
        azimuth_deg: likewise, or None.
    """

    unit: ObsUnit
    start: datetime
    end: datetime
    configurations: tuple[InstrumentModuleConfiguration, ...]
    elevation_deg: float
    azimuth_deg: float | None

    def as_slot(self, telescope: Telescope) -> PreScheduledSlot:
        """Return the slot that plans it."""
        return PreScheduledSlot(
            obs_unit=self.unit,
            telescope=telescope,
            start_time=self.start,
            end_time=self.end,
            elevation_deg=round(self.elevation_deg, 2),
            azimuth_min_deg=self.azimuth_deg,
            azimuth_max_deg=self.azimuth_deg,
            origin=ORIGIN,
        )


@dataclass
class NightPlanner:
    """Plans nights.

    Attributes:
        setting: telescope, units and modules.
        hours: how long each unit was observed in the nights that were planned; the unit with the least comes next.
    """

    setting: DemoSetting
    hours: dict[int, float] = field(default_factory=dict)

    def begin_of(self, night: Night) -> datetime:
        """Return when a night begins at the telescope (UTC)."""
        evening = datetime.combine(night.date, NIGHT_BEGINS, tzinfo=UTC)
        begin = evening - timedelta(hours=self.setting.telescope.longitude_deg / 15)
        return begin.replace(second=0, microsecond=0)

    def plan(self, night: Night, limit: int | None = None, at_least: int = 0) -> list[NightBlock]:
        """Return the blocks of a night in their order.

        Args:
            night: which one.
            limit: how many blocks at the most.
            at_least: how many; units are executed for a part of their time where these are more than fit otherwise.
        """
        before = self.hours
        for part in PARTS:
            self.hours = dict(before)
            blocks = list(self._blocks(night, part))
            if len(blocks) >= at_least:
                break
        if night.is_brief:
            blocks = _few(blocks)
        return blocks[:limit]

    def _blocks(self, night: Night, part: float) -> Iterator[NightBlock]:
        moment = self.begin_of(night)
        end = moment + NIGHT
        last: dict[str, datetime] = {}
        while moment < end:
            chosen = self._choose(moment)
            if chosen is None:
                moment += timedelta(minutes=10)
                continue
            unit, place = chosen
            configurations = self.setting.configurations_of(unit)
            for mode in self._due(moment, last, is_camera(configurations)):
                calibration, took = self.setting.calibrations[mode], CALIBRATIONS[mode][1]
                yield NightBlock(calibration, moment, moment + took, configurations[:1], *place)
                last[mode] = moment
                moment += took
            took = part * timedelta(seconds=unit.planned_duration_seconds or SCIENCE.total_seconds())
            yield NightBlock(unit, moment, moment + took, configurations, *place)
            self.hours[unit.pk] = self.hours.get(unit.pk, 0.0) + took / timedelta(hours=1)
            moment += took + SETTLING

    def _due(self, moment, last, is_camera):
        for mode in self.setting.calibrations:
            interval = CALIBRATIONS[mode][0]
            if is_camera if interval is None else mode not in last or moment - last[mode] >= interval:
                yield mode

    def _choose(self, moment):
        """Return the unit that comes next, of those that are up, and where it is; None if none is."""
        places = {unit: place for unit in self.setting.science if (place := self._place(unit, moment))}
        if not places:
            return None
        unit = min(places, key=lambda unit: (self.hours.get(unit.pk, 0.0) / self._share(unit), unit.name))
        return unit, places[unit]

    def _share(self, unit):
        """Return how much of the time a unit is due: its part of what its program was allocated last."""
        program = unit.observing_program_id
        units = sum(other.observing_program_id == program for other in self.setting.science)
        return self.setting.allocated.get(program, DEFAULT_HOURS) / units

    def _place(self, unit, moment):
        """Return elevation and azimuth of a unit's source, degrees; None when it can't be observed then."""
        sidereal = sidereal_hours(moment, self.setting.telescope.longitude_deg)
        source = unit.source.specific
        if hasattr(source, "azimuth_ranges"):
            ranges = list(source.azimuth_ranges.all())
            for one in ranges:
                start, stop = one.lst_start_hours or 0.0, one.lst_end_hours or 24.0
                if (sidereal - start) % 24 <= (stop - start) % 24:
                    return source.elevation_deg or LOWEST_DEG, (one.azimuth_min_deg + one.azimuth_max_deg) / 2
            return None if ranges else (source.elevation_deg or LOWEST_DEG, None)
        height = elevation(source.ra_deg, source.dec_deg, 15 * sidereal, self.setting.telescope.latitude_deg)
        lowest = unit.elevation_min_deg or LOWEST_DEG
        return (height, None) if lowest <= height <= (unit.elevation_max_deg or HIGHEST_DEG) else None


def _few(blocks: list[NightBlock]) -> list[NightBlock]:
    """Return few of the blocks of science, over the whole night."""
    science = [block for block in blocks if block.unit.observing_program.kind == ProgramKind.SCIENCE]
    return science[:: max(1, math.ceil(len(science) / BRIEF_OBSERVATIONS))]


def is_camera(configurations: Iterable[InstrumentModuleConfiguration]) -> bool:
    """Return whether modules have detectors that must be retuned before every scan."""
    return any(configuration.type == ConfigurationType.PRIME_CAM for configuration in configurations)


def sidereal_hours(moment: datetime, longitude_deg: float) -> float:
    """Return the local mean sidereal time in hours (U.S. Naval Observatory, approximate sidereal time)."""
    days = (moment - J2000) / timedelta(days=1)
    return (18.697374558 + 24.06570982441908 * days + longitude_deg / 15) % 24


def elevation(ra_deg: float, dec_deg: float, sidereal_deg: float, latitude_deg: float) -> float:
    """Return the elevation of a position, degrees."""
    dec, latitude, angle = map(math.radians, (dec_deg, latitude_deg, sidereal_deg - ra_deg))
    sine = math.sin(latitude) * math.sin(dec) + math.cos(latitude) * math.cos(dec) * math.cos(angle)
    return math.degrees(math.asin(sine))
