"""What a demonstration uses of the database, once it is clear that it may be one to demonstrate on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import Q

from opsdb import conf
from opsdb.models import (
    DataLocation,
    Downtime,
    ExecutedObsUnit,
    InstrumentModule,
    InstrumentModuleConfiguration,
    ObsUnit,
    PreScheduledSlot,
    ProgramKind,
    Role,
    Telescope,
    TimeAllocation,
)
from opsdb.workflows import OpsdbError

from .facts import CALIBRATIONS, INSTRUMENT, MARK, MODULES_PER_OBSERVATION, ORIGIN


class CannotDemonstrate(OpsdbError):
    """The database is not suitable for a demonstration."""


@dataclass(frozen=True)
class DemoSetting:
    """Rows that a demonstration uses.

    Attributes:
        telescope: that observes.
        science: units that science programs observe, each of a source whose place on the sky is known.
        calibrations: units of technical programs by their mode.
        sources: location of the files of each instrument, by the instrument's key.
        source: that of the instrument with most of the data.
        usual: how the modules are set up for a unit that names no configurations.
        archives: active archives.
        processing: where data are reduced.
        requester, approver: users who request and approve deletions.
        observer: the user who observes.
    """

    telescope: Telescope
    science: list[ObsUnit]
    calibrations: dict[str, ObsUnit]
    sources: dict[int, DataLocation]
    source: DataLocation
    usual: tuple[InstrumentModuleConfiguration, ...]
    archives: list[DataLocation]
    processing: DataLocation
    requester: Any
    approver: Any
    observer: Any

    @classmethod
    def find(cls) -> DemoSetting:
        """Return the setting; its users, one of each role among them, are created if they are missing.

        Raises:
            CannotDemonstrate: the database has real observations, or lacks a schedule or reference data.
        """
        if ExecutedObsUnit.objects.exclude(conditions__contains=MARK).exists():
            raise CannotDemonstrate("this database holds observations that are not of a demonstration; use another one")
        slot = (
            PreScheduledSlot.objects.exclude(origin=ORIGIN).select_related("telescope").order_by("start_time").first()
        )
        if slot is None:
            raise CannotDemonstrate(
                "there is no schedule; run `manage.py opsdb_init` and `manage.py opsdb_load slots FILE` first"
            )
        usual = tuple(_usual_configurations())
        archives = list(DataLocation.objects.archives().active().order_by("pk"))
        processing = DataLocation.objects.processing().active().order_by("pk").first()
        if not usual or not archives or not processing:
            raise CannotDemonstrate(
                "the reference data lack modules, archives or a processing location; run `manage.py opsdb_init`"
            )
        if len(archives) < (needed := conf.get("OPSDB_MIN_ARCHIVE_COPIES")):
            raise CannotDemonstrate(
                f"OPSDB_MIN_ARCHIVE_COPIES is {needed}, but there are {len(archives)} active archives, so that nothing "
                "could ever be deleted; lower the setting, or add archives"
            )
        for role in Role.objects.all():
            _user(f"demo-{role.name}").groups.add(role.group_ptr)
        approver = _user("demo-manager")
        approver.user_permissions.add(
            *Permission.objects.filter(codename__in=["approve_deletionrequest", "execute_deletionrequest"])
        )
        sources = {source.instrument_id: source for source in DataLocation.objects.sources().active()}
        return cls(
            telescope=slot.telescope,
            science=_science_units(sources),
            calibrations=_calibration_units(),
            sources=sources,
            source=sources[usual[0].instrument_module.instrument_id],
            usual=usual,
            archives=archives,
            processing=processing,
            requester=_user("demo-operator"),
            approver=approver,
            observer=_user("demo-observer"),
        )

    @cached_property
    def down(self) -> set[int]:
        """Keys of the modules that are down until further notice."""
        lasting = Downtime.objects.filter(end_time=None, instrument_module__isnull=False)
        return set(lasting.values_list("instrument_module", flat=True))

    @cached_property
    def allocated(self) -> dict[int, float]:
        """The hours that each program was allocated last, by its key."""
        return dict(TimeAllocation.objects.order_by("end_date").values_list("observing_program", "hours"))

    def configurations_of(self, unit: ObsUnit) -> tuple[InstrumentModuleConfiguration, ...]:
        """Return the set-ups of the modules for a unit: its own if it has any, of the modules that are not down."""
        own = [one for one in unit.module_configurations.all() if one.instrument_module_id not in self.down]
        return tuple(own[:MODULES_PER_OBSERVATION]) or self.usual


def _usual_configurations() -> Iterable[InstrumentModuleConfiguration]:
    """Yield the first configuration of each of the modules that observe what names none."""
    modules = InstrumentModule.objects.available().filter(instrument__name=INSTRUMENT).order_by("name")
    for module in modules[:MODULES_PER_OBSERVATION]:
        first = module.configurations.active().select_related("instrument_module__instrument").order_by("pk").first()
        if first:
            yield first


def _science_units(sources: dict[int, DataLocation]) -> list[ObsUnit]:
    units = (
        ObsUnit.objects.filter(
            Q(source__fixedsource__isnull=False) | Q(source__constantelevationsource__isnull=False),
            available=True,
            observing_program__kind=ProgramKind.SCIENCE,
        )
        .select_related("observing_program", "source__fixedsource", "source__constantelevationsource")
        .prefetch_related(
            "module_configurations__instrument_module__instrument",
            "source__constantelevationsource__azimuth_ranges",
        )
        .order_by("observing_program__short_name", "name")
    )
    return [
        unit
        for unit in units
        if all(one.instrument_module.instrument_id in sources for one in unit.module_configurations.all())
    ]


def _calibration_units() -> dict[str, ObsUnit]:
    units = ObsUnit.objects.filter(
        obs_mode__name__in=CALIBRATIONS, source=None, observing_program__kind=ProgramKind.TECHNICAL
    ).select_related("observing_program", "obs_mode")
    found = {unit.obs_mode.name: unit for unit in units.order_by("-pk")}
    return {mode: found[mode] for mode in ("pointing_cal", "focus", "skydip", "retune") if mode in found}


def _user(name):
    """Return a user who can't log in."""
    users = get_user_model()._default_manager
    try:
        return users.get_by_natural_key(name)
    except get_user_model().DoesNotExist:
        return users.create_user(name)
