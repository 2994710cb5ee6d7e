"""Trends: how volume, traffic, delays, failures, observing time and backlogs went over a period, and where they lead.

All but observing time is summed from what the database notes as it happens (``DataLocationUsage``, ``StageActivity``),
so that a year costs the same however many files there are. Days and weeks are in UTC; a week begins on Monday. Each
function makes one query, or two where it says so, and locks nothing.
"""

from .backlogs import DRAIN_DAYS, StageBacklog, measure_backlogs
from .observing import ProgramWeek, WholeAllocation, measure_observing_time
from .stages import (
    ArchiveDelay,
    StageFailures,
    TrafficRate,
    count_stage_failures,
    measure_archive_delays,
    measure_traffic_rates,
)
from .volume import GROWTH_DAYS, DayVolume, VolumeTrend, measure_volumes

__all__ = [
    "DRAIN_DAYS",
    "GROWTH_DAYS",
    "ArchiveDelay",
    "DayVolume",
    "ProgramWeek",
    "StageBacklog",
    "StageFailures",
    "TrafficRate",
    "VolumeTrend",
    "count_stage_failures",
    "WholeAllocation",
    "measure_archive_delays",
    "measure_backlogs",
    "measure_observing_time",
    "measure_traffic_rates",
    "measure_volumes",
]
