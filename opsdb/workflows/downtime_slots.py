"""Which slots of the schedule a downtime affects. Nothing is locked, and nothing moves the slots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import prefetch_related_objects

from opsdb.models import Downtime, PreScheduledSlot

from ._affected_slots import EARLIEST, MOST_SLOTS, TARGETS, setups_of, slots_affected, slots_in
from ._possible_modules import PossibleModules


@dataclass(frozen=True)
class AffectedSlots:
    """The slots that share time with a downtime and need what is down, the earliest first.

    Attributes:
        stopped: slots of units that use it, with their units and telescopes.
        possible: slots of units that have no module configuration and may use it.
        truncated: whether so many slots share time with it that not all were looked at.
    """

    stopped: list[PreScheduledSlot]
    possible: list[PreScheduledSlot]
    truncated: bool = False


def find_affected_slots(downtime: Downtime, *, since: datetime = EARLIEST) -> AffectedSlots:
    """Return the slots that a downtime affects.

    At most 10,000 slots that share time with it are looked at, along the index of their start. The number of queries
    is fixed. Locks nothing.

    Args:
        downtime: the downtime, which need not be saved yet.
        since: slots that end by then are left out.
    """
    prefetch_related_objects([downtime], *TARGETS, "instrument_module__instrument")
    slots = slots_in([downtime], since)
    setups = setups_of({slot.obs_unit_id for slot in slots})
    stopped, possible = slots_affected(downtime, slots, setups, PossibleModules([downtime], slots, setups.keys()))
    return AffectedSlots(stopped, possible, len(slots) == MOST_SLOTS)
