"""What ops-db brings for the tests of other projects, beside what tests/host tries on the wheel."""

import warnings
from copy import deepcopy

import pytest
from django.db import IntegrityError, connection, transaction

from opsdb.models import PackageState
from opsdb.testing import databases
from opsdb.testing.factories import SiteFactory
from opsdb.testing.nights import build_world, make_night
from tests.databases import as_owner


@pytest.mark.django_db
def test_a_night_is_archived_at_two_sites():
    night = make_night(executions=2, files=4)
    assert len(night.executions) == len(night.packages) == 2 and len(night.files) == 8
    assert {package.state for package in night.packages} == {PackageState.ARCHIVED}
    for package in night.packages:
        assert package.copies.filter(verification="verified").count() >= 2


@pytest.mark.django_db
def test_each_test_of_a_class_has_a_copy_of_a_world():
    """As ``TestCase.setUpTestData`` makes one."""
    world = build_world()
    first = world.observe()
    with warnings.catch_warnings(action="error"):
        copied = deepcopy(world)
    assert copied.observe().start_time > first.start_time


def test_the_rules_of_a_database_that_no_test_made_stay(monkeypatch):
    monkeypatch.setattr(databases, "is_test_database", lambda connection: False)
    with pytest.raises(RuntimeError, match="The rules of .* stay: it is no test database"), databases.rules_suspended():
        pytest.fail("they were suspended")


@pytest.mark.django_db(transaction=True)
def test_rules_are_suspended_for_a_while():
    def renumber():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE site SET id = id + 1000000")

    SiteFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        renumber()
    with as_owner(), databases.rules_suspended():
        renumber()
    with pytest.raises(IntegrityError), transaction.atomic():
        renumber()


def test_a_template_is_another_for_another_project(settings):
    before = databases.name_of_template("default")
    assert before == databases.name_of_template("default")
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.contrib.humanize"]
    assert databases.name_of_template("default") != before


def test_an_embedded_server_for_tests_keeps_nothing(tmp_path):
    found = databases.embedded_database(tmp_path)
    assert (found["ENGINE"], found["DURABLE"], found["FOLDER"]) == ("opsdb.embedded", False, tmp_path)
