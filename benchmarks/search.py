"""What the search box costs as the tables grow: ``python -m benchmarks.search``.

The two databases of ``benchmarks.admin``, one with 10,000 and one with 10,000,000 raw files. Texts of every kind are
searched in both, also such that nothing has: none should take more than 500 ms, or the program ends with 1.

``--keep`` leaves the databases behind, and ``--reuse`` takes those that an earlier run of this or of
``benchmarks.admin`` left; ``--plans`` prints the plan of each query in the last one.
"""

import argparse
import os
import statistics
import sys
import time

import django

from benchmarks.admin import WANTED_SECONDS, filled


def texts():
    """Return texts of every kind that a person may search, by what they are; each finds something where it can."""
    from opsdb.models import ExecutedObsUnit, RawDataFile, RawDataPackage, Source

    files = RawDataFile.objects.order_by("pk")
    first, last = files.first(), files.last()
    package = RawDataPackage.objects.order_by("pk").first()
    execution = ExecutedObsUnit.objects.order_by("start_time").first()
    minute = f"{execution.start_time:%Y-%m-%d %H:%M}"
    return {
        "UUID": str(first.pk),
        "checksum": last.checksum or package.checksum,
        "7 digits of a checksum": (last.checksum or package.checksum)[:7],
        "file name": first.relative_path.rpartition("/")[2],
        "path": first.relative_path,
        "beginning of a path": first.relative_path[:-2],
        "part of the newest path": last.relative_path[2:-2],
        "part of a package's path": package.relative_path[2:-2],
        "part of a path and a date": f"{minute[:10]} {first.relative_path[-8:-1]}",
        "night": minute[:10],
        "minute": minute,
        "source": Source.objects.values_list("name", flat=True).first() or "NGC 253",
        "coordinates": "05:35:17 -05:23:28 r=1 deg",
        "data": "data",
        "nothing": "there-is-no-such-word",
    }


def measure(files, options):
    """Return the seconds of each search by its name."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from opsdb.workflows import search_rows

    found = {}
    with filled(files, reuse=options.reuse, keep=options.keep):
        for name, text in texts().items():
            taken = []
            for _ in range(options.repeats):
                begun = time.perf_counter()
                result = search_rows(text)
                taken.append(time.perf_counter() - begun)
            found[name] = statistics.median(taken), len(result.hits), len(result.given_up)
            if options.plans and files == options.files[-1]:
                with CaptureQueriesContext(connection) as queries:
                    search_rows(text)
                explain(name, [query["sql"] for query in queries])
    return found


def explain(name, statements):
    """Print the plans of the statements that take longest."""
    from django.db import connection

    with connection.cursor() as cursor:
        for sql in statements:
            if sql.startswith("SELECT") and "set_config" not in sql:
                cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF) {sql}")
                plan = [line for (line,) in cursor.fetchall()]
                if float(plan[-1].split()[2]) > 20:
                    print(f"--- {name}\n{sql}", *plan, sep="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, nargs=2, default=[10_000, 10_000_000], help="files of the two databases")
    parser.add_argument("--repeats", type=int, default=3, help="times that each text is searched (3)")
    parser.add_argument("--keep", action="store_true", help="leave the databases for another run with --reuse")
    parser.add_argument("--reuse", action="store_true", help="use the databases that a run with --keep has left")
    parser.add_argument("--plans", action="store_true", help="print the plans that take more than 20 ms")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.db import connection

    from tests.databases import as_owner

    own_name = connection.settings_dict["NAME"]
    results = []
    for files in options.files:
        connection.settings_dict["NAME"] = own_name
        with as_owner():
            results.append(measure(files, options))
    few, many = results
    print(f"{'milliseconds':<30} {options.files[0]:>12,} {options.files[1]:>12,} {'rows':>6}")
    for name, (seconds, rows, given_up) in many.items():
        bad = "  !" if seconds > WANTED_SECONDS or given_up else ""
        print(f"{name:<30} {1000 * few[name][0]:>12.1f} {1000 * seconds:>12.1f} {rows:>6}{bad}")
    sys.exit(any(seconds > WANTED_SECONDS or given_up for seconds, _rows, given_up in many.values()))


if __name__ == "__main__":
    main()
