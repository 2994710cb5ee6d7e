"""Actions show first what they would do and why not, and do exactly that, with a reason, or nothing."""

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.utils import timezone

from opsdb.admins.kit.confirmation import patient
from opsdb.models import (
    ApiToken,
    ChangeLog,
    DataLocation,
    DataProduct,
    DataTransfer,
    DataTransferPackage,
    DataTransferRoute,
    DeletionRequest,
    DiskDataLocation,
    ExecutedObsUnit,
    ExecutedReductionStep,
    LongTermArchiveTransfer,
    PhysicalCopy,
    Pipeline,
    RawDataPackage,
    ReductionStep,
    StagingJob,
)
from opsdb.testing import factories
from opsdb.testing.factories import FACTORIES
from tests.models.refusal import settle
from tests.workflows.reducing import available, make_step
from tests.workflows.scenario_deletion import force, tell_story

from .acting import ACTIONS, confirm, id_of, look, outcomes
from .conftest import logged_in
from .pages import address, is_parent

NOW = timezone.now()


def said(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def column_of(row, field):
    return type(row).objects.values_list(field, flat=True).get(pk=row.pk)


@pytest.fixture
def failed(db):
    return factories.DataTransferFactory(failed=True)


class TestTheConversation:
    def test_looking_changes_nothing_and_says_what_would(self, browser, failed):
        pending, done = factories.DataTransferFactory(), factories.DataTransferFactory(unpacked=True)
        settle()
        changes = ChangeLog.objects.count()
        page = look(browser, DataTransfer, "reset", failed, pending, done)
        found = outcomes(page)
        assert "status: failed → pending" in found["CHANGES"][failed.pk]
        assert "It is pending" in found["SKIPPED"][pending.pk]
        assert "It is completed" in found["SKIPPED"][done.pk]
        assert (column_of(failed, "status"), ChangeLog.objects.count()) == ("failed", changes)

    def test_what_was_shown_is_done_in_the_persons_name_and_for_the_reason(self, browser, superuser, failed):
        response = confirm(browser, DataTransfer, "reset", failed, reason="disk was replaced")
        assert (response.status_code, response.url) == (302, address(DataTransfer, "changelist"))
        assert "Reset: 1 changed." in said(response)
        assert column_of(failed, "status") == "pending"
        change = ChangeLog.objects.of(failed).first()
        assert (change.user, change.reason) == (superuser, "disk was replaced")
        assert change.origin == f"POST {address(DataTransfer, 'changelist')}"

    @pytest.mark.parametrize("reason", ["", "  \n", "\x00", "x" * 1_001])
    def test_without_a_reason_nothing_is_done(self, browser, failed, reason):
        response = confirm(browser, DataTransfer, "reset", failed, reason=reason)
        assert response.status_code == 200
        assert response.context["form"].errors["reason"]
        assert column_of(failed, "status") == "failed"
        again = look(
            browser,
            DataTransfer,
            "reset",
            failed,
            stage="confirm",
            reason="disk was replaced",
            opsdb_digest=response.context["digest"],
        )
        assert (again.status_code, column_of(failed, "status")) == (302, "pending")

    def test_what_was_not_shown_is_not_done(self, browser, failed):
        other = factories.DataTransferFactory(failed=True)
        seen = look(browser, DataTransfer, "reset", failed).context["digest"]
        for digest, rows in ((seen, [failed, other]), ("", [failed]), ("0" * 64, [failed])):
            response = look(browser, DataTransfer, "reset", *rows, stage="confirm", reason="why", opsdb_digest=digest)
            assert "nothing was done" in response.content.decode()
            assert {column_of(row, "status") for row in rows} == {"failed"}
            assert failed.pk in outcomes(response)["CHANGES"]

    def test_a_row_that_changed_after_the_look_is_looked_at_again(self, browser, failed):
        seen = look(browser, DataTransfer, "reset", failed).context["digest"]
        DataTransfer.objects.filter(pk=failed.pk).update(status="pending", finished_at=None)
        response = look(browser, DataTransfer, "reset", failed, stage="confirm", reason="why", opsdb_digest=seen)
        assert "It is pending" in outcomes(response)["SKIPPED"][failed.pk]

    def test_a_row_is_looked_at_again_if_another_field_changed_but_not_for_what_programs_count(self, browser):
        route, token = factories.DataTransferRouteFactory(), factories.ApiTokenFactory()
        looks = [look(browser, type(row), name, row) for row, name in ((route, "pause"), (token, "revoke"))]
        DataTransferRoute.objects.filter(pk=route.pk).update(priority=route.priority + 1)
        ApiToken.objects.filter(pk=token.pk).update(usage_count=7, last_used_at=NOW)
        page, done = (
            look(browser, type(row), name, row, stage="confirm", reason="why", opsdb_digest=seen.context["digest"])
            for row, name, seen in ((route, "pause", looks[0]), (token, "revoke", looks[1]))
        )
        assert "nothing was done" in page.content.decode() and column_of(route, "active")
        assert done.status_code == 302 and not column_of(token, "active")

    def test_a_warning_that_was_not_shown_is_shown_first(self, browser):
        site = factories.SiteFactory()
        buffer, other = factories.DiskDataLocationFactory.create_batch(2, location_type="buffer", site=site)
        factories.TapeDataLocationFactory(archive=True, site=site)
        page = look(browser, DiskDataLocation, "pause", buffer)
        assert not any("buffer" in warning for warning in page.context["warnings"])
        DataLocation.objects.filter(pk=other.pk).update(active=False)
        seen = page.context["digest"]
        page = look(browser, DiskDataLocation, "pause", buffer, stage="confirm", reason="why", opsdb_digest=seen)
        assert any("buffer" in warning for warning in page.context["warnings"])
        assert column_of(buffer, "active")

    @pytest.mark.parametrize("others", [0, 1])
    def test_a_row_that_is_deleted_during_the_confirmation_is_left_out(self, browser, monkeypatch, others):
        route, *rest = factories.DataTransferRouteFactory.create_batch(1 + others)

        @contextmanager
        def deleted_meanwhile(using):
            try:
                with patient(using):
                    yield
            finally:
                DataTransferRoute.objects.filter(pk=route.pk).delete()

        monkeypatch.setattr("opsdb.admins.kit.confirmation.patient", deleted_meanwhile)
        response = look(
            browser, DataTransferRoute, "pause", route, *rest, stage="confirm", reason="x", opsdb_digest="x"
        )
        if others:
            assert set(outcomes(response)["CHANGES"]) == {one.pk for one in rest}
        else:
            assert "None of the selected rows is there any more." in said(response)

    def test_what_is_refused_does_not_stop_the_others(self, browser, superuser):
        own = factories.DeletionRequestFactory(requested_by=superuser)
        others = factories.DeletionRequestFactory()
        response = confirm(browser, DeletionRequest, "approve", own, others)
        assert "Approve: 1 changed, 1 refused." in said(response)
        assert (
            f"Deletion request {own.pk}: user {own.requested_by} asked for it, so another person must decide it"
            in said(response)
        )
        assert (column_of(own, "status"), column_of(others, "status")) == ("requested", "approved")

    def test_a_preview_names_who_acts_and_the_row_as_it_still_is(self, browser, superuser):
        request = factories.DeletionRequestFactory()
        page = look(browser, DeletionRequest, "approve", request)
        assert f"decided by: – → {superuser.username}" in outcomes(page)["CHANGES"][request.pk]
        assert page.context["row_name"] == str(request) and "requested: " in str(request)

    def test_a_selection_across_pages_is_capped_and_the_page_says_so(self, browser, failed, monkeypatch):
        monkeypatch.setattr("opsdb.admins.kit.confirmation.MOST_ROWS", 2)
        factories.DataTransferFactory.create_batch(3, failed=True)
        data = {"action": "reset", "select_across": "1", "_selected_action": [failed.pk]}
        page = browser.post(f"{address(DataTransfer, 'changelist')}?status__exact=failed", data)
        assert "The first 2 are taken" in page.content.decode()
        assert [name for name, _ in page.context["hidden"]].count("_selected_action") == 2

    def test_a_long_list_names_the_first_rows_and_counts_all(self, browser, monkeypatch):
        monkeypatch.setattr("opsdb.admins.kit.confirmation.SHOWN_ROWS", 2)
        page = look(browser, DataTransfer, "reset", *factories.DataTransferFactory.create_batch(3, failed=True))
        (group,) = page.context["groups"]
        assert (group["number"], len(group["outcomes"])) == (3, 2)
        assert "The first 2 are shown." in page.content.decode()

    def test_the_number_of_queries_grows_by_what_the_workflow_asks_alone(self, browser, django_assert_max_num_queries):
        routes = factories.DataTransferRouteFactory.create_batch(20)
        look(browser, DataTransferRoute, "pause", *routes)
        with django_assert_max_num_queries(20 + 8 * 20):
            look(browser, DataTransferRoute, "pause", *routes)

    def test_a_button_on_the_rows_own_page_leads_there_and_back(self, browser, failed):
        url = address(DataTransfer, "change", failed)
        html = browser.get(url).content.decode()
        assert re.search(r'name="action" value="reset"', html)
        assert 'value="retry_unpacking"' not in html, "nothing was unpacked yet"
        response = confirm(browser, DataTransfer, "reset", failed, opsdb_from_row="1")
        assert response.url == url

    def test_keys_that_are_none_are_passed_over(self, browser, failed):
        data = {"action": "reset", "_selected_action": ["x", "\x00", "9" * 40, "-1", "", str(failed.pk)]}
        page = browser.post(address(DataTransfer, "changelist"), data)
        assert ("_selected_action", failed.pk) in page.context["hidden"]
        assert [name for name, _ in page.context["hidden"]].count("_selected_action") == 1
        data["_selected_action"] = ["x"]
        assert browser.post(address(ExecutedObsUnit, "changelist"), data | {"action": "assess"}).status_code == 302

    def test_who_waits_for_a_lock_is_told_so(self, browser, failed, monkeypatch):
        from django.db import OperationalError
        from psycopg.errors import LockNotAvailable

        def busy(row, order):
            raise OperationalError("lock") from LockNotAvailable("lock")

        (action,) = (one for model, one in ACTIONS if model is DataTransfer and one.name == "reset")
        monkeypatch.setitem(action.__dict__, "run", busy)
        assert "Somebody else" in outcomes(look(browser, DataTransfer, "reset", failed))["REFUSED"][failed.pk]


@pytest.mark.parametrize("model", dict.fromkeys(model for model, _action in ACTIONS), ids=id_of)
def test_every_action_shows_what_it_would_do_to_any_row_and_does_nothing(model, browser, remembered_users, request):
    row = FACTORIES[model]()
    settle()
    changes = ChangeLog.objects.count()
    actions = [action for acted, action in ACTIONS if acted is model]
    for action in actions:
        page = look(browser, model, action.name, row)
        html = page.content.decode()
        assert page.status_code == 200, action.name
        assert str(action.about) in html.replace("&#x27;", "'"), action.name
        assert not re.findall(r"<script(?![^>]*src=)|\son[a-z]+=|style=", html), action.name
    request.getfixturevalue("unrendered")
    for action in actions:
        assert look(browser, model, action.name, row, stage="look", reason="").status_code == 200, action.name
        assert ChangeLog.objects.count() == changes, action.name


def an_archived_package():
    return factories.RawDataPackageFactory(archived=True)


def deletable():
    return factories.PhysicalCopyFactory(deletable=True)


def scheduled():
    copy = deletable()
    PhysicalCopy.objects.filter(pk=copy.pk).update(status="deletion_scheduled")
    return copy


# Row, action, inputs, field, before, after.
DEEDS = [
    (lambda: factories.DataTransferFactory(failed=True), "reset", {}, "status", "failed", "pending"),
    (lambda: factories.DataTransferFactory(in_progress=True), "give_up", {}, "status", "in_progress", "failed"),
    (
        lambda: factories.DataTransferFactory(unpack_failed=True),
        "retry_unpacking",
        {},
        "unpack_status",
        "failed",
        "pending",
    ),
    (lambda: factories.LongTermArchiveTransferFactory(failed=True), "reset", {}, "status", "failed", "pending"),
    (
        lambda: factories.LongTermArchiveTransferFactory(in_progress=True),
        "give_up",
        {},
        "status",
        "in_progress",
        "failed",
    ),
    (lambda: factories.RawDataPackageFactory(failed=True), "reset", {}, "status", "failed", "pending"),
    (lambda: factories.DataTransferPackageFactory(failed=True), "reset", {}, "status", "failed", "pending"),
    (lambda: factories.StagingJobFactory(failed=True), "reset", {}, "status", "failed", "pending"),
    (factories.StagingJobFactory, "release", {}, "active", True, False),
    (factories.DataTransferRouteFactory, "pause", {}, "active", True, False),
    (lambda: factories.DataTransferRouteFactory(active=False), "enable", {}, "active", False, True),
    (factories.PipelineFactory, "pause", {}, "enabled", True, False),
    (factories.DiskDataLocationFactory, "pause", {}, "active", True, False),
    (factories.DataLocationFactory, "pause", {}, "active", True, False),
    (factories.DeletionRequestFactory, "approve", {}, "status", "requested", "approved"),
    (factories.DeletionRequestFactory, "reject", {}, "status", "requested", "rejected"),
    (scheduled, "cancel_deletion", {}, "status", "deletion_scheduled", "present"),
    (factories.ExecutedObsUnitFactory, "assess", {"quality": "good"}, "quality", "unassessed", "good"),
    (factories.ExecutedReductionStepFactory, "cancel", {}, "status", "pending", "cancelled"),
    (factories.ExecutedReductionStepFactory, "give_up", {}, "status", "pending", "failed"),
    (factories.ApiTokenFactory, "revoke", {}, "active", True, False),
]


@pytest.mark.parametrize(
    ("make", "name", "inputs", "field", "before", "after"),
    DEEDS,
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_action_does_what_it_says(browser, make, name, inputs, field, before, after):
    row = make()
    assert column_of(row, field) == before
    response = confirm(browser, type(row), name, row, reason="the test says so", **inputs)
    assert response.status_code == 302, outcomes(response)
    assert column_of(row, field) == after
    change = ChangeLog.objects.of(row).first()
    assert change.reason == "the test says so"
    response = confirm(browser, type(row), name, row, **inputs)
    assert response.status_code == 200, "there is nothing to do a second time"
    assert not response.context["changing"] or field == "quality"


class TestCopies:
    def test_deletion_is_asked_for_location_by_location_and_what_stays_says_why(self, browser, superuser):
        going, staying = deletable(), factories.PhysicalCopyFactory()
        found = outcomes(look(browser, PhysicalCopy, "request_deletion", going, staying))
        assert "another person must approve" in found["CHANGES"][going.pk]
        assert "deletion rule 2" in found["REFUSED"][staying.pk]
        assert confirm(browser, PhysicalCopy, "request_deletion", going, staying, reason="full").status_code == 302
        request = DeletionRequest.objects.get()
        assert (request.requested_by, request.reason) == (superuser, "full")
        assert list(request.items.all()) == [going]

    def test_the_report_leads_to_the_request_as_far_as_the_person_may_see_it(self, browser):
        response = confirm(browser, PhysicalCopy, "request_deletion", deletable())
        request = DeletionRequest.objects.get()
        link = f'<a href="{address(DeletionRequest, "change", request)}">deletion request {request.pk}</a>'
        assert f"Request deletion: 1 changed. Another person must approve {link}." in said(response)
        permissions = ["view_physicalcopy", "add_deletionrequest"]
        asking = factories.UserFactory(
            is_staff=True, user_permissions=Permission.objects.filter(codename__in=permissions)
        )
        response = confirm(logged_in(asking), PhysicalCopy, "request_deletion", deletable())
        second = DeletionRequest.objects.get(requested_by=asking)
        assert f"Another person must approve deletion request {second.pk}." in said(response)

    def test_a_preview_names_the_open_request_that_a_copy_is_in(self, browser):
        copy, other = deletable(), factories.UserFactory(superuser=True)
        assert "already" not in outcomes(look(browser, PhysicalCopy, "request_deletion", copy))["CHANGES"][copy.pk]
        confirm(browser, PhysicalCopy, "request_deletion", copy)
        request = DeletionRequest.objects.get()
        changes = outcomes(look(browser, PhysicalCopy, "request_deletion", copy))["CHANGES"][copy.pk]
        assert f"It is in deletion request {request.pk} already." in changes
        confirm(logged_in(other), DeletionRequest, "reject", request)
        assert "already" not in outcomes(look(browser, PhysicalCopy, "request_deletion", copy))["CHANGES"][copy.pk]

    def test_copies_at_two_locations_lead_to_two_requests(self, browser):
        response = confirm(browser, PhysicalCopy, "request_deletion", deletable(), deletable())
        assert said(response).count("<a href=") == DeletionRequest.objects.count() == 2

    def test_a_fixity_check_is_recorded_as_computed(self, browser, superuser):
        copy = deletable()
        inputs = {"checksum": copy.raw_data_package.checksum, "algorithm": ""}
        assert confirm(browser, PhysicalCopy, "record_fixity", copy, **inputs).status_code == 302
        assert column_of(copy, "verification") == "verified"
        assert copy.fixity_checks.get().checked_by == superuser.username

    def test_a_fixity_check_takes_one_copy(self, browser):
        copies = factories.PhysicalCopyFactory.create_batch(2)
        assert "Choose one row" in said(look(browser, PhysicalCopy, "record_fixity", *copies))

    def test_a_copy_in_doubt_is_the_next_to_be_checked_and_no_deletion_counts_on_it(self, browser):
        story = tell_story()
        refused = outcomes(look(browser, PhysicalCopy, "request_verification", story.archive_copy))["REFUSED"]
        assert "has no fixity_interval_days" in refused[story.archive_copy.pk]
        DataLocation.objects.filter(pk=story.archive.pk).update(fixity_interval_days=30)
        assert confirm(browser, PhysicalCopy, "request_verification", story.archive_copy).status_code == 302
        assert list(PhysicalCopy.objects.due_for_fixity(DataLocation.objects.get(pk=story.archive.pk), limit=9)) == [
            story.archive_copy
        ]
        held_back = outcomes(look(browser, PhysicalCopy, "request_deletion", story.package_copy))["REFUSED"]
        assert "deletion rule 2" in held_back[story.package_copy.pk]

    def test_a_missing_copy_is_written_off_when_its_content_is_safe(self, browser):
        story = tell_story()
        PhysicalCopy.objects.filter(pk=story.package_copy.pk).update(status="missing")
        assert confirm(browser, PhysicalCopy, "write_off", story.package_copy).status_code == 302
        assert column_of(story.package_copy, "status") == "deleted"

    def test_an_approved_request_is_executed_and_looks_at_every_copy_again(self, browser, superuser):
        copy = deletable()
        other = logged_in(factories.UserFactory(superuser=True))
        confirm(browser, PhysicalCopy, "request_deletion", copy)
        request = DeletionRequest.objects.get()
        assert "another person" in outcomes(look(browser, DeletionRequest, "approve", request))["REFUSED"][request.pk]
        assert confirm(other, DeletionRequest, "approve", request).status_code == 302
        page = look(browser, DeletionRequest, "execute", request)
        assert "1 copy is scheduled for deletion" in outcomes(page)["CHANGES"][request.pk]
        assert confirm(browser, DeletionRequest, "execute", request).status_code == 302
        assert column_of(copy, "status") == "deletion_scheduled"


def in_transfer(story):
    transfer = factories.DataTransferFactory(data_transfer_package=story.bundle, origin_location=story.buffer)
    return story.bundle_copy, f"transfer {transfer.pk}"


def in_use(story):
    job = factories.StagingJobFactory(
        raw_data_packages=[story.package], destination_location_id=story.processing.pk, completed=True
    )
    return story.staged_copy, f"staging job {job.pk}"


def not_archived(story):
    force(story.package, state="waiting")
    return story.package_copy, f"package {story.package.pk}"


def young(story):
    DataLocation.objects.filter(pk=story.buffer.pk).update(retention_days=30)
    return story.package_copy, f"at {story.buffer.site}/{story.buffer.name}"


HOLDERS = {
    1: lambda story: (story.archive_copy, f"archive {story.archive.site}/{story.archive.name}"),
    2: not_archived,
    3: in_transfer,
    4: in_use,
    5: young,
}


@pytest.mark.parametrize("rule", HOLDERS)
def test_the_admin_deletes_nothing_that_a_deletion_rule_holds_and_names_rule_and_row(browser, rule):
    copy, row = HOLDERS[rule](tell_story())
    before = column_of(copy, "status")
    page = look(browser, PhysicalCopy, "request_deletion", copy)
    refused = outcomes(page)["REFUSED"][copy.pk]
    assert f"copy {copy.pk}: cannot be deleted because of deletion rule {rule}: " in refused
    assert row in refused
    # Copies that are refused for the same reason stand together above it.
    reason = refused.removeprefix(f"copy {copy.pk}: ")
    assert reason[0].upper() + reason[1:] in page.content.decode().replace("&#x27;", "'")
    for data in ({}, {"overrides_retention": "on"} if rule != 5 else {}):
        response = look(browser, PhysicalCopy, "request_deletion", copy, stage="confirm", reason="now", **data)
        assert f"Cannot be deleted because of deletion rule {rule}" in response.content.decode()
    assert not DeletionRequest.objects.exists()
    response = browser.post(address(PhysicalCopy, "change", copy), {"status": "deletion_scheduled"})
    browser.post(address(PhysicalCopy, "delete", copy), {"post": "yes"})
    assert column_of(copy, "status") == before


class TestStagingAndPlanning:
    def test_staging_is_requested_for_what_can_be_read(self, browser, superuser):
        there, lost = deletable().raw_data_package, factories.RawDataPackageFactory(completed=True)
        location = factories.DiskDataLocationFactory(processing=True)
        page = look(browser, RawDataPackage, "request_staging", there, lost)
        assert not page.context["looked"], "it must be said where to"
        until = timezone.now() + timedelta(days=2)
        inputs = {"location": location.pk, "expires_at_0": f"{until:%Y-%m-%d}", "expires_at_1": "12:00"}
        found = outcomes(look(browser, RawDataPackage, "request_staging", there, lost, stage="look", **inputs))
        assert "No copy of it can be read" in found["REFUSED"][lost.pk]
        assert confirm(browser, RawDataPackage, "request_staging", there, lost, **inputs).status_code == 302
        job = StagingJob.objects.get()
        assert (list(job.raw_data_packages.all()), job.requested_by) == ([there], superuser)

    def test_a_failed_transfer_is_planned_another_way(self, browser):
        transfer = factories.DataTransferFactory(failed=True)
        site = transfer.destination_location.site
        factories.TapeDataLocationFactory(archive=True, site=site)
        page = look(browser, DataTransfer, "reroute", transfer)
        assert "Planned instead: " in outcomes(page)["CHANGES"][transfer.pk]
        assert DataTransfer.objects.count() == 1
        assert confirm(browser, DataTransfer, "reroute", transfer).status_code == 302
        assert DataTransfer.objects.count() == 2

    def test_pausing_the_only_buffer_of_a_site_warns(self, browser):
        buffer = factories.DiskDataLocationFactory(location_type="buffer")
        factories.TapeDataLocationFactory(archive=True, site=buffer.site)
        page = look(browser, DiskDataLocation, "pause", buffer)
        assert any("buffer" in warning for warning in page.context["warnings"])

    @pytest.mark.parametrize("model", [Pipeline, ReductionStep])
    def test_runs_are_planned_with_the_packages_that_were_there_at_the_look(self, browser, model):
        step = make_step(factories.PipelineFactory())
        row = step if model is ReductionStep else step.pipeline
        available(step.pipeline)
        first = look(browser, model, "plan_runs", row)
        assert "1 run is planned" in outcomes(first)["CHANGES"][row.pk]
        available(step.pipeline)
        answer = {"stage": "confirm", "reason": "why", "again": ""}
        second = look(browser, model, "plan_runs", row, **answer, opsdb_digest=first.context["digest"])
        assert "1 run is planned" in outcomes(second)["CHANGES"][row.pk]
        assert "nothing was done" in second.content.decode() and not ExecutedReductionStep.objects.exists()
        done = look(browser, model, "plan_runs", row, **answer, opsdb_digest=second.context["digest"])
        assert done.status_code == 302
        assert ExecutedReductionStep.objects.get().input_packages.count() == 2

    def test_a_pipeline_without_anything_new_says_so(self, browser):
        pipeline = factories.ReductionStepFactory().pipeline
        assert "nothing to plan" in outcomes(look(browser, Pipeline, "plan_runs", pipeline))["SKIPPED"][pipeline.pk]


def test_every_model_with_work_has_its_actions():
    named = {(model, action.name) for model, action in ACTIONS}
    for model in (DataTransfer, LongTermArchiveTransfer, RawDataPackage, DataTransferPackage, StagingJob):
        assert {(model, "reset"), (model, "give_up")} <= named
    assert (ExecutedReductionStep, "reset") in named
    assert {(DataProduct, "request_staging"), (ApiToken, "revoke"), (DataTransfer, "retry_unpacking")} <= named
    assert all(not is_parent(model) or model is DataLocation for model, _ in named)
