"""Search that never casts a column, so that the indexes serve it, and never stumbles over what was typed."""

import re
import uuid

from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from django.db.models import Q
from django.utils.text import smart_split, unescape_string_literal

UUID_BEGINNING = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]*)*", re.IGNORECASE)
UUID_DIGITS = 32


def words_of(text: str) -> list[str]:
    """Split a search text at blanks; quotes keep words together."""
    return [unquoted(word) for word in smart_split(text)]


def unquoted(text: str) -> str:
    """Return a text without the quotes around it."""
    text = text.strip()
    return unescape_string_literal(text) if len(text) > 1 and text[0] in "\"'" and text[0] == text[-1] else text


def follow(model, path):
    """Return the last field of a lookup path and what remains of the path after it."""
    field, parts = None, path.split("__")
    while parts:
        name = model._meta.pk.name if parts[0] == "pk" else parts[0]
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            break
        parts = parts[1:]
        model = field.related_model or model
    return field, "__".join(parts)


def uuid_range(word: str):
    """Return the lowest and the highest UUID that begin with these digits, or None when no UUID does."""
    digits = word.replace("-", "").lower()
    if not UUID_BEGINNING.fullmatch(word) or len(digits) > UUID_DIGITS:
        return None
    return uuid.UUID(digits.ljust(UUID_DIGITS, "0")), uuid.UUID(digits.ljust(UUID_DIGITS, "f"))


def is_surely_uuid(word: str) -> bool:
    """Whether this can hardly be anything else than a UUID or its beginning."""
    return uuid_range(word) is not None and (word[8:9] == "-" or len(word) == UUID_DIGITS)


def condition(model, path, word):
    """Return the condition that a path of ``search_fields`` puts on a word, or None when it can't hold."""
    field, lookup = follow(model, path)
    target = field.target_field if field.is_relation else field
    if isinstance(target, models.UUIDField):
        found = uuid_range(word)
        if found is None:
            return None
        if found[0] == found[1]:
            return Q(**{path: found[0]})
        return Q(**{f"{path}__gte": found[0], f"{path}__lte": found[1]})
    if isinstance(target, models.IntegerField):
        low, high = connection.ops.integer_field_range(target.get_internal_type())
        return Q(**{path: int(word)}) if word.isascii() and word.isdigit() and low <= int(word) <= high else None
    return Q(**{path if lookup else f"{path}__icontains": word})


def holds_uuid(model, path):
    """Whether a path of ``search_fields`` ends at a UUID."""
    field, _ = follow(model, path)
    return isinstance(field.target_field if field.is_relation else field, models.UUIDField)


def condition_of(model, paths, word):
    """Return the condition that some of the paths hold for a word; a UUID is looked for among UUIDs only."""
    if "\x00" in word:
        return None
    if is_surely_uuid(word) and (uuids := [path for path in paths if holds_uuid(model, path)]):
        paths = uuids
    conditions = [found for path in paths if (found := condition(model, path, word)) is not None]
    return Q.create(conditions, connector=Q.OR) if conditions else None


def described(model, path):
    """Return in words what a path of ``search_fields`` looks at, and how."""
    names, parts = [], path.split("__")
    for end in range(1, len(parts) + 1):
        field, rest = follow(model, "__".join(parts[:end]))
        if not rest:
            names.append(str(field.verbose_name))
    name, lookup = " ".join(names), follow(model, path)[1]
    if holds_uuid(model, path):
        return f"{name} (or its beginning)"
    return {"exact": f"{name} (whole)", "startswith": f"{name} (beginning)", "istartswith": f"{name} (beginning)"}.get(
        lookup, name
    )
