"""Who changed what, when and why."""

from collections.abc import Sequence
from functools import cached_property

from django.apps import apps
from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext as _

from opsdb.models import ChangeLog

from .kit.admin import OpsAdmin, ReadOnlyMixin


@admin.register(ChangeLog)
class ChangeLogAdmin(ReadOnlyMixin, OpsAdmin):
    big = True
    list_display = ("changed_at", "operation", "table_name", "row_id", "user", "origin", "reason")
    list_filter = ("changed_at", "user")
    sortable = ("changed_at",)
    search_fields = ("id",)

    def search_conditions(self, fields: Sequence[str], word: str) -> list[Q]:
        """Look for a row's key in each table, because changes are indexed by table."""
        of_row = [] if "\x00" in word else [Q(table_name__in=self._logged_tables, row_id=word)]
        return super().search_conditions(fields, word) + of_row

    @cached_property
    def _logged_tables(self):
        return sorted({model._meta.db_table for model in apps.get_app_config("opsdb").get_models()})

    def searched(self) -> list[str]:
        return [*super().searched(), _("key of the changed row")]
