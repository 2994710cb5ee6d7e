"""Nobody gains rights by the right to edit users, groups, roles or tokens."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from opsdb.models import ApiToken, Role, User
from opsdb.testing.factories import ApiTokenFactory, RoleFactory, UserFactory

from .acting import look
from .conftest import logged_in
from .pages import address, submit

EDITED = ("user", "role", "apitoken")
PASSWORD = {"password1": "Cerro-Chajnantor-5612", "password2": "Cerro-Chajnantor-5612", "usable_password": "true"}


def permission(name):
    return Permission.objects.get(codename=name)


@pytest.fixture
def manager(db):
    """A member of staff who may do everything to users, groups, roles and tokens, and see observations."""
    managing = Permission.objects.filter(content_type__model__in=[*EDITED, "group"])
    return UserFactory(is_staff=True, user_permissions=[*managing, permission("view_obsunit")])


@pytest.fixture
def office(manager):
    return logged_in(manager)


@pytest.fixture
def approver(db):
    """Somebody who holds what the manager does not."""
    return UserFactory(is_staff=True, user_permissions=[permission("approve_deletionrequest")])


def errors(page):
    assert page.status_code == 200
    return page.context["adminform"].form.errors


def set_password(client, user):
    return client.post(reverse("admin:auth_user_password_change", args=[user.pk]), PASSWORD)


class TestUsers:
    def test_nobody_makes_himself_superuser_or_gives_himself_permissions(self, office, manager):
        url = address(User, "change", manager)
        assert not {"is_superuser", "user_permissions"} & set(office.get(url).context["adminform"].form.fields)
        grants = {"is_superuser": "on", "user_permissions": [permission("approve_deletionrequest").pk]}
        assert submit(office, url, manager, {"affiliation": "here", **grants}).status_code == 302
        manager = User.objects.get(pk=manager.pk)
        assert (manager.affiliation, manager.is_superuser) == ("here", False)
        assert not manager.user_permissions.filter(codename="approve_deletionrequest").exists()

    def test_superusers_are_changed_by_superusers_only(self, office, browser):
        other = UserFactory(superuser=True)
        assert office.get(address(User, "change", other)).context["has_change_permission"] is False
        assert submit(office, address(User, "change", other), other, {"affiliation": "here"}).status_code == 403
        assert office.post(address(User, "delete", other), {"post": "yes"}).status_code == 403
        assert look(office, User, "delete_selected", other, post="yes").status_code == 403
        assert set_password(office, other).status_code == 403
        kept = User.objects.get(pk=other.pk)
        assert (kept.affiliation, kept.password) == (other.affiliation, other.password)
        assert set_password(browser, other).status_code == 302
        assert submit(browser, address(User, "change", other), other, {"affiliation": "here"}).status_code == 302

    @pytest.mark.parametrize("active", [True, False])
    def test_the_account_of_somebody_who_holds_more_is_not_taken_over(self, office, approver, active):
        User.objects.filter(pk=approver.pk).update(is_active=active)
        assert set_password(office, approver).status_code == 403
        url = address(User, "change", approver)
        data = {"username": "mine", "email": "me@example.org", "github_login": "me", "affiliation": "here"}
        assert submit(office, url, approver, data).status_code == 302
        kept = User.objects.get(pk=approver.pk)
        before = (approver.username, approver.email, approver.github_login)
        assert (kept.username, kept.email, kept.github_login) == before
        assert kept.affiliation == "here"

    def test_the_account_of_somebody_who_holds_no_more_is_managed(self, office):
        other = UserFactory(user_permissions=[permission("view_obsunit")])
        assert set_password(office, other).status_code == 302
        assert User.objects.get(pk=other.pk).has_usable_password()
        assert submit(office, address(User, "change", other), other, {"github_login": "new"}).status_code == 302
        assert User.objects.get(pk=other.pk).github_login == "new"

    @pytest.mark.parametrize("who", ["self", "another"])
    def test_groups_are_given_by_who_holds_what_they_grant(self, office, manager, who):
        user = manager if who == "self" else UserFactory()
        url = address(User, "change", user)
        seeing, approving = RoleFactory(), RoleFactory()
        seeing.permissions.add(permission("view_obsunit"))
        approving.permissions.add(permission("view_obsunit"), permission("approve_deletionrequest"))
        page = submit(office, url, user, {"groups": [approving.pk, seeing.pk]})
        assert "not opsdb.approve_deletionrequest." in str(errors(page)["groups"])
        assert not user.groups.exists()
        assert submit(office, url, user, {"groups": [seeing.pk]}).status_code == 302
        assert list(user.groups.all()) == [seeing.group_ptr]

    def test_groups_that_somebody_has_already_stay_or_go(self, office, approver):
        approving, other = RoleFactory(), RoleFactory()
        approving.permissions.add(permission("approve_deletionrequest"))
        approver.groups.set([approving.group_ptr])
        url = address(User, "change", approver)
        assert submit(office, url, approver, {"groups": [approving.pk, other.pk]}).status_code == 302
        assert approver.groups.count() == 2
        assert submit(office, url, approver, {"groups": [other.pk]}).status_code == 302
        assert list(approver.groups.all()) == [other.group_ptr]


@pytest.mark.parametrize("model", [Group, Role])
class TestGroups:
    def url(self, model, page, row=None):
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
        return reverse(name, args=[row.pk] if row else [])

    def test_groups_get_permissions_of_who_holds_them(self, office, model):
        group = RoleFactory()
        group = group.group_ptr if model is Group else group
        url = self.url(model, "change", group)
        for names, refused in ((["approve_deletionrequest", "view_obsunit"], True), (["view_obsunit"], False)):
            page = submit(office, url, group, {"permissions": [permission(name).pk for name in names]})
            if refused:
                assert "not opsdb.approve_deletionrequest." in str(errors(page)["permissions"])
            assert group.permissions.count() == (0 if refused else 1)

    def test_new_groups_too(self, office, browser, model):
        data = {"name": "approvers", "permissions": [permission("approve_deletionrequest").pk]}
        assert "permissions" in errors(office.post(self.url(model, "add"), data))
        assert not Group.objects.exists()
        assert browser.post(self.url(model, "add"), data).status_code == 302
        assert Group.objects.get().permissions.count() == 1


class TestTokens:
    @pytest.mark.parametrize("whose", ["a superuser's", "another's", "own"])
    def test_tokens_are_made_in_ones_own_name(self, office, manager, whose):
        user = manager if whose == "own" else UserFactory(superuser=whose == "a superuser's")
        data = {"user": user.pk, "name": "mine", "scopes": [], "allowed_networks": "", "active": "on"}
        page = office.post(address(ApiToken, "add"), data)
        assert page.status_code == 200
        if whose == "own":
            assert ApiToken.objects.from_secret(page.context["secret"]).user == manager
        else:
            assert "Only superusers make tokens for somebody else." in str(errors(page)["user"])
            assert not ApiToken.objects.exists()

    def test_superusers_make_tokens_for_others(self, browser):
        user = UserFactory()
        data = {"user": user.pk, "name": "theirs", "scopes": [], "allowed_networks": "", "active": "on"}
        assert browser.post(address(ApiToken, "add"), data).context["token"].user == user

    @pytest.mark.parametrize("whose", ["a superuser's", "an approver's"])
    def test_the_token_of_somebody_who_holds_more_is_not_widened(self, office, browser, approver, whose):
        user = approver if whose == "an approver's" else UserFactory(superuser=True)
        token = ApiTokenFactory(user=user, scopes=["read:site"], allowed_networks=["10.0.0.0/8"])
        url, wider = address(ApiToken, "change", token), {"scopes": ["*:*"], "allowed_networks": ""}
        page = office.get(url)
        assert page.status_code == 200 and page.context["has_change_permission"] is False
        assert submit(office, url, token, wider).status_code == 403
        token.refresh_from_db()
        assert (token.scopes, list(map(str, token.allowed_networks))) == (["read:site"], ["10.0.0.0/8"])
        assert submit(browser, url, token, wider).status_code == 302
        token.refresh_from_db()
        assert (token.scopes, token.allowed_networks) == (["*:*"], [])

    @pytest.mark.parametrize("whose", ["own", "of somebody who holds no more"])
    def test_other_tokens_are_changed_as_before(self, office, manager, whose):
        token = ApiTokenFactory(user=manager if whose == "own" else UserFactory(), scopes=["read:site"])
        assert submit(office, address(ApiToken, "change", token), token, {"scopes": ["*:*"]}).status_code == 302
        token.refresh_from_db()
        assert token.scopes == ["*:*"]

    def test_tokens_of_others_can_be_revoked(self, office):
        token = ApiTokenFactory(user=UserFactory(superuser=True))
        assert office.get(address(ApiToken, "change", token)).status_code == 200
        page = look(office, ApiToken, "revoke", token)
        assert page.context["action"].name == "revoke"
