"""A run that has not begun reads newer products instead of superseded ones, and begins with them."""

import pytest

from opsdb.models import ChangeLog, DataProduct, ExecutedReductionStep, RunStatus, StagingJob
from opsdb.testing.factories import (
    DataProductFactory,
    ExecutedReductionStepFactory,
    PipelineFactory,
    UserFactory,
)
from opsdb.workflows import (
    NotFound,
    OpsdbError,
    Refused,
    cancel_run,
    explain_row,
    fail_run,
    plan_runs,
    reset_run,
    start_run,
    submit_run,
    supersede_product,
    use_newer_products,
)
from tests.workflows.explaining import check
from tests.workflows.racing import overtaken, race
from tests.workflows.reducing import available, completed, go, make_step
from tests.workflows.scenario_deletion import force

WHY = {"user": None, "reason": "the calibration is better"}


def waiting_run():
    """A run of a second step, which waits to read what a run of the first has made, and that product."""
    pipeline = PipelineFactory()
    available(pipeline)
    first = make_step(pipeline)
    [run] = plan_runs(first)
    [product] = completed(run, "map.fits")
    [waiting] = plan_runs(make_step(pipeline, after=[first]))
    assert list(waiting.input_products.all()) == [product]
    return waiting, product


@pytest.fixture
def waiting(db):
    return waiting_run()


def newer_than(product):
    """A product of another run that supersedes this one, and can be read where this one can."""
    [newer] = completed(*plan_runs(product.run.step, again=True), "other.fits")
    supersede_product(product, by=newer)
    return newer


def inputs(run):
    return list(run.input_products.order_by("pk"))


def test_the_newer_product_is_read_instead_and_the_run_begins_with_it(waiting):
    run, product = waiting
    newer = newer_than(product)
    packages = list(run.input_packages.all())
    assert use_newer_products(run, **WHY) == [newer]
    assert inputs(run) == [newer] and list(run.input_packages.all()) == packages
    force(product.copies.get(), status="missing")
    assert go(run, RunStatus.COMPLETED).status == RunStatus.COMPLETED


def test_what_is_superseded_several_times_is_replaced_by_the_last(waiting):
    run, product = waiting
    newer = newer_than(product)
    newest = newer_than(newer)
    other = DataProductFactory()
    run.input_products.add(other, newest)
    assert use_newer_products(run, **WHY) == [newest]
    assert inputs(run) == sorted([newest, other], key=lambda one: one.pk)


def test_the_same_call_again_and_a_run_without_superseded_inputs_change_nothing(waiting):
    run, product = waiting
    assert use_newer_products(run, **WHY) == [] and inputs(run) == [product]
    newer = newer_than(product)
    use_newer_products(run, **WHY)
    assert use_newer_products(run, **WHY) == [] and inputs(run) == [newer]


def test_a_failed_run_reads_it_after_its_reset_and_nothing_stays_staged_for_it(waiting):
    run, product = waiting
    newer = newer_than(product)
    start_run(run)
    earlier = run.staging_job
    fail_run(run, message="broken input")
    assert (run.status, StagingJob.objects.get(pk=earlier.pk).active) == (RunStatus.PENDING, True)
    use_newer_products(run, **WHY)
    assert not StagingJob.objects.get(pk=earlier.pk).active
    start_run(run)
    assert run.staging_job != earlier and list(run.staging_job.data_products.all()) == [newer]
    fail_run(run, message="broken input", retryable=False)
    newest = newer_than(newer)
    assert use_newer_products(run, **WHY) == [newest]
    assert inputs(reset_run(run)) == [newest]


def test_a_run_that_has_begun_or_ended_keeps_its_inputs(waiting):
    run, product = waiting
    newer_than(product)
    for step in (start_run, lambda run: submit_run(run, hpc_job_id="1"), lambda run: cancel_run(run, reason="x")):
        step(run)
        with pytest.raises(Refused, match=f"is {run.status}, and reads what it was planned with; .* plan another run"):
            use_newer_products(run, **WHY)
    assert inputs(run) == [product]


def test_a_reason_and_a_run_are_needed(waiting):
    run, _product = waiting
    with pytest.raises(OpsdbError, match="give the reason"):
        use_newer_products(run, user=None, reason=" ")
    with pytest.raises(NotFound):
        use_newer_products(ExecutedReductionStep(pk=987654321), **WHY)


def test_the_history_has_who_and_why(waiting):
    run, product = waiting
    newer, user = newer_than(product), UserFactory()
    use_newer_products(run, user=user, reason="the calibration is better")
    entries = ChangeLog.objects.filter(table_name="executed_reduction_step_input_product", user=user)
    assert {entry.reason for entry in entries} == {"the calibration is better"}
    values = [(entry.before or entry.after)["data_product_id"] for entry in entries.order_by("pk")]
    assert values == [product.pk, newer.pk]


def test_why_names_the_step_where_the_superseded_product_is_lost(waiting):
    run, product = waiting
    step = "(“Use the newer product” in the admin"
    force(product.copies.get(), status="missing")
    assert step not in explain_row(run).next_step
    newer = newer_than(product)
    check(run, "^operator$", f"let it read data_product {newer.pk} instead {step}", "can be read")
    use_newer_products(run, **WHY)
    assert explain_row(run).who == "manager"
    other = ExecutedReductionStepFactory()
    other.input_products.add(DataProduct.objects.get(pk=product.pk))
    assert step in explain_row(other).next_step


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_exchange_it_once():
    run, product = waiting_run()
    newer = newer_than(product)
    outcomes = race(2, lambda number: use_newer_products(ExecutedReductionStep.objects.get(pk=run.pk), **WHY))
    assert sorted(outcomes, key=len) == [[], [newer]] and inputs(run) == [newer]


@pytest.mark.django_db(transaction=True)
def test_what_is_superseded_meanwhile_is_replaced_by_the_last():
    run, product = waiting_run()
    newer = newer_than(product)
    [newest] = completed(*plan_runs(product.run.step, again=True), "third.fits")
    found = overtaken(
        lambda: supersede_product(newer, by=newest), lambda: use_newer_products(run, **WHY), must_wait=True
    )
    assert found == [newest] and inputs(run) == [newest]


@pytest.mark.django_db(transaction=True)
def test_a_run_that_begins_meanwhile_keeps_its_inputs():
    run, product = waiting_run()
    newer_than(product)
    other = ExecutedReductionStep.objects.get(pk=run.pk)
    found = overtaken(lambda: start_run(other), lambda: use_newer_products(run, **WHY), must_wait=True)
    assert isinstance(found, Refused) and inputs(run) == [product]
    assert list(other.staging_job.data_products.all()) == [product]
