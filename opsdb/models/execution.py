"""What the telescope has observed of units."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Check, Unique, between, json_object, not_negative, ordered
from opsdb.database.identifiers import uuid7
from opsdb.database.indexes import Index
from opsdb.database.triggers import Immutable, NeverDeleted, Refuses, Trigger
from opsdb.formatting import format_second

from .astronomy import TimeSpan
from .base import OpsModel, OpsQuerySet, Timestamped
from .enums import ChangeLogging, ObservationStatus, Quality
from .managers import manager_of
from .observatory import InstrumentModuleConfiguration
from .planning.units import ObsUnit

__all__ = [
    "ExecutedObsUnit",
    "ExecutedObsUnitModuleConfiguration",
]


SET_THE_CLOCK = "Set the clock of the telescope's computer, and report the right time."
CORRECT_IT = "Have an operator correct what was reported wrongly, with a reason (Correct in the admin)."


class ExecutedObsUnitQuerySet(OpsQuerySet["ExecutedObsUnit"]):
    def running(self) -> Self:
        """Executions that have not ended."""
        return self.filter(status=ObservationStatus.RUNNING)

    def night(self, night: date) -> Self:
        """Executions that began in the 24 hours from noon (UTC) of this date: the night that starts then."""
        noon = datetime.combine(night, time(12), tzinfo=UTC)
        return self.filter(start_time__gte=noon, start_time__lt=noon + timedelta(days=1))

    def latest_first(self) -> Self:
        """The newest first."""
        return self.order_by("-start_time")

    def assessed(self, quality: Quality) -> Self:
        """Executions of this quality."""
        return self.filter(quality=quality)


class ExecutedObsUnit(TimeSpan, Timestamped):
    """One observation: an observation unit executed at the telescope.

    It is made at the telescope, which may be offline, and so has a UUID. Raw data files and packages refer to it. It is
    also called an execution or an observation.
    """

    change_logging = ChangeLogging.CHANGES

    id = models.UUIDField(
        primary_key=True, default=uuid7, help_text=_("Identifier (UUIDv7), made where the observation began.")
    )
    obs_unit = models.ForeignKey(
        ObsUnit,
        on_delete=models.PROTECT,
        related_name="executions",
        help_text=_("The observation unit that was observed."),
    )
    status = models.CharField(
        max_length=20,
        choices=ObservationStatus,
        default=ObservationStatus.RUNNING,
        help_text=_("Whether the observation is running, or its outcome."),
    )
    start_time = models.DateTimeField(help_text=_("Start of the observation (UTC)."))
    end_time = models.DateTimeField(
        null=True, blank=True, help_text=_("End of the observation (UTC); empty exactly while it runs.")
    )
    quality = models.CharField(
        max_length=20,
        choices=Quality,
        default=Quality.UNASSESSED,
        help_text=_("Quality of the data as the observer judges it."),
    )
    module_configurations = models.ManyToManyField(
        InstrumentModuleConfiguration,
        through="ExecutedObsUnitModuleConfiguration",
        blank=True,
        related_name="executions",
        help_text=_("Set-up of the instrument modules during the observation."),
    )
    mean_pwv_mm = models.FloatField(null=True, blank=True, help_text=_("Mean precipitable water vapour, mm."))
    mean_elevation_deg = models.FloatField(null=True, blank=True, help_text=_("Mean elevation, degrees."))
    mean_azimuth_deg = models.FloatField(
        null=True, blank=True, help_text=_("Mean azimuth, degrees from north through east.")
    )
    conditions = models.JSONField(default=dict, blank=True, help_text=_("Weather and other conditions, a JSON object."))
    observer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Person who observed; empty for automatic operation."),
    )
    comment = models.TextField(blank=True, default="", help_text=_("Remarks of the observer."))

    objects = manager_of(ExecutedObsUnitQuerySet)

    class Meta:
        verbose_name = _("observation")
        permissions = [("assess_executedobsunit", "Can judge the quality of an observation")]
        constraints = [
            Check(
                "end_time_when_ended",
                Q(status=ObservationStatus.RUNNING, end_time__isnull=True)
                | (~Q(status=ObservationStatus.RUNNING) & Q(end_time__isnull=False)),
                "Give the end of an observation that has ended, and leave it empty while the observation is running.",
                "end_time",
            ),
            ordered("start_time", "end_time"),
            not_negative("mean_pwv_mm"),
            between("mean_elevation_deg", -5, 95, "°"),
            between("mean_azimuth_deg", -360, 720, "°"),
            json_object("conditions"),
            Immutable("obs_unit_id", "start_time", hint=CORRECT_IT, unless="opsdb_is_correction(OLD.id)"),
            Refuses(
                "not_in_future",
                "NEW.start_time > statement_timestamp() + opsdb_clock_skew()",
                "executed_obs_unit {new.id}: cannot have begun at {new.start_time}, which is in the future",
                SET_THE_CLOCK,
                events="INSERT OR UPDATE OF start_time",
                field="start_time",
            ),
            Refuses(
                "end_not_in_future",
                "NEW.end_time > statement_timestamp() + opsdb_clock_skew()",
                "executed_obs_unit {new.id}: cannot have ended at {new.end_time}, which is in the future",
                SET_THE_CLOCK,
                events="INSERT OR UPDATE OF end_time",
                field="end_time",
            ),
            Trigger(
                "after_first_light",
                "opsdb_after_first_light",
                events="INSERT OR UPDATE OF start_time",
                field="start_time",
            ),
            NeverDeleted("an observation"),
        ]
        indexes = [
            Index(fields=["-start_time"], name="newest"),
            Index(fields=["start_time"], name="running", condition=Q(status=ObservationStatus.RUNNING)),
        ]

    def __str__(self) -> str:
        return f"{format_second(self.start_time)} {self.id}"


class ExecutedObsUnitModuleConfiguration(OpsModel):
    """One module configuration that an execution used. It can't be deleted while the execution exists."""

    id = models.BigAutoField(primary_key=True, help_text=_("Number of the row."))
    executed_obs_unit = models.ForeignKey(
        ExecutedObsUnit,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="+",
        help_text=_("Observation that used the configuration."),
    )
    module_configuration = models.ForeignKey(
        InstrumentModuleConfiguration,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Configuration that the observation used."),
    )

    class Meta:
        verbose_name = _("module configuration as used")
        verbose_name_plural = _("module configurations as used")
        constraints = [
            Unique(
                "unique_pair",
                "executed_obs_unit",
                "module_configuration",
                message="The observation has this configuration already; leave it as it is.",
            )
        ]

    def __str__(self) -> str:
        return f"configuration {self.module_configuration_id}"
