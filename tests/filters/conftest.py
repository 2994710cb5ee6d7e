import pytest
from django.db import connection, transaction
from django.db.models import F

from opsdb.filters import FILTERSETS
from opsdb.models import FixedSource
from opsdb.testing.factories import FACTORIES, fill_every_table


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Rows of every model for all tests of a module, which only read them; undone in the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        fill_every_table()
        for model in FILTERSETS:
            FACTORIES[model]()
        FixedSource.objects.update(ra_deg=F("id") % 360)
        yield
        transaction.set_rollback(True)
    connection.close()


@pytest.fixture(autouse=True)
def in_the_world(world):
    """Undo what a test sets on the connection."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
