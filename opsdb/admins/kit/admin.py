"""The base of every admin."""

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect

from ..pages.hooks import Answering
from .fields import ModelFacts
from .forms import FormPages
from .inlines import ListInline
from .lists import ListPages
from .operating import Operated
from .time_zones import with_time_zone


class OpsAdmin(ListPages, FormPages, Operated, Answering, ModelFacts, admin.ModelAdmin):
    """Base of every admin."""

    class Media:
        css = {"all": ["opsdb/admin.css"]}
        js = ["opsdb/admin.js"]

    @property
    def media(self):
        searching = AutocompleteSelect(self.opts.pk, self.admin_site).media
        return super().media + searching

    def get_queryset(self, request):
        return with_time_zone(super().get_queryset(request))

    def get_inlines(self, request, obj):
        return [inline for inline in self.inlines if obj is not None or not issubclass(inline, ListInline)]


class WrittenByTheDatabase:
    """Mixin for rows that nobody adds by hand."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
