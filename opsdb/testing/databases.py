"""Test databases: copied from a template that is migrated once, and open to be emptied, as no other database is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

import opsdb
from opsdb.database.aliases import aliases

PREFIX = "opsdb_test_template_"
# No two processes make, copy or drop a template at a time.
LOCK_NUMBER = 0x6F707374
MARK = "A test database of ops-db: its tables may be emptied, and its rules suspended."
GUARDS = """
SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%never_truncated' AND NOT tgisinternal
"""
TABLES = """
SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace AND NOT relispartition
"""


def embedded_database(folder: str | Path) -> dict[str, Any]:
    """Return what ``DATABASES["default"]`` may be in tests: a server that starts by itself and keeps nothing.

    Needs the extra ``embedded``. ``python -m opsdb.embedded stop --folder FOLDER`` ends the server.

    Args:
        folder: where the server's files are; let git ignore it.
    """
    return {
        "ENGINE": "opsdb.embedded",
        "NAME": "opsdb",
        "FOLDER": Path(folder),
        "ACCOUNT": None,
        "DURABLE": False,
        "USER": "opsdb",
    }


def name_of_template(alias: str) -> str:
    """Return the name of the template, which changes with all that decides what it holds."""
    digest = hashlib.sha256(
        repr((opsdb.__version__, django.VERSION, settings.INSTALLED_APPS, settings.AUTH_USER_MODEL, alias)).encode()
    )
    for config in apps.get_app_configs():
        name = settings.MIGRATION_MODULES.get(config.label, f"{config.name}.migrations")
        if name is None or not (Path(config.path) / "migrations").is_dir():
            continue
        folder = Path(str(import_module(name).__file__)).parent
        for path in sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".sql"}):
            digest.update(f"{config.label} {path.relative_to(folder)}\n".encode() + path.read_bytes())
    return PREFIX + digest.hexdigest()[:16]


def copy_template(alias: str) -> None:
    """Make the test database of an alias, a copy of the template, which is migrated first if there is none.

    Args:
        alias: of ``DATABASES``; the connection leads to its ordinary database still.
    """
    connection = connections[alias]
    connection.close()
    template, name = name_of_template(alias), connection.creation._get_test_db_name()
    quote_name = connection.ops.quote_name
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_NUMBER])
        if not _exists(cursor, template):
            _drop(cursor, PREFIX)
            _make_template(connection, cursor, template)
        # Clones of a parallel run that was killed are as old as that run.
        for stale in (name, *_clones(cursor, name)):
            cursor.execute(f"DROP DATABASE IF EXISTS {quote_name(stale)} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {quote_name(name)} TEMPLATE {quote_name(template)}")
        cursor.execute(f"COMMENT ON DATABASE {quote_name(name)} IS '{MARK}'")


def aliases_of_opsdb() -> list[str]:
    """Return the aliases of the databases that hold ops-db's tables."""
    return sorted(alias for alias in aliases() if connections[alias].vendor == "postgresql")


def is_test_database(connection: BaseDatabaseWrapper) -> bool:
    """Return whether a database was made by :func:`copy_template`, or is a clone of such a one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') = %s OR NOT EXISTS (SELECT FROM pg_trigger "
            "WHERE tgname = 'site_never_truncated') FROM pg_database WHERE datname = current_database()",
            [MARK],
        )
        return bool(cursor.fetchone()[0])


@contextmanager
def rules_suspended(using: str = "default") -> Iterator[None]:
    """Suspend the triggers of a test database, so that ``loaddata`` can load rows in states that took many steps.

    Constraints hold still. One transaction; for the owner of the tables.

    Raises:
        RuntimeError: it is no test database.
    """
    connection = connections[using]
    if not is_test_database(connection):
        raise RuntimeError(f"The rules of {connection.settings_dict['NAME']} stay: it is no test database.")
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = [table for (table,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        # A table with events of deferred constraints that wait can't be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _make_template(connection, cursor, template):
    """Migrate under another name first, so that a killed run leaves no half of a template."""
    new = f"{template}_new"
    quoted, before = connection.ops.quote_name(new), connection.settings_dict["NAME"]
    cursor.execute(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")
    cursor.execute(f"CREATE DATABASE {quoted}")
    connection.settings_dict["NAME"] = new
    try:
        call_command("migrate", database=connection.alias, verbosity=0, interactive=False, run_syncdb=True)
        with connection.cursor() as inside:
            inside.execute(GUARDS)
            for trigger, table in inside.fetchall():
                inside.execute(f"DROP TRIGGER {connection.ops.quote_name(trigger)} ON {table}")
            inside.execute("ANALYZE")
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
    cursor.execute(f"ALTER DATABASE {quoted} RENAME TO {connection.ops.quote_name(template)}")


def _exists(cursor, name):
    cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [name])
    return cursor.fetchone()[0]


def _clones(cursor, name):
    cursor.execute("SELECT datname FROM pg_database WHERE datname ~ ('^' || %s || '_[0-9]+$')", [name])
    return [clone for (clone,) in cursor.fetchall()]


def _drop(cursor, prefix):
    cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
    for (name,) in cursor.fetchall():
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
