"""The whole story, from a scheduled unit to a publication and the deletion of what may go."""

from datetime import date, timedelta
from io import StringIO
from itertools import pairwise
from unittest import mock

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from opsdb.demonstration import Demonstration, scheduling
from opsdb.demonstration.facts import ORIGIN
from opsdb.demonstration.furnishing import semesters
from opsdb.demonstration.in_progress import OBSERVATIONS
from opsdb.demonstration.nights import Night, prepare_ahead
from opsdb.demonstration.scheduling import J2000, NightPlanner, elevation, sidereal_hours
from opsdb.demonstration.setting import CannotDemonstrate, DemoSetting
from opsdb.models import (
    ChangeLog,
    DataLocation,
    DataProduct,
    DeletionPolicy,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LocationType,
    LongTermArchiveTransfer,
    ObsCore,
    ObservationStatus,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    PreScheduledSlot,
    Publication,
    RawDataFile,
    RawDataPackage,
    Role,
    RunStatus,
    StagingJob,
    Status,
    TimeAllocation,
    Verification,
    WorkStage,
)
from opsdb.models.enums import StateChoices
from opsdb.testing.factories import ExecutedObsUnitFactory
from opsdb.workflows import attributed, count_stage_failures, measure_volumes
from tests.commands import ROOT
from tests.databases import as_owner
from tests.obscore import assert_astropy_validates_a_votable, assert_values_hold_to_the_standard
from tests.worlds import shared_world

SCHEDULE = ROOT / "opsdb/reference/samples/fyst_timeline_2026-06-15.ecsv"
SEASON = ROOT / "opsdb/reference/samples/season_2026A.yaml"

pytestmark = pytest.mark.django_db


@shared_world
def stage():
    """Reference data and a schedule."""
    call_command("opsdb_init", verbosity=0)
    call_command("opsdb_load", "slots", str(SCHEDULE), program="WFS", create_missing=True, verbosity=0)


# Observations per night: as many as leave rows in every state, and fewer where states do not matter.
SHORT = 10
SHORTEST = 2


@pytest.fixture
def tidy(monkeypatch):
    """Nothing is under way at the end."""
    monkeypatch.setattr("opsdb.demonstration.simulation.InProgress.run", lambda self: None)


def test_one_night_from_schedule_to_publication_and_deletion(stage, tidy):
    done = Demonstration(seed=7, files=2, observations=20).run(1)

    executions = ExecutedObsUnit.objects.prefetch_related("module_configurations")
    assert len(executions) == done["observations"] == 20
    assert set(executions.values_list("obs_unit__slots__origin", flat=True)) >= {SCHEDULE.name, ORIGIN}
    assert {len(execution.module_configurations.all()) for execution in executions} == {1, 2}
    assert RawDataFile.objects.count() == done["raw files"]
    assert not RawDataFile.objects.unpackaged().exists()

    good = Q(
        copies__data_location__location_type=LocationType.LONG_TERM_ARCHIVE,
        copies__status=PhysicalCopyStatus.PRESENT,
        copies__verification=Verification.VERIFIED,
    )
    packages = RawDataPackage.objects.annotate(safe=Count("copies__data_location__site", filter=good, distinct=True))
    assert set(packages.values_list("state", "safe")) == {(PackageState.ARCHIVED, 2)}

    elsewhere = PhysicalCopy.objects.exclude(data_location__location_type=LocationType.LONG_TERM_ARCHIVE)
    raw = elsewhere.filter(data_product__isnull=True)
    assert set(raw.values_list("status", flat=True)) == {PhysicalCopyStatus.DELETED}
    assert raw.count() == done["copies deleted"]

    product = DataProduct.objects.get(name="map.fits")
    science = ExecutedObsUnit.objects.filter(
        obs_unit__source__type="constant_elevation", status=ObservationStatus.COMPLETED
    )
    assert set(Publication.objects.get().observations()) >= set(science)
    assert product in DataProduct.objects.filter(publications__isnull=True, releases__publications__isnull=False)

    trail = ChangeLog.objects.filter(table_name="physical_copy", row_id=str(raw.first().pk)).order_by("id")
    steps = [change.after["status"] for change in trail if "status" in (change.after or {})]
    assert steps[-3:] == ["deletion_scheduled", "deletion_in_progress", "deleted"]


def lacking_states():
    """The states in which no row is, by model and field."""
    return {
        f"{model.__name__}.{field.name}": lacking
        for model in apps.get_app_config("opsdb").get_models()
        for field in model._meta.local_fields
        if (states := StateChoices.of(field))
        and (lacking := {*states} - {*model._base_manager.values_list(field.name, flat=True)})
    }


def told(seed, nights=1):
    """Tell the story, and return what happened and the files."""
    with attributed(origin="the same story"):
        done = Demonstration(seed=seed, files=1, observations=SHORTEST).run(nights)
    files = RawDataFile.objects.order_by("relative_path")
    return done, list(files.values_list("relative_path", "checksum", "size_bytes", "executed_obs_unit__quality"))


def told_and_undone(seed, nights=1):
    with transaction.atomic():
        story = told(seed, nights)
        transaction.set_rollback(True)
    return story


def test_another_seed_tells_another_story(stage, tidy):
    assert told_and_undone(3) != told_and_undone(4)


@pytest.mark.django_db(transaction=True)
def test_the_same_seed_tells_the_same_story_also_when_a_night_is_observed_while_the_last_is_moved(stage, tidy):
    in_turn = told_and_undone(3, nights=2)
    assert told(3, nights=2) == in_turn
    slots = PreScheduledSlot.objects.filter(origin=ORIGIN)
    added = ChangeLog.objects.filter(
        table_name=PreScheduledSlot._meta.db_table, row_id__in=map(str, slots.values_list("pk", flat=True))
    )
    assert set(added.values_list("origin", flat=True)) == {"the same story"}
    assert not ExecutedObsUnit.objects.filter(status=ObservationStatus.RUNNING).exists()


def test_what_is_one_ahead_is_prepared_apart_but_not_within_a_transaction(transactional_db):
    def prepare(number):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return number, cursor.fetchone()[0]

    _, here = prepare(0)
    apart = list(prepare_ahead(prepare, [1, 2, 3]))
    assert [number for number, _ in apart] == [1, 2, 3]
    assert here not in {backend for _, backend in apart}
    with transaction.atomic():
        assert list(prepare_ahead(prepare, [1, 2])) == [(1, here), (2, here)]


def test_what_goes_wrong_ahead_is_told(transactional_db):
    with pytest.raises(ZeroDivisionError):
        list(prepare_ahead(lambda number: 1 / number, [1, 0]))


def test_another_telling_is_of_the_nights_before(stage, tidy):
    Demonstration(seed=1, files=1, observations=SHORTEST).run(1)
    Demonstration(seed=2, files=1, observations=SHORTEST).run(1)
    assert ExecutedObsUnit.objects.count() == 2 * SHORTEST
    assert not PhysicalCopy.objects.filter(raw_data_file__isnull=False, status=PhysicalCopyStatus.PRESENT).exists()


def test_command_prints_what_happened_and_leaves_every_state_of_every_row_under_way(stage, tmp_path):
    out = StringIO()
    call_command("opsdb_demo", nights=1, seed=7, files_per_observation=1, observations_per_night=SHORT, stdout=out)
    assert "observations" in out.getvalue() and "copies deleted" in out.getvalue()
    assert lacking_states() == {}
    # And the virtual observatory understands all of it.
    assert {*ObsCore.objects.values_list("calib_level", flat=True)} > {0}
    assert assert_values_hold_to_the_standard() == ObsCore.objects.count()
    assert_astropy_validates_a_votable(tmp_path)


def test_two_archive_copies_may_be_required(stage, settings):
    settings.OPSDB_MIN_ARCHIVE_COPIES = 2
    with as_owner():
        call_command("opsdb_migrate", verbosity=0)
    call_command("opsdb_demo", seed=5, files_per_observation=1, observations_per_night=SHORTEST, verbosity=0)
    assert DeletionPolicy.objects.get().min_archive_copies == 2
    assert PhysicalCopy.objects.filter(status=PhysicalCopyStatus.DELETED, raw_data_file__isnull=False).exists()
    assert lacking_states() == {}


def test_more_archive_copies_than_archives_are_refused(stage, settings):
    settings.OPSDB_MIN_ARCHIVE_COPIES = 3
    with pytest.raises(CommandError, match="OPSDB_MIN_ARCHIVE_COPIES is 3, but there are 2 active archives"):
        call_command("opsdb_demo")
    assert not ExecutedObsUnit.objects.exists()


def test_once_tells_nothing_where_there_are_observations(stage):
    ExecutedObsUnitFactory()
    out = StringIO()
    call_command("opsdb_demo", once=True, stdout=out)
    assert out.getvalue() == "Nothing to do: the database has observations already.\n"
    assert ExecutedObsUnit.objects.count() == 1


@pytest.mark.parametrize("text", ["0", "x", "-1", "1.5", "10001", "1" + "0" * 20])
def test_a_number_of_nights_is_named_when_it_is_none(text):
    with pytest.raises(CommandError, match=f"--nights: must be a whole number from 1 to 10000, not '{text}'"):
        call_command("opsdb_demo", f"--nights={text}")


def test_database_with_real_observations_is_refused(stage):
    ExecutedObsUnitFactory()
    with pytest.raises(CommandError, match="holds observations that are not of a demonstration"):
        call_command("opsdb_demo")
    assert ExecutedObsUnit.objects.count() == 1


def test_database_without_a_schedule_is_refused():
    with pytest.raises(CommandError, match="there is no schedule"):
        call_command("opsdb_demo")


def at_telescope(moment):
    """The mean solar time of a moment at the telescope, in hours."""
    return (moment.hour + moment.minute / 60 - 67.74 / 15) % 24


def test_work_is_dated_to_after_its_night_and_nights_are_at_night(stage, tidy):
    now = timezone.now()
    with as_owner():
        done = Demonstration(seed=7, files=1, observations=2).run(1, weeks=2)
    assert {at_telescope(each.start_time) > 20 or at_telescope(each.start_time) < 5 for each in executions()} == {True}
    nights = {(each.start_time - timedelta(hours=12)).date() for each in executions()}
    assert len(nights) == 15 and max(nights) >= (now - timedelta(days=3)).date()
    for transfer in LongTermArchiveTransfer.objects.select_related("raw_data_package__executed_obs_unit"):
        delay = transfer.finished_at - transfer.raw_data_package.executed_obs_unit.end_time
        assert timedelta(hours=3) < delay < timedelta(hours=40), transfer.raw_data_package
    kept = PhysicalCopy.objects.exclude(status=PhysicalCopyStatus.DELETED)
    at_disks = kept.filter(data_location__location_type__in=["source", "buffer"])
    assert {copy.arrived_at > now - timedelta(days=7, hours=1) for copy in at_disks} == {True}
    assert done["copies deleted"] == PhysicalCopy.objects.filter(status=PhysicalCopyStatus.DELETED).count() > 0
    # What was noted moved with the facts.
    start, end = now.date() - timedelta(days=30), now.date() + timedelta(days=1)
    for trend in measure_volumes(start, end):
        held = DataLocation.objects.get(pk=trend.id).held_bytes()
        assert trend.held_bytes == held
        assert len([day for day in trend.days if day.arrived_bytes]) > 10 or not held or "processing" in trend.location
    failures = {(one.stage, (max(nights) - one.day).days) for one in count_stage_failures(start, end)}
    assert {stage for stage, _ago in failures} == {WorkStage.TRANSFER, WorkStage.ARCHIVING}
    assert len(failures) <= 3
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D' AND NOT tgisinternal")
        assert cursor.fetchone() == (0,)


def executions():
    return ExecutedObsUnit.objects.order_by("start_time")


def test_time_is_allocated_and_used_now_and_there_are_users_of_every_role(stage, tidy):
    Demonstration(seed=7, files=1, observations=4).run(1)
    today = timezone.now().date()
    current = TimeAllocation.objects.filter(start_date__lte=today, end_date__gt=today).with_used_hours()
    assert {allocation.observing_program.short_name for allocation in current} >= {"WFS", "Cal", "GEco"}
    assert TimeAllocation.objects.with_used_hours().filter(used_hours__gt=0).exists()
    for role in Role.objects.all():
        assert role.user_set.filter(username=f"demo-{role.name}").exists()


@pytest.mark.parametrize(
    ("first", "last", "names"),
    [
        ("2026-03-01", "2026-08-31", ["2026A"]),
        ("2026-02-28", "2026-09-01", ["2025B", "2026A", "2026B"]),
        ("2026-12-31", "2027-01-01", ["2026B"]),
    ],
)
def test_semesters_begin_in_march_and_september(first, last, names):
    found = list(semesters(date.fromisoformat(first), date.fromisoformat(last)))
    assert [name for name, _start, _end in found] == names
    assert all(one[2] == following[1] for one, following in pairwise(found))


def test_sidereal_time_and_elevation():
    # Greenwich mean sidereal time at J2000.0, and after a mean sidereal day.
    assert sidereal_hours(J2000, 0) == pytest.approx(18.697374558)
    later = J2000 + timedelta(seconds=86164.0905)
    assert sidereal_hours(later, -67.5) == pytest.approx(18.697374558 - 4.5, abs=1e-4)
    assert elevation(84.9, -69.76, 84.9, -22.99) == pytest.approx(90 - (69.76 - 22.99))
    assert elevation(84.9, 0, 84.9 + 90, -22.99) == pytest.approx(0, abs=1e-9)


class TestTheTimeOfTheYear:
    """Which sources are up at night, the sidereal time decides."""

    @pytest.fixture
    def season(self, reference):
        """A season whose sources are up at some times of the year only, of which it is the worst."""
        call_command("opsdb_load", "all", str(SEASON), verbosity=0)
        setting, night = DemoSetting.find(), Night(1, date(2026, 11, 20), 0)

        def later(hours):
            return mock.patch.object(scheduling, "sidereal_hours", lambda *args: (sidereal_hours(*args) + hours) % 24)

        def blocks(hours):
            with later(hours):
                return len(NightPlanner(setting).plan(night))

        worst = min(range(24), key=blocks)
        assert blocks(worst) < OBSERVATIONS <= max(map(blocks, range(24)))
        with later(worst):
            yield

    def test_when_few_sources_are_up_there_are_rows_in_every_state_too(self, season):
        Demonstration(seed=1, files=1, observations=SHORT).run(1)
        for model in (RawDataPackage, LongTermArchiveTransfer, StagingJob):
            assert {Status.PENDING, Status.SCHEDULED, Status.IN_PROGRESS, Status.FAILED} <= states_of(model)
        assert states_of(ExecutedReductionStep) == set(RunStatus)

    def test_too_few_rows_are_no_demonstration(self, season):
        with pytest.raises(CannotDemonstrate, match=r"^runs: \d are too few .* demonstrate more nights"):
            Demonstration(seed=1, files=1, observations=1).run(1)


def states_of(model):
    return set(model.objects.values_list("status", flat=True))
