"""The kinds of rule that a model can declare in ``Meta.constraints``, all of them kept by PostgreSQL.

Names are given without the table (``name="unique_path"``); the model base completes them
(``raw_data_file_unique_path``). :class:`Rule` is named by migrations, so it keeps its place and its arguments.
"""

from __future__ import annotations

import copy
import math
from functools import reduce
from operator import and_, or_

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.indexes import HashIndex
from django.core.exceptions import ValidationError
from django.db import DataError, models, transaction
from django.db.models import BooleanField, CharField, F, Func, IntegerField, Q, Value
from django.db.models.functions import Left
from django.db.models.lookups import Exact
from django.utils.text import capfirst

from .enums import ChangeLogging
from .wording import spoken

IDENTIFIER_MAX_LENGTH = 63  # NAMEDATALEN - 1, PostgreSQL manual section 4.1.1
CHECKSUM_HEAD = 7  # hexadecimal digits that tell 2.7 * 10^8 checksums apart, in one word of an index
DATA_EXCEPTION = "22000"  # PostgreSQL manual, appendix A


class _DeconstructsAsDjango:
    """Let migrations name Django's own class, so that they don't depend on ours."""

    def deconstruct(self):
        _, args, kwargs = super().deconstruct()
        django_class = next(base for base in type(self).__mro__ if base.__module__.startswith("django."))
        return f"{self._django_module}.{django_class.__name__}", args, kwargs

    def clone(self):
        return copy.copy(self)


class _NamedAtLength(_DeconstructsAsDjango):
    """Django's own indexes stop at 30 characters, for the sake of other databases."""

    max_name_length = IDENTIFIER_MAX_LENGTH

    def __eq__(self, other):
        return isinstance(other, models.Index) and self.deconstruct() == other.deconstruct()

    def __hash__(self):
        return hash(self.name)


class Index(_NamedAtLength, models.Index):
    """A PostgreSQL index."""

    _django_module = "django.db.models"


class Hash(_NamedAtLength, HashIndex):
    """An index for equality alone, of a few bytes a row however long the value is."""

    _django_module = "django.contrib.postgres.indexes"


class Check(_DeconstructsAsDjango, models.CheckConstraint):
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
            super().validate(model, instance, exclude=exclude, using=using)
        except ValidationError as error:
            if self.field and self.field not in (exclude or ()):
                raise ValidationError({self.field: error}) from error
            raise


class Unique(_DeconstructsAsDjango, models.UniqueConstraint):
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


def file_name(path="relative_path"):
    """Return the part of a path after its last slash, as an expression that :func:`by_file_name` serves."""
    return Func(F(path), Value("/"), Value(-1), function="split_part", output_field=CharField())


def by_file_name():
    """Return the index that finds a row by the name of its file."""
    return Hash(file_name(), name="by_file_name")


def checksum_head(checksum="checksum"):
    """Return the beginning of a checksum, as an expression that :func:`by_checksum` serves."""
    return Left(checksum, CHECKSUM_HEAD)


def by_checksum():
    """Return the index that finds a row by the beginning of its checksum: a quarter of the size of a whole one."""
    return Index(checksum_head(), name="by_checksum")


class NoOverlap(_DeconstructsAsDjango, ExclusionConstraint):
    """An exclusion constraint: no two rows with equal ``fields`` may have overlapping ranges."""

    _django_module = "django.contrib.postgres.constraints"

    def __init__(self, name, period, *fields, message):
        super().__init__(
            name=name,
            expressions=[(period, "&&"), *((field, "=") for field in fields)],
            violation_error_message=message,
        )

    def validate(self, model, instance, exclude=None, using="default"):
        """Leave a period that ends before it starts to the CHECK that says so: PostgreSQL makes no range of it."""
        try:
            with transaction.atomic(using=using):
                super().validate(model, instance, exclude=exclude, using=using)
        except DataError as error:
            if error.__cause__.sqlstate != DATA_EXCEPTION:
                raise

    def check(self, model, connection):
        """Skip Django 6's demand for ``django.contrib.postgres`` as an installed app: nothing here needs it."""
        return []


class Rule(models.BaseConstraint):
    """A rule that looks at other rows or at the row's past: a trigger with its own PL/pgSQL function.

    Unlike django-pgtrigger, whose triggers any connection can switch off by ``SET pgtrigger.ignore`` and
    which a host project must install as an app of its own, the trigger has no way round it and travels in
    ``Meta.constraints``, where Django's own migration machinery finds it. The text holds no per cent sign,
    because Django interpolates some of the statements it runs and not others.

    Args:
        name: of the trigger and of its function.
        body: what stands between BEGIN and END.
        timing: BEFORE or AFTER.
        events: such as ``INSERT OR UPDATE OF "status"``.
        when: condition on OLD and NEW under which the trigger fires at all.
        declare: variables of the function.
        level: ROW or STATEMENT.
        referencing: transition tables of a statement trigger.
        deferred: check at the end of the transaction.
        table: the table to watch, where it is not the model's own but that of one of its links.
        helper: signature and definition of a function that others may ask as well, kept with the rule.
    """

    def __init__(
        self,
        *,
        name,
        body,
        timing="BEFORE",
        events="INSERT OR UPDATE",
        when="",
        declare="",
        level="ROW",
        referencing="",
        deferred=False,
        table="",
        helper=(),
    ):
        super().__init__(name=name)
        self.options = {
            "body": body,
            "timing": timing,
            "events": events,
            "when": when,
            "declare": declare,
            "level": level,
            "referencing": referencing,
            "deferred": deferred,
            "table": table,
            "helper": tuple(helper),
        }
        if any("%" in str(option) for option in self.options.values()):
            raise ValueError(f"rule {name}: write the text without a per cent sign")

    def constraint_sql(self, model, schema_editor):
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))
        return None

    def create_sql(self, model, schema_editor):
        quote = schema_editor.quote_name
        option = self.options
        declare = f"DECLARE {option['declare']}\n" if option["declare"] else ""
        table = quote(option["table"] or model._meta.db_table)
        helper = "".join(f"{definition};\n" for definition in option["helper"][1:])
        clauses = [
            f"CREATE {'CONSTRAINT ' if option['deferred'] else ''}TRIGGER {quote(self.name)}",
            f"{option['timing']} {option['events']} ON {table}",
            "DEFERRABLE INITIALLY DEFERRED" if option["deferred"] else "",
            f"REFERENCING {option['referencing']}" if option["referencing"] else "",
            f"FOR EACH {option['level']}",
            f"WHEN ({option['when']})" if option["when"] else "",
            f"EXECUTE FUNCTION {quote(self.name)}()",
        ]
        return (
            f"{helper}CREATE FUNCTION {quote(self.name)}() RETURNS trigger LANGUAGE plpgsql AS $rule$\n"
            f"{declare}BEGIN\n{option['body']}\nEND\n$rule$;\n" + "\n".join(filter(None, clauses))
        )

    def remove_sql(self, model, schema_editor):
        name = schema_editor.quote_name(self.name)
        table = schema_editor.quote_name(self.options["table"] or model._meta.db_table)
        helper = "".join(f";\nDROP FUNCTION {signature}" for signature in self.options["helper"][:1])
        return f"DROP TRIGGER {name} ON {table};\nDROP FUNCTION {name}(){helper}"

    def validate(self, model, instance, exclude=None, using="default"):
        """Leave it to the database: only there can the other rows be locked."""

    def __eq__(self, other):
        return isinstance(other, Rule) and (self.name, self.options) == (other.name, other.options)

    def __hash__(self):
        return hash(self.name)

    def deconstruct(self):
        defaults = Rule(name="", body="").options
        given = {key: value for key, value in self.options.items() if value != defaults[key]}
        return "opsdb.models.constraints.Rule", (), {"name": self.name, **given}


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


def between(field, low, high, unit="", below_high=False):
    """CHECK that a value lies in [low, high], or in [low, high) with ``below_high``."""
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
    return Check("finite", reduce(and_, limits), "Numbers must be finite: neither NaN nor infinite.")


def finite_times(fields):
    """CHECK that times and dates are not infinite, which PostgreSQL takes and Python can't read.

    Args:
        fields: the fields, all of one kind or of several.
    """
    finite_all = [
        Func(F(field.name), function="isfinite", template=_ISFINITE[type(field)], output_field=BooleanField())
        for field in fields
    ]
    return Check("finite_times", reduce(and_, map(Q, finite_all)), "Times and dates must be finite.")


# The type is named, because PostgreSQL can't choose a function for a value that is NULL.
_ISFINITE = {
    models.DateTimeField: "%(function)s((%(expressions)s)::timestamptz)",
    models.DateField: "%(function)s((%(expressions)s)::date)",
}


def ordered(low, high, strict=True):
    """CHECK that one field stays below (or, not ``strict``, does not exceed) the other."""
    lookup = "gt" if strict else "gte"
    relation = "above" if strict else "at or above"
    return Check(
        f"{high}_after_{low}",
        Q(**{f"{high}__{lookup}": F(low)}),
        f"{_spoken(high)} must be {relation} {spoken(low)}.",
        high,
    )


def differ(one, other, message):
    """CHECK that two references don't name the same row."""
    return Check(f"{other}_differs", ~Q(**{other: F(one)}), message, other)


def matches(field, pattern, message, name=None):
    """CHECK a text against a regular expression of PostgreSQL."""
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
    """CHECK that every entry of a JSON list is a text that matches ``pattern``."""
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
    """CHECK that rows which meet ``condition`` also meet ``consequence``."""
    return Check(name, ~condition | consequence, message, field)


# A path that does not stay inside its location, or that no listing could show.
PATH_LEADS_OUT = r"(^$|^/|/$|//|(^|/)\.\.?(/|$)|[[:cntrl:]])"


def relative_path(field="relative_path"):
    """CHECK that a path stays inside its location: relative, no ``..``, nothing empty, no control characters."""
    return Check(
        f"{field}_inside",
        ~Q(**{f"{field}__regex": PATH_LEADS_OUT}),
        "The path must be relative, without a leading, trailing or double slash, '.', '..' or control characters.",
        field,
    )


# Hexadecimal digits of a digest: FIPS 180-4 (sha), RFC 7693 (blake2b), RFC 1321 (md5),
# xxHash specification (xxh3: 64 or 128 bits), RFC 1950 (adler32), RFC 3720 (crc32c).
CHECKSUM_DIGITS = {
    "sha256": "{64}",
    "sha512": "{128}",
    "blake2b": "{128}",
    "md5": "{32}",
    "xxh3": "{16}([0-9a-f]{16})?",
    "adler32": "{8}",
    "crc32c": "{8}",
}


def checksum_format(field="checksum", algorithm="checksum_algorithm"):
    """CHECK that a checksum is lower-case hexadecimal and as long as its algorithm makes it."""
    alternatives = (
        Q(**{algorithm: name, f"{field}__regex": f"^[0-9a-f]{digits}$"}) for name, digits in CHECKSUM_DIGITS.items()
    )
    return Check(
        f"{field}_format",
        reduce(or_, alternatives),
        "The checksum must be lower-case hexadecimal, as long as its algorithm makes it (sha256: 64 digits).",
        field,
    )


def in_list(values) -> str:
    """Return texts as the list behind SQL's ``IN``."""
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"


def refuse(message_sql, hint="", column_sql=""):
    """PL/pgSQL that refuses a row as a violated check, so that Django raises ``IntegrityError``.

    Args:
        message_sql: an SQL expression for the message.
        hint: what would be right.
        column_sql: an SQL expression for the field of a form beside which it is said.
    """
    hint_sql = f", HINT = '{hint.replace(chr(39), chr(39) * 2)}'" if hint else ""
    column = f", COLUMN = {column_sql}" if column_sql else ""
    return (
        "RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, "
        f"TABLE = TG_TABLE_NAME, MESSAGE = {message_sql}{hint_sql}{column};"
    )


def refuse_if(condition, message_sql, hint="", returns="NEW", column_sql=""):
    """PL/pgSQL that refuses a row when an SQL condition holds and lets it pass otherwise."""
    return f"IF {condition} THEN\n{refuse(message_sql, hint, column_sql)}\nEND IF;\nRETURN {returns};"


def _columns_differ(columns):
    return " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in columns)


def touched():
    """Keep ``updated_at`` whatever changes the row: a form, ``update()`` or plain SQL."""
    return Rule(name="touch", events="UPDATE", body="NEW.updated_at = statement_timestamp();\nRETURN NEW;")


MAKE_ANOTHER = "Make a new row instead, and delete this one if nothing refers to it."
NEVER_DELETED = "Make a new row instead; this one stays, because it is never deleted."


def immutable(*columns, key="id", hint=MAKE_ANOTHER):
    """Refuse a change of facts that other rules and other rows build on."""
    names = ", ".join(columns)
    return Rule(
        name="immutable" if len(columns) > 1 else f"{columns[0]}_immutable",
        events="UPDATE",
        when=_columns_differ(columns),
        body=refuse(
            f"TG_TABLE_NAME || ' ' || OLD.\"{key}\" || ': {names} cannot be changed once set'",
            hint,
        ),
    )


def append_only(what, deletable=False):
    """Refuse changes, and unless ``deletable`` also deletion, of rows that record what happened."""
    return Rule(
        name="append_only",
        events="UPDATE" if deletable else "UPDATE OR DELETE",
        body=refuse(
            f"TG_TABLE_NAME || ' ' || OLD.id || ': {what} is never changed" + ("'" if deletable else " or removed'")
        ),
    )


def location_of_type(field, location_type):
    """Refuse a location of another type than this reference is for.

    No lock is needed: a location's type can't change, and the foreign key holds the row itself.
    """
    return Rule(
        name=f"{field}_type",
        events=f'INSERT OR UPDATE OF "{field}_id"',
        declare="found record;",
        body=f"SELECT name, location_type INTO found FROM data_location WHERE id = NEW.{field}_id;\n"
        + refuse_if(
            f"found.location_type <> '{location_type}'",
            f"TG_TABLE_NAME || ' ' || NEW.id || ': {field} must be a {location_type} location, but ' "
            "|| found.name || ' is a ' || found.location_type || ' location'",
            f"Choose a location whose type is {location_type}.",
        ),
    )


def same_owner(field, table, owner, message):
    """Refuse a reference to a row of ``table`` that belongs to another owner than this row.

    Args:
        field: the reference, without ``_id``.
        table: the table it points to.
        owner: the column that names the owner, in both tables.
        message: SQL text after ``<table> <id>: ``.
    """
    return Rule(
        name=f"{field}_same_{owner.removesuffix('_id')}",
        events=f'INSERT OR UPDATE OF "{field}_id", "{owner}"',
        when=f'NEW."{field}_id" IS NOT NULL',
        body=refuse_if(
            f'NOT EXISTS (SELECT FROM {table} WHERE id = NEW."{field}_id" AND "{owner}" = NEW."{owner}")',
            f"TG_TABLE_NAME || ' ' || NEW.id || ': {message}'",
        ),
    )


def subtype_rules(parent_table, discriminator, subtype):
    """The rules that keep a subtype's row and its parent's row together.

    A subtype's row needs a parent of its own type and can't be taken away alone.
    """
    return [
        Rule(
            name="subtype",
            events="INSERT OR UPDATE OF id",
            declare="found text;",
            body=f"SELECT {discriminator} INTO found FROM {parent_table} WHERE id = NEW.id;\n"
            + refuse_if(
                f"found IS DISTINCT FROM '{subtype}'",
                f"TG_TABLE_NAME || ' ' || NEW.id || ': its {parent_table} must have the {discriminator} "
                f"{subtype}, but has ' || coalesce(found, 'no row')",
            ),
        ),
        Rule(
            name="stays_with_parent",
            timing="AFTER",
            events="DELETE",
            deferred=True,
            body=refuse_if(
                f"EXISTS (SELECT FROM {parent_table} WHERE id = OLD.id)",
                f"TG_TABLE_NAME || ' ' || OLD.id || ': delete the {parent_table} row too'",
                returns="NULL",
            ),
        ),
        Rule(
            name="touch_parent",
            timing="AFTER",
            events="UPDATE",
            body=f"UPDATE {parent_table} SET id = id WHERE id = NEW.id;\nRETURN NULL;",
        ),
    ]


def subtype_exists(parent_table, discriminator, tables):
    """Refuse, at the end of the transaction, a parent without the row of its subtype.

    Args:
        parent_table: the table of the parents.
        discriminator: the column that names the subtype.
        tables: the subtype's table for every value of the discriminator.
    """
    has_own_row = " OR ".join(
        f"(NEW.{discriminator} = '{value}' AND EXISTS (SELECT FROM {table} WHERE id = NEW.id))"
        for value, table in tables.items()
    )
    return Rule(
        name="subtype_exists",
        timing="AFTER",
        events="INSERT",
        deferred=True,
        body=refuse_if(
            f"EXISTS (SELECT FROM {parent_table} WHERE id = NEW.id) AND NOT ({has_own_row})",
            f"TG_TABLE_NAME || ' ' || NEW.id || ': a row of {discriminator} ' || NEW.{discriminator} "
            "|| ' needs its own row in the table of that subtype'",
            "Create the subtype, not the parent.",
            returns="NULL",
        ),
    )


def state_machine(field, states):
    """Refuse a step that the transition table of ``states`` does not have.

    Args:
        field: the field that holds the state.
        states: the enumeration with the table.
    """

    def listed(after):
        return ", ".join(sorted(after, key=lambda state: state.order)) or "nothing, it is final"

    table = states.transitions()
    steps = " OR ".join(
        f"(OLD.{field} = '{before}' AND NEW.{field} IN {in_list(sorted(after))})"
        for before, after in table.items()
        if after
    )
    following = " ".join(f"WHEN '{before}' THEN '{listed(after)}'" for before, after in table.items())
    return Rule(
        name=f"{field}_transition",
        events=f"UPDATE OF {field}",
        when=f"OLD.{field} IS DISTINCT FROM NEW.{field}",
        body=refuse_if(
            f"NOT ({steps})",
            f"TG_TABLE_NAME || ' ' || OLD.id || ': {field} cannot go from ' || OLD.{field} || ' to ' || NEW.{field} "
            f"|| '; it can become: ' || CASE OLD.{field} {following} END",
        ),
    )


def never_deleted(what):
    """Refuse ``DELETE``, ``TRUNCATE`` and another key: what happened can't be made undone."""
    return [
        immutable("id", hint=NEVER_DELETED),
        Rule(
            name="never_deleted",
            events="DELETE",
            body=refuse(f"TG_TABLE_NAME || ' ' || OLD.id || ': {what} is never deleted'"),
        ),
        never_truncated(),
    ]


def never_truncated():
    """Refuse ``TRUNCATE``, which row triggers do not see."""
    return Rule(
        name="never_truncated",
        events="TRUNCATE",
        level="STATEMENT",
        body=refuse("TG_TABLE_NAME || ': is never emptied'"),
    )


def recorded(recording, columns=(), leaving_out=()):
    """Write changes into the change log: every one, or with ``ChangeLogging.CHANGES`` all but inserts.

    Args:
        recording: which.
        columns: all columns of the table; only needed when some are left out.
        leaving_out: columns that the database derives, and that no history needs; a statement that sets only these
            is not looked at.
    """
    events = {ChangeLogging.ALL: "INSERT OR UPDATE OR DELETE", ChangeLogging.CHANGES: "UPDATE OR DELETE"}[recording]
    if leaving_out:
        told = ", ".join(f'"{column}"' for column in columns if column not in leaving_out)
        events = events.replace("UPDATE", f"UPDATE OF {told}")
    return _recorded(events, leaving_out)


def recorded_together():
    """Write deletions and updates into the change log, what one statement updates at once, for half the cost.

    For a table whose rows change by the thousand, have no secrets, and keep their ids.
    """
    return [
        _recorded("DELETE"),
        Rule(
            name="history_of_updates",
            timing="AFTER",
            events="UPDATE",
            level="STATEMENT",
            referencing="OLD TABLE AS old_rows NEW TABLE AS new_rows",
            declare="told change_log;",
            body="""
told.user_id = nullif(current_setting('opsdb.user_id', true), '');
told.origin = coalesce(current_setting('opsdb.origin', true), '');
told.reason = coalesce(current_setting('opsdb.reason', true), '');
-- Planned each time: a plan that was kept for few rows takes forever for many.
EXECUTE $query$
INSERT INTO change_log (changed_at, table_name, row_id, operation, before, after,
                        user_id, origin, reason, database_user, transaction_id)
SELECT clock_timestamp(), $1, new_rows.id::text, 'update', difference.before, difference.after,
       $2, $3, $4, session_user, pg_current_xact_id()::text::bigint
FROM old_rows JOIN new_rows USING (id)
CROSS JOIN LATERAL opsdb_difference(to_jsonb(old_rows), to_jsonb(new_rows)) AS difference
WHERE difference.before IS NOT NULL
$query$ USING TG_TABLE_NAME, told.user_id, told.origin, told.reason;
RETURN NULL;""".strip(),
        ),
    ]


def _recorded(events, leaving_out=()):
    old, new = (f"to_jsonb({row})" + "".join(f" - '{column}'" for column in leaving_out) for row in ("OLD", "NEW"))
    return Rule(
        name="history",
        timing="AFTER",
        events=events,
        body=f"PERFORM opsdb_record_change(TG_TABLE_NAME, lower(TG_OP), {old}, {new});\nRETURN NULL;",
    )


def links_recorded(owner, field, link, owner_column, other_column):
    """Write what is linked to a row, and what is taken from it, into the change log as a change of that row.

    Args:
        owner: the table of the rows that have the links.
        field: the name of the many-to-many field.
        link: the table of the links, with its columns for the row and for what is linked to it.
    """
    before, after = (
        f"jsonb_build_object('id', coalesce(NEW.{owner_column}, OLD.{owner_column}), '{field}', {row}.{other_column})"
        for row in ("OLD", "NEW")
    )
    return Rule(
        name=f"{field}_history",
        table=link,
        timing="AFTER",
        events="INSERT OR UPDATE OR DELETE",
        body=f"PERFORM opsdb_record_change('{owner}', 'update', {before}, {after});\nRETURN NULL;",
    )


def frozen_once_verified(target, *columns, also="false"):
    """Refuse to change the facts that a copy was verified against.

    Args:
        target: the column of ``physical_copy`` that points to this table, without ``_id``.
        columns: the facts.
        also: another condition on OLD that freezes them.
    """
    return Rule(
        name="facts_frozen",
        events="UPDATE",
        when=_columns_differ(columns),
        body=refuse_if(
            f"{also} OR EXISTS (SELECT FROM physical_copy WHERE {target}_id = OLD.id AND verification = 'verified')",
            f"TG_TABLE_NAME || ' ' || OLD.id || ': {', '.join(columns)} cannot be changed, "
            "because a copy was verified against them'",
        ),
    )
