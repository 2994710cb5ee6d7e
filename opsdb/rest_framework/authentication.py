"""Authentication of API requests by token."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from opsdb.access import TokenRefused, TokenUser, authenticate_token, client_address
from opsdb.access.middleware import SCHEME, secret_in
from opsdb.models import ApiToken


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer opsdb_…``: ``request.user`` is the token's user, narrowed to its scopes."""

    def authenticate(self, request: Request) -> tuple[TokenUser, ApiToken] | None:
        secret = secret_in(request)
        if secret is None:
            return None
        try:
            token = authenticate_token(secret, ip=client_address(request))
        except TokenRefused as error:
            raise AuthenticationFailed(str(error)) from error
        return TokenUser(token), token

    def authenticate_header(self, request: Request) -> str:
        return SCHEME
