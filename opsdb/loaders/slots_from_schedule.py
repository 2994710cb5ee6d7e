"""The slots that the blocks of a schedule stand for."""

from __future__ import annotations

import difflib
from array import array
from collections.abc import Iterator
from itertools import pairwise

from opsdb.formatting import format_second
from opsdb.models import ObservingProgram, ObsUnit, PreScheduledSlot, Telescope
from opsdb.normalization import is_storable

from .entries import RowEntry
from .errors import LoadProblems, listed, shown
from .loading import Loading
from .overlapping import overlapping
from .schedules import CALIBRATION, IDLE, SCIENCE, SLEW, Block, BlocksOfUnit, Schedule
from .tables import TableRow
from .units_from_blocks import UnitMaker

CALIBRATION_PROGRAM = "Cal"
SITE_TOLERANCE_DEG = 0.01
LONGEST_ORIGIN = PreScheduledSlot._meta.get_field("origin").max_length


class ScheduledSlots:
    """The slots of a schedule, once the units that it names are there.

    Args:
        schedule: what is loaded.
        loading: the load, whose options decide on the program and on missing units.
        problems: those of the schedule's file.

    Raises:
        LoadError: no program is given, or the telescope or a program is unknown.
    """

    def __init__(self, schedule: Schedule, loading: Loading, problems: LoadProblems):
        self.schedule = schedule
        self.loading = loading
        self.problems = problems
        self.create_missing = loading.options["create_missing"]
        if loading.options["program"] is None:
            problems.stop("the program of the schedule's science blocks is missing", expected="--program CODE")
        self.telescope = self._telescope()
        self.science_program = self._program(loading.options["program"])
        self.calibration_program = None
        if schedule.count(CALIBRATION):
            self.calibration_program = self._program(CALIBRATION_PROGRAM)
        self.unit_maker = UnitMaker(schedule, self.telescope, loading, problems)

    def entries(self) -> Iterator[RowEntry]:
        """Yield an entry for every observed block; missing units are made, if that is an option of the load.

        Raises:
            LoadError: blocks overlap, or a unit is missing or can't be made.
        """
        for what, number in (
            ("blocks read", len(self.schedule.blocks)),
            ("science", self.schedule.count(SCIENCE)),
            ("calibrations", self.schedule.count(CALIBRATION)),
            ("slews, not loaded", self.schedule.count(SLEW)),
            ("idle, not loaded", self.schedule.count(IDLE)),
        ):
            self.loading.plan.count(what, number)
        if self.schedule.ignored_columns:
            self.loading.plan.notes.append(f"Columns not loaded: {', '.join(self.schedule.ignored_columns)}.")
        self._refuse_overlaps()
        self.problems.stop_if_any()
        units = self._units()
        self.problems.stop_if_any()
        for block in self._in_time():
            slot = self._slot(block, units[self._unit_key(block)])
            yield RowEntry(TableRow(self.problems, block.line, {}), PreScheduledSlot, slot)

    def _in_time(self):
        """Return the observed blocks by their start; they are sorted only if the file is not."""
        starts, positions = array("d"), array("q")
        for position, block in enumerate(self.schedule.blocks):
            if block.is_observed:
                starts.append(block.start.timestamp())
                positions.append(position)
        if all(one <= other for one, other in pairwise(starts)):
            return self.schedule.observed()
        order = sorted(range(len(starts)), key=starts.__getitem__)
        return self.schedule.blocks.in_order([positions[place] for place in order])

    def _telescope(self):
        named = self.schedule.telescope_name.casefold()
        known = list(Telescope.objects.select_related("observatory"))
        line = self.schedule.header_line
        found = [one for one in known if named in (one.short_name.casefold(), one.name.casefold())]
        if len(found) != 1:
            self.problems.stop(
                f"unknown telescope {shown(self.schedule.telescope_name)}",
                expected=f"one of {listed(one.short_name for one in known)}" if known else "opsdb_init to be run first",
                line=line,
            )
        telescope = found[0]
        self._compare_site("latitude", self.schedule.latitude_deg, telescope.latitude_deg, line)
        self._compare_site("longitude", self.schedule.longitude_deg, telescope.longitude_deg, line)
        self.problems.stop_if_any()
        return telescope

    def _compare_site(self, what, given, known, line):
        if given is not None and abs((given - known + 180) % 360 - 180) > SITE_TOLERANCE_DEG:
            self.problems.add(
                f"the site's {what} is {given:g}°, that of {self.schedule.telescope_name} is {known:g}°",
                expected=f"the same to {SITE_TOLERANCE_DEG:g}°",
                line=line,
            )

    def _program(self, code):
        found = ObservingProgram.objects.filter(short_name=code).first() if is_storable(code) else None
        if found is None:
            known = ObservingProgram.objects.values_list("short_name", flat=True)
            self.problems.stop(
                f"unknown observing program {shown(code)}",
                expected=f"one of {listed(known, 30)}" if known else "opsdb_init to be run first",
            )
        return found

    def _refuse_overlaps(self):
        for block, before in overlapping(self.schedule.blocks, _span):
            self.problems.add(
                f"{block.name} starts at {format_second(block.start)}, "
                f"before {before.name} of line {before.line} ends at {format_second(before.end)}",
                expected="blocks that don't overlap",
                line=block.line,
            )

    def _units(self):
        """Return the unit of every block, by program and name; missing ones are made, or noted as problems."""
        groups: dict[tuple, BlocksOfUnit] = {}
        for block in self.schedule.observed():
            groups.setdefault(self._unit_key(block), BlocksOfUnit(block)).add(block)
        units = {
            (unit.observing_program_id, unit.name): unit
            for unit in ObsUnit.objects.filter(
                observing_program__in={program for program, _ in groups},
                name__in={name for _, name in groups},
            ).select_related("observing_program", "source", "obs_mode")
        }
        if self.create_missing:
            self.unit_maker.know_sources(blocks.first for key, blocks in groups.items() if key not in units)
        for (program_id, name), blocks in groups.items():
            unit = units.get((program_id, name))
            if unit is not None:
                self.unit_maker.note_other_plan(unit, blocks.first)
            elif self.create_missing:
                units[program_id, name] = self.unit_maker.make(self._program_of(blocks.first), name, blocks)
            else:
                self._report_missing_unit(self._program_of(blocks.first), name, blocks)
        return units

    def _program_of(self, block):
        return self.calibration_program if block.type == CALIBRATION else self.science_program

    def _unit_key(self, block):
        return self._program_of(block).id, unit_name(block)

    def _report_missing_unit(self, program, name, blocks):
        more = f" (and on {blocks.number - 1} more lines)" if blocks.number > 1 else ""
        near = difflib.get_close_matches(name, program.obs_units.values_list("name", flat=True), 3, 0.5)
        others = ObsUnit.objects.filter(name=name).values_list("observing_program__short_name", flat=True)
        hint = f"; near: {', '.join(near)}" if near else ""
        hint += f"; a unit of this name is in {listed(others)}" if others else ""
        self.problems.add(
            f"program {program.short_name} has no unit {shown(name)}{more}{hint}",
            expected="a known unit, or --create-missing to make it from the block",
            line=blocks.first.line,
            column="name",
        )

    def _slot(self, block, unit):
        return {
            "obs_unit": unit,
            "telescope": self.telescope,
            "start_time": block.start,
            "end_time": block.end,
            "azimuth_min_deg": block.azimuth_min_deg,
            "azimuth_max_deg": block.azimuth_max_deg,
            "azimuth_final_deg": block.azimuth_final_deg,
            "elevation_deg": block.elevation_deg,
            "boresight_angle_deg": block.boresight_angle_deg,
            "scan_index": block.scan_index,
            "subscan_index": block.subscan_index,
            "origin": self.schedule.file_name[:LONGEST_ORIGIN],
        }


def _span(block):
    return block.start, block.end if block.is_observed else block.start, None


def unit_name(block: Block) -> str:
    """Return the name of the unit that a block belongs to: the patch, or the calibration with its target."""
    if block.type == SCIENCE:
        return block.name
    return f"{block.scan_type}_{block.target.casefold()}" if block.target else block.scan_type
