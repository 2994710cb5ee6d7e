"""Observing: nights on the schedule of the database's first day, and the files that they write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date as Date
from datetime import timedelta
from random import Random

from django.db.models import Min

from opsdb.models import ExecutedObsUnit, ObservationStatus, PreScheduledSlot, Quality
from opsdb.workflows import (
    RawFileReport,
    assess_observation,
    finish_observation,
    package_raw_data_files,
    register_raw_data_files,
    start_observation,
)

from .facts import BATCH, FAILURE_RATE, FILE_BYTES, FILE_TIME, ORIGIN, digest
from .nights import Night
from .setting import DemoSetting


class NightObserver:
    """Observes nights.

    Args:
        setting: schedule, modules and location of the files.
        seed: of the random numbers.
        files: raw files of one module in one observation; by default one a minute.
    """

    def __init__(self, setting: DemoSetting, seed: int, files: int | None):
        self.setting, self.seed, self.files = setting, seed, files

    def start(self, date: Date) -> Night:
        """Start the executions of a night, and register the files that the modules write.

        The night has its own random numbers, because its data may be written while those of the night before move.
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

    def end(self, night: Night) -> Night:
        """End a night's executions, assess most of them, the worse the weather the worse, and plan their packages."""
        for execution, end_time in night.executed:
            aborted = night.random.random() < FAILURE_RATE
            finish_observation(
                execution.pk,
                end_time=end_time,
                status=ObservationStatus.ABORTED if aborted else ObservationStatus.COMPLETED,
            )
            grade = night.random.random() * (1.5 if night.pwv_mm > 1 else 1)
            if grade > 0.1:
                quality = Quality.GOOD if grade < 0.85 else Quality.QUESTIONABLE if grade < 0.97 else Quality.BAD
                assess_observation(execution, quality)
        while package_raw_data_files(self.setting.source, limit=BATCH):
            pass
        return night

    def slots_on(self, date: Date) -> list[PreScheduledSlot]:
        """Return the slots of the schedule's first day, moved to a date, and add them to the schedule there."""
        first = self.setting.schedule.aggregate(first=Min("start_time"))["first"]
        shift = timedelta(days=(date - first.date()).days)
        slots = list(
            self.setting.schedule.overlapping(first, first + timedelta(days=1))
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

    def reports(self, execution: ExecutedObsUnit, files: int, random: Random) -> Iterator[RawFileReport]:
        """Yield reports of the files that every module wrote, with random sizes."""
        for module in self.setting.modules:
            for number in range(files):
                path = f"{execution.start_time:%Y-%m-%d}/{execution.start_time:%H%M%S}/{module.pk}_{number:05}.g3"
                yield RawFileReport(
                    executed_obs_unit=execution.pk,
                    instrument_module=module.pk,
                    source_location=self.setting.source.pk,
                    relative_path=path,
                    size_bytes=FILE_BYTES + random.randrange(FILE_BYTES),
                    checksum=digest(self.seed, path),
                    file_type="g3",
                    observed_at=execution.start_time + number * FILE_TIME,
                )
