"""``manage.py opsdb_history``: the partitions of the change log, and archiving old months of it."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from django.core.management.base import CommandError

from opsdb.management.command import OpsdbCommand
from opsdb.management.report import progress, table


def month(text):
    """Return the first day of a month that is given as YYYY-MM."""
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no time zone
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a month as 2026-01, not {text!r}") from None


class Command(OpsdbCommand):
    """List the months of the change log, or export and drop old ones."""

    help = (
        "List the months of the change log (list), or write those before a month into files and drop them (archive). "
        "The creation of each row, its last change, all changes of users, and all corrections of when something was "
        "observed stay in the database; the keys of new rows in the large tables do not."
    )
    examples = (
        "opsdb_history list",
        "opsdb_history archive --before 2026-01 --to /archive/ops-db/history --dry-run",
    )
    notes = (
        "Each month becomes change_log_YYYY_MM.jsonl.gz, one change a line as JSON, beside it a file for sha256sum.\n"
        "Nothing is dropped before every file has been written and read back. If it is interrupted, run it again."
    )

    def add_arguments(self, parser):
        commands = parser.add_subparsers(dest="action", required=True)
        commands.add_parser("list", help="print the partitions with their estimated numbers of changes and sizes")
        archive = commands.add_parser("archive", help="write old months into files, and drop them")
        archive.add_argument(
            "--before", type=month, required=True, metavar="YYYY-MM", help="the first month that stays"
        )
        archive.add_argument("--to", type=Path, required=True, metavar="DIR", help="existing folder for the files")
        archive.add_argument("--dry-run", action="store_true", help="print what would be archived, and do nothing")

    def handle(self, **options):
        from opsdb.database.aliases import writing_connection
        from opsdb.database.months import partitions
        from opsdb.database.roles import as_owner

        connection = writing_connection()
        if options["action"] == "list":
            self.list(partitions(connection), options)
            return
        with as_owner(connection):
            self.archive(connection, options)

    def list(self, found, options):
        """Print the partitions."""
        rows = [(each.name, max(each.changes, 0), f"{each.size_bytes / 1e6:.1f}") for each in found]
        self.console(options).print(table("Change log", "partition", "changes (estimated)", "MB", rows=rows))

    def archive(self, connection, options):
        """Export and drop the months before the given one."""
        from django.db import ProgrammingError

        from opsdb.database.months import ArchiveError, drop_months, export_month, partitions
        from opsdb.database.roles import lacks_right

        before, folder = options["before"], options["to"]
        if before > datetime.now(UTC).date().replace(day=1):
            raise CommandError(
                f"--before {before:%Y-%m} is in the future; the current month is the last that can stay."
            )
        if not folder.is_dir():
            raise CommandError(f"--to {folder} is no folder: make it first. Nothing was changed.")
        old = [each for each in partitions(connection) if each.month and each.month < f"{before:%Y-%m}"]
        if not old:
            self.stdout.write(f"There is no month before {before:%Y-%m}; nothing to archive.")
            return
        if options["dry_run"]:
            for each in old:
                self.stdout.write(f"Would archive {each.month}: about {max(each.changes, 0)} changes")
            self.stdout.write("Dry run, nothing was changed.")
            return
        try:
            exports = [export_month(connection, each.name, folder) for each in progress(old, "Exporting")]
            for export in exports:
                self.stdout.write(f"Wrote {export.path}: {export.changes} changes")
            kept = drop_months(connection, exports, before)
        except (ArchiveError, OSError) as error:
            raise CommandError(str(error)) from error
        except ProgrammingError as error:
            if not lacks_right(error):
                raise
            raise CommandError(
                f"Role {connection.settings_dict['USER']} lacks a right ({str(error).splitlines()[0]}): only the owner "
                "of the tables can archive history. Nothing was dropped."
            ) from error
        self.stdout.write(f"Dropped {len(exports)} months; {kept} changes of them stay.")
