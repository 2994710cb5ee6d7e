"""What each role may do on each page of each model, also by a hand-made POST.

The declarations below say what is meant; the roles are those of the reference data, and the pages and actions those
that are registered. Whatever is registered later is in the table by itself.
"""

from io import StringIO

import pytest
from django.core.management import call_command
from django.http import HttpRequest
from django.test import Client

from opsdb.admins.kit.importing import kinds_for
from opsdb.admins.kit.restoring import is_restorable
from opsdb.models import (
    ApiToken,
    ChangeLog,
    DataLocation,
    DeletionRequest,
    ExecutedObsUnit,
    ObservingProgram,
    ObsUnit,
    Role,
    Source,
    User,
)
from opsdb.models.base import area_of
from opsdb.testing.factories import DeletionRequestFactory, UserFactory, fill_every_table
from tests.models.refusal import settle
from tests.worlds import shared_world

from .acting import ACTIONS, look, outcomes
from .answers.pages import HOSTS, page
from .conftest import logged_in
from .pages import ADMINS, CLOSED, MODELS, SITE, address, is_parent, submit

ROLES = ("admin", "approver", "observer", "viewer", "service")
SEEN_BY = {"admin", "approver", "observer", "viewer"}
PEOPLE = {User, Role, ApiToken, ChangeLog}
UNSEEN_BY = {"viewer": PEOPLE, "observer": PEOPLE, "approver": {ApiToken}}
SEEING = ("list", "detail", "history", "export")
ACTIONS_OF = {
    "observer": {(ExecutedObsUnit, "assess")},
    "approver": {(DeletionRequest, "approve"), (DeletionRequest, "reject")},
}


def may(role, deed, model):
    """Whether a role is meant to do something to a model."""
    if deed in SEEING:
        return role in SEEN_BY and model not in UNSEEN_BY.get(role, ())
    closed = {"add": "add", "import": "add"}.get(deed, deed) in CLOSED.get(model, ())
    if deed in ("change", "restore"):
        closed = {"add", "delete"} <= set(CLOSED.get(model, ())) or model.__name__ == "FixityCheck"
    if role == "admin":
        return not closed
    if role == "observer" and deed in ("add", "change", "restore", "import"):
        planned = area_of(model) == "planning"
        return not closed and (planned or (model, deed) == (ExecutedObsUnit, "change"))
    return False


def may_act(role, model, name):
    """Whether a role is meant to have an action."""
    if role == "admin":
        return (model, name) not in ACTIONS_OF["approver"]
    return (model, name) in ACTIONS_OF.get(role, ())


def requests_of(model, row):
    """What is asked of the pages of a model: deed, and how."""
    yield "list", "get", address(model, "changelist")
    yield "export", "get", f"{address(model, 'changelist')}export/csv/"
    yield "add", "get", address(model, "add")
    if kinds_for(model):
        yield "import", "get", f"{address(model, 'changelist')}import/{kinds_for(model)[0].name}/"
        yield "import", "post", f"{address(model, 'changelist')}import/{kinds_for(model)[0].name}/"
    if is_parent(model):
        return
    yield "add", "post", address(model, "add")
    yield "detail", "get", address(model, "change", row)
    yield "history", "get", address(model, "history", row)
    yield "change", "post", address(model, "change", row)
    yield "delete", "get", address(model, "delete", row)
    if is_restorable(model):
        version = ChangeLog.objects.of(row).last()
        yield "restore", "get", f"{address(model, 'history', row)}{version.pk}/restore/"
        yield "restore", "post", f"{address(model, 'history', row)}{version.pk}/restore/"


def pages_that_answer(rows):
    """The addresses of the pages that belong to no model alone."""
    arguments = {
        "night": ["2026-06-15"],
        "observation": [rows[ExecutedObsUnit].pk],
        "source": [rows[Source].pk],
        "program": [rows[ObservingProgram].pk],
        "unit": [rows[ObsUnit].pk],
        "location": [rows[DataLocation].pk],
    }
    return [page(name, *arguments.get(name, ())) for name in HOSTS]


def was_allowed(response):
    """Whether an answer is that of somebody who may: a page, or the way back from one."""
    return response.status_code in (200, 302) and not response.get("Location", "").startswith("/admin/login/")


def browser_of(role):
    if role == "service":
        call_command("opsdb_create_service", "mover", stdout=StringIO(), verbosity=0)
        return logged_in(User.objects.get(username="mover"))
    return logged_in(UserFactory(is_staff=True, groups=[Role.objects.get(name=role).group_ptr]))


@shared_world
def rows():
    call_command("opsdb_init", verbosity=0)
    rows = fill_every_table()
    settle()
    return rows


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_it_is_meant_to_and_nothing_else(role, rows, bare_pages, listing_no_rows):
    client, wrong = browser_of(role), []
    changes = ChangeLog.objects.count()
    for model in MODELS:
        for deed, method, url in requests_of(model, rows[model]):
            response = getattr(client, method)(url)
            if was_allowed(response) != may(role, deed, model):
                wrong.append(f"{method} {url} ({deed}): {response.status_code} {response.get('Location', '')}")
            if deed == "export" and response.status_code == 200:
                b"".join(response.streaming_content)
        if not may(role, "delete", model) and not is_parent(model):
            response = client.post(address(model, "delete", rows[model]), {"post": "yes"})
            if was_allowed(response):
                wrong.append(f"post {address(model, 'delete', rows[model])}")
            look(client, model, "delete_selected", rows[model], post="yes")
    for url in pages_that_answer(rows):
        seen = role in SEEN_BY
        # The list of failures takes forms; without the name of a group it does nothing but show itself.
        for method, allowed in (("get", seen), ("post", seen and url == page("failures"))):
            if was_allowed(response := getattr(client, method)(url)) != allowed:
                wrong.append(f"{method} {url}: {response.status_code}")
    assert not wrong
    assert ChangeLog.objects.count() == changes


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_the_actions_that_it_is_meant_to_have_and_no_others(role, rows, bare_pages, listing_no_rows):
    client, wrong = browser_of(role), []
    changes = ChangeLog.objects.count()
    for model, action in ACTIONS:
        allowed = may_act(role, model, action.name)
        response = look(client, model, action.name, rows[model], stage="confirm", reason="by hand", opsdb_digest="x")
        if (response.status_code == 200 and "action" in response.context_data) != allowed:
            wrong.append(f"{model.__name__} {action.name}")
    for model in {model: None for model, _ in ACTIONS} if role in SEEN_BY else ():
        form = getattr(client.get(address(model, "changelist")), "context_data", {}).get("action_form")
        offered = {name for name, _label in form.fields["action"].choices} if form else set()
        meant = {action.name for one, action in ACTIONS if one is model and may_act(role, model, action.name)}
        if offered - {"", "delete_selected"} != meant:
            wrong.append(f"{model.__name__} offers {offered}, not {meant}")
    assert not wrong
    assert ChangeLog.objects.count() == changes


def test_every_admin_and_every_page_is_in_the_table():
    assert set(ADMINS) == set(MODELS)
    pages = {one.name for admin in SITE._registry.values() for one in getattr(admin, "pages", ())}
    # The pages about tables are tried for every table and viewer beside this (test_about).
    assert {name for name in pages if not name.startswith("about_")} == set(HOSTS)
    assert {deed for model in MODELS for deed in ("list", "add", "change", "delete") if may("admin", deed, model)}


class TestTheSecondPerson:
    def test_who_asked_for_a_deletion_is_refused_to_approve_and_to_reject_it(self, rows):
        client = browser_of("approver")
        me = client.get("/admin/").wsgi_request.user
        request = DeletionRequestFactory(data_location_id=rows[DeletionRequest].data_location_id, requested_by=me)
        for name in ("approve", "reject"):
            refused = outcomes(look(client, DeletionRequest, name, request))["REFUSED"][request.pk]
            assert "so another person must decide it" in refused
        request.refresh_from_db()
        assert request.status == "requested"


class TestObservers:
    def test_of_an_execution_they_edit_the_judgement_and_no_facts(self, rows):
        client, execution = browser_of("observer"), rows[ExecutedObsUnit]
        url = address(ExecutedObsUnit, "change", execution)
        fields = client.get(url).context["adminform"].form.fields
        assert set(fields) == {"quality", "comment"}
        data = {"quality": "good", "comment": "calm", "mean_pwv_mm": "7", "end_time_0": "2026-01-01"}
        assert client.post(url, data).status_code in (200, 302)
        changed = ExecutedObsUnit.objects.get(pk=execution.pk)
        assert changed.mean_pwv_mm == execution.mean_pwv_mm
        assert changed.end_time == execution.end_time


class TestServices:
    @pytest.fixture
    def mover(self, rows):
        call_command("opsdb_create_service", "mover", stdout=StringIO(), verbosity=0)
        return User.objects.get(username="mover")

    def test_do_not_log_in_whatever_password_they_are_given(self, mover):
        assert mover.is_active and not mover.has_usable_password()
        client, word = Client(), "Cerro-Chajnantor-5612"
        for given in (False, True):
            if given:
                mover.set_password(word)
                mover.save()
            assert client.login(request=HttpRequest(), username="mover", password=word) == given
            client.logout()
            answer = client.post("/admin/login/?next=/admin/", {"username": "mover", "password": word})
            assert answer.status_code == 200
            assert client.get("/admin/").status_code == 302

    def test_cannot_be_made_staff_in_a_form_which_says_so_beside_the_field(self, mover):
        for privilege in ("is_staff", "is_superuser"):
            page = submit(
                logged_in(UserFactory(superuser=True)), address(User, "change", mover), mover, {privilege: "on"}
            )
            assert "user mover: whoever is in the role service" in str(page.context["errors"])
            assert list(page.context["adminform"].form.errors) == [privilege]

    def test_are_not_joined_by_staff_in_a_form_which_says_so_beside_the_field(self, rows):
        person, role = UserFactory(is_staff=True), Role.objects.get(name="service")
        page = submit(
            logged_in(UserFactory(superuser=True)), address(User, "change", person), person, {"groups": [role.pk]}
        )
        assert list(page.context["adminform"].form.errors) == ["groups"]
        assert not person.groups.exists()
