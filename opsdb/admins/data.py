"""The raw data: files, the packages they travel in, and the archive's metadata of a package."""

from django.contrib import admin
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from opsdb.models import (
    DataTransfer,
    DataTransferPackage,
    DataTransferPackagePhysicalCopy,
    LongTermArchiveTransfer,
    PackageState,
    RawDataFile,
    RawDataFilePhysicalCopy,
    RawDataPackage,
    RawDataPackageMetadata,
    RawDataPackagePhysicalCopy,
    Status,
)

from .actions.data import PACKAGE_ACTIONS, TRANSFER_PACKAGE_ACTIONS
from .kit.admin import OpsAdmin
from .kit.columns import FieldColumn
from .kit.inlines import listing
from .kit.path_parts import FILE_PARTS, OBSERVATION_OF_PACKAGE, OLDER_FILES, PACKAGE_PARTS, PATH_PARTS
from .pages.why_links import LATER_STEP_FAILED

COPY_FACTS = ("data_location", "status", "verification", "verified_at", "size_bytes")
CONTENT = ("size_bytes", "checksum", "checksum_algorithm")


def later_failure(package: RawDataPackage) -> str:
    """Return what failed of a package that was made itself; empty where nothing did or its bundle was not loaded."""
    if package.state != PackageState.FAILED or package.failure_message or package.status == Status.FAILED:
        return ""
    bundle = package._state.fields_cache.get("data_transfer_package")
    if bundle is None:
        return str(LATER_STEP_FAILED)
    if bundle.status == Status.FAILED:
        return _("its bundle failed; see “Why?”")
    return _("its transfer, unpacking or archiving failed; see “Why?”")


@admin.register(RawDataFile)
class RawDataFileAdmin(OpsAdmin):
    part_finders = FILE_PARTS
    when_nothing_is_found = OLDER_FILES
    facts = ("relative_path", *CONTENT)
    list_display = (
        "relative_path",
        "executed_obs_unit",
        "instrument_module",
        "size_bytes",
        "file_type",
        "raw_data_package",
        "observed_at",
    )
    list_filter = ("instrument_module", "source_location", "executed_obs_unit", "raw_data_package")
    inlines = (listing(RawDataFilePhysicalCopy, *COPY_FACTS),)


@admin.register(RawDataPackage)
class RawDataPackageAdmin(OpsAdmin):
    actions = PACKAGE_ACTIONS
    part_finders = PACKAGE_PARTS
    facts = ("name",)
    list_display = (
        "name",
        "state",
        "status",
        "why",
        "size_bytes",
        "created_at",
        "failure_message",
        "data_transfer_package",
    )
    list_filter = ("state", "status", "instrument_module", "executed_obs_unit", "data_transfer_package")

    @cached_property
    def columns(self) -> dict[str, FieldColumn]:
        """The kit's columns; that of failures also names what failed after the package was made."""
        columns = super().columns
        usual = columns["failure_message"]

        def render(package):
            return later_failure(package) or usual(package)

        return columns | {"failure_message": FieldColumn(usual.field, render, usual.short_description, sortable=False)}

    inlines = (
        listing(RawDataPackagePhysicalCopy, *COPY_FACTS),
        listing(LongTermArchiveTransfer, "destination_location", "status", "finished_at", "failure_message"),
    )


@admin.register(RawDataPackageMetadata)
class RawDataPackageMetadataAdmin(OpsAdmin):
    part_finders = OBSERVATION_OF_PACKAGE
    facts = ("raw_data_package",)
    list_display = ("obs_id", "raw_data_package", "target_name", "s_ra", "s_dec", "t_min", "t_max", "instrument_name")


@admin.register(DataTransferPackage)
class DataTransferPackageAdmin(OpsAdmin):
    actions = TRANSFER_PACKAGE_ACTIONS
    part_finders = PATH_PARTS
    facts = ("name", "origin_location")
    list_display = (
        "name",
        "status",
        "failure_message",
        "why",
        "size_bytes",
        "origin_location",
        "retry_count",
        "created_at",
    )
    list_filter = ("status", "origin_location")
    inlines = (
        listing(RawDataPackage, "name", "state", "size_bytes"),
        listing(DataTransfer, "origin_location", "destination_location", "status", "unpack_status", "finished_at"),
        listing(DataTransferPackagePhysicalCopy, *COPY_FACTS),
    )
