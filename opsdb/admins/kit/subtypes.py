"""The admin of a joined parent, which leads to the pages of its subtypes."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from opsdb.models.base import first_paragraph

from .admin import OpsAdmin
from .lists import OpsChangeList


class SpecificChangeList(OpsChangeList):
    """A list of joined parents that leads to the pages of their subtypes."""

    def url_for_result(self, result: Model) -> str:
        return self.model_admin.subtype_url(result, "change")


class ParentAdmin(OpsAdmin):
    """Admin of a joined parent: lists rows of all subtypes and leads to the subtype's own pages."""

    def subtype_url(self, row: Model, page: str) -> str:
        """Return the address of a row's page at its subtype."""
        subtype = self.model.subtypes()[getattr(row, self.model.discriminator)]
        return reverse(admin_urlname(subtype._meta, page), args=[quote(row.pk)], current_app=self.admin_site.name)

    def get_changelist(self, request: HttpRequest, **kwargs) -> type[ChangeList]:
        return SpecificChangeList

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Let the person choose the subtype: a parent alone is nothing."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Add %(name)s") % {"name": self.opts.verbose_name},
            "opts": self.opts,
            "media": self.media,
            "is_popup": "_popup" in request.GET,
            "subtypes": list(self._addable(request, request.GET.urlencode())),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/opsdb/choose_subtype.html", context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        subtypes = list(self._addable(request))
        return super().changelist_view(request, {"opsdb_subtypes": subtypes, **(extra_context or {})})

    def _addable(self, request, query=""):
        for model in self.model.subtypes().values():
            if self.admin_site.get_model_admin(model).has_add_permission(request):
                url = reverse(admin_urlname(model._meta, "add"), current_app=self.admin_site.name)
                yield {
                    "name": model._meta.verbose_name,
                    "description": first_paragraph(model.__doc__),
                    "url": f"{url}?{query}" if query else url,
                }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self._at_subtype(request, object_id, "change")

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._at_subtype(request, object_id, "delete")

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._at_subtype(request, object_id, "history")

    def _at_subtype(self, request, object_id, page):
        row = self.get_object(request, admin.utils.unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        query = request.GET.urlencode()
        url = self.subtype_url(row, page)
        return HttpResponseRedirect(f"{url}?{query}" if query else url)
