"""The indexes that a model can declare in ``Meta.indexes``, and the expressions that they serve."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, HashIndex
from django.db import models
from django.db.models import CharField, F, Func, Lookup, TextField, Value
from django.db.models.functions import Left, Lower

from .deconstruction import DeconstructsAsDjango

IDENTIFIER_MAX_LENGTH = 63  # NAMEDATALEN - 1, PostgreSQL manual section 4.1.1
CHECKSUM_HEAD = 7  # hexadecimal digits that distinguish 2.7 * 10^8 checksums, in one word of an index


class _Declared(DeconstructsAsDjango):
    """What an index of a model has beyond Django's: a longer name, and the questions that it is for.

    Django's own names stop at 30 characters, for the sake of other databases.

    Attributes:
        serves: names of the questions that need it, which ``tests/database/questions.py`` asks. Migrations leave them
            out.
    """

    max_name_length = IDENTIFIER_MAX_LENGTH

    def __init__(self, *expressions, serves=(), **options):
        super().__init__(*expressions, **options)
        self.serves = tuple(serves)


class Index(_Declared, models.Index):
    """A PostgreSQL index."""

    _django_module = "django.db.models"


class Hash(_Declared, HashIndex):
    """An index for equality alone, of a few bytes a row however long the value is."""

    _django_module = "django.contrib.postgres.indexes"

    def check(self, model, connection):
        """Skip Django 6's demand for ``django.contrib.postgres`` as an installed app: nothing here needs it."""
        return []


class Gin(_Declared, GinIndex):
    """An index of the parts of a value."""

    _django_module = "django.contrib.postgres.indexes"

    def check(self, model, connection):
        """Skip Django 6's demand for ``django.contrib.postgres`` as an installed app: nothing here needs it."""
        return []


def by_part_of_path(serves=()):
    """Return the index that finds a row by any part of its path, by ``pg_trgm``.

    A new row is entered under each three characters of its path, which takes many times as long as an ordinary index.
    So it is for packages and products, of which there are few beside raw files.
    """
    return Gin(fields=["relative_path"], name="by_part_of_path", opclasses=["gin_trgm_ops"], serves=serves)


class MatchesPattern(Lookup):
    """Whether a text matches a pattern of LIKE in any letter case, as :func:`by_part_of_path` serves it."""

    def as_sql(self, compiler, connection):
        """Return the condition and its parameters."""
        text, text_params = self.process_lhs(compiler, connection)
        pattern, pattern_params = self.process_rhs(compiler, connection)
        return f"{text} ILIKE {pattern}", (*text_params, *pattern_params)


def contains(column: str, part: str) -> MatchesPattern:
    """Return the condition that a column contains a text, in any letter case."""
    escaped = part.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return MatchesPattern(F(column), f"%{escaped}%")


def folded(text):
    """Return a text as an expression that is the same in every letter case and Unicode normal form."""
    return Lower(Func(text, function="normalize", output_field=CharField()))


FOLDED = "lower(normalize({}))"
"""The same of a column or parameter in SQL that is written by hand."""


def spelled(text):
    """Return a folded name without blanks, hyphens and such, and leading zeros: ``ngc253`` for ``NGC 0253``."""
    bare = Func(folded(text), Value(" -_./"), Value(""), function="translate", output_field=TextField())
    zeros = (Value("([a-z])0+([0-9])"), Value(r"\1\2"), Value("g"))
    return Func(bare, *zeros, function="regexp_replace", output_field=TextField())


def file_name(path="relative_path"):
    """Return the folded part of a path after its last slash, as an expression that :func:`by_file_name` serves."""
    return folded(Func(F(path), Value("/"), Value(-1), function="split_part", output_field=CharField()))


def by_file_name(serves=()):
    """Return the index that finds a row by the name of its file."""
    return Hash(file_name(), name="by_file_name", serves=serves)


def checksum_head(checksum="checksum"):
    """Return the beginning of a checksum, as an expression that :func:`by_checksum` serves."""
    return Left(checksum, CHECKSUM_HEAD)


def by_checksum(serves=()):
    """Return the index that finds a row by the beginning of its checksum: a quarter of the size of a whole one."""
    return Index(checksum_head(), name="by_checksum", serves=serves)
