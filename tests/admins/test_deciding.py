"""What people decide on in few clicks, with what they must know to do it."""

import re
from html import unescape
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from opsdb.admins.actions.judging import judge_deletions
from opsdb.admins.pages.assessments import assessments_of
from opsdb.admins.pages.dashboard import troubles
from opsdb.admins.pages.executions import night_of
from opsdb.models import (
    DataLocation,
    DeletionRequest,
    DeletionRequestItem,
    ExecutedObsUnit,
    PhysicalCopy,
    Quality,
    Role,
    User,
)
from opsdb.testing import factories
from opsdb.testing.factories import UserFactory
from opsdb.testing.nights import build_world
from opsdb.workflows import (
    approve_deletion,
    assess_observation,
    attributed,
    record_fixity,
    request_deletion,
    request_verification,
)

from .acting import look, outcomes
from .answers.pages import page
from .conftest import logged_in, may_only
from .pages import address


def words_of(response):
    assert response.status_code == 200
    return " ".join(re.sub("<[^>]*>", " ", response.content.decode()).split())


def status_of(row):
    return type(row).objects.values_list("status", flat=True).get(pk=row.pk)


class TestDeletionsAreTheOnesThatWereShown:
    """What a person has seen of a request is what they approve and execute."""

    @pytest.fixture
    def world(self, db):
        return build_world()

    @pytest.fixture
    def copies(self, world):
        """Two copies at one location that may go."""
        packages = world.archived_package(), world.archived_package()
        return [world.copy(package, world.ccat_buffer) for package in packages]

    def request_for(self, location, *copies):
        asker = factories.UserFactory()
        terms = {"user": asker, "reason": "full", "overrides_retention": True, "dry_run": False}
        return request_deletion(location, copies, **terms).request

    @pytest.mark.parametrize("name", ["approve", "reject"])
    def test_a_request_that_asks_for_more_meanwhile_is_looked_at_again(self, name, world, copies):
        decider = logged_in(factories.UserFactory(superuser=True))
        request = self.request_for(world.ccat_buffer, copies[0])
        page = look(decider, DeletionRequest, name, request)
        assert "1 copy" in page.context["judged"][0].total
        with attributed(user=request.requested_by):
            DeletionRequestItem.objects.create(deletion_request=request, physical_copy=copies[1])
        answer = {"stage": "confirm", "reason": "fine"}
        page = look(decider, DeletionRequest, name, request, **answer, opsdb_digest=page.context["digest"])
        assert "nothing was done" in page.content.decode() and "2 copies" in page.context["judged"][0].total
        assert status_of(request) == "requested"
        page = look(decider, DeletionRequest, name, request, **answer, opsdb_digest=page.context["digest"])
        assert page.status_code == 302 and status_of(request) != "requested"

    def test_copies_beyond_those_shown_and_requests_beyond_those_judged_are_pinned_too(
        self, world, copies, monkeypatch
    ):
        monkeypatch.setattr("opsdb.admins.actions.judging.REQUESTS_JUDGED", 0)
        decider = logged_in(factories.UserFactory(superuser=True))
        request = self.request_for(world.ccat_buffer, copies[0])
        seen = look(decider, DeletionRequest, "approve", request).context["digest"]
        with attributed(user=request.requested_by):
            DeletionRequestItem.objects.create(deletion_request=request, physical_copy=copies[1])
        page = look(decider, DeletionRequest, "approve", request, stage="confirm", reason="x", opsdb_digest=seen)
        assert "nothing was done" in page.content.decode() and status_of(request) == "requested"

    @pytest.mark.parametrize("terms", [{"overrides_retention": False}, {"reason": "another"}, {"limit": 7}])
    def test_other_terms_are_looked_at_again(self, terms, world, copies):
        decider = logged_in(factories.UserFactory(superuser=True))
        request = self.request_for(world.ccat_buffer, copies[0])
        seen = look(decider, DeletionRequest, "approve", request).context["digest"]
        with attributed(user=request.requested_by):
            DeletionRequest.objects.filter(pk=request.pk).update(**terms)
        page = look(decider, DeletionRequest, "approve", request, stage="confirm", reason="x", opsdb_digest=seen)
        assert "nothing was done" in page.content.decode() and status_of(request) == "requested"

    def test_a_copy_that_was_held_back_is_not_scheduled_before_somebody_has_seen_it(self, world, copies):
        person = factories.UserFactory(superuser=True)
        request = self.request_for(world.ccat_buffer, *copies)
        with attributed(user=person):
            approve_deletion(request, user=person)
        archived = [world.copy(copies[1].raw_data_package, archive) for archive in world.archives]
        for copy in archived:
            DataLocation.objects.filter(pk=copy.data_location_id).update(fixity_interval_days=30)
            request_verification(copy)
        browser = logged_in(person)
        page = look(browser, DeletionRequest, "execute", request)
        assert f"copy {copies[1].pk}: cannot be deleted" in outcomes(page)["CHANGES"][request.pk]
        for copy in archived:
            record_fixity(copy, copy.raw_data_package.checksum, checked_by="the test")
        answer = {"stage": "confirm", "reason": "go"}
        page = look(browser, DeletionRequest, "execute", request, **answer, opsdb_digest=page.context["digest"])
        assert "2 copies are scheduled" in outcomes(page)["CHANGES"][request.pk]
        assert {status_of(copy) for copy in copies} == {"present"}
        page = look(browser, DeletionRequest, "execute", request, **answer, opsdb_digest=page.context["digest"])
        assert page.status_code == 302
        assert {status_of(copy) for copy in copies} == {"deletion_scheduled"}


class TestDeletionRequests:
    def test_those_to_decide_on_stand_on_the_dashboard_with_the_buttons_of_who_may(self, browser, viewer, superuser):
        assert "Deletions to decide on" not in browser.get("/admin/").content.decode()
        request = factories.DeletionRequestFactory(reason="the disk is full")
        own = factories.DeletionRequestFactory(reason="the other is, too", requested_by=superuser)
        page = browser.get("/admin/").content.decode()
        field = '<input type="hidden" name="_selected_action" value="{}">'
        assert page.count(field.format(request.pk)) == 2 and field.format(own.pk) not in page
        assert "Approve …" in page and "Reject …" in page and "you made the request" in page
        page = viewer.get("/admin/").content.decode()
        assert "the disk is full" in page and "Approve …" not in page

    def test_those_that_are_approved_stand_there_until_somebody_executes_them(self, browser, viewer):
        request = factories.DeletionRequestFactory(reason="the disk is full", approved=True)
        page = browser.get("/admin/").content.decode()
        assert "Approved deletions to carry out" in page and "Deletions to decide on" not in page
        assert page.count(f'<input type="hidden" name="_selected_action" value="{request.pk}">') == 2
        assert "Execute …" in page and "Reject …" in page and "Approve …" not in page
        words = words_of(viewer.get("/admin/"))
        assert f"the disk is full {request.data_location.site}/{request.data_location.name}" in words
        assert "Execute …" not in words
        factories.DeletionRequestFactory(executed=True)
        DeletionRequest.objects.filter(pk=request.pk).update(status="executed", executed_at=timezone.now())
        assert "Approved deletions" not in browser.get("/admin/").content.decode()

    def test_what_is_left_out_is_said_and_linked(self, browser, db, monkeypatch):
        monkeypatch.setattr(troubles, "REQUESTS_SHOWN", 1)
        link = f"{address(DeletionRequest, 'changelist')}?status__exact=requested"
        factories.DeletionRequestFactory(reason="the first")
        assert "See all: Deletions to decide on" not in browser.get("/admin/").content.decode()
        factories.DeletionRequestFactory(reason="the second")
        page = browser.get("/admin/").content.decode()
        assert "the first" in page and "the second" not in page
        assert f'<a href="{link}" aria-label="See all: Deletions to decide on">' in page
        assert "the second" in browser.get(link).content.decode()

    @pytest.fixture
    def request_of_another(self, db):
        copy = factories.RawDataFilePhysicalCopyFactory(deletable=True, size_bytes=3_000_000)
        request = factories.DeletionRequestFactory(data_location=copy.data_location, reason="the disk is full", limit=5)
        with attributed(user=request.requested_by):
            request.items.add(copy.pk)
        return request, copy

    @pytest.mark.parametrize("where", ["form", "preview"])
    def test_who_decides_sees_files_sizes_archive_copies_and_totals(self, browser, request_of_another, where):
        request, copy = request_of_another
        if where == "form":
            response = browser.get(address(DeletionRequest, "change", request))
        else:
            response = look(browser, DeletionRequest, "approve", request)
        words = words_of(response)
        place = copy.data_location
        assert f"Deletion at {place.site}/{place}, requested by {request.requested_by}: the disk is full" in words
        assert "1 copy, 3 MB; 1 of archived data." in words
        assert copy.raw_data_file.relative_path in words
        assert "verified copies in archives" in words.lower()

    @pytest.mark.parametrize("archived", [True, False])
    def test_of_a_bundle_it_is_said_how_many_of_its_packages_are_archived(self, browser, archived):
        bundle = factories.DataTransferPackageFactory()
        factories.RawDataPackageFactory(data_transfer_package=bundle, archived=True)
        factories.RawDataPackageFactory(data_transfer_package=bundle, archived=archived)
        copy = factories.DataTransferPackagePhysicalCopyFactory(data_transfer_package=bundle, size_bytes=5_000_000)
        request = factories.DeletionRequestFactory(data_location=copy.data_location)
        with attributed(user=request.requested_by):
            request.items.add(copy.pk)
        words = words_of(browser.get(address(DeletionRequest, "change", request)))
        assert f"1 copy, 5 MB; {int(archived)} of archived data." in words
        assert f"{1 + archived} of 2 packages archived" in words

    def test_that_takes_few_queries(self, request_of_another, django_assert_num_queries):
        request, _copy = request_of_another
        with django_assert_num_queries(3):
            judge_deletions([request])

    def test_deciding_is_not_offered_for_ones_own_request(self, browser, superuser, request_of_another):
        request, _copy = request_of_another
        own = factories.DeletionRequestFactory(requested_by=superuser)
        for row, offered in ((request, True), (own, False)):
            html = browser.get(address(DeletionRequest, "change", row)).content.decode()
            for name in ("approve", "reject"):
                assert (f'name="action" value="{name}"' in html) is offered, (row, name)


class TestWhoMayNotDecide:
    """On the dashboard, on the request's page and on *Why?* one line says why, and who may."""

    LINE = re.compile(r'<p class="opsdb-cannot">(.*?)</p>')
    RULE = "it must be approved by another person with the permission to approve"

    def lines(self, browser, request):
        """Return what the pages say, and assert that they offer no decision."""
        pages = [
            "/admin/",
            address(DeletionRequest, "change", request),
            page("why", q=f"deletion_request {request.pk}"),
        ]
        found = set()
        for url in pages:
            html = browser.get(url).content.decode()
            assert not re.search('name="action" value="(approve|reject)"', html), url
            (line,) = self.LINE.findall(html)
            found.add(unescape(line))
        return found

    def person(self, **options):
        return UserFactory(is_superuser=True, is_staff=True, **options)

    def test_their_own_request(self, db):
        me, _other = self.person(username="zoe"), self.person(username="anna")
        request = factories.DeletionRequestFactory(requested_by=me)
        line = f"You can't decide it (you made the request): {self.RULE}; 1 person may: anna."
        assert self.lines(logged_in(me), request) == {line}

    def test_with_an_account_that_is_younger_than_the_request(self, db):
        request = factories.DeletionRequestFactory(requested_by=UserFactory())
        me = self.person()
        line = f"You can't decide it (the account was created after the request): {self.RULE}; nobody may now."
        assert self.lines(logged_in(me), request) == {line}

    def test_with_an_account_that_who_asked_has_created(self, db):
        asks, _other = self.person(username="zoe"), self.person(username="anna")
        with attributed(user=asks):
            me = self.person()
        request = factories.DeletionRequestFactory(requested_by=asks)
        why = "the account was created by the person who asked"
        assert self.lines(logged_in(me), request) == {f"You can't decide it ({why}): {self.RULE}; 1 person may: anna."}

    def test_without_the_permission(self, viewer):
        for name in "fabcde":
            self.person(username=name)
        request = factories.DeletionRequestFactory()
        why, people = "you lack the permission to approve", "6 people may: a, b, c, d, e, …"
        assert self.lines(viewer, request) == {f"You can't decide it ({why}): {self.RULE}; {people}."}

    def test_people_are_counted_and_not_named_to_who_may_not_view_users(self, seeing_deletions):
        self.person(username="anna")
        (line,) = self.lines(seeing_deletions, factories.DeletionRequestFactory())
        assert line.endswith("; 1 person may.") and "anna" not in line

    @pytest.fixture
    def seeing_deletions(self, db):
        names = ["deletionrequest", "physicalcopy", "rawdatapackage", "datalocation"]
        views = Permission.objects.filter(codename__in=[f"view_{name}" for name in names])
        return logged_in(UserFactory(is_staff=True, user_permissions=views))

    def test_nothing_is_said_once_it_is_decided_or_to_who_may_decide(self, browser):
        for request in (factories.DeletionRequestFactory(), factories.DeletionRequestFactory(executed=True)):
            assert "opsdb-cannot" not in browser.get(address(DeletionRequest, "change", request)).content.decode()

    def test_the_dashboard_asks_as_many_queries_for_many_requests(self, browser, superuser):
        def queries(number):
            for _one in range(number):
                factories.DeletionRequestFactory(requested_by=superuser)
                factories.DeletionRequestFactory()
            with CaptureQueriesContext(connection) as found:
                browser.get("/admin/")
            return len(found)

        queries(1)
        assert queries(1) == queries(6)


def test_rows_that_are_refused_alike_are_one_line_with_their_bytes(browser):
    place = factories.DiskDataLocationFactory(retention_days=7)
    packages = factories.RawDataPackageFactory.create_batch(4, archived=True)
    copies = [
        factories.PhysicalCopyFactory(raw_data_package=package, data_location=place, size_bytes=2_000_000)
        for package in packages
    ]
    words = words_of(look(browser, PhysicalCopy, "request_deletion", *copies))
    assert "Refused: 4 · 8 MB" in words
    assert "4 copies" in words
    assert words.count("because of deletion rule") == 1


class TestQuality:
    @pytest.mark.parametrize("name", ["night", "observation"])
    def test_is_marked_by_a_button_and_a_confirmation_which_leads_back(self, browser, name):
        execution = factories.ExecutedObsUnitFactory(completed=True)
        url = (
            page("observation", execution.pk)
            if name == "observation"
            else page("night", night_of(execution.start_time))
        )
        html = browser.get(url).content.decode()
        form = re.search(r'<form method="post" action="([^"]*)" class="opsdb-quality">.*?</form>', html, re.DOTALL)
        data = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0])) | {"quality": "bad"}
        data.pop("csrfmiddlewaretoken", None)
        seen = browser.post(form[1], data)
        assert "unassessed → bad" in words_of(seen)
        done = browser.post(
            form[1], data | {"opsdb_stage": "confirm", "opsdb_digest": seen.context["digest"], "reason": "spikes"}
        )
        assert (done.status_code, done.url) == (302, url)
        execution.refresh_from_db()
        assert execution.quality == Quality.BAD
        assert "bad spikes" in words_of(browser.get(page("night", night_of(execution.start_time))))
        shown = words_of(browser.get(page("observation", execution.pk)))
        by = re.escape(f"bad marked by {done.wsgi_request.user.get_username()} at ")
        assert re.search(by + r"\s*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\s.*?UTC: spikes", shown)

    def test_names_who_judged_to_who_may_view_users(self, browser):
        execution = factories.ExecutedObsUnitFactory(completed=True)
        with attributed(user=UserFactory(username="hidden.person"), reason="strange spikes"):
            assess_observation(execution, Quality.BAD)
        urls = page("night", night_of(execution.start_time)), page("observation", execution.pk)
        for client, is_named in ((may_only(ExecutedObsUnit), False), (browser, True)):
            for url in urls:
                html = client.get(url).content.decode()
                assert "strange spikes" in html and ("hidden.person" in html) == is_named

    def test_has_no_note_where_it_was_withdrawn_or_nobody_gave_a_reason(self, browser):
        execution = factories.ExecutedObsUnitFactory(completed=True)
        url = page("night", night_of(execution.start_time))
        for quality in (Quality.BAD, Quality.UNASSESSED):
            assess_observation(execution, quality)
            assert "opsdb-assessed" not in browser.get(url).content.decode()

    def test_of_a_night_costs_one_query(self, browser, django_assert_num_queries):
        executions = factories.ExecutedObsUnitFactory.create_batch(3, completed=True)
        for quality, reason in ((Quality.GOOD, "calm"), (Quality.BAD, "spikes")):
            with attributed(reason=reason):
                for execution in executions:
                    assess_observation(execution, quality)
        viewer = SimpleNamespace(sees=lambda *models: True)
        with django_assert_num_queries(1):
            found = assessments_of(viewer, executions)
        assert {found[execution.pk].reason for execution in executions} == {"spikes"}

    def test_has_no_buttons_for_who_may_not_judge_it(self, viewer):
        execution = factories.ExecutedObsUnitFactory(completed=True)
        assert "opsdb-quality" not in viewer.get(page("observation", execution.pk)).content.decode()

    @pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
    def test_leads_back_to_no_other_host(self, browser, back):
        execution = factories.ExecutedObsUnitFactory(completed=True)
        response = look(browser, ExecutedObsUnit, "assess", execution, stage="look", quality="bad", opsdb_back=back)
        assert f'href="{back}"' not in response.content.decode()


class TestColleague:
    def add(self, browser, role=None, **data):
        password = "correct horse battery staple"
        fields = {"username": "ada", "usable_password": "true", "password1": password, "password2": password}
        return browser.post(address(User, "add"), fields | ({"role": role.pk} if role else {}) | data)

    @pytest.mark.parametrize(("name", "is_staff"), [("observer", True), ("service", False)])
    def test_gets_role_and_access_by_one_choice(self, browser, name, is_staff):
        role = Role.objects.get_or_create(name=name)[0]
        assert self.add(browser, role).status_code == 302
        user = User.objects.get(username="ada")
        assert list(user.groups.values_list("name", flat=True)) == [name]
        assert user.is_staff is is_staff

    def test_chooses_among_roles_that_say_what_they_are_for(self, browser):
        Role.objects.create(name="watchers", description="Look at everything, and change nothing.")
        Role.objects.create(name="nameless")
        html = browser.get(address(User, "add")).content.decode()
        labels = [" ".join(re.sub("<[^>]*>", " ", one).split()) for one in re.findall("(?s)<label.*?</label>", html)]
        assert "watchers – Look at everything, and change nothing." in labels and "nameless" in labels
        none = re.search('<input type="radio" name="role" value=""[^>]*>', html)[0]
        assert " checked" in none

    def test_without_a_role_may_not_sign_in_to_the_admin(self, browser):
        assert self.add(browser).status_code == 302
        user = User.objects.get(username="ada")
        assert (user.is_staff, user.groups.count()) == (False, 0)

    def test_gets_no_role_that_grants_what_the_person_does_not_hold(self, db):
        names = ["add_user", "view_user", "change_user"]
        permissions = Permission.objects.filter(content_type__app_label="opsdb", codename__in=names)
        browser = logged_in(UserFactory(is_staff=True, user_permissions=permissions))
        role = Role.objects.create(name="deleters")
        role.permissions.add(Permission.objects.get(codename="delete_user"))
        response = self.add(browser, role)
        assert "You can grant only what you hold yourself" in words_of(response)
        assert not User.objects.filter(username="ada").exists()
