from datetime import date, timedelta

import factory

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
    ProgramKind,
    SolarSystemObject,
    Source,
    SubObservingProgram,
    TimeAllocation,
)

from .base import EPOCH, OpsFactory, ParentFactory, many, same
from .observatory import InstrumentFactory, InstrumentModuleFactory, TelescopeFactory


class ObservingProgramFactory(OpsFactory):
    class Meta:
        model = ObservingProgram

    name = factory.Sequence("Program {}".format)
    short_name = factory.Sequence("P{}".format)
    instruments = many("instruments")

    class Params:
        technical = factory.Trait(kind=ProgramKind.TECHNICAL)


class SubObservingProgramFactory(OpsFactory):
    class Meta:
        model = SubObservingProgram

    observing_program = factory.SubFactory(ObservingProgramFactory)
    name = factory.Sequence("Sub-program {}".format)
    short_name = factory.Sequence("S{}".format)


class FixedSourceFactory(OpsFactory):
    class Meta:
        model = FixedSource

    name = factory.Sequence("fixed source {}".format)
    ra_deg = 83.8221
    dec_deg = -5.3911


class SolarSystemObjectFactory(OpsFactory):
    class Meta:
        model = SolarSystemObject

    name = factory.Sequence("solar-system object {}".format)
    ephemeris_name = "mars"


class ConstantElevationSourceFactory(OpsFactory):
    class Meta:
        model = ConstantElevationSource

    name = factory.Sequence("field {}".format)
    ra_min_deg = 350.0
    ra_max_deg = 20.0
    dec_min_deg = -10.0
    dec_max_deg = 10.0


class SourceFactory(ParentFactory):
    class Meta:
        model = Source

    @classmethod
    def subtype_factory(cls):
        return FixedSourceFactory


class AzimuthRangeFactory(OpsFactory):
    class Meta:
        model = AzimuthRange

    source = factory.SubFactory(ConstantElevationSourceFactory)
    azimuth_min_deg = 40.0
    azimuth_max_deg = 80.0
    rising = True


class ObsModeFactory(OpsFactory):
    class Meta:
        model = ObsMode

    name = factory.Sequence("mode {}".format)

    class Params:
        without_source = factory.Trait(needs_source=False)


class ChaiObservationConfigurationFactory(OpsFactory):
    class Meta:
        model = ChaiObservationConfiguration

    name = factory.Sequence("CHAI recipe {}".format)
    switching_mode = "position"


class PrimeCamObservationConfigurationFactory(OpsFactory):
    class Meta:
        model = PrimeCamObservationConfiguration

    name = factory.Sequence("Prime-Cam recipe {}".format)
    scan_type = "daisy"


class ObservationConfigurationFactory(ParentFactory):
    class Meta:
        model = ObservationConfiguration

    @classmethod
    def subtype_factory(cls):
        return ChaiObservationConfigurationFactory


class ChaiTilingFactory(OpsFactory):
    class Meta:
        model = ChaiTiling

    configuration = factory.SubFactory(ChaiObservationConfigurationFactory)
    tile_index = factory.Sequence(int)
    width_arcsec = 120.0
    height_arcsec = 60.0


class ChaiInparParameterFactory(OpsFactory):
    class Meta:
        model = ChaiInparParameter

    configuration = factory.SubFactory(ChaiObservationConfigurationFactory)
    key = factory.Sequence("parameter_{}".format)


class ObsUnitFactory(OpsFactory):
    class Meta:
        model = ObsUnit

    observing_program = factory.SubFactory(ObservingProgramFactory)
    source = factory.SubFactory(FixedSourceFactory)
    obs_mode = factory.SubFactory(ObsModeFactory)
    configuration = factory.SubFactory(ChaiObservationConfigurationFactory)
    module_configurations = many("module_configurations")
    name = factory.Sequence("unit {}".format)

    class Params:
        in_sub_program = factory.Trait(
            sub_observing_program=factory.SubFactory(
                SubObservingProgramFactory, observing_program=same("observing_program")
            )
        )
        without_source = factory.Trait(source=None, obs_mode=factory.SubFactory(ObsModeFactory, without_source=True))


class PreScheduledSlotFactory(OpsFactory):
    class Meta:
        model = PreScheduledSlot

    obs_unit = factory.SubFactory(ObsUnitFactory)
    telescope = factory.SubFactory(TelescopeFactory)
    start_time = factory.Sequence(lambda number: EPOCH + timedelta(hours=number))
    end_time = factory.LazyAttribute(lambda slot: slot.start_time + timedelta(minutes=30))


class TimeAllocationFactory(OpsFactory):
    class Meta:
        model = TimeAllocation

    observing_program = factory.SubFactory(ObservingProgramFactory)
    instrument = factory.SubFactory(InstrumentFactory)
    period = factory.Sequence("period {}".format)
    start_date = factory.Sequence(lambda number: date(2026, 1, 1) + timedelta(days=180 * number))
    end_date = factory.LazyAttribute(lambda allocation: allocation.start_date + timedelta(days=180))
    hours = 100.0


class DowntimeFactory(OpsFactory):
    class Meta:
        model = Downtime

    telescope = factory.SubFactory(TelescopeFactory)
    start_time = EPOCH
    reason = "snow"

    class Params:
        of_instrument = factory.Trait(telescope=None, instrument=factory.SubFactory(InstrumentFactory))
        of_module = factory.Trait(telescope=None, instrument_module=factory.SubFactory(InstrumentModuleFactory))
        over = factory.Trait(end_time=EPOCH + timedelta(days=1))
