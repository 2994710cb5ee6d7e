"""The stand-alone project's variables, and what it says when one of them is not as it must be."""

import re
import socket
import sys
import threading

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import ProgrammingError, connection, transaction

from config import database, settings
from opsdb import conf

from .commands import ROOT, manage, manage_several, run, the_one_line
from .old_server import old_server

SECRET = "pa-ss-wo-rd"
PRODUCTION = {
    "DATABASE_URL": f"postgres://ops:{SECRET}@127.0.0.1:9/ops",
    "SECRET_KEY": "x7!" * 20 + "abcdefgh",
    "ALLOWED_HOSTS": "ops.example.org",
}


PAGE = (ROOT / "docs" / "configuration.md").read_text()
VARIABLE_READ = re.compile(
    r'environ(?:\.\w+)?[(\[]\s*"([A-Z_]+)"|"([A-Z_]{6,})" (?:not )?in os\.environ|_secret\(f"\{\w+\}(\w+)"'
)


def test_every_variable_is_in_the_table_with_its_default():
    section = PAGE.partition("\n### Credentials")[0]
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]*?) \|", section, re.MULTILINE))
    # Those of the project come first, then the app's.
    project = [name for name in settings.VARIABLES if name not in conf.DEFAULTS]
    assert list(rows) == [*project, *conf.DEFAULTS]
    for name, (_, default) in settings.VARIABLES.items():
        if isinstance(default, list):
            default = ",".join(default)
        if default not in ("", None, (), {}):
            assert rows[name] == f"`{str(default).lower()}`", name


def test_every_variable_that_the_code_reads_is_on_the_page_and_no_other():
    files = [path for folder in ("opsdb", "config", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    found = {name for path in files for match in VARIABLE_READ.findall(path.read_text()) for name in match if name}
    rows = re.findall(r"^\| ((?:`[A-Z_0-9]+`(?:, )?)+) \|", PAGE, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([A-Z_0-9]+)`", row)}
    suffixes = {name for name in found if name.startswith("_")}
    assert {name.replace("OPSDB_S3_SITE_LOCATION", "") for name in named if "S3_SITE" in name} == suffixes
    prose = {"DJANGO_ALLOW_ASYNC_UNSAFE", "DJANGO_SETTINGS_MODULE"}
    assert all(name in PAGE for name in prose)
    assert found - suffixes - prose - {"PATH", "OWNER_DATABASE_URL"} <= named
    theirs = {name for name in named if name not in settings.VARIABLES and "S3_SITE" not in name}
    assert theirs <= found


def test_cookies_of_sites_at_several_ports_have_names_of_their_own():
    assert values("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME") == ["'sessionid'", "'csrftoken'"]
    named = values("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", COOKIE_SUFFIX="_8001")
    assert named == ["'sessionid_8001'", "'csrftoken_8001'"]
    assert the_one_line(manage("check", COOKIE_SUFFIX="a b")).startswith("COOKIE_SUFFIX must be letters")


DO_NOT_SERVE = {
    f"postgres://ops:{SECRET}@127.0.0.1:9/ops": "Can't connect",
    f"postgres://ops:{SECRET}@no-such-host.invalid/ops": "Can't connect",
    f"postgres://ops:{SECRET}@127.0.0.1:9/ops?sslmod=require": "sslmod",
    f"mysql://ops:{SECRET}@127.0.0.1/ops": "needs PostgreSQL",
    "sqlite:///ops.sqlite3": "needs PostgreSQL",
    f"postgres://ops:{SECRET}@127.0.0.1:port/ops": "percent-encoded",
    f"postgres://ops:{SECRET}@127.0.0.1": "must look like",
    f"postgres://ops:{SECRET}/#?@127.0.0.1/ops": "percent-encoded",
    f"postgres://ops:12/{SECRET}@127.0.0.1/ops": "percent-encoded",
    f"postgres://ops:{SECRET}@[127.0.0.1/ops": "must look like",
    f"ops:{SECRET}@127.0.0.1/ops": "must look like",
}
# The first can't be reached, and the last can't be read; what is wrong besides is found in the same way.
ONE_OF_EACH = [next(iter(DO_NOT_SERVE)), next(reversed(DO_NOT_SERVE))]


@pytest.mark.parametrize("url", DO_NOT_SERVE)
def test_a_database_that_does_not_serve_gets_one_line(url):
    commands = ["runserver", "migrate"] if url in ONE_OF_EACH else ["runserver"]
    for one in manage_several(*commands, DATABASE_URL=url, SECRET_KEY="x"):
        message = the_one_line(one)
        assert DO_NOT_SERVE[url] in message, one.args
        assert "DATABASE_URL" in message, one.args
        assert SECRET not in message, one.args


@pytest.mark.parametrize("version", ["13.11", "14.12"])
def test_an_old_server_gets_one_line(version):
    with old_server(version) as port:
        url = f"postgres://ops:{SECRET}@127.0.0.1:{port}/ops"
        done = manage_several("migrate", "runserver", "dbshell", DATABASE_URL=url, SECRET_KEY="x")
    for one in done:
        message = the_one_line(one)
        assert "PostgreSQL 15 or newer" in message, one.args
        assert version.split(".")[0] in message, one.args
        assert "DATABASE_URL" in message, one.args


def test_the_owner_has_a_login_of_its_own():
    owner = database.owner_from_url(f"postgres://owner:{SECRET}@db:6432/ops?sslmode=require", "ops")
    assert (owner["USER"], owner["PASSWORD"], owner["HOST"], owner["PORT"]) == ("owner", SECRET, "db", 6432)
    assert owner["OPTIONS"]["sslmode"] == "require"


def test_the_owner_owns_the_database_of_the_application():
    with pytest.raises(ImproperlyConfigured) as caught:
        database.owner_from_url(f"postgres://owner:{SECRET}@db/other", "ops")
    assert str(caught.value).startswith("OWNER_DATABASE_URL names the database other, and DATABASE_URL ops:")
    direct = database.direct_from_url(f"postgres://app:{SECRET}@server:5432/ops", "ops")
    assert (direct["USER"], direct["HOST"], direct["PORT"]) == ("app", "server", 5432)
    with pytest.raises(
        ImproperlyConfigured, match="^DIRECT_DATABASE_URL names the database other, and DATABASE_URL ops"
    ):
        database.direct_from_url("postgres://app@server/other", "ops")
    with pytest.raises(ImproperlyConfigured, match="^OWNER_DATABASE_URL names a database of type 'mysql'"):
        database.owner_from_url("mysql://owner@db/ops", "ops")
    message = the_one_line(manage("check", OWNER_DATABASE_URL=f"postgres://owner:{SECRET}@db/ops"))
    assert message.startswith("OWNER_DATABASE_URL is set without DATABASE_URL")


@pytest.mark.django_db
def test_a_right_that_the_role_lacks_is_explained():
    with pytest.raises(ProgrammingError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE api_token")
    explained = database.explain(caught.value)
    assert explained.startswith("The database role lacks a right (permission denied for table api_token)")
    assert "OWNER_DATABASE_URL" in explained


def test_something_else_behind_the_port_gets_one_line():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            client, _ = listener.accept()
            client.recv(100)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            client.close()

        threading.Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        done = manage("migrate", DATABASE_URL=f"postgres://ops:x@127.0.0.1:{port}/ops", SECRET_KEY="x")
    assert "Can't connect" in the_one_line(done)


def test_a_database_of_ones_own_needs_a_secret_key():
    message = the_one_line(manage("migrate", DATABASE_URL=PRODUCTION["DATABASE_URL"]))
    assert message.startswith("Set SECRET_KEY")


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("HTTPS", "ture", "HTTPS must be true or false, not 'ture'"),
        ("DEBUG", "2", "DEBUG must be true or false, not '2'"),
        *[
            (name, "0x2", f"{name} must be a whole number from 1, not '0x2'")
            for name, default in conf.DEFAULTS.items()
            if type(default) is int and name != "OPSDB_PROXIES"
        ],
        ("OPSDB_PROXIES", "-1", "OPSDB_PROXIES must be a whole number from 0, not '-1'"),
        ("OPSDB_TEAM_ROLES", "admin", 'OPSDB_TEAM_ROLES must be a JSON object of texts, such as {"team": "role"}'),
        ("OPSDB_MIN_ARCHIVE_COPIES", "0", "OPSDB_MIN_ARCHIVE_COPIES must be a whole number from 1, not '0'"),
        ("OPSDB_PRODUCTION", "ture", "OPSDB_PRODUCTION must be true or false, not 'ture'"),
        ("SECRET_KEY_FILE", "/nowhere/at/all", "SECRET_KEY_FILE: /nowhere/at/all can't be read"),
    ],
)
def test_a_variable_that_can_not_be_read_gets_one_line(variable, value, says):
    assert says in the_one_line(manage("check", **{variable: value}))


def test_production_passes_the_deployment_check_and_help_needs_no_database():
    checked, helped = manage_several("check --deploy --fail-level WARNING", "migrate --help", **PRODUCTION)
    assert checked.returncode == 0, checked.stderr
    assert (helped.returncode, helped.stderr) == (0, "")


def values(*names, **environment) -> list[str]:
    """What some settings are under some variables."""
    script = "import django.conf, sys\nfor n in sys.argv[1:]: print(repr(getattr(django.conf.settings, n)))"
    done = run(sys.executable, "-c", script, *names, DJANGO_SETTINGS_MODULE="config.settings", **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_protection_is_the_default():
    assert values("DEBUG", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT") == [
        "False",
        "True",
        "True",
        "True",
    ]


OTHER = {bool: "true", int: "77", str: "other", tuple: "one, two", dict: '{"team": "role"}'}
READ = {"true": True, "77": 77, "one, two": ["one", "two"], '{"team": "role"}': {"team": "role"}}


def test_every_setting_of_the_app_is_a_variable():
    environment = {name: OTHER[type(default)] for name, default in conf.DEFAULTS.items()}
    assert values(*environment, **environment) == [repr(READ.get(text, text)) for text in environment.values()]
    assert values(*environment) == [repr(default) for default in conf.DEFAULTS.values()]


def test_a_secret_may_come_from_a_file_and_hold_any_character(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("$not-a-variable\n")
    assert values("SECRET_KEY", SECRET_KEY_FILE=str(secret)) == ["'$not-a-variable'"]


def test_the_password_of_a_url_may_hold_any_character():
    (database,) = values("DATABASES", DATABASE_URL="postgres://ops:a%40b%2Fc%23%24@db/ops", SECRET_KEY="x")
    assert "'a@b/c#$'" in database


def test_replicas_are_named_with_their_urls():
    urls = '{"chile": "postgres://ops:secret@chile/ops"}'
    names = ("DATABASES", "DATABASE_ROUTERS", "OPSDB_REPLICAS")
    databases, routers, replicas = values(*names, REPLICA_DATABASE_URLS=urls, **PRODUCTION)
    assert "'HOST': 'chile'" in databases
    assert (routers, replicas) == ("['opsdb.routers.PrimaryReplicaRouter']", "('chile',)")
    assert values("DATABASE_ROUTERS", "OPSDB_REPLICAS") == ["[]", "()"]
    message = the_one_line(manage("check", REPLICA_DATABASE_URLS='{"default": "postgres://ops@db/ops"}'))
    assert message == "REPLICA_DATABASE_URLS must not name 'default', which is the primary"


def test_the_local_secret_is_made_once_and_for_the_owner_only(tmp_path):
    path = tmp_path / "local" / "secret_key"
    first = settings.local_secret(path)
    assert len(first) > 50
    assert settings.local_secret(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["secret_key"]


def test_with_a_database_url_nothing_embedded_is_imported():
    script = (
        "import django, sys; django.setup()\n"
        "from django.db import connection\n"
        "assert connection.vendor == 'postgresql'\n"
        "print([name for name in sys.modules if 'embedded' in name])"
    )
    done = run(sys.executable, "-c", script, DJANGO_SETTINGS_MODULE="config.settings", **PRODUCTION)
    assert done.stdout == "[]\n", done.stderr


def test_missing_tables_name_the_command_that_makes_them(tmp_path):
    from psycopg.errors import UndefinedTable

    error = ProgrammingError('relation "site" does not exist\nLINE 1: …')
    error.__cause__ = UndefinedTable()
    assert "manage.py opsdb_migrate" in database.explain(error)
