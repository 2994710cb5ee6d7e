"""The view ``obscore`` holds to REC-ObsCore-v1.1, and to what the tables say."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from astropy.time import Time
from django.db import DatabaseError, connection, transaction

from opsdb.models import ObsCore, RawDataPackageMetadata
from opsdb.models.data.obscore_columns import COLUMNS
from opsdb.testing.factories import DataProductFactory, DataReleaseFactory, ExecutedReductionStepFactory
from opsdb.testing.nights import make_night
from tests.obscore import assert_values_hold_to_the_standard
from tests.plans import plan_by_conditions
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db

# REC-ObsCore-v1.1, appendix C, with its errata: name, type, unit, UCD and utype of the mandatory columns.
STANDARD = """
dataproduct_type  VARCHAR -      meta.code.class ObsDataset.dataProductType
calib_level       INTEGER -      meta.code;obs.calib ObsDataset.calibLevel
obs_collection    VARCHAR -      meta.id DataID.collection
obs_id            VARCHAR -      meta.id DataID.observationID
obs_publisher_did VARCHAR -      meta.ref.ivoid Curation.publisherDID
access_url        CLOB    -      meta.ref.url Access.reference
access_format     VARCHAR -      meta.code.mime Access.format
access_estsize    BIGINT  kbyte  phys.size;meta.file Access.size
target_name       VARCHAR -      meta.id;src Target.name
s_ra              DOUBLE  deg    pos.eq.ra Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2.C1
s_dec             DOUBLE  deg    pos.eq.dec Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2.C2
s_fov             DOUBLE  deg    phys.angSize;instr.fov Char.SpatialAxis.Coverage.Bounds.Extent.diameter
s_region          REGION  -      pos.outline;obs.field Char.SpatialAxis.Coverage.Support.Area
s_resolution      DOUBLE  arcsec pos.angResolution Char.SpatialAxis.Resolution.Refval.value
s_xel1            BIGINT  -      meta.number Char.SpatialAxis.numBins1
s_xel2            BIGINT  -      meta.number Char.SpatialAxis.numBins2
t_min             DOUBLE  d      time.start;obs.exposure Char.TimeAxis.Coverage.Bounds.Limits.StartTime
t_max             DOUBLE  d      time.end;obs.exposure Char.TimeAxis.Coverage.Bounds.Limits.StopTime
t_exptime         DOUBLE  s      time.duration;obs.exposure Char.TimeAxis.Coverage.Support.Extent
t_resolution      DOUBLE  s      time.resolution Char.TimeAxis.Resolution.Refval.value
t_xel             BIGINT  -      meta.number Char.TimeAxis.numBins
em_min            DOUBLE  m      em.wl;stat.min Char.SpectralAxis.Coverage.Bounds.Limits.LoLimit
em_max            DOUBLE  m      em.wl;stat.max Char.SpectralAxis.Coverage.Bounds.Limits.HiLimit
em_res_power      DOUBLE  -      spect.resolution Char.SpectralAxis.Resolution.ResolPower.refVal
em_xel            BIGINT  -      meta.number Char.SpectralAxis.numBins
o_ucd             VARCHAR -      meta.ucd Char.ObservableAxis.ucd
pol_states        VARCHAR -      meta.code;phys.polarization Char.PolarizationAxis.stateList
pol_xel           BIGINT  -      meta.number Char.PolarizationAxis.numBins
facility_name     VARCHAR -      meta.id;instr.tel Provenance.ObsConfig.Facility.name
instrument_name   VARCHAR -      meta.id;instr Provenance.ObsConfig.Instrument.name
"""
MANDATORY = [line.split() for line in STANDARD.strip().splitlines()]
NOT_NULL = {"calib_level", "obs_collection", "obs_id", "obs_publisher_did"}
TYPES = {
    "VARCHAR": "text",
    "CLOB": "text",
    "REGION": "text",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
    "TIMESTAMP": "timestamp with time zone",
}


@shared_world
def archive():
    """Two observations, a map of one and one of both in a public release, and a map in none."""
    night = make_night(executions=2)
    first, second = night.packages
    single = DataProductFactory(name="single", run__input_packages=[first])
    combined_run = ExecutedReductionStepFactory(completed=True, input_packages=[second], input_products=[single])
    combined = DataProductFactory(name="combined", run=combined_run, relative_path="maps/both.sdf")
    plot = DataProductFactory(name="plot", type="plot", run=combined_run)
    DataProductFactory(name="unreleased", run=combined_run)
    release = DataReleaseFactory(name="DR", version="1", released=True, products=[single, combined, plot])
    return SimpleNamespace(night=night, packages=[first, second], single=single, combined=combined, release=release)


def rows_of(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def test_the_declared_columns_are_those_of_the_standard():
    declared = [(one.name, one.datatype, one.unit or "-", one.ucd, one.utype) for one in COLUMNS if one.mandatory]
    assert declared == [tuple(line) for line in MANDATORY]
    assert {column.name for column in COLUMNS if column.not_null} == NOT_NULL


def test_the_view_has_them_in_their_order_and_types_with_comments():
    found = rows_of(
        "SELECT attname::text, format_type(atttypid, atttypmod), col_description(attrelid, attnum) FROM pg_attribute"
        " WHERE attrelid = 'obscore'::regclass AND attnum > 0 ORDER BY attnum"
    )
    assert found == [(column.name, TYPES[column.datatype], column.meaning) for column in COLUMNS]
    assert [field.column for field in ObsCore._meta.local_fields] == [column.name for column in COLUMNS]
    [[comment]] = rows_of("SELECT obj_description('obscore'::regclass)")
    assert comment.startswith("One data set as the virtual observatory finds it")


def test_every_value_is_in_its_range(archive):
    assert assert_values_hold_to_the_standard() == 4


def test_a_package_is_a_raw_data_set_of_its_execution(archive):
    package = archive.packages[0]
    execution, unit, module = package.executed_obs_unit, archive.night.unit, archive.night.module
    row = ObsCore.objects.get(obs_id=execution.pk, calib_level=0)
    assert (row.obs_collection, row.proposal_id) == (unit.observing_program.short_name,) * 2
    assert (row.target_name, row.s_ra, row.s_dec) == (
        unit.source.name,
        unit.source.specific.ra_deg,
        unit.source.specific.dec_deg,
    )
    assert row.t_min == pytest.approx(Time(execution.start_time, scale="utc").mjd, abs=1e-9)
    assert row.t_max == pytest.approx(Time(execution.end_time, scale="utc").mjd, abs=1e-9)
    assert row.t_exptime == 1800
    assert row.em_min == pytest.approx(299_792_458 / (module.frequency_max_ghz * 1e9))
    assert row.access_estsize * 1000 >= package.size_bytes > (row.access_estsize - 1) * 1000
    assert (row.access_format, row.access_url, row.data_rights) == ("application/x-tar", None, "proprietary")
    assert (row.obs_title, row.obs_creation_date, row.obs_release_date) == (unit.name, package.finished_at, None)


def test_a_product_of_one_observation_keeps_its_identifier(archive):
    row = ObsCore.objects.get(obs_title="single")
    assert (row.obs_id, row.calib_level) == (str(archive.packages[0].executed_obs_unit_id), 2)
    assert (row.obs_collection, row.data_rights) == ("DR 1", "public")
    assert (row.bib_reference, row.obs_release_date) == (archive.release.doi, archive.release.released_at)
    assert (row.access_format, row.t_exptime) == ("application/fits", 1800)
    assert row.target_name == archive.night.unit.source.name


def test_a_product_of_several_has_one_of_its_own_and_covers_them(archive):
    row = ObsCore.objects.get(obs_title="combined")
    raw = ObsCore.objects.filter(calib_level=0)
    assert (row.obs_id, row.calib_level) == (f"run-{archive.combined.run_id}", 3)
    assert row.t_min == min(one.t_min for one in raw) and row.t_max == max(one.t_max for one in raw)
    assert (row.t_exptime, row.access_format) == (3600, None)
    assert row.proposal_id == archive.night.unit.observing_program.short_name


def test_what_its_observations_do_not_agree_on_is_left_out(archive):
    RawDataPackageMetadata.objects.filter(raw_data_package=archive.packages[1]).update(target_name="else", s_ra=1.0)
    row = ObsCore.objects.get(obs_title="combined")
    assert (row.target_name, row.s_ra, row.s_dec, row.s_fov) == (None, None, None, None)
    assert row.facility_name == archive.night.module.instrument.telescope.name


def test_only_what_is_released_and_science_is_a_product(archive):
    assert {*ObsCore.objects.filter(calib_level__gt=0).values_list("obs_title", flat=True)} == {"single", "combined"}
    assert {*ObsCore.objects.public().values_list("obs_title", flat=True)} == {"single", "combined"}


def test_a_night_begins_at_noon(archive):
    start = archive.packages[0].executed_obs_unit.start_time
    night = start.date() if start.hour >= 12 else datetime.fromordinal(start.toordinal() - 1).date()
    assert ObsCore.objects.night(night).filter(obs_id=archive.packages[0].executed_obs_unit_id).exists()
    assert not ObsCore.objects.night(datetime(2001, 1, 1, tzinfo=UTC).date()).exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE obscore SET calib_level = 4",
        "DELETE FROM obscore",
        "INSERT INTO obscore (obs_id) VALUES ('x')",
    ],
)
def test_nobody_writes_to_it(archive, owner, statement):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("obs_id = 'x'", "by_observation"),
        ("obs_publisher_did = 'ivo://x/y'", "unique_publisher_did"),
        ("obs_collection = 'GEco'", "by_collection"),
        ("t_min BETWEEN 61000 AND 61001", "by_time"),
        ("target_name = 'Orion KL'", "by_target"),
        ("s_dec BETWEEN 10 AND 11 AND s_ra BETWEEN 20 AND 21", "position"),
    ],
)
def test_raw_data_sets_are_found_along_an_index(condition, index):
    with connection.cursor() as cursor:
        # From the metadata on, as with many rows: with those of a few tests any table may come first.
        cursor.execute("SET LOCAL join_collapse_limit = 1")
    plan = plan_by_conditions(f"SELECT * FROM obscore WHERE {condition}")
    assert f"raw_data_package_metadata_{index}" in plan, plan
    found = plan[plan.index(f"raw_data_package_metadata_{index}") :]
    assert "Index Cond" in found.split("\n")[1], plan
