"""Rows as messages name them, by table and key (``staging_job 11``), and as people call them (``staging job 11``)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from django.apps import apps

if TYPE_CHECKING:
    from django.db.models import Model

    from opsdb.models import DataLocation

KEY = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]+"


@cache
def tables() -> dict[str, type[Model]]:
    """Return the models by table."""
    return {model._meta.db_table: model for model in apps.get_app_config("opsdb").get_models() if not model._meta.proxy}


@cache
def row_names() -> re.Pattern[str]:
    """Return a pattern for what messages call rows: table and key. A table of one word may be just that word."""
    names = "|".join(sorted((table for table in tables() if "_" in table), key=len, reverse=True))
    return re.compile(rf"\b({names}) ({KEY})\b", re.IGNORECASE)


def row_label(name: str) -> str:
    """Return what people call a row that messages name by table and key: ``staging job 11``."""
    table, _, key = name.partition(" ")
    words = f"{tables()[table.lower()]._meta.verbose_name} {key}"
    return words if table.islower() else f"{words[0].upper()}{words[1:]}"


def with_row_labels(text: str) -> str:
    """Return a text with the rows that it names as people call them."""
    return row_names().sub(lambda found: row_label(found[0]), text)


def row_name(text: str) -> str:
    """Return the table and key of a row that is named as people call it; any other text as it is."""
    words, _, key = text.rpartition(" ")
    for table, model in tables().items():
        if words.lower() in (str(model._meta.verbose_name).lower(), table.replace("_", " ")):
            return f"{table} {key}"
    return text


def place_of(location: DataLocation) -> str:
    """Return what people call a location, ``site/location``: a name is one of its site only.

    The site is read if it was not loaded.
    """
    return f"{location.site}/{location}"
