import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.template.response import SimpleTemplateResponse
from django.test import Client

from opsdb.testing.factories import UserFactory

from .pages import MODELS, SITE


def logged_in(user):
    """A browser in which this user is logged in."""
    client = Client()
    client.force_login(user)
    return client


def may_only(*models):
    """A browser of somebody who may view, add and change rows of these models only."""
    names = [f"{verb}_{model._meta.model_name}" for model in models for verb in ("view", "add", "change")]
    return logged_in(UserFactory(is_staff=True, user_permissions=Permission.objects.filter(codename__in=names)))


@pytest.fixture
def listing_no_models(monkeypatch):
    """Leave out the list of all models beside every page: it costs more than most pages, and is Django's own."""
    monkeypatch.setattr(SITE, "enable_nav_sidebar", False)
    monkeypatch.setattr(SITE, "get_app_list", lambda *args: [])


@pytest.fixture
def unrendered(monkeypatch):
    """Render no page, where what it is about was decided before: that pages can be rendered is tested elsewhere."""
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")


@pytest.fixture(autouse=True)
def without_the_list_of_models(request):
    if "answers" not in request.path.parts:
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
