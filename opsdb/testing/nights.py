"""A small observatory, and the steps by which its data go their way, each by the workflows themselves.

>>> world = build_world()
>>> package = world.archived_package()
>>> night = make_night(executions=2)
"""

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from opsdb.models import (
    DataLocation,
    DataTransfer,
    DataTransferPackage,
    DataTransferRoute,
    ExecutedObsUnit,
    InstrumentModule,
    LongTermArchiveTransfer,
    ObsUnit,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
    Site,
    StagingJob,
    User,
)
from opsdb.testing.factories import (
    DataTransferRouteFactory,
    DiskDataLocationFactory,
    InstrumentModuleFactory,
    ObsUnitFactory,
    SiteFactory,
    TapeDataLocationFactory,
    UserFactory,
)
from opsdb.testing.factories.base import EPOCH
from opsdb.workflows import (
    CopyReport,
    RawFileReport,
    Registration,
    bundle_raw_data_packages,
    claim_archive_transfers,
    claim_staging,
    claim_transfers,
    claim_unpacking,
    complete_archive_transfer,
    complete_bundling,
    complete_packaging,
    complete_staging,
    complete_transfer,
    complete_unpacking,
    finish_observation,
    list_missing_content,
    package_raw_data_files,
    plan_archiving,
    plan_transfers,
    register_raw_data_files,
    request_staging,
    start_observation,
    work,
)

WORKER = "worker"
WRONG = "f" * 64
FILE_BYTES = 1_000
TAR_OVERHEAD_BYTES = 512


def digest(content) -> str:
    """The checksum that a package, bundle or product of this key has in the scenario."""
    return sha256(str(content.pk).encode()).hexdigest()


def found(content, checksum=None) -> CopyReport:
    """The report of a worker on content that it has written: as expected, or with another checksum."""
    return CopyReport(type(content)(pk=content.pk), checksum or content.checksum or digest(content))


@dataclass
class World:
    """An observatory that sends its data to two sites with an archive, of which one also reduces them.

    Attributes:
        last_number: of an observation or a group of files; each has another, by which they differ.
    """

    ccat: Site
    cologne: Site
    us: Site
    source: DataLocation
    ccat_buffer: DataLocation
    spare_buffer: DataLocation
    cologne_buffer: DataLocation
    cologne_archive: DataLocation
    processing: DataLocation
    us_buffer: DataLocation
    us_archive: DataLocation
    routes: list[DataTransferRoute]
    module: InstrumentModule
    unit: ObsUnit
    user: User
    last_number: int = 0

    @property
    def archives(self) -> list[DataLocation]:
        return [self.cologne_archive, self.us_archive]

    def _next_number(self):
        self.last_number += 1
        return self.last_number

    def observe(self, *, running=False) -> ExecutedObsUnit:
        """Execute the unit for half an hour."""
        start = EPOCH + timedelta(hours=self._next_number())
        execution = start_observation(self.unit, start_time=start)
        if running:
            return execution
        return finish_observation(execution.pk, end_time=start + timedelta(minutes=30))

    def register(self, execution, *, files=3, sizes=None, module=None) -> list[RawDataFile]:
        """Write files at the source and register them."""
        first = self._next_number()
        reports = [
            RawFileReport(
                executed_obs_unit=execution.pk,
                instrument_module=(module or self.module).pk,
                source_location=self.source.pk,
                relative_path=f"{execution.pk}/{first:04}-{number:04}.fits",
                size_bytes=size,
                checksum=sha256(f"{first} {number}".encode()).hexdigest(),
            )
            for number, size in enumerate(sizes or [FILE_BYTES] * files)
        ]
        register_raw_data_files(reports)
        paths = [report.relative_path for report in reports]
        return list(RawDataFile.objects.at(self.source).filter(relative_path__in=paths).order_by("relative_path"))

    def register_again(self) -> Registration:
        """Report every file a second time."""
        return register_raw_data_files(
            RawFileReport(
                executed_obs_unit=file.executed_obs_unit_id,
                instrument_module=file.instrument_module_id,
                source_location=file.source_location_id,
                relative_path=file.relative_path,
                size_bytes=file.size_bytes,
                checksum=file.checksum,
            )
            for file in RawDataFile.objects.at(self.source)
        )

    def plan_packages(self, *, files=3, sizes=None) -> list[RawDataPackage]:
        """Observe, register and plan the packages."""
        self.register(self.observe(), files=files, sizes=sizes)
        return package_raw_data_files(self.source)

    def make(self, package, *, location=None, checksum=None) -> RawDataPackage:
        """Make the tar of a planned package."""
        work.claim(RawDataPackage.objects.filter(pk=package.pk), limit=1, worker=WORKER)
        content = sum(package.raw_data_files.values_list("size_bytes", flat=True))
        return complete_packaging(
            package,
            worker=WORKER,
            location=location or self.ccat_buffer,
            size_bytes=content + TAR_OVERHEAD_BYTES,
            checksum=checksum or digest(package),
        )

    def made_packages(self, *, executions=1, files=3) -> list[RawDataPackage]:
        """Packages that sit in the observatory's buffer."""
        return [self.make(package) for _ in range(executions) for package in self.plan_packages(files=files)]

    def make_bundle(self, bundle, *, checksum=None) -> DataTransferPackage:
        """Make the file of a planned bundle."""
        work.claim(DataTransferPackage.objects.filter(pk=bundle.pk), limit=1, worker=WORKER)
        content = sum(bundle.raw_data_packages.values_list("size_bytes", flat=True))
        return complete_bundling(
            bundle,
            worker=WORKER,
            size_bytes=content + TAR_OVERHEAD_BYTES,
            checksum=checksum or digest(bundle),
        )

    def made_bundle(self, *, executions=1, files=3) -> DataTransferPackage:
        """A bundle that sits in the observatory's buffer."""
        self.made_packages(executions=executions, files=files)
        [bundle] = bundle_raw_data_packages(self.ccat_buffer)
        return self.make_bundle(bundle)

    def begun_transfer(self) -> DataTransfer:
        """A primary transfer that a worker has begun."""
        self.made_bundle()
        plan_transfers()
        [transfer] = claim_transfers(worker=WORKER)
        return transfer

    def carry(self) -> list[DataTransfer]:
        """Do all transfers that can be done now."""
        transfers = claim_transfers(worker=WORKER, limit=1_000)
        return [
            complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
            for transfer in transfers
        ]

    def unpack(self) -> list[DataTransfer]:
        """Unpack all that has arrived."""
        return [
            complete_unpacking(
                transfer,
                worker=WORKER,
                reports=[found(package) for package in transfer.data_transfer_package.raw_data_packages.all()],
            )
            for transfer in claim_unpacking(worker=WORKER, limit=1_000)
        ]

    def archive(self) -> list[LongTermArchiveTransfer]:
        """Archive all that is in the archive sites' buffers."""
        for archive in self.archives:
            plan_archiving(archive)
        return [
            complete_archive_transfer(transfer, worker=WORKER, checksum=transfer.raw_data_package.checksum)
            for transfer in claim_archive_transfers(worker=WORKER, limit=1_000)
        ]

    def deliver(self):
        """Bring everything that is bundled into both archives."""
        while plan_transfers() or DataTransfer.objects.claimable().exists():
            self.carry()
        self.unpack()
        self.archive()

    def archived_package(self, *, files=3) -> RawDataPackage:
        """A package that both archives have."""
        bundle = self.made_bundle(files=files)
        self.deliver()
        return bundle.raw_data_packages.get()

    def staged(self, *packages, **wish) -> StagingJob:
        """A job that has brought packages to the processing location."""
        request_staging(location=self.processing, packages=packages, **wish)
        [job] = claim_staging(worker=WORKER)
        return complete_staging(job, worker=WORKER, reports=[found(content) for content in list_missing_content(job)])

    def copy(self, content, location) -> PhysicalCopy:
        """The copy of the content at a location."""
        return PhysicalCopy.objects.at(location).of(content).get()


@dataclass
class ArchivedNight:
    """What was observed in a night, and is in the archives.

    Attributes:
        world: the observatory, and the steps that can follow.
        unit: the unit that was executed.
        module: the instrument module that wrote the files.
        executions: the observations, in order.
        files: the raw data files.
        packages: the raw data packages, archived at two sites.
    """

    world: World
    unit: ObsUnit
    module: InstrumentModule
    executions: list[ExecutedObsUnit]
    files: list[RawDataFile]
    packages: list[RawDataPackage]


def make_night(*, executions: int = 1, files: int = 3) -> ArchivedNight:
    """Observe a unit, and bring its data into two archives, in an observatory made for it.

    Args:
        executions: how often the unit is executed.
        files: how many files each observation writes.
    """
    world = build_world(names=("summit", "east", "west"))
    bundle = world.made_bundle(executions=executions, files=files)
    world.deliver()
    packages = list(bundle.raw_data_packages.order_by("name"))
    return ArchivedNight(
        world=world,
        unit=world.unit,
        module=world.module,
        executions=list(ExecutedObsUnit.objects.filter(obs_unit=world.unit).order_by("start_time")),
        files=list(RawDataFile.objects.filter(raw_data_package__in=packages).order_by("relative_path")),
        packages=packages,
    )


def build_world(names: tuple[str, str, str] = ("ccat", "cologne", "us")) -> World:
    """Make the sites, locations, routes, the instrument module, a unit and a user.

    Args:
        names: of the site at the telescope, of that which archives and reduces, and of the other that archives.
    """
    ccat, cologne, us = (SiteFactory(name=name, short_name=name) for name in names)
    module = InstrumentModuleFactory()
    return World(
        ccat=ccat,
        cologne=cologne,
        us=us,
        source=DiskDataLocationFactory(site=ccat, name="chai", source=True, instrument=module.instrument),
        ccat_buffer=DiskDataLocationFactory(site=ccat, name="buffer", priority=1),
        spare_buffer=DiskDataLocationFactory(site=ccat, name="spare_buffer", priority=2),
        cologne_buffer=DiskDataLocationFactory(site=cologne, name="buffer"),
        cologne_archive=TapeDataLocationFactory(site=cologne, name="archive", archive=True),
        processing=DiskDataLocationFactory(site=cologne, name="ramses", processing=True, retention_days=0),
        us_buffer=DiskDataLocationFactory(site=us, name="buffer"),
        us_archive=TapeDataLocationFactory(site=us, name="archive", archive=True),
        routes=[
            DataTransferRouteFactory(name=f"{one}-{other}", origin_site=one, destination_site=other)
            for one, other in ((ccat, cologne), (ccat, us), (cologne, us), (us, cologne))
        ],
        module=module,
        unit=ObsUnitFactory(),
        user=UserFactory(),
    )


@contextmanager
def out_of_use(*rows):
    """Make locations or routes inactive for a while."""
    for row in rows:
        type(row).objects.filter(pk=row.pk).update(active=False)
        row.active = False
    yield
    for row in rows:
        type(row).objects.filter(pk=row.pk).update(active=True)
        row.active = True
