"""Allocated time: how long a program may observe with an instrument in a period."""

from __future__ import annotations

from opsdb.models import ObservingProgram, TimeAllocation

from .columns import Column, Day, Number, Reference, Text
from .loading import TableKind
from .places import instrument


class Allocations(TableKind):
    """Hours of programs; a row is known by program, instrument and period."""

    name = "allocations"
    help = "time that programs may observe with an instrument in a period"
    description = "Load allocated time from a CSV table: program, instrument, period, start_date, end_date, hours."
    example = "manage.py opsdb_load allocations allocations.csv --on-conflict update"
    model = TimeAllocation
    columns = (
        Column(
            "program",
            Reference(ObservingProgram, "short_name"),
            "Code of the observing program.",
            required=True,
            field="observing_program",
        ),
        Column("instrument", instrument(), "With what, such as `CHAI` or `FYST/CHAI`.", required=True),
        Column("period", Text(50), "Name of the period, such as 2026B.", required=True),
        Column("start_date", Day(), "First day (UTC).", required=True),
        Column("end_date", Day(), "Day after the last day (UTC), later than the first.", required=True),
        Column("hours", Number(0, unit="hours", above=True), "Allocated time, hours.", required=True),
    )

    def entries(self, loading, rows):
        """Note periods that end before they start, and those that overlap in the files."""
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

    def label(self, entry):
        return " / ".join(str(entry.values[name]) for name in self.key_fields)
