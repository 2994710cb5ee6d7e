"""The history of a row as the database wrote it."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext

from opsdb.models import ChangeLog, ChangeOperation

from .names import called
from .values import format_value

CHANGES_SHOWN = 100


@dataclass
class ChangedField:
    """One field of a change."""

    label: str
    before: object
    after: object


@dataclass
class Change:
    """One change of a row, in all its tables.

    Attributes:
        entry: the newest entry of the log that belongs to it; its key names the version.
        tables: the tables that it changed.
        who: the user's name, or the account at the database.
        lines: the fields that changed.
        entries: all entries of the log that belong to it, the newest first.
        restore_url: where this version can be brought back, if it can.
        undo_url: where what it changed can be taken back, if it can.
    """

    entry: ChangeLog
    who: str = ""
    tables: set[str] = field(default_factory=set)
    lines: list[ChangedField] = field(default_factory=list)
    entries: list[ChangeLog] = field(default_factory=list)
    restore_url: str = ""
    undo_url: str = ""

    @property
    def operation(self) -> ChangeOperation:
        """What was done: the making of a row, with its links, is one change."""
        made = any(entry.operation == ChangeOperation.INSERT for entry in self.entries)
        return ChangeOperation.INSERT if made else ChangeOperation(self.entry.operation)


def parts_of(model: type[Model]) -> list[type[Model]]:
    """Return the model itself and the parents that it is joined to: the tables that hold a row."""
    return [model._meta.concrete_model, *model._meta.all_parents]


def fields_by_column(model: type[Model]) -> dict:
    """Return the fields of a row by what the log calls them: columns, over all its tables, and many-to-many fields."""
    columns = {
        one.column: one
        for part in reversed(parts_of(model))
        for one in part._meta.local_concrete_fields
        if not (one.is_relation and one.remote_field.parent_link)
    }
    return columns | {one.name: one for one in model._meta.many_to_many}


def changes_of(row: Model, before: int | None = None, limit: int = CHANGES_SHOWN) -> tuple[list[Change], int | None]:
    """Return the newest changes of a row, over all its tables, and where the next page begins.

    Costs three queries, and one for each kind of row that the changed fields refer to.

    Args:
        row: the row.
        before: key of an entry; only older ones are returned.
        limit: most entries of the log that are looked at.
    """
    entries = ChangeLog.objects.of(row)
    if before is not None:
        entries = entries.filter(pk__lt=before)
    entries = list(entries[: limit + 1])
    following = entries[limit - 1].pk if len(entries) > limit else None
    entries = entries[:limit]
    fields, names = fields_by_column(type(row)), _names(entries, fields_by_column(type(row)))
    users = get_user_model()._base_manager.in_bulk({entry.user_id for entry in entries if entry.user_id})
    changes = []
    for entry in entries:
        is_link = _is_link(entry, fields)
        if not changes or not _belongs_to(entry, is_link, changes[-1]):
            user = users.get(entry.user_id)
            who = user.get_username() if user else gettext("user %s") % entry.user_id if entry.user_id else ""
            changes.append(Change(entry, who or entry.database_user))
        if not is_link:
            changes[-1].tables.add(entry.table_name)
        changes[-1].entries.append(entry)
    for change in changes:
        change.lines = _lines(change.entries, fields, names)
    return changes, following


def _lines(entries, fields, names):
    old, new = defaultdict(list), defaultdict(list)
    for entry in reversed(entries):
        for values, collected in ((entry.before, old), (entry.after, new)):
            for column, value in (values or {}).items():
                collected[column] += [] if value is None else [value]
    return [
        ChangedField(
            str(fields[column].verbose_name) if column in fields else column,
            _all_named(fields.get(column), old.get(column), names),
            _all_named(fields.get(column), new.get(column), names),
        )
        for column in dict.fromkeys([*fields, *old, *new])
        if (column in old or column in new)
        and old.get(column) != new.get(column)
        and column not in ("updated_at", "created_at", "id")
    ]


def _all_named(one, values, names):
    return ", ".join(_named(one, value, names) for value in values) if values else "–"


def _is_link(entry, fields):
    """Return whether an entry records that one link of the row was made or removed."""
    columns = {*(entry.before or {}), *(entry.after or {})}
    return bool(columns) and all(column in fields and fields[column].many_to_many for column in columns)


def _belongs_to(entry, is_link, change):
    """Return whether an entry is about a link or another table of the row that was changed together with it."""
    together = change.entry.transaction_id == entry.transaction_id
    return together and (is_link or entry.table_name not in change.tables)


def _names(entries, fields):
    """Return the names of the rows that changed references point to, by model and key: a query for each model."""
    wanted = defaultdict(set)
    for entry in entries:
        for values in (entry.before or {}, entry.after or {}):
            for column, value in values.items():
                if value is not None and column in fields and fields[column].is_relation:
                    wanted[fields[column].related_model].add(value)
    return {
        (model, str(row.pk)): called(row)
        for model, keys in wanted.items()
        for row in model._base_manager.filter(pk__in=keys).select_related(*references_named(model))
    }


def references_named(model: type[Model]) -> list[str | None]:
    """Return the references that the name of a row may read."""
    return [one.name for one in model._meta.concrete_fields if one.is_relation and not one.null] or [None]


def _named(one, value, names):
    if one is None or value is None:
        return "–" if value is None else str(value)
    if one.is_relation:
        return names.get((one.related_model, str(value)), gettext("%s, which is gone") % value)
    try:
        return format_value(one, one.to_python(value))
    except (ValidationError, TypeError, ValueError):
        return str(value)
