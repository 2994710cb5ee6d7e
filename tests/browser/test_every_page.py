"""What holds for every page of the admin: everybody can use it, on any screen and in both colour schemes.

That its Content-Security-Policy forbids nothing that it does is seen to by ``visit``.
"""

import os

import pytest
from django.db.models import TextField
from django.urls import reverse

from opsdb.admins.kit.importing import kinds_for
from opsdb.admins.kit.restoring import is_restorable
from opsdb.models import ApiToken, DataLocation, ExecutedObsUnit, FixedSource, RawDataPackage, Role, StagingJob, User
from tests.admins.acting import ACTIONS
from tests.admins.pages import ADMINS, address, is_parent, open_pages

from .conftest import PHONE
from .hands import save
from .looking import Looking

BY_NAME = {model._meta.model_name: model for model in ADMINS}
# Pages are alike but for their fields; these have all kinds of them, states, inlines, actions and pictures.
TYPICAL = [
    model._meta.model_name for model in (RawDataPackage, FixedSource, ExecutedObsUnit, StagingJob, User, Role, ApiToken)
]
LOOKED_AT = sorted(BY_NAME) if os.environ.get("EVERY_PAGE") else TYPICAL
# Of the other models, what is made for each: list, forms, imports and actions. The rest are the same templates for all.
ONLY_FORMS = os.environ.get("EVERY_PAGE") == "forms"

FIRST_FILTER = "document.querySelector('#changelist-filter li:not(.selected) a')?.href"
RESTORE = "[...document.querySelectorAll('.opsdb-change a')].at(-1)?.href"


@pytest.fixture(autouse=True)
def short_lists(monkeypatch):
    """A few rows of each list: a hundred look the same, and take axe-core as many times as long."""
    for admin in ADMINS.values():
        monkeypatch.setattr(admin, "list_per_page", 5)


@pytest.fixture(scope="module")
def known_actions():
    """The names of the actions that were looked at with one of their models; the page is the same for all."""
    return set()


@pytest.mark.parametrize("name", LOOKED_AT)
def test_pages_have_no_barriers_and_fit_a_phone(visit, elsewhere, known_actions, name, request):
    model = BY_NAME[name]
    pages, row = open_pages(model), model._default_manager.order_by("-pk").first()
    has_row = row is not None and not is_parent(model)
    if name not in TYPICAL and ONLY_FORMS:
        request.getfixturevalue("listing_no_models")
    looking = Looking(visit("superuser", address(model, "changelist"), viewport=PHONE))
    if "add" in pages:
        looking.go(address(model, "add"))
    if has_row:
        looking.go(address(model, "change", row))
        actions = {action.name for one, action in ACTIONS if one is model}
        for action in sorted(actions - known_actions if ONLY_FORMS else actions):
            looking.act(model, action, row)
        known_actions |= actions
    for kind in kinds_for(model):
        looking.go(f"{address(model, 'changelist')}import/{kind.name}/")
        if name in TYPICAL or not ONLY_FORMS:
            looking.load(kind.name, "list.csv", "name,priority\n")
    if name in TYPICAL or not ONLY_FORMS:
        look_at_what_is_alike(looking, elsewhere, model, row if has_row else None)
    assert looking.problems == []


def look_at_what_is_alike(looking, elsewhere, model, row):
    """Look at the pages whose templates all models share, and which show nothing that is made for one."""
    looking.page.goto(address(model, "changelist"))
    looking.follow(FIRST_FILTER)
    looking.go(f"{address(model, 'changelist')}?q=nothing-is-called-so")
    if row is not None:
        remember_another_version(elsewhere, row)
        looking.go(address(model, "history", row))
        looking.follow(RESTORE)
        if "delete" in open_pages(model):
            looking.go(address(model, "delete", row))
            if not ADMINS[model].big:
                looking.act(model, "delete_selected", row)


def remember_another_version(elsewhere, row):
    """Change a text that means nothing, so that there is a version to restore."""
    texts = [field.name for field in row._meta.fields if isinstance(field, TextField) and field.editable]
    if texts and is_restorable(type(row)):
        elsewhere(lambda: type(row).objects.filter(pk=row.pk).update(**{texts[0]: "told otherwise"}))


def test_pages_that_answer_have_no_barriers_and_fit_a_phone(visit):
    execution = ExecutedObsUnit.objects.latest_first()[0]
    package = RawDataPackage.objects.not_archived()[0]
    night = reverse("admin:opsdb_executedobsunit_night", args=[f"{execution.start_time:%Y-%m-%d}"])
    observation = reverse("admin:opsdb_executedobsunit_observation", args=[execution.pk])
    looking = Looking(visit("superuser", observation, viewport=PHONE))
    for path in (
        night,
        reverse("admin:opsdb_datatransfer_failures"),
        reverse("admin:opsdb_observingprogram_program", args=[execution.obs_unit.observing_program_id]),
        reverse("admin:opsdb_obsunit_unit", args=[execution.obs_unit_id]),
        reverse("admin:opsdb_datalocation_location", args=[DataLocation.objects.buffers()[0].pk]),
        reverse("admin:opsdb_source_sky"),
        reverse("admin:opsdb_datatransferroute_dataflow"),
        reverse("admin:opsdb_physicalcopy_where") + f"?q={package.pk}",
        reverse("admin:opsdb_rawdatapackage_why") + f"?q={package.pk}",
        reverse("admin:opsdb_rawdatapackage_about_rawdatapackage"),
    ):
        looking.go(path)
    assert looking.problems == []


def test_a_plan_of_an_import_has_no_barriers_and_fits_a_phone(visit):
    looking = Looking(visit("superuser", f"{address(FixedSource, 'changelist')}import/sources/", viewport=PHONE))
    looking.load("sources", "nebulae.csv", "name,longitude,latitude\nM 78,05:46:45,+00:04:45\n")
    assert looking.page.get_by_role("region", name="What loading nebulae.csv would do").is_visible()
    assert looking.problems == []


def test_warnings_before_saving_have_no_barriers_and_fit_a_phone(visit):
    page = visit("superuser", address(FixedSource, "add"), viewport=PHONE)
    for label, text in (("Name:", "M 82"), ("RA [deg]:", "148.97"), ("Dec [deg]:", "69.68")):
        page.get_by_label(label).fill(text)
    save(page)
    assert page.get_by_role("button", name="Save anyway").is_visible()
    # Enter does not save in spite of the warnings at once.
    assert page.evaluate("document.activeElement.className") == "module opsdb-warned"
    assert Looking(page).problems == []


def test_the_index_the_login_and_refusals_have_no_barriers_and_fit_a_phone(visit):
    looking = Looking(visit("superuser", viewport=PHONE))
    looking.go("/admin/opsdb/")
    looking.page.context.clear_cookies()
    looking.go("/admin/login/")
    assert looking.problems == []


@pytest.mark.parametrize(
    "path",
    [pytest.param("/admin/opsdb/user/add/", id="forbidden"), pytest.param("/admin/opsdb/nothing/", id="not found")],
)
def test_refusals_have_no_barriers_and_fit_a_phone(visit, path):
    looking = Looking(visit("viewer", viewport=PHONE))
    looking.page.goto(path)
    looking.look()
    assert looking.problems == []
