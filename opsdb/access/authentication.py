"""Authentication by API token: one indexed query, no write; one more query to log why a token is refused."""

from __future__ import annotations

import hmac
import logging
from enum import StrEnum

from opsdb import tokens
from opsdb.models import ApiToken
from opsdb.workflows import OpsdbError

from .token_rows import find_usable_token
from .usage import USE

logger = logging.getLogger(__name__)


class RefusalReason(StrEnum):
    """Why a token is refused: for logs and operators, while clients are told only that it is not valid."""

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

    Revocation, expiry and a deactivated user take effect at once. Fields that no check needs, such as the counted use
    or the user's password, are read on access. The use is counted in memory, and written by
    :func:`opsdb.access.flush_token_use` about every ``OPSDB_TOKEN_USE_SECONDS``.

    Args:
        text: the secret, as the client sent it.
        ip: where the request comes from, see :func:`opsdb.access.client_address`; needed for tokens that are bound to
            networks.

    Raises:
        TokenRefused: the token may not be used, for its ``reason``.
    """
    if not tokens.is_well_formed(text):
        raise _refused(RefusalReason.MALFORMED, text, ip)
    hashes = tokens.hashes_of(text)
    token = find_usable_token(hashes)
    if token is None or not any(hmac.compare_digest(token.token_hash, one) for one in hashes):
        raise _refused(_reason_against(text), text, ip)
    if not token.user.is_active:
        raise _refused(RefusalReason.INACTIVE_USER, text, ip)
    if not token.may_come_from(ip):
        raise _refused(RefusalReason.NETWORK, text, ip)
    USE.count(token.pk, ip)
    return token


def _reason_against(secret):
    """Return why the database has no usable token of this secret."""
    token = ApiToken.objects.from_secret(secret)
    if token is None:
        return RefusalReason.UNKNOWN
    if token.revoked_at is not None:
        return RefusalReason.REVOKED
    return RefusalReason.EXPIRED if token.active else RefusalReason.INACTIVE


def _refused(reason, text, ip):
    shown = tokens.shown_part(text) if tokens.is_well_formed(text) else ""
    logger.warning("Token %s… from %s %s", f"{tokens.PREFIX}{shown}", ip or "an unknown address", reason)
    return TokenRefused(reason)
