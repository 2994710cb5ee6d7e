"""Moving data from the instrument's disk to the archives: packages, bundles, transfers, unpacking and archiving."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.db.models import QuerySet

from opsdb.models import (
    DataLocation,
    DataTransfer,
    DataTransferPackage,
    LongTermArchiveTransfer,
    RawDataPackage,
    TransferKind,
)
from opsdb.models.base import WorkItem
from opsdb.workflows import (
    CopyReport,
    bundle_raw_data_packages,
    choose_buffer,
    claim_archive_transfers,
    claim_transfers,
    claim_unpacking,
    complete_archive_transfer,
    complete_bundling,
    complete_packaging,
    complete_transfer,
    complete_unpacking,
    fail_archive_transfer,
    fail_transfer,
    plan_archiving,
    plan_transfers,
    work,
)

from .facts import (
    BATCH,
    LINK_DOWN,
    LINK_DOWN_AGO,
    TAPES_DOWN,
    TAPES_DOWN_AGO,
    TAR_OVERHEAD_BYTES,
    WORKER,
    digest,
)
from .nights import Night
from .setting import DemoSetting


class DataMover:
    """Moves data.

    Args:
        setting: from where and to where.
        done: counts of events.
    """

    def __init__(self, setting: DemoSetting, done: Counter):
        self.setting, self.done = setting, done
        self.night: Night | None = None

    def move(self, night: Night) -> None:
        """Run every stage until all data of a night are in the archives."""
        self.night = night
        self.package(night)
        while sum(stage() for stage in (self.bundle, self.transfer, self.unpack, self.archive)):
            pass

    def package(self, night: Night) -> None:
        """Make the packages of a night."""
        buffer = choose_buffer(self.setting.source.site)
        packages = RawDataPackage.objects.filter(executed_obs_unit__in=[execution for execution, _ in night.executed])
        while claimed := work.claim(packages, limit=BATCH, worker=WORKER):
            for package in claimed:
                self.complete_package(package, buffer)
            self.done["packages"] += len(claimed)

    def complete_package(self, package: RawDataPackage, buffer: DataLocation) -> None:
        """Report a package that was made."""
        complete_packaging(
            package,
            worker=WORKER,
            location=buffer,
            size_bytes=self.size_of(package.raw_data_files),
            checksum=digest(package.pk),
        )

    def bundle(self) -> int:
        """Bundle the packages in the observatory's buffer into transfer packages."""
        planned = bundle_raw_data_packages(choose_buffer(self.setting.source.site), limit=BATCH)
        claimed = work.claim(DataTransferPackage.objects.all(), limit=BATCH, worker=WORKER)
        for bundle in claimed:
            self.complete_bundle(bundle)
        self.done["bundles"] += len(claimed)
        return len(planned) + len(claimed)

    def complete_bundle(self, bundle: DataTransferPackage) -> None:
        """Report a transfer package that was made."""
        complete_bundling(
            bundle, worker=WORKER, size_bytes=self.size_of(bundle.raw_data_packages), checksum=digest(bundle.pk)
        )

    def transfer(self) -> int:
        """Transfer packages to the next site; while the link is down, transfers fail and are tried again."""
        planned = plan_transfers(limit=BATCH)
        claimed = claim_transfers(worker=WORKER, limit=BATCH)
        for transfer in claimed:
            if self.link_is_down(transfer):
                self.happened(transfer, hours=4 + 5 * transfer.retry_count)
                fail_transfer(transfer, worker=WORKER, message=LINK_DOWN)
                self.done["failures tried again"] += 1
            else:
                complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
                self.done["transfers"] += 1
        return len(planned) + len(claimed)

    def unpack(self) -> int:
        """Unpack transfers that have arrived."""
        claimed = claim_unpacking(worker=WORKER, limit=BATCH)
        for transfer in claimed:
            self.complete_unpacking(transfer)
        return len(claimed)

    @staticmethod
    def complete_unpacking(transfer: DataTransfer) -> None:
        """Report what was unpacked."""
        packages = transfer.data_transfer_package.raw_data_packages.all()
        complete_unpacking(
            transfer, worker=WORKER, reports=[CopyReport(package, package.checksum) for package in packages]
        )

    def archive(self) -> int:
        """Archive the packages in the sites' buffers."""
        planned = [transfer for archive in self.setting.archives for transfer in plan_archiving(archive, limit=BATCH)]
        claimed = claim_archive_transfers(worker=WORKER, limit=BATCH)
        for transfer in claimed:
            if self.tapes_are_down(transfer):
                self.happened(transfer, hours=10)
                fail_archive_transfer(transfer, worker=WORKER, message=TAPES_DOWN)
                self.done["failures tried again"] += 1
            else:
                complete_archive_transfer(transfer, worker=WORKER, checksum=transfer.raw_data_package.checksum)
                self.done["archive copies"] += 1
        return len(planned) + len(claimed)

    def link_is_down(self, transfer: DataTransfer) -> bool:
        """Return whether the link from the observatory is down for a transfer."""
        is_night = self.night is not None and self.night.ago == LINK_DOWN_AGO
        return is_night and transfer.kind == TransferKind.PRIMARY and transfer.retry_count < 2

    def tapes_are_down(self, transfer: LongTermArchiveTransfer) -> bool:
        """Return whether the last archive takes nothing."""
        is_night = self.night is not None and self.night.ago == TAPES_DOWN_AGO
        return is_night and transfer.destination_location == self.setting.archives[-1] and not transfer.retry_count

    def happened(self, work: WorkItem, hours: float) -> None:
        """Let an attempt have been made some hours after the night."""
        at = max(end for _, end in self.night.executed) + timedelta(hours=hours)
        type(work).objects.filter(pk=work.pk).update(started_at=at, heartbeat_at=at)

    @staticmethod
    def size_of(parts: QuerySet) -> int:
        """Return the size of a tar of parts, in bytes."""
        return TAR_OVERHEAD_BYTES + sum(parts.values_list("size_bytes", flat=True))
