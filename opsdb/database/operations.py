"""The operations that migrations use; they stay as long as the migrations do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import router
from django.db.migrations.operations import AddConstraint
from django.db.migrations.operations.base import Operation

from .definitions import define_functions, functions_in, triggers_in, views_in
from .frozen_triggers import FrozenTrigger
from .user_lookup import lookup_of

FROZEN = Path(__file__).resolve().parent.parent / "migrations" / "sql"
TRIGGERS = "triggers.sql"
NO_MODEL = "tables without a model of the app"  # heading of their triggers


class DefineFunctions(Operation):
    """Define the functions in the frozen files ``migrations/sql/<folder>/*.sql``.

    They are tied to the schema that the tables are in. Backwards, a function becomes what the newest older folder has
    of it, or is dropped when none has it.

    Args:
        folder: number of the migration.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__qualname__, [self.folder], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The state of the models has no functions."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if router.allow_migrate(schema_editor.connection.alias, app_label):
            define_functions(schema_editor, functions_in(FROZEN / self.folder).values())

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if router.allow_migrate(schema_editor.connection.alias, app_label):
            before: dict[str, str] = {}
            for older in sorted(path for path in FROZEN.iterdir() if path.name < self.folder):
                before |= functions_in(older)
            names = reversed([*functions_in(FROZEN / self.folder)])
            define_functions(schema_editor, [before.get(name, f"DROP FUNCTION {name}") for name in names])

    def describe(self) -> str:
        return f"Define the functions of migrations/sql/{self.folder}"


class DefineViews(Operation):
    """Define the views in the frozen files ``migrations/sql/<folder>/*.sql``, with comments on them and their columns.

    PostgreSQL binds a view to its tables when it creates it. A later migration that changes the type of a column which
    a view reads has to drop the view before, and to define it again. Backwards, the views are dropped.

    Args:
        folder: number of the migration.
        comments: on each view and, as ``view.column``, on each of its columns.
    """

    reversible = True
    reduces_to_sql = True
    serialization_expand_args = ["comments"]

    def __init__(self, folder: str, comments: dict[str, str]) -> None:
        self.folder = folder
        self.comments = comments

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__qualname__, [self.folder], {"comments": self.comments}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The state of the models has a view as a model that migrations do not manage."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if router.allow_migrate(schema_editor.connection.alias, app_label):
            define_functions(schema_editor, views_in(FROZEN / self.folder).values())
            comment_on_views(schema_editor, self.comments)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if router.allow_migrate(schema_editor.connection.alias, app_label):
            for name in reversed([*views_in(FROZEN / self.folder)]):
                schema_editor.execute(f"DROP VIEW {schema_editor.quote_name(name)}", params=None)

    def describe(self) -> str:
        return f"Define the views of migrations/sql/{self.folder}"


def comment_on_views(schema_editor: Any, comments: dict[str, str]) -> None:
    """Comment on views and their columns (``view.column``), on which Django does not."""
    for name, comment in comments.items():
        kind = "COLUMN" if "." in name else "VIEW"
        named = ".".join(map(schema_editor.quote_name, name.split(".")))
        schema_editor.execute(f"COMMENT ON {kind} {named} IS {schema_editor.quote_value(comment)}", params=None)


class AtOnce(Operation):
    """Do several operations, for which the models of the migration's state are made anew only once.

    Django makes them anew for each operation, which takes most of the time of a migration with many tables. Each of the
    operations finds the state after all of them.

    Args:
        operations: all make tables, or all make links, or all make constraints.
    """

    reversible = True
    serialization_expand_args = ["operations"]

    def __init__(self, operations: list[Operation]) -> None:
        self.operations = operations

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__qualname__, [], {"operations": self.operations}

    def state_forwards(self, app_label: str, state: Any) -> None:
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"Do {len(self.operations)} operations at once"


class CreateTriggers(Operation):
    """Create the triggers in the frozen file ``migrations/sql/<folder>/triggers.sql``, all :class:`AtOnce`.

    Args:
        folder: number of the migration.
    """

    reversible = True

    def __init__(self, folder: str) -> None:
        self.folder = folder
        of_models: list[Operation] = []
        self._elsewhere: list[FrozenTrigger] = []
        for model_name, statements in triggers_in(FROZEN / folder / TRIGGERS).items():
            triggers = map(FrozenTrigger.made_by, statements)
            if model_name == NO_MODEL:
                self._elsewhere += triggers
            else:
                of_models += [AddConstraint(model_name, trigger) for trigger in triggers]
        self._of_models = AtOnce(of_models)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__qualname__, [self.folder], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        self._of_models.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._of_models.database_forwards(app_label, schema_editor, from_state, to_state)
        if router.allow_migrate(schema_editor.connection.alias, app_label):
            for trigger in self._elsewhere:
                schema_editor.execute(trigger.statement, params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if router.allow_migrate(schema_editor.connection.alias, app_label):
            for trigger in reversed(self._elsewhere):
                schema_editor.execute(trigger.remove_sql(None, None), params=None)
        self._of_models.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"Create the triggers of migrations/sql/{self.folder}"


class CommentOnLinks(Operation):
    """Comment on tables of links and their columns; Django comments only on tables that have a model of their own.

    Args:
        model_name: the model that has the links.
        comments: for each many-to-many field, the comments on its table, on the column for the model's row, and on
            the column for what is linked.
    """

    reversible = True
    serialization_expand_args = ["comments"]

    def __init__(self, model_name: str, comments: dict[str, tuple[str, str, str]]) -> None:
        self.model_name = model_name
        self.comments = comments

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__qualname__, [], {"model_name": self.model_name, "comments": self.comments}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The state of the models has no comments on tables of links."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        quote, literal = schema_editor.quote_name, schema_editor.quote_value
        for name, (of_table, of_owner, of_other) in self.comments.items():
            field = model._meta.get_field(name)
            table = quote(field.m2m_db_table())
            schema_editor.execute(f"COMMENT ON TABLE {table} IS {literal(of_table)}", params=None)
            for column, comment in (
                ("id", "Number of the row."),
                (field.m2m_column_name(), of_owner),
                (field.m2m_reverse_name(), of_other),
            ):
                statement = f"COMMENT ON COLUMN {table}.{quote(column)} IS {literal(comment)}"
                schema_editor.execute(statement, params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """The comments are dropped with their tables."""

    def describe(self) -> str:
        return f"Comment on the links of {self.model_name}"


class PartitionByMonth(Operation):
    """Partition an empty table by the month of a column, with a default partition for what no month was made for.

    The table keeps its columns, constraints and comments. Its key has the column beside it, as PostgreSQL requires of a
    partitioned table, and its numbers come from a sequence, because identity columns of partitioned tables need
    PostgreSQL 17. Its indexes are made afterwards, by the same migration that made the table.

    Args:
        model_name: the model of the table.
        column: the column, of type ``timestamptz``.
    """

    reversible = True

    def __init__(self, model_name: str, column: str) -> None:
        self.model_name = model_name
        self.column = column

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__qualname__, [], {"model_name": self.model_name, "column": self.column}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The state of the models has no partitions."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        table, key = model._meta.db_table, model._meta.pk.column
        quote, literal = schema_editor.quote_name, schema_editor.quote_value
        whole, old, default, sequence = map(quote, (table, f"{table}_whole", f"{table}_default", f"{table}_{key}_seq"))
        for statement in (
            f"ALTER TABLE {whole} RENAME TO {old}",
            f"CREATE TABLE {whole} (LIKE {old} INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY) "
            f"PARTITION BY RANGE ({quote(self.column)})",
            f"COMMENT ON TABLE {whole} IS {literal(model._meta.db_table_comment)}",
            f"DROP TABLE {old}",
            f"CREATE SEQUENCE {sequence} OWNED BY {whole}.{quote(key)}",
            f"ALTER TABLE {whole} ALTER COLUMN {quote(key)} SET DEFAULT nextval('{sequence}')",
            f"ALTER TABLE {whole} ADD CONSTRAINT {quote(table + '_pkey')} "
            f"PRIMARY KEY ({quote(key)}, {quote(self.column)})",
            f"CREATE TABLE {default} PARTITION OF {whole} DEFAULT",
            f"COMMENT ON TABLE {default} IS 'Rows for whose month no partition was made.'",
        ):
            schema_editor.execute(statement, params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """The partitions are dropped with the table."""

    def describe(self) -> str:
        return f"Partition {self.model_name} by the month of {self.column}"


class DefineUserLookup(Operation):
    """Define ``opsdb_username``, which looks for a user in the table of the project's user model."""

    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The state of the models has no functions."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if not router.allow_migrate(schema_editor.connection.alias, app_label):
            return
        user = to_state.apps.get_model(settings.AUTH_USER_MODEL)._meta
        define_functions(schema_editor, [lookup_of(schema_editor.connection, user)])

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if router.allow_migrate(schema_editor.connection.alias, app_label):
            schema_editor.execute("DROP FUNCTION opsdb_username(text)", params=None)

    def describe(self) -> str:
        return "Define the function that looks for a user"
