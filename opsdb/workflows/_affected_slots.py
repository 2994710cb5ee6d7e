"""Which slots a downtime stops, and which it may stop because their units have no module configuration."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from opsdb.models import Downtime, InstrumentModuleConfiguration, ObsUnit, PreScheduledSlot

from ._possible_modules import PossibleModules

LONGEST_SLOT = timedelta(days=1)
"""Slots are shorter, which lets the index on their start find those that overlap a time."""
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
MOST_SLOTS = 10_000
"""Slots that are read for downtimes, or downtimes for slots."""
TARGETS = ("telescope", "instrument", "instrument_module")
Setups = Mapping[int, list[InstrumentModuleConfiguration]]


def slots_in(downtimes: Sequence[Downtime], since: datetime = EARLIEST) -> list[PreScheduledSlot]:
    """Return the slots that share time with downtimes after a moment, the earliest first. One query.

    Args:
        downtimes: the downtimes.
        since: slots that end by then are left out.
    """
    times = Q()
    for downtime in downtimes:
        end = {} if downtime.end_time is None else {"start_time__lt": downtime.end_time}
        begin = max(downtime.start_time, since)
        earliest = max(begin, EARLIEST) - LONGEST_SLOT
        times |= Q(start_time__gt=earliest, end_time__gt=begin, **end)
    rows = PreScheduledSlot.objects.filter(times).select_related("obs_unit", "telescope").order_by("start_time", "pk")
    return list(rows[:MOST_SLOTS])


def setups_of(keys: Collection[int]) -> dict[int, list[InstrumentModuleConfiguration]]:
    """Return the module configurations of units, with module, instrument and telescope. One query.

    Args:
        keys: of the units; those without any configuration are left out.
    """
    if not keys:
        return {}
    links = ObsUnit.module_configurations.through.objects.filter(obsunit__in=keys).select_related(
        "instrumentmoduleconfiguration__instrument_module__instrument__telescope"
    )
    found: dict[int, list[InstrumentModuleConfiguration]] = {}
    for link in links.order_by("pk"):
        found.setdefault(link.obsunit_id, []).append(link.instrumentmoduleconfiguration)
    return found


def slots_affected(
    downtime: Downtime, slots: Sequence[PreScheduledSlot], setups: Setups, possible: PossibleModules
) -> tuple[list[PreScheduledSlot], list[PreScheduledSlot]]:
    """Return the slots that a downtime stops, and those that it may stop.

    Args:
        downtime: with what is down.
        slots: among these.
        setups: the module configurations of their units.
        possible: what the other units may use.
    """
    within = [slot for slot in slots if overlap(slot, downtime)]
    hit = [slot for slot in within if stops(downtime, slot, setups.get(slot.obs_unit_id, []))]
    unsure = [slot for slot in within if slot.obs_unit_id not in setups and possible.may_stop(downtime, slot)]
    return hit, unsure


def overlap(slot: PreScheduledSlot, downtime: Downtime) -> bool:
    """Return whether a slot and a downtime share time."""
    return slot.start_time < (downtime.end_time or slot.end_time) and downtime.start_time < slot.end_time


def stops(downtime: Downtime, slot: PreScheduledSlot, setup: Sequence[InstrumentModuleConfiguration]) -> bool:
    """Return whether a downtime stops the unit of a slot, which has these module configurations."""
    if downtime.telescope_id:
        return downtime.telescope_id == slot.telescope_id
    modules = [one.instrument_module for one in setup]
    if downtime.instrument_id:
        return downtime.instrument_id in {module.instrument_id for module in modules}
    return downtime.instrument_module_id in {module.pk for module in modules}
