"""What triggers keep, as sentences: by the parts of typed triggers, else by the comment of the function."""

from __future__ import annotations

import json
import re
from functools import cache, singledispatch
from pathlib import Path

from opsdb import database
from opsdb.database.change_logging import Logged, LogsInBulk, LogsInserts, LogsLinks
from opsdb.database.definitions import FUNCTION
from opsdb.database.guards import KeyStays, NeverTruncated
from opsdb.database.triggers import (
    AppendOnly,
    FrozenOnceVerified,
    HasSubtype,
    Immutable,
    KeepsUpdatedAt,
    LocationOfType,
    NeverDeleted,
    Refuses,
    SameOwner,
    Transitions,
    Trigger,
)

SQL = Path(database.__file__).with_name("sql")
COMMENT = re.compile(r"^-- ?(.*)$", re.MULTILINE)
PLACEHOLDER = re.compile(r"\{(?:old|new)\.(\w+)\}")
ARGUMENTS = "TG_ARGV:"


@cache
def comments() -> dict[str, str]:
    """Return the comment of every function of the database, without its lines about arguments, by its name."""
    return {
        definition[1]: " ".join(_first_comment(definition[0])).partition(ARGUMENTS)[0].strip()
        for path in sorted(SQL.glob("*.sql"))
        for definition in FUNCTION.finditer(path.read_text(encoding="utf-8"))
    }


def _first_comment(definition: str) -> list[str]:
    lines = definition.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("--"))
    block = []
    for line in lines[start:]:
        if not (found := COMMENT.match(line)):
            break
        block.append(found[1].strip())
    return block


def _listed(columns: object) -> str:
    """Return names as code with commas between them."""
    names = columns if isinstance(columns, list | tuple) else [columns]
    return ", ".join(f"`{name}`" for name in names)


@singledispatch
def sentence(trigger: Trigger) -> str:
    """Return what a trigger keeps, in a sentence or a few; names of columns are between backquotes."""
    return comments()[trigger.function]


@sentence.register
def _(trigger: Refuses) -> str:
    message = PLACEHOLDER.sub(r"‹\1›", trigger.message)
    return f"Refuses with the message: {message}. {trigger.hint}"


@sentence.register
def _(trigger: Immutable) -> str:
    unless = f", unless `{trigger.unless}`" if trigger.unless else ""
    return f"{_listed(trigger.columns)} can't be changed{unless}. {trigger.arguments[1]}"


@sentence.register
def _(trigger: KeyStays) -> str:
    return f"The key can't be changed. {trigger.arguments[1]}"


@sentence.register
def _(trigger: NeverTruncated) -> str:
    return "`TRUNCATE` is refused."


@sentence.register
def _(trigger: FrozenOnceVerified) -> str:
    return f"{_listed(trigger.columns)} can't be changed once a copy was verified against them."


@sentence.register
def _(trigger: AppendOnly) -> str:
    return "Rows are never changed." if trigger.deletable else "Rows are never changed and never deleted."


@sentence.register
def _(trigger: NeverDeleted) -> str:
    return "Rows are never deleted."


@sentence.register
def _(trigger: KeepsUpdatedAt) -> str:
    return "`updated_at` is set at every change, whatever makes it."


@sentence.register
def _(trigger: Transitions) -> str:
    return f"`{trigger.field}` changes only by the steps of `{trigger.states.__name__}`."


@sentence.register
def _(trigger: LocationOfType) -> str:
    return f"`{trigger.field}_id` refers to a location of the type `{trigger.location_type}`."


@sentence.register
def _(trigger: SameOwner) -> str:
    column, _table, owner, *_refusal = trigger.arguments
    return f"The row that `{column}` refers to has the same `{owner}` as this row."


@sentence.register
def _(trigger: HasSubtype) -> str:
    discriminator, tables = trigger.arguments
    pairs = ", ".join(f"`{value}`: `{table}`" for value, table in json.loads(tables).items())
    return f"At the end of the transaction there is the row of the subtype that `{discriminator}` names ({pairs})."


@sentence.register
def _(trigger: Logged) -> str:
    events = re.sub(r" OF .*", "", trigger.events)
    left_out = f" Changes of {_listed(trigger.leaving_out)} alone are not recorded." if trigger.leaving_out else ""
    return f"The change log records each {events}.{left_out}"


@sentence.register
def _(trigger: LogsInBulk) -> str:
    return f"The change log records each {trigger.events}, of all rows of a statement at once."


@sentence.register
def _(trigger: LogsInserts) -> str:
    return "The change log records the keys of inserted rows."


@sentence.register
def _(trigger: LogsLinks) -> str:
    owner, field, *_columns = trigger.arguments
    return f"The change log records a new or removed link as a change of `{field}` of the row of `{owner}`."
