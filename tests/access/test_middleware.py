"""Requests with a token, under WSGI and ASGI."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission
from django.test import AsyncClient, Client

from opsdb.models import ChangeLog
from opsdb.testing.factories import SiteFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.views")]

FOREIGN = ["", "eyJhbGciOiJIUzI1NiJ9.e30.abc", "x" * 55]


@pytest.fixture(autouse=True)
def middleware(settings):
    names = [*settings.MIDDLEWARE]
    names.insert(names.index("opsdb.middleware.AttributionMiddleware"), "opsdb.access.middleware.TokenMiddleware")
    settings.MIDDLEWARE = names


def bearer(secret, scheme="Bearer"):
    return {"headers": {"Authorization": f"{scheme} {secret}"}}


def test_a_request_with_a_token_acts_for_its_user(create):
    token, secret = create()
    for scheme in ("Bearer", "bearer"):
        assert Client().get("/who/", **bearer(secret, scheme)).json() == {"user": token.user.username, "token": True}
    assert Client().get("/who/").json() == {"user": "", "token": False}
    assert Client().get("/who/", headers={"Authorization": "Basic YTpi"}).json() == {"user": "", "token": False}


def test_a_token_wins_over_a_session(create):
    token, secret = create()
    client = Client()
    client.force_login(UserFactory())
    assert client.get("/who/", **bearer(secret)).json()["user"] == token.user.username


@pytest.mark.parametrize("secret", FOREIGN)
def test_a_token_of_another_issuer_is_left_alone(secret):
    assert Client().get("/who/", **bearer(secret)).json() == {"user": "", "token": False}
    assert get_async("/who-async/", secret).json() == {"user": "", "may": False}
    client = Client()
    client.force_login(user := UserFactory())
    assert client.get("/who/", **bearer(secret)).json() == {"user": user.username, "token": False}


@pytest.mark.parametrize("secret", FOREIGN)
def test_a_token_of_another_issuer_replaces_no_csrf_token(secret):
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory())
    assert client.post("/who/", **bearer(secret)).status_code == 403


@pytest.mark.parametrize("secret", ["opsdb_", "opsdb_" + "x" * 49])
def test_a_token_that_is_refused_is_answered_with_401(secret):
    for answer in (Client().get("/who/", **bearer(secret)), Client().post("/who/", **bearer(secret))):
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert answer.json() == {"detail": "The token is not valid."}


def test_a_form_without_a_csrf_token_is_taken_with_an_api_token_only(create):
    token, secret = create()
    client = Client(enforce_csrf_checks=True)
    assert client.post("/who/", **bearer(secret)).status_code == 200
    client.force_login(token.user)
    assert client.post("/who/").status_code == 403


def test_changes_by_a_token_are_attributed_to_its_user(create):
    token, secret = create()
    Client().get(f"/rename/{SiteFactory().name}/", **bearer(secret))
    change = ChangeLog.objects.get(table_name="site", operation="update")
    assert (change.user, change.origin.split()[0]) == (token.user, "GET")


def test_a_view_asks_for_a_permission_by_name(create):
    token, secret = create(scopes=["read:observations"])
    assert Client().get("/observations/", **bearer(secret)).status_code == 403
    token.user.user_permissions.set(Permission.objects.filter(codename__startswith="view_executedobsunit"))
    assert Client().get("/observations/", **bearer(secret)).status_code == 200
    _, other = create(user=token.user, name="other", scopes=["read:data"])
    assert Client().get("/observations/", **bearer(other)).status_code == 403


def get_async(path, secret=None):
    return async_to_sync(AsyncClient().get)(path, **(bearer(secret) if secret else {}))


def test_an_async_view_knows_the_user(create):
    token, secret = create(user=UserFactory(superuser=True), scopes=["read:site"])
    assert get_async("/who-async/", secret).json() == {"user": token.user.username, "may": True}
    assert get_async("/who-async/").json() == {"user": "", "may": False}
    assert get_async("/who-async/", "opsdb_").status_code == 401


def test_changes_of_an_async_view_are_attributed(create):
    token, secret = create()
    name = SiteFactory().name
    assert get_async(f"/rename-async/{name}/", secret).status_code == 200
    changes = ChangeLog.objects.filter(table_name="site", operation="update")
    assert [(change.user, change.origin) for change in changes] == [(token.user, f"GET /rename-async/{name}/")] * 2
