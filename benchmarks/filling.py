"""Two databases of their own, one with 10,000 and one with 10,000,000 raw files, and what is measured in both.

A copy of each file at the source, most of them deleted since, a copy of each package in an archive and of each bundle
in a buffer, transfers, logs, fixity checks, runs, products and changes. The large one has a thousand files and a
hundred packages of each observation. The small one has fewer, so that its observations and bundles fill a page too, and
in both each state that occurs at all has at least a page of rows: a page of few rows is no measure for a full one.

``--keep`` leaves the databases behind, and ``--reuse`` takes those that an earlier run of any of these benchmarks left.
"""

import argparse
import os
import sys
import time
from contextlib import contextmanager

import django

USUAL = (100, 10, 20)  # packages of an execution, files of a package, packages of a transfer package
SMALLER = (20, 2, 10)  # where the files would not suffice for as many executions as are wanted
EXECUTIONS = 250
SECONDS_BETWEEN_EXECUTIONS = 3_150  # 10,000 in a year
# Few executions are the closer to each other the newer they are: a night, a week and the last month fill a page each.
DAYS_OF_FEW_EXECUTIONS = 75
PAGE = 60  # rows that fill a page
IDS_OF_A_FILE = 4  # so many numbers of copies for each file, some of them for what holds the file
FIRST_COPY = 1_000
WANTED_RATIO = 2.0
WANTED_SECONDS = 0.5
COMPLETE = "filled for benchmarks of two databases"


def key(number, kind):
    """Return SQL for the UUIDv7 of a row: like a real one it begins with a time, here a second for each row."""
    digits = f"lpad(to_hex(1700000000000 + 1000 * ({number})::bigint), 12, '0')"
    return f"(left({digits}, 8) || '-' || right({digits}, 4) || '-7000-8000-00000000000{kind}')::uuid"


def first_quarter_else(executions, keys, execution):
    """Return SQL that takes the first key for the oldest quarter of the executions and then the others in turn."""
    others = len(keys) - 1
    place = f"CASE WHEN {execution} <= {executions} / 4 THEN 1 ELSE 2 + mod({execution}, {others}) END"
    return f"(ARRAY[{', '.join(map(str, keys))}])[{place}]"


def hexadecimal(number):
    """Return SQL for something like a checksum."""
    return f"md5(({number})::text) || md5(({number})::text || 'x')"


def rarely(rows):
    """Return SQL for the condition that holds for one in 5003 of so many rows, but for a page of them at least."""
    return f"mod(number, {max(1, min(5003, rows // PAGE))}) = 0"


def newest(rows, share):
    """Return SQL for the condition that holds for a share of so many rows, but for more than a page of them."""
    return f"number > {rows - max(2 * PAGE, int(share * rows))}"


def multiply(row, number, **columns):
    """Make rows like one, numbered from 1, with columns given as SQL."""
    from django.db import connection

    options = row._meta.concrete_model._meta
    table, pk = options.db_table, options.pk
    values = {field.column: f'pattern."{field.column}"' for field in options.local_concrete_fields}
    if pk.column not in columns:
        del values[pk.column]
    values |= columns
    names = ", ".join(f'"{name}"' for name in values)
    statement = (
        f'WITH pattern AS MATERIALIZED (SELECT * FROM "{table}" WHERE "{pk.column}" = %s) '  # noqa: S608
        f'INSERT INTO "{table}" ({names}) SELECT {", ".join(values.values())} '
        f"FROM generate_series(1, {number}) AS number, pattern ORDER BY number"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [row.pk])


@contextmanager
def loosened(models):
    """Take triggers, references and indexes off tables that are to be filled, and put them back."""
    from django.db import connection

    tables = [model._meta.db_table for model in models]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT conrelid::regclass, quote_ident(conname), pg_get_constraintdef(pg_constraint.oid)
            FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
            WHERE relname = ANY(%s) AND contype IN ('f', 'u') ORDER BY contype""",
            [tables],
        )
        constraints = cursor.fetchall()
        for table, name, _definition in constraints:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        cursor.execute(
            """SELECT indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index
            JOIN pg_class ON pg_class.oid = indrelid WHERE relname = ANY(%s) AND NOT indisprimary""",
            [tables],
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        for table in tables:
            cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        yield
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _name, definition in indexes:
            # Of a partitioned table, on its partitions too.
            cursor.execute(definition.replace(" ON ONLY ", " ON ", 1))
        for table, name, definition in reversed(constraints):
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        for table in tables:
            cursor.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')


def fill(files):
    """Fill an empty database as years of work would."""
    from django.db import connection

    from opsdb import models
    from opsdb.testing import factories

    modules = [module.pk for module in factories.InstrumentModuleFactory.create_batch(6)]
    sources = [location.pk for location in factories.DiskDataLocationFactory.create_batch(3, source=True)]
    buffers = [location.pk for location in factories.DiskDataLocationFactory.create_batch(2)]
    archives = [location.pk for location in factories.TapeDataLocationFactory.create_batch(2, archive=True)]
    units = [unit.pk for unit in factories.ObsUnitFactory.create_batch(50)]
    execution = factories.ExecutedObsUnitFactory(completed=True)
    package = factories.RawDataPackageFactory()
    bundle = factories.DataTransferPackageFactory()
    file = factories.RawDataFileFactory()
    run = factories.ExecutedReductionStepFactory()
    patterns = {
        "copy": factories.RawDataFilePhysicalCopyFactory(),
        "product": factories.DataProductFactory(),
        "metadata": factories.RawDataPackageMetadataFactory(),
        "transfer": factories.DataTransferFactory(),
        "archiving": factories.LongTermArchiveTransferFactory(),
        "transfer log": factories.DataTransferLogFactory(),
        "archiving log": factories.LongTermArchiveTransferLogFactory(),
        "check": factories.FixityCheckFactory(),
        "change": factories.ChangeLogFactory(),
    }
    factories.UserFactory(superuser=True, username="benchmark")

    sizes = USUAL if files >= EXECUTIONS * USUAL[0] * USUAL[1] else SMALLER
    packages_of_execution, files_of_package, packages_of_bundle = sizes
    packages = files // files_of_package
    executions = packages // packages_of_execution
    bundles = packages // packages_of_bundle
    runs, products = max(EXECUTIONS, files // 1_000), max(EXECUTIONS, files // 500)
    of_package = f"(1 + (number - 1) / {packages_of_execution})"
    of_file = f"(1 + (number - 1) / {packages_of_execution * files_of_package})"
    package_of_file = f"(1 + (number - 1) / {files_of_package})"
    bundle_of_package = f"(1 + (number - 1) / {packages_of_bundle})"
    # Copies of packages follow those of their files, as in life.
    file_copy = f"{FIRST_COPY} + {IDS_OF_A_FILE} * number"
    package_copy = f"{FIRST_COPY} + {IDS_OF_A_FILE * files_of_package} * number + 1"
    bundle_copy = f"{FIRST_COPY} + {IDS_OF_A_FILE * files_of_package * packages_of_bundle} * number + 2"

    this_month = "date_trunc('month', now())"

    def ago(number):
        before = f"(1 - number / {number}::float)"
        if sizes == USUAL:
            return f"now() - {before} * interval '{executions * SECONDS_BETWEEN_EXECUTIONS} seconds'"
        return f"now() - {before} * {before} * interval '{DAYS_OF_FEW_EXECUTIONS} days'"

    def work(number):
        """The newest are under way, a few have failed."""
        status = (
            f"CASE WHEN {rarely(number)} THEN 'failed' WHEN {newest(number, 0.01)} THEN 'pending' ELSE 'completed' END"
        )
        return {
            "status": status,
            "failure_message": f"CASE WHEN {rarely(number)} THEN 'The disk is full.' ELSE '' END",
            "started_at": ago(number),
            "finished_at": f"CASE WHEN {status} = 'pending' THEN NULL ELSE {ago(number)} END",
            "created_at": ago(number),
            "updated_at": ago(number),
        }

    def copy(target, location, **columns):
        others = {f"{name}_id": "NULL" for name in models.copies.physical_copies.COPY_TARGETS}
        return others | {f"{target}_id": columns.pop("key"), "data_location_id": location} | columns

    filled = (
        models.ExecutedObsUnit,
        models.DataTransferPackage,
        models.RawDataPackage,
        models.RawDataFile,
        models.RawDataPackageMetadata,
        models.PhysicalCopy,
        models.FixityCheck,
        models.DataTransfer,
        models.DataTransferLog,
        models.LongTermArchiveTransfer,
        models.LongTermArchiveTransferLog,
        models.ExecutedReductionStep,
        models.DataProduct,
        models.ChangeLog,
    )
    with loosened(filled):
        multiply(
            execution,
            executions,
            id=key(f"1000 * {packages_of_execution} * number", 1),
            obs_unit_id=first_quarter_else(executions, units, "number"),
            start_time=ago(executions),
            end_time=f"{ago(executions)} + interval '10 minutes'",
        )
        multiply(
            bundle,
            bundles,
            **work(bundles),
            id=key(f"{packages_of_bundle} * number", 2),
            name="'bundle-' || lpad(number::text, 9, '0') || '.tar'",
            relative_path="'bundles/bundle-' || lpad(number::text, 9, '0') || '.tar'",
            size_bytes="100000000000 + number",
            checksum=hexadecimal("-number"),
        )
        multiply(
            package,
            packages,
            **work(packages),
            id=key("number", 3),
            executed_obs_unit_id=key(f"1000 * {packages_of_execution} * {of_package}", 1),
            instrument_module_id=first_quarter_else(executions, modules, of_package),
            part="number",
            name="'package-' || lpad(number::text, 9, '0') || '.tar'",
            relative_path="'packages/package-' || lpad(number::text, 9, '0') || '.tar'",
            file_count=str(files_of_package),
            size_bytes="5000000000 + number",
            checksum=hexadecimal("number + 0.5"),
            state=f"CASE WHEN {newest(packages, 0.01)} THEN 'waiting' ELSE 'archived' END",
            data_transfer_package_id=key(f"{packages_of_bundle} * {bundle_of_package}", 2),
        )
        path = f"{of_file} / 10 || '/run_' || {of_file} || '/module_' || lpad(number::text, 9, '0') || '.fits'"
        multiply(
            file,
            files,
            id=key("number", 4),
            executed_obs_unit_id=key(f"1000 * {packages_of_execution} * {of_file}", 1),
            instrument_module_id=first_quarter_else(executions, modules, of_file),
            source_location_id=first_quarter_else(executions, sources, of_file),
            raw_data_package_id=key(package_of_file, 3),
            relative_path=path,
            checksum=hexadecimal("number"),
            created_at=ago(files),
            updated_at=ago(files),
        )
        status = (
            f"CASE WHEN {rarely(files)} THEN 'corrupt' WHEN {newest(files, 0.03)} THEN 'present' ELSE 'deleted' END"
        )
        multiply(
            patterns["copy"],
            files,
            **copy(
                "raw_data_file",
                first_quarter_else(executions, sources, of_file),
                id=file_copy,
                key=key("number", 4),
                status=status,
                deleted_at=f"CASE WHEN {status} = 'deleted' THEN {ago(files)} END",
                checksum=hexadecimal("number"),
                arrived_at=ago(files),
                created_at=ago(files),
            ),
        )
        multiply(
            patterns["copy"],
            packages,
            **copy(
                "raw_data_package",
                first_quarter_else(packages, archives, "number"),
                id=package_copy,
                key=key("number", 3),
                checksum=hexadecimal("number + 0.5"),
                verification="'verified'",
                verified_at=ago(packages),
                arrived_at=ago(packages),
            ),
        )
        multiply(
            patterns["copy"],
            bundles,
            **copy(
                "data_transfer_package",
                first_quarter_else(bundles, buffers, "number"),
                id=bundle_copy,
                key=key(f"{packages_of_bundle} * number", 2),
                checksum=hexadecimal("-number"),
                arrived_at=ago(bundles),
            ),
        )
        with connection.cursor() as cursor:
            cursor.execute("CLUSTER physical_copy USING physical_copy_pkey")
            cursor.execute("SELECT setval(pg_get_serial_sequence('physical_copy', 'id'), max(id)) FROM physical_copy")
        ok = f"NOT {rarely(packages)}"
        multiply(
            patterns["check"],
            packages,
            copy_id=package_copy,
            checked_at=ago(packages),
            expected=hexadecimal("number + 0.5"),
            actual=f"CASE WHEN {ok} THEN {hexadecimal('number + 0.5')} ELSE repeat('0', 64) END",
            ok=ok,
        )
        multiply(
            patterns["metadata"],
            packages,
            raw_data_package_id=key("number", 3),
            obs_id="'run_' || number",
            obs_publisher_did="'ivo://example/raw?' || number",
        )
        here = f"NOT ({rarely(bundles)} OR {newest(bundles, 0.01)})"
        multiply(
            patterns["transfer"],
            bundles,
            **work(bundles),
            data_transfer_package_id=key(f"{packages_of_bundle} * number", 2),
            unpack_status=f"CASE WHEN {here} THEN 'completed' ELSE 'pending' END",
            unpacked_at=f"CASE WHEN {here} THEN {ago(bundles)} END",
        )
        multiply(
            patterns["archiving"],
            packages,
            **work(packages),
            raw_data_package_id=key("number", 3),
            destination_location_id=first_quarter_else(packages, archives, "number"),
        )
        for name, number in (("transfer log", 3 * bundles), ("archiving log", packages)):
            multiply(patterns[name], number, logged_at=ago(number))
        multiply(run, runs, sub_group_key="'run_' || number", created_at=ago(runs))
        multiply(
            patterns["product"],
            products,
            name="'map_' || lpad(number::text, 9, '0') || '.fits'",
            relative_path="'maps/map_' || lpad(number::text, 9, '0') || '.fits'",
            checksum=hexadecimal("number + 0.25"),
        )
        multiply(
            patterns["change"],
            packages,
            # Of this month: the change log has partitions for no month before the database was made.
            changed_at=f"{this_month} + number / {packages}::float * (now() - {this_month})",
            table_name="'raw_data_package'",
            row_id=f"({key('number', 3)})::text",
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(
            f"COMMENT ON DATABASE {connection.ops.quote_name(connection.settings_dict['NAME'])} IS '{COMPLETE}'"
        )


def is_complete():
    """Whether the database was filled to the end."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        )
        return cursor.fetchone()[0] == COMPLETE


@contextmanager
def filled(files, *, reuse, keep):
    """Have a database of so many files, from an earlier run or made now, which is dropped in the end unless kept."""
    from django.db import connection

    name = f"opsdb_admin_{files}"
    connection.settings_dict["TEST"]["NAME"] = name
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False, keepdb=reuse)
    begun = time.perf_counter()
    if not is_complete():
        if reuse:
            connection.close()
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        fill(files)
        print(f"{files:,} files filled in {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        print(f"{files:,} files: {cursor.fetchone()[0]}", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if not keep:
            connection.creation.destroy_test_db("unused", verbosity=0)
        connection.close()


def measured_in_both(about, measure, *, repeats, add_options=lambda parser: None):
    """Run a benchmark from the command line.

    Args:
        about: what it is for; the first line is its help.
        measure: given the number of files and the options, returns the results in the filled database by label.
        repeats: how often each question is measured, unless the command sets another number.
        add_options: adds the options that the benchmark has beside those of all.

    Returns:
        The options, and the results with few and with many files.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--files", type=int, nargs=2, default=[10_000, 10_000_000], help="files of the two databases")
    parser.add_argument("--repeats", type=int, default=repeats, help="how often each is measured (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="leave the databases for another run with --reuse")
    parser.add_argument("--reuse", action="store_true", help="use the databases that a run with --keep has left")
    add_options(parser)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.db import connection

    from tests.databases import as_owner

    own_name = connection.settings_dict["NAME"]
    results = []
    for files in options.files:
        connection.settings_dict["NAME"] = own_name
        with as_owner(), filled(files, reuse=options.reuse, keep=options.keep):
            results.append(measure(files, options))
    return options, *results
