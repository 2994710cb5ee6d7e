"""Actions: what people do to rows, declared by the workflow that does it.

Nothing is decided here: the workflows and the database do that. Each action first shows what it would do to each row,
and why it would not, and then does it in one transaction; :mod:`.confirmation` has the pages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.db import models, router, transaction
from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from opsdb.errors import check_deferred_rules

from .confirmation import Confirmation
from .names import called
from .orders import REFUSALS, Order, OrderForm, Outcome, OutcomeKind, Skipped, differences, facts_of, refusal_text


@dataclass(frozen=True)
class Judged:
    """Facts about a row for the person who decides on it.

    Attributes:
        title: what it is about.
        total: all of it in a sentence.
        columns: what is shown of each part.
        rows: cells of the first parts.
        note: what was left out.
    """

    title: str
    total: str
    columns: Sequence[str | Promise]
    rows: Sequence[Sequence]
    note: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Action:
    """Something that people do to rows, one at a time or many.

    Attributes:
        name: in addresses and forms.
        label: on buttons and in lists.
        about: what it does, in a sentence.
        run: takes a row and an :class:`Order`, calls the workflow, and returns its result. It raises :class:`Skipped`
            or what workflows raise.
        report: describes the result of ``run``, where it is more than the fields that changed.
        pinned: returns, from a row and the result of ``run``, what a person confirms beside the facts of the row:
            values that are the same whenever the same would happen. The report when left out; needed where a report has
            keys of new rows, or does not distinguish all that may happen.
        run_all: instead of ``run``, takes all rows at once and returns their outcomes.
        permission: what it needs: ``change``, ``add`` or ``view`` of the model, or the whole name of a permission.
        unless: returns why there is nothing to do for a row, or an empty text.
        form: what it asks for beside the reason.
        one_row: whether it takes one row only.
        watch: returns problems as sentences; those that the action adds are shown as warnings.
        unless_by: returns why a person can't do it to a row, or an empty text: then no button is offered on its page.
        judge: returns the facts about rows for the person who decides on them.
        afterwards: text of the report on the rows that were made, with ``%(rows)s`` for links to them.
    """

    name: str
    label: str | Promise
    about: str | Promise
    run: Callable[[models.Model, Order], object] | None = None
    report: Callable[[Any], str] | None = None
    pinned: Callable[[models.Model, Any], object] | None = None
    run_all: Callable[[list, Order], list[Outcome]] | None = None
    permission: str = "change"
    unless: Callable[[models.Model], str] = field(default=lambda row: "")
    form: type[OrderForm] = OrderForm
    one_row: bool = False
    watch: Callable[[], list[str]] | None = None
    unless_by: Callable[[models.Model, Any], str] = field(default=lambda row, user: "")
    judge: Callable[[list[models.Model]], list[Judged]] | None = None
    afterwards: str | Promise = gettext_lazy("See %(rows)s.")

    do_not_call_in_templates = True

    @property
    def __name__(self):
        return self.name

    @property
    def short_description(self) -> str | Promise:
        """What Django's list of actions shows."""
        return self.label

    def is_allowed(self, model_admin: BaseModelAdmin, request: HttpRequest) -> bool:
        """Return whether this user may do it."""
        options = model_admin.opts
        if self.permission == "view":
            return model_admin.has_view_permission(request)
        codename = self.permission if "_" in self.permission else f"{self.permission}_{options.model_name}"
        return model_admin.has_view_permission(request) and request.user.has_perm(f"{options.app_label}.{codename}")

    def applies_to(self, row: Model, user: Any) -> bool:
        """Return whether there may be something for a person to do for a row."""
        return not self.unless(row) and not self.unless_by(row, user)

    # What happens

    def perform(self, rows: list[Model], order: Order) -> list[Outcome]:
        """Do it to every row, within the caller's transaction; what is refused leaves its row as it was."""
        if self.run_all:
            return self.run_all(rows, order)
        return [self._perform_on(row, order) for row in rows]

    def _perform_on(self, row, order):
        key, name, before = row.pk, called(row), facts_of(row)
        if why := self.unless(row):
            return Outcome(key, name, OutcomeKind.SKIPPED, [str(why)])
        using = router.db_for_write(type(row))
        try:
            with transaction.atomic(using=using):
                result = self.run(row, order)
                report = self.report(result) if self.report else ""
                pinned = self.pinned(row, result) if self.pinned else report
                check_deferred_rules(using)
        except Skipped as reason:
            return Outcome(key, name, OutcomeKind.SKIPPED, [str(reason)])
        except REFUSALS as error:
            return Outcome(key, name, OutcomeKind.REFUSED, [refusal_text(error)])
        after = facts_of(type(row)._base_manager.using(using).get(pk=key))
        changed = {name: old for name, old in before.items() if old != after[name]}
        texts = [*differences(type(row), changed, after, order.user), *([report] if report else [])]
        if not texts:
            return Outcome(key, name, OutcomeKind.SKIPPED, [gettext("Nothing to change.")])
        return Outcome(key, name, OutcomeKind.CHANGES, texts, changed, pinned=pinned)

    # Pages

    def __call__(self, model_admin, request, queryset):
        """Show what it would do to the selected rows or, once that is confirmed, do it."""
        return Confirmation.of_selected(self, model_admin, request, queryset).answer()


def callable_of(found: Any) -> Callable:
    """Return what an entry of ``ModelAdmin.get_actions()`` calls: Django 5.2 has tuples there, 6.1 objects."""
    return found[0] if isinstance(found, tuple) else found.func


def unless_in(field: str, *states: str, because: str | Promise) -> Callable[[models.Model], str]:
    """Return a condition for :attr:`Action.unless`: rows whose field is in none of these states are skipped.

    Args:
        field: name of the field.
        states: those that the action is for.
        because: why the others are skipped, with ``%(state)s`` for the state that a row is in.
    """

    def unless(row):
        if getattr(row, field) in states:
            return ""
        return because % {"state": getattr(row, f"get_{field}_display")()}

    return unless
