"""What followers of events cost those who write: ``python -m benchmarks.events``.

Processes execute units and register their files as fast as they can, in turns without followers and with five, one of
which is killed meanwhile; another goes on from its last cursor. Writers have to reach 0.95 of what they reach without
followers, and every follower has to get every entry of the change log once, and those of a row in their order. In a
database of its own, which is dropped at the end.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from statistics import mean

import django

WANTED = 0.95
FOLLOWERS = 5
FILES_AT_ONCE = 50
START = datetime(2026, 6, 15, tzinfo=UTC)


def write(world, seconds):
    """Observe for so many seconds, and return how many observations a second were written, each with its files."""
    from opsdb.models import ObsUnit
    from opsdb.workflows import RawFileReport, finish_observation, register_raw_data_files, start_observation

    unit = ObsUnit.objects.get(pk=world["unit"])
    begun, number = time.monotonic(), 0
    while (duration := time.monotonic() - begun) < seconds:
        start = START + timedelta(seconds=number)
        execution = start_observation(unit, start_time=start)
        register_raw_data_files(
            RawFileReport(
                executed_obs_unit=execution.pk,
                instrument_module=world["module"],
                source_location=world["location"],
                relative_path=f"{execution.pk}/{index:04}.fits",
                size_bytes=30_000_000 + index,
                checksum=sha256(f"{execution.pk}{index}".encode()).hexdigest(),
            )
            for index in range(FILES_AT_ONCE)
        )
        finish_observation(execution.pk, end_time=start + timedelta(minutes=30))
        number += 1
    return number / duration


class Process:
    """This module once more, in that database. It gets ready, and begins when it is given its line."""

    def __init__(self, database, *arguments, stdout=subprocess.PIPE):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.events", *map(str, arguments)],
            env={**os.environ, "BENCHMARK_DATABASE": database},
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self):
        if self.process.stderr.readline() != "ready\n":
            raise RuntimeError(self.process.stderr.read())

    def begin(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()


def written(database, world, writers, seconds, meanwhile=lambda: None):
    """Return how many observations a second all writers write together, once all of them are ready."""
    processes = [Process(database, "--write", seconds) for _ in range(writers)]
    for process in processes:
        process.wait_until_ready()
    for process in processes:
        process.begin(json.dumps(world))
    meanwhile()
    return sum(float(process.process.communicate()[0]) for process in processes)


class Followers:
    """Processes that write the events that they get into files."""

    def __init__(self, database, folder):
        from opsdb.events import follow

        events = follow(timeout=0)
        list(events)
        self.begin, self.first = events.cursor, newest_entry()
        self.paths = [folder / f"{index}.jsonl" for index in range(FOLLOWERS)]
        files = [path.open("a") for path in (*self.paths, self.paths[0])]
        *self.processes, self.successor = [Process(database, "--follow", stdout=file) for file in files]
        for process in (*self.processes, self.successor):
            process.wait_until_ready()
        for process in self.processes:
            process.begin(self.begin)

    def kill_one(self):
        """Kill a follower, have its successor go on after the last event that it got whole, and return how many."""
        self.processes[0].process.kill()
        self.processes[0].process.wait()
        path = self.paths[0]
        content = path.read_text()
        os.truncate(path, len(content.rpartition("\n")[0].encode()) + ("\n" in content))
        got = lines(path)
        self.successor.begin(got[-1]["cursor"] if got else self.begin)
        self.processes[0] = self.successor
        return len(got)

    def end(self):
        """Stop when all have got the newest entry, or after a minute, and return what is wrong with what they got."""
        expected = entries_after(self.first)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not all(len(lines(path)) >= len(expected) for path in self.paths):
            time.sleep(0.2)
        for process in self.processes:
            process.process.send_signal(signal.SIGINT)
            process.process.communicate()
        return [fault for path in self.paths for fault in faults(lines(path), expected)], len(expected)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def faults(events, expected):
    """Yield how events differ from the entries: missing, twice, or those of a row out of order."""
    numbers = [int(event["cursor"].rpartition(";")[2]) for event in events]
    if missing := set(expected) - set(numbers):
        yield f"{len(missing)} missing"
    if twice := len(numbers) - len(set(numbers)):
        yield f"{twice} twice"
    of_row = defaultdict(list)
    for number, event in zip(numbers, events, strict=True):
        for key in event["keys"]:
            of_row[event["table"], key].append(number)
    if wrong := [row for row, found in of_row.items() if found != sorted(found)]:
        yield f"{len(wrong)} rows out of order"


def newest_entry():
    from opsdb.models import ChangeLog

    return ChangeLog.objects.order_by("-id").values_list("id", flat=True).first() or 0


def entries_after(number):
    from opsdb.models import ChangeLog

    return list(ChangeLog.objects.filter(id__gt=number).values_list("id", flat=True))


def make_world():
    """Make a unit, a module and a source location, and return their keys."""
    from opsdb.testing.factories import DiskDataLocationFactory, InstrumentModuleFactory, ObsUnitFactory

    module = InstrumentModuleFactory()
    location = DiskDataLocationFactory(source=True, instrument=module.instrument)
    return {"unit": ObsUnitFactory().pk, "module": module.pk, "location": location.pk}


def compare(database, world, options, folder):
    """Print how much is written without and with followers, and what is wrong with what these got."""
    speeds, wrong, total, killed_after = {"without": [], "with": []}, [], 0, []

    def write_alone(turn):
        speeds["without"].append(written(database, world, options.writers, options.seconds))

    def write_followed(turn):
        nonlocal total
        (turn_folder := folder / str(turn)).mkdir()
        followers = Followers(database, turn_folder)

        def kill_in_the_middle():
            time.sleep(options.seconds / 2)
            killed_after.append(followers.kill_one())

        speeds["with"].append(written(database, world, options.writers, options.seconds, kill_in_the_middle))
        found, entries = followers.end()
        wrong.extend(found)
        total += entries

    for turn in range(options.rounds):
        # In turns first, so that neither has the larger tables or the busier machine.
        for act in (write_alone, write_followed)[:: 1 if turn % 2 else -1]:
            act(turn)
    without, together = (mean(found) * FILES_AT_ONCE for found in (speeds["without"], speeds["with"]))
    print(f"{options.writers} writers, {options.rounds} rounds of {options.seconds:g} s")
    print(f"  without followers    {without:9,.0f} files/s")
    ratio = together / without
    print(f"  with {FOLLOWERS} followers     {together:9,.0f} files/s, {ratio:.2f} (at least {WANTED} wanted)")
    print(f"  {total:,} events for each follower, one killed after {killed_after}: {', '.join(wrong) or 'each once'}")
    return not wrong and ratio >= WANTED


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--writers", type=int, default=2, help="processes that write (2)")
    parser.add_argument("--seconds", type=float, default=4, help="how long they write in each round (4)")
    parser.add_argument("--rounds", type=int, default=8, help="rounds without and with followers (8)")
    parser.add_argument("--write", type=float, metavar="SECONDS", help=argparse.SUPPRESS)
    parser.add_argument("--follow", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    if options.follow or options.write:
        connection.settings_dict["NAME"] = os.environ["BENCHMARK_DATABASE"]
        connection.ensure_connection()
        print("ready", file=sys.stderr, flush=True)
        line = sys.stdin.readline().strip()
        if options.follow:
            call_command("opsdb_events", after=line, json=True)
        else:
            print(write(json.loads(line), options.write))
    else:
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            with tempfile.TemporaryDirectory() as folder:
                good = compare(connection.settings_dict["NAME"], make_world(), options, Path(folder))
        finally:
            connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
        sys.exit(not good)


if __name__ == "__main__":
    main()
