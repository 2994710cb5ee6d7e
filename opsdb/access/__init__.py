"""Who may do what, for projects that import ops-db: tokens, roles by team, permissions by name."""

from opsdb.permissions import permissions_named

from .addresses import client_address
from .authentication import RefusalReason, TokenRefused, authenticate_token
from .roles import assign_roles
from .usage import flush_token_use
from .users import TokenUser

__all__ = [
    "RefusalReason",
    "TokenRefused",
    "TokenUser",
    "assign_roles",
    "authenticate_token",
    "client_address",
    "flush_token_use",
    "permissions_named",
]
