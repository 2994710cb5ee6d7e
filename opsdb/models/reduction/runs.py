"""Runs of reduction steps."""

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, implies, not_negative
from opsdb.database.indexes import Index
from opsdb.database.triggers import Immutable, Refuses, Trigger, holds_back_deletion, notes_activity, stays_linked

from ..archive import StagingJob
from ..base import NumberedModel, OpsQuerySet
from ..data.raw_packages import RawDataPackage
from ..data.related import related
from ..enums import RunStatus, WorkStage
from ..managers import manager_of
from .pipelines import ReductionStep
from .software import ReductionSoftwareVersion

__all__ = [
    "ExecutedReductionStep",
]


class ExecutedReductionStepQuerySet(OpsQuerySet["ExecutedReductionStep"]):
    def open(self) -> Self:
        """Runs that still occupy their step and sub-group."""
        return self.filter(status__in=RunStatus.open())

    def failed(self) -> Self:
        """Runs that failed."""
        return self.filter(status=RunStatus.FAILED)

    def completed(self) -> Self:
        """Runs that made what they should."""
        return self.filter(status=RunStatus.COMPLETED)

    def awaiting_start(self) -> Self:
        """Pending runs whose inputs can be read and whose pipeline may run, the most urgent first, then the oldest."""
        waiting = self.filter(
            status=RunStatus.PENDING,
            step__pipeline__enabled=True,
            step__pipeline__processing_location__active=True,
        )
        # A subquery for each run: PostgreSQL would else join all inputs and copies.
        return (
            waiting.alias(
                lost_package=_lost_input(self.model.input_packages, "raw_data_package"),
                lost_product=_lost_input(self.model.input_products, "data_product"),
            )
            .filter(lost_package__isnull=True, lost_product__isnull=True)
            .order_by("-step__pipeline__priority", "created_at", "pk")
        )


def _lost_input(inputs, target):
    """Return a subquery of an input of a run that has no readable copy."""
    copies = related(inputs.rel.model, "copies").readable().filter(**{target: OuterRef(target)})
    return Subquery(inputs.through.objects.filter(~Exists(copies), run=OuterRef("pk")).values(target)[:1])


class ExecutedReductionStep(NumberedModel):
    """One run of a reduction step on one sub-group of the data.

    It is also called a run. It reads raw packages and products of earlier steps, and makes ``DataProduct`` rows.
    """

    step = models.ForeignKey(
        ReductionStep,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="runs",
        help_text=_("Step that the run executes."),
    )
    software_version = models.ForeignKey(
        ReductionSoftwareVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="runs",
        help_text=_("Version that the run executes; of the step's software."),
    )
    sub_group_key = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text=_("Sub-group of the data that the run reduces; empty for all together."),
    )
    status = models.CharField(
        max_length=20,
        choices=RunStatus,
        default=RunStatus.PENDING,
        help_text=_("State of the run, from pending to completed, failed or cancelled."),
    )
    hpc_job_id = models.CharField(
        max_length=100, blank=True, default="", help_text=_("Identifier of the job at the batch system of the cluster.")
    )
    retry_count = models.IntegerField(default=0, help_text=_("Number of retries after failures."))
    failure_message = models.TextField(blank=True, default="", help_text=_("Message of the last failure."))
    staging_job = models.ForeignKey(
        StagingJob,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="runs",
        help_text=_("Job that staged the data of the run."),
    )
    input_packages = models.ManyToManyField(
        RawDataPackage,
        through="ExecutedReductionStepInputPackage",
        blank=True,
        related_name="reduction_runs",
        help_text=_("Packages that the run reads."),
    )
    input_products = models.ManyToManyField(
        "opsdb.DataProduct",
        through="ExecutedReductionStepInputProduct",
        blank=True,
        related_name="consuming_runs",
        help_text=_("Products that the run reads."),
    )
    exit_code = models.IntegerField(null=True, blank=True, help_text=_("Exit code of the software."))
    wall_time_seconds = models.FloatField(null=True, blank=True, help_text=_("Elapsed time of the run, seconds."))
    cpu_hours = models.FloatField(null=True, blank=True, help_text=_("Processor time, core hours."))
    peak_memory_gb = models.FloatField(
        null=True, blank=True, help_text=_("Largest amount of memory that the run used, GB.")
    )
    submitted_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the run was submitted to the cluster (UTC).")
    )
    started_at = models.DateTimeField(null=True, blank=True, help_text=_("When the run started (UTC)."))
    finished_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the run was completed or given up (UTC).")
    )

    objects = manager_of(ExecutedReductionStepQuerySet)

    class Meta:
        verbose_name = _("run")
        constraints = [
            *notes_activity(WorkStage.REDUCTION, is_deletable=True),
            Unique(
                "unique_open",
                "step",
                "sub_group_key",
                condition=Q(status__in=RunStatus.open()),
                message="The step has an open run for this sub-group; wait for that run, or cancel it.",
            ),
            not_negative("retry_count"),
            not_negative("wall_time_seconds"),
            not_negative("cpu_hours"),
            not_negative("peak_memory_gb"),
            implies(
                "failed_has_message",
                Q(status=RunStatus.FAILED),
                ~Q(failure_message=""),
                "A failed run must have a failure_message; give the error of the last attempt.",
                "failure_message",
            ),
            implies(
                "completed_has_end",
                Q(status=RunStatus.COMPLETED),
                Q(finished_at__isnull=False),
                "A completed run must have finished_at; give the time at which it ended.",
                "finished_at",
            ),
            Trigger(
                "version_of_software",
                "opsdb_run_version_of_software",
                events='INSERT OR UPDATE OF "software_version_id"',
                when="NEW.software_version_id IS NOT NULL",
                field="software_version",
            ),
            Immutable("step_id"),
            Refuses(
                "what_ran_stays",
                "OLD.status = 'completed' AND (OLD.software_version_id IS DISTINCT FROM NEW.software_version_id "
                "OR OLD.sub_group_key <> NEW.sub_group_key)",
                "executed_reduction_step {old.id}: software_version_id, sub_group_key cannot be changed, "
                "because the run is completed",
                "Plan another run.",
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

    def __str__(self) -> str:
        return f"run {self.pk}"
