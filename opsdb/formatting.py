"""Sizes and durations as people read them, the same on pages and on terminals."""

from __future__ import annotations

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
