"""What every admin offers beside Django's pages: actions that show first, history, export and import."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Model, QuerySet
from django.forms import Media, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext

from opsdb.filters.keys import is_key
from opsdb.models import ChangeLog, ChangeOperation
from opsdb.models.enums import ChangeLogging

from .actions import Action, callable_of
from .any_import import AnyImportMixin
from .exporting import ExportMixin
from .importing import ImportMixin
from .lookups import asks_for_a_secret
from .names import called as name_of
from .restoring import NotRestorableError, Restoration, is_restorable
from .row_history import changes_of

BEFORE = "before"


class HistoryMixin:
    """Mixin of an admin: the history of its rows, and their earlier versions."""

    def history_urls(self) -> list[tuple]:
        return [
            ("<path:object_id>/history/<int:entry>/restore/", self.restore_view, "restore"),
            ("<path:object_id>/history/<int:entry>/undo/", self.undo_view, "undo"),
        ]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show who changed a row, when, by what and why, and what the change was, the newest first."""
        row = self._row_seen(request, object_id)
        if not isinstance(row, models.Model):
            return row
        before = request.GET.get(BEFORE, "")
        before = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
        changes, following = changes_of(row, before)
        may_restore = is_restorable(self.model) and self.has_change_permission(request, row)
        if may_restore:
            newest = None if before else next(iter(changes), None)
            for change in changes:
                if change is not newest and change.entry.operation != ChangeOperation.DELETE:
                    change.restore_url = self.page_url("restore", quote(row.pk), change.entry.pk)
                if change.operation == ChangeOperation.UPDATE:
                    change.undo_url = self.page_url("undo", quote(row.pk), change.entry.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("History: %s") % name_of(row),
            "subtitle": None,
            "opts": self.opts,
            "object": row,
            "media": self.media,
            "changes": changes,
            "change_logging": getattr(self.model, "change_logging", ChangeLogging.OFF).value,
            "following": following,
            "is_first": before is None,
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/opsdb/history.html", context)

    def _row_seen(self, request, object_id):
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return row

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm, change: bool) -> None:
        # Another person may have changed the row before, and not every change is logged.
        if change and form.has_changed() and is_restorable(self.model):
            request.opsdb_logged_before = ChangeLog.objects.of(obj).values_list("pk", flat=True).first() or 0
        super().save_model(request, obj, form, change)

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Offer to take a change back at once, beside the message that it was saved."""
        response = super().response_change(request, obj)
        before = getattr(request, "opsdb_logged_before", None)
        if before is not None:
            entry = ChangeLog.objects.of(obj).filter(pk__gt=before, user=request.user).first()
            if entry is not None and entry.operation == ChangeOperation.UPDATE:
                url = self.page_url("undo", quote(obj.pk), entry.pk)
                self.message_user(request, format_html('<a href="{}">{}</a>', url, gettext("Undo this change")))
        return response

    def restore_view(self, request: HttpRequest, object_id: str, entry: int) -> HttpResponse:
        """Show what bringing an earlier version back would change or, once that is confirmed, do it by the form."""
        return self._restore(request, object_id, entry, undoes=False)

    def undo_view(self, request: HttpRequest, object_id: str, entry: int) -> HttpResponse:
        """Show what taking back one change would change or, once that is confirmed, do it by the form."""
        return self._restore(request, object_id, entry, undoes=True)

    def _restore(self, request, object_id, entry, *, undoes):
        row = self._row_seen(request, object_id)
        if not isinstance(row, models.Model):
            return row
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        found = ChangeLog.objects.of(row).filter(pk=entry).first() if entry < 2**63 else None
        if found is None:
            raise Http404
        try:
            return Restoration(self, request, row, found, undoes=undoes).answer()
        except NotRestorableError as reason:
            self.message_user(request, str(reason), messages.ERROR)
            return HttpResponseRedirect(self.page_url("history", quote(row.pk)))


class OperatorMixin(HistoryMixin, ExportMixin, ImportMixin, AnyImportMixin):
    """Mixin of every admin."""

    def get_urls(self) -> list:
        """Put the pages of the kit before Django's, whose last pattern matches everything."""
        names = f"{self.opts.app_label}_{self.opts.model_name}"
        views = [*self.history_urls(), *self.export_urls(), *self.import_urls(), *self.any_import_urls()]
        own = [path(route, self.admin_site.admin_view(view), name=f"{names}_{name}") for route, view, name in views]
        return own + super().get_urls()

    @property
    def media(self) -> Media:
        return super().media + Media(css={"all": ["opsdb/operating.css"]})

    def page_url(self, page: str, *args) -> str:
        """Return the address of a page of this admin."""
        return reverse(admin_urlname(self.opts, page), args=args, current_app=self.admin_site.name)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        # The page of a row names its locations with their sites.
        request.opsdb_reads_places = True
        try:
            # An empty _to_field is none, which Django does not see when it is posted.
            return super().get_object(request, object_id, from_field or None)
        finally:
            request.opsdb_reads_places = False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Of a range Django takes the text for its two ends, letter by letter.
        if lookup.endswith("__range") or asks_for_a_secret(self.model, lookup, self.admin_site):
            return False
        return super().lookup_allowed(lookup, value, request)

    # Actions

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        actions = super().get_actions(request, **_given(action_location))
        return {
            name: found
            for name, found in actions.items()
            if not isinstance(called := callable_of(found), Action) or called.is_allowed(self, request)
        }

    def response_action(
        self, request: HttpRequest, queryset: QuerySet, action_location: Any = None
    ) -> HttpResponseBase | None:
        """Let no key that can't be one reach the database."""
        posted = request.POST.copy()
        keys = dict.fromkeys(posted.getlist(helpers.ACTION_CHECKBOX_NAME))
        posted.setlist(helpers.ACTION_CHECKBOX_NAME, [key for key in keys if is_key(self.model, key)])
        request.POST = posted
        return super().response_action(request, queryset, **_given(action_location))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        links = [*self.export_links(request), *self.import_links(request)]
        return super().changelist_view(request, {"opsdb_links": links, **(extra_context or {})})

    def row_section(self, request: HttpRequest, row: Model) -> object:
        """Return the section above the form of a row; None for none."""
        return None

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        if obj is not None and not add:
            actions = map(callable_of, self.get_actions(request).values())
            context["opsdb_actions"] = [
                one for one in actions if isinstance(one, Action) and one.applies_to(obj, request.user)
            ]
            context["opsdb_actions_url"] = self.page_url("changelist")
            context["opsdb_checkbox_name"] = helpers.ACTION_CHECKBOX_NAME
            context["row_section"] = self.row_section(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)


def _given(action_location) -> dict:
    """Return the arguments that pass on the place of actions: Django 5.2 has no such argument, and passes none."""
    return {} if action_location is None else {"action_location": action_location}
