"""What has to happen next is a button where a person may do it, and names nothing that only programs do."""

import re

import pytest

from opsdb.admins.pages.why import for_people
from opsdb.models import DataTransfer, LongTermArchiveTransfer
from opsdb.testing import factories
from opsdb.testing.factories import FACTORIES
from opsdb.workflows import explain_row

from .pages import page, read


@pytest.fixture
def failed(db):
    return factories.DataTransferFactory(failed=True, failure_message="no space left on device")


def why(browser, row):
    return browser.get(page("why", q=f"{row._meta.db_table} {row.pk}"))


def test_the_step_that_is_recommended_is_a_button(browser, failed):
    assert "Reset" in explain_row(failed).next_step
    html = why(browser, failed).content.decode()
    buttons = re.search(r'<ul class="opsdb-step">.*?</ul>', html, re.DOTALL)[0]
    assert re.findall(r'name="action" value="(\w+)"', buttons) == ["reset"]
    data = dict(re.findall(r'name="(\w+)" value="([^"]*)"', buttons))
    data.pop("csrfmiddlewaretoken", None)
    seen = browser.post(re.search('action="([^"]*)"', buttons)[1], data)
    assert "failed → pending" in read(seen).text


def test_who_may_not_do_it_finds_no_button(viewer, failed):
    assert "opsdb-step" not in why(viewer, failed).content.decode()


@pytest.mark.parametrize("model", [DataTransfer, LongTermArchiveTransfer])
def test_no_function_of_python_is_named(model, browser):
    row = FACTORIES[model](failed=True)
    assert "opsdb.workflows." in explain_row(row).next_step
    for response in (why(browser, row), browser.get(f"/admin/opsdb/{model._meta.model_name}/{row.pk}/change/")):
        assert "opsdb.workflows" not in read(response).text


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        ("reset x (“Reset” in the admin, or opsdb.workflows.reset_transfer)", "reset x (“Reset”)"),
        ("bring one back (“Bring back”, or opsdb.workflows.restore_copy)", "bring one back (“Bring back”)"),
        ("plan its runs by opsdb.workflows.plan_runs", "plan its runs"),
        ("correct it: opsdb.workflows.correct_packaging", "correct it: correct packaging"),
        ("nothing", "nothing"),
    ],
)
def test_functions_are_left_out_of_steps(step, shown):
    assert for_people(step) == shown


def test_lists_are_titled_by_what_they_have_and_the_index_by_what_it_is_for(browser):
    title = re.compile("<h1>(.*?)</h1>")
    assert title.search(browser.get("/admin/opsdb/datatransfer/").content.decode())[1] == "Transfers"
    assert title.search(browser.get("/admin/").content.decode())[1] == "Operations"
