"""The Content-Security-Policy that every page is sent with forbids nothing that the pages do.

Whatever page is opened by ``visit`` is watched; here is what the other modules do not do, and that it is noticed.
"""

import pytest
from django.urls import reverse

from opsdb.models import FixedSource, StagingJob
from tests.admins.pages import address

from .conftest import FORBIDDEN, SCREEN, is_failure
from .hands import loaded
from .looking import Files

ADD_STYLE = "document.head.append(Object.assign(document.createElement('style'), {textContent: 'p {color: red}'}))"
ADD_SCRIPT = "document.head.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"


def test_the_dashboard_and_what_is_not_found_do_nothing_that_is_forbidden(visit):
    page = visit("superuser")
    for path in ("/admin/opsdb/", reverse("admin:opsdb_rawdatapackage_dashboard"), "/admin/nothing/"):
        page.goto(path)
        page.wait_for_load_state("networkidle")


def test_what_people_do_with_a_page_is_not_forbidden(visit):
    page = visit("superuser", address(StagingJob, "add"))
    page.locator(".select2-selection").first.click()
    page.wait_for_load_state("networkidle")
    page.goto(address(FixedSource, "changelist"))
    page.locator("#searchbar").fill("M")
    with loaded(page):
        page.locator("#searchbar").press("Enter")
    page.goto("/admin/login/")
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("script", [ADD_STYLE, ADD_SCRIPT], ids=["style", "script"])
def test_what_is_put_into_a_page_is_forbidden_and_noted(windows, script):
    # Not a page of `visit`, which fails on what is noted.
    page = windows("superuser", **SCREEN).context.new_page()
    page.goto("/admin/login/")
    with page.expect_console_message(lambda said: said.text.startswith(FORBIDDEN)):
        page.evaluate(script)
    assert page.evaluate("window.ran") is None
    page.close()


def test_what_is_asked_of_another_machine_is_noted(windows):
    page = windows("superuser", **SCREEN).context.new_page()
    page.route("**/without/", lambda route: route.fulfill(body="<p>", content_type="text/html"))
    page.goto("/without/")
    with page.expect_console_message(lambda said: is_failure(said, page)):
        page.evaluate("fetch('https://192.0.2.1/').catch(() => null)")
    page.close()


@pytest.mark.parametrize(
    ("status", "policy", "faults"),
    [
        ("200 OK", {}, ["/a/: has no policy"]),
        ("200 OK", {"Content-Security-Policy": "default-src 'none'"}, []),
        ("500 Error", {"Content-Security-Policy": "default-src 'none'"}, ["/a/: 500 Error"]),
    ],
    ids=["without the policy", "with it", "failure"],
)
def test_an_answer_that_no_browser_may_get_is_noted(monkeypatch, status, policy, faults):
    monkeypatch.setattr(Files, "faults", [])
    headers = [("Content-Type", "text/html; charset=utf-8"), *policy.items()]
    Files(lambda environ, start_response: start_response(status, headers))({"PATH_INFO": "/a/"}, lambda *sent: [])
    assert Files.faults == faults
