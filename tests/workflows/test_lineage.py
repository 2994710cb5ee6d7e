"""What was made of what."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.models import (
    PhysicalCopy,
)
from opsdb.models.reduction.lineage import downstream, lineage
from opsdb.testing.factories import (
    DataProductFactory,
    PipelineFactory,
    RawDataPackageFactory,
)
from opsdb.testing.nights import build_world
from opsdb.workflows import (
    plan_runs,
)
from tests.plans import plan_of, planning_without
from tests.workflows.reducing import completed, make_step


@pytest.mark.django_db
def test_lineage_goes_back_to_the_files_in_one_query(django_assert_num_queries):
    world = build_world()
    package = world.archived_package(files=3)
    pipeline = PipelineFactory(processing_location=world.processing)
    PhysicalCopy.objects.create(raw_data_package=package, data_location=world.processing)
    first = make_step(pipeline, order=1, name="calibrate")
    second = make_step(pipeline, after=[first], order=2, name="map")
    [one] = plan_runs(first)
    [calibrated] = completed(one, "calibrated.fits")
    [other] = plan_runs(second)
    [final] = completed(other, "map.fits")
    with django_assert_num_queries(1):
        back = final.lineage()
    assert set(back.products) == {calibrated.pk, final.pk}
    assert back.products[final.pk]["run_id"] == other.pk
    assert back.runs[other.pk]["input_products"] == [calibrated.pk]
    assert back.runs[one.pk]["input_packages"] == [package.pk]
    assert back.runs[one.pk]["version"] == "1.0"
    assert set(back.packages) == {package.pk}
    assert {file["id"] for file in back.files.values()} == set(package.raw_data_files.values_list("pk", flat=True))
    assert not back.truncated
    told = "\n".join(back.lines())
    assert f"data_product {final.pk}" in told
    assert "map.fits" in told
    assert package.name in told
    with django_assert_num_queries(1):
        later = calibrated.downstream()
    assert set(later.products) == {calibrated.pk, final.pk}
    assert set(later.runs) == {other.pk}
    with django_assert_num_queries(1):
        of_package = downstream(package)
    assert set(of_package.products) == {calibrated.pk, final.pk}


@pytest.mark.django_db
def test_lineage_ends_where_it_goes_in_a_circle():
    one, other = DataProductFactory(), DataProductFactory()
    one.run.input_products.add(other)
    other.run.input_products.add(one)
    one.run.input_products.add(one)
    assert set(one.lineage().products) == {one.pk, other.pk}
    assert set(one.downstream().products) == {one.pk, other.pk}
    assert list(one.lineage().lines())


@pytest.mark.django_db
def test_lineage_stops_at_its_limit_and_says_so():
    products = [DataProductFactory() for _ in range(6)]
    for made, of in zip(products[1:], products, strict=False):
        made.run.input_products.add(of)
    assert not products[-1].lineage().truncated
    bounded = lineage(products[-1], limit=3)
    assert bounded.truncated
    assert len(bounded.products) == 3
    assert list(bounded.lines())[-1] == "… and more"


@pytest.mark.django_db
def test_lineage_goes_along_indexes():
    product = DataProductFactory()
    for walk in (product.lineage, product.downstream, lambda: downstream(RawDataPackageFactory())):
        with CaptureQueriesContext(connection) as queries:
            walk()
        with planning_without("seqscan"):
            plan = plan_of(queries[-1]["sql"])
        assert "Seq Scan" not in plan, plan


@pytest.mark.django_db
def test_lineage_of_many_diamonds_stays_small():
    layer = [DataProductFactory() for _ in range(3)]
    for _ in range(12):
        above = [DataProductFactory() for _ in range(3)]
        for made in above:
            made.run.input_products.set(layer)
        layer = above
    assert len(layer[0].lineage().products) == 37
