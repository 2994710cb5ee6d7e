"""What was planned, and what was executed under which conditions."""

from datetime import timedelta

from django.utils.html import format_html
from django.utils.translation import gettext as _

from opsdb.formatting import format_duration, format_minute, format_range, format_time_of_day
from opsdb.models import (
    ExecutedObsUnit,
    ExecutedObsUnitModuleConfiguration,
    InstrumentModuleConfiguration,
    ObservationStatus,
    ObsUnit,
    PreScheduledSlot,
    Source,
)

from ...kit.columns import badge, code, document, human_number, moment
from ..parts import Facts, Section, spaced
from ..viewer import Viewer
from .limits import ROWS_SHOWN

SLOTS_SHOWN = 5


def plan_section(viewer: Viewer, execution: ExecutedObsUnit) -> Section | None:
    unit = execution.obs_unit
    planned = (
        list(unit.module_configurations.select_related("instrument_module").order_by("pk")[:ROWS_SHOWN])
        if viewer.sees(ObsUnit, InstrumentModuleConfiguration)
        else []
    )
    slots = (
        list(
            PreScheduledSlot.objects.filter(
                obs_unit=unit,
                # A slot is shorter than a day, which lets the index on the start serve.
                start_time__gte=execution.start_time - timedelta(days=1),
                start_time__lt=execution.end_time or execution.start_time + timedelta(days=1),
                end_time__gt=execution.start_time,
            )
            .select_related("telescope")
            .order_by("start_time")[:SLOTS_SHOWN]
        )
        if viewer.sees(PreScheduledSlot)
        else []
    )
    if not viewer.sees(ObsUnit):
        return None
    duration_planned = unit.planned_duration_seconds
    facts = Facts(
        [
            (_("unit"), viewer.lead(unit)),
            (_("program"), viewer.lead(unit.observing_program)),
            (_("sub-program"), unit.sub_observing_program and viewer.link(unit.sub_observing_program)),
            (_("source"), unit.source and (viewer.lead(unit.source) if viewer.sees(Source) else viewer.withheld)),
            (_("mode"), viewer.link(unit.obs_mode)),
            (_("configuration"), viewer.link(unit.configuration)),
            (_("planned modules"), _joined(viewer, planned)),
            (_("planned duration"), duration_planned and format_duration(duration_planned)),
            (_("elevation"), format_range(unit.elevation_min_deg, unit.elevation_max_deg, "°")),
            (_("PWV at most"), unit.pwv_max_mm and f"{unit.pwv_max_mm:g} mm"),
            (
                _("slot"),
                spaced(
                    format_html(
                        '<a href="{}">{}</a> {}',
                        viewer.row_url(PreScheduledSlot, slot.pk),
                        f"{format_minute(slot.start_time)}–{format_time_of_day(slot.end_time)} UTC",
                        viewer.link(slot.telescope),
                    )
                    for slot in slots
                ),
            ),
        ]
    )
    return Section(_("Plan"), (facts,), "plan")


def _joined(viewer, configurations):
    return spaced(
        format_html("{} ({})", viewer.link(one), viewer.link(one.instrument_module)) for one in configurations
    )


def conditions_section(viewer: Viewer, execution: ExecutedObsUnit) -> Section:
    used = (
        list(
            InstrumentModuleConfiguration.objects.filter(
                pk__in=ExecutedObsUnitModuleConfiguration.objects.filter(executed_obs_unit=execution).values(
                    "module_configuration"
                )
            )
            .select_related("instrument_module")
            .order_by("pk")[:ROWS_SHOWN]
        )
        if viewer.sees(InstrumentModuleConfiguration)
        else []
    )
    end = execution.end_time
    facts = Facts(
        [
            (_("status"), badge(ObservationStatus(execution.status))),
            (_("start [UTC]"), moment(execution.start_time)),
            (_("end [UTC]"), moment(end) if end else "–"),
            (_("duration"), end and format_duration((end - execution.start_time).total_seconds())),
            (_("quality"), execution.get_quality_display()),
            (_("modules as used"), _joined(viewer, used)),
            (_("mean PWV"), _with_unit(execution.mean_pwv_mm, " mm")),
            (_("mean elevation"), _with_unit(execution.mean_elevation_deg, "°")),
            (_("mean azimuth"), _with_unit(execution.mean_azimuth_deg, "°")),
            (_("observer"), execution.observer and viewer.link(execution.observer)),
            (_("conditions"), document(execution.conditions) if execution.conditions else None),
            (_("comment"), execution.comment),
            (_("key"), code(execution.pk)),
        ]
    )
    return Section(_("Observation and conditions"), (facts,), "conditions")


def _with_unit(value, unit):
    return None if value is None else format_html("{}{}", human_number(value), unit)
