"""Who changed what, when and why."""

from functools import cached_property

from django.apps import apps
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from opsdb.models import ChangeLog

from .base import OpsFilterSet, Size

__all__ = ["ChangeLogFilterSet", "ChangedRowFinder"]


class ChangedRowFinder:
    """Finds the changes of a row by its key, in each table, because changes are indexed by table."""

    described = _("key of the changed row")

    @cached_property
    def tables(self) -> list[str]:
        """Names of the tables that changes are logged of."""
        models = apps.get_app_config("opsdb").get_models()
        return sorted({model._meta.db_table for model in models if model._meta.managed})

    def condition(self, word: str) -> Q:
        """Return what must hold of a change."""
        return Q(table_name__in=self.tables, row_id=word)


class ChangeLogFilterSet(OpsFilterSet[ChangeLog]):
    size = Size.BIG
    sortable = ("changed_at",)
    search_fields = ("id",)
    finders = (ChangedRowFinder(),)
    windows = ("changed_at",)

    class Meta:
        model = ChangeLog
        fields = ("table_name", "row_id", "user")
