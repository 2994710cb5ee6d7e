"""Time allocated to programs, and how much of it the executions have used."""

from typing import Self

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, Extract
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import NoOverlap, Unique, ordered, positive
from opsdb.database.functions import UtcMidnight

from ..base import NumberedModel, OpsQuerySet
from ..execution import ExecutedObsUnit
from ..managers import manager_of
from ..observatory import Instrument
from .programs import ObservingProgram

__all__ = [
    "TimeAllocation",
]


class TimeAllocationQuerySet(OpsQuerySet["TimeAllocation"]):
    def with_used_hours(self) -> Self:
        """Annotate ``used_hours``: time of finished executions in the period, counted from the executions.

        An execution counts where it used a module of the allocated instrument.
        """
        used_instrument = ExecutedObsUnit.module_configurations.through.objects.filter(
            executed_obs_unit_id=OuterRef("pk"),
            module_configuration__instrument_module__instrument_id=OuterRef(OuterRef("instrument_id")),
        )
        durations = (
            ExecutedObsUnit.objects.filter(
                Exists(used_instrument),
                obs_unit__observing_program_id=OuterRef("observing_program_id"),
                start_time__gte=UtcMidnight(OuterRef("start_date")),
                start_time__lt=UtcMidnight(OuterRef("end_date")),
                end_time__isnull=False,
            )
            .order_by()
            .values("obs_unit__observing_program_id")
            .annotate(hours=Sum(Extract(F("end_time") - F("start_time"), "epoch")) / 3600.0)
            .values("hours")
        )
        return self.annotate(used_hours=Coalesce(Subquery(durations), 0.0, output_field=models.FloatField()))


class TimeAllocation(NumberedModel):
    """Hours that a program may observe with an instrument in a period.

    What has been used of it is not stored but summed over the observations: ``with_used_hours()``.
    """

    natural_key_fields = ("observing_program", "instrument", "period")

    observing_program = models.ForeignKey(
        ObservingProgram,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="time_allocations",
        help_text=_("Program that receives the time."),
    )
    instrument = models.ForeignKey(
        Instrument,
        on_delete=models.PROTECT,
        related_name="time_allocations",
        help_text=_("Instrument that the time is allocated at."),
    )
    period = models.CharField(max_length=50, help_text=_("Name of the period, such as 2026B."))
    start_date = models.DateField(help_text=_("First day of the allocation (UTC)."))
    end_date = models.DateField(help_text=_("Day after the last day of the allocation (UTC)."))
    hours = models.FloatField(help_text=_("Allocated time, hours."))

    objects = manager_of(TimeAllocationQuerySet)

    class Meta:
        constraints = [
            Unique(
                "unique_period",
                "observing_program",
                "instrument",
                "period",
                message=(
                    "The program has an allocation for this instrument and period; "
                    "change that allocation, or choose another period."
                ),
            ),
            ordered("start_date", "end_date"),
            positive("hours"),
            NoOverlap(
                "no_overlap",
                Func(F("start_date"), F("end_date"), function="daterange", output_field=DateRangeField()),
                "observing_program",
                "instrument",
                message=(
                    "The program has another allocation for this instrument at that time; choose a period that is free."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.period}: {self.hours:g} h"
