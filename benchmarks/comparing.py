"""Ask the same questions of a small and of a large database, and print what each costs in both."""

import argparse
import os
import time
from collections.abc import Callable
from contextlib import contextmanager

import django

WANTED = 3.0


@contextmanager
def past_the_rules(*tables: str):
    """Give a cursor that fills tables past their triggers, as they would be after years of work."""
    from django.db import connection, transaction

    from opsdb.database.roles import as_owner

    with as_owner(connection), connection.cursor() as cursor:
        with transaction.atomic():
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield cursor
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")


def seconds_of(ask: Callable, repeats: int) -> float:
    """Return the shortest of several times, each in a transaction that is rolled back."""
    from django.db import transaction

    taken = []
    for _ in range(repeats):
        with transaction.atomic():
            begun = time.perf_counter()
            ask()
            taken.append(time.perf_counter() - begun)
            transaction.set_rollback(True)
    return min(taken)


def compare(about: str, rows: str, sizes: tuple[int, int], measure: Callable[[int, int], dict[str, float]]):
    """Run a benchmark from the command line.

    Args:
        about: what it is for; the first line is its help.
        rows: name of the rows that make a database small or large; the option that sets their numbers.
        sizes: how many rows the small and the large database have by default.
        measure: makes a database with so many rows, asks each question so many times, and returns the seconds by
            question.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument(
        f"--{rows}",
        dest="sizes",
        type=int,
        nargs=2,
        metavar=("FEW", "MANY"),
        default=sizes,
        help=f"{rows} of the two databases %(default)s",
    )
    parser.add_argument("--repeats", type=int, default=5, help="times that each question is asked (%(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connection

    own_name = connection.settings_dict["NAME"]
    results = []
    for size in options.sizes:
        connection.settings_dict["NAME"] = own_name
        results.append(measure(size, options.repeats))
    few, many = results
    print(f"{'':<36} {options.sizes[0]:>12,} {options.sizes[1]:>12,}   ratio, at most {WANTED} wanted")
    for name in few:
        print(f"{name:<36} {few[name]:>10.4f} s {many[name]:>10.4f} s   {many[name] / few[name]:.1f}")
