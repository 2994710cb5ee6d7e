"""How long a catalogue takes to load: ``python -m benchmarks.catalogue``.

The sources of OpenNGC, thirteen thousand, are loaded from a CSV file into a database of their own, and then compared
with it once more, which changes nothing.
"""

import argparse
import csv
import os
import tempfile
import time
from pathlib import Path

import django


def write_catalogue(path):
    """Write the objects that have a position, and return how many there are."""
    from pyongc import ongc

    objects = {one.name: one for one in ongc.listObjects() if one.ra != "N/A"}
    with path.open("w", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(["name", "ra", "dec", "comment"])
        lines.writerows([one.name, one.ra, one.dec, one.type] for one in objects.values())
    return len(objects)


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connection

    from opsdb.loaders import load, prepare

    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "catalogue.csv"
            objects = write_catalogue(path)
            for title, work in (("loaded", load), ("loaded again", prepare)):
                begun = time.perf_counter()
                work("sources", path)
                took = time.perf_counter() - begun
                print(f"{objects:,} sources {title} in {took:.1f} s, {objects / took:,.0f} a second")
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    main()
