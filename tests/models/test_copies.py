"""One table of copies, seen by what they are copies of."""

import pytest

from opsdb.models import (
    DataProductPhysicalCopy,
    DataTransferPackagePhysicalCopy,
    LocationType,
    PhysicalCopy,
    RawDataFilePhysicalCopy,
    RawDataPackagePhysicalCopy,
)
from opsdb.testing.factories import FACTORIES, DiskDataLocationFactory, PhysicalCopyFactory

from .schema import name_of

pytestmark = pytest.mark.django_db

PROXIES = {
    RawDataFilePhysicalCopy: "raw_data_file",
    RawDataPackagePhysicalCopy: "raw_data_package",
    DataTransferPackagePhysicalCopy: "data_transfer_package",
    DataProductPhysicalCopy: "data_product",
}
every_proxy = pytest.mark.parametrize("proxy", PROXIES, ids=name_of)


@pytest.fixture
def copies():
    return {proxy: FACTORIES[proxy]() for proxy in PROXIES}


@every_proxy
def test_a_proxy_sees_only_the_copies_of_its_kind(proxy, copies):
    assert list(proxy.objects.all()) == [copies[proxy]]
    assert type(proxy.objects.get()) is proxy
    assert PhysicalCopy.objects.count() == len(copies)


@every_proxy
def test_a_copy_knows_what_it_is_of(proxy, copies):
    copy = PhysicalCopy.objects.get(pk=copies[proxy].pk)
    assert copy.target_name == PROXIES[proxy]
    assert copy.target == getattr(copies[proxy], PROXIES[proxy])


@every_proxy
def test_copies_of_a_thing(proxy, copies):
    content = copies[proxy].target
    assert [copy.pk for copy in PhysicalCopy.objects.of(content)] == [copies[proxy].pk]
    assert proxy.objects.of(content).get() == copies[proxy]
    assert list(content.copies.all()) == list(PhysicalCopy.objects.of(content))


@every_proxy
def test_questions_of_copies_can_be_asked_of_each_kind(proxy):
    location = DiskDataLocationFactory()
    here, elsewhere = FACTORIES[proxy](data_location=location), FACTORIES[proxy]()
    deleted, missing = FACTORIES[proxy](deleted=True), FACTORIES[proxy](missing=True)
    staged, verified = FACTORIES[proxy](status="staged"), FACTORIES[proxy](verified=True)
    assert proxy.objects.at(location).get() == here
    # What was deleted has a copy in an archive.
    copies = proxy.objects.exclude(data_location__location_type=LocationType.LONG_TERM_ARCHIVE)
    assert set(copies.existing()) == {here, elsewhere, staged, verified}
    assert set(copies.present()) == {here, elsewhere, verified}
    assert copies.verified().get() == verified
    assert proxy.objects.at(location).present().of(here.target).get() == here
    assert {deleted, missing} == set(copies) - set(copies.existing())


def test_only_a_thing_that_has_copies_can_be_asked_for():
    copy = PhysicalCopyFactory()
    with pytest.raises(Exception, match="executed_obs_unit"):
        PhysicalCopy.objects.of(copy.raw_data_package.executed_obs_unit)
