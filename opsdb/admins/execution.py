"""What the telescope did."""

from django.contrib import admin

from opsdb.models import ExecutedObsUnit, ExecutedObsUnitModuleConfiguration, RawDataPackage

from .base import LinkInline, OpsAdmin, listing, parts


@admin.register(ExecutedObsUnit)
class ExecutedObsUnitAdmin(OpsAdmin):
    big = True
    list_display = ("start_time", "end_time", "obs_unit", "status", "quality", "mean_pwv_mm", "mean_elevation_deg")
    list_filter = ("status", "quality", "start_time", "obs_unit")
    sortable = ("start_time",)
    ordering = ("-start_time",)
    search_fields = ("id", "obs_unit__name__istartswith")
    inlines = (
        parts(ExecutedObsUnitModuleConfiguration, base=LinkInline),
        listing(RawDataPackage, "name", "instrument_module", "state", "size_bytes"),
    )
