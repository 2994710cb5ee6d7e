"""Tests by pytest, with the fixtures that the plugin of ops-db has; pytest is given this file by its name."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from opsdb.models import PackageState, RawDataPackage, Role, Site
from opsdb.testing.databases import rules_suspended
from opsdb.testing.factories import SiteFactory


def test_a_night_is_there(opsdb_night):
    assert [package.state for package in RawDataPackage.objects.all()] == [PackageState.ARCHIVED]
    assert opsdb_night.files and {file.raw_data_package for file in opsdb_night.files} == {*opsdb_night.packages}


def test_the_reference_data_are_there(opsdb_reference):
    assert Site.objects.exists() and {"admin", "viewer"} <= set(Role.objects.values_list("name", flat=True))


@pytest.mark.django_db
def test_each_test_begins_with_an_empty_database():
    assert not RawDataPackage.objects.exists() and not Site.objects.exists()
    assert not get_user_model().objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_a_test_commits_is_in_a_test_database_where_rules_can_be_suspended():
    site = SiteFactory()
    with rules_suspended():
        Site.objects.filter(pk=site.pk).update(id=site.pk + 1)
    assert connection.settings_dict["NAME"].startswith("test_")


@pytest.mark.django_db(transaction=True)
def test_what_another_test_committed_is_gone():
    assert not Site.objects.exists()
