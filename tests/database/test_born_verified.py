"""A copy is verified by what was compared of it, and by nothing else: not by being made so, not by a forged time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsdb.models import ChangeLog, DataLocation, FixityCheck, PhysicalCopy, RawDataPackage, Verification
from opsdb.testing.factories import (
    DataTransferPackageFactory,
    DiskDataLocationFactory,
    RawDataPackageFactory,
    TapeDataLocationFactory,
)
from opsdb.testing.factories.base import EPOCH
from opsdb.testing.factories.verifying import verify
from opsdb.workflows import Conflict, CopyReport, Refused, record_fixity
from opsdb.workflows.arrivals import record_arrivals
from tests.databases import as_owner
from tests.workflows.racing import overtaken
from tests.workflows.scenario_deletion import RIGHT, SIZE, WRONG, complete, force, refusal_of, sql, tell_story

pytestmark = pytest.mark.django_db

BORN = """
INSERT INTO physical_copy (data_location_id, raw_data_package_id, status, checksum, checksum_algorithm, size_bytes,
    verification, verified_at, retry_count, failure_message)
SELECT %s, id, 'present', checksum, checksum_algorithm, size_bytes, %s, %s, 0, '' FROM raw_data_package WHERE id = %s
"""


@pytest.fixture
def story():
    return tell_story()


@pytest.fixture
def package():
    return complete(RawDataPackageFactory())


@pytest.fixture
def copy(package):
    """A copy in an archive that nobody has compared yet."""
    archive = TapeDataLocationFactory(archive=True)
    return PhysicalCopy.objects.create(data_location=archive, raw_data_package=package, checksum=RIGHT, size_bytes=SIZE)


def check_of(copy, actual=RIGHT, **facts):
    given = {"checked_at": timezone.now(), "expected": RIGHT, "algorithm": "sha256", **facts}
    return FixityCheck.objects.create(copy_id=copy.pk, actual=actual, ok=actual == given["expected"], **given)


def claim(copy, at, **facts):
    """Call a copy verified at a time, by plain SQL."""
    columns = {"verification": "verified", "verified_at": at, **facts}
    return lambda: sql(
        f"UPDATE physical_copy SET {', '.join(f'{column} = %s' for column in columns)} WHERE id = %s",
        *columns.values(),
        copy.pk,
    )


def assert_refused(attempt, rule, *words):
    refusal = refusal_of(attempt)
    assert refusal is not None, "the database let it pass"
    assert refusal.constraint_name == rule
    for word in words:
        assert word in refusal.message_primary


@pytest.mark.parametrize(
    ("verification", "at"), [("verified", True), ("mismatch", True), ("unverified", True)], ids=lambda value: str(value)
)
def test_no_copy_is_born_verified_or_in_doubt(package, verification, at):
    location = TapeDataLocationFactory(archive=True)
    now = timezone.now()
    facts = {"verification": verification, "verified_at": now, "checksum": RIGHT, "size_bytes": SIZE}
    new = PhysicalCopy(data_location_id=location.pk, raw_data_package=package, **facts)
    for attempt in (
        lambda: sql(BORN, location.pk, verification, now, package.pk),
        lambda: PhysicalCopy.objects.create(data_location_id=location.pk, raw_data_package=package, **facts),
        lambda: PhysicalCopy.objects.bulk_create([new]),
        lambda: PhysicalCopy.objects.bulk_create([new], ignore_conflicts=True),
    ):
        refusal = refusal_of(attempt)
        assert refusal.constraint_name == "physical_copy_born_unverified"
        assert "a new copy is unverified, because nothing has been compared with it" in refusal.message_primary
        assert refusal.message_hint == "Record a fixity check of it; then it is verified."


def test_every_kind_of_copy_is_born_unverified(story):
    location = DiskDataLocationFactory()
    for target in ("raw_data_file", "raw_data_package", "data_transfer_package"):
        content = getattr(story, {"raw_data_file": "file", "raw_data_package": "package"}.get(target, "bundle"))
        assert_refused(
            lambda target=target, content=content: PhysicalCopy.objects.create(
                data_location_id=location.pk,
                checksum=content.checksum,
                verification="verified",
                verified_at=timezone.now(),
                **{target: content},
            ),
            "physical_copy_born_unverified",
        )


def test_a_package_is_not_archived_by_an_upsert_that_verifies(copy, package):
    """The row is not born so; and to become so takes a check."""
    assert_refused(
        lambda: sql(
            "INSERT INTO physical_copy (data_location_id, raw_data_package_id, status, checksum, checksum_algorithm, "
            "size_bytes, verification, retry_count, failure_message) "
            "VALUES (%s, %s, 'present', %s, 'sha256', %s, 'unverified', 0, '') "
            "ON CONFLICT (raw_data_package_id, data_location_id) WHERE raw_data_package_id IS NOT NULL "
            "DO UPDATE SET verification = 'verified', verified_at = now()",
            copy.data_location_id,
            package.pk,
            RIGHT,
            SIZE,
        ),
        "physical_copy_verification_is_proven",
    )
    assert_refused(
        lambda: RawDataPackage.objects.filter(pk=package.pk).update(state="archived"),
        "raw_data_package_archived_is_true",
    )


@pytest.mark.parametrize("ok", [True, False])
@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(days=1), timedelta(days=300_000)])
def test_no_check_is_of_a_time_to_come(copy, ok, ahead):
    assert_refused(
        lambda: check_of(copy, RIGHT if ok else WRONG, checked_at=timezone.now() + ahead),
        "fixity_check_time_possible",
        f"physical_copy {copy.pk} cannot have been checked at",
        "in the future",
    )


def test_a_check_has_a_possible_time(copy):
    """By a clock of the worker that is up to five minutes wrong; the workflow takes no other either."""
    for off in (timedelta(minutes=4), -timedelta(minutes=4)):
        assert refusal_of(lambda off=off: check_of(copy, checked_at=timezone.now() + off)) is None
    for before in (timedelta(minutes=6), timedelta(days=1)):
        assert_refused(
            lambda before=before: check_of(copy, checked_at=timezone.now() - before),
            "fixity_check_time_possible",
            f"physical_copy {copy.pk} cannot have agreed at",
            "because its bytes arrived later, at",
        )
    with pytest.raises(Refused, match="because its bytes arrived later, at"):
        record_fixity(copy, RIGHT, checked_at=timezone.now() - timedelta(hours=1))


def test_a_check_of_the_bytes_before_does_not_verify_those_that_came_again(story):
    """A check was recorded, and not applied, before the copy was lost."""
    copy = story.package_copy
    force(copy, arrived_at=timezone.now() - timedelta(days=3))
    check = check_of(copy, checked_at=timezone.now() - timedelta(days=1))
    rows = PhysicalCopy.objects.filter(pk=copy.pk)
    rows.update(status="missing")
    rows.update(status="present")
    assert_refused(
        claim(copy, check.checked_at),
        "physical_copy_verification_is_proven",
        f"physical_copy {copy.pk}: cannot be called verified",
        "because its bytes arrived later, at",
    )
    rows.update(status="missing")
    assert_refused(
        claim(copy, check.checked_at, status="present"),
        "physical_copy_verification_is_proven",
        "because its bytes arrived later, at",
    )


def test_a_check_of_another_copy_proves_nothing(story, copy):
    moment = timezone.now()
    check_of(story.archive_copy, checked_at=moment)
    assert_refused(claim(copy, moment), "physical_copy_verification_is_proven")


def test_a_check_of_another_checksum_or_algorithm_proves_nothing(copy):
    moment = timezone.now()
    check_of(copy, WRONG, expected=WRONG, checked_at=moment)
    assert_refused(claim(copy, moment), "physical_copy_verification_is_proven")
    md5 = {"expected": "0" * 32, "algorithm": "md5", "checked_at": moment}
    check_of(copy, "0" * 32, **md5)
    assert_refused(claim(copy, moment), "physical_copy_verification_is_proven")


def test_a_check_that_differs_takes_the_verification_away(story):
    """By plain SQL, too, and also when it comes late: then the time of the last comparison stays."""
    before = story.archive_copy.verified_at
    copies = [story.archive_copy, story.staged_copy]
    times = [timezone.now(), before - timedelta(days=7)]
    for copy, moment in zip(copies, times, strict=True):
        force(copy, arrived_at=timezone.now() - timedelta(days=30))
        check_of(copy, WRONG, checked_at=moment)
        last = copy.verified_at
        copy.refresh_from_db()
        assert (copy.verification, copy.checksum) == (Verification.MISMATCH, WRONG)
        assert copy.verified_at == max(last, moment)


@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=1), timedelta(days=400)])
def test_a_difference_is_recorded_whatever_its_time(story, age):
    moment = timezone.now() - age
    before = ChangeLog.objects.filter(table_name="physical_copy").count()
    check = record_fixity(story.archive_copy, WRONG, checked_at=moment)
    copy = story.archive_copy
    assert not check.ok
    assert (copy.verification, copy.status, copy.checksum) == (Verification.MISMATCH, "corrupt", WRONG)
    assert copy.verified_at >= moment
    assert ChangeLog.objects.filter(table_name="physical_copy").count() == before + 1
    assert record_fixity(copy, WRONG, checked_at=moment) == check


def test_a_difference_is_not_undone_by_a_check_that_agreed_before(story):
    """The older check is still there; neither it nor a detour by doubt calls the copy verified again."""
    copy = story.archive_copy
    proof = copy.fixity_checks.get()
    record_fixity(copy, WRONG, checked_at=proof.checked_at - timedelta(hours=1))
    rows = PhysicalCopy.objects.filter(pk=copy.pk)
    rule = "physical_copy_verification_is_proven"
    assert_refused(claim(copy, proof.checked_at, checksum=RIGHT), rule)
    claim(copy, proof.checked_at, checksum=RIGHT, status="present")()
    assert rows.get().verification == Verification.UNVERIFIED
    rows.update(verified_at=None)
    assert_refused(claim(copy, proof.checked_at), rule, "because fixity_check", "found a difference")
    with pytest.raises(Conflict, match="was compared later"):
        force(copy, verified_at=timezone.now())
        record_fixity(copy, RIGHT, checked_at=proof.checked_at + timedelta(microseconds=1))
    rows.update(verified_at=None)
    assert record_fixity(copy, RIGHT).ok
    assert rows.get().verification == Verification.VERIFIED


def test_an_agreement_does_not_hide_a_difference_of_a_later_time(copy):
    check_of(copy, WRONG, checked_at=timezone.now() + timedelta(minutes=2))
    PhysicalCopy.objects.filter(pk=copy.pk).update(verification="unverified", verified_at=None, checksum=RIGHT)
    moment = timezone.now()
    check_of(copy, checked_at=moment)
    assert_refused(claim(copy, moment), "physical_copy_verification_is_proven", "found a difference")


def test_a_copy_without_a_time_is_not_verified(copy):
    check_of(copy)
    refusal = refusal_of(claim(copy, None))
    assert refusal.constraint_name == "physical_copy_verification_is_proven"
    assert "without the time of a fixity check" in refusal.message_primary


@pytest.mark.django_db(transaction=True)
def test_a_difference_that_is_reported_while_a_deletion_counts_on_the_copy_waits_and_then_stands():
    story = tell_story()
    check = overtaken(
        lambda: PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(status="deletion_scheduled"),
        lambda: check_of(PhysicalCopy(pk=story.archive_copy.pk), WRONG),
    )
    assert not check.ok
    assert PhysicalCopy.objects.get(pk=story.archive_copy.pk).verification == Verification.MISMATCH
    assert_refused(
        lambda: PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(status="deletion_in_progress"),
        "physical_copy_deletion_is_safe",
        "has 0 verified archive copies",
    )


def test_whatever_arrives_is_verified_by_the_check_that_it_gets(django_assert_num_queries):
    """As many statements for three packages as for one, whether they agree or not."""

    def arrive(number, *, differs):
        buffer = DataLocation.objects.get(pk=DiskDataLocationFactory().pk)
        packages = [complete(RawDataPackageFactory()) for _ in range(number)]
        reports = [CopyReport(package, WRONG if differs else RIGHT, SIZE) for package in packages]
        with django_assert_num_queries(10, exact=False):
            record_arrivals(buffer, reports, worker="anna")
        return PhysicalCopy.objects.at(buffer)

    for number in (1, 3):
        for copy in arrive(number, differs=False):
            check = copy.fixity_checks.get()
            assert (copy.verification, copy.status, check.ok) == (Verification.VERIFIED, "present", True)
            assert copy.verified_at == check.checked_at == copy.arrived_at
        for copy in arrive(number, differs=True):
            check = copy.fixity_checks.get()
            assert (copy.verification, copy.status, check.ok) == (Verification.MISMATCH, "corrupt", False)


@pytest.mark.parametrize(
    ("rule", "table", "attempt"),
    [
        (
            "physical_copy_born_unverified",
            "physical_copy",
            lambda copy: sql(
                BORN,
                TapeDataLocationFactory(archive=True).pk,
                "verified",
                timezone.now(),
                copy.raw_data_package_id,
            ),
        ),
        ("physical_copy_verification_is_proven", "physical_copy", lambda copy: claim(copy, EPOCH)()),
        (
            "fixity_check_time_possible",
            "fixity_check",
            lambda copy: check_of(copy, checked_at=timezone.now() + timedelta(days=9)),
        ),
    ],
)
def test_without_its_rule_each_attack_succeeds(copy, rule, table, attempt):
    """What the tests above see is this rule, and no other."""
    assert_refused(lambda: attempt(copy), rule)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    with as_owner():
        sql(f'DROP TRIGGER "{rule}" ON "{table}"')
    sql("SET CONSTRAINTS ALL DEFERRED")
    assert refusal_of(lambda: attempt(copy)) is None


def test_a_bundle_is_verified_as_any_other(copy):
    bundle = complete(DataTransferPackageFactory())
    there = PhysicalCopy.objects.create(data_location=DiskDataLocationFactory(), data_transfer_package=bundle)
    assert verify(there).verification == Verification.VERIFIED
