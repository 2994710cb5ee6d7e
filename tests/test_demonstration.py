"""The whole story, from a scheduled unit to a publication and the deletion of what may go."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Count, Q

from opsdb.demonstration import Demonstration
from opsdb.demonstration.facts import ORIGIN
from opsdb.demonstration.nights import prepare_ahead
from opsdb.models import (
    ChangeLog,
    DataProduct,
    DeletionPolicy,
    ExecutedObsUnit,
    LocationType,
    ObsCore,
    ObservationStatus,
    PackageState,
    PhysicalCopy,
    PhysicalCopyStatus,
    PreScheduledSlot,
    Publication,
    RawDataFile,
    RawDataPackage,
    Verification,
)
from opsdb.models.enums import StateChoices
from opsdb.testing.factories import ExecutedObsUnitFactory
from opsdb.workflows import attributed
from tests.commands import ROOT
from tests.databases import as_owner
from tests.obscore import assert_astropy_validates_a_votable, assert_values_hold_to_the_standard
from tests.worlds import shared_world

SCHEDULE = ROOT / "opsdb/reference/samples/fyst_timeline_2026-06-15.ecsv"

pytestmark = pytest.mark.django_db


@shared_world
def stage():
    """Reference data and a schedule."""
    call_command("opsdb_init", verbosity=0)
    call_command("opsdb_load", "slots", str(SCHEDULE), program="WFS", create_missing=True, verbosity=0)


SHORT = 10  # observations of a night


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
        done = Demonstration(seed=seed, files=1, observations=SHORT).run(nights)
    files = RawDataFile.objects.order_by("relative_path")
    return done, list(files.values_list("relative_path", "checksum", "size_bytes", "executed_obs_unit__quality"))


def told_and_undone(seed, nights=1):
    with transaction.atomic():
        story = told(seed, nights)
        transaction.set_rollback(True)
    return story


def test_the_same_seed_tells_the_same_story(stage, tidy):
    first = told_and_undone(3)
    assert told_and_undone(3) == first
    assert told_and_undone(4) != first


@pytest.mark.django_db(transaction=True)
def test_a_night_that_is_observed_while_the_last_is_moved_is_the_same(stage, tidy):
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
    Demonstration(seed=1, files=1, observations=SHORT).run(1)
    Demonstration(seed=2, files=1, observations=SHORT).run(1)
    assert ExecutedObsUnit.objects.count() == 20
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
    call_command("opsdb_demo", seed=5, files_per_observation=1, observations_per_night=SHORT, verbosity=0)
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
    call_command("opsdb_demo", once=True)
    assert ExecutedObsUnit.objects.count() == 1


def test_database_with_real_observations_is_refused(stage):
    ExecutedObsUnitFactory()
    with pytest.raises(CommandError, match="holds observations that are not of a demonstration"):
        call_command("opsdb_demo")
    assert ExecutedObsUnit.objects.count() == 1


def test_database_without_a_schedule_is_refused():
    with pytest.raises(CommandError, match="there is no schedule"):
        call_command("opsdb_demo")
