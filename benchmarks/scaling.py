"""What questions cost as the tables grow: ``python -m benchmarks.scaling``.

Two databases of their own, one with 10,000 and one with 1,000,000 raw files, each with its copy at a source, in
packages of 5, nine of ten of them archived, and a transfer into the archive for each package. In both the same
questions are asked; each should cost at most three times as much in the large one. The last is asked when the copies
that no archive has yet are the oldest of their location.
"""

from .comparing import compare, past_the_rules, seconds_of

FILES_PER_PACKAGE = 5

# Rows are made past the triggers, as they would be after years of work. Every tenth package is not archived yet.
FILL = """
INSERT INTO raw_data_package (id, executed_obs_unit_id, instrument_module_id, part, name, relative_path, file_count,
    size_bytes, checksum, checksum_algorithm, state, status, retry_count, max_retries, failure_message, claimed_by,
    started_at, finished_at)
SELECT ('10000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, %(execution)s, %(module)s, number,
    'package-' || number, 'packages/' || number, %(files_per_package)s, 1000, repeat('0', 64), 'sha256',
    CASE WHEN mod(number, 10) = 0 THEN 'waiting' ELSE 'archived' END, 'completed', 0, 3, '', '', now(), now()
FROM generate_series(1, %(packages)s) AS number;
INSERT INTO raw_data_file (id, executed_obs_unit_id, instrument_module_id, source_location_id, raw_data_package_id,
    relative_path, size_bytes, checksum, checksum_algorithm, file_type)
SELECT ('20000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, %(execution)s, %(module)s, %(source)s,
    ('10000000-0000-7000-8000-' || lpad(to_hex(1 + number / %(files_per_package)s), 12, '0'))::uuid,
    'files/' || number, 10, repeat('0', 64), 'sha256', 'fits'
FROM generate_series(0, %(files)s - 1) AS number;
INSERT INTO physical_copy (raw_data_file_id, data_location_id, size_bytes, checksum, checksum_algorithm, status,
    verification, retry_count, failure_message, arrived_at, deletion_candidate)
SELECT file.id, source_location_id, file.size_bytes, file.checksum, file.checksum_algorithm, 'present', 'unverified', 0,
    '', now() - interval '1 year', package.state = 'archived'
FROM raw_data_file AS file JOIN raw_data_package AS package ON package.id = file.raw_data_package_id ORDER BY file.id;
INSERT INTO physical_copy (raw_data_package_id, data_location_id, size_bytes, checksum, checksum_algorithm, status,
    verification, verified_at, retry_count, failure_message, deletion_candidate)
SELECT id, %(archive)s, size_bytes, checksum, checksum_algorithm, 'present', 'verified', now() - interval '1 year', 0,
    '', true
FROM raw_data_package WHERE state = 'archived' ORDER BY id;
INSERT INTO long_term_archive_transfer (raw_data_package_id, destination_location_id, status, retry_count, max_retries,
    failure_message, claimed_by, started_at, finished_at)
SELECT id, %(archive)s, CASE WHEN state = 'archived' THEN 'completed' ELSE 'pending' END, 0, 3, '', '', now(),
    CASE WHEN state = 'archived' THEN now() END FROM raw_data_package ORDER BY id
"""

LET_THE_OLDEST_WAIT = """
UPDATE physical_copy AS copy SET arrived_at = now() - interval '2 years'
FROM raw_data_file AS file JOIN raw_data_package AS package ON package.id = file.raw_data_package_id
WHERE file.id = copy.raw_data_file_id AND package.state <> 'archived'
"""


def make_world(files):
    """Fill an empty database, and return its source location and its archive."""
    from django.utils import timezone

    from opsdb.models import DataLocation, DataLocationUsage
    from opsdb.testing.factories import (
        DiskDataLocationFactory,
        ExecutedObsUnitFactory,
        InstrumentModuleFactory,
        TapeDataLocationFactory,
    )

    module = InstrumentModuleFactory()
    source = DiskDataLocationFactory(source=True, instrument=module.instrument, retention_days=30)
    archive = TapeDataLocationFactory(archive=True, fixity_interval_days=180)
    execution = ExecutedObsUnitFactory(completed=True)
    facts = {
        "execution": execution.pk,
        "module": module.pk,
        "source": source.pk,
        "archive": archive.pk,
        "files": files,
        "packages": files // FILES_PER_PACKAGE,
        "files_per_package": FILES_PER_PACKAGE,
    }
    with past_the_rules("raw_data_package", "raw_data_file", "physical_copy", "long_term_archive_transfer") as cursor:
        cursor.execute(FILL, facts)
        DataLocationUsage.objects.create(
            data_location=source, day=timezone.now().date(), copies=files, bytes=10 * files, arrived_bytes=10 * files
        )
    return DataLocation.objects.get(pk=source.pk), DataLocation.objects.get(pk=archive.pk)


def let_the_oldest_wait():
    """Make the tenth of the copies that no archive has the oldest of their location."""
    with past_the_rules("physical_copy") as cursor:
        cursor.execute(LET_THE_OLDEST_WAIT)


def questions(source, archive):
    """Return what is asked, by name; each must leave the database as it was."""
    from opsdb.models import DataLocation, LongTermArchiveTransfer, PhysicalCopy
    from opsdb.workflows import get_overview, list_due_fixity_checks, schedule_deletion, work

    relaxed = DataLocation(pk=archive.pk, fixity_interval_days=3650)
    first = list(PhysicalCopy.objects.deletable(source, limit=1000))
    return {
        "claim(limit=100)": lambda: work.claim(LongTermArchiveTransfer.objects.all(), limit=100, worker="bench"),
        "deletable(limit=1000)": lambda: list(PhysicalCopy.objects.deletable(source, limit=1000)),
        "deletable(limit=1000, after=…)": lambda: list(
            PhysicalCopy.objects.deletable(source, limit=1000, after=first[-1])
        ),
        "schedule_deletion of 1000": lambda: schedule_deletion(first),
        "due_for_fixity(quota=1000)": lambda: list_due_fixity_checks(archive, quota=1000),
        "due_for_fixity, nothing due": lambda: list_due_fixity_checks(relaxed, quota=1000),
        "overview()": get_overview,
    }


def measure(files, repeats):
    """Return the seconds that each question takes with so many files."""
    from django.db import connection

    from opsdb.models import PhysicalCopy

    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        source, archive = make_world(files)
        taken = {name: seconds_of(ask, repeats) for name, ask in questions(source, archive).items()}
        let_the_oldest_wait()
        taken["deletable(limit=1000), oldest wait"] = seconds_of(
            lambda: list(PhysicalCopy.objects.deletable(source, limit=1000)), repeats
        )
        return taken
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    compare(__doc__, "files", (10_000, 1_000_000), measure)
