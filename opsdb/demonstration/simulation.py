"""A demonstration: realistic operations of the observatory, by the workflows alone, so that every rule is in force.

It needs the reference data and a schedule, and observes units when they are up, in nights at the telescope that end
with last night. Every stage does its work, and after two outages work is tried again; what is past its retention is
deleted; the data of last night are in every state; and tonight and tomorrow are planned. The same seed gives the same
operations, relative to the day on which it runs, but for keys and for what is up at that time of the year.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

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
    schedule_deletion,
)

from .dating import date_deletions, date_nights
from .facts import BATCH, DELETED_AT_MOST, NIGHT
from .furnishing import allocate_time, set_capacities
from .in_progress import InProgress
from .moving import DataMover
from .nights import Night, prepare_ahead
from .observing import NightObserver
from .reducing import DataReducer
from .scheduling import NightPlanner
from .setting import DemoSetting

ONE_DAY = timedelta(days=1)


@dataclass
class Demonstration:
    """One run of a demonstration.

    Attributes:
        seed: of the random numbers.
        files: raw files of one module in one observation at the most; by default one a minute.
        observations: executions of a night at the most; by default as many as fit.
        report: called with lines on progress.
    """

    seed: int
    files: int | None = None
    observations: int | None = None
    report: Callable[[str], None] = lambda line: None

    def __post_init__(self) -> None:
        self.done: Counter[str] = Counter()

    def run(self, nights: int, weeks: int = 0) -> Counter[str]:
        """Simulate some nights, and return counts of what happened.

        In the first run these are the nights before the last one, whose work is in progress; in a later run they end
        with the night before those of earlier runs.

        Args:
            nights: how many.
            weeks: how many weeks of nights with few observations and files are before these.

        Raises:
            CannotDemonstrate: the database has real observations, or lacks a schedule or reference data.
        """
        setting = self.setting = DemoSetting.find()
        planner = NightPlanner(setting)
        observing = NightObserver(setting, planner, self.seed, self.files, self.observations)
        moving, reducing = DataMover(setting, self.done), DataReducer(setting, self.seed, self.done)
        last = self.last_night(planner)
        earliest = ExecutedObsUnit.objects.aggregate(earliest=Min("start_time"))["earliest"]
        before = last if earliest is None else (earliest - ONE_DAY / 2).date()
        skipped, total = (last - before).days, nights + 7 * weeks
        planned = [
            Night(self.seed, last - ago * ONE_DAY, ago, is_brief=ago - skipped > nights)
            for ago in range(skipped + total, skipped, -1)
        ]
        allocate_time(planned[0].date, last + 2 * ONE_DAY)
        for number, night in enumerate(prepare_ahead(observing.end, prepare_ahead(observing.start, planned)), 1):
            self.done["observations"] += len(night.executed)
            self.done["raw files"] += night.raw_files
            self.report(f"night {number} of {total}: {self.done['raw files']} raw files so far")
            moving.move(night)
        reducing.reduce()
        reducing.publish()
        is_dated = date_nights(setting, planned)
        self.delete(is_dated)
        if is_dated:
            date_deletions()
        if earliest is None:
            for ahead in (1, 2):
                observing.plan(Night(self.seed, last + ahead * ONE_DAY, -ahead))
            InProgress(Night(self.seed, last, 0), setting, observing, moving, reducing).run()
            set_capacities()
        return self.done

    def last_night(self, planner: NightPlanner) -> date:
        """Return the evening of the last night that has ended."""
        now = timezone.now()
        return next(
            evening
            for ago in range(3)
            if planner.begin_of(Night(self.seed, evening := now.date() - ago * ONE_DAY, 0)) + NIGHT <= now
        )

    def delete(self, is_dated: bool) -> None:
        """Delete from instruments' disks and buffers what is safe in the archives.

        Args:
            is_dated: whether copies have the ages that they seem to have, so that their retention decides; else two
                users agree to the deletion of all of them.
        """
        finished = ExecutedReductionStep.objects.filter(staging_job__active=True, staging_job__status="completed")
        for run in finished.select_related("staging_job"):
            release_staging(run.staging_job)
        locations = DataLocation.objects.active().exclude(location_type=LocationType.LONG_TERM_ARCHIVE).order_by("pk")
        for location in locations:
            self.done["copies deleted"] += self.delete_at(location, is_dated)

    def delete_at(self, location: DataLocation, is_dated: bool) -> int:
        """Delete up to ``DELETED_AT_MOST`` copies at a location, and return how many."""
        candidates = PhysicalCopy.objects.at(location).filter(
            status__in=[PhysicalCopyStatus.PRESENT, PhysicalCopyStatus.STAGED], data_product=None
        )
        if is_dated and location.retention_days is not None:
            candidates = candidates.filter(arrived_at__lt=timezone.now() - location.retention_days * ONE_DAY)
        after = deleted = 0
        while deleted < DELETED_AT_MOST and (
            keys := list(candidates.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH])
        ):
            after = keys[-1]
            copies = PhysicalCopy.objects.filter(pk__in=keys)
            if is_dated:
                schedule_deletion(copies)
            elif not self.request(location, copies):
                continue
            while started := claim_deletions(location, limit=BATCH).copies:
                deleted += len(complete_deletions(started))
        return deleted

    def request(self, location: DataLocation, copies) -> bool:
        """Let two users agree to the deletion of copies, and return whether any may be deleted."""
        try:
            requested = request_deletion(
                location,
                copies,
                user=self.setting.requester,
                reason="the data are safe in the archives",
                overrides_retention=True,
                dry_run=False,
            )
        except Refused:
            return False
        approved = approve_deletion(requested.request, user=self.setting.approver)
        execute_deletion_request(approved, user=self.setting.approver)
        return True
