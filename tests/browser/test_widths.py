"""Nothing of a table is cut: where there is room for it the table fits its box, and on a phone it becomes cards."""

import pytest
from django.urls import reverse

from opsdb.models import (
    DataTransfer,
    ExecutedObsUnit,
    LocationType,
    LongTermArchiveTransfer,
    PreScheduledSlot,
    RawDataFile,
    RawDataPackage,
    Site,
)
from opsdb.testing import factories
from tests.admins.pages import address

from .conftest import PHONE, STYLES

# What is wider than the box that it scrolls in, drawings aside.
WIDER = """() => [...document.querySelectorAll('#content table')].filter((table) => table.offsetParent).map((table) => {
  const box = table.closest('.opsdb-scroll, .opsdb-outcome, fieldset') ?? table.parentElement;
  const cut = [...table.querySelectorAll('th, td, button, input, select')].filter((one) => one.offsetParent
    && one.type !== 'hidden' && one.getBoundingClientRect().right > box.getBoundingClientRect().right + 1);
  return [table.caption?.textContent ?? table.closest('fieldset')?.querySelector('h2')?.textContent.trim(),
    box.scrollWidth - box.clientWidth, cut.map((one) => one.className || one.tagName)];
}).filter(([, spare, cut]) => spare > 1 || cut.length)"""
WIDEST = (DataTransfer, ExecutedObsUnit, LongTermArchiveTransfer, PreScheduledSlot, RawDataFile, RawDataPackage)
WIDE = {"width": 1440, "height": 900}
SIDE_BAR = "is_open => localStorage.setItem('django.admin.navSidebarIsOpen', is_open)"


@pytest.fixture(scope="module")
def pages(served, django_db_blocker):
    """The addresses of the pages that have wide tables, and what makes them wide."""
    with django_db_blocker.unblock():
        site = factories.SiteFactory(short_name="kyoto", name="Kyoto")
        factories.DiskDataLocationFactory(site=site, location_type=LocationType.LONG_TERM_ARCHIVE, name="archive")
        execution = ExecutedObsUnit.objects.latest_first()[0]
        night = reverse("admin:opsdb_executedobsunit_night", args=[f"{execution.start_time:%Y-%m-%d}"])
        return ["/admin/", address(Site, "add"), night]


@pytest.mark.parametrize("is_open", [True, False], ids=["side bar", "no side bar"])
def test_no_table_is_wider_than_its_box(visit, pages, is_open):
    page = visit("superuser", STYLES, viewport=WIDE)
    page.evaluate(SIDE_BAR, is_open)
    for path in pages:
        page.goto(path)
        for width in (1440, 1280):
            page.set_viewport_size({**WIDE, "width": width})
            assert page.evaluate(WIDER) == [], (path, width)


def test_the_widest_lists_fit_beside_the_side_bar_and_their_filters(visit):
    page = visit("superuser", STYLES, viewport=WIDE)
    page.evaluate(SIDE_BAR, True)
    for model in WIDEST:
        page.goto(address(model, "changelist"))
        assert page.locator("#nav-sidebar").is_visible() and page.locator("#result_list tbody tr").count()
        assert page.evaluate(WIDER) == [], model


def test_tables_are_cards_on_a_phone(visit, pages):
    page = visit("superuser", STYLES, viewport=PHONE)
    for path in pages:
        page.goto(path)
        cell = page.locator("#content td[data-label]").first
        assert cell.evaluate("cell => getComputedStyle(cell).display") == "block", path
        assert page.evaluate(WIDER) == [], path
