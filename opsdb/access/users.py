"""The user of a request that came with a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.functional import SimpleLazyObject

from opsdb.permissions import covers, permissions_named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opsdb.models import ApiToken


class TokenUser(SimpleLazyObject):
    """The user of a token, who may do what the user may and the token's scopes cover.

    Behaves as the user, and is saved and referred to as the user, but is neither staff nor superuser: a token opens no
    admin.

    Args:
        token: the token, as :func:`opsdb.access.authenticate_token` returned it.
    """

    is_staff = False
    is_superuser = False

    def __init__(self, token: ApiToken) -> None:
        self.__dict__["opsdb_token"] = token
        super().__init__(lambda: token.user)

    def _covers(self, permission: str) -> bool:
        if ":" not in permission:
            return covers(self.opsdb_token.scopes, permission)
        try:
            return all(covers(self.opsdb_token.scopes, one) for one in permissions_named(permission))
        except LookupError:
            return False

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Return whether the user has a permission and the token covers it."""
        return self._covers(perm) and self.opsdb_token.user.has_perm(perm, obj)

    async def ahas_perm(self, perm: str, obj: Any = None) -> bool:
        """See :meth:`has_perm`."""
        return self._covers(perm) and await self.opsdb_token.user.ahas_perm(perm, obj)

    def has_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        """Return whether the user has all these permissions and the token covers them."""
        return all(self.has_perm(perm, obj) for perm in perm_list)

    async def ahas_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        """See :meth:`has_perms`."""
        return all([await self.ahas_perm(perm, obj) for perm in perm_list])

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        """Return the permissions that the user has and the token covers."""
        return {one for one in self.opsdb_token.user.get_all_permissions(obj) if self._covers(one)}

    async def aget_all_permissions(self, obj: Any = None) -> set[str]:
        """See :meth:`get_all_permissions`."""
        return {one for one in await self.opsdb_token.user.aget_all_permissions(obj) if self._covers(one)}

    def get_user_permissions(self, obj: Any = None) -> set[str]:
        """Return the permissions that were given to the user alone and that the token covers."""
        return {one for one in self.opsdb_token.user.get_user_permissions(obj) if self._covers(one)}

    async def aget_user_permissions(self, obj: Any = None) -> set[str]:
        """See :meth:`get_user_permissions`."""
        return {one for one in await self.opsdb_token.user.aget_user_permissions(obj) if self._covers(one)}

    def get_group_permissions(self, obj: Any = None) -> set[str]:
        """Return the permissions that the user's roles give and that the token covers."""
        return {one for one in self.opsdb_token.user.get_group_permissions(obj) if self._covers(one)}

    async def aget_group_permissions(self, obj: Any = None) -> set[str]:
        """See :meth:`get_group_permissions`."""
        return {one for one in await self.opsdb_token.user.aget_group_permissions(obj) if self._covers(one)}

    def has_module_perms(self, app_label: str) -> bool:
        """Return whether the user has a permission of an app that the token covers."""
        return any(one.startswith(f"{app_label}.") for one in self.get_all_permissions())

    async def ahas_module_perms(self, app_label: str) -> bool:
        """See :meth:`has_module_perms`."""
        return any(one.startswith(f"{app_label}.") for one in await self.aget_all_permissions())
