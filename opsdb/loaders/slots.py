"""Pre-scheduled slots, from CSV tables and from schedules: which unit has the telescope when."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence

from opsdb.formatting import format_second
from opsdb.models import ObsUnit, PreScheduledSlot, Telescope

from .cells import IntegerCell, NumberCell, ReferenceCell, TableColumn, TextCell, TimeCell
from .entries import Difference, RowEntry
from .kind import KindOption, TableKind
from .loading import Loading
from .overlapping import overlapping
from .recognition import Likeness
from .schedules import AZIMUTH_RANGE_DEG, ELEVATION_RANGE_DEG, is_schedule, names_format, read_schedule
from .slots_from_schedule import ScheduledSlots
from .spool import Spool, batches
from .tables import read_rows
from .text_files import LoadFile, read_text


class Slots(TableKind):
    """Pre-scheduled slots: a CSV table, or an observing schedule."""

    name = "slots"
    help = "pre-scheduled slots, from an observing schedule or a CSV table"
    description = (
        "Load the slots of an observing schedule (the planner's ECSV timeline, a TOAST text schedule), or a CSV table."
    )
    example = (
        "manage.py opsdb_load slots fyst_timeline_2026-06-15.ecsv --program WFS --create-missing\n\n"
        "Science blocks of a schedule become slots of units of the program,\n"
        "calibration blocks slots of units of the program Cal."
    )
    options = (
        KindOption("--program", {"metavar": "CODE", "help": "observing program of a schedule's science blocks"}),
        KindOption(
            "--create-missing",
            {"action": "store_true", "help": "make units and sources that are missing from a schedule's blocks"},
        ),
    )
    model = PreScheduledSlot
    columns = (
        TableColumn("telescope", ReferenceCell(Telescope, "short_name"), "Short name of the telescope.", required=True),
        TableColumn.of_field(PreScheduledSlot, "start_time", TimeCell(), required=True),
        TableColumn.of_field(PreScheduledSlot, "end_time", TimeCell(), required=True),
        TableColumn(
            "unit",
            ReferenceCell(ObsUnit, "observing_program__short_name", "name"),
            "Program and unit, such as `WFS/Deep56`.",
            required=True,
            field="obs_unit",
        ),
        TableColumn.of_field(PreScheduledSlot, "azimuth_min_deg", NumberCell(*AZIMUTH_RANGE_DEG, "degrees")),
        TableColumn.of_field(PreScheduledSlot, "azimuth_max_deg", NumberCell(*AZIMUTH_RANGE_DEG, "degrees")),
        TableColumn.of_field(PreScheduledSlot, "azimuth_final_deg", NumberCell(*AZIMUTH_RANGE_DEG, "degrees")),
        TableColumn.of_field(PreScheduledSlot, "elevation_deg", NumberCell(*ELEVATION_RANGE_DEG, "degrees")),
        TableColumn.of_field(PreScheduledSlot, "boresight_angle_deg", NumberCell(unit="degrees")),
        TableColumn.of_field(PreScheduledSlot, "scan_index", IntegerCell()),
        TableColumn.of_field(PreScheduledSlot, "subscan_index", IntegerCell(0)),
        TableColumn("origin", TextCell(500), "File that the slot came from; this one if empty.", empty=""),
    )

    @property
    def looks(self) -> str:
        return f"{super().looks}, or a first line as of a schedule (# %ECSV 1.0, #Site Telescope)"

    def likeness(self, text: str) -> Likeness:
        """Return how much a text looks like a table of slots; one that begins as a schedule does is a file of slots."""
        return Likeness(is_format=True) if names_format(text) else super().likeness(text)

    def load(self, loading: Loading, files: Sequence[LoadFile]) -> None:
        entries: Spool[RowEntry] = Spool()
        of_tables: Spool[RowEntry] = Spool()
        for file in files:
            problems = loading.problems_of(file)
            text = read_text(file, problems)
            if is_schedule(text):
                entries.extend(ScheduledSlots(read_schedule(file, problems, text), loading, problems).entries())
                continue
            for rows in batches(read_rows(text, self.columns, problems, loading.progress)):
                loading.plan.count("rows read", len(rows))
                for row in rows:
                    row.values["origin"] = row.values.get("origin") or row.problems.path.name
                of_tables.extend(self.entries(loading, rows))
        entries.extend(of_tables)
        loading.problems.stop_if_any()
        self._refuse_overlaps_in_files(entries)
        loading.problems.stop_if_any()
        loading.write(entries)

    def differences(self, present: PreScheduledSlot, entry: RowEntry) -> list[Difference]:
        """Return what differs, but for where a slot was read from."""
        return [one for one in super().differences(present, entry) if one[0] != "origin"]

    def label(self, entry: RowEntry) -> str:
        unit = entry.values["obs_unit"]
        return f"{format_second(entry.values['start_time'])} {unit.observing_program.short_name} / {unit.name}"

    def check(self, entries: Collection[RowEntry]) -> None:
        """Note which slots of the database new ones overlap."""
        for batch in batches(entries):
            self._check_against_database(batch)

    def _check_against_database(self, entries):
        for telescope in {entry.values["telescope"] for entry in entries}:
            new = [entry for entry in entries if entry.values["telescope"] == telescope]
            present = list(
                PreScheduledSlot.objects.filter(telescope=telescope)
                .overlapping(
                    min(entry.values["start_time"] for entry in new), max(entry.values["end_time"] for entry in new)
                )
                .order_by("start_time")
                .select_related("obs_unit")
            )
            starts = [slot.start_time for slot in present]
            for entry in new:
                start, end = entry.values["start_time"], entry.values["end_time"]
                position = bisect_right(starts, start) - 1
                for one in present[max(position, 0) : position + 2]:
                    if one.start_time < end and one.end_time > start:
                        entry.row.problem(
                            f"{_unit_name(entry)}, {format_second(start)} to {format_second(end)}, overlaps "
                            f"the slot of {one.obs_unit.name}, {format_second(one.start_time)} to "
                            f"{format_second(one.end_time)}, from {one.origin or 'elsewhere'}",
                            expected="a time when the telescope is free",
                        )
                        break

    def _refuse_overlaps_in_files(self, entries):
        for entry in entries:
            if entry.values["end_time"] <= entry.values["start_time"]:
                end = format_second(entry.values["end_time"])
                entry.row.problem(f"ends at {end}", "start_time", expected="a start before the end")
        for entry, before in overlapping(entries, _span):
            entry.row.problem(
                f"{_unit_name(entry)} starts at {format_second(entry.values['start_time'])}, before "
                f"{_unit_name(before)} of line {before.row.line} ends at {format_second(before.values['end_time'])}",
                expected="slots that don't overlap",
            )


def _span(entry):
    return entry.values["start_time"], entry.values["end_time"], entry.values["telescope"].pk


def _unit_name(entry):
    return entry.values["obs_unit"].name
