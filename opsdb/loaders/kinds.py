"""The kinds of files that can be loaded."""

from functools import cache


@cache
def kinds() -> dict:
    """Return every kind by its name, in the order in which a season's files are loaded."""
    from .slots import Slots
    from .sources import Sources

    return {kind.name: kind for kind in (Sources(), Slots())}
