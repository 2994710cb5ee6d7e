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

from opsdb import conf
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
from opsdb.models.constraints import CHECKSUM_HEAD, checksum_head
from opsdb.models.copies import COPY_TARGETS

from .deletion import explain_deletion
from .errors import NotFound, OpsdbError, Refused
from .reducing import choose_version, missing_inputs
from .routing import NoRoute, resolve_route
from .staging import what_is_missing
from .states import name_of
from .topology import Operation, queue_name

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
    table, _, key = text.partition(" ")
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


@dataclass(frozen=True)
class Explanation:
    """Why something is where it is, and what has to happen next.

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
    return Explanation(name_of(type(row), row.pk), str(state), False, (why,) if why else (), next_step, who)


def _done(row, state, why) -> Explanation:
    return Explanation(name_of(type(row), row.pk), str(state), True, (why,), "nothing", NOBODY)


def _worker(location, operation) -> str:
    return f"worker at queue {queue_name(location, operation)}"


def _ago(moment) -> str:
    """Return how long ago a moment was, to the minute."""
    seconds = max(int((timezone.now() - moment).total_seconds()), 0)
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    return f"{days} d {hours} h ago" if days else f"{hours} h {minutes} min ago"


def _is_stalled(last_sign) -> bool:
    return last_sign is not None and timezone.now() - last_sign > timedelta(
        seconds=conf.get("OPSDB_STALLED_AFTER_SECONDS")
    )


def _of_work(row, what, location, operation, reset) -> Explanation:
    """The explanation of a work item that is not completed."""
    who = _worker(location, operation)
    name = name_of(type(row), row.pk)
    if row.status == Status.FAILED:
        why = f"{name}: {what} failed {_ago(row.finished_at)} after {row.retry_count} retries: {row.failure_message}"
        return _says(row, row.status, why, f"remove the cause, then reset {name} by {reset}", OPERATOR)
    if row.status == Status.IN_PROGRESS:
        last_sign = row.heartbeat_at or row.started_at
        why = f"{name}: {row.claimed_by or 'a worker'} is at it since {_ago(row.started_at)}"
        if _is_stalled(last_sign):
            why += f", and has shown no life since {_ago(last_sign)}"
            return _says(
                row, row.status, why, f"see whether the worker is alive; if not, reset {name} by {reset}", OPERATOR
            )
        return _says(row, row.status, why, f"finish it: {what}", f"{who} ({row.claimed_by})" if row.claimed_by else who)
    why = f"{name}: {what} waits since {_ago(row.created_at)}"
    if row.retry_count:
        why += f", after {row.retry_count} of {row.max_retries} retries; the last failure: {row.failure_message}"
    return _says(row, row.status, why, f"take it up: {what}", who)


def _explain_observation(execution) -> Explanation:
    if execution.status == ObservationStatus.RUNNING:
        why = f"{name_of(ExecutedObsUnit, execution.pk)}: is running since {_ago(execution.start_time)}"
        return _says(execution, execution.status, why, "end the observation and report it", TELESCOPE)
    counts = RawDataPackage.objects.filter(executed_obs_unit=execution).aggregate(
        packages=Count("pk"), archived=Count("pk", filter=Q(state=PackageState.ARCHIVED))
    )
    unpackaged = RawDataFile.objects.of(execution).unpackaged().order_by("instrument_module", "pk").first()
    if unpackaged:
        return _explain_file(unpackaged).because_of(execution, execution.status, "some of its files are in no package")
    if not counts["packages"]:
        why = f"{name_of(ExecutedObsUnit, execution.pk)}: no file of it is registered"
        return _says(execution, execution.status, why, "register the files, if it took data", INSTRUMENT)
    waiting = (
        RawDataPackage.objects.not_archived().filter(executed_obs_unit=execution).order_by("created_at", "pk").first()
    )
    if waiting:
        told = f"{counts['archived']} of its {counts['packages']} packages are archived"
        return _explain_package(waiting).because_of(execution, execution.status, told)
    return _done(execution, execution.status, f"all of its {counts['packages']} packages are archived")


def _explain_file(file) -> Explanation:
    name = name_of(RawDataFile, file.pk)
    if file.raw_data_package_id:
        package = file.raw_data_package
        told = _explain_package(package)
        inside = f"{name}: is in {name_of(RawDataPackage, package.pk)}"
        if told.done:
            return _done(file, "packaged", f"{inside}, which is archived")
        return told.because_of(file, "packaged", inside)
    if file.executed_obs_unit.status == ObservationStatus.RUNNING:
        why = f"{name}: is in no package, because its observation is still running"
        return _says(file, "registered", why, "end the observation and report it", TELESCOPE)
    why = f"{name}: is in no package since {_ago(file.created_at)}"
    return _says(file, "registered", why, f"package the files at {file.source_location}", MANAGER)


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


CORRECT = {
    RawDataPackage: "opsdb.workflows.packaging.correct_packaging",
    DataTransferPackage: "opsdb.workflows.packaging.correct_bundling",
}


def _unless_misreported(told, thing) -> Explanation:
    """Name the correction first where what failed may be right and what is recorded wrong."""
    copies = PhysicalCopy.objects.of(thing)
    differing = copies.filter(verification=Verification.MISMATCH).exclude(
        checksum=thing.checksum, size_bytes=thing.size_bytes
    )
    wrong = told.who == OPERATOR and not copies.verified().exists() and differing.order_by("pk").first()
    if not wrong:
        return told
    name = name_of(type(thing), thing.pk)
    why = f"{name_of(PhysicalCopy, wrong.pk)} has another checksum or size than is recorded, which no copy confirms"
    step = (
        f"read {name} again where it was made; if it has not the recorded checksum, correct that by "
        f"{CORRECT[type(thing)]}; then {told.next_step}"
    )
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
            return _says(package, package.state, f"{name}: holds no files", "find out how it came about", OPERATOR)
        told = _of_work(
            package, "making its tar", source, Operation.RAW_DATA_PACKAGE_CREATION, "opsdb.workflows.work.reset"
        )
        return told.because_of(package, package.state)
    into_archive = list(
        package.archive_transfers.exclude(status=Status.COMPLETED)
        .select_related("destination_location__site")
        .order_by("-status", "pk")
    )
    moving = [transfer for transfer in into_archive if transfer.status != Status.FAILED]
    if chosen := (moving or into_archive):
        return _explain_archive_transfer(chosen[0]).because_of(package, package.state, f"{name}: no archive has it yet")
    buffers = list(
        DataLocation.objects.buffers()
        .filter(pk__in=PhysicalCopy.objects.readable().filter(raw_data_package=package).values("data_location"))
        .select_related("site")
    )
    for buffer in buffers:
        archive = DataLocation.objects.at_site(buffer.site_id).archives().active().first()
        if archive:
            why = f"{name}: is at {buffer.site}/{buffer}, and nobody has planned its transfer into {archive}"
            return _says(package, package.state, why, f"plan the archiving into {buffer.site}/{archive}", MANAGER)
    if package.data_transfer_package_id:
        told = _explain_bundle(package.data_transfer_package)
        if not told.done:
            travels = f"{name}: travels in {name_of(DataTransferPackage, package.data_transfer_package_id)}"
            return told.because_of(package, package.state, travels)
        why = f"{name}: its transfer package has arrived, but no copy of it can be read in a buffer beside an archive"
        return _says(package, package.state, why, "find its bytes, and have it unpacked or transferred again", OPERATOR)
    if buffers:
        why = f"{name}: is at {buffers[0].site}/{buffers[0]} in no transfer package"
        return _says(package, package.state, why, f"bundle the packages at {buffers[0].site}/{buffers[0]}", MANAGER)
    why = f"{name}: no copy of it can be read in any buffer"
    return _says(package, package.state, why, "find its bytes, or make its tar again from its files", OPERATOR)


def _explain_archived(package) -> Explanation:
    name, needed = name_of(RawDataPackage, package.pk), conf.get("OPSDB_MIN_ARCHIVE_COPIES")
    safe = _safe_copies(package)
    told = f"{name}: archives have {safe} verified copies of it, and {needed} are needed"
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
        why = f"{told}; further archives have not been served yet"
        return _says(package, package.state, why, "plan further transfers and their archiving", MANAGER)
    why = f"{told}; {name_of(PhysicalCopy, bad.pk)} at {bad.data_location.site}/{bad.data_location} is {bad.status}"
    return _says(package, package.state, why, "bring a good copy back there from another location", OPERATOR)


def _explain_bundle(bundle) -> Explanation:
    name = name_of(DataTransferPackage, bundle.pk)
    if bundle.status != Status.COMPLETED:
        return _of_work(
            bundle,
            "making its file",
            bundle.origin_location,
            Operation.DATA_TRANSFER_PACKAGE_CREATION,
            "opsdb.workflows.work.reset",
        )
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
        where = ", ".join(f"{one.destination_location.site}/{one.destination_location}" for one in unpacked)
        return _done(bundle, bundle.status, f"{name}: has arrived and was unpacked at {where}")
    if failed:
        return _unless_misreported(_explain_transfer(failed[-1]), bundle)
    if not PhysicalCopy.objects.readable().at(bundle.origin_location_id).of(bundle).exists():
        why = f"{name}: can't be read at {bundle.origin_location.site}/{bundle.origin_location}, where it was made"
        return _says(bundle, bundle.status, why, "find its bytes, or make it again", OPERATOR)
    reason = _why_not_routed(bundle)
    if reason and DataLocation.objects.at_site(bundle.origin_location.site_id).archives().active().exists():
        return _done(bundle, bundle.status, f"{name}: was made at a site with an archive, and no way leads to another")
    if reason:
        return _says(bundle, bundle.status, f"{name}: {reason}", "make or activate a route or a buffer", OPERATOR)
    return _says(bundle, bundle.status, f"{name}: no transfer is planned", "plan the transfers", MANAGER)


def _why_not_routed(bundle) -> str:
    """Return why no way leads to any site with an archive; nothing when one does."""
    reasons = ["no site has an archive in use"]
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
        return _explain_unpacking(transfer, name, destination)
    if transfer.status in Status.claimable():
        before = transfer.depends_on
        if before and before.status != Status.COMPLETED:
            waits = f"{name}: waits for the hop before it, {name_of(DataTransfer, before.pk)}"
            return _explain_transfer(before).because_of(transfer, transfer.status, waits)
        if not destination.active:
            why = f"{name}: goes to {destination.site}/{destination}, which is out of use"
            step = f"activate {destination.site}/{destination}, or reroute by {REROUTE}"
            return _says(transfer, transfer.status, why, step, OPERATOR)
    what = f"carrying it from {origin.site}/{origin} to {destination.site}/{destination}"
    return _of_work(transfer, what, origin, Operation.DATA_TRANSFER, "opsdb.workflows.transferring.reset_transfer")


REROUTE = "opsdb.workflows.transferring.reroute_transfer"
RETRY_UNPACKING = "opsdb.workflows.transferring.retry_unpacking"


def _explain_unpacking(transfer, name, destination) -> Explanation:
    state = f"arrived, unpacking {transfer.unpack_status}"
    who = _worker(destination, Operation.DATA_TRANSFER_UNPACKING)
    where = f"{destination.site}/{destination}"
    if transfer.unpack_status == Status.COMPLETED:
        return _done(transfer, state, f"{name}: has arrived and was unpacked at {where} {_ago(transfer.unpacked_at)}")
    if transfer.unpack_status == Status.FAILED:
        why = f"{name}: unpacking at {where} failed: {transfer.unpack_failure_message}"
        return _says(transfer, state, why, f"remove the cause, then retry {name} by {RETRY_UNPACKING}", OPERATOR)
    if transfer.unpack_status == Status.IN_PROGRESS:
        why = f"{name}: {transfer.unpack_claimed_by or 'a worker'} unpacks it at {where}"
        if _is_stalled(transfer.unpack_heartbeat_at):
            why += f", and has shown no life since {_ago(transfer.unpack_heartbeat_at)}"
            step = f"see whether the worker is alive; if not, retry {name} by {RETRY_UNPACKING}"
            return _says(transfer, state, why, step, OPERATOR)
        return _says(transfer, state, why, "finish unpacking it", who)
    why = f"{name}: waits at {where} to be unpacked since {_ago(transfer.finished_at)}"
    if transfer.unpack_retry_count:
        why += f", after {transfer.unpack_retry_count} retries; the last failure: {transfer.unpack_failure_message}"
    return _says(transfer, state, why, "unpack it", who)


def _explain_archive_transfer(transfer) -> Explanation:
    archive, name = transfer.destination_location, name_of(LongTermArchiveTransfer, transfer.pk)
    if transfer.status == Status.COMPLETED:
        why = f"{name}: {archive.site}/{archive} has a verified copy since {_ago(transfer.finished_at)}"
        return _done(transfer, transfer.status, why)
    if transfer.status in Status.claimable() and not archive.active:
        why = f"{name}: goes into {archive.site}/{archive}, which is out of use"
        return _says(transfer, transfer.status, why, f"activate {archive.site}/{archive}", OPERATOR)
    what = f"copying it into {archive.site}/{archive}"
    reset = "opsdb.workflows.archiving.reset_archive_transfer"
    return _of_work(transfer, what, archive, Operation.LONG_TERM_ARCHIVE_TRANSFER, reset)


def _without_readable_copy(things) -> list:
    """Return those of some packages and products of which no copy can be read. One query for each kind."""
    readable = set()
    for model in sorted({type(thing) for thing in things}, key=str):
        target, keys = model._meta.db_table, [thing.pk for thing in things if isinstance(thing, model)]
        copies = PhysicalCopy.objects.readable().filter(**{f"{target}__in": keys})
        readable |= {(model, key) for key in copies.values_list(f"{target}_id", flat=True)}
    return [thing for thing in things if (type(thing), thing.pk) not in readable]


def _explain_staging(job) -> Explanation:
    place, name = job.destination_location, name_of(StagingJob, job.pk)
    if job.status == Status.COMPLETED or not job.active:
        told = "its data are there" if job.active else "its data are no longer needed"
        return _done(job, job.status, f"{name}: {told}")
    if job.status in Status.claimable() and not place.active:
        why = f"{name}: brings data to {place.site}/{place}, which is out of use"
        return _says(job, job.status, why, f"activate {place.site}/{place}, or release the job", OPERATOR)
    missing = what_is_missing(job)
    unreadable = _without_readable_copy(missing)
    if unreadable and job.status != Status.IN_PROGRESS:
        first = name_of(type(unreadable[0]), unreadable[0].pk)
        why = f"{name}: no copy of {first} can be read"
        return _says(job, job.status, why, f"bring {first} back, or release the job", OPERATOR)
    what = f"bringing {len(missing)} things to {place.site}/{place}"
    return _of_work(job, what, place, Operation.STAGING, "opsdb.workflows.work.reset")


def _explain_copy(copy) -> Explanation:
    name, place = name_of(PhysicalCopy, copy.pk), copy.data_location
    where = f"{place.site}/{place}"
    status = PhysicalCopyStatus(copy.status)
    worker = _worker(place, Operation.DELETION) if place.location_type != LocationType.LONG_TERM_ARCHIVE else OPERATOR
    if status == PhysicalCopyStatus.DELETED:
        return _done(copy, status, f"{name}: was deleted at {where} {_ago(copy.deleted_at)}")
    if status == PhysicalCopyStatus.DELETION_IN_PROGRESS:
        why = f"{name}: a worker deletes it at {where} since {_ago(copy.updated_at)}"
        if _is_stalled(copy.updated_at):
            step = "see whether the worker is alive; if not, report the bytes as deleted, or the deletion as failed"
            return _says(copy, status, f"{why}, and has reported nothing", step, OPERATOR)
        return _says(copy, status, why, "confirm that it is deleted", worker)
    blocker = explain_deletion(copy)
    if status == PhysicalCopyStatus.MISSING:
        why = f"{name}: its bytes were not found at {where}"
        step = "find them and have them checked again, or write the copy off"
        return _says(copy, status, why if blocker.rule is None else f"{why}; {blocker.why}", step, OPERATOR)
    if blocker.rule is None and status == PhysicalCopyStatus.DELETION_SCHEDULED:
        return _says(copy, status, f"{name}: is to be deleted at {where}", "delete its bytes", worker)
    if blocker.rule is None and status == PhysicalCopyStatus.DELETION_FAILED:
        why = f"{name}: deleting it at {where} failed: {copy.failure_message}"
        return _says(copy, status, why, "remove the cause, then schedule its deletion again", OPERATOR)
    if blocker.rule is None:
        return _says(copy, status, f"{name}: no rule holds it back at {where}", "schedule its deletion", MANAGER)
    why = f"{name}: deletion rule {blocker.rule}, by {blocker.held_by}: {blocker.why}"
    if blocker.rule == 1:
        if status == PhysicalCopyStatus.CORRUPT:
            return _says(copy, status, why, "replace it by a good copy", OPERATOR)
        return _done(copy, status, why)
    if blocker.rule == 5:
        if place.retention_days is None:
            return _says(copy, status, why, "ask for its deletion, if it shall go", OPERATOR)
        over = copy.arrived_at + timedelta(days=place.retention_days)
        return _says(copy, status, why, f"wait until {over:%Y-%m-%d %H:%M} UTC, then schedule its deletion", MANAGER)
    holder = _row_of(blocker.held_by)
    if holder is None or isinstance(holder, PhysicalCopy):
        return _says(copy, status, why, "make its content safe in an archive", OPERATOR)
    told = explain(holder)
    if told.done and isinstance(holder, StagingJob):
        return _says(copy, status, why, f"release {blocker.held_by}, or let it expire", MANAGER)
    if told.done:
        return _says(copy, status, why, f"make the content of {blocker.held_by} safe in further archives", MANAGER)
    return told.because_of(copy, status, why)


def _row_of(name):
    table, _, key = name.partition(" ")
    model = ASKED_ABOUT.get(table)
    return model and model.objects.filter(pk=key).first()


def _explain_run(run) -> Explanation:
    name, pipeline, status = name_of(ExecutedReductionStep, run.pk), run.step.pipeline, RunStatus(run.status)
    place = pipeline.processing_location
    if status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
        told = f": {run.failure_message}" if status == RunStatus.CANCELLED and run.failure_message else ""
        return _done(run, status, f"{name}: is {status}{told}")
    if status == RunStatus.FAILED:
        why = f"{name}: failed after {run.retry_count} of {run.step.max_retries} retries: {run.failure_message}"
        step = f"remove the cause, then reset {name} by opsdb.workflows.reducing.reset_run"
        return _says(run, status, why, step, OPERATOR)
    if status == RunStatus.PENDING:
        again = f"; the last attempt failed: {run.failure_message}" if run.retry_count else ""
        if not pipeline.enabled:
            why = f"{name}: its pipeline {pipeline} is disabled{again}"
            return _says(run, status, why, f"enable the pipeline {pipeline}, or cancel the run", OPERATOR)
        if not place.active:
            why = f"{name}: it runs at {place.site}/{place}, which is out of use{again}"
            return _says(run, status, why, f"activate {place.site}/{place}", OPERATOR)
        missing = missing_inputs(run)
        lost = _without_readable_copy(missing)
        if lost:
            first = name_of(type(lost[0]), lost[0].pk)
            return _says(run, status, f"{name}: no copy of {first} can be read{again}", f"bring {first} back", OPERATOR)
        return _says(run, status, f"{name}: waits since {_ago(run.created_at)}{again}", "start the run", MANAGER)
    if status == RunStatus.STAGING_DATA:
        missing = missing_inputs(run)
        if not missing:
            return _says(run, status, f"{name}: its data are at {place.site}/{place}", "submit the run", MANAGER)
        job = run.staging_job
        told = job and _explain_staging(job)
        if told and not told.done:
            return told.because_of(run, status, f"{name}: waits for {name_of(StagingJob, job.pk)}")
        first = name_of(type(missing[0]), missing[0].pk)
        why = f"{name}: {first} is not at {place.site}/{place}, and no staging job brings it"
        return _says(run, status, why, "fail the run, so that its data are staged again", MANAGER)
    job = f"job {run.hpc_job_id}"
    if status == RunStatus.SUBMITTED:
        why = f"{name}: {job} waits at the cluster since {_ago(run.submitted_at)}"
        return _says(run, status, why, f"begin with {job}", CLUSTER)
    if status == RunStatus.RUNNING:
        return _says(run, status, f"{name}: {job} runs since {_ago(run.started_at)}", f"end {job}", CLUSTER)
    return _says(run, status, f"{name}: {job} has ended", "register its products and complete the run", MANAGER)


def _explain_step(step) -> Explanation:
    name, pipeline = name_of(ReductionStep, step.pk), step.pipeline
    if not pipeline.enabled:
        why = f"{name}: its pipeline {pipeline} is disabled"
        return _says(step, "disabled", why, f"enable the pipeline {pipeline}", OPERATOR)
    open_run = step.runs.open().order_by("pk").first()
    if open_run:
        told = f"{name}: {name_of(ExecutedReductionStep, open_run.pk)} is open"
        return _explain_run(open_run).because_of(step, "running", told)
    oldest = step.has_new_since(of_newest=MOST_PACKAGES)
    if oldest is None:
        return _done(step, "idle", f"{name}: no available package is new to it, of the newest {MOST_PACKAGES:,}")
    try:
        choose_version(step)
    except Refused as refused:
        return _says(step, "waiting", str(refused), "register a version or pin one, or change the policy", OPERATOR)
    for dependency in step.dependencies.select_related("depends_on").order_by("depends_on"):
        before = dependency.depends_on
        has_new = before.has_new_since(of_newest=MOST_PACKAGES) is not None
        if has_new or before.runs.open().exists() or before.runs.failed().exists():
            told = _explain_step(before)
            failed = before.runs.failed().order_by("-pk").first()
            if told.done and failed:
                told = _explain_run(failed)
            if not told.done:
                waits = f"{name}: waits for {name_of(ReductionStep, before.pk)} ({before})"
                return told.because_of(step, "waiting", waits)
    quiet_at = oldest + timedelta(seconds=step.cooldown_seconds)
    if quiet_at > timezone.now():
        why = f"{name}: its cooldown of {step.cooldown_seconds} s after the last new package is not over"
        return _says(step, "cooling down", why, f"wait until {quiet_at:%Y-%m-%d %H:%M} UTC or later", NOBODY)
    why = f"{name}: has new packages since {_ago(oldest)}"
    plan = "plan the runs, once the cooldown of each sub-group is over"
    if pipeline.trigger_type == TriggerType.MANUAL:
        why += f", and its pipeline {pipeline} is planned by hand"
        return _says(step, "waiting", why, f"{plan}, by opsdb.workflows.reducing.plan_runs", OPERATOR)
    try:
        if not pipeline.is_due(timezone.now()):
            next_time = pipeline.next_time(timezone.now())
            why += f", and its pipeline {pipeline} is planned at certain times"
            return _says(step, "waiting", why, f"wait until {next_time:%Y-%m-%d %H:%M} UTC", NOBODY)
    except ValueError as error:
        return _says(step, "waiting", f"{name}: {error}", f"correct the trigger of the pipeline {pipeline}", OPERATOR)
    return _says(step, "waiting", why, plan, MANAGER)


def _explain_product(product) -> Explanation:
    name = name_of(DataProduct, product.pk)
    if product.superseded_by_id:
        told = f"{name}: is replaced by {name_of(DataProduct, product.superseded_by_id)}"
        return _done(product, "superseded", told)
    told = _explain_run(product.run)
    if told.done:
        return _done(product, "made", f"{name}: was made by {told.subject}")
    return told.because_of(product, "being made", f"{name}: its run is not completed")


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
