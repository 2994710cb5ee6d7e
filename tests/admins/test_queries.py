"""Every page is seen, and the number of its queries is known and does not grow with the number of rows.

A change of a number fails. When the change is wanted, record the numbers anew and commit them:

    RECORD_ADMIN_QUERIES=1 python -m pytest tests/admins/test_queries.py
"""

import fcntl
import json
import os
import re
import tempfile
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from opsdb.admins.kit.inlines import CappedInline, ListInline

from .pages import ADMINS, MODELS, address, name_of, open_pages, with_surroundings

BASELINE = Path(__file__).with_name("query_baseline.json")
RECORD = bool(os.environ.get("RECORD_ADMIN_QUERIES"))
# Many are more than any page shows, counts or lets choose from.
FEW, MANY, SHOWN = 3, 1_100, 10


@pytest.fixture(autouse=True)
def short_pages(monkeypatch):
    for page in ADMINS.values():
        monkeypatch.setattr(page, "list_per_page", SHOWN)
    for inline in (CappedInline, ListInline):
        monkeypatch.setattr(inline, "cap", SHOWN)


def number_of_queries(client, url):
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url, follow=True)
    assert response.status_code == 200, url
    assert_self_contained(response.content.decode())
    return len(queries)


def assert_self_contained(html):
    """Nothing comes from another host, and no script stands in the page."""
    assert not re.findall(
        r'(?:src|href|action)="(?:https?:)?//[^"]*', html.replace('href="https://www.djangoproject', "")
    )
    assert all("src=" in tag for tag in re.findall(r"<script\b[^>]*>", html))
    assert not re.findall(r"\son[a-z]+=", html)


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
def test_every_page_is_seen_and_asks_the_recorded_number_of_queries_for_few_rows_and_for_many(
    sessions_in_database, model, browser, viewer
):
    few, many = (measured_with(number, model, browser, viewer) for number in (FEW, MANY))
    assert many == few
    if RECORD:
        record(model, few)
    assert json.loads(BASELINE.read_text())[name_of(model)] == few


def test_the_baseline_knows_these_models_and_no_others():
    assert set(json.loads(BASELINE.read_text())) == set(map(name_of, MODELS)) or RECORD
