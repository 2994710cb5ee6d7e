"""Rows are added, changed and deleted by the forms; what the database refuses is said, not a server error."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection

from opsdb.admins.kit.admin import OpsAdmin
from opsdb.admins.kit.counting import DeletionCounts
from opsdb.models import (
    ApiToken,
    ChaiTiling,
    ChangeLog,
    DataLocation,
    DataTransfer,
    DeletionRequest,
    DeletionRequestItem,
    DeletionRequestStatus,
    FixedSource,
    Observatory,
    PhysicalCopy,
    Publication,
    RawDataFile,
    RawDataPackage,
    ReductionStepDependency,
    Site,
    Source,
    StagingJob,
    Status,
    Telescope,
    User,
)
from opsdb.testing import factories
from opsdb.testing.factories import FACTORIES
from opsdb.workflows import attributed
from tests.models.refusal import put_away, settle

from .acting import confirm
from .pages import CLOSED, KEPT, MODELS, READ_ONLY, address, errors_of, is_parent, name_of, submit, typed

ADDABLE = [model for model in MODELS if "add" not in CLOSED.get(model, ()) and not is_parent(model)]
OWN_WAY = {ApiToken, User}  # their forms ask for something else than what is stored


def asked_for_by(user, model):
    """What lets a user change a row that only the person who asked for it changes."""
    return {"requested_by": user} if model is DeletionRequest else {}


@pytest.mark.parametrize("model", [model for model in ADDABLE if model not in OWN_WAY], ids=name_of)
def test_a_row_is_added(model, browser, superuser, bare_pages):
    template = FACTORIES[model](**asked_for_by(superuser, model))
    if model in KEPT:
        table = model._meta.db_table
        settle()
        put_away(table, f"{table}_never_deleted")
    if model not in READ_ONLY:
        with attributed(user=superuser):
            model.objects.filter(pk=template.pk).delete()
    known = set(model.objects.values_list("pk", flat=True))
    response = submit(browser, address(model, "add"), template)
    assert response.status_code == 302, errors_of(response)
    (added,) = model.objects.exclude(pk__in=known)
    assert type(added) is model
    assert LogEntry.objects.get().object_id == str(added.pk)


@pytest.mark.parametrize(
    "model", [model for model in MODELS if model not in READ_ONLY and not is_parent(model)], ids=name_of
)
def test_saving_a_form_unchanged_changes_nothing(model, browser, bare_pages):
    row = FACTORIES[model]()
    before = model.objects.filter(pk=row.pk).values().get()
    response = submit(browser, address(model, "change", row), row)
    assert response.status_code == 302, errors_of(response)
    after = model.objects.filter(pk=row.pk).values().get()
    assert {**after, "updated_at": None} == {**before, "updated_at": None}


@pytest.mark.parametrize("model", [model for model in MODELS if "delete" not in CLOSED.get(model, ())], ids=name_of)
def test_a_row_that_nothing_refers_to_is_deleted(model, browser, superuser, bare_pages):
    row = FACTORIES[model](**asked_for_by(superuser, model))
    url = browser.get(address(model, "delete", row), follow=True).request["PATH_INFO"]
    assert browser.post(url, {"post": "yes"}).status_code == 302
    assert not model.objects.filter(pk=row.pk).exists()


def test_a_fraction_of_a_second_survives_a_form(browser):
    slot = factories.PreScheduledSlotFactory()
    start = slot.start_time.replace(microsecond=250_000)
    type(slot).objects.filter(pk=slot.pk).update(start_time=start)
    slot.refresh_from_db()
    submit(browser, address(type(slot), "change", slot), slot, {"origin": "by hand"})
    slot.refresh_from_db()
    assert (slot.start_time, slot.origin) == (start, "by hand")


class TestWhatHandsDoNotChange:
    @pytest.mark.parametrize(
        ("row", "field", "value"),
        [
            (factories.DataTransferFactory, "status", Status.COMPLETED),
            (factories.DataTransferFactory, "retry_count", 7),
            (factories.RawDataFileFactory, "size_bytes", 7),
            (factories.RawDataPackageFactory, "part", 7),
            (factories.PhysicalCopyFactory, "status", "deleted"),
            (factories.DeletionRequestFactory, "status", "approved"),
            (factories.DiskDataLocationFactory, "location_type", "buffer"),
            (factories.ApiTokenFactory, "token_hash", "0" * 64),
            (factories.FixedSourceFactory, "type", "solar_system"),
        ],
    )
    def test_a_hand_made_post_does_not_either(self, row, field, value, browser):
        row = row()
        before = getattr(row, field)
        response = submit(browser, address(type(row), "change", row), row, {field: value})
        assert response.status_code == 302, errors_of(response)
        row.refresh_from_db()
        assert getattr(row, field) == before

    def test_a_new_row_starts_in_the_first_state(self, browser):
        package = factories.RawDataPackageFactory()
        template = factories.RawDataPackageFactory.build(
            executed_obs_unit=package.executed_obs_unit, instrument_module=package.instrument_module, part=2
        )
        response = submit(
            browser, address(RawDataPackage, "add"), template, {"status": "completed", "state": "archived"}
        )
        assert response.status_code == 302, errors_of(response)
        added = RawDataPackage.objects.get(part=2)
        assert (added.status, added.state) == ("pending", "waiting")

    def test_a_field_with_very_many_links_becomes_a_line_to_read(self, browser, monkeypatch):
        monkeypatch.setattr("opsdb.admins.kit.forms.EDITABLE_LINKS", 2)
        job = factories.StagingJobFactory(completed=True)
        job.raw_data_packages.set(factories.RawDataPackageFactory.create_batch(3))
        page = browser.get(address(StagingJob, "change", job))
        assert "raw_data_packages" not in page.context["adminform"].form.fields
        assert job.raw_data_packages.first().name in page.content.decode()
        submit(browser, address(StagingJob, "change", job), job)
        assert job.raw_data_packages.count() == 3


def refused(response):
    """The errors of a form that came back."""
    assert response.status_code == 200
    return " ".join(errors_of(response))


class TestRefusals:
    def test_the_page_names_the_row_as_it_is_and_keeps_what_was_typed(self, browser):
        site = factories.SiteFactory(short_name="kyoto", name="Kyoto")
        factories.SiteFactory(short_name="taken")
        page = submit(browser, address(Site, "change", site), site, {"short_name": "taken"})
        assert refused(page)
        assert page.context["original"].short_name == "kyoto"
        text = page.content.decode()
        assert 'value="taken"' in text and "<h2>taken" not in text

    def test_the_page_names_a_person_as_they_are(self, browser):
        factories.UserFactory(username="taken")
        person = factories.UserFactory(username="anna")
        page = submit(browser, address(User, "change", person), person, {"username": "taken"})
        assert refused(page)
        assert page.context["original"].username == "anna"
        assert 'value="taken"' in page.content.decode()

    def test_a_check_is_said_beside_its_field(self, browser):
        source = factories.FixedSourceFactory.build()
        response = submit(browser, address(FixedSource, "add"), source, {"dec_deg": -91})
        assert refused(response) == "Dec must be between -90 and 90°."
        assert "dec_deg" in response.context["adminform"].form.errors

    def test_a_second_row_of_a_name(self, browser):
        known = factories.ObservatoryFactory()
        response = submit(browser, address(Observatory, "add"), known)
        assert "already exists" in refused(response)

    def test_a_slot_that_overlaps_another(self, browser):
        slot = factories.PreScheduledSlotFactory()
        response = submit(
            browser, address(type(slot), "add"), slot, {"start_time_1": (slot.start_time.time().replace(second=1))}
        )
        assert "The telescope has another slot at that time: " in refused(response)

    def test_a_sub_program_of_another_program(self, browser):
        unit, other = factories.ObsUnitFactory(), factories.SubObservingProgramFactory()
        response = submit(browser, address(type(unit), "change", unit), unit, {"sub_observing_program": other.pk})
        assert "must be a part of the unit's own observing program" in refused(response)

    def test_a_rule_that_only_the_database_knows(self, browser):
        step, other = factories.ReductionStepFactory(), factories.ReductionStepConfigFactory()
        response = submit(browser, address(type(step), "change", step), step, {"config": other.pk})
        assert "its configuration must be one of the same software" in refused(response)

    def test_a_location_of_the_wrong_type(self, browser):
        job = factories.StagingJobFactory(completed=True)
        buffer = factories.DiskDataLocationFactory(location_type="buffer")
        response = submit(browser, address(StagingJob, "add"), job, {"destination_location": buffer.pk})
        assert "destination_location must be a processing location" in refused(response)
        assert "Choose a location whose type is processing." in refused(response)

    def test_a_copy_of_nothing(self, browser):
        location = factories.DiskDataLocationFactory()
        copy = PhysicalCopy(data_location=location)
        for model in (PhysicalCopy, factories.RawDataFilePhysicalCopyFactory._meta.model):
            response = submit(browser, address(model, "add"), copy)
            assert refused(response) == "A copy is of one file, package, bundle or product; give exactly one."

    def test_a_package_of_another_execution(self, browser):
        file, package = factories.RawDataFileFactory(), factories.RawDataPackageFactory()
        response = submit(browser, address(RawDataFile, "change", file), file, {"raw_data_package": package.pk})
        assert "is of another observation or module" in refused(response)

    def test_what_the_database_checks_only_in_the_end(self, browser, monkeypatch):
        def also_make_a_bare_parent(self, request, obj, form, change):
            obj.save()
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO source (name, type, aliases, comment) VALUES ('bare', 'fixed', '[]', '')")

        monkeypatch.setattr(OpsAdmin, "save_model", also_make_a_bare_parent)
        response = submit(browser, address(FixedSource, "add"), factories.FixedSourceFactory.build())
        assert "but no row in " in refused(response)
        assert not Source.objects.exists()
        assert not list(response.context["messages"])

    def test_a_refused_row_of_an_inline(self, browser):
        step = factories.ReductionStepDependencyFactory().step
        stranger = factories.ReductionStepFactory()
        url = address(type(step), "change", step)
        response = submit(browser, url, step, dependencies=[{"depends_on": stranger.pk}])
        assert "which is in another pipeline" in refused(response)
        response = submit(browser, url, step, dependencies=[{"depends_on": step.pk}])
        # Of the constraint, or of the trigger: which of them is asked first depends on the version of Django.
        assert "wait for itself" in refused(response)
        assert ReductionStepDependency.objects.count() == 1

    def test_a_copy_at_another_location_than_the_request(self, browser):
        request, copy = factories.DeletionRequestFactory(), factories.PhysicalCopyFactory()
        response = submit(
            browser, address(DeletionRequest, "change", request), request, request_items=[{"physical_copy": copy.pk}]
        )
        assert "is at another location" in refused(response)

    def test_a_server_error_stays_one(self, browser, monkeypatch):
        def break_down(self, request, obj, form, change):
            with connection.cursor() as cursor:
                cursor.execute("SELECT FROM nowhere")

        monkeypatch.setattr(OpsAdmin, "save_model", break_down)
        with pytest.raises(Exception, match="nowhere"):
            submit(browser, address(Observatory, "add"), factories.ObservatoryFactory.build())


class TestInlines:
    def test_parts_are_added_and_changed_with_their_whole(self, browser):
        tile = factories.ChaiTilingFactory(tile_index=1)
        recipe = tile.configuration
        new = {"tile_index": 2, "width_arcsec": 30, "height_arcsec": 30, "priority": 0, "angle_deg": 0}
        new |= {"x_offset_arcsec": 0, "y_offset_arcsec": 0}
        url = address(type(recipe), "change", recipe)
        response = submit(browser, url, recipe, {"tilings-0-priority": 9}, tilings=[new])
        assert response.status_code == 302, errors_of(response)
        assert list(ChaiTiling.objects.order_by("tile_index").values_list("tile_index", "priority")) == [(1, 9), (2, 0)]
        response = submit(browser, url, recipe, tilings=[new])
        # In the words of Django's formsets, or of the constraint: that depends on the version of Django.
        assert re.search(r"duplicate data for tile_index|has a tile of this number", refused(response))

    def test_links_are_added_and_removed(self, browser, superuser):
        item = factories.DeletionRequestItemFactory(deletion_request__requested_by=superuser)
        request = item.deletion_request
        copy = factories.PhysicalCopyFactory(data_location=request.data_location)
        url = address(DeletionRequest, "change", request)
        response = submit(
            browser, url, request, {"request_items-0-DELETE": "on"}, request_items=[{"physical_copy": copy.pk}]
        )
        assert response.status_code == 302, errors_of(response)
        assert DeletionRequestItem.objects.get().physical_copy == copy

    def test_only_the_first_rows_are_shown_and_the_rest_is_a_click_away(self, browser):
        transfer = factories.DataTransferFactory()
        factories.DataTransferLogFactory.create_batch(21, data_transfer=transfer)
        html = browser.get(address(DataTransfer, "change", transfer)).content.decode()
        url = f"/admin/opsdb/datatransferlog/?data_transfer__id__exact={transfer.pk}"
        assert f'<a href="{url}">See all transfer logs</a>' in html
        assert len(browser.get(url).context["cl"].result_list) == 21


class TestDeletion:
    def test_what_forbids_it_is_counted_and_linked(self, browser):
        telescope = factories.TelescopeFactory()
        factories.InstrumentFactory.create_batch(3, telescope=telescope)
        url = address(Telescope, "delete", telescope)
        for response in (browser.get(url), browser.post(url, {"post": "yes"})):
            assert response.status_code == 200
            listed = f"/admin/opsdb/instrument/?telescope__id__exact={telescope.pk}"
            assert f'<a href="{listed}">3 instruments (by their telescope)</a>' in response.content.decode()
        assert len(browser.get(listed).context["cl"].result_list) == 3
        assert Telescope.objects.filter(pk=telescope.pk).exists()

    def test_the_parts_of_the_whole_are_counted(self, browser):
        recipe = factories.ChaiObservationConfigurationFactory()
        factories.ChaiTilingFactory.create_batch(3, configuration=recipe)
        html = browser.get(address(type(recipe), "delete", recipe)).content.decode()
        assert "CHAI tilings: 3" in html
        browser.post(address(type(recipe), "delete", recipe), {"post": "yes"})
        assert not ChaiTiling.objects.exists()

    def test_parts_of_a_subtype_count_when_its_parent_is_deleted_from_the_list(self, browser):
        field = factories.AzimuthRangeFactory().source
        confirm = {"action": "delete_selected", "_selected_action": [field.pk]}
        html = browser.post(address(Source, "changelist"), confirm).content.decode()
        assert "Azimuth ranges: 1" in html
        browser.post(address(Source, "changelist"), {**confirm, "post": "yes"})
        assert not Source.objects.exists()

    def test_a_count_stops_at_its_limit(self, db, monkeypatch):
        monkeypatch.setattr("opsdb.admins.kit.counting.count_up_to.__defaults__", (2,))
        telescope = factories.TelescopeFactory()
        factories.InstrumentFactory.create_batch(3, telescope=telescope)
        deletion = DeletionCounts(Telescope, [telescope], lambda model, lookups: None)
        assert deletion.protected == ["more than 2 instruments (by their telescope)"]

    def test_many_at_once_are_refused_by_what_one_is_referred_by(self, browser):
        free, taken = factories.TelescopeFactory(), factories.InstrumentFactory().telescope
        data = {"action": "delete_selected", "_selected_action": [free.pk, taken.pk], "post": "yes"}
        response = browser.post(address(Telescope, "changelist"), data)
        assert "1 instrument (by their telescope)" in response.content.decode()
        assert Telescope.objects.count() == 2

    def test_what_the_database_refuses_in_the_meantime_is_said(self, browser, monkeypatch):
        telescope = factories.InstrumentFactory().telescope
        monkeypatch.setattr(DeletionCounts, "_look_into", lambda *args, **options: None)
        response = browser.post(address(Telescope, "delete", telescope), {"post": "yes"})
        assert response.status_code == 200
        assert "annot delete some instances" in response.content.decode()
        data = {"action": "delete_selected", "_selected_action": [telescope.pk], "post": "yes"}
        response = browser.post(address(Telescope, "changelist"), data, follow=True)
        assert "annot delete some instances" in response.content.decode()
        assert Telescope.objects.exists()
        assert not LogEntry.objects.exists()

    def test_what_was_decided_stays_and_the_page_says_so(self, browser):
        request = factories.DeletionRequestFactory(approved=True)
        response = browser.post(address(DeletionRequest, "delete", request), {"post": "yes"})
        assert response.status_code == 200
        assert "is approved, so it is never deleted" in response.content.decode()
        data = {"action": "delete_selected", "_selected_action": [request.pk], "post": "yes"}
        response = browser.post(address(DeletionRequest, "changelist"), data, follow=True)
        assert "is approved, so it is never deleted" in response.content.decode()
        assert DeletionRequest.objects.filter(pk=request.pk).exists()

    @pytest.mark.parametrize("model", KEPT, ids=name_of)
    def test_what_is_never_deleted_has_no_way_to_delete_it(self, model, browser):
        row = FACTORIES[model]()
        html = browser.get(address(model, "change", row)).content.decode()
        assert address(model, "delete", row) not in html
        assert "delete_selected" not in browser.get(address(model, "changelist")).content.decode()

    @pytest.mark.parametrize(
        ("traits", "is_offered"),
        [({}, True), ({"failed": True}, True), ({"running": True}, False), ({"completed": True}, False)],
        ids=str,
    )
    def test_a_run_offers_its_deletion_where_no_rule_keeps_it(self, browser, traits, is_offered):
        run = factories.ExecutedReductionStepFactory(**traits)
        html = browser.get(address(type(run), "change", run)).content.decode()
        assert (address(type(run), "delete", run) in html) == is_offered

    def test_a_staging_job_offers_its_deletion_once_it_is_released(self, browser):
        job = factories.StagingJobFactory(completed=True)
        url = address(type(job), "change", job)
        assert address(type(job), "delete", job) not in browser.get(url).content.decode()
        type(job).objects.filter(pk=job.pk).update(active=False)
        assert address(type(job), "delete", job) in browser.get(url).content.decode()

    def test_big_tables_offer_no_deletion_of_many(self, browser):
        file = factories.RawDataFileFactory()
        data = {"action": "delete_selected", "_selected_action": [file.pk], "post": "yes"}
        browser.post(address(RawDataFile, "changelist"), data)
        assert RawDataFile.objects.exists()


class TestTokens:
    def add(self, browser):
        user = factories.UserFactory()
        page = {
            "user": user.pk,
            "name": "transfer manager",
            "scopes": ["read:*"],
            "active": "on",
            "allowed_networks": "",
        }
        return browser.post(address(ApiToken, "add"), page)

    def test_the_secret_is_shown_once_and_stored_nowhere(self, browser):
        response = self.add(browser)
        secret = response.context["secret"]
        assert secret in response.content.decode()
        assert "no-store" in response["Cache-Control"]
        token = ApiToken.objects.from_secret(secret)
        assert token.scopes == ["read:*"]
        assert secret not in str(browser.session.items()) + str(response.cookies)
        for page in ("change", "history", "changelist"):
            html = browser.get(address(ApiToken, page, token)).content.decode()
            assert secret not in html
            assert token.token_hash not in html

    def test_a_second_token_of_the_name_is_refused(self, browser):
        token = factories.ApiTokenFactory()
        response = submit(browser, address(ApiToken, "add"), token)
        assert "The user has a token of this name; choose another." in refused(response)

    def test_a_token_is_revoked(self, browser, superuser):
        self.add(browser)
        token = ApiToken.objects.get()
        assert confirm(browser, ApiToken, "revoke", token).status_code == 302
        token.refresh_from_db()
        assert (token.active, token.revoked_by) == (False, superuser)


class TestUsers:
    def test_a_user_is_added_with_a_password(self, browser):
        secret = "Cerro-Chajnantor-5612"
        page = {"username": "operator", "usable_password": "true", "password1": secret, "password2": secret}
        assert browser.post(address(User, "add"), page).status_code == 302
        user = User.objects.get(username="operator")
        assert user.check_password(secret)
        html = browser.get(address(User, "change", user)).content.decode()
        assert user.password not in html

    def test_a_user_gets_a_role(self, browser):
        user, role = factories.UserFactory(), factories.RoleFactory()
        response = submit(browser, address(User, "change", user), user, {"groups": [role.pk]})
        assert response.status_code == 302, errors_of(response)
        assert user.groups.get().role == role


def test_a_request_says_whether_it_overrides_the_retention_until_it_is_decided(browser, superuser):
    request = factories.DeletionRequestFactory(requested_by=superuser)
    url = address(DeletionRequest, "change", request)
    assert submit(browser, url, request, {"overrides_retention": "on"}).status_code == 302
    request.refresh_from_db()
    assert request.overrides_retention
    others = factories.DeletionRequestFactory()
    response = submit(browser, address(DeletionRequest, "change", others), others, {"overrides_retention": "on"})
    assert "cannot edit it; only user" in refused(response)
    decided = factories.DeletionRequestFactory(approved=True)
    assert not browser.get(address(DeletionRequest, "change", decided)).context["adminform"].form.fields
    # As on a page that was opened before the decision.
    page = browser.get(address(DeletionRequest, "change", others))
    inlines = [one.formset.management_form.initial for one in page.context["inline_admin_formsets"]]
    data = typed(page.context["adminform"].form, decided) | {"overrides_retention": "on"}
    data |= {f"request_items-{name}": value for one in inlines for name, value in one.items()}
    response = browser.post(address(DeletionRequest, "change", decided), data)
    assert "overrides_retention cannot be changed once it is decided" in refused(response)


def test_what_a_form_changes_is_in_the_change_log(browser, superuser):
    site = factories.SiteFactory()
    submit(browser, address(type(site), "change", site), site, {"description": "mountain"})
    (change,) = ChangeLog.objects.of(site).filter(operation="update")
    assert (change.after, change.user) == ({"description": "mountain"}, superuser)
    html = browser.get(f"{address(ChangeLog, 'changelist')}?q={site.pk}").content.decode()
    assert address(ChangeLog, "change", change) in html
    assert "mountain" in browser.get(address(ChangeLog, "change", change)).content.decode()


def test_a_doi_is_the_same_however_it_is_written(browser):
    factories.PublicationFactory(doi="10.5281/zenodo.abc1")
    other = factories.PublicationFactory()
    url = address(Publication, "change", other)
    response = submit(browser, url, other, {"doi": "https://doi.org/10.5281/ZENODO.ABC1"})
    assert "DOI" in " ".join(errors_of(response))
    assert submit(browser, url, other, {"doi": "https://doi.org/10.5281/ZENODO.ABC2"}).status_code == 302
    other.refresh_from_db()
    assert other.doi == "10.5281/ZENODO.ABC2"


def test_a_request_for_deletion_is_approved_by_no_form(browser):
    request = factories.DeletionRequestFactory()
    page = browser.get(address(DeletionRequest, "change", request))
    assert not {"status", "approved_by", "decided_at"} & set(page.context["adminform"].form.fields)
    assert request.status == DeletionRequestStatus.REQUESTED


class TestRequestsForDeletion:
    def fields(self, client, request):
        """The fields that can be edited, which there are with the button that saves them and that which deletes."""
        page = client.get(address(DeletionRequest, "change", request))
        html = page.content.decode()
        fields = page.context["adminform"].form.fields
        assert bool(fields) == ('name="_save"' in html) == (address(DeletionRequest, "delete", request) in html)
        return {*fields}

    def test_are_edited_and_withdrawn_until_they_are_decided(self, browser):
        assert {"reason", "limit"} <= self.fields(browser, factories.DeletionRequestFactory())

    @pytest.mark.parametrize("decision", ["approve", "reject"])
    def test_are_only_looked_at_once_they_are_decided(self, browser, decision):
        request = factories.DeletionRequestFactory()
        assert confirm(browser, DeletionRequest, decision, request).status_code == 302
        assert not self.fields(browser, request)
        assert "Decided by:" in browser.get(address(DeletionRequest, "change", request)).content.decode()


def test_a_revoked_token_is_only_looked_at(browser):
    token = factories.ApiTokenFactory()
    url = address(ApiToken, "change", token)
    assert 'name="_save"' in browser.get(url).content.decode()
    assert confirm(browser, ApiToken, "revoke", token).status_code == 302
    page = browser.get(url)
    assert 'name="_save"' not in page.content.decode() and not page.context["adminform"].form.fields
    assert submit(browser, url, token, {"name": "another"}).status_code == 403


def test_a_location_is_added_at_its_subtype_only(browser):
    assert browser.post(address(DataLocation, "add"), {"name": "x"}).status_code in (200, 405)
    assert not DataLocation.objects.exists()
