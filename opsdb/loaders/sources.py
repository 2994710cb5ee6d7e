"""Sources from CSV tables, from the planner and from the lists of observatories."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from opsdb.formatting import format_declination, format_right_ascension
from opsdb.models import (
    ConstantElevationSource,
    CoordinateFrame,
    FixedSource,
    SolarSystemObject,
    Source,
    SourceType,
    VelocityConvention,
    VelocityFrame,
)
from opsdb.models.planning.sources import SPEED_OF_LIGHT_KM_S

from .bodies import body_called, horizons_id_of, is_designation
from .cells import CellError, ChoiceCell, IntegerCell, NumberCell, TableColumn, TextCell, TextListCell
from .coordinates import SYSTEMS, AngleCell, EpochCell, EquinoxCell, frame_of, latitude_deg, longitude_deg, to_icrs
from .entries import Difference, RowEntry
from .errors import shown
from .kind import KindOption, TableKind
from .loading import Loading
from .plan import LoadPlan
from .recognition import Likeness, table_likeness
from .source_lists import (
    CSV,
    FORMATS,
    FYST,
    GIVEN_EQUINOX,
    PLANNER_COLUMNS,
    TAB_SEPARATED,
    looks_like_list,
    read_header,
    read_list,
    read_planner_list,
    read_tab_separated,
    recognize,
)
from .spool import Spool, batches
from .tables import TableRow, header_of, read_rows
from .text_files import LoadFile, first_lines, path_of, read_text
from .velocities import VelocityConventionCell, VelocityFrameCell, lsrk_radio_km_s

SAME_POSITION_DEG = 1e-8
SAME_VELOCITY_KM_S = 1e-6
LONGEST_NOTES = 20
CONVERTED_AT_ONCE = 5000
NAMES_AT_ONCE = 50_000
FRAMES = {frame: word for word, (frame, _) in reversed(SYSTEMS.items())}
GIVEN_POSITION = ("frame", "longitude_deg", "latitude_deg", "equinox")
GIVEN_VELOCITY = ("given_velocity", "velocity_frame", "velocity_convention")
BARE = ("lsrk", "radio")

EVERY_TYPE = ("name", "aliases", "comment")
COLUMNS_OF_TYPE = {
    SourceType.FIXED: (
        *("longitude", "latitude", "system", "equinox", "epoch"),
        *("pm_ra_mas_yr", "pm_dec_mas_yr", "parallax_mas", "vlsr_km_s"),
        *("velocity", "velocity_frame", "velocity_convention"),
    ),
    SourceType.SOLAR_SYSTEM: ("ephemeris_name", "naif_id", "horizons_id"),
    SourceType.CONSTANT_ELEVATION: ("ra_min_deg", "ra_max_deg", "dec_min_deg", "dec_max_deg", "elevation_deg"),
}
NEEDED_BY_TYPE = {
    SourceType.FIXED: ("longitude", "latitude"),
    SourceType.CONSTANT_ELEVATION: ("ra_min_deg", "ra_max_deg", "dec_min_deg", "dec_max_deg"),
}


BareVelocities = Counter[tuple[str, VelocityFrame, VelocityConvention]]
"""How many velocities of a file, by its name, are taken for ones of a frame and convention that it does not name."""


class Sources(TableKind):
    """Sources: fixed positions, bodies of the solar system, fields at constant elevation."""

    name = "sources"
    help = "sources, from CSV tables, the planner's list and the lists of observatories"
    description = (
        "Load sources from CSV tables, from the planner's source list, or from lists of KOSMA, GILDAS (APEX, IRAM), "
        "the JCMT, Effelsberg, VizieR or SIMBAD; positions are converted to ICRS and kept as given."
    )
    example = "manage.py opsdb_load sources catalogue.csv chai.kosma --dry-run"
    options = (
        KindOption(
            "--format",
            {"choices": list(FORMATS), "help": "what the files are; by default what they look like"},
        ),
        KindOption(
            "--equinox",
            {"metavar": "EQUINOX", "help": "equinox of equatorial positions in GILDAS lists whose lines name none"},
        ),
    )
    model = Source
    columns = (
        TableColumn.of_field(Source, "name", TextCell(200), required=True),
        TableColumn(
            "type",
            ChoiceCell(SourceType.values),
            "Kind of source; `fixed` if empty.",
            field="",
            empty=SourceType.FIXED,
        ),
        TableColumn("aliases", TextListCell(), "Other names.", empty=[]),
        TableColumn.of_field(Source, "comment", TextCell(), empty=""),
        TableColumn(
            "longitude",
            AngleCell(),
            "Longitude or right ascension in the system: degrees, or sexagesimal (hours in equatorial systems).",
            field="",
            aliases=("ra", "ra_deg", "lon", "longitude_deg"),
        ),
        TableColumn(
            "latitude",
            AngleCell(),
            "Latitude or declination in the system: degrees, decimal or sexagesimal.",
            field="",
            aliases=("dec", "dec_deg", "lat", "latitude_deg"),
        ),
        TableColumn("system", ChoiceCell(list(SYSTEMS)), "System of the position; `ICRS` if empty.", field=""),
        TableColumn(
            "equinox",
            EquinoxCell(),
            "Equinox, if not that of the system's name; without a system `B…` means FK4 and `J…` FK5.",
            field="",
            empty="",
        ),
        TableColumn("epoch", EpochCell(), "Epoch of a position in ICRS that moves, Julian year.", field="epoch_year"),
        TableColumn("pm_ra_mas_yr", NumberCell(unit="mas/yr"), "Proper motion in RA times cos(Dec) (ICRS), mas/yr."),
        TableColumn("pm_dec_mas_yr", NumberCell(unit="mas/yr"), "Proper motion in Dec (ICRS), mas/yr."),
        TableColumn.of_field(FixedSource, "parallax_mas", NumberCell(unit="mas")),
        TableColumn.of_field(
            FixedSource, "vlsr_km_s", NumberCell(-SPEED_OF_LIGHT_KM_S, SPEED_OF_LIGHT_KM_S, "km/s"), aliases=("vlsr",)
        ),
        TableColumn(
            "velocity",
            NumberCell(-SPEED_OF_LIGHT_KM_S, unit="km/s (or a redshift)"),
            "Radial velocity, km/s, or redshift, in the frame and convention of the next columns.",
            field="",
        ),
        TableColumn("velocity_frame", VelocityFrameCell(), "What it is measured against; `LSRK` if empty.", field=""),
        TableColumn(
            "velocity_convention", VelocityConventionCell(), "Convention of the velocity; `radio` if empty.", field=""
        ),
        TableColumn(
            "ephemeris_name", TextCell(100), "Name by which the control system knows the body; its name if empty."
        ),
        TableColumn.of_field(SolarSystemObject, "naif_id", IntegerCell()),
        TableColumn.of_field(SolarSystemObject, "horizons_id", TextCell(100), empty=""),
        TableColumn.of_field(ConstantElevationSource, "ra_min_deg", NumberCell(0, 360, "degrees", below=True)),
        TableColumn.of_field(ConstantElevationSource, "ra_max_deg", NumberCell(0, 360, "degrees")),
        TableColumn.of_field(ConstantElevationSource, "dec_min_deg", NumberCell(-90, 90, "degrees")),
        TableColumn.of_field(ConstantElevationSource, "dec_max_deg", NumberCell(-90, 90, "degrees")),
        TableColumn.of_field(ConstantElevationSource, "elevation_deg", NumberCell(0, 90, "degrees")),
    )

    @property
    def looks(self) -> str:
        return f"{super().looks}, or the lines of a list of an observatory"

    def likeness(self, text: str) -> Likeness:
        """Return how much a text looks like a table of sources, also the planner's, or that it is another list."""
        header = header_of(text)
        best = max((table_likeness(header, one) for one in (self.columns, PLANNER_COLUMNS)), key=lambda one: one.rank)
        return best if best.is_table else replace(best, is_format=looks_like_list(first_lines(text)))

    def load(self, loading: Loading, files: Sequence[LoadFile]) -> None:
        entries: Spool[RowEntry] = Spool()
        bare: BareVelocities = Counter()
        names: list[str] = []
        for file in files:
            for rows in batches(self._read(file, loading), CONVERTED_AT_ONCE):
                loading.plan.count("rows read", len(rows))
                found = self.entries(loading, rows, bare)
                names += [entry.values["name"] for entry in found]
                entries.extend(found)
        loading.plan.notes += _velocity_notes(bare)
        loading.problems.stop_if_any()
        loading.write(entries)
        clashes: set[tuple[str, str, str]] = set()
        for some in batches(names, NAMES_AT_ONCE):
            clashes.update(Source.objects.name_clashes(some))
        for name, source, other in sorted(clashes)[:LONGEST_NOTES]:
            loading.plan.notes.append(f"{shown(name)} is a name or alias of {source} and of {other}.")

    def _read(self, file, loading):
        problems = loading.problems_of(file)
        text = read_text(file, problems)
        names = {name.casefold() for column in self.columns for name in (column.name, *column.aliases)}
        name = loading.options["format"] or recognize(path_of(file), first_lines(text), names, problems)
        equinox = self._given_equinox(loading.options["equinox"], name, problems)
        if name == CSV:
            return read_rows(text, self.columns, problems, loading.progress)
        if name == FYST:
            return read_planner_list(text, problems, loading.progress)
        if name == TAB_SEPARATED:
            header = read_header(text, problems)
            if header.unused:
                loading.plan.notes.append(f"Columns not loaded: {', '.join(header.unused)}.")
            return read_tab_separated(text, header, self.columns, problems, loading.progress)
        return read_list(name, text, self.columns, problems, equinox, loading.progress)

    @staticmethod
    def _given_equinox(given, name, problems):
        if given is None or name != GIVEN_EQUINOX:
            return None
        try:
            return EquinoxCell().read(given)
        except ValueError:
            problems.stop(f"--equinox {shown(given)} is not valid", expected=EquinoxCell.expected)

    def entries(self, loading: Loading, rows: Sequence[TableRow], bare: BareVelocities | None = None) -> list[RowEntry]:
        fixed = defaultdict(list)
        moving = []
        entries = []
        targets_of = {
            source_type: [
                (column.name, column.target)
                for column in self.columns
                if column.target and column.name in (*EVERY_TYPE, *names)
            ]
            for source_type, names in COLUMNS_OF_TYPE.items()
        }
        for row in rows:
            if "name" not in row.values:
                continue
            source_type = row.values.get("type", SourceType.FIXED)
            if not _fits_type(row, source_type):
                continue
            model = Source.subtypes()[source_type]
            values = {target: row.values[name] for name, target in targets_of[source_type] if name in row.values}
            if values.get("vlsr_km_s") is not None:
                values |= dict(zip(GIVEN_VELOCITY, (None, None, None), strict=True))
            entry = RowEntry(row, model, values)
            entries.append(entry)
            if model is FixedSource:
                if _give_position(entry):
                    fixed[entry.values["frame"], entry.values["equinox"]].append(entry)
                    moving += [entry] if _is_velocity_given(row) else []
            elif model is SolarSystemObject:
                _give_body(entry)
                if entry.values["name"] != row.values["name"]:
                    loading.plan.notes.append(f"Line {row.line}: {row.values['name']} is {entry.values['name']}.")
            elif not values["dec_min_deg"] < values["dec_max_deg"]:
                row.problem("is not above dec_min_deg", "dec_max_deg", expected="the northern edge")
        for (frame, equinox), group in fixed.items():
            positions = to_icrs(
                [entry.values["longitude_deg"] for entry in group],
                [entry.values["latitude_deg"] for entry in group],
                frame,
                equinox,
            )
            for entry, ra, dec in zip(group, *positions, strict=True):
                entry.values |= {"ra_deg": ra, "dec_deg": dec}
        _give_velocities(moving, Counter() if bare is None else bare)
        return entries

    def is_same(self, first: RowEntry, entry: RowEntry, plan: LoadPlan) -> bool:
        """Whether an entry repeats another one, perhaps with another comment; then the comments become one."""
        values, others = ({**one.values, "comment": ""} for one in (first, entry))
        if first.model is not entry.model or values != others:
            return False
        comments = [one.values.get("comment") or "" for one in (first, entry)]
        if "comment" in first.values and comments[1] not in comments[0].split("; "):
            first.values["comment"] = "; ".join(filter(None, comments))
        plan.notes.append(f"Line {entry.row.line}: {shown(self.label(entry))} repeats line {first.row.line}.")
        return True

    def facts(self, entry: RowEntry) -> Iterable[tuple[str, str]]:
        """Return the position, ICRS, or the edges of a field: what is most easily wrong in a list of sources."""
        values = entry.values
        if entry.model is FixedSource:
            ra, dec = values["ra_deg"], values["dec_deg"]
            yield "RA (ICRS)", f"{format_right_ascension(ra)} ({ra:.5f}°)"
            yield "Dec (ICRS)", f"{format_declination(dec)} ({dec:+.5f}°)"
        elif entry.model is ConstantElevationSource:
            yield "RA (ICRS)", f"{values['ra_min_deg']:.5f}° to {values['ra_max_deg']:.5f}°"
            yield "Dec (ICRS)", f"{values['dec_min_deg']:+.5f}° to {values['dec_max_deg']:+.5f}°"

    def differences(self, present: Source, entry: RowEntry) -> list[Difference]:
        """Return what differs; positions are equal to 36 µas, and where none is recorded as given."""
        recorded = getattr(present, "longitude_deg", None) is not None
        found = [
            (name, old, new)
            for name, old, new in super().differences(present, entry)
            if not (name in ("ra_deg", "dec_deg") and _near(old, new))
            and not (name == "vlsr_km_s" and None not in (old, new) and abs(old - new) <= SAME_VELOCITY_KM_S)
            and (recorded or name not in GIVEN_POSITION)
        ]
        # A velocity in the column vlsr_km_s leaves open how it was given.
        if "velocity" in entry.row.values or any(name == "vlsr_km_s" for name, _, _ in found):
            return found
        return [one for one in found if one[0] not in GIVEN_VELOCITY]

    def values_of(self, row: Source) -> dict[str, object]:
        values = {name: getattr(row, name) for name in EVERY_TYPE} | {"type": SourceType(row.type)}
        if not isinstance(row, FixedSource):
            return values | {name: getattr(row, name) for name in COLUMNS_OF_TYPE[SourceType(row.type)]}
        values |= {column.name: getattr(row, column.name) for column in self.columns if hasattr(row, column.name)}
        values["epoch"] = row.epoch_year
        if row.given_velocity is None:
            values |= {"velocity": None, "velocity_frame": None, "velocity_convention": None}
        else:
            values |= {
                "velocity": row.given_velocity,
                "velocity_frame": VelocityFrame(row.velocity_frame),
                "velocity_convention": VelocityConvention(row.velocity_convention),
                "vlsr_km_s": None,
            }
        if row.longitude_deg is None or row.latitude_deg is None:
            return values | {"system": "ICRS", "equinox": "", "longitude": row.ra_deg, "latitude": row.dec_deg}
        given = {"longitude": row.longitude_deg, "latitude": row.latitude_deg, "equinox": row.equinox}
        word = FRAMES[CoordinateFrame(row.frame)]
        if SYSTEMS[word][1] not in ("", row.equinox) and row.equinox:
            word = row.frame.upper()
        return values | given | {"system": word}


def _fits_type(row, source_type):
    fits = True
    for other, names in COLUMNS_OF_TYPE.items():
        for name in names:
            if other != source_type and row.texts.get(name) and name in row.values:
                row.problem(f"does not apply to a {source_type} source", name, expected="an empty cell")
                fits = False
    for name in NEEDED_BY_TYPE.get(source_type, ()):
        if row.values.get(name) is None and not row.texts.get(name):
            row.problem(f"a {source_type} source needs a value", name, expected=_cell(name).expected)
        fits = fits and row.values.get(name) is not None
    return fits


def _cell(name):
    return next(column.cell for column in Sources.columns if column.name == name)


def _is_velocity_given(row):
    """Whether a row has a velocity; note what contradicts it."""
    velocity, vlsr = row.values.get("velocity"), row.values.get("vlsr_km_s")
    frame, convention = row.values.get("velocity_frame"), row.values.get("velocity_convention")
    if velocity is not None and vlsr is not None:
        row.problem("is given together with vlsr_km_s", "velocity", expected="one of them")
        return False
    if vlsr is not None:
        for column, value, own in (("velocity_frame", frame, BARE[0]), ("velocity_convention", convention, BARE[1])):
            if value not in (None, own):
                row.problem("contradicts vlsr_km_s, which is LSRK and radio", column, expected="the column velocity")
    return velocity is not None


def _give_velocities(entries, bare):
    """Convert velocities to LSRK and radio, and count bare ones by what they are taken for."""
    wrong = []
    for entry in entries:
        row = entry.row
        frame = row.values.get("velocity_frame") or VelocityFrame.LSRK
        convention = row.values.get("velocity_convention") or VelocityConvention.RADIO
        if not (row.values.get("velocity_frame") and row.values.get("velocity_convention")):
            bare[row.problems.path.name, frame, convention] += 1
        velocity = row.values["velocity"]
        low, high = {
            VelocityConvention.RADIO: (-SPEED_OF_LIGHT_KM_S, SPEED_OF_LIGHT_KM_S),
            VelocityConvention.OPTICAL: (-SPEED_OF_LIGHT_KM_S, 30 * SPEED_OF_LIGHT_KM_S),
            VelocityConvention.REDSHIFT: (-1.0, 30.0),
        }[convention]
        if not low < velocity < high:
            row.problem(
                f"is no {convention} velocity", "velocity", expected=f"a number above {low:g} and below {high:g}"
            )
            wrong.append(entry)
        given = (None, None, None) if (frame, convention) == BARE else (velocity, frame, convention)
        entry.values |= dict(zip(GIVEN_VELOCITY, given, strict=True))
    if entries and not wrong:
        velocities = lsrk_radio_km_s(
            [entry.row.values["velocity"] for entry in entries],
            [entry.values["velocity_frame"] or BARE[0] for entry in entries],
            [entry.values["velocity_convention"] or BARE[1] for entry in entries],
            [entry.values["ra_deg"] for entry in entries],
            [entry.values["dec_deg"] for entry in entries],
        )
        for entry, velocity in zip(entries, velocities, strict=True):
            entry.values["vlsr_km_s"] = velocity


def _velocity_notes(bare):
    for (name, frame, convention), number in bare.items():
        unit = "" if convention == VelocityConvention.REDSHIFT else ", km/s"
        yield (
            f"{name}: the column velocity of {number} rows is taken for a radial velocity, {frame.label}, "
            f"{convention.label} convention{unit}, as no frame or no convention is given."
        )


def _give_position(entry):
    """Give an entry frame, equinox and position as given; return whether it has them all."""
    row = entry.row
    try:
        frame, equinox = frame_of(row.values.get("system"), row.values.get("equinox") or "")
    except CellError as error:
        row.problem(str(error), "equinox", expected=error.expected)
        return False
    if row.values.get("epoch") is not None and frame != CoordinateFrame.ICRS:
        row.problem("is the epoch of a position in ICRS", "epoch", expected="system ICRS, or an empty cell")
        return False
    for name, read in (
        ("longitude", lambda angle: longitude_deg(angle, frame)),
        ("latitude", latitude_deg),
    ):
        try:
            entry.values[f"{name}_deg"] = read(row.values[name])
        except ValueError as error:
            row.problem("is out of range", name, expected=str(error))
            return False
    entry.values |= {"frame": frame, "equinox": equinox}
    return True


def _give_body(entry):
    """Fill in what is known of a body; these facts are not compared with those of a body that is there."""
    name = entry.values["name"]
    known = body_called(name)
    facts = {"ephemeris_name": name}
    if known:
        facts = {
            "ephemeris_name": known.name.lower(),
            "naif_id": known.naif_id,
            "horizons_id": known.horizons_id,
        }
        entry.values["name"] = name if name.casefold() == known.name.casefold() else known.name
    elif is_designation(name):
        facts["horizons_id"] = horizons_id_of(name)
    for field, value in facts.items():
        if entry.values.get(field) in (None, ""):
            entry.values[field] = value
            entry.filled_in |= {field}


def _near(one, other):
    return abs((one - other + 180) % 360 - 180) <= SAME_POSITION_DEG
