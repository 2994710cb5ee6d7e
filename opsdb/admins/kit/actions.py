"""Actions that first show what they would do to each row and why not, and then do it in one transaction.

What would happen is found out by doing it and rolling it back, so that the preview and the act can't differ: the same
workflow functions run, the same rules of the database refuse. What a person confirms is pinned: if a row would fare
otherwise than it was shown, nothing is done and the new state of things is shown.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.admin.utils import quote
from django.core.exceptions import ValidationError
from django.db import OperationalError, connections, models, router, transaction
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from opsdb.models.enums import DONE, FAILED, IDLE
from opsdb.workflows import OpsdbError, attributed

from .refusals import REFUSED, Refusal, check_now
from .values import in_words, said

MOST_ROWS = 500
SHOWN_ROWS = 50
SHOWN_REFUSALS = 5
LOCK_TIMEOUT_MS = 5_000
STAGE, DIGEST, FROM_ROW = "opsdb_stage", "opsdb_digest", "opsdb_from_row"
UNSEEN = {"updated_at", "heartbeat_at"}
LOCKED_BY_OTHERS = ("55P03", "40P01")  # lock_not_available, deadlock_detected (PostgreSQL manual, appendix A)


class Skipped(Exception):
    """There is nothing to do for this row; the message says why."""


class Kind(Enum):
    """How a row fares: what it is called, and how it looks."""

    CHANGES = (_("Will change"), _("changed"), DONE)
    SKIPPED = (_("Skipped"), _("skipped"), IDLE)
    REFUSED = (_("Refused"), _("refused"), FAILED)

    def __init__(self, label, done, look):
        self.label, self.done, self.look = label, done, look


@dataclass(frozen=True)
class Outcome:
    """How one row fares.

    Attributes:
        key: key of the row.
        name: how the row was called before.
        kind: whether it changes, is skipped, or is refused.
        texts: what changes, or why nothing does.
        changed: the old values of the fields that change, by name.
    """

    key: object
    name: str
    kind: Kind
    texts: list[str]
    changed: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    """What a person asks for.

    Attributes:
        user: who.
        reason: why; empty while it is only looked at.
        inputs: what the action's form asks for beside the reason.
    """

    user: object
    reason: str
    inputs: dict

    @property
    def message(self) -> str:
        """The reason for workflows that want one; something stands for it while it is only looked at."""
        return self.reason or gettext("preview")


class OrderForm(forms.Form):
    """The reason, and in subclasses what else an action must know."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        help_text=_("Why you do this; it is kept in the history of every row."),
    )

    def __init__(self, *args, model_admin=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name != "reason"])

    def inputs(self) -> dict:
        """What was entered beside the reason, or what stands there before anything was entered."""
        names = [name for name in self.fields if name != "reason"]
        if self.is_bound:
            return {name: self.cleaned_data[name] for name in names}
        return {name: self.fields[name].clean(self.get_initial_for_field(self.fields[name], name)) for name in names}

    @property
    def must_ask(self) -> bool:
        """Whether nothing can be shown before the person has entered something."""
        return any(field.required for name, field in self.fields.items() if name != "reason")


@dataclass(frozen=True, kw_only=True, eq=False)
class Action:
    """Something that people do to rows, one at a time or many.

    Attributes:
        name: in addresses and forms.
        label: on buttons and in lists.
        about: what it does, in a sentence.
        run: takes a row and an :class:`Order`, calls the workflow, and returns what to say beside the fields that
            changed, if anything. It raises :class:`Skipped` or what workflows raise.
        run_all: instead of ``run``, takes all rows at once and returns their outcomes.
        permission: what it needs: ``change``, ``add`` or ``view`` of the model, or the whole name of a permission.
        unless: returns why there is nothing to do for a row, or an empty text.
        form: what it asks for beside the reason.
        one_row: whether it takes one row only.
        watch: returns sentences on the state of things; those that come new by the action are shown as warnings.
    """

    name: str
    label: str | Promise
    about: str | Promise
    run: Callable[[models.Model, Order], str | None] | None = None
    run_all: Callable[[list, Order], list[Outcome]] | None = None
    permission: str = "change"
    unless: Callable[[models.Model], str] = field(default=lambda row: "")
    form: type[OrderForm] = OrderForm
    one_row: bool = False
    watch: Callable[[], list[str]] | None = None

    do_not_call_in_templates = True

    @property
    def __name__(self):
        return self.name

    @property
    def short_description(self):
        """What Django's list of actions shows."""
        return self.label

    def is_allowed(self, model_admin, request) -> bool:
        """Return whether this user may do it."""
        options = model_admin.opts
        if self.permission == "view":
            return model_admin.has_view_permission(request)
        codename = self.permission if "_" in self.permission else f"{self.permission}_{options.model_name}"
        return model_admin.has_view_permission(request) and request.user.has_perm(f"{options.app_label}.{codename}")

    def applies_to(self, row) -> bool:
        """Return whether there may be something to do for a row."""
        return not self.unless(row)

    # What happens

    def perform(self, rows, order: Order) -> list[Outcome]:
        """Do it to every row, within the caller's transaction; what is refused leaves its row as it was."""
        if self.run_all:
            return self.run_all(rows, order)
        return [self._perform_on(row, order) for row in rows]

    def _perform_on(self, row, order):
        key, name, before = row.pk, str(row), facts_of(row)
        if why := self.unless(row):
            return Outcome(key, name, Kind.SKIPPED, [str(why)])
        using = router.db_for_write(type(row))
        try:
            with transaction.atomic(using=using):
                told = self.run(row, order)
                check_now(using)
        except Skipped as reason:
            return Outcome(key, name, Kind.SKIPPED, [str(reason)])
        except REFUSALS as error:
            return Outcome(key, name, Kind.REFUSED, [refusal_text(error)])
        after = facts_of(type(row)._base_manager.using(using).get(pk=key))
        changed = {name: old for name, old in before.items() if old != after[name]}
        texts = [*differences(type(row), changed, after), *([str(told)] if told else [])]
        if not texts:
            return Outcome(key, name, Kind.SKIPPED, [gettext("Nothing to change.")])
        return Outcome(key, name, Kind.CHANGES, texts, changed)

    # Pages

    def __call__(self, model_admin, request, queryset):
        """Show what it would do to the selected rows or, once that is confirmed, do it."""
        return _Dialogue(self, model_admin, request, queryset).answer()


REFUSALS = (OpsdbError, ValidationError, OperationalError, *REFUSED)


def refusal_text(error) -> str:
    """Return what a refusal of a workflow or of the database says to people; other errors are raised again."""
    if isinstance(error, ValidationError):
        return in_words(" ".join(error.messages))
    if isinstance(error, OpsdbError):
        return capfirst(in_words(str(error)))
    if isinstance(error, OperationalError):
        if getattr(error.__cause__, "sqlstate", None) not in LOCKED_BY_OTHERS:
            raise error
        return gettext("Somebody else is changing it at this moment; try again.")
    return Refusal.of(error).text


def facts_of(row) -> dict:
    """Return the values of a row's own columns by field name."""
    return {one.name: getattr(row, one.attname) for one in row._meta.concrete_fields if one.name not in UNSEEN}


def differences(model, changed: dict, after: dict) -> list[str]:
    """Return a line for each changed field: its old value and the new one."""
    lines = []
    for name, old in changed.items():
        one = model._meta.get_field(name)
        lines.append(f"{one.verbose_name}: {said(one, old)} → {said(one, after[name])}")
    return lines


@contextmanager
def patient(using):
    """Wait no longer than some seconds for rows that somebody else is changing."""
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(LOCK_TIMEOUT_MS)])
        yield


class _Differs(Exception):
    """What happens is not what was confirmed."""


class _Dialogue:
    """One step of the conversation about an action: look, or confirm."""

    def __init__(self, action, model_admin, request, queryset):
        self.action, self.model_admin, self.request = action, model_admin, request
        self.stage = request.POST.get(STAGE, "")
        self.using = router.db_for_write(model_admin.model)
        keys = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
        if request.POST.get("select_across") not in ("1", "True", "true"):
            # What was selected counts, even if it has left the list's filter meanwhile.
            queryset = model_admin.get_queryset(request).filter(pk__in=keys)
        related = model_admin.get_list_select_related(request)
        queryset = queryset.select_related(*related) if related else queryset
        found = list(queryset.order_by("pk")[: MOST_ROWS + 1])
        self.rows, self.has_more = found[:MOST_ROWS], len(found) > MOST_ROWS

    def answer(self):
        """Return the page, or the way back with a report."""
        action, request = self.action, self.request
        if not self.rows:
            return self._leave(messages.WARNING, gettext("None of the selected rows is there any more."))
        if action.one_row and len(self.rows) > 1:
            return self._leave(messages.WARNING, gettext("Choose one row for this action."))
        asked = self.stage in ("look", "confirm")
        form = action.form(request.POST if asked else None, model_admin=self.model_admin)
        form.fields["reason"].required = self.stage == "confirm"
        if asked and not form.is_valid():
            # What lacks only the reason can still be looked at, and confirmed from there.
            only_reason = {*form.errors} == {"reason"}
            return self._look(form, Order(request.user, "", form.inputs())) if only_reason else self._page(form, None)
        if not asked and form.must_ask:
            return self._page(form, None)
        order = Order(request.user, form.cleaned_data["reason"] if asked else "", form.inputs())
        return self._confirm(form, order) if self.stage == "confirm" else self._look(form, order)

    def _look(self, form, order, notice=""):
        with attributed(user=order.user, reason=order.reason), patient(self.using):
            known = set(self.action.watch()) if self.action.watch else set()
            outcomes = self.action.perform(self.rows, order)
            warnings = [text for text in self.action.watch() if text not in known] if self.action.watch else []
            transaction.set_rollback(True, using=self.using)
        return self._page(form, outcomes, digest(outcomes, order), warnings, notice)

    def _confirm(self, form, order):
        try:
            with attributed(user=order.user, reason=order.reason), patient(self.using):
                outcomes = self.action.perform(self.rows, order)
                changing = any(outcome.kind is Kind.CHANGES for outcome in outcomes)
                if not changing or digest(outcomes, order) != self.request.POST.get(DIGEST):
                    raise _Differs
        except _Differs:
            # Rows remember what was rolled back.
            self.rows = [type(row)._default_manager.get(pk=row.pk) for row in self.rows]
            return self._look(form, order, gettext("This is not what you looked at, so nothing was done. Look again."))
        return self._report(outcomes)

    def _report(self, outcomes):
        counts = {kind: sum(outcome.kind is kind for outcome in outcomes) for kind in Kind}
        parts = ", ".join(f"{number} {kind.done}" for kind, number in counts.items() if number)
        for outcome in [one for one in outcomes if one.kind is Kind.REFUSED][:SHOWN_REFUSALS]:
            self.model_admin.message_user(self.request, f"{outcome.name}: {' '.join(outcome.texts)}", messages.WARNING)
        return self._leave(messages.SUCCESS, f"{self.action.label}: {parts}.")

    def _leave(self, level, text):
        self.model_admin.message_user(self.request, text, level)
        return HttpResponseRedirect(self._way_back())

    def _way_back(self):
        if self.request.POST.get(FROM_ROW) and len(self.rows) == 1:
            options, site = self.model_admin.opts, self.model_admin.admin_site
            return reverse(admin_urlname(options, "change"), args=[quote(self.rows[0].pk)], current_app=site.name)
        return self.request.get_full_path()

    def _page(self, form, outcomes, seen="", warnings=(), notice=""):
        admin, action, request = self.model_admin, self.action, self.request
        groups = []
        for kind in Kind:
            of_kind = [outcome for outcome in outcomes or () if outcome.kind is kind]
            if of_kind:
                groups.append({"kind": kind, "number": len(of_kind), "outcomes": of_kind[:SHOWN_ROWS]})
        changing = any(group["kind"] is Kind.CHANGES for group in groups)
        context = {
            **admin.admin_site.each_context(request),
            "title": action.label,
            "about": action.about,
            "opts": admin.opts,
            "media": admin.media + form.media,
            "form": form,
            "looked": outcomes is not None,
            "groups": groups,
            "changing": changing,
            "warnings": warnings,
            "notice": notice,
            "left_out": _left_out(self.has_more),
            "keys": [row.pk for row in self.rows],
            "action": action,
            "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
            "digest": seen,
            "from_row": bool(request.POST.get(FROM_ROW)),
            "way_back": self._way_back(),
            "row": self.rows[0] if len(self.rows) == 1 else None,
            "shown_rows": SHOWN_ROWS,
        }
        request.current_app = admin.admin_site.name
        return TemplateResponse(request, "admin/opsdb/action.html", context)


def _left_out(has_more):
    if not has_more:
        return ""
    return ngettext(
        "More are selected. One row is taken at a time.",
        "More are selected. The first %(number)s are taken; repeat it for the others.",
        MOST_ROWS,
    ) % {"number": MOST_ROWS}


def digest(outcomes, order: Order) -> str:
    """Return what tells two previews apart: which rows change, from which values, and with which inputs."""
    changing = [(outcome.key, outcome.changed) for outcome in outcomes if outcome.kind is Kind.CHANGES]
    inputs = {name: getattr(value, "pk", value) or None for name, value in order.inputs.items()}
    return hashlib.sha256(json.dumps([changing, inputs], sort_keys=True, default=str).encode()).hexdigest()
