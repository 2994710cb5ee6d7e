"""A shared world is made once: each test finds it as it was made, and others find nothing of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from opsdb.models import Site
from opsdb.testing.factories import SiteFactory
from tests.worlds import shared_world


def count_sites():
    try:
        return Site.objects.count()
    finally:
        connection.close()


@shared_world
def site():
    return SiteFactory(name="of all", description="as made")


@pytest.mark.parametrize("turn", range(3))
def test_what_a_test_changes_is_undone(turn, site):
    assert (site.description, Site.objects.get(name="of all").description) == ("as made", "as made")
    site.description = f"turn {turn}"
    site.save()
    Site.objects.create(name=f"turn {turn}", short_name=f"{turn}")
    assert Site.objects.count() == 2


@pytest.mark.django_db
def test_who_asks_for_no_world_finds_none():
    assert not Site.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_commits_gets_rows_of_its_own(site):
    assert Site.objects.get() == site
    with ThreadPoolExecutor(1) as elsewhere:
        assert elsewhere.submit(count_sites).result() == 1
