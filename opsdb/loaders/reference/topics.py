"""What reference data are: which models, in which file and order, and how their rows are written.

A row has fields of its model by their names and refers to other rows by their natural keys. The models alone decide
which values a field may have; only the list below names models, except permissions, which are written as patterns.
"""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from fnmatch import fnmatchcase

from django.apps import apps
from django.db import models

from opsdb import conf
from opsdb.models.base import area_of

from ..errors import shown

APP_LABEL = "opsdb"
ACTIONS = ("add", "change", "delete", "view")
IN_USE = ("active", "available")

# Models by the file that an export writes them to; each comes after those that it refers to.
TOPICS = {
    "observatory": ("Observatory", "Telescope"),
    "instruments": ("Instrument", "InstrumentModule", "ChaiModuleConfiguration", "PrimeCamModuleConfiguration"),
    "programs": ("ObservingProgram", "SubObservingProgram"),
    "modes": ("ObsMode",),
    "sites": ("Site",),
    "locations": ("DiskDataLocation", "S3DataLocation", "TapeDataLocation"),
    "routes": ("DataTransferRoute",),
    "roles": ("Role",),
}


class Mode(StrEnum):
    """What a load may do to existing rows."""

    APPEND = "append"
    EDIT = "edit"
    PRUNE = "prune"


class ArchiveMode(StrEnum):
    """Which set of locations a load takes, if the index has one for each."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"

    @classmethod
    def default(cls) -> ArchiveMode:
        """Return the mode of this installation: production if the settings have OPSDB_PRODUCTION on."""
        return cls.PRODUCTION if conf.get("OPSDB_PRODUCTION") else cls.DEVELOPMENT


def reference_models() -> dict[str, type[models.Model]]:
    """Return the models of reference data by name, each after those that it refers to."""
    return {name: apps.get_model(APP_LABEL, name) for names in TOPICS.values() for name in names}


def writable_fields(model: type[models.Model]) -> dict[str, models.Field]:
    """Return the fields of a model that a row may have, by name."""
    options = model._meta
    own = [one for one in options.concrete_fields if one.editable and not one.primary_key and not one.auto_created]
    return {one.name: one for one in [*own, *options.many_to_many]}


def holds_permissions(field: models.Field) -> bool:
    """Return whether a field is a list of permissions, which are written as patterns."""
    return field.many_to_many and field.related_model is apps.get_model("auth", "Permission")


class Permissions:
    """The permissions of this database, and the patterns that match them.

    ``action:resource`` matches permissions of ops-db: ``action`` is add, change, delete, view, one that a model has
    besides, such as approve, or ``*``; ``resource`` is a model, an area (the module or package of ``opsdb.models``
    that declares the model) or ``*``.
    ``app.codename``, Django's own name of a permission, matches that one, of any app.
    """

    def __init__(self):
        everything = apps.get_model("auth", "Permission").objects.select_related("content_type")
        self.by_name = defaultdict(set)
        self.by_place = defaultdict(set)
        self.found = {}
        for permission in everything.order_by("content_type__app_label", "codename", "id"):
            kind = permission.content_type
            self.by_name[f"{kind.app_label}.{permission.codename}"].add(permission)
            action = permission.codename.partition("_")[0]
            if kind.app_label == APP_LABEL and (model := kind.model_class()):
                self.by_place[action, kind.model, area_of(model)].add(permission)

    def matching(self, pattern: str) -> set:
        """Return the permissions that a pattern matches.

        Raises:
            LookupError: there are none; its arguments are the message and what is expected.
        """
        if pattern not in self.found:
            action, colon, resource = pattern.partition(":")
            self.found[pattern] = self._matching(action, resource) if colon else self.by_name.get(pattern)
        if not self.found[pattern]:
            raise LookupError(
                f"{shown(pattern)} matches no permission",
                "action:resource such as view:*, add:planning or change:obsunit, or a name such as auth.view_group",
            )
        return self.found[pattern]

    def _matching(self, action, resource):
        return {
            permission
            for (own_action, model, area), permissions in self.by_place.items()
            if fnmatchcase(own_action, action) and (fnmatchcase(model, resource) or fnmatchcase(area, resource))
            for permission in permissions
        }

    def patterns(self, permissions: set) -> list[str]:
        """Return the patterns that match exactly these permissions, as few as possible of each action."""
        if permissions and permissions >= self.matching("*:*"):
            patterns = ["*:*"]
        else:
            patterns = [pattern for action in ACTIONS for pattern in self._patterns_of(action, permissions)]
        covered = {permission for pattern in patterns for permission in self.matching(pattern)}
        left = permissions - covered
        return patterns + sorted(name for name, named in self.by_name.items() if named & left)

    def _patterns_of(self, action, permissions):
        if permissions >= self.matching(f"{action}:*"):
            return [f"{action}:*"]
        places = [(model, area) for own_action, model, area in self.by_place if own_action == action]
        areas = {area for _, area in places if permissions >= self.matching(f"{action}:{area}")}
        alone = {
            model for model, area in places if area not in areas and permissions >= self.matching(f"{action}:{model}")
        }
        return [f"{action}:{resource}" for resource in sorted(areas) + sorted(alone)]
