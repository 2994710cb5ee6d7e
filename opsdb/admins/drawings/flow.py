"""The map of sites: locations as boxes, ways between them as arrows, and what moves along each."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from opsdb.svg import drawing, element, linked, shortened

CARD, BETWEEN, BOX, HEAD, PAD, SPACE = 250, 190, 46, 34, 12, 40
LETTERS = 30


@dataclass(frozen=True)
class LocationBox:
    """A location.

    Attributes:
        key: unique.
        name: what it is called.
        description: text below the name.
        kind: what it is for.
        href: where it leads.
        active: whether it is in use.
    """

    key: int
    name: str
    description: str
    kind: str
    href: str | None = None
    active: bool = True


@dataclass(frozen=True)
class SiteBox:
    """A site with its locations, in one of the columns that data pass from left to right."""

    key: int
    name: str
    column: int
    places: Sequence[LocationBox]
    href: str | None = None


@dataclass(frozen=True)
class RouteArrow:
    """An arrow between two sites.

    Attributes:
        origin: key of a site.
        destination: key of a site.
        text: its label.
        description: all about it.
        state: ``idle``, ``moving``, ``failed`` or ``closed``.
        href: where it leads.
    """

    origin: int
    destination: int
    text: str
    description: str
    state: str = "idle"
    href: str | None = None


@dataclass
class _Layout:
    sites: Sequence[SiteBox]
    left: dict = field(default_factory=dict)
    top: dict = field(default_factory=dict)
    width: float = 0
    height: float = 0

    def __post_init__(self):
        columns = sorted({site.column for site in self.sites})
        depth = {column: float(PAD) for column in columns}
        for site in self.sites:
            self.left[site.key] = PAD + columns.index(site.column) * (CARD + BETWEEN)
            self.top[site.key] = depth[site.column]
            depth[site.column] += self.height_of(site) + SPACE
        self.width = PAD + len(columns) * (CARD + BETWEEN) - BETWEEN + PAD if columns else 0
        self.height = max(depth.values(), default=0)

    @staticmethod
    def height_of(site):
        return HEAD + len(site.places) * (BOX + PAD) + PAD


def flow_map(
    sites: Sequence[SiteBox], ways: Sequence[RouteArrow], *, name: str, title: str, description: str
) -> SafeString:
    """Return the map."""
    layout = _Layout(sites)
    by_key = {site.key: site for site in sites}
    parts = [_arrow_heads(name)]
    sides = {}
    # A way within a column bends out to its right, so there is room for it.
    within = sum(by_key[way.origin].column == by_key[way.destination].column for way in ways)
    extra = within and BETWEEN * 0.35 + 55 * within
    for way in ways:
        parts.append(_way(way, layout, by_key, sides, name))
    parts += [_site(site, layout) for site in sites]
    return drawing(
        *parts, name=name, width=layout.width + extra, height=layout.height, title=title, description=description
    )


def _arrow_heads(name):
    def head(state):
        return element(
            "marker",
            element("path", d="M0,0 L9,4.5 L0,9 z", class_=f"opsdb-head-{state}"),
            id=f"{name}-{state}",
            markerWidth=9,
            markerHeight=9,
            refX=8,
            refY=4.5,
            orient="auto",
            markerUnits="userSpaceOnUse",
        )

    return element("defs", *(head(state) for state in ("idle", "moving", "failed", "closed")))


def _site(site, layout):
    left, top = layout.left[site.key], layout.top[site.key]
    card = [
        element("rect", x=left, y=top, width=CARD, height=layout.height_of(site), rx=8, class_="opsdb-site"),
        linked(
            element("text", shortened(site.name, LETTERS), x=left + PAD, y=top + 23, class_="opsdb-site-name"),
            href=site.href,
            label=site.name,
        ),
    ]
    for number, place in enumerate(site.places):
        y = top + HEAD + number * (BOX + PAD)
        css = f"opsdb-place opsdb-place-{place.kind}" + ("" if place.active else " opsdb-place-out")
        card.append(
            linked(
                element("rect", x=left + PAD, y=y, width=CARD - 2 * PAD, height=BOX, rx=4, class_=css),
                element("text", shortened(place.name, LETTERS), x=left + 2 * PAD, y=y + 19, class_="opsdb-place-name"),
                element(
                    "text",
                    shortened(place.description, 36),
                    x=left + 2 * PAD,
                    y=y + 36,
                    class_="opsdb-place-description",
                ),
                href=place.href,
                label=f"{place.name}: {place.description}",
            )
        )
    return element("g", *card)


def _way(way, layout, by_key, sides, name):
    origin, destination = by_key[way.origin], by_key[way.destination]

    def port(site, side):
        """Return the next free height at a side of a site."""
        used = sides.get((site.key, side), 0)
        sides[site.key, side] = used + 1
        return layout.top[site.key] + HEAD / 2 + 8 + used * 34

    if origin.column == destination.column:
        x1 = x2 = layout.left[origin.key] + CARD
        y1, y2 = port(origin, "right"), port(destination, "right")
        bend = x1 + BETWEEN * 0.35 + 55 * sides.setdefault((origin.column, "bends"), 0)
        sides[origin.column, "bends"] += 1
        # The middle of a Bézier curve.
        middle = ((x1 + 3 * bend) / 4, (y1 + y2) / 2)
        path = f"M{x1:.0f},{y1:.0f} C{bend:.0f},{y1:.0f} {bend:.0f},{y2:.0f} {x2 + 2:.0f},{y2:.0f}"
    else:
        forth = origin.column < destination.column
        x1 = layout.left[origin.key] + (CARD if forth else 0)
        x2 = layout.left[destination.key] + (0 if forth else CARD)
        y1, y2 = port(origin, "right" if forth else "left"), port(destination, "left" if forth else "right")
        half = (x1 + x2) / 2
        path = f"M{x1:.0f},{y1:.0f} C{half:.0f},{y1:.0f} {half:.0f},{y2:.0f} {x2:.0f},{y2:.0f}"
        middle = (half, (y1 + y2) / 2)
    return linked(
        element("path", d=path, class_=f"opsdb-way opsdb-way-{way.state}", marker_end=f"url(#{name}-{way.state})"),
        element("text", way.text, x=middle[0], y=middle[1] - 5, text_anchor="middle", class_="opsdb-way-text"),
        href=way.href,
        label=way.description,
    )
