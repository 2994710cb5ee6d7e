import gc
import logging
import os
import sys
import threading
from types import SimpleNamespace
from unittest import mock

import pytest
from _pytest.runner import runtestprotocol
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from pytest_django.plugin import blocking_manager_key
from whitenoise.middleware import WhiteNoiseMiddleware

from config.database import explain, require_database
from tests import databases, sampling, worlds
from tests.browser import CHROMIUM, NOT_RUN
from tests.clusters import PGBOUNCER
from tests.logs import SecretsInLogs
from tests.scheduling import Scheduling
from tests.workflows.racing import dismiss_contenders

ASKED = []
# Half a megabyte, for which CPython maps the next power of two.
SLOTS_FOR_FRAMES = 1 << 16


def refuse_network(event, arguments):
    """Let nothing in the process of the tests reach another machine, such as tables that astropy would download."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in (None, "", "localhost") and not host.startswith("127.") and host != "::1":
        ASKED.append(host)
        raise RuntimeError(f"tests need no network, and this one asks for {host}")


@pytest.fixture(autouse=True, scope="session")
def logs():
    """Look at everything that is logged."""
    watch = SecretsInLogs()
    logging.getLogger().addHandler(watch)
    yield watch
    logging.getLogger().removeHandler(watch)


@pytest.fixture
def listing_no_models(monkeypatch):
    """Leave out the list of all models beside every page: it costs more than most pages, and is Django's own."""
    from tests.admins.pages import SITE

    monkeypatch.setattr(SITE, "enable_nav_sidebar", False)
    monkeypatch.setattr(SITE, "get_app_list", lambda *args: [])


@worlds.shared_world
def reference():
    """The reference data of the package."""
    from opsdb.loaders.reference import load_reference

    return load_reference()


@pytest.fixture(autouse=True)
def nothing_is_left(logs):
    """Leave to the next test no connection of a race, and no use of a token, which would be of another database.

    Fail a test in which a token, a hash of a password or the key of a session was logged, or that reached for another
    machine, also where the code that did so went on without it.
    """
    yield
    dismiss_contenders()
    if usage := sys.modules.get("opsdb.access.usage"):
        usage.USE.discard()
    secrets, hosts, ASKED[:] = logs.taken(), ASKED[:], []
    assert not secrets
    assert not hosts, f"asked for {hosts}"


@pytest.fixture(autouse=True, scope="session")
def static_files():
    """Let whitenoise look for the static files once, and not for every client of a test."""
    look, found = WhiteNoiseMiddleware.add_files_from_finders, {}

    def look_once(self):
        if self.static_prefix not in found:
            look(self)
            found[self.static_prefix] = self.files
        self.files = dict(found[self.static_prefix])

    with mock.patch.object(WhiteNoiseMiddleware, "add_files_from_finders", look_once):
        yield


def make_room_for_frames(function):
    """Let CPython map a megabyte at once for the frames of what a function calls.

    It maps 16 KiB at a time otherwise, and unmaps them when the first of their frames returns: a call across that
    border, such as within a loop, then costs many times as much. Tests of pages took a quarter longer for it.
    """
    function.__code__ = function.__code__.replace(co_stacksize=SLOTS_FOR_FRAMES)


def pytest_configure(config):
    sys.addaudithook(refuse_network)
    make_room_for_frames(runtestprotocol)
    make_room_for_frames(threading.Thread.run)
    sampling.register(config)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items):
    """Have the modules of a package, which share its server and browser, after one another in random order too.

    And the tests of a module that commit after its others, as pytest-django has otherwise.
    """
    yield
    packages, modules = {}, {}
    for item in items:
        packages.setdefault(item.path.parent, len(packages))
        modules.setdefault(item.path, len(modules))
    items.sort(key=lambda item: (packages[item.path.parent], modules[item.path], worlds.commits(item)))


def pytest_collection_finish():
    """Keep what the modules have made out of the collector's sight, which would look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def pytest_sessionstart(session):
    """One line instead of an error per test when there is no database to test on."""
    if hasattr(session.config, "workerinput"):
        return
    if os.environ.get("REQUIRE_BROWSER") and not CHROMIUM:
        pytest.exit(NOT_RUN, returncode=1)
    if os.environ.get("REQUIRE_POOLER") and not PGBOUNCER:
        pytest.exit("The tests of poolers need PgBouncer: install Debian's package pgbouncer.", returncode=1)
    try:
        with session.config.stash[blocking_manager_key].unblock():
            databases.require_application_role()
            require_database()
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        pytest.exit(message.replace("DATABASE_URL", "TEST_DATABASE_URL"), returncode=1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Scheduling(config, log)


def pytest_terminal_summary(terminalreporter):
    """Say plainly what was left out."""
    if not CHROMIUM:
        terminalreporter.write_line(NOT_RUN)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment, django_db_modify_db_settings, django_db_blocker, django_db_keepdb, django_db_createdb
):
    """A copy of the one migrated database; ``--reuse-db`` takes what is there instead, however old."""
    with django_db_blocker.unblock():
        name = databases.use_test_database(keep=django_db_keepdb and not django_db_createdb)
    with mock.patch.object(TransactionTestCase, "_fixture_teardown", lambda self: databases.empty()):
        yield
    with django_db_blocker.unblock():
        worlds.end()
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            databases.administrate(f"DROP DATABASE {connection.ops.quote_name(name)} WITH (FORCE)")


@pytest.fixture(scope="session")
def demonstrated(django_db_setup, django_db_blocker):
    """A database in which the observatory was operated for a short night, and a person of each role in it."""
    from tests.browser.conftest import operate

    with django_db_blocker.unblock():
        name = databases.create_copy("demonstrated")
        with databases.connected_to(name):
            people = operate()
    yield SimpleNamespace(database=name, people=people)
    with django_db_blocker.unblock():
        databases.drop(name)


@pytest.fixture
def owner(db):
    """The test acts as the role that owns the tables, where others act as the application's."""
    with databases.as_owner():
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """End the world of another module before a fixture of this one takes another database."""
    with item.config.stash[blocking_manager_key].unblock():
        worlds.leave_for(item.path)


@pytest.fixture
def its_world(request, django_db_setup, django_db_blocker):
    """The world of the test, in the database before the test's transaction begins."""
    with django_db_blocker.unblock():
        worlds.prepare(request)


@pytest.fixture
def _django_db_helper(its_world, _django_db_helper):
    """As pytest-django's, within the transaction of a world."""


def pytest_sessionfinish(session):
    """Leave the template of the test databases only on a server of our own."""
    ours = settings.DATABASES["default"]["ENGINE"] == "opsdb.embedded" or "FAKETIME_TIMESTAMP_FILE" in os.environ
    if ours or hasattr(session.config, "workerinput"):
        return
    with session.config.stash[blocking_manager_key].unblock():
        databases.drop_templates()
