"""What ops-db does around every request."""

from contextlib import ExitStack, suppress

import psycopg
from django.conf import settings
from django.core.signals import request_finished
from django.db import OperationalError, connections
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from . import conf
from .database.local_settings import set_locally
from .replication import newest_position, position_text, read_position, replica_aliases, session_that_has_seen
from .workflows import attributed

QUERY_CANCELED = "57014"  # PostgreSQL manual, appendix A


class AttributionMiddleware:
    """Write into the change log which user and which request changed a row.

    Put it after the middleware that finds the user. It asks nothing of the database before something is changed.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with attributed(user=lambda: getattr(request, "user", None), origin=f"{request.method} {request.path}"):
            return self.get_response(request)


class ReadYourWritesMiddleware:
    """Show no request an older state than the same client has seen, where ``OPSDB_REPLICAS`` are read.

    The position in the write-ahead log is sent to browsers in a cookie, and to programs in the header
    ``Opsdb-Position``, which they may send back. Put it before the first middleware that asks the database.
    """

    COOKIE = "opsdb_position"
    HEADER = "Opsdb-Position"

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not replica_aliases():
            return self.get_response(request)
        given = [request.COOKIES.get(self.COOKIE, ""), request.headers.get(self.HEADER, "")]
        before = max(read_position(text) or 0 for text in given)
        with session_that_has_seen(before):
            response = self.get_response(request)
            if (newest := newest_position()) != before:
                position = position_text(newest)
                response.headers[self.HEADER] = position
                response.set_cookie(
                    self.COOKIE, position, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
                )
        return response


class StatementTimeoutMiddleware:
    """Stop every statement of a request that takes longer than ``OPSDB_STATEMENT_TIMEOUT_SECONDS``.

    Put it before the first middleware that asks the database. It asks nothing itself before the request does. The limit
    lasts until the answer was sent, so that a download is limited, too. It is set for the session, and for each
    transaction where ``DISABLE_SERVER_SIDE_CURSORS`` means that a pooler gives the session to others after each.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with ExitStack() as stack:
            for connection in connections.all():
                if connection.vendor == "postgresql" and connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
                    _limit_transactions(connection)
                elif connection.vendor == "postgresql":
                    stack.enter_context(connection.execute_wrapper(_LimitBeforeStatements(connection)))
            return self.get_response(request)

    def process_exception(self, request, exception):
        """Answer when a statement was stopped: in the admin with a page, elsewhere with text, or JSON if preferred."""
        if not was_stopped(exception):
            return None
        text = _(
            "The database needed more than %(seconds)s s for a part of this, and was stopped. Ask for less at a time, "
            "or try again later."
        ) % {"seconds": conf.get("OPSDB_STATEMENT_TIMEOUT_SECONDS")}
        match = request.resolver_match
        page = ["text/html"] if match and "admin" in match.app_names else []
        preferred = request.get_preferred_type([*page, "text/plain", "application/json"])
        if preferred == "application/json":
            return JsonResponse({"detail": text}, status=503)
        if preferred == "text/html":
            return render(request, "admin/opsdb/too_slow.html", {"text": text}, status=503)
        return HttpResponse(f"{text}\n", content_type="text/plain; charset=utf-8", status=503)


def was_stopped(error: Exception) -> bool:
    """Return whether the error is that of a statement that took too long."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) == QUERY_CANCELED


def _limit() -> str:
    return f"{round(1000 * conf.get('OPSDB_STATEMENT_TIMEOUT_SECONDS'))}ms"


def _limit_transactions(connection) -> None:
    if getattr(connection, "opsdb_limits_transactions", None) is None:
        connection.opsdb_limits_transactions = limits = ExitStack()
        limits.enter_context(set_locally(connection, "statement_timeout", _limit()))


class _LimitBeforeStatements:
    """Wrapper of a connection's statements, which sets the limit before the first of them."""

    def __init__(self, connection):
        self.connection = connection
        self.is_set = self.was_in_transaction = False

    def __call__(self, execute, sql, params, many, context):
        # The end of a transaction may have undone what was set in it.
        if not self.is_set or (self.was_in_transaction and not self.connection.in_atomic_block):
            with self.connection.wrap_database_errors, self.connection.connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, false)", [_limit()])
            self.is_set, self.was_in_transaction = True, self.connection.in_atomic_block
            self.connection.opsdb_is_limited = True
        return execute(sql, params, many, context)


def lift_limits(**kwargs) -> None:
    """Let connections be without the limit after a request, as they are in commands."""
    for connection in connections.all(initialized_only=True):
        if limits := getattr(connection, "opsdb_limits_transactions", None):
            connection.opsdb_limits_transactions = None
            limits.close()
        if getattr(connection, "opsdb_is_limited", False):
            connection.opsdb_is_limited = False
            if connection.connection is not None:
                # A transaction that has failed takes no statement; the next request sets the limit anyway.
                with suppress(psycopg.Error), connection.connection.cursor() as cursor:
                    cursor.execute("RESET statement_timeout")


request_finished.connect(lift_limits)
