"""CHECKs in forms: all of a table are asked by one query, and what can't be asked so is left to Django."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.database.checks import Check, evaluate_checks
from opsdb.models import DataLocation, DiskDataLocation, RawDataFile
from opsdb.testing.factories import DiskDataLocationFactory, RawDataFileFactory

pytestmark = pytest.mark.django_db


def checks_of(model):
    return {constraint.name for constraint in model._meta.constraints if isinstance(constraint, Check)}


def test_one_query_evaluates_all_checks_of_a_table():
    row = RawDataFileFactory()
    row.size_bytes = -1
    with CaptureQueriesContext(connection) as queries:
        evaluated = evaluate_checks(row, None, "default")
    assert set(evaluated) == checks_of(RawDataFile)
    assert [name for name, holds in evaluated.items() if not holds] == ["raw_data_file_size_bytes_not_negative"]
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 1


def test_those_of_a_parent_are_evaluated_too():
    location = DiskDataLocationFactory()
    location.retention_days = -1
    evaluated = evaluate_checks(location, None, "default")
    assert set(evaluated) == checks_of(DataLocation) | checks_of(DiskDataLocation)
    with pytest.raises(ValidationError) as caught:
        location.full_clean()
    assert set(caught.value.message_dict) == {"retention_days"}


def test_what_refers_to_an_excluded_field_is_left_out():
    row = RawDataFileFactory()
    evaluated = evaluate_checks(row, {"size_bytes"}, "default")
    left_out = checks_of(RawDataFile) - set(evaluated)
    assert "raw_data_file_size_bytes_not_negative" in left_out
    assert all("size_bytes" in name for name in left_out)


def test_where_the_database_cannot_evaluate_one_the_others_are_still_validated():
    row = RawDataFileFactory()
    row.checksum, row.size_bytes = "\x00", -1
    assert evaluate_checks(row, None, "default") == {}
    with pytest.raises(ValidationError) as caught:
        row.validate_constraints()
    assert "size_bytes" in caught.value.message_dict
