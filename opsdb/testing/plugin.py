"""Fixtures for pytest-django: ``pytest_plugins = ["opsdb.testing.plugin"]`` in the outermost conftest.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.test.utils import setup_databases, teardown_databases

if TYPE_CHECKING:
    from .nights import ArchivedNight


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: Any,
    django_db_keepdb: bool,
    django_db_createdb: bool,
) -> Iterator[None]:
    """Test databases that are copied from a template; ``--reuse-db`` takes what is there."""
    from .databases import aliases_of_opsdb, copy_template

    verbosity = request.config.option.verbose
    with django_db_blocker.unblock():
        if not django_db_keepdb or django_db_createdb:
            for alias in aliases_of_opsdb():
                copy_template(alias)
        found = setup_databases(verbosity=verbosity, interactive=False, keepdb=True)
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            teardown_databases(found, verbosity=verbosity)


@pytest.fixture
def opsdb_reference(db: None) -> Any:
    """The reference data of CCAT and FYST: sites, locations, instruments, modes, roles."""
    from opsdb.loaders.reference import load_reference

    return load_reference()


@pytest.fixture
def opsdb_night(db: None) -> ArchivedNight:
    """A night with an executed unit, its files, and a package that is archived."""
    from .nights import make_night

    return make_night()
