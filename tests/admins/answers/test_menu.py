"""The index and the side bar list the tables in groups, to everybody those that they may see."""

import re

import pytest
from django.contrib.auth.models import Permission

from opsdb.admins.menu import GROUPS, OTHERS, grouped, lists_within, whole_of
from opsdb.models import (
    ConstantElevationSource,
    DiskDataLocation,
    FixedSource,
    ObsUnit,
    PhysicalCopy,
    RawDataFilePhysicalCopy,
    Source,
)
from opsdb.testing.factories import UserFactory
from tests.admins.conftest import logged_in
from tests.admins.pages import MODELS, SITE, address

pytestmark = pytest.mark.lists_models

TITLES = [str(group.title) for group in GROUPS]


def person_who(*codenames):
    """The browser of a member of staff with these permissions of ops-db."""
    permissions = Permission.objects.filter(content_type__app_label="opsdb", codename__in=codenames)
    return logged_in(UserFactory(is_staff=True, user_permissions=permissions))


def links_of(browser, path="/admin/opsdb/"):
    """What the index lists, by group."""
    html = browser.get(path).content.decode()
    parts = re.split(r'<h3 id="opsdb-menu-\w+">(.*?)</h3>', html.partition('class="opsdb-menu opsdb-menu-wide"')[2])
    return {
        title: re.findall(r'<a href="([^"]*)"[^>]*>[^<]*</a></th>', part)
        for title, part in zip(parts[1::2], parts[2::2], strict=True)
    }


def in_side_bar(browser, path):
    """The titles of the groups of the side bar, and of the open ones, and the addresses of the marked lists."""
    html = browser.get(path).content.decode()
    groups = re.findall(r'<details class="opsdb-menu-group"([^>]*)>\s*<summary>(.*?)</summary>', html)
    marked = re.findall(r'current-model">\s*<th[^>]*><a href="([^"]*)"', html)
    return [title for _, title in groups], [title for attributes, title in groups if " open " in attributes], marked


def test_every_list_has_a_group_or_belongs_to_a_list_that_has():
    listed = [model for group in GROUPS for model in group.models]
    assert len(listed) == len(set(listed))
    for model in set(MODELS) - set(listed):
        assert whole_of(model) in MODELS, model
    assert not [model for model in listed if whole_of(model)]


def test_the_index_lists_all_groups_in_order_and_every_list_once(browser):
    found = links_of(browser)
    assert list(found) == TITLES
    assert [url for urls in found.values() for url in urls] == [
        address(model, "changelist") for group in GROUPS for model in group.models
    ]


def test_a_person_sees_only_what_they_may(db):
    assert links_of(person_who("view_obsunit")) == {"Plan": [address(ObsUnit, "changelist")]}


def test_a_list_whose_whole_a_person_may_not_see_stands_for_itself(db):
    assert links_of(person_who("view_fixedsource")) == {str(OTHERS.title): [address(FixedSource, "changelist")]}
    both = links_of(person_who("view_fixedsource", "view_source"))
    assert both == {"Plan": [address(Source, "changelist")]}


def test_an_app_of_another_project_is_listed_as_it_is(browser):
    html = browser.get("/admin/").content.decode()
    assert re.search(r'<caption><a href="/admin/auth/"[^>]*>Authentication and Authorization</a></caption>', html)
    assert grouped({"app_label": "opsdb", "models": []}, "/") == []


@pytest.mark.parametrize("model", [Source, FixedSource])
def test_the_group_of_a_page_is_open_and_its_list_marked(browser, model):
    titles, opened, marked = in_side_bar(browser, address(model, "add"))
    assert titles == TITLES
    assert opened == ["Plan"]
    assert marked == [address(Source, "changelist")]


def test_a_list_leads_to_the_lists_of_its_subtypes_and_parts(browser):
    html = browser.get(address(Source, "changelist")).content.decode()
    lists = re.search(r'<nav class="opsdb-within".*?</nav>', html, re.DOTALL)[0]
    within = lists_within(Source, SITE._registry)
    assert FixedSource in within
    assert re.findall('href="([^"]*)"', lists) == [address(model, "changelist") for model in within]
    assert RawDataFilePhysicalCopy in lists_within(PhysicalCopy, SITE._registry)


def test_a_list_leads_to_no_list_that_a_person_may_not_see(db):
    html = person_who("view_source", "view_fixedsource").get(address(Source, "changelist")).content.decode()
    assert address(FixedSource, "changelist") in html
    assert address(ConstantElevationSource, "changelist") not in html


def test_a_row_is_added_as_one_of_the_subtypes_that_a_person_may_add(db):
    html = person_who("view_datalocation", "add_datalocation", "add_diskdatalocation").get("/admin/opsdb/datalocation/")
    choices = re.search(r'<details class="opsdb-add">.*?</details>', html.content.decode(), re.DOTALL)[0]
    assert re.findall('href="([^"]*)"', choices) == [address(DiskDataLocation, "add")]


def test_lists_lead_to_the_import_of_files_beside_add(db):
    url = f"{address(ObsUnit, 'changelist')}import/obs-units/"
    person = person_who("view_obsunit", "add_obsunit", "view_physicalcopy", "add_instrument")
    for page in ("/admin/", address(ObsUnit, "changelist")):
        assert set(re.findall(r'<a href="([^"]*)" class="opsdb-import"', person.get(page).content.decode())) == {url}
    assert person.get(url).status_code == 200
    assert "opsdb-import" not in person_who("view_obsunit").get("/admin/").content.decode()
