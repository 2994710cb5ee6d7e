"""Scopes of tokens, compared with the permissions that they restrict."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import Permission

ANY = "*"


def resources_by_action(permissions: Iterable[Permission]) -> dict[str, set[str]]:
    """Return the resources, which are names of tables, that permissions allow each action on.

    ``view_rawdatafile`` allows ``view`` on ``raw_data_file``.
    """
    resources: dict[str, set[str]] = defaultdict(set)
    for permission in permissions:
        content_type = permission.content_type
        model = content_type.model_class()
        action = permission.codename.removesuffix(f"_{content_type.model}")
        resources[action].add(model._meta.db_table if model else content_type.model)
    return dict(resources)


def mismatch(scope: str, resources: dict[str, set[str]]) -> str:
    """Return why a scope matches no permission and what would match instead; an empty text if it matches one.

    Args:
        scope: as ``action:resource``, ``*`` for any.
        resources: those of each action, see :func:`resources_by_action`.
    """
    action, _, resource = scope.partition(":")
    if action != ANY and action not in resources:
        return f"{scope} matches no permission; actions are {_listed(resources)}, or {ANY}"
    possible = set().union(*resources.values()) if action == ANY else resources[action]
    if (resource == ANY and possible) or resource in possible:
        return ""
    near = difflib.get_close_matches(resource, possible, n=1)
    guess = f"did you mean {action}:{near[0]}? " if near else ""
    return f"{scope} matches no permission; {guess}resources of {action} are {_listed(possible)}, or {ANY}"


def _listed(names):
    return ", ".join(sorted(names)) or "none"
