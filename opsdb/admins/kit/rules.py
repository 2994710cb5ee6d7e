"""What the rules of the database forbid, read from the triggers that the models declare."""

from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Model

from opsdb.database.triggers import AppendOnly, Immutable, NeverDeleted, Trigger

TriggerKind = TypeVar("TriggerKind", bound=Trigger)


def triggers_of(model: type[Model], kind: type[TriggerKind]) -> Iterator[TriggerKind]:
    """Return the triggers of a kind that a model and the parents it is joined to declare."""
    for part in (model._meta.concrete_model, *model._meta.all_parents):
        yield from (trigger for trigger in part._meta.constraints if isinstance(trigger, kind))


def immutable_columns(model: type[Model]) -> set[str]:
    """Return the columns that the database never lets change."""
    return {column for trigger in triggers_of(model, Immutable) for column in trigger.columns}


def events_refused(model: type[Model]) -> set[str]:
    """Return ``UPDATE`` and ``DELETE`` where the database keeps a model's rows as they were written, or for good."""
    refused = set()
    for trigger in triggers_of(model, AppendOnly):
        refused |= {"UPDATE"} if trigger.deletable else {"UPDATE", "DELETE"}
    if any(triggers_of(model, NeverDeleted)):
        refused.add("DELETE")
    return refused
