"""Allocated time: how long a program may observe with an instrument in a period."""

from __future__ import annotations

from collections.abc import Sequence

from opsdb.models import ObservingProgram, TimeAllocation

from .cells import DateCell, NumberCell, ReferenceCell, TableColumn, TextCell
from .entries import RowEntry
from .instrument_cells import instrument
from .kind import TableKind
from .loading import Loading
from .tables import TableRow


class Allocations(TableKind):
    """Hours of programs, identified by program, instrument and period."""

    name = "allocations"
    help = "time that programs may observe with an instrument in a period"
    description = "Load allocated time from a CSV table: program, instrument, period, start_date, end_date, hours."
    example = "manage.py opsdb_load allocations allocations.csv --on-conflict update"
    model = TimeAllocation
    columns = (
        TableColumn(
            "program",
            ReferenceCell(ObservingProgram, "short_name"),
            "Code of the observing program.",
            required=True,
            field="observing_program",
        ),
        TableColumn("instrument", instrument(), "With what, such as `CHAI` or `FYST/CHAI`.", required=True),
        TableColumn.of_field(TimeAllocation, "period", TextCell(50), required=True),
        TableColumn.of_field(TimeAllocation, "start_date", DateCell(), required=True),
        TableColumn("end_date", DateCell(), "Day after the last day (UTC), later than the first.", required=True),
        TableColumn.of_field(TimeAllocation, "hours", NumberCell(0, unit="hours", above=True), required=True),
    )

    def entries(self, loading: Loading, rows: Sequence[TableRow]) -> list[RowEntry]:
        """Return the entries of the rows; note periods that end before they start, or overlap in the files."""
        entries = super().entries(loading, [row for row in rows if len(row.values) == len(row.texts)])
        for entry in entries:
            if entry.values["end_date"] <= entry.values["start_date"]:
                entry.row.problem("is not after start_date", "end_date", expected="the day after the last day")
        latest = {}
        for entry in sorted(entries, key=lambda entry: (entry.values["start_date"], entry.values["end_date"])):
            key = self.key(entry)[:2]
            before = latest.get(key)
            if (
                before
                and self.key(before) != self.key(entry)
                and (entry.values["start_date"] < before.values["end_date"])
            ):
                entry.row.problem(
                    f"{self.label(entry)} starts before {before.values['period']} of line {before.row.line} ends",
                    "start_date",
                    expected=f"{before.values['end_date']} or later",
                )
            if before is None or entry.values["end_date"] > before.values["end_date"]:
                latest[key] = entry
        return entries

    def label(self, entry: RowEntry) -> str:
        return " / ".join(str(entry.values[name]) for name in self.key_fields)
