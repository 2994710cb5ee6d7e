"""What the pages have in common: how one is declared, what a person may see of it, and what it is made of.

A page belongs to the admin of a model, as :mod:`.registry` says; so it works at every admin site, in the host project's
own theme. It is a title and sections of facts, tables and drawings.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from django.contrib.admin.sites import all_sites
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.html import escape, format_html, format_html_join, html_safe
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from opsdb.models.enums import Look

from ..drawings.svg import together
from ..kit.values import row_in_words, row_names, tables

Text = str | Promise
NEUTRAL = Look("grey", "○")


class Viewer:
    """A person at an admin site: what they may see, and the addresses of it."""

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
        """What stands in the place of what a person may not see."""
        return _("(not shown)")

    def list_url(self, model: type[Model], **lookups) -> str | None:
        """Return the address of a list narrowed by lookups, or None when the person may not view it."""
        if not self.sees(model):
            return None
        url = reverse(admin_urlname(model._meta, "changelist"), current_app=self.site.name)
        return f"{url}?{urlencode(lookups)}" if lookups else url

    def sees_names(self, text: str) -> bool:
        """Return whether the person may view every row that a text names."""
        return self.sees(*{tables()[table.lower()] for table, _key in row_names().findall(text)})

    def told(self, text: str) -> Text:
        """Return a text with the rows that it names as links; if it names one that the person may not view, not."""
        if not self.sees_names(text):
            return self.withheld

        def as_link(found):
            url = self.row_url(tables()[found[1].lower()], found[2])
            return format_html('<a href="{}">{}</a>', url, row_in_words(found[0]))

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
            if not page.of_row
        ]

    def links_of_row(self, row: Model, current: str = "") -> list[dict]:
        """Return the pages that say more about a row, without the one that is shown."""
        return [
            {"title": page.title, "url": url}
            for name, (page, _admin) in self.pages.items()
            if name != current and page.about and (url := page.about(self, row))
        ]

    def links_of_list(self, model: type[Model]) -> list[dict]:
        """Return the pages that belong beside the list of a model."""
        return [
            {"title": page.title, "url": self.page_url(name)}
            for name, (page, _admin) in self.pages.items()
            if model in page.models and page.beside_lists and not page.of_row
        ]


PAGE_ORDER = ("dashboard", "where", "why", "night", "sky", "dataflow", "observation")


def viewer_of(request) -> Viewer | None:
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
        about: returns the address that says more about a row, or None.
    """

    name: str
    routes: tuple[str, ...]
    title: Text
    view: Callable[..., "Content | HttpResponseBase"]
    models: tuple[type[Model], ...]
    of_row: bool = False
    beside_lists: bool = True
    about: Callable[[Viewer, Model], str | None] | None = None

    def is_open_to(self, viewer: Viewer) -> bool:
        """Return whether a person may open it."""
        return any(viewer.sees(model) for model in self.models)


class PagesMixin:
    """Mixin of an admin that has pages of its own."""

    pages: tuple[AdminPage, ...] = ()

    def page_name(self, name: str) -> str:
        """Return the name of a page's URL."""
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def get_urls(self):
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

    def page_view(self, request, *args, page, **parts):
        """Answer a request for a page."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
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


@dataclass(frozen=True)
class Question:
    """An input of a page; it is asked by GET, so that the answer has an address.

    Attributes:
        name: of the parameter.
        label: what to type or choose.
        value: what was asked.
        type: of the input; ``select`` with choices.
        help: what may be typed.
        choices: value and text of each, for a select.
    """

    name: str
    label: Text
    value: str = ""
    type: str = "search"
    help: Text = ""
    choices: Sequence[tuple[str, Text]] = ()


@dataclass(frozen=True)
class Section:
    """A part of a page under a heading.

    Attributes:
        title: the heading.
        parts: facts, tables, drawings and texts.
        name: anchor, unique on the page.
    """

    title: Text
    parts: Sequence[Text]
    name: str


@dataclass(frozen=True)
class Content:
    """What is on a page.

    Attributes:
        title: if it is another one than that of the page.
        questions: its inputs.
        sections: what it shows.
        message: what went wrong with the question.
        links: further addresses, text and URL of each.
        whole: markup that stands before the sections.
        live: whether it refreshes itself.
        status: of the answer.
    """

    title: Text = ""
    questions: Sequence[Question] = ()
    sections: Sequence[Section] = ()
    message: Text = ""
    links: Sequence[tuple[Text, str]] = ()
    whole: SafeString | str = ""
    live: bool = False
    status: int = 200


@html_safe
@dataclass(frozen=True)
class Table:
    """Rows and columns.

    Attributes:
        caption: what the rows are, for who can't see the page as a whole.
        columns: what each column holds.
        rows: cells; the first of each names the row.
        empty: what is said when there are none.
        note: what is said below them, such as that these are not all.
        more: address of the list of all.
    """

    caption: Text
    columns: Sequence[Text]
    rows: Sequence[Sequence]
    empty: Text = ""
    note: Text = ""
    more: str | None = None

    def __str__(self):
        return render_to_string("admin/opsdb/table.html", {"table": self})


@html_safe
@dataclass(frozen=True)
class Facts:
    """Names and values; those without a value are left out."""

    pairs: Iterable[tuple[Text, object]]

    def __str__(self):
        items = format_html_join(
            "",
            "<div><dt>{}</dt><dd>{}</dd></div>",
            ((name, value) for name, value in self.pairs if value is not None and value != ""),
        )
        return format_html('<dl class="opsdb-facts">{}</dl>', items)


@html_safe
@dataclass(frozen=True)
class Figure:
    """A drawing that may be wider than the screen, what its signs mean, and the same as a table."""

    name: str
    label: Text
    drawing: SafeString
    legend: Sequence[tuple[SafeString, Text]] = ()
    table: Table | None = None
    notes: Sequence[Text] = field(default_factory=tuple)

    def __str__(self):
        return render_to_string("admin/opsdb/figure.html", {"figure": self})


def paragraph(text: Text, css: str = "") -> SafeString:
    """Return a text as a paragraph."""
    return format_html('<p class="{}">{}</p>', css, text) if css else format_html("<p>{}</p>", text)


def spaced(parts: Iterable) -> SafeString:
    """Return parts with blanks between them."""
    return together(part for one in parts for part in (one, " "))


def capped(rows, limit: int) -> tuple[list, bool]:
    """Return the first rows of a queryset, and whether there are more. One query."""
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit


def first_of(limit: int) -> str:
    """Return what is said where rows are left out."""
    return _("The first %(limit)s are shown.") % {"limit": limit}
