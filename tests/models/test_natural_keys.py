"""Reference rows are known by names, so that they can be carried from one database to another."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection

from opsdb.models import (
    AzimuthRange,
    ChaiInparParameter,
    ChaiTiling,
    ConstantElevationSource,
    FixedSource,
    InstrumentModuleConfiguration,
    ObsUnit,
    Source,
    TimeAllocation,
)
from opsdb.testing.factories import (
    FACTORIES,
    AzimuthRangeFactory,
    ChaiInparParameterFactory,
    ChaiModuleConfigurationFactory,
    ChaiObservationConfigurationFactory,
    ChaiTilingFactory,
    DataTransferRouteFactory,
    FixedSourceFactory,
    ObservingProgramFactory,
    ObsUnitFactory,
    PipelineFactory,
    PrimeCamModuleConfigurationFactory,
    ReductionStepDependencyFactory,
    RoleFactory,
    S3DataLocationFactory,
    SolarSystemObjectFactory,
    TelescopeFactory,
    TimeAllocationFactory,
)
from tests.databases import as_owner

from .refusal import settle
from .schema import MODELS, name_of

pytestmark = pytest.mark.django_db

NATURAL = [model for model in MODELS if hasattr(model, "natural_key")]
REFERENCE = {
    "Observatory",
    "Telescope",
    "Instrument",
    "InstrumentModule",
    "InstrumentModuleConfiguration",
    "ObservingProgram",
    "SubObservingProgram",
    "Source",
    "ObsMode",
    "ObservationConfiguration",
    "ObsUnit",
    "PreScheduledSlot",
    "TimeAllocation",
    "Site",
    "DataLocation",
    "DataTransferRoute",
    "ReductionSoftware",
    "ReductionSoftwareVersion",
    "ReductionStepConfig",
    "DataGrouping",
    "Pipeline",
    "ReductionStep",
    "DataRelease",
    "User",
    "Role",
}


def test_reference_rows_have_a_natural_key():
    assert {name_of(model) for model in NATURAL} == REFERENCE | {
        name_of(model) for model in MODELS if {name_of(parent) for parent in model._meta.parents} & REFERENCE
    }


def other_than(part):
    return f"{part}?" if isinstance(part, str) else part + (1 if isinstance(part, int) else timedelta(days=999))


@pytest.mark.parametrize("model", NATURAL, ids=name_of)
def test_a_natural_key_finds_its_row(model):
    row = FACTORIES[model]()
    FACTORIES[model]()
    key = model._default_manager.get(pk=row.pk).natural_key()
    assert model._default_manager.get_by_natural_key(*key) == row
    assert all(isinstance(part, str | int) or hasattr(part, "isoformat") for part in key)
    with pytest.raises(model.DoesNotExist):
        model._default_manager.get_by_natural_key(*key[:-1], other_than(key[-1]))


@pytest.mark.parametrize("model", NATURAL, ids=name_of)
def test_a_natural_key_is_unique(model):
    """By one constraint, or by a unique field: else two rows could have one name."""
    fields = getattr(model, "natural_key_fields", None) or (model.USERNAME_FIELD,)
    unique = [
        {field.name}
        for owner in (model, *model._meta.all_parents)
        for field in owner._meta.local_fields
        if field.unique
    ]
    unique += [
        set(constraint.fields)
        for owner in (model, *model._meta.all_parents)
        for constraint in owner._meta.total_unique_constraints
    ]
    assert any(names <= set(fields) for names in unique)


def load(dumped):
    """Load rows with their numbers, as only the owner may, because the next ones are set too."""
    with as_owner():
        call_command("loaddata", dumped, verbosity=0)


def empty(model):
    """Remove the rows of a table and all that refers to them; numbers go on where they were."""
    settle()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {connection.ops.quote_name(model._meta.db_table)} CASCADE")


def test_reference_data_can_be_dumped_and_loaded_by_name(tmp_path):
    module_configurations = [ChaiModuleConfigurationFactory(), PrimeCamModuleConfigurationFactory()]
    recipe = ChaiObservationConfigurationFactory(parameters={"a": 1})
    ChaiTilingFactory(configuration=recipe)
    ChaiInparParameterFactory(configuration=recipe)
    program = ObservingProgramFactory(instruments=[module_configurations[0].instrument_module.instrument])
    unit = ObsUnitFactory(
        observing_program=program,
        in_sub_program=True,
        configuration=recipe,
        module_configurations=module_configurations,
    )
    ranges = AzimuthRangeFactory()
    TimeAllocationFactory(observing_program=program)
    SolarSystemObjectFactory(naif_id=499)
    DataTransferRouteFactory(custom=True)
    S3DataLocationFactory()
    PipelineFactory()
    ReductionStepDependencyFactory()
    RoleFactory()
    TelescopeFactory()
    dumped = tmp_path / "reference.json"
    models = [model._meta.label for model in (Group, *NATURAL, AzimuthRange, ChaiTiling, ChaiInparParameter)]
    call_command("dumpdata", *models, natural_foreign=True, natural_primary=True, output=dumped, verbosity=0)
    counts = {model: model._base_manager.count() for model in NATURAL}
    old_keys = {"unit": unit.pk, "source": unit.source_id}

    load(dumped)
    assert {model: model._base_manager.count() for model in NATURAL} == counts

    for model in NATURAL:
        empty(model)
    Group.objects.all().delete()
    assert not any(model._base_manager.exists() for model in NATURAL)
    load(dumped)
    settle()

    assert {model: model._base_manager.count() for model in NATURAL} == counts
    loaded = ObsUnit.objects.get()
    assert loaded.pk != old_keys["unit"]
    assert loaded.source_id != old_keys["source"]
    assert loaded.natural_key() == unit.natural_key()
    assert loaded.source.specific.ra_deg == unit.source.ra_deg
    assert loaded.sub_observing_program.observing_program == loaded.observing_program
    assert {row.specific.name for row in loaded.module_configurations.all()} == {
        row.name for row in module_configurations
    }
    assert isinstance(Source.objects.get(name=unit.source.name).specific, FixedSource)
    assert isinstance(Source.objects.get(name=ranges.source.name).specific, ConstantElevationSource)
    assert AzimuthRange.objects.get().source.name == ranges.source.name
    assert TimeAllocation.objects.get().observing_program == loaded.observing_program
    assert InstrumentModuleConfiguration.objects.specific().count() == 2


def test_no_natural_key_is_needed_to_load_rows_by_number(tmp_path):
    source = FixedSourceFactory()
    dumped = tmp_path / "numbered.json"
    call_command("dumpdata", "opsdb.Source", "opsdb.FixedSource", output=dumped, verbosity=0)
    empty(Source)
    load(dumped)
    settle()
    assert FixedSource.objects.get(pk=source.pk).name == source.name
