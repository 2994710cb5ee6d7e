"""The source list of the planner: targets and fields with their size on the sky.

Columns as in ``examples/sample_sourcelist.csv`` of github.com/ccatobs/fyst-trajectories. RA is in hours; width and
height are angles on the sky, so that the range in RA is 1/cos(declination) wider.
"""

from __future__ import annotations

from collections.abc import Iterator

from opsdb.models import SourceType

from ..cells import CellError, NumberCell, TableColumn, TextCell
from ..coordinates import HOURS, SEXAGESIMAL, Angle, AngleCell, latitude_deg, longitude_deg
from ..errors import LoadProblems
from ..progress import Progress
from ..schedules import CONSTANT_ELEVATION_SCAN, SkyField
from ..tables import TableRow, read_rows


class HoursCell(AngleCell):
    """A right ascension in hours."""

    expected = "hours such as 15:28:00 or 15h28m00s"

    def read(self, text: str) -> Angle:
        value, unit = super().read(text)
        if unit not in (HOURS, SEXAGESIMAL):
            raise CellError("has no unit", self.expected)
        return value, HOURS


PLANNER_COLUMNS = (
    TableColumn("name", TextCell(200), "Name of the source.", required=True),
    TableColumn("ra", HoursCell(), "Right ascension of the centre (ICRS), hours.", required=True),
    TableColumn("dec", AngleCell(), "Declination of the centre (ICRS), degrees.", required=True),
    TableColumn("width", NumberCell(0, 360, "degrees", above=True), "Width on the sky, degrees.", required=True),
    TableColumn("height", NumberCell(0, 180, "degrees", above=True), "Height on the sky, degrees.", required=True),
    TableColumn("priority", NumberCell(), "Priority; kept in the comment."),
    TableColumn("velocity", NumberCell(0, 10, "deg/s"), "Velocity of the scan, deg/s; kept in the comment."),
    TableColumn(
        "scan_type",
        TextCell(50),
        "A `constant_el` scan is of a field at constant elevation, others of a fixed source.",
        required=True,
    ),
)


def read_planner_list(text: str, problems: LoadProblems, progress: Progress) -> Iterator[TableRow]:
    """Yield the rows of a planner's list, as those of a table of sources; what is wrong is noted.

    Arguments and errors are those of ``read_rows``.
    """
    for row in read_rows(text, PLANNER_COLUMNS, problems, progress):
        if all(column.name in row.values for column in PLANNER_COLUMNS if column.required):
            row.values = _as_source(row)
            yield row


def _as_source(row):
    given = row.values
    comment = f"{given['scan_type']} {given['width']:g}° × {given['height']:g}°"
    comment += "".join(
        f", {words.format(given[name])}"
        for name, words in (("velocity", "{:g} deg/s"), ("priority", "priority {:g}"))
        if given.get(name) is not None
    )
    source = {"name": given["name"], "comment": comment}
    if given["scan_type"].casefold() != CONSTANT_ELEVATION_SCAN:
        return source | {"longitude": given["ra"], "latitude": given["dec"]}
    edges = dict.fromkeys(("ra_min_deg", "ra_max_deg", "dec_min_deg", "dec_max_deg"))
    try:
        field = SkyField(
            longitude_deg(given["ra"], "icrs") % 360, latitude_deg(given["dec"]), given["width"], given["height"]
        )
    except ValueError as error:
        column = "ra" if "hours from" in str(error) else "dec"
        row.problem("is out of range", column, expected=str(error))
        return {}
    if abs(field.dec_deg) + field.height_deg / 2 > 90:
        row.problem(f"a field {field.height_deg:g}° high reaches beyond the pole", "height", expected="a lower one")
        return {}
    west_east, south_north = field.ra_range_deg(), field.dec_range_deg()
    return source | {"type": SourceType.CONSTANT_ELEVATION} | dict(zip(edges, (*west_east, *south_north), strict=True))
