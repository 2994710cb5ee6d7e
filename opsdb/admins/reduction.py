"""How data are reduced: software, groupings, pipelines, their runs, and the products."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    DataGrouping,
    DataProduct,
    DataProductPhysicalCopy,
    ExecutedReductionStep,
    ExecutedReductionStepInputPackage,
    ExecutedReductionStepInputProduct,
    GroupingDimension,
    Pipeline,
    ReductionSoftware,
    ReductionSoftwareVersion,
    ReductionStep,
    ReductionStepConfig,
    ReductionStepDependency,
    RunStatus,
)

from .actions.reduction import PIPELINE_ACTIONS, PRODUCT_ACTIONS, RUN_ACTIONS, STEP_ACTIONS
from .kit.admin import OpsAdmin
from .kit.inlines import LinkInline, listing, parts
from .kit.path_parts import PATH_PARTS, RunsOfObservationFinder
from .kit.sub_groups import SubGroupMixin
from .pages.parts import Section
from .pages.run_job import job_section
from .pages.viewer import Viewer


@admin.register(ReductionSoftware)
class ReductionSoftwareAdmin(OpsAdmin):
    list_display = ("name", "repository_url", "description")
    inlines = (
        listing(ReductionSoftwareVersion, "version", "image", "released_at", "deprecated"),
        listing(ReductionStepConfig, "name", "cpu", "memory_gb", "time_hours"),
    )


@admin.register(ReductionSoftwareVersion)
class ReductionSoftwareVersionAdmin(OpsAdmin):
    list_display = ("version", "software", "image", "released_at", "deprecated")
    list_filter = ("deprecated", "software")


@admin.register(ReductionStepConfig)
class ReductionStepConfigAdmin(OpsAdmin):
    list_display = ("name", "software", "cpu", "memory_gb", "time_hours")
    list_filter = ("software",)


@admin.register(DataGrouping)
class DataGroupingAdmin(OpsAdmin):
    list_display = ("name", "description", "instrument_module")


@admin.register(Pipeline)
class PipelineAdmin(OpsAdmin):
    actions = PIPELINE_ACTIONS
    list_display = ("name", "data_grouping", "processing_location", "trigger_type", "priority", "enabled")
    list_filter = ("trigger_type", "enabled", "processing_location")
    inlines = (
        listing(ReductionStep, "order", "name", "software", "config", "version_policy", ordering=("order", "pk")),
    )


@admin.register(ReductionStep)
class ReductionStepAdmin(OpsAdmin):
    actions = STEP_ACTIONS
    list_display = ("name", "pipeline", "order", "software", "config", "version_policy", "pinned_version")
    list_filter = ("version_policy", "pipeline", "software")
    texts_offered = {"group_by": lambda: GroupingDimension.choices}
    help_texts = {"group_by": lazy("Dimensions to split the packages by; none chosen: all together.")}
    inlines = (
        parts(ReductionStepDependency, base=LinkInline, fk_name="step"),
        listing(ExecutedReductionStep, "sub_group_key", "status", "software_version", "finished_at"),
    )


@admin.register(ExecutedReductionStep)
class ExecutedReductionStepAdmin(SubGroupMixin, OpsAdmin):
    actions = RUN_ACTIONS
    part_finders = (RunsOfObservationFinder(),)
    owned = (
        "hpc_job_id",
        "retry_count",
        "failure_message",
        "exit_code",
        "wall_time_seconds",
        "cpu_hours",
        "peak_memory_gb",
        "submitted_at",
        "started_at",
        "finished_at",
    )
    list_display = (
        "id",
        "step",
        "sub_group",
        "status",
        "failure_message",
        "why",
        "software_version",
        "hpc_job_id",
        "finished_at",
    )
    list_filter = ("status", "step", "software_version")

    def offers_deletion_of(self, row: ExecutedReductionStep) -> bool:
        # The inputs of a run that has begun stay, and so do the products of one that is completed.
        return row.status in (RunStatus.PENDING, RunStatus.FAILED, RunStatus.CANCELLED)

    def row_section(self, request: HttpRequest, row: ExecutedReductionStep) -> Section:
        return job_section(Viewer(request, self.admin_site), row)

    inlines = (
        parts(ExecutedReductionStepInputPackage, base=LinkInline),
        parts(ExecutedReductionStepInputProduct, base=LinkInline),
        listing(DataProduct, "name", "type", "size_bytes", "intermediate"),
    )


@admin.register(DataProduct)
class DataProductAdmin(OpsAdmin):
    actions = PRODUCT_ACTIONS
    part_finders = PATH_PARTS
    list_display = ("name", "type", "run", "size_bytes", "intermediate", "superseded_by", "created_at")
    list_filter = ("type", "intermediate", "run")
    inlines = (listing(DataProductPhysicalCopy, "data_location", "status", "verification", "verified_at"),)
