"""Which of many times overlap."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar

from .errors import PROBLEM_LIMIT

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Item = TypeVar("Item")


def overlapping(
    items: Collection[Item], span: Callable[[Item], tuple[datetime, datetime, Any]]
) -> Iterator[tuple[Item, Item]]:
    """Yield items that begin before another one of their group ends, each with that one, as many as are reported.

    Of the items themselves, only those that overlap are held in memory.

    Args:
        items: gone through up to three times.
        span: returns the start and the end of an item, and its group; one that ends before it starts is left out.
    """
    starts, ends, groups = array("q"), array("q"), array("q")
    numbers: dict[Any, int] = {}
    for item in items:
        start, end, group = span(item)
        starts.append((start - EPOCH) // MICROSECOND)
        ends.append((end - EPOCH) // MICROSECOND)
        groups.append(numbers.setdefault(group, len(numbers)))
    is_sorted = all(one <= other for one, other in pairwise(starts))
    order = range(len(starts)) if is_sorted else sorted(range(len(starts)), key=starts.__getitem__)
    latest: dict[int, int] = {}
    pairs = []
    for place in order:
        if ends[place] <= starts[place]:
            continue
        before = latest.get(groups[place])
        if before is not None and starts[place] < ends[before]:
            pairs.append((place, before))
            if len(pairs) == PROBLEM_LIMIT:
                break
        if before is None or ends[place] > ends[before]:
            latest[groups[place]] = place
    wanted = {place for pair in pairs for place in pair}
    found = {place: item for place, item in enumerate(items) if place in wanted} if wanted else {}
    for place, before in pairs:
        yield found[place], found[before]
