"""Which slots take the time of another one, and when the telescope is free for as long. Nothing is locked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.postgres.fields import DateTimeRangeField
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Func, Q

from opsdb.formatting import format_moment
from opsdb.models import Downtime, PreScheduledSlot, Telescope

NAMED_SLOTS = 3
MOST_SPANS = 1_000
"""Slots, and downtimes of the telescope, that are read to find a free time."""
FOREVER = datetime.max.replace(tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class SlotConflict:
    """Slots that take the time of another one, and when the telescope is free for as long.

    Attributes:
        slots: those that overlap it with their units, the earliest first, three at most.
        has_more: whether more of them overlap it.
        free_from: the first whole second since its start from which the telescope has neither a slot nor a downtime
            for its duration; None where there is none among the next 1,000 slots.
    """

    slots: tuple[PreScheduledSlot, ...]
    has_more: bool
    free_from: datetime | None

    def __str__(self) -> str:
        return self.describe()

    def describe(self, *, with_units: bool = True) -> str:
        """Return the whole in one sentence.

        Args:
            with_units: whether the reader may see the units of the slots.
        """
        slots = ", ".join(self.name(slot, with_unit=with_units) for slot in self.slots)
        return f"{self.problem}: {slots}{self.remedy}"

    @staticmethod
    def name(slot: PreScheduledSlot, *, with_unit: bool = True) -> str:
        """Return what people call a slot: its unit, start and end (UTC).

        Args:
            slot: one of the slots.
            with_unit: whether the reader may see its unit.
        """
        start, end = format_moment(slot.start_time), format_moment(slot.end_time)
        span = f"{start} to {end.removeprefix(start[:11])} UTC"
        return f"{slot.obs_unit} ({span})" if with_unit else span

    @property
    def problem(self) -> str:
        """What is wrong, without the slots."""
        return "The telescope has another slot at that time"

    @property
    def remedy(self) -> str:
        """What follows the slots: what to do."""
        what = f"{' and others' if self.has_more else ''}; choose a time that is free."
        if self.free_from is None:
            return what
        return f"{what} The next one of this length begins at {format_moment(self.free_from)} UTC."


def find_slot_conflict(
    telescope: Telescope | int, start: datetime, end: datetime, *, besides: int | None = None
) -> SlotConflict | None:
    """Return which slots of a telescope overlap [start, end), and when it is free next; None where none does.

    Three queries along indexes, of at most 1,000 rows each, whatever the number of slots. Locks nothing.

    Args:
        telescope: the telescope or its key.
        start: of the wanted time.
        end: of the wanted time, not included.
        besides: the key of a slot that does not count, because it is to be moved.
    """
    own = PreScheduledSlot.objects.filter(telescope=telescope).exclude(pk=besides)
    period = Func(F("start_time"), F("end_time"), function="tstzrange", output_field=DateTimeRangeField())
    overlapping = own.annotate(period=period).filter(period__overlap=DateTimeTZRange(start, end))
    slots = list(overlapping.select_related("obs_unit").order_by("start_time")[: NAMED_SLOTS + 1])
    if not slots:
        return None
    later = own.filter(start_time__gte=slots[0].start_time).order_by("start_time").values_list("start_time", "end_time")
    downtimes = Downtime.objects.filter(Q(end_time__isnull=True) | Q(end_time__gt=start), telescope=telescope)
    times = downtimes.order_by("start_time").values_list("start_time", "end_time")
    taken = sorted([*_known(later[:MOST_SPANS]), *_known(times[:MOST_SPANS])])
    return SlotConflict(tuple(slots[:NAMED_SLOTS]), len(slots) > NAMED_SLOTS, _free_from(taken, start, end - start))


def _known(rows: Iterable[tuple[datetime, datetime | None]]) -> list[tuple[datetime, datetime]]:
    """Return spans; what follows the last row that was read counts as taken."""
    spans = [(start, end or FOREVER) for start, end in rows]
    return [*spans, (spans[-1][0], FOREVER)] if len(spans) == MOST_SPANS else spans


def _free_from(taken, start, duration):
    free = _whole(start)
    for begins, ends in taken:
        if ends == FOREVER and begins - free < duration:
            return None
        if begins - free >= duration:
            break
        free = max(free, _whole(ends))
    return free


def _whole(moment):
    """Return the next whole second."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + SECOND
