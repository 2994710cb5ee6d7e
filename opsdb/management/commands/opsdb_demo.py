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
        "deletion, with every rule in force. Refuses a database that holds real observations."
    )
    examples = ("opsdb_demo --nights 3 --seed 7",)

    def add_arguments(self, parser):
        parser.add_argument("--nights", type=at_least_one, default=1, help="how many nights (1)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed tells the same story (1)")
        parser.add_argument(
            "--files-per-observation",
            type=at_least_one,
            default=3,
            metavar="F",
            help="raw files that each module writes in one observation (3)",
        )

    def handle(self, **options):
        from opsdb.demonstration import Story
        from opsdb.management.report import console, table
        from opsdb.workflows.attribution import attributed
        from opsdb.workflows.errors import OpsdbError

        def say(line):
            if options["verbosity"] > 1:
                self.stdout.write(line)

        try:
            with attributed(origin="opsdb_demo"):
                done = Story(seed=options["seed"], files=options["files_per_observation"], say=say).tell(
                    options["nights"]
                )
        except OpsdbError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            out = console(self.stdout, no_color=options["no_color"], force_color=options["force_color"])
            out.print(table("Demonstration", "what", "count", rows=done.items()))
