"""Stage 1, register: raw files that instruments have written, in bulk.

Rows go by COPY into a temporary table; there they are checked as a whole, and from there they reach the real tables in
one statement. The memory of the client does not grow with the rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg
from django.db import connections, router, transaction

from opsdb.database.checks import CHECKSUM_DIGITS, PATH_LEADS_OUT
from opsdb.database.identifiers import uuid7
from opsdb.models import ChecksumAlgorithm, RawDataFile

from .attribution import set_actor
from .errors import MAX_REPORTED, RegistrationRefused

CHUNK = 5_000


@dataclass(slots=True)
class RawFileReport:
    """A file that an instrument reports.

    Attributes:
        executed_obs_unit: id of the execution it is from.
        instrument_module: id of the module that wrote it.
        source_location: id of the source location it was written to.
        relative_path: path below that location.
        size_bytes: size in bytes.
        checksum: lower-case hexadecimal.
        checksum_algorithm: how it was computed.
        file_type: format or role, such as fits.
        observed_at: time of the first sample, aware.
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
        known: how many were registered before.
    """

    created: int
    known: int


COLUMNS = [field.name for field in fields(RawFileReport) if field.name != "line"]
COPY_CHUNK = f"COPY pg_temp.registering (line, {', '.join(COLUMNS)}, id_is_given) FROM STDIN"
STAGING_TABLE = """
CREATE TEMPORARY TABLE registering (
    line bigint, executed_obs_unit uuid, instrument_module bigint, source_location bigint, relative_path text,
    size_bytes bigint, checksum text, checksum_algorithm text, file_type text, observed_at timestamptz, id uuid,
    id_is_given boolean
) ON COMMIT DROP
"""
_DIGITS = " ".join(f"WHEN '{name}' THEN '^[0-9a-f]{digits}$'" for name, digits in CHECKSUM_DIGITS.items())
# One row for every staged row that would be refused, with the first reason.
WRONG_ROWS = rf"""
SELECT line, problem FROM (
    SELECT line, CASE
        WHEN execution.id IS NULL
            THEN 'there is no executed_obs_unit ' || coalesce(executed_obs_unit::text, 'without id')
        WHEN module.id IS NULL
            THEN 'there is no instrument_module ' || coalesce(instrument_module::text, 'without id')
        WHEN location.id IS NULL
            THEN 'there is no data_location ' || coalesce(source_location::text, 'without id')
        WHEN location.location_type <> 'source'
            THEN 'location ' || location.name || ' is a ' || location.location_type || ' location, not a source'
        WHEN relative_path IS NULL OR relative_path ~ '{PATH_LEADS_OUT}'
            OR length(relative_path) > 1000
            THEN 'relative_path ' || coalesce(quote_literal(left(relative_path, 100)), 'missing')
                || ' must be relative, without .., and at most 1000 characters long'
        WHEN size_bytes IS NULL OR size_bytes < 0
            THEN 'size_bytes ' || coalesce(size_bytes::text, 'missing') || ' must be 0 or more'
        WHEN CASE checksum_algorithm {_DIGITS} END IS NULL
            THEN 'checksum_algorithm ' || coalesce(checksum_algorithm, 'missing') || ' is not known'
        WHEN checksum IS NULL OR checksum !~ CASE checksum_algorithm {_DIGITS} END
            THEN 'checksum ' || coalesce(quote_literal(left(checksum, 130)), 'missing')
                || ' is no lower-case hexadecimal ' || checksum_algorithm
        WHEN length(file_type) > 50 THEN 'file_type is longer than 50 characters'
    END AS problem
    FROM pg_temp.registering
    LEFT JOIN executed_obs_unit AS execution ON execution.id = executed_obs_unit
    LEFT JOIN instrument_module AS module ON module.id = instrument_module
    LEFT JOIN data_location AS location ON location.id = source_location
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
CONTRADICTIONS = f"""
SELECT line, CASE
    WHEN file.id IS NULL THEN 'the id ' || registering.id || ' belongs to the file ' || same_id.relative_path
        || ' of data_location ' || same_id.source_location_id
    WHEN id_is_given AND file.id <> registering.id
        THEN 'the file ' || file.relative_path || ' is known as ' || file.id || ', not as ' || registering.id
    ELSE 'the file ' || file.relative_path || ' is known with ' || concat_ws(', ',
        CASE WHEN file.checksum <> registering.checksum OR file.checksum_algorithm <> registering.checksum_algorithm
            THEN 'checksum ' || file.checksum_algorithm || ' ' || file.checksum END,
        CASE WHEN file.size_bytes <> registering.size_bytes THEN 'size ' || file.size_bytes END,
        CASE WHEN file.executed_obs_unit_id <> registering.executed_obs_unit
            THEN 'executed_obs_unit ' || file.executed_obs_unit_id END,
        CASE WHEN file.instrument_module_id <> registering.instrument_module
            THEN 'instrument_module ' || file.instrument_module_id END)
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

    Idempotent: files that are registered already, with the same facts, stay as they are. Two sessions that register the
    same files simultaneously make one set of rows. The rows are streamed; memory stays flat.

    Args:
        reports: the files; dicts have the fields of :class:`RawFileReport`.

    Raises:
        RegistrationRefused: rows are wrong, or contradict each other or what is recorded. Lines count from 1.
    """
    connection = connections[router.db_for_write(RawDataFile)]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(STAGING_TABLE)
        staged = _stage(connection, reports)
        cursor.execute("ANALYZE pg_temp.registering")
        _refuse_any(cursor, WRONG_ROWS)
        cursor.execute(LOCK_LOCATIONS)
        set_actor(connection)
        cursor.execute(INSERT_FILES_AND_COPIES)
        created = cursor.rowcount
        if created < staged:
            _refuse_any(cursor, CONTRADICTIONS)
        cursor.execute("DROP TABLE pg_temp.registering")
    return Registration(created=created, known=staged - created)


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
    given = report.id is not None
    return (
        report.line or line,
        report.executed_obs_unit,
        report.instrument_module,
        report.source_location,
        report.relative_path,
        report.size_bytes,
        report.checksum,
        report.checksum_algorithm,
        report.file_type,
        report.observed_at,
        report.id if given else uuid7(),
        given,
    )


def _report_of(line, row) -> RawFileReport:
    try:
        return RawFileReport(**row)
    except TypeError:
        unknown = sorted(set(row) - set(COLUMNS))
        missing = [name for name in COLUMNS[:6] if name not in row]
        problem = f"unknown: {', '.join(unknown)}" if unknown else f"missing: {', '.join(missing)}"
        raise RegistrationRefused([(line, problem)]) from None


def _where_copy_stopped(error, chunk) -> tuple[int, str]:
    """Return line and problem of an error that COPY reports for a value of a wrong type."""
    place, _, column = (error.diag.context or "").removeprefix("COPY registering, ").partition(", ")
    number = place.removeprefix("line ")
    row = chunk[int(number) - 1] if number.isdigit() else chunk[0]
    problem = (error.diag.message_primary or str(error)).splitlines()[0]
    return row[0], f"{column}: {problem}" if column else problem
