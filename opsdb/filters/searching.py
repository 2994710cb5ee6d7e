"""Search that never casts a column, so that indexes can be used, and accepts any input."""

import re
import unicodedata
import uuid
from collections.abc import Sequence
from typing import Protocol

from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models, router
from django.db.models import F, Field, Model, Q, QuerySet, Value
from django.db.models.functions import Concat, Length, Right
from django.db.models.lookups import Exact
from django.utils.functional import Promise
from django.utils.text import smart_split, unescape_string_literal
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from opsdb.database.indexes import CHECKSUM_HEAD, checksum_head, file_name, folded
from opsdb.models import DataLocation, DiskDataLocation
from opsdb.normalization import normalize_path, parse_checksum

UUID_BEGINNING = re.compile(r"[0-9a-f]{8}[0-9a-f-]*", re.IGNORECASE)
UUID_DIGITS = 32
CHECKSUM_BEGINNING = re.compile(rf"[0-9a-f]{{{CHECKSUM_HEAD},128}}", re.IGNORECASE)
MOST_WORDS = 20  # of a search, each of which is one more condition on every row
FOUND_ROWS = 5_000  # of a big table, up to which what a search finds is looked up by its keys


class Finder(Protocol):
    """Looks for a word in its own way."""

    described: str | Promise

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a row, or None when no row can match."""


def words_of(text: str) -> list[str]:
    """Split a search text at blanks; quotes keep words together."""
    return [unquoted(word) for word in smart_split(text)]


class TooManyWordsError(ValueError):
    """A search has more words than one may have, as the message explains."""


def searched_words(text: str, *, whole: bool) -> list[str]:
    """Return what a search looks for: its words, or all of it where a table is searched for what is whole.

    Raises:
        TooManyWordsError: there are more than :data:`MOST_WORDS`.
    """
    words = [unquoted(text)] if whole and text else words_of(text)
    if len(words) > MOST_WORDS:
        text = _("A search takes at most %(most)d words, and this one has %(number)d: leave some out.")
        raise TooManyWordsError(text % {"most": MOST_WORDS, "number": len(words)})
    return words


def unquoted(text: str) -> str:
    """Return a text without the quotes around it."""
    text = text.strip()
    return unescape_string_literal(text) if len(text) > 1 and text[0] in "\"'" and text[0] == text[-1] else text


def follow(model: type[Model], path: str) -> tuple[Field | None, str]:
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


def uuid_range(word: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """Return the lowest and the highest UUID that begin with these digits, or None when no UUID does."""
    digits = word.replace("-", "").lower()
    if not UUID_BEGINNING.fullmatch(word) or len(digits) > UUID_DIGITS:
        return None
    return uuid.UUID(digits.ljust(UUID_DIGITS, "0")), uuid.UUID(digits.ljust(UUID_DIGITS, "f"))


def is_surely_uuid(word: str) -> bool:
    """Whether this can hardly be anything else than a UUID or its beginning."""
    return uuid_range(word) is not None and (word[8:9] == "-" or len(word) == UUID_DIGITS)


def condition(model: type[Model], path: str, word: str) -> Q | None:
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
        low, high = connections[router.db_for_read(model)].ops.integer_field_range(target.get_internal_type())
        return Q(**{path: int(word)}) if word.isascii() and word.isdigit() and low <= int(word) <= high else None
    return Q(**{path if lookup else f"{path}__icontains": word})


def holds_uuid(model: type[Model], path: str) -> bool:
    """Whether a path of ``search_fields`` ends at a UUID."""
    field, _ = follow(model, path)
    return isinstance(field.target_field if field.is_relation else field, models.UUIDField)


def conditions_of(model: type[Model], paths: Sequence[str], word: str, finders: Sequence[Finder] = ()) -> list[Q]:
    """Return the conditions that the paths and finders put on a word, of which a row meets at least one.

    There are none when no row can match it. A UUID is looked for among UUIDs only.
    """
    if "\x00" in word:
        return []
    if is_surely_uuid(word) and (uuids := [path for path in paths if holds_uuid(model, path)]):
        paths, finders = uuids, ()
    # The same characters may be composed or not: as people type them, and as some file systems write them.
    words = dict.fromkeys((word, unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word)))
    conditions = [condition(model, path, one) for one in words for path in paths]
    conditions += [finder.condition(one) for one in words for finder in finders]
    return [found for found in conditions if found is not None]


def any_of(conditions: Sequence[Q]) -> Q:
    """Return one condition for several of which a row meets at least one."""
    return Q.create(conditions, connector=Q.OR)


def keys_found(rows: QuerySet, conditions: Sequence[Q], limit: int) -> list:
    """Return the keys of rows that meet at least one of the conditions, at most so many.

    Each condition is looked up for itself: for one that holds of this table or of another no index could serve.
    """
    first, *others = (
        rows.filter(condition).order_by().values_list("pk", flat=True)[:limit] for condition in conditions
    )
    return list(first.union(*others)[:limit] if others else first)


class ChecksumFinder:
    """Finds a checksum or its beginning with the index ``by_checksum``."""

    described = gettext_lazy("checksum (or its first %(digits)d digits and more)") % {"digits": CHECKSUM_HEAD}

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a row, or None when this is no checksum."""
        understood = parse_checksum(word)
        if understood is None or not CHECKSUM_BEGINNING.fullmatch(understood.digits):
            return None
        word = understood.digits
        return Q(Exact(checksum_head(), word[:CHECKSUM_HEAD]), checksum__startswith=word)


class RawPathFinder:
    """Finds a raw file by its path, whole or its beginning, below its location or from the root of the disk.

    Paths are indexed by location; of those that instruments write to there are few.
    """

    described = gettext_lazy("path (or its beginning)")

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a row."""
        sources = list(DataLocation.objects.sources().order_by().values_list("pk", flat=True))
        found = Q(source_location__in=sources, relative_path__startswith=normalize_path(word))
        if word.startswith("/"):
            roots = DiskDataLocation.objects.filter(pk__in=sources).values_list("pk", "path")
            for location, root in roots:
                below = word.removeprefix(root.rstrip("/") + "/")
                if below != word:
                    found |= Q(source_location=location, relative_path__startswith=below)
        return found


class FileNameFinder:
    """Finds a file by its name or its whole path, in any letter case, with the index ``by_file_name``."""

    described = gettext_lazy("file name (whole)")

    def condition(self, word: str) -> Q | None:
        """Return what must hold of a row, or None when this is no name."""
        path, slash, name = word.rpartition("/")
        if not name:
            return None
        named = Q(Exact(file_name(), folded(Value(name))))
        if not slash:
            return named
        relative_path, whole = folded(F("relative_path")), folded(Value(f"/{word}"))
        ends_so = Exact(Right(whole, Length(relative_path) + 1), Concat(Value("/"), relative_path))
        return named & Q(ends_so)


def described(model: type[Model], path: str) -> str:
    """Return in words what a path of ``search_fields`` looks at, and how."""
    names, parts = [], path.split("__")
    for end in range(1, len(parts) + 1):
        field, rest = follow(model, "__".join(parts[:end]))
        if not rest:
            names.append(str(field.verbose_name))
    name, lookup = " ".join(names), follow(model, path)[1]
    if holds_uuid(model, path):
        return _("%(name)s (or its beginning)") % {"name": name}
    labels = {"exact": _("%(name)s (whole)"), "startswith": _("%(name)s (beginning)")}
    return labels[lookup.removeprefix("i")] % {"name": name} if lookup.removeprefix("i") in labels else name
