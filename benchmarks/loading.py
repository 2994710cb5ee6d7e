"""What loading large planning files takes: ``python -m benchmarks.loading``.

A database of its own, and a source list, a schedule (the planner's timeline, written by astropy) and a table of units
of 100,000 rows each, loaded one after the other in processes of their own. Printed are the seconds, which should be
below 60, how many steps reported progress, and the most memory of each process, beside that for a tenth of the rows.
"""

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django

WANTED_SECONDS = 60
UNITS_OF_SCHEDULE = 50
SOURCES_OF_UNITS = 1000
RECIPE = "zigzag"


def write_sources(path, rows):
    """Write a list of sources in FK5."""
    lines = (
        f"Source {row},{row * 360 / rows:.6f},{row % 170 - 85}.5,J2000,{row % 500},alias of {row}\n"
        for row in range(rows)
    )
    path.write_text("name,ra,dec,system,vlsr_km_s,aliases\n" + "".join(lines))


def write_schedule(path, rows):
    """Write a timeline with blocks of a minute, of some fields in turn."""
    from astropy import units as u
    from astropy.table import QTable

    start = datetime(2027, 1, 1, tzinfo=UTC)
    times = [start + timedelta(minutes=row) for row in range(rows + 1)]
    numbers = [row % UNITS_OF_SCHEDULE for row in range(rows)]
    table = QTable(
        {
            "start_time": [f"{moment:%Y-%m-%d %H:%M:%S}.000" for moment in times[:-1]],
            "stop_time": [f"{moment:%Y-%m-%d %H:%M:%S}.000" for moment in times[1:]],
            "name": [f"field {number}" for number in numbers],
            "azmin": [100.0] * rows * u.deg,
            "azmax": [120.0] * rows * u.deg,
            "el": [50.0] * rows * u.deg,
            "ra_center": [7.0 * number for number in numbers],
            "dec_center": [-30.0] * rows,
            "width": [4.0] * rows,
            "height": [2.0] * rows,
        },
        meta={"telescope_name": "FYST"},
    )
    table.write(path, format="ascii.ecsv", overwrite=True)


def write_units(path, rows):
    """Write a table of units of one recipe and of the sources of :func:`write_sources`."""
    lines = (f"WFS,unit {row},source {row % SOURCES_OF_UNITS},otf,{RECIPE},345.796,{row % 10}\n" for row in range(rows))
    path.write_text("program,name,source,mode,configuration,rest_frequency_ghz,priority\n" + "".join(lines))


FILES = {
    "sources": (write_sources, "list.csv", {}),
    "slots": (write_schedule, "timeline.ecsv", {"program": "WFS", "create_missing": True}),
    "obs-units": (write_units, "units.csv", {}),
}


def load(kind, path, options, database, answer):
    """Load a file in a process of its own; answer with seconds, memory in MiB and number of reports of progress."""
    from django.db import connection

    from opsdb import loaders

    connection.settings_dict["NAME"] = database
    reports = set()

    def progress(items, description):
        for item in items:
            reports.add(description)
            yield item

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun = time.perf_counter()
    loaders.load(kind, path, progress=progress, **options)
    seconds = time.perf_counter() - begun
    answer.put((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before, len(reports)))


def measure(rows, folder):
    """Return what each kind of file of so many rows takes, in an empty database."""
    from django.db import connection, connections

    from opsdb.loaders.reference import load_reference
    from opsdb.models import ChaiObservationConfiguration

    database = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    taken = {}
    try:
        load_reference()
        ChaiObservationConfiguration.objects.create(name=RECIPE, version=1)
        for kind, (write, name, options) in FILES.items():
            connections.close_all()
            context = multiprocessing.get_context("fork")
            answer = context.Queue()
            # What this process needed itself would be there for its children to use again.
            for target, arguments in (
                (write, (folder / name, rows)),
                (load, (kind, folder / name, options, database, answer)),
            ):
                process = context.Process(target=target, args=arguments)
                process.start()
                process.join()
                if process.exitcode:
                    raise SystemExit(f"{kind} could not be written or loaded")
            taken[kind] = answer.get()
            print("{:12}{:9}{:9.1f} s{:8.0f} MiB{:4} kinds of progress".format(kind, rows, *taken[kind]), flush=True)
    finally:
        connection.creation.destroy_test_db(database, verbosity=0)
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000, help="of each file")
    rows = parser.parse_args().rows
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        small, large = (measure(number, Path(folder)) for number in (rows // 10, rows))
    for kind, (seconds, memory, _) in large.items():
        late = "" if seconds < WANTED_SECONDS else f", more than {WANTED_SECONDS} s"
        print(f"{kind}: {seconds:.0f} s{late}; {memory:.0f} MiB, {small[kind][1]:.0f} MiB for a tenth of the rows")


if __name__ == "__main__":
    main()
