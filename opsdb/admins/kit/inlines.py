"""Rows on the page of another row: parts that are edited with it, and lists that lead to what belongs to it."""

from functools import cached_property

from django.contrib import admin
from django.forms import BaseInlineFormSet

from .fields import ModelFieldsMixin
from .links import list_url, narrowed_by
from .time_zones import with_time_zone

INLINE_ROWS = 100
LISTED_ROWS = 20


class CappedFormSet(BaseInlineFormSet):
    """Rows of an inline, the first of them."""

    cap = INLINE_ROWS

    def get_queryset(self):
        if not hasattr(self, "_queryset"):
            rows = list(super().get_queryset()[: self.cap + 1])
            self.has_more = len(rows) > self.cap
            self._queryset = rows[: self.cap]
        return self._queryset

    @property
    def rest_url(self):
        """Address of the list of all, when not all are shown."""
        self.get_queryset()
        if not self.has_more:
            return None
        return list_url(self.model, narrowed_by(self.fk, self.instance), self.inline)


class CappedInline(ModelFieldsMixin, admin.TabularInline):
    """Base of every inline: shows no more rows than a form bears."""

    template = "admin/opsdb/capped_inline.html"
    formset = CappedFormSet
    cap = INLINE_ROWS
    extra = 0

    def get_formset(self, request, obj=None, **kwargs):
        formset = super().get_formset(request, obj, **kwargs)
        return type(formset.__name__, (formset,), {"cap": self.cap, "inline": self})

    def get_queryset(self, request):
        needed = [name for name in self.fields if self.model_fields[name].is_relation]
        rows = with_time_zone(super().get_queryset(request))
        return rows.select_related(*needed) if needed else rows

    def get_ordering(self, request):
        return self.ordering or ["pk"]

    def get_readonly_fields(self, request, obj=None):
        return []


class PartInline(CappedInline):
    """Parts that mean nothing without their whole, edited with it."""

    @cached_property
    def fields(self):
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

    def has_change_permission(self, request, obj=None):
        return False


class ListInline(CappedInline):
    """The newest rows that belong to this one, to look at and to go to."""

    cap = LISTED_ROWS
    show_change_link = True
    can_delete = False

    def get_ordering(self, request):
        return self.ordering or ["-pk"]

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def get_fieldsets(self, request, obj=None):
        return [(None, {"fields": self.shown(self.fields)})]

    def get_readonly_fields(self, request, obj=None):
        return self.shown(self.fields)


def listing(model, *fields, **options):
    """Return an inline that lists the rows of a model that belong to the row of the page."""
    return type(f"{model.__name__}List", (ListInline,), {"model": model, "fields": fields, **options})


def parts(model, base=PartInline, **options):
    """Return an inline that edits the parts of the row of the page."""
    return type(f"{model.__name__}Parts", (base,), {"model": model, **options})
