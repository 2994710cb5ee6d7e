"""What the telescope did."""

from opsdb.models import ExecutedObsUnit

from .base import OpsFilterSet, Size
from .related import modules_of_execution, night, of_units

__all__ = ["ExecutedObsUnitFilterSet"]


class ExecutedObsUnitFilterSet(OpsFilterSet[ExecutedObsUnit]):
    size = Size.MEDIUM
    sortable = ("start_time",)
    order = "-start_time"
    search_fields = ("id", "obs_unit__name__istartswith")
    windows = ("start_time",)
    joined = {**of_units("obs_unit__"), **modules_of_execution(), "night": night("pk")}

    class Meta:
        model = ExecutedObsUnit
        fields = ("status", "quality", "obs_unit", "observer")
