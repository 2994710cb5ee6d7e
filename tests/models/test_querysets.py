"""The obvious questions: each queryset method returns the rows that are asked for, and no others."""

from datetime import UTC, date, datetime, timedelta

import pytest

from opsdb.models import LocationType, ObservationStatus, PackageState, ProgramKind, Quality, Source
from opsdb.testing.factories import (
    ApiTokenFactory,
    ChangeLogFactory,
    DataProductFactory,
    DataReleaseFactory,
    DataTransferFactory,
    DataTransferRouteFactory,
    DiskDataLocationFactory,
    DowntimeFactory,
    ExecutedObsUnitFactory,
    ExecutedReductionStepFactory,
    FixedSourceFactory,
    InstrumentFactory,
    InstrumentModuleConfigurationFactory,
    InstrumentModuleFactory,
    LongTermArchiveTransferFactory,
    ObservingProgramFactory,
    ObsUnitFactory,
    PipelineFactory,
    PreScheduledSlotFactory,
    PublicationFactory,
    RawDataFileFactory,
    RawDataPackageFactory,
    SiteFactory,
    SolarSystemObjectFactory,
    StagingJobFactory,
)
from opsdb.testing.factories.base import EPOCH

from .overlaps import slot

pytestmark = pytest.mark.django_db

NOW = EPOCH + timedelta(minutes=30)

# What is asked, what makes the rows that answer it, and what makes the rows that don't.
QUESTIONS = [
    (InstrumentFactory, lambda rows: rows.available(), [{}], [{"available": False}]),
    (InstrumentModuleFactory, lambda rows: rows.available(), [{}], [{"available": False}]),
    (InstrumentModuleConfigurationFactory, lambda rows: rows.active(), [{}], [{"active": False}]),
    (ObservingProgramFactory, lambda rows: rows.active(), [{}], [{"active": False}]),
    (ObservingProgramFactory, lambda rows: rows.science(), [{}], [{"kind": ProgramKind.TECHNICAL}]),
    (
        ObsUnitFactory,
        lambda rows: rows.available(),
        [{}],
        [{"available": False}, {"observing_program__active": False}],
    ),
    (
        ObsUnitFactory,
        lambda rows: rows.in_program("GEco"),
        [{"observing_program__short_name": "GEco"}],
        [{"observing_program__short_name": "geco"}],
    ),
    (
        PreScheduledSlotFactory,
        lambda rows: rows.overlapping(NOW, NOW + timedelta(minutes=30)),
        [slot(0, 31), slot(59, 90), slot(40, 50), slot(0, 90)],
        [slot(0, 30), slot(60, 90)],
    ),
    (PreScheduledSlotFactory, lambda rows: rows.upcoming(NOW), [slot(31, 40)], [slot(0, 40), slot(30, 31)]),
    (
        DowntimeFactory,
        lambda rows: rows.current(NOW),
        [{}, slot(0, 60), slot(30, 31)],
        [slot(0, 30), slot(31, 60), {"start_time": NOW + timedelta(seconds=1)}],
    ),
    (ExecutedObsUnitFactory, lambda rows: rows.running(), [{}], [{"completed": True}, {"aborted": True}]),
    (
        ExecutedObsUnitFactory,
        lambda rows: rows.night(date(2026, 6, 15)),
        [
            {"start_time": datetime(2026, 6, 15, 12, tzinfo=UTC)},
            {"start_time": datetime(2026, 6, 16, 11, 59, 59, tzinfo=UTC)},
        ],
        [
            {"start_time": datetime(2026, 6, 15, 11, 59, 59, tzinfo=UTC)},
            {"start_time": datetime(2026, 6, 16, 12, tzinfo=UTC)},
        ],
    ),
    (
        ExecutedObsUnitFactory,
        lambda rows: rows.assessed(Quality.GOOD),
        [{"quality": Quality.GOOD}],
        [{}, {"quality": Quality.BAD}],
    ),
    (
        RawDataPackageFactory,
        lambda rows: rows.in_state(PackageState.WAITING),
        [{}],
        [{"archived": True}, {"state": PackageState.FAILED}],
    ),
    (RawDataPackageFactory, lambda rows: rows.not_archived(), [{}, {"state": "failed"}], [{"archived": True}]),
    (RawDataFileFactory, lambda rows: rows.unpackaged(), [{}], [{"packaged": True}]),
    (DiskDataLocationFactory, lambda rows: rows.active(), [{}], [{"active": False}]),
    (DiskDataLocationFactory, lambda rows: rows.buffers(), [{}], [{"source": True}, {"processing": True}]),
    (DiskDataLocationFactory, lambda rows: rows.sources(), [{"source": True}], [{}]),
    (DiskDataLocationFactory, lambda rows: rows.archives(), [{"archive": True}], [{}]),
    (DiskDataLocationFactory, lambda rows: rows.processing(), [{"processing": True}], [{}]),
    (DataTransferRouteFactory, lambda rows: rows.active(), [{}], [{"active": False}]),
    (
        DataTransferFactory,
        lambda rows: rows.open(),
        [{}, {"scheduled": True}, {"in_progress": True}],
        [{"completed": True}, {"failed": True}],
    ),
    (DataTransferFactory, lambda rows: rows.failed(), [{"failed": True}], [{}, {"completed": True}]),
    (
        LongTermArchiveTransferFactory,
        lambda rows: rows.open(),
        [{}, {"in_progress": True}],
        [{"completed": True}, {"failed": True}],
    ),
    (LongTermArchiveTransferFactory, lambda rows: rows.failed(), [{"failed": True}], [{}]),
    (StagingJobFactory, lambda rows: rows.active(), [{}], [{"active": False, "failed": True}]),
    (PipelineFactory, lambda rows: rows.enabled(), [{}], [{"enabled": False}]),
    (
        ExecutedReductionStepFactory,
        lambda rows: rows.open(),
        [{}, {"running": True}, {"status": "staging_data"}, {"status": "submitted"}, {"status": "collecting_results"}],
        [{"completed": True}, {"failed": True}, {"status": "cancelled"}],
    ),
    (ExecutedReductionStepFactory, lambda rows: rows.failed(), [{"failed": True}], [{}, {"completed": True}]),
    (DataReleaseFactory, lambda rows: rows.public(), [{"released": True}], [{}]),
    (
        ApiTokenFactory,
        lambda rows: rows.usable(NOW),
        [{}, {"expires_at": NOW + timedelta(seconds=1)}],
        [{"active": False}, {"expires_at": NOW}, {"active": False, "revoked_at": EPOCH}],
    ),
]


@pytest.mark.parametrize(
    ("factory", "question", "answers", "others"),
    QUESTIONS,
    ids=[f"{factory._meta.model.__name__}.{question.__code__.co_names[0]}" for factory, question, _, _ in QUESTIONS],
)
def test_a_question_is_answered(factory, question, answers, others):
    expected = [factory(**fields) for fields in answers]
    for fields in others:
        factory(**fields)
    found = list(question(factory._meta.model.objects.all()))
    assert sorted(row.pk for row in found) == sorted(row.pk for row in expected)


def test_units_come_by_priority():
    low, high, also_high = (ObsUnitFactory(priority=priority) for priority in (1, 5, 5))
    assert list(type(low).objects.by_priority()) == [high, also_high, low]


def test_executions_come_with_the_newest_first():
    old, new = ExecutedObsUnitFactory.create_batch(2)
    assert list(type(old).objects.latest_first()) == [new, old]


def test_pipelines_come_by_priority():
    low, high = PipelineFactory(priority=0), PipelineFactory(priority=9)
    assert list(type(low).objects.enabled()) == [high, low]


def test_locations_come_with_the_preferred_first():
    second, first = DiskDataLocationFactory(priority=2), DiskDataLocationFactory(priority=1)
    assert list(type(first).objects.of_type(LocationType.BUFFER)) == [first, second]


def test_routes_between_two_sites_come_with_the_preferred_first():
    origin, destination = SiteFactory.create_batch(2)
    ends = {"origin_site": origin, "destination_site": destination}
    second, first = DataTransferRouteFactory(priority=2, **ends), DataTransferRouteFactory(priority=1, **ends)
    DataTransferRouteFactory(origin_site=destination, destination_site=origin)
    assert list(type(first).objects.between(origin, destination)) == [first, second]


def test_a_source_is_called_by_its_name_in_any_case_or_by_an_alias():
    orion, mars = FixedSourceFactory(name="Orion KL", aliases=["OMC-1"]), SolarSystemObjectFactory(name="Mars")
    sources = orion._meta.pk.related_model.objects
    assert sources.called("ORION kl").get().specific == orion
    assert sources.called("OMC-1").get().specific == orion
    assert sources.called("mars").get().specific == mars
    assert not sources.called("OMC").exists()


def test_files_of_an_execution_and_at_a_location():
    file, other = RawDataFileFactory.create_batch(2)
    files = type(file).objects
    assert files.of(file.executed_obs_unit).get() == file
    assert files.at(other.source_location).get() == other


def test_transfers_to_a_location():
    transfer, _ = DataTransferFactory.create_batch(2)
    assert type(transfer).objects.to(transfer.destination_location).get() == transfer


def test_changes_of_a_row_come_with_the_newest_first_and_with_its_parent_row():
    source = FixedSourceFactory()
    of_source, of_both = (
        ChangeLogFactory(table_name=table, row_id=str(source.pk)) for table in ("source", "fixed_source")
    )
    ChangeLogFactory(table_name="site", row_id=str(source.pk))
    ChangeLogFactory(table_name="source", row_id=str(source.pk + 1))
    newest, older, *inserts = type(of_both).objects.of(source)
    assert [newest, older] == [of_both, of_source]
    assert [(change.operation, change.table_name) for change in inserts] == [
        ("insert", "fixed_source"),
        ("insert", "source"),
    ]


def test_a_way_leads_from_a_publication_to_its_observations_and_back():
    package = RawDataPackageFactory()
    execution = package.executed_obs_unit
    run = ExecutedReductionStepFactory(completed=True, input_packages=[package])
    product = DataProductFactory(run=run)
    direct = PublicationFactory(products=[product])
    by_release = PublicationFactory(releases=[DataReleaseFactory(products=[product])])
    by_program = PublicationFactory(programs=[execution.obs_unit.observing_program])
    unrelated = PublicationFactory(products=[DataProductFactory()])
    assert list(direct.observations()) == [execution]
    assert list(by_release.observations()) == [execution]
    assert not by_program.observations().exists()
    assert not unrelated.observations().exists()
    assert set(type(direct).objects.of_observation(execution)) == {direct, by_release}
    assert type(direct).objects.of_program_of(execution).get() == by_program
    assert execution.status == ObservationStatus.COMPLETED


def test_a_name_means_the_exact_one_then_another_letter_case_then_an_alias(db):
    exact, other = FixedSourceFactory(name="Tclash"), FixedSourceFactory(name="tclash")
    alias = FixedSourceFactory(name="Second", aliases=["TCLASH", "Shared", "only"])
    third = FixedSourceFactory(name="Third", aliases=["Shared", "Dana\u00eb"])
    resolve = Source.objects.resolve
    assert [resolve(name).pk for name in ("Tclash", "tclash")] == [exact.pk, other.pk]
    assert [resolve(name).pk for name in ("only", "ONLY", "dana\u0065\u0308")] == [alias.pk, alias.pk, third.pk]
    assert resolve("nothing") is None
    with pytest.raises(Source.MultipleObjectsReturned, match="'Shared' may mean Second or Third"):
        resolve("Shared")
    with pytest.raises(Source.MultipleObjectsReturned, match="'TCLASH' may mean Tclash or tclash"):
        resolve("TCLASH")
    shared = {(name.casefold(), *sources) for name, *sources in Source.objects.name_clashes({"Second"})}
    assert ("shared", "Second", "Third") in shared
    assert {one[0] for one in shared} == {"shared", "tclash"}
