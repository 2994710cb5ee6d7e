"""Observing: nights as they are planned, and the files that the modules write."""

from __future__ import annotations

from collections.abc import Iterator

from opsdb.models import (
    ConfigurationType,
    ExecutedObsUnit,
    InstrumentModuleConfiguration,
    ObservationStatus,
    PreScheduledSlot,
    Quality,
)
from opsdb.workflows import (
    RawFileReport,
    assess_observation,
    finish_observation,
    package_raw_data_files,
    register_raw_data_files,
    start_observation,
)

from .facts import (
    ABORTED_RATE,
    BATCH,
    CAMERA_BYTES_PER_PIXEL_SECOND,
    FILE_TIME,
    SPECTROMETER_BYTES_PER_PIXEL_SECOND,
    USUAL_PIXELS,
    digest,
)
from .nights import Night
from .scheduling import NightBlock, NightPlanner
from .setting import DemoSetting


class NightObserver:
    """Observes nights.

    Args:
        setting: units, modules and locations of the files.
        planner: plans the nights.
        seed: of the random numbers.
        files: raw files of one module in one observation at the most; by default one a minute.
        observations: executions of a night at the most.
    """

    def __init__(
        self,
        setting: DemoSetting,
        planner: NightPlanner,
        seed: int,
        files: int | None = None,
        observations: int | None = None,
    ):
        self.setting, self.planner, self.seed = setting, planner, seed
        self.files, self.observations = files, observations

    def start(self, night: Night) -> Night:
        """Plan a night, start its executions, and register the files that the modules write.

        The night has its own random numbers, because its data may be written while those of the night before move.
        """
        for block in self.plan(night):
            night.raw_files += self.observe(night, block)
        return night

    def plan(self, night: Night, limit: int | None = None, at_least: int = 0) -> list[NightBlock]:
        """Plan a night, and add the slots to the schedule, unless the telescope has others then."""
        blocks = self.planner.plan(night, limit or self.observations, at_least)
        slots = [block.as_slot(self.setting.telescope) for block in blocks]
        taken = PreScheduledSlot.objects.filter(telescope=self.setting.telescope)
        if slots and not taken.overlapping(slots[0].start_time, slots[-1].end_time).exists():
            PreScheduledSlot.objects.bulk_create(slots)
        return blocks

    def observe(self, night: Night, block: NightBlock) -> int:
        """Start the execution of a block, register its files, and return how many there are."""
        execution = start_observation(
            block.unit,
            start_time=block.start,
            module_configurations=block.configurations,
            mean_elevation_deg=block.elevation_deg,
            mean_azimuth_deg=block.azimuth_deg,
            observer=self.setting.observer,
            **night.conditions(),
        )
        night.executed.append((execution, block.end))
        return register_raw_data_files(self.reports(execution, block, night)).created

    def end(self, night: Night) -> Night:
        """End a night's executions, assess most of them, the worse the weather the worse, and plan their packages."""
        for execution, end_time in night.executed:
            aborted = night.random.random() < ABORTED_RATE
            finish_observation(
                execution.pk,
                end_time=end_time,
                status=ObservationStatus.ABORTED if aborted else ObservationStatus.COMPLETED,
            )
            self.assess(night, execution)
        self.plan_packages()
        return night

    def assess(self, night: Night, execution: ExecutedObsUnit) -> None:
        """Judge how good the data of an execution are."""
        grade = night.random.random() * (1.5 if night.pwv_mm > 1 else 1)
        if grade > 0.1:
            quality = Quality.GOOD if grade < 0.85 else Quality.QUESTIONABLE if grade < 0.97 else Quality.BAD
            assess_observation(execution, quality)

    def plan_packages(self) -> None:
        """Plan the packages of all files."""
        for source in self.setting.sources.values():
            while package_raw_data_files(source, limit=BATCH):
                pass

    def reports(self, execution: ExecutedObsUnit, block: NightBlock, night: Night) -> Iterator[RawFileReport]:
        """Yield reports of the files that every module wrote: as large as its pixels and the time make them.

        In a brief night, the first module alone writes, and one file of each observation.
        """
        duration = block.end - block.start
        count = 1 if night.is_brief else max(1, round(duration / FILE_TIME))
        count = min(count, self.files or count)
        for configuration in block.configurations[: 1 if night.is_brief else None]:
            module = configuration.instrument_module
            size = bytes_per_second(configuration) * duration.total_seconds() / count
            source = self.setting.sources[module.instrument_id]
            suffix = "fits" if configuration.type == ConfigurationType.CHAI else "g3"
            for number in range(count):
                path = f"{block.start:%Y-%m-%d}/{block.start:%H%M%S}/{module.name}_{number:05}.{suffix}"
                yield RawFileReport(
                    executed_obs_unit=execution.pk,
                    instrument_module=module.pk,
                    source_location=source.pk,
                    relative_path=path,
                    size_bytes=int(size * night.random.uniform(0.96, 1.04)),
                    checksum=digest(self.seed, path),
                    file_type=suffix,
                    observed_at=block.start + number * duration / count,
                )


def bytes_per_second(configuration: InstrumentModuleConfiguration) -> float:
    """Return how much a module writes."""
    module = configuration.instrument_module
    is_spectrometer = configuration.type == ConfigurationType.CHAI
    rate = SPECTROMETER_BYTES_PER_PIXEL_SECOND if is_spectrometer else CAMERA_BYTES_PER_PIXEL_SECOND
    return rate * (module.pixels or USUAL_PIXELS[configuration.type])
