"""Topology: what the sites, locations, routes, instruments and pipelines lack for data to flow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import F, Sum

from opsdb import conf
from opsdb.models import DataLocation, DataTransferRoute, Instrument, LocationType, Pipeline, RouteType, Site

from .errors import NoRoute
from .routing import Network, choose_buffer, resolve_route


class Severity(StrEnum):
    """How bad a problem is: an error stops data, a warning degrades their flow or safety, a note is information."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class TopologyProblem:
    """A deficiency of a site, location, route, instrument or pipeline.

    Attributes:
        severity: how bad it is.
        subject: what has it, such as ``site cologne``.
        problem: what is wrong.
        remedy: what to do.
    """

    severity: Severity
    subject: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.subject}: {self.problem}; {self.remedy}"


def validate_topology() -> list[TopologyProblem]:
    """Return the problems of the sites, locations and routes, the worst first.

    Credentials are looked up in the environment of this process. The number of queries is constant.
    """
    locations = list(DataLocation.objects.select_related("site").specific().order_by("site__short_name", "name"))
    network = Network()
    problems = [
        *_missing_at_sites(locations),
        *_missing_ways(locations, network),
        *_wrong_at_locations(locations),
        *_wrong_volumes(),
        *_wrong_routes(network),
        *_missing_for_use(locations),
    ]
    return sorted(problems, key=lambda problem: list(Severity).index(problem.severity))


def _active(locations, location_type):
    return [one for one in locations if one.active and one.location_type == location_type]


def _missing_at_sites(locations):
    needs_buffer = {
        LocationType.SOURCE: "its instruments' data can't be packaged",
        LocationType.LONG_TERM_ARCHIVE: "nothing can arrive for its archive",
    }
    buffered = {one.site_id for one in _active(locations, LocationType.BUFFER)}
    for site in Site.objects.order_by("short_name"):
        here = [one for one in locations if one.site_id == site.pk and one.active]
        if not here:
            yield TopologyProblem(
                Severity.NOTE, f"site {site}", "has no active location", "add one, or remove the site if it has no role"
            )
        for location_type, consequence in needs_buffer.items():
            if _active(here, location_type) and site.pk not in buffered:
                problem = f"has a {location_type.label} location and no active buffer: {consequence}"
                yield TopologyProblem(
                    Severity.ERROR, f"site {site}", problem, "add a buffer location there, or activate one"
                )
    archives = _active(locations, LocationType.LONG_TERM_ARCHIVE)
    needed = conf.get("OPSDB_MIN_ARCHIVE_COPIES")
    if not archives:
        yield TopologyProblem(Severity.ERROR, "all sites", "no long-term archive is active", "add an archive location")
    elif len(archives) < needed:
        problem = (
            f"{len(archives)} archives are active, but OPSDB_MIN_ARCHIVE_COPIES is {needed}: nothing may be deleted"
        )
        yield TopologyProblem(Severity.ERROR, "all sites", problem, "add archive locations, or lower the setting")
    elif len({one.site_id for one in archives}) == 1:
        problem = "all archives are at one site, so one accident can take every copy"
        yield TopologyProblem(Severity.WARNING, f"site {archives[0].site}", problem, "add an archive at another site")


def _missing_ways(locations, network):
    """Yield the missing ways from each buffer at a site with sources, and between the sites with archives."""
    archiving = list(Site.objects.archiving())
    observing = {one.site_id for one in _active(locations, LocationType.SOURCE)}
    for buffer in _active(locations, LocationType.BUFFER):
        if buffer.site_id not in observing or any(site.pk == buffer.site_id for site in archiving):
            continue
        reasons = [reason for site in archiving if (reason := _why_no_way(buffer, site, network))]
        if archiving and len(reasons) == len(archiving):
            problem = "no way leads from it to any site with an archive: its data stay there"
            yield TopologyProblem(Severity.ERROR, _named(buffer), problem, f"add a route ({reasons[0]})")
        elif reasons:
            problem = f"no way leads from it to some sites with an archive ({reasons[0]})"
            yield TopologyProblem(
                Severity.NOTE, _named(buffer), problem, "add a route, unless the others pass the data on"
            )
    for origin in archiving:
        buffer = choose_buffer(origin, network=network)
        for destination in archiving if buffer else ():
            if destination.pk != origin.pk and (reason := _why_no_way(buffer, destination, network)):
                problem = f"no way leads to site {destination}, so data that arrive first here get no second copy there"
                yield TopologyProblem(Severity.WARNING, f"site {origin}", problem, f"add a route ({reason})")


def _why_no_way(origin, site, network) -> str:
    try:
        resolve_route(origin, site, network=network)
    except NoRoute as reason:
        return str(reason).partition(": ")[2]
    return ""


def _named(location):
    return f"location {location.site}/{location.name}"


def _wrong_at_locations(locations):
    passing = (LocationType.SOURCE, LocationType.BUFFER, LocationType.PROCESSING)
    for location in locations:
        if not location.active:
            continue
        has_threshold = location.deletion_threshold_percent is not None
        if has_threshold and location.capacity_bytes is None:
            problem = "has a fill threshold and no capacity, so the threshold never applies"
            yield TopologyProblem(Severity.WARNING, _named(location), problem, "set its capacity")
        frees_itself = location.retention_days is not None or (has_threshold and location.capacity_bytes is not None)
        if location.location_type in passing and not frees_itself:
            problem = "has neither a retention nor a fill threshold with a capacity, so it only fills up"
            yield TopologyProblem(Severity.WARNING, _named(location), problem, "set its retention")
        if location.location_type == LocationType.LONG_TERM_ARCHIVE and location.fixity_interval_days is None:
            problem = "has no interval for fixity checks, so damage there goes unnoticed"
            yield TopologyProblem(Severity.WARNING, _named(location), problem, "set its fixity interval")
        if location.location_type == LocationType.SOURCE and location.instrument_id is None:
            problem = "is a source location of no instrument"
            yield TopologyProblem(Severity.NOTE, _named(location), problem, "set its instrument")
        if hasattr(location, "get_s3_credentials"):
            try:
                location.get_s3_credentials()
            except LookupError as missing:
                remedy = "set it where workers for this location run"
                yield TopologyProblem(Severity.WARNING, _named(location), f"{missing} here", remedy)


def _wrong_volumes():
    """Yield the locations that are said to hold more than they can, in one query."""
    held = DataLocation.objects.annotate(held=Sum("usage__bytes")).filter(held__gt=F("capacity_bytes"))
    for location in held.select_related("site").order_by("site__short_name", "name"):
        problem = (
            f"holds {location.held:,} bytes by its copies' sizes, more than its capacity of "
            f"{location.capacity_bytes:,}: its fill level, and the retention that it overrides, are wrong"
        )
        remedy = "look for copies with a wrong size there (by size in the admin), or correct the capacity"
        yield TopologyProblem(Severity.WARNING, _named(location), problem, remedy)


def _wrong_routes(network):
    routes = DataTransferRoute.objects.active().select_related(
        "origin_site", "destination_site", "relay_site", "origin_location", "destination_location"
    )
    for route in routes.order_by("name"):
        name = f"route {route.name}"
        if route.route_type == RouteType.RELAY and choose_buffer(route.relay_site, network=network) is None:
            problem = f"relays by site {route.relay_site}, which has no active buffer, and is skipped"
            yield TopologyProblem(Severity.WARNING, name, problem, "add a buffer there, or make the route inactive")
        if route.route_type != RouteType.CUSTOM:
            continue
        end = route.destination_location
        if end.location_type != LocationType.BUFFER or not end.active or not route.origin_location.active:
            problem = f"leads from {route.origin_location} to {end}, which are not both active with a buffer at the end"
            yield TopologyProblem(
                Severity.WARNING, name, f"{problem}; it is skipped", "correct it, or make it inactive"
            )


def _missing_for_use(locations):
    written_to = {one.instrument_id for one in _active(locations, LocationType.SOURCE)}
    for instrument in Instrument.objects.available().order_by("name"):
        if instrument.pk not in written_to:
            problem = "is available, but has no active source location: its files can't be registered"
            yield TopologyProblem(Severity.WARNING, f"instrument {instrument}", problem, "add a source location for it")
    processing = {one.pk for one in _active(locations, LocationType.PROCESSING)}
    for pipeline in Pipeline.objects.enabled():
        if pipeline.processing_location_id not in processing:
            problem = "is enabled, but its processing location is inactive: its data can't be staged"
            yield TopologyProblem(
                Severity.ERROR, f"pipeline {pipeline}", problem, "activate the location, or disable it"
            )
