"""Roles by team: from the teams that an external sign-in reports of a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from django.db import router, transaction

from opsdb import conf
from opsdb.models import Role
from opsdb.workflows import NotFound, attributed

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser


def assign_roles(
    user: AbstractUser, teams: Iterable[str], *, mapping: Mapping[str, str] | None = None
) -> tuple[set[str], set[str]]:
    """Give a user the roles that the teams stand for, and take those that only other teams stand for.

    The host's sign-in calls it with the teams from the identity provider, such as ``ccatobs/operators`` at GitHub.
    Roles that the mapping does not name stay as they are. Idempotent.

    Args:
        user: the user.
        teams: names of the teams that the person is in, in any letter case.
        mapping: role by team, where ``*`` in a team matches any text (default: ``OPSDB_TEAM_ROLES``).

    Returns:
        The names of the roles that were given, and of those that were taken.

    Raises:
        NotFound: the mapping names a role that does not exist.
    """
    roles_by_team = conf.get("OPSDB_TEAM_ROLES") if mapping is None else mapping
    if not isinstance(roles_by_team, Mapping):
        raise TypeError("OPSDB_TEAM_ROLES must be a mapping of teams to roles")
    known = {role.name: role for role in Role.objects.filter(name__in=set(roles_by_team.values()))}
    if missing := sorted({*roles_by_team.values()} - {*known}):
        raise NotFound(f"OPSDB_TEAM_ROLES: there is no role {', '.join(missing)}; run opsdb_init, or correct the name")
    names = [team.lower() for team in teams]
    wanted = {
        role for pattern, role in roles_by_team.items() if any(fnmatchcase(name, pattern.lower()) for name in names)
    }
    with transaction.atomic(using=router.db_for_write(type(user))), attributed(reason="teams at sign-in"):
        held = {*user.groups.filter(name__in=known).values_list("name", flat=True)}
        if wanted - held:
            user.groups.add(*(known[name].group_ptr_id for name in wanted - held))
        if held - wanted:
            user.groups.remove(*(known[name].group_ptr_id for name in held - wanted))
    return wanted - held, held - wanted
