"""Buttons for what went wrong: copies that can't be read or are back, repairs, products made again, corrections."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from opsdb.models import (
    ChangeLog,
    DataProduct,
    ExecutedObsUnit,
    ExecutedReductionStep,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
)
from opsdb.testing.factories import (
    DataProductFactory,
    DiskDataLocationFactory,
    ExecutedReductionStepFactory,
    SiteFactory,
)
from opsdb.testing.nights import WORKER, WRONG, build_world
from opsdb.workflows import CompletionConflict, complete_archive_transfer, record_fixity
from tests.worlds import shared_world

from .acting import confirm, look, outcomes
from .pages import address, errors_of, submit

pytestmark = pytest.mark.django_db


@shared_world
def world():
    return build_world()


def fetch(row):
    row.refresh_from_db()
    return row


def test_a_copy_that_cannot_be_read_is_repaired_and_one_that_is_back_is_brought_back(browser, superuser, world):
    package = world.archived_package()
    copy = world.copy(package, world.us_archive)
    assert confirm(browser, PhysicalCopy, "fail_fixity", copy, reason="Input/output error").status_code == 302
    check = copy.fixity_checks.latest("pk")
    assert (check.failure_message, check.checked_by) == ("Input/output error", superuser.username)
    assert (fetch(copy).verification, copy.status) == ("unverified", "present")
    assert confirm(browser, PhysicalCopy, "fail_fixity", copy, reason="gone", absent="on").status_code == 302
    assert fetch(copy).status == "missing"
    assert "archive" in outcomes(look(browser, RawDataPackage, "repair", package))["CHANGES"][package.pk]
    assert confirm(browser, PhysicalCopy, "repair", copy).status_code == 302
    assert package.archive_transfers.filter(status="pending").count() == 1
    assert "wait for it" in outcomes(look(browser, RawDataPackage, "repair", package))["REFUSED"][package.pk]
    assert confirm(browser, PhysicalCopy, "restore", copy, reason="it was in lost+found").status_code == 302
    assert fetch(copy).status == "present"
    assert ChangeLog.objects.of(copy).first().reason == "it was in lost+found"


def test_a_product_is_made_again(browser):
    from opsdb.testing.factories import PipelineFactory
    from opsdb.workflows import plan_runs
    from tests.workflows.reducing import available, completed, make_step

    pipeline = PipelineFactory()
    available(pipeline)
    [run] = plan_runs(make_step(pipeline))
    [made] = completed(run, "map.fits")
    assert "a copy of it can be read" in outcomes(look(browser, DataProduct, "remake", made))["REFUSED"][made.pk]
    record_fixity(made.copies.get(), WRONG)
    assert confirm(browser, DataProduct, "remake", made).status_code == 302
    assert run.step.runs.filter(status="pending").count() == 1


def test_an_execution_is_corrected_with_a_reason(browser, superuser, world):
    execution = world.observe()
    world.register(execution)
    files = RawDataFile.objects.of(execution)
    files.update(observed_at=execution.start_time)
    right = execution.start_time - timedelta(days=3)
    inputs = {
        "start_time_0": f"{right:%Y-%m-%d}",
        "start_time_1": f"{right:%H:%M}",
        "end_time_0": "",
        "end_time_1": "",
        "obs_unit": "",
        "with_files": "on",
    }
    reason = "the clock was three days ahead"
    assert confirm(browser, ExecutedObsUnit, "correct", execution, reason=reason, **inputs).status_code == 302
    assert fetch(execution).start_time == right
    assert set(files.values_list("observed_at", flat=True)) == {right}
    change = ChangeLog.objects.of(execution).first()
    assert (change.user, change.reason) == (superuser, reason)


def test_a_conflict_is_settled(browser, world):
    moved = world.archived_package().archive_transfers.order_by("pk").first()
    with pytest.raises(CompletionConflict):
        complete_archive_transfer(moved, worker=WORKER, checksum=WRONG)
    assert confirm(browser, type(moved), "settle", moved).status_code == 302
    assert fetch(moved).failure_message == ""


def test_why_links_to_the_troubleshooting_page(browser, world, settings):
    settings.OPSDB_DOCUMENTATION_URL = "https://docs.example.org/opsdb/"
    copy = world.copy(world.archived_package(), world.us_archive)
    page = browser.get(reverse("admin:opsdb_rawdatapackage_why"), {"q": f"physical_copy {copy.pk}"})
    assert b"https://docs.example.org/opsdb/troubleshooting.md" in page.content


@pytest.mark.parametrize(("made", "name"), [(SiteFactory, "short_name"), (DiskDataLocationFactory, "name")])
def test_a_changed_name_warns_that_workers_wait_at_other_queues(browser, made, name):
    row = made()
    url = address(type(row), "change", row)
    for changes, warned in (({"description": "x"}, False), ({name: "store"}, True)):
        response = submit(browser, url, row, changes)
        assert response.status_code == 302, errors_of(response)
        shown = [str(message) for message in get_messages(response.wsgi_request)]
        assert any("restart the workers" in text for text in shown) == warned


def test_a_waiting_run_uses_the_newer_product(browser):
    made, newer = DataProductFactory(), DataProductFactory()
    run, other = ExecutedReductionStepFactory(), ExecutedReductionStepFactory()
    for one in (run, other):
        one.input_products.add(made)
    shown = outcomes(look(browser, ExecutedReductionStep, "use_newer", run))
    assert shown["SKIPPED"][run.pk] == "None of its input products is superseded."
    DataProduct.objects.filter(pk=made.pk).update(superseded_by=newer)
    shown = outcomes(look(browser, ExecutedReductionStep, "use_newer", run))
    assert shown["CHANGES"][run.pk] == f"reads product {newer.pk} instead"
    assert list(run.input_products.all()) == [made], "a preview changes nothing"
    assert confirm(browser, ExecutedReductionStep, "use_newer", run, reason="better").status_code == 302
    assert list(run.input_products.all()) == [newer]
    assert {entry.reason for entry in ChangeLog.objects.filter(table_name__endswith="_input_product")} == {"", "better"}
    ExecutedReductionStep.objects.filter(pk=other.pk).update(status="cancelled")
    assert (
        "only pending and failed runs"
        in outcomes(look(browser, ExecutedReductionStep, "use_newer", other))["SKIPPED"][other.pk]
    )


def test_why_offers_the_newer_product_as_a_button(browser):
    made, newer = DataProductFactory(), DataProductFactory()
    run = ExecutedReductionStepFactory()
    run.input_products.add(made)
    DataProduct.objects.filter(pk=made.pk).update(superseded_by=newer)
    url = reverse("admin:opsdb_rawdatapackage_why") + f"?q=executed_reduction_step+{run.pk}"
    page = browser.get(url).content.decode()
    assert "Use the newer product" in page and 'name="action" value="use_newer"' in page
