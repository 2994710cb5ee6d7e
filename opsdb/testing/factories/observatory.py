import factory

from opsdb.models import (
    ChaiModuleConfiguration,
    Instrument,
    InstrumentModule,
    InstrumentModuleConfiguration,
    Observatory,
    PrimeCamModuleConfiguration,
    Sideband,
    Telescope,
)

from .base import OpsFactory, ParentFactory


class ObservatoryFactory(OpsFactory):
    class Meta:
        model = Observatory

    name = factory.Sequence("Observatory {}".format)
    short_name = factory.Sequence("observatory-{}".format)
    time_zone = "America/Santiago"


class TelescopeFactory(OpsFactory):
    class Meta:
        model = Telescope

    observatory = factory.SubFactory(ObservatoryFactory)
    name = factory.Sequence("Telescope {}".format)
    short_name = factory.Sequence("telescope-{}".format)
    latitude_deg = -22.985639
    longitude_deg = -67.740278
    elevation_m = 5611.8


class InstrumentFactory(OpsFactory):
    class Meta:
        model = Instrument

    telescope = factory.SubFactory(TelescopeFactory)
    name = factory.Sequence("Instrument {}".format)


class InstrumentModuleFactory(OpsFactory):
    class Meta:
        model = InstrumentModule

    instrument = factory.SubFactory(InstrumentFactory)
    name = factory.Sequence("Module {}".format)
    pixels = 64
    frequency_min_ghz = 455.0
    frequency_max_ghz = 495.0


class ChaiModuleConfigurationFactory(OpsFactory):
    class Meta:
        model = ChaiModuleConfiguration

    instrument_module = factory.SubFactory(InstrumentModuleFactory)
    name = factory.Sequence("tuning {}".format)
    line_id = "CO43"
    line_frequency_ghz = 461.0407682
    sideband = Sideband.USB


class PrimeCamModuleConfigurationFactory(OpsFactory):
    class Meta:
        model = PrimeCamModuleConfiguration

    instrument_module = factory.SubFactory(
        InstrumentModuleFactory, pixels=None, frequency_min_ghz=262.0, frequency_max_ghz=298.0
    )
    name = factory.Sequence("setup {}".format)
    band_center_ghz = 280.0


class InstrumentModuleConfigurationFactory(ParentFactory):
    class Meta:
        model = InstrumentModuleConfiguration

    @classmethod
    def subtype_factory(cls):
        return ChaiModuleConfigurationFactory
