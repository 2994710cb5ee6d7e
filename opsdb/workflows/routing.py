"""Routing: the way from a location to a site, by the operators' routes first, else by what the topology implies."""

from __future__ import annotations

from dataclasses import dataclass

from opsdb import conf
from opsdb.models import DataLocation, DataTransferRoute, LocationType, RouteType, Site

from .errors import NoRoute


@dataclass(frozen=True)
class Hop:
    """One leg of a way: from a location to a buffer at another site.

    Attributes:
        origin: where it starts.
        destination: the buffer where it ends.
        method: the program that carries the data.
        route: the operators' route; None where the topology implies the way.
    """

    origin: DataLocation
    destination: DataLocation
    method: str
    route: DataTransferRoute | None = None

    def __str__(self) -> str:
        way = f"route {self.route.name}" if self.route else "topology"
        return f"{self.origin} → {self.destination} ({way}, {self.method})"


def choose_buffer(site: Site | int) -> DataLocation | None:
    """Return the buffer for new data at a site: the active one with the lowest priority number."""
    return DataLocation.objects.at_site(site).buffers().active().first()


def resolve_route(origin: DataLocation, destination: Site | DataLocation) -> tuple[Hop, ...]:
    """Return the hops from a location to a site, or to one of its buffers: one, or two by a relay.

    First comes a custom route between the two locations, then relay and direct routes between the two sites by
    priority, then, if the destination has an archive, the direct way that needs no route. With a site as the
    destination the data go to its first active buffer, or to where a custom route leads. Inactive routes and locations
    are skipped, also the relay site's. Locks nothing.

    Raises:
        NoRoute: no way leads there; the message names what is missing.
    """
    site, wanted = (destination.site, destination) if isinstance(destination, DataLocation) else (destination, None)
    where = f"data_location {origin.pk} ({origin}) to site {site.short_name}"
    if origin.site_id == site.pk:
        raise NoRoute(f"{where}: the data are at this site already")
    routes = list(
        DataTransferRoute.objects.active()
        .between(origin.site_id, site)
        .select_related("relay_site", "destination_location")
    )
    for route in routes:
        end = route.destination_location
        if (
            route.route_type == RouteType.CUSTOM
            and route.origin_location_id == origin.pk
            and (wanted is None or wanted.pk == end.pk)
            and _receives(end)
        ):
            return (Hop(origin, end, route.method, route),)
    end = choose_buffer(site) if wanted is None else wanted
    if end is None or not _receives(end):
        raise NoRoute(f"{where}: the site has no active buffer; make or activate one")
    for route in routes:
        if route.route_type == RouteType.DIRECT:
            return (Hop(origin, end, route.method, route),)
        if route.route_type == RouteType.RELAY and (relay := choose_buffer(route.relay_site)):
            return Hop(origin, relay, route.method, route), Hop(relay, end, route.method, route)
    if not DataLocation.objects.at_site(site).archives().active().exists():
        raise NoRoute(f"{where}: no active route leads there, and it has no active archive; make a route")
    return (Hop(origin, end, conf.get("OPSDB_TRANSFER_METHOD")),)


def _receives(location):
    return location.active and location.location_type == LocationType.BUFFER
