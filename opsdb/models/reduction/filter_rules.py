"""The filter rules of data groupings: the registry of tables, columns and operators, and its checks.

A rule is ``{"table", "column", "operator", "value", "json_path"}``. It names a column of the raw data package, or of a
row that exists once for each package, such as its observation. Only the columns listed here can be named.

An unknown value (NULL, a missing row, a JSON path that finds nothing or null) differs from every value: only ``neq``
and ``not_in`` select it. ``eq`` and ``neq`` with the value null test whether a value is unknown. Texts are compared by
Unicode code points, independently of the locale of the database.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import BooleanField, F, Func, Q, Value
from django.db.models.functions import Collate

from opsdb.database.triggers import Trigger

from ..data.obscore import RawDataPackageMetadata
from ..data.raw_packages import RawDataPackage
from ..execution import ExecutedObsUnit
from ..observatory import InstrumentModule
from ..planning.sources import Source
from ..planning.units import ObsUnit

MAX_RULES = 50
MAX_LISTED = 1_000
MAX_TEXT = 1_000
MAX_PATH = 10

EQUALITY = ("eq", "neq", "in", "not_in")
ORDER = ("gt", "gte", "lt", "lte")
OPERATORS = (*EQUALITY, *ORDER, "like")
KEYS = ("table", "column", "operator", "value", "json_path")

# Columns of work and the numbers of users don't show what belongs together.
UNNAMED = {
    "observer_id",
    "retry_count",
    "max_retries",
    "failure_message",
    "claimed_by",
    "scheduled_at",
    "started_at",
    "heartbeat_at",
    "finished_at",
}
# Every table that a rule can name, and how a query gets there from a raw data package.
TABLES = {
    RawDataPackage: "",
    ExecutedObsUnit: "executed_obs_unit__",
    ObsUnit: "executed_obs_unit__obs_unit__",
    Source: "executed_obs_unit__obs_unit__source__",
    InstrumentModule: "instrument_module__",
    RawDataPackageMetadata: "metadata__",
}


class _Invalid(ValueError):
    """What is wrong with a value."""


def _boolean(value: object, column: RuleColumn) -> bool:
    if not isinstance(value, bool):
        raise _Invalid("must be true or false")
    return value


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Invalid("must be a number")
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        raise _Invalid("must be a finite number")
    return value


def _integer(value: object, column: RuleColumn) -> int:
    number = _number(value)
    if number != int(number):
        raise _Invalid("must be a whole number")
    limit = 2 ** (31 if isinstance(column.field, models.IntegerField) and not column.is_big else 63)
    if not -limit <= number < limit:
        raise _Invalid(f"must be at least {-limit} and below {limit}")
    return int(number)


def _float(value: object, column: RuleColumn) -> float:
    return float(_number(value))


def _text(value: object, column: RuleColumn) -> str:
    if not isinstance(value, str):
        raise _Invalid("must be a text")
    if len(value) > MAX_TEXT:
        raise _Invalid(f"must have at most {MAX_TEXT} characters")
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _Invalid("must be a text without NUL and surrogates, which PostgreSQL can't hold")
    return value


def _uuid(value: object, column: RuleColumn) -> UUID:
    try:
        return UUID(_text(value, column))
    except ValueError:
        raise _Invalid("must be a UUID") from None


def _moment(value: object, column: RuleColumn) -> datetime:
    text = _text(value, column)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _Invalid("must be a date or time, such as 2026-06-15 or 2026-06-15T12:00:00Z") from None
    if moment.tzinfo is None:
        if len(text) > len("2026-06-15"):
            raise _Invalid("must be a time with a time zone, such as 2026-06-15T12:00:00Z")
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _Invalid("must be a time within the years 1 to 9999") from None


def _json_scalar(value: object, column: RuleColumn) -> bool | int | float | str:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return _text(value, column)
    raise _Invalid("must be a text, a number, true or false")


@dataclass(frozen=True)
class ColumnKind:
    """A kind of column: what its values are and which operators it takes."""

    name: str
    value_of: Callable[[object, RuleColumn], Any]
    operators: tuple[str, ...] = (*EQUALITY, *ORDER)


TEXT = ColumnKind("text", _text, OPERATORS)
JSON = ColumnKind("JSON", _json_scalar, OPERATORS)
KINDS = [
    (models.BooleanField, ColumnKind("true or false", _boolean, EQUALITY)),
    (models.UUIDField, ColumnKind("UUID", _uuid)),
    (models.DateTimeField, ColumnKind("time", _moment)),
    (models.FloatField, ColumnKind("number", _float)),
    (models.IntegerField, ColumnKind("whole number", _integer)),
    (models.JSONField, JSON),
    (models.CharField | models.TextField, TEXT),
]


@dataclass(frozen=True)
class RuleColumn:
    """A column that a rule can name.

    Attributes:
        path: how a query gets to it from a raw data package.
        field: the field that holds the value; of a reference, the key that it points to.
        kind: what its values are.
    """

    path: str
    field: models.Field[Any, Any]
    kind: ColumnKind

    @property
    def is_big(self) -> bool:
        """Whether it is a whole number of 64 bits."""
        return isinstance(self.field, models.BigIntegerField | models.BigAutoField)


def _kind_of(field: models.Field[Any, Any]) -> ColumnKind:
    return next(kind for types, kind in KINDS if isinstance(field, types))


def _columns(model: type[models.Model], prefix: str) -> Iterator[tuple[str, RuleColumn]]:
    for field in model._meta.local_concrete_fields:
        if field.column in UNNAMED:
            continue
        held = field.target_field if field.is_relation else field
        yield field.column, RuleColumn(f"{prefix}{field.attname}", held, _kind_of(held))


@cache
def registry() -> dict[str, dict[str, RuleColumn]]:
    """Return every column that a rule can name, by table and name."""
    return {model._meta.db_table: dict(_columns(model, prefix)) for model, prefix in TABLES.items()}


# What a rule asks of a column


SIGNS = {"eq": " = ", "gt": " > ", "gte": " >= ", "lt": " < ", "lte": " <= ", "like": " LIKE "}


def _joined(sign: str, *expressions: Any) -> Func:
    """A condition made of expressions with a sign between them."""
    return Func(*expressions, template="(%(expressions)s)", arg_joiner=sign, output_field=BooleanField())


def _jsonb(value: object) -> Func:
    return Func(Value(json.dumps(value)), template="%(expressions)s::jsonb", output_field=models.JSONField())


@dataclass(frozen=True)
class Condition:
    """What a rule asks of a column, checked: ``q`` is the condition on a raw data package."""

    column: RuleColumn
    operator: str
    value: Any
    keys: tuple[str, ...] = ()

    @property
    def q(self) -> Q:
        positive = {"neq": "eq", "not_in": "in"}.get(self.operator)
        if self.keys:
            return ~Q(self._found(positive)) if positive else Q(self._found(self.operator))
        unknown = Q(**{f"{self.column.path}__isnull": True})
        if self.value is None:
            return ~unknown if positive else unknown
        return unknown | ~self._holds(positive) if positive else self._holds(self.operator)

    def _holds(self, operator: str) -> Q:
        path, value = self.column.path, self.value
        if operator == "like":
            return Q(_joined(SIGNS["like"], F(path), Value(value)))
        if operator in ORDER and self.column.kind is TEXT:
            return Q(_joined(SIGNS[operator], Collate(F(path), "C"), Value(value)))
        return Q(**{path if operator == "eq" else f"{path}__{operator}": value})

    def _found(self, operator: str) -> Func:
        """An expression about what the JSON path finds; it is never unknown."""
        at_path = [F(self.column.path), *map(Value, self.keys)]
        found = Func(*at_path, function="jsonb_extract_path", output_field=models.JSONField())
        if self.value is None:
            holds = _joined(SIGNS["eq"], Func(found, _jsonb(None), function="coalesce"), _jsonb(None))
        elif operator in ("eq", "in"):
            values = self.value if operator == "in" else [self.value]
            holds = _joined(" OR ", *(_joined(SIGNS["eq"], found, _jsonb(value)) for value in values))
        elif isinstance(self.value, str):
            text = Func(*at_path, function="jsonb_extract_path_text", output_field=models.TextField())
            ordered = text if operator == "like" else Collate(text, "C")
            holds = _joined(" AND ", self._is_of(found, "string"), _joined(SIGNS[operator], ordered, Value(self.value)))
        else:
            compared = _joined(SIGNS[operator], found, _jsonb(self.value))
            holds = _joined(" AND ", self._is_of(found, "number"), compared)
        return Func(holds, Value(False), function="coalesce", output_field=BooleanField())

    @staticmethod
    def _is_of(found: Func, kind: str) -> Func:
        return _joined(SIGNS["eq"], Func(found, function="jsonb_typeof", output_field=models.TextField()), Value(kind))


# Rules


def conditions(rules: object) -> list[Condition]:
    """Return what the rules of a grouping ask for.

    Args:
        rules: the value of ``filter_rules``; any JSON.

    Raises:
        ValidationError: a rule is wrong; every message names its index and what is wrong.
    """
    if not isinstance(rules, list):
        raise ValidationError("The rules must be a JSON list of {table, column, operator, value}.")
    if len(rules) > MAX_RULES:
        raise ValidationError(f"There are {len(rules)} rules, but at most {MAX_RULES} may be given.")
    asked, problems = [], []
    for index, rule in enumerate(rules):
        try:
            asked.append(_condition(rule))
        except _Invalid as wrong:
            problems.append(f"filter_rules[{index}]: {wrong}")
    if problems:
        raise ValidationError(problems)
    return asked


def _condition(rule: object) -> Condition:
    if not isinstance(rule, dict):
        raise _Invalid("must be an object {table, column, operator, value}")
    if unknown := [key for key in rule if key not in KEYS]:
        raise _Invalid(f"has the unknown key {_shown(unknown[0])}; known are {', '.join(KEYS)}")
    if missing := [key for key in KEYS[:4] if key not in rule]:
        raise _Invalid(f"has no {missing[0]}")
    columns = _one_of("table", rule["table"], registry())
    column = _one_of("column", rule["column"], columns, f"in table {rule['table']} ")
    operator = rule["operator"]
    _one_of("operator", operator, dict.fromkeys(OPERATORS))
    if operator not in column.kind.operators:
        raise _Invalid(f"operator {operator} is not for {rule['column']}, which is a {column.kind.name} column")
    keys = _keys(rule.get("json_path"), column)
    return Condition(column, operator, _value(rule["value"], operator, column), keys)


def _shown(value: object) -> str:
    return ascii(value)[:60]


def _one_of(what: str, name: object, known: dict[str, Any], where: str = "") -> Any:
    if not isinstance(name, str) or name not in known:
        raise _Invalid(f"there is no {what} {_shown(name)} {where}that a rule may name; known are {', '.join(known)}")
    return known[name]


def _keys(json_path: object, column: RuleColumn) -> tuple[str, ...]:
    if column.kind is not JSON:
        if json_path is not None:
            raise _Invalid(f"json_path is only for JSON columns, not for a {column.kind.name} column")
        return ()
    if isinstance(json_path, str) and not json_path.startswith("$"):
        keys = json_path.split(".")
    elif isinstance(json_path, list):
        keys = json_path
    else:
        keys = []
    if not 1 <= len(keys) <= MAX_PATH or not all(isinstance(key, str) and key for key in keys):
        raise _Invalid(
            f"json_path must be keys with dots between them, such as weather.wind, or a list of at most {MAX_PATH} keys"
        )
    try:
        return tuple(_text(key, column) for key in keys)
    except _Invalid as wrong:
        raise _Invalid(f"a key of json_path {wrong}") from None


def _value(value: object, operator: str, column: RuleColumn) -> Any:
    try:
        if operator in ("in", "not_in"):
            if not isinstance(value, list) or not 1 <= len(value) <= MAX_LISTED:
                raise _Invalid(f"must be a list of 1 to {MAX_LISTED} values")
            return [_single(item, operator, column) for item in value]
        if value is None and operator in ("eq", "neq"):
            return None
        return _single(value, operator, column)
    except _Invalid as wrong:
        raise _Invalid(f"value {wrong}, not {_shown(value)}") from None


def _single(value: object, operator: str, column: RuleColumn) -> Any:
    checked = column.kind.value_of(value, column)
    if operator == "like":
        pattern = _text(value, column)
        if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
            raise _Invalid("must not end with a single backslash")
    elif operator in ORDER and isinstance(checked, bool):
        raise _Invalid("must be a text or a number")
    elif operator in EQUALITY and column.field.choices:
        known = [choice for choice, _ in column.field.flatchoices]
        if checked not in known:
            raise _Invalid(f"must be one of {', '.join(known)}")
    return checked


def rules_are_known() -> Trigger:
    """Refuse rules that name what the registry does not have, with the index of the rule and what is wrong."""
    return Trigger(
        "rules_are_known",
        "opsdb_grouping_rules_are_known",
        json.dumps({table: [*columns] for table, columns in registry().items()}),
        f"{{{','.join(KEYS)}}}",
        f"{{{','.join(OPERATORS)}}}",
        str(MAX_RULES),
        events='INSERT OR UPDATE OF "filter_rules"',
        when="jsonb_typeof(NEW.filter_rules) = 'array'",
        field="filter_rules",
    )
