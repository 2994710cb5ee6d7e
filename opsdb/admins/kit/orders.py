"""What a person orders by an action, and the outcome of it for each row."""

from dataclasses import dataclass, field
from enum import Enum

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from opsdb.errors import REFUSED, refusal_of
from opsdb.models.enums import DONE, FAILED, IDLE
from opsdb.row_labels import with_row_labels
from opsdb.workflows import OpsdbError

from .values import format_value

UNSEEN = {"updated_at", "heartbeat_at"}
# What programs write all the time beside what a person decides on: no reason to look again.
RESTLESS = {"usage_count", "last_used_at", "last_used_ip", "unpack_heartbeat_at", "bytes_transferred"}
LOCKED_BY_OTHERS = ("55P03", "40P01")  # lock_not_available, deadlock_detected (PostgreSQL manual, appendix A)


class Skipped(Exception):
    """There is nothing to do for this row, as the message explains."""


class OutcomeKind(Enum):
    """Kinds of outcome, with their labels before and after the action, and their look."""

    CHANGES = (_("Will change"), _("changed"), DONE)
    SKIPPED = (_("Skipped"), _("skipped"), IDLE)
    REFUSED = (_("Refused"), _("refused"), FAILED)

    def __init__(self, label, done, look):
        self.label, self.done, self.look = label, done, look


@dataclass(frozen=True)
class Outcome:
    """The outcome of an action for one row.

    Attributes:
        key: key of the row.
        name: name of the row before the action.
        kind: whether it changes, is skipped, or is refused.
        texts: what changes, or why nothing does.
        changed: the old values of the fields that change, by name.
        model: of the row, where an action takes rows of several.
        made: another row that was made for it, to which the report leads.
        pinned: what else of the outcome is confirmed, the same whenever the same would happen: no new keys, no times.
    """

    key: object
    name: str
    kind: OutcomeKind
    texts: list[str]
    changed: dict = field(default_factory=dict)
    model: type[Model] | None = None
    made: Model | None = None
    pinned: object = None


@dataclass(frozen=True)
class Order:
    """An order that a person gives.

    Attributes:
        user: who.
        reason: why; empty in a preview.
        inputs: what the action's form asks for beside the reason.
    """

    user: object
    reason: str
    inputs: dict

    @property
    def message(self) -> str:
        """The reason for workflows that require one; a placeholder in a preview."""
        return self.reason or gettext("preview")


class OrderForm(forms.Form):
    """The reason, and in subclasses further parameters of an action."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        help_text=_("Why you do this; it is kept in the history of what changes."),
    )

    def __init__(self, *args, model_admin=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name != "reason"])

    def inputs(self) -> dict:
        """What was entered beside the reason, or the initial values before anything was entered."""
        names = [name for name in self.fields if name != "reason"]
        if self.is_bound:
            return {name: self.cleaned_data[name] for name in names}
        return {name: self.fields[name].clean(self.get_initial_for_field(self.fields[name], name)) for name in names}

    @property
    def must_ask(self) -> bool:
        """Whether a preview needs inputs that have no initial value."""
        return any(field.required for name, field in self.fields.items() if name != "reason")


REFUSALS = (OpsdbError, ValidationError, OperationalError, *REFUSED)


def refusal_text(error: Exception) -> str:
    """Return a refusal of a workflow or of the database as a message for people; other errors are raised again."""
    if isinstance(error, ValidationError):
        return with_row_labels(" ".join(error.messages))
    if isinstance(error, OpsdbError):
        return capfirst(with_row_labels(str(error)))
    if isinstance(error, OperationalError):
        if getattr(error.__cause__, "sqlstate", None) not in LOCKED_BY_OTHERS:
            raise error
        return gettext("Somebody else is changing it at this moment; try again.")
    return refusal_of(error).text


def facts_of(row: Model) -> dict:
    """Return the values of a row's own columns by field name."""
    return {one.name: getattr(row, one.attname) for one in row._meta.concrete_fields if one.name not in UNSEEN}


def differences(model: type[Model], changed: dict, after: dict, user: AbstractBaseUser) -> list[str]:
    """Return a line for each changed field: its old value and the new one; who acts is named, not numbered."""

    def shown(field, value):
        is_actor = field.related_model is get_user_model() and value == user.pk
        return user.get_username() if is_actor else format_value(field, value)

    lines = []
    for name, old in changed.items():
        one = model._meta.get_field(name)
        lines.append(f"{one.verbose_name}: {shown(one, old)} → {shown(one, after[name])}")
    return lines
