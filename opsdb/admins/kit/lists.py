"""The lists of rows: their columns, order, filters and search, of bounded cost on tables of any size."""

import inspect
from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.sites import AdminSite
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, SEARCH_VAR, ChangeList
from django.db import OperationalError, models, router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from opsdb.database.timeouts import TooSlowError, given_up_after
from opsdb.errors import REFUSED, refusal_of
from opsdb.filters import FILTERSETS, Size
from opsdb.filters.indexes import index_led_by, leading_fields
from opsdb.filters.paging import (
    LAST,
    LONGEST_QUERY_SECONDS,
    TOO_SLOW,
    KeyedPage,
    seconds_given,
)
from opsdb.filters.searching import (
    FOUND_ROWS,
    Finder,
    TooManyWordsError,
    any_of,
    conditions_of,
    described,
    keys_found,
    searched_words,
)
from opsdb.filters.serving import is_sorted_by_index

from .counting import BoundedPaginator
from .dates import PeriodFilter
from .explained import explanation_of
from .filters import ChoiceFilter, LeadingFilter, RelatedFilter
from .links import parameter_of
from .lookups import require_comparable
from .names import needed_by_name, with_names
from .values import Text


class OpsChangeList(ChangeList):
    """A list that is sorted only by columns that may be, whatever the address asks for, and refuses what can't be."""

    def __init__(self, request: HttpRequest, *args, **kwargs):
        super().__init__(request, *args, **kwargs)
        if not self.is_popup:
            # A list is for looking, too: Django's title asks to select a row.
            self.title = capfirst(self.opts.verbose_name_plural)

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str] | None = None) -> QuerySet:
        rows = super().get_queryset(request, exclude_parameters)
        if rows.query.where:
            require_comparable(rows)
        return rows

    def get_ordering_field(self, field_name: str) -> Any:
        allowed = self.sortable_by is None or field_name in self.sortable_by
        return super().get_ordering_field(field_name) if allowed else None


class KeyedChangeList(OpsChangeList):
    """A list of a big table, paged by key."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> Sequence[str]:
        """Return one column and, in the same direction, the key: one comparison then decides what follows a row."""
        first = super().get_ordering(request, queryset)[0]
        sign, name = ("-" if first.startswith("-") else ""), first.removeprefix("-")
        key = self.lookup_opts.pk.name
        self.keys = [f"{sign}{key}"]
        if name not in ("pk", key):
            self.keys = [first, *([] if self.lookup_opts.get_field(name).unique else self.keys)]
        return self.keys

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str] | None = None) -> QuerySet:
        """Search, unless that takes too long."""
        if not self.query:
            return super().get_queryset(request, exclude_parameters)
        with given_up_after(LONGEST_QUERY_SECONDS, self.root_queryset.db):
            return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page and count the rows, unless that takes too long."""
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        asked = request.GET.get(PAGE_VAR, "")
        keys, within = self._along_an_index()
        every_row = self.apply_select_related(self.root_queryset)
        self.page = KeyedPage(self.queryset, keys, asked, self.list_per_page, within, every_row)
        with given_up_after(LONGEST_QUERY_SECONDS, self.queryset.db):
            self.result_list = self.page.rows
            self.result_count = self.paginator.count
        self.full_result_count, self.show_full_result_count = None, False
        self.show_admin_actions, self.can_show_all, self.multi_page = True, False, False

    def _along_an_index(self):
        """Return the fields that sort the list, and what narrows it, so that an index gives it in order if one can."""
        key = self.lookup_opts.pk.name
        leading = {spec.field.name: spec.within for spec in self.filter_specs if isinstance(spec, LeadingFilter)}
        leading = {name: within for name, within in leading.items() if within}
        if self.keys[0].removeprefix("-") != key or not leading:
            return self.keys, ()
        fields = len(leading) > 1 and index_led_by(self.model, leading)
        if not fields:
            return self.keys, [next(iter(leading.values()))]
        sign = self.keys[0].removesuffix(key)
        within, order = fields[: len(leading)], fields[len(leading) :]
        return [f"{sign}{name}" for name in order], [leading[name] for name in within]

    def page_links(self) -> list[tuple]:
        """Return name, text and address of the ways to other pages, the address None where there is none."""
        page = self.page
        places = [
            ("first", _("First"), page.has_previous and ""),
            ("prev", _("Previous"), page.has_previous and page.previous),
            ("next", _("Next"), page.has_next and page.next),
            ("last", _("Last"), page.has_next and LAST),
        ]
        return [
            (name, text, None if place is False else self.get_query_string({PAGE_VAR: place or None}))
            for name, text, place in places
        ]


class ListMixin:
    """Mixin of an admin: its list, searched and sorted as the filter set of its model declares, if it has one."""

    big: bool = False
    """The table grows with the observations: lists are sorted and narrowed only where an index serves."""
    sortable: Sequence[str] = ()
    """Columns that the list of a big table may be sorted by; none of them may be empty."""
    finders: Sequence[Finder] = ()
    """What a search looks at beside ``search_fields``."""
    part_finders: Sequence[Finder] = ()
    """What it looks at for parts; of what these find, no more than :data:`FOUND_ROWS` are listed."""

    when_nothing_is_found: Text = ""
    """What to try where a search finds nothing."""

    periods: Sequence[str] = ()
    """Times by whose periods the list is narrowed."""

    def __init__(self, model: type[models.Model], admin_site: AdminSite) -> None:
        super().__init__(model, admin_site)
        if filterset := FILTERSETS.get(model):
            self.big = filterset.size is not Size.SMALL
            self.sortable, self.finders = filterset.orders(), filterset.finders
            self.search_fields = filterset.searched()
            self.periods = [
                name
                for name in filterset.windows[:1]
                if filterset.size is not Size.BIG or is_sorted_by_index(model, name)
            ]

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def get_changelist(self, request: HttpRequest, **kwargs) -> type[ChangeList]:
        return KeyedChangeList if self.big else OpsChangeList

    @property
    def list_names(self) -> Sequence[str]:
        """Names of the list's columns."""
        return self.list_display

    def sorts_by(self, name: str) -> bool:
        return super().sorts_by(name) and (not self.big or name in self.sortable)

    def get_list_display(self, request: HttpRequest) -> list:
        first, *others = self.list_names
        # The first column is the link to the row, which can hold no other link.
        column = self.columns.get(first)
        is_link = column is not None and column.field.is_relation
        return [*([first] if is_link else self.listed([first])), *self.listed(others)]

    def about_columns(self, request: HttpRequest) -> list[tuple[str, Text, Text]]:
        """Return name, title and meaning of each column of the list that has one."""
        found = []
        for shown in self.get_list_display(request):
            name = getattr(shown, "__name__", shown)
            field, method = self.model_fields.get(name), getattr(type(self), str(name), None)
            title = getattr(shown, "short_description", None) or getattr(method, "short_description", None)
            written = inspect.getdoc(method) if callable(method) else ""
            meaning = explanation_of(self.model, field) if field is not None else written
            if meaning:
                found.append((name, title or field.verbose_name, meaning))
        return found

    def get_sortable_by(self, request: HttpRequest) -> list | None:
        if not self.big:
            return None
        return [
            column
            for name, column in zip(self.list_names, self.get_list_display(request), strict=True)
            if name in self.sortable
        ]

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        if self.ordering:
            return self.ordering
        named = not self.big and next((name for name in ("name", "short_name") if name in self.model_fields), None)
        return [named] if named else ["-pk"]

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        needed = [name for shown in self.list_names for name in getattr(getattr(self, shown, None), "needs", [shown])]
        related = [name for name in needed if "__" in name or self._is_reference(name)]
        return list(dict.fromkeys([*with_names(self.model, related), *needed_by_name(self.model)]))

    def get_list_filter(self, request: HttpRequest) -> list:
        names = [*(self.list_filter or ([] if self.big else self._bounded_names()))]
        names += [name for name in self.periods if name not in names]
        # Links lead here from rows that this list can't always be narrowed by.
        names += [name for name in self.model_fields if name not in names and self._narrows(name, request)]
        return [self._with_filter(name) for name in names]

    def _with_filter(self, name):
        if not isinstance(name, str):
            return name
        if self._is_reference(name) or "__" in name:
            return name, RelatedFilter
        if isinstance(self.model_fields.get(name), models.DateField):
            return name, PeriodFilter
        return (name, ChoiceFilter) if name in leading_fields(self.model) else name

    def _narrows(self, name, request):
        return self._is_reference(name) and parameter_of(self.model_fields[name]) in request.GET

    def _is_reference(self, name):
        field = self.model_fields.get(name)
        return field is not None and field.is_relation

    def _bounded_names(self):
        shown = [self.model_fields[name] for name in self.list_names if name in self.model_fields]
        return [field.name for field in shown if field.choices or isinstance(field, models.BooleanField)]

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        return self.search_fields or ([] if self.big else self._text_names())

    def _text_names(self):
        return [
            name
            for name, field in self.model_fields.items()
            if isinstance(field, models.CharField) and not field.choices and name not in self._progress_names
        ]

    @property
    def search_help_text(self) -> str | None:
        """What can be searched for, shown below the input."""
        if not self.get_search_fields(None):
            return None
        text = _("Searches %(what)s.") % {"what": ", ".join(map(str, self.searched()))}
        parts = "; ".join(str(finder.described) for finder in self.part_finders)
        return " ".join([text, _("Also finds %(what)s.") % {"what": parts}]) if parts else text

    def searched(self) -> list:
        """Names of what a search looks at."""
        paths = [described(self.model, path) for path in self.get_search_fields(None)]
        return [*paths, *(finder.described for finder in self.finders)]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        fields = self.get_search_fields(request)
        try:
            # What a big table is searched for is whole or a beginning, blanks included.
            words = searched_words(search_term, whole=self.big)
        except TooManyWordsError as error:
            if SEARCH_VAR in request.GET:  # a control that completes what is typed shows no message
                messages.error(request, str(error))
            return queryset.none(), False
        # A control that completes what is typed has no room for what a part finds.
        parts = self.part_finders if SEARCH_VAR in request.GET else ()
        for word in words if fields else ():
            found = conditions_of(self.model, fields, word, self.finders)
            of_parts = conditions_of(self.model, (), word, parts)
            queryset = self._found(request, queryset, found, of_parts) if found or of_parts else queryset.none()
        return queryset, False

    def _found(self, request, queryset, conditions, of_parts):
        if not self.big:
            return queryset.filter(any_of([*conditions, *of_parts]))
        # PostgreSQL would otherwise walk a table in the order of the list until it has a page of what it looks for.
        rows = self.model._base_manager.all()
        keys = keys_found(rows, [*conditions, *of_parts], FOUND_ROWS + 1)
        if len(keys) <= FOUND_ROWS:
            return queryset.filter(pk__in=keys)
        if not of_parts or (conditions and len(keys_found(rows, conditions, FOUND_ROWS + 1)) > FOUND_ROWS):
            return queryset.filter(any_of(conditions))
        text = _("More than %(most)s rows match; the first %(most)s that were found are listed. Type more of it.")
        messages.warning(request, text % {"most": f"{FOUND_ROWS:,}"})
        return queryset.filter(pk__in=keys[:FOUND_ROWS])

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        actions = super().get_actions(request, action_location)
        if self.big:
            actions.pop("delete_selected", None)
        return actions

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method != "POST":
            try:
                return super().changelist_view(request, extra_context)
            except REFUSED:
                # A value that no column can hold, such as a text with a zero byte.
                return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
            except (TooSlowError, OperationalError) as error:
                seconds = seconds_given(error)
                if not request.GET or seconds is None:
                    raise
                self.message_user(request, TOO_SLOW % {"seconds": seconds}, messages.ERROR)
                return HttpResponseRedirect(request.path)
        try:
            with transaction.atomic(using=router.db_for_write(self.model)):
                return super().changelist_view(request, extra_context)
        except REFUSED as error:
            self.message_user(request, refusal_of(error).text, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
