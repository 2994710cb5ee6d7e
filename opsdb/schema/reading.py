"""Read the description of the schema from the models: without a database, and the same on every machine."""

from __future__ import annotations

import importlib
import inspect
from collections import defaultdict
from enum import StrEnum
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import translation
from django.utils.text import capfirst

from opsdb.database.frozen_triggers import FrozenTrigger
from opsdb.database.triggers import Trigger
from opsdb.models import enums
from opsdb.models.base import area_of, first_paragraph
from opsdb.models.meanings import meanings_of, purpose_of
from opsdb.models.reduction import filter_rules
from opsdb.models.units import unit_of

from .definitions import constraint_definition, default_of, index_definition, indexes_of_field, type_of
from .description import (
    Column,
    Constraint,
    Enumeration,
    FilterColumn,
    FilterRules,
    Link,
    Relation,
    Rule,
    Schema,
    SchemaArea,
    SchemaTable,
    TableIndex,
    Value,
)
from .sentences import sentence

AREAS = (
    "observatory",
    "planning",
    "execution",
    "data",
    "locations",
    "copies",
    "transfer",
    "archive",
    "reduction",
    "publications",
    "failures",
    "access",
    "history",
)
ON_DELETE = {models.CASCADE: "deleted too", models.PROTECT: "refused", models.DO_NOTHING: "kept"}
Model = type[models.Model]


@cache
def describe_schema() -> Schema:
    """Return the description of the schema that the installed version has. No query is sent.

    A project with a user model of its own has no table of our users, and its description has none.
    """
    # Django's own fields have texts in the language of the project, and the comments in the database are in English.
    with translation.override(None, deactivate=True):
        return _Reader().schema()


class _Reader:
    def __init__(self) -> None:
        found = apps.get_app_config("opsdb").get_models(include_auto_created=True)
        own = [model for model in found if not model._meta.swapped]
        self.models = [model for model in own if not model._meta.proxy]
        self.kinds: dict[Any, list[str]] = defaultdict(list)
        for model in own:
            if model._meta.proxy:
                self.kinds[model._meta.concrete_model].append(model.__name__)
        self.enumerations = {name: getattr(enums, name) for name in enums.__all__}
        self.relations = [relation for model in self.models for relation in self._relations(model)]
        self.links = [link for model in self.models for link in self._links(model)]
        self.rules: dict[str, list[Rule]] = defaultdict(list)
        for model in self.models:
            for trigger in model._meta.constraints:
                if isinstance(trigger, Trigger):
                    self.rules[trigger.table].append(_rule(trigger))

    def schema(self) -> Schema:
        areas: dict[str, list[SchemaTable]] = {name: [] for name in AREAS}
        for model in sorted(self.models, key=_is_link):
            areas[_area(model)].append(self._table(model))
        return Schema(
            areas=tuple(SchemaArea(name, _meaning_of_area(name), tuple(tables)) for name, tables in areas.items()),
            enumerations=tuple(self._enumeration(name, one) for name, one in self.enumerations.items()),
            filter_rules=_filter_rules(),
        )

    def _table(self, model: Model) -> SchemaTable:
        options, is_link = model._meta, _is_link(model)
        name = options.db_table
        declared = [one for one in options.constraints if not isinstance(one, FrozenTrigger)]
        if is_link:
            meaning, details = _meaning_of_link(model), ""
        else:
            meaning = first_paragraph(model.__doc__ or "")
            details = "\n\n".join(inspect.cleandoc(model.__doc__ or "").split("\n\n")[1:])
        return SchemaTable(
            name=name,
            kind="table of links" if is_link else "table" if options.managed else "view",
            model="" if is_link else model.__name__,
            kinds=tuple(self.kinds[model]),
            meaning=meaning,
            details=details,
            change_logging=str(getattr(model, "change_logging", "")),
            columns=tuple(self._column(model, field) for field in options.local_concrete_fields),
            references=tuple(one for one in self.relations if one.table == name),
            referenced_by=tuple(one for one in self.relations if one.references == name),
            links=tuple(one for one in self.links if name in (one.table, one.references)),
            constraints=(
                *_unique_columns(model),
                *(Constraint(one.name, constraint_definition(model, one), _message(one)) for one in declared),
            ),
            indexes=()
            if not options.managed
            else (
                *(TableIndex(*one) for field in options.local_fields for one in indexes_of_field(model, field)),
                *(
                    TableIndex(one.name, index_definition(model, one), getattr(one, "serves", ()))
                    for one in options.indexes
                ),
            ),
            rules=tuple(self.rules[name]),
        )

    def _column(self, model: Model, field: Any) -> Column:
        natural = list(getattr(model, "natural_key_fields", ()))
        return Column(
            name=field.column,
            sql_type=type_of(field),
            null=field.null,
            default=default_of(field),
            unit=unit_of(field) or "",
            meaning=field.db_comment or str(field.help_text or capfirst(str(field.verbose_name))),
            is_primary_key=field.primary_key,
            natural_key=natural.index(field.name) + 1 if field.name in natural else 0,
            references=field.related_model._meta.db_table if field.is_relation else "",
            enumeration=self._enumeration_of(field),
        )

    def _enumeration_of(self, field: Any) -> str:
        choices = list(field.choices or ())
        return next((name for name, one in self.enumerations.items() if choices and _choices(one) == choices), "")

    def _relations(self, model: Model) -> list[Relation]:
        return [
            Relation(
                table=model._meta.db_table,
                column=field.column,
                references=field.related_model._meta.db_table,
                null=field.null,
                is_unique=field.unique,
                is_subtype=bool(field.remote_field.parent_link),
                on_delete=ON_DELETE[field.remote_field.on_delete],
                backwards="" if field.remote_field.hidden else field.remote_field.get_accessor_name() or "",
            )
            for field in model._meta.local_fields
            if field.is_relation
        ]

    def _links(self, model: Model) -> list[Link]:
        return [
            Link(
                table=model._meta.db_table,
                field=field.name,
                references=field.related_model._meta.db_table,
                through=field.remote_field.through._meta.db_table,
                meaning=str(field.help_text),
            )
            for field in model._meta.local_many_to_many
        ]

    def _enumeration(self, name: str, enumeration: type[StrEnum]) -> Enumeration:
        is_machine = issubclass(enumeration, enums.StateChoices)
        meanings = meanings_of(enumeration)
        return Enumeration(
            name=name,
            purpose=purpose_of(enumeration),
            is_state_machine=is_machine,
            values=tuple(_value(member, meanings[member.value], is_machine) for member in enumeration),
            used_by=tuple(
                f"{model._meta.db_table}.{field.column}"
                for model in self.models
                for field in model._meta.local_concrete_fields
                if self._enumeration_of(field) == name
            ),
        )


def _is_link(model: Model) -> bool:
    return bool(model._meta.auto_created)


def _area(model: Model) -> str:
    return area_of(model._meta.auto_created or model)


def _meaning_of_area(name: str) -> str:
    return first_paragraph(importlib.import_module(f"opsdb.models.{name}").__doc__ or "")


def _meaning_of_link(model: Model) -> str:
    owner = model._meta.auto_created
    field = next(one for one in owner._meta.local_many_to_many if one.remote_field.through is model)
    other = field.related_model._meta
    return f"One link of a {owner._meta.verbose_name} with a {other.verbose_name}: {field.name}."


def _unique_columns(model: Model) -> list[Constraint]:
    """The constraints of columns that are declared unique, named as PostgreSQL names them."""
    table = model._meta.db_table
    found = [
        Constraint(
            f"{table}_{field.column}_key",
            f'UNIQUE ("{field.column}")',
            f"{capfirst(str(model._meta.verbose_name))} with this {capfirst(str(field.verbose_name))} already exists.",
        )
        for field in model._meta.local_concrete_fields
        if field.unique and not field.primary_key
    ]
    for fields in model._meta.unique_together:
        columns = [model._meta.get_field(name).column for name in fields]
        quoted = ", ".join(f'"{column}"' for column in columns)
        found.append(Constraint("", f"UNIQUE ({quoted})", "The link is there already."))
    return found


def _message(constraint: Any) -> str:
    return str(constraint.get_violation_error_message())


def _rule(trigger: Trigger) -> Rule:
    level = "" if trigger.level == "ROW" else " of a whole statement"
    deferred = ", at the end of the transaction" if trigger.deferred else ""
    return Rule(
        name=trigger.name,
        kind=type(trigger).__name__,
        sentence=sentence(trigger),
        events=f"{trigger.timing} {trigger.events}{level}{deferred}",
        condition=trigger.when,
        function=trigger.function,
    )


def _choices(enumeration: type[StrEnum]) -> list[tuple[str, Any]]:
    return list(getattr(enumeration, "choices", ()))


def _value(member: Any, meaning: str, is_state: bool) -> Value:
    return Value(
        value=member.value,
        label=str(getattr(member, "label", member.value)),
        meaning=meaning,
        may_become=tuple(str(state) for state in sorted(member.may_become, key=lambda one: one.order))
        if is_state
        else (),
        colour=member.look.colour if is_state else "",
    )


def _filter_rules() -> FilterRules:
    about = inspect.cleandoc(filter_rules.__doc__ or "").split("\n\n")
    return FilterRules(
        about=tuple(" ".join(paragraph.split()) for paragraph in about),
        keys=filter_rules.KEYS,
        most_rules=filter_rules.MAX_RULES,
        most_values=filter_rules.MAX_LISTED,
        columns=tuple(
            FilterColumn(table, name, column.kind.name, column.kind.operators)
            for table, columns in filter_rules.registry().items()
            for name, column in columns.items()
        ),
    )
