"""Integrity: whether the database still has the rules that the installed version made."""

from __future__ import annotations

from django.db.migrations.executor import MigrationExecutor

from opsdb.database.aliases import reading_connection
from opsdb.database.catalogue import expected_rules, read_rules

from .topology import Severity, TopologyProblem

SUBJECT = "rules of the database"


def validate_rules() -> list[TopologyProblem]:
    """Return each trigger, function and constraint that is missing, disabled, changed or not of this version.

    Reads PostgreSQL's catalogue only. A superuser or the owner of the tables can switch rules off; this is how it is
    noticed. Migrations that are pending are named instead, because rules differ then by intention.
    """
    connection = reading_connection()
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan([key for key in executor.loader.graph.leaf_nodes() if key[0] == "opsdb"])
    if pending:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in pending)
        return [TopologyProblem(Severity.ERROR, SUBJECT, f"not migrated: {names}", "run manage.py opsdb_migrate")]
    expected, found = expected_rules(), read_rules(connection)
    put_back = "put it back as the migrations of this version make it, and find out who changed it and what was written"
    remove = "remove it, unless your project made it"
    return [
        *(_problem(name, "is missing", put_back) for name in sorted(expected.keys() - found.keys())),
        *(
            _problem(name, "is disabled or differs from that of this version", put_back)
            for name in sorted(expected.keys() & found.keys())
            if expected[name] != found[name]
        ),
        *(_problem(name, "is not of this version", remove) for name in sorted(found.keys() - expected.keys())),
    ]


def _problem(name, problem, remedy):
    return TopologyProblem(Severity.ERROR, name, problem, remedy)
