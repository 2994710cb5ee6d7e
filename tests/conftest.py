import os

import pytest
from django.db import connection
from pytest_django.plugin import blocking_manager_key
from xdist.scheduler import LoadScopeScheduling

from config.database import explain, require_database
from tests.browser import CHROMIUM, NOT_RUN


def pytest_sessionstart(session):
    """One line instead of an error per test when there is no database to test on."""
    if hasattr(session.config, "workerinput"):
        return
    if os.environ.get("REQUIRE_BROWSER") and not CHROMIUM:
        pytest.exit(NOT_RUN, returncode=1)
    try:
        with session.config.stash[blocking_manager_key].unblock():
            require_database()
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        pytest.exit(message.replace("DATABASE_URL", "TEST_DATABASE_URL"), returncode=1)


class Scheduling(LoadScopeScheduling):
    """Tests go to the workers one by one, but those in a browser to one worker, which tells their story once."""

    # Not by marks: https://github.com/pytest-dev/pytest-xdist/issues/1386
    def _split_scope(self, nodeid):
        return "browser" if nodeid.startswith("tests/browser/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The largest group begins first."""
    return Scheduling(config, log)


def pytest_terminal_summary(terminalreporter):
    """Say plainly what was left out."""
    if not CHROMIUM:
        terminalreporter.write_line(NOT_RUN)


TRUNCATE_GUARDS = """
SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE tgname LIKE '%never_truncated' AND NOT tgisinternal
"""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Let the end of a transactional test empty the tables; that nobody else can is tested in a database of its own."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(TRUNCATE_GUARDS)
        for trigger, table in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{trigger}" ON "{table}"')
