"""The whole sky in one drawing: sources, fields and how programs spread over it (Hammer projection)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sqrt

from django.utils.safestring import SafeString

from opsdb.svg import drawing, element, linked, polygon, polyline

from .heavens import HAMMER_HEIGHT, HAMMER_WIDTH, from_center, hammer, of_ecliptic, of_galactic

WIDTH, HEIGHT, MARGIN = 1000, 530, 30
SCALE = (WIDTH - 2 * MARGIN) / HAMMER_WIDTH
SIZE = 5.0
# Shapes as polygons around 0, 0 in units of the size, y downwards; None is a circle. Each looks unlike the others
# without its colour.
SHAPES = (
    None,
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    ((0, -1.2), (1.1, 0.9), (-1.1, 0.9)),
    ((0, -1.3), (1, 0), (0, 1.3), (-1, 0)),
    ((0, 1.2), (1.1, -0.9), (-1.1, -0.9)),
    (
        (-0.4, -1.2),
        (0.4, -1.2),
        (0.4, -0.4),
        (1.2, -0.4),
        (1.2, 0.4),
        (0.4, 0.4),
        (0.4, 1.2),
        (-0.4, 1.2),
        (-0.4, 0.4),
        (-1.2, 0.4),
        (-1.2, -0.4),
        (-0.4, -0.4),
    ),
    ((-1.3, 0), (-0.3, -0.3), (0, -1.3), (0.3, -0.3), (1.3, 0), (0.3, 0.3), (0, 1.3), (-0.3, 0.3)),
    ((-0.6, -1.1), (0.6, -1.1), (1.2, 0), (0.6, 1.1), (-0.6, 1.1), (-1.2, 0)),
)
OTHERS = len(SHAPES) - 1


@dataclass(frozen=True)
class Point:
    """A source, or several that are too close to be distinguished.

    Attributes:
        ra_deg: right ascension.
        dec_deg: declination.
        look: number of its shape and colour, 0 to 7.
        description: what it is.
        href: where it leads.
        count: how many sources it represents.
    """

    ra_deg: float
    dec_deg: float
    look: int
    description: str
    href: str | None = None
    count: int = 1


@dataclass(frozen=True)
class Area:
    """A field between two right ascensions, which may span 0, and two declinations."""

    ra_min_deg: float
    ra_max_deg: float
    dec_min_deg: float
    dec_max_deg: float
    look: int
    description: str
    href: str | None = None

    def pieces(self, center_ra_deg: float) -> list[list[tuple[float, float]]]:
        """Return the outline in RA and Dec, in two pieces where the edge of the map cuts it."""
        width = (self.ra_max_deg - self.ra_min_deg) % 360 or 360.0
        west = from_center(self.ra_min_deg, center_ra_deg)
        spans = [(west, min(west + width, 180.0))]
        if west + width > 180:
            spans.append((-180.0, west + width - 360))
        return [self._outline(*span, center_ra_deg) for span in spans]

    def _outline(self, west, east, center):
        steps = max(int((east - west) / 4), 1)
        # The very edge of the map belongs to both sides of it.
        line = [center + min(west + (east - west) * step / steps, 179.999) for step in range(steps + 1)]
        upright = max(int((self.dec_max_deg - self.dec_min_deg) / 4), 1)
        side = [
            self.dec_min_deg + (self.dec_max_deg - self.dec_min_deg) * step / upright for step in range(upright + 1)
        ]
        return [
            *((ra, self.dec_min_deg) for ra in line),
            *((line[-1], dec) for dec in side),
            *((ra, self.dec_max_deg) for ra in reversed(line)),
            *((line[0], dec) for dec in reversed(side)),
        ]


def symbol(look: int, x: float, y: float, size: float = SIZE) -> SafeString:
    """Return the sign of a program at a place of the drawing."""
    shape = SHAPES[look]
    css = f"opsdb-mark opsdb-mark-{look}"
    if shape is None:
        return element("circle", cx=float(x), cy=float(y), r=float(size), class_=css)
    return polygon([(x + dx * size, y + dy * size) for dx, dy in shape], class_=css)


def legend_sign(look: int) -> SafeString:
    """Return the sign of a program by itself, for a legend."""
    return element("svg", symbol(look, 8, 8, 5), viewBox="0 0 16 16", class_="opsdb-sign-only", aria_hidden="true")


def line_sign(kind: str) -> SafeString:
    """Return a piece of one of the map's lines, for a legend."""
    line = polyline([(0, 8), (16, 8)], class_=f"opsdb-line-{kind}")
    return element("svg", line, viewBox="0 0 16 16", class_="opsdb-sign-only", aria_hidden="true")


def sky_map(
    points: Sequence[Point], areas: Sequence[Area], *, name: str, title: str, description: str, center_ra_deg: float = 0
) -> SafeString:
    """Return the map: grid, galactic plane, ecliptic, fields below, sources above."""

    def place(ra, dec):
        x, y = hammer(ra, dec, center_ra_deg)
        return WIDTH / 2 + x * SCALE, HEIGHT / 2 - y * SCALE

    def curve(path, css):
        """Draw a line through places, broken where it leaves the map at one side and returns at the other."""
        line, pieces = [], []
        for ra, dec in path:
            spot = place(ra, dec)
            if line and abs(spot[0] - line[-1][0]) > WIDTH / 3:
                pieces.append(line)
                line = []
            line.append(spot)
        return [polyline(piece, class_=css) for piece in (*pieces, line) if len(piece) > 1]

    rim = element(
        "ellipse",
        cx=WIDTH / 2,
        cy=HEIGHT / 2,
        rx=HAMMER_WIDTH / 2 * SCALE,
        ry=HAMMER_HEIGHT / 2 * SCALE,
        class_="opsdb-sky",
    )
    parts = [rim, *_grid(place, curve, center_ra_deg)]
    parts += curve([of_ecliptic(step * 2, 0) for step in range(181)], "opsdb-line-ecliptic")
    parts += curve([of_galactic(step * 2, 0) for step in range(181)], "opsdb-line-galactic")
    for area in areas:
        shapes = [
            polygon([place(ra, dec) for ra, dec in piece], class_=f"opsdb-field opsdb-field-{area.look}")
            for piece in area.pieces(center_ra_deg)
        ]
        parts.append(linked(*shapes, href=area.href, label=area.description))
    for point in points:
        parts.append(_point(point, *place(point.ra_deg, point.dec_deg)))
    return drawing(*parts, name=name, width=WIDTH, height=HEIGHT, title=title, description=description)


def _grid(place, curve, center):
    for hour in range(0, 24, 2):
        ra = hour * 15
        yield from curve([(ra + 1e-6, dec) for dec in range(-88, 89, 4)], "opsdb-grid")
        x, y = place(ra, 0)
        if abs(from_center(ra, center)) < 179:
            yield element("text", f"{hour}h", x=x, y=y - 3, text_anchor="middle", class_="opsdb-axis")
    for dec in range(-60, 90, 30):
        yield from curve([(center - 179.99 + step * 4.999, dec) for step in range(73)], "opsdb-grid")
        x, y = place(center + 179.99, dec)
        yield element("text", f"{dec:+d}°" if dec else "0°", x=x - 4, y=y, text_anchor="end", class_="opsdb-axis")


def _point(point, x, y):
    if point.count == 1:
        return linked(
            symbol(point.look, x, y), href=point.href, label=point.description, tabindex=-1 if point.href else None
        )
    size = min(SIZE + sqrt(point.count), 16.0)
    return linked(
        symbol(point.look, x, y, size),
        element("text", point.count, x=x, y=y + 4, text_anchor="middle", class_="opsdb-count"),
        href=point.href,
        label=point.description,
        tabindex=-1 if point.href else None,
    )


def cell_of(ra_deg: float, dec_deg: float, size_deg: float) -> tuple[int, int]:
    """Return the cell of about equal area that a place is in, for clustering."""
    row = int((dec_deg + 90) // size_deg)
    middle = min(max((row + 0.5) * size_deg - 90, -89.9), 89.9)
    around = max(round(360 * cos(radians(middle)) / size_deg), 1)
    return row, int(ra_deg / 360 * around) % around
