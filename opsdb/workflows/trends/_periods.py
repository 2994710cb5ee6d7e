"""What the trends have in common: periods of days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone

from ..errors import OpsdbError

DAY = timedelta(days=1)


def require_period(start: date, end: date) -> None:
    """Refuse a period without a day.

    Raises:
        OpsdbError: the end is not after the start.
    """
    if end <= start:
        raise OpsdbError(f"period {start} to {end}: it has no day; give an end after the start")


def days_of(start: date, end: date) -> Iterator[date]:
    """Yield the days of a period, without its end."""
    for number in range((end - start).days):
        yield start + number * DAY


def end_of_complete_days(end: date) -> date:
    """Return the day after the last complete day of a period: today is over only tomorrow (UTC)."""
    return min(end, timezone.now().astimezone(UTC).date())


def begin_of(day: date) -> datetime:
    """Return the moment at which a day begins (UTC)."""
    return datetime.combine(day, time(), tzinfo=UTC)


def week_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - day.weekday() * DAY
