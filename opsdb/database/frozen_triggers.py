"""A trigger as migrations name it; it stays as long as the migrations do."""

from __future__ import annotations

import copy
import re
from typing import Any

from django.db import models

_CREATE_TRIGGER = re.compile(r'CREATE (CONSTRAINT )?TRIGGER "(?P<name>\w+)" .*? ON "(?P<table>\w+)" ')


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class FrozenTrigger(models.BaseConstraint):
    """A trigger by the statement that creates it, as migrations name it.

    Args:
        name: full name of the trigger.
        table: the table that it watches.
        statement: ``CREATE TRIGGER …``.
    """

    def __init__(self, *, name: str, table: str, statement: str) -> None:
        super().__init__(name=name)
        self.table = table
        self._statement = statement

    @classmethod
    def made_by(cls, statement: str) -> FrozenTrigger:
        """Return the trigger that a statement creates, which names trigger and table in double quotes."""
        return cls(**_CREATE_TRIGGER.match(statement).groupdict(), statement=statement)  # type: ignore[union-attr]

    @property
    def statement(self) -> str:
        """The statement that creates the trigger."""
        return self._statement

    def constraint_sql(self, model: Any, schema_editor: Any) -> None:
        schema_editor.deferred_sql.append(self.statement)

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        return self.statement

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        return f"DROP TRIGGER {quoted(self.name)} ON {quoted(self.table)}"

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = "default") -> None:
        """Leave it to the database: only there can the other rows be locked."""

    def clone(self) -> FrozenTrigger:
        return copy.copy(self)

    def deconstruct(self) -> tuple[str, tuple[()], dict[str, Any]]:
        path = f"{FrozenTrigger.__module__}.{FrozenTrigger.__qualname__}"
        return path, (), {"name": self.name, "table": self.table, "statement": self.statement}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrozenTrigger) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name}>"
