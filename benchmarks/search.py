"""What the search box costs as the tables grow: ``python -m benchmarks.search``.

Texts of every kind are searched in both databases of ``benchmarks.filling``, also such that nothing has: none should
take more than 500 ms, or the program ends with 1. ``--plans`` prints the plan of each slow query in the last one.
"""

import statistics
import sys
import time

from benchmarks.filling import WANTED_SECONDS, measured_in_both


def texts():
    """Return texts of every kind that a person may search, by what they are; each finds something where it can."""
    from opsdb.models import DataLocation, ExecutedObsUnit, InstrumentModule, RawDataFile, RawDataPackage, Source

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
        "module": InstrumentModule.objects.values_list("name", flat=True).first() or "280GHz",
        "location": DataLocation.objects.values_list("name", flat=True).first() or "buffer",
        "data": "data",
        "nothing": "there-is-no-such-word",
    }


def measure(files, options):
    """Return the seconds of each search by its name."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from opsdb.workflows import search_rows

    found = {}
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


def add_options(parser):
    parser.add_argument("--plans", action="store_true", help="print the plans that take more than 20 ms")


def main():
    options, few, many = measured_in_both(__doc__, measure, repeats=3, add_options=add_options)
    print(f"{'milliseconds':<30} {options.files[0]:>12,} {options.files[1]:>12,} {'rows':>6}")
    for name, (seconds, rows, given_up) in many.items():
        bad = "  !" if seconds > WANTED_SECONDS or given_up else ""
        print(f"{name:<30} {1000 * few[name][0]:>12.1f} {1000 * seconds:>12.1f} {rows:>6}{bad}")
    sys.exit(any(seconds > WANTED_SECONDS or given_up for seconds, _rows, given_up in many.values()))


if __name__ == "__main__":
    main()
