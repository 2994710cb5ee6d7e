"""A person at an admin site: what they may see there, the addresses of it, and the pages that they may open."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.contrib.admin.sites import all_sites
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.http import urlencode
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from opsdb.row_labels import row_label, row_names, tables, with_row_labels

from ..kit.values import Text
from .parts import Content

PAGE_ORDER = ("dashboard", "failures", "where", "why", "night", "sky", "dataflow", "trends", "observation")


class Viewer:
    """A person at an admin site: what they may see there, the addresses of it, and the pages that they may open."""

    def __init__(self, request, site):
        self.request = request
        self.site = site
        self._seen = {}

    def sees(self, *models: type[Model]) -> bool:
        """Return whether the person may view rows of all these models here."""
        return all(self._sees(model) for model in models)

    def _sees(self, model):
        if model not in self._seen:
            model_admin = self.site._registry.get(model)
            self._seen[model] = model_admin is not None and model_admin.has_view_permission(self.request)
        return self._seen[model]

    def row_url(self, model: type[Model], key) -> str | None:
        """Return the address of a row's page, or None when the person may not view it."""
        if not self.sees(model):
            return None
        return reverse(admin_urlname(model._meta, "change"), args=[quote(key)], current_app=self.site.name)

    def link(self, row: Model | None, text: Text | None = None) -> Text:
        """Return a row as a link, or that it is not shown when the person may not view it."""
        if row is None:
            return "–"
        if not self.sees(type(row)):
            return self.withheld
        return format_html('<a href="{}">{}</a>', self.row_url(type(row), row.pk), text or row)

    @property
    def withheld(self) -> str:
        """The text in the place of what a person may not see."""
        return _("(not shown)")

    def page_url_of(self, row: Model) -> str | None:
        """Return the address of the page that has all about a row, else of its form, or None when neither is theirs."""
        for page, _admin in self.pages.values():
            if page.of_row and page.about and (url := page.about(self, row)):
                return url
        return self.row_url(type(row), row.pk)

    def lead(self, row: Model | None, text: Text | None = None) -> Text:
        """Return a row as a link to the page that has all about it, or that it is not shown."""
        if row is None:
            return "–"
        if not self.sees(type(row)):
            return self.withheld
        return format_html('<a href="{}">{}</a>', self.page_url_of(row), text or row)

    def list_url(self, model: type[Model], **lookups) -> str | None:
        """Return the address of a list narrowed by lookups, or None when the person may not view it."""
        if not self.sees(model):
            return None
        url = reverse(admin_urlname(model._meta, "changelist"), current_app=self.site.name)
        return f"{url}?{urlencode(lookups)}" if lookups else url

    def sees_names(self, text: str) -> bool:
        """Return whether the person may view every row that a text names."""
        return self.sees(*{tables()[table.lower()] for table, _key in row_names().findall(text)})

    def name_rows(self, text: str) -> str:
        """Return a text with the rows that it names as people call them, if the person may view all of them."""
        return with_row_labels(text) if self.sees_names(text) else self.withheld

    def link_names(self, text: str, links: Mapping[str, Text] | None = None) -> Text:
        """Return a text with the rows that it names as links; if it names one that the person may not view, not.

        Args:
            text: the text.
            links: those of rows that people call otherwise, by table and key.
        """
        if not self.sees_names(text):
            return self.withheld

        def as_link(found):
            if links and found[0] in links:
                return links[found[0]]
            url = self.row_url(tables()[found[1].lower()], found[2])
            return format_html('<a href="{}">{}</a>', url, row_label(found[0]))

        # The names stand in the text as they are: none of their characters is escaped.
        return mark_safe(row_names().sub(as_link, escape(text)))  # noqa: S308

    @cached_property
    def pages(self) -> dict[str, tuple["AdminPage", type]]:
        """The pages of this site that the person may open, with the admin that each belongs to."""
        found = {
            page.name: (page, model_admin)
            for model_admin in self.site._registry.values()
            for page in getattr(model_admin, "pages", ())
        }
        order = {name: place for place, name in enumerate(PAGE_ORDER)}
        return {
            name: found[name]
            for name in sorted(found, key=lambda name: order.get(name, len(order)))
            if found[name][0].is_open_to(self)
        }

    def page_url(self, name: str, *args, **query) -> str | None:
        """Return the address of a page, or None when there is none for this person here."""
        if name not in self.pages:
            return None
        model_admin = self.pages[name][1]
        url = reverse(f"admin:{model_admin.page_name(name)}", args=args, current_app=self.site.name)
        return f"{url}?{urlencode(query)}" if query else url

    def navigation(self, current: str = "") -> list[dict]:
        """Return the pages that need nothing but to be opened."""
        return [
            {"title": page.title, "url": self.page_url(name), "is_current": name == current}
            for name, (page, _admin) in self.pages.items()
            if page.in_navigation and not page.of_row
        ]

    def links_of_row(self, row: Model, current: str = "") -> list[dict]:
        """Return the pages with more about a row, without the one that is shown."""
        return [
            {"title": page.title, "url": url}
            for name, (page, _admin) in self.pages.items()
            if name != current and page.about and (url := page.about(self, row))
        ]

    def links_of_table(self, model: type[Model]) -> list[dict]:
        """Return the page about the table of a model."""
        return [
            {"title": page.title, "url": self.page_url(name)}
            for name, (page, _admin) in self.pages.items()
            if page.of_table and model in page.models
        ]

    def links_of_list(self, model: type[Model]) -> list[dict]:
        """Return the pages that belong beside the list of a model."""
        return [
            {"title": page.title, "url": self.page_url(name)}
            for name, (page, _admin) in self.pages.items()
            if model in page.models and page.beside_lists and not page.of_row
        ]


def viewer_of(request: HttpRequest) -> Viewer | None:
    """Return the viewer of a request to an admin site, whichever site it is."""
    name = getattr(request, "current_app", None) or (request.resolver_match and request.resolver_match.namespace)
    site = next((site for site in all_sites if site.name == name and site.has_permission(request)), None)
    if site is None:
        return None
    return request.__dict__.setdefault("opsdb_viewer", Viewer(request, site))


@dataclass(frozen=True)
class AdminPage:
    """A page of an admin.

    Attributes:
        name: unique among the pages; the last part of its URL's name.
        routes: its addresses below the list of the admin's model.
        title: what people call it.
        view: makes its content, of the viewer and the parts of the address.
        models: who may view one of them may open it.
        of_row: whether the address names a row.
        beside_lists: whether it is offered beside the lists of its models.
        in_navigation: whether the other pages lead to it.
        about: returns the address of the page about a row, or None.
        of_table: whether it describes the table of its model, and no rows.
        takes_posts: whether it does something when its forms are sent.
    """

    name: str
    routes: tuple[str, ...]
    title: Text
    view: Callable[..., Content | HttpResponseBase]
    models: tuple[type[Model], ...]
    of_row: bool = False
    beside_lists: bool = True
    in_navigation: bool = True
    about: Callable[[Viewer, Model], str | None] | None = None
    takes_posts: bool = False
    of_table: bool = False

    def is_open_to(self, viewer: Viewer) -> bool:
        """Return whether a person may open it."""
        return any(viewer.sees(model) for model in self.models)
