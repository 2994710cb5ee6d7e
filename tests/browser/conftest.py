"""A real Chromium on a served admin, whose database holds the demonstration's operation of the observatory."""

import os
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connection
from django.test import Client
from django.test.testcases import LiveServerThread

from opsdb.demonstration import Demonstration
from opsdb.models import Role
from tests import databases
from tests.admins.pages import SITE
from tests.commands import ROOT

from . import CHROMIUM, NOT_RUN
from .looking import Files

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page is opened by the process that has shown another of the same person, and compiled its scripts.
    "--renderer-process-limit=1",
    # A request to another machine fails, and the page's console reports it.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
SCHEDULE = ROOT / "opsdb/reference/samples/fyst_timeline_2026-06-15.ecsv"
IMAGES = ROOT / "docs/images"
OBSERVATIONS = 12
PATIENCE_MS = 15_000
SCREEN = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}
# No page, but of the same server.
STYLES = "/static/admin/css/base.css"
PASSWORD = "only-for-tests"
FORBIDDEN = "Forbidden by the policy: "
# Before any script of a page, so that nothing is missed that its Content-Security-Policy forbids.
WATCH = f"""document.addEventListener('securitypolicyviolation', (event) => console.error(
  `{FORBIDDEN}${{event.effectiveDirective}}: ${{event.blockedURI}} ` +
  `${{event.sourceFile}}:${{event.lineNumber}} ${{event.sample}}`));
"""


def pytest_collection_modifyitems(items):
    """All use the database, and need a Chromium."""
    for item in items:
        if not item.path.is_relative_to(ROOT / "tests/browser") and not item.path.is_relative_to(ROOT / "tests/clicks"):
            continue
        item.add_marker(pytest.mark.django_db)
        if not CHROMIUM:
            item.add_marker(pytest.mark.skip(reason=NOT_RUN))


class EndingServer(ThreadedWSGIServer):
    """A server that has ended only when all its threads, and so their connections to the database, have."""

    daemon_threads = False


class Server(LiveServerThread):
    server_class = EndingServer


@pytest.fixture
def elsewhere():
    """A function that calls another outside of the test's transaction, so that everybody sees what that writes."""

    def call(work):
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        yield lambda work: thread.submit(call, work).result()


@pytest.fixture(scope="package")
def served(demonstrated, django_db_blocker):
    """The address of a server, and the sessions of people named after their roles; the database keeps what they do."""
    with (
        # The browser's driver runs an event loop in this thread.
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        databases.own_copy("served", of=demonstrated.database),
    ):
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        cookies = {name: session_of(person) for name, person in demonstrated.people.items()}
        server = Server("127.0.0.1", Files)
        server.daemon = True
        server.start()
        server.is_ready.wait()
        try:
            if server.error:
                raise server.error
            yield SimpleNamespace(address=f"http://127.0.0.1:{server.port}", cookies=cookies)
        finally:
            server.terminate()
            server.join()


def operate():
    """Operate the observatory for a short night, and return a person of each role, whose accounts are older than it."""
    call_command("opsdb_init", verbosity=0)
    people = make_people()
    call_command("opsdb_load", "slots", str(SCHEDULE), program="WFS", create_missing=True, verbosity=0)
    Demonstration(seed=1, files=3, observations=OBSERVATIONS).run(1)
    return people


def make_people():
    """Return a person of each role that uses the admin, and a superuser, by name."""
    users = get_user_model().objects
    people = {}
    for role in Role.objects.exclude(name="service"):
        people[role.name] = users.create_user(role.name, password=PASSWORD, is_staff=True)
        people[role.name].groups.add(role.group_ptr)
    people["superuser"] = users.create_superuser("superuser", password=PASSWORD)
    return people


def is_failure(said, page):
    """Whether something in the console reports a failure beside the page, which may be a refusal as a whole.

    Browsers ask by themselves for an icon that there is not.
    """
    place = said.location["url"]
    beside = place != page.url and not place.endswith("/favicon.ico")
    return said.type == "error" and (beside or said.text.startswith(FORBIDDEN))


def session_of(person):
    """Return the cookie of a new session."""
    client = Client()
    client.force_login(person)
    return client.cookies["sessionid"].value


@pytest.fixture(scope="package")
def browser(served):
    """A Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield chromium
        chromium.close()
        # Django keeps another connection for a thread while an event loop runs in it.
        connection.close()


@pytest.fixture(scope="package")
def windows(served, browser):
    """A function that lets a person use the window of a size, which keeps the files that every page loads."""
    known = {}

    def of(name, width, height):
        if (width, height) not in known:
            context = browser.new_context(
                base_url=served.address, viewport={"width": width, "height": height}, reduced_motion="reduce"
            )
            context.set_default_timeout(PATIENCE_MS)
            context.add_init_script(WATCH)
            known[width, height] = context.new_page()
            known[width, height].goto(STYLES)
        page = known[width, height]
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("sessionStorage.clear()")
        # A page that was left may have told something that nobody has read, or be logged out.
        page.context.clear_cookies()
        page.context.add_cookies([{"name": "sessionid", "value": served.cookies[name], "url": served.address}])
        return page

    yield of
    for page in known.values():
        page.context.close()


@pytest.fixture
def visit(windows):
    """A function that opens a page as a person; afterwards nothing may have failed in any page that was opened,
    have been sent without the policy, or have done what that forbids.
    """
    opened, failures = [], []

    def note_error(thrown):
        failures.append(f"{thrown.page.url}: {thrown.error}")

    def note_failure(said):
        if is_failure(said, said.page):
            failures.append(f"{said.page.url}: {said.text}")

    def as_person(name, path="/admin/", viewport=SCREEN):
        page = windows(name, **viewport)
        if page not in opened:
            opened.append(page)
            page.context.on("weberror", note_error)
            page.context.on("console", note_failure)
        page.goto(path)
        return page

    yield as_person
    for page in opened:
        # What the page has reported until now arrives before the answer.
        page.evaluate("0")
        page.context.remove_listener("weberror", note_error)
        page.context.remove_listener("console", note_failure)
        page.goto(STYLES)
    faults, Files.faults[:] = Files.faults[:], []
    assert failures + faults == []


@pytest.fixture
def no_side_bar(monkeypatch):
    """Leave out the list of all models beside a page, which is the same beside all, but on pictures."""
    if not os.environ.get("SCREENSHOTS"):
        monkeypatch.setattr(SITE, "enable_nav_sidebar", False)


@pytest.fixture
def picture():
    """A function that keeps what a page shows for the documentation, if the environment's SCREENSHOTS asks for that."""

    def keep(page, name, **options):
        if os.environ.get("SCREENSHOTS"):
            page.screenshot(path=IMAGES / f"{name}.png", **options)

    return keep
