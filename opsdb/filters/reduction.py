"""How data are reduced: software, groupings, pipelines, their runs, and the products."""

from django.utils.translation import gettext_lazy as _

from opsdb.models import (
    DataGrouping,
    DataProduct,
    ExecutedReductionStep,
    Pipeline,
    RawDataPackage,
    ReductionSoftware,
    ReductionSoftwareVersion,
    ReductionStep,
    ReductionStepConfig,
)

from .base import OpsFilterSet, Size
from .data import CHECKSUM
from .parameters import KeyParameter
from .related import instrument, reference
from .searching import ChecksumFinder

__all__ = [
    "ReductionSoftwareFilterSet",
    "ReductionSoftwareVersionFilterSet",
    "ReductionStepConfigFilterSet",
    "DataGroupingFilterSet",
    "PipelineFilterSet",
    "ReductionStepFilterSet",
    "ExecutedReductionStepFilterSet",
    "DataProductFilterSet",
]


class ReductionSoftwareFilterSet(OpsFilterSet[ReductionSoftware]):
    sortable = ("name",)

    class Meta:
        model = ReductionSoftware
        fields = ("name",)


class ReductionSoftwareVersionFilterSet(OpsFilterSet[ReductionSoftwareVersion]):
    sortable = ("version",)
    search_fields = ("version", "software__name")
    windows = ("released_at",)

    class Meta:
        model = ReductionSoftwareVersion
        fields = ("software", "version", "deprecated")


class ReductionStepConfigFilterSet(OpsFilterSet[ReductionStepConfig]):
    sortable = ("name",)
    search_fields = ("name", "software__name")

    class Meta:
        model = ReductionStepConfig
        fields = ("software", "name")


class DataGroupingFilterSet(OpsFilterSet[DataGrouping]):
    sortable = ("name",)
    joined = {"instrument": instrument("instrument_module__instrument")}

    class Meta:
        model = DataGrouping
        fields = ("name", "instrument_module")


class PipelineFilterSet(OpsFilterSet[Pipeline]):
    sortable = ("name", "priority")
    joined = {"instrument": instrument("data_grouping__instrument_module__instrument")}

    class Meta:
        model = Pipeline
        fields = ("name", "trigger_type", "enabled", "processing_location", "data_grouping")


class ReductionStepFilterSet(OpsFilterSet[ReductionStep]):
    sortable = ("name", "order")
    search_fields = ("name", "pipeline__name")

    class Meta:
        model = ReductionStep
        fields = ("pipeline", "name", "version_policy", "software", "config", "pinned_version")


class ExecutedReductionStepFilterSet(OpsFilterSet[ExecutedReductionStep]):
    size = Size.MEDIUM
    search_fields = ("id", "step__name")
    windows = ("created_at", "finished_at")
    joined = {
        "pipeline": reference("step__pipeline", Pipeline, _("Pipeline")),
        "raw_data_package": reference("input_packages", RawDataPackage, _("Package")),
    }

    class Meta:
        model = ExecutedReductionStep
        fields = ("status", "step", "software_version", "sub_group_key", "staging_job")


class DataProductFilterSet(OpsFilterSet[DataProduct]):
    size = Size.MEDIUM
    sortable = ("name",)
    search_fields = ("id", "run", "name__startswith", "relative_path__startswith")
    finders = (ChecksumFinder(),)
    windows = ("created_at",)
    joined = {
        "step": reference("run__step", ReductionStep, _("Reduction step")),
        "pipeline": reference("run__step__pipeline", Pipeline, _("Pipeline")),
        "superseded_by": KeyParameter(
            "superseded_by", related=DataProduct, label=_("Superseded by"), help_text=_("Key of the newer product.")
        ),
        "checksum": CHECKSUM,
    }

    class Meta:
        model = DataProduct
        fields = ("name", "type", "intermediate", "run")
