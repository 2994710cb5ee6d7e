"""Observation units: the smallest pieces of work that can be scheduled."""

from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, between, ordered, positive
from opsdb.database.triggers import SameOwner, Trigger

from ..base import NumberedModel, OpsQuerySet
from ..managers import manager_of
from ..observatory import InstrumentModuleConfiguration
from .configurations import ObservationConfiguration, ObsMode
from .programs import ObservingProgram, SubObservingProgram
from .sources import Source

__all__ = [
    "ObsUnit",
]


class ObsUnitQuerySet(OpsQuerySet["ObsUnit"]):
    def available(self) -> Self:
        """Units that can be scheduled, in programs that still observe."""
        return self.filter(available=True, observing_program__active=True)

    def in_program(self, code: str) -> Self:
        """Units of the program with this code."""
        return self.filter(observing_program__short_name=code)

    def by_priority(self) -> Self:
        """The most urgent first."""
        return self.order_by("-priority", "id")


class ObsUnit(NumberedModel):
    """The smallest piece of work that can be scheduled: a source observed in one mode with one recipe.

    It belongs to a program, and the schedule gives it slots. Each time it is observed an ``ExecutedObsUnit`` is made.
    """

    natural_key_fields = ("observing_program", "name")
    logged_in_bulk = "INSERT"

    observing_program = models.ForeignKey(
        ObservingProgram,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="obs_units",
        help_text=_("Program that the unit belongs to."),
    )
    sub_observing_program = models.ForeignKey(
        SubObservingProgram,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="obs_units",
        help_text=_("Sub-program of the same program, if any."),
    )
    source = models.ForeignKey(
        Source,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="obs_units",
        help_text=_("Source to observe; empty only in modes that observe no source."),
    )
    obs_mode = models.ForeignKey(
        ObsMode, on_delete=models.PROTECT, related_name="obs_units", help_text=_("Mode in which the unit is observed.")
    )
    configuration = models.ForeignKey(
        ObservationConfiguration,
        on_delete=models.PROTECT,
        related_name="obs_units",
        help_text=_("Recipe with the parameters of the observation."),
    )
    module_configurations = models.ManyToManyField(
        InstrumentModuleConfiguration,
        blank=True,
        related_name="obs_units",
        help_text=_("Set-up of the instrument modules that take part."),
    )
    name = models.CharField(max_length=200, help_text=_("Name, unique in the program."))
    line_id = models.CharField(max_length=50, blank=True, default="", help_text=_("Spectral line, such as CO43."))
    rest_frequency_ghz = models.FloatField(
        null=True, blank=True, help_text=_("Rest frequency of the line, GHz, to which its velocities refer.")
    )
    version = models.IntegerField(default=1, help_text=_("Version of the unit's definition."))
    priority = models.IntegerField(default=0, help_text=_("Higher is scheduled first."))
    available = models.BooleanField(default=True, help_text=_("Whether the unit can be scheduled."))
    elevation_min_deg = models.FloatField(
        null=True, blank=True, help_text=_("Lowest elevation to observe at, degrees.")
    )
    elevation_max_deg = models.FloatField(
        null=True, blank=True, help_text=_("Highest elevation to observe at, degrees.")
    )
    pwv_max_mm = models.FloatField(
        null=True, blank=True, help_text=_("Most precipitable water vapour to observe in, mm.")
    )
    planned_duration_seconds = models.FloatField(
        null=True, blank=True, help_text=_("Duration of one observation, seconds.")
    )
    requested_executions = models.IntegerField(
        null=True, blank=True, help_text=_("Number of observations to make of the unit.")
    )
    lst_start_hours = models.FloatField(
        null=True, blank=True, help_text=_("Earliest local sidereal time, hours in [0, 24).")
    )
    lst_end_hours = models.FloatField(
        null=True,
        blank=True,
        help_text=_("Latest local sidereal time, hours in [0, 24); below the earliest past midnight."),
    )
    comment = models.TextField(blank=True, default="", help_text=_("Remarks for observers."))

    objects = manager_of(ObsUnitQuerySet)

    class Meta:
        verbose_name = _("observation unit")
        constraints = [
            Unique(
                "unique_name",
                "observing_program",
                "name",
                message="The program has a unit of this name; choose another.",
            ),
            positive("rest_frequency_ghz"),
            positive("version"),
            between("elevation_min_deg", 0, 90, "°"),
            between("elevation_max_deg", 0, 90, "°"),
            ordered("elevation_min_deg", "elevation_max_deg", strict=False),
            positive("pwv_max_mm"),
            positive("planned_duration_seconds"),
            positive("requested_executions"),
            between("lst_start_hours", 0, 24, " h", below_high=True),
            between("lst_end_hours", 0, 24, " h", below_high=True),
            SameOwner(
                "sub_observing_program",
                "sub_observing_program",
                "observing_program_id",
                "the sub-program must be a part of the unit's own observing program",
                "Choose a sub-program of that program, or none.",
            ),
            Trigger(
                "source_needed",
                "opsdb_unit_needs_source",
                events='INSERT OR UPDATE OF "source_id", "obs_mode_id"',
                when="NEW.source_id IS NULL",
                field="source",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Report beside the field what the database would refuse."""
        errors = {}
        sub_program = self.sub_observing_program
        if sub_program and sub_program.observing_program_id != self.observing_program_id:
            errors["sub_observing_program"] = "The sub-program must be a part of the unit's own observing program."
        if self.source_id is None and self.obs_mode_id and self.obs_mode.needs_source:
            errors["source"] = f"A unit in mode {self.obs_mode} needs a source."
        if errors:
            raise ValidationError(errors)
