"""The way of a file or package, step by step, and the data of executions."""

import pytest
from django.utils import timezone

from opsdb.models import ExecutedObsUnit, PackageState
from opsdb.testing import factories
from opsdb.workflows import (
    Refused,
    execution_data,
    name_row,
    package_raw_data_files,
    summarize_execution_data,
    trace_journey,
)


def states(row):
    return {step.stage.value: step.state.value for step in trace_journey(row)}


@pytest.fixture
def file(db):
    return factories.RawDataFileFactory()


def test_the_way_of_a_new_file_lies_ahead(file):
    found = states(file)
    assert found.pop("registered") == "done"
    assert set(found.values()) == {"ahead"} and len(found) == 6


def test_steps_that_are_done_and_what_failed_are_seen(db):
    bundle = factories.DataTransferPackageFactory()
    package = factories.RawDataPackageFactory(data_transfer_package=bundle)
    transfer = factories.DataTransferFactory(data_transfer_package=bundle, failed=True)
    found = {step.stage.value: step for step in trace_journey(package)}
    assert {name: step.state.value for name, step in found.items()} == {
        "registered": "done",
        "packaged": "open",
        "bundled": "open",
        "transferred": "failed",
        "unpacked": "ahead",
        "archived": "ahead",
        "copies": "ahead",
    }
    assert found["packaged"].row == name_row(type(package), package.pk)
    assert found["bundled"].row == name_row(type(bundle), bundle.pk)
    assert found["transferred"].row == name_row(type(transfer), transfer.pk)
    assert "→" in found["transferred"].detail


def test_an_archived_package_has_come_all_the_way(db):
    package = factories.RawDataPackageFactory(archived=True)
    found = states(package)
    assert (found["archived"], found["copies"]) == ("done", "done")
    assert package.state == PackageState.ARCHIVED


def test_other_rows_have_no_such_way(db):
    with pytest.raises(Refused, match="has no journey to show; ask for a raw data file or package"):
        trace_journey(factories.DataProductFactory())


def test_the_data_of_executions_are_summed(file, monkeypatch):
    package = factories.RawDataPackageFactory(archived=True, file_count=7)
    other = factories.RawDataPackageFactory(executed_obs_unit=package.executed_obs_unit, file_count=1, size_bytes=10)
    empty = factories.ExecutedObsUnitFactory()
    keys = [file.executed_obs_unit_id, package.executed_obs_unit_id, empty.pk]
    found = summarize_execution_data(keys)
    one = found.of(package.executed_obs_unit_id)
    assert (one.files, one.size_bytes, one.packages, one.archived, one.unpackaged) == (
        8,
        package.size_bytes + 10,
        2,
        1,
        0,
    )
    assert not one.is_archived and other.state != PackageState.ARCHIVED
    assert one.states == {PackageState.ARCHIVED: 1, PackageState(other.state): 1}
    loose = found.of(file.executed_obs_unit_id)
    assert (loose.files, loose.unpackaged, loose.size_bytes, loose.at_least) == (1, 1, file.size_bytes, False)
    assert found.of(empty.pk) == execution_data.ExecutionData()
    assert (found.total.files, found.total.packages) == (9, 2)
    assert found.archives >= 1 and found.last_archived_at is not None
    monkeypatch.setattr(execution_data, "UNPACKAGED_LIMIT", 1)
    assert summarize_execution_data(keys).of(file.executed_obs_unit_id).at_least


def test_files_count_before_their_package_has_a_size(file, monkeypatch):
    ExecutedObsUnit.objects.update(status="completed", end_time=timezone.now())
    [package] = package_raw_data_files(file.source_location)
    factories.RawDataFileFactory(
        executed_obs_unit=file.executed_obs_unit,
        instrument_module=file.instrument_module,
        source_location=file.source_location,
        size_bytes=5,
    )
    found = summarize_execution_data([file.executed_obs_unit_id]).total
    assert package.size_bytes is None
    assert (found.files, found.unpackaged, found.size_bytes, found.at_least) == (2, 1, file.size_bytes + 5, False)
    monkeypatch.setattr(execution_data, "UNPACKAGED_LIMIT", 1)
    assert summarize_execution_data([file.executed_obs_unit_id]).total.at_least


def test_no_executions_have_no_data(db):
    found = summarize_execution_data([])
    assert found.total == execution_data.ExecutionData() and found.last_archived_at is None
