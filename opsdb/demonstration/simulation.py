"""A demonstration: realistic operations of the observatory from the schedule to publication, by the workflows alone.

It needs the reference data and a schedule, and repeats the schedule's first day on as many nights as requested. Every
stage does its work, with some failures that are tried again; some of the data that may go are deleted; and in the end
work is in progress in every state. All is written by workflows, so that every rule is in force. The same seed gives the
same operations, but for keys and the times of the work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from django.db.models import Min
from django.utils import timezone

from opsdb.models import (
    DataLocation,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LocationType,
    PhysicalCopy,
    PhysicalCopyStatus,
)
from opsdb.workflows import (
    Refused,
    approve_deletion,
    claim_deletions,
    complete_deletions,
    execute_deletion_request,
    release_staging,
    request_deletion,
)

from .facts import BATCH, DELETED_AT_MOST
from .in_progress import InProgress
from .moving import DataMover
from .nights import prepare_ahead
from .observing import NightObserver
from .reducing import DataReducer
from .setting import DemoSetting


@dataclass
class Demonstration:
    """One run of a demonstration.

    Attributes:
        seed: of the random numbers.
        files: raw files of one module in one observation; by default one a minute.
        report: called with lines on progress.
    """

    seed: int
    files: int | None = None
    report: Callable[[str], None] = lambda line: None

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 - a simulation, no secret
        self.done: Counter[str] = Counter()

    def run(self, nights: int) -> Counter[str]:
        """Simulate some nights, and return counts of what happened.

        The last night ends a day before the first one of earlier runs, or yesterday; the first run ends with work in
        progress.

        Args:
            nights: how many.

        Raises:
            CannotDemonstrate: the database has real observations, or lacks a schedule or reference data.
        """
        setting = self.setting = DemoSetting.find()
        observing = NightObserver(setting, self.seed, self.files)
        moving = DataMover(setting, self.happens, self.done)
        reducing = DataReducer(setting, self.seed, self.done)
        earliest = ExecutedObsUnit.objects.aggregate(earliest=Min("start_time"))["earliest"]
        last = (earliest or timezone.now()).date() - timedelta(days=2)
        dates = [last - timedelta(days=nights - 1 - number) for number in range(nights)]
        for number, night in enumerate(prepare_ahead(observing.end, prepare_ahead(observing.start, dates)), 1):
            self.done["observations"] += len(night.executed)
            self.done["raw files"] += night.raw_files
            self.report(f"night {number} of {nights}: {self.done['raw files']} raw files so far")
            moving.move(night)
        reducing.reduce()
        reducing.publish()
        self.delete()
        if earliest is None:
            InProgress(self.seed, setting, observing, moving, reducing).run()
        return self.done

    def happens(self, probability: float) -> bool:
        """Return whether an event of this probability happens now."""
        return self.random.random() < probability

    def delete(self) -> None:
        """Delete from instruments' disks and buffers what is safe in the archives, as two users agree."""
        finished = ExecutedReductionStep.objects.filter(staging_job__active=True, staging_job__status="completed")
        for run in finished.select_related("staging_job"):
            release_staging(run.staging_job)
        locations = DataLocation.objects.active().exclude(location_type=LocationType.LONG_TERM_ARCHIVE).order_by("pk")
        for location in locations:
            self.done["copies deleted"] += self.delete_at(location)

    def delete_at(self, location: DataLocation) -> int:
        """Delete up to ``DELETED_AT_MOST`` copies at a location, and return how many."""
        candidates = PhysicalCopy.objects.at(location).filter(
            status__in=[PhysicalCopyStatus.PRESENT, PhysicalCopyStatus.STAGED], data_product=None
        )
        after = deleted = 0
        while deleted < DELETED_AT_MOST and (
            keys := list(candidates.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH])
        ):
            after = keys[-1]
            try:
                requested = request_deletion(
                    location,
                    PhysicalCopy.objects.filter(pk__in=keys),
                    user=self.setting.requester,
                    reason="the data are safe in the archives",
                    overrides_retention=True,
                    dry_run=False,
                )
            except Refused:
                continue
            execute_deletion_request(
                approve_deletion(requested.request, user=self.setting.approver), user=self.setting.approver
            )
            while started := claim_deletions(location, limit=BATCH).copies:
                deleted += len(complete_deletions(started))
        return deleted
