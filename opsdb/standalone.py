"""ops-db in scripts and notebooks that have no Django project: :func:`opsdb.setup`.

Nothing is configured before the database has answered and fits the installed version, so that a call which fails can be
repeated with another URL, without a new process.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

EXAMPLE = "postgresql://USER:PASSWORD@HOST:5432/NAME"
SCHEMES = ("postgresql", "postgres", "pgsql", "psql")
CONNECT_SECONDS = 10
MIGRATIONS = Path(__file__).with_name("migrations")
APPS = ["opsdb", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.postgres"]
# What libpq calls them, and Django; libpq's other parameters are options.
LOGIN = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}

_configured: dict[str, Any] = {}


def setup(database_url: str | None = None) -> None:
    """Configure Django for the database that a URL names; see :func:`opsdb.setup`."""
    import django
    from django.apps import apps
    from django.conf import ENVIRONMENT_VARIABLE, settings

    url = database_url or os.environ.get("DATABASE_URL", "").strip()
    if _configured:
        if url and _read(url) != _configured:
            raise ImproperlyConfigured(
                "opsdb.setup() has connected this process to another database: start a new process, or restart the"
                " kernel of the notebook"
            )
    elif settings.configured or os.environ.get(ENVIRONMENT_VARIABLE):
        if database_url:
            raise ImproperlyConfigured(
                "The project's settings name the database: call opsdb.setup() without a URL, or in a process without"
                f" {ENVIRONMENT_VARIABLE}"
            )
    else:
        if not url:
            raise ImproperlyConfigured(
                f"No database is named: call opsdb.setup('{EXAMPLE}'), or set the environment variable DATABASE_URL"
            )
        parameters = _read(url)
        _require_fitting_database(parameters)
        settings.configure(
            DATABASES={"default": _for_django(parameters)},
            INSTALLED_APPS=APPS,
            AUTH_USER_MODEL="opsdb.User",
            USE_TZ=True,
        )
        _configured.update(parameters)
    if not apps.ready:
        django.setup()
    if _configured:
        _allow_queries_in_event_loop()


def _read(url: str) -> dict[str, Any]:
    """Return libpq's parameters of a URL; no message holds it, because it has a password."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in SCHEMES:
        what = f"a database of type '{scheme}'" if separator else "no URL"
        raise ImproperlyConfigured(f"DATABASE_URL is {what}, but ops-db needs PostgreSQL: {EXAMPLE}")
    try:
        urlsplit(url)
        parameters = conninfo_to_dict(f"postgresql://{rest}")
    except (ValueError, psycopg.Error):
        parameters = {}
    if not parameters.get("dbname") or "@" in str(parameters["dbname"]):
        raise ImproperlyConfigured(
            f"DATABASE_URL can't be read: it must look like {EXAMPLE}, with special characters in the password"
            " percent-encoded (@ is %40, / is %2F)"
        ) from None
    return {
        "connect_timeout": CONNECT_SECONDS,
        "fallback_application_name": f"ops-db {Path(sys.argv[0]).name}".strip(),
        **parameters,
    }


def _for_django(parameters: dict[str, Any]) -> dict[str, Any]:
    options = {name: value for name, value in parameters.items() if name not in LOGIN}
    login = {LOGIN[name]: value for name, value in parameters.items() if name in LOGIN}
    return {"ENGINE": "django.db.backends.postgresql", **login, "OPTIONS": options}


def _require_fitting_database(parameters: dict[str, Any]) -> None:
    """Raise unless the database answers, and was migrated by the installed version."""
    try:
        with psycopg.connect(**parameters) as connection:
            _require_version(connection.info.server_version)
            has_tables, has_users, may_ask = connection.execute(
                "SELECT to_regclass('change_log') IS NOT NULL, to_regclass('\"user\"') IS NOT NULL,"
                " coalesce(has_table_privilege(to_regclass('django_migrations'), 'SELECT'), false)"
            ).fetchone() or (False, False, False)
            if not has_tables:
                raise ImproperlyConfigured(
                    f"The database {connection.info.dbname} has no tables of ops-db: run `python manage.py"
                    " opsdb_migrate` in the project that owns it, or name another database or search_path"
                )
            if not has_users:
                raise ImproperlyConfigured(
                    "The users of this database are those of a project with a user model of its own: set"
                    " DJANGO_SETTINGS_MODULE to the settings of that project, and call opsdb.setup() without a URL"
                )
            if may_ask:
                found = connection.execute("SELECT name FROM django_migrations WHERE app = 'opsdb'").fetchall()
                _require_migrations({name for (name,) in found})
    except psycopg.Error as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise ImproperlyConfigured(
            f"Can't connect to the database ({reason}): check that it runs, and DATABASE_URL"
        ) from error


def _require_version(found: int) -> None:
    from .checks import MINIMUM_POSTGRESQL

    if found < MINIMUM_POSTGRESQL * 10_000:
        raise ImproperlyConfigured(
            f"ops-db needs PostgreSQL {MINIMUM_POSTGRESQL} or newer, but the server has {found // 10_000}"
        )


def _require_migrations(applied: set[str]) -> None:
    known = {path.stem for path in MIGRATIONS.glob("[0-9]*.py")}
    if unknown := sorted(applied - known):
        raise ImproperlyConfigured(
            f"The database is newer than the installed ops-db, which does not know its migration"
            f" {unknown[0]}: install the version that the database's project has"
        )
    if missing := sorted(known - applied):
        raise ImproperlyConfigured(
            f"The database is older than the installed ops-db, and lacks the migration {missing[0]}:"
            " run `python manage.py opsdb_migrate` in the project that owns it, or install the version that this has"
        )


def _allow_queries_in_event_loop() -> None:
    """Allow queries in cells of a notebook: its kernel runs them in an event loop, where Django refuses queries."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
