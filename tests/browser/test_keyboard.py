"""With the keyboard alone: everything on every kind of page is reached, shows that it is, and has a name."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from opsdb.models import DataTransfer, ExecutedObsUnit, ObsUnit, RawDataPackage
from tests.admins.acting import ACTIONS
from tests.admins.pages import ADMINS, SITE, address

from .hands import begin, line
from .looking import ADDRESS, LOAD

SIDE_BAR = "#nav-sidebar"
# A date or time input is left after as many steps as it has parts.
PARTS = 8
# Boxes that are scrolled, and the way round by the browser's own bars.
SPARE = 60

# Marks what a person sees and may use, with how it looks without the focus, and notes where the focus goes.
BEGIN = """([sideBar, parts]) => {
  const look = (element) => {
    // What is typed into is part of the box that shows what is chosen.
    const style = getComputedStyle(element.closest('.select2-selection') || element);
    return [style.outlineStyle, style.outlineWidth, style.outlineColor, style.boxShadow].join(' ');
  };
  const usable = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]';
  const walk = window.walk = {reached: new Set(), unseen: [], trapped: [], expected: []};
  document.activeElement.blur();
  for (const element of document.querySelectorAll(usable)) {
    const seen = element.checkVisibility({visibilityProperty: true, opacityProperty: true})
      && element.getClientRects().length;
    const other = element.type === 'radio' && !element.checked;
    if (seen && !other && element.tabIndex >= 0 && !element.disabled && !element.closest(sideBar)) {
      walk.expected.push(element);
    }
    element.lookBefore = look(element);
  }
  document.addEventListener('focusin', ({target}) => {
    walk.reached.add(target);
    const box = target.getBoundingClientRect();
    const hidden = box.bottom < 0 || box.right < 0 || box.top > innerHeight || box.left > innerWidth;
    if (hidden || !target.matches(':focus-visible') || look(target) === target.lookBefore) {
      walk.unseen.push(target.outerHTML.slice(0, 200));
    }
  });
  let last, times = 0;
  document.addEventListener('keydown', () => {
    times = document.activeElement === last ? times + 1 : 0;
    last = document.activeElement;
    if (times > parts) walk.trapped.push(last.outerHTML.slice(0, 200));
  }, true);
}"""
LEFT = "walk.trapped.length ? 0 : walk.expected.filter((element) => !walk.reached.has(element)).length"
END = """() => {
  const told = (element) => element.outerHTML.slice(0, 200);
  axe.setup(document.documentElement);
  const nameless = walk.expected.filter((element) => !axe.commons.text.accessibleText(element).trim());
  axe.teardown();
  return {
    missed: walk.expected.filter((element) => !walk.reached.has(element)).map(told),
    nameless: nameless.map(told),
    unseen: walk.unseen,
    trapped: walk.trapped,
  };
}"""
SKIP_SIDE_BAR = "sideBar => document.querySelectorAll(`${sideBar} :is(a, input)`).forEach((one) => one.tabIndex = -1)"


def walk(page):
    """Press Tab until the focus has been everywhere, and return what was wrong on the way."""
    page.wait_for_load_state("load")
    page.evaluate(SKIP_SIDE_BAR, SIDE_BAR)
    page.evaluate(BEGIN, [SIDE_BAR, PARTS])
    spare = SPARE + page.evaluate(LEFT)
    while spare > 0 and (left := page.evaluate(LEFT)):
        for _ in range(left):
            page.keyboard.press("Tab")
        spare -= left
    page.evaluate(LOAD, ADDRESS)
    found = page.evaluate(END)
    return [f"{page.url}: {what}: {element}" for what, elements in found.items() for element in elements]


def pages():
    """Addresses of a page of each kind."""
    execution, package = ExecutedObsUnit.objects.latest_first()[0], RawDataPackage.objects.not_archived()[0]
    return (
        "/admin/",
        address(DataTransfer, "changelist"),
        f"{address(ObsUnit, 'changelist')}?q=a&available__exact=1",
        address(ObsUnit, "add"),
        address(ExecutedObsUnit, "change", execution),
        address(RawDataPackage, "history", package),
        address(ObsUnit, "delete", ObsUnit.objects.first()),
        f"{address(ObsUnit, 'changelist')}import/obs-units/",
        reverse("admin:opsdb_executedobsunit_observation", args=[execution.pk]),
        reverse("admin:opsdb_executedobsunit_night", args=[f"{execution.start_time:%Y-%m-%d}"]),
        reverse("admin:opsdb_source_sky"),
        reverse("admin:opsdb_datatransferroute_dataflow"),
        reverse("admin:opsdb_physicalcopy_where") + f"?q={package.pk}",
        reverse("admin:opsdb_rawdatapackage_why") + f"?q={package.pk}",
    )


@pytest.fixture
def short_lists(monkeypatch):
    """A few rows of a list, and a few lists of each group on the start page: the others are reached alike."""
    list_all = SITE.get_app_list
    monkeypatch.setattr(ADMINS[DataTransfer], "list_per_page", 5)
    monkeypatch.setattr(
        SITE, "get_app_list", lambda *args: [{**app, "models": app["models"][:5]} for app in list_all(*args)]
    )


@pytest.mark.usefixtures("short_lists", "no_side_bar")
def test_tab_reaches_everything_and_shows_where_it_is(visit):
    page, problems = visit("superuser"), []
    for path in pages():
        page.goto(path)
        problems += walk(page)
    assert problems == []


def test_tab_reaches_everything_of_an_action_and_of_the_login(visit):
    page = visit("superuser", address(ObsUnit, "changelist"))
    page.goto(address(DataTransfer, "changelist"))
    page.locator(".action-select").first.check()
    begin(page, next(str(action.label) for model, action in ACTIONS if model is DataTransfer))
    assert walk(page) == []
    page.context.clear_cookies()
    page.goto("/admin/login/")
    assert walk(page) == []


def test_a_reference_is_chosen_with_the_keyboard_alone(visit):
    page = visit("superuser", address(ObsUnit, "add"))
    box = line(page, "Observing program").get_by_role("combobox")
    box.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("searchbox").last).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".select2-dropdown")).to_have_count(0)
    expect(box).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("searchbox").last).to_be_focused()
    page.keyboard.type("GEco")
    expect(page.locator(".select2-results__option--highlighted")).to_have_text(re.compile("^GEco"))
    page.keyboard.press("Enter")
    expect(box).to_contain_text("GEco")
    expect(box).to_be_focused()
