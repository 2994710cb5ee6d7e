"""``manage.py opsdb_init``: load the reference data, or write them into files."""

import sys
from collections import Counter

from django.core.management.base import CommandError

from opsdb.loaders.reference import STEPS, ArchiveMode, Mode
from opsdb.management.command import OpsdbCommand
from opsdb.management.report import listing, table


class Command(OpsdbCommand):
    """Load or export the reference data, and print what happens to every row. Idempotent."""

    help = (
        "Load the reference data: observatory, instruments, programs, modes, sites, locations, routes and roles. "
        "Everything is checked first, and written in one transaction or not at all."
    )
    examples = (
        "opsdb_init",
        "opsdb_init --reference /etc/ops-db/reference --data-archive-mode production --mode edit --dry-run",
        "opsdb_init --export reference-today",
        "opsdb_init --drop --yes",
    )
    notes = (
        "modes:\n"
        "  append  create missing rows; leave existing ones\n"
        "  edit    also change fields that differ from the files\n"
        "  prune   also remove rows that are not in the files, of the models that they name;\n"
        "          rows that something refers to become inactive, or stay and are reported"
    )
    paths = ("reference", "export")

    def add_arguments(self, parser):
        parser.add_argument("--reference", metavar="DIR", help="folder with index.yaml (of the package)")
        parser.add_argument(
            "--data-archive-mode",
            choices=[mode.value for mode in ArchiveMode],
            help="locations on local disks, or the real sites (production if OPSDB_PRODUCTION is on, else development)",
        )
        parser.add_argument(
            "--mode", choices=[mode.value for mode in Mode], default=Mode.APPEND.value, help="see below (append)"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
        parser.add_argument(
            "--drop",
            action="store_true",
            help=(
                "first remove all data of ops-db: plans, reference data, roles, users, history; refused in production "
                "and if there are observations"
            ),
        )
        parser.add_argument("--yes", action="store_true", help="drop without asking")
        parser.add_argument("--export", metavar="DIR", help="write the current reference data into a new folder")

    def handle(self, **options):
        from opsdb.loaders import LoadError
        from opsdb.workflows import OpsdbError, attributed

        try:
            if options["export"]:
                self.export(options)
                return
            if options["drop"] and not options["dry_run"]:
                self.confirm(options)
            with self.role(options), attributed(origin="opsdb_init"):
                result, dropped = self.load(options)
        except (LoadError, OpsdbError) as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self.report(result, dropped, options)

    def role(self, options):
        """Return the block in which the files are loaded: only the owner of the tables can drop what they hold."""
        from contextlib import nullcontext

        from opsdb.database.aliases import writing_connection
        from opsdb.database.roles import as_owner

        return as_owner(writing_connection()) if options["drop"] else nullcontext()

    def export(self, options):
        """Write the files and print the counts."""
        from opsdb.loaders.reference import export_reference

        others = ("reference", "data_archive_mode", "dry_run", "drop")
        if given := [f"--{name.replace('_', '-')}" for name in others if options[name]]:
            raise CommandError(f"--export only writes files; leave out {', '.join(given)}.")
        counts = export_reference(options["export"])
        if options["verbosity"]:
            self.stdout.write(f"{sum(counts.values())} rows of {len(counts)} models written to {options['export']}.")

    def confirm(self, options):
        """Ask before data are dropped, unless ``--yes`` is given."""

        from opsdb.database.aliases import writing_connection
        from opsdb.loaders.reference.emptying import refuse_to_empty, row_counts

        refuse_to_empty()
        if options["yes"]:
            return
        if not sys.stdin.isatty():
            raise CommandError("--drop asks for confirmation, but there is no terminal: add --yes.")
        name = writing_connection().settings_dict["NAME"]
        out = self.console(options)
        out.print(table(f"To be dropped from {name}", "table", "rows", rows=row_counts().items()))
        if input(f"Type the name of the database, {name}, to drop all this: ") != name:
            raise CommandError("Nothing was dropped.")

    def load(self, options):
        """Load the files, on an emptied database if requested; return what was done and what was dropped."""
        from django.db import transaction

        from opsdb.database.aliases import atomic, writing_alias
        from opsdb.loaders.reference import hold_lock, load_reference
        from opsdb.loaders.reference.emptying import empty, row_counts

        def waiting():
            if options["verbosity"]:
                self.stderr.write("Another opsdb_init is running; waiting for it.")

        archive_mode = options["data_archive_mode"]
        dropped = {}
        with atomic():
            if options["drop"]:
                hold_lock(waiting)
                dropped = row_counts()
                empty()
            result = load_reference(
                options["reference"],
                mode=Mode(options["mode"]),
                archive_mode=archive_mode and ArchiveMode(archive_mode),
                dry_run=options["dry_run"],
                waiting=waiting,
            )
            if options["dry_run"]:
                transaction.set_rollback(True, using=writing_alias())
        return result, dropped

    def report(self, result, dropped, options):
        """Print what was dropped, counts per model, what is done to every row, and a summary."""
        out = self.console(options)
        # The person who confirmed it has seen the table.
        if dropped and (options["yes"] or options["dry_run"]):
            out.print(table("Dropped", "table", "rows", rows=dropped.items()))
        if not result.changes_nothing or self.is_detailed(options):
            counts = {step: Counter({model: result.done[step, model] for model in result.models}) for step in STEPS}
            counts |= {"leave": result.left, "differ": result.differing}
            counts = {name: count for name, count in counts.items() if count.total() or name == "leave"}
            rows = [(model, *(count[model] for count in counts.values())) for model in result.models]
            out.print(table("Reference data", "model", *counts, rows=rows, zero="-"))
        if result.renamed:
            rows = [(model, name, f"is called {now}, and keeps that name") for model, name, now in result.renamed]
            out.print(listing("Renamed since", "model", "in the files", "now", rows=rows))
        shown = [step for step in result.steps if step.action != "create" or self.is_detailed(options)]
        if shown:
            rows = [(step.action, self.describe(step)) for step in shown]
            out.print(listing("Plan", "action", "row", rows=rows))
        out.print(self.summary(result), markup=False)

    @staticmethod
    def describe(step):
        """Describe a step: its row, and what changes."""
        change = f": {step.field} {step.old} → {step.new}" if step.field else ""
        return f"{step.model} {step.row}{change}"

    @staticmethod
    def is_detailed(options):
        """Return whether all created rows are listed and unchanged ones counted."""
        return options["dry_run"] or options["verbosity"] > 1

    def summary(self, result):
        """Return a summary in one sentence."""
        differing = result.differing.total()
        hint = f" {differing} of them differ from the files: see --mode edit --dry-run." if differing else ""
        if result.changes_nothing:
            return f"Nothing to change; {result.left.total()} rows are unchanged.{hint}"
        done = (("created", "create"), ("changed", "change"), ("deactivated", "deactivate"), ("removed", "remove"))
        counts = [(word, result.count(step)) for word, step in done]
        words = ", ".join(f"{count} {word}" for word, count in counts if count)
        if result.dry_run:
            return f"Dry run, nothing was written. Rows: {words}.{hint}"
        return f"Rows: {words}.{hint}"
