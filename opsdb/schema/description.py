"""The parts of a description of the schema: plain values, independent of Django and of a database."""

from __future__ import annotations

from dataclasses import dataclass

FORMAT = 1  # of the JSON form


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: of the column.
        sql_type: as PostgreSQL prints it.
        null: whether it may be NULL.
        default: the default of the database, in SQL; empty if it has none.
        unit: as VOUnits writes it; empty if it has none.
        meaning: the column's comment.
        is_primary_key: whether it is the key of the table.
        natural_key: its place in the natural key, from 1; 0 if it has none.
        references: table that it refers to; empty if none.
        enumeration: name of the enumeration whose values it holds; empty if none.
    """

    name: str
    sql_type: str
    null: bool
    default: str
    unit: str
    meaning: str
    is_primary_key: bool = False
    natural_key: int = 0
    references: str = ""
    enumeration: str = ""


@dataclass(frozen=True)
class Relation:
    """A foreign key.

    Attributes:
        table: that has it.
        column: that has it.
        references: table that it refers to.
        null: whether it may be empty.
        is_unique: whether no two rows refer to the same row.
        is_subtype: whether it leads from a subtype to its parent.
        on_delete: what happens when the row that it refers to is deleted: ``refused``, ``deleted too`` or ``kept``.
        backwards: name of the relation at the other end, in Python; empty if it has none.
    """

    table: str
    column: str
    references: str
    null: bool
    is_unique: bool
    is_subtype: bool
    on_delete: str
    backwards: str


@dataclass(frozen=True)
class Link:
    """A relation of many rows to many, by a table of links.

    Attributes:
        table: whose field it is.
        field: name of the field, in Python.
        references: table at the other end.
        through: table of the links.
        meaning: of the field.
    """

    table: str
    field: str
    references: str
    through: str
    meaning: str


@dataclass(frozen=True)
class Constraint:
    """A CHECK, UNIQUE or EXCLUDE constraint, or a unique index.

    Attributes:
        name: in PostgreSQL.
        definition: in SQL.
        message: what a person reads when a row breaks it.
    """

    name: str
    definition: str
    message: str


@dataclass(frozen=True)
class TableIndex:
    """An index that is no constraint.

    Attributes:
        name: in PostgreSQL.
        definition: in SQL, from the method on.
        serves: the questions that it is for, as far as they are declared.
    """

    name: str
    definition: str
    serves: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """What a trigger keeps.

    Attributes:
        name: of the trigger.
        kind: class of the trigger.
        sentence: what it refuses or does.
        events: of the trigger, such as ``BEFORE UPDATE``.
        condition: in SQL under which the trigger fires; empty for always.
        function: in PostgreSQL that it calls.
    """

    name: str
    kind: str
    sentence: str
    events: str
    condition: str
    function: str


@dataclass(frozen=True)
class SchemaTable:
    """A table or view.

    Attributes:
        name: in PostgreSQL.
        kind: ``table``, ``table of links`` or ``view``.
        model: name of the model; empty for a table of links that Django makes.
        kinds: models of the same table that stand for a part of its rows.
        meaning: what a row is, the table's comment.
        details: what the model's docstring adds.
        change_logging: value of ``ChangeLogging``.
        columns: in the order of the table.
        references: foreign keys of the table.
        referenced_by: foreign keys that lead to the table.
        links: relations of many to many, from both ends.
        constraints: in the order of their declaration.
        indexes: in the order of their declaration.
        rules: what triggers keep.
    """

    name: str
    kind: str
    model: str
    kinds: tuple[str, ...]
    meaning: str
    details: str
    change_logging: str
    columns: tuple[Column, ...]
    references: tuple[Relation, ...]
    referenced_by: tuple[Relation, ...]
    links: tuple[Link, ...]
    constraints: tuple[Constraint, ...]
    indexes: tuple[TableIndex, ...]
    rules: tuple[Rule, ...]

    @property
    def enumerations(self) -> tuple[str, ...]:
        """Names of the enumerations whose values its columns hold."""
        return tuple(dict.fromkeys(column.enumeration for column in self.columns if column.enumeration))


@dataclass(frozen=True)
class SchemaArea:
    """The tables of one topic.

    Attributes:
        name: of the module or package of ``opsdb.models``.
        meaning: what its tables hold.
        tables: those of links after all others.
    """

    name: str
    meaning: str
    tables: tuple[SchemaTable, ...]


@dataclass(frozen=True)
class Value:
    """A value of an enumeration.

    Attributes:
        value: as it is stored.
        label: as people read it.
        meaning: in a sentence.
        may_become: the states that may follow, of a state machine.
        colour: of the state, in the admin.
    """

    value: str
    label: str
    meaning: str
    may_become: tuple[str, ...] = ()
    colour: str = ""


@dataclass(frozen=True)
class Enumeration:
    """An enumeration or state machine.

    Attributes:
        name: in Python.
        purpose: what it is for.
        is_state_machine: whether its values follow each other by rules.
        values: in their order.
        used_by: columns that hold its values, as ``table.column``.
    """

    name: str
    purpose: str
    is_state_machine: bool
    values: tuple[Value, ...]
    used_by: tuple[str, ...]


@dataclass(frozen=True)
class FilterColumn:
    """A column that a filter rule of a data grouping can name."""

    table: str
    column: str
    kind: str
    operators: tuple[str, ...]


@dataclass(frozen=True)
class FilterRules:
    """The language of the filter rules of data groupings.

    Attributes:
        about: what the rules are, in paragraphs.
        keys: of a rule.
        most_rules: how many rules a grouping may have.
        most_values: how many values a list may have.
        columns: that a rule may name.
    """

    about: tuple[str, ...]
    keys: tuple[str, ...]
    most_rules: int
    most_values: int
    columns: tuple[FilterColumn, ...]


@dataclass(frozen=True)
class Schema:
    """The whole.

    Attributes:
        areas: in the order that they have everywhere.
        enumerations: in the order of ``opsdb.models.enums``.
        filter_rules: the language of data groupings.
    """

    areas: tuple[SchemaArea, ...]
    enumerations: tuple[Enumeration, ...]
    filter_rules: FilterRules

    def tables(self) -> dict[str, SchemaTable]:
        """Return every table by its name."""
        return {table.name: table for area in self.areas for table in area.tables}

    def area_of(self) -> dict[str, SchemaArea]:
        """Return the area of every table by the table's name."""
        return {table.name: area for area in self.areas for table in area.tables}

    def enumeration(self, name: str) -> Enumeration:
        """Return an enumeration by its name."""
        return next(one for one in self.enumerations if one.name == name)
