"""Dating: the work of a night happened after that night, not while the demonstration ran.

Everything was done by the workflows, under every rule; afterwards its times are moved to when it would have been done.
The times of copies are the database's, so that only the owner of the tables can move them: where nobody acts as the
owner, all times stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.utils import timezone

from opsdb.database.aliases import atomic, writing_connection
from opsdb.database.roles import as_owner

from .facts import LINK_DOWN_AGO, TAPES_DOWN_AGO
from .nights import Night
from .setting import DemoSetting

LINK_BYTES_PER_SECOND = 45_000_000
"""What the link from the observatory carries."""
BETWEEN_ARCHIVES = 4
"""So many times faster is the link between the archives."""
MORNING = timedelta(hours=3)
"""After the end of a night its transfers begin."""
OUTAGE, TAPE_OUTAGE = timedelta(hours=16), timedelta(hours=12)

OWNS_TABLES = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'physical_copy'::regclass"
# What stays in force: the notes of what locations hold and of what stages do.
NOTING = {
    "raw_data_package": "activity_of_updates",
    "data_transfer_package": "activity_of_updates",
    "data_transfer": "activity_of_updates",
    "long_term_archive_transfer": "activity_of_updates",
    "physical_copy": "usage_of_updates",
    "fixity_check": None,
    "data_transfer_log": None,
    "long_term_archive_transfer_log": None,
}

DATED = """
WITH dated (execution_id, night, packed_at, moves_at) AS (
    SELECT * FROM unnest(%(executions)s::uuid[], %(nights)s::integer[], %(packed)s::timestamptz[],
        %(moves)s::timestamptz[])
), packages AS (
    SELECT package.id, package.name, package.data_transfer_package_id AS bundle_id, dated.*
    FROM dated JOIN raw_data_package AS package ON package.executed_obs_unit_id = dated.execution_id
), bundles AS (
    SELECT bundle_id AS id, max(night) AS night, max(packed_at) AS packed_at, max(moves_at) AS moves_at
    FROM packages WHERE bundle_id IS NOT NULL GROUP BY bundle_id
)
"""
STEPS = (
    """
    UPDATE raw_data_package AS package
    SET created_at = packed_at - interval '9 minutes', started_at = packed_at - interval '6 minutes',
        heartbeat_at = packed_at, finished_at = packed_at
    FROM packages WHERE packages.id = package.id AND package.status = 'completed'
    """,
    """
    UPDATE data_transfer_package AS bundle
    SET created_at = packed_at + interval '5 minutes', started_at = packed_at + interval '6 minutes',
        heartbeat_at = packed_at + interval '20 minutes', finished_at = packed_at + interval '20 minutes'
    FROM bundles WHERE bundles.id = bundle.id AND bundle.status = 'completed'
    """,
    """
    UPDATE data_transfer AS transfer
    SET created_at = begun - interval '2 minutes', started_at = begun, heartbeat_at = ended, finished_at = ended,
        unpack_heartbeat_at = ended + interval '12 minutes', unpacked_at = ended + interval '15 minutes'
    FROM (
        SELECT queued.id, begun, begun + took AS ended
        FROM (
            SELECT transfer.id, took,
                greatest(bundles.moves_at, bundle.finished_at) + CASE transfer.kind
                    WHEN 'primary' THEN sum(took) OVER (PARTITION BY night, transfer.kind ORDER BY transfer.id) - took
                    ELSE sum(took * %(faster)s) OVER (PARTITION BY night, transfer.kind ORDER BY transfer.id)
                        + interval '45 minutes'
                END AS begun
            FROM bundles
            JOIN data_transfer_package AS bundle ON bundle.id = bundles.id
            JOIN data_transfer AS transfer ON transfer.data_transfer_package_id = bundle.id
            CROSS JOIN LATERAL (
                SELECT interval '1 second' * (bundle.size_bytes / %(rate)s
                    / CASE transfer.kind WHEN 'primary' THEN 1 ELSE %(faster)s END)
            ) AS duration (took)
            WHERE transfer.status = 'completed' AND transfer.unpack_status = 'completed'
        ) AS queued
    ) AS timed
    WHERE timed.id = transfer.id
    """,
    """
    UPDATE long_term_archive_transfer AS archiving
    SET created_at = arrived + interval '1 minute', started_at = ended - interval '3 minutes', heartbeat_at = ended,
        finished_at = ended
    FROM (
        SELECT archiving.id, transfer.unpacked_at AS arrived,
            transfer.unpacked_at + interval '10 minutes'
            + interval '100 seconds' * row_number() OVER (
                PARTITION BY packages.night, archiving.destination_location_id
                ORDER BY packages.packed_at, packages.name
            )
            + CASE WHEN packages.night = %(tapes_down)s AND archiving.destination_location_id = %(last_archive)s
                THEN %(tape_outage)s ELSE interval '0' END AS ended
        FROM packages
        JOIN long_term_archive_transfer AS archiving ON archiving.raw_data_package_id = packages.id
        JOIN data_location AS archive ON archive.id = archiving.destination_location_id
        JOIN data_transfer AS transfer ON transfer.data_transfer_package_id = packages.bundle_id
        JOIN data_location AS buffer ON buffer.id = transfer.destination_location_id
            AND buffer.site_id = archive.site_id
        WHERE archiving.status = 'completed' AND transfer.unpacked_at IS NOT NULL
    ) AS timed
    WHERE timed.id = archiving.id
    """,
    """
    UPDATE physical_copy AS copy
    SET arrived_at = came, created_at = came,
        verified_at = CASE WHEN verified_at IS NOT NULL THEN came + interval '1 minute' END
    FROM (
        SELECT copy.id, file.observed_at + interval '1 minute' AS came
        FROM dated JOIN raw_data_file AS file ON file.executed_obs_unit_id = dated.execution_id
        JOIN physical_copy AS copy ON copy.raw_data_file_id = file.id
        UNION ALL
        SELECT copy.id, CASE place.location_type
            WHEN 'long_term_archive' THEN archiving.finished_at
            ELSE coalesce(transfer.unpacked_at, package.finished_at)
        END
        FROM packages JOIN raw_data_package AS package ON package.id = packages.id
        JOIN physical_copy AS copy ON copy.raw_data_package_id = package.id
        JOIN data_location AS place ON place.id = copy.data_location_id
        LEFT JOIN long_term_archive_transfer AS archiving ON archiving.raw_data_package_id = package.id
            AND archiving.destination_location_id = place.id
        LEFT JOIN data_transfer AS transfer ON transfer.data_transfer_package_id = packages.bundle_id
            AND transfer.destination_location_id = place.id
        WHERE place.location_type <> 'processing'
        UNION ALL
        SELECT copy.id, max(archiving.finished_at) + interval '2 hours'
        FROM packages JOIN physical_copy AS copy ON copy.raw_data_package_id = packages.id
        JOIN data_location AS place ON place.id = copy.data_location_id AND place.location_type = 'processing'
        JOIN long_term_archive_transfer AS archiving ON archiving.raw_data_package_id = packages.id
        GROUP BY copy.id
        UNION ALL
        SELECT copy.id, coalesce(transfer.finished_at, bundle.finished_at)
        FROM bundles JOIN data_transfer_package AS bundle ON bundle.id = bundles.id
        JOIN physical_copy AS copy ON copy.data_transfer_package_id = bundle.id
        LEFT JOIN data_transfer AS transfer ON transfer.data_transfer_package_id = bundle.id
            AND transfer.destination_location_id = copy.data_location_id
    ) AS timed
    WHERE timed.id = copy.id AND came < statement_timestamp()
    """,
)
# What follows from the times of copies and of work.
FOLLOWING = (
    """
    UPDATE fixity_check AS checked SET checked_at = copy.verified_at, created_at = copy.verified_at
    FROM physical_copy AS copy WHERE copy.id = checked.copy_id AND checked.checked_at > copy.verified_at
    """,
    """
    UPDATE data_transfer_log AS line SET logged_at = work.finished_at
    FROM data_transfer AS work WHERE work.id = line.data_transfer_id AND line.logged_at > work.finished_at
    """,
    """
    UPDATE long_term_archive_transfer_log AS line SET logged_at = work.finished_at
    FROM long_term_archive_transfer AS work
    WHERE work.id = line.long_term_archive_transfer_id AND line.logged_at > work.finished_at
    """,
)
DELETED = """
UPDATE physical_copy AS copy
SET deletion_requested_at = gone - interval '10 minutes', deleted_at = gone
FROM (
    SELECT copy.id, copy.arrived_at + place.retention_days * interval '1 day' + interval '3 hours' AS gone
    FROM physical_copy AS copy JOIN data_location AS place ON place.id = copy.data_location_id
    WHERE copy.status = 'deleted' AND place.retention_days IS NOT NULL
) AS timed
WHERE timed.id = copy.id AND gone < statement_timestamp()
"""


def date_nights(setting: DemoSetting, nights: list[Night]) -> bool:
    """Move the times of the work on nights to when it would have been done; return whether the owner may."""
    ends = {night.ago: max((end for _, end in night.executed), default=timezone.now()) for night in nights}
    executed = [(execution, end, night) for night in nights for execution, end in night.executed]
    facts: dict[str, Any] = {
        "executions": [execution.pk for execution, _, _ in executed],
        "nights": [night.ago for _, _, night in executed],
        "packed": [end + timedelta(minutes=night.random.uniform(10, 40)) for _, end, night in executed],
        "moves": [
            ends[night.ago] + MORNING + (OUTAGE if night.ago == LINK_DOWN_AGO else timedelta())
            for _, _, night in executed
        ],
        "rate": LINK_BYTES_PER_SECOND,
        "faster": BETWEEN_ARCHIVES,
        "tapes_down": TAPES_DOWN_AGO,
        "last_archive": setting.archives[-1].pk,
        "tape_outage": TAPE_OUTAGE,
    }
    with _freely_as_owner() as cursor:
        if cursor is None:
            return False
        for step in STEPS:
            cursor.execute(DATED + step, facts)
        for step in FOLLOWING:
            cursor.execute(step)
    return True


def date_deletions() -> None:
    """Move deletions to when the retention had passed."""
    with _freely_as_owner() as cursor:
        if cursor is not None:
            cursor.execute(DELETED)


@contextmanager
def _freely_as_owner() -> Iterator[Any]:
    """Yield a cursor of the owner, for whom the rules of the dated tables pause, or None without the owner's rights."""
    connection = writing_connection()
    if connection.in_atomic_block and connection.settings_dict.get("OWNER"):
        yield None
        return
    with as_owner(connection), atomic(), connection.cursor() as cursor:
        cursor.execute(OWNS_TABLES)
        if not cursor.fetchone()[0]:
            yield None
            return
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, noting in NOTING.items():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            if noting:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_{noting}")
        yield cursor
        for table in NOTING:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
