"""Why a copy is not deleted yet, or stays; and what needs no explanation."""

import uuid
from datetime import timedelta

import pytest

from opsdb.models import (
    DataLocation,
    PhysicalCopy,
    PhysicalCopyStatus,
    RawDataPackage,
)
from opsdb.testing.factories import (
    ObservingProgramFactory,
    UserFactory,
)
from opsdb.testing.nights import WRONG, build_world
from opsdb.workflows import (
    NotFound,
    Refused,
    approve_deletion,
    claim_deletions,
    complete_deletion,
    explain_row,
    fail_deletion,
    get_overview,
    list_queues,
    record_fixity,
    reject_deletion,
    release_staging,
    request_deletion,
    request_staging,
    schedule_deletion,
)
from tests.workflows.explaining import check
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    """An observatory with an archived package."""
    world = build_world()
    world.package = world.archived_package()
    return world


def test_a_copy_is_explained_by_the_rule_that_holds_it_back(world):
    [package] = world.made_packages()
    copy = world.copy(package, world.ccat_buffer)
    check(copy, "^manager$", "bundle the packages", "deletion rule 2", "waiting, not archived")
    file = world.copy(package.raw_data_files.first(), world.source)
    check(file, "^manager$", "bundle the packages", "deletion rule 2")
    [single] = world.register(world.observe(), files=1)
    check(world.copy(single, world.source), "^manager$", "package the files", "deletion rule 2", "is in no raw data")


def test_a_copy_in_an_archive_stays(world):
    package = world.package
    copy = world.copy(package, world.us_archive)
    check(copy, "^nobody$", "nothing", "deletion rule 1", "permanent", done=True)
    record_fixity(copy, WRONG)
    check(copy, "^operator$", "replace it by a good copy: plan its repair", "deletion rule 1", state="corrupt")


def test_a_copy_waits_for_the_end_of_its_retention(world):
    DataLocation.objects.filter(pk=world.ccat_buffer.pk).update(retention_days=14)
    package = world.package
    copy = world.copy(package, world.ccat_buffer)
    answer = check(copy, "^manager$", "wait until ", "deletion rule 5", "14 days")
    assert f"{copy.arrived_at + timedelta(days=14):%Y-%m-%d}" in answer.next_step
    DataLocation.objects.filter(pk=world.ccat_buffer.pk).update(retention_days=None)
    check(copy, "^operator$", "request its deletion, overriding the retention", "keeps its data")


class TestRequestedDeletion:
    """A copy whose deletion somebody has asked for says so, and waits for who decides and for who executes it."""

    @pytest.fixture
    def asked(self, world):
        DataLocation.objects.filter(pk=world.ccat_buffer.pk).update(retention_days=14)
        copy = world.copy(world.package, world.ccat_buffer)
        person, other = UserFactory(superuser=True), UserFactory(superuser=True)
        found = request_deletion(
            world.ccat_buffer, [copy], user=person, reason="full", overrides_retention=True, dry_run=False
        )
        return copy, found.request, other

    def test_waits_for_another_person(self, asked):
        copy, request, _other = asked
        name = f"deletion_request {request.pk}"
        answer = check(
            copy, "^approver$", f"approve {name}", "deletion rule 5", f"{name}: {request.requested_by} asked"
        )
        assert answer.state == "present" and f"as another person than {request.requested_by}" in answer.next_step

    def test_waits_for_who_executes_it_once_it_is_approved(self, asked):
        copy, request, other = asked
        approve_deletion(request, user=other)
        said = f"deletion_request {request.pk}: was approved at ", f" by {other}, and not executed yet"
        answer = check(
            copy, "^operator$", f"execute deletion_request {request.pk}", "no rule blocks its deletion", *said
        )
        assert "opsdb.execute_deletionrequest" in answer.who_in_words

    def test_waits_for_its_retention_when_it_is_rejected(self, asked):
        copy, request, other = asked
        reject_deletion(request, user=other)
        assert "deletion_request" not in " ".join(check(copy, "^manager$", "wait until ", "deletion rule 5").why)

    @pytest.mark.parametrize("days", [0, 14], ids=["may go anyhow", "held back by another rule"])
    def test_is_mentioned_where_something_else_comes_first(self, world, asked, days):
        copy, request, other = asked
        DataLocation.objects.filter(pk=world.ccat_buffer.pk).update(retention_days=days)
        if days:
            request_staging(location=world.processing, packages=[copy.raw_data_package], user=other, purpose="look")
            PhysicalCopy.objects.filter(raw_data_package=copy.raw_data_package).exclude(pk=copy.pk).update(
                verification="unverified", verified_at=None
            )
        answer = check(copy, "^(manager|operator|worker at)", "", f"deletion_request {request.pk}: ")
        assert "approve" not in answer.next_step


def test_a_copy_that_a_job_needs_waits_for_its_release(world):
    package = world.package
    job = world.staged(package)
    copy = world.copy(package, world.processing)
    check(copy, "^manager$", f"release staging_job {job.pk}", "deletion rule 4")
    request_staging(location=world.processing, packages=[package], purpose="spectra")
    check(copy, "worker at queue cologne_ramses_staging", "claim it", "deletion rule 3")


def test_a_copy_is_explained_on_its_way_out(world, settings):
    package = world.package
    release_staging(world.staged(package))
    copy = world.copy(package, world.processing)
    check(copy, "^manager$", "schedule its deletion", "no rule blocks its deletion")
    schedule_deletion(copy)
    queue = "worker at queue cologne_ramses_deletion"
    check(copy, queue, "delete its bytes", state="deletion_scheduled")
    claim_deletions(world.processing, limit=1)
    check(copy, queue, "complete the deletion", state="deletion_in_progress")
    settings.OPSDB_STALLED_AFTER_SECONDS = 0
    check(copy, "^operator$", "see whether the worker is alive", "has not reported since")
    [trouble] = get_overview().stalled
    assert (trouble.row, trouble.message) == (f"physical_copy {copy.pk}", "deletion at cologne/ramses")
    assert {queue.name: queue.stalled for queue in list_queues() if queue.stalled} == {"cologne_ramses_deletion": 1}
    copy.refresh_from_db()
    fail_deletion(copy, message="read-only")
    check(copy, "^operator$", "schedule its deletion again", "read-only", state="deletion_failed")
    schedule_deletion(copy)
    claim_deletions(world.processing, limit=1)
    complete_deletion(copy)
    check(copy, "^nobody$", "nothing", "was deleted at cologne/ramses", done=True)


def test_a_missing_copy_is_for_an_operator(world):
    [package] = world.made_packages()
    copy = world.copy(package, world.ccat_buffer)
    PhysicalCopy.objects.filter(pk=copy.pk).update(status=PhysicalCopyStatus.MISSING)
    check(copy, "^operator$", "find them", "were not found at ccat/buffer", state="missing")


def test_what_needs_no_explanation_is_refused(world):
    with pytest.raises(Refused, match="nothing to explain"):
        explain_row(ObservingProgramFactory())
    with pytest.raises(NotFound):
        explain_row(RawDataPackage(pk=uuid.uuid4()))
