"""How data are reduced: software, groupings, pipelines, their runs, and the products."""

from datetime import UTC, timedelta

from cronsim import CronSim, CronSimError
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, Min, OuterRef, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import (
    Unique,
    differ,
    implies,
    json_list,
    json_list_of_text,
    json_object,
    json_object_of_text,
    matches,
    not_negative,
    positive,
    relative_path,
)
from opsdb.database.indexes import Index, by_checksum
from opsdb.database.triggers import (
    FrozenOnceVerified,
    Immutable,
    LocationOfType,
    Refuses,
    SameOwner,
    Trigger,
    holds_back_deletion,
    stays_linked,
)

from .archive import StagingJob
from .base import Checksummed, OpsModel, OpsQuerySet, Row, checksummed_constraints
from .data import FACTS, RawDataPackage
from .enums import (
    DataProductType,
    GroupingDimension,
    LocationType,
    PackageState,
    PhysicalCopyStatus,
    RunStatus,
    TriggerType,
    VersionPolicy,
)
from .grouping import conditions, rules_are_known
from .lineage import Lineage, downstream, lineage
from .locations import DataLocation
from .observatory import InstrumentModule


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
# What the packages of a sub-group have in common, by dimension. A night begins at noon (UTC).
DIMENSIONS = {
    GroupingDimension.OBSERVING_PROGRAM: F("executed_obs_unit__obs_unit__observing_program_id"),
    GroupingDimension.OBS_UNIT: F("executed_obs_unit__obs_unit_id"),
    GroupingDimension.EXECUTED_OBS_UNIT: F("executed_obs_unit_id"),
    GroupingDimension.SOURCE: F("executed_obs_unit__obs_unit__source_id"),
    GroupingDimension.INSTRUMENT_MODULE: F("instrument_module_id"),
    GroupingDimension.NIGHT: TruncDate(F("executed_obs_unit__start_time") - timedelta(hours=12), tzinfo=UTC),
}


class ReductionSoftware(Row):
    """A program that reduces data."""

    natural_key_fields = ("name",)

    name = models.CharField(max_length=200, unique=True, help_text=_("Name."))
    repository_url = models.URLField(blank=True, default="", help_text=_("Where its source is."))
    description = models.TextField(blank=True, default="", help_text=_("What it does."))

    class Meta:
        verbose_name_plural = _("reduction software")

    def __str__(self):
        return self.name


class ReductionSoftwareVersion(Row):
    """A version of a program, as a container image that can be run again."""

    natural_key_fields = ("software", "version")

    software = models.ForeignKey(
        ReductionSoftware,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="versions",
        help_text=_("The program."),
    )
    version = models.CharField(max_length=50, help_text=_("Version, unique for the program."))
    image = models.CharField(max_length=500, blank=True, default="", help_text=_("Container image."))
    image_digest = models.CharField(
        max_length=80, blank=True, default="", help_text=_("Digest of the image, such as sha256:….")
    )
    sif_path = models.CharField(max_length=1000, blank=True, default="", help_text=_("Path of the Apptainer image."))
    released_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was released (UTC)."))
    deprecated = models.BooleanField(default=False, help_text=_("Whether new runs should avoid it."))

    class Meta:
        constraints = [
            Unique("unique_version", "software", "version", message="The software has this version."),
            matches(
                "image_digest",
                r"^(sha256:[0-9a-f]{64})?$",
                "A digest looks like sha256: and 64 hexadecimal digits.",
            ),
            Immutable("software_id"),
        ]

    def __str__(self):
        return self.version


class ReductionStepConfig(Row):
    """A set of parameters, and what a run needs of a computer, for a program."""

    natural_key_fields = ("software", "name")

    software = models.ForeignKey(
        ReductionSoftware,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="step_configs",
        help_text=_("The program."),
    )
    name = models.CharField(max_length=200, help_text=_("Name, unique for the program."))
    parameters = models.JSONField(default=dict, blank=True, help_text=_("Parameters, a JSON object."))
    environment = models.JSONField(
        default=dict, blank=True, help_text=_("Environment variables, a JSON object of texts.")
    )
    cpu = models.IntegerField(default=1, help_text=_("Number of processor cores."))
    memory_gb = models.FloatField(default=1.0, help_text=_("Memory, GB."))
    time_hours = models.FloatField(default=1.0, help_text=_("Longest run time, hours."))

    class Meta:
        constraints = [
            Unique("unique_name", "software", "name", message="The software has a configuration of this name."),
            json_object("parameters"),
            json_object("environment"),
            json_object_of_text("environment"),
            positive("cpu"),
            positive("memory_gb"),
            positive("time_hours"),
            Immutable("software_id"),
        ]

    def __str__(self):
        return self.name


class DataGrouping(Row):
    """A rule that says which raw packages belong together."""

    natural_key_fields = ("name",)

    name = models.CharField(max_length=200, unique=True, help_text=_("Name."))
    description = models.TextField(blank=True, default="", help_text=_("What it gathers."))
    filter_rules = models.JSONField(
        default=list,
        blank=True,
        help_text=_("A JSON list of {table, column, operator, value, json_path}; all must hold."),
    )
    instrument_module = models.ForeignKey(
        InstrumentModule,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="data_groupings",
        help_text=_("Only packages of this module, if set."),
    )

    class Meta:
        constraints = [json_list("filter_rules"), rules_are_known()]

    def __str__(self):
        return self.name

    def clean(self):
        try:
            conditions(self.filter_rules)
        except ValidationError as error:
            raise ValidationError({"filter_rules": error.messages}) from None

    def packages(self):
        """Return the raw data packages that the rules hold for, and that are of the module if there is one.

        Raises:
            ValidationError: a rule is wrong.
        """
        packages = RawDataPackage.objects.all()
        if self.instrument_module_id is not None:
            packages = packages.filter(instrument_module=self.instrument_module_id)
        for condition in conditions(self.filter_rules):
            packages = packages.filter(condition.q)
        return packages


class PipelineQuerySet(OpsQuerySet):
    def enabled(self):
        """Pipelines that may start runs, the most urgent first."""
        return self.filter(enabled=True).order_by("-priority", "id")


class Pipeline(Row):
    """A sequence of reduction steps for the packages of a grouping."""

    natural_key_fields = ("name",)

    name = models.CharField(max_length=200, unique=True, help_text=_("Name."))
    description = models.TextField(blank=True, default="", help_text=_("What it makes."))
    data_grouping = models.ForeignKey(
        DataGrouping, on_delete=models.PROTECT, related_name="pipelines", help_text=_("The packages it reduces.")
    )
    processing_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        related_name="pipelines",
        help_text=_("The processing location where it runs."),
    )
    trigger_type = models.CharField(
        max_length=12, choices=TriggerType, default=TriggerType.MANUAL, help_text=_("What makes it start.")
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
    enabled = models.BooleanField(default=True, help_text=_("Whether it may start runs."))
    priority = models.IntegerField(default=0, help_text=_("Higher is served first."))
    created_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Who made it."),
    )

    objects = PipelineQuerySet.as_manager()

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

    def __str__(self):
        return self.name

    def clean(self):
        if self.trigger_type == TriggerType.CRON and isinstance(self.trigger_config, dict):
            try:
                self.next_time(timezone.now())
            except ValueError as error:
                raise ValidationError({"trigger_config": str(error)}) from None

    def next_time(self, since):
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

    def is_due(self, now) -> bool:
        """Return whether its trigger makes it start at a moment: continuous always, manual never, cron when one of its
        times has passed since its runs were planned last or, if they never were, since it was made.

        Raises:
            ValueError: as :meth:`next_time`.
        """
        if self.trigger_type == TriggerType.CRON:
            return self.next_time(self.last_planned_at or self.created_at) <= now
        return self.trigger_type == TriggerType.CONTINUOUS

    def available_packages(self):
        """Return the packages of its grouping that can be reduced: archived ones, and those that are there already."""
        from .copies import PhysicalCopy

        there = PhysicalCopy.objects.filter(
            raw_data_package=OuterRef("pk"),
            data_location=self.processing_location_id,
            status__in=[PhysicalCopyStatus.PRESENT, PhysicalCopyStatus.STAGED],
        )
        return self.data_grouping.packages().filter(Q(state=PackageState.ARCHIVED) | Exists(there))


class ReductionStep(Row):
    """One step of a pipeline: a program with its parameters, run once per sub-group of the packages."""

    natural_key_fields = ("pipeline", "name")

    pipeline = models.ForeignKey(
        Pipeline, on_delete=models.PROTECT, db_index=False, related_name="steps", help_text=_("The pipeline.")
    )
    name = models.CharField(max_length=200, help_text=_("Name, unique in the pipeline."))
    order = models.IntegerField(default=0, help_text=_("Place in the pipeline, lowest first."))
    software = models.ForeignKey(
        ReductionSoftware, on_delete=models.PROTECT, related_name="steps", help_text=_("The program that runs.")
    )
    config = models.ForeignKey(
        ReductionStepConfig,
        on_delete=models.PROTECT,
        related_name="steps",
        help_text=_("Its parameters; of the same program."),
    )
    version_policy = models.CharField(
        max_length=12, choices=VersionPolicy, default=VersionPolicy.LATEST, help_text=_("Which version runs.")
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
    max_retries = models.IntegerField(default=3, help_text=_("How often a run may be tried again."))
    depends_on = models.ManyToManyField(
        "self",
        symmetrical=False,
        through="ReductionStepDependency",
        blank=True,
        related_name="dependents",
        help_text=_("Steps of the same pipeline that come before."),
    )

    class Meta:
        constraints = [
            Unique("unique_name", "pipeline", "name", message="The pipeline has a step of this name."),
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
                "An exact or compatible version needs a version to start from.",
                "pinned_version",
            ),
            SameOwner(
                "config",
                "reduction_step_config",
                "software_id",
                "its configuration must be one of the same software",
            ),
            SameOwner(
                "pinned_version",
                "reduction_software_version",
                "software_id",
                "its version must be one of the same software",
            ),
            Immutable("pipeline_id", "software_id"),
        ]

    def __str__(self):
        return self.name

    def new_packages(self):
        """Return the available packages that no run of this step has had, whatever became of the run."""
        return self.pipeline.available_packages().filter(~self._had())

    def has_new_since(self, *, of_newest):
        """Return when the oldest of its new packages was last changed, or None when none is new.

        Looks at the newest so many available packages only: it costs the same however many this step has had.
        """
        newest = self.pipeline.available_packages().annotate(is_new=~self._had()).order_by("-pk")[:of_newest]
        return newest.aggregate(oldest=Min("updated_at", filter=Q(is_new=True)))["oldest"]

    def _had(self):
        packages = ExecutedReductionStep.input_packages.through.objects
        return Exists(packages.filter(raw_data_package=OuterRef("pk"), run__step=self))

    def split(self, packages):
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
        help_text=_("The step that waits."),
    )
    depends_on = models.ForeignKey(
        ReductionStep,
        on_delete=models.PROTECT,
        related_name="waiting",
        help_text=_("The step that comes before."),
    )

    class Meta:
        verbose_name_plural = _("reduction step dependencies")
        constraints = [
            Unique("unique_pair", "step", "depends_on", message="The step waits for that one already."),
            differ("step", "depends_on", "A step can't wait for itself."),
            Trigger("same_pipeline", "opsdb_step_waits_in_pipeline"),
            Trigger("no_cycle", "opsdb_steps_make_no_cycle"),
        ]

    def __str__(self):
        return f"{self.step_id} after {self.depends_on_id}"


class ExecutedReductionStepQuerySet(OpsQuerySet):
    def open(self):
        """Runs that still occupy their step and sub-group."""
        return self.filter(status__in=RunStatus.open())

    def failed(self):
        """Runs that failed."""
        return self.filter(status=RunStatus.FAILED)

    def completed(self):
        """Runs that made what they should."""
        return self.filter(status=RunStatus.COMPLETED)

    def awaiting_start(self):
        """Runs whose data can be staged, of enabled pipelines, the most urgent first."""
        return self.filter(status=RunStatus.PENDING, step__pipeline__enabled=True).order_by(
            "-step__pipeline__priority", "created_at", "pk"
        )


class ExecutedReductionStep(Row):
    """One run of a reduction step on one sub-group of the data."""

    step = models.ForeignKey(
        ReductionStep, on_delete=models.PROTECT, db_index=False, related_name="runs", help_text=_("The step.")
    )
    software_version = models.ForeignKey(
        ReductionSoftwareVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="runs",
        help_text=_("The version that ran; of the step's software."),
    )
    sub_group_key = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text=_("Which sub-group of the data; empty for all together."),
    )
    status = models.CharField(
        max_length=20, choices=RunStatus, default=RunStatus.PENDING, help_text=_("Where it stands.")
    )
    hpc_job_id = models.CharField(
        max_length=100, blank=True, default="", help_text=_("Number of the job at the cluster.")
    )
    retry_count = models.IntegerField(default=0, help_text=_("How often it was tried again."))
    failure_message = models.TextField(blank=True, default="", help_text=_("What went wrong last."))
    staging_job = models.ForeignKey(
        StagingJob,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="runs",
        help_text=_("The job that staged its data."),
    )
    input_packages = models.ManyToManyField(
        RawDataPackage,
        through="ExecutedReductionStepInputPackage",
        blank=True,
        related_name="reduction_runs",
        help_text=_("The raw packages it read."),
    )
    input_products = models.ManyToManyField(
        "opsdb.DataProduct",
        through="ExecutedReductionStepInputProduct",
        blank=True,
        related_name="consuming_runs",
        help_text=_("The data products it read."),
    )
    exit_code = models.IntegerField(null=True, blank=True, help_text=_("Exit code of the program."))
    wall_time_seconds = models.FloatField(null=True, blank=True, help_text=_("Run time, seconds."))
    cpu_hours = models.FloatField(null=True, blank=True, help_text=_("Processor time, core hours."))
    peak_memory_gb = models.FloatField(null=True, blank=True, help_text=_("Most memory it held, GB."))
    submitted_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was handed to the cluster (UTC)."))
    started_at = models.DateTimeField(null=True, blank=True, help_text=_("When it began (UTC)."))
    finished_at = models.DateTimeField(null=True, blank=True, help_text=_("When it ended (UTC)."))

    objects = ExecutedReductionStepQuerySet.as_manager()

    class Meta:
        constraints = [
            Unique(
                "unique_open",
                "step",
                "sub_group_key",
                condition=Q(status__in=RunStatus.open()),
                message="The step has an open run for this sub-group.",
            ),
            not_negative("retry_count"),
            not_negative("wall_time_seconds"),
            not_negative("cpu_hours"),
            not_negative("peak_memory_gb"),
            implies(
                "failed_has_message",
                Q(status=RunStatus.FAILED),
                ~Q(failure_message=""),
                "A failed run says what went wrong.",
                "failure_message",
            ),
            implies(
                "completed_has_end",
                Q(status=RunStatus.COMPLETED),
                Q(finished_at__isnull=False),
                "A completed run says when it ended.",
                "finished_at",
            ),
            Trigger(
                "version_of_software",
                "opsdb_run_version_of_software",
                events='INSERT OR UPDATE OF "software_version_id"',
                when="NEW.software_version_id IS NOT NULL",
            ),
            Immutable("step_id"),
            Refuses(
                "what_ran_stays",
                "OLD.status = 'completed' AND (OLD.software_version_id IS DISTINCT FROM NEW.software_version_id "
                "OR OLD.sub_group_key <> NEW.sub_group_key)",
                "executed_reduction_step {old.id}: software_version_id, sub_group_key cannot be changed, "
                "because the run is completed",
                events="UPDATE",
            ),
            holds_back_deletion(
                "input_packages_wait",
                "executed_reduction_step_input_package",
                "raw_data_package",
                "raw_data_package_id",
            ),
            stays_linked(
                "input_packages_stay",
                "opsdb_keep_inputs",
                "executed_reduction_step_input_package",
                "raw_data_package",
                "raw_data_package_id",
            ),
            holds_back_deletion(
                "input_products_wait",
                "executed_reduction_step_input_product",
                "data_product",
                "data_product_id",
            ),
            stays_linked(
                "input_products_stay",
                "opsdb_keep_inputs",
                "executed_reduction_step_input_product",
                "data_product",
                "data_product_id",
            ),
        ]
        indexes = [
            Index(fields=["step", "-id"], name="by_step"),
            Index(
                fields=["status", "created_at"],
                name="open",
                condition=Q(status__in=[*RunStatus.open(), RunStatus.FAILED]),
            ),
        ]

    def __str__(self):
        return f"run {self.pk}"


class DataProductQuerySet(OpsQuerySet):
    def current(self):
        """Products that no other product replaces."""
        return self.filter(superseded_by__isnull=True)

    def of_run(self, run):
        """Products that this run made."""
        return self.filter(run=run)


class DataProduct(Checksummed, Row):
    """A file that a run made: a map, a spectrum, a plot, a number, a log."""

    run = models.ForeignKey(
        ExecutedReductionStep,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="products",
        help_text=_("The run that made it."),
    )
    type = models.CharField(max_length=20, choices=DataProductType, help_text=_("What it is."))
    name = models.CharField(max_length=255, help_text=_("Name."))
    relative_path = models.CharField(max_length=1000, help_text=_("Path below its location, unique in the run."))
    quality_metrics = models.JSONField(default=dict, blank=True, help_text=_("Measures of its quality, a JSON object."))
    intermediate = models.BooleanField(default=False, help_text=_("Whether it only serves later steps."))
    superseded_by = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="supersedes",
        help_text=_("The product that replaces it."),
    )

    objects = DataProductQuerySet.as_manager()

    class Meta:
        constraints = [
            *checksummed_constraints(),
            Unique("unique_path", "run", "relative_path", message="The run has a product of this path."),
            relative_path(),
            json_object("quality_metrics"),
            differ("id", "superseded_by", "A product can't supersede itself."),
            Trigger(
                "superseded_in_line",
                "opsdb_superseded_in_line",
                events="INSERT OR UPDATE OF superseded_by_id",
                when="NEW.superseded_by_id IS NOT NULL AND NEW.superseded_by_id <> NEW.id",
            ),
            Immutable("run_id"),
            FrozenOnceVerified("data_product", *FACTS),
        ]
        indexes = [
            Index(fields=["relative_path"], name="by_path", opclasses=["varchar_pattern_ops"]),
            Index(fields=["name"], name="by_name", opclasses=["varchar_pattern_ops"]),
            by_checksum(),
        ]

    def __str__(self):
        return self.name

    def lineage(self) -> Lineage:
        """Return what it was made of: runs and products back to the raw packages and their files, in one query."""
        return lineage(self)

    def downstream(self) -> Lineage:
        """Return what was made of it: runs and products, in one query."""
        return downstream(self)


class ExecutedReductionStepInputPackage(OpsModel):
    """One raw package that a run read. It can't be deleted from under the run."""

    id = models.BigAutoField(primary_key=True, help_text=_("Number of the row."))
    run = models.ForeignKey(
        ExecutedReductionStep, on_delete=models.CASCADE, db_index=False, related_name="+", help_text=_("The run.")
    )
    raw_data_package = models.ForeignKey(
        RawDataPackage, on_delete=models.PROTECT, related_name="+", help_text=_("The raw package it read.")
    )

    class Meta:
        verbose_name = _("input raw package")
        verbose_name_plural = _("input raw packages")
        constraints = [Unique("unique_pair", "run", "raw_data_package", message="The run has this input already.")]

    def __str__(self):
        return f"raw package {self.raw_data_package_id}"


class ExecutedReductionStepInputProduct(OpsModel):
    """One data product that a run read. It can't be deleted from under the run."""

    id = models.BigAutoField(primary_key=True, help_text=_("Number of the row."))
    run = models.ForeignKey(
        ExecutedReductionStep, on_delete=models.CASCADE, db_index=False, related_name="+", help_text=_("The run.")
    )
    data_product = models.ForeignKey(
        DataProduct, on_delete=models.PROTECT, related_name="+", help_text=_("The data product it read.")
    )

    class Meta:
        verbose_name = _("input data product")
        verbose_name_plural = _("input data products")
        constraints = [Unique("unique_pair", "run", "data_product", message="The run has this input already.")]

    def __str__(self):
        return f"data product {self.data_product_id}"
