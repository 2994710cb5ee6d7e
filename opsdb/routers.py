"""Routers for ``DATABASE_ROUTERS``."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from .replication import alias_for_reading, primary_alias, replica_aliases


class PrimaryReplicaRouter:
    """Write to the primary, and read from streaming replicas what is no older than the session has seen.

    ``OPSDB_PRIMARY`` and ``OPSDB_REPLICAS`` name the databases; ``docs/databases.md`` describes the set-up under
    *Replicas*. It answers for every model: a replica has all tables of its primary. Put a router of yours for models in
    other databases before it.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """Return the replica to read, or the primary."""
        return alias_for_reading()

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """Return the primary."""
        return primary_alias()

    def allow_relation(self, first: Model, second: Model, **hints: Any) -> bool | None:
        """Allow relations between rows, wherever they were read."""
        copies = {primary_alias(), *replica_aliases()}
        return True if {first._state.db, second._state.db} <= copies else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Migrate the primary only; replicas follow."""
        return False if db in replica_aliases() else None
