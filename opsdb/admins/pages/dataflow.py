"""The map of sites, locations and routes, with what moves along each."""

from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb.formatting import format_size
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
from opsdb.svg import element, polyline
from opsdb.workflows import TRAFFIC_STATUSES, list_open_traffic, validate_topology

from ..drawings.flow import LocationBox, RouteArrow, SiteBox, flow_map
from ..kit.columns import badge, human_size, moment
from .counts import format_age
from .parts import Content, Figure, Section, Table, capped, first_of
from .topology import sees_topology, topology_section
from .viewer import AdminPage, Viewer

SITES = 40
ROUTES = 200
ORDER = [LocationType.SOURCE, LocationType.BUFFER, LocationType.LONG_TERM_ARCHIVE, LocationType.PROCESSING]


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
    transfers, archiving, staging = (
        list_open_traffic(kind) if viewer.sees(kind) else []
        for kind in (DataTransfer, LongTermArchiveTransfer, StagingJob)
    )
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
            (_arrow("closed"), _("route inactive (dotted)")),
        ],
        notes=(first_of(SITES),) if more_sites or more_routes else (),
    )
    lacking = ()
    if sees_topology(viewer):
        empty = _("Nothing is missing: there is a way for data into every archive.")
        lacking = (topology_section(viewer, validate_topology(credentials=False), empty),)
    return Content(
        sections=(
            Section(_("Sites, locations and routes"), (figure,), "map"),
            *lacking,
            Section(_("What moves"), (_moves(viewer, transfers, archiving, staging, by_key),), "moving"),
            Section(_("Routes"), (_routes(viewer, routes),), "routes"),
        )
    )


def _name_of(viewer, site):
    return site.short_name if viewer.sees(Site) else viewer.withheld


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
                _name_of(viewer, site),
                _column({place.location_type for place in here}),
                [
                    LocationBox(
                        place.pk,
                        place.name,
                        _describe_location(place, archiving, staging),
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


def _describe_location(place, archiving, staging):
    """The text in the box of a location: its purpose, and what is on its way into it."""
    parts = [LocationType(place.location_type).label]
    if not place.active:
        parts.append(_("inactive"))
    coming = archiving if place.location_type == LocationType.LONG_TERM_ARCHIVE else staging
    here = {one.status: one.number for one in coming if one.destination == place.pk}
    failed = here.pop(Status.FAILED, 0)
    if here:
        parts.append(_("%(number)s coming") % {"number": f"{sum(here.values()):,}"})
    if failed:
        parts.append(f"✘ {failed:,}")
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
            pairs.setdefault(pair, ([], []))[0].append(route)
    for one in transfers:
        if one.origin in places and one.destination in places:
            pair = (places[one.origin].site_id, places[one.destination].site_id)
            if pair[0] != pair[1]:
                pairs.setdefault(pair, ([], []))[1].append(one)
    names = {site.pk: _name_of(viewer, site) for site in sites}
    ways = []
    for (origin, end), (along, moves) in sorted(pairs.items()):
        if {origin, end} <= known:
            ways.append(_way(viewer, origin, end, names, along, moves, places))
    return ways


def _way(viewer, origin, end, names, routes, moves, places):
    failed = sum(one.number for one in moves if one.status == Status.FAILED)
    going = [one for one in moves if one.status != Status.FAILED]
    number, volume = sum(one.number for one in going), sum(one.volume_bytes or 0 for one in going)
    if failed:
        state = "failed"
    elif number:
        state = "moving"
    else:
        state = "idle" if any(route.active for route in routes) else "closed"
    words = []
    if number:
        words.append(f"● {number:,}, {format_size(volume)}")
    if failed:
        words.append(f"✘ {failed:,}")
    if routes and not any(route.active for route in routes):
        words.append(_("inactive"))
    methods = ", ".join(sorted({route.method for route in routes}))
    description = _("%(origin)s to %(end)s: %(routes)s; %(number)s open (%(volume)s), %(failed)s failed") % {
        "origin": names[origin],
        "end": names[end],
        "routes": ", ".join(map(_in_use, routes)) or _("no route"),
        "number": f"{number:,}",
        "volume": format_size(volume),
        "failed": f"{failed:,}",
    }
    if moves:
        ends = [[place.pk for place in places.values() if place.site_id == site] for site in (origin, end)]
        starts, stops = (",".join(map(str, keys)) for keys in ends)
        lookups = {"origin_location__id__in": starts, "destination_location__id__in": stops}
        href = viewer.list_url(DataTransfer, **lookups, status__in=",".join(TRAFFIC_STATUSES))
    else:
        href = viewer.list_url(DataTransferRoute, origin_site__id__exact=origin, destination_site__id__exact=end)
    return RouteArrow(origin, end, "  ".join(words) or methods, description, state, href)


def _in_use(route):
    return route.name if route.active else _("%(route)s (inactive)") % {"route": route.name}


def _arrow(kind):
    line = polyline([(0, 8), (16, 8)], class_=f"opsdb-way opsdb-way-{kind}")
    return element("svg", line, viewBox="0 0 16 16", class_="opsdb-sign-only", aria_hidden="true")


def _moves(viewer, transfers, archiving, staging, places):
    def name(key):
        place = places.get(key)
        return viewer.link(place, f"{place.site}/{place}" if viewer.sees(Site) else str(place)) if place else "–"

    rows = []
    for kind, model, found in (
        (_("transfer"), DataTransfer, transfers),
        (_("archive transfer"), LongTermArchiveTransfer, archiving),
        (_("staging"), StagingJob, staging),
    ):
        for one in found:
            lookups = {"destination_location__id__exact": one.destination, "status__exact": one.status}
            if one.origin:
                lookups["origin_location__id__exact"] = one.origin
            number = _("%(number)s or more") % {"number": f"{one.number:,}"} if one.at_least else f"{one.number:,}"
            rows.append(
                (
                    kind,
                    name(one.origin),
                    name(one.destination),
                    badge(one.status),
                    format_html('<a href="{}">{}</a>', viewer.list_url(model, **lookups), number),
                    "–" if one.volume_bytes is None else human_size(one.volume_bytes),
                    moment(one.since),
                    format_age(one.since),
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
            _("✔ active") if route.active else _("○ inactive"),
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
        _("active"),
    )
    return Table(_("Routes"), columns, rows, _("There are no routes."))


PAGE = AdminPage(
    "dataflow",
    ("map/",),
    lazy("Data flow"),
    view,
    (Site, DataLocation, DataTransferRoute, DataTransfer),
)
