"""From every row one gets to all that it refers to, and to all that refers to it."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import resolve

from opsdb.admins.kit import relations
from opsdb.admins.kit.relations import references_to
from opsdb.models import ExecutedObsUnit, FixedSource, Site, Telescope
from opsdb.testing.factories import (
    FACTORIES,
    DiskDataLocationFactory,
    ExecutedObsUnitFactory,
    FixedSourceFactory,
    InstrumentFactory,
    ObsUnitFactory,
    RawDataFileFactory,
    TelescopeFactory,
    UserFactory,
)

from .conftest import logged_in
from .pages import ADMINS, MODELS, SITE, address, is_parent, name_of, rows_of


def links_of(html):
    """Addresses and counts of the links back, by name."""
    section = html.partition('class="module opsdb-referring"')[2].partition("</section>")[0]
    items = re.findall(r'<li>(?:<a href="([^"]*)">)?([^<]*)(?:</a>)?: ([^<]*)</li>', section)
    return {name.removesuffix(":"): (url.replace("&amp;", "&"), count) for url, name, count in items}


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_every_relation_can_be_followed_back(model, browser, bare_pages):
    row = FACTORIES[model]()
    for field in model._meta.fields + model._meta.many_to_many:
        if not field.is_relation or getattr(field.remote_field, "parent_link", False):
            continue
        target = field.related_model
        if target not in ADMINS:
            continue
        assert field.model in {one.model for one in references_to(target, SITE) if one.name == field.name}
        related = getattr(row, field.name).first() if field.many_to_many else getattr(row, field.name)
        if related is None:
            continue
        related = related.specific if is_parent(type(related)) else related
        referring = browser.get(address(type(related), "change", related)).context_data["referring"]
        ways = [one.url for one in referring if one.url and f"{field.name}__" in one.url]
        assert any(row.pk in [one.pk for one in rows_of(browser.get(url))] for url in ways), field.name


def test_what_refers_to_a_row_is_counted_up_to_a_limit(browser, monkeypatch):
    monkeypatch.setattr(relations, "LINKED_LIMIT", 2)
    telescope = TelescopeFactory()
    InstrumentFactory.create_batch(2, telescope=telescope)
    url = address(Telescope, "change", telescope)
    assert links_of(browser.get(url).content.decode())["Instruments"][1] == "2"
    InstrumentFactory(telescope=telescope)
    assert links_of(browser.get(url).content.decode())["Instruments"][1] == "more than 2"


def test_relations_of_the_parent_belong_to_its_subtypes(browser):
    unit = ObsUnitFactory(source=FixedSourceFactory())
    links = links_of(browser.get(address(FixedSource, "change", unit.source)).content.decode())
    assert links["Observation units"][1] == "1"


def test_two_relations_to_the_same_rows_are_told_apart(browser):
    location = DiskDataLocationFactory()
    names = set(links_of(browser.get(address(type(location), "change", location)).content.decode()))
    assert {"Transfers (by origin location)", "Transfers (by destination location)"} <= names


def test_the_list_shows_by_what_it_is_narrowed(browser):
    execution = ExecutedObsUnitFactory()
    RawDataFileFactory(executed_obs_unit=execution)
    (url, count) = links_of(browser.get(address(ExecutedObsUnit, "change", execution)).content.decode())[
        "Raw data files"
    ]
    assert count == "1"
    listed = browser.get(url).context["cl"]
    assert resolve(url.partition("?")[0]).url_name == "opsdb_rawdatafile_changelist"
    assert [row.executed_obs_unit for row in listed.result_list] == [execution]
    assert listed.has_active_filters


def test_a_list_can_be_narrowed_by_any_reference_and_says_so(browser):
    observer = ExecutedObsUnitFactory(observer=UserFactory()).observer
    response = browser.get(f"{address(ExecutedObsUnit, 'changelist')}?observer__id__exact={observer.pk}")
    assert [row.observer for row in response.context["cl"].result_list] == [observer]
    assert "observer" in [
        spec.field_path for spec in response.context["cl"].filter_specs if hasattr(spec, "field_path")
    ]


def test_nobody_is_told_of_rows_that_he_may_not_see(db):
    site = DiskDataLocationFactory().site
    views = Permission.objects.filter(codename="view_site")
    browser = logged_in(UserFactory(is_staff=True, user_permissions=views))
    assert links_of(browser.get(address(Site, "change", site)).content.decode()) == {}
