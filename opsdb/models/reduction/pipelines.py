"""Pipelines and their steps."""

from datetime import UTC, datetime
from typing import Self

from cronsim import CronSim, CronSimError
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, Min, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, differ, implies, json_list, json_list_of_text, json_object, not_negative
from opsdb.database.triggers import Immutable, LocationOfType, SameOwner, Trigger

from ..base import NumberedModel, OpsModel, OpsQuerySet
from ..copies.physical_copies import PhysicalCopy
from ..data.raw_packages import RawDataPackage, RawDataPackageQuerySet
from ..enums import GroupingDimension, LocationType, PackageState, PhysicalCopyStatus, TriggerType, VersionPolicy
from ..locations import DataLocation
from ..managers import manager_of
from .grouping import DIMENSIONS, DataGrouping
from .software import ReductionSoftware, ReductionSoftwareVersion, ReductionStepConfig

__all__ = [
    "Pipeline",
    "ReductionStep",
    "ReductionStepDependency",
]


def _cron_pattern() -> str:
    """Return a regular expression for the five fields of a cron expression (POSIX crontab, plus steps and names)."""
    months = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
    days = "sun|mon|tue|wed|thu|fri|sat"
    fields = [
        "[0-5]?[0-9]",
        "[01]?[0-9]|2[0-3]",
        "0?[1-9]|[12][0-9]|3[01]",
        f"0?[1-9]|1[0-2]|{months}",
        f"0?[0-7]|{days}",
    ]
    entries = [f"([*]|({value})(-({value}))?)(/[1-9][0-9]?)?" for value in fields]
    return "^" + " +".join(f"({entry})(,{entry})*" for entry in entries) + "$"


CRON_EXPRESSION = _cron_pattern()


class PipelineQuerySet(OpsQuerySet["Pipeline"]):
    def enabled(self) -> Self:
        """Pipelines that may start runs, the most urgent first."""
        return self.filter(enabled=True).order_by("-priority", "id")


class Pipeline(NumberedModel):
    """A sequence of reduction steps for the packages of a grouping.

    Its trigger decides when runs of its steps are planned, for the packages of its grouping that are new to a step.
    """

    natural_key_fields = ("name",)

    name = models.CharField(max_length=200, unique=True, help_text=_("Name of the pipeline, unique."))
    description = models.TextField(blank=True, default="", help_text=_("Products that the pipeline makes."))
    data_grouping = models.ForeignKey(
        DataGrouping,
        on_delete=models.PROTECT,
        related_name="pipelines",
        help_text=_("Grouping that selects the packages to reduce."),
    )
    processing_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        related_name="pipelines",
        help_text=_("Processing location where the runs take place."),
    )
    trigger_type = models.CharField(
        max_length=12,
        choices=TriggerType,
        default=TriggerType.MANUAL,
        help_text=_("Event that starts new runs: new data, a time, or a person."),
    )
    trigger_config = models.JSONField(
        default=dict,
        blank=True,
        help_text=_('Details of the trigger, a JSON object; for cron {"cron": "0 12 * * *"} (UTC).'),
    )
    last_planned_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text=_("When its runs were planned last (UTC), if it has a cron trigger: the next time counts from then."),
    )
    enabled = models.BooleanField(default=True, help_text=_("Whether the pipeline may start new runs."))
    priority = models.IntegerField(default=0, help_text=_("Higher is run first."))
    created_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Person who created the pipeline."),
    )

    objects = manager_of(PipelineQuerySet)

    class Meta:
        constraints = [
            json_object("trigger_config"),
            implies(
                "cron_expression",
                Q(trigger_type=TriggerType.CRON),
                Q(trigger_config__has_key="cron")
                & ~Q(trigger_config__cron=None)  # of which a regular expression is neither true nor false
                & Q(trigger_config__cron__iregex=CRON_EXPRESSION),
                'A cron trigger needs {"cron": "minute hour day month weekday"}, such as {"cron": "0 12 * * *"}.',
                "trigger_config",
            ),
            LocationOfType("processing_location", LocationType.PROCESSING),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.trigger_type == TriggerType.CRON and isinstance(self.trigger_config, dict):
            try:
                self.next_time(timezone.now())
            except ValueError as error:
                raise ValidationError({"trigger_config": str(error)}) from None

    def next_time(self, since: datetime) -> datetime:
        """Return the first time after a moment at which its cron trigger makes it start.

        Raises:
            ValueError: the cron expression can't be read, or names a day that never comes.
        """
        expression = self.trigger_config.get("cron")
        try:
            return next(CronSim(str(expression), since.astimezone(UTC)))
        except (CronSimError, StopIteration) as error:
            raise ValueError(
                f"{expression!r} is no cron expression that comes true ({str(error).lower() or 'it never does'}); "
                'write minute, hour, day, month and weekday, each range from low to high, such as "0 12 * * *"'
            ) from None

    def is_due(self, now: datetime) -> bool:
        """Return whether its trigger makes it start at a moment: continuous always, manual never, cron when one of its
        times has passed since its runs were planned last or, if they never were, since it was made.

        Raises:
            ValueError: as :meth:`next_time`.
        """
        if self.trigger_type == TriggerType.CRON:
            return self.next_time(self.last_planned_at or self.created_at) <= now
        return self.trigger_type == TriggerType.CONTINUOUS

    def available_packages(self) -> RawDataPackageQuerySet:
        """Return the packages of its grouping that can be reduced: archived ones, and those that are there already."""
        there = PhysicalCopy.objects.filter(
            raw_data_package=OuterRef("pk"),
            data_location=self.processing_location_id,
            status__in=[PhysicalCopyStatus.PRESENT, PhysicalCopyStatus.STAGED],
        )
        return self.data_grouping.packages().filter(Q(state=PackageState.ARCHIVED) | Exists(there))


class ReductionStep(NumberedModel):
    """One step of a pipeline: a program with its parameters, run once per sub-group of the packages.

    Each execution of it is a run, an ``ExecutedReductionStep``.
    """

    natural_key_fields = ("pipeline", "name")

    pipeline = models.ForeignKey(
        Pipeline,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="steps",
        help_text=_("Pipeline that the step is a part of."),
    )
    name = models.CharField(max_length=200, help_text=_("Name, unique in the pipeline."))
    order = models.IntegerField(default=0, help_text=_("Position in the pipeline, lowest first."))
    software = models.ForeignKey(
        ReductionSoftware, on_delete=models.PROTECT, related_name="steps", help_text=_("Software that the step runs.")
    )
    config = models.ForeignKey(
        ReductionStepConfig,
        on_delete=models.PROTECT,
        related_name="steps",
        help_text=_("Configuration of the same software."),
    )
    version_policy = models.CharField(
        max_length=12,
        choices=VersionPolicy,
        default=VersionPolicy.LATEST,
        help_text=_("Rule that selects the version to run."),
    )
    pinned_version = models.ForeignKey(
        ReductionSoftwareVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="pinned_by",
        help_text=_("The version that the policy starts from; none for the latest."),
    )
    group_by = models.JSONField(
        default=list,
        blank=True,
        help_text=_("Dimensions to split the packages by, a JSON list; [] for all together."),
    )
    cooldown_seconds = models.IntegerField(default=0, help_text=_("Quiet time after the last new package, seconds."))
    max_retries = models.IntegerField(default=3, help_text=_("Number of retries of a failed run."))
    depends_on = models.ManyToManyField(
        "self",
        symmetrical=False,
        through="ReductionStepDependency",
        blank=True,
        related_name="dependents",
        help_text=_("Steps of the same pipeline that must be completed before."),
    )

    class Meta:
        constraints = [
            Unique(
                "unique_name",
                "pipeline",
                "name",
                message="The pipeline has a step of this name; choose another.",
            ),
            not_negative("order"),
            not_negative("cooldown_seconds"),
            not_negative("max_retries"),
            json_list("group_by"),
            json_list_of_text(
                "group_by",
                f"^({'|'.join(GroupingDimension.values)})$",
                f"dimensions: {', '.join(GroupingDimension.values)}",
            ),
            implies(
                "policy_has_version",
                Q(version_policy__in=[VersionPolicy.EXACT, VersionPolicy.COMPATIBLE]),
                Q(pinned_version__isnull=False),
                "The policies exact and compatible start from a version; give pinned_version, or another policy.",
                "pinned_version",
            ),
            SameOwner(
                "config",
                "reduction_step_config",
                "software_id",
                "its configuration must be one of the same software",
                "Choose a configuration of that software.",
            ),
            SameOwner(
                "pinned_version",
                "reduction_software_version",
                "software_id",
                "its version must be one of the same software",
                "Choose a version of that software, or none.",
            ),
            Immutable("pipeline_id", "software_id"),
        ]

    def __str__(self) -> str:
        return self.name

    def new_packages(self) -> RawDataPackageQuerySet:
        """Return the available packages that no run of this step has had, whatever the outcome of that run."""
        return self.pipeline.available_packages().filter(~self._had())

    def has_new_since(self, *, of_newest: int) -> datetime | None:
        """Return when the oldest of its new packages was last changed, or None when none is new.

        Looks at the newest so many available packages only: it costs the same however many this step has had.
        """
        newest = self.pipeline.available_packages().annotate(is_new=~self._had()).order_by("-pk")[:of_newest]
        return newest.aggregate(oldest=Min("updated_at", filter=Q(is_new=True)))["oldest"]

    def _had(self) -> Exists:
        packages = RawDataPackage.reduction_runs.through.objects
        return Exists(packages.filter(raw_data_package=OuterRef("pk"), run__step=self))

    def split(self, packages: RawDataPackageQuerySet) -> RawDataPackageQuerySet:
        """Return the packages with their value of every dimension of ``group_by``, named after the dimension + _key."""
        return packages.annotate(**{f"{name}_key": DIMENSIONS[name] for name in self.group_by})


class ReductionStepDependency(OpsModel):
    """One step of a pipeline waits for another."""

    id = models.BigAutoField(primary_key=True, help_text=_("Number of the row."))
    step = models.ForeignKey(
        ReductionStep,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="dependencies",
        help_text=_("Step that waits for the other."),
    )
    depends_on = models.ForeignKey(
        ReductionStep,
        on_delete=models.PROTECT,
        related_name="waiting",
        help_text=_("Step that must be completed before."),
    )

    class Meta:
        verbose_name_plural = _("reduction step dependencies")
        constraints = [
            Unique(
                "unique_pair", "step", "depends_on", message="The step waits for that one already; leave it as it is."
            ),
            differ("step", "depends_on", "A step can't wait for itself; choose another step."),
            Trigger("same_pipeline", "opsdb_step_waits_in_pipeline"),
            Trigger("no_cycle", "opsdb_steps_make_no_cycle"),
        ]

    def __str__(self) -> str:
        return f"{self.step_id} after {self.depends_on_id}"
