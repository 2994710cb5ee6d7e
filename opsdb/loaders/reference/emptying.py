"""Emptying the database of an instance that is set up anew."""

from __future__ import annotations

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import NotSupportedError, OperationalError, ProgrammingError

from opsdb import conf
from opsdb.database.aliases import atomic, writing_alias, writing_connection
from opsdb.workflows import OpsdbError, store_deletion_policy

from .topics import APP_LABEL

LOCK_TIMEOUT_SECONDS = 10
OBSERVED = ("ExecutedObsUnit", "RawDataFile")
GUARDS = """
SELECT tgname, tgrelid::regclass::text FROM pg_trigger
WHERE tgrelid IN (
    SELECT unnest(%(tables)s::regclass[])
    UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = ANY (%(tables)s::regclass[])
) AND tgname LIKE '%%\\_never\\_truncated' AND NOT tgisinternal
"""


class CannotEmpty(OpsdbError):
    """The database must not lose its data."""


def refuse_to_empty() -> None:
    """Raise CannotEmpty if this is production or the database holds observations."""
    if conf.get("OPSDB_PRODUCTION"):
        raise CannotEmpty(
            "This is production (OPSDB_PRODUCTION is on), where data are never dropped; nothing was changed."
        )
    database = writing_connection().settings_dict["NAME"]
    for name in OBSERVED:
        model = apps.get_model(APP_LABEL, name)
        if model.objects.exists():
            raise CannotEmpty(
                f"The database {database} holds observations ({model._meta.db_table} has rows), which are never "
                "dropped; use another database. Nothing was changed."
            )


def row_counts() -> dict[str, int]:
    """Return the number of rows by table, of all tables of ops-db that have any."""
    models = (model for model in _models() if not model._meta.auto_created)
    counts = {model._meta.db_table: model._base_manager.count() for model in models}
    return {table: count for table, count in counts.items() if count}


def empty() -> None:
    """Remove every row of ops-db: plans, reference data, roles, users if they are ours, history.

    The tables stay, with their rules; triggers that refuse to empty a table are disabled within this transaction
    only. Call it in the transaction that fills the database again.

    Raises:
        CannotEmpty: this is production, or there are observations, or tables of others refer to those of ops-db.

    Locks: every table of ops-db, exclusively.
    """
    connection = writing_connection()
    tables = ", ".join(connection.ops.quote_name(table) for table in _tables())
    with atomic(), connection.cursor() as cursor:
        try:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
            cursor.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")  # noqa: S608 - names of our own tables
            refuse_to_empty()
            # A role is also a row of auth_group, which is not truncated.
            apps.get_model(APP_LABEL, "Role").objects.all().delete()
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(GUARDS, {"tables": _tables()})
            guards = cursor.fetchall()
            for trigger, table in guards:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {connection.ops.quote_name(trigger)}")
            cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY")
            for trigger, table in guards:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {connection.ops.quote_name(trigger)}")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
        except OperationalError as error:
            raise CannotEmpty(
                f"The database reports: {str(error).splitlines()[0]}. Stop what uses the database, and run this again."
            ) from error
        except (NotSupportedError, ProgrammingError) as error:
            detail = (
                getattr(error.__cause__.diag, "message_detail", None) or "only the owner of the tables can drop data"
            )
            raise CannotEmpty(f"The database reports: {str(error).splitlines()[0]}; {detail}") from error
        store_deletion_policy(writing_alias())


def _models():
    found = apps.get_app_config(APP_LABEL).get_models(include_auto_created=True)
    return [model for model in found if model._meta.managed and not model._meta.proxy and not model._meta.swapped]


def _tables():
    tables = [model._meta.db_table for model in _models()]
    # The admin's log refers to users, and is emptied with them if they are ours.
    if apps.is_installed("django.contrib.admin") and get_user_model()._meta.app_label == APP_LABEL:
        tables.append(apps.get_model("admin", "LogEntry")._meta.db_table)
    return tables
