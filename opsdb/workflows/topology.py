"""Topology: what the sites, locations, routes, instruments and pipelines lack for data to flow."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import F, Sum

from opsdb import conf
from opsdb.models import (
    DataLocation,
    DataTransferRoute,
    Instrument,
    LocationType,
    Pipeline,
    RouteType,
    S3DataLocation,
    Site,
)
from opsdb.row_labels import place_of

from .errors import NoRoute, name_row
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
        row: table and key of what has it; empty for what concerns all sites.
        sites: keys of the sites that it concerns.
        adds: table of the row that would mend it, where one is missing; empty otherwise.
        values: what that row begins with, by field.
    """

    severity: Severity
    subject: str
    problem: str
    remedy: str
    row: str = ""
    sites: tuple[int, ...] = ()
    adds: str = ""
    values: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        return f"{self.severity}: {self.subject}: {self.problem}; {self.remedy}"


def validate_topology(*, credentials: bool = True) -> list[TopologyProblem]:
    """Return the problems of the sites, locations and routes, the worst first.

    A fixed number of queries.

    Args:
        credentials: whether to look up credentials of object stores in the environment of this process, which must then
            be where workers run.
    """
    locations = list(DataLocation.objects.select_related("site").order_by("site__short_name", "name"))
    ways = Network().read_all()
    problems = [
        *_missing_at_sites(locations),
        *_missing_ways(locations, ways),
        *_wrong_at_locations(locations),
        *(_missing_credentials() if credentials else ()),
        *_wrong_volumes(),
        *_wrong_routes(ways),
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
    types = defaultdict(set)
    for location in locations:
        if location.active:
            types[location.site_id].add(location.location_type)
    for site in Site.objects.order_by("short_name"):
        here = types[site.pk]
        if not here:
            yield _of_site(
                Severity.NOTE, site, "has no active location", "add one, or remove the site if it has no role"
            )
        for location_type, consequence in needs_buffer.items():
            if location_type in here and LocationType.BUFFER not in here:
                problem = f"has a {location_type.label} location and no active buffer: {consequence}"
                yield _of_site(
                    Severity.ERROR, site, problem, "add a buffer location there, or enable one", LocationType.BUFFER
                )
    archives = _active(locations, LocationType.LONG_TERM_ARCHIVE)
    needed = conf.get("OPSDB_MIN_ARCHIVE_COPIES")
    if not archives:
        problem = "no long-term archive is active"
        yield TopologyProblem(Severity.ERROR, "all sites", problem, "add an archive location", **_location())
    elif len(archives) < needed:
        problem = (
            f"{len(archives)} archives are active, but OPSDB_MIN_ARCHIVE_COPIES is {needed}: nothing may be deleted"
        )
        remedy = "add archive locations, or lower the setting"
        yield TopologyProblem(Severity.ERROR, "all sites", problem, remedy, **_location())
    elif len({one.site_id for one in archives}) == 1:
        problem = "all archives are at one site, so one accident can take every copy"
        yield TopologyProblem(
            Severity.WARNING,
            f"site {archives[0].site}",
            problem,
            "add an archive at another site",
            name_row(Site, archives[0].site_id),
            (archives[0].site_id,),
            **_location(),
        )


def _location(site: Site | None = None, location_type: LocationType = LocationType.LONG_TERM_ARCHIVE):
    """Return the location that is missing."""
    values = {"location_type": location_type.value, **({"site": site.pk} if site else {})}
    return {"adds": DataLocation._meta.db_table, "values": tuple(values.items())}


def _route(origin: int, destination: int):
    """Return the route that is missing between two sites, given by their keys."""
    values = (("origin_site", origin), ("destination_site", destination))
    return {"adds": DataTransferRoute._meta.db_table, "values": values}


def _of_site(severity, site, problem, remedy, missing: LocationType = LocationType.BUFFER) -> TopologyProblem:
    return TopologyProblem(
        severity, f"site {site}", problem, remedy, name_row(Site, site.pk), (site.pk,), **_location(site, missing)
    )


def _of_location(severity, location, problem, remedy, **missing) -> TopologyProblem:
    row = name_row(DataLocation, location.pk)
    return TopologyProblem(severity, _named(location), problem, remedy, row, (location.site_id,), **missing)


def _missing_ways(locations, ways):
    """Yield the missing ways from each buffer at a site with sources, and between the sites with archives."""
    archiving = list(Site.objects.archiving())
    observing = {one.site_id for one in _active(locations, LocationType.SOURCE)}
    for buffer in _active(locations, LocationType.BUFFER):
        if buffer.site_id not in observing or any(site.pk == buffer.site_id for site in archiving):
            continue
        lacking = {site.pk: reason for site in archiving if (reason := _why_no_way(buffer, site, ways))}
        reasons = list(lacking.values())
        if archiving and len(reasons) == len(archiving):
            problem = "no route leads from it to any site with an archive: its data stay there"
            missing = _route(buffer.site_id, next(iter(lacking)))
            yield _of_location(Severity.ERROR, buffer, problem, f"add a route ({reasons[0]})", **missing)
        elif reasons:
            problem = f"no route leads from it to some sites with an archive ({reasons[0]})"
            missing = _route(buffer.site_id, next(iter(lacking)))
            remedy = "add a route, unless the others pass the data on"
            yield _of_location(Severity.NOTE, buffer, problem, remedy, **missing)
    for origin in archiving:
        buffer = choose_buffer(origin, network=ways)
        for destination in archiving if buffer else ():
            if destination.pk != origin.pk and (reason := _why_no_way(buffer, destination, ways)):
                problem = (
                    f"no route leads to site {destination.short_name}, so data that arrive first here get no second "
                    "copy there"
                )
                yield TopologyProblem(
                    Severity.WARNING,
                    f"site {origin.short_name}",
                    problem,
                    f"add a route ({reason})",
                    name_row(Site, origin.pk),
                    (origin.pk, destination.pk),
                    **_route(origin.pk, destination.pk),
                )


def _why_no_way(origin, site, ways) -> str:
    try:
        resolve_route(origin, site, network=ways)
    except NoRoute as reason:
        return str(reason).partition(": ")[2]
    return ""


def _named(location):
    return f"location {place_of(location)}"


def _wrong_at_locations(locations):
    passing = (LocationType.SOURCE, LocationType.BUFFER, LocationType.PROCESSING)
    for location in locations:
        if not location.active:
            continue
        has_threshold = location.deletion_threshold_percent is not None
        if has_threshold and location.capacity_bytes is None:
            problem = "has a fill threshold and no capacity, so the threshold never applies"
            yield _of_location(Severity.WARNING, location, problem, "set its capacity")
        frees_itself = location.retention_days is not None or (has_threshold and location.capacity_bytes is not None)
        if location.location_type in passing and not frees_itself:
            problem = "has neither a retention nor a fill threshold with a capacity, so it only fills up"
            yield _of_location(Severity.WARNING, location, problem, "set its retention")
        if location.location_type == LocationType.LONG_TERM_ARCHIVE and location.fixity_interval_days is None:
            problem = "has no interval for fixity checks, so damage there goes unnoticed"
            yield _of_location(Severity.WARNING, location, problem, "set its fixity interval")
        if location.location_type == LocationType.SOURCE and location.instrument_id is None:
            problem = "is a source location of no instrument"
            yield _of_location(Severity.NOTE, location, problem, "set its instrument")


def _missing_credentials():
    for location in S3DataLocation.objects.active().select_related("site").order_by("site__short_name", "name"):
        try:
            location.get_s3_credentials()
        except LookupError as missing:
            remedy = "set it where workers for this location run"
            yield _of_location(Severity.WARNING, location, f"{missing} here", remedy)


def _wrong_volumes():
    """Yield the locations whose recorded sizes exceed their capacity, in one query."""
    held = DataLocation.objects.annotate(held=Sum("usage__bytes")).filter(held__gt=F("capacity_bytes"))
    for location in held.select_related("site").order_by("site__short_name", "name"):
        problem = (
            f"holds {location.held:,} bytes by its copies' sizes, more than its capacity of "
            f"{location.capacity_bytes:,}: its fill level, and the retention that it overrides, are wrong"
        )
        remedy = "look for copies with a wrong size there (by size in the admin), or correct the capacity"
        yield _of_location(Severity.WARNING, location, problem, remedy)


def _wrong_routes(ways):
    routes = DataTransferRoute.objects.active().select_related(
        "origin_site", "destination_site", "relay_site", "origin_location__site", "destination_location__site"
    )
    for route in routes.order_by("name"):
        name, sites = f"route {route.name}", (route.origin_site_id, route.destination_site_id)
        row = name_row(DataTransferRoute, route.pk)
        if route.route_type == RouteType.RELAY and choose_buffer(route.relay_site, network=ways) is None:
            problem = f"relays by site {route.relay_site}, which has no active buffer, and is skipped"
            remedy, missing = (
                "add a buffer there, or make the route inactive",
                _location(route.relay_site, LocationType.BUFFER),
            )
            yield TopologyProblem(
                Severity.WARNING, name, problem, remedy, row, (*sites, route.relay_site_id), **missing
            )
        if route.route_type != RouteType.CUSTOM:
            continue
        end = route.destination_location
        if end.location_type != LocationType.BUFFER or not end.active or not route.origin_location.active:
            problem = (
                f"leads from {place_of(route.origin_location)} to {place_of(end)}, which are not both active with a "
                "buffer at the end"
            )
            remedy = "correct it, or pause it"
            yield TopologyProblem(Severity.WARNING, name, f"{problem}; it is skipped", remedy, row, sites)


def _missing_for_use(locations):
    written_to = {one.instrument_id for one in _active(locations, LocationType.SOURCE)}
    for instrument in Instrument.objects.available().order_by("name"):
        if instrument.pk not in written_to:
            problem = "is available, but has no active source location: its files can't be registered"
            values = (("location_type", LocationType.SOURCE.value), ("instrument", instrument.pk))
            yield TopologyProblem(
                Severity.WARNING,
                f"instrument {instrument}",
                problem,
                "add a source location for it",
                name_row(Instrument, instrument.pk),
                adds=DataLocation._meta.db_table,
                values=values,
            )
    processing = {one.pk for one in _active(locations, LocationType.PROCESSING)}
    for pipeline in Pipeline.objects.enabled():
        if pipeline.processing_location_id not in processing:
            problem = "is enabled, but its processing location is inactive: its data can't be staged"
            yield TopologyProblem(
                Severity.ERROR,
                f"pipeline {pipeline}",
                problem,
                "enable the location, or pause the pipeline",
                name_row(Pipeline, pipeline.pk),
            )
