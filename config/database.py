"""Which database to use, and the message when it does not respond. No message holds a password."""

import re
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.db import NotSupportedError, OperationalError, ProgrammingError

EXAMPLE = "postgres://USER:PASSWORD@HOST:5432/NAME"
SCHEMES = ("postgres", "postgresql", "pgsql", "psql")
CONNECT_SECONDS = 10
UNDEFINED_TABLE = "42P01"
INSUFFICIENT_PRIVILEGE = "42501"


def from_url(url: str, variable: str = "DATABASE_URL") -> dict:
    """Django's settings for the PostgreSQL database that a URL names.

    variable: where the URL comes from.
    url: postgres://USER:PASSWORD@HOST:PORT/NAME, with libpq's options as its query.
    Raises ImproperlyConfigured for any other database and for a URL that can't be read.
    """
    scheme = url.partition(":")[0].lower() if "://" in url else ""
    if scheme and scheme not in SCHEMES:
        raise ImproperlyConfigured(
            f"{variable} names a database of type '{scheme}', but ops-db needs PostgreSQL: set it to {EXAMPLE}"
        )
    try:
        urlsplit(url)  # environ mends what this refuses
        database = environ.Env.db_url_config(url) if scheme else {}
    except ValueError:
        database = {}
    # An unescaped character of the password ends the host part early; the rest then looks like the name.
    if not database.get("NAME") or "@" in database["NAME"]:
        raise ImproperlyConfigured(
            f"{variable} can't be read: it must look like {EXAMPLE},"
            " with special characters in the password percent-encoded (@ is %40, / is %2F)"
        ) from None
    database.setdefault("OPTIONS", {}).setdefault("connect_timeout", CONNECT_SECONDS)
    database.setdefault("CONN_MAX_AGE", 60)
    database.setdefault("CONN_HEALTH_CHECKS", True)
    return database


def owner_from_url(url: str, name: str) -> dict:
    """What differs for the role that owns the tables, and migrates them: its login, and maybe a way past a pooler.

    name: the database of the application, which has to be the owner's too.
    Raises ImproperlyConfigured as from_url, and for another database.
    """
    return _differing(url, name, "OWNER_DATABASE_URL", "with the role that owns its tables")


def direct_from_url(url: str, name: str) -> dict:
    """What differs for connections past a pooler, by which events are followed.

    name: the database of the application, which has to be the same.
    Raises ImproperlyConfigured as from_url, and for another database.
    """
    return _differing(url, name, "DIRECT_DATABASE_URL", "at the server itself")


def _differing(url, name, variable, which):
    settings = from_url(url, variable)
    if settings["NAME"] != name:
        raise ImproperlyConfigured(
            f"{variable} names the database {settings['NAME']}, and DATABASE_URL {name}: name the same database {which}"
        )
    return {key: settings[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")}


def embedded(folder, account: str) -> dict:
    """Django's settings for the embedded server of a folder; nothing starts before the first connection."""
    return {
        "ENGINE": "opsdb.embedded",
        "NAME": "opsdb",
        "FOLDER": folder,
        "ACCOUNT": account or None,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def require_database() -> None:
    """Connect once, and raise if the database can't be reached or is too old."""
    from django.db import connection

    from opsdb.checks import refuse_old_server

    connection.ensure_connection()
    refuse_old_server(connection)
    connection.close()


def explain(error: Exception) -> str | None:
    """One line with what is wrong and what to set; None for an error of the work itself."""
    first_line = str(error).strip().split("\n")[0].rstrip(".")
    cause = error.__cause__
    sqlstate = getattr(cause, "sqlstate", None)
    if isinstance(error, ProgrammingError) and sqlstate == UNDEFINED_TABLE:
        return f"The database lacks a table ({first_line}): run `python manage.py opsdb_migrate`"
    if isinstance(error, ProgrammingError) and sqlstate == INSUFFICIENT_PRIVILEGE:
        return (
            f"The database role lacks a right ({first_line}): set OWNER_DATABASE_URL to migrate as the owner of the"
            " tables, which then grants the application's role what it needs"
        )
    if isinstance(error, ProgrammingError) and first_line.startswith("invalid connection option"):
        return f"DATABASE_URL can't be used ({first_line}): correct the part after its '?'"
    if isinstance(error, OperationalError) and _is_about_the_connection(sqlstate):
        # The embedded server's message names the remedy already.
        if type(cause).__module__.startswith("opsdb."):
            return first_line
        return f"Can't connect to the database ({first_line}): check that it runs, or set DATABASE_URL={EXAMPLE}"
    if isinstance(error, NotSupportedError) and (
        found := re.search(r"PostgreSQL.* \(?(?:found|has) ([\d.]+)", first_line)
    ):
        # Django has a minimum of its own, below ours, which would mislead.
        return f"ops-db needs PostgreSQL 15 or newer, but the server has {found[1]}: set DATABASE_URL={EXAMPLE}"
    return first_line if isinstance(error, ImproperlyConfigured) else None


def _is_about_the_connection(sqlstate: str | None) -> bool:
    # libpq gives no code when it got no connection. The classes: connection, authorization, no such database, shutdown.
    return sqlstate is None or sqlstate[:2] in {"08", "28", "3D"} or sqlstate[:3] == "57P"
