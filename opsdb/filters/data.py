"""The raw data: files, the packages they travel in, and the archive's metadata of a package."""

from django.utils.translation import gettext_lazy as _

from opsdb.models import (
    DataTransferPackage,
    ExecutedObsUnit,
    PackageState,
    RawDataFile,
    RawDataPackage,
    RawDataPackageMetadata,
    Status,
)

from .base import OpsFilterSet, Size
from .parameters import ChecksumParameter, KeyParameter
from .related import file_name, instrument, of_executions, site
from .searching import ChecksumFinder, FileNameFinder, RawPathFinder

__all__ = [
    "RawDataFileFilterSet",
    "RawDataPackageFilterSet",
    "RawDataPackageMetadataFilterSet",
    "DataTransferPackageFilterSet",
]

CHECKSUM = ChecksumParameter(
    "checksum",
    label=_("Checksum"),
    help_text=_("Checksum of the content, or at least the first 7 of its hexadecimal digits."),
    few=True,
)


class RawDataFileFilterSet(OpsFilterSet[RawDataFile]):
    size = Size.BIG
    search_fields = ("id", "executed_obs_unit", "raw_data_package")
    finders = (RawPathFinder(), FileNameFinder(), ChecksumFinder())
    windows = ("observed_at",)
    few = ("raw_data_package",)
    joined = {
        **of_executions(),
        "instrument": instrument("instrument_module__instrument"),
        "site": site("source_location__site"),
        "file_name": file_name(),
        "checksum": CHECKSUM,
    }

    class Meta:
        model = RawDataFile
        fields = ("executed_obs_unit", "instrument_module", "source_location", "raw_data_package", "file_type")


class RawDataPackageFilterSet(OpsFilterSet[RawDataPackage]):
    size = Size.BIG
    sortable = ("name",)
    search_fields = ("id", "name__startswith", "executed_obs_unit", "data_transfer_package")
    finders = (ChecksumFinder(),)
    windows = ("created_at",)
    few = ("name", "executed_obs_unit", "data_transfer_package")
    usual = {"state": PackageState.ARCHIVED, "status": Status.COMPLETED}
    joined = {
        **of_executions(),
        "instrument": instrument("instrument_module__instrument"),
        "checksum": CHECKSUM,
    }

    class Meta:
        model = RawDataPackage
        fields = ("name", "state", "status", "instrument_module", "executed_obs_unit", "data_transfer_package")


class RawDataPackageMetadataFilterSet(OpsFilterSet[RawDataPackageMetadata]):
    size = Size.BIG
    search_fields = ("raw_data_package",)
    few = ("raw_data_package",)
    joined = {
        "executed_obs_unit": KeyParameter(
            "raw_data_package__executed_obs_unit",
            related=ExecutedObsUnit,
            label=_("Observation"),
            help_text=_("Key of the observation that the package is from."),
            few=True,
        ),
    }

    class Meta:
        model = RawDataPackageMetadata
        fields = ("raw_data_package",)


class DataTransferPackageFilterSet(OpsFilterSet[DataTransferPackage]):
    size = Size.MEDIUM
    sortable = ("name",)
    search_fields = ("id", "name__startswith")
    finders = (ChecksumFinder(),)
    windows = ("created_at", "finished_at")
    joined = {"site": site("origin_location__site"), "checksum": CHECKSUM}

    class Meta:
        model = DataTransferPackage
        fields = ("name", "status", "origin_location")
