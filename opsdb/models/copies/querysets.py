"""Querysets of copies, and the states and targets that they filter by."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import ExpressionWrapper, F, Value
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from opsdb.database.functions import DeletionRule, IsReadable, LocationIsFull, RetentionHorizon, RowValue

from ..base import OpsQuerySet
from ..data.raw_packages import RawDataPackage
from ..enums import LocationType, PhysicalCopyStatus, Verification
from ..locations import DataLocation

if TYPE_CHECKING:
    from .physical_copies import PhysicalCopy

COPY_TARGETS = ("raw_data_file", "raw_data_package", "data_transfer_package", "data_product")
GONE = (PhysicalCopyStatus.DELETED, PhysicalCopyStatus.MISSING)
"""States of copies whose bytes are recorded as absent."""
CHECKABLE = (
    PhysicalCopyStatus.PRESENT,
    PhysicalCopyStatus.STAGED,
    PhysicalCopyStatus.DELETION_POSSIBLE,
    PhysicalCopyStatus.CORRUPT,
)
"""States of copies that a fixity check may read."""
DELETABLE = (
    PhysicalCopyStatus.PRESENT,
    PhysicalCopyStatus.STAGED,
    PhysicalCopyStatus.DELETION_POSSIBLE,
    PhysicalCopyStatus.CORRUPT,
)
"""States from which a copy is scheduled for deletion, unless its deletion failed before; also if corrupt."""


class PhysicalCopyQuerySet(OpsQuerySet["PhysicalCopy"]):
    def at(self, location: DataLocation | int) -> Self:
        """Copies at this location."""
        return self.filter(data_location=location)

    def of(self, content: models.Model) -> Self:
        """Copies of this file, package or product."""
        return self.filter(**{content._meta.db_table: content})

    def of_content_of(self, package: RawDataPackage) -> Self:
        """Copies of this raw package, of its files, and of the bundle that it came in."""
        files = self.filter(raw_data_file__raw_data_package=package).values("pk")
        whole = self.filter(raw_data_package=package).values("pk")
        bundles = self.filter(data_transfer_package__raw_data_packages=package).values("pk")
        return self.filter(pk__in=files.union(whole, bundles, all=True))

    def existing(self) -> Self:
        """Copies whose bytes are recorded as present."""
        return self.exclude(status__in=GONE)

    def present(self) -> Self:
        """Copies that are present and not on their way out."""
        return self.filter(status=PhysicalCopyStatus.PRESENT)

    def readable(self) -> Self:
        """Copies that can be read from: there, not being deleted, and without a mismatch."""
        return self.filter(IsReadable("status", "verification"))

    def verified(self) -> Self:
        """Copies whose checksum was compared and agreed."""
        return self.filter(verification=Verification.VERIFIED)

    def deletable(self, location: DataLocation, *, limit: int | None = None, after: PhysicalCopy | None = None) -> Self:
        """Copies at this location that no rule holds back from deletion, the oldest first.

        With a limit only the first of them, or the first after a copy of the batch before. A batch walks
        ``physical_copy_candidates`` from there (``physical_copy_by_location`` at a processing location) and costs as
        much as it looks at: copies whose retention has not passed, and copies of what no archive has, are not looked
        at. Copies that only an approved request lets go are left to that request.

        The call queries the location; the copies are queried when the queryset is evaluated.
        """
        place = DataLocation.objects.annotate(is_full=LocationIsFull("pk")).get(pk=location.pk)
        if place.location_type == LocationType.LONG_TERM_ARCHIVE or limit == 0:
            return self.none()
        candidates = self.at(place)
        if not place.is_full:
            if place.retention_days is None:
                return self.none()
            candidates = candidates.filter(arrived_at__lte=RetentionHorizon(place.retention_days))
        if place.location_type in (LocationType.SOURCE, LocationType.BUFFER):
            candidates = candidates.filter(deletion_candidate=True)
        candidates = candidates.alias(rule=DeletionRule("pk")).filter(rule__isnull=True)
        if after is not None:
            candidates = candidates.filter(
                GreaterThan(RowValue("arrived_at", "pk"), RowValue(Value(after.arrived_at), Value(after.pk)))
            )
        if limit is None:
            return candidates.filter(status__in=DELETABLE).order_by("arrived_at", "pk")
        # One walk along the index for each status, so that none has to sort all copies of a location. Their rows, not
        # their keys: to look for a thousand keys PostgreSQL may read a table of some 100,000 rows as a whole.
        first, *others = (candidates.filter(status=status).order_by("arrived_at", "pk")[:limit] for status in DELETABLE)
        return first.union(*others, all=True).order_by("arrived_at", "pk")[:limit]

    def deletion_stalled(self, *, older_than: timedelta) -> Self:
        """Copies that a worker began to delete and whose record has not changed for this long."""
        return self.filter(status=PhysicalCopyStatus.DELETION_IN_PROGRESS, updated_at__lt=timezone.now() - older_than)

    def never_checked(self, location: DataLocation | int) -> Self:
        """Copies there whose checksum was never compared, in the order in which they are due for a check.

        Walks ``physical_copy_by_verification``.
        """
        return self._along_checks(location).filter(verified_at__isnull=True)

    def checked_longest_ago(self, location: DataLocation | int) -> Self:
        """Copies there whose checksum was compared, the longest ago first. Walks ``physical_copy_by_verification``."""
        return self._along_checks(location).filter(verified_at__isnull=False)

    def _along_checks(self, location):
        readable = self.at(location).filter(status__in=CHECKABLE, next_check_at__isnull=True)
        return readable.order_by(F("verified_at").asc(nulls_first=True), "pk")

    def unreadable(self, location: DataLocation | int) -> Self:
        """Copies there that could not be read when they were last checked, those to be tried again soonest first.

        Walks ``physical_copy_unread``.
        """
        return (
            self.at(location).filter(status__in=CHECKABLE, next_check_at__isnull=False).order_by("next_check_at", "pk")
        )

    def due_for_fixity(self, location: DataLocation, *, limit: int) -> Self:
        """Copies at this location whose checksum was never compared, or not for longer than its interval, or that could
        not be read and whose pause is over: those never compared first, then what has been due longest.

        Walks ``physical_copy_by_verification`` and ``physical_copy_unread``, and stops where nothing is due. What can't
        be read waits for the end of its pause, and holds nothing else up. None without an interval.
        """
        if location.fixity_interval_days is None or limit == 0:
            return self.none()
        now, interval = timezone.now(), timedelta(days=location.fixity_interval_days)
        walks = (
            (self.never_checked(location), Value(None)),
            (
                self.checked_longest_ago(location).filter(verified_at__lte=now - interval),
                F("verified_at") + Value(interval),
            ),
            (self.unreadable(location).filter(next_check_at__lte=now), F("next_check_at")),
        )
        first, *others = (
            copies.annotate(due_at=ExpressionWrapper(due_at, models.DateTimeField()))[:limit]
            for copies, due_at in walks
        )
        return first.union(*others, all=True).order_by(F("due_at").asc(nulls_first=True), "pk")[:limit]
