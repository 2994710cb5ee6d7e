"""The function that looks for a user follows the project's user model, whose migrations may come later."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection, models

from opsdb.database.catalogue import expected_rules, read_rules
from opsdb.database.operations import DefineUserLookup
from opsdb.database.user_lookup import body_of_lookup, renew_lookup
from opsdb.models import ChangeLog
from opsdb.testing.factories import ObservatoryFactory, RawDataPackagePhysicalCopyFactory, UserFactory
from opsdb.workflows import attributed, reconcile_location

RULE = "function opsdb_username"


def name_of(user):
    with connection.cursor() as cursor:
        cursor.execute("SELECT opsdb_username(%s)", [str(user.pk)])
        return cursor.fetchone()[0]


def define():
    with connection.schema_editor() as editor:
        editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        DefineUserLookup().database_forwards("opsdb", editor, None, SimpleNamespace(apps=apps))


def execute(statement):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)


@pytest.fixture
def user(owner):
    return UserFactory(username="sara")


def test_a_login_name_that_a_later_migration_adds_is_shown_once_it_is_there(user, monkeypatch):
    model = get_user_model()
    monkeypatch.setattr(model, "USERNAME_FIELD", "login")
    define()
    assert name_of(user) == str(user.pk)

    login = models.CharField(max_length=20, null=True)
    login.set_attributes_from_name("login")
    login.model = get_user_model()
    monkeypatch.setattr(model._meta, "get_field", lambda name: login)
    assert renew_lookup(connection) is False  # the project's own migration is still to come
    execute('ALTER TABLE "user" ADD COLUMN login text')
    call_command("migrate", "opsdb", verbosity=0)
    execute(f"UPDATE \"user\" SET login = 'sara@telescope' WHERE id = {user.pk}")
    assert name_of(user) == "sara@telescope"
    assert renew_lookup(connection) is False


def test_a_user_without_a_name_is_found_by_the_key(user, monkeypatch):
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "last_login")  # any field that may be NULL
    renew_lookup(connection)
    assert user.last_login is None
    assert name_of(user) == str(user.pk)
    with attributed(user=user):
        observatory = ObservatoryFactory()
    assert ChangeLog.objects.get(table_name="observatory", row_id=str(observatory.pk)).user == user


def test_the_column_of_the_name_can_be_altered_and_dropped(user, monkeypatch):
    execute('ALTER TABLE "user" ADD COLUMN login varchar(20)')
    login = models.CharField(max_length=20, null=True)
    login.set_attributes_from_name("login")
    login.model = get_user_model()
    with monkeypatch.context() as patched:
        patched.setattr(get_user_model(), "USERNAME_FIELD", "login")
        patched.setattr(get_user_model()._meta, "get_field", lambda name: login)
        assert renew_lookup(connection)
    assert name_of(user) == str(user.pk)
    execute('ALTER TABLE "user" ALTER COLUMN login TYPE text')
    execute('ALTER TABLE "user" DROP COLUMN login')
    assert renew_lookup(connection)
    assert name_of(user) == "sara"


def test_a_project_with_another_login_name_has_the_rules_of_the_version(user, monkeypatch):
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "email")
    assert read_rules(connection)[RULE] != expected_rules()[RULE]
    renew_lookup(connection)
    assert read_rules(connection)[RULE] == expected_rules()[RULE]


@pytest.mark.parametrize("name", ["id", "user_key"])
def test_the_name_may_be_the_key_or_called_as_a_variable_of_the_function(user, monkeypatch, name):
    execute(f"ALTER TABLE \"user\" ADD COLUMN user_key text DEFAULT '{user.pk}'")
    column = models.CharField(max_length=20)
    column.set_attributes_from_name(name)
    column.model = get_user_model()
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", name)
    monkeypatch.setattr(get_user_model()._meta, "get_field", lambda wanted: column)
    assert renew_lookup(connection) is True
    assert name_of(user) == str(user.pk)


def test_a_location_is_reconciled_where_no_column_is_called_username(user, monkeypatch):
    copy = RawDataPackagePhysicalCopyFactory()
    execute('ALTER TABLE "user" RENAME username TO login')
    login = models.CharField(max_length=20)
    login.set_attributes_from_name("login")
    login.model = get_user_model()
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "login")
    monkeypatch.setattr(get_user_model()._meta, "get_field", lambda name: login)
    renew_lookup(connection)
    with attributed(user=user):
        reconcile_location(copy.data_location, [], abort_threshold=1, minimum_age=timedelta(0), dry_run=False)
    copy.refresh_from_db()
    assert copy.status == "missing"
    assert copy.failure_message.endswith(" UTC by sara")


class Inheriting:
    """Options of a user model that has its login name in the table of another, as a child of it."""

    db_table, pk = "member", get_user_model()._meta.get_field("id")

    def get_field(self, name):
        return get_user_model()._meta.get_field(name)


def test_a_name_that_a_model_inherits_is_read_in_the_table_of_its_parent(user):
    assert 'FROM "user" AS account' in body_of_lookup(connection, Inheriting())
