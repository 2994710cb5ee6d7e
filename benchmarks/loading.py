"""What loading large planning files takes: ``python -m benchmarks.loading``.

A database of its own, and a source list, a schedule (the planner's timeline, written by astropy) and a table of units
of 100,000 rows each, loaded one after the other in processes of their own. Printed are the seconds, which should be
below 60, how many steps reported progress, and the most memory of each process, beside that for a tenth of the rows.
``--kinds`` measures others: updates, units of as many sources, lists of observatories, schedules that are not in the
order of time, and ones whose fields have to be found.
"""

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import django

WANTED_SECONDS = 60
UNITS_OF_SCHEDULE = 50
SOURCES_OF_UNITS = 1000
RECIPE = "zigzag"
SHUFFLING = 7919  # a prime, so that all rows come once


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


def write_updated_sources(path, rows):
    """Write the sources of :func:`write_sources` with another velocity each."""
    write_sources(path, rows)
    head, *lines = path.read_text().splitlines(keepends=True)
    path.write_text(head + "".join(line.replace(",alias of", "1,alias of") for line in lines))


def write_kosma(path, rows):
    """Write a list of KOSMA."""
    lines = (f"K{row} {row * 360 / rows:.6f} {row % 170 - 85}.5 J2000 {row % 500} ! of {row}\n" for row in range(rows))
    path.write_text("".join(lines))


def write_gildas(path, rows):
    """Write a list of APEX."""
    lines = (
        f"G{row} EQ 2000 {row % 24:02}:{row % 60:02}:01.5 {row % 85}:10:20.5 LSR {row % 500}.5 ! of {row}\n"
        for row in range(rows)
    )
    path.write_text("".join(lines))


def write_tab_separated(path, rows):
    """Write a table of VizieR."""
    lines = (f"V{row}\t{row * 360 / rows:.6f}\t{row % 170 - 85}.5\t{row % 20}\n" for row in range(rows))
    path.write_text("Name\tRAJ2000\tDEJ2000\tVmag\n\tdeg\tdeg\tmag\n----\t---\t---\t---\n" + "".join(lines))


def write_text_schedule(path, rows, *, year, shuffled=False):
    """Write a text schedule of TOAST with blocks of a minute, of some fields in turn, whose edges have to be found."""
    start = datetime(year, 1, 1, tzinfo=UTC)
    lines = [
        f"{start + timedelta(minutes=row):%Y-%m-%d %H:%M:%S} {start + timedelta(minutes=row + 1):%Y-%m-%d %H:%M:%S} "
        f"0.0 swept_{year}_{row % UNITS_OF_SCHEDULE} 100.0 110.0 50.0 {row} 0\n"
        for row in range(rows)
    ]
    if shuffled:
        lines = [lines[row * SHUFFLING % rows] for row in range(rows)]
    path.write_text(
        "#Site Telescope Latitude [deg] Longitude [deg] Elevation [m]\nChajnantor FYST -22.986 -67.740 5611.8\n"
        "#Start time UTC Stop time UTC Rotation Patch name Az min Az max El Pass Sub\n" + "".join(lines)
    )


def write_units_of_many_sources(path, rows):
    """Write a table of units, each of another one of the sources of :func:`write_sources`."""
    lines = (f"WFS,many {row},Source {row},otf,{RECIPE}\n" for row in range(rows))
    path.write_text("program,name,source,mode,configuration\n" + "".join(lines))


@dataclass(frozen=True)
class Measured:
    """A file to measure: its kind, how it is written, its name and options, and what has to be loaded before it."""

    kind: str
    write: Callable
    file: str
    options: dict = field(default_factory=dict)
    before: tuple[str, ...] = ()


SCHEDULED = {"program": "WFS", "create_missing": True}
MEASURED = {
    "sources": Measured("sources", write_sources, "list.csv"),
    "slots": Measured("slots", write_schedule, "timeline.ecsv", SCHEDULED),
    "obs-units": Measured("obs-units", write_units, "units.csv", before=("sources",)),
    "updates": Measured(
        "sources", write_updated_sources, "updated.csv", {"on_conflict": "update"}, before=("sources",)
    ),
    "many-sources": Measured("obs-units", write_units_of_many_sources, "many.csv", before=("sources",)),
    "kosma": Measured("sources", write_kosma, "list.kosma"),
    "gildas": Measured("sources", write_gildas, "list.cat"),
    "tsv": Measured("sources", write_tab_separated, "list.tsv"),
    "unsorted": Measured("slots", partial(write_text_schedule, year=2028, shuffled=True), "unsorted.txt", SCHEDULED),
    "swept": Measured("slots", partial(write_text_schedule, year=2030), "swept.txt", SCHEDULED),
}
USUAL = ("sources", "slots", "obs-units")


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


def in_order(names):
    """Return the names of files to measure, each after those that have to be loaded before it."""
    wanted = {before for name in names for before in MEASURED[name].before} | {*names}
    return [name for name in MEASURED if name in wanted]


def measure(rows, folder, names):
    """Return what files of so many rows take, one after the other in a database that is empty before."""
    from django.db import connection, connections

    from opsdb.loaders.reference import load_reference
    from opsdb.models import ChaiObservationConfiguration

    database = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    taken = {}
    try:
        load_reference()
        ChaiObservationConfiguration.objects.create(name=RECIPE, version=1)
        for name in in_order(names):
            one = MEASURED[name]
            path = folder / one.file
            connections.close_all()
            context = multiprocessing.get_context("fork")
            answer = context.Queue()
            # What this process needed itself would be there for its children to use again.
            for target, arguments in (
                (one.write, (path, rows)),
                (load, (one.kind, path, one.options, database, answer)),
            ):
                process = context.Process(target=target, args=arguments)
                process.start()
                process.join()
                if process.exitcode:
                    raise SystemExit(f"{name} could not be written or loaded")
            taken[name] = answer.get()
            print("{:12}{:9}{:9.1f} s{:8.0f} MiB{:4} kinds of progress".format(name, rows, *taken[name]), flush=True)
    finally:
        connection.creation.destroy_test_db(database, verbosity=0)
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000, help="of each file")
    parser.add_argument(
        "--kinds", nargs="+", choices=MEASURED, default=USUAL, help="files to measure, with those that they need"
    )
    options = parser.parse_args()
    rows = options.rows
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        small, large = (measure(number, Path(folder), options.kinds) for number in (rows // 10, rows))
    for name, (seconds, memory, _) in large.items():
        late = "" if seconds < WANTED_SECONDS else f", more than {WANTED_SECONDS} s"
        print(f"{name}: {seconds:.0f} s{late}; {memory:.0f} MiB, {small[name][1]:.0f} MiB for a tenth of the rows")


if __name__ == "__main__":
    main()
