"""What other programs report: names, paths, checksums, sizes and times as they write them."""

import json
import os
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from opsdb.database.identifiers import uuid7
from opsdb.models import ChangeLog, DataLocation, ExecutedObsUnit, PhysicalCopy, RawDataFile, Telescope
from opsdb.testing.factories import InstrumentModuleFactory, ObsUnitFactory, RawDataFileFactory, UserFactory
from opsdb.testing.nights import FILE_BYTES, build_world
from opsdb.workflows import (
    CopyReport,
    ListedFile,
    NotFound,
    OpsdbError,
    ReconciliationAborted,
    Refused,
    RegistrationRefused,
    correct_observation,
    explain_row,
    find_row,
    finish_observation,
    get_overview,
    reconcile_location,
    record_fixity,
    register_raw_data_files,
    start_observation,
    validate_topology,
)
from tests.plans import plan_of
from tests.workflows.scenario_deletion import RIGHT, SIZE, WRONG, tell_story
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db

LATIN_1 = os.fsdecode(b"a/Mu\xf1oz.fits")
LARGEST = 10**15


@shared_world
def world():
    return build_world()


@pytest.fixture
def story():
    return tell_story()


@pytest.fixture
def report(world):
    """Make a report of a file that is right but for what is given."""
    execution = world.observe()

    def make(path="good.fits", **facts):
        return {
            "executed_obs_unit": execution.pk,
            "instrument_module": world.module.pk,
            "source_location": world.source.pk,
            "relative_path": path,
            "size_bytes": FILE_BYTES,
            "checksum": RIGHT,
            **facts,
        }

    return make


def refused_line(*reports):
    with pytest.raises(RegistrationRefused) as refused:
        register_raw_data_files(reports)
    assert not RawDataFile.objects.exists()
    [(line, problem)] = refused.value.problems
    assert line == len(reports)
    return problem


def compare(location, listing, **options):
    return reconcile_location(location, listing, **{"abort_threshold": 1, "minimum_age": timedelta(0)} | options)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"relative_path": LATIN_1}, r"'a/Mu\xf1oz.fits' contains bytes that are not UTF-8"),
        ({"relative_path": "a\0b"}, r"'a\x00b' contains NUL"),
        ({"file_type": "fi\0ts"}, "file_type"),
        ({"checksum": RIGHT[:-1] + "\udcf1"}, "checksum"),
        ({"observed_at": "infinity"}, "observed_at infinity is no time"),
        ({"observed_at": datetime(2026, 6, 15)}, "has no time zone; give it in UTC, such as 2026-06-15T00:00:00+00:00"),
        ({"observed_at": "2026-06-15 02:00"}, "has no time zone"),
        ({"observed_at": "2026-06-15"}, "has no time zone"),
        ({"observed_at": timezone.now() + timedelta(days=200)}, "is in the future; set the clock"),
        ({"relative_path": "a/" + "山" * 990}, "has 2972 bytes in UTF-8; give one of at most 2600"),
        ({"size_bytes": 2**63 - 1}, "is more than 1 PB"),
        ({"checksum": f"md5:{'0' * 32}"}, "checksum names the algorithm md5, but checksum_algorithm is sha256"),
    ],
    ids=lambda value: value if isinstance(value, str) else ascii(next(iter(value))),
)
def test_a_row_that_cannot_be_is_refused_with_its_line(report, facts, said):
    assert said in refused_line(report(), report("other.fits", **facts))
    answer = explain_row(ExecutedObsUnit.objects.get())
    assert answer.why[-1].endswith("no file of it is registered")
    assert (answer.done, answer.next_step) == (False, "register the files, if it took data")


def test_a_name_on_disk_that_is_not_utf_8_stops_no_reconciliation(story):
    listing = [(copy.target.relative_path, None, None) for copy in PhysicalCopy.objects.at(story.buffer)]
    found = compare(story.buffer, [*listing, ListedFile(LATIN_1), ("a\0b", 1, None), ("a/\ud800", 1, None)])
    assert (found.missing, found.unknown) == (0, 3)
    assert found.unknown_paths == [r"a/Mu\xf1oz.fits", r"a/\ud800", r"a\x00b"]
    with pytest.raises(OpsdbError, match="entry 2 of the listing can't be read: None is no path"):
        compare(story.buffer, [("a", None, None), (None, None, None)])
    with pytest.raises(OpsdbError, match="entry 1 of the listing"):
        compare(story.buffer, [("a", "large", None)])


def test_the_command_names_the_line_of_a_name_that_is_not_utf_8(report, tmp_path):
    path = tmp_path / "list.jsonl"
    rows = [report(), report(LATIN_1)]
    path.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
    with pytest.raises(CommandError, match=r"line 2.*a/Mu\\xf1oz.fits"):
        call_command("opsdb_register", str(path))


@pytest.mark.parametrize("wrap", ["{}", "  {} ", "sha256:{}", "SHA-256={}", "{{SHA256}}{}"])
@pytest.mark.parametrize("fold", [str, str.upper])
def test_checksums_are_understood_however_they_are_written(story, wrap, fold):
    written = wrap.format(fold(RIGHT))
    path = story.package.relative_path
    assert compare(story.buffer, [(path, SIZE, written)]).differing == 0
    assert compare(story.buffer, [(path, SIZE, wrap.format(fold(WRONG)))]).differing == 1
    assert record_fixity(story.package_copy, written).ok
    reported = CopyReport(story.package, written)
    assert (reported.checksum, reported.checksum_algorithm) == (RIGHT, "sha256")
    assert "checksum" not in " ".join(explain_row(story.package_copy).why)


def test_registration_understands_checksums_too(report):
    register_raw_data_files([report(checksum=f"SHA256:{RIGHT.upper()}")])
    assert RawDataFile.objects.get().checksum == RIGHT


def test_another_algorithm_or_none_in_a_listing_is_no_difference(story):
    path = story.package.relative_path
    for checksum in ("0" * 32, f"md5:{'0' * 32}", f"sha512:{RIGHT}"):
        found = compare(story.buffer, [(path, SIZE, checksum)])
        assert (found.differing, found.incomparable) == (0, 1)
    found = compare(story.buffer, [(path, SIZE, "")])
    assert (found.differing, found.incomparable) == (0, 0)
    with pytest.raises(OpsdbError, match="md5 checksum can't be compared"):
        record_fixity(story.package_copy, f"md5:{'0' * 32}")
    with pytest.raises(OpsdbError, match="no checksum is given; give the computed one, or record that"):
        record_fixity(story.package_copy, "")


@pytest.mark.parametrize("written", ["./a/b.fits", "/a/b.fits", " a/b.fits ", ".//a/b.fits", "a/b.fits\n"])
def test_a_path_is_the_same_however_it_is_written(world, report, written):
    register_raw_data_files([report(written)])
    file = RawDataFile.objects.get()
    assert file.relative_path == "a/b.fits"
    assert find_row(written) == file
    assert explain_row(written).subject == f"raw_data_file {file.pk}"
    assert compare(world.source, [(written, None, None)]).unknown == 0
    assert register_raw_data_files([report("a/b.fits")]).known == 1


def test_a_listing_of_another_folder_is_told_so(story):
    paths = [copy.target.relative_path for copy in PhysicalCopy.objects.at(story.buffer)]
    with pytest.raises(ReconciliationAborted, match="missing copy with 'buffer/x/' before it"):
        compare(story.buffer, [(f"buffer/x/{path}", None, None) for path in paths], abort_threshold=0)
    found = compare(story.buffer, [(path.upper(), None, None) for path in paths])
    assert "other letter case" in found.advice
    found = compare(story.buffer, [(path.rpartition("/")[2], None, None) for path in paths])
    assert "before it" in found.advice or "/" not in paths[0]
    assert compare(story.buffer, [("stray", None, None)]).advice == ""


def test_a_file_of_another_instrument_or_at_a_place_out_of_use_is_refused(world, report):
    other = InstrumentModuleFactory()
    problem = refused_line(report(instrument_module=other.pk))
    assert f"module {other.name} belongs to {other.instrument.name}, but ccat/chai to" in problem
    with pytest.raises(IntegrityError, match="does not belong to"), transaction.atomic():
        RawDataFile.objects.create(
            executed_obs_unit=world.observe(),
            instrument_module=other,
            source_location=DataLocation.objects.get(pk=world.source.pk),
            relative_path="x",
            size_bytes=1,
            checksum=RIGHT,
        )
    DataLocation.objects.filter(pk=world.source.pk).update(active=False)
    assert "is inactive; register files at an active location" in refused_line(report())
    assert explain_row(ExecutedObsUnit.objects.last()).next_step == "register the files, if it took data"


def test_a_file_larger_than_its_location_is_refused(world, report):
    DataLocation.objects.filter(pk=world.source.pk).update(capacity_bytes=10_000)
    assert "is more than ccat/chai holds, 10000" in refused_line(report(size_bytes=10_001))


def test_sums_of_absurd_sizes_stop_nothing(world, report, capsys):
    """As many bytes as no bigint holds."""
    number = 2**63 // LARGEST + 2
    register_raw_data_files(report(f"{n}.fits", size_bytes=LARGEST) for n in range(number))
    place = next(one for one in get_overview().locations if one.id == world.source.pk)
    assert place.volume_bytes == world.source.held_bytes() == number * LARGEST
    call_command("opsdb_status")
    RawDataFile.objects.update(size_bytes=1)
    PhysicalCopy.objects.update(size_bytes=1)
    assert world.source.held_bytes() == number
    with pytest.raises(IntegrityError, match="size_bytes_possible"), transaction.atomic():
        PhysicalCopy.objects.update(size_bytes=LARGEST + 1)


def test_more_than_a_location_can_hold_is_named_and_lets_nothing_go(world, report, capsys):
    DataLocation.objects.filter(pk=world.source.pk).update(
        capacity_bytes=10_000, deletion_threshold_percent=80, retention_days=900
    )
    register_raw_data_files([report(size_bytes=9_000)])
    copy = PhysicalCopy.objects.get()
    assert explain_row(copy).subject == f"physical_copy {copy.pk}"
    from opsdb.database.functions import LocationIsFull

    full = DataLocation.objects.annotate(full=LocationIsFull("pk")).filter(pk=world.source.pk, full=True)
    assert full.exists()
    PhysicalCopy.objects.update(size_bytes=LARGEST)
    assert not full.exists()
    problem = next(one for one in validate_topology() if one.subject == "location ccat/chai" and "holds" in one.problem)
    assert "more than its capacity of 10,000" in problem.problem
    call_command("opsdb_status")
    assert "more than its capacity: see opsdb_check" in capsys.readouterr().out


def test_no_file_was_observed_in_the_future(report):
    register_raw_data_files([report(observed_at=timezone.now())])
    later = timezone.now() + timedelta(days=200)
    with pytest.raises(IntegrityError, match="cannot have been observed at .*, which is in the future"):
        RawDataFile.objects.update(observed_at=later)


def test_no_file_was_observed_before_first_light(world, report):
    register_raw_data_files([report(observed_at=timezone.now())])
    Telescope.objects.update(first_light="2025-04-01")
    refusal, early = "before the first light of the telescope", datetime(1970, 1, 1, tzinfo=UTC)
    with pytest.raises(RegistrationRefused, match=refusal):
        register_raw_data_files([report("early.fits", observed_at=early)])
    with pytest.raises(IntegrityError, match=refusal), transaction.atomic():
        RawDataFile.objects.update(observed_at=early)
    file = RawDataFile.objects.get()
    file.pk, file.relative_path, file.observed_at = uuid7(), "early.fits", early
    with pytest.raises(IntegrityError, match=refusal), transaction.atomic():
        RawDataFile.objects.bulk_create([file])


def test_an_execution_is_neither_in_the_future_nor_before_first_light(world):
    now = timezone.now()
    with pytest.raises(Refused, match="which is in the future.* Set the clock"):
        start_observation(world.unit, start_time=now + timedelta(minutes=6))
    running = world.observe(running=True)
    with pytest.raises(Refused, match="cannot have ended at .*, which is in the future"):
        finish_observation(running.pk, end_time=now + timedelta(days=1))
    start_observation(world.unit, start_time=now + timedelta(minutes=4))
    Telescope.objects.update(first_light="2025-04-01")
    with pytest.raises(Refused, match="before the first light of the telescope on 2025-04-01"):
        start_observation(world.unit, start_time=datetime(1970, 1, 1, tzinfo=now.tzinfo))
    with pytest.raises(IntegrityError), transaction.atomic():
        ExecutedObsUnit.objects.create(obs_unit=world.unit, start_time=now + timedelta(days=9))


def test_an_operator_corrects_an_execution_with_a_reason_that_history_keeps(world):
    [package] = world.made_packages()
    execution, user, other = package.executed_obs_unit, UserFactory(), ObsUnitFactory()
    before = execution.start_time
    right = before - timedelta(days=10)
    terms = {"start_time": right, "end_time": right + timedelta(minutes=30), "obs_unit": other}
    with pytest.raises(IntegrityError, match="cannot be changed once set"), transaction.atomic():
        ExecutedObsUnit.objects.filter(pk=execution.pk).update(start_time=right)
    correct_observation(execution, user=user, reason="the clock was ten days ahead", **terms)
    assert (execution.start_time, execution.obs_unit_id) == (right, other.pk)
    change = ChangeLog.objects.of(execution).first()
    assert (change.user_id, change.reason) == (user.pk, "the clock was ten days ahead")
    assert change.before["start_time"].startswith(f"{before:%Y-%m-%d}")
    correct_observation(execution, user=user, reason="again", **terms)
    files = RawDataFile.objects.of(execution)
    files.update(observed_at=right + timedelta(days=7))
    for _ in range(2):
        correct_observation(
            execution,
            user=user,
            reason="the instrument's clock as well",
            start_time=right - timedelta(days=2),
            with_files=True,
        )
        assert set(files.values_list("observed_at", flat=True)) == {right + timedelta(days=5)}, "moved once"
    correct_observation(execution, user=user, reason="back", **terms)
    assert ChangeLog.objects.of(files.first()).first().reason == "the instrument's clock as well"
    for bad, said in (
        ({"reason": " ", **terms}, "give the reason"),
        ({"reason": "x"}, "give what is right"),
        (
            {"reason": "x", "end_time": terms["end_time"], "with_files": True},
            "move with its start, .*; give start_time",
        ),
        ({"reason": "x", "start_time": datetime(2026, 6, 1)}, "has no time zone; give it in UTC"),
        ({"reason": "x", "start_time": right + timedelta(days=1)}, "correct both"),
        ({"reason": "x", "start_time": timezone.now() + timedelta(days=1), "end_time": None}, "correct both"),
    ):
        with pytest.raises(OpsdbError, match=said):
            correct_observation(execution, user=user, **bad)
    with pytest.raises(NotFound):
        correct_observation(ExecutedObsUnit(), user=user, **{"reason": "x", **terms})
    running = world.observe(running=True)
    with pytest.raises(Refused, match="is still running"):
        correct_observation(running, user=user, reason="x", end_time=timezone.now())
    with pytest.raises(Refused, match="in the future"):
        correct_observation(running, user=user, reason="x", start_time=timezone.now() + timedelta(days=1))


def test_files_follow_a_start_that_was_corrected_without_them(world):
    execution, day = world.observe(), timedelta(days=1)
    first = execution.start_time
    early = RawDataFileFactory(executed_obs_unit=execution, observed_at=first)
    untimed = RawDataFileFactory(executed_obs_unit=execution, observed_at=None)

    def correct(start, **terms):
        correct_observation(execution, user=None, reason="the clock", start_time=start, **terms)
        return [file.observed_at for file in RawDataFile.objects.of(execution).order_by("created_at")]

    assert correct(first - 3 * day) == [first, None]
    assert correct(first - 4 * day) == [first, None]
    RawDataFileFactory(executed_obs_unit=execution, observed_at=first - 4 * day)
    moved = [first - 4 * day, None, first - 4 * day]
    for _ in range(2):
        assert correct(first - 4 * day, with_files=True) == moved, "once, and not what came with the right time"
    assert correct(first - 5 * day, with_files=True) == [first - 5 * day, None, first - 5 * day]
    assert [file.pk for file in RawDataFile.objects.of(execution).filter(observed_at=None)] == [untimed.pk]
    changes = ChangeLog.objects.of(early)
    assert {change.reason for change in changes if change.operation == "update"} == {"the clock"}


def test_files_that_follow_a_start_cost_few_statements_and_only_the_months_since(world):
    execution = world.observe()
    RawDataFileFactory.create_batch(3, executed_obs_unit=execution, observed_at=execution.start_time)

    def read_log(start):
        with CaptureQueriesContext(connection) as queries:
            correct_observation(execution, user=None, reason="the clock", start_time=start, with_files=True)
        return [query["sql"] for query in queries if "FROM change_log" in query["sql"]]

    assert len(read_log(execution.start_time)) == 1, "there is no correction to follow"
    read = read_log(execution.start_time - timedelta(days=1))
    assert len(read) == 2
    for statement in read:
        months = set(re.findall(r"\bon (change_log_\d+_\d+)", plan_of(statement)))
        assert months and months <= {f"change_log_{moment:%Y_%m}" for moment in (execution.created_at, timezone.now())}
