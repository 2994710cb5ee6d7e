"""Answers people ask for: where is it, and why is it not done yet.

Nothing here changes or locks a row.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, Model, OuterRef, Q
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from opsdb import conf
from opsdb.database.indexes import CHECKSUM_HEAD, checksum_head
from opsdb.models import (
    DataLocation,
    DataProduct,
    DataTransfer,
    DataTransferPackage,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LocationType,
    LongTermArchiveTransfer,
    ObservationStatus,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataFile,
    RawDataPackage,
    ReductionStep,
    RunStatus,
    Site,
    StagingJob,
    Status,
    TriggerType,
    Verification,
)
from opsdb.models.copies.physical_copies import COPY_TARGETS

from .deletion import explain_deletion
from .errors import NotFound, OpsdbError, Refused
from .reducing import choose_version, missing_inputs
from .routing import NoRoute, resolve_route
from .staging import what_is_missing
from .states import name_of
from .topology import Operation, queue_name
from .wording import time_since

BORN_ANYWHERE = (RawDataPackage, RawDataFile, DataTransferPackage, ExecutedObsUnit)
ASKED_ABOUT = {
    model._meta.db_table: model
    for model in (
        *BORN_ANYWHERE,
        DataProduct,
        PhysicalCopy,
        DataTransfer,
        LongTermArchiveTransfer,
        StagingJob,
        ExecutedReductionStep,
        ReductionStep,
    )
}
CHECKSUM = re.compile(rf"[0-9a-f]{{{CHECKSUM_HEAD},128}}")
MOST_COPIES = 1_000
MOST_PACKAGES = 10_000


class Ambiguous(OpsdbError):
    """Several rows are meant; the message names them.

    Attributes:
        names: table and key of each.
    """

    def __init__(self, text: str, names: list[str]):
        self.names = names
        super().__init__(f"{text!r} may be any of: {', '.join(names)}; name one of them")


def find(text: str) -> Model:
    """Return the row that a person means.

    Args:
        text: a UUID, table and key as messages give them (``data_transfer 17``), or the name, path or whole checksum
            of a package, file or product.

    Raises:
        NotFound: there is no such row.
        Ambiguous: there are several.
    """
    text = text.strip()
    table, _separator, key = text.partition(" ")
    if table in ASKED_ABOUT and key:
        found = _by_key(ASKED_ABOUT[table], key.strip())
    else:
        found = _by_uuid(text) or _by_name(text) or _by_checksum(text.lower())
    if not found:
        raise NotFound(
            f"{text!r}: there is no such row; give a UUID, a table and a key such as 'data_transfer 17', or the name, "
            "path or checksum of a package, file or product"
        )
    if len(found) > 1:
        raise Ambiguous(text, [name_of(type(row), row.pk) for row in found])
    return found[0]


def _by_key(model, key):
    try:
        return list(model.objects.filter(pk=model._meta.pk.to_python(key)))
    except (ValidationError, OverflowError):
        return []


def _by_uuid(text):
    try:
        key = UUID(text)
    except ValueError:
        return []
    return [row for model in BORN_ANYWHERE for row in model.objects.filter(pk=key)]


def _by_name(text):
    """Rows of this name or path, each found by an index: names of packages are unique, paths of files at a source."""
    if "\0" in text:
        return []
    sources = list(DataLocation.objects.sources().order_by().values_list("pk", flat=True))
    base = text.rpartition("/")[2]
    packages = [
        row
        for model in (RawDataPackage, DataTransferPackage)
        for row in model.objects.filter(name=base)
        if text in (base, row.relative_path)
    ]
    files = RawDataFile.objects.filter(source_location__in=sources, relative_path=text)
    products = DataProduct.objects.filter(Q(relative_path=text) | Q(name=text))
    return [*packages, *files[:10], *products.order_by("pk")[:10]]


def _by_checksum(text):
    """Rows whose content has this checksum, found by ``by_checksum``."""
    if not CHECKSUM.fullmatch(text):
        return []
    begins = Exact(checksum_head(), text[:CHECKSUM_HEAD])
    models = (RawDataPackage, DataTransferPackage, RawDataFile, DataProduct)
    return [row for model in models for row in model.objects.filter(begins, checksum=text).order_by("pk")[:10]]


# Where is it


@dataclass(frozen=True)
class CopyFound:
    """A copy that holds what was asked about, by itself or with other things.

    Attributes:
        id: key of the copy.
        of: table and key of what it is a copy of.
        name: its name or path.
        site: short name of the site.
        location: name of the location.
        location_type: what the location is for.
        status: state of the bytes.
        verification: what the last comparison of its checksum found.
        verified_at: when that was.
        size_bytes: its size in bytes.
        relative_path: path below the location.
    """

    id: int
    of: str
    name: str
    site: str
    location: str
    location_type: str
    status: str
    verification: str
    verified_at: datetime | None
    size_bytes: int | None
    relative_path: str


@dataclass(frozen=True)
class Whereabouts:
    """Where the bytes of something are.

    Attributes:
        subject: table and key of what was asked about.
        name: its name.
        copies: the copies that hold it: first of itself, then of what contains it, then of what it contains.
        truncated: whether there are more copies than are listed.
    """

    subject: str
    name: str
    copies: list[CopyFound] = field(default_factory=list)
    truncated: bool = False


def where_is(thing: Model | str, *, limit: int = MOST_COPIES) -> Whereabouts:
    """Return every copy of an observation, file, package, transfer package or product.

    A file is also in the copies of its package and of the transfer package of that; a package is also in its
    transfer package and its files. Each kind of copy is one query, found by its partial index on ``physical_copy``.

    Args:
        thing: a row, or what :func:`find` takes.
        limit: how many copies of each kind at the most.

    Raises:
        NotFound, Ambiguous: as :func:`find`.
        Refused: it is nothing that has copies.
    """
    if isinstance(thing, str):
        thing = find(thing)
    truncated, copies = False, []
    for target, keys in _holders(thing):
        found = list(
            PhysicalCopy.objects.filter(**{f"{target}__in": keys})
            .select_related("data_location__site", target)
            .order_by(f"{target}_id", "data_location__site__short_name", "data_location__name")[: limit + 1]
        )
        truncated |= len(found) > limit
        copies += [_copy_found(copy, target) for copy in found[:limit]]
    return Whereabouts(name_of(type(thing), thing.pk), str(thing), copies, truncated)


def _copy_found(copy, target):
    thing, location = getattr(copy, target), copy.data_location
    return CopyFound(
        id=copy.pk,
        of=name_of(type(thing), thing.pk),
        name=str(thing),
        site=location.site.short_name,
        location=location.name,
        location_type=location.location_type,
        status=copy.status,
        verification=copy.verification,
        verified_at=copy.verified_at,
        size_bytes=copy.size_bytes,
        relative_path=thing.relative_path,
    )


def _holders(thing):
    """Yield kind of copy and which things of that kind hold what is asked about, or a part of it."""
    packages = RawDataPackage.objects.all()
    if isinstance(thing, PhysicalCopy):
        yield thing.target_name, [getattr(thing, f"{thing.target_name}_id")]
    elif isinstance(thing, DataProduct):
        yield "data_product", [thing.pk]
    elif isinstance(thing, RawDataFile):
        package = packages.filter(pk=thing.raw_data_package_id)
        yield "raw_data_file", [thing.pk]
        yield "raw_data_package", package.values("pk")
        yield "data_transfer_package", _bundles_of(package)
    elif isinstance(thing, RawDataPackage):
        yield "raw_data_package", [thing.pk]
        yield "data_transfer_package", _bundles_of(packages.filter(pk=thing.pk))
        yield "raw_data_file", RawDataFile.objects.filter(raw_data_package=thing).values("pk")
    elif isinstance(thing, DataTransferPackage):
        yield "data_transfer_package", [thing.pk]
        yield "raw_data_package", packages.filter(data_transfer_package=thing).values("pk")
    elif isinstance(thing, ExecutedObsUnit):
        packages = packages.filter(executed_obs_unit=thing)
        yield "raw_data_package", packages.values("pk")
        yield "data_transfer_package", _bundles_of(packages)
        yield "raw_data_file", RawDataFile.objects.of(thing).values("pk")
    else:
        raise Refused(f"{name_of(type(thing), thing.pk)}: has no copies; ask for one of {', '.join(COPY_TARGETS)}")


def _bundles_of(packages):
    return packages.filter(data_transfer_package__isnull=False).values("data_transfer_package")


# Why is it not done yet

NOBODY = "nobody"
MANAGER = "manager"
OPERATOR = "operator"
TELESCOPE = "telescope"
INSTRUMENT = "instrument"
CLUSTER = "cluster"
WHO = {
    NOBODY: gettext_lazy("nobody"),
    MANAGER: gettext_lazy("manager"),
    OPERATOR: gettext_lazy("operator"),
    TELESCOPE: gettext_lazy("telescope"),
    INSTRUMENT: gettext_lazy("instrument"),
    CLUSTER: gettext_lazy("cluster"),
}
WORKER_AT = "worker at queue "
RESET_WORK = "opsdb.workflows.work.reset"
RESET_TRANSFER = "opsdb.workflows.transferring.reset_transfer"
RESET_ARCHIVE_TRANSFER = "opsdb.workflows.archiving.reset_archive_transfer"
RESET_RUN = "opsdb.workflows.reducing.reset_run"
REROUTE = "opsdb.workflows.transferring.reroute_transfer"
RETRY_UNPACKING = "opsdb.workflows.transferring.retry_unpacking"
PLAN_RUNS = "opsdb.workflows.reducing.plan_runs"
CORRECT = {
    RawDataPackage: "opsdb.workflows.packaging.correct_packaging",
    DataTransferPackage: "opsdb.workflows.packaging.correct_bundling",
}


@dataclass(frozen=True)
class Explanation:
    """Why something is where it is, and what has to happen next.

    The sentences are in the language that is active when it is made; what programs compare is never translated.

    Attributes:
        subject: table and key of what was asked about.
        state: where it stands.
        done: whether nothing has to happen any more.
        why: why, the most particular last; each a sentence that names its rows.
        next_step: what has to happen next.
        who: who does it: nobody, manager, operator, telescope, instrument, cluster, or ``worker at queue …``.
    """

    subject: str
    state: str
    done: bool
    why: tuple[str, ...]
    next_step: str
    who: str

    @property
    def who_in_words(self) -> str:
        """Who does it, in the active language."""
        if self.who in WHO:
            return str(WHO[self.who])
        return _("worker at queue %(queue)s") % {"queue": self.who.removeprefix(WORKER_AT)}

    def because_of(self, row: Model, state: str, *why: str) -> "Explanation":
        """Return the explanation of another row that waits for this one."""
        return Explanation(name_of(type(row), row.pk), state, False, (*why, *self.why), self.next_step, self.who)


def explain(thing: Model | str) -> Explanation:
    """Return why something is not where it should be: a package not archived, a transfer not moving, a copy not
    deleted, a run not starting; and what has to happen next, and who does it.

    Args:
        thing: a row, or what :func:`find` takes.

    Raises:
        NotFound, Ambiguous: as :func:`find`.
        Refused: nothing has to happen to a row of its kind.
    """
    if isinstance(thing, str):
        thing = find(thing)
    for model, explanation in EXPLANATIONS.items():
        if isinstance(thing, model):
            row = model.objects.filter(pk=thing.pk).first()
            if row is None:
                raise NotFound(f"{name_of(model, thing.pk)}: there is no such row")
            return explanation(row)
    raise Refused(f"{name_of(type(thing), thing.pk)}: there is nothing to explain; ask for {', '.join(ASKED_ABOUT)}")


def _says(row, state, why, next_step, who) -> Explanation:
    return Explanation(name_of(type(row), row.pk), str(state), False, (why,), next_step, who)


def _done(row, state, why) -> Explanation:
    return Explanation(name_of(type(row), row.pk), str(state), True, (why,), _("nothing"), NOBODY)


def _worker(location, operation) -> str:
    return f"{WORKER_AT}{queue_name(location, operation)}"


def _place(location) -> str:
    return f"{location.site}/{location}"


def _time(moment) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _is_stalled(last_sign) -> bool:
    return last_sign is not None and timezone.now() - last_sign > timedelta(
        seconds=conf.get("OPSDB_STALLED_AFTER_SECONDS")
    )


def _after_failure(told, name, retry, most, message) -> Explanation:
    """Say first that an earlier attempt failed, if one did."""
    if not retry:
        return told
    failed = _("%(name)s: this is retry %(retry)d of %(most)d; the last attempt failed: %(message)s")
    return replace(told, why=(failed % {"name": name, "retry": retry, "most": most, "message": message}, *told.why))


def _remove_cause(name, reset) -> str:
    step = _("remove the cause, then reset %(name)s (“Reset failed” in the admin, or %(reset)s)")
    return step % {"name": name, "reset": reset}


def _activate(location) -> str:
    return _("activate %(place)s") % {"place": _place(location)}


def _of_work(row, what, location, operation, reset) -> Explanation:
    """The explanation of a work item that is not completed."""
    who = _worker(location, operation)
    name = name_of(type(row), row.pk)
    if row.status == Status.FAILED:
        why = ngettext(
            "%(name)s: failed %(duration)s ago after %(retries)d retry (%(what)s): %(message)s",
            "%(name)s: failed %(duration)s ago after %(retries)d retries (%(what)s): %(message)s",
            row.retry_count,
        ) % {
            "name": name,
            "duration": time_since(row.finished_at),
            "retries": row.retry_count,
            "what": what,
            "message": row.failure_message,
        }
        return _says(row, row.status, why, _remove_cause(name, reset), OPERATOR)
    if row.status == Status.IN_PROGRESS:
        last_sign = row.heartbeat_at or row.started_at
        facts = {"name": name, "worker": row.claimed_by or _("a worker"), "duration": time_since(row.started_at)}
        if _is_stalled(last_sign):
            why = _("%(name)s: %(worker)s has been at work for %(duration)s, and has shown no life for %(silence)s") % {
                **facts,
                "silence": time_since(last_sign),
            }
            step = _(
                "see whether the worker is alive; if not, reset %(name)s (“Reset failed” in the admin, or %(reset)s)"
            )
            return _says(row, row.status, why, step % {"name": name, "reset": reset}, OPERATOR)
        why = _("%(name)s: %(worker)s has been at work for %(duration)s") % facts
        step = _("finish it: %(what)s") % {"what": what}
        return _says(row, row.status, why, step, f"{who} ({row.claimed_by})" if row.claimed_by else who)
    why = _("%(name)s: has been waiting for %(duration)s for a worker (%(what)s)") % {
        "name": name,
        "duration": time_since(row.created_at),
        "what": what,
    }
    told = _says(row, row.status, why, _("take it up: %(what)s") % {"what": what}, who)
    return _after_failure(told, name, row.retry_count, row.max_retries, row.failure_message)


def _explain_observation(execution) -> Explanation:
    name = name_of(ExecutedObsUnit, execution.pk)
    if execution.status == ObservationStatus.RUNNING:
        why = _("%(name)s: has been running for %(duration)s") % {
            "name": name,
            "duration": time_since(execution.start_time),
        }
        return _says(execution, execution.status, why, _("end the observation and report it"), TELESCOPE)
    counts = RawDataPackage.objects.filter(executed_obs_unit=execution).aggregate(
        packages=Count("pk"), archived=Count("pk", filter=Q(state=PackageState.ARCHIVED))
    )
    unpackaged = RawDataFile.objects.of(execution).unpackaged().order_by("instrument_module", "pk").first()
    if unpackaged:
        why = _("%(name)s: some of its files are in no package") % {"name": name}
        return _explain_file(unpackaged).because_of(execution, execution.status, why)
    if not counts["packages"]:
        why = _("%(name)s: no file of it is registered") % {"name": name}
        return _says(execution, execution.status, why, _("register the files, if it took data"), INSTRUMENT)
    told = ngettext(
        "%(name)s: %(archived)d of its %(packages)d package is archived",
        "%(name)s: %(archived)d of its %(packages)d packages are archived",
        counts["packages"],
    ) % {"name": name, **counts}
    waiting = (
        RawDataPackage.objects.not_archived().filter(executed_obs_unit=execution).order_by("created_at", "pk").first()
    )
    if waiting:
        return _explain_package(waiting).because_of(execution, execution.status, told)
    return _done(execution, execution.status, told)


def _explain_file(file) -> Explanation:
    name = name_of(RawDataFile, file.pk)
    if file.raw_data_package_id:
        package = file.raw_data_package
        told = _explain_package(package)
        names = {"name": name, "package": name_of(RawDataPackage, package.pk)}
        if told.done:
            return _done(file, "packaged", _("%(name)s: is in %(package)s, which is archived") % names)
        return told.because_of(file, "packaged", _("%(name)s: is in %(package)s") % names)
    if file.executed_obs_unit.status == ObservationStatus.RUNNING:
        why = _("%(name)s: is in no package, because its observation is still running") % {"name": name}
        return _says(file, "registered", why, _("end the observation and report it"), TELESCOPE)
    why = _("%(name)s: has been in no package for %(duration)s") % {
        "name": name,
        "duration": time_since(file.created_at),
    }
    step = _("package the files at %(location)s") % {"location": file.source_location}
    return _says(file, "registered", why, step, MANAGER)


def _safe_copies(package):
    return (
        PhysicalCopy.objects.verified()
        .present()
        .filter(
            raw_data_package=package,
            data_location__location_type=LocationType.LONG_TERM_ARCHIVE,
            checksum=package.checksum,
            checksum_algorithm=package.checksum_algorithm,
        )
        .count()
    )


def _unless_misreported(told, thing) -> Explanation:
    """Name the correction first where what failed may be right and what is recorded wrong."""
    copies = PhysicalCopy.objects.of(thing)
    differing = copies.filter(verification=Verification.MISMATCH).exclude(
        checksum=thing.checksum, size_bytes=thing.size_bytes
    )
    wrong = told.who == OPERATOR and not copies.verified().exists() and differing.order_by("pk").first()
    if not wrong:
        return told
    why = _("%(copy)s: has another checksum or size than is recorded, which no copy confirms") % {
        "copy": name_of(PhysicalCopy, wrong.pk)
    }
    step = _(
        "read %(name)s again where it was made; if it has not the recorded checksum, correct that by %(correct)s; "
        "then %(next_step)s"
    ) % {"name": name_of(type(thing), thing.pk), "correct": CORRECT[type(thing)], "next_step": told.next_step}
    return replace(told, why=(*told.why, why), next_step=step)


def _explain_package(package) -> Explanation:
    return _unless_misreported(_explain_package_as_recorded(package), package)


def _explain_package_as_recorded(package) -> Explanation:
    name = name_of(RawDataPackage, package.pk)
    if package.state == PackageState.ARCHIVED:
        return _explain_archived(package)
    if package.status != Status.COMPLETED:
        source = DataLocation.objects.filter(
            Exists(RawDataFile.objects.filter(raw_data_package=package, source_location=OuterRef("pk")))
        ).first()
        if source is None:
            why = _("%(name)s: holds no files") % {"name": name}
            return _says(package, package.state, why, _("find out how it came about"), OPERATOR)
        told = _of_work(package, _("making its tar"), source, Operation.RAW_DATA_PACKAGE_CREATION, RESET_WORK)
        return told.because_of(package, package.state)
    into_archive = list(
        package.archive_transfers.exclude(status=Status.COMPLETED)
        .select_related("destination_location__site")
        .order_by("-status", "pk")
    )
    moving = [transfer for transfer in into_archive if transfer.status != Status.FAILED]
    if chosen := (moving or into_archive):
        why = _("%(name)s: no archive has it yet") % {"name": name}
        return _explain_archive_transfer(chosen[0]).because_of(package, package.state, why)
    buffers = list(
        DataLocation.objects.buffers()
        .filter(pk__in=PhysicalCopy.objects.readable().filter(raw_data_package=package).values("data_location"))
        .select_related("site")
    )
    for buffer in buffers:
        archive = DataLocation.objects.at_site(buffer.site_id).archives().active().select_related("site").first()
        if archive:
            why = _("%(name)s: is at %(place)s, and nobody has planned its transfer into %(archive)s") % {
                "name": name,
                "place": _place(buffer),
                "archive": archive,
            }
            step = _("plan the archiving into %(place)s") % {"place": _place(archive)}
            return _says(package, package.state, why, step, MANAGER)
    if package.data_transfer_package_id:
        told = _explain_bundle(package.data_transfer_package)
        if not told.done:
            bundle = name_of(DataTransferPackage, package.data_transfer_package_id)
            why = _("%(name)s: travels in %(bundle)s") % {"name": name, "bundle": bundle}
            return told.because_of(package, package.state, why)
        why = _(
            "%(name)s: its transfer package has arrived, but no copy of it can be read in a buffer beside an archive"
        ) % {"name": name}
        step = _("find its bytes, and have it unpacked or transferred again")
        return _says(package, package.state, why, step, OPERATOR)
    if buffers:
        place = _place(buffers[0])
        why = _("%(name)s: is at %(place)s in no transfer package") % {"name": name, "place": place}
        step = _("bundle the packages at %(place)s") % {"place": place}
        return _says(package, package.state, why, step, MANAGER)
    why = _("%(name)s: no copy of it can be read in any buffer") % {"name": name}
    step = _("find its bytes, or make its tar again from its files")
    return _says(package, package.state, why, step, OPERATOR)


def _explain_archived(package) -> Explanation:
    name, needed = name_of(RawDataPackage, package.pk), conf.get("OPSDB_MIN_ARCHIVE_COPIES")
    safe = _safe_copies(package)
    told = ngettext(
        "%(name)s: archives hold %(safe)d verified copy of it; needed: %(needed)d",
        "%(name)s: archives hold %(safe)d verified copies of it; needed: %(needed)d",
        safe,
    ) % {"name": name, "safe": safe, "needed": needed}
    if safe >= needed:
        return _done(package, package.state, told)
    open_transfer = package.archive_transfers.filter(status__in=Status.open()).order_by("pk").first()
    if open_transfer:
        return _explain_archive_transfer(open_transfer).because_of(package, package.state, told)
    bad = (
        PhysicalCopy.objects.filter(
            raw_data_package=package, data_location__location_type=LocationType.LONG_TERM_ARCHIVE
        )
        .exclude(status=PhysicalCopyStatus.PRESENT, verification="verified")
        .select_related("data_location__site")
        .first()
    )
    if bad is None:
        why = _("%(name)s: further archives have not been served yet") % {"name": name}
        step, who = _("plan further transfers and their archiving"), MANAGER
    else:
        why = _("%(copy)s: is %(status)s at %(place)s") % {
            "copy": name_of(PhysicalCopy, bad.pk),
            "status": bad.get_status_display().lower(),
            "place": _place(bad.data_location),
        }
        step, who = _("bring a good copy back there from another location"), OPERATOR
    return _says(package, package.state, why, step, who).because_of(package, package.state, told)


def _explain_bundle(bundle) -> Explanation:
    name = name_of(DataTransferPackage, bundle.pk)
    if bundle.status != Status.COMPLETED:
        operation = Operation.DATA_TRANSFER_PACKAGE_CREATION
        return _of_work(bundle, _("making its file"), bundle.origin_location, operation, RESET_WORK)
    transfers = list(
        bundle.data_transfers.select_related("origin_location__site", "destination_location__site").order_by("pk")
    )
    moving = [one for one in transfers if one.status in Status.open()]
    arriving = [one for one in transfers if one.status == Status.COMPLETED and one.unpack_status != Status.COMPLETED]
    failed = [one for one in transfers if one.status == Status.FAILED]
    unpacked = [one for one in transfers if one.unpack_status == Status.COMPLETED]
    if waiting := (arriving or moving):
        return _explain_transfer(waiting[0])
    if unpacked:
        places = ", ".join(_place(one.destination_location) for one in unpacked)
        why = _("%(name)s: has arrived and was unpacked at %(places)s") % {"name": name, "places": places}
        return _done(bundle, bundle.status, why)
    if failed:
        return _unless_misreported(_explain_transfer(failed[-1]), bundle)
    if not PhysicalCopy.objects.readable().at(bundle.origin_location_id).of(bundle).exists():
        why = _("%(name)s: can't be read at %(place)s, where it was made") % {
            "name": name,
            "place": _place(bundle.origin_location),
        }
        return _says(bundle, bundle.status, why, _("find its bytes, or make it again"), OPERATOR)
    reason = _why_not_routed(bundle)
    if reason and DataLocation.objects.at_site(bundle.origin_location.site_id).archives().active().exists():
        why = _("%(name)s: was made at a site with an archive, and no way leads to another") % {"name": name}
        return _done(bundle, bundle.status, why)
    if reason:
        why = _("%(name)s: no way leads to an archive: %(reason)s") % {"name": name, "reason": reason}
        return _says(bundle, bundle.status, why, _("make or activate a route or a buffer"), OPERATOR)
    why = _("%(name)s: no transfer is planned") % {"name": name}
    return _says(bundle, bundle.status, why, _("plan the transfers"), MANAGER)


def _why_not_routed(bundle) -> str:
    """Return why no way leads to any site with an archive; nothing when one does."""
    reasons = [_("no site has an archive in use")]
    for site in Site.objects.archiving():
        try:
            resolve_route(bundle.origin_location, site)
        except NoRoute as reason:
            reasons.append(str(reason))
        else:
            return ""
    return reasons[-1]


def _explain_transfer(transfer) -> Explanation:
    name = name_of(DataTransfer, transfer.pk)
    origin, destination = transfer.origin_location, transfer.destination_location
    if transfer.status == Status.COMPLETED:
        return _explain_unpacking(transfer, name, _place(destination))
    if transfer.status in Status.claimable():
        before = transfer.depends_on
        if before and before.status != Status.COMPLETED:
            why = _("%(name)s: waits for the hop before it, %(before)s") % {
                "name": name,
                "before": name_of(DataTransfer, before.pk),
            }
            return _explain_transfer(before).because_of(transfer, transfer.status, why)
        if not destination.active:
            place = _place(destination)
            why = _("%(name)s: goes to %(place)s, which is out of use") % {"name": name, "place": place}
            step = _("activate %(place)s, or reroute by %(reroute)s") % {"place": place, "reroute": REROUTE}
            return _says(transfer, transfer.status, why, step, OPERATOR)
    what = _("carrying it from %(origin)s to %(destination)s") % {
        "origin": _place(origin),
        "destination": _place(destination),
    }
    return _of_work(transfer, what, origin, Operation.DATA_TRANSFER, RESET_TRANSFER)


def _explain_unpacking(transfer, name, place) -> Explanation:
    state = f"arrived, unpacking {transfer.unpack_status}"
    retry = {"name": name, "retry": RETRY_UNPACKING}
    who = _worker(transfer.destination_location, Operation.DATA_TRANSFER_UNPACKING)
    if transfer.unpack_status == Status.COMPLETED:
        why = _("%(name)s: has arrived and was unpacked at %(place)s %(duration)s ago") % {
            "name": name,
            "place": place,
            "duration": time_since(transfer.unpacked_at),
        }
        return _done(transfer, state, why)
    if transfer.unpack_status == Status.FAILED:
        why = _("%(name)s: unpacking at %(place)s failed: %(message)s") % {
            "name": name,
            "place": place,
            "message": transfer.unpack_failure_message,
        }
        step = _("remove the cause, then retry %(name)s by %(retry)s") % retry
        return _says(transfer, state, why, step, OPERATOR)
    if transfer.unpack_status == Status.IN_PROGRESS:
        facts = {"name": name, "worker": transfer.unpack_claimed_by or _("a worker"), "place": place}
        if _is_stalled(transfer.unpack_heartbeat_at):
            why = _("%(name)s: %(worker)s unpacks it at %(place)s, and has shown no life for %(silence)s") % {
                **facts,
                "silence": time_since(transfer.unpack_heartbeat_at),
            }
            step = _("see whether the worker is alive; if not, retry %(name)s by %(retry)s") % retry
            return _says(transfer, state, why, step, OPERATOR)
        why = _("%(name)s: %(worker)s unpacks it at %(place)s") % facts
        return _says(transfer, state, why, _("finish unpacking it"), who)
    why = _("%(name)s: has been waiting for %(duration)s to be unpacked at %(place)s") % {
        "name": name,
        "duration": time_since(transfer.finished_at),
        "place": place,
    }
    told = _says(transfer, state, why, _("unpack it"), who)
    return _after_failure(
        told, name, transfer.unpack_retry_count, transfer.max_retries, transfer.unpack_failure_message
    )


def _explain_archive_transfer(transfer) -> Explanation:
    archive, name = transfer.destination_location, name_of(LongTermArchiveTransfer, transfer.pk)
    place = _place(archive)
    if transfer.status == Status.COMPLETED:
        why = _("%(name)s: %(place)s has had a verified copy for %(duration)s") % {
            "name": name,
            "place": place,
            "duration": time_since(transfer.finished_at),
        }
        return _done(transfer, transfer.status, why)
    if transfer.status in Status.claimable() and not archive.active:
        why = _("%(name)s: goes into %(place)s, which is out of use") % {"name": name, "place": place}
        return _says(transfer, transfer.status, why, _activate(archive), OPERATOR)
    what = _("copying it into %(place)s") % {"place": place}
    return _of_work(transfer, what, archive, Operation.LONG_TERM_ARCHIVE_TRANSFER, RESET_ARCHIVE_TRANSFER)


def _without_readable_copy(things) -> list:
    """Return those of some packages and products of which no copy can be read. One query for each kind."""
    readable = set()
    for model in sorted({type(thing) for thing in things}, key=str):
        target, keys = model._meta.db_table, [thing.pk for thing in things if isinstance(thing, model)]
        copies = PhysicalCopy.objects.readable().filter(**{f"{target}__in": keys})
        readable |= {(model, key) for key in copies.values_list(f"{target}_id", flat=True)}
    return [thing for thing in things if (type(thing), thing.pk) not in readable]


def _explain_staging(job) -> Explanation:
    name = name_of(StagingJob, job.pk)
    if not job.active:
        return _done(job, job.status, _("%(name)s: its data are no longer needed") % {"name": name})
    if job.status == Status.COMPLETED:
        return _done(job, job.status, _("%(name)s: its data are there") % {"name": name})
    destination = job.destination_location
    if job.status in Status.claimable() and not destination.active:
        at = {"name": name, "place": _place(destination)}
        why = _("%(name)s: brings data to %(place)s, which is out of use") % at
        return _says(job, job.status, why, _("activate %(place)s, or release the job") % at, OPERATOR)
    missing = what_is_missing(job)
    unreadable = _without_readable_copy(missing)
    if unreadable and job.status != Status.IN_PROGRESS:
        names = {"name": name, "thing": name_of(type(unreadable[0]), unreadable[0].pk)}
        why = _("%(name)s: no copy of %(thing)s can be read") % names
        return _says(job, job.status, why, _("bring %(thing)s back, or release the job") % names, OPERATOR)
    what = ngettext("bringing %(count)d thing to %(place)s", "bringing %(count)d things to %(place)s", len(missing)) % {
        "count": len(missing),
        "place": _place(destination),
    }
    return _of_work(job, what, destination, Operation.STAGING, RESET_WORK)


def _explain_copy(copy) -> Explanation:
    name, location = name_of(PhysicalCopy, copy.pk), copy.data_location
    at = {"name": name, "place": _place(location)}
    status = PhysicalCopyStatus(copy.status)
    is_archive = location.location_type == LocationType.LONG_TERM_ARCHIVE
    worker = OPERATOR if is_archive else _worker(location, Operation.DELETION)
    if status == PhysicalCopyStatus.DELETED:
        why = _("%(name)s: was deleted at %(place)s %(duration)s ago") % {
            **at,
            "duration": time_since(copy.deleted_at),
        }
        return _done(copy, status, why)
    if status == PhysicalCopyStatus.DELETION_IN_PROGRESS:
        facts = {**at, "duration": time_since(copy.updated_at)}
        if _is_stalled(copy.updated_at):
            why = (
                _("%(name)s: a worker began to delete it at %(place)s %(duration)s ago, and has reported nothing")
                % facts
            )
            step = _("see whether the worker is alive; if not, report the bytes as deleted, or the deletion as failed")
            return _says(copy, status, why, step, OPERATOR)
        why = _("%(name)s: a worker has been deleting it at %(place)s for %(duration)s") % facts
        return _says(copy, status, why, _("confirm that it is deleted"), worker)
    blocker = explain_deletion(copy)
    held = blocker.rule is not None and _("%(name)s: deletion rule %(rule)d, by %(held_by)s: %(why)s") % {
        "name": name,
        "rule": blocker.rule,
        "held_by": blocker.held_by,
        "why": blocker.why,
    }
    if status == PhysicalCopyStatus.MISSING:
        why = _("%(name)s: its bytes were not found at %(place)s") % at
        step = _("find them and have them checked again, or write the copy off")
        told = _says(copy, status, why, step, OPERATOR)
        return replace(told, why=(why, held)) if held else told
    if not held and status == PhysicalCopyStatus.DELETION_SCHEDULED:
        why = _("%(name)s: is to be deleted at %(place)s") % at
        return _says(copy, status, why, _("delete its bytes"), worker)
    if not held and status == PhysicalCopyStatus.DELETION_FAILED:
        why = _("%(name)s: deleting it at %(place)s failed: %(message)s") % {**at, "message": copy.failure_message}
        return _says(copy, status, why, _("remove the cause, then schedule its deletion again"), OPERATOR)
    if not held:
        why = _("%(name)s: no rule holds it back at %(place)s") % at
        return _says(copy, status, why, _("schedule its deletion"), MANAGER)
    if blocker.rule == 1:
        if status == PhysicalCopyStatus.CORRUPT:
            return _says(copy, status, held, _("replace it by a good copy"), OPERATOR)
        return _done(copy, status, held)
    if blocker.rule == 5:
        if location.retention_days is None:
            return _says(copy, status, held, _("ask for its deletion, if it shall go"), OPERATOR)
        over = copy.arrived_at + timedelta(days=location.retention_days)
        step = _("wait until %(time)s, then schedule its deletion") % {"time": _time(over)}
        return _says(copy, status, held, step, MANAGER)
    holder = _row_of(blocker.held_by)
    if holder is None or isinstance(holder, PhysicalCopy):
        return _says(copy, status, held, _("make its content safe in an archive"), OPERATOR)
    told = explain(holder)
    by = {"name": blocker.held_by}
    if told.done and isinstance(holder, StagingJob):
        return _says(copy, status, held, _("release %(name)s, or let it expire") % by, MANAGER)
    if told.done:
        return _says(copy, status, held, _("make the content of %(name)s safe in further archives") % by, MANAGER)
    return told.because_of(copy, status, held)


def _row_of(name):
    table, _separator, key = name.partition(" ")
    model = ASKED_ABOUT.get(table)
    return model and model.objects.filter(pk=key).first()


def _explain_run(run) -> Explanation:
    name, status, step = name_of(ExecutedReductionStep, run.pk), RunStatus(run.status), run.step
    names = {"name": name, "job": run.hpc_job_id}
    if status == RunStatus.COMPLETED:
        return _done(run, status, _("%(name)s: is completed") % names)
    if status == RunStatus.CANCELLED and run.failure_message:
        why = _("%(name)s: was cancelled: %(message)s") % {"name": name, "message": run.failure_message}
        return _done(run, status, why)
    if status == RunStatus.CANCELLED:
        return _done(run, status, _("%(name)s: was cancelled") % names)
    if status == RunStatus.FAILED:
        why = ngettext(
            "%(name)s: failed after %(retries)d of %(most)d retry: %(message)s",
            "%(name)s: failed after %(retries)d of %(most)d retries: %(message)s",
            step.max_retries,
        ) % {"name": name, "retries": run.retry_count, "most": step.max_retries, "message": run.failure_message}
        return _says(run, status, why, _remove_cause(name, RESET_RUN), OPERATOR)
    if status == RunStatus.PENDING:
        told = _explain_pending_run(run, name)
        return _after_failure(told, name, run.retry_count, step.max_retries, run.failure_message)
    if status == RunStatus.STAGING_DATA:
        missing = missing_inputs(run)
        at = {"name": name, "place": _place(step.pipeline.processing_location)}
        if not missing:
            return _says(run, status, _("%(name)s: its data are at %(place)s") % at, _("submit the run"), MANAGER)
        job = run.staging_job
        told = job and _explain_staging(job)
        if told and not told.done:
            why = _("%(name)s: waits for %(job)s") % {"name": name, "job": name_of(StagingJob, job.pk)}
            return told.because_of(run, status, why)
        why = _("%(name)s: %(thing)s is not at %(place)s, and no staging job brings it") % {
            **at,
            "thing": name_of(type(missing[0]), missing[0].pk),
        }
        return _says(run, status, why, _("fail the run, so that its data are staged again"), MANAGER)
    if status == RunStatus.SUBMITTED:
        why = _("%(name)s: job %(job)s has been waiting at the cluster for %(duration)s") % {
            **names,
            "duration": time_since(run.submitted_at),
        }
        return _says(run, status, why, _("begin with job %(job)s") % names, CLUSTER)
    if status == RunStatus.RUNNING:
        why = _("%(name)s: job %(job)s has been running for %(duration)s") % {
            **names,
            "duration": time_since(run.started_at),
        }
        return _says(run, status, why, _("end job %(job)s") % names, CLUSTER)
    why = _("%(name)s: job %(job)s has ended") % names
    return _says(run, status, why, _("register its products and complete the run"), MANAGER)


def _disabled(name, pipeline) -> str:
    return _("%(name)s: its pipeline %(pipeline)s is disabled") % {"name": name, "pipeline": pipeline}


def _explain_pending_run(run, name) -> Explanation:
    pipeline = run.step.pipeline
    place = pipeline.processing_location
    if not pipeline.enabled:
        step = _("enable the pipeline %(pipeline)s, or cancel the run") % {"pipeline": pipeline}
        return _says(run, run.status, _disabled(name, pipeline), step, OPERATOR)
    if not place.active:
        why = _("%(name)s: it runs at %(place)s, which is out of use") % {"name": name, "place": _place(place)}
        return _says(run, run.status, why, _activate(place), OPERATOR)
    lost = _without_readable_copy(missing_inputs(run))
    if lost:
        names = {"name": name, "thing": name_of(type(lost[0]), lost[0].pk)}
        why = _("%(name)s: no copy of %(thing)s can be read") % names
        return _says(run, run.status, why, _("bring %(thing)s back") % names, OPERATOR)
    why = _("%(name)s: has been waiting for %(duration)s") % {
        "name": name,
        "duration": time_since(run.created_at),
    }
    return _says(run, run.status, why, _("start the run"), MANAGER)


def _explain_step(step) -> Explanation:
    pipeline = step.pipeline
    names = {"name": name_of(ReductionStep, step.pk), "pipeline": pipeline}
    if not pipeline.enabled:
        enable = _("enable the pipeline %(pipeline)s") % names
        return _says(step, "disabled", _disabled(names["name"], pipeline), enable, OPERATOR)
    open_run = step.runs.open().order_by("pk").first()
    if open_run:
        why = _("%(name)s: %(run)s is open") % {**names, "run": name_of(ExecutedReductionStep, open_run.pk)}
        return _explain_run(open_run).because_of(step, "running", why)
    oldest = step.has_new_since(of_newest=MOST_PACKAGES)
    if oldest is None:
        idle = _("%(name)s: no available package is new to it, of the newest %(number)s")
        return _done(step, "idle", idle % {**names, "number": f"{MOST_PACKAGES:,}"})
    try:
        choose_version(step)
    except Refused as refused:
        why = _("%(name)s: no version of its software may be used: %(reason)s") % {**names, "reason": refused}
        return _says(step, "waiting", why, _("register a version or pin one, or change the policy"), OPERATOR)
    for dependency in step.dependencies.select_related("depends_on").order_by("depends_on"):
        before = dependency.depends_on
        has_new = before.has_new_since(of_newest=MOST_PACKAGES) is not None
        if has_new or before.runs.open().exists() or before.runs.failed().exists():
            told = _explain_step(before)
            failed = before.runs.failed().order_by("-pk").first()
            if told.done and failed:
                told = _explain_run(failed)
            if not told.done:
                why = _("%(name)s: waits for %(before)s (%(title)s)") % {
                    **names,
                    "before": name_of(ReductionStep, before.pk),
                    "title": before,
                }
                return told.because_of(step, "waiting", why)
    quiet_at = oldest + timedelta(seconds=step.cooldown_seconds)
    if quiet_at > timezone.now():
        why = _("%(name)s: its cooldown of %(seconds)d s after the last new package is not over") % {
            **names,
            "seconds": step.cooldown_seconds,
        }
        return _says(step, "cooling down", why, _("wait until %(time)s or later") % {"time": _time(quiet_at)}, NOBODY)
    return _explain_planning(step, names).because_of(
        step,
        "waiting",
        _("%(name)s: has had new packages for %(duration)s") % {**names, "duration": time_since(oldest)},
    )


def _explain_planning(step, names) -> Explanation:
    pipeline = step.pipeline
    if pipeline.trigger_type == TriggerType.MANUAL:
        why = _("%(name)s: its pipeline %(pipeline)s is planned by hand") % names
        plan = _("plan the runs by %(plan_runs)s, once the cooldown of each sub-group is over")
        return _says(step, "waiting", why, plan % {"plan_runs": PLAN_RUNS}, OPERATOR)
    try:
        if not pipeline.is_due(timezone.now()):
            why = _("%(name)s: its pipeline %(pipeline)s is planned at certain times") % names
            next_time = _time(pipeline.next_time(timezone.now()))
            return _says(step, "waiting", why, _("wait until %(time)s") % {"time": next_time}, NOBODY)
    except ValueError as error:
        why = _("%(name)s: the trigger of its pipeline can't be understood: %(reason)s") % {**names, "reason": error}
        return _says(step, "waiting", why, _("correct the trigger of the pipeline %(pipeline)s") % names, OPERATOR)
    why = _("%(name)s: its pipeline %(pipeline)s is to be planned now") % names
    return _says(step, "waiting", why, _("plan the runs, once the cooldown of each sub-group is over"), MANAGER)


def _explain_product(product) -> Explanation:
    name = name_of(DataProduct, product.pk)
    if product.superseded_by_id:
        why = _("%(name)s: is replaced by %(other)s") % {
            "name": name,
            "other": name_of(DataProduct, product.superseded_by_id),
        }
        return _done(product, "superseded", why)
    told = _explain_run(product.run)
    if told.done:
        return _done(product, "made", _("%(name)s: was made by %(run)s") % {"name": name, "run": told.subject})
    return told.because_of(product, "being made", _("%(name)s: its run is not completed") % {"name": name})


EXPLANATIONS = {
    ExecutedObsUnit: _explain_observation,
    RawDataFile: _explain_file,
    RawDataPackage: _explain_package,
    DataTransferPackage: _explain_bundle,
    DataTransfer: _explain_transfer,
    LongTermArchiveTransfer: _explain_archive_transfer,
    StagingJob: _explain_staging,
    PhysicalCopy: _explain_copy,
    ExecutedReductionStep: _explain_run,
    ReductionStep: _explain_step,
    DataProduct: _explain_product,
}
