"""The observatory, its telescopes and their instruments."""

from django.contrib import admin

from opsdb.models import (
    ChaiModuleConfiguration,
    Instrument,
    InstrumentModule,
    InstrumentModuleConfiguration,
    Observatory,
    PrimeCamModuleConfiguration,
    Telescope,
)

from .kit.admin import OpsAdmin
from .kit.fitting import OneTelescopeMixin
from .kit.inlines import listing
from .kit.subtypes import ParentAdmin


@admin.register(Observatory)
class ObservatoryAdmin(OpsAdmin):
    list_display = ("short_name", "name", "time_zone")
    inlines = (listing(Telescope, "name", "latitude_deg", "longitude_deg", "elevation_m"),)


@admin.register(Telescope)
class TelescopeAdmin(OpsAdmin):
    list_display = ("short_name", "name", "observatory", "latitude_deg", "longitude_deg", "elevation_m")
    inlines = (listing(Instrument, "name", "description", "available"),)


@admin.register(Instrument)
class InstrumentAdmin(OneTelescopeMixin, OpsAdmin):
    list_display = ("name", "telescope", "description", "available")
    inlines = (listing(InstrumentModule, "name", "frequency_min_ghz", "frequency_max_ghz", "pixels", "available"),)


@admin.register(InstrumentModule)
class InstrumentModuleAdmin(OpsAdmin):
    list_display = ("name", "instrument", "frequency_min_ghz", "frequency_max_ghz", "pixels", "available")
    list_filter = ("instrument", "available")
    inlines = (listing(InstrumentModuleConfiguration, "name", "type", "description", "active"),)


@admin.register(InstrumentModuleConfiguration)
class InstrumentModuleConfigurationAdmin(ParentAdmin):
    list_display = ("name", "type", "instrument_module", "description", "active")
    list_filter = ("type", "active", "instrument_module")


@admin.register(ChaiModuleConfiguration)
class ChaiModuleConfigurationAdmin(OpsAdmin):
    list_display = ("name", "instrument_module", "line_id", "line_frequency_ghz", "sideband", "active")


@admin.register(PrimeCamModuleConfiguration)
class PrimeCamModuleConfigurationAdmin(OpsAdmin):
    list_display = ("name", "instrument_module", "band_center_ghz", "bandwidth_ghz", "detector_count", "active")
