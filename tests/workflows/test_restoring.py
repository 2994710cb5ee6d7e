"""Bytes that come back after their deletion, and products that are made again."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from opsdb.models import ChangeLog, DataRelease, PhysicalCopy, RunStatus, Verification
from opsdb.testing.factories import (
    DataReleaseFactory,
    ExecutedReductionStepFactory,
    PipelineFactory,
    RawDataFileFactory,
    RawDataPackageFactory,
    StagingJobFactory,
    UserFactory,
)
from opsdb.testing.factories.verifying import verify
from opsdb.workflows import (
    InvalidTransition,
    NotFound,
    OpsdbError,
    RawFileReport,
    Refused,
    Registration,
    cancel_run,
    fail_fixity,
    plan_runs,
    reconcile_location,
    record_fixity,
    register_raw_data_files,
    remake_product,
    restore_copy,
)
from tests.workflows.explaining import check
from tests.workflows.reducing import available, completed, go, make_step, product
from tests.workflows.scenario_deletion import WRONG, force, long_ago, tell_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story():
    return tell_story()


def state_of(copy):
    copy.refresh_from_db()
    return copy.status, copy.verification, copy.verified_at, copy.deleted_at


BACK = ("present", Verification.UNVERIFIED, None, None)


def report_of(file):
    return RawFileReport(
        executed_obs_unit=file.executed_obs_unit_id,
        instrument_module=file.instrument_module_id,
        source_location=file.source_location_id,
        relative_path=file.relative_path,
        size_bytes=file.size_bytes,
        checksum=file.checksum,
    )


def delete(copy):
    return force(copy, status="deleted", deleted_at=long_ago(), arrived_at=long_ago())


@pytest.mark.parametrize("status", ["deleted", "missing"])
def test_a_file_that_is_registered_again_is_back_and_unverified(story, status):
    before = verify(story.file_copy).arrived_at
    force(story.file_copy, status=status, deleted_at=long_ago() if status == "deleted" else None, failure_message="x")
    assert register_raw_data_files([report_of(story.file)]) == Registration(created=0, known=0, returned=1)
    assert state_of(story.file_copy) == BACK
    assert story.file_copy.failure_message == ""
    assert story.file_copy.arrived_at > before
    assert register_raw_data_files([report_of(story.file)]) == Registration(created=0, known=1, returned=0)
    assert record_fixity(story.file_copy, story.file.checksum).ok


def test_a_file_that_is_corrupt_or_going_does_not_come_back_by_a_report(story):
    for status in ("corrupt", "deletion_in_progress"):
        force(story.file_copy, status=status)
        assert register_raw_data_files([report_of(story.file)]).returned == 0
        assert state_of(story.file_copy)[0] == status


def test_another_file_under_the_path_does_not_bring_the_old_one_back(story):
    delete(story.file_copy)
    report = report_of(story.file)
    report.checksum = WRONG
    with pytest.raises(OpsdbError, match="was registered with checksum"):
        register_raw_data_files([report])
    assert state_of(story.file_copy)[0] == "deleted"


def test_the_command_says_what_is_back(story, tmp_path, capsys):
    delete(story.file_copy)
    report = report_of(story.file)
    columns = ("executed_obs_unit", "instrument_module", "source_location", "relative_path", "size_bytes", "checksum")
    path = tmp_path / "again.csv"
    path.write_text("\n".join([",".join(columns), ",".join(str(getattr(report, column)) for column in columns)]))
    call_command("opsdb_register", str(path))
    assert capsys.readouterr().out == "0 files registered, 1 were deleted or missing and are back, unverified.\n"


def test_an_operator_brings_any_copy_back_with_a_reason(story):
    user = UserFactory()
    for copy in story.deletable_copies:
        delete(copy)
        restore_copy(copy, user=user, reason="restored from the snapshot of Monday")
        assert state_of(copy) == BACK
        change = ChangeLog.objects.of(copy).first()
        assert (change.user_id, change.reason) == (user.pk, "restored from the snapshot of Monday")
        assert restore_copy(copy, user=user, reason="again").status == "present"
    with pytest.raises(OpsdbError, match="give the reason"):
        restore_copy(story.file_copy, user=user, reason=" ")
    with pytest.raises(InvalidTransition):
        restore_copy(force(story.file_copy, status="corrupt"), user=user, reason="x")
    with pytest.raises(NotFound):
        restore_copy(PhysicalCopy(pk=987654321), user=user, reason="x")


def test_a_copy_that_was_wrong_before_its_deletion_is_only_unverified_when_it_is_back(story):
    record_fixity(story.package_copy, WRONG)
    delete(story.package_copy)
    restore_copy(story.package_copy, user=None, reason="sent again")
    assert state_of(story.package_copy) == BACK


def test_a_listing_names_what_came_back_and_not_as_unknown(story):
    delete(story.package_copy)
    delete(story.file_copy)
    terms = {"abort_threshold": 1, "minimum_age": timedelta(days=1)}
    paths = [(story.package.relative_path, None, None), ("stray", None, None)]
    found = reconcile_location(story.buffer, paths, **terms)
    assert (found.returned, found.unknown, found.unknown_paths) == (1, 1, ["stray"])
    assert found.returned_copies == [(story.package_copy.pk, story.package.relative_path)]
    at_source = reconcile_location(story.source, [(story.file.relative_path, None, None)], **terms)
    assert at_source.returned_copies == [(story.file_copy.pk, story.file.relative_path)]


def test_a_listing_older_than_a_deletion_finds_nothing_back(story):
    force(story.package_copy, status="deleted", deleted_at=story.package_copy.arrived_at)
    terms = {"abort_threshold": 1, "minimum_age": timedelta(days=1)}
    found = reconcile_location(story.buffer, [(story.package.relative_path, None, None)], **terms)
    assert (found.returned, found.unknown) == (0, 0)


def test_a_missing_copy_is_explained_by_what_can_be_done(story):
    fail_fixity(story.package_copy, message="no such file", absent=True)
    check(story.package_copy, "^operator$", "bring the copy back", "no such file", state="missing")
    assert "write it off" in check(story.package_copy, "^operator$", "").next_step
    force(story.archive_copy, status="corrupt", verification="mismatch")
    answer = check(story.package_copy, "^operator$", "bring the copy back", "deletion rule 2")
    assert "or write it off" not in answer.next_step


@pytest.fixture
def pipeline():
    return PipelineFactory()


@pytest.fixture
def made(pipeline):
    """A released product of a completed run, with its only copy."""
    available(pipeline)
    [run] = plan_runs(make_step(pipeline))
    [made] = completed(run, "map.fits")
    DataReleaseFactory().products.add(made)
    return made


def lose(product, status="corrupt"):
    copy = product.copies.get()
    if status == "corrupt":
        record_fixity(copy, WRONG)
    else:
        fail_fixity(copy, message="no such file", absent=True)
    return copy


@pytest.mark.parametrize("status", ["corrupt", "missing"])
def test_a_released_product_that_cannot_be_read_is_not_done(made, status):
    release = DataRelease.objects.get()
    copy = lose(made, status)
    answer = check(
        made,
        "^operator$",
        f"make it again, as executed_reduction_step {made.run_id} did",
        f"data_product {made.pk}: no copy of it can be read, and it is in data_release {release.pk}",
        state="lost",
    )
    assert f"({status})" in answer.next_step
    check(copy, "^operator$", f"executed_reduction_step {made.run_id}", "deletion rule 2", state=status)


def test_what_the_explanation_names_makes_the_product_again(made, pipeline):
    lose(made)
    run = remake_product(made)
    assert (run.step_id, run.sub_group_key, run.software_version_id) == (
        made.run.step_id,
        made.run.sub_group_key,
        made.run.software_version_id,
    )
    assert list(run.input_packages.all()) == list(made.run.input_packages.all())
    check(made, "^manager$", "start the run", f"executed_reduction_step {run.pk} makes it again", state="lost")
    with pytest.raises(Refused, match="is open for the same sub-group"):
        remake_product(made)
    [again] = completed(run, "map.fits")
    made.refresh_from_db()
    assert made.superseded_by_id == again.pk
    release = DataRelease.objects.get()
    check(made, "^operator$", f"put data_product {again.pk} there", f"data_release {release.pk} still holds it")
    release.products.set([again])
    check(made, "^nobody$", "nothing", state="superseded", done=True)


def test_a_product_comes_back_when_its_run_registers_it_again(pipeline):
    available(pipeline)
    [run] = plan_runs(make_step(pipeline))
    go(run, RunStatus.RUNNING)
    made = product(run)
    go(run, RunStatus.COMPLETED)
    copy = delete(made.copies.get())
    assert product(run) == made
    assert state_of(copy) == BACK


def test_a_product_whose_inputs_are_lost_cannot_be_made_again(made):
    package = made.run.input_packages.get()
    force(package.copies.get(), status="missing")
    lose(made)
    lost = f"no copy of raw_data_package {package.pk} can be read"
    check(made, "^operator$", "ask for its bytes", lost, state="lost")
    with pytest.raises(Refused, match="bring that back first"):
        remake_product(made)


def test_what_can_be_read_is_not_made_again(made):
    check(made, "^nobody$", "nothing", state="made", done=True)
    with pytest.raises(Refused, match="a copy of it can be read"):
        remake_product(made)
    lose(made)
    cancel_run(remake_product(made), reason="by mistake")
    assert remake_product(made).status == RunStatus.PENDING


def test_a_restored_copy_is_verified_by_the_check_that_follows(made):
    copy = lose(made, "missing")
    restore_copy(copy, user=None, reason="found on another disk")
    assert record_fixity(copy, made.checksum).ok
    check(made, "^nobody$", "nothing", state="made", done=True)


@pytest.mark.parametrize("kind", ["run", "staging_job"])
def test_what_waits_for_a_lost_product_is_told_what_can_be_done_about_it(made, kind):
    waiting = ExecutedReductionStepFactory() if kind == "run" else StagingJobFactory()
    (waiting.input_products if kind == "run" else waiting.data_products).add(made)
    back = f"bring a copy of data_product {made.pk} back (“Bring back” in the admin"
    again = f"make data_product {made.pk} again (“Make again” in the admin"
    replaced = f"replace the bytes of a corrupt copy of data_product {made.pk}"
    kept = f"keep a copy of data_product {made.pk} (“Cancel deletion” in the admin"
    given_up = "cancel the run (“Cancel run”" if kind == "run" else "release the job (“Release”"

    def steps(**state):
        force(made.copies.get(), **state)
        step = check(waiting, "^operator$", given_up, f"no copy of data_product {made.pk} can be read").next_step
        return {text for text in (back, again, replaced, kept) if text in step}

    assert steps(status="corrupt") == {again, replaced}
    assert steps(status="missing") == {back, again}
    assert steps(status="deletion_failed", failure_message="x") == {kept, again}
    force(made.run.input_packages.get().copies.get(), status="missing")
    assert steps(status="missing") == {back}
    assert steps(status="corrupt") == {replaced}


def test_what_waits_for_a_package_without_a_tar_is_told_who_makes_that():
    run = ExecutedReductionStepFactory()
    package = RawDataPackageFactory()
    run.input_packages.add(package)
    RawDataFileFactory(
        raw_data_package=package,
        executed_obs_unit=package.executed_obs_unit,
        instrument_module=package.instrument_module,
    )
    check(run, "^worker at queue .*raw_data_package_creation", "claim it", "can be read", "making its tar")
