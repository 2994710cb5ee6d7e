"""Sizes, durations and times as people read them, the same on pages and on terminals."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

SIZE_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")


def format_size(size: float) -> str:
    """Return a number of bytes in decimal units, with three significant digits, such as 2.5 MB."""
    if abs(size) < 999.5:
        return _("%(number)s bytes") % {"number": f"{size:.0f}"}
    value, units = size / 1000, list(SIZE_UNITS)
    while abs(value) >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if abs(value) >= 99.95 else f"{value:.3g} {units[0]}"


_SIZE = re.compile(
    r"\s*(?P<number>(?:\d{1,3}(?:,\d{3})+|\d[\d _]*)(?:\.\d+)?(?:e\d{1,2})?)\s*(?P<unit>[a-z]*)\s*", re.IGNORECASE
)
_FACTORS = {"": 1, "b": 1, "byte": 1, "bytes": 1}
for _power, _unit in enumerate(SIZE_UNITS, 1):
    _FACTORS[_unit.lower()] = 1000**_power
    _FACTORS[f"{_unit[0].lower()}ib"] = 1024**_power


def parse_size(text: str) -> int:
    """Return the number of bytes that a text means, such as 500 TB, 1.5 PB, 2 TiB or 500000000000000.

    kB to EB are powers of 1000, KiB to EiB of 1024; a number without a unit is bytes.

    Raises:
        ValueError: it is none, or no whole number of bytes; the message explains what would be.
    """
    found = _SIZE.fullmatch(text)
    factor = _FACTORS.get(found["unit"].lower()) if found else None
    if factor is None:
        raise ValueError(
            _("“%(text)s” is no size: give a number and a unit, such as 500 TB or 1.5 PB, or bytes") % {"text": text}
        )
    size = Decimal(re.sub("[ ,_]", "", found["number"])) * factor
    if size != size.to_integral_value():
        raise ValueError(_("“%(text)s” is no whole number of bytes") % {"text": text})
    return int(size)


def format_exact_size(size: int) -> str:
    """Return a number of bytes as people type it: in the largest unit that gives it exactly, else in bytes."""
    for power, unit in reversed(list(enumerate(SIZE_UNITS, 1))):
        # Two decimals at most, such as 1.25 PB.
        if size >= 1000**power and size % (1000**power // 100) == 0:
            return f"{Decimal(size) / 1000**power:f} {unit}"
    return str(size)


def format_duration(seconds: float) -> str:
    """Return a number of seconds in its two largest units, such as 3 h 5 min; below 0 counts as 0."""
    whole = max(int(seconds), 0)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return _("%(days)s d %(hours)s h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)s min") % {"minutes": minutes} if minutes else _("%(seconds)s s") % {"seconds": whole}


def format_exact_duration(seconds: float) -> str:
    """Return a number of seconds in all units that it has, such as 1 d 3 min 2 s; below 1 s with its decimals."""
    if seconds < 1:
        return f"{seconds:g} s"
    whole = round(seconds)
    parts = [(whole // 86_400, "d"), (whole // 3_600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def format_time_since(moment: datetime, *, now: datetime | None = None) -> str:
    """Return how long ago a moment was, in the two largest units."""
    return format_duration(((now or timezone.now()) - moment).total_seconds())


def format_second(moment: datetime) -> str:
    """Return an aware time in UTC to the second, such as 2026-11-23 02:14:05."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def format_minute(moment: datetime) -> str:
    """Return an aware time in UTC to the minute, such as 2026-11-23 02:14."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def format_moment(moment: datetime) -> str:
    """Return an aware time in UTC, to the minute where it is a whole one, else to the second."""
    moment = moment.astimezone(UTC)
    return format_second(moment) if moment.second or moment.microsecond else format_minute(moment)


def format_time_of_day(moment: datetime) -> str:
    """Return the time of day of an aware time in UTC, such as 02:14."""
    return f"{moment.astimezone(UTC):%H:%M}"


def format_range(low: float | None, high: float | None, unit: str) -> str | None:
    """Return a range with its unit, such as 30–80°, open where an end is not given; None where neither is."""
    if low is None and high is None:
        return None
    return f"{'' if low is None else f'{low:g}'}–{'' if high is None else f'{high:g}'}{unit}"


def format_right_ascension(angle_deg: float) -> str:
    """Return a right ascension in degrees as hours, such as 05:35:17.30: to 0.01 s."""
    hundredths = round(angle_deg / 15 * 360_000) % (24 * 360_000)
    return "{:02d}:{:02d}:{:05.2f}".format(*_in_sixtieths(hundredths / 100))


def format_declination(angle_deg: float) -> str:
    """Return a declination in degrees as degrees, minutes and seconds, such as -05:23:28.0: to 0.1″."""
    tenths = round(abs(angle_deg) * 36_000)
    sign = "-" if angle_deg < 0 and tenths else "+"
    return "{}{:02d}:{:02d}:{:04.1f}".format(sign, *_in_sixtieths(tenths / 10))


def _in_sixtieths(seconds):
    minutes, seconds = divmod(seconds, 60)
    whole, minutes = divmod(int(minutes), 60)
    return whole, minutes, seconds
