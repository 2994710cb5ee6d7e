"""What the telescope did."""

from typing import Any

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, Func, OuterRef, Q, QuerySet, Subquery, Sum, TextField, Value
from django.db.models.functions import Coalesce, Extract
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    ExecutedObsUnit,
    ExecutedObsUnitModuleConfiguration,
    Instrument,
    ObservingProgram,
    PackageState,
    RawDataPackage,
    Source,
)

from .actions.execution import EXECUTION_ACTIONS
from .kit.admin import OpsAdmin
from .kit.columns import human_duration
from .kit.inlines import LinkInline, listing, parts
from .kit.links import link
from .kit.path_parts import OBSERVATIONS
from .kit.values import Text


@admin.register(ExecutedObsUnit)
class ExecutedObsUnitAdmin(OpsAdmin):
    actions = EXECUTION_ACTIONS
    part_finders = OBSERVATIONS
    list_display = (
        "start_time",
        "obs_unit",
        "program",
        "source",
        "instruments",
        "status",
        "quality",
        "duration",
        "why",
        "mean_pwv_mm",
        "mean_elevation_deg",
    )
    list_filter = (
        "status",
        "quality",
        "start_time",
        "obs_unit__observing_program",
        "obs_unit__source",
        "module_configurations__instrument_module__instrument",
        "obs_unit",
    )
    ordering = ("-start_time",)
    judged = ("quality", "comment")
    inlines = (
        parts(ExecutedObsUnitModuleConfiguration, base=LinkInline),
        listing(RawDataPackage, "name", "instrument_module", "state", "size_bytes"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        used = Instrument.objects.filter(modules__configurations__executions=OuterRef("pk"))
        names = ArraySubquery(used.order_by("name").values("name").distinct())
        return super().get_queryset(request).annotate(opsdb_instruments=names)

    def exported(self, request: HttpRequest) -> dict[str, Any]:
        """What a report needs: program, source, instruments, duration, and files, volume and archived of packages.

        What is in no package yet is not counted.
        """
        packages = (
            RawDataPackage.objects.filter(executed_obs_unit=OuterRef("pk")).order_by().values("executed_obs_unit")
        )

        def of_packages(value):
            return Coalesce(Subquery(packages.annotate(value=value).values("value")), 0)

        instruments = Func(F("opsdb_instruments"), Value(", "), function="array_to_string", output_field=TextField())
        columns = {
            ObservingProgram: {"program": F("obs_unit__observing_program__short_name")},
            Source: {"source": F("obs_unit__source__name")},
            Instrument: {"instruments": instruments},
            ExecutedObsUnit: {"duration_seconds": Extract(F("end_time") - F("start_time"), "epoch")},
            RawDataPackage: {
                "packaged_files": of_packages(Sum("file_count")),
                "packaged_bytes": of_packages(Sum("size_bytes")),
                "packages": of_packages(Count("pk")),
                "archived_packages": of_packages(Count("pk", filter=Q(state=PackageState.ARCHIVED))),
            },
        }
        return {
            name: expression
            for model, of_model in columns.items()
            if request.user.has_perm(f"opsdb.view_{model._meta.model_name}")
            for name, expression in of_model.items()
        }

    @admin.display(description=lazy("program"))
    def program(self, execution: ExecutedObsUnit) -> Text:
        """The observing program that it was for."""
        return link(execution.obs_unit.observing_program, self)

    program.needs = ["obs_unit__observing_program"]

    @admin.display(description=lazy("source"))
    def source(self, execution: ExecutedObsUnit) -> Text:
        """What was observed, unless nothing was pointed at."""
        source = execution.obs_unit.source
        return link(source, self) if source else self.get_empty_value_display()

    source.needs = ["obs_unit__source"]

    @admin.display(description=lazy("instruments"))
    def instruments(self, execution: ExecutedObsUnit) -> Text:
        """The instruments that took part."""
        return ", ".join(execution.opsdb_instruments) or self.get_empty_value_display()

    instruments.needs = []

    @admin.display(description=lazy("duration"))
    def duration(self, execution: ExecutedObsUnit) -> Text:
        """From the start to the end, unless it runs."""
        if execution.end_time is None:
            return self.get_empty_value_display()
        return human_duration((execution.end_time - execution.start_time).total_seconds())

    duration.needs = []

    def has_change_permission(self, request: HttpRequest, obj: ExecutedObsUnit | None = None) -> bool:
        return super().has_change_permission(request, obj) or request.user.has_perm("opsdb.assess_executedobsunit")

    def _read_only_names(self, request, obj):
        if super().has_change_permission(request, obj):
            return super()._read_only_names(request, obj)
        return [name for name in self.model_fields if name not in self.judged]
