"""How messages name locations and moments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from opsdb.formatting import format_minute, format_second

if TYPE_CHECKING:
    from opsdb.models import DataLocation


def place_of(location: DataLocation) -> str:
    """Return how messages name a location, ``site/location``: a name is one of its site only."""
    return f"{location.site}/{location}"


def moment_text(moment: datetime) -> str:
    """Return a moment (UTC) as messages write it, to the minute where it is a whole one."""
    moment = moment.astimezone(UTC)
    return format_second(moment) if moment.second or moment.microsecond else format_minute(moment)
