"""Rows on the page of another row: parts that are edited with it, and lists that lead to what belongs to it."""

from collections.abc import Sequence
from functools import cached_property

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest

from .fields import ModelFieldsMixin
from .links import list_url, narrowed_by
from .names import needed_by_name, with_names
from .time_zones import with_time_zone

INLINE_ROWS = 100
LISTED_ROWS = 20


class CappedFormSet(BaseInlineFormSet):
    """Rows of an inline, the first of them."""

    cap = INLINE_ROWS

    def get_queryset(self) -> QuerySet:
        if not hasattr(self, "_queryset"):
            rows = list(super().get_queryset()[: self.cap + 1])
            self.has_more = len(rows) > self.cap
            self._queryset = rows[: self.cap]
        return self._queryset

    @property
    def rest_url(self) -> str | None:
        """Address of the list of all, when not all are shown."""
        self.get_queryset()
        if not self.has_more:
            return None
        return list_url(self.model, narrowed_by(self.fk, self.instance), self.inline)


class CappedInline(ModelFieldsMixin, admin.TabularInline):
    """Base of every inline: shows a limited number of rows."""

    template = "admin/opsdb/capped_inline.html"
    formset = CappedFormSet
    cap = INLINE_ROWS
    extra = 0

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs) -> type[BaseInlineFormSet]:
        formset = super().get_formset(request, obj, **kwargs)
        return type(formset.__name__, (formset,), {"cap": self.cap, "inline": self})

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        needed = [name for name in self.fields if self.model_fields[name].is_relation]
        rows = with_time_zone(super().get_queryset(request))
        needed = [*with_names(self.model, needed), *needed_by_name(self.model)]
        return rows.select_related(*needed) if needed else rows

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        return self.ordering or ["pk"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence:
        return []


class PartInline(CappedInline):
    """Parts that mean nothing without their whole, edited with it."""

    @cached_property
    def fields(self) -> list[str]:
        return [
            name
            for name, field in self.model_fields.items()
            if field.editable and name not in self._record_names and not self._leads_to_whole(field)
        ]

    def _leads_to_whole(self, field):
        if self.fk_name:
            return field.name == self.fk_name
        return field.is_relation and issubclass(self.parent_model, field.related_model)


class LinkInline(PartInline):
    """Links that are made and removed, but not changed."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ListInline(CappedInline):
    """The newest rows that belong to this one, to look at and to go to."""

    cap = LISTED_ROWS
    show_change_link = True
    can_delete = False

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        return self.ordering or ["-pk"]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list:
        return [(None, {"fields": self.listed(self.fields)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence:
        return self.listed(self.fields)


def listing(model: type[Model], *fields, **options) -> type[ListInline]:
    """Return an inline that lists the rows of a model that belong to the row of the page."""
    return type(f"{model.__name__}List", (ListInline,), {"model": model, "fields": fields, **options})


def parts(model: type[Model], base: type[PartInline] = PartInline, **options) -> type[PartInline]:
    """Return an inline that edits the parts of the row of the page."""
    return type(f"{model.__name__}Parts", (base,), {"model": model, **options})
