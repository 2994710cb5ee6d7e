import factory

from opsdb.models import (
    DataLocation,
    DataLocationUsage,
    DiskDataLocation,
    LocationType,
    S3DataLocation,
    Site,
    TapeDataLocation,
)

from .base import EPOCH, OpsFactory, OwnersFactory, ParentFactory
from .observatory import InstrumentFactory


class SiteFactory(OpsFactory):
    class Meta:
        model = Site

    name = factory.Sequence("Site {}".format)
    short_name = factory.Sequence("site{}".format)


class LocationFactory(OpsFactory):
    """What the factories of all kinds of storage share. A location is a buffer, unless a trait sets another type."""

    class Meta:
        abstract = True

    site = factory.SubFactory(SiteFactory)
    name = factory.Sequence("location_{}".format)
    location_type = LocationType.BUFFER

    class Params:
        source = factory.Trait(location_type=LocationType.SOURCE, instrument=factory.SubFactory(InstrumentFactory))
        archive = factory.Trait(location_type=LocationType.LONG_TERM_ARCHIVE)
        processing = factory.Trait(location_type=LocationType.PROCESSING)


class DiskDataLocationFactory(LocationFactory):
    class Meta:
        model = DiskDataLocation

    path = factory.LazyAttribute(lambda location: f"/data/{location.name}")


class S3DataLocationFactory(LocationFactory):
    class Meta:
        model = S3DataLocation

    bucket = "data"


class TapeDataLocationFactory(LocationFactory):
    class Meta:
        model = TapeDataLocation

    library = "tapes"


class DataLocationFactory(ParentFactory):
    class Meta:
        model = DataLocation

    @classmethod
    def subtype_factory(cls):
        return DiskDataLocationFactory


class DataLocationUsageFactory(OwnersFactory):
    class Meta:
        model = DataLocationUsage

    data_location = factory.SubFactory(DataLocationFactory)
    day = EPOCH.date()
    copies = 1
    bytes = 1_000
    arrived_bytes = 1_000
