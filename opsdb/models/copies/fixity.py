"""Fixity checks: comparisons of the checksums of copies."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Check, checksum_format
from opsdb.database.indexes import Index
from opsdb.database.triggers import AppendOnly, Trigger
from opsdb.formatting import format_minute

from ..base import NumberedModel
from ..enums import ChangeLogging, ChecksumAlgorithm
from .physical_copies import PhysicalCopy

__all__ = [
    "FixityCheck",
]


class FixityCheck(NumberedModel):
    """One comparison of a copy's checksum with the recorded one, or an attempt at one. It remains after a deletion.

    The copy itself keeps only the result of the last comparison. A copy that could not be read has no checksum here,
    and the reason instead.
    """

    change_logging = ChangeLogging.OFF

    copy = models.ForeignKey(
        PhysicalCopy, on_delete=models.PROTECT, related_name="fixity_checks", help_text=_("Copy that was checked.")
    )
    checked_at = models.DateTimeField(help_text=_("When the checksum was computed (UTC)."))
    expected = models.CharField(max_length=128, help_text=_("Recorded checksum, lower-case hexadecimal."))
    actual = models.CharField(
        max_length=128,
        null=True,
        blank=True,
        help_text=_("Computed checksum, lower-case hexadecimal; empty where the copy could not be read."),
    )
    algorithm = models.CharField(
        max_length=16, choices=ChecksumAlgorithm, help_text=_("Hash function of both checksums.")
    )
    ok = models.BooleanField(help_text=_("Whether the expected and the actual checksum agree."))
    checked_by = models.CharField(
        max_length=200, blank=True, default="", help_text=_("Worker or person that computed the checksum.")
    )
    failure_message = models.TextField(
        blank=True,
        default="",
        help_text=_("Reason why the copy could not be read; empty where it was."),
    )

    class Meta:
        constraints = [
            checksum_format("expected", "algorithm"),
            checksum_format("actual", "algorithm"),
            Check(
                "ok_tells_truth",
                Q(actual__isnull=True, ok=False)
                | Q(actual__isnull=False, ok=True, actual=F("expected"))
                | (Q(actual__isnull=False, ok=False) & ~Q(actual=F("expected"))),
                "Set ok to true exactly when the two checksums agree.",
                "ok",
            ),
            Check(
                "unread_has_message",
                Q(actual__isnull=False, failure_message="") | (Q(actual__isnull=True) & ~Q(failure_message="")),
                "Give the checksum that was found or, of a copy that could not be read, the reason; not both.",
                "failure_message",
            ),
            AppendOnly("a fixity check"),
            Trigger("time_possible", "opsdb_check_has_possible_time", events="INSERT", field="checked_at"),
            Trigger(
                "difference_is_doubt",
                "opsdb_doubt_what_differs",
                timing="AFTER",
                events="INSERT",
                when="NOT NEW.ok AND NEW.actual IS NOT NULL",
            ),
            Trigger(
                "unread_is_doubt",
                "opsdb_doubt_what_is_unread",
                timing="AFTER",
                events="INSERT",
                when="NEW.actual IS NULL",
            ),
        ]
        indexes = [
            Index(fields=["checked_at"], name="by_time", serves=["list of checks of a period"]),
            Index(fields=["id"], name="failed", condition=Q(ok=False), serves=["list of checks that failed"]),
        ]

    def __str__(self) -> str:
        outcome = "ok" if self.ok else "differs" if self.actual else "could not be read"
        return f"{format_minute(self.checked_at)} {outcome}"
