"""Acknowledging failures of one cause until a time, with the reason and who was informed."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import timezone

from opsdb.database.aliases import atomic
from opsdb.models import FailureAcknowledgement

from .attribution import attributed_to
from .errors import NotFound, OpsdbError, name_row, translate_integrity_errors
from .failures import FailureGroup


def acknowledge_failures(
    group: FailureGroup, *, user: AbstractBaseUser, reason: str, until: datetime, informed: str = ""
) -> FailureAcknowledgement:
    """Acknowledge the failures of a group, and return the acknowledgement. It replaces an earlier one of the group.

    Nothing is done about the failures. It also holds for failures of the same cause that come later.
    Locks the earlier acknowledgement of the group.

    Args:
        group: the failures.
        user: who acknowledges; the acting user where the surrounding request names one.
        reason: the known cause and what is done about it, not empty.
        until: when it is over, aware, in the next 90 days.
        informed: who was informed, such as people, teams or a ticket.

    Raises:
        OpsdbError: the reason is empty, or the time is naive.
        Refused: the time is past or too far ahead.
    """
    if not reason.strip():
        raise OpsdbError(f"failures {group.name}: give the reason why they are known")
    if until.tzinfo is None:
        raise OpsdbError(f"failures {group.name}: the time {until} has no time zone; give it in UTC")
    with attributed_to(user, reason), translate_integrity_errors(), atomic():
        FailureAcknowledgement.objects.filter(cause=group.name, ended_at__isnull=True).update(ended_at=timezone.now())
        return FailureAcknowledgement.objects.create(
            cause=group.name,
            message=group.message or group.failures[0].kind.value,
            place=group.place,
            reason=reason.strip(),
            informed=informed.strip(),
            until=until,
            acknowledged_by=user,
        )


def withdraw_acknowledgement(
    acknowledgement: FailureAcknowledgement, *, user: AbstractBaseUser, reason: str = ""
) -> FailureAcknowledgement:
    """End an acknowledgement before its time, and return it; its failures are open again.

    Idempotent. Locks the row.

    Args:
        acknowledgement: the acknowledgement; one that has ended stays as it is.
        user: who ends it; ignored where the surrounding request names its user.
        reason: why it ends; the history keeps it. It may be empty.

    Raises:
        NotFound: there is no such acknowledgement.
    """
    name = name_row(FailureAcknowledgement, acknowledgement.pk)
    with attributed_to(user, reason), translate_integrity_errors(), atomic():
        found = FailureAcknowledgement.objects.select_for_update().filter(pk=acknowledgement.pk).first()
        if found is None:
            raise NotFound(f"{name}: there is no such acknowledgement; check its key")
        if found.ended_at is None:
            FailureAcknowledgement.objects.filter(pk=found.pk).update(ended_at=timezone.now())
    acknowledgement.refresh_from_db()
    return acknowledgement


def list_acknowledgements() -> dict[str, FailureAcknowledgement]:
    """Return the acknowledgements that hold now, by the group of failures, with who made them. One query."""
    current = FailureAcknowledgement.objects.current().select_related("acknowledged_by")
    return {one.cause: one for one in current}
