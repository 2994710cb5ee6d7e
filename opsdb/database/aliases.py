"""Which database holds the app's rows, by the project's routers; transactions on it.

All models of ops-db are in one database, which a system check demands (``opsdb.E005``): a workflow changes rows of many
tables in one transaction. Nothing of ops-db takes ``default`` for granted.
"""

from __future__ import annotations

from django.apps import apps
from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic


def writing_alias() -> str:
    """Return the alias of the database that the app's rows are written to."""
    return router.db_for_write(apps.get_model("opsdb", "Site"))


def writing_connection() -> BaseDatabaseWrapper:
    """Return the connection to the database that the app's rows are written to."""
    return connections[writing_alias()]


def atomic() -> Atomic:
    """Return a transaction, or a savepoint within one, on the database that the app's rows are written to."""
    return transaction.atomic(using=writing_alias())


def aliases() -> set[str]:
    """Return the databases that hold the app's models, those that are only read included."""
    models = apps.get_app_config("opsdb").get_models()
    return {choose(model) for model in models for choose in (router.db_for_read, router.db_for_write)}
