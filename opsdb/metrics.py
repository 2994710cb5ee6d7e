"""Measurements for Prometheus: counts by state, ages, volumes, missing copies, failures, stalled work.

They are the numbers of :func:`opsdb.workflows.get_overview`, read when Prometheus asks, by a fixed number of queries
whose cost does not grow with the tables. Needs the extra ``metrics``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from . import __version__
from .access.middleware import SCHEME, identify_by_token
from .models import PhysicalCopyStatus, Status
from .permissions import permissions_named
from .replication import read_health, replica_aliases
from .workflows import LocationVolume, Overview, Stage, get_overview
from .workflows.overview import EXACT_LIMIT, WORK
from .workflows.overview.queries import SHOWN

# What a user has to have for the numbers of all stages and locations.
NEEDED = ("read:observations", "read:data", "read:transfers", "read:products", "read:locations")
STAGE = ("stage",)
PLACE = ("site", "location", "location_type")
DATABASE = ("alias", "role")
STALLED_TABLES = sorted({model._meta.db_table for model in WORK.values()} | {"physical_copy"})


class OpsdbCollector(Collector):
    """Reads the overview whenever a registry collects: ``prometheus_client.REGISTRY.register(OpsdbCollector())``."""

    def describe(self) -> Iterable[Metric]:
        """Return the metrics without their samples, so that registering asks no database."""
        return _Metrics().all()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, by the nine queries of the overview."""
        metrics = _Metrics()
        metrics.fill(get_overview())
        yield from metrics.all()


class _Metrics:
    def __init__(self) -> None:
        counted = f"exact up to {EXACT_LIMIT}, beyond that estimated from statistics or a lower bound"
        self.build = InfoMetricFamily("opsdb_build", "The installed version of ops-db.")
        self.rows = _gauge("opsdb_stage_rows", f"Rows of a stage in a state; {counted}.", (*STAGE, "state"))
        self.exact = _gauge("opsdb_stage_rows_exact", "1 if opsdb_stage_rows is exact, else 0.", (*STAGE, "state"))
        self.failed = _gauge("opsdb_stage_failed_rows", f"Rows of a stage that failed; {counted}.", STAGE)
        self.oldest = _gauge(
            "opsdb_stage_oldest_age_seconds", "Age of the oldest row that has work to be done; 0 without one.", STAGE
        )
        self.stalled = _gauge(
            "opsdb_stalled_rows", f"Rows in progress whose worker has no heartbeat, at most {SHOWN} a kind.", ("table",)
        )
        self.stored = _gauge("opsdb_location_stored_bytes", "Bytes of the copies at a location.", PLACE)
        self.capacity = _gauge("opsdb_location_capacity_bytes", "Bytes that a location could store, if known.", PLACE)
        self.active = _gauge("opsdb_location_active", "1 if new data may be written to the location, else 0.", PLACE)
        self.copies = _gauge(
            "opsdb_location_copies",
            f"Copies at a location in a state; of the rare states at most {EXACT_LIMIT + 1}.",
            (*PLACE, "state"),
        )
        self.expected = _gauge(
            "opsdb_location_expected_copies", "Copies that should be at a location, and good.", PLACE
        )
        self.good = _gauge(
            "opsdb_database_active", "1 if the primary or a replica responds and is not too late, else 0.", DATABASE
        )
        self.behind_bytes = _gauge("opsdb_replica_behind_bytes", "Bytes of the log that a replica lacks.", ("alias",))
        self.behind = _gauge(
            "opsdb_replica_behind_seconds", "Age of the newest change that a replica has, if it lacks any.", ("alias",)
        )
        self.lacking = _gauge("opsdb_location_lacking_copies", "Expected copies that are missing or corrupt.", PLACE)

    def all(self) -> list[Metric]:
        return [*vars(self).values()]

    def fill(self, overview: Overview) -> None:
        self.build.add_metric((), {"version": __version__})
        for stage in overview.stages:
            self._add_stage(stage, overview)
        stalled = Counter(trouble.row.partition(" ")[0] for trouble in overview.stalled)
        for table in STALLED_TABLES:
            self.stalled.add_metric((table,), stalled[table])
        for location in overview.locations:
            self._add_location(location)
        if replica_aliases():
            self._add_databases()

    def _add_databases(self) -> None:
        for health in read_health():
            self.good.add_metric((health.alias, health.role), not health.problem)
            if health.behind_bytes is not None:
                self.behind_bytes.add_metric((health.alias,), health.behind_bytes)
            if health.behind_seconds is not None:
                self.behind.add_metric((health.alias,), health.behind_seconds)

    def _add_stage(self, stage: Stage, overview: Overview) -> None:
        name = _label(stage.name)
        for count in stage.states:
            self.rows.add_metric((name, _label(count.state)), count.number.value)
            self.exact.add_metric((name, _label(count.state)), count.number.is_exact)
        failed = [count.number.value for count in stage.states if count.state == Status.FAILED]
        if failed:
            self.failed.add_metric((name,), sum(failed))
        age = (overview.at - stage.oldest).total_seconds() if stage.oldest else 0
        self.oldest.add_metric((name,), max(age, 0))

    def _add_location(self, location: LocationVolume) -> None:
        place = (location.site, location.location, location.location_type)
        self.stored.add_metric(place, location.volume_bytes)
        if location.capacity_bytes is not None:
            self.capacity.add_metric(place, location.capacity_bytes)
        self.active.add_metric(place, location.active)
        # Every state, so that a series does not end when its last copy leaves the state.
        counts = {state.value: 0 for state in PhysicalCopyStatus}
        counts |= {count.state: count.number.value for count in location.states}
        for state, number in counts.items():
            self.copies.add_metric((*place, state), number)
        self.expected.add_metric(place, location.expected.value)
        self.lacking.add_metric(place, location.lacking.value)


def _gauge(name: str, meaning: str, labels: tuple[str, ...]) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, labels=labels)


def _label(name: str) -> str:
    """Return a name that people read as the value of a label: ``raw_data_files``."""
    return name.replace(" ", "_")


def expose(accept: str = "") -> tuple[bytes, str]:
    """Return all metrics and their media type, in the format that a client asks for.

    Args:
        accept: the header ``Accept``; by default the text format of Prometheus is chosen.
    """
    registry = CollectorRegistry()
    registry.register(OpsdbCollector())
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


@require_safe
@never_cache
def metrics_view(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus; for ``path("metrics", metrics_view)`` in the URLs of a project.

    For users who may read observations, data, transfers, products and locations: with a session, or with an API token
    in ``Authorization: Bearer``, whether or not the project has ``TokenMiddleware``.
    """
    if refusal := identify_by_token(request):
        return refusal
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return HttpResponse("Authenticate with an API token.\n", status=401, headers={"WWW-Authenticate": SCHEME})
    if not all(user.has_perms(permissions_named(name)) for name in NEEDED):
        return HttpResponse(f"You need {', '.join(NEEDED)}.\n", status=403)
    body, content_type = expose(request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type)
