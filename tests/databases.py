"""Handing the database of a test to other processes."""

from urllib.parse import quote, urlencode

from django.db import connection


def url_of_test_database() -> str:
    """Return the DATABASE_URL of the database that this test has."""
    parameters = connection.get_connection_params()
    user, password = quote(parameters.get("user") or ""), quote(parameters.get("password") or "", safe="")
    login = f"{user}:{password}@" if password else f"{user}@" if user else ""
    host, port = parameters.get("host") or "", parameters.get("port") or ""
    options = urlencode({"host": host}) if host.startswith("/") else ""
    place = "" if options else f"{host}:{port}" if port else host
    return f"postgres://{login}{place}/{parameters['dbname']}" + (f"?{options}" if options else "")
