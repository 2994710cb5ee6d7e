"""``manage.py opsdb_demo``: fill a database with a believable operation of the observatory."""

import argparse

from django.core.management.base import CommandError

from opsdb.management.base import OpsdbCommand


def at_least_one(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


class Command(OpsdbCommand):
    """Tell the story of some nights by the workflows and print what happened."""

    help = (
        "Operate the observatory for some nights, from the loaded schedule to archive, reduction, publication and "
        "deletion, with every rule in force, and leave something under way in every state. Refuses a database that "
        "holds real observations."
    )
    examples = ("opsdb_demo --nights 3 --seed 7", "opsdb_demo --nights 20 --files-per-observation 550")

    def add_arguments(self, parser):
        parser.add_argument("--nights", type=at_least_one, default=1, help="how many nights (1)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed tells the same story (1)")
        parser.add_argument(
            "--files-per-observation",
            type=at_least_one,
            metavar="F",
            help="raw files that each module writes in one observation (one a minute)",
        )

        parser.add_argument(
            "--once", action="store_true", help="do nothing when the database holds observations already"
        )

    def handle(self, **options):
        from opsdb.demonstration import Story
        from opsdb.management.report import table
        from opsdb.models import ExecutedObsUnit
        from opsdb.workflows import OpsdbError, attributed

        def say(line):
            if options["verbosity"] > 1:
                self.stdout.write(line)

        if options["once"] and ExecutedObsUnit.objects.exists():
            say("The database holds observations already.")
            return
        try:
            with attributed(origin="opsdb_demo"):
                done = Story(seed=options["seed"], files=options["files_per_observation"], say=say).tell(
                    options["nights"]
                )
        except OpsdbError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self.console(options).print(table("Demonstration", "what", "count", rows=done.items()))
