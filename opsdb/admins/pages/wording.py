"""How the pages say numbers and ages."""

from datetime import datetime

from django.utils.translation import gettext as _

from opsdb.workflows import Exactness, RowCount, format_time_since


def said(number: RowCount) -> str:
    """Return a number with how it is known: exact, estimated, or a lower bound."""
    if number.exactness == Exactness.ESTIMATED:
        return _("about %(number)s") % {"number": f"{rounded(number.value):,}"}
    if number.exactness == Exactness.AT_LEAST:
        return _("%(number)s or more") % {"number": f"{number.value:,}"}
    return f"{number.value:,}"


def rounded(value: int) -> int:
    """Return an estimate to the three digits that it is worth."""
    return round(value, -max(len(str(value)) - 3, 0))


def up_to(counted: int, limit: int) -> str:
    """Return a count that stopped one above its limit."""
    return f"{counted:,}" if counted <= limit else _("more than %(limit)s") % {"limit": f"{limit:,}"}


def age(moment: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago a moment was."""
    return "–" if moment is None else format_time_since(moment, now)


def size(volume_bytes: float) -> str:
    """Return a number of bytes in decimal units, as mere text for a drawing."""
    value, units = float(volume_bytes), ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"]
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.3g} {units[0]}"
