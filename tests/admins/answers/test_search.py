"""The search box on every page, and what the page behind it shows to whom."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.models import (
    ExecutedObsUnit,
    InstrumentModule,
    ObsUnit,
    PhysicalCopy,
    RawDataFile,
    RawDataPackage,
    Role,
    Source,
)
from opsdb.testing import factories

from .pages import page, read

BOX = 'id="opsdb-search-text"'
MOMENT = datetime(2026, 3, 14, 3, 30, tzinfo=UTC)


@pytest.fixture
def observed():
    source = factories.FixedSourceFactory(name="NGC 253", aliases=["Sculptor Galaxy"], ra_deg=11.888, dec_deg=-25.288)
    unit = factories.ObsUnitFactory(name="NGC253 CO43", source=source)
    return factories.ExecutedObsUnitFactory(obs_unit=unit, start_time=MOMENT)


def search(browser, text):
    return browser.get(page("search", q=text))


@pytest.mark.parametrize("url", ["/admin/", "/admin/auth/group/", "/admin/opsdb/source/", "/admin/opsdb/source/add/"])
def test_the_box_is_on_every_page_but_not_in_windows_that_choose(browser, url):
    assert BOX in browser.get(url).content.decode()
    if "source" in url:
        assert BOX not in browser.get(f"{url}?_popup=1").content.decode()


def test_who_may_see_nothing_has_no_box(client, seeing):
    assert BOX not in client.get("/admin/login/").content.decode()
    assert BOX not in seeing().get("/admin/").content.decode()
    assert BOX in seeing(Source).get("/admin/").content.decode()
    assert seeing().get(page("search", q="x")).status_code == 403


def test_what_is_found_is_shown_best_first_with_its_kind_and_what_matches(browser, observed):
    factories.FixedSourceFactory(name="NGC 2530")
    found = read(search(browser, "ngc253"))
    text = found.text
    assert text.index("NGC 253") < text.index("NGC 2530")
    assert "beginning of the name" in text and "belongs to the observation unit" in text
    assert page("source", observed.obs_unit.source_id) in found.links
    assert f"/admin/opsdb/executedobsunit/{observed.pk}/observation/" in found.links
    assert "alias “Sculptor Galaxy”" in read(search(browser, "galaxy")).text


def test_what_a_text_identifies_is_opened_at_once(browser, observed):
    package = factories.RawDataPackageFactory(executed_obs_unit=observed)
    url = f"/admin/opsdb/rawdatapackage/{package.pk}/change/"
    for text in (
        str(package.pk),
        package.name,
        package.relative_path,
        f"raw data package {package.pk}",
        f"package {package.pk}",
    ):
        response = search(browser, text)
        assert (response.status_code, response.url) == (302, url), text
    assert search(browser, "2026-03-13").url == page("night", "2026-03-13")
    assert search(browser, "Sculptor Galaxy").status_code == 200, "its units and executions are shown beside it"


def test_several_of_one_name_are_listed(browser):
    products = factories.DataProductFactory.create_batch(2, name="map.fits")
    links = read(search(browser, "map.fits")).links
    assert {f"/admin/opsdb/dataproduct/{product.pk}/change/" for product in products} <= set(links)


def test_an_empty_result_says_what_was_searched_and_what_to_try(browser, seeing):
    text = read(search(browser, "nothing-of-it")).text
    assert "Nothing that you may view matches “nothing-of-it”" in text
    assert "newest 20,000 files" in text and "What to try" in text
    assert "Observatories, telescopes, instruments, " in text
    assert "Users" in text and "Tables and columns" in text
    text = read(search(seeing(Source), "nothing-of-it")).text
    assert "aliases" in text and "newest 20,000 files" not in text and "elescopes" not in text and "Users" not in text


def test_rows_of_small_tables_are_found_with_what_they_are_a_part_of(browser):
    module = factories.InstrumentModuleFactory(instrument__name="Heron", name="LFA")
    setup = factories.ChaiModuleConfigurationFactory(instrument_module=module, name="CO43")
    factories.InstrumentModuleFactory(instrument__name="Egret", name="LFA")
    factories.ChaiObservationConfigurationFactory(name="CO43 map")
    found = read(search(browser, "LFA"))
    assert "Heron / LFA" in found.text and "Egret / LFA" in found.text
    found = read(search(browser, "CO43"))
    assert "Heron / LFA / CO43" in found.text and "CO43 map v1" in found.text
    assert f"/admin/opsdb/instrumentmoduleconfiguration/{setup.pk}/change/" in found.links
    site = factories.SiteFactory(short_name="marsh")
    assert search(browser, "marsh").url == f"/admin/opsdb/site/{site.pk}/change/"


def test_users_and_roles_are_found_by_those_who_may_view_them(browser, seeing):
    user = factories.UserFactory(username="heron")
    factories.RoleFactory(name="heron keeper")
    text = read(search(browser, "heron")).text
    assert "heron keeper" in text and "user" in text
    assert search(seeing(type(user)), "heron").url.endswith(f"/{user.pk}/change/")
    for nothing in (seeing(Source), seeing(Role)):
        assert f"/{user.pk}/change/" not in read(search(nothing, "heron")).links
    assert "heron" not in read(search(seeing(Source), "hero")).text.replace("“hero”", "")


def test_a_part_is_called_without_the_whole_that_a_person_may_not_view(seeing):
    factories.InstrumentModuleFactory(instrument__name="Heron", name="LFA")
    factories.InstrumentModuleFactory(instrument__name="Egret", name="LFA")
    text = read(search(seeing(InstrumentModule), "LFA")).text
    assert "LFA" in text and "Heron" not in text and "Egret" not in text


def test_tables_and_columns_are_found_by_their_names(browser, seeing):
    about = "/admin/opsdb/datalocation/about/"
    found = read(search(browser, "retention"))
    assert f"{about}#column-retention_days" in found.links
    assert "Retention [days]" in found.text and "column of data locations" in found.text
    assert ("code", {"id": "column-retention_days"}) in read(browser.get(about)).tags
    for text in ("retention days", "retention_days", "RETENTION"):
        assert f"{about}#column-retention_days" in read(search(browser, text)).links, text
    found = read(search(browser, "pre-scheduled slot"))
    assert "/admin/opsdb/prescheduledslot/about/" in found.links
    assert "Tables and columns" not in read(search(seeing(Source), "retention days")).text.partition("What was")[0]
    assert about not in "".join(read(search(seeing(Source), "retention")).links)


def test_a_row_of_a_name_that_a_table_has_too_is_listed_beside_it(browser):
    site = factories.SiteFactory(short_name="telescope")
    found = read(search(browser, "telescope"))
    assert f"/admin/opsdb/site/{site.pk}/change/" in found.links and "/admin/opsdb/telescope/about/" in found.links


def test_whole_names_of_tables_and_columns_come_first_and_all_are_not_shown(browser):
    found = read(search(browser, "status"))
    assert "There are more: type the name of the table before it" in found.text
    columns = [link for link in found.links if "/about/#column-" in link]
    assert len(columns) == 10 and all(link.endswith("#column-status") for link in columns)
    assert read(search(browser, "st")).text.count("column of") == 0, "two letters are a part of too much"
    for text in ("run status", "executed_reduction_step.status", "Run  STATUS"):
        links = read(search(browser, text)).links
        assert [link for link in links if "/about/#column-" in link] == [
            "/admin/opsdb/executedreductionstep/about/#column-status"
        ], text


def test_coordinates_that_are_none_say_why(browser):
    assert "is no place on the sky" in read(search(browser, "400.0 -95.0")).text


@pytest.mark.parametrize("text", ["a\0b", "\\", "%", "'; --", "<script>alert(1)</script>", "9" * 400, "x" * 2000])
def test_whatever_is_typed_is_answered(browser, text):
    response = search(browser, text)
    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()


def test_nobody_finds_what_they_may_not_view(seeing, observed):
    package = factories.RawDataPackageFactory(executed_obs_unit=observed)
    day = f"{observed.start_time:%Y-%m-%d}"
    texts = ("ngc253", "Sculptor Galaxy", str(package.pk), package.name, str(observed.pk), f"{day} 03:30", day)
    browser = seeing(RawDataFile)
    for text in (*texts, f"raw_data_package {package.pk}", "00:47:33 -25:17:18"):
        response = search(browser, text)
        assert response.status_code == 200, text
        assert "Nothing that you may view" in response.content.decode(), text
    text = read(search(seeing(ExecutedObsUnit, RawDataPackage), package.relative_path[1:-1])).text
    assert "NGC253 CO43" not in text and package.name in text


def test_the_number_of_queries_is_the_same_for_few_rows_and_for_many(browser, observed):
    def number():
        with CaptureQueriesContext(connection) as queries:
            assert search(browser, "trifid").status_code == 200
        return len(queries)

    def add(first, last):
        for index in range(first, last):
            factories.ObsUnitFactory(name=f"Trifid {index}")
            package = factories.RawDataPackageFactory(relative_path=f"2026/trifid/{index}.tar")
            factories.RawDataFileFactory(
                executed_obs_unit=package.executed_obs_unit, relative_path=f"2026/trifid/{index}.fits"
            )

    add(0, 2)
    few = number()
    add(2, 8)
    assert number() == few <= 90


def test_where_and_why_take_the_same_words_and_let_choose(browser, observed):
    copy = factories.RawDataPackagePhysicalCopyFactory(
        raw_data_package=factories.RawDataPackageFactory(executed_obs_unit=observed, archived=True)
    )
    package = copy.raw_data_package
    for name in ("where", "why"):
        for text in ("ngc 253", "Sculptor Galaxy", "NGC253 CO43", "2026-03-13", "00:47:33 -25:17:18"):
            found = read(browser.get(page(name, q=text)))
            assert f"?q=executed_obs_unit+{observed.pk}" in found.links, (name, text)
        part = package.relative_path[1:-1]
        assert f"?q=raw_data_package+{package.pk}" in read(browser.get(page(name, q=part))).links
    assert f"/admin/opsdb/physicalcopy/{copy.pk}/change/" in read(browser.get(page("where", q=package.checksum))).links


def test_where_offers_nothing_that_a_person_may_not_view(seeing, observed):
    assert seeing(PhysicalCopy, ObsUnit, Source).get(page("where", q="ngc253")).status_code == 404
    assert seeing(PhysicalCopy, ExecutedObsUnit).get(page("where", q="ngc253")).status_code == 404


def test_more_than_are_shown_are_in_the_list_of_their_kind(browser):
    for number in range(12):
        factories.FixedSourceFactory(name=f"Cloud {number}")
    found = read(search(browser, "cloud"))
    assert "10 sources are shown, and more match" in found.text
    assert "/admin/opsdb/source/?q=cloud" in found.links
    assert len(browser.get("/admin/opsdb/source/?q=cloud").context["cl"].result_list) == 12
