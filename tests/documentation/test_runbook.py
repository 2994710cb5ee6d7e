"""docs/runbook.md, step by step, from the tests' server to an empty one of another data directory and back in time."""

import threading
import time
from contextlib import contextmanager

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from opsdb.models import RawDataPackage
from opsdb.testing.nights import make_night
from opsdb.workflows import validate_rules
from tests import clusters
from tests.databases import as_owner, own_copy, put_guards_back, url_of_test_database
from tests.documentation.administrator import (
    PAGE,
    Administrator,
    assert_rules_and_history_work,
    refused,
    with_clients,
)
from tests.documentation.pages import blocks_of

pytestmark = with_clients


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


@pytest.mark.django_db(transaction=True)
def test_every_step_from_backup_to_another_server_and_back_in_time(administrator):
    blocks = [block for block in blocks_of(PAGE) if not block.file]
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
    counts = administrator.compared()
    assert counts["raw_data_package"] == RawDataPackage.objects.count() > 0 and counts["change_log"]

    assert_rules_and_history_work(server)

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
