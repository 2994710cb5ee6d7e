"""How fast files are registered: ``python -m benchmarks.register``.

Three ways to the same rows, a file and its copy each, into the same two tables with the same indexes and triggers, in
one run: ``register_raw_data_files``, Django's ``bulk_create``, and a bare psycopg COPY of rows that are right already.
A fourth is that COPY while the tables have no index but those of their keys, with all triggers.
Then the peak memory of a process that registers 100,000 and of one that registers 1,000,000. Everything happens in a
database of its own, which is dropped at the end.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path

import django

FILES_PER_DAY = 1_000


def reports(number, tag, world):
    """Yield reports of ``number`` files below the folder ``tag``."""
    from opsdb.workflows import RawFileReport

    for index in range(number):
        yield RawFileReport(
            executed_obs_unit=world["execution"],
            instrument_module=world["module"],
            source_location=world["location"],
            relative_path=f"{tag}/{index // FILES_PER_DAY:05}/file_{index:08}.fits",
            size_bytes=30_000_000 + index,
            checksum=hashlib.sha256(f"{tag}{index}".encode()).hexdigest(),
            file_type="fits",
        )


def by_registration(number, tag, world):
    from opsdb.workflows import register_raw_data_files

    register_raw_data_files(reports(number, tag, world))


def by_bulk_create(number, tag, world):
    from django.db import transaction

    from opsdb.models import PhysicalCopy, RawDataFile

    files = [
        RawDataFile(
            executed_obs_unit_id=report.executed_obs_unit,
            instrument_module_id=report.instrument_module,
            source_location_id=report.source_location,
            relative_path=report.relative_path,
            size_bytes=report.size_bytes,
            checksum=report.checksum,
            file_type=report.file_type,
        )
        for report in reports(number, tag, world)
    ]
    with transaction.atomic():
        RawDataFile.objects.bulk_create(files, batch_size=2_000)
        PhysicalCopy.objects.bulk_create(
            (
                PhysicalCopy(
                    raw_data_file=file,
                    data_location_id=file.source_location_id,
                    size_bytes=file.size_bytes,
                    checksum=file.checksum,
                )
                for file in files
            ),
            batch_size=2_000,
        )


def by_bare_copy(number, tag, world):
    from django.db import connection, transaction

    from opsdb.database.identifiers import uuid7

    rows = [(uuid7(), report) for report in reports(number, tag, world)]
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.cursor.copy(
            "COPY raw_data_file (id, executed_obs_unit_id, instrument_module_id, source_location_id, relative_path, "
            "size_bytes, checksum, checksum_algorithm, file_type) FROM STDIN"
        ) as copy:
            for key, row in rows:
                copy.write_row(
                    (
                        key,
                        row.executed_obs_unit,
                        row.instrument_module,
                        row.source_location,
                        row.relative_path,
                        row.size_bytes,
                        row.checksum,
                        row.checksum_algorithm,
                        row.file_type,
                    )
                )
        with cursor.cursor.copy(
            "COPY physical_copy (raw_data_file_id, data_location_id, size_bytes, checksum, checksum_algorithm, status, "
            "verification, retry_count, failure_message) FROM STDIN"
        ) as copy:
            for key, row in rows:
                copy.write_row(
                    (
                        key,
                        row.source_location,
                        row.size_bytes,
                        row.checksum,
                        row.checksum_algorithm,
                        "present",
                        "unverified",
                        0,
                        "",
                    )
                )


KEYS_ALONE = "COPY, keys alone"
WAYS = {
    "register_raw_data_files": by_registration,
    KEYS_ALONE: by_bare_copy,
    "bare COPY": by_bare_copy,
    "bulk_create": by_bulk_create,
}
SECONDARY_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid IN ('raw_data_file'::regclass, 'physical_copy'::regclass) AND NOT indisunique
"""


def make_world():
    """Make an execution, a module and a source location, and return their keys."""
    from opsdb.testing.factories import DiskDataLocationFactory, ExecutedObsUnitFactory, InstrumentModuleFactory

    module = InstrumentModuleFactory()
    location = DiskDataLocationFactory(source=True, instrument=module.instrument)
    return {"execution": str(ExecutedObsUnitFactory().pk), "module": module.pk, "location": location.pk}


@contextmanager
def keys_alone():
    """Leave the tables no index but those of their keys meanwhile."""
    from django.db import connection

    from opsdb.database.roles import as_owner

    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute(SECONDARY_INDEXES)
        indexes = dict(cursor.fetchall())
        cursor.execute(f"DROP INDEX {', '.join(indexes)}")
    yield
    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute("; ".join(indexes.values()))


def seconds_of(way, number, tag, world):
    with keys_alone() if way == KEYS_ALONE else nullcontext():
        start = time.perf_counter()
        WAYS[way](number, tag, world)
        return time.perf_counter() - start


def own_peak_memory() -> float:
    """Return the peak memory of this process, in MB (Linux).

    Not from getrusage, whose number a new process takes over from the one that started it (proc_pid_status(5): VmHWM).
    """
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def peak_memory(number, database, world) -> float:
    """Return the peak memory, in MB, of a new process that registers ``number`` files."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.register", "--only-register", str(number), json.dumps(world)],
        env={**os.environ, "BENCHMARK_DATABASE": database},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=200_000, help="files of every way (200000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts (3)")
    parser.add_argument("--memory", type=int, nargs=2, default=[100_000, 1_000_000], help="files of the memory runs")
    parser.add_argument("--only-register", nargs=2, metavar=("FILES", "WORLD"), help=argparse.SUPPRESS)
    options = parser.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connection

    if options.only_register:
        connection.settings_dict["NAME"] = os.environ["BENCHMARK_DATABASE"]
        number, world = int(options.only_register[0]), json.loads(options.only_register[1])
        by_registration(number, f"memory-{number}", world)
        print(own_peak_memory())
        return

    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        world = make_world()
        taken = {way: [] for way in WAYS}
        for turn in range(options.rounds):
            for way in WAYS:
                taken[way].append(seconds_of(way, options.files, f"{way}-{turn}".replace(" ", "-"), world))
        median = {way: sorted(times)[len(times) // 2] for way, times in taken.items()}
        print(f"{options.files:,} files with their copies, median of {options.rounds}")
        for way, duration in median.items():
            print(f"  {way:<24} {duration:7.1f} s  {options.files / duration:9,.0f} files/s")
        ours = median["register_raw_data_files"]
        print(f"  {median['bulk_create'] / ours:.1f} times as fast as bulk_create (at least 4 wanted)")
        print(f"  {median['bare COPY'] / ours:.2f} times as fast as a bare COPY (at least 0.5 wanted)")
        print(
            f"  {median[KEYS_ALONE] / ours:.2f} times as fast as one into tables with keys alone (at least 0.7 wanted)"
        )
        database = connection.settings_dict["NAME"]
        few, many = (peak_memory(number, database, world) for number in options.memory)
        print(
            f"peak memory: {few:.0f} MB for {options.memory[0]:,} files, {many:.0f} MB for {options.memory[1]:,} "
            f"({many - few:+.0f} MB, at most 50 wanted)"
        )
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


if __name__ == "__main__":
    main()
