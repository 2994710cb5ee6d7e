"""What the app says to a host project, before anything fails."""

import sys
from types import SimpleNamespace

import pytest
from django.db import NotSupportedError, connection

from opsdb import checks, conf

from .commands import run
from .databases import as_owner

HOST = """
SECRET_KEY = "x"
INSTALLED_APPS = ["opsdb", "django.contrib.contenttypes", "django.contrib.auth", "django.contrib.postgres"]
AUTH_USER_MODEL = "opsdb.User"
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
POSTGRESQL = {"ENGINE": "django.db.backends.postgresql", "NAME": "ops"}
"""


def check_host(tmp_path, more: str) -> str:
    """What `check` says in a host project with these settings."""
    (tmp_path / "host.py").write_text(HOST + more)
    done = run(
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from django.core.management import execute_from_command_line as run; run(['host', 'check'])",
        DJANGO_SETTINGS_MODULE="host",
    )
    return done.stdout + done.stderr


def test_another_engine_is_refused_with_what_to_set(tmp_path):
    said = check_host(tmp_path, 'DATABASES = {"default": SQLITE}')
    assert "opsdb.E001" in said
    assert "Set the ENGINE of DATABASES['default'] to 'django.db.backends.postgresql'" in said


def test_another_engine_beside_ours_is_no_matter(tmp_path):
    router = (
        "class Router:\n"
        "    def db_for_read(self, model, **hints):\n"
        "        return 'ops' if model._meta.app_label == 'opsdb' else None\n"
        "    db_for_write = db_for_read\n"
    )
    (tmp_path / "routers.py").write_text(router)
    databases = 'DATABASES = {"default": SQLITE, "ops": POSTGRESQL}\n'
    assert "opsdb.E001" in check_host(tmp_path, databases)
    assert "opsdb.E001" not in check_host(tmp_path, databases + 'DATABASE_ROUTERS = ["routers.Router"]')


def test_an_unknown_setting_is_refused_with_the_nearest_name(settings, monkeypatch):
    monkeypatch.setitem(conf.DEFAULTS, "OPSDB_MIN_COPIES", 1)
    settings.OPSDB_MIN_COPY = 2
    (error,) = checks.check_settings(None)
    assert error.id == "opsdb.E002"
    assert error.hint == "Did you mean OPSDB_MIN_COPIES?"


def test_a_known_setting_passes_and_overrides_the_default(settings, monkeypatch):
    monkeypatch.setitem(conf.DEFAULTS, "OPSDB_MIN_COPIES", 1)
    assert conf.get("OPSDB_MIN_COPIES") == 1
    settings.OPSDB_MIN_COPIES = 2
    assert checks.check_settings(None) == []
    assert conf.get("OPSDB_MIN_COPIES") == 2


def connected(alias="default", vendor="postgresql", version=150_000):
    return SimpleNamespace(alias=alias, vendor=vendor, pg_version=version)


def test_an_old_server_is_refused_on_connecting():
    with pytest.raises(NotSupportedError, match="needs PostgreSQL 15 or newer, but the server has 14"):
        checks.refuse_old_server_on_connect(connection=connected(version=140_012))
    checks.refuse_old_server_on_connect(connection=connected())


def test_an_old_server_of_other_apps_is_no_matter():
    checks.refuse_old_server_on_connect(connection=connected(alias="legacy", version=120_000))
    checks.refuse_old_server_on_connect(connection=connected(vendor="sqlite"))


@pytest.mark.parametrize(
    ("peppers", "found"),
    [
        ([], []),
        (["x" * 32], []),
        (("x" * 32, "y" * 40), []),
        (["x" * 31], ["opsdb.E004"]),
        (["x" * 32, ""], ["opsdb.E004"]),
        ("x" * 64, ["opsdb.E004"]),
        ([b"x" * 32], ["opsdb.E004"]),
    ],
)
def test_a_pepper_that_can_be_guessed_is_refused(settings, peppers, found):
    settings.OPSDB_TOKEN_PEPPERS = peppers
    errors = checks.check_token_peppers(None)
    assert [error.id for error in errors] == found
    assert not any("xxx" in f"{error}" for error in errors)


ROUTER = """
class Router:
    def db_for_read(self, model, **hints):
        return {read!r} if model._meta.app_label in {apps} else None

    def db_for_write(self, model, **hints):
        return {write!r} if model._meta.app_label in {apps} else None
"""


def routed(tmp_path, apps, read="ops", write="ops") -> str:
    (tmp_path / "routers.py").write_text(ROUTER.format(apps=apps, read=read, write=write))
    return 'DATABASES = {"default": POSTGRESQL, "ops": POSTGRESQL}\nDATABASE_ROUTERS = ["routers.Router"]\n'


def test_users_in_another_database_are_refused(tmp_path):
    said = check_host(tmp_path, routed(tmp_path, ("opsdb",)))
    assert "opsdb.E005" in said
    assert "those of auth.Permission to 'default'" in said
    assert "Let the router send the apps auth, contenttypes, opsdb to the same database." in said
    assert "opsdb.E005" not in check_host(tmp_path, routed(tmp_path, ("opsdb", "auth", "contenttypes")))


def test_times_without_a_zone_and_a_missing_app_are_refused(settings, monkeypatch):
    assert checks.check_time_zones(None) == checks.check_postgres_app(None) == []
    settings.USE_TZ = False
    (error,) = checks.check_time_zones(None)
    assert error.id == "opsdb.E006"
    monkeypatch.setattr(checks.apps, "is_installed", lambda name: False)
    (error,) = checks.check_postgres_app(None)
    assert error.id == "opsdb.E007"


@pytest.mark.parametrize(("zone", "errors"), [(None, 0), ("UTC", 0), ("America/Santiago", 1)])
def test_a_database_is_read_and_written_in_utc(monkeypatch, zone, errors):
    monkeypatch.setitem(connection.settings_dict, "TIME_ZONE", zone)
    found = checks.check_time_zones(None)
    assert [(error.id, str(zone) in error.msg) for error in found] == [("opsdb.E006", True)] * errors


@pytest.mark.django_db
def test_a_late_change_of_the_user_model_is_refused(settings):
    assert checks.check_user_model(None, databases=["default"]) == []
    settings.AUTH_USER_MODEL = "auth.Permission"
    (error,) = checks.check_user_model(None, databases=["default"])
    assert error.id == "opsdb.E008"
    assert "made for users in the table" in error.msg


@pytest.mark.django_db
def test_users_that_were_migrated_before_ours_are_refused():
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'opsdb'")
        cursor.execute("ALTER TABLE api_token DROP CONSTRAINT IF EXISTS " + foreign_key_to_user(cursor))
        (error,) = checks.check_user_model(None, databases=["default"])
    assert "migrated with other users before" in error.msg


def foreign_key_to_user(cursor) -> str:
    cursor.execute(
        "SELECT quote_ident(conname) FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]"
        " WHERE conrelid = 'api_token'::regclass AND contype = 'f' AND attname = 'user_id'"
    )
    return cursor.fetchone()[0]


@pytest.mark.django_db
def test_reading_elsewhere_within_a_transaction_is_warned_of(monkeypatch):
    assert checks.check_reads_in_transactions(None, databases=["default"]) == []
    monkeypatch.setattr(checks.router, "db_for_read", lambda model: "replica")
    (warning,) = checks.check_reads_in_transactions(None, databases=["default"])
    assert warning.id == "opsdb.W003"
