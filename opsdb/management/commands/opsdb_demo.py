"""``manage.py opsdb_demo``: fill a database with realistic operations of the observatory."""

import argparse
import re

from django.core.management.base import CommandError

from opsdb.management.command import OpsdbCommand

LARGEST_NUMBER = 10_000  # nights: of 27 years


def at_least_one(text):
    """Return a whole number from 1."""
    if not (re.fullmatch("[0-9]{1,9}", text) and 1 <= int(text) <= LARGEST_NUMBER):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {LARGEST_NUMBER}, not {text!r}")
    return int(text)


class Command(OpsdbCommand):
    """Simulate some nights by the workflows, and print counts."""

    help = (
        "Simulate the operation of the observatory for some nights before the last one, from plan to archive, "
        "reduction, publication and deletion, with every rule in force; the data of last night are in every state, and "
        "tonight and tomorrow are planned. Refuses a database with real observations."
    )
    examples = ("opsdb_demo --nights 3 --seed 7", "opsdb_demo --nights 2 --weeks 4 --files-per-observation 4")

    def add_arguments(self, parser):
        parser.add_argument("--nights", type=at_least_one, default=1, help="number of nights before the last one (1)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same operations (1)")
        parser.add_argument(
            "--files-per-observation",
            type=at_least_one,
            metavar="F",
            help="raw files that each module writes in one observation at the most (one a minute)",
        )
        parser.add_argument(
            "--observations-per-night",
            type=at_least_one,
            metavar="O",
            help="observations of a night at the most (as many as fit)",
        )
        parser.add_argument(
            "--weeks",
            type=int,
            choices=range(53),
            default=0,
            metavar="W",
            help="weeks before these nights, of which few observations and files are made (0)",
        )
        parser.add_argument("--once", action="store_true", help="do nothing if the database has observations already")

    def handle(self, **options):
        from opsdb.demonstration import Demonstration
        from opsdb.management.report import table
        from opsdb.models import ExecutedObsUnit
        from opsdb.workflows import OpsdbError, attributed

        def report(line):
            if options["verbosity"] > 1:
                self.stdout.write(line)

        if options["once"] and ExecutedObsUnit.objects.exists():
            if options["verbosity"]:
                self.stdout.write("Nothing to do: the database has observations already.")
            return
        try:
            with attributed(origin="opsdb_demo"):
                demonstration = Demonstration(
                    options["seed"], options["files_per_observation"], options["observations_per_night"], report
                )
                done = demonstration.run(options["nights"], options["weeks"])
        except OpsdbError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self.console(options).print(table("Demonstration", "what", "count", rows=done.items()))
