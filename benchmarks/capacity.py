"""How many bytes of PostgreSQL a raw file takes through its whole life: ``python -m benchmarks.capacity``.

Some nights of the demonstration in a database of their own: the files are registered, packaged, transferred, archived
in two places, partly reduced, and deleted where the archives have them, with their history. Sizes are those of tables
with their indexes and TOAST, after a VACUUM.
"""

import argparse
import os

import django

SIZES = """
SELECT CASE WHEN relispartition THEN 'change_log' ELSE relname END AS name,
       sum(pg_total_relation_size(oid)), sum(greatest(reltuples, 0))::bigint
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
GROUP BY 1 ORDER BY 2 DESC
"""
SHOWN = 8
FILES = (10**6, 10**7, 10**8, 10**9)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nights", type=int, default=7, help="nights of the demonstration (%(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from opsdb.models import RawDataFile, RawDataPackage

    database = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        call_command("opsdb_init", verbosity=0)
        call_command("opsdb_load", "all", "opsdb/reference/samples/season_2026A.yaml", verbosity=0)
        empty = sizes(connection)
        call_command("opsdb_demo", nights=options.nights, verbosity=0)
        files = RawDataFile.objects.count()
        full = sizes(connection)
        grown = {name: (size - empty[name][0], rows - empty[name][1]) for name, (size, rows) in full.items()}
        total = sum(size for size, _ in grown.values())
        print(f"{files:,} raw files, {files / RawDataPackage.objects.count():.0f} in a package")
        for name, (size, rows) in sorted(grown.items(), key=lambda item: -item[1][0])[:SHOWN]:
            print(f"{name:<28} {rows / files:6.2f} rows and {size / files:7.0f} bytes a file")
        print(f"{'all tables':<28} {'':6}          {total / files:7.0f} bytes a file")
        for number in FILES:
            print(f"{number:>13,} files take {number * total / files / 1e9:8.1f} GB")
    finally:
        connection.creation.destroy_test_db(database, verbosity=0)


def sizes(connection):
    """Return bytes and rows of every table."""
    from opsdb.database.roles import as_owner

    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(SIZES)
        return {name: (int(size), rows) for name, size, rows in cursor.fetchall()}


if __name__ == "__main__":
    main()
