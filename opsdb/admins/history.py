"""Who changed what, when and why."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from opsdb.models import ChangeLog

from .kit.admin import OpsAdmin, ReadOnlyMixin


@admin.register(ChangeLog)
class ChangeLogAdmin(ReadOnlyMixin, OpsAdmin):
    list_display = ("changed_at", "operation", "table_name", "row_id", "user", "origin", "reason")
    list_filter = ("changed_at", "user")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChangeLog]:
        """Leave out the changes of tables that the person may not view."""
        return super().get_queryset(request).visible_to(request.user)
