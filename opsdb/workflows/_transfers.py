"""What transferring and unpacking share: the raw packages that transfers carry, their states, and the log."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from opsdb.models import (
    DataTransfer,
    DataTransferLog,
    LogLevel,
    LongTermArchiveTransfer,
    LongTermArchiveTransferLog,
    PackageState,
    RawDataPackage,
)


def carried_packages(transfers: Iterable[DataTransfer]) -> QuerySet[RawDataPackage]:
    """Return the raw packages that transfers carry."""
    bundles = [transfer.data_transfer_package_id for transfer in transfers]
    return RawDataPackage.objects.filter(data_transfer_package__in=bundles)


def move_packages(packages: QuerySet[RawDataPackage], before: list[PackageState], after: PackageState) -> None:
    """Take those of the packages that are in one of the states before to the state after."""
    packages = packages.filter(state__in=before)
    keys = list(packages.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    RawDataPackage.objects.filter(pk__in=keys).update(state=after)


def log_transfer(transfer: DataTransfer, message: str, level: str = LogLevel.INFO, log_path: str = "") -> None:
    """Write a line into the log of a transfer."""
    DataTransferLog.objects.create(
        data_transfer=transfer, level=level, status=transfer.status, message=message[:1000], log_path=log_path
    )


def log_archive_transfers(
    transfers: Iterable[LongTermArchiveTransfer], message: str, level: str = LogLevel.INFO, log_path: str = ""
) -> None:
    """Write a line into the log of each archive transfer."""
    LongTermArchiveTransferLog.objects.bulk_create(
        LongTermArchiveTransferLog(
            long_term_archive_transfer=transfer,
            level=level,
            status=transfer.status,
            message=message[:1000],
            log_path=log_path,
        )
        for transfer in transfers
    )
