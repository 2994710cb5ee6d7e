"""How a load reports its progress to whoever started it."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

Progress = Callable[[Collection[Any], str], Iterable[Any]]
"""Wraps a collection that takes long to go through; called with it and a description."""


def no_progress(items: Collection[Any], description: str) -> Iterable[Any]:
    """Report nothing."""
    return items


class Counted(Collection[Any]):
    """Items that are made while somebody goes through them, and are counted before.

    Args:
        items: they are gone through once.
        number: of items.
    """

    def __init__(self, items: Iterable[Any], number: int):
        self._items, self._number = items, number

    def __contains__(self, one: object) -> bool:
        return one in self._items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __len__(self) -> int:
        return self._number
