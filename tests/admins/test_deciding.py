"""What people decide on in few clicks, with what they must know to do it."""

import re

import pytest
from django.contrib.auth.models import Permission

from opsdb.admins.actions.judging import judge_deletions
from opsdb.admins.pages.dashboard import troubles
from opsdb.admins.pages.executions import night_of
from opsdb.models import DeletionRequest, ExecutedObsUnit, PhysicalCopy, Quality, Role, User
from opsdb.testing import factories
from opsdb.testing.factories import UserFactory
from opsdb.workflows import attributed

from .acting import look
from .answers.pages import page
from .conftest import logged_in
from .pages import address


def words_of(response):
    assert response.status_code == 200
    return " ".join(re.sub("<[^>]*>", " ", response.content.decode()).split())


class TestDeletionRequests:
    def test_those_to_decide_on_stand_on_the_dashboard_with_the_buttons_of_who_may(self, browser, viewer, superuser):
        assert "Deletions to decide on" not in browser.get("/admin/").content.decode()
        request = factories.DeletionRequestFactory(reason="the disk is full")
        own = factories.DeletionRequestFactory(reason="the other is, too", requested_by=superuser)
        page = browser.get("/admin/").content.decode()
        field = '<input type="hidden" name="_selected_action" value="{}">'
        assert page.count(field.format(request.pk)) == 2 and field.format(own.pk) not in page
        assert "Approve …" in page and "Reject …" in page and "by another person" in page
        page = viewer.get("/admin/").content.decode()
        assert "the disk is full" in page and "Approve …" not in page

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
        assert f"Deletion at {place.site}/{place}: the disk is full" in words
        assert "1 copy, 3 MB; 1 of archived data." in words
        assert copy.raw_data_file.relative_path in words
        assert "verified copies in archives" in words.lower()

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


def test_rows_that_are_refused_alike_are_one_line_with_their_bytes(browser):
    place = factories.DiskDataLocationFactory(retention_days=7)
    packages = factories.RawDataPackageFactory.create_batch(4, archived=True)
    copies = [
        factories.PhysicalCopyFactory(raw_data_package=package, data_location=place, size_bytes=2_000_000)
        for package in packages
    ]
    words = words_of(look(browser, PhysicalCopy, "request_deletion", *copies))
    assert "Refused: 4 · 8 MB" in words
    assert "4 ×" in words
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
