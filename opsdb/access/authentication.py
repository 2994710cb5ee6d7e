"""Authentication by API token: one indexed query, no write."""

from __future__ import annotations

import hmac
import logging
from enum import StrEnum

from opsdb import tokens
from opsdb.models import ApiToken
from opsdb.workflows import OpsdbError

from .token_rows import find_token
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

    Revocation, expiry and a deactivated user take effect at once. Fields that no check needs, such as the counted use,
    are read when somebody asks for them. The use is counted in memory, and written by
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
    found = find_token(hashes)
    if found is None or not any(hmac.compare_digest(found[0].token_hash, one) for one in hashes):
        raise _refused(RefusalReason.UNKNOWN, text, ip)
    token, is_usable = found
    if not is_usable:
        raise _refused(_reason_against(token), text, ip)
    # A project's own model may decide it by more than a column.
    if not token.user.is_active:
        raise _refused(RefusalReason.INACTIVE_USER, text, ip)
    if not token.may_come_from(ip):
        raise _refused(RefusalReason.NETWORK, text, ip)
    USE.count(token.pk, ip)
    return token


def _reason_against(token):
    """Return why the database does not count a token among the usable ones."""
    if token.revoked_at is not None:
        return RefusalReason.REVOKED
    if not token.active:
        return RefusalReason.INACTIVE
    return RefusalReason.EXPIRED if token.user.is_active else RefusalReason.INACTIVE_USER


def _refused(reason, text, ip):
    shown = tokens.shown_part(text) if tokens.is_well_formed(text) else ""
    logger.warning("Token %s… from %s %s", f"{tokens.PREFIX}{shown}", ip or "an unknown address", reason)
    return TokenRefused(reason)
