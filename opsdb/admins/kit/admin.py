"""The base of every admin."""

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from ..pages.registry import RegisteredPagesMixin
from .fields import ModelFieldsMixin
from .forms import FormMixin
from .inlines import ListInline
from .lists import ListMixin
from .mixins import OperatorMixin
from .names import places_of
from .time_zones import with_time_zone


class OpsAdmin(ListMixin, FormMixin, OperatorMixin, RegisteredPagesMixin, ModelFieldsMixin, admin.ModelAdmin):
    """Base of every admin."""

    class Media:
        css = {"all": ["opsdb/admin.css"]}
        js = ["opsdb/admin.js"]

    @property
    def media(self) -> forms.Media:
        searching = AutocompleteSelect(self.opts.pk, self.admin_site).media
        return super().media + searching

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = with_time_zone(super().get_queryset(request))
        places = places_of(self.model) if getattr(request, "opsdb_reads_places", False) else []
        return rows.select_related(*places) if places else rows

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> list:
        return [inline for inline in self.inlines if obj is not None or not issubclass(inline, ListInline)]


class ReadOnlyMixin:
    """Mixin for rows that are never added by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
