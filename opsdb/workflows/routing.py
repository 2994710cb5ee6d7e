"""Routing: the way from a location to a site, by the operators' routes first, else by what the topology implies."""

from __future__ import annotations

from dataclasses import dataclass

from opsdb import conf
from opsdb.models import DataLocation, DataTransferRoute, LocationType, RouteType, Site

from .errors import NoRoom, NoRoute
from .room import Room, describe_lack


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


class AskedTopology:
    """Active locations and routes, asked of the database one by one: for few questions about ways."""

    def buffers_at(self, site: Site | int) -> list[DataLocation]:
        """Return the active buffers at a site, the preferred first."""
        return list(DataLocation.objects.at_site(site).buffers().active().select_related("site"))

    def routes_between(self, origin: int, destination: Site) -> list[DataTransferRoute]:
        """Return the active routes from a site, given by its key, to another, the preferred first."""
        routes = DataTransferRoute.objects.active().between(origin, destination)
        return list(routes.select_related("relay_site", "destination_location"))

    def has_archive(self, site: Site) -> bool:
        """Return whether a site has an active archive."""
        return DataLocation.objects.at_site(site).archives().active().exists()


class ReadTopology(AskedTopology):
    """Active locations and routes, read by two queries at once: for many questions about ways."""

    def __init__(self) -> None:
        self._locations = list(DataLocation.objects.active().select_related("site").order_by("priority", "id"))
        routes = DataTransferRoute.objects.active().select_related("relay_site", "destination_location")
        self._routes = list(routes.order_by("priority", "id"))

    def _of_type(self, site, location_type):
        key = site.pk if isinstance(site, Site) else site
        return [one for one in self._locations if (one.site_id, one.location_type) == (key, location_type)]

    def buffers_at(self, site: Site | int) -> list[DataLocation]:
        return self._of_type(site, LocationType.BUFFER)

    def routes_between(self, origin: int, destination: Site) -> list[DataTransferRoute]:
        ends = origin, destination.pk
        return [route for route in self._routes if (route.origin_site_id, route.destination_site_id) == ends]

    def has_archive(self, site: Site) -> bool:
        return bool(self._of_type(site, LocationType.LONG_TERM_ARCHIVE))


def choose_buffer(
    site: Site | int,
    *,
    room: Room | None = None,
    size_bytes: int | None = None,
    topology: AskedTopology | None = None,
) -> DataLocation | None:
    """Return the buffer for new data at a site: the active one with the lowest priority number.

    Args:
        site: the site.
        room: where there is room; full buffers are passed over.
        size_bytes: size of the data in bytes.
        topology: the locations, where they were read before.

    Raises:
        NoRoom: all active buffers there are full.
    """
    full = (topology or AskedTopology()).buffers_at(site)
    if room is None:
        return full[0] if full else None
    for buffer in full:
        if room.takes(buffer, size_bytes):
            return buffer
    if full:
        raise NoRoom(f"{describe_lack(full[0], size_bytes)}; make room there, or add a buffer", full[0])
    return None


def resolve_route(
    origin: DataLocation,
    destination: Site | DataLocation,
    *,
    room: Room | None = None,
    size_bytes: int | None = None,
    topology: AskedTopology | None = None,
) -> tuple[Hop, ...]:
    """Return the hops from a location to a site, or to one of its buffers: one, or two by a relay.

    First comes a custom route between the two locations, then relay and direct routes between the two sites by
    priority, then, if the destination has an archive, the direct way that needs no route. With a site as the
    destination the data go to its first active buffer, or to where a custom route leads. Inactive routes and locations
    are skipped, also the relay site's, and with ``room`` those that lack it. Locks nothing.

    Args:
        origin: where the data are.
        destination: where they go.
        room: where there is room.
        size_bytes: size of the data in bytes.
        topology: locations and routes, where they were read before.

    Raises:
        NoRoom: a way leads there, and the place at its end is full.
        NoRoute: no way leads there; the message names what is missing.
    """
    site, wanted = (destination.site, destination) if isinstance(destination, DataLocation) else (destination, None)
    where = f"data_location {origin.pk} ({origin}) to site {site.short_name}"
    if origin.site_id == site.pk:
        raise NoRoute(f"{where}: the data are at this site already")
    topology = topology or AskedTopology()
    routes = topology.routes_between(origin.site_id, site)
    for route in routes:
        end = route.destination_location
        if (
            route.route_type == RouteType.CUSTOM
            and route.origin_location_id == origin.pk
            and (wanted is None or wanted.pk == end.pk)
            and _receives(end)
            and (room is None or room.takes(end, size_bytes))
        ):
            return (Hop(origin, end, route.method, route),)
    end = choose_buffer(site, room=room, size_bytes=size_bytes, topology=topology) if wanted is None else wanted
    if end is None or not _receives(end):
        raise NoRoute(f"{where}: the site has no active buffer; make or activate one")
    if room is not None and not room.takes(end, size_bytes):
        raise NoRoom(f"{where}: {describe_lack(end, size_bytes)}; make room there", end)
    for route in routes:
        if route.route_type == RouteType.DIRECT:
            return (Hop(origin, end, route.method, route),)
        if route.route_type == RouteType.RELAY and (
            relay := choose_buffer(route.relay_site, room=room, size_bytes=size_bytes, topology=topology)
        ):
            return Hop(origin, relay, route.method, route), Hop(relay, end, route.method, route)
    if not topology.has_archive(site):
        raise NoRoute(f"{where}: no active route leads there, and it has no active archive; make a route")
    return (Hop(origin, end, conf.get("OPSDB_TRANSFER_METHOD")),)


def _receives(location):
    return location.active and location.location_type == LocationType.BUFFER
