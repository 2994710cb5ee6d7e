"""Authentication backends: users by token, and permissions by name."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from opsdb.permissions import permissions_named

from .addresses import client_address
from .authentication import TokenRefused, authenticate_token
from .users import TokenUser


class PermissionNameBackend(BaseBackend):
    """Lets ``user.has_perm("read:observations")`` answer for all permissions that the name maps to."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        named = _named(user_obj, perm)
        return bool(named and user_obj.has_perms(named, obj))

    async def ahas_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """See :meth:`has_perm`."""
        named = _named(user_obj, perm)
        return bool(named and await user_obj.ahas_perms(named, obj))


def _named(user, perm):
    """Return the permissions that a name maps to; none for another kind of name, and for an inactive user."""
    if ":" not in perm or not user.is_active:
        return frozenset()
    try:
        return permissions_named(perm)
    except LookupError:
        return frozenset()


class TokenBackend(BaseBackend):
    """``authenticate(request, token=…)`` returns the user of a token, narrowed to its scopes.

    No session begins with a token: ``login()`` would lose its scopes and its end, so a session of this backend has no
    user.
    """

    def authenticate(self, request: HttpRequest | None, token: str | None = None, **kwargs: Any) -> Any:
        if token is None:
            return None
        try:
            return TokenUser(authenticate_token(token, ip=client_address(request) if request else None))
        except TokenRefused:
            return None

    def get_user(self, user_id: Any) -> None:
        return None
