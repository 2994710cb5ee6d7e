"""How statements are planned: that none reads a large table as a whole."""

import re

from django.db import connection, transaction

LARGE_TABLES = (
    "raw_data_file|physical_copy|raw_data_package|data_transfer_package|data_transfer|long_term_archive_transfer"
    "|staging_job|executed_obs_unit|executed_reduction_step|data_product"
)


def assert_along_indexes(cursor, sql):
    """Assert that a statement goes along indexes; the cursor's session must have sequential scans off."""
    cursor.execute(f"EXPLAIN {sql}")
    plan = "\n".join(line for (line,) in cursor.fetchall())
    assert not re.search(rf"Seq Scan on ({LARGE_TABLES})\b", plan), plan


def plan_by_conditions(sql):
    """Return the plan of a statement that finds its rows by conditions of indexes.

    Bitmap scans alone are left on, as they need a condition: the plan does not depend on how many rows of other tests
    the statistics know, while an index of a small table may as well be read from one end to the other.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        for scan in ("seqscan", "indexscan", "indexonlyscan"):
            cursor.execute(f"SET LOCAL enable_{scan} = off")
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
        transaction.set_rollback(True)
    return plan
