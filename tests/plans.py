"""How statements are planned: that none reads a large table as a whole."""

import re
from contextlib import contextmanager

from django.db import connection, transaction

LARGE_TABLES = (
    "raw_data_file|physical_copy|raw_data_package|data_transfer_package|data_transfer|long_term_archive_transfer"
    "|staging_job|executed_obs_unit|executed_reduction_step|data_product"
)


@contextmanager
def planning_without(*ways):
    """Have PostgreSQL plan without some ways to read or sort rows, wherever there is another; within a transaction.

    Of a few rows, it would read the whole table otherwise, whatever its indexes.

    Args:
        ways: as the planner's settings name them, such as ``seqscan``.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        for way in ways:
            cursor.execute(f"SET LOCAL enable_{way} = off")
        yield
        for way in ways:
            cursor.execute(f"SET LOCAL enable_{way} = on")


def plan_of(sql, parameters=None):
    """Return how PostgreSQL would execute a statement, as ``EXPLAIN`` shows it."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", parameters)
        return "\n".join(line for (line,) in cursor.fetchall())


def assert_along_indexes(sql, parameters=None):
    """Assert that a statement reads no large table as a whole, where sequential scans are off."""
    plan = plan_of(sql, parameters)
    assert not re.search(rf"Seq Scan on ({LARGE_TABLES})\b", plan), plan


def plan_by_conditions(sql):
    """Return the plan of a statement that finds its rows by conditions of indexes.

    Bitmap scans alone are left on, as they need a condition: the plan does not depend on how many rows of other tests
    the statistics know, while an index of a small table may as well be read from one end to the other.
    """
    with planning_without("seqscan", "indexscan", "indexonlyscan"):
        return plan_of(sql)
