"""``opsdb_migrate``: alone, with a backup that restores, and nothing to do the second time."""

import os
import subprocess
from datetime import UTC, datetime
from io import StringIO
from types import SimpleNamespace
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from opsdb.management import backup
from opsdb.management.backup import BackupError, find_pg_dump
from opsdb.management.commands import opsdb_migrate
from opsdb.models import ChangeLog, DeletionPolicy
from opsdb.workflows import store_deletion_policy
from tests.commands import manage, succeed_several
from tests.databases import act_as, url_of_test_database
from tests.workflows.racing import overtaken, race

pytestmark = pytest.mark.usefixtures("owner")


def migrate(*arguments):
    out = StringIO()
    call_command("opsdb_migrate", *map(str, arguments), stdout=out)
    return out.getvalue()


def refusal(*arguments):
    with pytest.raises(CommandError) as caught:
        migrate(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def own_database(transactional_db, owner):
    """Two empty databases that are a test's own, by their URLs."""
    shared = url_of_test_database(owner=True)
    names = [f"{connection.settings_dict['NAME']}_{suffix}" for suffix in ("migrate", "restore")]
    quote = connection.ops.quote_name

    def administrate(*statements):
        connection.close()
        with connection._nodb_cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    drop = [f"DROP DATABASE IF EXISTS {quote(name)}" for name in names]
    administrate(*drop, *(f"CREATE DATABASE {quote(name)}" for name in names))
    path = urlsplit(shared).path
    yield [shared.replace(path, f"/{name}") for name in names]
    administrate(*drop)


TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"
OBJECTS = """
SELECT 'trigger', count(*) FROM pg_trigger UNION SELECT 'constraint', count(*) FROM pg_constraint
UNION SELECT 'function', count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def state(url):
    """How many rows every table of a database has, and how much there is that keeps the rules."""
    with psycopg.connect(url) as server:
        tables = [table for (table,) in server.execute(TABLES).fetchall()]
        counts = {table: server.execute(f'SELECT count(*) FROM "{table}"').fetchone() for table in tables}
        return counts, sorted(server.execute(OBJECTS).fetchall())


def test_a_deployment_backs_up_migrates_and_loads_and_the_backup_restores(own_database, tmp_path):
    own, empty = own_database
    setting = {"DATABASE_URL": own, "SECRET_KEY": "only-for-tests"}
    succeed_several("migrate opsdb 0003 --verbosity 0", "migrate sessions --verbosity 0", **setting)
    with psycopg.connect(own) as server:
        server.execute("INSERT INTO django_session VALUES ('k3y', 'data', '2099-01-01')")
        server.execute("INSERT INTO site (name, short_name, location, description) VALUES ('Ours', 'ours', '', '')")
    before = state(own)

    done, again = succeed_several(*[f"opsdb_migrate --backup {tmp_path}"] * 2, **setting)
    assert "Migrated opsdb.0004_triggers\n" in done
    assert done.endswith("Rows: 70 created.\n")
    assert again == "Nothing to migrate, and so no backup.\nNothing to change; 70 rows are unchanged.\n"
    [dump] = tmp_path.iterdir()
    assert f"Backup: {dump}\n" in done
    assert dump.stat().st_mode & 0o777 == 0o600

    restore = find_pg_dump(connection.pg_version // 10_000).with_name("pg_restore")
    said = subprocess.run([restore, "--no-owner", "-d", empty, dump], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    counts, objects = state(empty)
    assert counts.pop("django_session") == (0,) and before[0].pop("django_session") == (1,)
    assert (counts, objects) == before
    assert b"k3y" not in subprocess.run([restore, "-f", "-", dump], capture_output=True, check=True).stdout


@pytest.mark.django_db
def test_without_anything_to_do_it_says_so(reference):
    assert migrate() == "Nothing to migrate.\nNothing to change; 70 rows are unchanged.\n"
    assert migrate("--verbosity", "0") == ""


@pytest.mark.django_db(transaction=True)
def test_a_setting_that_changed_reaches_the_database_without_a_migration_too(reference, settings):
    DeletionPolicy.objects.update_or_create(pk=1, defaults={"min_archive_copies": 1})
    settings.OPSDB_MIN_ARCHIVE_COPIES = 2

    def checked():
        errors = StringIO()
        call_command("check", databases=["default"], stderr=errors)
        return errors.getvalue()

    differs = "lets copies go with 1 verified archive copies elsewhere, but OPSDB_MIN_ARCHIVE_COPIES is 2"
    assert differs in (said := checked())
    assert "Run `python manage.py opsdb_migrate`" in said

    line = "Deletion policy of the database: OPSDB_MIN_ARCHIVE_COPIES was 1, is now 2."
    assert migrate().splitlines()[:2] == ["Nothing to migrate.", line]
    assert DeletionPolicy.objects.get().min_archive_copies == 2
    change = ChangeLog.objects.filter(table_name="deletion_policy").latest("id")
    assert (change.before["min_archive_copies"], change.after["min_archive_copies"]) == (1, 2)
    assert change.reason == "OPSDB_MIN_ARCHIVE_COPIES"

    assert "Deletion policy" not in migrate()
    assert "opsdb.W001" not in checked()


def test_a_setting_that_changed_with_a_migration_is_reported_too(pending, settings, monkeypatch):
    DeletionPolicy.objects.update_or_create(pk=1, defaults={"min_archive_copies": 1})
    settings.OPSDB_MIN_ARCHIVE_COPIES = 3
    monkeypatch.setattr(
        "django.core.management.commands.migrate.Command.handle",
        lambda *args, **kwargs: store_deletion_policy("default") and None,
    )
    assert "OPSDB_MIN_ARCHIVE_COPIES was 1, is now 3.\n" in migrate()


@pytest.fixture
def pending(transactional_db):
    """A migration that seems not to have been applied yet."""
    applied = MigrationRecorder.Migration.objects.filter(app="opsdb").order_by("-name").first()
    applied.delete()
    yield f"opsdb.{applied.name}"
    MigrationRecorder.Migration.objects.create(app=applied.app, name=applied.name)


def test_it_is_refused_while_another_one_runs(pending):
    def hold():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [opsdb_migrate.LOCK_NUMBER])

    said = str(overtaken(hold, migrate))
    assert said.startswith("Another migration is running (process ")
    assert "nothing was changed" in said


@pytest.mark.django_db(transaction=True)
def test_two_starts_without_anything_to_migrate_do_not_refuse_each_other(reference):
    assert [one.split(".")[0] for one in race(2, lambda number: migrate())] == ["Nothing to migrate"] * 2


def test_a_migration_that_fails_is_named_with_the_backup(pending, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr("django.core.management.commands.migrate.Command.handle", fail)
    said = refusal("--backup", tmp_path)
    [dump] = tmp_path.iterdir()
    assert said == (
        f"Migration {pending} failed: division by zero. It was rolled back; 0 before it were applied and stay. "
        f"The backup is {dump}."
    )


@pytest.mark.django_db(transaction=True)
def test_it_gives_up_when_a_table_stays_in_use(reference):
    from opsdb.models import Site

    def hold():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE site IN ACCESS EXCLUSIVE MODE")

    Site.objects.filter(short_name="us").exists()
    outcome = overtaken(hold, lambda: migrate("--lock-timeout", "0.1"), until_done=True)
    assert "not released within 0.1 seconds" in str(outcome)


@pytest.mark.parametrize("option", ["--grant-to", "--grant-read-to"])
def test_a_role_that_is_misspelt_is_refused_before_anything_is_done(pending, option):
    assert refusal(option, "nobody_at_all").endswith(
        "CREATE ROLE nobody_at_all LOGIN PASSWORD '…'. Nothing was changed."
    )


def test_a_role_either_writes_or_only_reads():
    assert "name the same role: a" in refusal("--grant-to", "a", "--grant-read-to", "a")


def test_as_the_application_it_is_refused_with_the_remedy():
    with act_as(settings.APPLICATION_ROLE):
        said = refusal()
    assert "lacks a right (permission denied for " in said
    assert "run this as the owner of the tables" in said


@pytest.mark.django_db
def test_a_database_that_is_ahead_is_left_alone():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('opsdb', '9999_later', now())")
    assert "ahead of this version of ops-db, which has no migration 9999_later" in refusal()


def test_a_database_that_cannot_be_reached_gets_one_line(monkeypatch):
    done = manage("opsdb_migrate", DATABASE_URL="postgres://ops:pa55word@127.0.0.1:9/ops", SECRET_KEY="x")
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: Can't connect to the database ops (")
    assert done.stderr.count("\n") == 1
    assert "pa55word" not in done.stderr


@pytest.mark.parametrize("text", ["0", "-1", "nan", "x"])
def test_a_lock_timeout_is_a_number_of_seconds(text):
    with pytest.raises(CommandError, match=f"lock-timeout: must be a number of seconds above 0 .*, not '{text}'"):
        call_command("opsdb_migrate", f"--lock-timeout={text}")


def test_a_pg_dump_that_is_older_than_the_server_is_not_used(monkeypatch):
    monkeypatch.setattr(backup, "_major", lambda program: 14)
    with pytest.raises(BackupError, match=r"the server has PostgreSQL 99, but .*postgresql-client-99"):
        find_pg_dump(99)


@pytest.mark.django_db
def test_a_backup_leaves_the_file_of_another_one_of_the_same_second(tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "find_pg_dump", lambda major: "pg_dump")
    monkeypatch.setattr(backup.timezone, "now", lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    name = connection.settings_dict["NAME"]
    other = tmp_path / f"{name}-20260102T030405Z.unfinished"
    other.write_text("half of it")
    with pytest.raises(BackupError, match=rf"No backup: another one writes {other}; wait until it has ended"):
        backup.back_up(connection, tmp_path)
    assert other.read_text() == "half of it"
    assert [*tmp_path.iterdir()] == [other]


@pytest.mark.django_db
def test_the_password_goes_by_the_environment_alone(tmp_path, monkeypatch):
    seen = SimpleNamespace()

    def run(command, env, **options):
        seen.command, seen.env = command, env
        return SimpleNamespace(returncode=1, stderr="pg_dump: error: no\n")

    monkeypatch.setattr(backup.subprocess, "run", run)
    monkeypatch.setattr(backup, "find_pg_dump", lambda major: "pg_dump")
    parameters = {"dbname": "ops", "user": "me", "password": "pa55", "sslmode": "require", "cursor_factory": object}
    monkeypatch.setattr(connection, "get_connection_params", lambda: parameters)
    with pytest.raises(BackupError, match="No backup: pg_dump: error: no"):
        backup.back_up(connection, tmp_path)
    assert "pa55" not in str(seen.command)
    assert {name: value for name, value in seen.env.items() if name not in os.environ} == {
        "PGDATABASE": "ops",
        "PGUSER": "me",
        "PGPASSWORD": "pa55",
        "PGSSLMODE": "require",
    }
    assert not list(tmp_path.iterdir())
    with pytest.raises(BackupError, match="does not exist; create or mount it first"):
        backup.back_up(connection, tmp_path / "none")
