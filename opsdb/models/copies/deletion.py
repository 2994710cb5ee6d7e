"""What people decide about deletion: the policy, and requests that need a second person."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Check, Unique, implies, positive
from opsdb.database.triggers import Immutable, NeverDeleted, Refuses, Trigger, columns_differ

from ..base import NumberedModel, OpsModel
from ..enums import DeletionRequestStatus
from ..locations import DataLocation
from .physical_copies import PhysicalCopy

__all__ = [
    "DeletionPolicy",
    "DeletionRequest",
    "DeletionRequestItem",
]


# What a request asks for; its items besides.
TERMS = ("reason", "limit", "overrides_retention")


class DeletionPolicy(NumberedModel):
    """Number of verified archive copies that the deletion of others requires: one row, kept equal to the setting.

    The rules of deletion in the database read it; the setting is ``OPSDB_MIN_ARCHIVE_COPIES``.
    """

    id = models.BigAutoField(primary_key=True, help_text=_("Always 1."))
    min_archive_copies = models.IntegerField(
        help_text=_(
            "Number of verified copies in archives elsewhere that a package needs before a copy may be deleted."
        )
    )

    class Meta:
        verbose_name_plural = _("deletion policy")
        constraints = [
            Check("one_row", Q(id=1), "There is one deletion policy, with the id 1; change that one."),
            positive("min_archive_copies"),
            NeverDeleted("the deletion policy"),
        ]

    def __str__(self) -> str:
        return f"at least {self.min_archive_copies} archive copies"


class DeletionRequest(NumberedModel):
    """A request to delete copies at a location, which another person must approve.

    An approved request may override the retention of the location, and no other rule of deletion.
    """

    data_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        related_name="deletion_requests",
        help_text=_("Location whose copies are to be deleted."),
    )
    reason = models.TextField(help_text=_("Reason for the deletion, for the person who decides on it."))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Person who made the request."),
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
        help_text=_("Person who approved or rejected the request; never the person who made it."),
    )
    status = models.CharField(
        max_length=16,
        choices=DeletionRequestStatus,
        default=DeletionRequestStatus.REQUESTED,
        help_text=_("State of the request, from requested to executed or rejected."),
    )
    overrides_retention = models.BooleanField(
        default=False, help_text=_("Whether copies may be deleted before the location's retention has passed.")
    )
    limit = models.IntegerField(help_text=_("Largest number of copies that the request may delete."))
    items = models.ManyToManyField(
        PhysicalCopy,
        through="DeletionRequestItem",
        blank=True,
        related_name="deletion_requests",
        help_text=_("Copies that the request lists for deletion."),
    )
    decided_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was approved or rejected (UTC)."))
    executed_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When its copies were scheduled for deletion (UTC).")
    )

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
                "A request must be decided by another person than the one who asked; ask somebody who may approve it.",
                "approved_by",
            ),
            implies(
                "decision_has_person",
                ~Q(status=DeletionRequestStatus.REQUESTED),
                Q(approved_by__isnull=False, decided_at__isnull=False),
                "A decided request must have approved_by and decided_at; give the person and the time of the decision.",
                "approved_by",
            ),
            Immutable(
                "data_location_id", "requested_by_id", hint="Make another request, signed in as the user who asks."
            ),
            Refuses(
                "born_requested",
                "NEW.status <> 'requested' OR NEW.approved_by_id IS NOT NULL",
                "deletion_request {new.id}: a new request cannot be {new.status}, or decided already",
                "Make it with the status requested, and leave approved_by_id empty; another person then decides it.",
                events="INSERT",
                field="status",
            ),
            Refuses(
                "terms_stay",
                f"({columns_differ(TERMS)}) AND (OLD.status <> 'requested' OR NEW.status <> 'requested')",
                "deletion_request {old.id}: reason, limit, overrides_retention cannot be changed once it is decided",
                "Make a new request with the right ones.",
                events="UPDATE",
            ),
            Refuses(
                "decision_stays",
                f"({columns_differ(['approved_by_id', 'decided_at'])}) "
                "AND (OLD.status = NEW.status OR NEW.status NOT IN ('approved', 'rejected'))",
                "deletion_request {old.id}: approved_by_id and decided_at cannot be changed without a decision",
                "Leave them as they are; they are set when the request is approved or rejected.",
                events="UPDATE",
            ),
            Trigger(
                "decided_in_person",
                "opsdb_decide_in_person",
                events="UPDATE",
                when="OLD.status <> NEW.status AND NEW.status IN ('approved', 'rejected')",
            ),
            Trigger("filed_in_person", "opsdb_file_in_person", events="INSERT"),
            Trigger(
                "edited_in_person",
                "opsdb_edit_in_person",
                events="UPDATE",
                when=f"({columns_differ(TERMS)}) AND OLD.status = 'requested' AND NEW.status = 'requested'",
            ),
            Trigger("withdrawn_in_person", "opsdb_edit_in_person", events="DELETE", when="OLD.status = 'requested'"),
            Trigger(
                "executed_now",
                "opsdb_execute_now",
                events="UPDATE",
                when="OLD.status <> NEW.status AND NEW.status = 'executed'",
            ),
            Refuses(
                "stays_after_decision",
                "OLD.status <> 'requested'",
                "deletion_request {old.id}: is {old.status}, so it is never deleted",
                "Leave it as it is; an approved request can be rejected until it is executed.",
                events="DELETE",
            ),
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
        help_text=_("Request that lists the copy."),
    )
    physical_copy = models.ForeignKey(
        PhysicalCopy,
        on_delete=models.PROTECT,
        related_name="request_items",
        help_text=_("Copy that the request lists."),
    )

    class Meta:
        constraints = [
            Unique(
                "unique_copy",
                "deletion_request",
                "physical_copy",
                message="The request has this copy already; leave it as it is.",
            ),
            Trigger("copy_at_location", "opsdb_copy_at_location", field="physical_copy"),
            Trigger(
                "within_limit",
                "opsdb_keep_within_limit",
                timing="AFTER",
                events="INSERT",
                level="STATEMENT",
                referencing="NEW TABLE AS added",
            ),
            Immutable("deletion_request_id", "physical_copy_id"),
            Trigger("stays_after_decision", "opsdb_keep_decided_items", events="DELETE"),
        ]

    def __str__(self) -> str:
        return f"copy {self.physical_copy_id}"
