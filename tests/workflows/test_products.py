"""The products that runs register, and what supersedes them."""

import pytest

from opsdb.models import (
    DataProduct,
    PhysicalCopy,
    PhysicalCopyStatus,
    RunStatus,
    Verification,
)
from opsdb.testing.factories import (
    DataProductFactory,
    PipelineFactory,
)
from opsdb.testing.factories.base import checksum
from opsdb.workflows import (
    Conflict,
    Refused,
    fail_run,
    plan_runs,
    record_fixity,
    supersede_product,
)
from tests.workflows.reducing import available, completed, go, make_step, product


@pytest.fixture
def pipeline(db):
    return PipelineFactory()


@pytest.fixture
def run(pipeline):
    available(pipeline)
    [planned] = plan_runs(make_step(pipeline, max_retries=1))
    return planned


def test_a_product_is_recorded_with_its_copy_and_can_be_sent_again(run):
    go(run, RunStatus.RUNNING)
    made = product(run)
    copy = PhysicalCopy.objects.get(data_product=made)
    assert copy.data_location_id == run.step.pipeline.processing_location_id
    assert (copy.status, copy.verification) == (PhysicalCopyStatus.PRESENT, Verification.UNVERIFIED)
    assert (copy.checksum, copy.size_bytes) == (made.checksum, made.size_bytes)
    assert product(run) == made
    go(run, RunStatus.COMPLETED)
    assert product(run) == made
    assert PhysicalCopy.objects.filter(data_product=made).count() == DataProduct.objects.count() == 1


def test_a_product_with_other_facts_is_refused_and_nothing_changes(run):
    go(run, RunStatus.RUNNING)
    made = product(run)
    for facts in ({"number": 2}, {"size_bytes": 11}, {"name": "other"}):
        with pytest.raises(Conflict, match=f"data_product {made.pk}: "):
            product(run, **facts)
    made.refresh_from_db()
    assert made.checksum == checksum(1)


@pytest.mark.parametrize(
    "facts",
    [{"path": "../map.fits"}, {"path": "/map.fits"}, {"checksum": "xyz"}, {"size_bytes": -1}, {"type": "poem"}],
    ids=str,
)
def test_a_product_that_can_not_be_is_refused(run, facts):
    go(run, RunStatus.RUNNING)
    with pytest.raises(Refused):
        product(run, **facts)
    assert not DataProduct.objects.exists()


def test_only_a_run_at_work_makes_products(run):
    with pytest.raises(Refused, match="is pending"):
        product(run)
    go(run, RunStatus.COMPLETED)
    with pytest.raises(Refused, match="is completed"):
        product(run)


def test_another_attempt_replaces_what_the_first_one_left(run):
    go(run, RunStatus.RUNNING)
    left = product(run, number=1)
    record_fixity(PhysicalCopy.objects.get(data_product=left), checksum=checksum(1))
    fail_run(run, message="node died")
    go(run, RunStatus.RUNNING)
    made = product(run, number=2)
    assert made.pk == left.pk
    copy = PhysicalCopy.objects.get(data_product=made)
    assert made.checksum == copy.checksum == checksum(2)
    assert (copy.status, copy.verification) == (PhysicalCopyStatus.PRESENT, Verification.UNVERIFIED)
    assert product(run, number=2) == made


def test_products_of_a_later_run_replace_those_of_the_same_path(pipeline):
    available(pipeline)
    step = make_step(pipeline)
    [run] = plan_runs(step)
    old, kept = completed(run, "map.fits", "other.fits")
    [again] = plan_runs(step, again=True)
    [new] = completed(again, "map.fits")
    old.refresh_from_db()
    assert old.superseded_by == new
    assert set(DataProduct.objects.current()) == {kept, new}


@pytest.mark.django_db
def test_a_product_is_replaced_by_one_that_is_not_replaced_itself():
    old, new, newer = (DataProductFactory() for _ in range(3))
    assert supersede_product(old, by=new).superseded_by == new
    assert supersede_product(old, by=new).superseded_by == new
    with pytest.raises(Conflict, match=f"is superseded by data_product {new.pk}"):
        supersede_product(old, by=newer)
    with pytest.raises(Refused, match="is itself superseded"):
        supersede_product(new, by=old)
    with pytest.raises(Refused):
        supersede_product(new, by=new)
