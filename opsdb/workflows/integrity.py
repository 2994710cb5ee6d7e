"""Whether what is recorded is still there and still right: fixity checks, and comparisons with a storage's listing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg
from django.db import connections, router, transaction
from django.utils import timezone

from opsdb.models import DataLocation, FixityCheck, PhysicalCopy, PhysicalCopyStatus, Verification
from opsdb.models.copies.physical_copies import CHECKABLE

from .attribution import tell
from .errors import Conflict, NotFound, OpsdbError, Refused
from .refusals import as_refused
from .states import name_of

MAX_REPORTED = 100
# From these states a check takes a copy back to present or to corrupt; where a worker deletes, it says so and no more.
AT_REST = (
    PhysicalCopyStatus.PRESENT,
    PhysicalCopyStatus.STAGED,
    PhysicalCopyStatus.DELETION_POSSIBLE,
    PhysicalCopyStatus.DELETION_SCHEDULED,
    PhysicalCopyStatus.DELETION_FAILED,
    PhysicalCopyStatus.MISSING,
    PhysicalCopyStatus.CORRUPT,
)


def due_for_fixity(location: DataLocation, *, quota: int) -> list[PhysicalCopy]:
    """Return the copies at a location that are due for a fixity check, the longest unchecked first. Locks nothing.

    Args:
        location: its ``fixity_interval_days`` says when a copy is due.
        quota: most checks within 24 hours; those that were made count.

    Raises:
        OpsdbError: the quota is below 1.
    """
    if quota < 1:
        raise OpsdbError(f"due_for_fixity: the quota must be 1 or more, not {quota}")
    yesterday = timezone.now() - timedelta(days=1)
    done = FixityCheck.objects.filter(checked_at__gt=yesterday, copy__data_location=location)[:quota].count()
    return list(PhysicalCopy.objects.due_for_fixity(location, limit=quota - done))


def record_fixity(
    copy: PhysicalCopy,
    checksum: str,
    *,
    algorithm: str | None = None,
    checked_at: datetime | None = None,
    checked_by: str = "",
) -> FixityCheck:
    """Record the checksum that was computed of a copy now, and return the check.

    A checksum that agrees makes the copy verified, and present if it was thought corrupt or missing. One that differs
    makes it corrupt: nothing reads it or counts on it any more, and what waits for deletion because this copy was safe
    stays. The same call with the same ``checked_at`` again changes nothing. Locks the copy and what it is a copy of.

    Args:
        copy: the copy; its key counts.
        checksum: as computed, lower-case hexadecimal.
        algorithm: how it was computed; that of what it is a copy of when left out.
        checked_at: when it was computed, aware; now when left out.
        checked_by: worker or person that computed it.

    Raises:
        NotFound: there is no such copy.
        Conflict: the copy was deleted, or has a later check.
        OpsdbError: there is nothing to compare with, or the time is naive or to come.
        Refused: the checksum is not what its algorithm makes.
    """
    name = name_of(PhysicalCopy, copy.pk)
    if checked_at and (checked_at.tzinfo is None or checked_at > timezone.now() + timedelta(minutes=5)):
        raise OpsdbError(f"{name}: {checked_at} must have a time zone and not be to come")
    with as_refused(), transaction.atomic():
        found = PhysicalCopy.objects.select_for_update(no_key=True).filter(pk=copy.pk).first()
        if found is None:
            raise NotFound(f"{name}: there is no such row")
        checked_at = checked_at or timezone.now()
        # What it should be can't change while this lock is held.
        thing = type(found.target)._default_manager.select_for_update(no_key=True).get(pk=found.target.pk)
        algorithm = algorithm or thing.checksum_algorithm
        if thing.checksum is None or thing.checksum_algorithm != algorithm:
            wanted = f"{thing.checksum_algorithm}" if thing.checksum else "none that it should have"
            raise OpsdbError(
                f"{name}: {algorithm} can't be compared, because the recorded checksum of "
                f"{name_of(type(thing), thing.pk)} is {wanted}"
            )
        known = found.fixity_checks.filter(checked_at=checked_at, actual=checksum, algorithm=algorithm).first()
        if known is not None:
            return known
        if found.status == PhysicalCopyStatus.DELETED:
            raise Conflict(f"{name}: was deleted, its checksum can't be computed; register the copy again first")
        if found.verified_at and checked_at <= found.verified_at:
            raise Conflict(f"{name}: was compared at {found.verified_at.isoformat()}, after {checked_at.isoformat()}")
        check = FixityCheck.objects.create(
            copy=found,
            checked_at=checked_at,
            expected=thing.checksum,
            actual=checksum,
            algorithm=algorithm,
            ok=checksum == thing.checksum,
            checked_by=checked_by,
        )
        _apply(found, check)
    copy.refresh_from_db()
    return check


def doubt(copy: PhysicalCopy) -> PhysicalCopy:
    """Have a copy checked out of turn, and return it: it counts as unverified until then; an operator's act.

    It is the first that ``due_for_fixity`` gives at its location. While it is unverified no deletion counts on it.
    Locks the copy and what it is a copy of.

    Raises:
        Refused: its location has no ``fixity_interval_days``, so that nobody would check it.
        Conflict: its bytes are not at rest there.
        NotFound: there is no such copy.
    """
    name = name_of(PhysicalCopy, copy.pk)
    with as_refused(), transaction.atomic():
        found = PhysicalCopy.objects.select_for_update(no_key=True).filter(pk=copy.pk).first()
        if found is None:
            raise NotFound(f"{name}: there is no such row")
        if found.data_location.fixity_interval_days is None:
            raise Refused(f"{name}: {found.data_location} has no fixity_interval_days, so nobody checks it; set it")
        if found.status not in CHECKABLE:
            raise Conflict(f"{name}: is {found.status}; only what is there and at rest can be checked")
        PhysicalCopy.objects.filter(pk=copy.pk).update(verification=Verification.UNVERIFIED, verified_at=None)
    copy.refresh_from_db(fields=["verification", "verified_at"])
    return copy


def _apply(copy, check):
    facts = {
        "checksum": check.actual,
        "checksum_algorithm": check.algorithm,
        "verified_at": check.checked_at,
        "verification": Verification.VERIFIED if check.ok else Verification.MISMATCH,
    }
    row = PhysicalCopy.objects.filter(pk=copy.pk)
    present, corrupt = PhysicalCopyStatus.PRESENT, PhysicalCopyStatus.CORRUPT
    if check.ok:
        if copy.status in (corrupt, PhysicalCopyStatus.MISSING):
            facts["status"] = present
    elif copy.status in AT_REST and copy.status != corrupt:
        if copy.status != present:
            row.update(status=present)
        facts |= {"status": corrupt, "deletion_requested_at": None}
    row.update(**facts)


@dataclass(frozen=True)
class Listed:
    """A file that a storage says it has.

    Attributes:
        path: path below the location.
        size_bytes: size in bytes; None where the storage does not say.
        checksum: lower-case hexadecimal, by the algorithm of what it is a copy of; None where the storage does not say.
    """

    path: str
    size_bytes: int | None = None
    checksum: str | None = None


@dataclass(frozen=True)
class Reconciliation:
    """What a comparison found. Of each kind at most 100 are named.

    Attributes:
        listed: how many paths the storage listed.
        expected: how many copies should be there, without those that are too young.
        missing: how many of those are not listed.
        unknown: how many listed paths are no copy's that exists.
        differing: how many listed files have another size or checksum than their copy.
        returned: how many copies that were missing are listed.
        young: how many copies came too recently to be judged.
        marked: how many copies became missing by this.
        missing_copies: pairs of key and path.
        unknown_paths: paths.
        differing_copies: triples of key, path and what differs.
    """

    listed: int
    expected: int
    missing: int
    unknown: int
    differing: int
    returned: int
    young: int
    marked: int = 0
    missing_copies: list[tuple[int, str]] = field(default_factory=list)
    unknown_paths: list[str] = field(default_factory=list)
    differing_copies: list[tuple[int, str, str]] = field(default_factory=list)


class ReconciliationAborted(Refused):
    """Too much is missing to believe the listing; nothing was changed.

    Attributes:
        found: what the comparison found.
    """

    def __init__(self, location, found: Reconciliation, threshold: float):
        self.found = found
        super().__init__(
            f"{name_of(DataLocation, location.pk)}: {found.missing} of {found.expected} copies are not listed, more "
            f"than {threshold:.1%}; look at the listing first, then repeat with a higher threshold if it is right"
        )


STAGING_TABLES = """
CREATE TEMPORARY TABLE listing (path text, size_bytes bigint, checksum text) ON COMMIT DROP;
CREATE TEMPORARY TABLE recorded (
    id bigint, path text, status text, size_bytes bigint, checksum text, arrived_at timestamptz
) ON COMMIT DROP
"""
_PARTS = " UNION ALL ".join(
    f"SELECT copy.id, thing.relative_path, copy.status, coalesce(copy.size_bytes, thing.size_bytes), thing.checksum, "
    f"copy.arrived_at FROM physical_copy AS copy JOIN {table} AS thing ON thing.id = copy.{table}_id "
    f"WHERE copy.data_location_id = %(location)s AND copy.status <> 'deleted'"
    for table in ("raw_data_file", "raw_data_package", "data_transfer_package", "data_product")
)
RECORD = f"INSERT INTO recorded {_PARTS}"
INDEX_TABLES = """
CREATE INDEX ON listing (path);
CREATE INDEX ON recorded (path);
ANALYZE listing;
ANALYZE recorded
"""
JUDGED = "recorded.status IN ('present', 'staged', 'deletion_possible', 'corrupt') AND recorded.arrived_at <= %(old)s"
LISTED = "EXISTS (SELECT FROM listing WHERE listing.path = recorded.path)"
DIFFERENCE = """concat_ws(', ',
    CASE WHEN listing.size_bytes <> recorded.size_bytes
        THEN 'size ' || listing.size_bytes || ', not ' || recorded.size_bytes END,
    CASE WHEN listing.checksum <> recorded.checksum
        THEN 'checksum ' || listing.checksum || ', not ' || recorded.checksum END)"""
COUNT = f"""
SELECT (SELECT count(DISTINCT path) FROM listing) AS listed,
    count(*) FILTER (WHERE {JUDGED}) AS expected,
    count(*) FILTER (WHERE {JUDGED} AND NOT {LISTED}) AS missing,
    (SELECT count(DISTINCT path) FROM listing
        WHERE NOT EXISTS (SELECT FROM recorded WHERE recorded.path = listing.path)) AS unknown,
    (SELECT count(DISTINCT recorded.id) FROM recorded JOIN listing ON listing.path = recorded.path
        WHERE {DIFFERENCE} <> '' AND recorded.arrived_at <= %(old)s) AS differing,
    count(*) FILTER (WHERE recorded.status = 'missing' AND {LISTED}) AS returned,
    count(*) FILTER (WHERE recorded.arrived_at > %(old)s) AS young
FROM recorded
"""
NAME_MISSING = f"""
SELECT id, path FROM recorded WHERE {JUDGED} AND NOT {LISTED} ORDER BY id LIMIT {MAX_REPORTED}
"""
NAME_UNKNOWN = f"""
SELECT DISTINCT path FROM listing WHERE NOT EXISTS (SELECT FROM recorded WHERE recorded.path = listing.path)
ORDER BY path LIMIT {MAX_REPORTED}
"""
NAME_DIFFERING = f"""
SELECT DISTINCT ON (recorded.id) recorded.id, recorded.path, {DIFFERENCE} FROM recorded
JOIN listing ON listing.path = recorded.path
WHERE {DIFFERENCE} <> '' AND recorded.arrived_at <= %(old)s ORDER BY recorded.id LIMIT {MAX_REPORTED}
"""
# What arrived or went since the comparison is left as it is.
LOCK_MISSING = f"""
CREATE TEMPORARY TABLE lost ON COMMIT DROP AS
SELECT copy.id, copy.raw_data_file_id, copy.raw_data_package_id, copy.data_transfer_package_id, copy.data_product_id
FROM physical_copy AS copy JOIN recorded ON recorded.id = copy.id
WHERE {JUDGED} AND NOT {LISTED} AND copy.status = recorded.status AND copy.arrived_at = recorded.arrived_at
ORDER BY copy.id FOR NO KEY UPDATE OF copy
"""
LOCK_CONTENTS = "SELECT opsdb_lock_contents(ARRAY(SELECT id FROM lost), for_deletion => false)"
MARK_MISSING = "UPDATE physical_copy SET status = 'missing' WHERE id IN (SELECT id FROM lost)"


def reconcile(
    location: DataLocation,
    listing: Iterable[Listed | tuple],
    *,
    abort_threshold: float,
    minimum_age: timedelta,
    dry_run: bool = True,
) -> Reconciliation:
    """Compare what a storage lists with what is recorded there and, unless it is a dry run, mark what is missing.

    Unknown and differing files are only reported: what differs needs a fixity check, what is unknown a registration,
    what has returned either. The listing is streamed, and the comparison is done by the database; the memory of the
    client stays flat. Locks, unless it is a dry run, the missing copies and what they stand for.

    Args:
        location: where the listing is from.
        listing: all files there; tuples are (path, size_bytes, checksum).
        abort_threshold: part of the expected copies, from 0 to 1, that may be missing; above it the listing is not
            believed.
        minimum_age: copies that came later than this before now are not judged, because the listing may be older.
        dry_run: whether to change nothing.

    Raises:
        ReconciliationAborted: more is missing than the threshold allows; nothing was changed.
        OpsdbError: the threshold or the age is out of range, or an entry of the listing can't be read.
    """
    if not 0 <= abort_threshold <= 1:
        raise OpsdbError(f"reconcile: the threshold must be from 0 to 1, not {abort_threshold}")
    if minimum_age < timedelta(0):
        raise OpsdbError(f"reconcile: the minimum age must not be below 0, but is {minimum_age}")
    connection = connections[router.db_for_write(PhysicalCopy)]
    facts = {"location": location.pk, "old": timezone.now() - minimum_age}
    with as_refused(), transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(STAGING_TABLES)
        _stage(connection, listing)
        cursor.execute(RECORD, facts)
        cursor.execute(INDEX_TABLES)
        cursor.execute(COUNT, facts)
        counts = dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))
        for name, statement in (
            ("missing_copies", NAME_MISSING),
            ("unknown_paths", NAME_UNKNOWN),
            ("differing_copies", NAME_DIFFERING),
        ):
            cursor.execute(statement, facts)
            counts[name] = [row if len(row) > 1 else row[0] for row in cursor.fetchall()]
        found = Reconciliation(**counts)
        if found.missing > abort_threshold * found.expected:
            raise ReconciliationAborted(location, found, abort_threshold)
        marked = 0
        if found.missing and not dry_run:
            cursor.execute(LOCK_MISSING, facts)
            cursor.execute(LOCK_CONTENTS)
            tell(connection)
            cursor.execute(MARK_MISSING)
            marked = cursor.rowcount
        cursor.execute("DROP TABLE IF EXISTS listing, recorded, lost")
    return Reconciliation(**counts, marked=marked)


def _stage(connection, listing):
    """Copy the listing into its staging table."""
    try:
        with connection.connection.cursor() as cursor, cursor.copy("COPY listing FROM STDIN") as copy:
            for entry in listing:
                copy.write_row((entry.path, entry.size_bytes, entry.checksum) if isinstance(entry, Listed) else entry)
    except psycopg.DataError as error:
        raise OpsdbError(f"reconcile: an entry of the listing can't be read: {error}") from error
