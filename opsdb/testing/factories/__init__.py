"""A factory for every model: a valid row by default, the usual states as traits.

``FACTORIES[model]`` finds the factory of a model; :func:`fill_every_table` makes a row in each table.
"""

from django.contrib.auth.models import Group, Permission

from .access import (
    ApiTokenFactory,
    RoleFactory,
    UserFactory,
)
from .archive import (
    LongTermArchiveTransferFactory,
    LongTermArchiveTransferLogFactory,
    StagingJobFactory,
)
from .copies import (
    DataProductPhysicalCopyFactory,
    DataTransferPackagePhysicalCopyFactory,
    DeletionPolicyFactory,
    DeletionRequestFactory,
    DeletionRequestItemFactory,
    FixityCheckFactory,
    PhysicalCopyFactory,
    RawDataFilePhysicalCopyFactory,
    RawDataPackagePhysicalCopyFactory,
)
from .data import (
    DataTransferPackageFactory,
    RawDataFileFactory,
    RawDataPackageFactory,
    RawDataPackageMetadataFactory,
)
from .execution import (
    ExecutedObsUnitFactory,
    ExecutedObsUnitModuleConfigurationFactory,
)
from .failures import (
    FailureAcknowledgementFactory,
)
from .history import (
    ChangeLogFactory,
)
from .locations import (
    DataLocationFactory,
    DataLocationUsageFactory,
    DiskDataLocationFactory,
    S3DataLocationFactory,
    SiteFactory,
    TapeDataLocationFactory,
)
from .observatory import (
    ChaiModuleConfigurationFactory,
    InstrumentFactory,
    InstrumentModuleConfigurationFactory,
    InstrumentModuleFactory,
    ObservatoryFactory,
    PrimeCamModuleConfigurationFactory,
    TelescopeFactory,
)
from .planning import (
    AzimuthRangeFactory,
    ChaiInparParameterFactory,
    ChaiObservationConfigurationFactory,
    ChaiTilingFactory,
    ConstantElevationSourceFactory,
    DowntimeFactory,
    FixedSourceFactory,
    ObservationConfigurationFactory,
    ObservingProgramFactory,
    ObsModeFactory,
    ObsUnitFactory,
    PreScheduledSlotFactory,
    PrimeCamObservationConfigurationFactory,
    SolarSystemObjectFactory,
    SourceFactory,
    SubObservingProgramFactory,
    TimeAllocationFactory,
)
from .publications import (
    DataReleaseFactory,
    PublicationFactory,
)
from .reduction import (
    DataGroupingFactory,
    DataProductFactory,
    ExecutedReductionStepFactory,
    ExecutedReductionStepInputPackageFactory,
    ExecutedReductionStepInputProductFactory,
    PipelineFactory,
    ReductionSoftwareFactory,
    ReductionSoftwareVersionFactory,
    ReductionStepConfigFactory,
    ReductionStepDependencyFactory,
    ReductionStepFactory,
)
from .transfer import (
    DataTransferFactory,
    DataTransferLogFactory,
    DataTransferRouteFactory,
    StageActivityFactory,
)

__all__ = [
    "FACTORIES",
    "fill_every_table",
    "ApiTokenFactory",
    "AzimuthRangeFactory",
    "ChaiInparParameterFactory",
    "ChaiModuleConfigurationFactory",
    "ChaiObservationConfigurationFactory",
    "ChaiTilingFactory",
    "ChangeLogFactory",
    "ConstantElevationSourceFactory",
    "DataGroupingFactory",
    "DataLocationFactory",
    "DataLocationUsageFactory",
    "DataProductFactory",
    "DataProductPhysicalCopyFactory",
    "DataReleaseFactory",
    "DataTransferFactory",
    "DataTransferLogFactory",
    "DataTransferPackageFactory",
    "DataTransferPackagePhysicalCopyFactory",
    "DataTransferRouteFactory",
    "DeletionPolicyFactory",
    "DeletionRequestFactory",
    "DeletionRequestItemFactory",
    "DiskDataLocationFactory",
    "DowntimeFactory",
    "ExecutedObsUnitFactory",
    "ExecutedReductionStepFactory",
    "FailureAcknowledgementFactory",
    "FixedSourceFactory",
    "FixityCheckFactory",
    "InstrumentFactory",
    "InstrumentModuleConfigurationFactory",
    "InstrumentModuleFactory",
    "LongTermArchiveTransferFactory",
    "LongTermArchiveTransferLogFactory",
    "ObsModeFactory",
    "ObsUnitFactory",
    "ObservationConfigurationFactory",
    "ObservatoryFactory",
    "ObservingProgramFactory",
    "PhysicalCopyFactory",
    "PipelineFactory",
    "PreScheduledSlotFactory",
    "PrimeCamModuleConfigurationFactory",
    "PrimeCamObservationConfigurationFactory",
    "PublicationFactory",
    "RawDataFileFactory",
    "RawDataFilePhysicalCopyFactory",
    "RawDataPackageFactory",
    "RawDataPackageMetadataFactory",
    "RawDataPackagePhysicalCopyFactory",
    "ReductionSoftwareFactory",
    "ReductionSoftwareVersionFactory",
    "ReductionStepConfigFactory",
    "ReductionStepDependencyFactory",
    "ExecutedObsUnitModuleConfigurationFactory",
    "ExecutedReductionStepInputPackageFactory",
    "ExecutedReductionStepInputProductFactory",
    "ReductionStepFactory",
    "RoleFactory",
    "S3DataLocationFactory",
    "SiteFactory",
    "SolarSystemObjectFactory",
    "SourceFactory",
    "StageActivityFactory",
    "StagingJobFactory",
    "SubObservingProgramFactory",
    "TapeDataLocationFactory",
    "TelescopeFactory",
    "TimeAllocationFactory",
    "UserFactory",
]

#: The factory of every model.
FACTORIES = {
    factory._meta.model: factory for factory in (globals()[name] for name in __all__ if name.endswith("Factory"))
}


def fill_every_table():
    """Make a row of every model, and a link in every many-to-many table; return the rows by model."""
    rows = {model: factory() for model, factory in FACTORIES.items()}
    ends = rows | {model: model.objects.first() for model in (Group, Permission)}
    for model, row in rows.items():
        for field in model._meta.local_many_to_many:
            if field.remote_field.through._meta.auto_created:
                getattr(row, field.name).add(ends[field.related_model])
    return rows
