"""What the application's role may do, and what only the owner of the tables may; what a reader sees."""

from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from django.db.transaction import TransactionManagementError

from opsdb.database.roles import RoleError, application_role, as_owner, grant, granted_roles
from opsdb.models import ChangeLog, Site
from opsdb.testing.factories import ApiTokenFactory, SiteFactory, fill_every_table
from tests.databases import act_as
from tests.databases import as_owner as acting_as_owner
from tests.models.schema import LINK_TABLES, MODELS

pytestmark = pytest.mark.django_db

TABLES = sorted(model._meta.db_table for model in (*MODELS, *LINK_TABLES))


def rows_of(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def assert_no_right(statement):
    with pytest.raises(ProgrammingError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert caught.value.__cause__.sqlstate == "42501", statement


def test_tests_run_as_the_application():
    assert rows_of("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user") == [
        (settings.APPLICATION_ROLE, False)
    ]


def test_the_application_writes_every_table_but_the_history_and_what_the_database_notes():
    rights = rows_of(
        "SELECT relname, has_table_privilege(oid, 'SELECT'), has_table_privilege(oid, 'INSERT')"
        " AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE') FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
    )
    assert {table for table, _, _ in rights} >= {*TABLES, "django_session", "django_migrations", "auth_group"}
    assert all(reads for _, reads, _ in rights)
    assert sorted(table for table, _, writes in rights if not writes) == [
        "change_log",
        "data_location_usage",
        "django_migrations",
        "stage_activity",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE physical_copy DISABLE TRIGGER USER",
        "ALTER TABLE deletion_request DROP CONSTRAINT deletion_request_second_person",
        "CREATE OR REPLACE FUNCTION opsdb_refuse_deletion() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "ALTER FUNCTION opsdb_refuse_deletion() RESET ALL",
        "DROP TRIGGER physical_copy_deletion_is_safe ON physical_copy",
        "CREATE TRIGGER mine BEFORE INSERT ON site FOR EACH ROW EXECUTE FUNCTION opsdb_refuse_deletion()",
        "CREATE RULE nothing AS ON UPDATE TO physical_copy DO INSTEAD NOTHING",
        "CREATE TABLE public.mine (id int)",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW public.mine AS SELECT 1",
        "DROP TABLE change_log CASCADE",
        "DROP SCHEMA public CASCADE",
        "TRUNCATE api_token",
        "TRUNCATE change_log",
        "SELECT setval('change_log_id_seq', 1)",
        "SELECT nextval('change_log_id_seq')",
        "SELECT setval(pg_get_serial_sequence('site', 'id'), 1)",
        "SET session_replication_role = replica",
        "SELECT opsdb_make_months()",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('opsdb', '9999_later', now())",
        "COMMENT ON TABLE site IS ''",
        "ALTER TABLE change_log DETACH PARTITION change_log_default",
        "SELECT * FROM change_log_default",
        "LOCK TABLE change_log IN ACCESS EXCLUSIVE MODE",
    ],
)
def test_the_application_can_not_define_disable_or_empty_anything(statement):
    assert_no_right(statement)


@pytest.mark.parametrize(
    "function",
    [
        "opsdb_log_change()",
        "opsdb_log_bulk_insert()",
        "opsdb_log_bulk_update()",
        "opsdb_log_inserted_keys()",
        "opsdb_log_link()",
    ],
)
def test_the_functions_that_write_the_history_serve_no_table_of_others(function):
    """A temporary table named as one of ours, with the trigger that records, would forge its history."""
    before = ChangeLog.objects.count()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE site (id bigint, name text)")
    assert_no_right(f"CREATE TRIGGER forged AFTER INSERT ON pg_temp.site FOR EACH ROW EXECUTE FUNCTION {function}")
    assert ChangeLog.objects.count() == before


def test_the_history_is_written_for_the_application_and_by_nobody_else():
    site = SiteFactory()
    change = ChangeLog.objects.of(site).get()
    assert change.database_user == rows_of("SELECT session_user")[0][0]
    columns = "changed_at, table_name, row_id, operation, database_user, transaction_id"
    for values in (
        "'2020-01-01', 'site', '1', 'update', 'opsdb', 1",
        "now(), 'site', '1', 'delete', session_user, 1",
    ):
        assert_no_right(f"INSERT INTO change_log ({columns}) VALUES ({values})")
    # The next number can't be taken before its change comes.
    assert_no_right(f"INSERT INTO change_log (id, {columns}) VALUES ({change.pk + 1}, now(), 's', '1', 'x', 'x', 1)")
    # What is no trigger has the rights of who calls it.
    assert_no_right("SELECT opsdb_record_change('site', 'delete', '{\"id\": 1}', NULL)")
    Site.objects.filter(pk=site.pk).update(description="x")
    assert ChangeLog.objects.of(site).count() == 2


def test_functions_with_the_rights_of_the_owner_are_known_and_called_by_nobody_else():
    found = rows_of(
        "SELECT proname, has_function_privilege(oid, 'EXECUTE') FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace AND prosecdef ORDER BY proname"
    )
    assert found == [
        ("opsdb_count_inserted_usage", False),
        ("opsdb_count_updated_usage", False),
        ("opsdb_log_bulk_insert", False),
        ("opsdb_log_bulk_update", False),
        ("opsdb_log_change", False),
        ("opsdb_log_inserted_keys", False),
        ("opsdb_log_link", False),
        ("opsdb_make_months", False),
        ("opsdb_make_months_in_time", False),
        ("opsdb_note_activity", False),
    ]


@pytest.fixture
def reader():
    """A role that was granted the right to read."""
    with acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE ROLE opsdb_test_reader")
        cursor.execute("GRANT opsdb_test_reader TO CURRENT_USER")
        granted = grant(connection, "opsdb_test_reader", reads_only=True)
        assert granted_roles(connection) == {settings.APPLICATION_ROLE: False, "opsdb_test_reader": True}
        return granted


def test_a_reader_reads_everything_but_secrets(reader):
    fill_every_table()
    token = ApiTokenFactory()
    with act_as("opsdb_test_reader"):
        for table in TABLES:
            if table not in ("user", "api_token"):
                assert rows_of(f'SELECT count(*) FROM "{table}"')[0][0], table
        assert rows_of("SELECT count(*) FROM obscore")[0][0]
        assert rows_of('SELECT username FROM "user" WHERE id = %s', token.user_id) == [(token.user.username,)]
        assert rows_of("SELECT name FROM api_token WHERE id = %s", token.pk) == [(token.name,)]
        for statement in (
            'SELECT password FROM "user"',
            'SELECT * FROM "user"',
            "SELECT token_hash FROM api_token",
            "SELECT 1 FROM api_token WHERE token_hash LIKE 'a%'",
            "SELECT * FROM django_session",
            "UPDATE site SET description = ''",
            "DELETE FROM api_token",
            "INSERT INTO deletion_policy (id, min_archive_copies) VALUES (2, 1)",
        ):
            assert_no_right(statement)


def test_timeouts_belong_to_the_roles(reader):
    with acting_as_owner():
        grant(connection, settings.APPLICATION_ROLE)
    found = dict(
        rows_of(
            "SELECT rolname, setconfig FROM pg_db_role_setting JOIN pg_roles ON pg_roles.oid = setrole "
            "JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database()"
        )
    )
    assert set(found[settings.APPLICATION_ROLE]) == {
        "statement_timeout=15min",
        "lock_timeout=1min",
        "idle_in_transaction_session_timeout=10min",
    }
    assert "default_transaction_read_only=on" in found["opsdb_test_reader"]
    assert reader.by_administrator == ()


def test_the_application_passes_no_right_on():
    role = settings.APPLICATION_ROLE
    with connection.cursor() as cursor:
        cursor.execute("GRANT ALL ON change_log, site TO PUBLIC")
    found = rows_of("SELECT grantee FROM information_schema.role_table_grants WHERE grantor = %s", role)
    assert found == []


def test_granting_again_takes_what_is_too_much():
    table = ["SELECT has_table_privilege(%s, 'change_log', 'INSERT'), has_table_privilege(%s, 'site', 'TRUNCATE')"]
    role = settings.APPLICATION_ROLE
    with acting_as_owner():
        with connection.cursor() as cursor:
            cursor.execute(f"GRANT ALL ON change_log, site TO {role}")
        assert rows_of(*table, role, role) == [(True, True)]
        grant(connection, role)
        assert rows_of(*table, role, role) == [(False, False)]


def test_a_role_that_could_disable_rules_is_refused():
    with acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        [owner] = cursor.fetchone()
        with pytest.raises(RoleError, match=f"^Role {owner} owns the tables, or is a member of the role that does"):
            grant(connection, owner)
        with pytest.raises(RoleError, match="is a superuser"):
            grant(connection, "postgres")
        with pytest.raises(RoleError, match="^There is no role nobody_at_all: have an administrator CREATE ROLE"):
            grant(connection, "nobody_at_all")


def test_what_an_administrator_has_to_do_is_returned(monkeypatch):
    """Where the owner may not set the timeouts of a role."""
    with acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        monkeypatch.setattr("opsdb.database.roles._execute_if_allowed", lambda connection, statement: False)
        left = grant(connection, settings.APPLICATION_ROLE).by_administrator
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        assert f"ALTER ROLE \"opsdb_app\" IN DATABASE {name} SET lock_timeout = '1min'" in left
        assert left[-1] == 'REVOKE CREATE ON SCHEMA public FROM PUBLIC, "opsdb_app"'


class TestOwner:
    """The block in which the project connects as the owner."""

    @staticmethod
    def connection(**settings_dict):
        closed = []
        return SimpleNamespace(
            settings_dict=settings_dict,
            closed=closed,
            close=lambda: closed.append(settings_dict["USER"]),
            validate_no_atomic_block=lambda: None,
        )

    def test_connects_as_the_owner_and_back(self):
        it = self.connection(USER="opsdb_app", PASSWORD="a", HOST="pooler", OWNER={"USER": "opsdb", "PASSWORD": "b"})
        assert application_role(it) == "opsdb_app"
        with as_owner(it):
            assert (it.settings_dict["USER"], it.settings_dict["PASSWORD"]) == ("opsdb", "b")
            with as_owner(it):
                assert it.settings_dict["USER"] == "opsdb"
        assert it.settings_dict == {
            "USER": "opsdb_app",
            "PASSWORD": "a",
            "HOST": "pooler",
            "OWNER": {"USER": "opsdb", "PASSWORD": "b"},
        }
        assert it.closed == ["opsdb_app", "opsdb"]

    def test_without_an_owner_there_is_one_role(self):
        it = self.connection(USER="opsdb")
        assert application_role(it) is None
        with as_owner(it):
            assert it.closed == []

    def test_is_refused_in_a_transaction(self, monkeypatch):
        monkeypatch.setitem(connection.settings_dict, "OWNER", {"USER": "somebody"})
        with pytest.raises(TransactionManagementError), as_owner(connection):
            pass
        assert connection.settings_dict["OWNER"] == {"USER": "somebody"}


def test_reference_data_load_as_the_application():
    call_command("opsdb_init", data_archive_mode="development", verbosity=0)
    assert Site.objects.exists()
