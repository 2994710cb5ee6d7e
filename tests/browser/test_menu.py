"""The side bar's groups fold and unfold, and stay as somebody left them."""

from playwright.sync_api import expect

from opsdb.models import FixedSource, Source
from tests.admins.pages import address

from .conftest import SCREEN


def group(page, title):
    """A group of the side bar."""
    return page.locator("#nav-sidebar details").filter(has=page.locator("summary", has_text=title))


def entry(page, name):
    """A list in the side bar."""
    return page.locator("#nav-sidebar").get_by_role("link", name=name, exact=True)


def test_a_group_that_is_opened_or_folded_stays_so_on_the_next_page(visit):
    page = visit("superuser", address(Source, "changelist"))
    assert entry(page, "Sources").is_visible()
    assert not entry(page, "Transfers").is_visible()
    group(page, "Move").locator("summary").click()
    expect(entry(page, "Transfers")).to_be_visible()
    page.goto(address(FixedSource, "changelist"))
    assert entry(page, "Transfers").is_visible()
    group(page, "Move").locator("summary").click()
    expect(entry(page, "Transfers")).not_to_be_visible()
    page.reload()
    assert not entry(page, "Transfers").is_visible()


def test_typing_finds_lists_in_folded_groups(visit):
    page = visit("superuser", address(Source, "changelist"))
    page.get_by_label("Filter navigation items").press_sequentially("transfers")
    expect(entry(page, "Transfers")).to_be_visible()
    expect(entry(page, "Sources")).not_to_be_visible()
    page.get_by_label("Filter navigation items").fill("")
    page.get_by_label("Filter navigation items").press("Backspace")
    expect(entry(page, "Transfers")).not_to_be_visible()
    expect(entry(page, "Sources")).to_be_visible()


def test_the_index_leads_to_every_list_without_scripts(served, browser):
    context = browser.new_context(base_url=served.address, viewport=SCREEN, java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": served.cookies["superuser"], "url": served.address}])
    page = context.new_page()
    page.goto("/admin/opsdb/")
    for name in ("Sources", "Transfers", "Change log"):
        assert page.locator("#content-main").get_by_role("link", name=name, exact=True).is_visible()
    context.close()
