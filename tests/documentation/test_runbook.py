"""docs/runbook.md, step by step, from the tests' server to an empty one of another data directory and back in time."""

import os
import pwd
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from opsdb.embedded import programs
from opsdb.models import PackageState, RawDataPackage, Site
from opsdb.testing.nights import make_night
from opsdb.workflows import validate_rules
from tests import clusters
from tests.commands import DECIDING, ROOT
from tests.databases import as_owner, own_copy, put_guards_back, url_of_test_database
from tests.documentation.pages import blocks_of

PAGE = ROOT / "docs" / "runbook.md"
CLIENTS = ("pg_dump", "pg_restore", "psql", "pg_basebackup")
BACKUPS, DATA = "/var/backups/ops-db", "/var/lib/postgresql/data"


def client_folder():
    """Return the folder of PostgreSQL's client programs."""
    folder = programs.find(None)
    return folder if all((folder / name).exists() for name in CLIENTS) else None


LACKING = "there are no client programs of PostgreSQL: install ops-db[embedded]"
pytestmark = pytest.mark.skipif(not (client_folder() or os.environ.get("REQUIRE_RUNBOOK")), reason=LACKING)


class Administrator:
    """Types the blocks of the page, with folders of the test in the place of those of a machine."""

    def __init__(self, folder, server):
        self.folder, self.server = folder, server
        self.backups = folder / "backups"
        (self.backups / "wal").mkdir(parents=True)
        (self.backups / "wal").chmod(0o777)
        (folder / "manage.py").symlink_to(ROOT / "manage.py")
        self.environment = {name: value for name, value in os.environ.items() if name not in DECIDING} | {
            "PATH": f"{os.path.dirname(sys.executable)}:{client_folder()}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SECRET_KEY": "only-for-tests",
            "DATABASE_URL": url_of_test_database(),
            "OWNER_DATABASE_URL": url_of_test_database(owner=True),
            "NEW_DATABASE_URL": f"postgres://{clusters.OWNER}@/ops?host={server.path}&port={clusters.PORT}",
        }

    def placed(self, text):
        """Return a block with the test's folders."""
        return text.replace(BACKUPS, str(self.backups)).replace(DATA, str(self.server.path / "data"))

    def type(self, text):
        """Run a block in a shell that ends at the first error, and return what it printed."""
        command = ["bash", "-euo", "pipefail", "-c", self.placed(text)]
        done = subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def give_to_server(self, path):
        """Let the account of the server own a folder, as its administrator would have typed as that account."""
        if not os.geteuid():
            account = pwd.getpwnam("nobody")
            for each in (path, *path.rglob("*")):
                os.chown(each, account.pw_uid, account.pw_gid)


@pytest.fixture
def administrator(transactional_db, monkeypatch):
    """Somebody with a database in use, and an empty one on another server."""
    with own_copy("runbook"), clusters.folder() as folder:
        put_guards_back()
        make_night(executions=2)
        server = clusters.Cluster(folder / "server").start()
        server.execute("CREATE DATABASE ops")
        try:
            yield Administrator(folder, server)
        finally:
            server.stop()
            connection.close()


def refused(server, statement):
    with pytest.raises(psycopg.errors.IntegrityError) as caught:
        server.execute(statement, database="ops")
    return str(caught.value)


@pytest.mark.django_db(transaction=True)
def test_every_step_from_backup_to_another_server_and_back_in_time(administrator):
    blocks = [block for block in blocks_of(PAGE) if not block.file]
    [script] = [block for block in blocks_of(PAGE) if block.file]
    (administrator.folder / script.file).write_text(script.text)
    shell = iter([block.text for block in blocks if block.language == "sh"])
    [holders, archiving] = [block.text for block in blocks if block.language == "sql"]
    server = administrator.server

    # A deployment, with a backup only where there is something to migrate.
    assert "[X] 0004_triggers" in administrator.type(next(shell))
    assert "Nothing to migrate, and so no backup." in administrator.type(next(shell))
    assert " error " not in administrator.type(next(shell))
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(holders)
    connection.close()
    # Back by a migration, and forward again.
    assert "Unapplying opsdb.0004_triggers... OK" in administrator.type(next(shell))
    assert "Migrated opsdb.0004_triggers" in administrator.type(next(shell))
    connection.close()
    assert validate_rules() == []
    connection.close()

    # To another server.
    for statement in archiving.split(";\n"):
        server.execute(administrator.placed(statement))
    server.stop()
    server.start()
    administrator.type(next(shell))
    administrator.type(next(shell))
    checked = administrator.type(next(shell))
    assert "Nothing to migrate." in checked and " error " not in checked
    assert administrator.type(next(shell)) == ""
    compared = (administrator.folder / "after").read_text().splitlines()
    counts = {line.split("|")[0]: int(line.split("|")[1]) for line in compared}
    assert counts["raw_data_package"] == RawDataPackage.objects.count() > 0 and counts["change_log"]

    # Rules and history work in the copy.
    package = RawDataPackage.objects.filter(state=PackageState.ARCHIVED).first()
    assert "raw_data_package" in refused(
        server, f"UPDATE raw_data_package SET size_bytes = 1 WHERE id = '{package.pk}'"
    )
    assert "executed_obs_unit" in refused(server, "DELETE FROM executed_obs_unit")
    site = Site.objects.earliest("pk")
    changes = "SELECT count(*) FROM change_log WHERE table_name = 'site' AND operation = 'update'"
    [[before]] = server.execute(changes, database="ops")
    server.execute(f"UPDATE site SET description = 'moved' WHERE id = {site.pk}", database="ops")
    assert server.execute(changes, database="ops") == [(before + 1,)]

    # Back to the moment before a mistake.
    administrator.type(next(shell))
    server.execute("UPDATE site SET description = 'wanted'", database="ops")
    [[moment]] = server.execute("SELECT clock_timestamp()::text", database="ops")
    server.execute("UPDATE site SET description = 'a mistake'", database="ops")
    [[segment]] = server.execute("SELECT pg_walfile_name(pg_current_wal_lsn())")
    server.execute("SELECT pg_switch_wal()", "CHECKPOINT")
    wait(lambda: server.execute(f"SELECT last_archived_wal >= '{segment}' FROM pg_stat_archiver") == [(True,)])
    server.stop()
    administrator.environment["MOMENT"] = moment
    administrator.type(next(shell))
    administrator.give_to_server(server.path / "data")
    server.start()
    wait(lambda: server.execute("SELECT pg_is_in_recovery()") == [(False,)])
    assert server.execute("SELECT DISTINCT description FROM site", database="ops") == [("wanted",)]
    assert "executed_obs_unit" in refused(server, "DELETE FROM executed_obs_unit")
    assert next(shell, None) is None


def wait(until):
    deadline = time.monotonic() + 30
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def writing(count):
    """Somebody who writes all the time, and would give up after ten seconds of waiting for a lock."""
    ended, failures = threading.Event(), []

    def write():
        with psycopg.connect(url_of_test_database(), autocommit=True) as session:
            session.execute("SET lock_timeout = '10s'")
            while not ended.is_set():
                try:
                    session.execute("UPDATE site SET description = %s", [str(len(count))])
                except psycopg.Error as error:
                    failures.append(error)
                count.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()
    assert failures == []


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_longer_than_the_lock_timeout_while_a_migration_waits(monkeypatch):
    def migrate(*args, **options):
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE site ADD COLUMN later text")

    def goes_on():
        reached = len(count) + 3
        wait(lambda: len(count) >= reached)

    monkeypatch.setattr("django.core.management.commands.migrate.Command.handle", migrate)
    count = []
    with own_copy("load"), as_owner():
        make_night(executions=1)
        MigrationRecorder.Migration.objects.filter(app="opsdb").latest("name").delete()
        with writing(count):
            with psycopg.connect(url_of_test_database()) as reader:
                reader.execute("LOCK TABLE site IN ACCESS SHARE MODE")
                goes_on()
                with pytest.raises(CommandError, match="not released within 0.2 seconds"):
                    call_command("opsdb_migrate", lock_timeout=0.2)
                goes_on()
            call_command("opsdb_migrate", lock_timeout=5, verbosity=0)
            goes_on()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(later) FROM site")
        connection.close()
