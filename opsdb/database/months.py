"""The months of the change log: made ahead, exported and dropped when they are old. For the owner of the tables."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction

from .guards import NeverTruncated, guards_of_partitions

PARTITIONS = """
SELECT relname, reltuples::bigint, pg_total_relation_size(pg_class.oid)
FROM pg_inherits JOIN pg_class ON pg_class.oid = pg_inherits.inhrelid
WHERE pg_inherits.inhparent = 'change_log'::regclass ORDER BY relname
"""
# What stays of old months: how each row was made, its last change, all changes of users, because the decider
# of a deletion must not have an account or rights that the requester gave, and all corrections of when something
# was observed, because correct_observation() moves files by those that they have not followed yet.
KEPT = """
INSERT INTO {kept}
SELECT * FROM {partition} AS change
WHERE operation = 'insert' OR table_name IN ('user', 'role') OR operation <> 'inserts' AND NOT EXISTS (
    SELECT FROM change_log AS later
    WHERE later.table_name = change.table_name AND later.row_id = change.row_id AND later.id > change.id
) OR operation = 'update' AND (
    table_name = 'executed_obs_unit' AND after ? 'start_time' OR table_name = 'raw_data_file' AND after ? 'observed_at'
)
"""
# Nothing is deleted, which the change log refuses: what the default partition holds is put into a new one's months.
MOVE_OUT = """
ALTER TABLE change_log DETACH PARTITION change_log_default;
ALTER TABLE change_log_default RENAME TO change_log_unsorted;
CREATE TABLE change_log_default PARTITION OF change_log DEFAULT;
COMMENT ON TABLE change_log_default IS 'Rows for whose month no partition was made.'
"""
MONTHS_OF_UNSORTED = """
SELECT DISTINCT date_trunc('month', changed_at AT TIME ZONE 'UTC')::date FROM change_log_unsorted ORDER BY 1
"""


# As long as the migration of triggers is not applied, no partition has a guard.
UNGUARDED = """
SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = pg_inherits.inhrelid
WHERE pg_inherits.inhparent = 'change_log'::regclass
    AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = relname || '_never_truncated')
    AND EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'change_log_default'::regclass AND tgname = 'change_log_default_never_truncated'
    )
"""


def make_months(connection: Any) -> tuple[int, int]:
    """Make the partitions for this month and the next 24, and move changes of others out of the default partition.

    Partitions that a migration backwards has left without their guard against TRUNCATE get it again.

    Returns:
        How many partitions were made, and how many changes moved.

    Locks: the change log exclusively, if there are changes to move.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('opsdb months of the change log'))")
        cursor.execute("SELECT opsdb_make_months(), EXISTS (SELECT FROM change_log_default)")
        made, has_unsorted = cursor.fetchone()
        moved = 0
        if has_unsorted:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(MOVE_OUT)
            for guard in guards_of_partitions():
                cursor.execute(guard.statement)
            cursor.execute(MONTHS_OF_UNSORTED)
            for (month,) in cursor.fetchall():
                cursor.execute("SELECT opsdb_make_month(%s)", [month])
                made += cursor.fetchone()[0]
            cursor.execute("INSERT INTO change_log SELECT * FROM change_log_unsorted")
            moved = cursor.rowcount
            cursor.execute("DROP TABLE change_log_unsorted")
        cursor.execute(UNGUARDED)
        for (name,) in cursor.fetchall():
            cursor.execute(NeverTruncated(prefix=f"{name}_", table=name).statement)
    return made, moved


EXPORT = "COPY (SELECT to_jsonb(change) FROM {partition} AS change ORDER BY id) TO STDOUT"
COUNT = "SELECT count(*) FROM {partition}"


class ArchiveError(Exception):
    """The history can't be archived; nothing was dropped."""


@dataclass(frozen=True)
class Partition:
    """A partition of the change log.

    Attributes:
        name: of its table.
        changes: how many it holds, as PostgreSQL estimates; -1 if it never looked.
        size_bytes: with indexes.
    """

    name: str
    changes: int
    size_bytes: int

    @property
    def month(self) -> str | None:
        """The month, as ``2026-11``; None of a partition that is not one month's."""
        year_and_month = self.name.removeprefix("change_log_").replace("_", "-")
        return year_and_month if len(year_and_month) == 7 and year_and_month[:4].isdigit() else None


@dataclass(frozen=True)
class Export:
    """A month in a file.

    Attributes:
        partition: name of its table.
        path: the file, of one JSON object a line, compressed by gzip; beside it is a file for ``sha256sum --check``.
        changes: how many it holds.
    """

    partition: str
    path: Path
    changes: int


def partitions(connection: Any) -> list[Partition]:
    """Return the partitions of the change log, by their names."""
    with connection.cursor() as cursor:
        cursor.execute(PARTITIONS)
        return [Partition(*row) for row in cursor.fetchall()]


def export_month(connection: Any, partition: str, folder: Path) -> Export:
    """Write a month into a file, read that back, and return it. The file gets its name when it is complete.

    Args:
        connection: to the database; the query runs in its current transaction.
        partition: name of the month's table.
        folder: where the file, and beside it the one with its checksum, are written.

    Raises:
        ArchiveError: the file exists with another content, or what was read back differs.
        OSError: the file can't be written.
    """
    path = folder / f"{partition}.jsonl.gz"
    part = path.with_suffix(".part")
    changes, written = 0, hashlib.sha256()
    query = EXPORT.format(partition=connection.ops.quote_name(partition))
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        open(part, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file,
        # Without a time, so that the same changes are the same file.
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as lines,
        cursor.connection.cursor() as copying,
        copying.copy(query) as copy,
    ):
        copy.set_types(["text"])
        for (line,) in copy.rows():
            encoded = line.encode() + b"\n"
            written.update(encoded)
            lines.write(encoded)
            changes += 1
    if _digest(part, gzip.open) != written.hexdigest():
        raise ArchiveError(f"{part} can't be read back as it was written; nothing was dropped.")
    if path.exists() and _digest(path) != _digest(part):
        raise ArchiveError(f"{path} exists and has other changes: name another folder. Nothing was dropped.")
    _write_through(part)
    part.rename(path)
    check = folder / f"{path.name}.sha256"
    check.write_text(f"{_digest(path)}  {path.name}\n", encoding="ascii")
    for written_path in (check, folder):
        _write_through(written_path)
    return Export(partition, path, changes)


def _digest(path: Path, opened: Any = open) -> str:
    with opened(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_through(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def drop_months(connection: Any, exports: Iterable[Export], before: date) -> int:
    """Replace exported months by one partition of what stays of them, and return how many changes that holds.

    Args:
        connection: as the owner of the tables.
        exports: the months, all that there are before the day.
        before: the first day of the month that stays whole.

    Raises:
        ArchiveError: a month has got further changes since it was exported.

    Locks: the change log exclusively, for the moment in which partitions are exchanged.
    """
    quote = connection.ops.quote_name
    new = f"change_log_before_{before:%Y_%m}"
    kept = quote(new)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {kept} (LIKE change_log INCLUDING ALL)")
        cursor.execute(f"COMMENT ON TABLE {kept} IS 'What stays of changes before {before:%Y-%m}, UTC.'")
        exported = {export.partition: export.changes for export in exports}
        replaced = [*exported]
        replaced += [each.name for each in partitions(connection) if each.name.startswith("change_log_before_")]
        changes = 0
        for name in replaced:
            cursor.execute(KEPT.format(kept=kept, partition=quote(name)))
            changes += cursor.rowcount
        cursor.execute(f"ALTER TABLE {kept} ADD CHECK (changed_at < '{before} 00:00+00')")
        for name in replaced:
            cursor.execute(f"ALTER TABLE change_log DETACH PARTITION {quote(name)}")
            if name in exported:
                cursor.execute(COUNT.format(partition=quote(name)))
                if cursor.fetchone()[0] != exported[name]:
                    raise ArchiveError(f"{name} has got further changes since it was exported; run this again.")
            cursor.execute(f"DROP TABLE {quote(name)}")
        cursor.execute(
            f"ALTER TABLE change_log ATTACH PARTITION {kept} FOR VALUES FROM (MINVALUE) TO ('{before} 00:00+00')"
        )
        guard = NeverTruncated(prefix=f"{new}_", table=new)
        cursor.execute(guard.statement)
    return changes
