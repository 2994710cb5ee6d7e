"""Values of fields as text."""

import json
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Field
from django.utils.functional import Promise
from django.utils.translation import gettext

from opsdb.formatting import format_second

Text = str | Promise
LONGEST = 200


def format_value(field: Field, value: Any) -> str:
    """Return a value of a field in words: choices by their label, times in UTC, nothing as a dash."""
    if value is None or value == "":
        return "–"
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, models.BooleanField):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, datetime):
        return format_second(value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
