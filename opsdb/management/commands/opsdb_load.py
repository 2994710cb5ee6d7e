"""``manage.py opsdb_load KIND FILE``: load a file that people or programs made."""

import argparse

from django.core.management.base import CommandError

from opsdb.management.base import OpsdbCommand
from opsdb.management.report import console, progress, table


def django_options():
    """Return a parser of the options that all commands have, so that they may also stand behind KIND."""
    parser = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = parser.add_argument_group("options of every command")
    group.add_argument("-v", "--verbosity", type=int, choices=[0, 1, 2, 3], help="0 prints nothing")
    group.add_argument("--settings", help="Python path of the settings module")
    group.add_argument("--pythonpath", help="folder to import from")
    for flag in ("--traceback", "--no-color", "--force-color", "--skip-checks"):
        group.add_argument(flag, action="store_true", help=argparse.SUPPRESS)
    return parser


class Command(OpsdbCommand):
    """Load one file in one transaction and print what it brought."""

    help = "Load a file into the database: all of it, or nothing if anything in it is wrong."
    examples = (
        "opsdb_load slots fyst_timeline_2026-06-15.ecsv --program WFS --create-missing",
        "opsdb_load slots --help",
    )

    def add_arguments(self, parser):
        kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
        slots = kinds.add_parser(
            "slots",
            parents=[django_options()],
            help="pre-scheduled slots from an observing schedule",
            description="Load an observing schedule: the planner's ECSV timeline or a TOAST text schedule.",
            epilog=(
                "example:\n"
                "  manage.py opsdb_load slots fyst_timeline_2026-06-15.ecsv --program WFS --create-missing\n\n"
                "Science blocks become slots of units of the program,\n"
                "calibration blocks slots of units of the program Cal."
            ),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        slots.add_argument("file", help="the schedule")
        slots.add_argument("--program", required=True, metavar="CODE", help="observing program of the science blocks")
        slots.add_argument(
            "--create-missing",
            action="store_true",
            help="make units and sources that are missing from the blocks",
        )
        slots.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")

    def handle(self, **options):
        from opsdb.loaders.errors import LoadError

        try:
            getattr(self, f"load_{options['kind']}")(options)
        except LoadError as error:
            raise CommandError(str(error)) from error

    def load_slots(self, options):
        """Load an observing schedule and print counts, what was made, and a sentence that sums up."""
        from opsdb.loaders.slots import load_slots

        result = load_slots(
            options["file"],
            program=options["program"],
            create_missing=options["create_missing"],
            dry_run=options["dry_run"],
            progress=progress,
        )
        if not options["verbosity"]:
            return
        out = console(self.stdout, no_color=options["no_color"], force_color=options["force_color"])
        out.print(table(result.schedule.path.name, "slots", "count", rows=result.counts().items()))
        for kind, names in (
            ("source", result.sources_created),
            ("configuration", result.configurations_created),
            ("unit", result.units_created),
        ):
            for name in names:
                out.print(f"create {kind} {name}", markup=False)
        for note in result.notes:
            out.print(note, markup=False)
        out.print(self.summary(result), markup=False)

    def summary(self, result):
        """Return the sentence that sums up."""
        if result.changes_nothing:
            return f"Nothing to load: {result.slots_present} slots were there already."
        if result.dry_run:
            return f"Dry run: {result.slots_created} slots would be created. Nothing was written."
        return f"{result.slots_created} slots created."
