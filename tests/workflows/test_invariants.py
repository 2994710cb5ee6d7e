"""Whatever several actors do, in whatever order: nothing is lost, nothing is misreported, history explains it all."""

import os

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from opsdb.models import (
    ChangeLog,
    DataLocation,
    DataLocationUsage,
    DataProduct,
    DataTransfer,
    DataTransferPackage,
    LocationType,
    LongTermArchiveTransfer,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataFile,
    RawDataPackage,
    Status,
    Verification,
)
from opsdb.models.copies.querysets import DELETABLE
from opsdb.models.enums import StateChoices
from opsdb.testing.factories import DataProductFactory
from opsdb.testing.nights import WRONG, build_world, digest, found
from opsdb.workflows import (
    OpsdbError,
    bundle_raw_data_packages,
    claim_archive_transfers,
    claim_deletions,
    claim_transfers,
    claim_unpacking,
    complete_archive_transfer,
    complete_bundling,
    complete_deletion,
    complete_packaging,
    complete_transfer,
    complete_unpacking,
    explain_deletion,
    fail_archive_transfer,
    fail_deletion,
    fail_fixity,
    fail_transfer,
    fail_unpacking,
    package_raw_data_files,
    plan_archiving,
    plan_repairs,
    plan_transfers,
    record_fixity,
    reset_archive_transfer,
    reset_transfer,
    reset_unpacking,
    restore_copy,
    schedule_deletion,
    supersede_product,
    work,
)
from tests.workflows.attacks import Attacks

WORKERS = st.sampled_from(["anna", "ben", "carla"])
RIGHT = st.sampled_from([True, True, True, False])
GONE = [PhysicalCopyStatus.DELETED, PhysicalCopyStatus.MISSING]

SAFE_IN_ARCHIVE = PhysicalCopy.objects.filter(
    data_location__location_type=LocationType.LONG_TERM_ARCHIVE,
    status=PhysicalCopyStatus.PRESENT,
    verification=Verification.VERIFIED,
)


class Observatory(Attacks, RuleBasedStateMachine):
    """Managers, workers, operators, invalid and hostile input, one call after the other."""

    def __init__(self):
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @initialize()
    def build(self):
        self.world = build_world()
        type(self.world.source).objects.update(retention_days=0)

    @rule(files=st.integers(1, 3))
    def observe(self, files):
        self.world.register(self.world.observe(), files=files)

    @rule()
    def plan_packages(self):
        package_raw_data_files(self.world.source)

    @rule(worker=WORKERS)
    def make_package(self, worker):
        for package in work.claim(RawDataPackage.objects.all(), limit=1, worker=worker):
            size = package.raw_data_files.aggregate(size=Sum("size_bytes"))["size"]
            complete_packaging(
                package,
                worker=worker,
                location=self.world.ccat_buffer,
                size_bytes=size + 512,
                checksum=digest(package),
            )

    @rule(worker=WORKERS)
    def make_bundle(self, worker):
        bundle_raw_data_packages(self.world.ccat_buffer)
        for bundle in work.claim(DataTransferPackage.objects.all(), limit=1, worker=worker):
            complete_bundling(bundle, worker=worker, size_bytes=9_999, checksum=digest(bundle))

    @rule()
    def plan(self):
        plan_transfers()
        for archive in self.world.archives:
            plan_archiving(archive)

    @rule(worker=WORKERS, right=RIGHT)
    def carry(self, worker, right):
        for transfer in claim_transfers(worker=worker):
            checksum = transfer.data_transfer_package.checksum if right else WRONG
            complete_transfer(transfer, worker=worker, checksum=checksum)

    @rule(worker=WORKERS, retryable=st.booleans())
    def lose_connection(self, worker, retryable):
        for transfer in claim_transfers(worker=worker):
            fail_transfer(transfer, worker=worker, message="connection lost", retryable=retryable)

    @rule(worker=WORKERS, right=RIGHT)
    def unpack(self, worker, right):
        for transfer in claim_unpacking(worker=worker):
            packages = transfer.data_transfer_package.raw_data_packages.all()
            reports = [found(package, package.checksum if right else WRONG) for package in packages]
            complete_unpacking(transfer, worker=worker, reports=reports)

    @rule(worker=WORKERS)
    def fail_to_unpack(self, worker):
        for transfer in claim_unpacking(worker=worker):
            fail_unpacking(transfer, worker=worker, message="disk full")

    @rule(worker=WORKERS, right=RIGHT)
    def archive(self, worker, right):
        for transfer in claim_archive_transfers(worker=worker):
            checksum = transfer.raw_data_package.checksum if right else WRONG
            complete_archive_transfer(transfer, worker=worker, checksum=checksum)

    @rule(worker=WORKERS)
    def fail_to_archive(self, worker):
        for transfer in claim_archive_transfers(worker=worker):
            fail_archive_transfer(transfer, worker=worker, message="tape library did not answer")

    @rule()
    def operator_resets(self):
        for transfer in DataTransfer.objects.filter(status=Status.FAILED):
            reset_transfer(transfer)
        for transfer in DataTransfer.objects.filter(unpack_status=Status.FAILED):
            reset_unpacking(transfer)
        for transfer in LongTermArchiveTransfer.objects.filter(status=Status.FAILED):
            reset_archive_transfer(transfer)

    @rule(places=st.integers(1, 2))
    def make_product(self, places):
        product = DataProductFactory()
        for location in (self.world.processing, self.world.us_buffer)[:places]:
            PhysicalCopy.objects.create(data_location=location, data_product=product)

    @rule()
    def supersede_a_product(self):
        before, *later = DataProduct.objects.current().order_by("pk")[:2] or [None]
        if later:
            supersede_product(before, by=later[0])

    @rule(done=st.booleans())
    def delete_what_may_go(self, done):
        for location in (self.world.source, self.world.ccat_buffer, self.world.processing, self.world.us_buffer):
            schedule_deletion(PhysicalCopy.objects.at(location).present())
            for copy in claim_deletions(location, limit=2).copies:
                if done:
                    complete_deletion(copy)
                else:
                    fail_deletion(copy, message="permission denied")

    @rule(status=st.sampled_from(PhysicalCopyStatus.values), data=st.data())
    def careless_update_of_a_copy(self, status, data):
        keys = list(PhysicalCopy.objects.order_by("pk").values_list("pk", flat=True)[:50])
        if not keys or status in GONE:
            return
        copy = PhysicalCopy.objects.get(pk=data.draw(st.sampled_from(keys)))
        may_go = explain_deletion(copy)
        try:
            with transaction.atomic():
                PhysicalCopy.objects.filter(pk=copy.pk).update(status=status)
        except IntegrityError:
            return
        if status.startswith("deletion_") and not copy.status.startswith("deletion_"):
            assert not may_go.rule, may_go

    @rule(status=st.sampled_from(["deletion_possible", "deletion_scheduled"]), newest=st.booleans())
    def careless_deletion_of_what_is_needed(self, status, newest):
        may_go_next = PhysicalCopy.objects.filter(status__in=DELETABLE).order_by("-pk" if newest else "pk")
        for copy in may_go_next[:10]:
            if explain_deletion(copy).rule:
                with pytest.raises(IntegrityError), transaction.atomic():
                    PhysicalCopy.objects.filter(pk=copy.pk).update(status=status)

    @rule(state=st.sampled_from(PackageState.values))
    def careless_update_of_packages(self, state):
        try:
            with transaction.atomic():
                RawDataPackage.objects.update(state=state)
        except IntegrityError:
            pass

    @rule()
    def careless_deletion(self):
        for model in (PhysicalCopy, RawDataFile, RawDataPackage):
            if not model.objects.exists():
                continue
            with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {model._meta.db_table}")

    @rule(data=st.data())
    def an_archive_rots_while_another_has_it(self, data):
        others = SAFE_IN_ARCHIVE.filter(raw_data_package=OuterRef("raw_data_package")).exclude(pk=OuterRef("pk"))
        keys = list(SAFE_IN_ARCHIVE.filter(Exists(others)).order_by("pk").values_list("pk", flat=True)[:20])
        if keys:
            record_fixity(PhysicalCopy.objects.get(pk=data.draw(st.sampled_from(keys))), WRONG)

    @rule(data=st.data(), absent=st.booleans())
    def a_copy_cannot_be_read(self, data, absent):
        """One in a buffer, or one in an archive while another archive has it."""
        others = SAFE_IN_ARCHIVE.filter(raw_data_package=OuterRef("raw_data_package")).exclude(pk=OuterRef("pk"))
        doubled = SAFE_IN_ARCHIVE.filter(Exists(others)).order_by("pk").values_list("pk", flat=True)[:20]
        buffered = PhysicalCopy.objects.filter(
            data_location__location_type=LocationType.BUFFER, raw_data_package__isnull=False
        ).exclude(status__in=GONE)
        keys = [*doubled, *buffered.order_by("pk").values_list("pk", flat=True)[:20]]
        if keys:
            copy = PhysicalCopy.objects.get(pk=data.draw(st.sampled_from(keys)))
            fail_fixity(copy, message="Input/output error", absent=absent)
            assert copy.verification != Verification.VERIFIED

    @rule(data=st.data())
    def bytes_come_back(self, data):
        keys = list(PhysicalCopy.objects.filter(status__in=GONE).order_by("pk").values_list("pk", flat=True)[:20])
        if keys:
            copy = restore_copy(
                PhysicalCopy.objects.get(pk=data.draw(st.sampled_from(keys))), user=None, reason="found again"
            )
            assert (copy.status, copy.verification) == ("present", Verification.UNVERIFIED)

    @rule()
    def files_are_registered_again(self):
        self.world.register_again()

    @rule(name=st.sampled_from(["buffer", "buffer_old", "store"]))
    def a_place_is_renamed(self, name):
        before = self.world.cologne_buffer
        DataLocation.objects.filter(pk=before.pk).update(name=name)
        now = DataLocation.objects.get(pk=before.pk)
        assert name not in now.former_names
        assert set(now.former_names) <= {"buffer", "buffer_old", "store"}

    @rule(full=st.booleans())
    def a_place_is_full_or_has_room_again(self, full):
        location = DataLocation.objects.get(pk=self.world.us_buffer.pk)
        held = max(location.held_bytes(), 1)
        DataLocation.objects.filter(pk=location.pk).update(capacity_bytes=held if full else None)
        before = DataTransfer.objects.to(location).count()
        plan_transfers()
        if full:
            assert DataTransfer.objects.to(location).count() == before

    @rule(worker=WORKERS)
    def archives_are_repaired(self, worker):
        for repair in plan_repairs():
            assert repair.origin_location_id != repair.destination_location_id
        for transfer in claim_archive_transfers(worker=worker):
            complete_archive_transfer(transfer, worker=worker, checksum=transfer.raw_data_package.checksum)

    @rule(quota=st.integers(1, 4))
    def no_copy_that_is_due_waits_for_ever(self, quota):
        """Each poll takes what was offered out of the queue, so that the queue is empty after so many polls."""
        location = DataLocation.objects.get(pk=self.world.cologne_buffer.pk)
        location.fixity_interval_days = 30
        due = {copy.pk for copy in PhysicalCopy.objects.due_for_fixity(location, limit=1_000)}
        offered = set()
        with transaction.atomic():
            for _ in range(-(-len(due) // quota)):
                for copy in PhysicalCopy.objects.due_for_fixity(location, limit=quota):
                    fail_fixity(copy, message="Input/output error")
                    offered.add(copy.pk)
            transaction.set_rollback(True)
        assert offered == due

    @rule(worker=WORKERS)
    def a_stranger_completes_nothing(self, worker):
        for transfer in DataTransfer.objects.filter(status=Status.IN_PROGRESS).exclude(claimed_by=worker):
            with pytest.raises(OpsdbError):
                complete_transfer(transfer, worker=worker, checksum=WRONG)

    @invariant()
    def every_file_is_at_its_source_or_safe_in_an_archive(self):
        at_source = PhysicalCopy.objects.filter(raw_data_file=OuterRef("pk")).exclude(status__in=GONE)
        safe = SAFE_IN_ARCHIVE.filter(
            raw_data_package=OuterRef("raw_data_package"), checksum=F("raw_data_package__checksum")
        )
        assert not RawDataFile.objects.filter(~Exists(at_source), ~Exists(safe)).exists()

    @invariant()
    def every_product_that_nothing_supersedes_is_somewhere(self):
        there = PhysicalCopy.objects.filter(data_product=OuterRef("pk")).exclude(
            status__in=[*GONE, PhysicalCopyStatus.DELETION_IN_PROGRESS]
        )
        assert not DataProduct.objects.current().filter(~Exists(there), copies__isnull=False).exists()

    @invariant()
    def archived_means_that_an_archive_had_it(self):
        verified = PhysicalCopy.objects.filter(
            raw_data_package=OuterRef("pk"), data_location__location_type=LocationType.LONG_TERM_ARCHIVE
        )
        assert not RawDataPackage.objects.filter(~Exists(verified), state=PackageState.ARCHIVED).exists()

    @invariant()
    def what_could_not_be_read_is_not_verified(self):
        assert not PhysicalCopy.objects.filter(unread_count__gt=0, verification=Verification.VERIFIED).exists()

    @invariant()
    def no_transfer_into_an_archive_is_there_twice(self):
        unfinished = LongTermArchiveTransfer.objects.exclude(status=Status.COMPLETED)
        pairs = unfinished.values("raw_data_package", "destination_location").annotate(number=Count("pk"))
        assert not pairs.filter(number__gt=1).exists()

    @invariant()
    def counts_add_up(self):
        packages = RawDataPackage.objects.annotate(files=Count("raw_data_files"))
        assert not packages.exclude(files=F("file_count")).exists()
        at_source = Count("copies", filter=Q(copies__data_location=F("source_location")))
        assert not RawDataFile.objects.annotate(sources=at_source).exclude(sources=1).exists()
        there = PhysicalCopy.objects.exclude(status__in=GONE)
        held = there.values_list("data_location").annotate(Count("pk"), Sum("size_bytes", default=0))
        usage = DataLocationUsage.objects.values_list("data_location")
        counted = usage.annotate(held=Sum("copies"), size=Sum("bytes")).exclude(held=0, size=0)
        assert set(held) == set(counted)

    @invariant()
    def nothing_is_verified_that_differs(self):
        verified = PhysicalCopy.objects.filter(verification=Verification.VERIFIED)
        for target in ("raw_data_package", "data_transfer_package"):
            assert (
                not verified.filter(**{f"{target}__isnull": False}).exclude(checksum=F(f"{target}__checksum")).exists()
            )

    @invariant()
    def history_explains_every_state(self):
        """A state that is not the first one was reached by recorded steps, each of which its table allows."""
        for model, name in (
            (PhysicalCopy, "status"),
            (RawDataPackage, "state"),
            (RawDataPackage, "status"),
            (DataTransfer, "status"),
            (LongTermArchiveTransfer, "status"),
        ):
            states = StateChoices.of(model._meta.get_field(name))
            reached = {}
            changes = ChangeLog.objects.filter(table_name=model._meta.db_table, after__has_key=name).order_by("id")
            for key, before, after in changes.values_list("row_id", f"before__{name}", f"after__{name}"):
                if before is None:
                    continue
                assert reached.get(key, before) == before
                assert states(after) in states(before).may_become
                reached[key] = after
            for key, state in model.objects.values_list("pk", name):
                assert reached.get(str(key), state) == state


@pytest.mark.django_db
def test_nothing_that_anybody_does_breaks_an_invariant():
    run_state_machine_as_test(
        Observatory,
        settings=settings(
            max_examples=int(os.environ.get("SOAK", 8)),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
