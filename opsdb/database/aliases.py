"""Which database holds the app's rows, by the project's routers; transactions on it.

All models of ops-db are in one database, which a system check demands (``opsdb.E005``): a workflow changes rows of many
tables in one transaction. Nothing of ops-db takes ``default`` for granted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic

from opsdb import conf


def writing_alias() -> str:
    """Return the alias of the database that the app's rows are written to."""
    return router.db_for_write(apps.get_model("opsdb", "Site"))


def writing_connection() -> BaseDatabaseWrapper:
    """Return the connection to the database that the app's rows are written to."""
    return connections[writing_alias()]


def reading_connection() -> BaseDatabaseWrapper:
    """Return the connection to the database that the app's rows are read from."""
    return connections[router.db_for_read(apps.get_model("opsdb", "Site"))]


def read_rows(sql: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
    """Return the rows of a query on the database that the app's rows are read from.

    Args:
        sql: the query; where there are no parameters, a percent sign in it stands for itself.
        parameters: the values of its placeholders.
    """
    with reading_connection().cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def atomic() -> Atomic:
    """Return a transaction, or a savepoint within one, on the database that the app's rows are written to."""
    return transaction.atomic(using=writing_alias())


def aliases() -> set[str]:
    """Return the databases that hold the app's models, those that are only read included. Asks none of them."""
    models = apps.get_app_config("opsdb").get_models()
    written = {router.db_for_write(model) for model in models}
    # Our own router chooses by what the replicas answer.
    replicas = conf.get("OPSDB_REPLICAS")
    return written | (set(replicas) if replicas else {router.db_for_read(model) for model in models})
