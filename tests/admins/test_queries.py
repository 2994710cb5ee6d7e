"""The number of queries of every page is known, and does not grow with the number of rows.

A change of a number fails. When the change is wanted, record the numbers anew and commit them:

    RECORD_ADMIN_QUERIES=1 python -m pytest tests/admins/test_queries.py
"""

import fcntl
import json
import os
import tempfile
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from .pages import MODELS, address, name_of, open_pages, with_surroundings

BASELINE = Path(__file__).with_name("query_baseline.json")
RECORD = bool(os.environ.get("RECORD_ADMIN_QUERIES"))
FEW, MANY = 10, 10_000


def number_of_queries(client, url):
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url, follow=True)
    assert response.status_code == 200
    return len(queries)


def measured(model, row, browser, viewer):
    numbers = {page: number_of_queries(browser, address(model, page, row)) for page in open_pages(model)}
    return numbers | {"view": number_of_queries(viewer, address(model, "change", row))}


def measured_with(number, model, browser, viewer):
    with transaction.atomic():
        numbers = measured(model, with_surroundings(model, number), browser, viewer)
        transaction.set_rollback(True)
    return numbers


def record(model, numbers):
    with open(Path(tempfile.gettempdir()) / "opsdb_query_baseline.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
        known = {name: known[name] for name in map(name_of, MODELS) if name in known} | {name_of(model): numbers}
        new = BASELINE.with_suffix(".new")
        new.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
        new.replace(BASELINE)


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_the_number_of_queries_is_the_recorded_one_for_few_rows_and_for_many(model, browser, viewer):
    few, many = (measured_with(number, model, browser, viewer) for number in (FEW, MANY))
    assert many == few
    if RECORD:
        record(model, few)
    assert json.loads(BASELINE.read_text())[name_of(model)] == few


def test_the_baseline_knows_these_models_and_no_others():
    assert set(json.loads(BASELINE.read_text())) == set(map(name_of, MODELS)) or RECORD
