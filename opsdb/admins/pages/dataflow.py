"""The map of sites, locations and routes, with what moves along each."""

from dataclasses import dataclass

from django.db.models import BigIntegerField, Count, Min, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.html import format_html, strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    DataLocation,
    DataTransfer,
    DataTransferRoute,
    LocationType,
    LongTermArchiveTransfer,
    RouteType,
    Site,
    StagingJob,
    Status,
)

from ..drawings.flow import Place, Way, flow_map
from ..drawings.flow import Site as SiteBox
from ..drawings.svg import element, polyline
from ..kit.columns import badge, human_size, moment
from .base import Content, Figure, Page, Section, Table, Viewer, capped, first_of
from .wording import age

OPEN_READ = 10_000  # of each kind and state
SITES = 40
ROUTES = 200
ORDER = [LocationType.SOURCE, LocationType.BUFFER, LocationType.LONG_TERM_ARCHIVE, LocationType.PROCESSING]
LISTED = (*Status.open(), Status.FAILED)


@dataclass
class Moving:
    """What is on one way, in one state.

    Attributes:
        number: how many.
        bytes: how large they are, as far as is known.
        since: when the oldest was made.
        at_least: whether there may be more than were looked at.
    """

    number: int
    bytes: int
    since: object
    at_least: bool

    def __str__(self):
        return _("%(number)s or more") % {"number": f"{self.number:,}"} if self.at_least else f"{self.number:,}"


def view(viewer: Viewer) -> Content:
    """The map, and what moves as a table."""
    sites, more_sites = capped(Site.objects.order_by("short_name"), SITES)
    places = list(
        DataLocation.objects.filter(site__in=sites).select_related("site").order_by("site", "priority", "name")[:400]
    )
    routes, more_routes = capped(
        DataTransferRoute.objects.select_related("origin_site", "destination_site", "relay_site").order_by(
            "priority", "name"
        ),
        ROUTES,
    )
    if not viewer.sees(DataTransferRoute):
        routes = []
    transfers = _open(viewer, DataTransfer, "origin_location", "data_transfer_package__size_bytes")
    archiving = _open(viewer, LongTermArchiveTransfer, None, "raw_data_package__size_bytes")
    staging = _open(viewer, StagingJob, None, None)
    by_key = {place.pk: place for place in places}
    figure = Figure(
        "dataflow",
        _("Map of the data flow"),
        flow_map(
            _boxes(viewer, sites, places, archiving, staging),
            _ways(viewer, sites, routes, transfers, by_key),
            name="flow-map",
            title=_("Map of the data flow"),
            description=_(
                "Sites with their locations from left to right as data pass them: instruments, then relays, then"
                " archives. Arrows are routes, with the open and failed transfers along each."
            ),
        ),
        legend=[
            (_arrow("idle"), _("route, nothing moves")),
            (_arrow("moving"), _("something moves (thick)")),
            (_arrow("failed"), _("something failed (dashed, ✘)")),
            (_arrow("closed"), _("route out of use (dotted)")),
        ],
        notes=(first_of(SITES),) if more_sites or more_routes else (),
    )
    return Content(
        sections=(
            Section(_("Sites, locations and routes"), (figure,), "map"),
            Section(_("What moves"), (_moves(viewer, transfers, archiving, staging, by_key),), "moving"),
            Section(_("Routes"), (_routes(viewer, routes),), "routes"),
        )
    )


def _open(viewer, model, origin, size):
    """What is open or failed, by way and state. One query, which looks at no more than so many of each state.

    Returns:
        :class:`Moving` by origin (None where the kind has none), destination and state.
    """
    if not viewer.sees(model):
        return {}
    first, *others = (
        model.objects.filter(status=status).order_by("created_at").values("pk")[:OPEN_READ] for status in LISTED
    )
    total = Sum(size) if size else Value(0)
    rows = (
        model.objects.filter(pk__in=first.union(*others, all=True))
        .order_by()
        .values_list(*([f"{origin}_id"] if origin else []), "destination_location_id", "status")
        .annotate(number=Count("pk"), bytes=Coalesce(total, 0, output_field=BigIntegerField()), since=Min("created_at"))
    )
    found = {}
    for *ends, status, number, volume, since in rows:
        key = (*([None] if not origin else []), *ends, status)
        found[key] = Moving(number, volume, since, False)
    for status in LISTED:
        of_status = [moving for key, moving in found.items() if key[-1] == status]
        if sum(moving.number for moving in of_status) >= OPEN_READ:
            for moving in of_status:
                moving.at_least = True
    return found


def _column(kinds):
    """The column of a site: where data begin, pass, or stay."""
    if LocationType.SOURCE in kinds:
        return 0
    return 2 if LocationType.LONG_TERM_ARCHIVE in kinds else 1


def _boxes(viewer, sites, places, archiving, staging):
    boxes = []
    for site in sites:
        here = sorted(
            (place for place in places if place.site_id == site.pk),
            key=lambda place: (ORDER.index(place.location_type), place.priority, place.name),
        )
        boxes.append(
            SiteBox(
                site.pk,
                site.short_name,
                _column({place.location_type for place in here}),
                [
                    Place(
                        place.pk,
                        place.name,
                        _told(place, archiving, staging),
                        place.location_type,
                        viewer.row_url(DataLocation, place.pk),
                        place.active,
                    )
                    for place in here
                ]
                if viewer.sees(DataLocation)
                else [],
                viewer.row_url(Site, site.pk),
            )
        )
    return boxes


def _told(place, archiving, staging):
    """What stands in the box of a location: what it is for, and what is on its way into it."""
    parts = [LocationType(place.location_type).label]
    if not place.active:
        parts.append(_("out of use"))
    coming = archiving if place.location_type == LocationType.LONG_TERM_ARCHIVE else staging
    going = [moving for (_origin, end, status), moving in coming.items() if end == place.pk and status != Status.FAILED]
    failed = [
        moving for (_origin, end, status), moving in coming.items() if end == place.pk and status == Status.FAILED
    ]
    if going:
        parts.append(_("%(number)s coming") % {"number": f"{sum(moving.number for moving in going):,}"})
    if failed:
        parts.append(f"✘ {sum(moving.number for moving in failed):,}")
    return ", ".join(map(str, parts))


def _ways(viewer, sites, routes, transfers, places):
    """An arrow for each pair of sites with a route or a transfer."""
    known = {site.pk for site in sites}
    pairs = {}
    for route in routes:
        hops = [route.origin_site_id, route.destination_site_id]
        if route.route_type == RouteType.RELAY:
            hops.insert(1, route.relay_site_id)
        for pair in zip(hops, hops[1:], strict=False):
            pairs.setdefault(pair, ([], {}))[0].append(route)
    for (origin, end, status), moving in transfers.items():
        if origin in places and end in places:
            pair = (places[origin].site_id, places[end].site_id)
            if pair[0] != pair[1]:
                pairs.setdefault(pair, ([], {}))[1].setdefault(status, []).append(moving)
    names = {site.pk: site.short_name for site in sites}
    ways = []
    for (origin, end), (along, moves) in sorted(pairs.items()):
        if {origin, end} <= known:
            ways.append(_way(viewer, origin, end, names, along, moves, places))
    return ways


def _way(viewer, origin, end, names, routes, moves, places):
    failed = sum(moving.number for moving in moves.get(Status.FAILED, ()))
    going = [moving for status, group in moves.items() if status != Status.FAILED for moving in group]
    number, volume = sum(moving.number for moving in going), sum(moving.bytes for moving in going)
    if failed:
        state = "failed"
    elif number:
        state = "moving"
    else:
        state = "idle" if any(route.active for route in routes) else "closed"
    words = []
    if number:
        words.append(f"● {number:,}, {_size(volume)}")
    if failed:
        words.append(f"✘ {failed:,}")
    methods = ", ".join(sorted({route.method for route in routes}))
    told = _("%(origin)s to %(end)s: %(routes)s; %(number)s open (%(volume)s), %(failed)s failed") % {
        "origin": names[origin],
        "end": names[end],
        "routes": ", ".join(route.name for route in routes) or _("no route"),
        "number": f"{number:,}",
        "volume": _size(volume),
        "failed": f"{failed:,}",
    }
    if moves:
        ends = [[place.pk for place in places.values() if place.site_id == site] for site in (origin, end)]
        starts, stops = (",".join(map(str, keys)) for keys in ends)
        lookups = {"origin_location__id__in": starts, "destination_location__id__in": stops}
        href = viewer.list_url(DataTransfer, **lookups, status__in=",".join(LISTED))
    else:
        href = viewer.list_url(DataTransferRoute, origin_site__id__exact=origin, destination_site__id__exact=end)
    return Way(origin, end, "  ".join(words) or methods, told, state, href)


def _size(volume):
    """A number of bytes as mere text."""
    return strip_tags(human_size(volume))


def _arrow(kind):
    line = polyline([(0, 8), (16, 8)], class_=f"opsdb-way opsdb-way-{kind}")
    return element("svg", line, viewBox="0 0 16 16", class_="opsdb-sign-only", aria_hidden="true")


def _moves(viewer, transfers, archiving, staging, places):
    def name(key):
        place = places.get(key)
        return viewer.link(place, f"{place.site}/{place}") if place else "–"

    rows = []
    for kind, model, found in (
        (_("transfer"), DataTransfer, transfers),
        (_("move into an archive"), LongTermArchiveTransfer, archiving),
        (_("staging"), StagingJob, staging),
    ):
        for (origin, end, status), moving in sorted(
            found.items(), key=lambda item: (item[0][0] or 0, item[0][1], Status.values.index(item[0][2]))
        ):
            lookups = {"destination_location__id__exact": end, "status__exact": status}
            if origin:
                lookups["origin_location__id__exact"] = origin
            rows.append(
                (
                    kind,
                    name(origin),
                    name(end),
                    badge(Status(status)),
                    format_html('<a href="{}">{}</a>', viewer.list_url(model, **lookups), moving),
                    human_size(moving.bytes) if model is not StagingJob else "–",
                    moment(moving.since),
                    age(moving.since),
                )
            )
    return Table(
        _("What moves"),
        (_("what"), _("from"), _("to"), _("status"), _("how many"), _("volume"), _("oldest [UTC]"), _("for")),
        rows,
        _("Nothing moves, and nothing has failed."),
    )


def _routes(viewer, routes):
    rows = [
        (
            viewer.link(route),
            viewer.link(route.origin_site),
            viewer.link(route.destination_site),
            viewer.link(route.relay_site) if route.relay_site else "–",
            RouteType(route.route_type).label,
            route.method,
            route.priority,
            _("✔ in use") if route.active else _("○ out of use"),
        )
        for route in routes
    ]
    columns = (
        _("route"),
        _("from"),
        _("to"),
        _("by way of"),
        _("type"),
        _("method"),
        _("priority"),
        _("in use"),
    )
    return Table(_("Routes"), columns, rows, _("There are no routes."))


PAGE = Page(
    "dataflow",
    ("map/",),
    lazy("Data flow"),
    view,
    (Site, DataLocation, DataTransferRoute, DataTransfer),
)
