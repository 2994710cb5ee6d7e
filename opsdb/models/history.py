"""The change log: who changed what, when and why, written by the database itself."""

from typing import Self

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from opsdb.database.indexes import Index
from opsdb.database.triggers import AppendOnly

from .base import OpsModel, OpsQuerySet
from .enums import ChangeLogging, ChangeOperation
from .managers import manager_of

__all__ = [
    "ChangeLog",
]


def recorded_tables() -> dict[str, type[models.Model]]:
    """Return the models whose changes are recorded, by table."""
    return {
        model._meta.db_table: model
        for model in apps.get_app_config("opsdb").get_models()
        if getattr(model, "change_logging", ChangeLogging.OFF) is not ChangeLogging.OFF
        and not (model._meta.proxy or model._meta.swapped)
    }


def may_read_changes(user: PermissionsMixin, model: type[models.Model]) -> bool:
    """Return whether a user may read the changes of a model's rows: whoever may view the rows."""
    return user.has_perm(f"opsdb.view_{model._meta.model_name}")


class ChangeLogQuerySet(OpsQuerySet["ChangeLog"]):
    def visible_to(self, user: PermissionsMixin) -> Self:
        """Changes of the tables that this user may view; for a superuser, also of tables that are no longer there."""
        if user.is_superuser:
            return self
        return self.filter(
            table_name__in=[table for table, model in recorded_tables().items() if may_read_changes(user, model)]
        )

    def of(self, row: models.Model) -> Self:
        """Changes of this row, the newest first. Joined rows log under the table of each part."""
        tables = [row._meta.db_table, *(parent._meta.db_table for parent in row._meta.all_parents)]
        return self.filter(table_name__in=tables, row_id=str(row.pk)).order_by("-id")


class ChangeLog(OpsModel):
    """One insert, update or delete of one row, or the insert of up to 1,000 rows of a large table by one statement.

    It outlives the row and the user.
    """

    change_logging = ChangeLogging.OFF

    id = models.BigAutoField(primary_key=True, help_text=_("Number of the change."))
    changed_at = models.DateTimeField(db_default=Now(), help_text=_("When the change was made (UTC)."))
    table_name = models.CharField(max_length=63, help_text=_("Table of the changed row."))
    row_id = models.CharField(
        max_length=36, blank=True, help_text=_("Key of the row, as text; empty for rows inserted together.")
    )
    operation = models.CharField(
        max_length=10, choices=ChangeOperation, help_text=_("Operation on the row, or on rows inserted together.")
    )
    before = models.JSONField(null=True, blank=True, help_text=_("Values before; of an update, those that changed."))
    after = models.JSONField(
        null=True,
        blank=True,
        help_text=_("Values after; of an update, those that changed; of rows inserted together, their keys."),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Person who made the change, if known; the number remains when the account is deleted."),
    )
    origin = models.CharField(
        max_length=500, blank=True, default="", help_text=_("Request or command that made the change.")
    )
    reason = models.TextField(blank=True, default="", help_text=_("Reason that the person gave for the change."))
    database_user = models.CharField(max_length=63, help_text=_("Account that was connected to the database."))
    transaction_id = models.BigIntegerField(
        help_text=_("Number of the transaction; one change of many rows shares it.")
    )

    objects = manager_of(ChangeLogQuerySet)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("change log")
        constraints = [AppendOnly("history")]
        indexes = [
            Index(fields=["table_name", "row_id", "id"], name="by_row", serves=["history of a row"]),
            Index(fields=["changed_at"], name="by_time", serves=["list of changes of a period"]),
            Index(fields=["user", "id"], name="by_user", serves=["list of changes by a user"]),
            Index(fields=["transaction_id"], name="by_transaction", serves=["changes of a transaction"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_operation_display()} {self.table_name} {self.row_id}".rstrip()
