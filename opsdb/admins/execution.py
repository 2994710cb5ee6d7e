"""What the telescope did."""

from django.contrib import admin
from django.http import HttpRequest

from opsdb.models import ExecutedObsUnit, ExecutedObsUnitModuleConfiguration, RawDataPackage

from .actions.execution import EXECUTION_ACTIONS
from .kit.admin import OpsAdmin
from .kit.inlines import LinkInline, listing, parts


@admin.register(ExecutedObsUnit)
class ExecutedObsUnitAdmin(OpsAdmin):
    actions = EXECUTION_ACTIONS
    list_display = ("start_time", "end_time", "obs_unit", "status", "quality", "mean_pwv_mm", "mean_elevation_deg")
    list_filter = ("status", "quality", "start_time", "obs_unit")
    ordering = ("-start_time",)
    judged = ("quality", "comment")
    inlines = (
        parts(ExecutedObsUnitModuleConfiguration, base=LinkInline),
        listing(RawDataPackage, "name", "instrument_module", "state", "size_bytes"),
    )

    def has_change_permission(self, request: HttpRequest, obj: ExecutedObsUnit | None = None) -> bool:
        return super().has_change_permission(request, obj) or request.user.has_perm("opsdb.assess_executedobsunit")

    def _read_only_names(self, request, obj):
        if super().has_change_permission(request, obj):
            return super()._read_only_names(request, obj)
        return [name for name in self.model_fields if name not in self.judged]
