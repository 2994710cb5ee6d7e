"""A row that refers to one which is inserted later in the transaction does not get past the rules of both."""

import pytest

from opsdb.models import DeletionRequest, DeletionRequestItem
from opsdb.testing.factories import (
    DeletionRequestFactory,
    DiskDataLocationFactory,
    LongTermArchiveTransferFactory,
    PhysicalCopyFactory,
    RawDataFileFactory,
    UserFactory,
)
from opsdb.workflows import attributed
from tests.workflows.scenario_deletion import refusal_of, sql

pytestmark = pytest.mark.django_db
TO_COME = 987_654


def insert_again(row, **changes):
    """Insert the columns of a row again, with some changes."""
    fields = [field for field in row._meta.concrete_fields if field.name != "id"]
    columns = ", ".join(field.column for field in fields)
    chosen = ", ".join("%s" if field.column in changes else field.column for field in fields)
    given = [changes[field.column] for field in fields if field.column in changes]
    sql(
        f"INSERT INTO {row._meta.db_table} ({columns}) SELECT {chosen} FROM {row._meta.db_table} WHERE id = %s",
        *given,
        row.pk,
    )


def test_copies_of_a_request_to_come_are_refused_whoever_adds_how_many():
    person, another = UserFactory(), UserFactory()
    copies = PhysicalCopyFactory.create_batch(2, data_location=DiskDataLocationFactory())

    def copies_first():
        for copy in copies:
            with attributed(user=another):
                DeletionRequestItem.objects.create(deletion_request_id=TO_COME, physical_copy=copy)
        with attributed(user=person):
            DeletionRequest.objects.create(
                id=TO_COME, data_location_id=copies[0].data_location_id, reason="full", limit=1
            )

    refusal = refusal_of(copies_first)
    assert refusal.message_primary.endswith(f": there is no deletion_request {TO_COME}")
    assert refusal.message_hint == "Insert that row first, or choose another one."


def test_a_copy_to_come_is_not_at_the_location_of_a_request():
    request = DeletionRequestFactory()

    def add():
        with attributed(user=request.requested_by):
            DeletionRequestItem.objects.create(deletion_request=request, physical_copy_id=TO_COME)

    assert "is at another location" in refusal_of(add).message_primary


@pytest.mark.parametrize(
    ("factory", "column"),
    [
        (LongTermArchiveTransferFactory, "destination_location_id"),
        (RawDataFileFactory, "source_location_id"),
        (RawDataFileFactory, "instrument_module_id"),
    ],
)
def test_a_place_or_module_to_come_is_refused(factory, column):
    row = factory()
    changes = {column: TO_COME}
    if factory is RawDataFileFactory:
        changes |= {"relative_path": "another.fits"}
    refusal = refusal_of(lambda: insert_again(row, **changes))
    assert f"there is no {column.removesuffix('_id').replace('destination_', 'data_').replace('source_', 'data_')}" in (
        refusal.message_primary
    )
