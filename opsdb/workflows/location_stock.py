"""What a location holds: how full it is, what may be deleted, and what is held back by which rule.

The rules are asked of the oldest copies alone, so that the cost does not grow with the location.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from opsdb.database.aliases import read_rows
from opsdb.models import DataLocation, LocationType
from opsdb.models.copies.querysets import DELETABLE

from ._predicates import retention_ends_at
from .room import count_booked_bytes

OLDEST = 200
"""How many copies the rules of deletion are asked of, the oldest first."""
RETENTION_RULE = 5


@dataclass(frozen=True)
class HeldBack:
    """Copies that one rule holds back, or none.

    Attributes:
        rule: number of the first rule that holds them back, 1 to 5; None when they may be deleted now.
        copies: how many.
        size_bytes: how large they are together, bytes.
        why: how the oldest of them breaks the rule; empty when they may be deleted.
        keys: of these copies, the oldest first.
    """

    rule: int | None
    copies: int
    size_bytes: int
    why: str
    keys: tuple[int, ...] = ()


@dataclass(frozen=True)
class LocationStock:
    """What a location holds.

    Attributes:
        copies: how many copies it has.
        held_bytes: what they take, bytes.
        booked_bytes: what open transfers, archive transfers and staging jobs bring there, bytes.
        capacity_bytes: what it can take, bytes; None where that is not known.
        looked_at: how many of its oldest copies the rules were asked of; none of an archive, where nothing is deleted.
        has_more: whether it has more copies than these.
        held_back: these copies by the first rule that holds them back; those that may be deleted first.
        retention_ends_at: when the retention of the oldest copy that rule 5 alone holds back is over.
    """

    copies: int
    held_bytes: int
    booked_bytes: int
    capacity_bytes: int | None
    looked_at: int
    has_more: bool
    held_back: list[HeldBack]
    retention_ends_at: datetime | None

    @property
    def free_bytes(self) -> int | None:
        """What it can still take beside what is on its way there, bytes; None where its capacity is not known."""
        return None if self.capacity_bytes is None else self.capacity_bytes - self.held_bytes - self.booked_bytes

    @property
    def fill_percent(self) -> float | None:
        """How full it is, per cent."""
        return self.capacity_bytes and 100 * self.held_bytes / self.capacity_bytes

    def of_rule(self, rule: int | None) -> HeldBack:
        """Return what a rule holds back, or what none does; perhaps nothing."""
        return next((one for one in self.held_back if one.rule == rule), HeldBack(rule, 0, 0, ""))


_STATUSES = ", ".join(f"'{status}'" for status in DELETABLE)
_HELD_BACK = f"""
SELECT blocker.rule, copy.size_bytes, copy.arrived_at, blocker.why, copy.id
FROM (
    SELECT found.* FROM unnest(ARRAY[{_STATUSES}]) AS wanted (status)
    CROSS JOIN LATERAL (
        SELECT id, size_bytes, arrived_at FROM physical_copy
        WHERE data_location_id = %(location)s AND status = wanted.status
        ORDER BY arrived_at, id LIMIT %(limit)s
    ) AS found
    ORDER BY found.arrived_at, found.id LIMIT %(limit)s
) AS copy
CROSS JOIN LATERAL opsdb_deletion_blocker(copy.id) AS blocker
ORDER BY copy.arrived_at, copy.id
"""  # noqa: S608


def measure_location(location: DataLocation) -> LocationStock:
    """Return what a location holds, and what of it may be deleted. A fixed number of queries; locks nothing.

    Args:
        location: the location; its capacity, purpose and retention count as they are given.
    """
    usage = location.usage.aggregate(copies=Sum("copies"), size=Sum("bytes"))
    rows = []
    if location.location_type != LocationType.LONG_TERM_ARCHIVE:
        rows = read_rows(_HELD_BACK, {"location": location.pk, "limit": OLDEST + 1})
    looked_at = rows[:OLDEST]
    waiting = [arrived for rule, _size, arrived, _why, _key in looked_at if rule == RETENTION_RULE]
    return LocationStock(
        copies=usage["copies"] or 0,
        held_bytes=int(usage["size"] or 0),
        booked_bytes=count_booked_bytes(location),
        capacity_bytes=location.capacity_bytes,
        looked_at=len(looked_at),
        has_more=len(rows) > OLDEST,
        held_back=_by_rule(looked_at),
        retention_ends_at=retention_ends_at(location, min(waiting)) if waiting else None,
    )


def _by_rule(rows) -> list[HeldBack]:
    found: dict[int | None, HeldBack] = {}
    for rule, size, _arrived, why, key in rows:
        before = found.get(rule, HeldBack(rule, 0, 0, why or ""))
        keys = (*before.keys, key)
        found[rule] = HeldBack(rule, before.copies + 1, before.size_bytes + (size or 0), before.why, keys)
    return sorted(found.values(), key=lambda one: one.rule or 0)
