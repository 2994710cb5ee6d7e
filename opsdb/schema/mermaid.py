"""The reference as diagrams in the language of Mermaid."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .description import Enumeration, Schema, SchemaTable

WORD = re.compile(r"\W+")


def diagrams(schema: Schema) -> dict[str, str]:
    """Return the text of every diagram by the name of its file, that of all tables first."""
    return {
        "schema.mmd": _entities(schema.tables().values()),
        **{f"{area.name}.mmd": _entities(area.tables) for area in schema.areas},
        **{f"states-{one.name.lower()}.mmd": _states(one) for one in schema.enumerations if one.is_state_machine},
    }


def _entities(tables: Iterable[SchemaTable]) -> str:
    lines = ["erDiagram"]
    for table in tables:
        lines.append(f"    {table.name} {{")
        for column in table.columns:
            keys = [*(["PK"] if column.is_primary_key else []), *(["FK"] if column.references else [])]
            meaning = column.meaning.replace('"', "'")
            sql_type = WORD.sub("_", column.sql_type).strip("_")
            lines.append(" ".join(filter(None, [f"        {sql_type}", column.name, ", ".join(keys), f'"{meaning}"'])))
        lines.append("    }")
        for one in table.references:
            at_end = "o|" if one.null else "||"
            lines.append(f"    {one.references} {at_end}--{'o|' if one.is_unique else 'o{'} {one.table} : {one.column}")
    return "\n".join(lines) + "\n"


def _states(enumeration: Enumeration) -> str:
    lines = ["stateDiagram-v2"]
    for value in enumeration.values:
        lines += [f"    {value.value} --> {after}" for after in value.may_become or ("[*]",)]
    return "\n".join(lines) + "\n"
