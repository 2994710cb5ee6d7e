"""Observing: what the telescope reports twice is recorded once, and what contradicts it is refused."""

from datetime import timedelta

import pytest
from django.db import connection, transaction

from opsdb.database.identifiers import uuid7
from opsdb.models import ExecutedObsUnit, ObservationStatus, Quality
from opsdb.testing.factories import (
    ChaiModuleConfigurationFactory,
    ObsUnitFactory,
    RawDataPackageMetadataFactory,
    SiteFactory,
    UserFactory,
)
from opsdb.testing.factories.base import EPOCH
from opsdb.workflows import (
    Conflict,
    InvalidTransition,
    NotFound,
    OpsdbError,
    Refused,
    finish_observation,
    start_observation,
    translate_integrity_errors,
)
from tests.workflows.racing import race

END = EPOCH + timedelta(minutes=30)


@pytest.mark.django_db
def test_a_start_can_be_reported_again_and_only_as_it_was():
    unit, observer = ObsUnitFactory(), UserFactory()
    configurations = [ChaiModuleConfigurationFactory(), ChaiModuleConfigurationFactory()]
    call = {"id": uuid7(), "start_time": EPOCH, "module_configurations": configurations, "observer": observer}
    for _ in range(2):
        execution = start_observation(unit, **call)
    assert ExecutedObsUnit.objects.get() == execution
    assert execution.module_configurations.count() == 2
    for other, told in (
        ({"start_time": END}, "was started for obs_unit"),
        ({"module_configurations": configurations[:1]}, "was started with the module configurations"),
        ({"observer": UserFactory()}, f"observer is recorded as .*{observer.username}"),
    ):
        with pytest.raises(Conflict, match=f"executed_obs_unit {execution.pk}: {told}"):
            start_observation(unit, **{**call, **other})
    with pytest.raises(Conflict, match="was started for obs_unit"):
        start_observation(ObsUnitFactory(), **call)
    assert ExecutedObsUnit.objects.get().observer == observer


@pytest.mark.django_db
def test_an_end_can_be_reported_again_and_only_as_it_was():
    unit = ObsUnitFactory()
    begun = {"id": uuid7(), "start_time": EPOCH, "mean_pwv_mm": 0.6}
    execution = start_observation(unit, **begun)
    ended = {"end_time": END, "mean_pwv_mm": 0.5, "quality": Quality.GOOD}
    for _ in range(2):
        execution = finish_observation(execution.pk, **ended)
        assert (execution.status, execution.end_time, execution.mean_pwv_mm) == ("completed", END, 0.5)
    # A start that comes late once more knows nothing of the end, and a person may have judged since.
    assert start_observation(unit, **begun).status == ObservationStatus.COMPLETED
    ExecutedObsUnit.objects.update(quality=Quality.BAD)
    assert finish_observation(execution.pk, **ended).quality == Quality.BAD
    for other, told in (
        ({"end_time": END + timedelta(seconds=1)}, "has ended as completed"),
        ({"status": ObservationStatus.ABORTED}, "has ended as completed"),
        ({"mean_pwv_mm": 0.4}, "mean_pwv_mm is recorded as 0.5, not as 0.4"),
    ):
        with pytest.raises(Conflict, match=f"executed_obs_unit {execution.pk}: {told}"):
            finish_observation(execution.pk, **{**ended, **other})
    assert ExecutedObsUnit.objects.get().mean_pwv_mm == 0.5


@pytest.mark.django_db
def test_what_can_not_be_is_refused():
    execution = start_observation(ObsUnitFactory(), start_time=EPOCH)
    with pytest.raises(OpsdbError, match="has no time zone; give it in UTC"):
        start_observation(execution.obs_unit, start_time=EPOCH.replace(tzinfo=None))
    with pytest.raises(OpsdbError, match="has no time zone; give it in UTC"):
        finish_observation(execution.pk, end_time=END.replace(tzinfo=None))
    with pytest.raises(NotFound, match="start it first"):
        finish_observation(uuid7(), end_time=END)
    with pytest.raises(InvalidTransition, match="cannot go from running to running"):
        finish_observation(execution.pk, end_time=END, status=ObservationStatus.RUNNING)
    with pytest.raises(Conflict, match="can't end at"):
        finish_observation(execution.pk, end_time=EPOCH)
    assert ExecutedObsUnit.objects.get().status == ObservationStatus.RUNNING


@pytest.mark.django_db(transaction=True)
def test_of_two_ends_at_once_one_is_recorded():
    execution = start_observation(ObsUnitFactory(), start_time=EPOCH)
    outcomes = race(2, lambda number: finish_observation(execution.pk, end_time=END + timedelta(seconds=number)))
    [refused] = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    [recorded] = [outcome for outcome in outcomes if outcome is not refused]
    assert ExecutedObsUnit.objects.get().end_time == recorded.end_time


@pytest.mark.django_db(transaction=True)
def test_two_starts_at_once_make_one_execution():
    unit, id = ObsUnitFactory(), uuid7()
    configurations = [ChaiModuleConfigurationFactory(), ChaiModuleConfigurationFactory()]
    outcomes = race(
        2, lambda number: start_observation(unit, id=id, start_time=EPOCH, module_configurations=configurations)
    )
    assert [outcome.pk for outcome in outcomes] == [id, id]
    assert ExecutedObsUnit.objects.get().module_configurations.count() == 2


@pytest.mark.django_db
def test_a_constraint_is_refused_in_the_words_of_its_model():
    with pytest.raises(Refused, match="^executed_obs_unit: Mean PWV must be 0 or more.$"):
        start_observation(ObsUnitFactory(), start_time=EPOCH, mean_pwv_mm=-1)
    site = SiteFactory()
    taken = pytest.raises(Refused, match="^site: Site with this Short name already exists; give another one.$")
    with taken, translate_integrity_errors(), transaction.atomic():
        SiteFactory(short_name=site.short_name)
    package = RawDataPackageMetadataFactory().raw_data_package
    taken = pytest.raises(Refused, match="^raw_data_package_metadata: .* already exists; change that row.$")
    with taken, translate_integrity_errors(), transaction.atomic():
        RawDataPackageMetadataFactory(raw_data_package=package)


@pytest.mark.django_db
def test_a_rule_of_a_host_project_that_names_no_table_is_refused_in_its_words():
    raised = "DO $$ BEGIN RAISE EXCEPTION 'the host says no' USING ERRCODE = 'check_violation'; END $$"
    refused = pytest.raises(Refused, match="^the host says no.$")
    with refused, translate_integrity_errors(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(raised)
