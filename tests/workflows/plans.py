"""How statements are planned: that none reads a large table as a whole."""

import re

LARGE_TABLES = (
    "raw_data_file|physical_copy|raw_data_package|data_transfer_package|data_transfer|long_term_archive_transfer"
    "|staging_job|executed_obs_unit|executed_reduction_step|data_product"
)


def assert_along_indexes(cursor, sql):
    """Assert that a statement goes along indexes; the cursor's session must have sequential scans off."""
    cursor.execute(f"EXPLAIN {sql}")
    plan = "\n".join(line for (line,) in cursor.fetchall())
    assert not re.search(rf"Seq Scan on ({LARGE_TABLES})\b", plan), plan
