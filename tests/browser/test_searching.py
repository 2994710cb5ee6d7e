"""Whatever a person knows is found from any page by a key, typing and Enter: without a click."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from opsdb.models import ExecutedObsUnit, RawDataFile, Source
from tests.admins.pages import address

from .conftest import PHONE
from .hands import has_focus, loaded

pytestmark = pytest.mark.usefixtures("no_side_bar")


def box(page):
    """The search box in the header."""
    return page.get_by_role("searchbox", name="Search everything")


def search_for(page, text):
    """Search by the keyboard alone, from wherever the focus is."""
    page.keyboard.press("/")
    assert has_focus(box(page))
    page.keyboard.type(text)
    with loaded(page):
        page.keyboard.press("Enter")


def test_a_source_is_found_under_another_spelling_and_leads_to_its_observations(visit, picture):
    execution = ExecutedObsUnit.objects.filter(obs_unit__source__name__contains="Deep").latest_first().first()
    source = execution.obs_unit.source
    page = visit("viewer", address(Source, "changelist"))
    search_for(page, source.name.lower().replace(" ", ""))
    found = page.get_by_role("region", name="Found")
    expect(found.get_by_role("row").nth(1)).to_contain_text(source.name)
    picture(page, "search")
    # One click more shows the observation, and two where its data are.
    found.get_by_role("link", name=re.compile(f"{execution.start_time:%Y-%m-%d %H:%M}")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("Observation", re.IGNORECASE))


def test_the_middle_of_a_path_finds_the_file(visit):
    file = RawDataFile.objects.last()
    page = visit("viewer")
    search_for(page, file.relative_path[1:-1])
    expect(page.get_by_role("region", name="Found")).to_contain_text(file.relative_path)


def test_a_night_and_a_uuid_are_opened_at_once(visit):
    execution = ExecutedObsUnit.objects.first()
    night = (execution.start_time - timedelta(hours=12)).date()
    page = visit("viewer")
    search_for(page, f"{night}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{night}")
    search_for(page, f"{execution.pk}")
    expect(page).to_have_url(re.compile(f"{execution.pk}"))


def test_a_slash_that_is_typed_into_a_field_stays_there(visit):
    page = visit("viewer", address(Source, "changelist"))
    page.locator("#searchbar").press_sequentially("a/b")
    expect(page.locator("#searchbar")).to_have_value("a/b")
    assert not has_focus(box(page))


def test_on_a_phone_the_box_is_as_wide_as_the_page_and_results_fit(visit):
    page = visit("viewer", viewport=PHONE)
    assert box(page).bounding_box()["width"] > 300
    box(page).fill("deep")
    with loaded(page):
        box(page).press("Enter")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
