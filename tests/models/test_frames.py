"""Querysets as data frames and astropy tables: columns, types, units, and no more rows than were asked for."""

from datetime import UTC, datetime

import numpy as np
import pytest
from astropy.time import Time
from astropy.units import Quantity, Unit
from django.core.exceptions import FieldError
from django.db import models
from django.db.models import Count, Max

from opsdb.models import ExecutedObsUnit, FixedSource, ObsUnit, RawDataFile, Source
from opsdb.models.units import UNITS, unit_of
from opsdb.testing.factories import (
    ExecutedObsUnitFactory,
    FixedSourceFactory,
    ObsUnitFactory,
    RawDataFileFactory,
    SolarSystemObjectFactory,
)

from .schema import MODELS

pandas = pytest.importorskip("pandas")

# Numbers that are counted, or numbers of something.
WITHOUT_UNIT = {
    *(
        "id",
        "order",
        "part",
        "part_count",
        "version",
        "priority",
        "limit",
        "copies",
        "cpu",
        "pixels",
        "year",
        "naif_id",
    ),
    *("exit_code", "file_count", "detector_count", "min_archive_copies", "retry_count", "unpack_retry_count"),
    *(
        "max_retries",
        "unread_count",
        "usage_count",
        "requested_executions",
        "scan_index",
        "subscan_index",
        "tile_index",
    ),
    *("transaction_id", "copy_id"),
    *("added", "completed", "failures", "delay_step"),
    # A year of an epoch is no duration, a velocity may be a redshift.
    *("epoch_year", "given_velocity"),
    # ObsCore has names of its own.
    *("calib_level", "em_res_power", "em_xel", "pol_xel", "s_xel1", "s_xel2", "t_xel"),
}
NUMBERS = [
    (model, field)
    for model in MODELS
    for field in model._meta.local_fields
    if isinstance(field, models.IntegerField | models.FloatField) and not field.is_relation
]


def test_every_number_has_a_unit_or_none_on_purpose():
    undecided = {field.name for _, field in NUMBERS if (unit_of(field) is None) != (field.name in WITHOUT_UNIT)}
    assert undecided == set()


def test_every_unit_is_one_of_astropy():
    assert {name: Unit(unit).to_string().replace(" ", "") for name, unit in UNITS.items()} == UNITS


@pytest.fixture
def execution(db):
    return ExecutedObsUnitFactory(completed=True, obs_unit__source=FixedSourceFactory(name="Orion"))


def test_a_frame_has_every_column_in_its_type(execution, django_assert_num_queries):
    with django_assert_num_queries(1):
        frame = ExecutedObsUnit.objects.to_dataframe()
    assert len(frame) == 1
    types = frame.dtypes.astype(str).to_dict()
    assert types["start_time"] == types["end_time"] == "datetime64[us, UTC]"
    assert (types["id"], types["status"], types["obs_unit_id"]) == ("str", "str", "int64")
    assert (types["observer_id"], types["mean_pwv_mm"], types["conditions"]) == ("Int64", "float64", "object")
    assert frame["id"][0] == str(execution.pk)
    assert frame["start_time"][0] == execution.start_time
    assert frame.attrs["units"]["mean_pwv_mm"] == "mm"


def test_the_types_do_not_depend_on_the_rows(execution):
    some, none = ExecutedObsUnit.objects.to_dataframe(), ExecutedObsUnit.objects.none().to_dataframe()
    assert none.dtypes.to_dict() == some.dtypes.to_dict()


def test_fields_of_related_rows_annotations_and_values(execution):
    ObsUnitFactory(without_source=True)
    frame = ObsUnit.objects.order_by("pk").to_dataframe("name", "source__name", "source_id", "executions__start_time")
    assert list(frame) == ["name", "source__name", "source_id", "executions__start_time"]
    assert frame["source__name"][0] == "Orion" and pandas.isna(frame["source__name"][1])
    assert str(frame["source_id"].dtype) == "Int64" and pandas.isna(frame["source_id"][1])
    assert pandas.isna(frame["executions__start_time"][1])
    counted = ExecutedObsUnit.objects.values("status").annotate(number=Count("pk"), last=Max("start_time"))
    frame = counted.to_dataframe()
    assert list(frame) == ["status", "number", "last"]
    assert frame["number"].tolist() == [1]
    assert str(frame["last"].dtype) == "datetime64[us, UTC]"
    assert "separation_deg" in FixedSource.objects.cone_search(0, 0, 180).to_dataframe()
    assert Source.objects.specific().to_dataframe()["name"].tolist() == ["Orion"]


def test_a_frame_of_sizes(db):
    RawDataFileFactory(size_bytes=2**40 + 1)
    frame = RawDataFile.objects.to_dataframe("size_bytes", "raw_data_package_id", "raw_data_package__size_bytes")
    assert frame["size_bytes"].tolist() == [2**40 + 1]
    assert frame.attrs["units"] == {"size_bytes": "byte", "raw_data_package__size_bytes": "byte"}


@pytest.mark.parametrize("name", ["to_dataframe", "to_qtable"])
def test_more_rows_than_the_limit_are_refused(db, name):
    for number in range(3):
        FixedSourceFactory(name=f"source {number}")
    read = getattr(FixedSource.objects, name)
    assert len(read(limit=3)) == len(read(limit=None)) == len(read()) == 3
    with pytest.raises(ValueError, match="more than 2 rows"):
        read(limit=2)
    assert len(getattr(FixedSource.objects.order_by("name")[:2], name)(limit=2)) == 2
    with pytest.raises(FieldError, match="no_such"):
        read("no_such")


def test_a_table_has_quantities_and_times(execution):
    running = ExecutedObsUnitFactory(obs_unit=execution.obs_unit)
    ExecutedObsUnit.objects.filter(pk=execution.pk).update(mean_pwv_mm=0.5)
    table = ExecutedObsUnit.objects.order_by("start_time").to_qtable(
        "id", "start_time", "end_time", "mean_pwv_mm", "observer_id", "status", "obs_unit__source__name"
    )
    which = table["id"].tolist().index(str(execution.pk))
    assert isinstance(table["start_time"], Time) and table["start_time"].scale == "utc"
    assert table["start_time"][which].to_datetime(UTC) == execution.start_time
    assert bool(table["end_time"].mask[1 - which]) and not bool(table["end_time"].mask[which])
    assert isinstance(table["mean_pwv_mm"], Quantity) and table["mean_pwv_mm"].unit == "mm"
    assert table["mean_pwv_mm"][which].value == 0.5 and np.isnan(table["mean_pwv_mm"][1 - which])
    assert table["observer_id"].mask.tolist() == [True, True]
    assert table["mean_pwv_mm"].info.description == "Mean precipitable water vapour, mm."
    assert running.end_time is None


def test_a_table_without_rows_has_its_columns(db):
    table = ExecutedObsUnit.objects.to_qtable()
    assert len(table) == 0 and table["mean_pwv_mm"].unit == "mm"


def test_times_keep_their_microseconds(db):
    moment = datetime(2026, 6, 15, 3, 0, 0, 123_456, tzinfo=UTC)
    ExecutedObsUnitFactory(start_time=moment)
    assert ExecutedObsUnit.objects.to_dataframe()["start_time"][0] == moment
    found = ExecutedObsUnit.objects.to_qtable()["start_time"][0]
    assert abs((found - Time(moment)).to_value("us")) < 0.01


def test_of_solar_system_objects(db):
    SolarSystemObjectFactory(name="Mars", naif_id=499)
    assert Source.objects.specific().to_dataframe("name", "solarsystemobject__naif_id").iloc[0, 1] == 499
