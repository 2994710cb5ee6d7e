"""What is to be observed."""

from opsdb.models import (
    AzimuthRange,
    ChaiInparParameter,
    ChaiObservationConfiguration,
    ChaiTiling,
    ConstantElevationSource,
    Downtime,
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

from .base import OpsFilterSet
from .related import cone, instrument, module, of_units, program, source

__all__ = [
    "ObservingProgramFilterSet",
    "SubObservingProgramFilterSet",
    "SourceFilterSet",
    "FixedSourceFilterSet",
    "SolarSystemObjectFilterSet",
    "ConstantElevationSourceFilterSet",
    "AzimuthRangeFilterSet",
    "ObsModeFilterSet",
    "ObservationConfigurationFilterSet",
    "ChaiObservationConfigurationFilterSet",
    "PrimeCamObservationConfigurationFilterSet",
    "ChaiTilingFilterSet",
    "ChaiInparParameterFilterSet",
    "ObsUnitFilterSet",
    "PreScheduledSlotFilterSet",
    "TimeAllocationFilterSet",
    "DowntimeFilterSet",
]

NAMES_OF_SOURCES = ("name", "aliases__icontains")


class ObservingProgramFilterSet(OpsFilterSet[ObservingProgram]):
    sortable = ("short_name", "name")
    joined = {"instrument": instrument("instruments")}

    class Meta:
        model = ObservingProgram
        fields = ("short_name", "name", "kind", "active")


class SubObservingProgramFilterSet(OpsFilterSet[SubObservingProgram]):
    sortable = ("short_name", "name")

    class Meta:
        model = SubObservingProgram
        fields = ("observing_program", "short_name", "name")


class SourceFilterSet(OpsFilterSet[Source]):
    sortable = ("name",)
    search_fields = NAMES_OF_SOURCES
    joined = {
        "source": source("pk"),
        "cone": cone("pk"),
        "observing_program": program("obs_units__observing_program"),
    }

    class Meta:
        model = Source
        fields = ("type",)


class FixedSourceFilterSet(OpsFilterSet[FixedSource]):
    sortable = ("name", "ra_deg", "dec_deg")
    search_fields = NAMES_OF_SOURCES
    ranges = ("ra_deg", "dec_deg", "vlsr_km_s")
    joined = {
        "source": source("pk"),
        "cone": cone("pk"),
        "observing_program": program("obs_units__observing_program"),
    }

    class Meta:
        model = FixedSource
        fields = ("frame",)


class SolarSystemObjectFilterSet(OpsFilterSet[SolarSystemObject]):
    sortable = ("name",)
    search_fields = NAMES_OF_SOURCES
    joined = {"source": source("pk")}

    class Meta:
        model = SolarSystemObject
        fields = ("ephemeris_name", "naif_id")


class ConstantElevationSourceFilterSet(OpsFilterSet[ConstantElevationSource]):
    sortable = ("name",)
    search_fields = NAMES_OF_SOURCES
    ranges = ("elevation_deg",)
    joined = {"source": source("pk")}

    class Meta:
        model = ConstantElevationSource
        fields = ()


class AzimuthRangeFilterSet(OpsFilterSet[AzimuthRange]):
    search_fields = ("source__name",)
    joined = {"source": source("source")}

    class Meta:
        model = AzimuthRange
        fields = ("rising",)


class ObsModeFilterSet(OpsFilterSet[ObsMode]):
    sortable = ("name",)

    class Meta:
        model = ObsMode
        fields = ("name", "needs_source", "configuration_type")


class ObservationConfigurationFilterSet(OpsFilterSet[ObservationConfiguration]):
    sortable = ("name", "version")

    class Meta:
        model = ObservationConfiguration
        fields = ("type", "name", "version")


class ChaiObservationConfigurationFilterSet(OpsFilterSet[ChaiObservationConfiguration]):
    sortable = ("name", "version")

    class Meta:
        model = ChaiObservationConfiguration
        fields = ("name", "version", "switching_mode", "coordinate_frame")


class PrimeCamObservationConfigurationFilterSet(OpsFilterSet[PrimeCamObservationConfiguration]):
    sortable = ("name", "version")

    class Meta:
        model = PrimeCamObservationConfiguration
        fields = ("name", "version", "scan_type")


class ChaiTilingFilterSet(OpsFilterSet[ChaiTiling]):
    sortable = ("tile_index", "priority")
    search_fields = ("configuration__name", "tile_index")

    class Meta:
        model = ChaiTiling
        fields = ("configuration", "tile_index", "priority", "done")


class ChaiInparParameterFilterSet(OpsFilterSet[ChaiInparParameter]):
    sortable = ("key",)

    class Meta:
        model = ChaiInparParameter
        fields = ("configuration", "key")


class ObsUnitFilterSet(OpsFilterSet[ObsUnit]):
    sortable = ("name", "priority")
    search_fields = ("name", "line_id", "source__name", "source__aliases__icontains")
    ranges = ("priority", "rest_frequency_ghz")
    joined = {
        **of_units(""),
        "instrument_module": module("module_configurations__instrument_module"),
        "instrument": instrument("module_configurations__instrument_module__instrument"),
    }

    class Meta:
        model = ObsUnit
        fields = ("name", "available", "configuration", "line_id", "version")


class PreScheduledSlotFilterSet(OpsFilterSet[PreScheduledSlot]):
    sortable = ("start_time", "end_time")
    order = "-start_time"
    search_fields = ("obs_unit__name", "origin")
    windows = ("start_time", "end_time")
    joined = of_units("obs_unit__")

    class Meta:
        model = PreScheduledSlot
        fields = ("obs_unit", "telescope")


class TimeAllocationFilterSet(OpsFilterSet[TimeAllocation]):
    sortable = ("start_date", "end_date", "hours")
    order = "-start_date"
    search_fields = ("period", "observing_program__short_name")
    windows = ("start_date", "end_date")

    class Meta:
        model = TimeAllocation
        fields = ("observing_program", "instrument", "period")


class DowntimeFilterSet(OpsFilterSet[Downtime]):
    sortable = ("start_time",)
    order = "-start_time"
    search_fields = ("reason",)
    windows = ("start_time", "end_time")

    class Meta:
        model = Downtime
        fields = ("telescope", "instrument", "instrument_module", "reported_by")
