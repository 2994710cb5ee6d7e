"""Rows of tables that grow are found and sorted along indexes."""

import re

import pytest

from opsdb.filters import FILTERSETS, filterset_for
from opsdb.filters.base import Size
from opsdb.filters.serving import way_along
from opsdb.models import (
    ChangeLog,
    PhysicalCopy,
    RawDataFile,
    RawDataFilePhysicalCopy,
    RawDataPackage,
    RawDataPackagePhysicalCopy,
)
from tests.plans import assert_along_indexes, planning_without

from .asking import example_of, parameters_of, text_of

GROWING = [model for model in FILTERSETS if filterset_for(model).size is not Size.SMALL]
# Parameters that lead along an index of a big table, and the index, or those between which little decides in few rows.
WAYS = {
    "RawDataFile": {
        "executed_obs_unit": "newest_of_execution",
        "instrument_module": "by_module",
        "source_location": "by_location",
        "night": "newest_of_execution",
        "observing_program source quality": "newest_of_execution",
        "started_after instrument_module": "newest_of_execution",
        "": "pkey",
    },
    "RawDataPackage": {
        "instrument_module": "by_module",
        "state": "not_archived",
        "state created_at_after": "not_archived",
        "status=pending": "(open|claimable)",
        "status=pending created_at_before": "(open|claimable)",
        "started_after": "unique_part",
    },
    "PhysicalCopy": {
        "data_location": "newest_at_location",
        "status": "by_status",
        "data_location status": "by_location",
        "data_location status arrived_at_after": "by_location",
    },
    "RawDataPackagePhysicalCopy": {
        "data_location": "(place_of_raw_data_package|newest_at_location)",
        "status": "(state_of_raw_data_package|by_status)",
        "": "(of_raw_data_package|pkey)",
    },
    "FixityCheck": {"checked_at_after": "by_time", "": "pkey"},
    "LongTermArchiveTransfer": {
        "destination_location": "by_destination",
        "status=failed": "open",
    },
}


@pytest.fixture(autouse=True)
def preferring_indexes(in_the_world):
    with planning_without("seqscan"):
        yield


@pytest.mark.parametrize(
    ("model", "values", "along", "way"),
    [
        (RawDataFile, ["instrument_module"], None, (["instrument_module"], ["id"])),
        (RawDataFile, ["instrument_module", "source_location"], None, None),
        (RawDataFile, [], "observed_at", None),
        (PhysicalCopy, ["data_location", "status"], None, (["data_location", "status"], ["arrived_at", "id"])),
        (PhysicalCopy, ["data_location"], "arrived_at", None),
        # The indexes of a location and a state lead past copies of files, of which there are more than of packages.
        (RawDataPackagePhysicalCopy, ["data_location", "status"], None, None),
        (
            RawDataFilePhysicalCopy,
            ["data_location", "status"],
            None,
            (["data_location", "status"], ["arrived_at", "id"]),
        ),
        # A table of changes is sorted by key only where table and row are given.
        (ChangeLog, ["table_name"], None, None),
        (ChangeLog, ["table_name", "row_id"], None, (["table_name", "row_id"], ["id"])),
    ],
)
def test_what_is_asked_together_is_served_by_one_index(model, values, along, way):
    assert way_along(model, dict.fromkeys(values, "value"), along) == way


@pytest.mark.parametrize(("state", "served"), [("waiting", True), ("in_transit", True), ("archived", False)])
def test_an_index_of_some_rows_serves_only_what_is_of_these(state, served):
    assert (way_along(RawDataPackage, {"state": state}) is not None) == served


def test_one_value_is_asked_as_a_range_where_a_walk_along_the_key_would_give_the_order():
    file = RawDataFile.objects.first()
    statement = str(filterset_for(RawDataFile)({"instrument_module": str(file.instrument_module_id)}).qs.query)
    for part in (">= ", "<= "):
        assert f'"instrument_module_id" {part}' in statement
    assert 'ORDER BY "raw_data_file"."instrument_module_id" DESC, "raw_data_file"."id" DESC' in statement


@pytest.mark.parametrize("model", GROWING, ids=lambda model: model.__name__)
def test_no_parameter_reads_a_large_table(model):
    for name, parameter in parameters_of(filterset_for(model)).items():
        example = example_of(model, parameter)
        filterset = filterset_for(model)({name: text_of(parameter, example[1])} if example else {})
        rows = filterset.qs[:50]
        if filterset.is_valid() and name not in ("started_before",):
            assert_along_indexes(*rows.query.sql_with_params())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [(name, each) for name, ways in WAYS.items() for each in ways],
    ids=lambda one: one or "none",
)
def test_an_index_leads_to_the_rows_and_sorts_them(name, parameters):
    model = next(model for model in FILTERSETS if model.__name__ == name)
    known, asked = parameters_of(filterset_for(model)), {}
    for one in parameters.split():
        one, _, value = one.partition("=")
        asked[one] = value or text_of(known[one], example_of(model, known[one])[1])
    filterset = filterset_for(model)(asked)
    assert filterset.is_valid(), filterset.errors
    ways = ["sort", "bitmapscan"]
    if model is RawDataFile:  # whose order an index gives whole, so that nothing is left to sort
        ways.append("incremental_sort")
    with planning_without(*ways):
        plan = filterset.qs[:50].explain()
    table = model._meta.db_table
    # An index of what waits to be done has few rows, which may as well be read one after the other.
    assert "Index Cond" in plan or f"{table}_claimable" in plan or not parameters, plan
    assert re.search(rf"{table}_{WAYS[name][parameters]}\b", plan), plan
    assert not re.search(r"^\s*(->\s+)?Sort +\(cost", plan, re.MULTILINE), plan
