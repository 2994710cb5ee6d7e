"""Durations, rendered in the active language."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _


def format_duration(seconds: float) -> str:
    """Return a duration in its two largest units."""
    whole = max(int(seconds), 0)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return _("%(days)s d %(hours)s h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)s min") % {"minutes": minutes} if minutes else _("%(seconds)s s") % {"seconds": whole}


def format_time_since(moment: datetime, *, now: datetime | None = None) -> str:
    """Return how long ago a moment was."""
    return format_duration(((now or timezone.now()) - moment).total_seconds())
