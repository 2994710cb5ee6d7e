"""Import of a file of any kind: its kind is recognized by its content, and then the page of that kind answers."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from opsdb.loaders import LoadError, UnknownKindError, kinds, recognize_kind

from .importing import FileForm, FileImport, ImportMixin, kinds_for


def importers_at(site: AdminSite, request: HttpRequest) -> Iterator[tuple[Any, BaseModelAdmin]]:
    """Yield every kind of file that a person may import at an admin site, with the admin that does it."""
    for kind in kinds().values():
        if model_admin := _importer_of(kind, site, request):
            yield kind, model_admin


def _importer_of(kind, site, request):
    """Return the admin of the kind's model, or else of a subtype, if the person may add rows there."""
    whole = getattr(kind, "model", None)
    if whole is None:  # a season names other files, which a form does not have
        return None
    of_kind = (model for model in site._registry if whole in model._meta.all_parents)
    for model in (whole, *of_kind):
        found = site._registry.get(model)
        if isinstance(found, ImportMixin) and found.has_add_permission(request):
            return found
    return None


def any_import_url(site: AdminSite, request: HttpRequest) -> str | None:
    """Return the address that takes a file of any kind, or None for who may import none at a site."""
    first = next(importers_at(site, request), None)
    return first[1].page_url("import_any") if first else None


class AnyImportMixin:
    """Mixin of an admin: a file is uploaded without a choice of its kind."""

    def any_import_urls(self) -> list[tuple]:
        return [("import/", self.any_import_view, "import_any")]

    def any_import_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file and answer as the page of its kind does, or ask for a file."""
        if not kinds_for(self.model):
            raise Http404
        importers = {kind.name: (kind, found) for kind, found in importers_at(self.admin_site, request)}
        if not importers:
            raise PermissionDenied
        if request.method != "POST":
            return self._any_import_page(request, importers, FileForm())
        form = FileForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._any_import_page(request, importers, form)
        file = form.cleaned_data["file"]
        try:
            kind = recognize_kind(file)
        except UnknownKindError as error:
            notice = gettext("%(file)s: %(problem)s. Nothing was written. The contents of each kind are listed below.")
            facts = {"file": file.name, "problem": error.problems[0].message}
            return self._any_import_page(request, importers, form, notice=notice % facts)
        except LoadError as error:
            return self._any_import_page(request, importers, form, problems=error)
        if kind.name in importers:
            return FileImport(importers[kind.name][1], request, kind, recognized=True).answer_file(file)
        if not hasattr(kind, "model"):
            notice = gettext("This names other files, which a form does not have: load it by manage.py opsdb_load %s.")
            return self._any_import_page(request, importers, form, notice=notice % kind.name)
        return self._any_import_page(request, importers, form, notice=_refusal(kind, request), status=403)

    def _any_import_page(self, request, importers, form, *, problems=None, notice="", status=200):
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Import a file"),
            "subtitle": None,
            "opts": self.opts,
            "media": self.media,
            "form": form,
            "problems": problems,
            "notice": notice,
            "importers": [(kind, found.page_url("import", kind.name)) for kind, found in importers.values()],
        }
        request.current_app = self.admin_site.name
        # The address is below a list, and the page belongs to none, which the side bar would mark.
        request.path = reverse("admin:app_list", args=[self.opts.app_label], current_app=self.admin_site.name)
        return TemplateResponse(request, "admin/opsdb/import_any.html", context, status=status)


def _refusal(kind, request):
    options = kind.model._meta
    permission = f"{options.app_label}.{get_permission_codename('add', options)}"
    text = gettext("This is a file of %(rows)s, and you may not add them: you lack the permission %(permission)s.")
    if request.user.has_perm(permission):
        text = gettext("This is a file of %(rows)s, and there is no list of them here.")
    return text % {"rows": options.verbose_name_plural, "permission": permission}
