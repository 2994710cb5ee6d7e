"""What in a plan is allowed and probably a mistake: sources that never rise, recipes that do not fit, and the like.

Nothing here refuses anything. Forms, loads and the page of a night ask the same function.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db.models import Q, prefetch_related_objects
from django.utils import timezone

from opsdb.formatting import format_minute
from opsdb.models import (
    ConfigurationType,
    ConstantElevationSource,
    Downtime,
    Instrument,
    InstrumentModule,
    InstrumentModuleConfiguration,
    ObservationConfiguration,
    ObservingProgram,
    ObsMode,
    ObsUnit,
    PreScheduledSlot,
    PrimeCamObservationConfiguration,
    Source,
    Telescope,
    TimeAllocation,
)

from ._affected_slots import MOST_SLOTS, TARGETS, overlap, setups_of, slots_affected, slots_in, stops
from ._allocation_warnings import about_allocations, about_programs
from ._elevations import Heights, elevations_in
from ._planning_warning import PlanningProblem, PlanningWarning, Subject, warning_about
from ._possible_modules import PossibleModules, about_modules, kinds_of_instruments

NAMED_SLOTS = 3
SOURCE_KINDS = ("fixedsource", "solarsystemobject", "constantelevationsource")
MAYBE = ", and its unit, which has no module configuration, may be affected"
UNSURE = "units without module configurations may be affected, in"


def find_planning_warnings(
    rows: Iterable[Source | ObsUnit | PreScheduledSlot | Downtime | TimeAllocation | ObservingProgram],
    *,
    module_configurations: Collection[InstrumentModuleConfiguration] | None = None,
    now: datetime | None = None,
) -> list[PlanningWarning]:
    """Return what is probably a mistake in rows of a plan, which need not be saved yet.

    A source that never rises above the lowest elevation of any telescope; a unit whose source does not at its
    telescopes, whose recipe fits neither its mode nor its instruments, or that is about to have no module
    configuration and is new or had one; a slot in a downtime, or at an elevation outside of the limits of telescope and
    unit; a downtime with slots in it; of units without module configurations all slots that may need what is down;
    allocated time that its days do not have, that is used already or that its program cannot use; a program that no
    longer observes and has slots to come.
    Nothing is said of bodies that the built-in ephemeris does not have. The number of queries does not depend on the
    number of rows, but for up to six per hundred downtimes. Locks nothing and downloads nothing.

    Args:
        rows: sources of any subtype, units, slots, downtimes, allocations or programs.
        module_configurations: those that the units are about to have; by default those that are saved.
        now: the moment from which the paths of the planets are looked at; now when left out.
    """
    found = list(rows)
    moment = now or timezone.now()
    units = [row for row in found if isinstance(row, ObsUnit)]
    slots = [row for row in found if isinstance(row, PreScheduledSlot)]
    # Rows of the parent's own class.
    prefetch_related_objects([row for row in found if type(row) is Source], *SOURCE_KINDS)
    prefetch_related_objects(slots, "obs_unit", "telescope")
    _read_units(units, whole=True)
    _read_units([slot.obs_unit for slot in slots], whole=False)
    setups = (
        {id(unit): list(module_configurations or ()) for unit in units} if module_configurations is not None else {}
    )
    saved = setups_of({unit.pk for unit in units if unit.pk} | {slot.obs_unit_id for slot in slots})
    on_the_sky = any(isinstance(row, Source | ObsUnit) for row in found)
    telescopes = list(Telescope.objects.order_by("name")) if on_the_sky else []
    heights = Heights(telescopes, moment)
    kinds = kinds_of_instruments({one.pk for unit in units for one in unit.observing_program.instruments.all()})
    warnings: list[PlanningWarning] = []
    for row in found:
        if isinstance(row, Source):
            warnings += _about_source(row, heights)
        elif isinstance(row, ObsUnit):
            setup = setups.get(id(row), saved.get(row.pk, []))
            warnings += [*_about_recipe(row, setup, kinds), *_about_visibility(row, setup, heights)]
            # Of many saved units it would hide what else is wrong, and a form may change something else of one.
            if module_configurations is not None and (row.pk is None or row.pk in saved):
                warnings += about_modules(row, setup)
    warnings += _about_slots(slots, saved)
    warnings += _about_downtimes([row for row in found if isinstance(row, Downtime)])
    warnings += about_allocations([row for row in found if isinstance(row, TimeAllocation)], moment)
    warnings += about_programs([row for row in found if isinstance(row, ObservingProgram)], moment)
    return warnings


def _read_units(units: list[ObsUnit], *, whole: bool) -> None:
    """Read what the warnings about units need, each table once."""
    prefetch_related_objects([unit for unit in units if unit.source_id], *(f"source__{kind}" for kind in SOURCE_KINDS))
    if whole:
        prefetch_related_objects(
            units, "obs_mode", "configuration__primecamobservationconfiguration", "observing_program__instruments"
        )


# Sources


def _about_source(row, heights):
    known = heights.of(row)
    if not known or any(height >= (telescope.elevation_min_deg or 0) for telescope, height in known.items()):
        return
    yield warning_about(
        row,
        f"source {row.name}",
        PlanningProblem.NEVER_RISES,
        "dec_max_deg" if isinstance(row.specific, ConstantElevationSource) else "dec_deg",
        f"never rises above {_limits_of({one: one.elevation_min_deg or 0 for one in known}, known)}",
        "check its coordinates",
        (Telescope,),
        "never rises above the lowest elevation of any telescope",
    )


def _limits_of(limits, heights):
    return " or ".join(_limit_of(telescope, limits[telescope], heights[telescope]) for telescope in heights)


def _limit_of(telescope, limit, height):
    above = f"{limit:g}° at {telescope}" if limit else f"the horizon of {telescope}"
    return f"{above}, where it culminates at {_degrees(height)}"


def _degrees(angle):
    return f"{angle:.1f}°".replace("-", "−")


# Units


def _about_recipe(unit, setup, kinds_of_instruments):
    recipe, mode = unit.configuration, unit.obs_mode
    subject = f"unit {unit.name}"
    kind = ConfigurationType(recipe.type)
    listed = {one.pk for one in unit.observing_program.instruments.all()}

    def unfit(field, problem, *texts):
        return warning_about(unit, subject, PlanningProblem.RECIPE, field, problem, *texts)

    others = [one for one in setup if one.type != kind]
    if others:
        names = ", ".join(f"{one.instrument_module.instrument} / {one.instrument_module}" for one in others)
        yield unfit(
            "configuration",
            f"the recipe {recipe} is for {_label(kind)}, and not for the modules {names}",
            "choose a recipe of their instrument",
            (ObservationConfiguration, InstrumentModule, Instrument),
            "its recipe is not for all of its modules",
        )
    elif not setup and (kinds := _kinds_of(listed, kinds_of_instruments)) and kind not in kinds:
        labels = " and ".join(sorted(map(_label, kinds)))
        yield unfit(
            "configuration",
            f"the recipe {recipe} is for {_label(kind)}, "
            f"and the program {unit.observing_program} observes with {labels}",
            "choose a recipe of one of these instruments",
            (ObservationConfiguration, ObservingProgram),
            "its recipe is for none of the instruments of its program",
        )
    if mode.configuration_type and mode.configuration_type != kind:
        label = _label(mode.configuration_type)
        yield unfit(
            "obs_mode",
            f"the mode {mode} is of {label}, and the recipe {recipe} is for {_label(kind)}",
            "choose a mode and a recipe of one instrument",
            (ObsMode, ObservationConfiguration),
            "its mode and its recipe are of different instruments",
        )
    elif mode.configuration_type == ConfigurationType.PRIME_CAM:
        scan = recipe.specific
        if isinstance(scan, PrimeCamObservationConfiguration) and scan.scan_type != mode.name:
            yield unfit(
                "obs_mode",
                f"the recipe {recipe} scans as {scan.scan_type}, and the mode is {mode}",
                f"choose the mode {scan.scan_type}, or another recipe",
                (ObsMode, ObservationConfiguration),
                "its recipe scans otherwise than its mode",
                "choose another mode, or another recipe",
            )
    foreign = {one.instrument_module.instrument for one in setup if one.instrument_module.instrument_id not in listed}
    if listed and foreign:
        names = ", ".join(sorted(map(str, foreign)))
        yield unfit(
            "module_configurations",
            f"the program {unit.observing_program} does not observe with {names}",
            "choose modules of its instruments, or add the instrument to the program",
            (ObservingProgram, Instrument),
            "its program does not observe with all of its modules",
        )


def _label(kind):
    return str(ConfigurationType(kind).label)


def _kinds_of(instruments, kinds_of_instruments):
    return {kind for instrument in instruments for kind in kinds_of_instruments.get(instrument, ())}


def _about_visibility(unit, setup, heights):
    if unit.source is None:
        return
    own = {one.instrument_module.instrument.telescope_id for one in setup}
    known = {one: height for one, height in heights.of(unit.source).items() if not own or one.pk in own}
    limits = {one: max(one.elevation_min_deg or 0, unit.elevation_min_deg or 0) for one in known}
    if known and all(height < limits[telescope] for telescope, height in known.items()):
        yield warning_about(
            unit,
            f"unit {unit.name}",
            PlanningProblem.NEVER_RISES,
            "source",
            f"its source {unit.source} never rises above {_limits_of(limits, known)}",
            "choose another source, or check its coordinates and the lowest elevation",
            (Source, Telescope),
            "its source never rises above the lowest elevation",
        )


# Slots and downtimes


def _about_slots(slots: Sequence[PreScheduledSlot], setups) -> list[PlanningWarning]:
    if not slots:
        return []
    first, last = min(slot.start_time for slot in slots), max(slot.end_time for slot in slots)
    downtimes = list(
        Downtime.objects.filter(Q(end_time__isnull=True) | Q(end_time__gt=first), start_time__lt=last)
        .select_related(*TARGETS, "instrument_module__instrument")
        .order_by("start_time")[:MOST_SLOTS]
    )
    possible = PossibleModules(downtimes, slots, setups.keys())
    found = []
    for slot in slots:
        setup = setups.get(slot.obs_unit_id, [])
        for downtime in downtimes:
            if not overlap(slot, downtime):
                continue
            if stops(downtime, slot, setup):
                found.append(_about_slot_in(downtime, slot))
            elif not setup and possible.may_stop(downtime, slot):
                found.append(_about_slot_in(downtime, slot, MAYBE))
        found += _about_elevation(slot)
    return found


def _about_slot_in(downtime, slot, maybe=""):
    return warning_about(
        slot,
        _name_of(slot),
        PlanningProblem.DOWNTIME,
        "start_time",
        f"{_target(downtime)} is down {_span(downtime)} ({downtime.reason}){maybe}",
        f"move the slot, or end the downtime earlier{', or choose modules that are not down' if maybe else ''}",
        (Downtime, type(_target(downtime))),
        f"it is in a downtime that you may not view{maybe}",
    )


def _name_of(slot):
    outline = f"slot {format_minute(slot.start_time)} UTC"
    return Subject(f"{outline} of {slot.obs_unit}", (ObsUnit,), outline)


def _span(downtime):
    end = f"to {format_minute(downtime.end_time)} UTC" if downtime.end_time else "UTC on, until further notice"
    return f"from {format_minute(downtime.start_time)} {end}"


def _target(downtime):
    return next(row for name in TARGETS if (row := getattr(downtime, name)) is not None)


def _about_elevation(slot):
    unit, telescope = slot.obs_unit, slot.telescope
    heights = elevations_in(slot)
    if not heights:
        return
    low, high = min(heights), max(heights)
    limits = [
        (unit.elevation_min_deg or 0, f"the {unit.elevation_min_deg or 0:g}° of the unit"),
        (telescope.elevation_min_deg or 0, f"the {telescope.elevation_min_deg or 0:g}° of {telescope}"),
    ]
    lowest, whose = max(limits, key=lambda limit: limit[0])
    highest = unit.elevation_max_deg
    span = _degrees(low) if _degrees(low) == _degrees(high) else f"{_degrees(low)} to {_degrees(high)}"
    if low < lowest:
        problem = f"its source is at an elevation of {span}, below {whose if lowest else 'the horizon'}"
    elif highest is not None and high > highest:
        problem = f"its source is at an elevation of {span}, above the {highest:g}° of the unit"
    else:
        return
    remedy = "choose a time in which the source is within the limits"
    names, outline = (ObsUnit, Source, Telescope), "its source is outside of the limits of elevation"
    yield warning_about(slot, _name_of(slot), PlanningProblem.ELEVATION, "start_time", problem, remedy, names, outline)


def _about_downtimes(downtimes: Sequence[Downtime]) -> list[PlanningWarning]:
    found = []
    prefetch_related_objects(downtimes, *TARGETS, "instrument_module__instrument")
    for number in range(0, len(downtimes), 100):
        batch = downtimes[number : number + 100]
        slots = slots_in(batch)
        setups = setups_of({slot.obs_unit_id for slot in slots})
        possible = PossibleModules(batch, slots, setups.keys())
        for downtime in batch:
            hit, unsure = slots_affected(downtime, slots, setups, possible)
            if hit:
                remedy = "move the slots; nothing moves them automatically"
                found.append(_about_downtime(downtime, hit, "it overlaps with", remedy))
            if unsure:
                remedy = "choose the modules of these units, or move the slots; nothing moves them automatically"
                found.append(_about_downtime(downtime, unsure, UNSURE, remedy))
    return found


def _about_downtime(downtime, slots, problem, remedy):
    names = ", ".join(f"{slot.obs_unit} at {format_minute(slot.start_time)} UTC" for slot in slots[:NAMED_SLOTS])
    more = f" and {len(slots) - NAMED_SLOTS:,} more" if len(slots) > NAMED_SLOTS else ""
    target, start = _target(downtime), f"from {format_minute(downtime.start_time)} UTC"
    count = "1 slot" if len(slots) == 1 else f"{len(slots):,} slots"
    return warning_about(
        downtime,
        Subject(f"downtime of {target} {start}", (type(target),), f"downtime {start}"),
        PlanningProblem.DOWNTIME,
        "start_time",
        f"{problem} {count}: {names}{more}",
        remedy,
        (PreScheduledSlot, ObsUnit),
        f"{problem} {count} that you may not view",
    )
