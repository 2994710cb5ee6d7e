"""The reference as Markdown: a page for every area, one of the enumerations, and one of what pipelines are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from opsdb.models.enums import ChangeLogging
from opsdb.models.meanings import meanings_of

from .description import Constraint, Enumeration, Relation, Schema, SchemaArea, SchemaTable, TableIndex

GENERATED = "<!-- Written by manage.py opsdb_schema: change the models, and not this page. -->"
SPAN = re.compile(r"(`[^`]+`)")
SPECIAL = re.compile(r"([\\*|<>\[\]])")
WHOLE = "schema.svg"
ENUMERATIONS, GROUPINGS = "enumerations.md", "groupings.md"
GROUPING_ENUMERATIONS = ("GroupingDimension", "TriggerType", "VersionPolicy")
CRON = (
    "A cron expression has five fields: minute, hour, day of the month, month and day of the week, in UTC, such as "
    '`{"cron": "0 12 * * *"}`. A field is `*`, a number, a name (`jan`, `mon`), a range from low to high, or several '
    "of these with commas between them; `/2` takes every second. A pipeline is due when one of these times has passed "
    "since its runs were planned last. Times that passed meanwhile count once. A date that never comes is refused."
)
NULL = (
    "Names are those of the tables and columns below. `json_path` is for JSON columns alone: keys with dots between "
    "them (`weather.wind`), or a list of keys."
)


def markdown(text: str) -> str:
    """Return a text of a docstring or a comment as Markdown on one line: what is between backquotes stays as it is."""
    plain = " ".join(text.replace("``", "`").split())
    return "".join(
        span if SPAN.fullmatch(span) else SPECIAL.sub(r"\\\1", span) for span in SPAN.split(plain) if span
    ).strip()


def area_picture(area: SchemaArea) -> str:
    """Return the file of the diagram of an area."""
    return f"{area.name}.svg"


def state_picture(enumeration: Enumeration) -> str:
    """Return the file of the diagram of a state machine."""
    return f"states-{enumeration.name.lower()}.svg"


def pages(schema: Schema) -> dict[str, str]:
    """Return the text of every page by the name of its file, the index first."""
    writer = _Writer(schema)
    found = {
        "index.md": writer.index(),
        **{f"{area.name}.md": writer.area(area) for area in schema.areas},
        ENUMERATIONS: writer.enumerations(),
        GROUPINGS: writer.groupings(),
    }
    return {name: "\n".join(lines).rstrip() + "\n" for name, lines in found.items()}


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return ["", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *lines] if lines else []


def _picture(file: str, title: str) -> list[str]:
    return ["", f"[![{title}]({file})]({file})"]


def _sql(parts: Sequence[Constraint | TableIndex], write: Callable[..., str]) -> list[str]:
    return ["", "```sql", *(write(part) for part in parts), "```"] if parts else []


class _Writer:
    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.areas = schema.area_of()

    def to_table(self, name: str) -> str:
        """A table as a link to where it is described."""
        if name not in self.areas:
            return f"`{name}`"
        return f"[{name}]({self.areas[name].name}.md#{name})"

    def index(self) -> list[str]:
        lines = [
            "# Schema reference",
            "",
            GENERATED,
            "",
            "Every table, with its columns, constraints, indexes, relations and rules. `manage.py opsdb_schema` writes "
            "this reference from the models; the same is in the admin as *About this table*, and in PostgreSQL as the "
            "comments of tables and columns (`\\d+ raw_data_file`).",
            *_picture(WHOLE, "All tables and their references"),
        ]
        rows = [
            (
                f"[{area.name}]({area.name}.md)",
                markdown(area.meaning),
                ", ".join(self.to_table(table.name) for table in area.tables if table.kind != "table of links"),
            )
            for area in self.schema.areas
        ]
        lines += _table(("area", "what its tables hold", "tables"), rows)
        machines = [one for one in self.schema.enumerations if one.is_state_machine]
        lines += [
            "",
            f"[Enumerations]({ENUMERATIONS}) have the meaning of every value, and the steps of the state machines: "
            + ", ".join(f"[{one.name}]({ENUMERATIONS}#{one.name.lower()})" for one in machines)
            + f". [Groupings and pipelines]({GROUPINGS}) have the language of filter rules, the dimensions of "
            "`group_by`, the triggers and the version policies.",
            "",
            "## How to read it",
            "",
            "- A column that may be NULL has *yes* under *null*. *Next number* is the default of a column that "
            "PostgreSQL numbers. Units are written as the standard VOUnits of the IVOA writes them.",
            "- A constraint concerns one row, or two; the message is shown to users. A rule is enforced by a trigger, "
            "which may read other rows.",
            "- *Deleted too*: Django also deletes the rows that refer to a deleted one; plain SQL has to delete them "
            "first. *Refused* applies to both.",
            "- In diagrams a line leads from the table that is referred to, at the left, to the column that refers to "
            "it, at the right; a fork means that many rows may refer to one. A question mark follows the type of a "
            "column that may be NULL. Keys are bold.",
        ]
        return lines

    def area(self, area: SchemaArea) -> list[str]:
        lines = [
            f"# Tables: {area.name}",
            "",
            GENERATED,
            "",
            markdown(area.meaning),
            *_picture(area_picture(area), f"Tables of the area {area.name}"),
        ]
        for table in area.tables:
            lines += self.table(table)
        return lines

    def table(self, table: SchemaTable) -> list[str]:
        lines = ["", f"## {table.name}", "", markdown(table.meaning)]
        for paragraph in filter(None, table.details.split("\n\n")):
            lines += ["", markdown(paragraph)]
        lines += ["", *self._facts(table)]
        lines += self._columns(table)
        lines += self._relations(table)
        lines += self._constraints(table)
        lines += self._indexes(table)
        lines += self._rules(table)
        return lines

    def _facts(self, table: SchemaTable) -> list[str]:
        facts = []
        if table.model:
            facts.append(f"Model: `opsdb.models.{table.model}`")
        if table.kinds:
            facts.append(f"Models of a part of its rows: {', '.join(f'`{kind}`' for kind in table.kinds)}")
        natural = sorted((column.natural_key, column.name) for column in table.columns if column.natural_key)
        if natural:
            facts.append(f"Natural key: {', '.join(f'`{name}`' for _place, name in natural)}")
        if table.change_logging:
            facts.append(f"Change log: {_in_sentence(meanings_of(ChangeLogging)[table.change_logging])}")
        if table.kind != "table":
            facts.append(f"A {table.kind}")
        return [f"- {fact}" for fact in facts]

    def _columns(self, table: SchemaTable) -> list[str]:
        rows = []
        for column in table.columns:
            meaning = markdown(column.meaning)
            if column.enumeration:
                meaning += f" Values: [{column.enumeration}]({ENUMERATIONS}#{column.enumeration.lower()})."
            if column.references:
                meaning += f" Refers to {self.to_table(column.references)}."
            name = f"**`{column.name}`**" if column.is_primary_key else f"`{column.name}`"
            default = f"`{column.default}`" if column.default not in ("", "next number") else column.default
            null = "yes" if column.null else ""
            rows.append((name, column.sql_type, null, default, column.unit, meaning))
        return _table(("column", "type", "null", "default", "unit", "meaning"), rows)

    def _relations(self, table: SchemaTable) -> list[str]:
        lines = []
        if table.referenced_by:
            rows = [
                (
                    f"{self.to_table(one.table)}, `{one.column}`",
                    f"`{one.backwards}`" if one.backwards else "",
                    _how_many(one),
                    one.on_delete,
                )
                for one in table.referenced_by
            ]
            columns = ("what refers to it", "name in Python", "how many", "when its row here is deleted")
            lines += _table(columns, rows)
        if table.links:
            rows = [
                (
                    self.to_table(one.references if one.table == table.name else one.table),
                    f"`{one.field}`" if one.table == table.name else f"`{one.field}` of {self.to_table(one.table)}",
                    self.to_table(one.through),
                    markdown(one.meaning),
                )
                for one in table.links
            ]
            lines += _table(("links with", "field", "table of the links", "meaning"), rows)
        return lines

    def _constraints(self, table: SchemaTable) -> list[str]:
        rows = [(f"`{one.name}`" if one.name else "", markdown(one.message)) for one in table.constraints]
        lines = _table(("constraint", "message"), rows)
        return lines + _sql(
            table.constraints, lambda one: f"CONSTRAINT {one.name} {one.definition}" if one.name else one.definition
        )

    def _indexes(self, table: SchemaTable) -> list[str]:
        rows = [(f"`{one.name}`", "; ".join(one.serves)) for one in table.indexes if one.serves]
        lines = _table(("index", "questions that need it"), rows)
        return lines + _sql(table.indexes, lambda one: f"INDEX {one.name} {one.definition}")

    def _rules(self, table: SchemaTable) -> list[str]:
        rows = [(f"`{one.name}`", one.events.replace('"', ""), markdown(one.sentence)) for one in table.rules]
        return _table(("rule", "looked at", "what it keeps"), rows)

    def enumerations(self) -> list[str]:
        lines = [
            "# Enumerations",
            "",
            GENERATED,
            "",
            "The database stores the value, and a constraint keeps every other text out. In Python they are imported "
            "from `opsdb.models`.",
        ]
        for enumeration in self.schema.enumerations:
            lines += self.enumeration(enumeration)
        return lines

    def enumeration(self, enumeration: Enumeration, level: str = "##") -> list[str]:
        lines = ["", f"{level} {enumeration.name}", "", markdown(enumeration.purpose)]
        if enumeration.used_by:
            used = [one.split(".") for one in enumeration.used_by]
            lines += ["", "Used by " + ", ".join(f"{self.to_table(table)} `{column}`" for table, column in used) + "."]
        if enumeration.is_state_machine:
            lines += _picture(state_picture(enumeration), f"Steps of {enumeration.name}")
            rows = [
                (
                    f"`{one.value}`",
                    markdown(one.meaning),
                    ", ".join(f"`{state}`" for state in one.may_become) or "final",
                )
                for one in enumeration.values
            ]
            return lines + _table(("value", "meaning", "what may follow"), rows)
        rows = [(f"`{one.value}`", one.label, markdown(one.meaning)) for one in enumeration.values]
        return lines + _table(("value", "name", "meaning"), rows)

    def groupings(self) -> list[str]:
        rules = self.schema.filter_rules
        example = (
            '[{"table": "obs_unit", "column": "name", "operator": "like", "value": "Orion%"},\n'
            ' {"table": "executed_obs_unit", "column": "start_time", "operator": "gte", "value": "2026-06-15"}]'
        )
        lines = [
            "# Groupings and pipelines",
            "",
            GENERATED,
            "",
            f"A data grouping ({self.to_table('data_grouping')}) gathers raw data packages. A pipeline "
            f"({self.to_table('pipeline')}) reduces them, by its steps ({self.to_table('reduction_step')}).",
            "",
            "## Filter rules",
            "",
            f"`filter_rules` is a JSON list of at most {rules.most_rules} rules, all of which must hold. A rule has "
            f"the keys {', '.join(f'`{key}`' for key in rules.keys)}.",
            "",
            "```json",
            example,
            "```",
        ]
        for paragraph in rules.about[1:]:
            lines += ["", markdown(paragraph.replace(":func:", ""))]
        lines += ["", NULL, "", "| operator | holds where the column |", "|---|---|"]
        lines += [f"| `{name}` | {meaning} |" for name, meaning in operators(rules.most_values).items()]
        columns = [
            (f"`{one.table}`", f"`{one.column}`", one.kind, ", ".join(f"`{name}`" for name in one.operators))
            for one in rules.columns
        ]
        lines += ["", "## Columns that a rule may name"]
        lines += _table(("table", "column", "values", "operators"), columns)
        for name in GROUPING_ENUMERATIONS:
            lines += self.enumeration(self.schema.enumeration(name))
            if name == "TriggerType":
                lines += ["", CRON]
        return lines


def operators(most: int) -> dict[str, str]:
    """Return what each operator of a filter rule holds for.

    Args:
        most: how many values a list may have.
    """
    return {
        "eq": "is the value; with `null`: is unknown",
        "neq": "is not the value; with `null`: is known",
        "in": f"is one of a list of at most {most:,} values",
        "not_in": f"is none of a list of at most {most:,} values",
        "gt": "is above the value",
        "gte": "is at or above the value",
        "lt": "is below the value",
        "lte": "is at or below the value",
        "like": "matches a pattern: `%` matches any text, `_` one character",
    }


def _how_many(relation: Relation) -> str:
    if relation.is_subtype:
        return "subtype"
    return "at most one" if relation.is_unique else "any number"


def _in_sentence(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
