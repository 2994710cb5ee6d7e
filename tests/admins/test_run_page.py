"""The page of a run says what is known of its job, and what its reset clears."""

import html
import re

import pytest

from opsdb.models import (
    DataLocation,
    DataProduct,
    ExecutedReductionStep,
    PhysicalCopy,
    ReductionStepConfig,
)
from opsdb.testing import factories
from opsdb.workflows import attributed, reset_run

from .acting import confirm, look, outcomes
from .conftest import may_only
from .pages import address

JOB = "4711.cluster"


@pytest.fixture
def run(db):
    run = factories.ExecutedReductionStepFactory(failed=True)
    ExecutedReductionStep.objects.filter(pk=run.pk).update(hpc_job_id=JOB, exit_code=137)
    run.refresh_from_db()
    return run


def facts(client, run):
    """What the page says of the job, by name."""
    page = client.get(address(ExecutedReductionStep, "change", run))
    section = re.search(r'<section[^>]*aria-labelledby="job">.*?</section>', page.content.decode(), re.DOTALL)[0]
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", section, re.DOTALL)
    return {name: html.unescape(re.sub(r"<[^>]+>", "", value)) for name, value in found}


def test_a_failed_run_says_where_its_log_is_and_what_can_be_done(browser, run):
    location = run.step.pipeline.processing_location
    found = facts(browser, run)
    assert found["job"] == JOB
    assert found["where"].startswith(f"{location.site}/{location.name}, /")
    assert f"sacct -j {JOB}" in found["log"] and "no product of the run is a log" in found["log"]
    assert found["what went wrong"] == run.failure_message
    assert found["exit code"].startswith("137: it was killed (SIGKILL)")
    assert found["used"] == "not reported"
    assert found["what can be done"].startswith("“Reset” lets it run again")
    assert "earlier jobs" not in found


def test_a_log_that_is_registered_is_linked_with_its_place(browser, run):
    copy = factories.DataProductPhysicalCopyFactory(data_product__run=run, data_product__type="log")
    gone = factories.DataProductPhysicalCopyFactory(
        data_product=copy.data_product, data_location=factories.DiskDataLocationFactory()
    )
    PhysicalCopy.objects.filter(pk=gone.pk).update(status="missing")
    place = DataLocation.objects.select_related("site").get(pk=copy.data_location_id)
    assert facts(browser, run)["log"].split() == [
        copy.data_product.relative_path, "at", f"{place.site}/{place.name}",
    ]  # fmt: skip


def test_what_it_asked_for_and_used_are_beside_each_other(browser, run):
    config = factories.ReductionStepConfigFactory(software=run.step.software, cpu=8, memory_gb=64.0, time_hours=1.5)
    type(run.step).objects.filter(pk=run.step.pk).update(config=config)
    ExecutedReductionStep.objects.filter(pk=run.pk).update(cpu_hours=2.5, peak_memory_gb=63.9, wall_time_seconds=90)
    found = facts(browser, run)
    asked_for = f"8 cores, 64 GB of memory, 1 h 30 min, by the configuration {config} of its step"
    assert found["asked for"] == asked_for
    assert f"give it more in the configuration {config} first" in found["what can be done"]
    assert (
        address(ReductionStepConfig, "change", config)
        in browser.get(address(ExecutedReductionStep, "change", run)).content.decode()
    )
    assert found["used"].startswith("2.5 core hours, 63.9 GB of memory, ")


@pytest.mark.parametrize(
    ("code", "said"), [(0, "0"), (1, "1"), (143, "143: it was ended by the signal SIGTERM"), (255, "255")]
)
def test_an_exit_code_says_which_signal_it_was(browser, run, code, said):
    ExecutedReductionStep.objects.filter(pk=run.pk).update(exit_code=code)
    assert facts(browser, run)["exit code"] == said


def test_resetting_says_that_the_job_is_cleared_and_the_page_names_it_afterwards(browser, run):
    preview = look(browser, ExecutedReductionStep, "reset", run)
    changes = outcomes(preview)["CHANGES"][run.pk]
    assert f"HPC job ID: {JOB} → " in changes
    assert f"The run no longer has the number of its job, {JOB}," in changes
    assert "number, times, exit code" in html.unescape(preview.content.decode())
    assert confirm(browser, ExecutedReductionStep, "reset", run).status_code == 302
    run.refresh_from_db()
    assert (run.status, run.hpc_job_id) == ("pending", "")
    found = facts(browser, run)
    assert found["job"].startswith("none") and found["earlier jobs"].startswith(f"{JOB} (until ")
    assert "what can be done" not in found


def test_a_run_without_a_job_says_nothing_of_it_when_it_is_reset(browser, run):
    ExecutedReductionStep.objects.filter(pk=run.pk).update(hpc_job_id="")
    assert "number of its job" not in outcomes(look(browser, ExecutedReductionStep, "reset", run))["CHANGES"][run.pk]
    assert "has no job" in facts(browser, run)["log"]


def test_who_may_see_runs_alone_is_told_no_place_product_or_history(run):
    with attributed(reason="again"):
        reset_run(run)
    factories.DataProductPhysicalCopyFactory(data_product__run=run, data_product__type="log")
    found = facts(may_only(ExecutedReductionStep), run)
    assert found["where"] == "(not shown)"
    assert "earlier jobs" not in found and DataProduct.objects.get().relative_path not in found["log"]
