"""The dashboard shows the state of every stage to those who may see it."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin import ModelAdmin
from django.utils import timezone

from opsdb.models import (
    DataLocation,
    DataTransfer,
    DeletionRequest,
    ExecutedObsUnit,
    PhysicalCopy,
    RawDataPackage,
)
from opsdb.testing import factories
from opsdb.workflows import Exactness, RowCount, acknowledge_failures, group_failures, list_failures
from tests.admins.pages import SITE
from tests.workflows.scenario_deletion import force

from .pages import dashboard_of, page, read


@pytest.mark.lists_models
def test_the_index_shows_it_above_the_models(browser):
    html = browser.get("/admin/").content.decode()
    assert 0 < html.index("data-opsdb-refresh") < html.index("app-opsdb module")


@pytest.mark.lists_models
@pytest.mark.parametrize(("url", "times"), [("/admin/", 1), ("/admin/opsdb/", 1), ("/admin/auth/", 0)])
def test_only_the_index_and_our_own_list_of_models_have_it(url, times, browser):
    assert browser.get(url).content.decode().count("data-opsdb-refresh=") == times


def test_who_may_see_nothing_finds_the_index_without_it(outsider):
    assert dashboard_of(outsider.get("/admin/")) is None


def test_a_failure_is_shown_with_its_message_and_the_way_to_its_why(browser):
    transfer = factories.DataTransferFactory(failed=True, failure_message="connection reset")
    found = dashboard_of(browser.get("/admin/"))
    assert "connection reset" in found.text
    assert f"/admin/opsdb/datatransfer/{transfer.pk}/change/" in found.links
    assert page("why", q=f"data_transfer {transfer.pk}") in found.links
    assert "/admin/opsdb/datatransfer/?status__exact=failed" in found.links
    assert "1 needs attention: 1 failed (transferred: 1)." in found.text


def test_the_headline_counts_copies_that_need_somebody(browser):
    for status in ("corrupt", "missing", "deletion_failed"):
        force(factories.PhysicalCopyFactory(), status=status, failure_message="bad")
    text = dashboard_of(browser.get("/admin/")).text
    assert "3 need attention: corrupt copies: 1, missing copies: 1, failed deletions: 1." in text


def test_the_headline_counts_deletions_for_who_may_decide_or_carry_them_out(browser, viewer, superuser):
    factories.DeletionRequestFactory.create_batch(2)
    factories.DeletionRequestFactory(requested_by=superuser)
    factories.DeletionRequestFactory(approved=True)
    text = dashboard_of(browser.get("/admin/")).text
    assert "3 need attention: deletions to decide on: 2, deletions to carry out: 1." in text
    assert "Nothing has failed and nothing is stalled." in dashboard_of(viewer.get("/admin/")).text


def test_the_headline_does_not_count_what_is_known(browser, superuser):
    place = factories.DiskDataLocationFactory(location_type="buffer")
    for message in ("no space", "no space", "no route"):
        factories.DataTransferFactory(failed=True, failure_message=message, destination_location=place)
    force(factories.PhysicalCopyFactory(), status="corrupt", failure_message="bad")
    groups = {group.message: group for group in group_failures(list_failures().failures)}
    acknowledge_failures(
        groups["no space"], user=superuser, reason="a disk is ordered", until=timezone.now() + timedelta(days=1)
    )
    text = dashboard_of(browser.get("/admin/")).text
    assert "2 need attention: 1 failed (transferred: 1), corrupt copies: 1. 2 more failures are known." in text


def test_the_headline_says_how_many_packages_are_held_up_as_their_stage_counts_them(browser):
    bundle = factories.DataTransferPackageFactory(failed=True)
    assert "held up" not in dashboard_of(browser.get("/admin/")).text
    for _number in range(2):
        force(factories.RawDataPackageFactory(data_transfer_package=bundle), state="failed")
    text = dashboard_of(browser.get("/admin/")).text
    assert "1 needs attention: 1 failed (bundled for transfer: 1). 2 packages are held up." in text
    assert "one bundle or transfer that failed holds up all of the packages in it" in text


def test_failures_of_one_cause_are_one_line(browser):
    place = factories.DiskDataLocationFactory(location_type="buffer")
    for key in (17, 18):
        factories.DataTransferFactory(failed=True, failure_message=f"file {key}: no space", destination_location=place)
    found = dashboard_of(browser.get("/admin/"))
    assert "2 transfers" in found.text
    assert found.text.count("no space") == 1
    assert f"{place.site}/{place}" in found.text


def test_stalled_work_and_what_waits_too_long_is_shown(browser):
    long_ago = timezone.now() - timedelta(days=2)
    stalled = factories.DataTransferFactory(in_progress=True)
    waiting = factories.DataTransferFactory(destination_location__active=False)
    fresh = factories.DataTransferFactory()
    DataTransfer.objects.filter(pk=waiting.pk).update(created_at=long_ago)
    found = dashboard_of(browser.get("/admin/"))
    assert page("why", q=f"data_transfer {stalled.pk}") in found.links
    assert page("why", q=f"data_transfer {waiting.pk}") in found.links
    assert page("why", q=f"data_transfer {fresh.pk}") not in found.links
    assert "inactive" in found.text
    assert "Waiting longest, counted from when it was made" in found.text


def test_who_sees_one_kind_of_row_sees_nothing_of_the_others(seeing):
    factories.DataTransferFactory(failed=True, failure_message="connection reset")
    factories.LongTermArchiveTransferFactory(failed=True, failure_message="library did not answer")
    factories.ExecutedObsUnitFactory(completed=True)
    found = read(seeing(DataTransfer).get(page("dashboard")))
    assert "connection reset" in found.text
    assert "library did not answer" not in found.text
    assert {"opsdb-stage", "opsdb-pipeline"} <= found.classes()
    for word in ("Last nights", "Running reductions", "Volume", "Packages archived"):
        assert word not in found.text, word
    addresses = {link.split("?")[0] for link in found.links if link.startswith("/admin/opsdb/")}
    pages = {"/admin/opsdb/", *map(page, ("dashboard", "why", "dataflow", "trends"))}
    assert not [address for address in addresses - pages if not address.startswith("/admin/opsdb/datatransfer/")]


def test_a_failure_that_names_what_a_person_may_not_see_is_withheld(seeing):
    package = factories.RawDataPackageFactory()
    factories.DataTransferFactory(failed=True, failure_message=f"raw_data_package {package.pk}: gone")
    found = read(seeing(DataTransfer).get(page("dashboard")))
    assert str(package.pk) not in found.text
    assert "(not shown)" in found.text
    assert str(package.pk) in read(seeing(DataTransfer, RawDataPackage).get(page("dashboard"))).text


def test_locations_are_named_to_who_may_view_them(seeing):
    place, inactive = factories.DiskDataLocationFactory.create_batch(2)
    factories.DataTransferFactory(failed=True, failure_message="connection reset", destination_location=place)
    waiting = factories.DataTransferFactory(destination_location=inactive)
    type(inactive).objects.filter(pk=inactive.pk).update(active=False)
    DataTransfer.objects.filter(pk=waiting.pk).update(created_at=timezone.now() - timedelta(days=2))
    text = read(seeing(DataTransfer).get(page("dashboard"))).text
    assert f"{place.site}/{place}" not in text and "its destination (not shown) is inactive" in text
    text = read(seeing(DataTransfer, DataLocation).get(page("dashboard"))).text
    assert f"{place.site}/{place}" in text and f"its destination {inactive.name} is inactive" in text


def test_locations_show_volume_fill_level_and_what_they_lack(seeing):
    archive = factories.TapeDataLocationFactory(archive=True, capacity_bytes=1_000)
    other = factories.TapeDataLocationFactory(archive=True)
    package = factories.RawDataPackageFactory(archived=True)
    factories.RawDataPackagePhysicalCopyFactory(raw_data_package=package, data_location=archive, size_bytes=900)
    found = read(seeing(DataLocation, PhysicalCopy).get(page("dashboard")))
    assert "90 %" in found.text and "900 bytes" in found.text
    assert f"{other.site}/{other}" in found.text
    assert "opsdb-bar-orange" in found.classes()
    assert "Last nights" not in found.text
    assert "Volume" not in read(seeing(DataLocation, DeletionRequest).get(page("dashboard"))).text


def test_the_number_of_copies_at_a_location_is_that_of_the_list_that_it_leads_to(browser):
    place = factories.DiskDataLocationFactory(location_type="buffer")
    kept, bad, lost = (factories.PhysicalCopyFactory(data_location=place) for _ in range(3))
    for copy, status in ((bad, "corrupt"), (lost, "missing")):
        PhysicalCopy.objects.filter(pk=copy.pk).update(status=status)
    html = browser.get("/admin/").content.decode()
    link = rf'<a href="([^"]*data_location__id__exact={place.pk}&amp;status__in[^"]*)">(\d+)</a>'
    [(url, number)] = re.findall(link, html)
    listed = browser.get(url.replace("&amp;", "&")).context["cl"].result_list
    assert {copy.pk for copy in listed} == {kept.pk, bad.pk}
    assert number == "2"


def test_it_does_with_another_admin_of_observations(browser, monkeypatch):
    factories.ExecutedObsUnitFactory(completed=True)
    assert "Observations of last month (CSV)" in dashboard_of(browser.get("/admin/")).text
    monkeypatch.setitem(SITE._registry, ExecutedObsUnit, ModelAdmin(ExecutedObsUnit, SITE))
    text = dashboard_of(browser.get("/admin/")).text
    assert "Last nights" in text and "Observations of last month (CSV)" not in text


def test_the_last_nights_are_lanes_of_bars_with_a_table(browser):
    first = factories.ExecutedObsUnitFactory(completed=True)
    second = factories.ExecutedObsUnitFactory(aborted=True, start_time=first.start_time + timedelta(days=1))
    old = factories.ExecutedObsUnitFactory(completed=True, start_time=first.start_time - timedelta(days=30))
    found = dashboard_of(browser.get("/admin/"))
    assert {page("observation", first.pk), page("observation", second.pk)} <= set(found.links)
    assert page("observation", old.pk) not in found.links
    assert {"opsdb-bar-completed", "opsdb-bar-aborted"} <= found.classes()
    assert found.text.count("▲") >= 1


def test_the_fragment_is_what_the_page_shows_and_no_more(browser):
    factories.DataTransferFactory(failed=True)
    response = browser.get(page("dashboard", fragment=1))
    html = response.content.decode()
    assert "<html" not in html and "What needs attention" in html
    assert "no-store" in response.headers["Cache-Control"]


def test_an_estimate_and_a_lower_bound_say_so(browser, monkeypatch):
    from opsdb.admins.pages import counts

    assert counts.format_count(RowCount(1_234_567, Exactness.ESTIMATED)) == "about 1,230,000"
    assert counts.format_count(RowCount(1_001, Exactness.AT_LEAST)) == "1,001 or more"
    assert counts.format_count(RowCount(12)) == "12"


def test_every_stage_of_the_overview_has_its_place():
    from opsdb.admins.pages.dashboard.stages import STAGES
    from opsdb.workflows.overview import COUNTED

    assert {counted.name for counted in COUNTED} | {"raw data files", "deletion requests"} == set(STAGES)


@pytest.mark.django_db
def test_an_empty_database_is_said_to_be_empty(browser):
    found = dashboard_of(browser.get("/admin/"))
    assert "Nothing has failed and nothing is stalled." in found.text
    assert "Nothing has been observed yet." in found.text
    assert not ExecutedObsUnit.objects.exists()
