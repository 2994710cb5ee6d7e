"""What moves is counted by way and state, and says when it was not counted to the end."""

import pytest

from opsdb.models import DataTransfer, LongTermArchiveTransfer, StagingJob, Status
from opsdb.testing import factories
from opsdb.workflows import list_open_traffic

pytestmark = pytest.mark.django_db


def test_transfers_are_counted_by_way_and_state():
    one, two, end = factories.DiskDataLocationFactory.create_batch(3)
    for origin, state in (
        (one, "scheduled"),
        (one, "scheduled"),
        (two, "scheduled"),
        (two, "failed"),
        (one, "completed"),
    ):
        factories.DataTransferFactory(
            data_transfer_package__origin_location=origin, destination_location=end, **{state: True}
        )
    found = {
        (way.origin, way.destination, way.status): (way.number, way.volume_bytes)
        for way in list_open_traffic(DataTransfer)
    }
    assert found == {
        (one.pk, end.pk, Status.SCHEDULED): (2, 3_000),
        (two.pk, end.pk, Status.SCHEDULED): (1, 1_500),
        (two.pk, end.pk, Status.FAILED): (1, 1_500),
    }


def test_moves_into_archives_and_staging_start_nowhere_in_particular():
    move, job = factories.LongTermArchiveTransferFactory(), factories.StagingJobFactory()
    (way,) = list_open_traffic(LongTermArchiveTransfer)
    assert (way.origin, way.destination, way.volume_bytes) == (None, move.destination_location_id, 1_500)
    (way,) = list_open_traffic(StagingJob)
    assert (way.origin, way.destination, way.volume_bytes) == (None, job.destination_location_id, None)


def test_a_number_that_reached_the_limit_is_a_lower_bound():
    end = factories.DiskDataLocationFactory()
    factories.DataTransferFactory.create_batch(3, destination_location=end)
    assert all(way.at_least for way in list_open_traffic(DataTransfer, limit=2))
    assert not any(way.at_least for way in list_open_traffic(DataTransfer, limit=4))
