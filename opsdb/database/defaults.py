"""Database defaults: an ``INSERT`` of any client names facts only.

Django fills in a field's ``default`` itself, so that other clients would have to repeat it. Every field with a default
gets the same one in the database.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Func
from django.db.models.functions import Now
from django.utils import timezone

from .identifiers import uuid7

# Functions whose value differs from row to row, and what the database calls in their place.
IN_THE_DATABASE: dict[Any, Func] = {
    timezone.now: Now(),
    uuid7: Func(function="opsdb_uuid7", output_field=models.UUIDField()),
}
CONSTANT = (dict, list)


def give_database_default(field: models.Field[Any, Any]) -> None:
    """Give a field with a default the same one in the database, unless it has one.

    Raises:
        ValueError: the default is a function that the database has no counterpart of.
    """
    if not field.has_default() or field.has_db_default():
        return
    default = field.default
    if not callable(default):
        field.db_default = default
    elif default in CONSTANT:
        field.db_default = default()
    elif default in IN_THE_DATABASE:
        field.db_default = IN_THE_DATABASE[default]
    else:
        raise ValueError(f"{field}: name the counterpart of {default} in opsdb.database.defaults, or a db_default")
