"""Every page of every model, for those who may not see or change it; for those who may, see test_queries."""

import pytest
from django.apps import apps

from opsdb.models import (
    DeletionRequestItem,
    ExecutedObsUnitModuleConfiguration,
    ExecutedReductionStepInputPackage,
    ExecutedReductionStepInputProduct,
    ReductionStepDependency,
)
from opsdb.testing.factories import FACTORIES

from .pages import ADMINS, CLOSED, MODELS, PAGES, READ_ONLY, address, is_parent, name_of

EDITED_WITHIN_ANOTHER = {
    DeletionRequestItem,
    ExecutedObsUnitModuleConfiguration,
    ExecutedReductionStepInputPackage,
    ExecutedReductionStepInputProduct,
    ReductionStepDependency,
}

every_model = pytest.mark.parametrize("model", MODELS, ids=name_of)


def test_every_model_is_registered():
    tables = {model for model in apps.get_app_config("opsdb").get_models() if model._meta.managed}
    assert tables - EDITED_WITHIN_ANOTHER == set(MODELS)


@every_model
def test_an_anonymous_visitor_is_asked_to_log_in_and_learns_nothing(model, client, db):
    row = FACTORIES[model]()
    for page in PAGES:
        response = client.get(address(model, page, row))
        assert response.status_code == 302
        assert response.url.startswith("/admin/login/")
        assert response.content == b""


@every_model
def test_staff_without_permission_are_refused(model, outsider, remembered_users):
    row = FACTORIES[model]()
    for page in PAGES:
        url = address(model, page, row)
        assert outsider.get(url).status_code == 403, page
        if page != "history":
            assert outsider.post(url, {"post": "yes"}).status_code == 403, page


@every_model
def test_a_viewer_sees_but_cannot_change(model, viewer, remembered_users):
    row = FACTORIES[model]()
    for page in ("changelist", "change", "history"):
        response = viewer.get(address(model, page, row), follow=True)
        assert response.status_code == 200, page
        assert b'name="_save"' not in response.content
    for page in ("add", "delete"):
        assert viewer.get(address(model, page, row), follow=True).status_code == 403, page
    response = viewer.post(address(model, "change", row), {})
    assert response.status_code == (302 if is_parent(model) else 403)


@pytest.mark.parametrize("model", CLOSED, ids=name_of)
def test_what_the_database_writes_or_never_lets_go_is_not_for_hands(model, browser):
    row = FACTORIES[model]()
    for page in CLOSED[model]:
        url = address(model, page, row)
        assert browser.get(url).status_code == 403
        assert browser.post(url, {"post": "yes"}).status_code == 403
    if model in READ_ONLY:
        assert browser.post(address(model, "change", row), {}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@every_model
def test_a_row_that_is_not_there_leads_back_to_the_index(model, browser, remembered_users):
    for key in ("999999", "00000000-0000-7000-8000-000000000000", "garbage", "9" * 40):
        for page in ("change", "history", "delete"):
            response = browser.get(f"{address(model, 'changelist')}{key}/{page}/")
            assert response.status_code == 302 or page in CLOSED.get(model, ())


@pytest.mark.parametrize("model", list(filter(is_parent, MODELS)), ids=name_of)
def test_a_joined_parent_leads_to_the_pages_of_its_subtypes(model, browser):
    row = FACTORIES[model]().specific
    for page in ("change", "history", "delete"):
        response = browser.get(address(model, page, row) + "?_popup=1")
        assert (response.status_code, response.url) == (302, address(type(row), page, row) + "?_popup=1")
    assert address(type(row), "change", row) in browser.get(address(model, "changelist")).content.decode()
    choice = browser.get(address(model, "add") + "?_popup=1").content.decode()
    for subtype in model.subtypes().values():
        assert f'href="{address(subtype, "add")}?_popup=1"' in choice


def test_every_reference_is_found_by_typing():
    plain = {
        f"{model.__name__}.{field.name}"
        for model, page in ADMINS.items()
        for field in (*model._meta.fields, *model._meta.many_to_many)
        if field.is_relation
        and field.name in page.model_fields
        and field.name not in page.get_autocomplete_fields(None)
    }
    assert plain == {"User.user_permissions", "Role.permissions"}
