"""How a load reports its progress to whoever started it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

Progress = Callable[[Sequence[Any], str], Iterable[Any]]
"""Wraps a list that takes long to go through; called with the list and a description."""


def no_progress(items: Sequence[Any], description: str) -> Iterable[Any]:
    """Report nothing."""
    return items
