"""How messages name locations and moments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsdb.models import DataLocation


def place_of(location: DataLocation) -> str:
    """Return how messages name a location, ``site/location``: a name is one of its site only."""
    return f"{location.site}/{location}"


def moment_text(moment: datetime) -> str:
    """Return a moment (UTC) as messages write it, to the minute where it is a whole one."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second or moment.microsecond else f"{moment:%Y-%m-%d %H:%M}"
