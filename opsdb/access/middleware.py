"""Authentication of requests by ``Authorization: Bearer opsdb_…``, under WSGI and ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from opsdb import tokens

from .addresses import client_address
from .authentication import TokenRefused, authenticate_token
from .users import TokenUser

SCHEME = "Bearer"


def secret_in(request: HttpRequest) -> str | None:
    """Return the secret of ops-db that a request carries (RFC 6750, section 2.1), or None.

    Tokens of others, such as a JWT of the project, are for whoever issued them.
    """
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    secret = text.strip()
    return secret if scheme.lower() == SCHEME.lower() and secret.startswith(tokens.PREFIX) else None


def unauthorized(error: TokenRefused) -> HttpResponse:
    """Return the answer to a token that is refused (RFC 6750, section 3)."""
    response = JsonResponse({"detail": str(error)}, status=401)
    response["WWW-Authenticate"] = f'{SCHEME} error="invalid_token"'
    return response


class TokenMiddleware:
    """Let requests with a token act for its user, narrowed to the token's scopes.

    ``request.user`` is the user, ``request.auth`` the token. A request without the header, or with a token of another
    issuer, is left alone; a token that is refused is answered with 401. Put it after the middleware that finds the user
    of a session, and before ``AttributionMiddleware``. Such requests need no CSRF token, because no browser sends the
    header by itself.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if iscoroutinefunction(self):
            return self._acall(request)
        if refusal := identify_by_token(request):
            return refusal
        response: HttpResponseBase = self.get_response(request)
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        if secret_in(request) is not None and (refusal := await sync_to_async(identify_by_token)(request)):
            return refusal
        response: HttpResponseBase = await self.get_response(request)
        return response


def identify_by_token(request: Any) -> HttpResponse | None:
    """Set the user of a request with a token; return the answer if it is refused."""
    secret = secret_in(request)
    if secret is None:
        return None
    try:
        token = authenticate_token(secret, ip=client_address(request))
    except TokenRefused as error:
        return unauthorized(error)
    user = TokenUser(token)

    async def auser() -> TokenUser:
        return user

    request.user, request.auser, request.auth = user, auser, token
    request._dont_enforce_csrf_checks = True
    return None
