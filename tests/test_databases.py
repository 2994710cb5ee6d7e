"""The databases that tests run on."""

import psycopg
import pytest
from django.db import connection

from opsdb.testing.factories import SiteFactory
from tests.databases import own_copy, row_counts


@pytest.mark.django_db(transaction=True)
def test_a_database_is_copied_to_which_an_earlier_test_is_still_connected():
    SiteFactory()
    left = psycopg.connect(**connection.get_connection_params())
    with own_copy("unleft"):
        assert row_counts()["site"] == 1
    with pytest.raises(psycopg.OperationalError, match="terminating connection"):
        left.execute("SELECT 1")
    left.close()
