"""Counts and ages as text."""

from datetime import datetime

from django.utils.translation import gettext as _

from opsdb.formatting import format_time_since
from opsdb.workflows import Exactness, RowCount


def format_count(number: RowCount) -> str:
    """Return a number with how it is known: exact, estimated, or a lower bound."""
    if number.exactness == Exactness.ESTIMATED:
        return _("about %(number)s") % {"number": f"{rounded(number.value):,}"}
    if number.exactness == Exactness.AT_LEAST:
        return _("%(number)s or more") % {"number": f"{number.value:,}"}
    return f"{number.value:,}"


def rounded(value: int) -> int:
    """Return an estimate to the three digits that it is worth."""
    return round(value, -max(len(str(value)) - 3, 0))


def format_up_to(counted: int, limit: int) -> str:
    """Return a count that stopped one above its limit."""
    return f"{counted:,}" if counted <= limit else _("more than %(limit)s") % {"limit": f"{limit:,}"}


def format_age(moment: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago a moment was."""
    return "–" if moment is None else format_time_since(moment, now=now)
