"""Reconciliation: the copies recorded at a location, compared with the listing of its storage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
from django.db import connections, router, transaction
from django.utils import timezone

from opsdb.models import DataLocation, PhysicalCopy

from .attribution import set_actor
from .errors import OpsdbError, ReconciliationAborted, translate_integrity_errors

MAX_REPORTED = 100


@dataclass(frozen=True)
class ListedFile:
    """A file in the listing of a storage.

    Attributes:
        path: path below the location.
        size_bytes: size in bytes; None where the listing has none.
        checksum: lower-case hexadecimal, by the algorithm of the recorded checksum; None where the
            listing has none.
    """

    path: str
    size_bytes: int | None = None
    checksum: str | None = None


@dataclass(frozen=True)
class Reconciliation:
    """Result of a comparison. Of each kind at most 100 are named.

    Attributes:
        listed: how many paths the storage listed.
        expected: how many copies should be there, without those that are too young.
        missing: how many of those are not listed.
        unknown: how many listed paths belong to no existing copy.
        differing: how many listed files have another size or checksum than their copy.
        returned: how many copies that were missing are listed.
        young: how many copies arrived too recently to be judged.
        marked: how many copies this call marked as missing.
        missing_copies: pairs of key and path.
        unknown_paths: paths.
        differing_copies: triples of key, path and difference.
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


STAGING_TABLES = """
CREATE TEMPORARY TABLE listing (path text, size_bytes bigint, checksum text) ON COMMIT DROP;
CREATE TEMPORARY TABLE recorded (
    id bigint, path text, status text, size_bytes bigint, checksum text, arrived_at timestamptz
) ON COMMIT DROP
"""


def _recorded(table: str) -> str:
    return f"""
        SELECT copy.id, content.relative_path, copy.status, coalesce(copy.size_bytes, content.size_bytes),
            content.checksum, copy.arrived_at
        FROM physical_copy AS copy JOIN {table} AS content ON content.id = copy.{table}_id
        WHERE copy.data_location_id = %(location)s AND copy.status <> 'deleted'
    """


RECORD = "INSERT INTO recorded " + " UNION ALL ".join(
    _recorded(table) for table in ("raw_data_file", "raw_data_package", "data_transfer_package", "data_product")
)
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
# Copies that arrived or went since the comparison stay as they are.
LOCK_MISSING = f"""
CREATE TEMPORARY TABLE lost ON COMMIT DROP AS
SELECT copy.id, copy.raw_data_file_id, copy.raw_data_package_id, copy.data_transfer_package_id, copy.data_product_id
FROM physical_copy AS copy JOIN recorded ON recorded.id = copy.id
WHERE {JUDGED} AND NOT {LISTED} AND copy.status = recorded.status AND copy.arrived_at = recorded.arrived_at
ORDER BY copy.id FOR NO KEY UPDATE OF copy
"""
LOCK_CONTENTS = (
    """SELECT FROM data_transfer_package WHERE id IN (SELECT data_transfer_package_id FROM lost)
    ORDER BY id FOR NO KEY UPDATE""",
    """SELECT FROM raw_data_package WHERE id IN (SELECT raw_data_package_id FROM lost
    UNION SELECT raw_data_package_id FROM raw_data_file WHERE id IN (SELECT raw_data_file_id FROM lost)
    UNION SELECT package.id FROM raw_data_package AS package JOIN lost USING (data_transfer_package_id))
    ORDER BY id FOR NO KEY UPDATE""",
    """SELECT FROM raw_data_file WHERE raw_data_package_id IS NULL AND id IN (SELECT raw_data_file_id FROM lost)
    ORDER BY id FOR NO KEY UPDATE""",
    "SELECT FROM data_product WHERE id IN (SELECT data_product_id FROM lost) ORDER BY id FOR NO KEY UPDATE",
)
MARK_MISSING = "UPDATE physical_copy SET status = 'missing' WHERE id IN (SELECT id FROM lost)"


def reconcile_location(
    location: DataLocation,
    listing: Iterable[ListedFile | tuple[str, int | None, str | None]],
    *,
    abort_threshold: float,
    minimum_age: timedelta,
    dry_run: bool = True,
) -> Reconciliation:
    """Compare the listing of a storage with the recorded copies and, unless it is a dry run, mark what is missing.

    Unknown and differing files are only reported: what differs needs a fixity check, what is unknown a registration,
    what has returned either. The listing is streamed, and the database does the comparison; the memory of the
    client stays flat. Locks, unless it is a dry run, the missing copies and their content.

    Args:
        location: the location of the storage.
        listing: all files there; tuples are (path, size_bytes, checksum).
        abort_threshold: part of the expected copies, from 0 to 1, that may be missing; above it the listing is not
            trusted.
        minimum_age: copies that arrived more recently are not judged, because the listing may be older.
        dry_run: whether to change nothing.

    Raises:
        ReconciliationAborted: more is missing than the threshold allows; nothing was changed.
        OpsdbError: the threshold or the age is out of range, or an entry of the listing can't be read.
    """
    if not 0 <= abort_threshold <= 1:
        raise OpsdbError(f"reconcile_location: the threshold must be from 0 to 1, not {abort_threshold}")
    if minimum_age < timedelta(0):
        raise OpsdbError(f"reconcile_location: the minimum age must not be below 0, but is {minimum_age}")
    connection = connections[router.db_for_write(PhysicalCopy)]
    facts = {"location": location.pk, "old": timezone.now() - minimum_age}
    with translate_integrity_errors(), transaction.atomic(using=connection.alias), connection.cursor() as cursor:
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
            for statement in LOCK_CONTENTS:
                cursor.execute(statement)
            set_actor(connection)
            cursor.execute(MARK_MISSING)
            marked = cursor.rowcount
        cursor.execute("DROP TABLE IF EXISTS listing, recorded, lost")
    return Reconciliation(**counts, marked=marked)


def _stage(connection, listing):
    """Copy the listing into its staging table."""
    try:
        with connection.connection.cursor() as cursor, cursor.copy("COPY listing FROM STDIN") as copy:
            for entry in listing:
                copy.write_row(
                    (entry.path, entry.size_bytes, entry.checksum) if isinstance(entry, ListedFile) else entry
                )
    except psycopg.DataError as error:
        raise OpsdbError(f"reconcile_location: an entry of the listing can't be read: {error}") from error
