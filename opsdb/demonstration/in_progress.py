"""Work in progress when a demonstration ends: the data of last night are in every state, by the workflows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone

from opsdb import conf
from opsdb.models import (
    DataLocation,
    DataProductType,
    DataTransfer,
    DataTransferPackage,
    DeletionRequest,
    ExecutedReductionStep,
    LocationType,
    LongTermArchiveTransfer,
    ObservationStatus,
    PhysicalCopy,
    PhysicalCopyStatus,
    PreScheduledSlot,
    Publication,
    PublicationStatus,
    RawDataPackage,
    ReductionStep,
    RunStatus,
    StagingJob,
    Status,
    TriggerType,
    VersionPolicy,
)
from opsdb.workflows import (
    approve_deletion,
    begin_run,
    bundle_raw_data_packages,
    cancel_run,
    choose_buffer,
    claim_archive_transfers,
    claim_deletions,
    claim_transfers,
    claim_unpacking,
    collect_run,
    complete_archive_transfer,
    complete_deletions,
    complete_run,
    complete_transfer,
    create_publication,
    execute_deletion_request,
    fail_archive_transfer,
    fail_deletion,
    fail_run,
    fail_transfer,
    fail_unpacking,
    finish_observation,
    move_state,
    plan_archiving,
    plan_runs,
    plan_transfers,
    record_fixity,
    register_raw_data_files,
    reject_deletion,
    request_deletion,
    request_staging,
    start_observation,
    start_run,
    submit_run,
    work,
)

from .facts import WORKER, digest
from .moving import DataMover
from .nights import Night
from .observing import NightObserver
from .reducing import DataReducer
from .scheduling import NightBlock
from .setting import CannotDemonstrate, DemoSetting

OBSERVATIONS = 40  # at least
COMPLETED = ObservationStatus.COMPLETED
LAST_ENDS = {2: ObservationStatus.FAILED, 4: ObservationStatus.ABORTED}
"""Status of an observation, by its position from the last."""
UNASSESSED = 6  # of the last ones
RUNNING_FOR = timedelta(minutes=2)
CHECKED = 5
STAGED = 5
DELETED = 8
DELETED_AT_LEAST = 6  # of three requests, and pending, in progress and failed
MOVED = 10  # observations whose data are sent to all archives, where deletion needs more than one
ENOUGH = 1_000  # more than there are rows of any model in the night
LEFT = 4  # pending, scheduled, in progress and failed


def require(found: list, number: int, model: type[Model]) -> list:
    """Return what was found, if it is enough for a row in each state.

    Raises:
        CannotDemonstrate: it is too little.
    """
    if len(found) < number:
        raise CannotDemonstrate(
            f"{model._meta.verbose_name_plural}: {len(found)} are too few to have one in each state, which takes"
            f" {number}; demonstrate more nights or observations"
        )
    return found


class InProgress:
    """The observations of last night, whose data are in every state.

    Args:
        night: last night.
        setting: what the demonstration uses.
        observing, moving, reducing: its stages.
    """

    def __init__(
        self, night: Night, setting: DemoSetting, observing: NightObserver, moving: DataMover, reducing: DataReducer
    ):
        self.night, self.setting = night, setting
        self.observing, self.moving, self.reducing = observing, moving, reducing
        self.in_all_archives: list[RawDataPackage] = []

    def run(self) -> None:
        """Leave at least one row in every state."""
        self.observe()
        self.transfer(self.bundle(self.package()))
        self.unpack()
        self.archive()
        self.check()
        self.reduce()
        self.stage()
        self.delete()
        self.write_papers()

    def leave(
        self, waiting: QuerySet, claim: Callable[..., list], fail: Callable[..., Any], field: str = "status"
    ) -> list:
        """Leave one item pending, one scheduled, one in progress and one failed; return the others, which are claimed.

        Args:
            waiting: queryset of pending items.
            claim: claims the oldest of them.
            fail: marks one as failed.
            field: the field that holds the state.
        """
        keys = list(waiting.order_by("created_at", "pk").values_list("pk", flat=True))
        require(keys, 1 + LEFT, waiting.model)
        *_, newest = keys
        move_state(waiting.model(pk=newest), Status.SCHEDULED, field=field)
        _, failed, *others = claim(limit=len(keys) - 2, worker=WORKER)
        fail(failed, worker=WORKER, message="disk quota exceeded", retryable=False)
        return others

    def observe(self) -> None:
        """Observe the night, some of whose executions failed or were aborted, and begin an observation now."""
        limit = self.observing.observations
        blocks = self.observing.plan(self.night, limit and max(limit, OBSERVATIONS), at_least=OBSERVATIONS)
        for number, block in enumerate(blocks):
            from_last = len(blocks) - number
            self.observing.observe(self.night, block)
            execution, end = self.night.executed[-1]
            finish_observation(execution.pk, end_time=end, status=LAST_ENDS.get(from_last, COMPLETED))
            if from_last > UNASSESSED:
                self.observing.assess(self.night, execution)
        self.begin_observation()

    def begin_observation(self) -> None:
        """Begin what is planned now, or else a calibration, as engineers do by day."""
        now = timezone.now()
        slot = PreScheduledSlot.objects.overlapping(now, now + RUNNING_FOR).select_related("obs_unit").first()
        unit = slot.obs_unit if slot else next(iter([*self.setting.calibrations.values(), *self.setting.science]))
        start = now - RUNNING_FOR
        execution = start_observation(
            unit,
            start_time=start,
            module_configurations=self.setting.configurations_of(unit),
            **self.night.conditions(),
        )
        block = NightBlock(unit, start, now, self.setting.configurations_of(unit), 50.0, None)
        register_raw_data_files(self.observing.reports(execution, block, self.night))

    def package(self) -> list[RawDataPackage]:
        """Package the night's files."""
        self.observing.plan_packages()
        if conf.get("OPSDB_MIN_ARCHIVE_COPIES") > 1:
            self.move_to_all_archives()
        return self.leave(*self.work_on(RawDataPackage))

    def move_to_all_archives(self) -> None:
        """Move the data of the first observations into all archives; the others come as far as the first of them."""
        self.night.executed = self.night.executed[:MOVED]
        self.moving.move(self.night)
        executed = [execution for execution, _ in self.night.executed]
        self.in_all_archives = list(RawDataPackage.objects.filter(executed_obs_unit__in=executed))

    @staticmethod
    def work_on(model: type[Model]) -> tuple[QuerySet, Callable[..., list], Callable[..., Any]]:
        """Return the pending rows of a model, and how one is claimed and marked as failed."""

        def claim(**options):
            return work.claim(model.objects.all(), **options)

        return model.objects.filter(status=Status.PENDING), claim, work.fail

    def bundle(self, packages: list[RawDataPackage]) -> list[DataTransferPackage]:
        """Complete the packages, and bundle them two by two."""
        buffer = choose_buffer(self.setting.source.site)
        while packages:
            pair, packages = packages[:2], packages[2:]
            for package in pair:
                self.moving.complete_package(package, buffer)
            bundle_raw_data_packages(buffer, limit=ENOUGH)
        return self.leave(*self.work_on(DataTransferPackage))

    def transfer(self, bundles: list[DataTransferPackage]) -> None:
        """Send the bundles to the archives' sites."""
        for bundle in bundles:
            self.moving.complete_bundle(bundle)
        plan_transfers(limit=ENOUGH)
        sent = self.leave(DataTransfer.objects.claimable(), claim_transfers, fail_transfer)
        for transfer in sent:
            complete_transfer(transfer, worker=WORKER, checksum=transfer.data_transfer_package.checksum)

    def unpack(self) -> None:
        """Unpack transfers that have arrived."""
        waiting = DataTransfer.objects.awaiting_unpack()
        for transfer in self.leave(waiting, claim_unpacking, fail_unpacking, "unpack_status"):
            self.moving.complete_unpacking(transfer)

    def archive(self) -> None:
        """Archive what is unpacked; the archive reports a wrong checksum of one package."""
        for archive in self.setting.archives:
            plan_archiving(archive, limit=ENOUGH)
        waiting = LongTermArchiveTransfer.objects.claimable()
        left = self.leave(waiting, claim_archive_transfers, fail_archive_transfer)
        wrong, *right = require(left, 2, LongTermArchiveTransfer)
        complete_archive_transfer(wrong, worker=WORKER, checksum=digest("damaged", wrong.pk))
        for transfer in right:
            complete_archive_transfer(transfer, worker=WORKER, checksum=transfer.raw_data_package.checksum)
        self.archived = [transfer.raw_data_package for transfer in right]

    def check(self) -> None:
        """Compare checksums in the archives; one copy there is damaged, and one in a buffer is missing."""
        for archive, damaged in zip(self.setting.archives, (False, True), strict=False):
            for copy in PhysicalCopy.objects.at(archive).order_by("pk")[:CHECKED]:
                content = copy.raw_data_package.checksum
                record_fixity(copy, digest("damaged", content) if damaged else content, checked_by=WORKER)
                damaged = False
        in_buffer = PhysicalCopy.objects.filter(
            raw_data_package=self.archived[0], data_location__location_type=LocationType.BUFFER
        )
        move_state(in_buffer.order_by("pk").first(), PhysicalCopyStatus.MISSING)

    def reduce(self) -> None:
        """Reduce observations as soon as they are archived; runs are in every state."""
        step = self.quick_look()
        runs = require(plan_runs(step, limit=len(RunStatus)), len(RunStatus), ExecutedReductionStep)
        pending, staging, *others = runs
        for run in others:
            start_run(run)
        self.reducing.stage()
        cancelled, failed, submitted, running, collecting, completed = others
        cancel_run(cancelled, reason="the wrong configuration")
        for run in (failed, submitted, running, collecting, completed):
            submit_run(run, hpc_job_id=f"demo-{run.pk}")
        for run in (failed, running, collecting, completed):
            begin_run(run)
        for run in (failed, collecting, completed):
            collect_run(run)
        self.reducing.register_product(failed, DataProductType.LOG, "run.log")
        fail_run(failed, message="killed: out of memory", retryable=False, exit_code=137)
        for type, name in (
            (DataProductType.QA_METRIC, "noise.json"),
            (DataProductType.STATISTICS, "statistics.json"),
            (DataProductType.LOG, "run.log"),
        ):
            self.reducing.register_product(completed, type, name)
        complete_run(completed, wall_time_seconds=120, cpu_hours=0.5, peak_memory_gb=3)
        start_run(staging)

    def quick_look(self) -> ReductionStep:
        """Return the step that reduces each observation, and create a pipeline that runs once a day."""
        step = self.reducing.step(
            "quick look", ["executed_obs_unit", "instrument_module"], trigger_type=TriggerType.CONTINUOUS
        )
        daily = self.reducing.step(
            "daily report", ["night"], trigger_type=TriggerType.CRON, trigger_config={"cron": "0 14 * * *"}
        )
        for pinned, policy in ((step, VersionPolicy.EXACT), (daily, VersionPolicy.COMPATIBLE)):
            pinned.version_policy, pinned.pinned_version = policy, pinned.software.versions.get()
            pinned.save(update_fields=["version_policy", "pinned_version"])
        return step

    def stage(self) -> None:
        """Stage packages for users who look at them."""
        location = self.setting.processing
        for package in self.archived[:STAGED]:
            request_staging(
                location=location, packages=[package], user=self.setting.requester, purpose=f"look at {package.name}"
            )
        waiting = StagingJob.objects.filter(purpose__startswith="look at", status=Status.PENDING)

        def claim(**options):
            return work.claim(waiting, **options)

        for job in self.leave(waiting, claim, work.fail):
            self.reducing.complete_staging(job)

    def delete(self) -> None:
        """Request the deletion of archived data: requests and copies are in every state."""
        archived = PhysicalCopy.objects.filter(
            raw_data_file__raw_data_package__in=self.in_all_archives or self.archived,
            status=PhysicalCopyStatus.PRESENT,
        ).order_by("pk")
        found = {
            source: list(archived.at(source).values_list("pk", flat=True)[:DELETED])
            for source in (self.setting.source, *self.setting.sources.values())
        }
        # The first of those with as many.
        source = max(found, key=lambda source: len(found[source]))
        keys = require(found[source], DELETED_AT_LEAST, PhysicalCopy)
        (open_key, rejected_key, approved_key), executed_keys = keys[:3], keys[3:]
        self.request(source, [open_key])
        reject_deletion(self.request(source, [rejected_key]), user=self.setting.approver)
        approve_deletion(self.request(source, [approved_key]), user=self.setting.approver)
        move_state(PhysicalCopy(pk=approved_key), PhysicalCopyStatus.DELETION_POSSIBLE)
        execute_deletion_request(
            approve_deletion(self.request(source, executed_keys), user=self.setting.approver),
            user=self.setting.approver,
        )
        _, failed, *done = claim_deletions(source, limit=len(executed_keys) - 1).copies
        fail_deletion(failed, message="input/output error")
        complete_deletions(done)

    def request(self, source: DataLocation, keys: list[int]) -> DeletionRequest:
        """Request the deletion of copies at a source, and return the request."""
        copies = PhysicalCopy.objects.filter(pk__in=keys)
        return request_deletion(
            source,
            copies,
            user=self.setting.requester,
            reason="the disk is filling up",
            overrides_retention=True,
            dry_run=False,
        ).request

    def write_papers(self) -> None:
        """Create publications in preparation."""
        for status in (PublicationStatus.IN_PREPARATION, PublicationStatus.SUBMITTED, PublicationStatus.ACCEPTED):
            paper = create_publication(title=f"A demonstration, {status.label}", year=timezone.now().year)
            Publication.objects.filter(pk=paper.pk).update(status=status)
