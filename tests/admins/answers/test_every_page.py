"""What holds for every page: who may open it, that it asks a fixed number of queries, and that it is self-contained."""

from functools import cache

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsdb.admins.pages.executions import night_of
from opsdb.models import DataTransfer, ExecutedObsUnit, RawDataPackage, User
from opsdb.testing import factories

from ..pages import SITE
from .pages import HOSTS, page, read

pytestmark = pytest.mark.lists_models

# Session and user are two of them; how many the rest is, is each page's own affair, and pinned.
QUERIES = {
    "index": 33,
    "dashboard": 32,
    "fragment": 32,
    "failures": 4,
    "why": 16,
    "where": 10,
    "night": 15,
    "observation": 25,
    "sky": 7,
    "dataflow": 18,
    "program": 8,
    "unit": 12,
    "location": 10,
}

# Of which no page knows more than a few.
PARAMETERS = ("q", "date", "program", "center", "fragment", "days", "from", "to")
OF_ROWS = ("observation", "source", "program", "unit", "location")


def fill(number):
    """Make an execution with this many of everything around it, and return the execution and a package of it."""
    execution = factories.ExecutedObsUnitFactory(completed=True)
    unit = execution.obs_unit
    for _index in range(number):
        module = factories.InstrumentModuleFactory()
        configuration = factories.PrimeCamModuleConfigurationFactory(instrument_module=module)
        execution.module_configurations.add(configuration)
        unit.module_configurations.add(configuration)
        file = factories.RawDataFileFactory(
            executed_obs_unit=execution, instrument_module=module, source_location__instrument=None
        )
        bundle = factories.DataTransferPackageFactory()
        package = factories.RawDataPackageFactory(
            executed_obs_unit=execution, instrument_module=module, data_transfer_package=bundle, archived=True
        )
        factories.RawDataPackagePhysicalCopyFactory(raw_data_package=package)
        factories.RawDataFilePhysicalCopyFactory(raw_data_file=file)
        factories.DataTransferFactory(failed=True)
        factories.DataTransferFactory(in_progress=True, data_transfer_package__completed=True)
        factories.LongTermArchiveTransferFactory(failed=True)
        factories.StagingJobFactory()
        run = factories.ExecutedReductionStepFactory(sub_group_key=str(_index))
        run.input_packages.add(package)
        product = factories.DataProductFactory(run=run)
        release = factories.DataReleaseFactory()
        release.products.add(product)
        factories.PublicationFactory().releases.add(release)
        factories.DataTransferRouteFactory()
        factories.PreScheduledSlotFactory(obs_unit=unit)
        factories.TimeAllocationFactory(observing_program=unit.observing_program)
        factories.DowntimeFactory()
        factories.ObsUnitFactory(source=factories.FixedSourceFactory().source_ptr)
        factories.ConstantElevationSourceFactory()
        factories.SolarSystemObjectFactory()
    return execution, package


def addresses(execution, package):
    return {
        "index": "/admin/",
        "dashboard": page("dashboard"),
        "fragment": page("dashboard", fragment=1),
        "failures": page("failures"),
        "why": page("why", q=f"raw_data_package {package.pk}"),
        "where": page("where", q=f"raw_data_package {package.pk}"),
        "night": page("night", night_of(execution.start_time)),
        "observation": page("observation", execution.pk),
        "sky": page("sky"),
        "dataflow": page("dataflow"),
        "program": page("program", execution.obs_unit.observing_program_id),
        "unit": page("unit", execution.obs_unit_id),
        "location": page("location", package.copies.first().data_location_id),
    }


def number_of_queries(browser, url):
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(url).status_code == 200
    return len(queries)


def test_the_number_of_queries_is_fixed_whatever_the_tables_hold(sessions_in_database, browser):
    few = {name: number_of_queries(browser, url) for name, url in addresses(*fill(2)).items()}
    many = {name: number_of_queries(browser, url) for name, url in addresses(*fill(12)).items()}
    assert many == few
    assert few == QUERIES


def test_nothing_comes_from_elsewhere_and_no_script_or_style_stands_in_a_page(browser):
    for name, url in addresses(*fill(2)).items():
        found = read(browser.get(url))
        for tag, attributes in found.tags:
            assert tag != "style" and "style" not in attributes, (name, tag)
            assert tag != "script" or attributes.get("src", "").startswith("/static/"), name
            assert not [key for key in attributes if key.startswith("on")], (name, tag)
        outside = [link for link in found.links if "//" in link.split("?")[0]]
        assert not outside, name


@pytest.fixture
def models_listed_once(monkeypatch, rf, superuser):
    """Find out once which models are listed beside every page."""
    asked, look = rf.get("/"), SITE.get_app_list
    asked.user = superuser
    known = cache(lambda app=None: look(asked, app))
    monkeypatch.setattr(SITE, "get_app_list", lambda request, app=None: known(app))


def test_every_link_of_every_page_leads_somewhere(browser, remembered_users, models_listed_once, request):
    urls = addresses(*fill(2))
    found = {name: read(browser.get(url)).links for name, url in urls.items()}
    request.getfixturevalue("bare_pages")
    followed = set()
    for name, url in urls.items():
        for link in found[name]:
            target = (url.split("?")[0] if link.startswith("?") else "") + link.split("#")[0]
            if (
                target in followed
                or not target.startswith("/admin/")
                or target.endswith(("/add/", "/password_change/"))
            ):
                continue
            followed.add(target)
            response = browser.get(target)
            assert response.status_code in (200, 302), (name, target)
            # A list that does not know a lookup says so by leading back to itself.
            assert "e=1" not in response.headers.get("Location", ""), (name, target)


def test_nobody_sees_a_page_who_may_see_nothing(outsider, db):
    urls = addresses(*fill(1))
    del urls["index"]
    anonymous = Client()
    for url in urls.values():
        assert outsider.get(url).status_code == 403, url
        response = anonymous.get(url)
        assert response.status_code == 302 and response.url.startswith("/admin/login/"), url
        assert response.content == b""


def test_who_is_no_longer_staff_is_shut_out(viewer):
    url = page("dashboard", fragment=1)
    assert viewer.get(url).status_code == 200
    User.objects.update(is_staff=False)
    assert viewer.get(url).status_code == 302


def test_pages_are_only_read(browser):
    for url in addresses(*fill(1)).values():
        if url not in ("/admin/", page("failures")):
            assert browser.post(url, {"q": "anything"}).status_code == 405, url


@pytest.mark.parametrize("name", [name for name in HOSTS if name not in OF_ROWS])
@pytest.mark.parametrize(
    "value",
    ["", "\0", "%00", "<script>", "9" * 60, "data_transfer 99999999999999999999", "x" * 5_000, "é", "2026-13-45"],
)
def test_hostile_parameters_are_answered(name, value, browser, listing_no_models, remembered_users):
    response = browser.get(page(name), dict.fromkeys(PARAMETERS, value))
    assert response.status_code in (200, 302, 400, 404)
    assert b"<script>" not in response.content


@pytest.mark.parametrize("night", ["0001-01-01", "9999-12-31", "2026-02-30", "night", "20260615", "2026-W01-1"])
def test_a_night_that_is_none_is_not_found(night, browser):
    assert browser.get(f"{page('night')}{night}/").status_code in (200, 302, 404)


def test_an_observation_that_is_none_is_not_found(browser):
    assert browser.get(page("observation", "00000000-0000-7000-8000-000000000000")).status_code == 404


def test_names_are_escaped(browser):
    name = "<script>alert('\"&')</script>"
    execution, package = fill(1)
    DataTransfer.objects.update(failure_message=name)
    factories.FixedSourceFactory(name=name)
    factories.DowntimeFactory(reason=name, start_time=execution.start_time, end_time=None)
    for url in addresses(execution, package).values():
        assert b"<script>alert" not in browser.get(url).content, url
    assert "&lt;script&gt;alert" in browser.get(page("sky")).content.decode()


def test_lists_and_forms_lead_to_the_pages(browser):
    execution, package = fill(1)
    observation, why = page("observation", execution.pk), page("why", q=f"raw_data_package {package.pk}")
    assert page("night") in read(browser.get("/admin/opsdb/executedobsunit/")).links
    assert observation in read(browser.get(f"/admin/opsdb/executedobsunit/{execution.pk}/change/")).links
    form = read(browser.get(f"/admin/opsdb/rawdatapackage/{package.pk}/change/"))
    assert {why, page("where", q=f"raw_data_package {package.pk}")} <= set(form.links)


def test_links_are_offered_only_to_those_who_may_follow_them(seeing):
    execution, _package = fill(1)
    found = read(seeing(ExecutedObsUnit).get(page("observation", execution.pk)))
    assert page("night") in found.links
    assert not {page("sky"), page("dataflow")} & set(found.links)
    assert not [
        link for link in found.links if "/rawdatapackage/" in link and "/why/" not in link and "dashboard" not in link
    ]
    assert RawDataPackage.objects.first().name not in found.text


@pytest.mark.urls("tests.admins.answers.two_sites")
def test_at_another_admin_site_every_link_stays_there(browser):
    for name, url in addresses(*fill(1)).items():
        found = read(browser.get(url.replace("/admin/", "/second/", 1)))
        assert found.links, name
        assert not [link for link in found.links if link.startswith("/admin/")], name
