"""The schedule of a telescope: slots for units, and downtimes."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import NoOverlap, Unique, between, exactly_one, not_negative, ordered
from opsdb.database.indexes import Index
from opsdb.formatting import format_minute, format_second

from ..astronomy import TimeSpan
from ..base import NumberedModel, OpsQuerySet
from ..managers import manager_of
from ..observatory import Instrument, InstrumentModule, Telescope
from .units import ObsUnit

__all__ = [
    "PreScheduledSlot",
    "Downtime",
]


class PreScheduledSlotQuerySet(OpsQuerySet["PreScheduledSlot"]):
    def overlapping(self, start: datetime, end: datetime) -> Self:
        """Slots that share some time with [start, end)."""
        return self.filter(start_time__lt=end, end_time__gt=start)

    def upcoming(self, now: datetime | None = None) -> Self:
        """Slots that have not begun, the next first."""
        return self.filter(start_time__gt=now or timezone.now()).order_by("start_time")


class PreScheduledSlot(TimeSpan, NumberedModel):
    """A time at which the schedule gives the telescope to a unit.

    Slots of one telescope never overlap. A slot is a plan; what happened is an ``ExecutedObsUnit``.
    """

    natural_key_fields = ("telescope", "start_time")
    logged_in_bulk = "INSERT"

    obs_unit = models.ForeignKey(
        ObsUnit, on_delete=models.PROTECT, related_name="slots", help_text=_("Unit to observe in the slot.")
    )
    telescope = models.ForeignKey(
        Telescope,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="slots",
        help_text=_("Telescope that the slot reserves."),
    )
    start_time = models.DateTimeField(help_text=_("Start of the slot (UTC)."))
    end_time = models.DateTimeField(help_text=_("End of the slot (UTC), not included."))
    azimuth_min_deg = models.FloatField(
        null=True, blank=True, help_text=_("Lower end of the scan in azimuth, degrees.")
    )
    azimuth_max_deg = models.FloatField(
        null=True, blank=True, help_text=_("Upper end of the scan in azimuth, degrees.")
    )
    azimuth_final_deg = models.FloatField(
        null=True,
        blank=True,
        help_text=_("Azimuth at the end of the slot, degrees; empty where the schedule has none."),
    )
    elevation_deg = models.FloatField(null=True, blank=True, help_text=_("Elevation of the scan, degrees."))
    boresight_angle_deg = models.FloatField(
        null=True, blank=True, help_text=_("Rotation about the boresight, degrees.")
    )
    scan_index = models.IntegerField(
        null=True, blank=True, help_text=_("Number of the scan or pass in the schedule; below 0 for a partial one.")
    )
    subscan_index = models.IntegerField(null=True, blank=True, help_text=_("Number of the part of the scan."))
    origin = models.CharField(
        max_length=500, blank=True, default="", help_text=_("File that the slot was loaded from.")
    )

    objects = manager_of(PreScheduledSlotQuerySet)

    class Meta:
        verbose_name = _("pre-scheduled slot")
        constraints = [
            ordered("start_time", "end_time"),
            NoOverlap(
                "no_overlap",
                Func(F("start_time"), F("end_time"), function="tstzrange", output_field=DateTimeRangeField()),
                "telescope",
                message="The telescope has another slot at that time; choose a time that is free.",
            ),
            Unique(
                "unique_start",
                "telescope",
                "start_time",
                message="The telescope has a slot that starts then; choose another time, or change that slot.",
            ),
            between("azimuth_min_deg", -360, 720, "°"),
            between("azimuth_max_deg", -360, 720, "°"),
            between("azimuth_final_deg", -360, 720, "°"),
            ordered("azimuth_min_deg", "azimuth_max_deg", strict=False),
            between("elevation_deg", 0, 90, "°"),
            not_negative("subscan_index"),
        ]
        indexes = [Index(fields=["start_time"], name="by_start")]

    def __str__(self) -> str:
        return format_second(self.start_time)


class DowntimeQuerySet(OpsQuerySet["Downtime"]):
    def current(self, now: datetime | None = None) -> Self:
        """Downtimes that hold at ``now`` (default: this moment)."""
        now = now or timezone.now()
        return self.filter(Q(end_time__isnull=True) | Q(end_time__gt=now), start_time__lte=now)


class Downtime(TimeSpan, NumberedModel):
    """A time in which a telescope, an instrument or a module can't be used."""

    telescope = models.ForeignKey(
        Telescope,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="downtimes",
        help_text=_("Telescope that is unavailable; empty for a downtime of an instrument or module."),
    )
    instrument = models.ForeignKey(
        Instrument,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="downtimes",
        help_text=_("Instrument that is unavailable; empty for a downtime of a telescope or module."),
    )
    instrument_module = models.ForeignKey(
        InstrumentModule,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="downtimes",
        help_text=_("Module that is unavailable; empty for a downtime of a telescope or instrument."),
    )
    start_time = models.DateTimeField(help_text=_("Start of the downtime (UTC)."))
    end_time = models.DateTimeField(
        null=True, blank=True, help_text=_("End of the downtime (UTC); empty while it lasts.")
    )
    reason = models.TextField(help_text=_("Reason for the downtime, such as maintenance, a fault or the weather."))
    reported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Person who reported the downtime."),
    )

    objects = manager_of(DowntimeQuerySet)

    class Meta:
        constraints = [
            exactly_one(
                "one_target",
                ["telescope", "instrument", "instrument_module"],
                "Name exactly one of telescope, instrument and instrument module.",
            ),
            ordered("start_time", "end_time"),
        ]
        indexes = [Index(fields=["start_time"], name="by_start")]

    def __str__(self) -> str:
        return f"{format_minute(self.start_time)}: {self.reason[:60]}"
