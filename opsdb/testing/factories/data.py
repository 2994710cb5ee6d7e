import factory

from opsdb.models import (
    DataTransferPackage,
    PackageState,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
    RawDataPackageMetadata,
)

from .base import OpsFactory, afterwards, change, checksum, same
from .execution import ExecutedObsUnitFactory
from .locations import DiskDataLocationFactory, TapeDataLocationFactory
from .observatory import InstrumentModuleFactory
from .verifying import verify
from .work import PackageFactory, make


def _archive(package):
    """Make a package, and a verified copy of it in an archive, without which none is archived."""
    make(package)
    verify(PhysicalCopy.objects.create(data_location=TapeDataLocationFactory(archive=True), raw_data_package=package))
    change(package, state=PackageState.ARCHIVED)


def _make_of_archived(bundle):
    RawDataPackageFactory(archived=True, data_transfer_package=bundle)
    make(bundle)


class DataTransferPackageFactory(PackageFactory):
    class Meta:
        model = DataTransferPackage

    origin_location = factory.SubFactory(DiskDataLocationFactory)
    name = factory.Sequence("bundle-{}.tar".format)

    class Params:
        archived = factory.Trait(made=afterwards(_make_of_archived))


class RawDataPackageFactory(PackageFactory):
    class Meta:
        model = RawDataPackage

    executed_obs_unit = factory.SubFactory(ExecutedObsUnitFactory, completed=True)
    instrument_module = factory.SubFactory(InstrumentModuleFactory)
    name = factory.Sequence("package-{}.tar".format)

    class Params:
        bundled = factory.Trait(data_transfer_package=factory.SubFactory(DataTransferPackageFactory))
        archived = factory.Trait(in_archive=afterwards(_archive))


class RawDataFileFactory(OpsFactory):
    class Meta:
        model = RawDataFile

    @classmethod
    def _generate(cls, strategy, params):
        """A file at a given source location is of a module of the instrument that writes there."""
        location, package = params.get("source_location"), params.get("raw_data_package")
        if location and location.instrument and not any(name.startswith("instrument_module") for name in params):
            params["instrument_module"] = (
                package.instrument_module
                if package
                else location.instrument.modules.order_by("pk").first()
                or InstrumentModuleFactory(instrument=location.instrument)
            )
        return super()._generate(strategy, params)

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
        archived = factory.Trait(packaged=True, in_archive=afterwards(lambda file: _archive(file.raw_data_package)))


class RawDataPackageMetadataFactory(OpsFactory):
    class Meta:
        model = RawDataPackageMetadata

    raw_data_package = factory.SubFactory(RawDataPackageFactory)
    obs_collection = "GEco"
    obs_id = factory.LazyAttribute(lambda metadata: str(metadata.raw_data_package.executed_obs_unit_id))
    obs_publisher_did = factory.LazyAttribute(lambda metadata: f"ivo://example/raw?{metadata.raw_data_package.pk}")
