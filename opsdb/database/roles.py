"""The roles of PostgreSQL: one owns the tables, one works with their rows, and others only read them.

Who owns a table can disable its rules. That is why the application connects as a role that owns nothing: it has no
right to define, disable or empty tables, and none to write the change log. ``docs/security.md`` shows the set-up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import ProgrammingError, transaction

from .catalogue import tables, views
from .guards import TABLES_OF_DJANGO
from .withholding import secret_columns

# What only the owner writes: what triggers note, the list of migrations by `migrate`.
ONLY_READ = ("change_log", "data_location_usage", "stage_activity", "django_migrations")
# Long enough for the largest registration; a session that waits or idles for longer blocks others.
APPLICATION_TIMEOUTS = {
    "statement_timeout": "15min",
    "lock_timeout": "1min",
    "idle_in_transaction_session_timeout": "10min",
}
READER_TIMEOUTS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "5min",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "1min",
}
INSUFFICIENT_PRIVILEGE = "42501"
# How a role relates to the tables, and whether it may create some.
ROLE = """
SELECT rolsuper, pg_has_role(oid, relowner, 'USAGE'), has_schema_privilege(oid, current_schema(), 'CREATE')
FROM pg_roles, (SELECT relowner FROM pg_class WHERE oid = 'change_log'::regclass) AS owned WHERE rolname = %s
"""
# Those that were granted to before; the application's roles write.
GRANTED = """
SELECT rolname, bool_or(privilege_type = 'INSERT') FROM pg_class
CROSS JOIN LATERAL aclexplode(relacl) AS given JOIN pg_roles ON pg_roles.oid = given.grantee
WHERE pg_class.oid = 'site'::regclass AND grantee <> relowner GROUP BY rolname ORDER BY rolname
"""
SEQUENCES = """
SELECT sequence.relname FROM pg_class AS sequence
JOIN pg_depend ON pg_depend.objid = sequence.oid AND pg_depend.classid = 'pg_class'::regclass AND deptype = 'a'
JOIN pg_class AS owner ON owner.oid = pg_depend.refobjid
WHERE sequence.relkind = 'S' AND owner.relnamespace = quote_ident(current_schema())::regnamespace
    AND owner.relname = ANY (%s)
"""


def lacks_right(error: BaseException) -> bool:
    """Return whether PostgreSQL refused a statement because the role may not execute it."""
    return getattr(error.__cause__, "sqlstate", None) == INSUFFICIENT_PRIVILEGE


class RoleError(Exception):
    """A role can't be what it is meant to be; the message names the remedy."""


@dataclass(frozen=True)
class Granted:
    """What a role was given.

    Attributes:
        role: the role.
        reads_only: whether it may only read.
        by_administrator: SQL that only an administrator of roles can execute, and so was not.
    """

    role: str
    reads_only: bool
    by_administrator: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"Role {self.role} may {'read' if self.reads_only else 'read and write'} the rows of ops-db"


@contextmanager
def as_owner(connection: Any) -> Iterator[None]:
    """Connect as the role that owns the tables, within the block.

    ``DATABASES[…]["OWNER"]`` has what differs for it: ``USER``, ``PASSWORD``, and ``HOST``, ``PORT`` or ``OPTIONS`` if
    it connects past a pooler. Without it the block connects as ever: then the project's one role is the owner.

    Raises:
        TransactionManagementError: there is a transaction, which would be lost.
    """
    settings: dict[str, Any] = connection.settings_dict
    owner = settings.pop("OWNER", None)
    if owner is None:
        yield
        return
    before = {key: settings.get(key) for key in owner}
    try:
        connection.validate_no_atomic_block()
        connection.close()
        settings.update(owner)
        try:
            yield
        finally:
            connection.close()
            settings.update(before)
    finally:
        settings["OWNER"] = owner


def application_role(connection: Any) -> str | None:
    """Return the role that the project connects as when the owner is another one, else None. Ask outside the block."""
    settings: dict[str, Any] = connection.settings_dict
    owner: dict[str, Any] = settings.get("OWNER") or {}
    role: str = settings["USER"]
    return role if owner.get("USER", role) != role else None


def is_migrated(connection: Any) -> bool:
    """Return whether the database has the tables of ops-db."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('change_log') IS NOT NULL")
        return bool(cursor.fetchone()[0])


def granted_roles(connection: Any) -> dict[str, bool]:
    """Return the roles that were granted to, and whether each only reads."""
    with connection.cursor() as cursor:
        cursor.execute(GRANTED)
        return {role: not writes for role, writes in cursor.fetchall()}


def grant(connection: Any, role: str, *, reads_only: bool = False) -> Granted:
    """Give a role what it needs, and take from it what it does not. Idempotent; call it as the owner.

    Args:
        connection: to the migrated database, as the owner of its tables.
        role: an existing role, neither the owner nor one of its members.
        reads_only: give the right to read the tables of ops-db, without hashes of passwords and tokens.

    Raises:
        RoleError: there is no such role, or it could disable the rules.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        # PostgreSQL fails when two grant on the same table at once.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('opsdb roles'))")
        require_role(connection, role)
        _require_harmless(cursor, role)
        statements = _for_reader(connection, role) if reads_only else _for_application(connection, cursor, role)
        for statement in statements:
            cursor.execute(statement)
        name, database = map(connection.ops.quote_name, (role, connection.settings_dict["NAME"]))
        timeouts = READER_TIMEOUTS if reads_only else APPLICATION_TIMEOUTS
        left = [
            statement
            for setting, value in timeouts.items()
            if not _execute_if_allowed(
                connection, statement := f"ALTER ROLE {name} IN DATABASE {database} SET {setting} = '{value}'"
            )
        ]
        cursor.execute(ROLE, [role])
        if cursor.fetchone()[2]:
            cursor.execute("SELECT quote_ident(current_schema())")
            left.append(f"REVOKE CREATE ON SCHEMA {cursor.fetchone()[0]} FROM PUBLIC, {name}")
    return Granted(role, reads_only, tuple(left))


def require_role(connection: Any, role: str) -> None:
    """Raise RoleError if the server has no such role."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        if not cursor.rowcount:
            raise RoleError(f"There is no role {role}: have an administrator CREATE ROLE {role} LOGIN PASSWORD '…'.")


def _require_harmless(cursor: Any, role: str) -> None:
    cursor.execute(ROLE, [role])
    is_superuser, is_owner, _ = cursor.fetchone()
    if is_superuser or is_owner:
        why = "is a superuser" if is_superuser else "owns the tables, or is a member of the role that does"
        raise RoleError(f"Role {role} {why}, and so could disable every rule: name another role.")


def _execute_if_allowed(connection: Any, statement: str) -> bool:
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(statement)
    except ProgrammingError as error:
        if not lacks_right(error):
            raise
        return False
    return True


def _for_application(connection: Any, cursor: Any, role: str) -> Iterator[str]:
    """Yield what gives the application its rights on the tables of every app; none on partitions, which it never names.

    Updates and deletions that a rule refuses are refused by the rule, whose message names the row and the remedy.
    """
    quote = connection.ops.quote_name
    existing = connection.introspection.django_table_names(only_existing=True, include_views=False)
    found = sorted({*existing, "django_migrations"})
    yield from _in_schema(cursor, quote(role))
    for table in found:
        rights = "SELECT" if table in ONLY_READ else "SELECT, INSERT, UPDATE, DELETE"
        yield f"REVOKE ALL ON {quote(table)} FROM {quote(role)}"
        yield f"GRANT {rights} ON {quote(table)} TO {quote(role)}"
    yield from _for_views(connection, role)
    # Columns of type serial, as apps of others may have; identity columns need nothing.
    cursor.execute(SEQUENCES, [[table for table in found if table not in ONLY_READ]])
    for (sequence,) in cursor.fetchall():
        yield f"GRANT USAGE ON SEQUENCE {quote(sequence)} TO {quote(role)}"


def _for_reader(connection: Any, role: str) -> Iterator[str]:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        yield from _in_schema(cursor, quote(role))
    models = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    for table in sorted({*tables(), *TABLES_OF_DJANGO, get_user_model()._meta.db_table}):
        secrets = secret_columns(table)
        columns = [field.column for field in models[table]._meta.local_concrete_fields if field.column not in secrets]
        readable = f" ({', '.join(map(quote, columns))})" if secrets else ""
        yield f"REVOKE ALL ON {quote(table)} FROM {quote(role)}"
        yield f"GRANT SELECT{readable} ON {quote(table)} TO {quote(role)}"
    yield from _for_views(connection, role)
    # So that scripts can compare the database with the version of ops-db that they have.
    yield f"GRANT SELECT ON django_migrations TO {quote(role)}"


def _for_views(connection: Any, role: str) -> Iterator[str]:
    for view in map(connection.ops.quote_name, views()):
        yield f"REVOKE ALL ON {view} FROM {connection.ops.quote_name(role)}"
        yield f"GRANT SELECT ON {view} TO {connection.ops.quote_name(role)}"


def _in_schema(cursor: Any, role: str) -> Iterator[str]:
    cursor.execute("SELECT quote_ident(current_schema())")
    [schema] = cursor.fetchone()
    yield f"REVOKE ALL ON SCHEMA {schema} FROM {role}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {role}"
