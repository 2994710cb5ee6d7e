"""What holds for every page of the admin: everybody can use it, on any screen and in both colour schemes."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from opsdb.models import ExecutedObsUnit, RawDataPackage
from tests.admins.pages import ADMINS, CLOSED, address

from .conftest import PHONE

BY_NAME = {model._meta.model_name: model for model in ADMINS}
SERIOUS = ("serious", "critical")
CONTRAST = {"runOnly": ["color-contrast"]}
# Pages are alike but for their fields; these have states, choices, inlines and pictures. Of the others, histories and
# questions before a deletion, which no model has its own way of showing, are left out, and so is the dark.
TYPICAL = ("rawdatapackage", "fixedsource", "executedobsunit")
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def pages_of(model, typical):
    """Yield the addresses of a model's pages."""
    closed = CLOSED.get(model, ())
    yield address(model, "changelist")
    if "add" not in closed:
        yield address(model, "add")
    row = model._default_manager.order_by("-pk").first()
    if row is not None:
        yield address(model, "change", row)
        if not typical:
            return
        yield address(model, "history", row)
        if "delete" not in closed:
            yield address(model, "delete", row)


def barriers(page, options=None):
    """Return what axe-core finds serious on a page."""
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{page.url}: {rule['id']}: {rule['help']}: {rule['nodes'][0]['html'][:200]}"
        for rule in found
        if rule["impact"] in SERIOUS
    ]


def problems_of(page, dark=True):
    """Return what is wrong with a page on a phone's screen, in both colour schemes or the light one only."""
    problems = [] if page.evaluate(FITS) else [f"{page.url}: is wider than a phone's screen"]
    problems += barriers(page)
    if not dark:
        return problems
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    problems += barriers(page, CONTRAST)
    page.emulate_media(color_scheme="light")
    return problems


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_pages_have_no_barriers_and_fit_a_phone(visit, name):
    typical = name in TYPICAL
    first, *others = pages_of(BY_NAME[name], typical)
    page = visit("superuser", first, viewport=PHONE)
    problems = problems_of(page, typical)
    for other in others:
        page.goto(other)
        problems += problems_of(page, typical)
    assert problems == []


def test_pages_that_answer_have_no_barriers_and_fit_a_phone(visit):
    execution = ExecutedObsUnit.objects.latest_first()[0]
    package = RawDataPackage.objects.not_archived()[0]
    night = reverse("admin:opsdb_executedobsunit_night", args=[f"{execution.start_time:%Y-%m-%d}"])
    page = visit("superuser", reverse("admin:opsdb_executedobsunit_observation", args=[execution.pk]), viewport=PHONE)
    problems = problems_of(page)
    for path in (
        night,
        reverse("admin:opsdb_source_sky"),
        reverse("admin:opsdb_datatransferroute_dataflow"),
        reverse("admin:opsdb_physicalcopy_where") + f"?q={package.pk}",
        reverse("admin:opsdb_rawdatapackage_why") + f"?q={package.pk}",
    ):
        page.goto(path)
        problems += problems_of(page)
    assert problems == []


def test_the_index_and_the_login_have_no_barriers_and_fit_a_phone(visit):
    page = visit("superuser", viewport=PHONE)
    assert problems_of(page) == []
    page.context.clear_cookies()
    page.goto("/admin/login/")
    assert problems_of(page) == []
