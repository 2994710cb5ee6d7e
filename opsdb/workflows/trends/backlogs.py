"""What waited in every stage, and how long it takes to drain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from opsdb.database.aliases import read_rows
from opsdb.models import WorkStage

from ._periods import DAY, begin_of, days_of, end_of_complete_days, require_period

DRAIN_DAYS = 7
"""Days over which the present rates are averaged."""

# What came before the period, and before the days of the rates, counts on one day.
SQL = """
SELECT stage, greatest((begins_at AT TIME ZONE 'UTC')::date, %(before)s), sum(added), sum(completed)
FROM stage_activity
WHERE stage = ANY (%(stages)s) AND begins_at < %(end)s
GROUP BY 1, 2
"""


@dataclass(frozen=True)
class StageBacklog:
    """How many items of a stage were not completed, at the end of each day of a period.

    Attributes:
        stage: which stage.
        days: every day (UTC), and how many items were open or failed at its end.
        added_per_day: mean of the last :data:`DRAIN_DAYS` complete days of the period.
        completed_per_day: likewise.
    """

    stage: WorkStage
    days: Sequence[tuple[date, int]]
    added_per_day: float
    completed_per_day: float

    @property
    def waiting(self) -> int:
        """How many items are not completed at the end of the period."""
        return self.days[-1][1]

    @property
    def drains_in(self) -> timedelta | None:
        """How long they would take at the present rate, were nothing added; None where nothing is completed."""
        if not self.waiting:
            return timedelta()
        return timedelta(days=self.waiting / self.completed_per_day) if self.completed_per_day > 0 else None

    @property
    def grows(self) -> bool:
        """Whether more was added than completed."""
        return self.added_per_day > self.completed_per_day


def measure_backlogs(start: date, end: date) -> list[StageBacklog]:
    """Return what waited in every stage over a period, in the order in which data pass them. One query.

    Args:
        start: first day (UTC).
        end: day after the last one.

    Raises:
        OpsdbError: the period has no day.
    """
    require_period(start, end)
    complete = end_of_complete_days(end)
    first = min(start, complete - DRAIN_DAYS * DAY)
    notes = {
        (stage, day): (int(added), int(completed))
        for stage, day, added, completed in read_rows(
            SQL, {"stages": WorkStage.values, "before": first - DAY, "end": begin_of(end)}
        )
    }
    return [_backlog(stage, notes, first, start, end, complete) for stage in WorkStage]


def _backlog(stage, notes, first, start, end, complete):
    added, completed = notes.get((stage, first - DAY), (0, 0))
    waiting = added - completed
    days = []
    for day in days_of(first, end):
        added, completed = notes.get((stage, day), (0, 0))
        waiting += added - completed
        if day >= start:
            days.append((day, waiting))
    last = [notes.get((stage, day), (0, 0)) for day in days_of(complete - DRAIN_DAYS * DAY, complete)]
    return StageBacklog(
        stage,
        days,
        sum(added for added, _ in last) / DRAIN_DAYS,
        sum(completed for _, completed in last) / DRAIN_DAYS,
    )
