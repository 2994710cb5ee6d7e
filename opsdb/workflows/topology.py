"""What the sites, locations and routes imply: the queues that workers serve, and what is missing."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db import connections, router
from django.utils import timezone

from opsdb import conf
from opsdb.models import (
    DataLocation,
    DataTransfer,
    DataTransferPackage,
    DataTransferRoute,
    Instrument,
    LocationType,
    LongTermArchiveTransfer,
    PhysicalCopyStatus,
    Pipeline,
    RawDataPackage,
    RouteType,
    Site,
    StagingJob,
    Status,
)

from .routing import NoRoute, first_buffer, resolve_route


class Operation(StrEnum):
    """What workers do at a location; the last part of a queue's name.

    Scheme and names are those of the CCAT data centre's workers, as far as its public documentation shows them:
    https://docs.data.ccat.uni-koeln.de/data-transfer/docs/source/routing.html ("Queue Naming Convention", as of
    2025-11-05) has ``raw_data_package_creation``, ``data_transfer``, ``data_transfer_unpacking``,
    ``long_term_archive_transfer``, ``staging`` and ``deletion`` among its examples. What was found of it shows no name
    for making transfer packages or for fixity checks; ``data_transfer_package_creation`` and ``fixity_check`` are ours.
    """

    RAW_DATA_PACKAGE_CREATION = "raw_data_package_creation"
    DATA_TRANSFER_PACKAGE_CREATION = "data_transfer_package_creation"
    DATA_TRANSFER = "data_transfer"
    DATA_TRANSFER_UNPACKING = "data_transfer_unpacking"
    LONG_TERM_ARCHIVE_TRANSFER = "long_term_archive_transfer"
    STAGING = "staging"
    FIXITY_CHECK = "fixity_check"
    DELETION = "deletion"


# Where each operation is done; a transfer where it starts, everything else where the result is.
OPERATIONS = {
    LocationType.SOURCE: (Operation.RAW_DATA_PACKAGE_CREATION, Operation.FIXITY_CHECK, Operation.DELETION),
    LocationType.BUFFER: (
        Operation.DATA_TRANSFER_PACKAGE_CREATION,
        Operation.DATA_TRANSFER,
        Operation.DATA_TRANSFER_UNPACKING,
        Operation.FIXITY_CHECK,
        Operation.DELETION,
    ),
    LocationType.LONG_TERM_ARCHIVE: (Operation.LONG_TERM_ARCHIVE_TRANSFER, Operation.FIXITY_CHECK),
    LocationType.PROCESSING: (Operation.STAGING, Operation.FIXITY_CHECK, Operation.DELETION),
}


@dataclass(frozen=True)
class Queue:
    """A queue that workers take work from.

    Attributes:
        name: its name.
        site: short name of the site.
        location: name of the location.
        operation: what is done.
        active: whether the location is in use; if not, only what is there is worked on.
        stalled: how many pieces of its work a worker began, and has shown no life at for
            ``OPSDB_STALLED_AFTER_SECONDS``; of deletions those not reported for as long, 1,000 at the most.
    """

    name: str
    site: str
    location: str
    operation: Operation
    active: bool
    stalled: int = 0


def queue_name(location: DataLocation, operation: Operation) -> str:
    """Return the name of a queue: ``{site.short_name}_{location.name}_{operation}``."""
    return f"{location.site.short_name}_{location.name}_{operation}"


def _begun(model, place):
    return (
        f"SELECT {place}, coalesce(heartbeat_at, started_at) FROM {model._meta.db_table} AS item "
        f"WHERE status = '{Status.IN_PROGRESS}'"
    )


# What workers have begun: where, and when they showed life last. Each part walks an index of what is going on.
BEGUN = {
    Operation.RAW_DATA_PACKAGE_CREATION: _begun(
        RawDataPackage, "(SELECT source_location_id FROM raw_data_file WHERE raw_data_package_id = item.id LIMIT 1)"
    ),
    Operation.DATA_TRANSFER_PACKAGE_CREATION: _begun(DataTransferPackage, "origin_location_id"),
    Operation.DATA_TRANSFER: _begun(DataTransfer, "origin_location_id"),
    Operation.DATA_TRANSFER_UNPACKING: (
        "SELECT destination_location_id, unpack_heartbeat_at FROM data_transfer WHERE status = 'completed' "
        f"AND NOT (unpack_status = 'completed') AND unpack_status = '{Status.IN_PROGRESS}'"
    ),
    Operation.LONG_TERM_ARCHIVE_TRANSFER: _begun(LongTermArchiveTransfer, "destination_location_id"),
    Operation.STAGING: _begun(StagingJob, "destination_location_id"),
    Operation.DELETION: (
        "SELECT place.id, going.updated_at FROM data_location AS place CROSS JOIN LATERAL (SELECT updated_at "
        "FROM physical_copy WHERE data_location_id = place.id "
        f"AND status = '{PhysicalCopyStatus.DELETION_IN_PROGRESS}' ORDER BY arrived_at LIMIT 1000) AS going"
    ),
}
STALLED = "\nUNION ALL\n".join(
    f"SELECT '{operation}', place, count(*) FROM ({begun}) AS going (place, seen) "
    "WHERE seen < %(before)s GROUP BY place"
    for operation, begun in BEGUN.items()
)


def _stalled() -> dict[tuple[str, int], int]:
    before = timezone.now() - timedelta(seconds=conf.get("OPSDB_STALLED_AFTER_SECONDS"))
    with connections[router.db_for_read(DataLocation)].cursor() as cursor:
        cursor.execute(STALLED, {"before": before})
        return {(operation, place): number for operation, place, number in cursor.fetchall()}


def queues() -> list[Queue]:
    """Return every queue that the topology implies, by site and location, with what is stalled there. Two queries."""
    locations = DataLocation.objects.select_related("site").order_by("site__short_name", "name")
    stalled = _stalled()
    return [
        Queue(
            queue_name(location, operation),
            location.site.short_name,
            location.name,
            operation,
            location.active,
            stalled.get((operation, location.pk), 0),
        )
        for location in locations
        for operation in OPERATIONS[LocationType(location.location_type)]
    ]


class Severity(StrEnum):
    """How bad a problem is: data can't get where they should; they can, but not as they should; good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Problem:
    """Something that a site or location lacks.

    Attributes:
        severity: how bad it is.
        subject: what it is about, such as ``site cologne``.
        problem: what is wrong.
        remedy: what to do.
    """

    severity: Severity
    subject: str
    problem: str
    remedy: str

    def __str__(self):
        return f"{self.severity}: {self.subject}: {self.problem}; {self.remedy}"


def validate_topology() -> list[Problem]:
    """Return what the sites, locations and routes lack, the worst first.

    Whether credentials are set is asked of the environment of this process. The number of queries grows with the
    sites and locations, not with the data.
    """
    locations = list(DataLocation.objects.select_related("site").specific().order_by("site__short_name", "name"))
    problems = [
        *_missing_at_sites(locations),
        *_missing_ways(locations),
        *_wrong_at_locations(locations),
        *_wrong_routes(),
        *_missing_for_use(locations),
    ]
    return sorted(problems, key=lambda problem: list(Severity).index(problem.severity))


def _in_use(locations, location_type):
    return [one for one in locations if one.active and one.location_type == location_type]


def _missing_at_sites(locations):
    needs_buffer = {
        LocationType.SOURCE: "its instruments' data can't be packaged",
        LocationType.LONG_TERM_ARCHIVE: "nothing can arrive for its archive",
    }
    buffered = {one.site_id for one in _in_use(locations, LocationType.BUFFER)}
    for site in Site.objects.order_by("short_name"):
        here = [one for one in locations if one.site_id == site.pk and one.active]
        if not here:
            yield Problem(
                Severity.NOTE, f"site {site}", "has no location in use", "add one, or remove the site if it has no part"
            )
        for location_type, consequence in needs_buffer.items():
            if _in_use(here, location_type) and site.pk not in buffered:
                problem = f"has a {location_type.label} location and no buffer in use: {consequence}"
                yield Problem(Severity.ERROR, f"site {site}", problem, "add a buffer location there, or activate one")
    archives = _in_use(locations, LocationType.LONG_TERM_ARCHIVE)
    needed = conf.get("OPSDB_MIN_ARCHIVE_COPIES")
    if not archives:
        yield Problem(Severity.ERROR, "all sites", "no long-term archive is in use", "add an archive location")
    elif len(archives) < needed:
        problem = (
            f"{len(archives)} archives are in use, but OPSDB_MIN_ARCHIVE_COPIES is {needed}: nothing may be deleted"
        )
        yield Problem(Severity.ERROR, "all sites", problem, "add archive locations, or lower the setting")
    elif len({one.site_id for one in archives}) == 1:
        problem = "all archives are at one site, so one accident can take every copy"
        yield Problem(Severity.WARNING, f"site {archives[0].site}", problem, "add an archive at another site")


def _missing_ways(locations):
    """Ways from each buffer at a site with sources, and between the sites with archives."""
    archiving = list(Site.objects.archiving())
    observing = {one.site_id for one in _in_use(locations, LocationType.SOURCE)}
    for buffer in _in_use(locations, LocationType.BUFFER):
        if buffer.site_id not in observing or any(site.pk == buffer.site_id for site in archiving):
            continue
        reasons = [reason for site in archiving if (reason := _why_no_way(buffer, site))]
        if archiving and len(reasons) == len(archiving):
            problem = "no way leads from it to any site with an archive: its data stay there"
            yield Problem(Severity.ERROR, _named(buffer), problem, f"add a route ({reasons[0]})")
        elif reasons:
            problem = f"no way leads from it to some sites with an archive ({reasons[0]})"
            yield Problem(Severity.NOTE, _named(buffer), problem, "add a route, unless the others pass the data on")
    for origin in archiving:
        buffer = first_buffer(origin)
        for destination in archiving if buffer else ():
            if destination.pk != origin.pk and (reason := _why_no_way(buffer, destination)):
                problem = f"no way leads to site {destination}, so data that arrive first here get no second copy there"
                yield Problem(Severity.WARNING, f"site {origin}", problem, f"add a route ({reason})")


def _why_no_way(origin, site) -> str:
    try:
        resolve_route(origin, site)
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
            yield Problem(Severity.WARNING, _named(location), problem, "set its capacity")
        frees_itself = location.retention_days is not None or (has_threshold and location.capacity_bytes is not None)
        if location.location_type in passing and not frees_itself:
            problem = "has neither a retention nor a fill threshold with a capacity, so it only ever fills up"
            yield Problem(Severity.WARNING, _named(location), problem, "set its retention")
        if location.location_type == LocationType.LONG_TERM_ARCHIVE and location.fixity_interval_days is None:
            problem = "has no interval for fixity checks, so damage there goes unnoticed"
            yield Problem(Severity.WARNING, _named(location), problem, "set its fixity interval")
        if location.location_type == LocationType.SOURCE and location.instrument_id is None:
            problem = "is a source location of no instrument"
            yield Problem(Severity.NOTE, _named(location), problem, "say which instrument writes there")
        if hasattr(location, "get_s3_credentials"):
            try:
                location.get_s3_credentials()
            except LookupError as missing:
                remedy = "set it where workers for this location run"
                yield Problem(Severity.WARNING, _named(location), f"{missing} here", remedy)


def _wrong_routes():
    routes = DataTransferRoute.objects.active().select_related(
        "origin_site", "destination_site", "relay_site", "origin_location", "destination_location"
    )
    for route in routes.order_by("name"):
        name = f"route {route.name}"
        if route.route_type == RouteType.RELAY and first_buffer(route.relay_site) is None:
            problem = f"relays by site {route.relay_site}, which has no buffer in use, and is passed over"
            yield Problem(Severity.WARNING, name, problem, "add a buffer there, or take the route out of use")
        if route.route_type != RouteType.CUSTOM:
            continue
        end = route.destination_location
        if end.location_type != LocationType.BUFFER or not end.active or not route.origin_location.active:
            problem = f"leads from {route.origin_location} to {end}, which are not both in use and end in a buffer"
            yield Problem(Severity.WARNING, name, f"{problem}; it is passed over", "correct it, or take it out of use")


def _missing_for_use(locations):
    written_to = {one.instrument_id for one in _in_use(locations, LocationType.SOURCE)}
    for instrument in Instrument.objects.available().order_by("name"):
        if instrument.pk not in written_to:
            problem = "is available, but no source location in use is its own: its files can't be registered"
            yield Problem(Severity.WARNING, f"instrument {instrument}", problem, "add a source location for it")
    processing = {one.pk for one in _in_use(locations, LocationType.PROCESSING)}
    for pipeline in Pipeline.objects.enabled():
        if pipeline.processing_location_id not in processing:
            problem = "is enabled, but its processing location is out of use: its data can't be staged"
            yield Problem(Severity.ERROR, f"pipeline {pipeline}", problem, "activate the location, or disable it")
