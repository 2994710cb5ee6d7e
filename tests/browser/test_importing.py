"""A file is imported from any page: by the mouse, by the keyboard, by dropping it, and without scripts."""

import re

import pytest
from playwright.sync_api import expect

from opsdb.models import ApiToken, FixedSource, Source
from tests.admins.pages import address

from .conftest import PHONE
from .hands import REASON, choose_file, has_focus, import_file, loaded, said, skip_to
from .looking import FITS, Looking

pytestmark = pytest.mark.usefixtures("no_side_bar")

# As the browser tells a page of files that are dragged over it and dropped.
DRAG = """([kind, selector, names]) => {
  const data = new DataTransfer();
  for (const name of names) data.items.add(new File(["name,ra,dec\\n", name, ",10,10\\n"], name));
  const event = new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: data});
  document.querySelector(selector).dispatchEvent(event);
  return event.defaultPrevented;
}"""


def file_of(text, name="list.txt"):
    return {"name": name, "mimeType": "text/plain", "buffer": text.encode()}


def control(page):
    """What imports a file in the header."""
    return page.get_by_role("banner").get_by_role("button", name="Import a file")


def title(page):
    return page.get_by_role("heading", level=1)


def test_a_file_is_imported_from_a_form_of_something_else(visit):
    page = visit("observer", address(Source, "changelist"))
    with loaded(page):
        import_file(page, file_of("name,ra,dec\nHeader 1,10,10\n"))
    expect(title(page)).to_have_text("Import sources")
    expect(page.get_by_role("region", name="What loading list.txt would do")).to_contain_text("Header 1")
    page.get_by_label("Reason:").fill(REASON)
    page.get_by_role("button", name="Load it").click()
    expect(said(page)).to_contain_text("1 made")
    assert FixedSource.objects.filter(name="Header 1").exists()


def test_errors_are_corrected_by_choosing_the_file_again(visit):
    page = visit("observer")
    with loaded(page):
        import_file(page, file_of("name,ra,dec\nHeader 2,400,10\n"))
    expect(page.get_by_role("alert")).to_contain_text("refused")
    with loaded(page):
        import_file(page, file_of("name,ra,dec\nHeader 2,40,10\n"))
    expect(page.get_by_role("region", name="What loading list.txt would do")).to_contain_text("Header 2")


def test_a_file_of_two_kinds_leads_to_the_pages_of_both(visit):
    page = visit("observer")
    with loaded(page):
        import_file(page, file_of("telescope,start_time,end_time,unit,start,reason\n"))
    expect(page.get_by_role("alert")).to_contain_text("looks like slots as well as downtimes")
    page.get_by_role("link", name="Import downtimes").click()
    with loaded(page):
        choose_file(page, file_of("telescope,start_time,end_time,unit,start,reason\n"))
    expect(page.get_by_role("row").filter(has_text="unknown column")).to_have_count(3)


def test_who_may_import_nothing_has_no_control(visit):
    page = visit("viewer")
    expect(page.get_by_role("searchbox", name="Search everything")).to_be_visible()
    expect(control(page)).to_have_count(0)
    assert not page.evaluate(DRAG, ["dragover", "#content", ["a.csv"]])


def test_the_keyboard_reaches_it_and_opens_the_dialog(visit):
    page = visit("observer", address(Source, "changelist"))
    # The browser learns in time that no window is to open for files.
    page.once("filechooser", lambda chooser: None)
    page.keyboard.press("/")
    page.keyboard.press("Tab")
    assert has_focus(control(page))
    with page.expect_file_chooser() as dialog:
        page.keyboard.press("Enter")
    with loaded(page):
        dialog.value.set_files(file_of("name,ra,dec\nHeader 3,10,10\n"))
    expect(title(page)).to_have_text("Import sources")
    skip_to(page, "button", "Load it")


def test_a_dropped_file_is_taken_wherever_it_falls(visit):
    page = visit("observer")
    assert page.evaluate(DRAG, ["dragover", "#content h1", ["a.csv"]])
    expect(page.locator("html[data-opsdb-drop]")).to_have_count(1)
    page.evaluate("document.dispatchEvent(new DragEvent('dragleave', {bubbles: true}))")
    expect(page.locator("html[data-opsdb-drop]")).to_have_count(0)
    page.evaluate(DRAG, ["drop", "#content h1", ["a.csv", "b.csv"]])
    expect(page.get_by_role("banner").get_by_role("status")).to_have_text("One file at a time.")
    with loaded(page):
        page.evaluate(DRAG, ["drop", "#content h1", ["dropped.csv"]])
    expect(page.get_by_role("region", name="What loading dropped.csv would do")).to_be_visible()


def test_a_page_of_a_kind_takes_a_dropped_file_with_its_options(visit):
    page = visit("observer", f"{address(Source, 'changelist')}import/sources/")
    page.get_by_label("Format:").select_option("kosma")
    with loaded(page):
        page.evaluate(DRAG, ["drop", "#content h1", ["dropped.csv"]])
    expect(page.get_by_label("Format:")).to_have_value("kosma")
    expect(page.get_by_role("row").filter(has_text="has no position").first).to_be_visible()
    # The browser itself gives a file to the field that it is dropped on.
    assert not page.evaluate(DRAG, ["dragover", "[data-opsdb-preview] input[type=file]", ["a.csv"]])


def test_it_fits_beside_the_search_on_every_screen(visit, monkeypatch):
    # The side bar takes room too.
    monkeypatch.undo()
    page = visit("superuser", address(ApiToken, "add"))
    for width in (390, 700, 1024, 1025, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate(FITS), width
        box = control(page).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] >= 24, width
        search = page.get_by_role("searchbox", name="Search everything").bounding_box()
        assert (search["y"] + search["height"] <= box["y"]) or (search["x"] + search["width"] <= box["x"]), width


def test_its_pages_have_no_barriers_and_fit_a_phone(visit):
    looking = Looking(visit("observer", f"{address(Source, 'changelist')}import/", viewport=PHONE))
    for text in ("id,name,amount\n", "\0", "name,ra,dec\nHeader 4,400,10\n", "name,ra,dec\nHeader 4,10,10\n"):
        with loaded(looking.page):
            import_file(looking.page, file_of(text))
        looking.look()
    assert looking.problems == []


def test_without_scripts_it_is_a_link_to_a_page_with_a_button(served, browser):
    context = browser.new_context(base_url=served.address, java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": served.cookies["observer"], "url": served.address}])
    page = context.new_page()
    page.goto("/admin/")
    page.get_by_role("banner").get_by_role("link", name="Import a file").click()
    expect(title(page)).to_have_text("Import a file")
    page.get_by_label("File:").set_input_files(file_of("name,ra,dec\nHeader 5,10,10\n"))
    page.get_by_role("button", name="Preview").click()
    expect(title(page)).to_have_text("Import sources")
    page.get_by_label("Reason:").fill(REASON)
    page.get_by_role("button", name="Load it").click()
    expect(page).to_have_url(re.compile("/opsdb/source/$"))
    expect(said(page)).to_contain_text("1 made")
    context.close()
