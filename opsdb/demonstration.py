"""A believable operation of the observatory, told by the workflows themselves: from the schedule to publication.

The story needs the reference data and a schedule. It repeats the schedule's night as often as asked for, lets every
stage do its work, with some failures that are tried again, and at the end deletes what may go. Nothing in it is
written past the workflows, so every rule is in force. The same seed tells the same story; keys and the times of the
work differ.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from random import Random

from django.contrib.auth import get_user_model
from django.db.models import Min

from opsdb.models import (
    DataGrouping,
    DataLocation,
    DataProduct,
    DataProductType,
    DataTransferPackage,
    ExecutedObsUnit,
    ExecutedReductionStep,
    InstrumentModule,
    LocationType,
    ObservationStatus,
    PhysicalCopy,
    PhysicalCopyStatus,
    Pipeline,
    PreScheduledSlot,
    RawDataPackage,
    ReductionSoftware,
    ReductionSoftwareVersion,
    ReductionStep,
    ReductionStepConfig,
    SourceType,
)
from opsdb.workflows import work
from opsdb.workflows.archiving import (
    claim_archive_transfers,
    complete_archive_transfer,
    fail_archive_transfer,
    plan_archiving,
)
from opsdb.workflows.arrivals import Found
from opsdb.workflows.deletion import approve, confirm_deletion, execute, request_deletion, start_deletion
from opsdb.workflows.errors import OpsdbError, Refused
from opsdb.workflows.observing import finish_observation, start_observation
from opsdb.workflows.packaging import (
    bundle_raw_data_packages,
    complete_bundling,
    complete_packaging,
    package_raw_data_files,
)
from opsdb.workflows.publishing import create_publication, create_release, publish, publish_release
from opsdb.workflows.reducing import (
    begin_run,
    collect_run,
    complete_run,
    plan_runs,
    register_data_product,
    start_run,
    submit_run,
)
from opsdb.workflows.registration import RawFileReport, register_raw_data_files
from opsdb.workflows.routing import first_buffer
from opsdb.workflows.staging import claim_staging, complete_staging, release_staging, what_is_missing
from opsdb.workflows.transferring import (
    claim_transfers,
    claim_unpacking,
    complete_transfer,
    complete_unpacking,
    fail_transfer,
    plan_transfers,
)

MARK = {"demonstration": True}
WORKER = "demo-worker"
INSTRUMENT = "Prime-Cam"
MODULES_PER_OBSERVATION = 2
FILE_BYTES = 30_000_000
TAR_OVERHEAD_BYTES = 10_240
FAILURE_RATE = 0.05
BATCH = 1_000


class CannotDemonstrate(OpsdbError):
    """The database is not one to demonstrate on."""


def digest(*parts) -> str:
    """Return the SHA-256 that stands for the content of something in the story."""
    return sha256(" ".join(map(str, parts)).encode()).hexdigest()


@dataclass
class Story:
    """One telling of the story.

    Attributes:
        seed: what the story's chance begins with.
        files: raw files of one module in one observation.
        say: takes a line on what goes on.
    """

    seed: int
    files: int
    say: Callable[[str], None] = lambda line: None

    def __post_init__(self):
        self.random = Random(self.seed)  # noqa: S311 - a story, no secret
        self.done = Counter()

    def chance(self, probability) -> bool:
        """Return whether something of this probability happens now."""
        return self.random.random() < probability

    def tell(self, nights: int) -> Counter:
        """Tell the whole story, and return how often each thing happened."""
        self.check_stage()
        for night in range(nights):
            self.observe()
            self.say(f"night {night + 1} of {nights}: {self.done['raw files']} raw files so far")
            self.move_data()
        self.reduce()
        self.publish()
        self.delete()
        return self.done

    def check_stage(self):
        """Refuse a database with real observations, or without what the story needs."""
        if ExecutedObsUnit.objects.exclude(conditions__contains=MARK).exists():
            raise CannotDemonstrate("this database holds observations that are not of a demonstration; use another one")
        if not PreScheduledSlot.objects.exists():
            raise CannotDemonstrate(
                "there is no schedule; run `manage.py opsdb_init` and `manage.py opsdb_load slots FILE` first"
            )
        self.source = DataLocation.objects.sources().active().get(instrument__name=INSTRUMENT)
        self.modules = list(
            InstrumentModule.objects.available()
            .filter(instrument__name=INSTRUMENT)
            .order_by("name")[:MODULES_PER_OBSERVATION]
        )
        self.archives = list(DataLocation.objects.archives().active())
        if not self.modules or not self.archives:
            raise CannotDemonstrate("the reference data lack modules or archives; run `manage.py opsdb_init`")

    def observe(self):
        """Execute the schedule's slots, shifted by nights, and register what the modules wrote."""
        first = PreScheduledSlot.objects.aggregate(first=Min("start_time"))["first"]
        last = ExecutedObsUnit.objects.order_by("-start_time").values_list("start_time", flat=True).first()
        shift = timedelta(days=(last - first).days + 1) if last else timedelta()
        slots = PreScheduledSlot.objects.overlapping(first, first + timedelta(days=1)).order_by("start_time")
        weather = round(self.random.uniform(0.3, 1.5), 2)
        for slot in slots.select_related("obs_unit"):
            start, end = slot.start_time + shift, slot.end_time + shift
            execution = start_observation(
                slot.obs_unit,
                start_time=start,
                conditions=MARK,
                mean_pwv_mm=weather,
                mean_elevation_deg=slot.elevation_deg,
            )
            register_raw_data_files(self.reports(execution))
            aborted = self.chance(FAILURE_RATE)
            finish_observation(
                execution.pk,
                end_time=end,
                status=ObservationStatus.ABORTED if aborted else ObservationStatus.COMPLETED,
            )
            self.done["observations"] += 1
            self.done["raw files"] += self.files * len(self.modules)

    def reports(self, execution):
        """Yield a report for every file that the modules wrote."""
        for module in self.modules:
            for number in range(self.files):
                path = f"{execution.start_time:%Y-%m-%d}/{execution.start_time:%H%M%S}/{module.pk}_{number:05}.g3"
                yield RawFileReport(
                    executed_obs_unit=execution.pk,
                    instrument_module=module.pk,
                    source_location=self.source.pk,
                    relative_path=path,
                    size_bytes=FILE_BYTES + self.random.randrange(FILE_BYTES),
                    checksum=digest(self.seed, path),
                    file_type="g3",
                    observed_at=execution.start_time,
                )

    def move_data(self):
        """Let every stage from the instrument's disk to the archives work until nothing is left to do."""
        stages = (
            self.package,
            self.bundle,
            self.transfer,
            self.unpack,
            self.archive,
        )
        while sum(stage() for stage in stages):
            pass

    def package(self) -> int:
        """Make packages of the files at the source."""
        planned = package_raw_data_files(self.source, limit=BATCH)
        buffer = first_buffer(self.source.site)
        claimed = work.claim(RawDataPackage.objects.all(), limit=BATCH, worker=WORKER)
        for package in claimed:
            complete_packaging(
                package,
                worker=WORKER,
                location=buffer,
                size_bytes=self.size_of(package.raw_data_files),
                checksum=digest(package.pk),
            )
        self.done["raw packages"] += len(claimed)
        return len(planned) + len(claimed)

    def bundle(self) -> int:
        """Make transfer packages of the packages in the observatory's buffer."""
        planned = bundle_raw_data_packages(first_buffer(self.source.site), limit=BATCH)
        claimed = work.claim(DataTransferPackage.objects.all(), limit=BATCH, worker=WORKER)
        for bundle in claimed:
            complete_bundling(
                bundle, worker=WORKER, size_bytes=self.size_of(bundle.raw_data_packages), checksum=digest(bundle.pk)
            )
        self.done["transfer packages"] += len(claimed)
        return len(planned) + len(claimed)

    def transfer(self) -> int:
        """Carry transfer packages to the next site; some journeys fail and are tried again."""
        planned = plan_transfers(limit=BATCH)
        claimed = claim_transfers(worker=WORKER, limit=BATCH)
        for transfer in claimed:
            if self.chance(FAILURE_RATE):
                fail_transfer(transfer, worker=WORKER, message="connection reset by peer")
                self.done["failures tried again"] += 1
            else:
                complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)
                self.done["transfers"] += 1
        return len(planned) + len(claimed)

    def unpack(self) -> int:
        """Unpack what has arrived."""
        claimed = claim_unpacking(worker=WORKER, limit=BATCH)
        for transfer in claimed:
            packages = transfer.data_transfer_package.raw_data_packages.all()
            complete_unpacking(
                transfer, worker=WORKER, found=[Found(package, package.checksum) for package in packages]
            )
        return len(claimed)

    def archive(self) -> int:
        """Put what is in the sites' buffers into their archives."""
        planned = [transfer for archive in self.archives for transfer in plan_archiving(archive, limit=BATCH)]
        claimed = claim_archive_transfers(worker=WORKER, limit=BATCH)
        for transfer in claimed:
            if self.chance(FAILURE_RATE):
                fail_archive_transfer(transfer, worker=WORKER, message="tape library did not answer")
                self.done["failures tried again"] += 1
            else:
                complete_archive_transfer(transfer, worker=WORKER, checksum=transfer.raw_data_package.checksum)
                self.done["archive copies"] += 1
        return len(planned) + len(claimed)

    @staticmethod
    def size_of(parts) -> int:
        """Return the size of a tar of parts, bytes."""
        return TAR_OVERHEAD_BYTES + sum(parts.values_list("size_bytes", flat=True))

    def reduce(self):
        """Stage the science data of each night, reduce them, and keep a map and a plot of each."""
        for run in plan_runs(self.pipeline(), limit=BATCH):
            start_run(run)
            self.stage()
            submit_run(run, hpc_job_id=f"demo-{run.pk}")
            begin_run(run)
            collect_run(run)
            for type, name in ((DataProductType.SCIENCE, "map.fits"), (DataProductType.PLOT, "map.png")):
                register_data_product(
                    run,
                    type=type,
                    name=name,
                    relative_path=f"demo/{run.pk}/{name}",
                    size_bytes=FILE_BYTES,
                    checksum=digest(self.seed, run.sub_group_key, name),
                    location=run.step.pipeline.processing_location,
                )
                self.done["data products"] += 1
            complete_run(run, wall_time_seconds=600, cpu_hours=8, peak_memory_gb=12)
            self.done["reduction runs"] += 1

    def stage(self):
        """Bring what staging jobs ask for to where it is reduced."""
        for job in claim_staging(worker=WORKER, limit=BATCH):
            complete_staging(job, worker=WORKER, found=[Found(thing, thing.checksum) for thing in what_is_missing(job)])
            self.done["staging jobs"] += 1

    def pipeline(self) -> Pipeline:
        """Return the pipeline that maps each night's fields; it is made by the first telling."""
        grouping, _ = DataGrouping.objects.get_or_create(
            name="demonstration: fields",
            defaults={
                "description": "Packages of science programs.",
                "filter_rules": [
                    {
                        "table": "source",
                        "column": "type",
                        "operator": "eq",
                        "value": SourceType.CONSTANT_ELEVATION.value,
                    }
                ],
            },
        )
        pipeline, _ = Pipeline.objects.get_or_create(
            name="demonstration: maps",
            defaults={
                "data_grouping": grouping,
                "processing_location": DataLocation.objects.processing().active().first(),
            },
        )
        software, _ = ReductionSoftware.objects.get_or_create(name="demonstration mapmaker")
        ReductionSoftwareVersion.objects.get_or_create(software=software, version="1.0.0")
        config, _ = ReductionStepConfig.objects.get_or_create(software=software, name="default")
        ReductionStep.objects.get_or_create(
            pipeline=pipeline, name="map", defaults={"software": software, "config": config, "group_by": ["night"]}
        )
        return pipeline

    def publish(self):
        """Release the maps, and publish a paper on them."""
        maps = list(
            DataProduct.objects.filter(
                type=DataProductType.SCIENCE, run__step__pipeline__name="demonstration: maps", releases__isnull=True
            )
        )
        if not maps:
            return
        version = f"{maps[0].pk}"
        release = publish_release(create_release("demonstration maps", version, products=maps))
        publish(
            create_publication(
                title=f"Maps of the demonstration, {version}", year=2026, authors=["A. Nobody"], releases=[release]
            )
        )
        self.done["releases"] += 1
        self.done["publications"] += 1

    def delete(self):
        """Delete what is safe in the archives from instruments' disks and buffers, as two people agree."""
        finished = ExecutedReductionStep.objects.filter(staging_job__active=True, staging_job__status="completed")
        for run in finished.select_related("staging_job"):
            release_staging(run.staging_job)
        asks, agrees = (self.person(name) for name in ("demo-operator", "demo-manager"))
        places = DataLocation.objects.active().exclude(location_type=LocationType.LONG_TERM_ARCHIVE).order_by("pk")
        for place in places:
            candidates = PhysicalCopy.objects.at(place).filter(
                status__in=[PhysicalCopyStatus.PRESENT, PhysicalCopyStatus.STAGED], data_product=None
            )
            after = 0
            while keys := list(candidates.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH]):
                after = keys[-1]
                try:
                    asked = request_deletion(
                        place,
                        PhysicalCopy.objects.filter(pk__in=keys),
                        user=asks,
                        reason="end of the demonstration",
                        overrides_retention=True,
                        dry_run=False,
                    )
                except Refused:
                    continue
                execute(approve(asked.request, agrees), agrees)
                self.done["copies deleted"] += self.delete_bytes(place)

    @staticmethod
    def delete_bytes(place) -> int:
        """Delete the bytes of what is scheduled there, and return of how many copies."""
        deleted = 0
        while started := start_deletion(place, limit=BATCH).copies:
            for copy in started:
                confirm_deletion(copy)
            deleted += len(started)
        return deleted

    @staticmethod
    def person(name):
        """Return a user of the story, who can't log in."""
        users = get_user_model()._default_manager
        try:
            return users.get_by_natural_key(name)
        except get_user_model().DoesNotExist:
            return users.create_user(name)
