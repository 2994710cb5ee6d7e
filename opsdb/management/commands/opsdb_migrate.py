"""``manage.py opsdb_migrate``: migrate the database and load missing reference data, at every deployment."""

import argparse
from contextlib import contextmanager
from zlib import crc32

from django.core.management.base import CommandError

from opsdb.formatting import format_minute
from opsdb.loaders.reference import ArchiveMode
from opsdb.management.command import OpsdbCommand

LOCK_NUMBER = crc32(b"opsdb migrations")
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL manual, appendix A
HOLDER = """
SELECT activity.pid, activity.backend_start FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
WHERE locktype = 'advisory' AND objid::bigint = %s AND granted
AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def seconds(text):
    """Return a number of seconds above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < 86_400:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0 and below 86400, not {text!r}")
    return number


class Command(OpsdbCommand):
    """Back up if requested, migrate, store settings, grant rights, load reference data, and print what changed."""

    help = (
        "Back up the database if requested, apply its migrations, store the deletion policy "
        "(OPSDB_MIN_ARCHIVE_COPIES), make the months of the change log ahead, grant rights to roles, and run"
        " opsdb_init --mode append. Idempotent, so that it can run at every start."
    )
    examples = (
        "opsdb_migrate",
        "opsdb_migrate --backup /var/backups/ops-db --lock-timeout 30",
        "opsdb_migrate --grant-to opsdb_app --grant-read-to grafana",
    )
    notes = (
        "It connects as the owner of the tables, by DATABASES[...]['OWNER'] (OWNER_DATABASE_URL), where the project\n"
        "itself connects as another role; that role, and those that were granted to before, need no --grant-to.\n"
        "A backup is made only if there is a migration to apply; restore it with pg_restore.\n"
        "The password comes from the project's settings, PGPASSWORD or PGPASSFILE, never from the command line."
    )
    paths = ("reference", "backup")

    def add_arguments(self, parser):
        parser.add_argument(
            "--database", metavar="ALIAS", help="the one that the project's routers write ops-db's rows to (default)"
        )
        parser.add_argument("--backup", metavar="DIR", help="first write a pg_dump of the database into this folder")
        parser.add_argument(
            "--lock-timeout",
            type=seconds,
            default=10.0,
            metavar="SECONDS",
            help="give up if a table is locked for longer, instead of blocking others (10)",
        )
        parser.add_argument(
            "--grant-to",
            action="append",
            default=[],
            metavar="ROLE",
            help="let this role of PostgreSQL work with the rows, but define, disable or empty nothing; repeatable",
        )
        parser.add_argument(
            "--grant-read-to",
            action="append",
            default=[],
            metavar="ROLE",
            help="let this role only read, and no hashes of passwords and tokens; repeatable",
        )
        parser.add_argument("--reference", metavar="DIR", help="as for opsdb_init")
        parser.add_argument(
            "--data-archive-mode", choices=[mode.value for mode in ArchiveMode], help="as for opsdb_init"
        )

    def handle(self, **options):
        from django.db import connections

        from opsdb.database.aliases import writing_alias
        from opsdb.database.roles import application_role, as_owner

        alias = options["database"] or writing_alias()
        if alias != writing_alias():
            raise CommandError(
                f"--database {alias}: the project's routers write ops-db's rows to '{writing_alias()}', which is what "
                "this migrates and fills; migrate others by `manage.py migrate --database`. Nothing was changed."
            )
        connection = connections[alias]

        if both := sorted({*options["grant_to"]} & {*options["grant_read_to"]}):
            raise CommandError(f"--grant-to and --grant-read-to name the same role: {', '.join(both)}.")
        role = application_role(connection)
        with as_owner(connection):
            self.deploy(connection, role, options)

    def deploy(self, connection, role, options):
        """Do it all, as the owner of the tables."""
        from django.db import OperationalError, ProgrammingError

        from opsdb.checks import check_user_model
        from opsdb.database.local_settings import set_locally
        from opsdb.database.roles import lacks_right

        try:
            connection.ensure_connection()
        except OperationalError as error:
            name = connection.settings_dict["NAME"]
            reason = " ".join(str(error).split()).rstrip(".")
            raise CommandError(f"Can't connect to the database {name} ({reason}); nothing was changed.") from error
        if errors := check_user_model(None, databases=[connection.alias]):
            raise CommandError(f"{errors[0].msg} {errors[0].hint} Nothing was changed.")
        try:
            self.require_roles(connection, options)
            with set_locally(connection, "lock_timeout", f"{options['lock_timeout'] * 1000:.0f}ms"):
                before = self.required_copies(connection)
                if self.pending(connection):
                    with self.exclusively(connection):
                        self.migrate(connection, options)
                else:
                    self.report(options, f"Nothing to migrate{', and so no backup' if options['backup'] else ''}.")
                self.keep_deletion_policy(connection, before, options)
                self.keep_history(connection, options)
                self.grant(connection, role, options)
                self.init(options)
        except ProgrammingError as error:
            if not lacks_right(error):
                raise
            raise CommandError(
                f"Role {connection.settings_dict['USER']} lacks a right ({str(error).splitlines()[0]}): run this as "
                "the owner of the tables, whom DATABASES[...]['OWNER'] (OWNER_DATABASE_URL) names. What was completed "
                "before stays."
            ) from error
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            raise CommandError(
                f"A lock was not released within {options['lock_timeout']:g} seconds. Completed migrations stay; run "
                "this again when the database is less busy, or with a longer --lock-timeout."
            ) from error

    def require_roles(self, connection, options):
        """Refuse a misspelt role before anything is done."""
        from opsdb.database.roles import RoleError, require_role

        try:
            for role in (*options["grant_to"], *options["grant_read_to"]):
                require_role(connection, role)
        except RoleError as error:
            raise CommandError(f"{error} Nothing was changed.") from error

    @contextmanager
    def exclusively(self, connection):
        """Refuse to run during another migration.

        The lock ends with the transaction of a connection of its own, so that none is left behind in a pooler.
        """
        holding = connection.copy()
        try:
            holding.set_autocommit(False)
            with holding.cursor() as cursor:
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_NUMBER])
                if not cursor.fetchone()[0]:
                    cursor.execute(HOLDER, [LOCK_NUMBER])
                    holder = cursor.fetchone()
                    by = f" (process {holder[0]} of the server, since {format_minute(holder[1])} UTC)" if holder else ""
                    raise CommandError(
                        f"Another migration is running{by}; nothing was changed. Run this again when it has finished."
                    )
            yield
        finally:
            holding.close()

    def pending(self, connection):
        """Return the names of the migrations to apply; refuse a database that is ahead of this version."""
        from django.db.migrations.executor import MigrationExecutor

        executor = MigrationExecutor(connection)
        ahead = executor.loader.applied_migrations.keys() - executor.loader.disk_migrations.keys()
        if ahead := sorted(name for app, name in ahead if app == "opsdb"):
            raise CommandError(
                f"The database is ahead of this version of ops-db, which has no migration {', '.join(ahead)}: "
                "install the version that the database had. Nothing was changed."
            )
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]

    def migrate(self, connection, options):
        """Apply the pending migrations, after a backup if requested."""
        from django.core.management import call_command
        from django.db import DatabaseError

        from opsdb.management.backup import BackupError, back_up

        wanted = self.pending(connection)
        backup = None
        if options["backup"]:
            try:
                backup = back_up(connection, options["backup"])
            except BackupError as error:
                raise CommandError(f"{error} Nothing was changed.") from error
            self.report(options, f"Backup: {backup}")
        try:
            call_command(
                "migrate",
                database=connection.alias,
                interactive=False,
                verbosity=max(options["verbosity"] - 1, 0),
                stdout=self.stdout,
            )
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE:
                raise
            left = self.pending(connection)
            failed = f"Migration {left[0]}" if left else "What follows the migrations"
            restore = f" The backup is {backup}." if backup else ""
            raise CommandError(
                f"{failed} failed: {str(error).splitlines()[0]}. It was rolled back; "
                f"{len(wanted) - len(left)} before it were applied and stay.{restore}"
            ) from error
        for name in wanted:
            self.report(options, f"Migrated {name}")

    def required_copies(self, connection):
        """Return how many archive copies the database requires; None where it has no policy, or no table yet."""
        from opsdb.models import DeletionPolicy

        if DeletionPolicy._meta.db_table not in connection.introspection.table_names():
            return None
        policies = DeletionPolicy.objects.using(connection.alias)
        return policies.values_list("min_archive_copies", flat=True).first()

    def keep_deletion_policy(self, connection, before, options):
        """Store the setting that the rules of deletion count by, and print what changed, also by the migrations."""
        from opsdb.workflows.deletion_policy import PolicyChange, store_deletion_policy

        store_deletion_policy(connection.alias)
        after = self.required_copies(connection)
        if after != before:
            self.report(options, str(PolicyChange(before, after)))

    def keep_history(self, connection, options):
        """Make the months of the change log ahead, and move there what came before its month was made."""
        from opsdb.database.months import make_months

        made, moved = make_months(connection)
        if made or moved:
            self.report(options, f"History: {made} months made ahead, {moved} changes moved to their months")

    def grant(self, connection, role, options):
        """Give the roles their rights: those that had them before, the project's own, and those that are named."""
        from opsdb.database.roles import RoleError, grant, granted_roles

        before = granted_roles(connection)
        own = {role: False} if role else {}
        named = dict.fromkeys(options["grant_to"], False) | dict.fromkeys(options["grant_read_to"], True)
        for name, reads_only in (before | own | named).items():
            try:
                granted = grant(connection, name, reads_only=reads_only)
            except RoleError as error:
                raise CommandError(str(error)) from error
            if name in named or name not in before:
                self.report(options, str(granted))
                for statement in granted.by_administrator:
                    self.report(options, f"  have an administrator of roles execute: {statement};")

    def init(self, options):
        """Load missing reference data."""
        from django.core.management import call_command

        call_command(
            "opsdb_init",
            mode="append",
            reference=options["reference"],
            data_archive_mode=options["data_archive_mode"],
            verbosity=options["verbosity"],
            no_color=options["no_color"],
            force_color=options["force_color"],
            stdout=self.stdout,
            stderr=self.stderr,
        )

    def report(self, options, line):
        """Print a line, but not at verbosity 0."""
        if options["verbosity"]:
            self.stdout.write(line)
