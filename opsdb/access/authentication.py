"""Authentication by API token: one indexed query, no write."""

from __future__ import annotations

import hmac
import logging
from enum import StrEnum

from django.db.models.functions import Now

from opsdb import tokens
from opsdb.database.functions import TokenIsUsable
from opsdb.models import ApiToken
from opsdb.workflows import OpsdbError

from .usage import USE

logger = logging.getLogger(__name__)


class RefusalReason(StrEnum):
    """Why a token is refused: for logs and operators, while clients learn only that it is not valid."""

    MALFORMED = "is no token of ops-db, or was cut or mistyped"
    UNKNOWN = "is unknown"
    REVOKED = "was revoked"
    INACTIVE = "is not active"
    EXPIRED = "has expired"
    INACTIVE_USER = "belongs to an inactive user"
    NETWORK = "may not be used from this address"


class TokenRefused(OpsdbError):
    """A token that gives no access.

    The message names no token; the log (``opsdb.access``) has the reason and the 8 characters that distinguish it.

    Attributes:
        reason: why.
    """

    def __init__(self, reason: RefusalReason) -> None:
        self.reason = reason
        super().__init__("The token is not valid.")


def authenticate_token(text: str, *, ip: str | None = None) -> ApiToken:
    """Return the token that a secret belongs to, with its user loaded, if it may be used.

    Revocation, expiry and a deactivated user take effect at once. The use is counted in memory, and written by
    :func:`opsdb.access.flush_token_use` about every ``OPSDB_TOKEN_USE_SECONDS``.

    Args:
        text: the secret, as the client sent it.
        ip: where the request comes from, see :func:`opsdb.access.client_address`; needed for tokens that are bound to
            networks.

    Raises:
        TokenRefused: the token may not be used; ``reason`` says why.
    """
    if not tokens.is_well_formed(text):
        raise _refused(RefusalReason.MALFORMED, text, ip)
    hashes = tokens.hashes_of(text)
    current = TokenIsUsable("active", "expires_at", "revoked_at", Now())
    found = ApiToken.objects.filter(token_hash__in=hashes).select_related("user").annotate(is_current=current)
    token = next(iter(found), None)
    if token is None or not any(hmac.compare_digest(token.token_hash, one) for one in hashes):
        raise _refused(RefusalReason.UNKNOWN, text, ip)
    if reason := _reason_against(token, ip):
        raise _refused(reason, text, ip)
    USE.count(token.pk, ip)
    return token


def _reason_against(token, ip):
    if token.revoked_at is not None:
        return RefusalReason.REVOKED
    if not token.active:
        return RefusalReason.INACTIVE
    if not token.is_current:
        return RefusalReason.EXPIRED
    if not token.user.is_active:
        return RefusalReason.INACTIVE_USER
    return None if token.may_come_from(ip) else RefusalReason.NETWORK


def _refused(reason, text, ip):
    shown = tokens.shown_part(text) if tokens.is_well_formed(text) else ""
    logger.warning("Token %s… from %s %s", f"{tokens.PREFIX}{shown}", ip or "an unknown address", reason)
    return TokenRefused(reason)
