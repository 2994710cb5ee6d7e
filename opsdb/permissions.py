"""Names of permissions for roles, tokens and APIs: ``action:resource``, such as ``read:observations``.

Each name maps to permissions of Django's own (``opsdb.view_executedobsunit``), which the tables below map it to;
what a user may do is answered by ``user.has_perm`` alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from django.apps import apps
from django.contrib.auth import get_user_model

if TYPE_CHECKING:
    from django.db.models import Model

__all__ = [
    "ACTIONS",
    "ANY",
    "RESOURCES",
    "covers",
    "describe_scope",
    "expected",
    "mismatch",
    "offered_scopes",
    "permissions_named",
]

APP_LABEL = "opsdb"
ANY = "*"
# Actions that map to others; every action of Django's permissions, such as view and approve, maps to itself.
ACTIONS = {
    "read": ("view",),
    "write": ("add", "change"),
    "manage": ("view", "add", "change", "delete"),
}
# Resources that map to areas, which are the modules of ``opsdb.models``. Every other area maps to itself, and
# a model can be named by its table (``raw_data_file``) or as Django's permissions do (``rawdatafile``).
RESOURCES = {
    "programs": ("planning",),
    "observations": ("execution",),
    "data": ("data", "copies"),
    "transfers": ("transfer", "archive"),
    "products": ("reduction",),
    "users": ("access",),
}
# Their meaning, for people who choose scopes; docs/access.md has the same text.
DOES = {
    "read": "view",
    "write": "add and change",
    "manage": "view, add, change and delete",
    ANY: "everything with",
}
CONTAINS = {
    "programs": "plans: programs, sources, units, slots, allocations, downtimes",
    "observations": "observations: what the telescope did for a unit, each time",
    "data": "raw files, packages, copies, fixity checks, requests for deletion",
    "transfers": "routes, transfers, the long-term archive, staging",
    "products": "software, pipelines, runs, data products",
    "users": "users, roles, API tokens",
    ANY: "the rows of every table of ops-db",
}

TABLES_NAMED = 5  # of an area, where a scope is described


@cache
def _by_permission() -> dict[str, tuple[str, frozenset[str]]]:
    """Return the action of every permission of every installed model, and the resources that it is on."""
    return {
        f"{model._meta.app_label}.{codename}": (action, _resources_of(model))
        for model in apps.get_models()
        for action, codename in _codenames(model)
    }


def _codenames(model: type[Model]) -> Iterator[tuple[str, str]]:
    name = model._meta.model_name or ""
    yield from ((action, f"{action}_{name}") for action in model._meta.default_permissions)
    for codename, _ in model._meta.permissions:
        yield str(codename).removesuffix(f"_{name}"), str(codename)


def _resources_of(model: type[Model]) -> frozenset[str]:
    names = {model._meta.db_table, model._meta.model_name or ""}
    is_user = model is get_user_model()  # which may be the project's own
    if is_user:
        names |= {"user"}
    if is_user or model._meta.app_label == APP_LABEL:
        area = "access" if is_user else model.__module__.removeprefix("opsdb.models.").partition(".")[0]
        names |= {ANY} | {name for name, areas in RESOURCES.items() if area in areas}
        names |= set() if area in RESOURCES else {area}
    return frozenset(names)


def permissions_named(name: str) -> frozenset[str]:
    """Return Django's permissions (``app.codename``) that a name of the form ``action:resource`` maps to.

    ``*`` means every action, and as a resource for every model of ops-db. Django's own name of a permission maps
    to itself.

    Raises:
        LookupError: the name maps to none.
    """
    found = _named(name)
    if not found:
        raise LookupError(f"{name} names no permission; expected {expected()}")
    return found


@cache
def _known_actions() -> frozenset[str]:
    return frozenset({action for action, _ in _by_permission().values()} | {*ACTIONS, ANY})


@cache
def _known_resources() -> frozenset[str]:
    return frozenset({ANY}.union(*(resources for _, resources in _by_permission().values())))


def _named(name: str) -> frozenset[str]:
    action, _, resource = name.partition(":")
    known = action in _known_actions() and resource in _known_resources() if ":" in name else name in _by_permission()
    return _named_by_known(name) if known else frozenset()


@cache
def _named_by_known(name: str) -> frozenset[str]:
    """Return what a name maps to. Invented names are not cached."""
    action, colon, resource = name.partition(":")
    if not colon:
        return frozenset({name})
    actions = ACTIONS.get(action, (action,))
    return frozenset(
        permission
        for permission, (own, resources) in _by_permission().items()
        if (action == ANY or own in actions) and resource in resources
    )


def covers(scopes: Iterable[str], permission: str) -> bool:
    """Return whether one of the scopes of a token covers one of Django's permissions (``app.codename``).

    ``*:*`` covers the permissions of all apps.
    """
    return any(scope == "*:*" or permission in _named(scope) for scope in scopes)


def expected() -> str:
    """Return the form of a name, for messages."""
    return "action:resource such as view:*, write:data or change:obs_unit, or a name such as auth.view_group"


def mismatch(scope: str, held: Iterable[str]) -> str:
    """Return why a scope matches none of the permissions that a user holds, and what would; empty if it matches one.

    Args:
        scope: as ``action:resource``, ``*`` for any.
        held: Django's permissions as ``app.codename``.
    """
    possible = {name: _by_permission()[name] for name in held if name in _by_permission()}
    if scope == "*:*" and possible or _named(scope) & possible.keys():
        return ""
    action, _, resource = scope.partition(":")
    wanted = ACTIONS.get(action, (action,))
    actions = {own for own, _ in possible.values()}
    if action != ANY and not actions & {*wanted}:
        usable = actions | {name for name, parts in ACTIONS.items() if actions & {*parts}}
        return f"{scope} matches no permission; actions are {_listed(usable)}, or {ANY}"
    resources: set[str] = set().union(*(names for own, names in possible.values() if action == ANY or own in wanted))
    near = difflib.get_close_matches(resource, resources - {ANY}, n=1, cutoff=0.75)
    if near:
        return f"{scope} matches no permission; did you mean {action}:{near[0]}?"
    known = resources & RESOURCES.keys() or {table for table in resources if _is_offered(table)}
    return f"{scope} matches no permission; resources of {action} are {_listed(known)}, a table's name, or {ANY}"


def offered_scopes() -> list[str]:
    """Return the names that a form offers for scopes: areas by area, then each permission by its table, then all.

    Modules that have a name for people, such as ``execution``, are offered by that name alone.
    """
    modules = {area for areas in RESOURCES.values() for area in areas} - RESOURCES.keys()
    tables = {model._meta.db_table for model in apps.get_models()}
    own = [(action, resources) for action, resources in _by_permission().values() if ANY in resources]
    areas = sorted({name for _, resources in own for name in resources if _is_offered(name)} - tables - modules)
    single = {f"{action}:{name}" for action, resources in own for name in resources & tables}
    by_area = [f"{action}:{name}" for name in (ANY, *areas) for action in (*ACTIONS, ANY)]
    named = [name for name in by_area if _named(name) and name != "*:*"]
    return [*dict.fromkeys([*named, *sorted(single)]), "*:*"]


def describe_scope(name: str) -> str:
    """Return what a scope lets a token do, in plain words; empty where it lets it do nothing.

    Args:
        name: as ``action:resource``, or ``*:*``.
    """
    if name == "*:*":
        return "all that its user may do"
    action, _, resource = name.partition(":")
    if not _named(name):
        return ""
    if own := _own_words().get(name):
        return own
    rows = CONTAINS.get(resource) or _rows_of(resource)
    return f"{DOES.get(action, action)} {rows}{' (this table only)' if resource in _tables() else ''}"


@cache
def _tables() -> frozenset[str]:
    options = [model._meta for model in apps.get_models()]
    return frozenset(name for model in options for name in (model.db_table, model.model_name or ""))


@cache
def _rows_of(resource: str) -> str:
    """Return what the rows of a resource are called: of an area, of its first tables."""
    models = [model for model in apps.get_models() if resource in _resources_of(model)]
    # The proxies of a table have the same rows, unless they are asked for themselves.
    tables = [model for model in models if not model._meta.proxy] or models
    names = [str(model._meta.verbose_name_plural) for model in tables]
    if len(names) <= TABLES_NAMED + 1:
        return ", ".join(names)
    return f"{', '.join(names[:TABLES_NAMED])} and {len(names) - TABLES_NAMED} more tables"


@cache
def _own_words() -> dict[str, str]:
    """Return what the permissions do that are not Django's usual ones, by action and table."""
    return {
        f"{str(codename).removesuffix(f'_{model._meta.model_name}')}:{model._meta.db_table}": _without_can(label)
        for model in apps.get_models()
        for codename, label in model._meta.permissions
    }


def _without_can(label: object) -> str:
    return str(label).removeprefix("Can ")


def _is_offered(resource: str) -> bool:
    """Return whether a list of what is possible names a resource: not twice where table and model name differ."""
    models = {model._meta.model_name: model._meta.db_table for model in apps.get_models()}
    return resource != ANY and models.get(resource, resource) == resource


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
