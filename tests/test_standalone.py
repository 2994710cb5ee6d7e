"""Scripts without a project: what opsdb.setup() connects to, and what it refuses."""

import asyncio
import os
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

import opsdb
from opsdb import standalone
from opsdb.database.roles import grant
from tests.commands import run
from tests.databases import as_owner, own_copy, url_of_test_database

READER = "opsdb_test_script"
SCRIPT = """
import os, sys
from django.core.exceptions import ImproperlyConfigured

import opsdb

def refusal(*arguments):
    try:
        opsdb.setup(*arguments)
    except ImproperlyConfigured as error:
        return str(error)

try:
    import opsdb.models
except ImproperlyConfigured as error:
    print("before:", error)
print("no url:", refusal())
print("no server:", refusal("postgresql://anna:secret@127.0.0.1:1/opsdb"))
os.environ["DATABASE_URL"] = sys.argv[1]
opsdb.setup()
opsdb.setup()
opsdb.setup(sys.argv[1])
print("another:", refusal("postgresql://other/opsdb"))
from opsdb.models import ObsUnit, Site, User
from django.db import DatabaseError, connection

print(Site.objects.count(), ObsUnit.objects.to_dataframe("name").shape, ObsUnit.objects.filter(slots=None).exists())
with connection.cursor() as cursor:
    cursor.execute("SELECT current_setting('application_name'), current_user")
    print(*cursor.fetchone())
try:
    Site.objects.create(name="x", short_name="x")
except DatabaseError as error:
    print("write:", type(error).__name__)
print("loaded:" + "".join({"astropy", "erfa"} & {*sys.modules}))
"""


def refusal(call, *arguments):
    with pytest.raises(ImproperlyConfigured) as caught:
        call(*arguments)
    return str(caught.value)


@pytest.fixture
def reader(transactional_db):
    """A role that only reads, in a database of its own."""
    with own_copy("scripts"), as_owner():
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE ROLE {READER}")
            cursor.execute(f"GRANT {READER} TO CURRENT_USER")
            grant(connection, READER, reads_only=True)
        yield url_of_test_database().replace(settings.APPLICATION_ROLE, READER)
        with connection.cursor() as cursor:
            cursor.execute(f"DROP OWNED BY {READER}")
            cursor.execute(f"DROP ROLE {READER}")


@pytest.mark.django_db(transaction=True)
def test_a_script_reads_with_a_role_that_only_reads(reader, tmp_path):
    script = tmp_path / "look.py"
    script.write_text(SCRIPT)
    done = run(sys.executable, script, reader, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == (
        "before: Django is not configured: call opsdb.setup() before the import, or set DJANGO_SETTINGS_MODULE in a"
        " project"
    )
    assert lines[1].startswith("no url: No database is named: call opsdb.setup('postgresql://USER")
    assert lines[2].startswith("no server: Can't connect to the database (") and "secret" not in lines[2]
    assert lines[3].startswith("another: opsdb.setup() has connected this process to another database")
    assert lines[4:] == ["0 (0, 1) False", f"ops-db look.py {READER}", "write: ProgrammingError", "loaded:"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_does_not_fit_is_refused(owner):
    with own_copy("others"), as_owner(), connection.cursor() as cursor:
        parameters = standalone._read(url_of_test_database(owner=True))

        def reason():
            return refusal(standalone._require_fitting_database, parameters)

        standalone._require_fitting_database(parameters)
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('opsdb', '9999_later', now())")
        assert "newer than the installed ops-db, which" in reason() and "9999_later" in reason()
        cursor.execute("DELETE FROM django_migrations WHERE name IN ('9999_later', '0004_triggers')")
        assert "lacks the migration 0004_triggers" in reason()
        cursor.execute('ALTER TABLE "user" RENAME TO people')
        assert "a user model of its own" in reason()
        cursor.execute("ALTER TABLE change_log RENAME TO something")
        assert "has no tables of ops-db" in reason()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://anna:secret@host/db", "a database of type 'mysql'"),
        ("sqlite:////tmp/db", "a database of type 'sqlite'"),
        ("opsdb", "no URL"),
        ("postgresql://anna:secret@host", "can't be read"),
        ("postgresql://anna:se/cret@host/db", "can't be read"),
        ("postgresql://anna:secret@host/db?no_such=1", "can't be read"),
        ("postgresql://anna:%zzsecret@host/db", "can't be read"),
    ],
)
def test_a_url_that_is_none_of_postgresql_is_refused_without_its_password(url, reason):
    message = refusal(standalone._read, url)
    assert reason in message and "secret" not in message and "postgresql://USER" in message


def test_a_url_becomes_settings_of_django():
    found = standalone._for_django(standalone._read("postgres://anna:p%40ss@host:6543/db?sslmode=require"))
    options = found.pop("OPTIONS")
    assert found == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "db",
        "USER": "anna",
        "PASSWORD": "p@ss",
        "HOST": "host",
        "PORT": "6543",
    }
    assert options["sslmode"] == "require" and options["connect_timeout"] == standalone.CONNECT_SECONDS


def test_an_old_server_is_refused():
    assert "PostgreSQL 15 or newer, but the server has 14" in refusal(standalone._require_version, 140_011)


def test_within_a_project_its_settings_hold(monkeypatch):
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)

    async def serve():
        opsdb.setup()

    asyncio.run(serve())
    # A server that serves from a loop keeps Django's guard.
    assert "DJANGO_ALLOW_ASYNC_UNSAFE" not in os.environ
    assert "settings name the database" in refusal(opsdb.setup, "postgresql://host/db")
