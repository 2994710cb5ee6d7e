"""Stage 1, register: raw files that instruments have written, in bulk.

Rows are copied into a temporary table (COPY); there they are checked as a whole, and from there they are inserted into
the tables in one statement. The memory of the client does not grow with the rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg
from django.db import transaction
from django.db.models.expressions import RawSQL

from opsdb.database.aliases import writing_connection
from opsdb.database.checks import (
    CHECKSUM_DIGITS,
    LARGEST_FILE_BYTES,
    LONGEST_PATH_BYTES,
    NOT_HEXADECIMAL,
    PATH_LEADS_OUT,
)
from opsdb.database.identifiers import uuid7
from opsdb.models import ChecksumAlgorithm, PhysicalCopy
from opsdb.normalization import escape_unstorable, is_storable, normalize_path, parse_checksum

from .attribution import set_actor
from .errors import MAX_REPORTED, RegistrationRefused
from .restoring import CAME_BACK

CHUNK = 5_000
# A time of day and then a zone; a time that is infinite has its own message.
_HAS_ZONE = re.compile(r"(\d:\d\d(:\d\d([.,]\d+)?)?\s*(Z|[+-]\d\d(:?\d\d)?)|infinity)\s*$", re.IGNORECASE)


@dataclass(slots=True)
class RawFileReport:
    """A file that an instrument reports.

    Attributes:
        executed_obs_unit: id of the observation it is from.
        instrument_module: id of the module that wrote it.
        source_location: id of the source location it was written to.
        relative_path: path below that location; blanks around it, and ``./`` and ``/`` before it, are left out.
        size_bytes: size in bytes, at most 1 PB and the capacity of the location.
        checksum: hexadecimal, also in capitals, or with the name of its algorithm before it (``sha256:…``).
        checksum_algorithm: how it was computed.
        file_type: format or role, such as fits.
        observed_at: time of the first sample, aware, and not in the future.
        id: identifier made at the instrument; a new one when left out.
        line: number of the report in messages; its position in the batch, from 1, when left out.
    """

    executed_obs_unit: UUID
    instrument_module: int
    source_location: int
    relative_path: str
    size_bytes: int
    checksum: str
    checksum_algorithm: str = ChecksumAlgorithm.SHA256
    file_type: str = ""
    observed_at: datetime | None = None
    id: UUID | None = None
    line: int | None = None


@dataclass(frozen=True)
class Registration:
    """Result of a registration.

    Attributes:
        created: how many files are new.
        known: how many were registered before, and have not come back.
        returned: how many were registered before, deleted or missing at their source, and are there again.
    """

    created: int
    known: int
    returned: int = 0


COLUMNS = [field.name for field in fields(RawFileReport) if field.name != "line"]
COPY_CHUNK = f"COPY pg_temp.registering (line, {', '.join(COLUMNS)}, id_is_given) FROM STDIN"
STAGING_TABLE = """
CREATE TEMPORARY TABLE registering (
    line bigint, executed_obs_unit uuid, instrument_module bigint, source_location bigint, relative_path text,
    size_bytes bigint, checksum text, checksum_algorithm text, file_type text, observed_at timestamptz, id uuid,
    id_is_given boolean
) ON COMMIT DROP
"""
_DIGITS = " ".join(f"WHEN '{name}' THEN ARRAY{list(digits)}" for name, digits in CHECKSUM_DIGITS.items())
_ALGORITHMS = ", ".join(CHECKSUM_DIGITS)
# One row for every staged row that would be refused, with the first reason.
WRONG_ROWS = rf"""
SELECT line, problem FROM (
    SELECT line, CASE
        WHEN execution.id IS NULL
            THEN coalesce(
                'there is no executed_obs_unit ' || executed_obs_unit || '; start its observation first',
                'executed_obs_unit is missing; give its id'
            )
        WHEN module.id IS NULL
            THEN coalesce(
                'there is no instrument_module ' || instrument_module || '; give the id of one that there is',
                'instrument_module is missing; give its id'
            )
        WHEN location.id IS NULL
            THEN coalesce(
                'there is no data_location ' || source_location || '; give the id of a source location',
                'source_location is missing; give its id'
            )
        WHEN location.location_type <> 'source'
            THEN opsdb_name_location(location.id) || ' is a ' || location.location_type || ' location; register files '
                || 'at the source location that the instrument writes to'
        WHEN NOT location.active
            THEN opsdb_name_location(location.id) || ' is inactive; register files at an active location, or enable it'
        WHEN module.instrument_id <> location.instrument_id
            THEN 'module ' || module.name || ' belongs to ' || owner.name || ', but '
                || opsdb_name_location(location.id) || ' to ' || writer.name || '; name a module of ' || writer.name
                || ', or the source location of '
                || owner.name
        WHEN relative_path IS NULL OR relative_path ~ '{PATH_LEADS_OUT}'
            OR length(relative_path) > 1000
            THEN 'relative_path ' || coalesce(quote_literal(left(relative_path, 100)), 'missing')
                || '; give a path below the location, without .., and at most 1000 characters long'
        WHEN octet_length(relative_path) > {LONGEST_PATH_BYTES}
            THEN 'relative_path ' || quote_literal(left(relative_path, 50)) || '… has ' || octet_length(relative_path)
                || ' bytes in UTF-8; give one of at most {LONGEST_PATH_BYTES}'
        WHEN size_bytes IS NULL OR size_bytes < 0
            THEN coalesce('size_bytes is ' || size_bytes, 'size_bytes is missing')
                || '; give the size in bytes, 0 or more'
        WHEN size_bytes > {LARGEST_FILE_BYTES}
            THEN 'size_bytes ' || size_bytes || ' is more than 1 PB; report the size in bytes'
        WHEN size_bytes > location.capacity_bytes
            THEN 'size_bytes ' || size_bytes || ' is more than ' || opsdb_name_location(location.id) || ' holds, '
                || location.capacity_bytes || '; report the size in bytes'
        WHEN NOT isfinite(observed_at)
            THEN 'observed_at ' || observed_at || ' is no time; leave it out, or give one such as 2026-06-15T02:00:00Z'
        WHEN observed_at > statement_timestamp() + opsdb_clock_skew()
            THEN 'observed_at ' || observed_at || ' is in the future; set the clock of the instrument'
        WHEN observed_at < opsdb_first_light()::timestamp AT TIME ZONE 'UTC'
            THEN 'observed_at ' || observed_at || ' is before the first light of the telescope; set the clock of the '
                || 'instrument'
        WHEN CASE checksum_algorithm {_DIGITS} END IS NULL
            THEN coalesce(
                'checksum_algorithm ' || checksum_algorithm || ' is not known', 'checksum_algorithm is missing'
            ) || '; use one of {_ALGORITHMS}'
        WHEN checksum IS NULL OR checksum ~ '{NOT_HEXADECIMAL}'
            OR length(checksum) <> ALL (CASE checksum_algorithm {_DIGITS} END)
            THEN coalesce(
                'checksum ' || quote_literal(left(checksum, 130)) || ' is no ' || checksum_algorithm || ' checksum',
                'checksum is missing'
            ) || '; give all of its hexadecimal digits'
        WHEN length(file_type) > 50 THEN 'file_type is longer than 50 characters; shorten it, such as fits'
    END AS problem
    FROM pg_temp.registering
    LEFT JOIN executed_obs_unit AS execution ON execution.id = executed_obs_unit
    LEFT JOIN instrument_module AS module ON module.id = instrument_module
    LEFT JOIN data_location AS location ON location.id = source_location
    LEFT JOIN instrument AS owner ON owner.id = module.instrument_id
    LEFT JOIN instrument AS writer ON writer.id = location.instrument_id
) AS checked WHERE problem IS NOT NULL ORDER BY line LIMIT {MAX_REPORTED}
"""
# One location at a time, so that two sessions that register the same files don't deadlock.
LOCK_LOCATIONS = """
SELECT pg_advisory_xact_lock('raw_data_file'::regclass::integer, location::integer)
FROM (SELECT DISTINCT source_location AS location FROM pg_temp.registering ORDER BY 1) AS locations
"""
INSERT_FILES_AND_COPIES = """
WITH created AS (
    INSERT INTO raw_data_file (id, executed_obs_unit_id, instrument_module_id, source_location_id, relative_path,
                               size_bytes, checksum, checksum_algorithm, file_type, observed_at)
    SELECT id, executed_obs_unit, instrument_module, source_location, relative_path,
           size_bytes, checksum, checksum_algorithm, file_type, observed_at
    FROM pg_temp.registering
    ON CONFLICT DO NOTHING
    RETURNING id, source_location_id, size_bytes, checksum, checksum_algorithm
)
INSERT INTO physical_copy (raw_data_file_id, data_location_id, size_bytes, checksum, checksum_algorithm,
                           status, verification, retry_count, failure_message, deletion_candidate)
SELECT id, source_location_id, size_bytes, checksum, checksum_algorithm, 'present', 'unverified', 0, '', false
FROM created
"""
LOCK_RETURNING = """
CREATE TEMPORARY TABLE returning_copy ON COMMIT DROP AS
SELECT copy.id FROM pg_temp.registering
JOIN raw_data_file AS file
    ON file.source_location_id = source_location AND file.relative_path = registering.relative_path
JOIN physical_copy AS copy ON copy.raw_data_file_id = file.id AND copy.data_location_id = file.source_location_id
WHERE copy.status IN ('deleted', 'missing')
ORDER BY copy.id FOR NO KEY UPDATE OF copy
"""
LOCK_CONTENTS = "SELECT opsdb_lock_contents(ARRAY(SELECT id FROM pg_temp.returning_copy), for_deletion => false)"
RETURNING = RawSQL("SELECT id FROM pg_temp.returning_copy", [])
CONTRADICTIONS = f"""
SELECT line, CASE
    WHEN file.id IS NULL THEN 'the id ' || registering.id || ' belongs to the file ' || same_id.relative_path
        || ' at ' || opsdb_name_location(same_id.source_location_id) || '; give this file an id of its own, or none'
    WHEN id_is_given AND file.id <> registering.id
        THEN 'the file ' || file.relative_path || ' was registered with the id ' || file.id || ', not '
            || registering.id || '; report that id, or none'
    ELSE 'the file ' || file.relative_path || ' was registered with ' || concat_ws(', ',
        CASE WHEN file.checksum <> registering.checksum OR file.checksum_algorithm <> registering.checksum_algorithm
            THEN 'checksum ' || file.checksum_algorithm || ' ' || file.checksum END,
        CASE WHEN file.size_bytes <> registering.size_bytes THEN 'size ' || file.size_bytes END,
        CASE WHEN file.executed_obs_unit_id <> registering.executed_obs_unit
            THEN 'executed_obs_unit ' || file.executed_obs_unit_id END,
        CASE WHEN file.instrument_module_id <> registering.instrument_module
            THEN 'instrument_module ' || file.instrument_module_id END)
        || '; report the same, or register what differs under another path'
    END AS problem
FROM pg_temp.registering
LEFT JOIN raw_data_file AS file
    ON file.source_location_id = source_location AND file.relative_path = registering.relative_path
LEFT JOIN raw_data_file AS same_id ON file.id IS NULL AND same_id.id = registering.id
WHERE file.id IS NULL OR (id_is_given AND file.id <> registering.id)
    OR file.checksum <> registering.checksum OR file.checksum_algorithm <> registering.checksum_algorithm
    OR file.size_bytes <> registering.size_bytes OR file.executed_obs_unit_id <> registering.executed_obs_unit
    OR file.instrument_module_id <> registering.instrument_module
ORDER BY line LIMIT {MAX_REPORTED}
"""


def register_raw_data_files(reports: Iterable[RawFileReport | dict[str, Any]]) -> Registration:
    """Register files, each with its present copy at its source location, all or none.

    Idempotent: files that are registered already, with the same facts, stay as they are, except that one whose copy was
    deleted or missing is there again: its copy is present and unverified. Two sessions that register the same files
    simultaneously make one set of rows. The rows are streamed; memory stays flat. Locks the registration of files at
    each of the source locations, and the copies that are there again with their files.

    Args:
        reports: the files; dicts have the fields of :class:`RawFileReport`.

    Raises:
        RegistrationRefused: rows are wrong, or contradict each other or what is recorded. Lines count from 1.
    """
    connection = writing_connection()
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(STAGING_TABLE)
        staged = _stage(connection, reports)
        cursor.execute("ANALYZE pg_temp.registering")
        _refuse_any(cursor, WRONG_ROWS)
        cursor.execute(LOCK_LOCATIONS)
        set_actor(connection)
        cursor.execute(INSERT_FILES_AND_COPIES)
        created = cursor.rowcount
        returned = 0
        if created < staged:
            _refuse_any(cursor, CONTRADICTIONS)
            cursor.execute(LOCK_RETURNING)
            if cursor.rowcount:
                cursor.execute(LOCK_CONTENTS)
                returned = PhysicalCopy.objects.using(connection.alias).filter(pk__in=RETURNING).update(**CAME_BACK)
            cursor.execute("DROP TABLE pg_temp.returning_copy")
        cursor.execute("DROP TABLE pg_temp.registering")
    return Registration(created=created, known=staged - created - returned, returned=returned)


def _refuse_any(cursor, query):
    cursor.execute(query)
    problems = cursor.fetchall()
    if problems:
        raise RegistrationRefused(problems)


def _stage(connection, reports) -> int:
    """Copy the reports into the staging table and return their number.

    In chunks, because a connection can do nothing else during a COPY, and a caller's generator may query.
    """
    reports, staged = iter(reports), 0
    while chunk := [_row_of(line, report) for line, report in enumerate(islice(reports, CHUNK), staged + 1)]:
        try:
            with connection.connection.cursor() as cursor, cursor.copy(COPY_CHUNK) as copy:
                for row in chunk:
                    copy.write_row(row)
        except psycopg.DataError as error:
            raise RegistrationRefused([_where_copy_stopped(error, chunk)]) from error
        staged += len(chunk)
    return staged


def _row_of(line, report) -> tuple:
    if isinstance(report, dict):
        report = _report_of(line, report)
    given, line = report.id is not None, report.line or line
    row = (
        line,
        report.executed_obs_unit,
        report.instrument_module,
        report.source_location,
        normalize_path(report.relative_path) if isinstance(report.relative_path, str) else report.relative_path,
        report.size_bytes,
        _digits_of(line, report),
        report.checksum_algorithm,
        report.file_type,
        report.observed_at,
        report.id if given else uuid7(),
        given,
    )
    _require_storable(line, row)
    return row


def _digits_of(line, report):
    """Return the checksum of a report as it is stored; what is no text or no checksum is left to the checks."""
    understood = parse_checksum(report.checksum) if isinstance(report.checksum, str) else None
    if understood is None:
        return report.checksum
    if understood.algorithm not in (None, report.checksum_algorithm):
        problem = (
            f"checksum names the algorithm {understood.algorithm}, but checksum_algorithm is "
            f"{report.checksum_algorithm}; give the one that it was computed by"
        )
        raise RegistrationRefused([(line, problem)])
    return understood.digits


def _require_storable(line, row):
    for name, value in zip(COLUMNS, row[1:], strict=False):
        if isinstance(value, str) and not is_storable(value):
            what = "NUL" if "\0" in value else "bytes that are not UTF-8"
            problem = (
                f"{name} '{escape_unstorable(value)}' contains {what}; rename the file, or write the text in UTF-8"
            )
            raise RegistrationRefused([(line, problem)])
        if isinstance(value, datetime) and value.tzinfo is None:
            problem = f"{name} {value.isoformat()} has no time zone; give it in UTC, such as {value.isoformat()}+00:00"
            raise RegistrationRefused([(line, problem)])
        if name == "observed_at" and isinstance(value, str) and not _HAS_ZONE.search(value):
            problem = f"{name} {value!r} has no time zone; give it in UTC, such as 2026-06-15T02:00:00Z"
            raise RegistrationRefused([(line, problem)])


def _report_of(line, row) -> RawFileReport:
    try:
        return RawFileReport(**row)
    except TypeError:
        unknown = sorted(set(row) - set(COLUMNS))
        missing = [name for name in COLUMNS[:6] if name not in row]
        problem = (
            f"unknown field: {', '.join(unknown)}; give only {', '.join(COLUMNS)}"
            if unknown
            else f"missing field: {', '.join(missing)}; give it"
        )
        raise RegistrationRefused([(line, problem)]) from None


def _where_copy_stopped(error, chunk) -> tuple[int, str]:
    """Return line and problem of an error that COPY reports for a value of a wrong type."""
    place, _, column = (error.diag.context or "").removeprefix("COPY registering, ").partition(", ")
    number = place.removeprefix("line ")
    row = chunk[int(number) - 1] if number.isdigit() else chunk[0]
    problem = (error.diag.message_primary or str(error)).splitlines()[0]
    return row[0], f"{column}: {problem}" if column else problem
