"""What planning packages takes beside registration: ``python -m benchmarks.packaging``.

In a database of its own 10,000 and then 100,000 raw files of an execution are registered, and put into packages, in
turn, some rounds. Printed are the seconds of both, the median of the rounds; packaging should take no longer than
registration, and ten times the files ten times as long.
"""

import argparse
import os
import time

import django

ROUNDS = 3


def measure(files, number):
    """Return the seconds of registering and of packaging so many files of a new execution."""
    from opsdb.models import DataLocation
    from opsdb.testing.factories import ExecutedObsUnitFactory
    from opsdb.workflows import package_raw_data_files

    from .register import by_registration, make_world

    world = make_world() | {"execution": str(ExecutedObsUnitFactory(completed=True).pk)}
    begun = time.perf_counter()
    by_registration(files, f"round-{files}-{number}", world)
    registered = time.perf_counter()
    packages = package_raw_data_files(DataLocation.objects.get(pk=world["location"]))
    packaged = time.perf_counter()
    held = sum(package.file_count for package in packages)
    if held != files:
        raise SystemExit(f"{held} of {files} files are in packages")
    return registered - begun, packaged - registered


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000, help="files of an execution (100000)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connection

    database = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        rates = []
        for files in (options.files // 10, options.files):
            taken = [measure(files, number) for number in range(ROUNDS)]
            registering, packaging = (sorted(seconds)[ROUNDS // 2] for seconds in zip(*taken, strict=True))
            rates.append(packaging / files)
            print(
                f"{files:9,} files: registered in {registering:.1f} s, packaged in {packaging:.1f} s, "
                f"{packaging / registering:.2f} times as long (at most 1 wanted)",
                flush=True,
            )
        print(f"a file of {options.files:,} takes {rates[1] / rates[0]:.2f} times as long as one of a tenth (1 wanted)")
    finally:
        connection.creation.destroy_test_db(database, verbosity=0)


if __name__ == "__main__":
    main()
