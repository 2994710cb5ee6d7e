"""Which admin each page belongs to, and the mixins that bring the pages to all of them.

A page belongs to the admin of a model; so it works at every admin site, in the host project's own theme.
"""

from functools import partial

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from opsdb.models import (
    DataLocation,
    DataTransfer,
    DataTransferRoute,
    ExecutedObsUnit,
    ObservingProgram,
    ObsUnit,
    PhysicalCopy,
    RawDataPackage,
    Source,
)

from . import (
    about,
    dashboard,
    dataflow,
    failures,
    location,
    night,
    observation,
    program,
    search,
    sky,
    source,
    trends,
    unit,
    where,
    why,
)
from .viewer import AdminPage, Viewer

PAGES = {
    RawDataPackage: (dashboard.PAGE, search.PAGE, trends.PAGE, why.PAGE),
    DataTransfer: (failures.PAGE,),
    PhysicalCopy: (where.PAGE,),
    ExecutedObsUnit: (night.PAGE, observation.PAGE),
    Source: (sky.PAGE, source.PAGE),
    ObservingProgram: (program.PAGE,),
    ObsUnit: (unit.PAGE,),
    DataLocation: (location.PAGE,),
    DataTransferRoute: (dataflow.PAGE,),
}


class PagesMixin:
    """Mixin of an admin that has pages of its own."""

    pages: tuple[AdminPage, ...] = ()

    def page_name(self, name: str) -> str:
        """Return the name of a page's URL."""
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            path(
                route,
                self.admin_site.admin_view(partial(self.page_view, page=page)),
                name=self.page_name(page.name),
            )
            for page in self.pages
            for route in page.routes
        ]
        return [*own, *super().get_urls()]

    def page_view(self, request: HttpRequest, *args, page: AdminPage, **parts) -> HttpResponseBase:
        """Answer a request for a page."""
        methods = ["GET", "HEAD", *(["POST"] if page.takes_posts else [])]
        if request.method not in methods:
            return HttpResponseNotAllowed(methods)
        request.current_app = self.admin_site.name
        viewer = Viewer(request, self.admin_site)
        if not page.is_open_to(viewer):
            raise PermissionDenied
        content = page.view(viewer, *args, **parts)
        if isinstance(content, HttpResponseBase):
            return content
        context = {
            **self.admin_site.each_context(request),
            "title": content.title or page.title,
            "opts": self.opts,
            "page": page,
            "content": content,
            "navigation": viewer.navigation(page.name),
        }
        return TemplateResponse(request, "admin/opsdb/page.html", context, status=content.status)


class RegisteredPagesMixin(why.ExplanationMixin, PagesMixin):
    """Mixin of every admin: the pages of its model, and above the forms of what can be stuck why it is."""

    @property
    def pages(self) -> tuple[AdminPage, ...]:
        """The pages that belong to this admin."""
        page = about.page_about(self.model)
        return (*PAGES.get(self.model, ()), *([page] if page else []))
