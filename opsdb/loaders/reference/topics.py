"""What reference data are: which models, in which file and order, and how their rows are written.

A row has fields of its model by their names and refers to other rows by their natural keys. The models alone decide
which values a field may have; only the list below names models, except permissions, which are written as patterns.
"""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum

from django.apps import apps
from django.db import models

from opsdb import conf
from opsdb.models.base import area_of
from opsdb.permissions import expected, permissions_named

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


class UnresolvedError(Exception):
    """A value of a file leads to no row, or to several.

    Attributes:
        expected: what would be right.
    """

    def __init__(self, message: str, expected: str) -> None:
        super().__init__(message)
        self.expected = expected


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
    """The permissions of this database, and the names of :mod:`opsdb.permissions` that stand for them."""

    def __init__(self):
        everything = apps.get_model("auth", "Permission").objects.select_related("content_type")
        self.by_name = defaultdict(set)
        self.models = {}
        for permission in everything.order_by("content_type__app_label", "codename", "id"):
            kind = permission.content_type
            self.by_name[f"{kind.app_label}.{permission.codename}"].add(permission)
            if kind.app_label == APP_LABEL and (model := kind.model_class()):
                self.models[kind.model] = area_of(model)

    def matching(self, name: str) -> set:
        """Return the permissions that a name maps to.

        Raises:
            UnresolvedError: there are none.
        """
        try:
            return set().union(*(self.by_name[one] for one in permissions_named(name)))
        except LookupError:
            raise UnresolvedError(f"{shown(name)} matches no permission", expected()) from None

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
        areas = {area for area in self.models.values() if permissions >= self._of(action, area)}
        alone = {
            model
            for model, area in self.models.items()
            if area not in areas and (own := self._of(action, model)) and permissions >= own
        }
        return [f"{action}:{resource}" for resource in sorted(areas) + sorted(alone)]

    def _of(self, action, resource):
        try:
            return self.matching(f"{action}:{resource}")
        except UnresolvedError:
            return set()
