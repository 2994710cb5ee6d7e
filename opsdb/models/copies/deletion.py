"""What people decide about deletion: the policy, and requests that need a second person."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ..base import NumberedModel, OpsModel
from ..constraints import Check, Rule, Unique, immutable, implies, positive, refuse_if
from ..enums import DeletionRequestStatus
from ..locations import DataLocation
from ..safety import decision_of_another, items_stay
from .physical_copies import PhysicalCopy

__all__ = [
    "DeletionPolicy",
    "DeletionRequest",
    "DeletionRequestItem",
]


class DeletionPolicy(NumberedModel):
    """How many verified archive copies make it safe to delete others: one row, kept equal to the setting.

    The rules of deletion in the database read it; the setting is ``OPSDB_MIN_ARCHIVE_COPIES``.
    """

    id = models.BigAutoField(primary_key=True, help_text=_("Always 1."))
    min_archive_copies = models.IntegerField(help_text=_("Verified copies in archives elsewhere that a package needs."))

    class Meta:
        verbose_name_plural = _("deletion policy")
        constraints = [
            Check("one_row", Q(id=1), "There is one policy."),
            positive("min_archive_copies"),
        ]

    def __str__(self) -> str:
        return f"at least {self.min_archive_copies} archive copies"


class DeletionRequest(NumberedModel):
    """Somebody's wish to delete copies at a location, which somebody else must approve.

    An approved request may override the retention of the location, and no other rule of deletion.
    """

    data_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        related_name="deletion_requests",
        help_text=_("Where copies shall be deleted."),
    )
    reason = models.TextField(help_text=_("Why."))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", help_text=_("Who asks.")
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Who approved or rejected; another person."),
    )
    status = models.CharField(
        max_length=16,
        choices=DeletionRequestStatus,
        default=DeletionRequestStatus.REQUESTED,
        help_text=_("How far it is."),
    )
    overrides_retention = models.BooleanField(
        default=False, help_text=_("Whether it may delete copies before the location's retention has passed.")
    )
    limit = models.IntegerField(help_text=_("Most copies that it may delete."))
    items = models.ManyToManyField(
        PhysicalCopy,
        through="DeletionRequestItem",
        blank=True,
        related_name="deletion_requests",
        help_text=_("The copies that it is about."),
    )
    decided_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was approved or rejected (UTC)."))
    executed_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was executed (UTC)."))

    class Meta:
        permissions = [
            ("approve_deletionrequest", "Can approve or reject a deletion request of another person"),
            ("execute_deletionrequest", "Can execute an approved deletion request"),
        ]
        constraints = [
            positive("limit"),
            Check(
                "second_person",
                ~Q(approved_by=F("requested_by")),
                "A request must be decided by another person than the one who asked.",
                "approved_by",
            ),
            implies(
                "decision_has_person",
                ~Q(status=DeletionRequestStatus.REQUESTED),
                Q(approved_by__isnull=False, decided_at__isnull=False),
                "A decision says who made it and when.",
                "approved_by",
            ),
            implies(
                "executed_has_time",
                Q(status=DeletionRequestStatus.EXECUTED),
                Q(executed_at__isnull=False),
                "An executed request says when it was executed.",
                "executed_at",
            ),
            immutable("data_location_id", "requested_by_id"),
            *decision_of_another(),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()}: {self.reason[:60]}"


class DeletionRequestItem(OpsModel):
    """One copy that a deletion request is about."""

    id = models.BigAutoField(primary_key=True, help_text=_("Number of the row."))
    deletion_request = models.ForeignKey(
        DeletionRequest,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="request_items",
        help_text=_("The request."),
    )
    physical_copy = models.ForeignKey(
        PhysicalCopy, on_delete=models.PROTECT, related_name="request_items", help_text=_("The copy.")
    )

    class Meta:
        constraints = [
            Unique(
                "unique_copy",
                "deletion_request",
                "physical_copy",
                message="The request has this copy already.",
            ),
            Rule(
                name="copy_at_location",
                body=refuse_if(
                    "(SELECT data_location_id FROM deletion_request WHERE id = NEW.deletion_request_id)\n"
                    "<> (SELECT data_location_id FROM physical_copy WHERE id = NEW.physical_copy_id)",
                    "'deletion_request ' || NEW.deletion_request_id || ': physical_copy ' "
                    "|| NEW.physical_copy_id || ' is at another location'",
                ),
            ),
            *items_stay(),
        ]

    def __str__(self) -> str:
        return f"copy {self.physical_copy_id}"
