"""Routing: the way from a location to a site, by the operators' routes first, else by what the topology implies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from opsdb import conf
from opsdb.models import DataLocation, DataTransferRoute, LocationType, RouteType, Site
from opsdb.row_labels import place_of

from .errors import NoRoom, NoRoute, name_row
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
        return f"{place_of(self.origin)} → {place_of(self.destination)} ({way}, {self.method})"


class Network:
    """The active routes, buffers and archives of all sites, each read once, for who asks for many ways."""

    @cached_property
    def _routes(self) -> dict[tuple[int, int], list[DataTransferRoute]]:
        found = defaultdict(list)
        routes = DataTransferRoute.objects.active().select_related("relay_site", "destination_location")
        for route in routes.order_by("priority", "id"):
            found[route.origin_site_id, route.destination_site_id].append(route)
        return found

    @cached_property
    def _buffers(self) -> dict[int, list[DataLocation]]:
        found = defaultdict(list)
        for buffer in DataLocation.objects.buffers().active().select_related("site"):
            found[buffer.site_id].append(buffer)
        return found

    @cached_property
    def _archiving(self) -> set[int]:
        return set(DataLocation.objects.archives().active().order_by().values_list("site_id", flat=True))

    def read_all(self) -> Network:
        """Read all of it now, so that no question costs a query."""
        _all = self._routes, self._buffers, self._archiving
        return self

    def routes_between(self, origin: int, destination: int) -> list[DataTransferRoute]:
        """Return the active routes from one site to another, by their keys, the preferred first."""
        return self._routes[origin, destination]

    def buffers_at(self, site: int) -> list[DataLocation]:
        """Return the active buffers at the site with this key, the preferred first."""
        return self._buffers[site]

    def has_archive(self, site: int) -> bool:
        """Return whether an archive is active at the site with this key."""
        return site in self._archiving


def choose_buffer(
    site: Site | int,
    *,
    room: Room | None = None,
    size_bytes: int | None = None,
    network: Network | None = None,
) -> DataLocation | None:
    """Return the buffer for new data at a site: the active one with the lowest priority number.

    Args:
        site: the site.
        room: where there is room; full buffers are passed over.
        size_bytes: size of the data in bytes.
        network: what was read before; read now when left out.

    Raises:
        NoRoom: all active buffers there are full.
    """
    buffers = (network or Network()).buffers_at(site.pk if isinstance(site, Site) else site)
    for buffer in buffers:
        if room is None or room.takes(buffer, size_bytes):
            return buffer
    if buffers:
        name = name_row(DataLocation, buffers[0].pk)
        raise NoRoom(f"{name}: {describe_lack(buffers[0], size_bytes)}; make room there, or add a buffer", buffers[0])
    return None


def resolve_route(
    origin: DataLocation,
    destination: Site | DataLocation,
    *,
    room: Room | None = None,
    size_bytes: int | None = None,
    network: Network | None = None,
) -> tuple[Hop, ...]:
    """Return the hops from a location to a site, or to one of its buffers: one, or two by a relay.

    First comes a custom route between the two locations, then relay and direct routes between the two sites by
    priority, then, if the destination has an archive, the direct way that needs no route. With a site as the
    destination the data go to its first active buffer, or to where a custom route leads. Inactive routes and locations
    are skipped, also the relay site's, and with ``room`` those that lack it. Locks nothing.

    Args:
        origin: where the data are.
        destination: where they are sent.
        room: where there is room.
        size_bytes: size of the data in bytes.
        network: what was read before; read now when left out.

    Raises:
        NoRoom: a route leads there, and the location at its end is full.
        NoRoute: no route leads there; the message names what is missing.
    """
    site, wanted = (destination.site, destination) if isinstance(destination, DataLocation) else (destination, None)

    def refuse(why):
        return NoRoute(f"{name_row(DataLocation, origin.pk)} ({place_of(origin)}): no route to site {site}: {why}")

    if origin.site_id == site.pk:
        raise refuse("the data are at this site already; choose another site")
    network = network or Network()
    routes = network.routes_between(origin.site_id, site.pk)
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
    end = choose_buffer(site, room=room, size_bytes=size_bytes, network=network) if wanted is None else wanted
    if end is None or not _receives(end):
        if wanted is not None:
            raise refuse(f"{place_of(wanted)} is not an active buffer; enable it, or choose another location")
        raise refuse("the site has no active buffer; add or enable one")
    if room is not None and not room.takes(end, size_bytes):
        raise NoRoom(f"{name_row(DataLocation, end.pk)}: {describe_lack(end, size_bytes)}; make room there", end)
    for route in routes:
        if route.route_type == RouteType.DIRECT:
            return (Hop(origin, end, route.method, route),)
        if route.route_type == RouteType.RELAY and (
            relay := choose_buffer(route.relay_site, room=room, size_bytes=size_bytes, network=network)
        ):
            return Hop(origin, relay, route.method, route), Hop(relay, end, route.method, route)
    if not network.has_archive(site.pk):
        raise refuse("no active route leads there, and it has no active archive; add a route, or an archive there")
    return (Hop(origin, end, conf.get("OPSDB_TRANSFER_METHOD")),)


def _receives(location):
    return location.active and location.location_type == LocationType.BUFFER
