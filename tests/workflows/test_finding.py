"""Rows are found by UUID, name, path, checksum, or table and key."""

import pytest

from opsdb.testing.factories import (
    DataProductFactory,
)
from opsdb.testing.nights import build_world
from opsdb.workflows import (
    Ambiguous,
    NotFound,
    find_row,
)
from tests.worlds import shared_world

pytestmark = pytest.mark.django_db


@shared_world
def world():
    return build_world()


def test_a_row_is_found_by_uuid_name_path_and_table_with_key(world):
    bundle = world.made_bundle()
    package = bundle.raw_data_packages.get()
    file = package.raw_data_files.first()
    product = DataProductFactory()
    for row, *texts in (
        (package, str(package.pk), str(package.pk).upper(), f" {package.name} ", package.relative_path),
        (package, package.checksum, package.checksum.upper()),
        (bundle, str(bundle.pk), bundle.name, bundle.relative_path, f"data_transfer_package {bundle.pk}"),
        (file, str(file.pk), file.relative_path, f"raw_data_file {file.pk}"),
        (package.executed_obs_unit, str(package.executed_obs_unit_id)),
        (product, f"data_product {product.pk}", product.name, product.relative_path),
    ):
        for text in texts:
            assert find_row(text) == row, text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "0198f0e4-0000-7000-8000-000000000000",
        "data_transfer x",
        "data_transfer 99999999999999999999",
        "a\0b",
        "raw_data_file 3",
    ],
)
def test_what_is_not_there_is_not_found(text, world):
    with pytest.raises(NotFound):
        find_row(text)


def test_a_wrong_folder_before_a_name_does_not_find_it(world):
    package = world.made_packages()[0]
    with pytest.raises(NotFound):
        find_row(f"elsewhere/{package.name}")


def test_a_path_that_several_things_have_asks_which(db):
    products = [DataProductFactory(relative_path="map.fits") for _ in range(2)]
    with pytest.raises(Ambiguous) as error:
        find_row("map.fits")
    assert error.value.names == [f"data_product {product.pk}" for product in products]
