from unittest import mock

import pytest
from django.contrib import auth
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.template.response import SimpleTemplateResponse
from django.test import Client

from opsdb.admins.kit.lists import KeyedChangeList, OpsChangeList
from opsdb.testing.factories import UserFactory

from .pages import MODELS


def logged_in(user):
    """A browser in which this user is logged in."""
    client = Client()
    # Its receivers count failed logins and note the time.
    with mock.patch.object(auth.user_logged_in, "send"):
        client.force_login(user)
    return client


def may_only(*models):
    """A browser of somebody who may view, add and change rows of these models only."""
    names = [f"{verb}_{model._meta.model_name}" for model in models for verb in ("view", "add", "change")]
    return logged_in(UserFactory(is_staff=True, user_permissions=Permission.objects.filter(codename__in=names)))


@pytest.fixture
def unrendered(monkeypatch):
    """Render no page, where what it is about was decided before: that pages can be rendered is tested elsewhere."""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")


@pytest.fixture
def listing_no_rows(monkeypatch):
    """Fetch and count no rows of a list, where it only matters whether there is one."""

    def get_results(self, request):
        self.result_list, self.result_count, self.full_result_count = [], 0, 0
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False

    for kind in (OpsChangeList, KeyedChangeList):
        monkeypatch.setattr(kind, "get_results", get_results)


@pytest.fixture(autouse=True)
def sessions_in_memory(settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"


@pytest.fixture
def sessions_in_database(sessions_in_memory, settings):
    """As in operation, where queries are counted or people log in."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"


@pytest.fixture
def remembered_users(monkeypatch):
    """Load each user and what the user may do once, and not for every request, where requests change neither."""
    load, users = auth.get_user, {}

    def get_user(request):
        key = request.session.session_key
        if key not in users:
            users[key] = load(request)
        return users[key]

    monkeypatch.setattr(auth, "get_user", get_user)


@pytest.fixture
def bare_pages(unrendered, remembered_users, monkeypatch):
    """Pages without what is the same for all, where many are asked for: templates, the user, and the planner's guess.

    The planner is asked about the query that then counts the rows.
    """
    monkeypatch.setattr("opsdb.admins.kit.counting.estimate", lambda rows: 0)


@pytest.fixture(autouse=True)
def without_the_list_of_models(request):
    if not request.node.get_closest_marker("lists_models"):
        request.getfixturevalue("listing_no_models")


@pytest.fixture
def superuser(db):
    # Which content types are in the process's cache would change the number of queries.
    for model in MODELS:
        ContentType.objects.get_for_model(model, for_concrete_model=False)
        ContentType.objects.get_for_model(model)
    return UserFactory(superuser=True)


@pytest.fixture
def browser(superuser):
    """A superuser's browser."""
    return logged_in(superuser)


@pytest.fixture
def viewer(db):
    """The browser of a user who may view everything and change nothing."""
    views = Permission.objects.filter(codename__startswith="view_")
    return logged_in(UserFactory(is_staff=True, user_permissions=views))


@pytest.fixture
def outsider(db):
    """The browser of a member of staff without any permission."""
    return logged_in(UserFactory(is_staff=True))
