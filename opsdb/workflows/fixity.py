"""Fixity: whether the bytes of a copy still have the checksum that they should have."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from opsdb.database.aliases import atomic
from opsdb.models import DataLocation, FixityCheck, PhysicalCopy, PhysicalCopyStatus, Verification
from opsdb.models.copies.querysets import CHECKABLE
from opsdb.normalization import is_checksum_of, parse_checksum
from opsdb.row_labels import place_of

from .errors import Conflict, NotFound, OpsdbError, Refused, name_row, translate_integrity_errors

# From these states a check takes a copy back to present or to corrupt; elsewhere it is only recorded.
AT_REST = (
    PhysicalCopyStatus.PRESENT,
    PhysicalCopyStatus.STAGED,
    PhysicalCopyStatus.DELETION_POSSIBLE,
    PhysicalCopyStatus.DELETION_SCHEDULED,
    PhysicalCopyStatus.DELETION_FAILED,
    PhysicalCopyStatus.MISSING,
    PhysicalCopyStatus.CORRUPT,
)


def list_due_fixity_checks(location: DataLocation, *, quota: int) -> list[PhysicalCopy]:
    """Return the copies at a location that are due for a fixity check, the longest unchecked first. Locks nothing.

    Args:
        location: its ``fixity_interval_days`` determines when a copy is due.
        quota: most checks within 24 hours, including those that were made already and those that could not read their
            copy, except on arrival.

    Raises:
        OpsdbError: the quota is below 1.
    """
    if quota < 1:
        raise OpsdbError(f"fixity_check: the quota is {quota}; give 1 or more")
    yesterday = timezone.now() - timedelta(days=1)
    # A copy that arrived was read there and then, for no fixity check that was due.
    checks = FixityCheck.objects.exclude(checked_at=F("copy__arrived_at"))
    done = checks.filter(checked_at__gt=yesterday, copy__data_location=location)[:quota].count()
    return list(PhysicalCopy.objects.due_for_fixity(location, limit=quota - done))


def record_fixity(
    copy: PhysicalCopy,
    checksum: str,
    *,
    algorithm: str | None = None,
    checked_at: datetime | None = None,
    checked_by: str = "",
) -> FixityCheck:
    """Record the checksum that was computed of a copy now, and return the check.

    A checksum that agrees makes the copy verified, and present if it was corrupt or missing. One that differs makes it
    corrupt, in whatever order the reports come: nothing reads it or counts on it any more, and copies that wait for
    deletion because this one was safe stay. Idempotent with the same ``checked_at``. Locks the copy and its content.

    Args:
        copy: the copy; its key counts.
        checksum: as computed, hexadecimal, also in capitals, or with the name of its algorithm before it.
        algorithm: how it was computed; that of the recorded checksum when left out.
        checked_at: when it was computed, aware; now when left out. For one that agrees not before the bytes arrived,
            but for 5 minutes by which clocks may differ.
        checked_by: worker or person that computed it.

    Raises:
        NotFound: there is no such copy.
        Conflict: the copy was deleted, or the checksum agrees and the copy has a later check.
        OpsdbError: there is nothing to compare with, or the time is naive or in the future.
        Refused: the checksum has not the form of its algorithm, or agrees with older bytes than those that are there.
    """
    name = name_row(PhysicalCopy, copy.pk)
    _require_possible(name, checked_at)
    understood = parse_checksum(checksum)
    if understood is None:
        raise OpsdbError(
            f"{name}: no checksum is given; give the computed one, or record that the copy could not be read"
        )
    checksum, algorithm = understood.digits, algorithm or understood.algorithm
    if understood.algorithm not in (None, algorithm):
        raise OpsdbError(
            f"{name}: the checksum names the algorithm {understood.algorithm}, but {algorithm} is given; give the one "
            "that it was computed by"
        )
    with translate_integrity_errors(), atomic():
        found, content = _lock(copy)
        checked_at = checked_at or timezone.now()
        algorithm = algorithm or content.checksum_algorithm
        if content.checksum is None or content.checksum_algorithm != algorithm:
            target = name_row(type(content), content.pk)
            if content.checksum is None:
                raise OpsdbError(f"{name}: {target} has no checksum yet; complete it first")
            raise OpsdbError(
                f"{name}: a {algorithm} checksum can't be compared with that of {target}; compute its "
                f"{content.checksum_algorithm} checksum"
            )
        if not is_checksum_of(checksum, algorithm):
            raise Refused(f"{name}: {checksum!r} is no {algorithm} checksum; give it in full, in hexadecimal")
        known = found.fixity_checks.filter(checked_at=checked_at, actual=checksum, algorithm=algorithm).first()
        if known is not None:
            return known
        if found.status == PhysicalCopyStatus.DELETED:
            raise Conflict(f"{name}: was deleted; if its bytes are there again, bring the copy back first (Bring back)")
        agrees = checksum == content.checksum
        if agrees and found.verified_at and checked_at <= found.verified_at:
            raise Conflict(
                f"{name}: was compared later, at {found.verified_at.isoformat()}, than at {checked_at.isoformat()}; "
                "leave the earlier check out, or compute the checksum again"
            )
        check = FixityCheck(
            copy=found,
            checked_at=checked_at,
            expected=content.checksum,
            actual=checksum,
            algorithm=algorithm,
            ok=agrees,
            checked_by=checked_by,
        )
        if not agrees:
            _apply(found, check)
        check.save()
        if agrees:
            _apply(found, check)
    copy.refresh_from_db()
    return check


def fail_fixity(
    copy: PhysicalCopy,
    *,
    message: str,
    absent: bool = False,
    checked_at: datetime | None = None,
    checked_by: str = "",
) -> FixityCheck:
    """Record that a copy could not be read when it was to be checked, and return the check.

    The copy is no longer verified, so that no deletion counts on it, and is tried again after a pause that begins with
    an hour and doubles each time, up to 30 days. What is not there at all is missing. Idempotent with the same
    ``checked_at``. Locks the copy and its content.

    Args:
        copy: the copy; its key counts.
        message: what the storage answered, such as ``Input/output error``; not empty.
        absent: whether the storage answered, and has no such file.
        checked_at: when it was tried, aware; now when left out.
        checked_by: worker or person that tried.

    Raises:
        NotFound: there is no such copy.
        Conflict: the copy was deleted, so that there is nothing to read.
        OpsdbError: the message is empty, there is nothing to compare with, or the time is naive or in the future.
    """
    name = name_row(PhysicalCopy, copy.pk)
    if not message.strip():
        raise OpsdbError(f"{name}: no reason is given why the copy could not be read; give the error of the storage")
    _require_possible(name, checked_at)
    with translate_integrity_errors(), atomic():
        found, content = _lock(copy)
        checked_at = checked_at or timezone.now()
        known = found.fixity_checks.filter(checked_at=checked_at, actual__isnull=True, failure_message=message).first()
        if known is not None:
            return known
        if found.status == PhysicalCopyStatus.DELETED:
            raise Conflict(f"{name}: was deleted, so that there is nothing to read; leave it out")
        if content.checksum is None:
            raise OpsdbError(f"{name}: {name_row(type(content), content.pk)} has no checksum yet; complete it first")
        check = FixityCheck.objects.create(
            copy=found,
            checked_at=checked_at,
            expected=content.checksum,
            actual=None,
            algorithm=content.checksum_algorithm,
            ok=False,
            checked_by=checked_by,
            failure_message=message,
        )
        missing = PhysicalCopyStatus.MISSING
        if absent and found.status in AT_REST and found.status != missing:
            row = PhysicalCopy.objects.filter(pk=found.pk)
            if missing not in PhysicalCopyStatus(found.status).may_become:
                row.update(status=PhysicalCopyStatus.PRESENT)
            row.update(status=missing, deletion_requested_at=None, failure_message=message)
    copy.refresh_from_db()
    return check


def request_verification(copy: PhysicalCopy) -> PhysicalCopy:
    """Request a fixity check of a copy out of turn, and return it: it is unverified until then. For operators.

    It comes first in :func:`list_due_fixity_checks` at its location. While it is unverified no deletion counts on it.
    Locks the copy and its content.

    Raises:
        Refused: its location has no ``fixity_interval_days``, so that no check of it would be due.
        Conflict: its bytes are not there, or are being deleted.
        NotFound: there is no such copy.
    """
    name = name_row(PhysicalCopy, copy.pk)
    with translate_integrity_errors(), atomic():
        found = PhysicalCopy.objects.select_for_update(no_key=True).filter(pk=copy.pk).first()
        if found is None:
            raise NotFound(f"{name}: there is no such row; check its key")
        if found.data_location.fixity_interval_days is None:
            raise Refused(
                f"{name}: {place_of(found.data_location)} has no fixity_interval_days, so nobody would check it; set it"
            )
        if found.status not in CHECKABLE:
            raise Conflict(f"{name}: is {found.status}, so it can't be checked; choose a copy whose bytes are there")
        PhysicalCopy.objects.filter(pk=copy.pk).update(
            verification=Verification.UNVERIFIED, verified_at=None, next_check_at=None
        )
    copy.refresh_from_db(fields=["verification", "verified_at", "next_check_at"])
    return copy


def _require_possible(name, checked_at):
    if checked_at and (checked_at.tzinfo is None or checked_at > timezone.now() + timedelta(minutes=5)):
        raise OpsdbError(
            f"{name}: {checked_at} has no time zone, or is in the future; give when it was computed, in UTC"
        )


def _lock(copy):
    """Lock a copy, and then its content, whose checksum can't change while the lock is held; return both."""
    found = PhysicalCopy.objects.select_for_update(no_key=True).filter(pk=copy.pk).first()
    if found is None:
        raise NotFound(f"{name_row(PhysicalCopy, copy.pk)}: there is no such row; check its key")
    target = found.target
    return found, type(target)._default_manager.select_for_update(no_key=True).get(pk=target.pk)


def _apply(copy, check):
    facts = {
        "checksum": check.actual,
        "checksum_algorithm": check.algorithm,
        # A report that comes late leaves the time of the last comparison as it is.
        "verified_at": max(filter(None, (copy.verified_at, check.checked_at))),
        "verification": Verification.VERIFIED if check.ok else Verification.MISMATCH,
    }
    row = PhysicalCopy.objects.filter(pk=copy.pk)
    present, corrupt = PhysicalCopyStatus.PRESENT, PhysicalCopyStatus.CORRUPT
    if check.ok:
        if copy.status in (corrupt, PhysicalCopyStatus.MISSING):
            facts |= {"status": present, "failure_message": ""}
    elif copy.status in AT_REST and copy.status != corrupt:
        if copy.status != present:
            row.update(status=present)
        facts |= {"status": corrupt, "deletion_requested_at": None}
    row.update(**facts)
