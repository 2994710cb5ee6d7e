"""All about a source: units, time by quality, data and where they are, products, and when it is up."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsdb.admins.pages import source as source_page
from opsdb.models import (
    ExecutedObsUnit,
    ExecutedReductionStepInputPackage,
    Quality,
    RawDataPackage,
    Source,
)
from opsdb.testing import factories
from tests.admins.pages import address

from .pages import page, read

START = datetime(2026, 3, 14, 3, 30, tzinfo=UTC)


@pytest.fixture
def source():
    return factories.FixedSourceFactory(name="NGC 253", ra_deg=11.888, dec_deg=-25.288)


def observe(source, number=1, **columns):
    """Executions of the source with a package, its copy and a product each."""
    for _ in range(number):
        execution = factories.ExecutedObsUnitFactory(
            obs_unit=factories.ObsUnitFactory(source=source),
            status="completed",
            start_time=START,
            end_time=START + timedelta(hours=1),
            **columns,
        )
        package = factories.RawDataPackageFactory(executed_obs_unit=execution, archived=True, file_count=7)
        factories.RawDataPackagePhysicalCopyFactory(raw_data_package=package, status="present")
        product = factories.DataProductFactory()
        ExecutedReductionStepInputPackage.objects.create(run=product.run, raw_data_package=package)
    return execution, package, product


def test_the_page_has_units_time_data_places_and_products(browser, source):
    execution, package, product = observe(source, quality=Quality.GOOD)
    observe(factories.FixedSourceFactory(name="elsewhere"))
    found = read(browser.get(page("source", source.pk)))
    assert page("unit", execution.obs_unit_id) in found.links
    assert page("observation", execution.pk) in found.links
    assert f"/admin/opsdb/dataproduct/{product.pk}/change/" in found.links
    assert "good" in found.text.lower()
    for copy in package.copies.all():
        assert f"{copy.data_location.site}/{copy.data_location}" in found.text
    assert "1 / 1" in found.text, "of its packages are archived"
    assert "11.88800° -25.28800°" in found.text
    every = next(link for link in found.links if "obs_unit__source" in link)
    assert f"{execution.pk}" in browser.get(every).content.decode()


@pytest.mark.parametrize(
    ("factory", "columns", "said"),
    [
        (factories.FixedSourceFactory, {"ra_deg": 10, "dec_deg": -30}, "° at "),
        (factories.FixedSourceFactory, {"ra_deg": 10, "dec_deg": 89}, "never"),
        (factories.SolarSystemObjectFactory, {"naif_id": 499}, "° at "),
        (factories.SolarSystemObjectFactory, {"naif_id": 2000001}, "does not have it"),
        (factories.ConstantElevationSourceFactory, {}, "° at "),
    ],
)
def test_it_says_when_a_source_of_any_kind_is_up_tonight(browser, factory, columns, said):
    factories.TelescopeFactory(latitude_deg=-22.99, longitude_deg=-67.74)
    source = factory(**columns)
    assert said in read(browser.get(page("source", source.pk))).text


def test_it_is_reached_from_the_form_and_the_lists(browser, source):
    for url in (
        address(type(source), "change", source),
        address(type(source), "changelist"),
        address(Source, "changelist"),
    ):
        assert page("source", source.pk) in read(browser.get(url)).links, url


def test_nobody_sees_what_they_may_not_view(seeing, source):
    execution, package, product = observe(source)
    assert seeing(ExecutedObsUnit).get(page("source", source.pk)).status_code == 403
    text = read(seeing(Source).get(page("source", source.pk))).text
    for hidden in (str(execution.obs_unit), "archived", product.name):
        assert hidden not in text
    assert "1 / 1" in read(seeing(Source, ExecutedObsUnit, RawDataPackage).get(page("source", source.pk))).text


def test_a_source_that_is_not_there_is_not_found(browser):
    assert browser.get(page("source", 999_999)).status_code == 404


def test_the_number_of_queries_is_the_same_for_few_rows_and_for_many(browser, source):
    def number():
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(page("source", source.pk)).status_code == 200
        return len(queries)

    observe(source)
    few = number()
    observe(source, 5)
    assert number() == few <= 20


def test_so_many_packages_are_summed_as_a_person_waits_for(browser, source, monkeypatch):
    unit = factories.ObsUnitFactory(source=source)
    for _ in range(5):
        execution = factories.ExecutedObsUnitFactory(obs_unit=unit, completed=True)
        for _ in range(2):
            factories.RawDataPackageFactory(executed_obs_unit=execution)
    monkeypatch.setattr(source_page, "SAMPLE", 2)
    monkeypatch.setattr(source_page, "SUMMED_PACKAGES", 6)
    text = read(browser.get(page("source", source.pk))).text
    assert "Of the newest 3 observations." in text
    monkeypatch.setattr(source_page, "SUMMED_PACKAGES", 10)
    assert "Of the newest" not in read(browser.get(page("source", source.pk))).text


def test_newest_observations_without_packages_do_not_have_all_others_summed(browser, source, monkeypatch):
    unit = factories.ObsUnitFactory(source=source)
    for day in range(12):
        times = {
            "start_time": START - timedelta(days=day),
            "end_time": START - timedelta(days=day) + timedelta(hours=1),
        }
        execution = factories.ExecutedObsUnitFactory(obs_unit=unit, status="completed", **times)
        for _ in range(2 if day >= 4 else 0):
            factories.RawDataPackageFactory(executed_obs_unit=execution)
    monkeypatch.setattr(source_page, "SAMPLE", 6)
    monkeypatch.setattr(source_page, "SUMMED_PACKAGES", 8)
    assert "Of the newest 8 observations." in read(browser.get(page("source", source.pk))).text
    monkeypatch.setattr(source_page, "SUMMED_PACKAGES", 1)
    assert "Of the newest 4 observations." in read(browser.get(page("source", source.pk))).text
