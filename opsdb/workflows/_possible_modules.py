"""Units without module configurations: which instruments they may use, and the warning that none is chosen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from django.db.models import prefetch_related_objects

from opsdb.models import Downtime, InstrumentModuleConfiguration, ObsUnit, PreScheduledSlot

from ._planning_warning import PlanningProblem, PlanningWarning, warning_about


def kinds_of_instruments(instruments: Collection[int]) -> dict[int, set[str]]:
    """Return the kinds of recipes that instruments take, as their modules are configured. One query at most.

    Args:
        instruments: their keys; one without any configuration is left out.
    """
    kinds: dict[int, set[str]] = {}
    if instruments:
        rows = InstrumentModuleConfiguration.objects.filter(instrument_module__instrument__in=instruments).order_by()
        for instrument, kind in rows.values_list("instrument_module__instrument_id", "type").distinct():
            kinds.setdefault(instrument, set()).add(kind)
    return kinds


class PossibleModules:
    """Which of some downtimes may affect slots whose units have no module configuration.

    Such a unit may use any module of the instruments of its program that are at the telescope of the slot and that
    take its recipe. Three queries at most.
    """

    def __init__(self, downtimes: Iterable[Downtime], slots: Iterable[PreScheduledSlot], chosen: Collection[int]):
        """Read what is known of the units.

        Args:
            downtimes: with the instruments or modules that are down.
            slots: with their units.
            chosen: keys of the units that have module configurations.
        """
        down = {one.pk for one in map(_instrument_of, downtimes) if one is not None}
        units = [slot.obs_unit for slot in slots if slot.obs_unit_id not in chosen] if down else []
        prefetch_related_objects(units, "configuration", "observing_program__instruments")
        self._kinds = kinds_of_instruments(down) if units else {}

    def may_stop(self, downtime: Downtime, slot: PreScheduledSlot) -> bool:
        """Return whether a downtime may stop the unit of a slot, which has no module configuration."""
        instrument, unit = _instrument_of(downtime), slot.obs_unit
        if instrument is None or instrument.telescope_id != slot.telescope_id:
            return False
        listed = {one.pk for one in unit.observing_program.instruments.all()}
        kinds = self._kinds.get(instrument.pk)
        return (not listed or instrument.pk in listed) and (kinds is None or unit.configuration.type in kinds)


def _instrument_of(downtime):
    module = downtime.instrument_module
    return downtime.instrument or (module and module.instrument)


def about_modules(unit: ObsUnit, setup: Collection[InstrumentModuleConfiguration]) -> Iterator[PlanningWarning]:
    """Warn of a unit without a set-up of the modules."""
    if not setup:
        yield warning_about(
            unit,
            f"unit {unit.name}",
            PlanningProblem.MODULES,
            "module_configurations",
            "it has no module configuration, so that any module of its instruments may observe it and a downtime of "
            "one of them only may affect it",
            "choose the configurations of the modules that are to observe it",
            (),
            "it has no module configuration",
        )
