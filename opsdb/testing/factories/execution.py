from datetime import timedelta

import factory

from opsdb.models import ExecutedObsUnit, ExecutedObsUnitModuleConfiguration, ObservationStatus

from .base import EPOCH, OpsFactory, many
from .observatory import InstrumentModuleConfigurationFactory
from .planning import ObsUnitFactory


def _ended(status):
    return factory.Trait(
        status=status,
        end_time=factory.LazyAttribute(lambda execution: execution.start_time + timedelta(minutes=30)),
    )


class ExecutedObsUnitFactory(OpsFactory):
    class Meta:
        model = ExecutedObsUnit

    obs_unit = factory.SubFactory(ObsUnitFactory)
    start_time = factory.Sequence(lambda number: EPOCH + timedelta(hours=number))
    module_configurations = many("module_configurations")

    class Params:
        completed = _ended(ObservationStatus.COMPLETED)
        aborted = _ended(ObservationStatus.ABORTED)
        failed = _ended(ObservationStatus.FAILED)


class ExecutedObsUnitModuleConfigurationFactory(OpsFactory):
    class Meta:
        model = ExecutedObsUnitModuleConfiguration

    executed_obs_unit = factory.SubFactory(ExecutedObsUnitFactory)
    module_configuration = factory.SubFactory(InstrumentModuleConfigurationFactory)
