"""How messages name locations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsdb.models import DataLocation


def place_of(location: DataLocation) -> str:
    """Return how messages name a location, ``site/location``: a name is one of its site only."""
    return f"{location.site}/{location}"
