"""The user of a request with a token: scopes only narrow, whatever is asked."""

import asyncio

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from opsdb.access import TokenUser, assign_roles, permissions_named
from opsdb.models import ApiToken, ChangeLog, Role, Site
from opsdb.testing.factories import ApiTokenFactory, SiteFactory, UserFactory
from opsdb.workflows import NotFound, attributed

pytestmark = pytest.mark.django_db


def user_with(scopes, *permissions, **fields):
    user = UserFactory(**fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return TokenUser(ApiTokenFactory(user=user, scopes=scopes))


def test_a_user_may_do_what_the_user_may_and_the_token_covers():
    user = user_with(["read:*", "change:site"], "view_site", "change_site", "change_observatory")
    assert user.has_perm("opsdb.view_site") and user.has_perm("opsdb.change_site")
    assert not user.has_perm("opsdb.view_observatory")  # covered, and not held
    assert not user.has_perm("opsdb.change_observatory")  # held, and not covered
    assert user.has_perms(["opsdb.view_site", "opsdb.change_site"])
    assert not user.has_perms(["opsdb.view_site", "opsdb.change_observatory"])
    expected = {"opsdb.view_site", "opsdb.change_site"}
    assert user.get_all_permissions() == user.get_user_permissions() == expected
    assert user.get_group_permissions() == set()
    assert user.has_module_perms("opsdb") and not user.has_module_perms("auth")


def test_the_async_forms_say_the_same():
    user = user_with(["change:site"], "view_site", "change_site")

    async def ask():
        return [
            await user.ahas_perm("opsdb.view_site"),
            await user.ahas_perm("opsdb.change_site"),
            await user.ahas_perms(["opsdb.view_site", "opsdb.change_site"]),
            await user.aget_all_permissions(),
            await user.aget_user_permissions(),
            await user.aget_group_permissions(),
            await user.ahas_module_perms("opsdb"),
        ]

    from asgiref.sync import async_to_sync

    held = {"opsdb.change_site"}
    assert async_to_sync(ask)() == [False, True, False, held, held, set(), True]
    assert asyncio.iscoroutinefunction(user.ahas_perm)


def test_no_token_makes_a_superuser_or_staff():
    user = user_with(["read:site"], superuser=True)
    assert not user.is_superuser and not user.is_staff
    assert user.has_perm("opsdb.view_site") and not user.has_perm("opsdb.change_site")
    assert user_with(["*:*"], superuser=True).has_perm("auth.add_group")
    user.save()
    assert get_user_model().objects.get(pk=user.pk).is_superuser


def test_it_is_the_user_wherever_a_user_is_needed():
    user = user_with(["*:*"], "view_site")
    assert isinstance(user, get_user_model()) and user == get_user_model().objects.get(pk=user.pk)
    with attributed(user=user):
        site = SiteFactory()
        Site.objects.filter(pk=site.pk).update(description="changed")
    assert ChangeLog.objects.filter(table_name="site", user=user).count() == 2
    assert ApiToken.objects.filter(user=user).get().user == user


@pytest.mark.parametrize("name", ["read:observations", "write:data", "manage:users", "read:*", "change:site"])
def test_a_name_is_answered_by_has_perm(name, django_assert_num_queries):
    user = UserFactory()
    assert not user.has_perm(name)
    codenames = {permission.partition(".")[2] for permission in permissions_named(name)}
    user = get_user_model().objects.get(pk=user.pk)
    held = Permission.objects.filter(codename__in=codenames, content_type__app_label="opsdb")
    assert len(held) == len(codenames)
    user.user_permissions.set(held)
    with django_assert_num_queries(2):
        assert user.has_perm(name)
    user = get_user_model().objects.get(pk=user.pk)
    user.user_permissions.remove(held[0])
    assert not user.has_perm(name)
    assert TokenUser(ApiTokenFactory(user=user, scopes=["*:*"])).has_perm(name) is False
    user = get_user_model().objects.get(pk=user.pk)
    user.user_permissions.add(held[0])
    user = get_user_model().objects.get(pk=user.pk)
    assert TokenUser(ApiTokenFactory(user=user, scopes=["*:*"])).has_perm(name)
    assert not TokenUser(ApiTokenFactory(user=user, scopes=["view:downtime"])).has_perm(name)


@pytest.mark.parametrize("name", ["raed:data", "read:dat", "read:", ":", "::", "*:*:*", "read:data "])
def test_a_name_of_nothing_is_held_by_nobody_but_superusers(name):
    assert not UserFactory().has_perm(name)
    assert not TokenUser(ApiTokenFactory(user=UserFactory(superuser=True), scopes=["*:*"])).has_perm(name)


TEAMS = {"ccatobs/datacenter": "admin", "ccatobs/observers-*": "observer", "ccatobs/*": "viewer"}


def roles_of(user):
    return {*user.groups.values_list("name", flat=True)}


def test_teams_give_and_take_roles(reference):
    user = UserFactory()
    other = Role.objects.create(name="own")
    user.groups.add(other.group_ptr)
    assert assign_roles(user, ["ccatobs/observers-chai"], mapping=TEAMS) == ({"observer", "viewer"}, set())
    assert assign_roles(user, ["CCATobs/Observers-Chai", "else"], mapping=TEAMS) == (set(), set())
    assert roles_of(user) == {"own", "observer", "viewer"}
    assert user.has_perm("opsdb.add_obsunit")
    assert assign_roles(user, ["ccatobs/datacenter"], mapping=TEAMS) == ({"admin"}, {"observer"})
    assert assign_roles(user, [], mapping=TEAMS) == (set(), {"admin", "viewer"})
    assert roles_of(user) == {"own"}
    reasons = ChangeLog.objects.filter(table_name="user", row_id=str(user.pk), reason="teams at sign-in")
    assert reasons.count() == 6


def test_the_mapping_is_a_setting_and_a_role_that_is_missing_is_named(reference, settings):
    settings.OPSDB_TEAM_ROLES = {"a": "viewer", "b": "nobody"}
    with pytest.raises(NotFound, match="there is no role nobody"):
        assign_roles(UserFactory(), ["a"])


def test_sign_in_by_remote_user_makes_a_user_with_roles(reference, settings):
    from django.contrib.auth.backends import RemoteUserBackend

    settings.OPSDB_TEAM_ROLES = TEAMS
    user = RemoteUserBackend().authenticate(None, "sso_anna")
    assert user.pk and not user.has_usable_password()
    assign_roles(user, ["ccatobs/x"])
    assert get_user_model().objects.get(username="sso_anna").has_perm("read:observations")


def test_a_viewer_sees_no_tokens_and_no_users(reference, client):
    user = UserFactory(is_staff=True)
    user.groups.add(Role.objects.get(name="viewer").group_ptr)
    client.force_login(user)
    assert client.get("/admin/opsdb/site/").status_code == 200
    for model in ("user", "apitoken", "role", "changelog"):
        assert client.get(f"/admin/opsdb/{model}/").status_code == 403
