"""What a location holds, what may go from it, and how fast it fills."""

from datetime import timedelta

import pytest

from opsdb.models import DataLocation, LocationType, PhysicalCopy
from opsdb.testing import factories
from opsdb.workflows import location_stock, measure_location

SIZE = 1_000


@pytest.fixture
def buffer(db):
    return factories.DiskDataLocationFactory(
        location_type=LocationType.BUFFER, retention_days=7, capacity_bytes=100_000
    )


def keep(buffer, number=1, **columns):
    """Products with a copy there."""
    for _ in range(number):
        product = factories.DataProductFactory(size_bytes=SIZE)
        factories.DataProductPhysicalCopyFactory(data_product=product, data_location=buffer, size_bytes=SIZE, **columns)
        yield product


def test_what_is_held_and_free(buffer):
    list(keep(buffer, 3))
    stock = measure_location(buffer)
    assert (stock.copies, stock.held_bytes, stock.free_bytes) == (3, 3 * SIZE, 100_000 - 3 * SIZE)
    assert stock.fill_percent == pytest.approx(3)


def test_copies_are_counted_by_the_rule_that_holds_them_back(buffer):
    alone, elsewhere = [*keep(buffer, 2)], [*keep(buffer)]
    factories.DataProductPhysicalCopyFactory(data_product=elsewhere[0], verified=True)
    stock = measure_location(buffer)
    assert {one.rule: (one.copies, one.size_bytes) for one in stock.held_back} == {2: (2, 2 * SIZE), 5: (1, SIZE)}
    assert "has no other verified copy" in stock.of_rule(2).why
    assert stock.of_rule(None).copies == 0
    arrival = PhysicalCopy.objects.get(data_location=buffer, data_product=elsewhere[0]).arrived_at
    assert stock.retention_ends_at == arrival + timedelta(days=7)
    DataLocation.objects.filter(pk=buffer.pk).update(retention_days=0)
    buffer.refresh_from_db()
    stock = measure_location(buffer)
    going = PhysicalCopy.objects.get(data_location=buffer, data_product=elsewhere[0])
    assert stock.of_rule(None) == location_stock.HeldBack(None, 1, SIZE, "", (going.pk,))
    assert stock.retention_ends_at is None
    assert len(alone) == stock.of_rule(2).copies


def test_the_rules_are_asked_of_the_oldest_copies_alone(buffer, monkeypatch):
    monkeypatch.setattr(location_stock, "OLDEST", 2)
    list(keep(buffer, 3))
    stock = measure_location(buffer)
    assert (stock.copies, stock.looked_at, stock.has_more) == (3, 2, True)
    assert sum(one.copies for one in stock.held_back) == 2


def test_nothing_goes_from_an_archive(db):
    archive = factories.DiskDataLocationFactory(location_type=LocationType.LONG_TERM_ARCHIVE)
    list(keep(archive))
    stock = measure_location(archive)
    assert stock.held_back == [] and stock.looked_at == 0
    assert stock.free_bytes is stock.fill_percent is None
