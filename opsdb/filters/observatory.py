"""The observatory, its telescopes and their instruments."""

from opsdb.models import (
    ChaiModuleConfiguration,
    Instrument,
    InstrumentModule,
    InstrumentModuleConfiguration,
    Observatory,
    PrimeCamModuleConfiguration,
    Telescope,
)

from .base import OpsFilterSet
from .related import instrument

__all__ = [
    "ObservatoryFilterSet",
    "TelescopeFilterSet",
    "InstrumentFilterSet",
    "InstrumentModuleFilterSet",
    "InstrumentModuleConfigurationFilterSet",
    "ChaiModuleConfigurationFilterSet",
    "PrimeCamModuleConfigurationFilterSet",
]


class ObservatoryFilterSet(OpsFilterSet[Observatory]):
    sortable = ("short_name", "name")

    class Meta:
        model = Observatory
        fields = ("short_name", "name", "time_zone")


class TelescopeFilterSet(OpsFilterSet[Telescope]):
    sortable = ("short_name", "name")

    class Meta:
        model = Telescope
        fields = ("observatory", "short_name", "name")


class InstrumentFilterSet(OpsFilterSet[Instrument]):
    sortable = ("name",)

    class Meta:
        model = Instrument
        fields = ("telescope", "name", "available")


class InstrumentModuleFilterSet(OpsFilterSet[InstrumentModule]):
    sortable = ("name", "frequency_min_ghz")
    ranges = ("frequency_min_ghz", "frequency_max_ghz")
    search_fields = ("name", "instrument__name")

    class Meta:
        model = InstrumentModule
        fields = ("instrument", "name", "available")


class InstrumentModuleConfigurationFilterSet(OpsFilterSet[InstrumentModuleConfiguration]):
    sortable = ("name",)
    search_fields = ("name", "instrument_module__name")
    joined = {"instrument": instrument("instrument_module__instrument")}

    class Meta:
        model = InstrumentModuleConfiguration
        fields = ("type", "instrument_module", "name", "active")


class ChaiModuleConfigurationFilterSet(OpsFilterSet[ChaiModuleConfiguration]):
    sortable = ("name", "line_frequency_ghz")
    ranges = ("line_frequency_ghz",)
    joined = {"instrument": instrument("instrument_module__instrument")}

    class Meta:
        model = ChaiModuleConfiguration
        fields = ("instrument_module", "name", "active", "line_id", "sideband", "backend")


class PrimeCamModuleConfigurationFilterSet(OpsFilterSet[PrimeCamModuleConfiguration]):
    sortable = ("name", "band_center_ghz")
    ranges = ("band_center_ghz",)
    joined = {"instrument": instrument("instrument_module__instrument")}

    class Meta:
        model = PrimeCamModuleConfiguration
        fields = ("instrument_module", "name", "active", "fts_enabled")
