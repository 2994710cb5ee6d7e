"""``manage.py opsdb_init``: load the reference data."""

from django.core.management.base import BaseCommand, CommandError

from opsdb.management.report import console, table


class Command(BaseCommand):
    """Print what loading the reference data created and changed; a second run changes nothing and says so."""

    help = (
        "Load the reference data: observatory, instruments, programs, modes, locations, routes and roles. "
        "Rows are made if missing and changed where they differ from the files; nothing is deleted."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")

    def handle(self, **options):
        from opsdb.loaders.errors import LoadError
        from opsdb.loaders.reference import load_reference

        try:
            result = load_reference(dry_run=options["dry_run"])
        except LoadError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self.report(result, options)

    def report(self, result, options):
        """Print counts per model, changed fields from old to new, and a sentence that sums up."""
        out = console(self.stdout, no_color=options["no_color"], force_color=options["force_color"])
        rows = [
            (model, len(created), result.changed[model], result.unchanged[model])
            for model, created in result.created.items()
        ]
        out.print(table("Reference data", "model", "created", "changed", "unchanged", rows=rows, zero="-"))
        if result.dry_run or options["verbosity"] > 1:
            for model, created in result.created.items():
                for row in created:
                    out.print(f"create {model} {row}", markup=False)
        for change in result.changes:
            out.print(
                f"change {change.model} {change.row}: {change.field} {change.old} → {change.new}",
                markup=False,
            )
        out.print(self.summary(result), markup=False)

    def summary(self, result):
        """Return the sentence that sums up."""
        if result.changes_nothing:
            return "Nothing to change."
        created, changed = sum(map(len, result.created.values())), sum(result.changed.values())
        if result.dry_run:
            return f"Dry run: {created} rows would be created, {changed} changed. Nothing was written."
        return f"{created} rows created, {changed} changed."
