"""Units, sources and configurations that are missing from the database, made from the blocks of a schedule."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Max

from opsdb.database.functions import folded_texts
from opsdb.earth import LATER_ERROR_ARCSEC, rotation_known_until
from opsdb.models import (
    ConstantElevationSource,
    FixedSource,
    ObservationConfiguration,
    ObservingProgram,
    ObsMode,
    ObsUnit,
    PrimeCamObservationConfiguration,
    SolarSystemObject,
    Source,
    Telescope,
)

from .bodies import body_called, body_names, is_planet_or_moon
from .errors import LoadProblems, listed, shown
from .loading import Loading
from .schedules import CALIBRATION, CONSTANT_ELEVATION_SCAN, SCIENCE, Block, BlocksOfUnit, Schedule
from .swept_sky import field_edges, swept_edges
from .tables import TableRow

FIELD_TOLERANCE_DEG = 0.01
# What the file calls the attributes of blocks that all blocks of a unit have in common.
PLAN_COLUMNS = {
    "scan_type": "scan_type",
    "field": "ra_center",
    "velocity_deg_s": "velocity",
    "scan_parameters": "scan_params_json",
}


class UnitMaker:
    """Makes the units that blocks of a schedule belong to.

    Args:
        schedule: the schedule.
        telescope: the telescope that it is for.
        loading: the load.
        problems: those of the schedule's file.
    """

    def __init__(self, schedule: Schedule, telescope: Telescope, loading: Loading, problems: LoadProblems):
        self.schedule, self.telescope, self.loading, self.problems = schedule, telescope, loading, problems
        self.modes = {mode.name: mode for mode in ObsMode.objects.all()}
        self.known: dict[str, list[Source]] = {}
        self.made: dict[str, Source] = {}
        self.folded: dict[str, str] = {}

    def know_sources(self, blocks: Iterable[Block]) -> None:
        """Look up the sources that units of blocks would have, all at once."""
        names = sorted({_source_name(block, block.name) for block in blocks})
        self.known = Source.objects.specific().matches(names)
        self.folded = dict(zip(names, folded_texts(names), strict=True))

    def make(self, program: ObservingProgram, name: str, blocks: BlocksOfUnit) -> ObsUnit | None:
        """Return the new unit, or None if it can't be made, with the problems noted.

        Args:
            program: whose unit it is.
            name: of the unit.
            blocks: all blocks of the unit.
        """
        first = blocks.first
        mode = self.modes.get(first.scan_type)
        if mode is None:
            self.problems.add(
                f"unknown observing mode {shown(first.scan_type)}",
                expected=f"one of {listed(self.modes, 30)}",
                line=first.line,
                column="scan_type",
            )
            return None
        if first.type == SCIENCE and not self._is_one_plan(blocks):
            return None
        known = len(self.problems.found)
        source = self._source(name, blocks, mode)
        if len(self.problems.found) > known:
            return None
        configuration = self._configuration(name, blocks)
        unit = ObsUnit(
            observing_program=program,
            name=name,
            source=source,
            obs_mode=mode,
            configuration=configuration,
            planned_duration_seconds=blocks.longest / timedelta(seconds=1),
            comment=f"Made from {self.schedule.file_name}, line {first.line}.",
        )
        if configuration is None or not self._save(unit, first, f"{program.short_name} / {name}"):
            return None
        return unit

    def note_other_plan(self, unit: ObsUnit, block: Block) -> None:
        """Add a note to the plan if a unit of the database differs from its block."""
        if unit.obs_mode.name != block.scan_type:
            self.loading.plan.notes.append(
                f"Line {block.line}: {block.name} is a {block.scan_type}, but the unit {unit.name} in the database "
                f"is a {unit.obs_mode.name}, which was left as it is."
            )
        if unit.source_id:
            self._note_other_field(unit.source.specific, block)

    def _is_one_plan(self, blocks):
        """Whether blocks of one name have one scan and field; what differs is a problem."""
        if blocks.other is None:
            return True
        there, here = (getattr(block, blocks.differing) for block in (blocks.first, blocks.other))
        self.problems.add(
            f"{blocks.first.name} differs from line {blocks.first.line}: {_plain(there)} there, {_plain(here)} here",
            expected="one scan and field for one name",
            line=blocks.other.line,
            column=PLAN_COLUMNS[blocks.differing],
        )
        return False

    def _source(self, name, blocks, mode):
        first = blocks.first
        wanted = _source_name(first, name)
        if not wanted:
            if mode.needs_source:
                self.problems.add(
                    f"a {mode.name} needs a target",
                    expected='such as {"cal_type": "planet_cal", "target": "mars"}',
                    line=first.line,
                    column="block_meta_json",
                )
            return None
        named = self.known.get(wanted, [])
        if len(named) > 1:
            self.problems.add(
                f"{shown(wanted)} is the name or an alias of several sources: {listed(one.name for one in named)}",
                expected="a name that only one source has",
                line=first.line,
                column="name",
            )
            return None
        found = named[0] if named else self.made.get(self.folded[wanted]) or self._body_of_another_name(wanted)
        if found is not None:
            self._note_other_field(found, first)
            return found
        if first.type == CALIBRATION or is_planet_or_moon(wanted):
            source = self._solar_system_object(wanted, first)
        else:
            source = self._field_source(name, blocks)
        if source is None or not self._save(source, first, f"{source.name}{_extent(source)}"):
            return None
        self.made[self.folded[wanted]] = source
        return source

    def _body_of_another_name(self, name):
        body = body_called(name)
        return body and SolarSystemObject.objects.filter(naif_id=body.naif_id).first()

    def _solar_system_object(self, name, block):
        body = body_called(name)
        if body is None:
            self.problems.add(
                f"target {shown(name)} is neither a known source nor a body of the solar system",
                expected=f"a source, or one of {listed(body_names(), 30)}",
                line=block.line,
                column="block_meta_json",
            )
            return None
        return SolarSystemObject(
            name=body.name, ephemeris_name=body.name.lower(), naif_id=body.naif_id, horizons_id=body.horizons_id
        )

    def _field_source(self, name, blocks):
        first = blocks.first
        if first.scan_type == CONSTANT_ELEVATION_SCAN:
            edges = field_edges(first.field) if first.field else swept_edges(blocks.sweeps(), self.telescope)
            if not first.field:
                self._note_unknown_rotation(name, blocks)
            comment = "" if first.field else f"What the boresight sweeps in {self.schedule.file_name}."
            return ConstantElevationSource(
                name=name,
                **edges,
                elevation_deg=blocks.elevation_deg,
                comment=comment,
            )
        if first.field is None:
            self.problems.add(
                f"a {first.scan_type} scan of an unknown source needs its field",
                expected="ra_center, dec_center, width and height",
                line=first.line,
                column="ra_center",
            )
            return None
        return FixedSource(
            name=name,
            ra_deg=first.field.ra_deg,
            dec_deg=first.field.dec_deg,
            longitude_deg=first.field.ra_deg,
            latitude_deg=first.field.dec_deg,
        )

    def _note_unknown_rotation(self, name, blocks):
        known_until = rotation_known_until()
        if blocks.end > known_until:
            self.loading.plan.notes.append(
                f"The edges of {name} may be wrong by up to {LATER_ERROR_ARCSEC} arcsec: the installed table of the "
                f"Earth's rotation ends on {known_until:%Y-%m-%d}."
            )

    def _note_other_field(self, source, block):
        if block.field is None:
            return
        if isinstance(source, ConstantElevationSource):
            edges = field_edges(block.field)
            differs = any(
                abs((getattr(source, name) - edge + 180) % 360 - 180) > FIELD_TOLERANCE_DEG
                for name, edge in edges.items()
            )
        elif isinstance(source, FixedSource):
            away = FixedSource.objects.cone_search(block.field.ra_deg, block.field.dec_deg, FIELD_TOLERANCE_DEG)
            differs = not away.filter(pk=source.pk).exists()
        else:
            differs = False
        if differs:
            self.loading.plan.notes.append(
                f"Line {block.line}: the field of {block.name} is not that of source {source.name} in the database, "
                "which was left as it is."
            )

    def _configuration(self, name, blocks):
        """Return the configuration of a new unit: an equal one that exists, or a new version."""
        first = blocks.first
        facts = {"scan_type": first.scan_type}
        if first.type == SCIENCE:
            name = f"{name} {first.scan_type}"
            parameters = dict(first.scan_parameters)
            facts |= {
                "width_deg": first.field and first.field.width_deg,
                "height_deg": first.field and first.field.height_deg,
                "velocity_deg_s": first.velocity_deg_s,
                "spacing_deg": _number(parameters, "spacing"),
                "angle_deg": _number(parameters, "angle"),
                "elevation_deg": blocks.elevation_deg,
                "parameters": parameters,
            }
        else:
            name = first.scan_type
        equal = PrimeCamObservationConfiguration.objects.filter(name=name, **facts).order_by("-version").first()
        if equal is not None:
            return equal
        last = ObservationConfiguration.objects.filter(name=name).aggregate(last=Max("version"))["last"] or 0
        configuration = PrimeCamObservationConfiguration(name=name, version=last + 1, **facts)
        return configuration if self._save(configuration, first, str(configuration)) else None

    def _save(self, row, block, label):
        return self.loading.create(row, TableRow(self.problems, block.line, {}), label)


def _source_name(block, name):
    return block.target if block.type == CALIBRATION else name


def _extent(source):
    if isinstance(source, ConstantElevationSource):
        return (
            f", RA {source.ra_min_deg:.2f}° to {source.ra_max_deg:.2f}°, "
            f"Dec {source.dec_min_deg:.2f}° to {source.dec_max_deg:.2f}°"
        )
    if isinstance(source, FixedSource):
        return f", RA {source.ra_deg:.4f}°, Dec {source.dec_deg:.4f}°"
    return ""


def _number(parameters, name):
    value = parameters.get(name)
    return parameters.pop(name) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _plain(value):
    return "nothing" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
