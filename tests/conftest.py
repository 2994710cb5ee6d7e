import pytest
from pytest_django.plugin import blocking_manager_key

from config.database import explain, require_database


def pytest_sessionstart(session):
    """One line instead of an error per test when there is no database to test on."""
    if hasattr(session.config, "workerinput"):
        return
    try:
        with session.config.stash[blocking_manager_key].unblock():
            require_database()
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        pytest.exit(message.replace("DATABASE_URL", "TEST_DATABASE_URL"), returncode=1)
