"""The Content-Security-Policy that every page is sent with forbids nothing that the pages do."""

import os

import pytest
from django.urls import reverse

from opsdb.admins.kit.importing import kinds_for
from opsdb.models import ApiToken, ExecutedObsUnit, FixedSource, RawDataPackage, Role, StagingJob, User
from tests.admins.pages import ADMINS, address, is_parent, open_pages

from .conftest import SCREEN
from .hands import loaded

BY_NAME = {model._meta.model_name: model for model in ADMINS}
TYPICAL = [
    model._meta.model_name for model in (RawDataPackage, FixedSource, ExecutedObsUnit, StagingJob, User, Role, ApiToken)
]
LOOKED_AT = sorted(BY_NAME) if os.environ.get("EVERY_PAGE") else TYPICAL
# Of the other models, the pages that are made for each: the rest are the same templates for all.
ONLY_FORMS = os.environ.get("EVERY_PAGE") == "forms"
# Before any script of a page, so that none is missed.
WATCH = """
window.opsdbViolations = [];
document.addEventListener('securitypolicyviolation', (event) => window.opsdbViolations.push(
  `${event.effectiveDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`));
"""
ADD_STYLE = "document.head.append(Object.assign(document.createElement('style'), {textContent: 'p {color: red}'}))"
ADD_SCRIPT = "document.head.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"


class Watching:
    """A person whose browser notes what the policy forbids.

    Attributes:
        violations: what was forbidden, by page.
    """

    def __init__(self, page):
        self.page, self.violations, self.without = page, {}, []
        self.page.add_init_script(WATCH)

    def go(self, path):
        """Open a page, and note what was forbidden there."""
        answer = self.page.goto(path)
        if "default-src 'none'" not in answer.headers.get("content-security-policy", ""):
            self.without.append(path)
        self.note()

    def note(self):
        self.page.wait_for_load_state("networkidle")
        if found := self.page.evaluate("window.opsdbViolations"):
            self.violations[self.page.url] = found


@pytest.fixture
def watching(visit):
    watching = Watching(visit("superuser"))
    yield watching
    assert watching.violations == {}
    assert watching.without == []


@pytest.mark.parametrize("name", LOOKED_AT)
def test_pages_of_a_model_do_nothing_that_is_forbidden(watching, name):
    model = BY_NAME[name]
    row = None if is_parent(model) else model._default_manager.order_by("-pk").first()
    alike = () if name in TYPICAL or not ONLY_FORMS else ("history", "delete")
    for page in open_pages(model):
        if page not in alike and (row is not None or page in ("changelist", "add")):
            watching.go(address(model, page, row))
    for kind in kinds_for(model):
        watching.go(f"{address(model, 'changelist')}import/{kind.name}/")


def test_the_dashboard_and_the_pages_that_answer_do_nothing_that_is_forbidden(watching):
    execution = ExecutedObsUnit.objects.latest_first()[0]
    package = RawDataPackage.objects.not_archived()[0]
    watching.go("/admin/")
    watching.go("/admin/opsdb/")
    watching.go(reverse("admin:opsdb_rawdatapackage_dashboard"))
    watching.go(reverse("admin:opsdb_executedobsunit_night", args=[f"{execution.start_time:%Y-%m-%d}"]))
    watching.go(reverse("admin:opsdb_executedobsunit_observation", args=[execution.pk]))
    watching.go(reverse("admin:opsdb_source_sky"))
    watching.go(reverse("admin:opsdb_datatransferroute_dataflow"))
    watching.go(reverse("admin:opsdb_physicalcopy_where") + f"?q={package.pk}")
    watching.go(reverse("admin:opsdb_rawdatapackage_why") + f"?q={package.pk}")
    watching.go("/admin/nothing/")


def test_what_people_do_with_a_page_is_not_forbidden(watching):
    watching.go(address(StagingJob, "add"))
    watching.page.locator(".select2-selection").first.click()
    watching.note()
    watching.go(address(FixedSource, "changelist"))
    watching.page.locator("#searchbar").fill("M")
    with loaded(watching.page):
        watching.page.locator("#searchbar").press("Enter")
    watching.note()
    watching.go("/admin/login/")


@pytest.mark.parametrize("script", [ADD_STYLE, ADD_SCRIPT], ids=["style", "script"])
def test_what_is_put_into_a_page_is_forbidden_and_noted(windows, script):
    # Not a page of `visit`, which fails on an error in the console.
    watching = Watching(windows("superuser", **SCREEN).new_page())
    watching.go("/admin/login/")
    watching.page.evaluate(script)
    watching.page.wait_for_function("window.opsdbViolations.length")
    assert watching.page.evaluate("window.ran") is None
