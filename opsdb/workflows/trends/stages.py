"""How fast data moved, how long they took into the archives, and what failed on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from opsdb.database.aliases import read_rows
from opsdb.models import WorkStage

from ._periods import begin_of, require_period

STEPS_PER_OCTAVE = 8
"""Steps in which a delay doubles, as the database counts them."""

STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}

TRAFFIC = """
SELECT origin_site.short_name || '/' || origin.name, destination_site.short_name || '/' || destination.name,
    moved.begins_at, moved.bytes, moved.completed
FROM (
    SELECT origin_location_id, destination_location_id, date_trunc(%(unit)s, begins_at, 'UTC') AS begins_at,
        sum(bytes) AS bytes, sum(completed) AS completed
    FROM stage_activity
    WHERE stage = %(stage)s AND begins_at >= %(start)s AND begins_at < %(end)s
    GROUP BY 1, 2, 3
    HAVING sum(completed) > 0
) AS moved
JOIN data_location AS origin ON origin.id = moved.origin_location_id
JOIN site AS origin_site ON origin_site.id = origin.site_id
JOIN data_location AS destination ON destination.id = moved.destination_location_id
JOIN site AS destination_site ON destination_site.id = destination.site_id
ORDER BY 1, 2, 3
"""

DELAYS = """
SELECT date_trunc('week', begins_at, 'UTC'), delay_step, sum(completed)
FROM stage_activity
WHERE stage = %(stage)s AND begins_at >= %(start)s AND begins_at < %(end)s AND delay_step IS NOT NULL
GROUP BY 1, 2
HAVING sum(completed) > 0
ORDER BY 1, 2
"""

FAILURES = """
SELECT (begins_at AT TIME ZONE 'UTC')::date, stage, sum(failures)
FROM stage_activity
WHERE stage = ANY (%(stages)s) AND begins_at >= %(start)s AND begins_at < %(end)s
GROUP BY 1, 2
HAVING sum(failures) > 0
ORDER BY 1, 2
"""


@dataclass(frozen=True)
class TrafficRate:
    """What was transferred from one location to another in an hour, on a day, or in a week.

    Attributes:
        origin: site and name of the location where it came from.
        destination: likewise, where it went.
        begins_at: beginning of the hour, day or week (UTC) in which the transfers were completed.
        hours: how many hours of it are in the period.
        volume_bytes: how many bytes.
        transfers: how many transfers.
    """

    origin: str
    destination: str
    begins_at: datetime
    hours: int
    volume_bytes: int
    transfers: int

    @property
    def bytes_per_hour(self) -> float:
        """The mean rate."""
        return self.volume_bytes / self.hours


@dataclass(frozen=True)
class ArchiveDelay:
    """How long the packages of a week, or of a period, took into archives.

    Attributes:
        week: its Monday, or the first day of the period; packages count in the week in which they were archived (UTC).
        packages: how many; one that several archives took counts for each.
        median: half of them took at most so long, from the end of the observation to the verified copy in the archive.
        ninth_decile: nine of ten took at most so long.
    """

    week: date
    packages: int
    median: timedelta
    ninth_decile: timedelta


@dataclass(frozen=True)
class StageFailures:
    """How many attempts at the work of a stage failed on a day (UTC), whether they were tried again or not."""

    day: date
    stage: WorkStage
    number: int


def measure_traffic_rates(
    start: date, end: date, *, step: Literal["hour", "day", "week"] = "hour"
) -> list[TrafficRate]:
    """Return what was transferred in every hour of a period, by route and time; times without a transfer are left out.

    Args:
        start: first day (UTC).
        end: day after the last one.
        step: ``day`` or ``week`` (from Monday) instead, as is fit for long periods.

    Raises:
        OpsdbError: the period has no day.
    """
    rows = _rows(TRAFFIC, start, end, stage=WorkStage.TRANSFER.value, unit=step)
    first, last = begin_of(start), begin_of(end)
    return [
        TrafficRate(
            origin,
            destination,
            max(begins_at, first),
            round((min(begins_at + STEPS[step], last) - max(begins_at, first)) / STEPS["hour"]),
            int(volume),
            int(number),
        )
        for origin, destination, begins_at, volume, number in rows
    ]


def measure_archive_delays(start: date, end: date, *, step: Literal["week", "period"] = "week") -> list[ArchiveDelay]:
    """Return how long packages took from the end of their observation to their verified copy in an archive.

    Repairs are left out. The database counts delays in steps of 9 % of their length; within a step they are taken as
    spread evenly, so that a median is right to about 4 %.

    Args:
        start: first day (UTC) on which they were archived.
        end: day after the last one.
        step: of each week, or of the whole period.

    Raises:
        OpsdbError: the period has no day.
    """
    spans: dict[date, Counter[int]] = {}
    for week, length, number in _rows(DELAYS, start, end, stage=WorkStage.ARCHIVING.value):
        spans.setdefault(week.date() if step == "week" else start, Counter())[length] += int(number)
    return [
        ArchiveDelay(begins_on, lengths.total(), _quantile(lengths, 0.5), _quantile(lengths, 0.9))
        for begins_on, lengths in spans.items()
    ]


def _quantile(lengths: Counter[int], share: float) -> timedelta:
    """Return the delay that a share of those counted by the step of their length does not exceed."""
    wanted = share * lengths.total()
    before = 0
    for step, number in sorted(lengths.items()):
        if before + number >= wanted:
            return timedelta(minutes=2 ** ((step + (wanted - before) / number) / STEPS_PER_OCTAVE))
        before += number
    raise AssertionError("unreachable: the last step has all")


def count_stage_failures(start: date, end: date) -> list[StageFailures]:
    """Return how many attempts failed on each day of a period, by day and stage; days without a failure are left out.

    Args:
        start: first day (UTC).
        end: day after the last one.

    Raises:
        OpsdbError: the period has no day.
    """
    return [
        StageFailures(day, WorkStage(stage), int(number))
        for day, stage, number in _rows(FAILURES, start, end, stages=WorkStage.values)
    ]


def _rows(sql, start, end, **parameters):
    require_period(start, end)
    return read_rows(sql, {"start": begin_of(start), "end": begin_of(end), **parameters})
