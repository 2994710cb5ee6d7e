"""The pages of an action: the preview of what it would do to each row, and the confirmation that does it.

What would happen is found out by doing it and rolling it back, so that the preview and the act can't differ: the same
workflow functions run, the same rules of the database refuse. What a person confirms is pinned: if a row, or the
outcome for it, would differ from the preview, nothing is done and a new preview is shown.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.admin.utils import quote
from django.db import connections, router, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as lazy

from opsdb.workflows import attributed

from .columns import human_size
from .orders import RESTLESS, Order, Outcome, OutcomeKind, facts_of

MOST_ROWS = 500
SHOWN_ROWS = 50
SHOWN_REFUSALS = 5
LOCK_TIMEOUT_MS = 5_000
DIFFERS = lazy("This is not what you looked at, so nothing was done. Look again.")
ALL_GONE = lazy("None of the selected rows is there any more.")
STAGE, DIGEST, FROM_ROW, BACK = "opsdb_stage", "opsdb_digest", "opsdb_from_row", "opsdb_back"


UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@contextmanager
def patient(using: str) -> Iterator[None]:
    """Wait no longer than some seconds for rows that another transaction is changing."""
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(LOCK_TIMEOUT_MS)])
        yield


class _Differs(Exception):
    """What happens is not what was confirmed."""


class Confirmation:
    """One request for an action: the preview, or the confirmation of it."""

    trail = None
    """Text and address of the page that leads here, where it is not the list of the admin's model."""

    def __init__(self, action, model_admin: BaseModelAdmin, request: HttpRequest, rows: list[Model]):
        """Take the first rows.

        Args:
            action: what is done to them.
            model_admin: whose page this is.
            request: of the person.
            rows: one more than :data:`MOST_ROWS` at the most.
        """
        self.action, self.model_admin, self.request = action, model_admin, request
        self.stage = request.POST.get(STAGE, "")
        self.using = router.db_for_write(model_admin.model)
        self.rows, self.has_more = rows[:MOST_ROWS], len(rows) > MOST_ROWS
        # As it is before a preview has changed it.
        self.row_name = str(rows[0]) if len(rows) == 1 else ""

    @classmethod
    def of_selected(cls, action, model_admin: BaseModelAdmin, request: HttpRequest, queryset: QuerySet) -> Self:
        """Return the confirmation for the rows that were selected in a list."""
        keys = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
        if request.POST.get("select_across") not in ("1", "True", "true"):
            # What was selected counts, even if it has left the list's filter meanwhile.
            queryset = model_admin.get_queryset(request).filter(pk__in=keys)
        related = model_admin.get_list_select_related(request)
        queryset = queryset.select_related(*related) if related else queryset
        return cls(action, model_admin, request, list(queryset.order_by("pk")[: MOST_ROWS + 1]))

    def answer(self) -> HttpResponse:
        """Return the page, or the way back with a report."""
        action, request = self.action, self.request
        if not self.rows:
            return self._leave(messages.WARNING, str(ALL_GONE))
        if action.one_row and len(self.rows) > 1:
            return self._leave(messages.WARNING, gettext("Choose one row for this action."))
        asked = self.stage in ("look", "confirm")
        form = action.form(request.POST if asked else None, model_admin=self.model_admin)
        form.fields["reason"].required = self.stage == "confirm"
        if asked and not form.is_valid():
            # What lacks only the reason can still be looked at, and confirmed from there.
            only_reason = {*form.errors} == {"reason"}
            if only_reason:
                return self._look(form, Order(request.user, "", form.inputs()))
            return self._page(form, None, self._judged())
        if not asked and form.must_ask:
            return self._page(form, None, self._judged())
        order = Order(request.user, form.cleaned_data["reason"] if asked else "", form.inputs())
        return self._confirm(form, order) if self.stage == "confirm" else self._look(form, order)

    def _perform(self, order):
        """Do it, and return what happens, what the person must know to decide on it, and the digest of both."""
        judged = self._judged()
        facts = {_identity(type(row), row.pk): _lasting(facts_of(row)) for row in self.rows}
        known = set(self.action.watch()) if self.action.watch else set()
        outcomes = self.action.perform(self.rows, order)
        warnings = [text for text in self.action.watch() if text not in known] if self.action.watch else []
        shown = [[one.title, one.total, [[*map(str, cells)] for cells in one.rows], one.note] for one in judged]
        known_of = [
            facts.get(_identity(one.model or self.model_admin.model, one.key))
            for one in outcomes
            if one.kind is OutcomeKind.CHANGES
        ]
        return outcomes, warnings, judged, digest(outcomes, order, [known_of, warnings, shown])

    def _judged(self):
        return self.action.judge(self.rows) if self.action.judge else ()

    def _look(self, form, order, notice=""):
        with attributed(user=order.user, reason=order.reason), patient(self.using):
            outcomes, warnings, judged, seen = self._perform(order)
            transaction.set_rollback(True, using=self.using)
        return self._page(form, outcomes, judged, seen, warnings, notice)

    def _confirm(self, form, order):
        try:
            with attributed(user=order.user, reason=order.reason), patient(self.using):
                outcomes, _warnings, _known, seen = self._perform(order)
                changing = any(outcome.kind is OutcomeKind.CHANGES for outcome in outcomes)
                if not changing or seen != self.request.POST.get(DIGEST):
                    raise _Differs
        except _Differs:
            # The instances hold values that were rolled back, and others may have deleted some rows.
            found = [type(row)._default_manager.filter(pk=row.pk).first() for row in self.rows]
            self.rows = [row for row in found if row is not None]
            if not self.rows:
                return self._leave(messages.WARNING, str(ALL_GONE))
            return self._look(form, order, DIFFERS)
        return self._report(outcomes)

    def _report(self, outcomes):
        counts = {kind: sum(outcome.kind is kind for outcome in outcomes) for kind in OutcomeKind}
        parts = ", ".join(f"{number} {kind.done}" for kind, number in counts.items() if number)
        for outcome in [one for one in outcomes if one.kind is OutcomeKind.REFUSED][:SHOWN_REFUSALS]:
            self.model_admin.message_user(self.request, f"{outcome.name}: {' '.join(outcome.texts)}", messages.WARNING)
        report = f"{self.action.label}: {parts}."
        if made := self._links_to_made(outcomes):
            report = format_html("{} {}", report, made)
        return self._leave(messages.SUCCESS, report)

    def _links_to_made(self, outcomes):
        """Return a sentence with links to the rows that were made, as far as the person may view them."""
        site = self.model_admin.admin_site
        made = {(type(one.made), one.made.pk): one.made for one in outcomes if one.made is not None}
        links = []
        for row in made.values():
            name = f"{row._meta.verbose_name} {row.pk}"
            model_admin = site._registry.get(type(row))
            if model_admin is None or not model_admin.has_view_permission(self.request):
                links.append(name)
                continue
            url = reverse(admin_urlname(row._meta, "change"), args=[quote(row.pk)], current_app=site.name)
            links.append(format_html('<a href="{}">{}</a>', url, name))
        if not links:
            return ""
        before, after = str(self.action.afterwards).split("%(rows)s")
        return format_html("{}{}{}", before, format_html_join(", ", "{}", ([one] for one in links)), after)

    def _leave(self, level, text):
        self.model_admin.message_user(self.request, text, level)
        return HttpResponseRedirect(self._way_back())

    def _way_back(self):
        back = self.request.POST.get(BACK, "")
        if back.startswith("/") and url_has_allowed_host_and_scheme(back, None):
            return back
        if self.request.POST.get(FROM_ROW) and len(self.rows) == 1:
            options, site = self.model_admin.opts, self.model_admin.admin_site
            return reverse(admin_urlname(options, "change"), args=[quote(self.rows[0].pk)], current_app=site.name)
        return self.request.get_full_path()

    def _hidden(self):
        """Return names and values of what the form sends again beside its own fields."""
        yield "action", self.action.name
        for row in self.rows:
            yield helpers.ACTION_CHECKBOX_NAME, row.pk
        for name in (FROM_ROW, BACK):
            if value := self.request.POST.get(name):
                yield name, value

    def _size_of(self, outcomes):
        """Return how many bytes the rows of outcomes have, where rows have a size."""
        sizes = {(type(row)._meta.concrete_model, row.pk): getattr(row, "size_bytes", None) for row in self.rows}
        model = self.model_admin.model
        found = [sizes.get(((one.model or model)._meta.concrete_model, one.key)) for one in outcomes]
        return human_size(sum(size or 0 for size in found)) if any(size is not None for size in found) else ""

    def _lines_of(self, outcomes):
        """Return rows and texts of outcomes: those with the same texts, but for keys, on one line."""
        lines = {}
        for outcome in outcomes:
            texts = [self._without_its_name(outcome, text) for text in outcome.texts]
            lines.setdefault(tuple(UUID.sub("…", text) for text in texts), []).append((outcome, texts))
        return [
            {
                "texts": common if len(same) > 1 else same[0][1],
                "number": len(same),
                "number_text": self._number_text([outcome for outcome, _texts in same]),
                "rows": [
                    (outcome.name, self._url_of(outcome), [] if (*texts,) == common else texts)
                    for outcome, texts in same[:SHOWN_ROWS]
                ],
            }
            for common, same in list(lines.items())[:SHOWN_ROWS]
        ]

    def _number_text(self, outcomes):
        """Return how many rows these are: ``4 packages``."""
        models = {outcome.model or self.model_admin.model for outcome in outcomes}
        kind = models.pop()._meta.verbose_name_plural if len(models) == 1 else gettext("rows")
        return f"{len(outcomes):,} {kind}"

    def _has_others(self, outcomes):
        """Return whether rows of other models than the admin's are among them."""
        return any(outcome.model not in (None, self.model_admin.model) for outcome in outcomes)

    def _without_its_name(self, outcome, text):
        own = f"{(outcome.model or self.model_admin.model)._meta.concrete_model._meta.verbose_name} {outcome.key}: "
        return capfirst(text[len(own) :]) if text.lower().startswith(own.lower()) else text

    def _url_of(self, outcome):
        """Return the address of the row of an outcome, or None where there is none for this person."""
        options = (outcome.model or self.model_admin.model)._meta
        site = self.model_admin.admin_site
        return reverse(admin_urlname(options, "change"), args=[quote(outcome.key)], current_app=site.name)

    def _page(self, form, outcomes, judged, seen="", warnings=(), notice=""):
        admin, action, request = self.model_admin, self.action, self.request
        # A preview does without the reason; what is confirmed from there needs it, and the page states that.
        form.fields["reason"].required = True
        groups = []
        for kind in OutcomeKind:
            of_kind = [outcome for outcome in outcomes or () if outcome.kind is kind]
            if of_kind:
                groups.append(
                    {
                        "kind": kind,
                        "number": len(of_kind),
                        "size": self._size_of(of_kind),
                        "outcomes": of_kind[:SHOWN_ROWS],
                        "lines": self._lines_of(of_kind),
                    }
                )
        changing = any(group["kind"] is OutcomeKind.CHANGES for group in groups)
        context = {
            **admin.admin_site.each_context(request),
            "title": action.label,
            "about": action.about,
            "opts": admin.opts,
            "media": admin.media + form.media,
            "form": form,
            "looked": outcomes is not None,
            "groups": groups,
            "rows_are": gettext("what") if self._has_others(outcomes or ()) else admin.opts.verbose_name,
            "changing": changing,
            "warnings": warnings,
            "notice": notice,
            "left_out": _left_out(self.has_more),
            "hidden": list(self._hidden()),
            "action": action,
            "trail": self.trail,
            "digest": seen,
            "way_back": self._way_back(),
            "row": self.rows[0] if len(self.rows) == 1 else None,
            "row_name": self.row_name,
            "judged": judged,
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


def _lasting(facts):
    return {name: value for name, value in facts.items() if name not in RESTLESS}


def _identity(model, key):
    return model._meta.concrete_model._meta.label, key


def digest(outcomes: list[Outcome], order: Order, known: list) -> str:
    """Return what distinguishes two previews.

    Args:
        outcomes: which rows change, from which values, and with what result.
        order: with which inputs.
        known: what the person knew of them: the facts of the rows, the warnings, and what was shown to decide on.
    """
    changing = [
        (outcome.key, outcome.changed, outcome.pinned) for outcome in outcomes if outcome.kind is OutcomeKind.CHANGES
    ]
    inputs = {name: getattr(value, "pk", value) or None for name, value in order.inputs.items()}
    text = json.dumps([changing, inputs, known], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
