"""For every exclusion constraint: periods that overlap, and periods that don't."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import models

from opsdb.models import PreScheduledSlot, TimeAllocation
from opsdb.testing.factories.base import EPOCH


@dataclass(frozen=True)
class Overlap:
    """Rows of the same ``owners`` whose periods may not overlap.

    first: the period that is there.
    overlapping: periods that overlap it.
    apart: periods that don't.
    elsewhere: a period far away.
    reversed: a period that ends before it starts; ``end`` is the field to complain about.
    behind: rules that refuse some of the same.
    """

    model: type[models.Model]
    rule: str
    owners: tuple[str, ...]
    message: str
    first: dict[str, Any]
    overlapping: tuple[dict[str, Any], ...]
    apart: tuple[dict[str, Any], ...]
    elsewhere: dict[str, Any]
    reversed: dict[str, Any]
    end: str
    behind: tuple[str, ...] = ()

    @property
    def name(self):
        """Full name of the constraint."""
        return f"{self.model._meta.db_table}_{self.rule}"


def slot(start_minutes, end_minutes):
    return {
        "start_time": EPOCH + timedelta(minutes=start_minutes),
        "end_time": EPOCH + timedelta(minutes=end_minutes),
    }


def allocation(start_day, end_day, period="another"):
    new_year = date(2026, 1, 1)
    return {
        "start_date": new_year + timedelta(days=start_day),
        "end_date": new_year + timedelta(days=end_day),
        "period": period,
    }


MICROSECOND = 1 / 60_000_000
OVERLAPS = [
    Overlap(
        PreScheduledSlot,
        "no_overlap",
        owners=("telescope",),
        message="The telescope has another slot at that time; choose a time that is free.",
        first=slot(0, 60),
        overlapping=(slot(-30, 30), slot(30, 90), slot(10, 20), slot(-10, 70), slot(60 - MICROSECOND, 90), slot(0, 60)),
        apart=(slot(60, 90), slot(-30, 0)),
        elsewhere=slot(6_000, 6_030),
        reversed=slot(60, 0),
        end="end_time",
        behind=("pre_scheduled_slot_unique_start",),
    ),
    Overlap(
        TimeAllocation,
        "no_overlap",
        owners=("observing_program", "instrument"),
        message="The program has another allocation for this instrument at that time; choose a period that is free.",
        first=allocation(0, 180, "2026A"),
        overlapping=(allocation(90, 270), allocation(-1, 1), allocation(179, 180), allocation(-10, 360)),
        apart=(allocation(180, 360), allocation(-90, 0)),
        elsewhere=allocation(6_000, 6_030),
        reversed=allocation(180, 0),
        end="end_date",
    ),
]
