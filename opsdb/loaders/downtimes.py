"""Downtimes: when a telescope, an instrument or a module can't be used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from django.contrib.auth import get_user_model
from django.db.models import Q

from opsdb.formatting import format_second
from opsdb.models import Downtime, Telescope

from .cells import DayCell, ReferenceCell, TableColumn, TextCell
from .entries import RowEntry
from .instrument_cells import instrument, instrument_module
from .kind import TableKind
from .loading import Loading
from .tables import TableRow

FAR = datetime.max.replace(tzinfo=UTC)
TARGETS = ("telescope", "instrument", "instrument_module")


class Downtimes(TableKind):
    """Downtimes, identified by target and start."""

    name = "downtimes"
    help = "times in which a telescope, an instrument or a module can't be used"
    description = "Load downtimes from a CSV table: telescope, instrument or module, start, end, reason, reported_by."
    example = "manage.py opsdb_load downtimes downtimes.csv --dry-run"
    model = Downtime
    key_fields = (*TARGETS, "start_time")
    columns = (
        TableColumn(
            "telescope", ReferenceCell(Telescope, "short_name"), "Short name of the telescope, if that is down."
        ),
        TableColumn("instrument", instrument(), "The instrument, if that is down, such as `CHAI`."),
        TableColumn(
            "module", instrument_module(), "The module, if that is down, such as `CHAI/HFA`.", field="instrument_module"
        ),
        TableColumn.of_field(Downtime, "start_time", DayCell(last=False), name="start", required=True),
        TableColumn(
            "end",
            DayCell(last=True),
            "End (UTC), not included, or the last day; empty while it lasts.",
            field="end_time",
        ),
        TableColumn.of_field(Downtime, "reason", TextCell(), required=True),
        TableColumn(
            "reported_by",
            ReferenceCell(get_user_model(), get_user_model().USERNAME_FIELD),
            "Who reported it: the name of a user.",
        ),
    )

    def entries(self, loading: Loading, rows: Sequence[TableRow]) -> list[RowEntry]:
        """Return the entries of the rows; note rows without exactly one target, inverted times and overlaps."""
        entries = super().entries(loading, [row for row in rows if len(row.values) == len(row.texts)])
        for entry in entries:
            for name in TARGETS:
                entry.values.setdefault(name, None)
            named = [name for name in TARGETS if entry.values[name] is not None]
            if len(named) != 1:
                entry.row.problem(
                    f"names {' and '.join(named) or 'nothing'} as down",
                    expected="exactly one of telescope, instrument and module",
                )
            end = entry.values.get("end_time")
            if end is not None and end <= entry.values["start_time"]:
                entry.row.problem("is not after start", "end", expected="a later time, or an empty cell while it lasts")
        if not loading.problems:
            self._refuse_overlaps(entries, loading.options["on_conflict"])
        return entries

    def label(self, entry: RowEntry) -> str:
        given = ((column.cell, entry.values[column.target]) for column in self.columns if column.target in TARGETS)
        target = next((cell.write(value) for cell, value in given if value is not None), "nothing")
        return f"{target} from {_time(entry.values['start_time'])}"

    def _refuse_overlaps(self, entries, on_conflict):
        """Note every entry that overlaps another one of the same target, in the files or the database."""
        keys = {self.key(one) for one in entries}
        spans, recorded = [], {}
        for one in self._lasting_after(min((key[-1] for key in keys), default=FAR), keys):
            key = tuple(getattr(one, f"{name}_id") for name in TARGETS) + (one.start_time,)
            if key in keys:
                recorded[key] = one.end_time or FAR
            else:
                spans.append((key, one.end_time or FAR, None))
        for one in entries:
            key = self.key(one)
            keeps_its_end = key in recorded and (on_conflict == "skip" or "end_time" not in one.values)
            spans.append((key, recorded[key] if keeps_its_end else one.values.get("end_time") or FAR, one))
        latest = {}
        for key, end, entry in sorted(spans, key=lambda span: (span[0][-1], span[1])):
            *target, start = key
            before = latest.get(tuple(target))
            if before and start < before[1]:
                noted, other = (entry, before) if entry else (before[2], (start, end, None))
                if noted:
                    place = f"the downtime of line {other[2].row.line}" if other[2] else "a downtime in the database"
                    noted.row.problem(
                        f"overlaps {place}, {_time(other[0])} to {_time(other[1])}",
                        expected="downtimes of one target that don't overlap; merge them",
                    )
            if before is None or end > before[1]:
                latest[tuple(target)] = (start, end, entry)

    def _lasting_after(self, moment, keys):
        """Return the downtimes of the database, of the targets of the keys, that may overlap."""
        among = Q()
        for position, name in enumerate(TARGETS):
            among |= Q(**{f"{name}__in": {key[position] for key in keys} - {None}})
        return Downtime.objects.filter(among & (Q(end_time__isnull=True) | Q(end_time__gt=moment)))


def _time(moment):
    return "an open end" if moment == FAR else format_second(moment)
