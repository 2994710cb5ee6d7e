"""Who changed what, when and why."""

from django.contrib import admin

from opsdb.models import ChangeLog

from .kit.admin import OpsAdmin, ReadOnlyMixin


@admin.register(ChangeLog)
class ChangeLogAdmin(ReadOnlyMixin, OpsAdmin):
    list_display = ("changed_at", "operation", "table_name", "row_id", "user", "origin", "reason")
    list_filter = ("changed_at", "user")
