"""How long something took or has lasted, in the language of whoever reads it."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _


def duration(seconds: float) -> str:
    """Return a time that passed in its two largest units."""
    whole = max(int(seconds), 0)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return _("%(days)s d %(hours)s h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)s min") % {"minutes": minutes} if minutes else _("%(seconds)s s") % {"seconds": whole}


def time_since(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago a moment was."""
    return duration(((now or timezone.now()) - moment).total_seconds())
