"""A believable operation of the observatory, told by the workflows themselves: from the schedule to publication.

The story needs the reference data and a schedule. It repeats the schedule's first day as often as asked for, lets every
stage do its work, with some failures that are tried again, deletes some of what may go, and ends with what is under way
now. Nothing in it is written past the workflows, so every rule is in force. The same seed tells the same story; keys
and the times of the work differ.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import Min
from django.utils import timezone

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
    Quality,
    RawDataPackage,
    ReductionSoftware,
    ReductionSoftwareVersion,
    ReductionStep,
    ReductionStepConfig,
    SourceType,
)
from opsdb.workflows import (
    CopyReport,
    OpsdbError,
    RawFileReport,
    Refused,
    approve_deletion,
    assess_observation,
    begin_run,
    bundle_raw_data_packages,
    choose_buffer,
    claim_archive_transfers,
    claim_deletions,
    claim_staging,
    claim_transfers,
    claim_unpacking,
    collect_run,
    complete_archive_transfer,
    complete_bundling,
    complete_deletions,
    complete_packaging,
    complete_run,
    complete_staging,
    complete_transfer,
    complete_unpacking,
    create_publication,
    create_release,
    execute_deletion_request,
    fail_archive_transfer,
    fail_transfer,
    finish_observation,
    list_missing_content,
    package_raw_data_files,
    plan_archiving,
    plan_runs,
    plan_transfers,
    publish_publication,
    publish_release,
    register_data_product,
    register_raw_data_files,
    release_staging,
    request_deletion,
    start_observation,
    start_run,
    submit_run,
    work,
)

from .facts import (
    BATCH,
    DELETED_AT_MOST,
    FAILURE_RATE,
    FILE_BYTES,
    FILE_TIME,
    INSTRUMENT,
    MARK,
    MODULES_PER_OBSERVATION,
    ORIGIN,
    TAR_OVERHEAD_BYTES,
    WORKER,
    digest,
)
from .nights import Night, one_ahead
from .under_way import UnderWay


class CannotDemonstrate(OpsdbError):
    """The database is not one to demonstrate on."""


@dataclass
class Story:
    """One telling of the story.

    Attributes:
        seed: what the story's chance begins with.
        files: raw files of one module in one observation; as many as it writes in the time when None.
        say: takes a line on what goes on.
    """

    seed: int
    files: int | None = None
    say: Callable[[str], None] = lambda line: None

    def __post_init__(self):
        self.random = Random(self.seed)  # noqa: S311 - a story, no secret
        self.done = Counter()

    def chance(self, probability) -> bool:
        """Return whether something of this probability happens now."""
        return self.random.random() < probability

    def tell(self, nights: int) -> Counter:
        """Tell the whole story, and return how often each thing happened.

        The last night ends a day before the first that was told before, or yesterday; the first telling ends with what
        is under way at this moment.
        """
        self.check_stage()
        earliest = ExecutedObsUnit.objects.aggregate(earliest=Min("start_time"))["earliest"]
        last = (earliest or timezone.now()).date() - timedelta(days=2)
        dates = [last - timedelta(days=nights - 1 - number) for number in range(nights)]
        for number, night in enumerate(one_ahead(self.end, one_ahead(self.observe, dates)), 1):
            self.done["observations"] += len(night.executed)
            self.done["raw files"] += night.raw_files
            self.say(f"night {number} of {nights}: {self.done['raw files']} raw files so far")
            self.move_data(night)
        self.reduce()
        self.publish()
        self.delete()
        if earliest is None:
            UnderWay(self).tell()
        return self.done

    def check_stage(self):
        """Refuse a database with real observations, or without what the story needs."""
        if ExecutedObsUnit.objects.exclude(conditions__contains=MARK).exists():
            raise CannotDemonstrate("this database holds observations that are not of a demonstration; use another one")
        self.schedule = PreScheduledSlot.objects.exclude(origin=ORIGIN)
        if not self.schedule.exists():
            raise CannotDemonstrate(
                "there is no schedule; run `manage.py opsdb_init` and `manage.py opsdb_load slots FILE` first"
            )
        self.source = DataLocation.objects.sources().active().get(instrument__name=INSTRUMENT)
        self.modules = list(
            InstrumentModule.objects.available()
            .filter(instrument__name=INSTRUMENT)
            .order_by("name")[:MODULES_PER_OBSERVATION]
        )
        self.archives = list(DataLocation.objects.archives().active().order_by("pk"))
        self.processing = DataLocation.objects.processing().active().order_by("pk").first()
        if not self.modules or not self.archives or not self.processing:
            raise CannotDemonstrate(
                "the reference data lack modules, archives or a processing location; run `manage.py opsdb_init`"
            )
        self.asks, self.agrees = (self.person(name) for name in ("demo-operator", "demo-manager"))
        self.agrees.user_permissions.add(
            *Permission.objects.filter(codename__in=["approve_deletionrequest", "execute_deletionrequest"])
        )

    def observe(self, date) -> Night:
        """Begin to execute the schedule's first day on another date, and register what the modules write.

        The night's chance is its own, as its data may be written while those of the night before are moved.
        """
        night = Night(self.seed, date)
        for slot in self.slots_on(date):
            execution = start_observation(
                slot.obs_unit,
                start_time=slot.start_time,
                mean_elevation_deg=slot.elevation_deg,
                mean_azimuth_deg=slot.azimuth_min_deg,
                **night.conditions(),
            )
            files = self.files or max(1, round((slot.end_time - slot.start_time) / FILE_TIME))
            night.raw_files += register_raw_data_files(self.reports(execution, files, night.random)).created
            night.executed.append((execution, slot.end_time))
        return night

    def end(self, night) -> Night:
        """End a night's executions, judge most, the worse the weather the worse, and plan packages of their files."""
        for execution, end_time in night.executed:
            aborted = night.random.random() < FAILURE_RATE
            finish_observation(
                execution.pk,
                end_time=end_time,
                status=ObservationStatus.ABORTED if aborted else ObservationStatus.COMPLETED,
            )
            judged = night.random.random() * (1.5 if night.pwv_mm > 1 else 1)
            if judged > 0.1:
                quality = Quality.GOOD if judged < 0.85 else Quality.QUESTIONABLE if judged < 0.97 else Quality.BAD
                assess_observation(execution, quality)
        while package_raw_data_files(self.source, limit=BATCH):
            pass
        return night

    def slots_on(self, date) -> list[PreScheduledSlot]:
        """Return the slots of the schedule's first day, moved to a date; they are added to the schedule there."""
        first = self.schedule.aggregate(first=Min("start_time"))["first"]
        shift = timedelta(days=(date - first.date()).days)
        slots = list(
            self.schedule.overlapping(first, first + timedelta(days=1))
            .select_related("obs_unit")
            .order_by("start_time")
        )
        for slot in slots:
            slot.pk, slot.origin = None, ORIGIN
            slot.start_time += shift
            slot.end_time += shift
        if not PreScheduledSlot.objects.overlapping(slots[0].start_time, slots[-1].end_time).exists():
            PreScheduledSlot.objects.bulk_create(slots)
        return slots

    def reports(self, execution, files, random):
        """Yield a report for each of the files that every module wrote, of sizes by chance."""
        for module in self.modules:
            for number in range(files):
                path = f"{execution.start_time:%Y-%m-%d}/{execution.start_time:%H%M%S}/{module.pk}_{number:05}.g3"
                yield RawFileReport(
                    executed_obs_unit=execution.pk,
                    instrument_module=module.pk,
                    source_location=self.source.pk,
                    relative_path=path,
                    size_bytes=FILE_BYTES + random.randrange(FILE_BYTES),
                    checksum=digest(self.seed, path),
                    file_type="g3",
                    observed_at=execution.start_time + number * FILE_TIME,
                )

    def move_data(self, night):
        """Let every stage from the instrument's disk to the archives work until nothing of a night is left to do."""
        self.package(night)
        while sum(stage() for stage in (self.bundle, self.transfer, self.unpack, self.archive)):
            pass

    def package(self, night):
        """Make the packages of a night."""
        buffer = choose_buffer(self.source.site)
        packages = RawDataPackage.objects.filter(executed_obs_unit__in=[execution for execution, _ in night.executed])
        while claimed := work.claim(packages, limit=BATCH, worker=WORKER):
            for package in claimed:
                self.complete_package(package, buffer)
            self.done["raw packages"] += len(claimed)

    def complete_package(self, package, buffer):
        """Report a package that was made."""
        complete_packaging(
            package,
            worker=WORKER,
            location=buffer,
            size_bytes=self.size_of(package.raw_data_files),
            checksum=digest(package.pk),
        )

    def bundle(self) -> int:
        """Make transfer packages of the packages in the observatory's buffer."""
        planned = bundle_raw_data_packages(choose_buffer(self.source.site), limit=BATCH)
        claimed = work.claim(DataTransferPackage.objects.all(), limit=BATCH, worker=WORKER)
        for bundle in claimed:
            self.complete_bundle(bundle)
        self.done["transfer packages"] += len(claimed)
        return len(planned) + len(claimed)

    def complete_bundle(self, bundle):
        """Report a transfer package that was made."""
        complete_bundling(
            bundle, worker=WORKER, size_bytes=self.size_of(bundle.raw_data_packages), checksum=digest(bundle.pk)
        )

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
            self.complete_unpacking(transfer)
        return len(claimed)

    @staticmethod
    def complete_unpacking(transfer):
        """Report what was unpacked."""
        packages = transfer.data_transfer_package.raw_data_packages.all()
        complete_unpacking(
            transfer, worker=WORKER, reports=[CopyReport(package, package.checksum) for package in packages]
        )

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
        for run in plan_runs(self.step("maps", ["night"]), limit=BATCH):
            start_run(run)
            self.stage()
            submit_run(run, hpc_job_id=f"demo-{run.pk}")
            begin_run(run)
            collect_run(run)
            self.register_product(run, DataProductType.SCIENCE, "map.fits")
            self.register_product(run, DataProductType.PLOT, "map.png")
            complete_run(run, wall_time_seconds=600, cpu_hours=8, peak_memory_gb=12)
            self.done["reduction runs"] += 1

    def register_product(self, run, type, name):
        """Report what a run has made."""
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

    def stage(self):
        """Bring what staging jobs ask for to where it is reduced."""
        for job in claim_staging(worker=WORKER, limit=BATCH):
            self.complete_staging(job)

    def complete_staging(self, job):
        """Report what was staged."""
        complete_staging(
            job, worker=WORKER, reports=[CopyReport(thing, thing.checksum) for thing in list_missing_content(job)]
        )
        self.done["staging jobs"] += 1

    def step(self, name, group_by, **pipeline) -> ReductionStep:
        """Return the one step of a pipeline; it is made by the first telling."""
        grouping, _ = DataGrouping.objects.get_or_create(
            name="demonstration: fields",
            defaults={
                "description": "Packages of fields that are scanned at a constant elevation.",
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
        made, _ = Pipeline.objects.get_or_create(
            name=f"demonstration: {name}",
            defaults={"data_grouping": grouping, "processing_location": self.processing, **pipeline},
        )
        software, _ = ReductionSoftware.objects.get_or_create(name=f"demonstration {name}")
        ReductionSoftwareVersion.objects.get_or_create(software=software, version="1.0.0")
        config, _ = ReductionStepConfig.objects.get_or_create(software=software, name="default")
        step, _ = ReductionStep.objects.get_or_create(
            pipeline=made, name=name, defaults={"software": software, "config": config, "group_by": group_by}
        )
        return step

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
        publish_publication(
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
        places = DataLocation.objects.active().exclude(location_type=LocationType.LONG_TERM_ARCHIVE).order_by("pk")
        for place in places:
            self.done["copies deleted"] += self.delete_at(place)

    def delete_at(self, place) -> int:
        """Delete up to ``DELETED_AT_MOST`` copies at a location, and return how many."""
        candidates = PhysicalCopy.objects.at(place).filter(
            status__in=[PhysicalCopyStatus.PRESENT, PhysicalCopyStatus.STAGED], data_product=None
        )
        after = deleted = 0
        while deleted < DELETED_AT_MOST and (
            keys := list(candidates.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH])
        ):
            after = keys[-1]
            try:
                asked = request_deletion(
                    place,
                    PhysicalCopy.objects.filter(pk__in=keys),
                    user=self.asks,
                    reason="the data are safe in the archives",
                    overrides_retention=True,
                    dry_run=False,
                )
            except Refused:
                continue
            execute_deletion_request(approve_deletion(asked.request, user=self.agrees), user=self.agrees)
            while started := claim_deletions(place, limit=BATCH).copies:
                deleted += len(complete_deletions(started))
        return deleted

    @staticmethod
    def person(name):
        """Return a user of the story, who can't log in."""
        users = get_user_model()._default_manager
        try:
            return users.get_by_natural_key(name)
        except get_user_model().DoesNotExist:
            return users.create_user(name)
