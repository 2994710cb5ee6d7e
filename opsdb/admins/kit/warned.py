"""Forms that come back once where what they are about to save is allowed and probably a mistake."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

from opsdb.workflows import PlanningProblem, PlanningWarning, find_planning_warnings

from ..pages.viewer import Viewer

ANYWAY = "_anyway"
BUTTONS = ("_continue", "_addanother", "_saveasnew")
"""Buttons beside *Save*, whose meaning *Save anyway* keeps."""
SETUP = "module_configurations"
SHOWN_AFTER_SAVING = {PlanningProblem.MODULES}
"""Problems that can be solved later: they are shown with the message that the row was saved, and block no form."""


def _digest(warnings: Sequence[PlanningWarning]) -> str:
    return sha256("\n".join(map(str, warnings)).encode()).hexdigest()


def form_that_warns(form_class: type[ModelForm], agreed: str, sees: Callable[..., bool]) -> type[ModelForm]:
    """Return the form class with warnings, most of which keep it from being valid until the person has agreed to them.

    Args:
        form_class: of rows that a plan consists of.
        agreed: the digest of the warnings that the person has agreed to.
        sees: returns whether the person may view rows of all models that it is called with.
    """

    class WarnedForm(form_class):
        planning_warnings: Sequence[PlanningWarning] = ()

        def full_clean(self) -> None:
            super().full_clean()
            if not self.is_bound or self.errors or not self.has_changed():
                return
            setup = {SETUP: self.cleaned_data[SETUP]} if SETUP in self.cleaned_data else {}
            found = find_planning_warnings([self.instance], **setup)
            self.planning_warnings = [one.for_viewer(sees) for one in found]
            keeps_back = any(one.kind not in SHOWN_AFTER_SAVING for one in self.planning_warnings)
            if keeps_back and _digest(self.planning_warnings) != agreed:
                self.add_error(None, ValidationError([str(one) for one in self.planning_warnings]))

    return WarnedForm


class WarnedMixin:
    """Mixin of an admin of rows that a plan consists of: nothing that is warned of is refused."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Read what the person has agreed to, and which button it was."""
        if request.method == "POST" and not hasattr(request, "opsdb_agreed"):
            request.opsdb_agreed, _blank, button = request.POST.get(ANYWAY, "").partition(" ")
            if button in BUTTONS:
                request.POST = request.POST.copy()
                request.POST[button] = "1"
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs
    ) -> type[ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        if not hasattr(request, "opsdb_agreed"):
            return form
        return form_that_warns(form, request.opsdb_agreed, Viewer(request, self.admin_site).sees)

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm, change: bool) -> None:
        """Keep the warnings that are shown after saving."""
        super().save_model(request, obj, form, change)
        warnings = getattr(form, "planning_warnings", ())
        request.opsdb_shown_after_saving = [str(one) for one in warnings if one.kind in SHOWN_AFTER_SAVING]

    def response_add(self, request: HttpRequest, obj: Model, post_url_continue: str | None = None) -> HttpResponse:
        """Add those warnings to the message that the row was added."""
        self._show_after_saving(request)
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Add those warnings to the message that the row was changed."""
        self._show_after_saving(request)
        return super().response_change(request, obj)

    def _show_after_saving(self, request):
        for text in request.opsdb_shown_after_saving:
            self.message_user(request, text, messages.WARNING)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        """Show warnings as what they are, not as errors."""
        form = context["adminform"].form
        warnings = getattr(form, "planning_warnings", ())
        if warnings and set(form.errors) == {NON_FIELD_ERRORS}:
            del form.errors[NON_FIELD_ERRORS]
            formsets = [inline.formset for inline in context["inline_admin_formsets"]]
            context["errors"] = helpers.AdminErrorList(form, formsets)
            button = next((name for name in BUTTONS if name in request.POST), "")
            context |= {
                "planning_warnings": warnings,
                "planning_agreed": f"{_digest(warnings)} {button}".strip(),
                "planning_button": ANYWAY,
            }
        return super().render_change_form(request, context, add, change, form_url, obj)
