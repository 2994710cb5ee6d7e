"""Where the bytes are: one row for every copy of a file, a package or a product, for good."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.db.models.lookups import GreaterThan
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .base import OpsModel, OpsQuerySet, Row
from .constraints import (
    NEVER_DELETED,
    Check,
    Index,
    Rule,
    Unique,
    append_only,
    checksum_format,
    exactly_one,
    immutable,
    implies,
    never_deleted,
    never_truncated,
    not_negative,
    positive,
    refuse_if,
)
from .data import DataTransferPackage, RawDataFile, RawDataPackage
from .enums import (
    ChecksumAlgorithm,
    DeletionRequestStatus,
    LocationType,
    PhysicalCopyStatus,
    Recording,
    Verification,
)
from .locations import DataLocation
from .safety import (
    DELETION_BLOCKER,
    arrival_is_true,
    born_present,
    candidates_are_marked,
    decision_of_another,
    deletion_is_safe,
    doubt_waits_for_deletion,
    items_stay,
    usage_counted,
    verification_is_true,
)

COPY_TARGETS = ("raw_data_file", "raw_data_package", "data_transfer_package", "data_product")
CHECKABLE = (
    PhysicalCopyStatus.PRESENT,
    PhysicalCopyStatus.STAGED,
    PhysicalCopyStatus.DELETION_POSSIBLE,
    PhysicalCopyStatus.CORRUPT,
)
# The states from which a copy is scheduled for deletion, unless its deletion failed before.
DELETABLE = CHECKABLE


class DeletionRule(Func):
    """Number of the deletion rule that holds a copy back; none when it may go."""

    function = DELETION_BLOCKER
    template = "(%(function)s(%(expressions)s)).rule"
    output_field = models.IntegerField()


class Place(Func):
    """A place in an order of several columns, which PostgreSQL compares as a whole."""

    function = "ROW"
    output_field = models.TextField()


class PhysicalCopyQuerySet(OpsQuerySet):
    def at(self, location):
        """Copies at this location."""
        return self.filter(data_location=location)

    def of(self, thing):
        """Copies of this file, package or product."""
        return self.filter(**{thing._meta.db_table: thing})

    def of_content_of(self, package):
        """Copies of this raw package, of its files, and of the bundle that it came in."""
        files = self.filter(raw_data_file__raw_data_package=package).values("pk")
        whole = self.filter(raw_data_package=package).values("pk")
        bundles = self.filter(data_transfer_package__raw_data_packages=package).values("pk")
        return self.filter(pk__in=files.union(whole, bundles, all=True))

    def existing(self):
        """Copies whose bytes are there, as far as is known."""
        return self.exclude(status__in=[PhysicalCopyStatus.DELETED, PhysicalCopyStatus.MISSING])

    def present(self):
        """Copies that are present and not on their way out."""
        return self.filter(status=PhysicalCopyStatus.PRESENT)

    def readable(self):
        """Copies that can be read from: there, not on their way out, and not known to differ."""
        return self.filter(status__in=PhysicalCopyStatus.readable()).exclude(verification=Verification.MISMATCH)

    def verified(self):
        """Copies whose checksum was compared and agreed."""
        return self.filter(verification=Verification.VERIFIED)

    def deletable(self, location, *, limit=None, after=None):
        """Copies at this location that no rule holds back from deletion, the oldest first.

        With a limit only the first of them, or the first after a copy of the batch before. A batch walks
        ``physical_copy_candidates`` from there (``physical_copy_by_location`` at a processing location) and costs as
        much as it looks at: copies whose retention has not passed, and copies of what no archive has, are not looked
        at. Copies that only an approved request lets go are left to that request.

        Asks at once what the location is like; the rest when it is read.
        """
        place = DataLocation.objects.get(pk=location.pk)
        if place.location_type == LocationType.LONG_TERM_ARCHIVE or limit == 0:
            return self.none()
        candidates = self.at(place)
        if not place.is_too_full():
            if place.retention_days is None:
                return self.none()
            candidates = candidates.filter(arrived_at__lte=Now() - Value(timedelta(days=place.retention_days)))
        if place.location_type in (LocationType.SOURCE, LocationType.BUFFER):
            candidates = candidates.filter(deletion_candidate=True)
        candidates = candidates.alias(rule=DeletionRule("pk")).filter(rule__isnull=True)
        if after is not None:
            candidates = candidates.filter(
                GreaterThan(Place("arrived_at", "pk"), Place(Value(after.arrived_at), Value(after.pk)))
            )
        if limit is None:
            return candidates.filter(status__in=DELETABLE).order_by("arrived_at", "pk")
        # One walk along the index for each status, so that none has to sort all copies of a location. Their rows, not
        # their keys: to look for a thousand keys PostgreSQL may read a table of some 100,000 rows as a whole.
        first, *others = (candidates.filter(status=status).order_by("arrived_at", "pk")[:limit] for status in DELETABLE)
        return first.union(*others, all=True).order_by("arrived_at", "pk")[:limit]

    def deletion_stalled(self, *, older_than: timedelta):
        """Copies whose deletion a worker claimed longer ago than this, and has not reported since."""
        return self.filter(status=PhysicalCopyStatus.DELETION_IN_PROGRESS, updated_at__lt=timezone.now() - older_than)

    def due_for_fixity(self, location, *, limit):
        """Copies at this location whose checksum was never compared or not for longer than its interval, oldest first.

        Walks ``physical_copy_by_verification`` and stops where nothing is due. None without an interval.
        """
        if location.fixity_interval_days is None or limit == 0:
            return self.none()
        order = (F("verified_at").asc(nulls_first=True), "pk")
        due = timezone.now() - timedelta(days=location.fixity_interval_days)
        checkable = self.at(location).filter(status__in=CHECKABLE).order_by(*order)
        never = checkable.filter(verified_at__isnull=True)[:limit]
        long_ago = checkable.filter(verified_at__lte=due)[:limit]
        return never.union(long_ago, all=True).order_by(*order)[:limit]


class TargetManager(models.Manager.from_queryset(PhysicalCopyQuerySet)):
    """Manager of a proxy: only the copies of one kind of thing."""

    def __init__(self, target):
        super().__init__()
        self.target = target
        self.condition = Q(**{f"{target}__isnull": False})

    def get_queryset(self):
        return super().get_queryset().filter(self.condition)


class PhysicalCopy(Row):
    """A copy of one raw file, raw package, transfer package or data product at one location.

    The row stays when the bytes are gone: it is the audit trail.
    """

    recording = Recording.CHANGES
    not_recorded = ("deletion_candidate",)

    data_location = models.ForeignKey(
        DataLocation,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="copies",
        help_text=_("Where the copy is."),
    )
    status = models.CharField(
        max_length=24,
        choices=PhysicalCopyStatus,
        default=PhysicalCopyStatus.PRESENT,
        help_text=_("State of the bytes."),
    )
    raw_data_file = models.ForeignKey(
        RawDataFile,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="copies",
        help_text=_("The raw file, if it is a copy of one."),
    )
    raw_data_package = models.ForeignKey(
        RawDataPackage,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="copies",
        help_text=_("The raw package, if it is a copy of one."),
    )
    data_transfer_package = models.ForeignKey(
        DataTransferPackage,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="copies",
        help_text=_("The transfer package, if it is a copy of one."),
    )
    data_product = models.ForeignKey(
        "opsdb.DataProduct",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="copies",
        help_text=_("The data product, if it is a copy of one."),
    )
    size_bytes = models.BigIntegerField(null=True, blank=True, help_text=_("Size as found there, bytes."))
    checksum = models.CharField(
        max_length=128,
        null=True,
        blank=True,
        help_text=_("Checksum as last computed there, lower-case hexadecimal."),
    )
    checksum_algorithm = models.CharField(
        max_length=16,
        choices=ChecksumAlgorithm,
        default=ChecksumAlgorithm.SHA256,
        help_text=_("How the checksum was computed."),
    )
    arrived_at = models.DateTimeField(
        db_default=Now(),
        editable=False,
        help_text=_("When the bytes came there last (UTC), kept by the database; the retention counts from it."),
    )
    verified_at = models.DateTimeField(null=True, blank=True, help_text=_("When the checksum was last compared (UTC)."))
    verification = models.CharField(
        max_length=16,
        choices=Verification,
        default=Verification.UNVERIFIED,
        help_text=_("What the last comparison found."),
    )
    deletion_candidate = models.BooleanField(
        blank=True,
        editable=False,
        help_text=_(
            "Whether an archive has some of its content, or it is a product: where to look for copies that may "
            "go; kept by the database."
        ),
    )
    retry_count = models.IntegerField(default=0, help_text=_("How often its deletion was tried again."))
    failure_message = models.TextField(blank=True, default="", help_text=_("Why its deletion failed last."))
    deletion_requested_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When its deletion was asked for (UTC).")
    )
    deleted_at = models.DateTimeField(null=True, blank=True, help_text=_("When its bytes were deleted (UTC)."))

    objects = PhysicalCopyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("physical copies")
        constraints = [
            exactly_one("one_target", COPY_TARGETS, "A copy is of exactly one file, package or product."),
            *(
                Unique(
                    f"unique_{target}",
                    target,
                    "data_location",
                    condition=Q(**{f"{target}__isnull": False}),
                    message="The location has a copy of this.",
                )
                for target in COPY_TARGETS
            ),
            not_negative("size_bytes"),
            not_negative("retry_count"),
            checksum_format(),
            implies(
                "verified_has_proof",
                ~Q(verification=Verification.UNVERIFIED),
                Q(verified_at__isnull=False, checksum__isnull=False),
                "A verification has a time and the checksum that was found.",
                "verification",
            ),
            implies(
                "deleted_has_time",
                Q(status=PhysicalCopyStatus.DELETED),
                Q(deleted_at__isnull=False),
                "A deleted copy says when it was deleted.",
                "deleted_at",
            ),
            implies(
                "deletion_failed_has_message",
                Q(status=PhysicalCopyStatus.DELETION_FAILED),
                ~Q(failure_message=""),
                "A failed deletion says what went wrong.",
                "failure_message",
            ),
            immutable(
                "data_location_id", *(f"{target}_id" for target in COPY_TARGETS), "created_at", hint=NEVER_DELETED
            ),
            born_present(),
            deletion_is_safe(),
            *arrival_is_true(),
            *candidates_are_marked(),
            *verification_is_true(),
            doubt_waits_for_deletion(),
            *usage_counted(),
            *never_deleted("the record of a copy"),
        ]
        indexes = [
            Index(fields=["data_location", "status", "arrived_at", "id"], name="by_location"),
            Index(
                fields=["data_location", "status", "arrived_at", "id"],
                name="candidates",
                condition=Q(deletion_candidate=True, status__in=DELETABLE),
            ),
            Index(
                F("data_location"),
                F("verified_at").asc(nulls_first=True),
                F("id"),
                name="by_verification",
                condition=Q(status__in=CHECKABLE),
            ),
            Index(fields=["data_location", "id"], name="newest_at_location"),
            Index(fields=["status", "id"], name="by_status"),
            Index(fields=["id"], name="mismatched", condition=Q(verification=Verification.MISMATCH)),
            *(
                Index(fields=fields, name=f"{name}_{target}", condition=Q(**{f"{target}__isnull": False}))
                for target in COPY_TARGETS[1:]
                for name, fields in (
                    ("of", ["id"]),
                    ("state_of", ["status", "id"]),
                    ("place_of", ["data_location", "id"]),
                )
            ),
        ]

    def __str__(self):
        return f"copy {self.pk}"

    @property
    def target_name(self) -> str:
        """Name of the field that says what this is a copy of."""
        return next(target for target in COPY_TARGETS if getattr(self, f"{target}_id") is not None)

    @property
    def target(self):
        """The file, package or product that this is a copy of."""
        return getattr(self, self.target_name)


class RawDataFilePhysicalCopy(PhysicalCopy):
    """A copy of a raw data file."""

    objects = TargetManager("raw_data_file")

    class Meta:
        proxy = True
        verbose_name = _("copy of a raw data file")
        verbose_name_plural = _("copies of raw data files")


class RawDataPackagePhysicalCopy(PhysicalCopy):
    """A copy of a raw data package."""

    objects = TargetManager("raw_data_package")

    class Meta:
        proxy = True
        verbose_name = _("copy of a raw data package")
        verbose_name_plural = _("copies of raw data packages")


class DataTransferPackagePhysicalCopy(PhysicalCopy):
    """A copy of a data transfer package."""

    objects = TargetManager("data_transfer_package")

    class Meta:
        proxy = True
        verbose_name = _("copy of a data transfer package")
        verbose_name_plural = _("copies of data transfer packages")


class DataProductPhysicalCopy(PhysicalCopy):
    """A copy of a data product."""

    objects = TargetManager("data_product")

    class Meta:
        proxy = True
        verbose_name = _("copy of a data product")
        verbose_name_plural = _("copies of data products")


class FixityCheck(Row):
    """One comparison of a copy's checksum with what it should be. It outlives the copy's bytes."""

    recording = Recording.NOTHING

    copy = models.ForeignKey(
        PhysicalCopy, on_delete=models.PROTECT, related_name="fixity_checks", help_text=_("The copy.")
    )
    checked_at = models.DateTimeField(help_text=_("When it was computed (UTC)."))
    expected = models.CharField(max_length=128, help_text=_("Checksum that it should have, lower-case hexadecimal."))
    actual = models.CharField(max_length=128, help_text=_("Checksum that was found, lower-case hexadecimal."))
    algorithm = models.CharField(max_length=16, choices=ChecksumAlgorithm, help_text=_("How it was computed."))
    ok = models.BooleanField(help_text=_("Whether they agree."))
    checked_by = models.CharField(
        max_length=200, blank=True, default="", help_text=_("Worker or person that computed it.")
    )

    class Meta:
        constraints = [
            checksum_format("expected", "algorithm"),
            checksum_format("actual", "algorithm"),
            Check(
                "ok_tells_truth",
                Q(ok=True, actual=F("expected")) | (Q(ok=False) & ~Q(actual=F("expected"))),
                "The verdict must say whether the two checksums agree.",
                "ok",
            ),
            append_only("a fixity check"),
            never_truncated(),
        ]
        indexes = [
            Index(fields=["checked_at"], name="by_time"),
            Index(fields=["id"], name="failed", condition=Q(ok=False)),
        ]

    def __str__(self):
        return f"{self.checked_at:%Y-%m-%d %H:%M} {'ok' if self.ok else 'differs'}"


class DeletionPolicy(Row):
    """How many verified archive copies make it safe to delete others: one row, kept equal to the setting."""

    id = models.BigAutoField(primary_key=True, help_text=_("Always 1."))
    min_archive_copies = models.IntegerField(help_text=_("Verified copies in archives elsewhere that a package needs."))

    class Meta:
        verbose_name_plural = _("deletion policy")
        constraints = [
            Check("one_row", Q(id=1), "There is one policy."),
            positive("min_archive_copies"),
        ]

    def __str__(self):
        return f"at least {self.min_archive_copies} archive copies"


class DeletionRequest(Row):
    """Somebody's wish to delete copies at a location, which somebody else must approve."""

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

    def __str__(self):
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

    def __str__(self):
        return f"copy {self.physical_copy_id}"
