"""Acknowledgements of failures: by whom, of which group, why, until when, and who was informed."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from opsdb.database.checks import Unique, matches
from opsdb.database.triggers import NEVER_DELETED, Immutable, NeverDeleted, Trigger
from opsdb.formatting import format_minute

from .base import NumberedModel, OpsQuerySet
from .managers import manager_of

__all__ = [
    "FailureAcknowledgement",
]


class FailureAcknowledgementQuerySet(OpsQuerySet["FailureAcknowledgement"]):
    def current(self, now: datetime | None = None) -> Self:
        """Acknowledgements that are neither withdrawn nor replaced nor expired."""
        return self.filter(ended_at__isnull=True, until__gt=now or timezone.now())


class FailureAcknowledgement(NumberedModel):
    """A person's acknowledgement of the failures of one cause: nobody else has to handle them until it expires.

    It holds for all failures of the group, also for those that come later. It changes none of the failed work.
    """

    cause = models.CharField(
        max_length=16,
        help_text=_("Key of the cause, 16 hexadecimal digits, made of message, place, worker and remedy."),
    )
    message = models.TextField(help_text=_("Failure message of the most recent failure."))
    place = models.CharField(
        max_length=200, blank=True, default="", help_text=_("Site and location of the failures, if they are at one.")
    )
    reason = models.TextField(help_text=_("Known cause, and what is done about it."))
    informed = models.TextField(blank=True, default="", help_text=_("People or teams that were informed, or a ticket."))
    until = models.DateTimeField(help_text=_("When the acknowledgement expires (UTC), at most 90 days ahead."))
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Person who acknowledged the failures."),
    )
    ended_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was taken back or replaced (UTC)."))

    objects = manager_of(FailureAcknowledgementQuerySet)

    class Meta:
        constraints = [
            matches("cause", r"^[0-9a-f]{16}$", "The key of a cause must be 16 hexadecimal digits."),
            Unique(
                "one_of_cause",
                "cause",
                condition=Q(ended_at__isnull=True),
                message="The cause has an acknowledgement; end that first.",
            ),
            Trigger("made_in_person", "opsdb_acknowledge_in_person", events="INSERT"),
            Trigger(
                "ends_once",
                "opsdb_end_acknowledgement",
                events="UPDATE OF ended_at",
                when="OLD.ended_at IS DISTINCT FROM NEW.ended_at",
            ),
            Immutable(
                "cause",
                "message",
                "place",
                "reason",
                "informed",
                "until",
                "acknowledged_by_id",
                "created_at",
                hint=NEVER_DELETED,
            ),
            NeverDeleted("an acknowledgement"),
        ]

    def __str__(self) -> str:
        return f"known until {format_minute(self.until)}: {self.reason[:60]}"
