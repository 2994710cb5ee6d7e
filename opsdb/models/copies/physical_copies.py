"""Where the bytes are: one row for every copy of a file, a package or a product, for good."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, checksum_format, exactly_one, implies, not_negative, possible_size
from opsdb.database.indexes import Index
from opsdb.database.triggers import NEVER_DELETED, Immutable, NeverDeleted, Refuses, Trigger

from ..base import NumberedModel
from ..data.raw_files import RawDataFile
from ..data.raw_packages import RawDataPackage
from ..data.transfer_packages import DataTransferPackage
from ..enums import ChangeLogging, ChecksumAlgorithm, PhysicalCopyStatus, Verification
from ..locations import DataLocation
from ..managers import manager_of
from .querysets import CHECKABLE, COPY_TARGETS, DELETABLE, PhysicalCopyQuerySet

__all__ = [
    "PhysicalCopy",
]


class PhysicalCopy(NumberedModel):
    """A copy of one raw file, raw data package, bundle or data product at one location.

    The row stays when the bytes are gone: it is the audit trail.
    """

    change_logging = ChangeLogging.CHANGES
    columns_not_logged = ("deletion_candidate",)

    data_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="copies",
        help_text=_("Location that holds the copy."),
    )
    status = models.CharField(
        max_length=24,
        choices=PhysicalCopyStatus,
        default=PhysicalCopyStatus.PRESENT,
        help_text=_("State of the copy at its location."),
    )
    raw_data_file = models.ForeignKey(
        RawDataFile,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="copies",
        help_text=_("Raw file that this is a copy of, if it is one of a raw file."),
    )
    raw_data_package = models.ForeignKey(
        RawDataPackage,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="copies",
        help_text=_("Package that this is a copy of, if it is one of a package."),
    )
    data_transfer_package = models.ForeignKey(
        DataTransferPackage,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="copies",
        help_text=_("Bundle that this is a copy of, if it is one of a bundle."),
    )
    data_product = models.ForeignKey(
        "opsdb.DataProduct",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="copies",
        help_text=_("Product that this is a copy of, if it is one of a product."),
    )
    size_bytes = models.BigIntegerField(null=True, blank=True, help_text=_("Size as found at the location, bytes."))
    checksum = models.CharField(
        max_length=128,
        null=True,
        blank=True,
        help_text=_("Checksum as last computed at the location, lower-case hexadecimal."),
    )
    checksum_algorithm = models.CharField(
        max_length=16,
        choices=ChecksumAlgorithm,
        default=ChecksumAlgorithm.SHA256,
        help_text=_("Hash function of the checksum."),
    )
    arrived_at = models.DateTimeField(
        db_default=Now(),
        editable=False,
        help_text=_(
            "When the content last arrived at the location (UTC), kept by the database; the retention counts from it."
        ),
    )
    verified_at = models.DateTimeField(null=True, blank=True, help_text=_("When the checksum was last compared (UTC)."))
    verification = models.CharField(
        max_length=16,
        choices=Verification,
        default=Verification.UNVERIFIED,
        help_text=_(
            "Result of the last comparison: unverified, nothing was compared yet, or it could not be read; verified, "
            "the checksum was the expected one; mismatch, it was another."
        ),
    )
    unread_count = models.IntegerField(
        default=0,
        editable=False,
        help_text=_("Number of consecutive checks that could not read the copy; kept by the database."),
    )
    next_check_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the next check is due after one that could not read the copy (UTC); kept by the database."),
    )
    deletion_candidate = models.BooleanField(
        blank=True,
        editable=False,
        help_text=_(
            "Whether an archive has some of its content, or it is a product: where to look for copies that may "
            "go; kept by the database."
        ),
    )
    retry_count = models.IntegerField(default=0, help_text=_("Number of retries of the deletion."))
    failure_message = models.TextField(
        blank=True,
        default="",
        help_text=_("Reason why the deletion failed last, or how the copy was found to be missing."),
    )
    deletion_requested_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the deletion was requested (UTC).")
    )
    deleted_at = models.DateTimeField(null=True, blank=True, help_text=_("When the content was deleted (UTC)."))

    objects = manager_of(PhysicalCopyQuerySet)

    class Meta:
        verbose_name = _("copy")
        verbose_name_plural = _("copies")
        constraints = [
            exactly_one(
                "one_target",
                COPY_TARGETS,
                "A copy is of one file, package, bundle or product; give exactly one.",
            ),
            *(
                Unique(
                    f"unique_{target}",
                    target,
                    "data_location",
                    condition=Q(**{f"{target}__isnull": False}),
                    message="The location has a copy of this; change that copy.",
                )
                for target in COPY_TARGETS
            ),
            not_negative("size_bytes"),
            possible_size(),
            not_negative("retry_count"),
            not_negative("unread_count"),
            checksum_format(),
            implies(
                "pause_after_unread",
                Q(next_check_at__isnull=False),
                Q(unread_count__gt=0),
                "Only a copy that could not be read has a next check; leave next_check_at empty.",
                "next_check_at",
            ),
            implies(
                "verified_has_proof",
                ~Q(verification=Verification.UNVERIFIED),
                Q(verified_at__isnull=False, checksum__isnull=False),
                "A compared copy must have verified_at and a checksum; give the time and the result of the comparison.",
                "verification",
            ),
            implies(
                "deleted_has_time",
                Q(status=PhysicalCopyStatus.DELETED),
                Q(deleted_at__isnull=False),
                "A deleted copy must have deleted_at; give the time of the deletion.",
                "deleted_at",
            ),
            implies(
                "deletion_failed_has_message",
                Q(status=PhysicalCopyStatus.DELETION_FAILED),
                ~Q(failure_message=""),
                "A failed deletion must have a failure_message; give the error of the last attempt.",
                "failure_message",
            ),
            Immutable(
                "data_location_id", *(f"{target}_id" for target in COPY_TARGETS), "created_at", hint=NEVER_DELETED
            ),
            Refuses(
                "born_present",
                "NEW.status NOT IN ('present', 'staged')",
                "physical_copy {new.id}: a new copy is present or staged, not {new.status}",
                "Register the copy as present or staged; its state changes from there.",
                events="INSERT",
                field="status",
            ),
            Refuses(
                "born_unverified",
                "NEW.verification <> 'unverified' OR NEW.verified_at IS NOT NULL",
                "physical_copy {new.id}: a new copy is unverified, because nothing has been compared with it",
                "Record a fixity check of it; then it is verified.",
                events="INSERT",
                field="verification",
            ),
            Trigger(
                "deletion_is_safe",
                "opsdb_deletion_is_safe",
                events="UPDATE OF status",
                when="OLD.status IS DISTINCT FROM NEW.status AND ("
                "NEW.status IN ('deletion_possible', 'deletion_scheduled', 'deletion_in_progress') "
                "OR (NEW.status = 'deleted' AND OLD.status <> 'deletion_in_progress'))",
                field="status",
            ),
            Trigger(
                "arrives_now",
                "opsdb_arrive_now",
                events="INSERT",
                when="NEW.arrived_at <> statement_timestamp()",
            ),
            Trigger(
                "arrival_stays",
                "opsdb_keep_arrival",
                events="UPDATE",
                when="OLD.arrived_at <> NEW.arrived_at",
            ),
            Trigger(
                "comes_back",
                "opsdb_come_back",
                events="UPDATE OF status",
                when="OLD.status IN ('deleted', 'missing', 'corrupt') AND NEW.status IN ('present', 'staged')",
            ),
            Trigger(
                "read_again",
                "opsdb_read_again",
                events="UPDATE OF verification, verified_at",
                when="OLD.unread_count > 0 AND NEW.unread_count = OLD.unread_count "
                "AND NEW.verification <> 'unverified' AND NEW.verified_at IS DISTINCT FROM OLD.verified_at",
            ),
            Trigger(
                "candidate_when_made",
                "opsdb_mark_new_candidate",
                events="INSERT",
                when="NEW.deletion_candidate IS NULL",
            ),
            Trigger(
                "candidate_stays",
                "opsdb_keep_candidate",
                events="UPDATE OF deletion_candidate",
                when="OLD.deletion_candidate AND NEW.deletion_candidate IS DISTINCT FROM true",
            ),
            Trigger(
                "verification_is_true",
                "opsdb_verification_is_true",
                events="UPDATE OF verification, checksum, checksum_algorithm, size_bytes",
                when="NEW.verification = 'verified'",
                field="checksum",
            ),
            Trigger(
                "verification_is_proven",
                "opsdb_verification_is_proven",
                events="UPDATE OF verification, verified_at",
                when="NEW.verification = 'verified' "
                "AND (OLD.verification <> 'verified' OR OLD.verified_at IS DISTINCT FROM NEW.verified_at)",
                field="verified_at",
            ),
            Trigger(
                "doubt_waits_for_deletion",
                "opsdb_wait_for_deletion",
                events="UPDATE OF status, verification",
                when="(opsdb_is_readable(OLD.status, OLD.verification) AND NEW.status IN ('missing', 'corrupt')) "
                "OR (OLD.verification = 'verified' AND NEW.verification <> 'verified') "
                "OR (OLD.verification <> 'mismatch' AND NEW.verification = 'mismatch')",
            ),
            Trigger(
                "usage_of_inserts",
                "opsdb_count_inserted_usage",
                timing="AFTER",
                events="INSERT",
                level="STATEMENT",
                referencing="NEW TABLE AS new_rows",
            ),
            Trigger(
                "usage_of_updates",
                "opsdb_count_updated_usage",
                timing="AFTER",
                events="UPDATE",
                level="STATEMENT",
                referencing="OLD TABLE AS old_rows NEW TABLE AS new_rows",
            ),
            NeverDeleted("the record of a copy"),
        ]
        indexes = [
            Index(
                fields=["data_location", "status", "arrived_at", "id"],
                name="by_location",
                serves=[
                    "list of copies in a state at a location",
                    "numbers of copies by location and state",
                    "copies whose deletion a worker claims",
                ],
            ),
            Index(
                fields=["data_location", "status", "arrived_at", "id"],
                name="candidates",
                condition=Q(deletion_candidate=True, status__in=DELETABLE),
                serves=["copies that may be deleted"],
            ),
            Index(
                F("data_location"),
                F("verified_at").asc(nulls_first=True),
                F("id"),
                name="by_verification",
                condition=Q(status__in=CHECKABLE, next_check_at__isnull=True),
                serves=[
                    "copies due for a check",
                    "first copies that were never compared",
                    "first copies that were verified the longest ago",
                ],
            ),
            Index(
                fields=["data_location", "next_check_at", "id"],
                name="unread",
                condition=Q(status__in=CHECKABLE, next_check_at__isnull=False),
                serves=[
                    "copies due for a check",
                    "copies that could not be read",
                    "first copies that could not be read",
                ],
            ),
            Index(fields=["data_location", "id"], name="newest_at_location", serves=["list of copies at a location"]),
            Index(fields=["status", "id"], name="by_status", serves=["list of copies in a state"]),
            Index(
                fields=["id"],
                name="mismatched",
                condition=Q(verification=Verification.MISMATCH),
                serves=["list of copies that differ"],
            ),
            *(
                Index(
                    fields=fields,
                    name=f"{name}_{target}",
                    condition=Q(**{f"{target}__isnull": False}),
                    serves=[f"list of copies of a {target}{asked}"],
                )
                for target in COPY_TARGETS[1:]
                for name, fields, asked in (
                    ("of", ["id"], ""),
                    ("state_of", ["status", "id"], ", in a state"),
                    ("place_of", ["data_location", "id"], ", at a location"),
                )
            ),
        ]

    def __str__(self) -> str:
        return f"copy {self.pk}"

    @property
    def is_readable(self) -> bool:
        """Whether it can be read, as in the queryset's ``readable()``: it is there, and no check found a mismatch."""
        return self.status in PhysicalCopyStatus.readable() and self.verification != Verification.MISMATCH

    @property
    def target_name(self) -> str:
        """Name of the field that refers to what this is a copy of."""
        return next(target for target in COPY_TARGETS if getattr(self, f"{target}_id") is not None)

    @property
    def target(self) -> models.Model:
        """The file, package or product that this is a copy of."""
        return getattr(self, self.target_name)
