"""The CHECK, UNIQUE and EXCLUDE constraints that a model can declare in ``Meta.constraints``.

Names are given without the table (``name="unique_path"``); the model base completes them
(``raw_data_file_unique_path``). Migrations name Django's own classes, so that they don't depend on these.
"""

from __future__ import annotations

import math
from functools import reduce
from operator import and_, or_

from django.contrib.postgres.constraints import ExclusionConstraint
from django.core.exceptions import FieldError, ValidationError
from django.db import DatabaseError, DataError, models, transaction
from django.db.models import BooleanField, F, Func, IntegerField, Q, Value
from django.db.models.functions import Coalesce, Lower
from django.db.models.lookups import Exact, LessThanOrEqual
from django.db.models.sql import Query
from django.db.models.sql.constants import SINGLE
from django.utils.text import capfirst

from .deconstruction import DeconstructsAsDjango
from .expressions import IsFiniteDate, IsFiniteTime
from .labels import spoken

DATA_EXCEPTION = "22000"  # PostgreSQL manual, appendix A


class Check(DeconstructsAsDjango, models.CheckConstraint):
    """A CHECK constraint that a form reports beside ``field`` when one is named.

    Args:
        name: without the table's name.
        condition: a ``Q`` or a boolean expression.
        message: what a person reads when a row breaks it.
        field: the form field to report it beside; none means the whole form.
    """

    _django_module = "django.db.models"

    def __init__(self, name, condition, message, field=None):
        super().__init__(name=name, condition=condition, violation_error_message=message)
        self.field = field

    def validate(self, model, instance, exclude=None, using="default"):
        try:
            holds = getattr(instance, "evaluated_checks", {}).get(self.name)
            if holds is None:
                super().validate(model, instance, exclude=exclude, using=using)
            elif not holds:
                raise ValidationError(self.get_violation_error_message(), code=self.violation_error_code)
        except ValidationError as error:
            if self.field and self.field not in (exclude or ()):
                raise ValidationError({self.field: error}) from error
            raise


def evaluate_checks(instance, exclude, using) -> dict[str, bool]:
    """Return which of an instance's CHECKs hold, by name, with one query for each table that it has.

    Django sends a query for each CHECK. Left out is what refers to an excluded field, and everything where the
    database can't evaluate one of the conditions: these are left to Django.

    Args:
        instance: need not be saved.
        exclude: fields not to look at.
        using: alias of the database.
    """
    evaluated: dict[str, bool] = {}
    for model, constraints in instance.get_constraints():
        query, names = Query(None), []
        for field, value in instance._get_field_expression_map(meta=model._meta, exclude=exclude).items():
            expression = value if hasattr(value, "resolve_expression") else Value(value)
            query.add_annotation(expression, field, select=False)
        for check in constraints:
            if isinstance(check, Check):
                try:
                    holds = Coalesce(Q(check.condition), True, output_field=BooleanField())
                    query.add_annotation(holds, f"{check.name}__holds")
                except FieldError:
                    continue
                names.append(check.name)
        if names:
            try:
                with transaction.atomic(using=using):
                    row = query.get_compiler(using=using).execute_sql(SINGLE)
            except DatabaseError:
                continue
            evaluated |= dict(zip(names, row, strict=True))
    return evaluated


class Unique(DeconstructsAsDjango, models.UniqueConstraint):
    """A UNIQUE constraint or, with ``condition``, a partial unique index."""

    _django_module = "django.db.models"

    def __init__(self, name, *fields, message, condition=None, nulls_distinct=None, opclasses=()):
        super().__init__(
            name=name,
            fields=fields,
            condition=condition,
            nulls_distinct=nulls_distinct,
            opclasses=opclasses,
            violation_error_message=message,
        )


class UniqueIgnoringCase(DeconstructsAsDjango, models.UniqueConstraint):
    """A UNIQUE index on a text in lower case, for the rows where it is not empty."""

    _django_module = "django.db.models"

    def __init__(self, name, field, *, message):
        super().__init__(Lower(field), name=name, condition=~Q(**{field: ""}), violation_error_message=message)


class NoOverlap(DeconstructsAsDjango, ExclusionConstraint):
    """An exclusion constraint: no two rows with equal ``fields`` may have overlapping ranges."""

    _django_module = "django.contrib.postgres.constraints"

    def __init__(self, name, period, *fields, message):
        super().__init__(
            name=name,
            expressions=[(period, "&&"), *((field, "=") for field in fields)],
            violation_error_message=message,
        )

    def validate(self, model, instance, exclude=None, using="default"):
        """Leave a period that ends before it starts to its own CHECK: PostgreSQL makes no range of it."""
        try:
            with transaction.atomic(using=using):
                super().validate(model, instance, exclude=exclude, using=using)
        except DataError as error:
            if error.__cause__.sqlstate != DATA_EXCEPTION:
                raise

    def check(self, model, connection):
        """Skip Django 6's demand for ``django.contrib.postgres`` as an installed app: nothing here needs it."""
        return []


def _typeof(field):
    return Func(F(field), function="jsonb_typeof", output_field=models.TextField())


def _nothing_at(field, path):
    """An expression that is true when the JSON path finds nothing in the document, or does not fit its structure.

    Strict, because a lax path takes a list in a list for its entries.
    """
    return Func(
        F(field),
        Value(f"strict {path}"),
        function="jsonb_path_exists",
        template="(NOT %(function)s(%(expressions)s::jsonpath, '{}', true))",
        output_field=BooleanField(),
    )


def _spoken(field: str) -> str:
    return capfirst(spoken(field))


def _spoken_list(fields) -> str:
    *others, last = map(spoken, fields)
    return capfirst(f"{', '.join(others)} and {last}" if others else last)


def _if_only(fields):
    return fields[0] if len(fields) == 1 else None


def between(field, low, high, unit="", below_high=False):
    """CHECK that a value lies in [low, high], or in [low, high) with ``below_high``.

    Args:
        field: name of the field.
        low: the least value.
        high: the greatest value, or the one that values stay below.
        unit: unit for the message, with the space before it if it needs one, such as ``" h"``.
        below_high: whether ``high`` itself is refused.
    """
    upper = Q(**{f"{field}__lt" if below_high else f"{field}__lte": high})
    what = f"at least {low} and below {high}" if below_high else f"between {low} and {high}"
    return Check(
        f"{field}_range",
        Q(**{f"{field}__gte": low}) & upper,
        f"{_spoken(field)} must be {what}{unit}.",
        field,
    )


def positive(field, name=None):
    """CHECK that a value is above zero."""
    return Check(name or f"{field}_positive", Q(**{f"{field}__gt": 0}), f"{_spoken(field)} must be above 0.", field)


def not_negative(field):
    """CHECK that a value is zero or more."""
    return Check(f"{field}_not_negative", Q(**{f"{field}__gte": 0}), f"{_spoken(field)} must be 0 or more.", field)


def finite(fields):
    """CHECK that numbers are neither infinite nor NaN, which PostgreSQL takes to be above infinity."""
    limits = [Q(**{f"{field}__gt": -math.inf, f"{field}__lt": math.inf}) for field in fields]
    message = f"{_spoken_list(fields)} must be finite: neither NaN nor infinite."
    return Check("finite", reduce(and_, limits), message, _if_only(fields))


def finite_times(fields):
    """CHECK that times and dates are not infinite, which PostgreSQL takes and Python can't read.

    Args:
        fields: the fields, all of one kind or of several.
    """
    finite_all = [_IS_FINITE[type(field)](field.name) for field in fields]
    names = [field.name for field in fields]
    # The message is for those who give a time; of a table that is given none it names what there is.
    named = [name for name in names if name not in SET_BY_DATABASE] or names
    return Check(
        "finite_times", reduce(and_, map(Q, finite_all)), f"{_spoken_list(named)} must be finite.", _if_only(named)
    )


SET_BY_DATABASE = ("created_at", "updated_at")


_IS_FINITE = {models.DateTimeField: IsFiniteTime, models.DateField: IsFiniteDate}


# 1 PB: a larger size is a wrong number, and a few such numbers would make any sum useless.
LARGEST_FILE_BYTES = 10**15


def possible_size(field="size_bytes"):
    """CHECK that a size is one that a file can have."""
    return Check(
        f"{field}_possible",
        Q(**{f"{field}__lte": LARGEST_FILE_BYTES}),
        f"{_spoken(field)} must be at most 1 PB ({LARGEST_FILE_BYTES:,} bytes).",
        field,
    )


def ordered(low, high, strict=True):
    """CHECK that one field stays below (or, not ``strict``, does not exceed) the other."""
    lookup = "gt" if strict else "gte"
    relation = "after" if low.endswith(("_time", "_date")) else "above"
    return Check(
        f"{high}_after_{low}",
        Q(**{f"{high}__{lookup}": F(low)}),
        f"{_spoken(high)} must be {'' if strict else 'at or '}{relation} {spoken(low)}.",
        high,
    )


def differ(one, other, message):
    """CHECK that two references don't name the same row."""
    return Check(f"{other}_differs", ~Q(**{other: F(one)}), message, other)


def matches(field, pattern, message, name=None):
    """CHECK a text against a regular expression of PostgreSQL.

    Args:
        field: name of the field.
        pattern: the regular expression, with anchors where the whole text has to match.
        message: the error message.
        name: name of the constraint (default: ``<field>_format``).
    """
    return Check(name or f"{field}_format", Q(**{f"{field}__regex": pattern}), message, field)


def json_object(field):
    """CHECK that a JSON document is an object."""
    return Check(
        f"{field}_object",
        Exact(_typeof(field), Value("object")),
        f'{_spoken(field)} must be a JSON object, such as {{"key": 1}}.',
        field,
    )


def json_list(field):
    """CHECK that a JSON document is a list."""
    return Check(
        f"{field}_list",
        Exact(_typeof(field), Value("array")),
        f'{_spoken(field)} must be a JSON list, such as ["one", "two"].',
        field,
    )


def json_list_of_text(field, pattern=".+", what="non-empty texts"):
    """CHECK that every entry of a JSON list is a text that matches ``pattern``.

    Args:
        field: name of the field.
        pattern: regular expression of SQL/JSON paths (``like_regex``), with anchors where the whole text has to match.
        what: plural noun for the entries in the message.
    """
    escaped = pattern.replace("\\", "\\\\").replace('"', '\\"')
    path = f'$[*] ? (!(@.type() == "string" && @ like_regex "{escaped}"))'
    return Check(f"{field}_entries", _nothing_at(field, path), f"{_spoken(field)} must be a list of {what}.", field)


def json_object_of_text(field):
    """CHECK that every value of a JSON object is a text."""
    return Check(
        f"{field}_values",
        _nothing_at(field, '$.* ? (@.type() != "string")'),
        f"{_spoken(field)}: every value must be a text.",
        field,
    )


def exactly_one(name, fields, message):
    """CHECK that exactly one of the fields is set."""
    return Check(
        name,
        Exact(Func(*map(F, fields), function="num_nonnulls", output_field=IntegerField()), Value(1)),
        message,
    )


def implies(name, condition, consequence, message, field=None):
    """CHECK that rows which meet ``condition`` also meet ``consequence``.

    Args:
        name: name of the constraint, without that of its table.
        condition: the ``Q`` that limits the rule.
        consequence: the ``Q`` that these rows must meet.
        message: the error message.
        field: the field beside which a form shows it (default: none).
    """
    return Check(name, ~condition | consequence, message, field)


# A path that does not stay inside its location, or that no listing could show.
PATH_LEADS_OUT = r"(^$|^/|/$|//|(^|/)\.\.?(/|$)|[[:cntrl:]])"


# An entry of a B-tree takes 2,704 bytes at most, beside the path a key and two headers.
LONGEST_PATH_BYTES = 2_600


def relative_path(field="relative_path"):
    """CHECK that a path stays inside its location: relative, no ``..``, nothing empty, no control characters; and that
    an index can hold it."""
    size = Func(F(field), function="octet_length", output_field=IntegerField())
    return Check(
        f"{field}_inside",
        ~Q(**{f"{field}__regex": PATH_LEADS_OUT}) & Q(LessThanOrEqual(size, LONGEST_PATH_BYTES)),
        "The path must be relative, without a leading, trailing or double slash, '.', '..' or control characters, and "
        f"at most {LONGEST_PATH_BYTES:,} bytes long.",
        field,
    )


# Hexadecimal digits of a digest: FIPS 180-4 (sha), RFC 7693 (blake2b), RFC 1321 (md5),
# xxHash specification (xxh3: 64 or 128 bits), RFC 1950 (adler32), RFC 3720 (crc32c).
CHECKSUM_DIGITS = {
    "sha256": (64,),
    "sha512": (128,),
    "blake2b": (128,),
    "md5": (32,),
    "xxh3": (16, 32),
    "adler32": (8,),
    "crc32c": (8,),
}
# By characters and lengths: PostgreSQL takes ten times as long for an expression that counts, as [0-9a-f]{64} does.
NOT_HEXADECIMAL = "[^0-9a-f]"


def checksum_format(field="checksum", algorithm="checksum_algorithm"):
    """CHECK that a checksum is lower-case hexadecimal and as long as its algorithm makes it."""
    length = Func(F(field), function="length", output_field=IntegerField())
    alternatives = (
        Q(
            Exact(length, digits),
            **{f"{algorithm}__in": [name for name, makes in CHECKSUM_DIGITS.items() if digits in makes]},
        )
        for digits in sorted({digits for makes in CHECKSUM_DIGITS.values() for digits in makes}, reverse=True)
    )
    return Check(
        f"{field}_format",
        ~Q(**{f"{field}__regex": NOT_HEXADECIMAL}) & reduce(or_, alternatives),
        "The checksum must be lower-case hexadecimal, as long as its algorithm makes it (sha256: 64 digits).",
        field,
    )
