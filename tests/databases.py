"""Databases for tests: copies of one that is migrated once, and their addresses for other processes."""

import hashlib
import re
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.signals import post_migrate
from psycopg.pq import TransactionStatus

from opsdb.database.guards import NeverTruncated, guards_of_django, guards_of_partitions
from opsdb.database.roles import grant
from tests.commands import ROOT

PREFIX = f"opsdb_template_{django.VERSION[0]}_{django.VERSION[1]}_"
ROLE = re.compile(r"-c role=(\w+)")
# No two processes make, copy or drop a template at a time.
LOCK_NUMBER = 0x6F707364
# What migrations and the signal after them neither are nor call.
BESIDE = {"admins", "demonstration", "embedded", "filters", "loaders", "management", "reference", "static", "templates"}
# The application's rows that migrating leaves behind, and Django's own; no test changes these.
DJANGOS = ("django_migrations", "django_content_type", "auth_permission")
TRUNCATE_GUARDS = """
SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE tgname LIKE '%never_truncated' AND NOT tgisinternal
"""
MONTHS = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname ~ '^change_log_[0-9]'"
# A table that nothing was written to since it was truncated or vacuumed has no page.
WRITTEN_TABLES = """
SELECT oid::regclass::text, pg_relation_size(oid) > 256 * 1024 FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL (%s) AND pg_relation_size(oid) > 0
"""
MAY_PAUSE_TRIGGERS = "SELECT has_parameter_privilege('session_replication_role', 'SET')"


def require_application_role() -> None:
    """Make the role that tests act as, on a server that has none.

    Raises ProgrammingError if the role that logs in may not.
    """
    role = connection.ops.quote_name(settings.APPLICATION_ROLE)
    with _no_database() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [settings.APPLICATION_ROLE])
        if not cursor.fetchone()[0]:
            cursor.execute(f"CREATE ROLE {role}")
            cursor.execute(f"GRANT {role} TO CURRENT_USER")


@contextmanager
def as_owner():
    """Act as the role that owns the tables, on this connection and on those made within the block."""
    with act_as(None):
        yield


@contextmanager
def act_as(role):
    """Act as a role that the owner is a member of, or as the owner."""
    options = connection.settings_dict["OPTIONS"]
    before = options["options"]
    options["options"] = " ".join([ROLE.sub("", before), *([f"-c role={role}"] if role else [])]).strip()
    _set_role(options["options"])
    try:
        yield
    finally:
        options["options"] = before
        _set_role(before)


def _set_role(options):
    session = connection.connection
    # A new connection begins as it should, and what a failed transaction had set is taken back with it.
    if session is None or session.info.transaction_status == TransactionStatus.INERROR or connection.needs_rollback:
        return
    role = found[1] if (found := ROLE.search(options)) else "NONE"
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")


def url_of_test_database(*, owner=False) -> str:
    """Return the DATABASE_URL of the database that this test has.

    owner: with the role that owns the tables, instead of the application's.
    """
    parameters = connection.get_connection_params()
    user, password = quote(parameters.get("user") or ""), quote(parameters.get("password") or "", safe="")
    login = f"{user}:{password}@" if password else f"{user}@" if user else ""
    host, port = parameters.get("host") or "", parameters.get("port") or ""
    options = {"host": host} if host.startswith("/") else {}
    place = "" if options else f"{host}:{port}" if port else host
    if not owner:
        options["options"] = f"-c role={settings.APPLICATION_ROLE}"
    return f"postgres://{login}{place}/{parameters['dbname']}" + (
        f"?{urlencode(options, quote_via=quote)}" if options else ""
    )


@contextmanager
def _no_database():
    with as_owner(), connection._nodb_cursor() as cursor:
        yield cursor


def administrate(*statements):
    """Execute statements outside of the test's database, which nobody may be connected to meanwhile."""
    connection.close()
    with _no_database() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def own_copy(suffix, *, of=None, empty=False):
    """Let the connection lead to a copy of a database, or to an empty one, which is dropped in the end.

    Args:
        suffix: of its name, after that of this process's database.
        of: the name of the database that is copied, where it is not this process's.
        empty: whether it is empty instead.
    """
    name = create_copy(suffix, of=of, empty=empty)
    try:
        with connected_to(name):
            yield
    finally:
        drop(name)


def create_copy(suffix, *, of=None, empty=False) -> str:
    """Make a database as :func:`own_copy` does, and return its name."""
    shared = connection.settings_dict["NAME"]
    name = f"{shared}_{suffix}"
    source = of or shared
    quoted, template = map(connection.ops.quote_name, (name, source))
    administrate(
        f"DROP DATABASE IF EXISTS {quoted}",
        # What an earlier test's thread left behind keeps a database from being copied.
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'",
        f"CREATE DATABASE {quoted}" if empty else f"CREATE DATABASE {quoted} TEMPLATE {template}",
    )
    return name


@contextmanager
def connected_to(name):
    """Let the connection lead to another database."""
    before = connection.settings_dict["NAME"]
    _settings_name(name)
    try:
        yield
    finally:
        _settings_name(before)


def drop(name) -> None:
    """Drop a database that nobody is connected to."""
    administrate(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(name)}")


def exists(name) -> bool:
    """Return whether there is a database."""
    with _no_database() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [name])
        return cursor.fetchone()[0]


def name_of_template() -> str:
    """Return the name of the template, which changes with all that decides what it holds."""
    digest = hashlib.sha256(f"{django.VERSION} {settings.INSTALLED_APPS} {settings.AUTH_USER_MODEL}".encode())
    digest.update(Path(__file__).read_bytes())
    app = ROOT / "opsdb"
    for path in sorted(app.rglob("*")):
        place = path.relative_to(app)
        if path.suffix in {".py", ".sql"} and place.parts[0] not in BESIDE:
            digest.update(f"{place}\n".encode() + path.read_bytes())
    return PREFIX + digest.hexdigest()[:16]


def _settings_name(name):
    """Let the connection, and the settings that new ones are made from, name a database."""
    connection.close()
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name


@contextmanager
def _alone():
    connection.close()
    with _no_database() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_NUMBER])
        yield cursor


def _migrate(name):
    """Make a database and migrate it, under another name first, so that a killed run leaves no half of it."""
    new = f"{name}_new"
    quote_name = connection.ops.quote_name
    administrate(f"DROP DATABASE IF EXISTS {quote_name(new)}", f"CREATE DATABASE {quote_name(new)}")
    with connected_to(new), as_owner():
        call_command("migrate", verbosity=0, interactive=False)
        grant(connection, settings.APPLICATION_ROLE)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    administrate(f"ALTER DATABASE {quote_name(new)} RENAME TO {quote_name(name)}")


def _drop_templates(cursor, but=""):
    cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s) AND datname <> %s", [PREFIX, but])
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP DATABASE {connection.ops.quote_name(name)}")


def drop_templates() -> None:
    """Drop the templates that tests with this version of Django have made."""
    with _alone() as cursor:
        _drop_templates(cursor)


def create_migrated(name) -> None:
    """Make a migrated database, a copy of the template, which the first process that needs it makes."""
    template = name_of_template()
    with _alone() as cursor:
        if not exists(template):
            _drop_templates(cursor)
            _migrate(template)
        target, source = map(connection.ops.quote_name, (name, template))
        cursor.execute(f"DROP DATABASE IF EXISTS {target}")
        cursor.execute(f"CREATE DATABASE {target} TEMPLATE {source}")


def use_test_database(keep) -> str:
    """Let the connection lead to the database of this process's tests, and return its name.

    Args:
        keep: take it as it is, if there is one.
    """
    name = connection.creation._get_test_db_name()
    if not (keep and exists(name)):
        create_migrated(name)
    _settings_name(name)
    with as_owner(), connection.cursor() as cursor:
        # The end of a transactional test empties the tables; that nobody else can is tested in a database of its own.
        cursor.execute(TRUNCATE_GUARDS)
        for trigger, table in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{trigger}" ON {table}')
    return name


def truncation_guards() -> list[NeverTruncated]:
    """Return the guards that :func:`use_test_database` takes away."""
    declared = [rule for model in apps.get_app_config("opsdb").get_models() for rule in model._meta.constraints]
    rules = (*declared, *guards_of_django(), *guards_of_partitions())
    return [rule for rule in rules if isinstance(rule, NeverTruncated)] + guards_of_months()


def guards_of_months() -> list[NeverTruncated]:
    """Return those of the partitions for months, which differ with the day on which the database was made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relispartition AND relname ~ '^change_log_[0-9]' AND relkind = 'r'"
        )
        return [NeverTruncated(prefix=f"{table}_", table=table) for (table,) in cursor.fetchall()]


def put_guards_back() -> None:
    """Guard the tables against TRUNCATE as elsewhere."""
    with as_owner(), connection.cursor() as cursor:
        for rule in truncation_guards():
            cursor.execute(rule.statement)


def row_counts() -> dict[str, int]:
    """Return how many rows each of our tables has, by one statement."""
    tables = [model._meta.db_table for model in apps.get_app_config("opsdb").get_models() if model._meta.managed]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', count(*) FROM \"{table}\"" for table in tables))
        return dict(cursor.fetchall())


def empty() -> None:
    """Leave what migrating leaves, as Django's ``flush`` does in a hundred times the time."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(WRITTEN_TABLES, [list(DJANGOS)])
        tables = dict(cursor.fetchall())
        cursor.execute(MAY_PAUSE_TRIGGERS)
        if tables and cursor.fetchone()[0]:
            # TRUNCATE makes new files for every table that refers to these, and for all their indexes.
            with transaction.atomic():
                cursor.execute("SET LOCAL session_replication_role = replica")
                cursor.execute("; ".join(f"DELETE FROM {table}" for table in tables))
            if grown := [table for table, has_grown in tables.items() if has_grown]:
                cursor.execute(f"VACUUM {', '.join(grown)}")
        elif tables:
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
    config = apps.get_app_config("opsdb")
    post_migrate.send(sender=config, app_config=config, using=connection.alias, verbosity=0, interactive=False)
