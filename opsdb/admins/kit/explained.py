"""Explanations of the columns of lists, where the comment of the database's column is too short for people."""

from collections.abc import Mapping

from django.db.models import BigAutoField, Field, Model
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as lazy

from opsdb.models import (
    ChangeLog,
    DataProduct,
    DataTransfer,
    DataTransferPackage,
    ExecutedObsUnit,
    FixityCheck,
    PhysicalCopy,
    RawDataPackage,
)
from opsdb.models.base import WorkItem
from opsdb.models.meanings import MEANINGS, enumeration_of, meanings_of

from .values import Text

OF_MODELS: Mapping[type[Model], Mapping[str, Text]] = {
    PhysicalCopy: {
        "id": lazy("What it is a copy of, and behind the @ the location where it is; it leads to the copy."),
        "arrived_at": lazy(
            "When the bytes came to that location last (UTC). The time for which they stay at least counts from it."
        ),
        "verified_at": lazy("When the checksum of the bytes was last compared with the expected one (UTC)."),
    },
    RawDataPackage: {
        "name": lazy(
            "Unit, start (UTC) and module of the observation that it is from, and the number of the part if it has "
            "several. The mouse shows the file name, which is unique among all packages."
        ),
        "status": lazy(
            "State of the making of the package itself, without its bundle, transfer and archive; the column state "
            "includes these."
        ),
        "failure_message": lazy(
            "What went wrong last when it was made; of a package that failed later, which step failed; “Why?” "
            "has the details."
        ),
    },
    DataTransferPackage: {
        "name": lazy(
            "Where and when (UTC) it was made. The mouse shows the file name, which is unique among all bundles."
        ),
    },
    DataTransfer: {
        "unpack_status": lazy("State of the unpacking of the bundle at the destination."),
    },
    ExecutedObsUnit: {
        "quality": lazy("How good the data are in the judgement of the observer, who marks it here or on its page."),
    },
    FixityCheck: {
        "ok": lazy("Whether the checksum that was computed is the expected one."),
        "algorithm": lazy("Algorithm of the checksum that was computed."),
    },
    DataProduct: {
        "intermediate": lazy("Whether it serves only later steps and is no result."),
    },
    ChangeLog: {
        "table_name": lazy("The table in which the changed row is."),
    },
}
"""By model, of which a subclass has them too, and column."""
CREATED = lazy("When it was recorded here (UTC).")
FAILURE = lazy("What went wrong last, as the worker reported it; the whole output is in its log.")


def explanation_of(model: type[Model], field: Field) -> Text:
    """Return what a column of a list means: the comment of the database where nothing else is written down."""
    for base in model.__mro__:
        if field.name in OF_MODELS.get(base, ()):
            return OF_MODELS[base][field.name]
    if field.primary_key and isinstance(field, BigAutoField):
        kind = model._meta.verbose_name
        return format_lazy(lazy("Number by which messages and logs name the {kind}; it leads to it."), kind=kind)
    if field.name == "created_at":
        return CREATED
    if field.name == "failure_message" and issubclass(model, WorkItem):
        return FAILURE
    if field.name in ("status", "state") and (meanings := _states_of(field)):
        return meanings
    return field.help_text


def _states_of(field):
    """Return the meaning of a field with states, and of each state."""
    states = enumeration_of(field)
    if states is None:
        return ""
    labels = dict(field.flatchoices)
    meanings = [f"{labels[value]}: {meaning}" for value, meaning in meanings_of(states).items()]
    return " ".join([MEANINGS[states][0], *meanings]).replace("`", "")
