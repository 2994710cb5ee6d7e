"""What a person's hands do on a page of the admin."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

TABS = 30

REASON = "asked for by the shift leader"


def loaded(page):
    """Wait at the end of a block until the next page is there, whose form takes the focus when it is."""
    return page.expect_event("load")


def choose_file(page, file, control=None):
    """Press what opens the browser's dialog for files, choose one there, and wait until it is sent.

    The field of the page that is open is pressed by default, once the script is there that previews what is chosen.
    """
    if control is None:
        expect(page.get_by_text("Choosing a file shows its preview.")).to_be_visible()
        control = page.get_by_label("File:")
    with page.expect_file_chooser() as dialog:
        control.click()
    with page.expect_request(lambda request: request.method == "POST"):
        dialog.value.set_files(file)


def import_file(page, file):
    """Choose a file by the control in the header of every page."""
    choose_file(page, file, page.get_by_role("banner").get_by_role("button", name="Import a file"))


def line(page, label):
    """The line of a form that begins with a label."""
    words = page.locator("label, legend").filter(has_text=re.compile(rf"^\s*{re.escape(label)}:?\s*(required)?\s*$"))
    return page.locator(".form-row").filter(has=words)


def choose(page, label, text):
    """Choose a row for a reference by typing what it is called."""
    # Not the select that it stands for.
    line(page, label).locator("[role=combobox]").click()
    page.get_by_role("searchbox").last.fill(text)
    page.get_by_role("option", name=re.compile(rf"^{re.escape(text)}")).first.click()


def fill_time(page, label, moment):
    """Type a time as date and time of day, UTC."""
    date, time = line(page, label).get_by_role("textbox").all()
    date.fill(f"{moment:%Y-%m-%d}")
    time.fill(f"{moment:%H:%M:%S}")


def stage(page, name):
    """A stage of the pipeline on the dashboard."""
    return page.locator(".opsdb-stage").filter(has=page.get_by_role("heading", name=name, exact=True))


def open_list(page, name):
    """Go from the start page to a list."""
    page.get_by_role("link", name="Operations database").first.click()
    page.locator("#content-main").get_by_role("link", name=name, exact=True).click()


def add(page, name):
    """Go from the start page to the form for a new row."""
    page.get_by_role("link", name="Operations database").first.click()
    row = page.locator("#content-main").get_by_role("row", name=re.compile(rf"^{name}\b"))
    with loaded(page):
        row.get_by_role("link", name="Add").click()


def add_subtype(page, parents, subtype):
    """Go from the start page to the list of the parents, and from there to the form for a new row of a subtype."""
    open_list(page, parents)
    choices = page.locator(".opsdb-add")
    choices.locator("summary").click()
    with loaded(page):
        choices.get_by_role("link", name=subtype, exact=True).click()


def search(page, text):
    """Search a list."""
    page.locator("#searchbar").fill(text)
    page.get_by_role("button", name="Search").click()


def open_first(page):
    """Open the first row of a list."""
    page.locator("#result_list tbody").get_by_role("link").first.click()


def skip_to(page, kind, name):
    """Move the focus to something on a page, by the keyboard alone."""
    place = page.get_by_role(kind, name=name).first
    skip = page.get_by_role("link", name="Skip to main content")
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if has_focus(place):
            return
        if has_focus(skip):
            page.keyboard.press("Enter")
    raise AssertionError(f"{TABS} times Tab do not lead to {name} on {page.url}")


def has_focus(place):
    """Whether a key that is pressed now goes there."""
    return place.evaluate("element => element === document.activeElement")


def tick(page, row):
    """Choose a row of a list."""
    page.get_by_role("checkbox", name=f"Select this object for an action - {row}", exact=True).check()


def begin(page, action):
    """Ask for an action on the chosen rows of a list."""
    page.get_by_label("Action:").select_option(label=action)
    page.get_by_role("button", name=re.compile("^(Go|Run)$")).click()  # Run from Django 6.1 on
    expect(page.get_by_role("heading", level=1)).to_have_text(action)


def confirm(page, action, reason):
    """Have done what an action has shown."""
    page.get_by_label("Reason:").fill(reason)
    with loaded(page):
        page.get_by_role("button", name=action, exact=True).click()
    expect(page.get_by_role("alert")).to_have_count(0)


def save(page):
    """Save a form."""
    with loaded(page):
        page.get_by_role("button", name="Save", exact=True).click()


def save_anyway(page, reason):
    """Save what a form warns of, for this reason among others."""
    expect(page.locator(".opsdb-warned")).to_contain_text(reason)
    with loaded(page):
        page.get_by_role("button", name="Save anyway").click()


def said(page):
    """What the admin says has been done."""
    return page.locator(".messagelist")


def find(page, text):
    """Search for something in the box that is on every page, without the mouse."""
    page.keyboard.press("/")
    page.keyboard.type(text)
    with loaded(page):
        page.keyboard.press("Enter")


def pages(page):
    """The links to the pages about the observatory."""
    return page.get_by_role("navigation", name="Pages of the observatory")


def add_on_index(page, name):
    """Open the form for a new row from the start page's list of tables."""
    row = page.locator("#content-main").get_by_role("row", name=re.compile(rf"^{name}\b"))
    with loaded(page):
        row.get_by_role("link", name="Add").click()


def pick(page, label, text):
    """Choose a row for a reference by the keyboard: the arrow opens it, what is typed narrows it, Enter takes it."""
    line(page, label).locator("[role=combobox]").press("Alt+ArrowDown")
    page.get_by_role("searchbox").last.fill(text)
    results = page.locator(".select2-results").get_by_role("option")
    expect(results).to_have_count(1)
    expect(results).to_have_text(re.compile(rf"^{re.escape(text)}"))
    page.keyboard.press("Enter")


def add_beside(page, name):
    """Open the form for a new row from the list of tables beside a page."""
    row = page.get_by_role("navigation", name="Sidebar").get_by_role("row", name=re.compile(rf"^{name}\b"))
    with loaded(page):
        row.get_by_role("link", name="Add").click()


def transit_after(moment, right_ascension_deg, longitude_deg=-67.79):
    """When something at a right ascension is highest next."""
    days = (moment - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=1)
    sidereal_deg = 280.46061837 + 360.98564736629 * days + longitude_deg
    return moment + timedelta(days=(right_ascension_deg - sidereal_deg) % 360 / 360.98564736629)
