"""Operators make locations, routes and pipelines inactive and active; observers assess executions."""

import pytest

from opsdb.models import ExecutedObsUnit, Quality
from opsdb.testing import factories
from opsdb.workflows import NotFound, OpsdbError, assess_observation, enable_resource, get_switch_field, pause_resource

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "make", [factories.DiskDataLocationFactory, factories.DataTransferRouteFactory, factories.PipelineFactory]
)
def test_a_pause_ends_when_it_is_enabled_again_and_both_can_be_repeated(make):
    row = make()
    field = get_switch_field(type(row))
    for change, in_use in (
        (pause_resource, False),
        (pause_resource, False),
        (enable_resource, True),
        (enable_resource, True),
    ):
        assert getattr(change(row), field) is in_use
        assert getattr(type(row).objects.get(pk=row.pk), field) is in_use
    type(row).objects.filter(pk=row.pk).delete()
    with pytest.raises(NotFound, match="there is no such row"):
        pause_resource(row)


def test_a_judgement_may_be_given_again_and_must_be_one():
    execution = factories.ExecutedObsUnitFactory()
    for quality in (Quality.GOOD, Quality.BAD, Quality.BAD):
        assert assess_observation(execution, quality).quality == quality
        assert ExecutedObsUnit.objects.get(pk=execution.pk).quality == quality
    with pytest.raises(OpsdbError, match="there is no quality fine; give one of unassessed, good, questionable, bad"):
        assess_observation(execution, "fine")
    with pytest.raises(NotFound):
        assess_observation(ExecutedObsUnit(), Quality.GOOD)
