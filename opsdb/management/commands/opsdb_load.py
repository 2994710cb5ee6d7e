"""``manage.py opsdb_load KIND FILE…``: load planning files."""

import argparse

from django.core.management.base import CommandError

from opsdb.management.command import OpsdbCommand
from opsdb.management.report import progress, table

ROWS_LISTED = 20


def django_options():
    """Return a parser of the options of all commands, so that they are also accepted after KIND."""
    parser = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = parser.add_argument_group("options of every command")
    group.add_argument("-v", "--verbosity", type=int, choices=[0, 1, 2, 3], help="0 prints nothing")
    group.add_argument("--settings", help="Python path of the settings module")
    group.add_argument("--pythonpath", help="folder to import from")
    for flag in ("--traceback", "--no-color", "--force-color", "--skip-checks"):
        group.add_argument(flag, action="store_true", help=argparse.SUPPRESS)
    return parser


class Command(OpsdbCommand):
    """Load files in one transaction and print what changed."""

    help = "Load files into the database: all of them, or nothing if there is any problem."
    examples = (
        "opsdb_load slots fyst_timeline_2026-06-15.ecsv --program WFS --create-missing",
        "opsdb_load slots --help",
    )
    paths = ("files",)

    def add_arguments(self, parser):
        from opsdb.loaders import ON_CONFLICT, kinds

        subparsers = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
        for kind in kinds().values():
            own = subparsers.add_parser(
                kind.name,
                parents=[django_options()],
                help=kind.help,
                description=kind.description,
                epilog=f"example:\n  {kind.example}",
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
            own.add_argument("files", nargs="+", metavar="FILE", help="a file to load")
            for option in kind.options:
                own.add_argument(option.flag, **option.how)
            own.add_argument(
                "--on-conflict",
                choices=ON_CONFLICT,
                default="error",
                help="existing rows with different values: refuse the load (default), "
                "leave them unchanged, or update them",
            )
            own.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")

    def handle(self, **options):
        from opsdb.loaders import LoadError, kinds, load, prepare
        from opsdb.workflows import attributed

        kind = kinds()[options["kind"]]
        asked = {option.name: options[option.name] for option in kind.options}
        act = prepare if options["dry_run"] else load
        try:
            with attributed(origin=f"opsdb_load {kind.name}"):
                plan = act(kind.name, options["files"], progress=progress, on_conflict=options["on_conflict"], **asked)
        except LoadError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self.show(plan, kind, options)

    def show(self, plan, kind, options):
        """Print counts, what happens to rows, and a summary."""
        from opsdb.loaders import LEAVE, STEPS_KEPT

        out = self.console(options)
        totals = {f"{model}: {what}": number for (what, model), number in plan.totals.items()}
        out.print(table(", ".join(plan.files), kind.name, "count", rows={**plan.facts, **totals}.items()))
        limit = ROWS_LISTED if options["verbosity"] == 1 else STEPS_KEPT
        listed = [one for one in plan.totals if one[0] != LEAVE or options["verbosity"] > 1]
        for what, model in listed:
            steps = [step for step in plan.steps if (step.what, step.model) == (what, model)][:limit]
            for step in steps:
                out.print(str(step), markup=False)
            if plan.totals[what, model] > len(steps):
                more = plan.totals[what, model] - len(steps)
                out.print(f"{what} {more} more {model} rows", markup=False)
        for note in plan.notes:
            out.print(note, markup=False)
        out.print(self.summary(plan), markup=False)

    def summary(self, plan):
        """Return a summary in one sentence."""
        from opsdb.loaders import CREATE, LEAVE, SKIP, UPDATE

        counts = {what: plan.counted(what) for what in (CREATE, UPDATE, SKIP, LEAVE)}
        if plan.changes_nothing:
            skipped = f", {counts[SKIP]} skipped" if counts[SKIP] else ""
            return f"Nothing to load: {counts[LEAVE]} rows exist already{skipped}."
        changes = ", ".join(
            f"{counts[what]} {word}"
            for what, word in ((CREATE, "created"), (UPDATE, "updated"), (SKIP, "skipped"))
            if counts[what]
        )
        return f"{changes}." if plan.applied else f"Dry run, nothing was written: {changes}."
