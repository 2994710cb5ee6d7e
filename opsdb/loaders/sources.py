"""Sources from CSV tables and from the lists of the KOSMA control software."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Sequence

from opsdb.models import (
    ConstantElevationSource,
    CoordinateFrame,
    FixedSource,
    SolarSystemObject,
    Source,
    SourceType,
)

from .cells import ChoiceCell, IntegerCell, NumberCell, TableColumn, TextCell, TextListCell
from .coordinates import SYSTEMS, AngleCell, EquinoxCell, latitude_deg, longitude_deg, to_icrs
from .entries import Difference, RowEntry
from .errors import LoadProblems, listed
from .kind import KindOption, TableKind
from .loading import Loading
from .naif import NAIF_IDS
from .tables import TableRow, read_table
from .text_files import LoadFile, read_lines

SAME_POSITION_DEG = 1e-8
LONGEST_LINE = 10_000
FRAMES = {frame: word for word, (frame, _) in reversed(SYSTEMS.items())}
GIVEN_POSITION = ("frame", "longitude_deg", "latitude_deg", "equinox")

EVERY_TYPE = ("name", "aliases", "comment")
COLUMNS_OF_TYPE = {
    SourceType.FIXED: (
        *("longitude", "latitude", "system", "equinox"),
        *("pm_ra_mas_yr", "pm_dec_mas_yr", "parallax_mas", "vlsr_km_s"),
    ),
    SourceType.SOLAR_SYSTEM: ("ephemeris_name", "naif_id", "horizons_id"),
    SourceType.CONSTANT_ELEVATION: ("ra_min_deg", "ra_max_deg", "dec_min_deg", "dec_max_deg", "elevation_deg"),
}
NEEDED_BY_TYPE = {
    SourceType.FIXED: ("longitude", "latitude"),
    SourceType.CONSTANT_ELEVATION: ("ra_min_deg", "ra_max_deg", "dec_min_deg", "dec_max_deg"),
}


class Sources(TableKind):
    """Sources: fixed positions, bodies of the solar system, fields at constant elevation."""

    name = "sources"
    help = "sources, from a CSV table or a list of the KOSMA control software"
    description = (
        "Load sources from CSV tables or KOSMA source lists; positions are converted to ICRS and kept as given."
    )
    example = "manage.py opsdb_load sources catalogue.csv chai.kosma --dry-run"
    options = (
        KindOption(
            "--format",
            {"choices": ["csv", "kosma"], "help": "what the files are; by default according to their first lines"},
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
        TableColumn("equinox", EquinoxCell(), "Equinox, if not that of the system's name.", field="", empty=""),
        TableColumn("pm_ra_mas_yr", NumberCell(unit="mas/yr"), "Proper motion in RA times cos(Dec) (ICRS), mas/yr."),
        TableColumn("pm_dec_mas_yr", NumberCell(unit="mas/yr"), "Proper motion in Dec (ICRS), mas/yr."),
        TableColumn.of_field(FixedSource, "parallax_mas", NumberCell(unit="mas")),
        TableColumn.of_field(
            FixedSource, "vlsr_km_s", NumberCell(-299792.458, 299792.458, "km/s"), aliases=("velocity", "vlsr")
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

    def load(self, loading: Loading, files: Sequence[LoadFile]) -> None:
        rows = []
        for file in files:
            problems = loading.problems_of(file)
            lines = read_lines(file, problems)
            if (loading.options["format"] or _format(problems.path, lines)) == "csv":
                rows += read_table(file, self.columns, problems, loading.progress)
            else:
                rows += read_kosma(lines, problems)
        loading.plan.count("rows read", len(rows))
        entries = self.entries(loading, rows)
        loading.problems.stop_if_any()
        loading.write(entries)

    def entries(self, loading: Loading, rows: Sequence[TableRow]) -> list[RowEntry]:
        fixed = defaultdict(list)
        entries = []
        for row in rows:
            if "name" not in row.values:
                continue
            source_type = row.values.get("type", SourceType.FIXED)
            if not _fits_type(row, source_type):
                continue
            model = Source.subtypes()[source_type]
            own = {*EVERY_TYPE, *COLUMNS_OF_TYPE[source_type]}
            values = {
                column.target: row.values[column.name]
                for column in self.columns
                if column.target and column.name in own and column.name in row.values
            }
            entry = RowEntry(row, model, values)
            entries.append(entry)
            if model is FixedSource:
                _give_position(entry, fixed)
            elif model is SolarSystemObject:
                _give_body(entry)
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
        return entries

    def differences(self, present: Source, entry: RowEntry) -> list[Difference]:
        """Return what differs; positions are equal to 36 µas, and where none is recorded as given."""
        recorded = getattr(present, "longitude_deg", None) is not None
        return [
            (name, old, new)
            for name, old, new in super().differences(present, entry)
            if not (name in ("ra_deg", "dec_deg") and _near(old, new)) and (recorded or name not in GIVEN_POSITION)
        ]

    def values_of(self, row: Source) -> dict[str, object]:
        values = {name: getattr(row, name) for name in EVERY_TYPE} | {"type": SourceType(row.type)}
        if not isinstance(row, FixedSource):
            return values | {name: getattr(row, name) for name in COLUMNS_OF_TYPE[SourceType(row.type)]}
        values |= {column.name: getattr(row, column.name) for column in self.columns if hasattr(row, column.name)}
        if row.longitude_deg is None or row.latitude_deg is None:
            return values | {"system": "ICRS", "equinox": "", "longitude": row.ra_deg, "latitude": row.dec_deg}
        given = {"longitude": row.longitude_deg, "latitude": row.latitude_deg, "equinox": row.equinox}
        return values | given | {"system": FRAMES[CoordinateFrame(row.frame)]}


def read_kosma(lines: Sequence[str], problems: LoadProblems) -> list[TableRow]:
    """Return the rows of a KOSMA source list, as those of a table; what is wrong is noted. See docs/formats/sources.md.

    Args:
        lines: of the file.
        problems: those of the file.
    """
    rows = []
    for number, line in enumerate(lines, 1):
        row = TableRow(problems, number, {})
        if len(line) > LONGEST_LINE:
            row.problem(f"the line has {len(line)} characters", expected=f"at most {LONGEST_LINE}")
            continue
        text, comment = _split_comment(line)
        if not text:
            continue
        try:
            words = shlex.split(text)
        except ValueError as error:
            row.problem(f"the line can't be split: {error}", expected='a name with blanks in double quotes ("W 49")')
            continue
        cells = _kosma_cells(row, words)
        if cells is None:
            continue
        if comment:
            cells["comment"] = comment
        for column in Sources.columns:
            if column.name in cells:
                row.texts[column.name] = cells[column.name]
                try:
                    row.values[column.name] = column.cell.read(cells[column.name])
                except (ValueError, OverflowError):
                    row.problem("is not valid", column.name, expected=column.cell.expected)
        rows.append(row)
    if not rows:
        problems.stop_if_any()
        problems.stop("there are no sources", expected="name longitude latitude system [velocity] [! comment]")
    return rows


def _split_comment(line):
    found = re.match(r"""((?:[^!#"]|"[^"]*"?)*)(?:[!#]+(.*))?""", line)
    return found[1].strip(), (found[2] or "").strip()


def _kosma_cells(row, words):
    name, *rest = words
    if not rest:
        body = name.removeprefix("@")
        if body.casefold() not in NAIF_IDS:
            row.problem(f"{name} has no position", expected=f"a position, or one of {listed(NAIF_IDS, 30)}")
            return None
        return {"name": body, "type": SourceType.SOLAR_SYSTEM}
    place = next((place for place, word in enumerate(rest) if word.upper() in SYSTEMS), None)
    if place not in (2, 6) or len(rest) > place + 2:
        if place is None:
            found = "the system is missing"
        elif place in (2, 6):
            found = f"{len(rest) - place - 1} fields follow the system"
        else:
            found = f"{place} fields instead of 2 or 6 precede the system {rest[place]}"
        row.problem(
            found,
            expected=f"name longitude latitude system [velocity] [! comment], the system one of {', '.join(SYSTEMS)}",
        )
        return None
    half = place // 2
    cells = {"name": name, "longitude": " ".join(rest[:half]), "latitude": " ".join(rest[half:place])}
    cells["system"] = rest[place]
    if len(rest) > place + 1:
        cells["vlsr_km_s"] = rest[place + 1]
    return cells


def _format(path, lines):
    first = next(line for line in lines if line.strip())
    names = {cell.strip().strip('"').casefold() for cell in first.split(",")}
    return "csv" if path.suffix.lower() == ".csv" or "name" in names else "kosma"


def _fits_type(row, source_type):
    fits = True
    for other, names in COLUMNS_OF_TYPE.items():
        for name in names:
            if other != source_type and row.texts.get(name):
                row.problem(f"does not apply to a {source_type} source", name, expected="an empty cell")
                fits = False
    for name in NEEDED_BY_TYPE.get(source_type, ()):
        if row.texts.get(name) in (None, ""):
            row.problem(f"a {source_type} source needs a value", name, expected=_cell(name).expected)
        fits = fits and row.values.get(name) is not None
    return fits


def _cell(name):
    return next(column.cell for column in Sources.columns if column.name == name)


def _give_position(entry, fixed):
    row = entry.row
    frame, equinox = SYSTEMS[row.values.get("system") or "ICRS"]
    equinox = row.values.get("equinox") or equinox
    for name, read in (
        ("longitude", lambda angle: longitude_deg(angle, frame)),
        ("latitude", latitude_deg),
    ):
        try:
            entry.values[f"{name}_deg"] = read(row.values[name])
        except ValueError as error:
            row.problem("is out of range", name, expected=str(error))
            return
    entry.values |= {"frame": frame, "equinox": equinox}
    fixed[frame, equinox].append(entry)


def _give_body(entry):
    name = entry.values["name"].casefold()
    if not entry.values.get("ephemeris_name"):
        entry.values["ephemeris_name"] = name
    if name in NAIF_IDS and not {"naif_id", "horizons_id"} & entry.row.values.keys():
        entry.values |= {"naif_id": NAIF_IDS[name], "horizons_id": str(NAIF_IDS[name])}


def _near(one, other):
    return abs((one - other + 180) % 360 - 180) <= SAME_POSITION_DEG
