import factory

from opsdb.models import (
    DataTransferPackage,
    PackageState,
    RawDataFile,
    RawDataPackage,
    RawDataPackageMetadata,
)

from .base import OpsFactory, checksum, same
from .execution import ExecutedObsUnitFactory
from .locations import DiskDataLocationFactory
from .observatory import InstrumentModuleFactory
from .work import PackageFactory


class DataTransferPackageFactory(PackageFactory):
    class Meta:
        model = DataTransferPackage

    origin_location = factory.SubFactory(DiskDataLocationFactory)
    name = factory.Sequence("bundle-{}.tar".format)


class RawDataPackageFactory(PackageFactory):
    class Meta:
        model = RawDataPackage

    executed_obs_unit = factory.SubFactory(ExecutedObsUnitFactory, completed=True)
    instrument_module = factory.SubFactory(InstrumentModuleFactory)
    name = factory.Sequence("package-{}.tar".format)

    class Params:
        bundled = factory.Trait(data_transfer_package=factory.SubFactory(DataTransferPackageFactory))
        archived = factory.Trait(state=PackageState.ARCHIVED, completed=True)


class RawDataFileFactory(OpsFactory):
    class Meta:
        model = RawDataFile

    executed_obs_unit = factory.SubFactory(ExecutedObsUnitFactory, completed=True)
    instrument_module = factory.SubFactory(InstrumentModuleFactory)
    source_location = factory.SubFactory(
        DiskDataLocationFactory, source=True, instrument=same("instrument_module.instrument")
    )
    relative_path = factory.Sequence("2026/file-{}.fits".format)
    size_bytes = 1_000
    checksum = factory.Sequence(checksum)

    class Params:
        packaged = factory.Trait(
            raw_data_package=factory.SubFactory(
                RawDataPackageFactory,
                executed_obs_unit=same("executed_obs_unit"),
                instrument_module=same("instrument_module"),
            )
        )


class RawDataPackageMetadataFactory(OpsFactory):
    class Meta:
        model = RawDataPackageMetadata

    raw_data_package = factory.SubFactory(RawDataPackageFactory)
    obs_collection = "GEco"
    obs_id = factory.LazyAttribute(lambda metadata: str(metadata.raw_data_package.executed_obs_unit_id))
    obs_publisher_did = factory.LazyAttribute(lambda metadata: f"ivo://example/raw?{metadata.raw_data_package.pk}")
