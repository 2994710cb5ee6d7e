"""The triggers that a model declares in ``Meta.constraints``: typed, so that others can ask what a rule is.

Each trigger calls one of the functions in ``database/sql/``. Names are given without the table (``name="history"``);
the model base completes them (``site_history``).

Unlike the triggers of django-pgtrigger, which any connection can switch off by ``SET pgtrigger.ignore`` and which a
host project must install as an app of its own, these have no way round them and travel in ``Meta.constraints``, where
Django's own migration machinery finds them. A migration holds the statement that created a trigger
(:class:`FrozenTrigger`), so that later code can't rewrite what an old migration does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .frozen_triggers import FrozenTrigger, quoted

MAKE_ANOTHER = "Make a new row instead, and delete this one if nothing refers to it."
NEVER_DELETED = "Make a new row instead; this one stays, because it is never deleted."
KEPT_FOR_GOOD = "Leave it; what has changed is recorded by its state, or by another row."
CORRECTED_BY_ANOTHER = "Leave it as it is, and record what is right now as another row."


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def columns_differ(columns: Iterable[str]) -> str:
    """Return the condition of a WHEN clause that one of the columns changes."""
    return " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in columns)


class Trigger(FrozenTrigger):
    """A trigger by its parts.

    Args:
        name: without the table's name.
        function: function in ``database/sql/`` that it calls.
        arguments: what the function finds in TG_ARGV.
        timing: BEFORE or AFTER.
        events: such as ``INSERT OR UPDATE OF status``.
        when: condition on OLD and NEW under which the trigger fires at all.
        level: ROW or STATEMENT.
        referencing: transition tables of a statement trigger.
        deferred: fire at the end of the transaction.
        table: the table to watch, where it is not the model's own but that of one of its links.
        field: the field at fault where it refuses, if that is always the same; for clients, as migrations leave it out.
    """

    field: str | None = None

    def __init__(
        self,
        name: str,
        function: str,
        *arguments: str,
        timing: str = "BEFORE",
        events: str = "INSERT OR UPDATE",
        when: str = "",
        level: str = "ROW",
        referencing: str = "",
        deferred: bool = False,
        table: str = "",
        field: str | None = None,
    ) -> None:
        super().__init__(name=name, table=table, statement="")
        self.field = field or self.field
        self.function = function
        self.arguments = arguments
        self.timing = timing
        self.events = events
        self.when = when
        self.level = level
        self.referencing = referencing
        self.deferred = deferred

    def watch(self, table: str) -> None:
        """Let the trigger watch a table, unless it names another one itself."""
        self.table = self.table or table

    @property
    def statement(self) -> str:
        """The statement that creates the trigger, made of its parts."""
        arguments = ", ".join(map(_literal, self.arguments))
        clauses = [
            f"CREATE {'CONSTRAINT ' if self.deferred else ''}TRIGGER {quoted(self.name)}",
            f"{self.timing} {self.events} ON {quoted(self.table)}",
            "DEFERRABLE INITIALLY DEFERRED" if self.deferred else "",
            f"REFERENCING {self.referencing}" if self.referencing else "",
            f"FOR EACH {self.level}",
            f"WHEN ({self.when})" if self.when else "",
            f"EXECUTE FUNCTION {self.function}({arguments})",
        ]
        return " ".join(filter(None, clauses))


class Refuses(Trigger):
    """Refuse a row for what it holds and held alone: no other row is looked at.

    Args:
        name: without the table's name.
        when: condition on OLD and NEW that is refused.
        message: with ``{old.column}`` and ``{new.column}`` for values.
        hint: what would be right.
        events: when to look.
        field: the field at fault, if it is one.
    """

    def __init__(self, name: str, when: str, message: str, hint: str, *, events: str, field: str | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(name, "opsdb_refuse_row", message, hint, events=events, when=when, field=field)


class Immutable(Trigger):
    """Refuse a change of columns that other rules and other rows build on.

    Args:
        columns: the columns that can't be changed once set.
        unless: condition in SQL under which they can.
    """

    def __init__(
        self,
        *columns: str,
        hint: str = MAKE_ANOTHER,
        events: str = "UPDATE",
        name: str = "",
        table: str = "",
        unless: str = "",
    ) -> None:
        self.columns = columns
        self.unless = unless
        differ = columns_differ(columns)
        super().__init__(
            name or ("immutable" if len(columns) > 1 else f"{columns[0]}_immutable"),
            "opsdb_refuse_change",
            ", ".join(columns),
            hint,
            events=events,
            when=f"({differ}) AND ({unless}) IS NOT TRUE" if unless else differ,
            table=table,
        )


class FrozenOnceVerified(Trigger):
    """Refuse to change columns that a copy was verified against.

    Args:
        target: the column of ``physical_copy`` that points to this table, without ``_id``.
        columns: the columns.
    """

    def __init__(self, target: str, *columns: str) -> None:
        self.columns = columns
        super().__init__(
            "facts_frozen",
            "opsdb_refuse_change_once_verified",
            ", ".join(columns),
            f"{target}_id",
            events="UPDATE",
            when=columns_differ(columns),
        )


class AppendOnly(Trigger):
    """Refuse changes, and unless ``deletable`` also deletion, of rows that record what happened."""

    def __init__(self, what: str, *, deletable: bool = False) -> None:
        self.deletable = deletable
        super().__init__(
            "append_only",
            "opsdb_refuse_rewriting",
            what,
            "never changed" if deletable else "never changed or removed",
            CORRECTED_BY_ANOTHER,
            events="UPDATE" if deletable else "UPDATE OR DELETE",
        )


class NeverDeleted(Trigger):
    """Refuse ``DELETE``: what happened can't be made undone."""

    def __init__(self, what: str) -> None:
        super().__init__("never_deleted", "opsdb_refuse_deletion", what, KEPT_FOR_GOOD, events="DELETE")


class KeepsUpdatedAt(Trigger):
    """Keep ``updated_at`` whatever changes the row: a form, ``update()`` or plain SQL."""

    def __init__(self) -> None:
        super().__init__("touch", "opsdb_keep_updated_at", events="UPDATE")


class KeepsFormerNames(Trigger):
    """Keep the names that a row had in its column ``former_names``, which never gets fewer.

    Attributes:
        column: the column of the name.
    """

    def __init__(self, column: str) -> None:
        self.column = column
        super().__init__(
            "keeps_former_names",
            "opsdb_keep_former_names",
            column,
            events=f"UPDATE OF {column}, former_names",
            when=columns_differ([column, "former_names"]),
        )


class Transitions(Trigger):
    """Refuse a step that the state machine of a field does not have.

    Attributes:
        field: the field that holds the state.
        states: the enumeration with the transition table.
    """

    def __init__(self, field: str, states: Any) -> None:
        self.field = field
        self.states = states
        table = states.transitions()
        steps = ",".join(
            f"{before}>{after}"
            for before, following in table.items()
            for after in sorted(following, key=lambda state: state.order)
        )
        following = {
            str(before): f"It can become: {', '.join(sorted(after, key=lambda state: state.order))}."
            if after
            else f"Leave it: {before} is final."
            for before, after in table.items()
        }
        super().__init__(
            f"{field}_transition",
            "opsdb_refuse_transition",
            field,
            json.dumps(following),
            events=f"UPDATE OF {field}",
            when=f"OLD.{field} IS DISTINCT FROM NEW.{field} "
            f"AND OLD.{field} || '>' || NEW.{field} <> ALL ('{{{steps}}}')",
        )


class LocationOfType(Trigger):
    """Refuse a location of another type than a reference is for.

    Attributes:
        field: the reference.
        location_type: the type.
    """

    def __init__(self, field: str, location_type: str) -> None:
        self.field = field
        self.location_type = location_type
        super().__init__(
            f"{field}_type",
            "opsdb_require_location_type",
            field,
            str(location_type),
            events=f'INSERT OR UPDATE OF "{field}_id"',
        )


class SameOwner(Trigger):
    """Refuse a reference to a row that belongs to another owner than this row.

    Args:
        field: the reference, without ``_id``.
        table: the table it points to.
        owner: the column that names the owner, in both tables.
        message: the refusal, after the row.
        hint: what would be right.
    """

    def __init__(self, field: str, table: str, owner: str, message: str, hint: str) -> None:
        super().__init__(
            f"{field}_same_{owner.removesuffix('_id')}",
            "opsdb_require_same_owner",
            f"{field}_id",
            table,
            owner,
            message,
            hint,
            events=f'INSERT OR UPDATE OF "{field}_id", "{owner}"',
            when=f'NEW."{field}_id" IS NOT NULL',
            field=field,
        )


def notes_activity(*stages: str, is_deletable: bool = False) -> list[Trigger]:
    """Return what notes how much a table's work stages add, complete and see fail.

    Args:
        stages: whose work a row is.
        is_deletable: whether rows may be deleted.
    """
    old, new = "OLD TABLE AS old_rows", "NEW TABLE AS new_rows"
    tables = {"INSERT": new, "UPDATE": f"{old} {new}"} | ({"DELETE": old} if is_deletable else {})
    return [
        Trigger(
            f"activity_of_{event.lower()}s",
            "opsdb_note_activity",
            *map(str, stages),
            timing="AFTER",
            events=event,
            level="STATEMENT",
            referencing=referencing,
        )
        for event, referencing in tables.items()
    ]


def subtype_triggers(parent_table: str, discriminator: str, subtype: str) -> list[Trigger]:
    """Return what keeps a subtype's row and its parent's row together.

    A subtype's row needs a parent of its own type and can't be taken away alone.
    """
    return [
        Trigger(
            "subtype",
            "opsdb_require_parent",
            parent_table,
            discriminator,
            str(subtype),
            timing="AFTER",
            events="INSERT",
            level="STATEMENT",
            referencing="NEW TABLE AS added",
        ),
        Trigger(
            "stays_with_parent",
            "opsdb_stay_with_parent",
            parent_table,
            timing="AFTER",
            events="DELETE",
            deferred=True,
        ),
        Trigger("touch_parent", "opsdb_touch_parent", parent_table, timing="AFTER", events="UPDATE"),
    ]


class HasSubtype(Trigger):
    """Refuse, at the end of the transaction, a parent without the row of its subtype.

    Args:
        discriminator: the column that names the subtype.
        tables: the subtype's table for every value of the discriminator.
    """

    def __init__(self, discriminator: str, tables: Mapping[str, str]) -> None:
        super().__init__(
            "subtype_exists",
            "opsdb_require_subtype",
            discriminator,
            json.dumps({str(value): table for value, table in tables.items()}),
            timing="AFTER",
            events="INSERT",
            deferred=True,
        )


def holds_back_deletion(name: str, link: str, table: str, column: str) -> Trigger:
    """Return what makes a new link wait for a deletion of what it links.

    Args:
        name: of the trigger.
        link: table of the links.
        table: table of what is linked.
        column: the link's column for it.
    """
    return Trigger(name, "opsdb_link_waits_for_deletion", table, column, table=link, events="INSERT")


def stays_linked(name: str, function: str, link: str, table: str, column: str) -> Trigger:
    """Return what refuses to take a link from its owner while that needs what it links.

    Args:
        name: of the trigger.
        function: what looks at the owner.
        link: table of the links.
        table: table of what is linked.
        column: the link's column for it.
    """
    return Trigger(name, function, table, column, table=link, events="UPDATE OR DELETE")
