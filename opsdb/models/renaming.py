"""Rows that keep their former names, so that reference files that use one still find the row."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import json_list
from opsdb.database.triggers import KeepsFormerNames

__all__ = ["former_names", "former_names_of", "renaming_constraints"]


def former_names() -> models.JSONField:
    """Return the field with the names that a row had, which reference files may still call it by."""
    return models.JSONField(
        default=list,
        blank=True,
        editable=False,
        help_text=_("Names that it had, a JSON list; kept by the database. Reference files may still use them."),
    )


def renaming_constraints(column: str) -> list[models.BaseConstraint]:
    """Return what keeps ``former_names`` right when the name in this column changes."""
    return [json_list("former_names"), KeepsFormerNames(column)]


def former_names_of(model: type[models.Model]) -> str | None:
    """Return the column whose former values the rows of a model, or of its parent, keep; None without one."""
    for owner in (model, *model._meta.parents):
        for rule in owner._meta.constraints:
            if isinstance(rule, KeepsFormerNames):
                return rule.column
    return None
