"""What is to be observed."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    AzimuthRange,
    ChaiInparParameter,
    ChaiObservationConfiguration,
    ChaiTiling,
    ConstantElevationSource,
    Downtime,
    ExecutedObsUnit,
    FixedSource,
    ObservationConfiguration,
    ObservingProgram,
    ObsMode,
    ObsUnit,
    PreScheduledSlot,
    PrimeCamObservationConfiguration,
    SolarSystemObject,
    Source,
    SubObservingProgram,
    TimeAllocation,
)

from .kit.admin import OpsAdmin
from .kit.inlines import listing, parts
from .kit.links import link
from .kit.page_links import PageLink
from .kit.positions import PositionSearch
from .kit.subtypes import ParentAdmin
from .kit.values import Text


@admin.register(ObservingProgram)
class ObservingProgramAdmin(PageLink, OpsAdmin):
    page_of = (ObservingProgram, "program")
    list_display = ("short_name", "name", "kind", "lead", "contact_email", "active", "page")
    inlines = (
        parts(SubObservingProgram, fields=("short_name", "name", "description"), can_delete=False),
        listing(TimeAllocation, "period", "instrument", "start_date", "end_date", "hours"),
    )


@admin.register(SubObservingProgram)
class SubObservingProgramAdmin(OpsAdmin):
    list_display = ("short_name", "name", "observing_program")
    list_filter = ("observing_program",)


class SourcePageLink(PageLink):
    """Mixin of an admin of sources."""

    page_of = (Source, "source")


@admin.register(Source)
class SourceAdmin(SourcePageLink, PositionSearch, ParentAdmin):
    list_display = ("name", "type", "aliases", "comment", "page")


@admin.register(FixedSource)
class FixedSourceAdmin(SourcePageLink, PositionSearch, OpsAdmin):
    list_display = ("name", "ra_deg", "dec_deg", "frame", "vlsr_km_s", "page")


@admin.register(SolarSystemObject)
class SolarSystemObjectAdmin(SourcePageLink, OpsAdmin):
    list_display = ("name", "ephemeris_name", "naif_id", "horizons_id", "page")


@admin.register(ConstantElevationSource)
class ConstantElevationSourceAdmin(SourcePageLink, OpsAdmin):
    list_display = ("name", "ra_min_deg", "ra_max_deg", "dec_min_deg", "dec_max_deg", "elevation_deg", "page")
    inlines = (parts(AzimuthRange),)


@admin.register(AzimuthRange)
class AzimuthRangeAdmin(OpsAdmin):
    list_display = ("source", "azimuth_min_deg", "azimuth_max_deg", "rising", "lst_start_hours", "lst_end_hours")
    list_filter = ("rising", "source")


@admin.register(ObsMode)
class ObsModeAdmin(OpsAdmin):
    list_display = ("name", "description", "needs_source")


@admin.register(ObservationConfiguration)
class ObservationConfigurationAdmin(ParentAdmin):
    list_display = ("name", "version", "type", "description")


@admin.register(ChaiObservationConfiguration)
class ChaiObservationConfigurationAdmin(OpsAdmin):
    list_display = ("name", "version", "switching_mode", "integration_time_seconds", "coordinate_frame")
    inlines = (parts(ChaiTiling, ordering=("tile_index",)), parts(ChaiInparParameter, ordering=("key",)))


@admin.register(PrimeCamObservationConfiguration)
class PrimeCamObservationConfigurationAdmin(OpsAdmin):
    list_display = ("name", "version", "scan_type", "width_deg", "height_deg", "velocity_deg_s", "elevation_deg")


@admin.register(ChaiTiling)
class ChaiTilingAdmin(OpsAdmin):
    list_display = ("configuration", "tile_index", "x_offset_arcsec", "y_offset_arcsec", "priority", "done")
    list_filter = ("done", "configuration")


@admin.register(ChaiInparParameter)
class ChaiInparParameterAdmin(OpsAdmin):
    list_display = ("key", "value", "configuration", "comment")
    list_filter = ("configuration",)


@admin.register(ObsUnit)
class ObsUnitAdmin(PageLink, PositionSearch, OpsAdmin):
    page_of = (ObsUnit, "unit")
    path_to_source = "source"
    list_display = (
        "name",
        "observing_program",
        "sub_observing_program",
        "source",
        "obs_mode",
        "configuration",
        "priority",
        "available",
        "page",
    )
    list_filter = ("available", "observing_program", "sub_observing_program", "source", "obs_mode")
    inlines = (
        listing(PreScheduledSlot, "start_time", "end_time", "telescope", ordering=("-start_time",)),
        listing(ExecutedObsUnit, "start_time", "end_time", "status", "quality"),
    )


@admin.register(PreScheduledSlot)
class PreScheduledSlotAdmin(OpsAdmin):
    list_display = (
        "start_time",
        "end_time",
        "obs_unit",
        "program",
        "telescope",
        "azimuth_min_deg",
        "azimuth_max_deg",
        "elevation_deg",
        "boresight_angle_deg",
    )
    list_filter = ("start_time", "obs_unit__observing_program", "telescope", "obs_unit")
    ordering = ("-start_time",)

    @admin.display(description=lazy("program"))
    def program(self, slot: PreScheduledSlot) -> Text:
        """The observing program that it is for."""
        return link(slot.obs_unit.observing_program, self)

    program.needs = ["obs_unit__observing_program"]


@admin.register(TimeAllocation)
class TimeAllocationAdmin(OpsAdmin):
    list_display = ("period", "observing_program", "instrument", "start_date", "end_date", "hours")
    list_filter = ("observing_program", "instrument")
    ordering = ("-start_date", "observing_program")


@admin.register(Downtime)
class DowntimeAdmin(OpsAdmin):
    list_display = ("start_time", "end_time", "telescope", "instrument", "instrument_module", "reason", "reported_by")
    list_filter = ("start_time", "telescope", "instrument", "instrument_module")
    ordering = ("-start_time",)
