"""Every index of a table that grows with the files is needed: without it, what it serves reads the table.

PostgreSQL plans for statistics that the tests give it: a million rows, most of them old, in the few blocks that there
are. So it counts what the rows cost and next to nothing of what their blocks would, which makes the reading of a whole
table cheaper than it is: an index that is needed here is needed.
"""

import json
import re
from typing import Any, NamedTuple

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from opsdb.filters import FILTERSETS
from opsdb.filters.base import Size
from opsdb.testing.factories import (
    FACTORIES,
    LongTermArchiveTransferFactory,
    RawDataFileFactory,
    RawDataPackageFactory,
    fill_every_table,
)
from tests.databases import as_owner
from tests.worlds import shared_world

from .questions import OF_ONE_KIND, QUESTIONS

pytestmark = pytest.mark.django_db

ROWS = 1_000_000
COPIES_OF_A_FILE = 2  # at the source, and staged for processing
DEARER = 10
BIG = [model for model, filterset in FILTERSETS.items() if filterset.size is Size.BIG and not model._meta.proxy]
SERVED = [(index.name, question) for model in BIG for index in model._meta.indexes for question in index.serves]


class Values(NamedTuple):
    """What the statistics say of a column.

    Attributes:
        different: how many values it has; below 0, as a share of the rows.
        empty: the share of rows without one.
        shares: the share of rows by value.
        are_few: the values that there are have equal shares.
    """

    different: float
    empty: float = 0.0
    shares: dict[str, float] = {}
    are_few: bool = False


RARE = 0.0001
OLD = {
    "raw_data_file": {
        "id": Values(-1),
        "executed_obs_unit_id": Values(1_000),
        "instrument_module_id": Values(10, are_few=True),
        "source_location_id": Values(5, are_few=True),
        "raw_data_package_id": Values(2_000, empty=0.01),
    },
    "raw_data_package": {
        "id": Values(-1),
        "executed_obs_unit_id": Values(-0.3),
        "instrument_module_id": Values(10, are_few=True),
        "data_transfer_package_id": Values(-0.1, empty=0.001),
        "state": Values(5, shares={"archived": 0.9, "waiting": 0.095, "in_transit": 0.005}),
        "status": Values(5, shares={"completed": 0.89, "pending": 0.1, "failed": RARE}),
        "failure_message": Values(10, shares={"": 0.999}),
    },
    "physical_copy": {
        "id": Values(-1),
        "data_location_id": Values(10, are_few=True),
        "raw_data_file_id": Values(-0.9, empty=0.03),
        "raw_data_package_id": Values(-0.01, empty=0.99),
        "data_transfer_package_id": Values(-0.01, empty=0.99),
        "data_product_id": Values(-0.01, empty=0.99),
        "status": Values(8, shares={"deleted": 0.68, "present": 0.29, "deletion_scheduled": 0.02, "missing": RARE}),
        "verification": Values(3, shares={"verified": 0.5, "unverified": 0.4999, "mismatch": RARE}),
        "verified_at": Values(-0.5, empty=0.5),
        "next_check_at": Values(-RARE, empty=1 - RARE),
        "deletion_candidate": Values(2, shares={"f": 0.999, "t": 0.001}),
    },
    "raw_data_package_metadata": {
        "id": Values(-1),
        "raw_data_package_id": Values(-1),
        "obs_id": Values(-0.3),
        "obs_collection": Values(200),
        "target_name": Values(1_000),
        "t_min": Values(-0.3),
        "s_ra": Values(1_000),
        "s_dec": Values(1_000),
    },
    "fixity_check": {
        "id": Values(-1),
        "copy_id": Values(-0.3),
        "checked_at": Values(-0.5),
        "ok": Values(2, shares={"t": 1 - RARE, "f": RARE}),
    },
    "data_transfer_log": {"id": Values(-1), "data_transfer_id": Values(-0.3), "logged_at": Values(-0.5)},
    "long_term_archive_transfer": {
        "id": Values(-1),
        "raw_data_package_id": Values(-0.5),
        "origin_location_id": Values(5, are_few=True),
        "destination_location_id": Values(3, are_few=True),
        "status": Values(5, shares={"completed": 0.89, "pending": 0.1, "failed": RARE}),
        "failure_message": Values(10, shares={"": 0.999}),
    },
    "long_term_archive_transfer_log": {
        "id": Values(-1),
        "long_term_archive_transfer_id": Values(-0.3),
        "logged_at": Values(-0.5),
    },
    "change_log": {
        "id": Values(-1),
        "changed_at": Values(-0.5),
        "table_name": Values(30),
        "row_id": Values(-0.3),
        "user_id": Values(1_000, empty=0.5),
        "transaction_id": Values(-0.1),
    },
}


def call(function, types, **values):
    arguments = ", ".join(f"'{name}', %({name})s::{types[name]}" for name in values)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}('schemaname', current_schema()::text, {arguments})", values)


def part_with_rows(table: str) -> str:
    """Return the partition of a table in which its rows are, or the table itself."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT DISTINCT tableoid::regclass::text FROM "{table}"')
        [(part,)] = cursor.fetchall()
    return part


def grow_old(table: str, columns: dict[str, Values]) -> None:
    """Let PostgreSQL believe that a table has a million rows, and of copies as many as a million files have."""
    rows = ROWS * (COPIES_OF_A_FILE if table == "physical_copy" else 1)
    table = part_with_rows(table)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s) / current_setting('block_size')::integer", [table])
        (blocks,) = cursor.fetchone()
    types = {"relname": "text", "relpages": "integer", "reltuples": "real"}
    call("pg_restore_relation_stats", types, relname=table, relpages=blocks, reltuples=rows)
    types = {
        **dict.fromkeys(("relname", "attname", "most_common_vals"), "text"),
        **dict.fromkeys(("null_frac", "n_distinct"), "real"),
        "avg_width": "integer",
        "inherited": "boolean",
        "most_common_freqs": "real[]",
    }
    for column, values in columns.items():
        facts: dict[str, Any] = {"null_frac": values.empty, "avg_width": 8, "n_distinct": values.different}
        if shares := _equal_shares(table, column) if values.are_few else values.shares:
            facts["most_common_vals"] = f"{{{','.join(json.dumps(str(value)) for value in shares)}}}"
            facts["most_common_freqs"] = [*shares.values()]
        call("pg_restore_attribute_stats", types, relname=table, attname=column, inherited=False, **facts)


def _equal_shares(table, column):
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT DISTINCT "{column}" FROM "{table}"')
        values = [value for (value,) in cursor.fetchall()]
    return dict.fromkeys(values, 1 / len(values))


def statements_of(ask) -> list[str]:
    """Return the statements that a question reads big tables by."""
    tables = "|".join([*OLD, "obscore"])
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        ask()
        transaction.set_rollback(True)
    return [query["sql"] for query in queries if re.search(rf'\b(FROM|JOIN) "?({tables})\b', query["sql"])]


@shared_world
def asked():
    """The statements of each question, in tables of which PostgreSQL believes that they are old."""
    if connection.pg_version < 180_000:
        pytest.skip("Statistics can be given from PostgreSQL 18 on.")
    with as_owner():
        # New files, also of what is joined: the rows of other tests, which were rolled back, have left blocks behind.
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE site, observatory, source, {', '.join(OLD)} CASCADE")
        fill_every_table()
        for model in OF_ONE_KIND.values():
            FACTORIES[model]()
        RawDataFileFactory(packaged=True)
        RawDataPackageFactory(bundled=True)
        LongTermArchiveTransferFactory(from_buffer=True)
        # What a transaction has still to check keeps indexes from being dropped.
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, columns in OLD.items():
            grow_old(table, columns)
        return {name: statements_of(ask) for name, ask in QUESTIONS.items()}


class Plan(NamedTuple):
    """How PostgreSQL would answer a statement, and what it expects that to cost, in its own units."""

    cost: float
    text: str


def plan_of(statement: str) -> Plan:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT json) {statement}")
        plan = cursor.fetchone()[0][0]["Plan"]
    return Plan(plan["Total Cost"], json.dumps(plan, indent=1))


def names_in_plans(index: str) -> list[str]:
    """Return the name of an index, and those of its parts in the partitions of its table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relid::text FROM pg_partition_tree(%s::regclass)", [index])
        return [index, *(name for (name,) in cursor.fetchall())]


def test_the_indexes_of_big_tables_are_named_with_the_questions_that_are_asked():
    assert not [index.name for model in BIG for index in model._meta.indexes if not index.serves]
    assert {question for _index, question in SERVED} == {*QUESTIONS}


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(("index", "question"), SERVED)
def test_without_an_index_what_it_serves_costs_many_times_as_much(asked, index, question):
    plans = {statement: plan_of(statement) for statement in asked[question]}
    names = [f'"{name}"' for name in names_in_plans(index)]
    along = {statement: plan for statement, plan in plans.items() if any(name in plan.text for name in names)}
    assert along, [plan.text for plan in plans.values()]
    with connection.cursor() as cursor:
        cursor.execute(f'DROP INDEX "{index}"')
    without = {statement: plan_of(statement) for statement in along}
    times = max(without[statement].cost / plan.cost for statement, plan in along.items())
    assert times > DEARER, [plan.text for plan in without.values()]
