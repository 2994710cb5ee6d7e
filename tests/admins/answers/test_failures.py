"""Failures of one cause are one group, which one button treats, after it has shown what that does."""

import re

import pytest
from django.contrib.auth.models import Permission

from opsdb.admins.kit.names import called
from opsdb.models import (
    ChangeLog,
    DataLocation,
    DataTransfer,
    DataTransferPackage,
    FailureAcknowledgement,
    PhysicalCopy,
    RawDataPackage,
    StagingJob,
    User,
)
from opsdb.testing import factories
from opsdb.testing.factories import UserFactory
from opsdb.workflows import group_failures, list_failures
from tests.admins.conftest import logged_in
from tests.workflows.scenario_deletion import force

from .pages import page, read

REASON = "the disk was emptied"


@pytest.fixture
def full(db):
    """A location that was full, and rows of three kinds which failed there."""
    place = factories.DiskDataLocationFactory(processing=True)
    terms = {"failed": True, "failure_message": "no space left on device", "destination_location": place}
    return place, [
        factories.DataTransferFactory(**terms),
        factories.DataTransferFactory(**terms),
        factories.StagingJobFactory(**terms),
    ]


def group_of(browser):
    """The name of the only group."""
    found = read(browser.get(page("failures")))
    [name] = {attributes["value"] for tag, attributes in found.tags if attributes.get("name") == "group"}
    return name


def send(browser, name, **data):
    return browser.post(page("failures"), {"group": name, **data})


def confirmed(browser, name, **data):
    """Look what a group's button does, and have it done."""
    seen = send(browser, name)
    return send(browser, name, opsdb_stage="confirm", opsdb_digest=seen.context["digest"], reason=REASON, **data)


def statuses(rows):
    return [type(row).objects.get(pk=row.pk).status for row in rows]


def test_a_group_has_its_rows_each_with_its_why(browser, full):
    place, rows = full
    html = browser.get(page("failures")).content.decode()
    assert html.count("<section") == 1
    found = read(browser.get(page("failures")))
    assert f"no space left on device · {place.site}/{place}" in found.text
    for row in rows:
        assert page("why", q=f"{row._meta.db_table} {row.pk}") in found.links
        assert f"/admin/opsdb/{row._meta.model_name}/{row.pk}/change/" in found.links


def test_one_button_shows_what_it_would_do_and_then_does_it(browser, superuser, full):
    _place, rows = full
    name = group_of(browser)
    seen = send(browser, name)
    shown = read(seen).text
    assert f"Will change: {len(rows)}" in shown
    assert "failed → pending" in shown
    assert statuses(rows) == ["failed"] * 3
    assert confirmed(browser, name).url == page("failures")
    assert statuses(rows) == ["pending"] * 3
    for row in rows:
        change = ChangeLog.objects.of(row).first()
        assert (change.user, change.reason) == (superuser, REASON)


def test_without_a_reason_nothing_is_done(browser, full):
    _place, rows = full
    name = group_of(browser)
    seen = send(browser, name)
    assert send(browser, name, opsdb_stage="confirm", opsdb_digest=seen.context["digest"], reason="").status_code == 200
    assert statuses(rows) == ["failed"] * 3


def test_what_joined_the_group_since_is_shown_before_anything_is_done(browser, full):
    place, rows = full
    name = group_of(browser)
    digest = send(browser, name).context["digest"]
    factories.DataTransferFactory(failed=True, failure_message="no space left on device", destination_location=place)
    again = send(browser, name, opsdb_stage="confirm", opsdb_digest=digest, reason=REASON)
    assert "nothing was done" in again.content.decode()
    assert statuses(rows) == ["failed"] * 3


def test_who_may_change_some_of_the_rows_resets_those(full):
    _place, (*transfers, job) = full
    codenames = ["view_datatransfer", "change_datatransfer", "view_stagingjob"]
    permissions = Permission.objects.filter(content_type__app_label="opsdb", codename__in=codenames)
    browser = logged_in(UserFactory(is_staff=True, user_permissions=permissions))
    assert confirmed(browser, group_of(browser)).status_code == 302
    assert statuses(transfers) == ["pending", "pending"]
    assert statuses([job]) == ["failed"]


def test_who_may_only_look_finds_no_button_and_sends_none(viewer, full):
    _place, rows = full
    found = read(viewer.get(page("failures")))
    assert not [attributes for _tag, attributes in found.tags if attributes.get("name") == "group"]
    assert send(viewer, "anything", opsdb_stage="confirm", reason=REASON).status_code == 200
    assert statuses(rows) == ["failed"] * 3


def test_who_sees_one_kind_of_row_sees_nothing_of_the_others(seeing, full):
    text = read(seeing(StagingJob).get(page("failures"))).text
    assert "1 staging job" in text
    assert not re.search(r"\d transfer", text)
    assert seeing(DataTransfer).get(page("failures")).status_code == 200
    assert seeing().get(page("failures")).status_code == 403


def test_places_and_people_are_named_to_who_may_view_them(seeing, full):
    place, _rows = full
    where = f"{place.site}/{place}"
    for models in ((StagingJob,), (StagingJob, DataLocation)):
        text = read(seeing(*models).get(page("failures"))).text
        assert (where in text) == (DataLocation in models)
        assert ("no space left on device · (not shown)" in text) != (DataLocation in models)
    codenames = ["view_stagingjob", "add_failureacknowledgement", "view_failureacknowledgement"]
    person = UserFactory(
        is_staff=True,
        username="hidden.person",
        user_permissions=Permission.objects.filter(codename__in=codenames),
    )
    assert ": (not shown)." in read(acknowledge(logged_in(person), group_of(logged_in(person)))).text
    for models in ((StagingJob,), (StagingJob, User)):
        text = read(seeing(FailureAcknowledgement, *models).get(page("failures"))).text
        assert "a disk is ordered" in text and ("hidden.person" in text) == (User in models)


def test_a_group_that_is_over_says_so(browser):
    assert "Nothing needs attention." in read(browser.get(page("failures"))).text
    assert "These failures are over." in read(browser.get(page("failures", group="0" * 16))).text
    assert send(browser, "0" * 16).status_code == 200


def buttons(browser, where="failures"):
    """The remedies that have a button."""
    found = read(browser.get(page(where)))
    return [attributes["value"] for _tag, attributes in found.tags if attributes.get("name") == "remedy"]


def test_a_bad_copy_outside_archives_is_brought_back_or_only_explained(browser):
    copy = factories.PhysicalCopyFactory()
    PhysicalCopy.objects.filter(pk=copy.pk).update(status="corrupt")
    for where in ("failures", "dashboard"):
        assert buttons(browser, where) == []
        assert page("why", q=f"physical_copy {copy.pk}") in read(browser.get(page(where))).links
    assert send(browser, group_of(browser), remedy="repair").context.get("digest") is None
    PhysicalCopy.objects.filter(pk=copy.pk).update(status="missing")
    for where in ("failures", "dashboard"):
        assert buttons(browser, where) == ["restore"]
    for sent in ("repair", "nonsense", "reset"):
        assert send(browser, group_of(browser), remedy=sent).context.get("digest") is None
    assert confirmed(browser, group_of(browser), remedy="restore").status_code == 302
    assert statuses([copy]) == ["present"]
    page_of_copy = browser.get(f"/admin/opsdb/physicalcopy/{copy.pk}/change/").content.decode()
    assert 'value="repair"' not in page_of_copy


def test_unpacking_is_tried_again_without_a_transfer(browser):
    transfer = factories.DataTransferFactory(completed=True)
    DataTransfer.objects.filter(pk=transfer.pk).update(unpack_status="in_progress", unpack_claimed_by="w")
    DataTransfer.objects.filter(pk=transfer.pk).update(unpack_status="failed", unpack_failure_message="not a tar")
    assert confirmed(browser, group_of(browser)).status_code == 302
    transfer.refresh_from_db()
    assert (transfer.status, transfer.unpack_status) == ("completed", "pending")


def acknowledge(browser, name, **data):
    return browser.post(
        page("failures"),
        {"group": name, "acknowledge": "1", "reason": "a disk is ordered", "informed": "RT 4711", "days": "7", **data},
        follow=True,
    )


def test_a_group_is_known_until_a_time_and_then_needs_nobody(browser, full):
    _place, rows = full
    name = group_of(browser)
    assert "no space left on device" in read(browser.get(page("dashboard"))).text
    found = read(acknowledge(browser, name))
    for text in ("Known: no space left on device", "a disk is ordered", "RT 4711", "Known until", "Not known any more"):
        assert text in found.text, text
    known = read(browser.get(page("dashboard"))).text
    assert "no space left on device" not in known
    assert "3 more failures are known." in known and "1 more group is known." in known
    assert statuses(rows) == ["failed"] * 3
    assert (
        "need attention again"
        in read(browser.post(page("failures"), {"group": name, "withdraw": "1"}, follow=True)).text
    )
    assert "no space left on device" in read(browser.get(page("dashboard"))).text


@pytest.mark.parametrize(("data", "why"), [({"reason": " "}, "What is known"), ({"days": "9999"}, "For: ")])
def test_what_is_known_has_a_reason_and_an_end(browser, full, data, why):
    found = read(acknowledge(browser, group_of(browser), **data))
    assert why in found.text and "Known: " not in found.text


def test_who_may_not_acknowledge_is_not_offered_it_and_can_not(viewer, full, browser):
    name = group_of(browser)
    assert "Known, until" not in read(viewer.get(page("failures"))).text
    assert "Known: " not in read(acknowledge(viewer, name)).text
    acknowledge(browser, name)
    assert "Not known any more" not in read(viewer.get(page("failures"))).text


@pytest.mark.parametrize("name", ["failures", "dashboard"])
def test_packages_and_bundles_are_called_by_their_names_as_far_as_the_person_may_view_those(name, browser, seeing):
    package, bundle = factories.RawDataPackageFactory(failed=True), factories.DataTransferPackageFactory(failed=True)
    names = (f"package {called(package)}", f"bundle {called(bundle)}")
    found = read(browser.get(page(name)))
    for row, text in zip((package, bundle), names, strict=True):
        assert text in found.text and str(row.pk) not in found.text
        assert f"/admin/opsdb/{row._meta.model_name}/{row.pk}/change/" in found.links
    text = read(seeing(RawDataPackage, DataTransferPackage).get(page(name))).text
    assert f"package {package}" in text and f"bundle {bundle}" in text
    assert not any(one in text for one in names)


def test_the_preview_of_a_group_calls_rows_as_the_page_does(browser):
    terms = {"failed": True, "failure_message": "no space left on device"}
    package, bundle = factories.RawDataPackageFactory(**terms), factories.DataTransferPackageFactory(**terms)
    job = factories.StagingJobFactory(**terms)
    [cause] = {group.cause for group in group_failures(list_failures().failures)}

    def names(browser):
        groups = browser.post(page("failures"), {"cause": cause}).context["groups"]
        return {outcome.name for group in groups for outcome in group["outcomes"]}

    shown = {f"package {called(package)}", f"bundle {called(bundle)}", f"staging job {job.pk}"}
    assert names(browser) == shown
    assert str(job) == f"staging job {job.pk}"
    codenames = ["view_rawdatapackage", "change_rawdatapackage"]
    permissions = Permission.objects.filter(content_type__app_label="opsdb", codename__in=codenames)
    assert names(logged_in(UserFactory(is_staff=True, user_permissions=permissions))) == {f"package {package}"}


def test_failures_of_one_cause_at_several_places_are_treated_together(browser, full):
    _place, rows = full
    elsewhere = factories.DataTransferFactory(failed=True, failure_message="no space left on device")
    otherwise = factories.DataTransferFactory(failed=True, failure_message="connection refused")
    found = read(browser.get(page("failures")))
    [cause] = {attributes["value"] for _tag, attributes in found.tags if attributes.get("name") == "cause"}
    assert "Reset at all locations: 4 …" in found.text
    assert "Reset at all locations: 4 …" in read(browser.get("/admin/")).text
    seen = browser.post(page("failures"), {"cause": cause})
    assert "Will change: 4" in read(seen).text
    terms = {"opsdb_stage": "confirm", "opsdb_digest": seen.context["digest"], "reason": REASON}
    assert browser.post(page("failures"), {"cause": cause, **terms}).url == page("failures")
    assert statuses([*rows, elsewhere, otherwise]) == ["pending"] * 4 + ["failed"]


def test_a_cause_that_is_over_says_so(browser, full):
    assert "These failures are over." in read(browser.post(page("failures"), {"cause": "0" * 16})).text


def test_one_acknowledgement_covers_all_locations_with_the_same_cause(browser, full):
    place, rows = full
    other = factories.DataTransferFactory(failed=True, failure_message="no space left on device")
    shown = read(browser.get(page("failures"))).text
    assert f"“no space left on device · {place.site}/{place}”: all 3 failures listed here" in shown
    assert "Acknowledge at all 2 locations" in shown
    name = next(one.name for one in group_failures(list_failures().failures) if len(one.failures) == 3)
    acknowledge(browser, name, acknowledge="cause")
    assert "4 more failures are known." in read(browser.get(page("dashboard"))).text
    assert statuses([*rows, other]) == ["failed"] * 4


def test_one_location_is_acknowledged_alone(browser, full):
    factories.DataTransferFactory(failed=True, failure_message="no space left on device")
    name = next(one.name for one in group_failures(list_failures().failures) if len(one.failures) == 3)
    acknowledge(browser, name)
    assert "3 more failures are known." in read(browser.get(page("dashboard"))).text


def test_more_failures_than_are_shown_are_counted_and_lead_to_the_list_of_all(browser, full, monkeypatch):
    place, _rows = full
    monkeypatch.setattr("opsdb.admins.pages.failures.ROWS_SHOWN", 1)
    assert "1 of 3 are shown." in read(browser.get(page("failures"))).text
    url = f"/admin/opsdb/datatransfer/?status__exact={DataTransfer.objects.filter(status='failed')[0].status}"
    assert url not in read(browser.get(page("failures"))).links
    monkeypatch.setattr("opsdb.workflows.failures.LIMIT", 1)
    found = read(browser.get(page("failures")))
    assert "List of all of them" in found.text and url in found.links
    listed = browser.get(url).context["cl"].result_list
    assert len(listed) == 2


@pytest.mark.parametrize("state", ["archived", "transferring"])
def test_a_repair_that_is_under_way_is_named_where_nothing_else_helps(browser, state):
    archive = factories.TapeDataLocationFactory(archive=True)
    package = factories.RawDataPackageFactory(archived=True)
    force(package, state=state)
    copy = factories.RawDataPackagePhysicalCopyFactory(raw_data_package=package, data_location=archive)
    PhysicalCopy.objects.filter(pk=copy.pk).update(status="corrupt")
    repair = factories.LongTermArchiveTransferFactory(raw_data_package=package, destination_location=archive)
    for where in ("failures", "dashboard"):
        found = read(browser.get(page(where)))
        assert f"a repair is under way: archive transfer {repair.pk}" in found.text
        assert f"/admin/opsdb/longtermarchivetransfer/{repair.pk}/change/" in found.links
        assert buttons(browser, where) == []
