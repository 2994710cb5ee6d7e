"""Reconciliation: the copies recorded at a location, compared with the listing of its storage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
from django.db import transaction
from django.utils import timezone

from opsdb.database.aliases import writing_connection
from opsdb.models import DataLocation
from opsdb.normalization import escape_unstorable, is_storable, normalize_path, parse_checksum

from .attribution import set_actor
from .errors import OpsdbError, ReconciliationAborted, translate_integrity_errors

MAX_REPORTED = 100


@dataclass(frozen=True)
class ListedFile:
    r"""A file in the listing of a storage.

    Attributes:
        path: path below the location; blanks around it, and ``./`` and ``/`` before it, are left out. What is not
            UTF-8 is an unregistered file, and is named with ``\xf1`` for each such byte.
        size_bytes: size in bytes; None where the listing has none.
        checksum: hexadecimal, also in capitals, or with the name of its algorithm before it; None or empty where the
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
        incomparable: how many listed checksums are by another algorithm than the recorded one, and were not compared.
        returned: how many copies that were missing or deleted are listed.
        young: how many copies arrived too recently to be judged.
        marked: how many copies this call marked as missing.
        advice: what the paths have in common where the listing looks as if it began at another folder; else empty.
        missing_copies: pairs of key and path.
        unknown_paths: paths.
        differing_copies: triples of key, path and difference.
        returned_copies: pairs of key and path.
    """

    listed: int
    expected: int
    missing: int
    unknown: int
    differing: int
    returned: int
    young: int
    incomparable: int = 0
    marked: int = 0
    advice: str = ""
    missing_copies: list[tuple[int, str]] = field(default_factory=list)
    unknown_paths: list[str] = field(default_factory=list)
    differing_copies: list[tuple[int, str, str]] = field(default_factory=list)
    returned_copies: list[tuple[int, str]] = field(default_factory=list)


STAGING_TABLES = """
CREATE TEMPORARY TABLE listing (path text, size_bytes bigint, checksum text, algorithm text) ON COMMIT DROP;
CREATE TEMPORARY TABLE recorded (
    id bigint, path text, status text, size_bytes bigint, checksum text, algorithm text, arrived_at timestamptz
) ON COMMIT DROP
"""


def _recorded(table: str) -> str:
    return f"""
        SELECT copy.id, content.relative_path, copy.status, coalesce(copy.size_bytes, content.size_bytes),
            content.checksum, content.checksum_algorithm, copy.arrived_at
        FROM physical_copy AS copy JOIN {table} AS content ON content.id = copy.{table}_id
        WHERE copy.data_location_id = %(location)s AND copy.status <> 'deleted'
    """


TABLES = ("raw_data_file", "raw_data_package", "data_transfer_package", "data_product")
RECORD = "INSERT INTO recorded " + " UNION ALL ".join(map(_recorded, TABLES))


def _deleted(table: str) -> str:
    at_source = "AND content.source_location_id = copy.data_location_id" if table == "raw_data_file" else ""
    return f"""
        SELECT copy.id, content.relative_path, copy.status, coalesce(copy.size_bytes, content.size_bytes),
            content.checksum, content.checksum_algorithm, copy.deleted_at
        FROM listing JOIN {table} AS content ON content.relative_path = listing.path
        JOIN physical_copy AS copy ON copy.{table}_id = content.id {at_source}
        WHERE copy.data_location_id = %(location)s AND copy.status = 'deleted'
    """


# Deleted copies only where they are listed: there are many more that are not.
RECORD_DELETED = "INSERT INTO recorded " + " UNION ALL ".join(map(_deleted, TABLES))
INDEX_TABLES = """
CREATE INDEX ON recorded (path);
ANALYZE recorded
"""
JUDGED = "recorded.status IN ('present', 'staged', 'deletion_possible', 'corrupt') AND recorded.arrived_at <= %(old)s"
LISTED = "EXISTS (SELECT FROM listing WHERE listing.path = recorded.path)"
# A listing may be older than a deletion.
RETURNED = (
    f"(recorded.status = 'missing' OR recorded.status = 'deleted' AND recorded.arrived_at <= %(old)s) AND {LISTED}"
)
# A name of another algorithm, or as many digits as another one makes.
COMPARABLE = (
    "(coalesce(listing.algorithm, recorded.algorithm) = recorded.algorithm "
    "AND length(listing.checksum) = length(recorded.checksum))"
)
DIFFERENCE = f"""concat_ws(', ',
    CASE WHEN listing.size_bytes <> recorded.size_bytes
        THEN 'size ' || listing.size_bytes || ', not ' || recorded.size_bytes END,
    CASE WHEN {COMPARABLE} AND listing.checksum <> recorded.checksum
        THEN 'checksum ' || listing.checksum || ', not ' || recorded.checksum END)"""
COUNT = f"""
SELECT (SELECT count(DISTINCT path) FROM listing) AS listed,
    count(*) FILTER (WHERE {JUDGED}) AS expected,
    count(*) FILTER (WHERE {JUDGED} AND NOT {LISTED}) AS missing,
    (SELECT count(DISTINCT path) FROM listing
        WHERE NOT EXISTS (SELECT FROM recorded WHERE recorded.path = listing.path)) AS unknown,
    (SELECT count(DISTINCT recorded.id) FROM recorded JOIN listing ON listing.path = recorded.path
        WHERE {DIFFERENCE} <> '' AND recorded.arrived_at <= %(old)s) AS differing,
    (SELECT count(DISTINCT recorded.id) FROM recorded JOIN listing ON listing.path = recorded.path
        WHERE NOT {COMPARABLE}) AS incomparable,
    count(*) FILTER (WHERE {RETURNED}) AS returned,
    count(*) FILTER (WHERE recorded.arrived_at > %(old)s AND recorded.status <> 'deleted') AS young
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
# What all unknown paths have before the path of a missing copy, or lack: one row where it is the same for each of them.
# Only the first of them are compared with what is missing.
_UNKNOWN = f"""
    SELECT DISTINCT path FROM listing WHERE NOT EXISTS (SELECT FROM recorded WHERE recorded.path = listing.path)
    ORDER BY path LIMIT {MAX_REPORTED}
"""
_LOST = f"SELECT path FROM recorded WHERE {JUDGED} AND NOT {LISTED}"


def _common(found: str, condition: str) -> str:
    return f"""
        SELECT DISTINCT (
            SELECT {found} FROM ({_LOST}) AS lost (path) WHERE {condition} LIMIT 1
        ) FROM ({_UNKNOWN}) AS unknown (path) LIMIT 2
    """


TOO_LONG = _common(
    "left(unknown.path, length(unknown.path) - length(lost.path))",
    "right(unknown.path, length(lost.path) + 1) = '/' || lost.path",
)
TOO_SHORT = _common(
    "left(lost.path, length(lost.path) - length(unknown.path))",
    "right(lost.path, length(unknown.path) + 1) = '/' || unknown.path",
)
OTHER_CASE = _common("''", "lower(lost.path) = lower(unknown.path)")
NAME_RETURNED = f"SELECT id, path FROM recorded WHERE {RETURNED} ORDER BY id LIMIT {MAX_REPORTED}"
# Copies that arrived or went since the comparison stay as they are.
LOCK_MISSING = f"""
CREATE TEMPORARY TABLE lost ON COMMIT DROP AS
SELECT copy.id, copy.raw_data_file_id, copy.raw_data_package_id, copy.data_transfer_package_id, copy.data_product_id
FROM physical_copy AS copy JOIN recorded ON recorded.id = copy.id
WHERE {JUDGED} AND NOT {LISTED} AND copy.status = recorded.status AND copy.arrived_at = recorded.arrived_at
ORDER BY copy.id FOR NO KEY UPDATE OF copy
"""
LOCK_CONTENTS = "SELECT opsdb_lock_contents(ARRAY(SELECT id FROM lost), for_deletion => false)"
MARK_MISSING = """
UPDATE physical_copy SET status = 'missing', failure_message = concat_ws(' ',
    'not in the listing of its storage that was compared at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
    'UTC', 'by ' || coalesce(
        opsdb_username(nullif(current_setting('opsdb.user_id', true), '')),
        nullif(current_setting('opsdb.origin', true), '')
    ))
WHERE id IN (SELECT id FROM lost)
"""


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
    what has returned ``restore_copy``, or the registration of its raw data files again. The listing is streamed, and
    the database does the comparison; the memory of the client stays flat. Locks, unless it is a dry run, the missing
    copies and their content.

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
        raise OpsdbError(f"reconciliation: the threshold is {abort_threshold}; give a part of 1, from 0 to 1")
    if minimum_age < timedelta(0):
        raise OpsdbError(f"reconciliation: the minimum age is {minimum_age}; give 0 or more")
    connection = writing_connection()
    facts = {"location": location.pk, "old": timezone.now() - minimum_age}
    with translate_integrity_errors(), transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(STAGING_TABLES)
        _stage(connection, listing)
        cursor.execute("CREATE INDEX ON listing (path); ANALYZE listing")
        cursor.execute(RECORD, facts)
        cursor.execute(RECORD_DELETED, facts)
        cursor.execute(INDEX_TABLES)
        cursor.execute(COUNT, facts)
        counts = dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))
        for name, statement in (
            ("missing_copies", NAME_MISSING),
            ("unknown_paths", NAME_UNKNOWN),
            ("differing_copies", NAME_DIFFERING),
            ("returned_copies", NAME_RETURNED),
        ):
            cursor.execute(statement, facts)
            counts[name] = [row if len(row) > 1 else row[0] for row in cursor.fetchall()]
        if counts["missing"] and counts["unknown"]:
            counts["advice"] = _advise(cursor, facts)
        found = Reconciliation(**counts)
        if found.missing > abort_threshold * found.expected:
            raise ReconciliationAborted(location, found, abort_threshold)
        marked = 0
        if found.missing and not dry_run:
            cursor.execute(LOCK_MISSING, facts)
            cursor.execute(LOCK_CONTENTS)
            set_actor(connection)
            cursor.execute(MARK_MISSING)
            marked = cursor.rowcount
        cursor.execute("DROP TABLE IF EXISTS listing, recorded, lost")
    return Reconciliation(**counts, marked=marked)


def _advise(cursor, facts):
    """Return how the listing's paths differ from the missing ones where all of them differ in the same way."""
    for statement, advice in (
        (TOO_LONG, "every unknown path is that of a missing copy with {!r} before it; list paths below the location"),
        (
            TOO_SHORT,
            "every unknown path is that of a missing copy without {!r} before it; list paths below the location",
        ),
        (OTHER_CASE, "every unknown path is that of a missing copy in other letter case; list the names as they are{}"),
    ):
        cursor.execute(statement, facts)
        prefixes = [row[0] for row in cursor.fetchall()]
        if len(prefixes) == 1 and prefixes[0] is not None:
            return advice.format(prefixes[0])
    return ""


def _stage(connection, listing):
    """Copy the listing into its staging table."""
    line = 0
    try:
        with connection.connection.cursor() as cursor, cursor.copy("COPY listing FROM STDIN") as copy:
            for entry in listing:
                line += 1
                copy.write_row(_row_of(entry))
    except (psycopg.DataError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise OpsdbError(
            f"reconciliation: entry {line} of the listing can't be read: {reason}; give path, size and checksum"
        ) from error


def _row_of(entry):
    path, size, checksum = (
        (entry.path, entry.size_bytes, entry.checksum) if isinstance(entry, ListedFile) else tuple(entry)
    )
    if not isinstance(path, str):
        raise TypeError(f"{path!r} is no path")
    path = normalize_path(path) if is_storable(path) else escape_unstorable(path)
    understood = parse_checksum(checksum)
    return (path, size, *(understood or (None, None)))
