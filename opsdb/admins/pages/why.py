"""Why is it not done yet: for anything that is on its way, on its own page and above the form of the row."""

import re
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from opsdb import conf
from opsdb.models import (
    DataProduct,
    DataTransfer,
    DataTransferPackage,
    DeletionRequest,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
    ReductionStep,
    StagingJob,
)
from opsdb.workflows import Explanation, OpsdbError, explain_row, name_row

from ..kit.actions import Action, callable_of
from .found import link_texts
from .parts import PAGE_STYLES, Content, Facts, Question, Section, paragraph
from .viewer import AdminPage, Viewer, viewer_of
from .where import NotUnderstood, meant
from .why_links import link_to_why

MODELS = (
    RawDataPackage,
    DataTransferPackage,
    DataTransfer,
    LongTermArchiveTransfer,
    StagingJob,
    PhysicalCopy,
    ExecutedReductionStep,
    ReductionStep,
    ExecutedObsUnit,
    RawDataFile,
    DataProduct,
    DeletionRequest,
)


def view(viewer: Viewer) -> Content:
    """The explanation of the row in the query."""
    text = viewer.request.GET.get("q", "").strip()
    question = Question(
        "q",
        _("What?"),
        text,
        help=_(
            "A UUID, a kind and a key such as transfer 17, a checksum, or whole or part of the name or path of a"
            " package, file or product; or what was observed: a source, a unit, a night."
        ),
    )
    help_links = [(_("Troubleshooting"), troubleshooting_url())] if troubleshooting_url() else []
    if not text:
        return Content(questions=(question,), links=help_links)
    try:
        row = meant(viewer, text, MODELS)
        explanation = explain_row(row)
    except NotUnderstood as error:
        return error.content(question)
    except OpsdbError as error:
        return Content(questions=(question,), message=viewer.link_names(str(error)), status=404)
    about = [(link["title"], link["url"]) for link in viewer.links_of_row(row, "why")]
    return Content(
        questions=(question,),
        links=[*about, *help_links],
        sections=(
            Section(
                _("Why is it where it is?"),
                (
                    Facts([(_("what"), viewer.link(row)), (_("state"), _(explanation.state.replace("_", " ")))]),
                    render_explanation(viewer, explanation),
                    step_buttons(viewer, row, explanation),
                ),
                "why",
            ),
        ),
    )


def troubleshooting_url() -> str:
    """Return the address of the page on frequent symptoms; empty without ``OPSDB_DOCUMENTATION_URL``."""
    return documentation_url("troubleshooting.md")


def documentation_url(page: str) -> str:
    """Return the address of a page of the documentation; empty without ``OPSDB_DOCUMENTATION_URL``."""
    documentation = str(conf.get("OPSDB_DOCUMENTATION_URL"))
    return documentation and f"{documentation.rstrip('/')}/{page}"


def render_explanation(viewer: Viewer, explanation: Explanation) -> SafeString:
    """Return an explanation: the chain of reasons, then what has to happen and who does it."""
    *why, step, who = link_texts(
        viewer, [*explanation.why, for_people(explanation.next_step), explanation.who_in_words]
    )
    reasons = format_html_join("", "<li>{}</li>", ((reason,) for reason in why))
    chain = format_html('<ol class="opsdb-reasons">{}</ol>', reasons) if explanation.why else ""
    if explanation.done:
        return format_html("{}{}", chain, paragraph(_("Nothing has to happen any more.")))
    return format_html(
        "{}{}",
        chain,
        Facts(
            [
                (_("what has to happen next"), step),
                (_("who does it"), who),
            ]
        ),
    )


# How explanations name an action of the admin and a function beside it, or functions alone.
_ACTION = re.compile(r"\(“([^”]+)”(?: in the admin)?(?:, or opsdb\.workflows\.\w+)\)")
_FUNCTION = re.compile(r"\s*\(?\bby opsdb\.workflows\.\w+\)?|\bopsdb\.workflows\.(\w+)")


def for_people(step: str) -> str:
    """Return a step without the functions of Python that do it: here it is done by a button."""
    return _FUNCTION.sub(lambda found: (found[1] or "").replace("_", " "), _ACTION.sub(r"(“\1”)", step))


def step_buttons(viewer: Viewer, row: Model, explanation: Explanation) -> SafeString | str:
    """Return the buttons of what the next step recommends for a row, for a person who may do that, and why not."""
    row = getattr(row, "specific", row)
    model_admin = viewer.site._registry.get(type(row))
    if model_admin is None or explanation.done:
        return ""
    named = set(re.findall("“([^”]+)”", explanation.next_step))
    actions = [callable_of(found) for found in model_admin.get_actions(viewer.request).values()]
    wanted = [
        action
        for action in actions
        if isinstance(action, Action) and str(action.label) in named and action.applies_to(row, viewer.request.user)
    ]
    context = {
        "opsdb_actions": wanted,
        "opsdb_actions_url": viewer.list_url(type(row)),
        "opsdb_checkbox_name": ACTION_CHECKBOX_NAME,
        "original": row,
    }
    note = model_admin.note_on(row, viewer) if hasattr(model_admin, "note_on") else ""
    if not wanted:
        return note
    buttons = render_to_string("admin/opsdb/row_tools.html", context, viewer.request)
    return format_html('<ul class="opsdb-step">{}</ul>{}', buttons, note)


class _Why:
    """The read-only line of a form that explains the row, for one viewer."""

    __name__ = "why"
    short_description = lazy("state and next step")

    def __init__(self, viewer):
        self.viewer = viewer

    def __call__(self, row):
        try:
            explanation = explain_row(row)
        except OpsdbError as error:
            return self.viewer.link_names(str(error))
        return format_html('<div class="opsdb-why-explanation">{}</div>', render_explanation(self.viewer, explanation))


class ExplanationMixin:
    """Mixin of an admin: explains above the form of what can be stuck why it is where it is, and what comes next."""

    @property
    def media(self) -> Media:
        media = super().media
        return media + PAGE_STYLES if self._is_explained else media

    @admin.display(description=lazy("why"))
    def why(self, row: Model) -> SafeString | str:
        """Leads to what has become of it, why it is where it is, and what has to happen next."""
        site, model = self.admin_site, row._meta.concrete_model
        if not site.is_registered(RawDataPackage):
            return self.get_empty_value_display()
        url = reverse("admin:opsdb_rawdatapackage_why", current_app=site.name)
        return link_to_why(f"{url}?{urlencode({'q': name_row(model, row.pk)})}", name_row(model, row.pk))

    @property
    def _is_explained(self):
        return self.model._meta.concrete_model in MODELS

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        viewer = viewer_of(request) if change and obj is not None and self._is_explained else None
        if viewer:
            line, form = _Why(viewer), context["adminform"]
            title = _("Why is it where it is?")
            form.fieldsets = [(title, {"fields": [line], "classes": ["opsdb-why"]}), *form.fieldsets]
            form.readonly_fields = [*form.readonly_fields, line]
        return super().render_change_form(request, context, add, change, form_url, obj)


def _about(viewer, row):
    """The page on a row that has one."""
    concrete = row._meta.concrete_model
    return viewer.page_url("why", q=name_row(concrete, row.pk)) if concrete in MODELS else None


PAGE = AdminPage("why", ("why/",), lazy("Why?"), view, MODELS, about=_about)
